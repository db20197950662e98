"""A reflector: a collection of objects as the API server holds it, kept by a list and by watches that go on from it.

A thread of its own lists the collection, watches it from there, goes on where a watch ended, and lists anew at every
resync and after everything that breaks. Whoever asks is told at once what is known, and since when nothing confirmed
it; nobody waits for the cluster. The thread ends by itself when nobody asks any more.

A watch that breaks says nothing of the objects: they are unknown when the list that follows fails too, or when nothing
has confirmed them for too long.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import Any, Final

from console.ports import Clock
from console.runtime.api import ApiServer, ApiTrouble
from stages.rollouts import Object
from stages.value import Struct, replace

GONE: Final = 410
"""The history that a watch or the next page should go on from is not kept any more."""

REFUSALS: Final = frozenset({401, 403, 404})
"""What asking again soon does not change: the login, the right, the kind of object."""

UNWATCHABLE: Final = frozenset({403, 405})
"""Answers to a watch of what may be listed: RBAC grants no watch, or the kind has none."""

PAGE: Final = 500
"""Objects that one request asks for."""

SHORTEST: Final = 1.0
"""Seconds before which a watch that ends has watched nothing. One of Events whose history is gone is answered with an
empty stream instead of 410."""


class Pace(Struct, frozen=True):
    """How long, how often; seconds."""

    request: float = 4.0
    """One request may take."""

    watch: int = 10
    """After which the server ends a watch and the next goes on: so often at least a silent one is known to live."""

    silence: float = 5.0
    """Beyond its end for which a watch may say nothing before its connection counts as dead."""

    resync: float = 30.0
    """Between two lists, which are read from the store itself: no lost event, no store put back to an earlier state and
    no server cut off from its store goes unnoticed for longer."""

    poll: float = 4.0
    """Between two lists of what may not be watched."""

    unwatched: float = 60.0
    """Before a watch that was refused is asked for again."""

    refused: float = 10.0
    """Before a list that was refused several times is asked for again."""

    pauses: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)
    """Between failures in a row, unless the server asks for more; a stream that breaks once is followed up at once."""

    longest: float = 30.0
    """For which a request for patience is followed; after that the server is asked anyway."""

    let_go: float = 30.0
    """After the last question at which the thread ends."""

    @property
    def stale(self) -> float:
        """After which what nobody confirmed is not known any more."""
        return self.watch + self.silence + self.request + 1


class Collection(Struct, frozen=True):
    """What is listed and watched: a path at the API server, narrowed by selectors."""

    path: str
    selectors: tuple[tuple[str, str], ...] = ()


class Heard(Struct, frozen=True):
    """The newest word on a collection. With ``error`` set nobody can say, and the objects are those known last.

    ``read_time`` is when the server last told it, or was last known to be telling every change of it. ``note`` says so
    when it is asked for again and again instead of watched.
    """

    items: tuple[Object, ...]
    read_time: datetime
    error: str = ""
    note: str = ""


class Reflector:
    """Keeps one collection. Safe to use from several threads."""

    def __init__(self, api: ApiServer, collection: Collection, clock: Clock, pace: Pace) -> None:
        self.collection = collection
        self._api, self._clock, self._pace = api, clock, pace
        self._lock = threading.Lock()
        self._turn: _Turn | None = None

    def newest(self) -> Heard:
        """What is known now; keeps the thread going, and starts one when none is at work."""
        heard, now = self._wanted_turn().heard, self._clock.wall()
        if heard is None:
            return Heard((), now, "was not answered yet")
        age = (now - heard.read_time).total_seconds()
        if age > self._pace.stale and not heard.error:
            return replace(heard, error=f"was not confirmed for {age:.0f} s")
        return heard

    def wait(self, seconds: float) -> None:
        """Waits for the first answer of the thread at work, whatever it is."""
        self._wanted_turn().answered.wait(max(0.0, seconds))

    @property
    def running(self) -> bool:
        """Whether a thread is at work."""
        with self._lock:
            return self._turn is not None and not self._turn.ended

    def _wanted_turn(self) -> _Turn:
        with self._lock:
            if self._turn is None or not self._turn.prolong():
                before = self._turn.heard if self._turn else None
                self._turn = _Turn(self._api, self.collection, self._clock, self._pace, before)
                self._turn.start()
            return self._turn


class _Turn:
    """One thread's time with a collection. It writes to itself alone: what an earlier one hears late goes nowhere."""

    def __init__(
        self, api: ApiServer, collection: Collection, clock: Clock, pace: Pace, heard: Heard | None = None
    ) -> None:
        self._api, self._collection, self._clock, self._pace = api, collection, clock, pace
        self.heard = heard
        self.answered = threading.Event()
        self.ended = False
        self._lock = threading.Lock()
        self._wanted_until = clock.monotonic() + pace.let_go
        self._objects: dict[str, Object] = {_name(one): one for one in heard.items} if heard else {}
        self._version = ""
        self._failures = 0
        self._note, self._unwatched_until = "", 0.0

    def start(self) -> None:
        name = f"rampdeck kubernetes {self._collection.path.rpartition('/')[2]}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def prolong(self) -> bool:
        """Keeps it going; False when it has ended."""
        with self._lock:
            self._wanted_until = self._clock.monotonic() + self._pace.let_go
            return not self.ended

    def _wanted(self) -> bool:
        """Whether it goes on; what has ended once does not."""
        with self._lock:
            self.ended = self.ended or self._clock.monotonic() >= self._wanted_until
            return not self.ended

    def _run(self) -> None:
        pause = 0.0
        try:
            while self._wanted() and not self._api.closed.wait(pause):
                pause = self._round()
        finally:
            self.ended = True
            self.answered.set()

    def _round(self) -> float:
        """A list, and watches that go on from it until the next is due. Returns the seconds to wait before that."""
        due = self._clock.monotonic() + self._pace.resync
        try:
            self._list()
        except ApiTrouble as trouble:
            if trouble.status != GONE:
                self._doubt(trouble.what)
            self._failures = max(1, self._failures)
            return self._pause(trouble)
        if self._clock.monotonic() < self._unwatched_until:
            return self._pace.poll
        try:
            while self._wanted() and self._clock.monotonic() < due:
                self._watch()
        except ApiTrouble as trouble:
            if trouble.status in UNWATCHABLE:
                return self._unwatched()
            return self._pause(trouble)
        return 0.0

    def _pause(self, trouble: ApiTrouble) -> float:
        """After a failure. A server that has just started refuses a moment long what it grants: so not the first."""
        pauses = self._pace.pauses
        pause = pauses[min(self._failures, len(pauses) - 1)]
        self._failures += 1
        if trouble.status in REFUSALS and self._failures >= len(pauses):
            return self._pace.refused
        return max(pause, min(trouble.retry_after or 0.0, self._pace.longest))

    def _unwatched(self) -> float:
        """It may be listed and not watched: then it is listed again and again, and whoever asks is told so."""
        self._unwatched_until = self._clock.monotonic() + self._pace.unwatched
        self._note = f"asked for every {self._pace.poll:g} s, may not be watched"
        self._tell()
        return self._pace.poll

    def _list(self) -> None:
        query = {**dict(self._collection.selectors), "limit": str(PAGE)}
        found: dict[str, Object] = {}
        while True:
            page = self._api.get(self._collection.path, query, seconds=self._pace.request)
            about, items = (page.get("metadata"), page.get("items")) if isinstance(page, dict) else (None, None)
            if not isinstance(about, dict) or not isinstance(items, list | None):
                raise ApiTrouble("the answer is no list of objects")
            found |= {_name(one): self._same(one) for one in items or ()}
            if not about.get("continue"):
                break
            query["continue"] = str(about["continue"])
        self._objects, self._version = found, str(about.get("resourceVersion", ""))
        self._tell()

    def _same(self, held: Object) -> Object:
        """What has not changed stays the same object, so that whoever parsed it need not do so again."""
        known = self._objects.get(_name(held))
        return known if known is not None and known == held else held

    def _watch(self) -> None:
        """Follows what changes until the server ends the watch, and knows from where to go on."""
        query = {
            **dict(self._collection.selectors),
            "watch": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(self._pace.watch),
            "allowWatchBookmarks": "true",
        }
        began, lasts = self._clock.monotonic(), self._pace.watch + self._pace.silence
        try:
            stream = self._api.stream(self._collection.path, query, connect=self._pace.request, lasts=lasts)
            with closing(stream):
                self._note = ""
                self._tell()
                for event in stream:
                    self._take(event)
                    if not self._wanted():
                        return
        finally:
            lasted = self._clock.monotonic() - began
            if lasted >= SHORTEST:
                self._failures = 0
        if lasted < SHORTEST:
            raise ApiTrouble("the watch ended at once")
        self._tell()

    def _take(self, event: Mapping[str, Any]) -> None:
        """One event; a BOOKMARK says only how far the server has told everything. Raises ApiTrouble for an ERROR."""
        kind, held = event["type"], event["object"]
        if kind == "ERROR":
            raise _refused(held)
        if kind in ("ADDED", "MODIFIED"):
            self._objects[_name(held)] = held
        elif kind == "DELETED":
            self._objects.pop(_name(held), None)
        about = held.get("metadata")
        self._version = str((about if isinstance(about, dict) else {}).get("resourceVersion") or self._version)
        self._tell()

    def _tell(self) -> None:
        self.heard = Heard(tuple(self._objects.values()), self._clock.wall(), note=self._note)
        self.answered.set()

    def _doubt(self, reason: str) -> None:
        self.heard = replace(self.heard or Heard((), self._clock.wall()), error=reason)
        self.answered.set()


def _name(held: object) -> str:
    """By what an object is known in its namespace. Raises ApiTrouble."""
    about = held.get("metadata") if isinstance(held, dict) else None
    if not isinstance(about, dict) or not about.get("name"):
        raise ApiTrouble("what is told is no object")
    return str(about["name"])


def _refused(status: Mapping[str, Any]) -> ApiTrouble:
    """The Status object of an ERROR within a stream; 410 comes in this way as a rule."""
    code, details = status.get("code"), status.get("details")
    after = details.get("retryAfterSeconds") if isinstance(details, dict) else None
    return ApiTrouble(
        str(status.get("message") or "the watch failed"),
        status=code if isinstance(code, int) else 0,
        retry_after=float(after) if isinstance(after, int) else None,
    )
