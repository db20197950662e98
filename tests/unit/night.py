"""A night: ledger, Git, cluster, Prometheus and venue, each of which answers, refuses, or hangs until the test is over.

What the console is wired to, in memory: a worker that would be a process of its own is a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from console.ports import Fetched, FlagAnswer
from console.procedures.reduce import Order, ReducePorts, reduce
from console.wiring.clock import SystemClock
from stages.commands import AdoptPolicy, AdoptRoster
from stages.decide import decide
from stages.entries import LedgerAway
from stages.ladder import Value
from stages.policy import Policy
from stages.posture import Mode
from stages.refusal import Refusal, Trouble
from stages.witness import Order as Working
from stages.witness import OrderOutcome, Position, RuntimeReading, VenueReading
from tests.property import racing, small
from tests.property.racing import OPEN, Book, Remote
from tests.unit.faulty import Kept

ANSWERS, REFUSES, HANGS = "answers", "refuses", "hangs"
PARTS = ("Prometheus", "Git", "cluster", "ledger")
"""What may be away in any combination; the venue is told apart."""

FLAG = {"object": "ConfigMap/runtime", "path": "data.kill", "value": "true", "normal": "false"}


def policy() -> Policy:
    """The small policy, with a flag that a kill and a block write into the cluster."""
    document = small.force().policy.model_dump(by_alias=True)
    document["spec"]["postures"]["KILLED"]["runtime"] = FLAG
    document["spec"]["target"]["application"] = {"namespace": "argocd", "name": "heron"}
    return Policy.model_validate(document)


class Part:
    """Something that answers, refuses, or hangs until ``over``; ``asked`` is set by the first question."""

    def __init__(self, how: str, over: threading.Event, away: type[Trouble] = Trouble) -> None:
        self.how, self.over, self.away = how, over, away
        self.asked = threading.Event()

    def __call__(self, _point: str = "") -> None:
        self.asked.set()
        if self.how == HANGS:
            self.over.wait(60)
        if self.how != ANSWERS:
            raise self.away("connection refused")


@dataclass
class Broker:
    """A venue with one working order and one position."""

    part: Part
    blocked: bool = False
    orders: tuple[Working, ...] = (Working("1", "NVDA", "buy", Decimal(1), Decimal(100), OPEN),)

    def read(self) -> VenueReading:
        self.part()
        held = (Position("NVDA", Decimal(2), Decimal(200)),)
        return VenueReading("HERON-1", "live", self.blocked, self.orders, held, Decimal(0), datetime.now(UTC))

    def block(self) -> None:
        self.part()
        self.blocked = True

    def unblock(self) -> None:
        raise AssertionError("panic lets nothing go")

    def cancel_all(self) -> tuple[OrderOutcome, ...]:
        self.part()
        gone, self.orders = self.orders, ()
        return tuple(OrderOutcome(one.order_id, one.symbol, one.side, "cancelled") for one in gone)


@dataclass
class Flag:
    """The runtime flag; ``healed`` is why a write would not hold."""

    part: Part
    healed: str = ""
    says: str = "false"

    def verify(self) -> str:
        self.part()
        return self.healed

    def kill(self) -> FlagAnswer:
        if healed := self.verify():
            return FlagAnswer(False, f"not written: {healed}")
        self.says = "true"
        return FlagAnswer(True, "data.kill says true")

    def restore(self) -> FlagAnswer:
        raise AssertionError("panic takes nothing back")

    def kills(self) -> FlagAnswer:
        self.part()
        return FlagAnswer(self.says == "true", f"data.kill says {self.says}")


@dataclass
class Source:
    """A source of the policy: Prometheus, or the readback of the live objects."""

    name: str
    part: Part
    runtime: Callable[[], Mapping[str, Value | None]] = dict
    every: float = 1.0
    patience: float = 1.0

    def read(self) -> Fetched:
        now = datetime.now(UTC)
        try:
            self.part()
        except Trouble as trouble:
            return self.failed(trouble.line, now)
        return Fetched(now, 1, {}, {name: RuntimeReading(value, now) for name, value in self.runtime().items()})

    def failed(self, reason: str, at: datetime) -> Fetched:
        return Fetched(at, None, {}, {}, reason)


@dataclass
class Night:
    """All of it. ``wiring`` is what the console sees; ``away`` says how each part that does not answer fails."""

    over: threading.Event
    away: Mapping[str, str] = field(default_factory=dict)
    healed: str = ""
    worker: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.policy, self.book, self.remote = policy(), Book(), Remote()
        for command in (AdoptRoster("alice", "roster", "c0", "r"), AdoptPolicy("alice", "policy", 1, "c0", "p")):
            answer = decide(self.book.state, command, OPEN)
            assert not isinstance(answer, Refusal)
            self.book.add(answer)
        self.remote.begin(small.files(2))
        self.parts = {name: self.part(name) for name in (*PARTS, "venue")}
        self.broker, self.flag = Broker(self.parts["venue"]), Flag(self.parts["cluster"], self.healed)
        self.ledger = racing.Ledger(self.book, self.parts["ledger"])
        self.mirror = racing.Mirror(self.remote, self.parts["Git"])
        self.spill, self.clock = Kept(), SystemClock()
        self.sources = (
            Source("prometheus", self.parts["Prometheus"]),
            Source("kubernetes", self.parts["cluster"], lambda: self.policy.resolved[2]),
        )

    def part(self, name: str) -> Part:
        return Part(self.away.get(name, ANSWERS), self.over, LedgerAway if name == "ledger" else Trouble)

    def launch(self, command: Sequence[str]) -> int:
        """The worker of a reduction, as a thread; it gives up Git after what is ten minutes by its own clock."""
        said = dict(zip(command[1::2], command[2::2], strict=False))
        stage = self.policy.stage_index(said["--to"])
        assert stage is not None
        reason = said.get("--reason", "")
        order = Order(said["--intent"], said["--actor"], stage, Mode.NORMAL, said["--cause"], reason=reason)
        clock = racing.Clock()
        ports = ReducePorts(
            self.ledger, self.spill, self.mirror, self.broker, clock, racing.Alone(), clock.pause, lambda _: None
        )
        self.worker = threading.Thread(
            target=lambda: reduce(ports, self.policy, order, digests=("p", "r")), daemon=True
        )
        self.worker.start()
        return 4711

    @property
    def wiring(self) -> Any:
        """What ``Wiring`` is to the verbs of panic."""
        settings = SimpleNamespace(
            environment=SimpleNamespace(name="PROD"), venue=SimpleNamespace(url="http://venue"), ledger="sqlite://",
            repository=SimpleNamespace(remote="file:///heron.git", branch="main"), kubernetes=object(),
            origin=None,
        )  # fmt: skip
        outside = SimpleNamespace(flag=lambda _policy: self.flag, fetches=lambda _policy: self.sources)
        return SimpleNamespace(
            settings=settings, outside=outside, clock=self.clock, ids=racing.Numbers("act"), actor="alice",
            authenticated=False, read_only=False, policy_file=Path("heron.yaml"), policy_copy=Path("heron.yaml"),
            late_ledger=self.ledger, ledger=self.ledger, spill=self.spill, venue=self.broker, repository=self.mirror,
            launcher=SimpleNamespace(launch=self.launch),
        )  # fmt: skip
