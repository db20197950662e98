"""A lock between processes: the kernel gives it back when its holder dies."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stages.refusal import Trouble

_PAUSE: Final = 0.05


@contextmanager
def held(path: Path, *, patience: float = 30.0) -> Iterator[None]:
    """Hold the lock ``path``; Trouble when another process keeps it for more than ``patience`` seconds."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(file, path, patience)
        yield
    finally:
        os.close(file)


def _take(file: int, path: Path, patience: float) -> None:
    pause = threading.Event()
    for _ in range(max(1, int(patience / _PAUSE))):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause.wait(_PAUSE)
        else:
            return
    raise Trouble("another process keeps the mirror busy", where=str(path), fix="try again, or end that process")
