"""Kept: what was read before and cannot have changed since, so that nobody is asked for it again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")


class Kept(Generic[Key, Thing]):
    """Things by key, at most ``room`` of weight in all; what was not used for longest goes first. For many threads."""

    def __init__(self, room: int, weigh: Callable[[Thing], int] = lambda _thing: 1) -> None:
        self._room, self._weigh = room, weigh
        self._weight = 0
        self._lock = threading.Lock()
        self._things: OrderedDict[Key, Thing] = OrderedDict()

    def get(self, key: Key, read: Callable[[], Thing]) -> Thing:
        """The thing, read where it is not kept; whatever ``read`` raises is kept by nobody."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
        thing = read()
        with self._lock:
            if key not in self._things and self._weigh(thing) <= self._room:
                self._things[key] = thing
                self._weight += self._weigh(thing)
            while self._weight > self._room:
                self._weight -= self._weigh(self._things.popitem(last=False)[1])
        return thing
