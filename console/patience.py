"""Patience: an answer within so many seconds, or none; what hangs holds a thread of its own and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Hung(Exception):
    """No answer came in time. What was asked may still happen."""


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What ``ask`` returns or raises, asked in a thread of its own; raises Hung when that takes longer."""
    asked = _Asked(ask)
    thread = threading.Thread(target=asked.run, name="rampdeck patience", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Hung
    return asked.answer()


class _Asked(Generic[T]):
    """A question on its way, and what came of it."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._found: list[T] = []
        self._raised: BaseException | None = None

    def run(self) -> None:
        try:
            self._found.append(self._ask())
        except BaseException as raised:  # noqa: BLE001 - it is raised again where it was asked
            self._raised = raised

    def answer(self) -> T:
        if self._raised is not None:
            raise self._raised
        return self._found[0]


class Once(Generic[T]):
    """Something that is made when it is first asked for, or by itself after so many seconds, and only once."""

    def __init__(self, make: Callable[[], T], seconds: float) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: list[T] = []
        self._timer = threading.Timer(seconds, self)
        self._timer.daemon = True
        self._timer.start()

    def __call__(self) -> T:
        self._timer.cancel()
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def never_mind(self) -> None:
        """It is not made by itself any more."""
        self._timer.cancel()
