"""Hang-ups: a closed terminal ends a command only when what it commands has been handed over whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """The signal of a terminal that closes within comes when this ends. Only the main thread can put it off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
        if came:
            os.kill(os.getpid(), signal.SIGHUP)
