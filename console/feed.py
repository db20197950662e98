"""The desk as it stands in a process: the newest frame, and who is told of the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.desk import Frame


class Desk:
    """A ``Feed``: holds the newest frame and tells who has subscribed. Every call returns at once, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._waiting = "starting"
        self._subscribers: dict[object, Callable[[], object]] = {}

    def frame(self) -> Frame | None:
        with self._lock:
            return self._frame

    def waiting_for(self) -> str:
        with self._lock:
            return self._waiting

    def subscribe(self, notify: Callable[[], object]) -> Callable[[], None]:
        token = object()
        with self._lock:
            self._subscribers[token] = notify

        def end() -> None:
            with self._lock:
                self._subscribers.pop(token, None)

        return end

    def publish(self, frame: Frame) -> None:
        """Replaces the frame and tells everybody."""
        with self._lock:
            self._frame = frame
        self._tell()

    def wait(self, sentence: str) -> None:
        """Says what is being done, or what is in the way, while there is no frame."""
        with self._lock:
            changed, self._waiting = self._waiting != sentence, sentence
        if changed:
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            subscribers = tuple(self._subscribers.values())
        for notify in subscribers:
            notify()
