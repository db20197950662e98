"""Ends from outside: a closed terminal or a polite kill ends a command only when it has been handed over whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from console.errand import Commanding

KILLED: Final = 128 + signal.SIGTERM
"""The exit code of a screen that a polite kill has ended."""

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
def after_commands(leave: Callable[[], object], let_go: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Around a screen, whose end from outside comes once the errands that command have been run.

    A polite kill (SIGTERM) then calls ``leave``, which restores the terminal; a second one does not wait. A closed
    terminal (SIGHUP) leaves nothing to restore: it calls ``let_go``, and the process ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def closed(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # a closed terminal says it more than once
        _handed_over()
        let_go()
        _as_before(before[number], number, frame)

    def killed(number: int, _frame: FrameType | None) -> None:
        def end() -> None:
            _handed_over()
            leave()

        signal.signal(number, signal.SIG_DFL)
        # Not in the handler: the screen goes on telling what is commanded while that is waited for.
        threading.Thread(target=end, name="rampdeck end", daemon=True).start()

    wanted: dict[int, Callable[[int, FrameType | None], None]] = {signal.SIGHUP: closed, signal.SIGTERM: killed}
    before = {number: signal.getsignal(number) for number in wanted}
    heard = [number for number in wanted if before[number] is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, wanted[number])
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def _handed_over() -> None:
    for thread in threading.enumerate():
        if isinstance(thread, Commanding):
            thread.join(PATIENCE)


def _as_before(before: object, number: int, frame: FrameType | None) -> None:
    if callable(before):
        before(number, frame)
    else:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
