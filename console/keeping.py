"""Keeping: files that a person gets from the console, for that person's eyes alone."""

from __future__ import annotations

import os
from pathlib import Path


def keep(path: Path, text: str) -> Path:
    """Writes ``text`` where only its owner reads it; folders on the way are made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def from_home(path: Path, home: str | None) -> str:
    """A path as people say it: ``~/.local/state/...`` where it lies below their home."""
    if home and path.is_relative_to(home):
        return f"~/{path.relative_to(home)}"
    return str(path)
