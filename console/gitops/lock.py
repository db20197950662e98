"""Locks between processes: ours, which the kernel gives back, and Git's, which a dead process leaves behind."""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stages.refusal import Trouble

LEFTOVER_SECONDS: Final = 2.0
"""How long a lock file of Git may stand in the mirror before nobody is believed to hold it: a ref takes moments."""

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


def remove_leftover(said: str, folder: Path) -> bool:
    """Remove the lock file of ``folder`` that Git stumbled over, unless its holder gives it back; False for none.

    ``said`` is Git's standard error. A process that was killed in the middle of a fetch leaves such a file behind.
    """
    found = re.search(r"Unable to create '(.+?\.lock)': File exists", said)
    if found is None or not Path(found[1]).resolve().is_relative_to(folder.resolve()):
        return False
    lock, pause = Path(found[1]), threading.Event()
    for _ in range(int(LEFTOVER_SECONDS / _PAUSE)):
        if not lock.exists():
            return True
        pause.wait(_PAUSE)
    lock.unlink(missing_ok=True)
    return True
