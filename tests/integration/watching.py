"""A watch on a real ledger with a clock in hand: scripted readings, a launcher and a notifier that only remember."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from console.desk import Frame
from console.feed import Desk
from console.store.ledger import SqlLedger
from console.store.observations import SqlObservations
from console.store.spill import Spill
from console.watch.loop import Watch, WatchPorts
from console.watch.reader import Reader
from console.watch.tenure import Seat
from stages.commands import AdoptPolicy, Command
from stages.decide import decide, denial
from stages.entries import EntryFilter
from stages.policy import Policy
from stages.policy_text import load
from stages.refusal import Trouble
from stages.signals import LIVE_BOOK, Quality, Sample, SignalKey, Snapshot, SourceHealth
from stages.state import ControlState, fold
from stages.value import replace
from stages.witness import GitReading, RuntimeReading, VenueReading

START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""A Monday, half an hour into the session."""

GOOD = {"running": "1", "leadership": "1", "tcaOrders": "50"}
WORDS = {"account": "HERON-LIVE-01", "submissionGate": "ready"}


class HandClock:
    """A clock that stands until it is moved."""

    speed = 1.0

    def __init__(self) -> None:
        self.now, self.seconds = START, 0.0

    def wall(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds

    def market(self, wall: datetime) -> datetime:
        return wall

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


def demo_policy(root: Path) -> Policy:
    path = root / "stages" / "policies" / "demo.yaml"
    return load(path.read_text(encoding="utf-8"), str(path))


@dataclass
class World:
    """What the sources and witnesses say now; every book hears the same unless ``books`` says otherwise."""

    policy: Policy
    clock: HandClock
    stage: int = 1
    values: dict[str, str] = field(default_factory=dict)
    quality: dict[str, Quality] = field(default_factory=dict)
    frozen: datetime | None = None
    """Event time at which every source stands still."""
    runtime_stage: int | None = None
    overlay: dict[str, Any] = field(default_factory=dict)
    """What a mode in force has set beside the stage's own values."""

    def snapshot(self, seq: int) -> Snapshot:
        wall = self.clock.wall()
        books = {LIVE_BOOK, *(stage.book for stage in self.policy.stages)}
        return Snapshot(
            seq=seq,
            wall=wall,
            market=self.clock.market(wall),
            samples={
                SignalKey(book, name): self._sample(name, wall) for book in books for name in self.policy.spec.signals
            },
            sources=(SourceHealth("status", True, 12, wall),),
            git=GitReading("a" * 40, wall, "alice", wall, self._controls(self.stage)),
            runtime={
                name: RuntimeReading(value, wall)
                for name, value in self._controls(
                    self.stage if self.runtime_stage is None else self.runtime_stage
                ).items()
            },
            venue=VenueReading("HERON-LIVE-01", "live", False, (), (), Decimal(50_000), wall),
        )

    def _controls(self, stage: int) -> dict[str, Any]:
        bound = {name for name, control in self.policy.spec.controls.items() if control.bindings}
        return {name: value for name, value in self.policy.resolved[stage].items() if name in bound} | self.overlay

    def _sample(self, name: str, wall: datetime) -> Sample:
        quality, event = self.quality.get(name, Quality.OK), self.frozen or wall
        if quality is not Quality.OK:
            return Sample(quality, wall, detail="no answer")
        if name in WORDS:
            return Sample(quality, wall, None, event, WORDS[name])
        return Sample(quality, wall, Decimal(self.values.get(name, GOOD.get(name, "0"))), event)


class ScriptedReader(Reader):
    """A reader whose snapshots are the world's."""

    def __init__(self, world: World) -> None:
        super().__init__(world.policy, (), world.clock)
        self._world = world

    def snapshot(self, seq: int) -> Snapshot:
        return replace(self._world.snapshot(seq), gap=self._gap(self._world.clock.wall()))


@dataclass
class Remembers:
    """A launcher, a notifier, running acts: what they were asked to do."""

    launched: list[Sequence[str]] = field(default_factory=list)
    notified: list[str] = field(default_factory=list)
    refuses: bool = False

    def launch(self, arguments: Sequence[str]) -> int:
        if self.refuses:
            raise Trouble("no process could be started")
        self.launched.append(tuple(arguments))
        return 1

    def notify(self, text: str) -> None:
        self.notified.append(text)


SAMPLE = Path(__file__).resolve().parents[2] / "console" / "demo" / "sample"


@dataclass
class Manifests:
    """Stands where a repository is needed: the demo's files, without those that are ``missing``, at whatever head."""

    missing: set[str] = field(default_factory=set)

    def read(self, sha: str, path: str) -> bytes | None:
        file = SAMPLE / path
        return file.read_bytes() if file.is_file() and file.name not in self.missing else None

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the repository was asked to {name}")


class NoActs:
    """No act runs on this machine."""

    def hold(self, intent: str) -> Any:
        raise AssertionError("nothing is carried out here")

    def alive(self, intent: str) -> bool | None:
        return None


Ledger = SqlLedger[ControlState, Command]


def open_ledger(folder: Path) -> Ledger:
    return SqlLedger(f"sqlite:///{folder / 'l.db'}", fold=fold, initial=ControlState(), decide=decide, denial=denial)


def begun(folder: Path, clock: HandClock) -> Ledger:
    """A ledger with an adopted policy."""
    ledger = open_ledger(folder)
    ledger.begin(ledger=str(uuid.UUID(int=1)), actor="alice", fingerprint={"policy": "demo"}, now=clock.wall())
    ledger.transact(AdoptPolicy("alice", "d" * 64, 1, "c" * 40, "ramp.yaml"), now=clock.wall())
    return ledger


@dataclass
class Console:
    """One console on a ledger."""

    watch: Watch
    desk: Desk
    ledger: Ledger
    observations: SqlObservations
    memory: Remembers
    readers: list[Reader]


def console(
    folder: Path,
    world: World,
    holder: str,
    *,
    acting: bool = False,
    reader: Callable[[World], Reader] = ScriptedReader,
    manifests: Manifests | None = None,
    read_only: bool = False,
) -> Console:
    ledger = open_ledger(folder)
    observations = SqlObservations(f"sqlite:///{folder / 'o.db'}")
    memory, desk, readers = Remembers(), Desk(), []

    def made(_policy: Policy) -> Reader:
        readers.append(reader(world))
        return readers[-1]

    ports = WatchPorts(
        ledger=ledger,
        lease=ledger.lease,
        observations=observations,
        repository=manifests or Manifests(),
        running=NoActs(),
        launcher=memory,
        clock=world.clock,
        spill=Spill(folder / "l.db.spill"),
        policy=lambda: world.policy,
        reader=made,
        notifier=memory,
    )
    watch = Watch(ports, Seat(holder=holder, actor=holder, who="alice", acting=acting, read_only=read_only), desk)
    return Console(watch, desk, ledger, observations, memory, readers)


def run(one: Console, clock: HandClock, seconds: int, *others: Console) -> Frame:
    """Tick once a second."""
    for _ in range(seconds):
        for each in (one, *others):
            each.watch.tick()
        clock.move(1)
    frame = one.desk.frame()
    assert frame is not None
    return frame


def kinds(one: Console, kind: str) -> list[str]:
    return [str(entry.body) for entry in one.ledger.newest(EntryFilter(kind=kind))]
