"""A reflector against a scripted API server: what it says, what it asks next, and when it does not know."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from console.runtime.api import ApiServer, ApiTrouble, Stream
from console.runtime.reflector import Collection, Heard, Pace, Reflector
from console.wiring import SystemClock
from stages.value import replace

FEEDS = Collection("/api/v1/namespaces/heron/configmaps", (("fieldSelector", "metadata.name=feed"),))
PACE = Pace(pauses=(0.0, 0.01), refused=0.02, poll=0.5)
DEADLINE = 20.0

Event = Mapping[str, Any]
Said = Callable[[], Any]


def feed(value: str, version: str = "7", name: str = "feed") -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": version}, "data": {"SYMBOLS": value}}


def listed(*items: Any, version: str = "7", more: str = "") -> Said:
    about = {"resourceVersion": version, **({"continue": more} if more else {})}
    return lambda: {"metadata": about, "items": list(items)}


def no(status: int = 0, what: str = "no", retry_after: float | None = None) -> Said:
    def refuse() -> Any:
        raise ApiTrouble(what, status=status, retry_after=retry_after)

    return refuse


class Told:
    """A stream that gives its events and then ends, breaks or, as the last resort, stays open until it is let go."""

    def __init__(self, server: Server, events: tuple[Event, ...], ending: Said | None) -> None:
        self._server, self._events, self._ending = server, events, ending
        self.closed = False

    def __iter__(self) -> Iterator[Event]:
        yield from self._events
        if self._ending is not None:
            self._ending()
        else:
            self._server.held.wait(DEADLINE)

    def close(self) -> None:
        self.closed = True


class Pauses(threading.Event):
    """Waits between requests, written down; a long one lasts until the end."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        pause = timeout or 0.0
        self.taken.append(pause)
        return super().wait(DEADLINE if pause > 1 else 0.0)


@dataclass
class Server(ApiServer):
    """Answers lists and watches in turn; the last answer of each is given again and again."""

    lists: deque[Said] = field(default_factory=deque)
    watches: deque[Said] = field(default_factory=deque)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    streams: list[Told] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(None, SystemClock())
        self.pauses = Pauses()
        self.closed = self.pauses

    def get(self, path: str, query: Mapping[str, str] | None = None, *, seconds: float) -> Any:
        self.asked.append(("list", dict(query or {})))
        return self._next(self.lists)()

    def stream(self, path: str, query: Mapping[str, str], *, connect: float, lasts: float) -> Stream:
        self.asked.append(("watch", dict(query)))
        stream: Any = self._next(self.watches)()
        self.streams.append(stream)
        return stream

    def tells(self, *events: Event, ending: Said | None = None) -> Said:
        return lambda: Told(self, events, ending)

    @staticmethod
    def _next(answers: deque[Said]) -> Said:
        return answers.popleft() if len(answers) > 1 else answers[0]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.asked]


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    found.lists.append(listed(feed("old")))
    found.watches.append(found.tells())
    yield found
    found.close()
    found.held.set()


def until(holds: Callable[[], bool], what: object = "it never holds") -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.005)


def reflector(server: Server, pace: Pace = PACE) -> Reflector:
    return Reflector(server, FEEDS, SystemClock(), pace)


def values(heard: Heard) -> list[str]:
    return [one["data"]["SYMBOLS"] for one in heard.items]


def says(found: Reflector, *wanted: str, error: str = "") -> Heard:
    def holds() -> bool:
        heard = found.newest()
        return values(heard) == list(wanted) and (error in heard.error if error else not heard.error)

    until(holds, f"never {wanted} {error}: {found.newest()}")
    return found.newest()


def event(kind: str, held: Mapping[str, Any]) -> Event:
    return {"type": kind, "object": held}


def test_what_changes_is_told_without_another_list(server: Server) -> None:
    changed = threading.Event()

    class Waiting(Told):
        def __iter__(self) -> Iterator[Event]:
            changed.wait(DEADLINE)
            yield event("MODIFIED", feed("new", "9"))
            yield from super().__iter__()

    server.watches = deque([lambda: Waiting(server, (), None)])
    found = reflector(server)
    says(found, "old")
    changed.set()
    says(found, "new")
    assert server.kinds == ["list", "watch"]
    assert server.asked[1][1] == {
        "fieldSelector": "metadata.name=feed",
        "watch": "true",
        "resourceVersion": "7",
        "timeoutSeconds": "10",
        "allowWatchBookmarks": "true",
    }


def test_objects_come_change_and_go(server: Server) -> None:
    told = (
        event("ADDED", feed("one", "8", "another")),
        event("MODIFIED", feed("two", "9", "another")),
        event("DELETED", feed("old", "10")),
    )
    server.watches = deque([server.tells(*told)])
    says(reflector(server), "two")


class LateClock(SystemClock):
    """A clock that a test puts ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead

    def wall(self) -> datetime:
        return super().wall() + timedelta(seconds=self.ahead)


def ends_late(clock: LateClock) -> Said:
    """The end of a watch by the server, in order and in time."""

    def end() -> None:
        clock.ahead += 2.0

    return end


def test_a_watch_that_ends_goes_on_from_its_bookmark(server: Server) -> None:
    clock = LateClock()
    bookmark = event("BOOKMARK", {"kind": "ConfigMap", "metadata": {"resourceVersion": "42"}})
    server.watches = deque([server.tells(bookmark, ending=ends_late(clock)), server.tells()])
    found = Reflector(server, FEEDS, clock, PACE)
    says(found, "old")
    until(lambda: len(server.asked) == 3)
    assert server.kinds == ["list", "watch", "watch"]
    assert server.asked[2][1]["resourceVersion"] == "42"
    assert server.streams[0].closed


def test_a_resync_lists_anew_what_a_watch_has_lost(server: Server) -> None:
    clock = LateClock()
    server.lists.append(listed(feed("new", "9"), version="9"))
    server.watches = deque([server.tells(ending=ends_late(clock)), server.tells()])
    says(Reflector(server, FEEDS, clock, replace(PACE, resync=1.5)), "new")
    until(lambda: len(server.asked) == 4)
    assert server.kinds == ["list", "watch", "list", "watch"]
    assert server.asked[3][1]["resourceVersion"] == "9"


def test_what_a_resync_finds_unchanged_stays_the_same_object(server: Server) -> None:
    """Whoever parsed it knows by that, and need not do so again."""
    clock, known = LateClock(), threading.Event()

    def end() -> None:
        known.wait(DEADLINE)
        clock.ahead += 2.0

    server.lists = deque([listed(feed("old")), listed(feed("old"), feed("new", name="another"))])
    server.watches = deque([server.tells(ending=end), server.tells()])
    found = Reflector(server, FEEDS, clock, replace(PACE, resync=1.5))
    before = says(found, "old").items[0]
    known.set()
    assert says(found, "old", "new").items[0] is before


@pytest.mark.parametrize(
    "broken",
    [
        event("ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"}),
        event("ERROR", {"kind": "Status", "code": 500, "message": "etcd is away"}),
        event("ERROR", {}),
        event("MODIFIED", {"kind": "ConfigMap"}),
        event("MODIFIED", {"metadata": {"resourceVersion": "9"}}),
    ],
    ids=["410", "500", "an empty status", "no metadata", "no name"],
)
def test_a_stream_that_breaks_is_followed_by_a_list_and_doubts_nothing(server: Server, broken: Event) -> None:
    server.lists.append(listed(feed("new"), version="9"))
    server.watches.appendleft(server.tells(broken))
    found, errors = reflector(server), set()

    def holds() -> bool:
        heard = found.newest()
        errors.add(heard.error)
        return values(heard) == ["new"]

    until(holds)
    assert errors <= {"", "was not answered yet"}
    assert server.kinds[:3] == ["list", "watch", "list"]
    assert server.streams[0].closed


@pytest.mark.parametrize("status", [0, 410, 429, 500], ids=["connection closed", "410", "429", "500"])
def test_a_watch_that_is_not_begun_is_followed_by_a_list(server: Server, status: int) -> None:
    server.lists.append(listed(feed("new")))
    server.watches.appendleft(no(status, retry_after=0.01 if status == 429 else None))
    says(reflector(server), "new")
    assert server.kinds[:3] == ["list", "watch", "list"]


def test_a_server_that_ends_every_watch_at_once_is_not_asked_in_a_storm(server: Server) -> None:
    """So are Events answered whose history is gone, instead of by 410."""
    server.watches = deque([server.tells(ending=lambda: None)])
    says(reflector(server, replace(PACE, pauses=(0.0, 0.5, 60.0))), "old")
    until(lambda: server.pauses.taken[-1] > 1)
    assert server.pauses.taken == [0.0, 0.0, 0.5, 60.0]
    assert server.kinds == ["list", "watch"] * 3


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (no(401, "the API server does not accept the credentials"), "does not accept"),
        (no(403, "cannot list resource"), "cannot list"),
        (no(404, "the API server does not know this kind of object"), "does not know"),
        (no(0, "no answer in 4 s"), "no answer"),
        (lambda: ["a list"], "no list of objects"),
        (lambda: {"metadata": {}, "items": "many"}, "no list of objects"),
        (lambda: {"metadata": {}, "items": ["one"]}, "no object"),
    ],
    ids=["401", "403", "404", "no answer", "nonsense", "no items", "no objects"],
)
def test_a_list_that_fails_makes_it_unknown_with_the_reason_until_one_holds(
    server: Server, refused: Said, error: str
) -> None:
    server.lists = deque([listed(feed("old")), refused])
    server.watches.appendleft(server.tells(ending=no()))
    found = reflector(server)
    known = says(found, "old", error=error)
    server.lists.append(listed(feed("new")))
    fresh = says(found, "new")
    assert fresh.read_time > known.read_time


def test_what_is_refused_again_and_again_is_asked_for_slowly(server: Server) -> None:
    server.lists = deque([no(403, "cannot list resource")])
    says(reflector(server, replace(PACE, refused=60.0, pauses=(0.0, 0.5, 1.0))), error="cannot list resource")
    until(lambda: server.pauses.taken[-1] > 1)
    assert server.pauses.taken == [0.0, 0.5, 60.0]


def test_patience_is_had_as_long_as_it_is_asked_for_within_reason(server: Server) -> None:
    server.lists = deque([no(429, retry_after=0.7), no(429, retry_after=3600.0)])
    says(reflector(server), error="no")
    until(lambda: server.pauses.taken[-1] > 1)
    assert server.pauses.taken == [0.0, 0.7, PACE.longest]


def test_pages_are_put_together(server: Server) -> None:
    server.lists = deque([listed(feed("one"), more="next"), listed(feed("two", name="another"))])
    says(reflector(server), "one", "two")
    assert [query.get("continue") for kind, query in server.asked if kind == "list"] == [None, "next"]


def test_pages_that_are_gone_begin_again_and_are_no_reason_to_doubt(server: Server) -> None:
    again, go_on = threading.Event(), threading.Event()

    def late() -> Any:
        again.set()
        go_on.wait(DEADLINE)
        return listed(feed("new"))()

    server.lists = deque([listed(feed("one"), more="next"), no(410), late])
    found = reflector(server)
    found.newest()
    assert again.wait(DEADLINE)
    assert found.newest().error == "was not answered yet"
    go_on.set()
    says(found, "new")
    assert [query.get("continue") for kind, query in server.asked if kind == "list"] == [None, "next", None]


@pytest.mark.parametrize("status", [403, 405])
def test_what_may_not_be_watched_is_asked_for_again_and_again_and_says_so(server: Server, status: int) -> None:
    server.lists = deque([listed(feed("old")), listed(feed("new"))])
    server.watches = deque([no(status)])
    found = reflector(server)
    assert says(found, "new").note == "asked for every 0.5 s, may not be watched"
    until(lambda: len(server.asked) > 5)
    assert server.kinds.count("watch") == 1


def test_a_watch_that_is_granted_later_is_taken(server: Server) -> None:
    clock = LateClock()
    server.watches = deque([no(403), server.tells()])
    found = Reflector(server, FEEDS, clock, replace(PACE, let_go=600.0))
    until(lambda: "may not be watched" in found.newest().note)
    clock.ahead += PACE.unwatched
    until(lambda: found.newest().note == "")
    assert server.kinds.count("watch") == 2


def test_silence_makes_old_words_unknown_and_a_bookmark_does_not(server: Server) -> None:
    """A stream that says nothing may be dead: what it told last is known for as long as a living one may be silent."""
    told = threading.Event()

    class Marking(Told):
        def __iter__(self) -> Iterator[Event]:
            told.wait(DEADLINE)
            yield event("BOOKMARK", {"metadata": {"resourceVersion": "8"}})
            yield from super().__iter__()

    clock = LateClock()
    server.watches = deque([lambda: Marking(server, (), None)])
    found = Reflector(server, FEEDS, clock, PACE)
    first = says(found, "old")
    clock.ahead += PACE.stale + 1
    silent = says(found, "old", error="was not confirmed for")
    assert silent.read_time - first.read_time < timedelta(seconds=PACE.stale)
    told.set()
    assert says(found, "old").read_time - first.read_time > timedelta(seconds=PACE.stale)


def test_what_an_earlier_thread_hears_late_goes_nowhere(server: Server) -> None:
    late, went = threading.Event(), threading.Event()

    class Late(Told):
        def __iter__(self) -> Iterator[Event]:
            late.wait(DEADLINE)
            yield event("MODIFIED", feed("late"))

        def close(self) -> None:
            went.set()

    clock = LateClock()
    server.watches = deque([lambda: Late(server, (), None), server.tells()])
    found = Reflector(server, FEEDS, clock, PACE)
    says(found, "old")
    until(lambda: len(server.asked) == 2)
    clock.ahead += PACE.let_go + 1
    late.set()
    assert went.wait(DEADLINE)
    until(lambda: not found.running)
    server.lists = deque([listed(feed("new"))])
    assert values(says(found, "new")) == ["new"]
    assert server.kinds == ["list", "watch", "list", "watch"]


def test_nothing_goes_on_for_nobody_or_after_the_end(server: Server) -> None:
    found = reflector(server)
    says(found, "old")
    server.close()
    server.held.set()
    until(lambda: not found.running)
    asked = len(server.asked)
    found.newest()
    until(lambda: not found.running)
    assert len(server.asked) == asked
