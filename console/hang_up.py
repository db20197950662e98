"""Hang-ups: a closed terminal ends a command only when what it commands has been handed over whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from console.errand import Commanding

PATIENCE: Final = 12.0
"""Seconds for a hand-over: a kill waits for its witnesses for 8 s."""


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


@contextmanager
def after_commands() -> Iterator[None]:
    """Around a screen: the signal of its closed terminal ends it once the errands that command have been run."""
    before = signal.getsignal(signal.SIGHUP)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield
        return

    def closed(number: int, frame: FrameType | None) -> None:
        for thread in threading.enumerate():
            if isinstance(thread, Commanding):
                thread.join(PATIENCE)
        if callable(before):
            before(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGHUP, closed)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
