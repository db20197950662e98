"""The reader: one long-lived thread per source and witness, the newest readings, and one frozen snapshot of them all.

A source that hangs, refuses or talks nonsense costs itself alone: its thread has one request in flight and nobody waits
for it. Nothing here judges; ages, limits and postures are the evaluation's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar

from console.ports import Clock, Cluster, Fetch, Fetched, Repository, Runtime, Venue
from stages.deployed import Deployed
from stages.digests import disagreements
from stages.policy import Policy
from stages.refusal import Trouble
from stages.signals import Sample, SignalKey, Snapshot, SourceHealth
from stages.standing import Manifests, read_controls
from stages.value import Struct, field, replace
from stages.witness import GitReading, RuntimeReading, VenueReading

TICK: Final = 1.0
"""Seconds between two snapshots."""

FIRST_LOOK: Final = 2.0
"""Seconds that the first tick waits for the first answers of all sources."""

GAP_TICKS: Final = 2
"""A jump or a delay beyond this many ticks is a gap."""

GIT_EVERY: Final = 3.0
VENUE_EVERY: Final = 2.0
DEPLOYED_EVERY: Final = 0.25
"""Seconds between two looks at what the cluster and the controller have told; nobody is asked for them."""

GRACE: Final = 1.0
"""Seconds beyond its patience after which a request that is still in flight counts as unanswered."""

T = TypeVar("T")


class Loop(Generic[T]):
    """A daemon thread that asks every ``every`` seconds, never twice at once, and keeps the newest answer."""

    def __init__(self, name: str, every: float, ask: Callable[[], T], clock: Clock, stop: threading.Event) -> None:
        self.name, self.every = name, every
        self._ask, self._clock, self._stop = ask, clock, stop
        self._lock = threading.Lock()
        self._newest: T | None = None
        self._asked: float | None = None
        self.answers = 0
        self.thread = threading.Thread(target=self._run, name=f"rampdeck {name}", daemon=True)

    def newest(self) -> T | None:
        with self._lock:
            return self._newest

    def waiting(self) -> float | None:
        """Seconds for which the request in flight has been waiting; None when none is."""
        with self._lock:
            return None if self._asked is None else self._clock.monotonic() - self._asked

    def _run(self) -> None:
        while not self._stop.is_set():
            started = self._clock.monotonic()
            with self._lock:
                self._asked = started
            answer = self._ask()
            with self._lock:
                self._newest, self._asked = answer, None
                self.answers += 1
            pause = started + self.every - self._clock.monotonic()
            self._stop.wait(max(pause, 0.05))


class GitWitness(Struct):
    """Reads the branch's head and, when it moved, what the manifests at it say."""

    repository: Repository
    policy: Policy
    clock: Clock
    last: GitReading | None = field(default=None)

    def __call__(self) -> GitReading:
        try:
            head = self.repository.fetch()
            self.last = self._known(head) or self._read(head)
        except Trouble as trouble:
            self.last = replace(self.last or GitReading("", self.clock.wall()), error=trouble.line)
        return self.last

    def _known(self, head: str) -> GitReading | None:
        if self.last is None or self.last.head != head or self.last.unread:
            return None
        return replace(self.last, fetched_at=self.clock.wall(), error="")

    def _read(self, head: str) -> GitReading:
        info = self.repository.info(head)
        manifests = Manifests(self.policy, lambda path: self.repository.read(head, path))
        controls = replace(read_controls(self.policy, manifests), parted=tuple(disagreements(self.policy, manifests)))
        return GitReading(
            head=head,
            fetched_at=self.clock.wall(),
            author=info.author,
            committed_at=info.at,
            values=controls.values,
            unread=controls.unread,
            parted=controls.parted,
            trailers=info.trailers,
        )


class VenueWitness(Struct):
    """Asks the venue; while it does not answer, its last word stands with the error beside it."""

    venue: Venue
    clock: Clock
    last: VenueReading | None = field(default=None)

    def __call__(self) -> VenueReading:
        try:
            self.last = self.venue.read()
        except Trouble as trouble:
            never = VenueReading("", "", False, (), (), None, self.clock.wall())
            self.last = replace(self.last or never, error=trouble.what)
        return self.last


class DeployedWitness(Struct):
    """Asks the cluster for the workloads, and the GitOps controller for its Application."""

    cluster: Cluster | None
    runtime: Runtime | None

    def __call__(self) -> Deployed:
        workloads = self.cluster.workloads() if self.cluster is not None else ()
        application = self.runtime.application() if self.runtime is not None else None
        return Deployed(workloads, application).short()


class Reader:
    """All sources and witnesses of a policy. ``start`` once; ``snapshot`` at any time; ``stop`` returns at once."""

    def __init__(
        self,
        policy: Policy,
        fetches: Sequence[Fetch],
        clock: Clock,
        *,
        repository: Repository | None = None,
        venue: Venue | None = None,
        cluster: Cluster | None = None,
        runtime: Runtime | None = None,
        git_every: float = GIT_EVERY,
        venue_every: float = VENUE_EVERY,
    ) -> None:
        self._clock = clock
        self._stop = threading.Event()
        self._fetches = tuple(
            (fetch, Loop(fetch.name, fetch.every, fetch.read, clock, self._stop), _Memory()) for fetch in fetches
        )
        self._git: Loop[GitReading] | None = None
        self._venue: Loop[VenueReading] | None = None
        if repository is not None:
            self._git = Loop("git", git_every, GitWitness(repository, policy, clock), clock, self._stop)
        if venue is not None:
            self._venue = Loop("venue", venue_every, VenueWitness(venue, clock), clock, self._stop)
        self._deployed: Loop[Deployed] | None = None
        if cluster is not None or runtime is not None:
            ask = DeployedWitness(cluster, runtime)
            self._deployed = Loop("deployed", DEPLOYED_EVERY, ask, clock, self._stop)
        self._before: tuple[datetime, float] | None = None

    def start(self) -> None:
        """Starts every thread."""
        for loop in self._loops():
            loop.thread.start()

    def stop(self) -> None:
        """Tells the threads to end. A thread that is stuck in a request is a daemon and holds nobody up."""
        self._stop.set()

    def settled(self, seconds: float) -> bool:
        """Waits until every source and witness was asked once and answered; False when ``seconds`` pass before that."""
        deadline = self._clock.monotonic() + seconds
        while any(loop.answers == 0 for loop in self._loops()):
            if self._clock.monotonic() >= deadline or self._stop.wait(0.02):
                return False
        return True

    def snapshot(self, seq: int) -> Snapshot:
        """All that is known now, frozen."""
        wall = self._clock.wall()
        samples: dict[SignalKey, Sample] = {}
        runtime: dict[str, RuntimeReading] = {}
        health: list[SourceHealth] = []
        for fetch, loop, memory in self._fetches:
            answer = _standing_answer(fetch, loop, wall)
            if answer is not None:
                samples |= answer.samples
                runtime |= answer.runtime
            health.append(memory.health(fetch.name, answer))
        git = self._git.newest() if self._git else None
        venue = self._venue.newest() if self._venue else None
        return Snapshot(
            seq=seq,
            wall=wall,
            market=self._clock.market(wall),
            samples=samples,
            sources=(*health, *self._witness_health(git, venue)),
            git=git,
            runtime=runtime,
            venue=venue,
            deployed=self._deployed.newest() if self._deployed else None,
            gap=self._gap(wall),
            speed=self._clock.speed,
        )

    def _loops(self) -> Iterable[Loop[Fetched] | Loop[GitReading] | Loop[VenueReading] | Loop[Deployed]]:
        yield from (loop for _, loop, _ in self._fetches)
        if self._git is not None:
            yield self._git
        if self._venue is not None:
            yield self._venue
        if self._deployed is not None:
            yield self._deployed

    def _gap(self, wall: datetime) -> float:
        """Seconds that nobody saw: the wall and the monotonic clock disagree, or this snapshot is late."""
        before, self._before = self._before, (wall, self._clock.monotonic())
        if before is None:
            return 0.0
        by_wall, elapsed = (wall - before[0]).total_seconds(), self._before[1] - before[1]
        unseen = max(abs(by_wall - elapsed), elapsed - TICK)
        return unseen if unseen > GAP_TICKS * TICK else 0.0

    def _witness_health(self, git: GitReading | None, venue: VenueReading | None) -> Iterable[SourceHealth]:
        if self._git is not None:
            said = git.error if git else "first read"
            yield SourceHealth("git", bool(git and not said), None, git.fetched_at if git and git.head else None, said)
        if self._venue is not None:
            said = venue.error if venue else "first read"
            answered = venue.as_of if venue and venue.account_label else None
            yield SourceHealth("venue", bool(venue and not said), None, answered, said)


class _Memory(Struct):
    """When a source last answered well."""

    last_good: datetime | None = None

    def health(self, name: str, answer: Fetched | None) -> SourceHealth:
        if answer is not None and not answer.error:
            self.last_good = answer.at
        if answer is None:
            return SourceHealth(name, ok=False, latency_ms=None, last_good=self.last_good, detail="first read")
        return SourceHealth(name, not answer.error, answer.latency_ms, self.last_good, answer.error or answer.note)


def _standing_answer(fetch: Fetch, loop: Loop[Fetched], wall: datetime) -> Fetched | None:
    """The newest answer, or the lack of one when the request in flight has been waiting for too long."""
    waiting = loop.waiting()
    if waiting is not None and waiting > fetch.patience + GRACE:
        return fetch.failed(f"no answer for {waiting:.0f} s", wall)
    return loop.newest()
