"""A remote, a venue, a ledger and a controller of which one is down, slow, lying, or comes back during the act."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from console.ports import Pushed
from stages.commands import Command
from stages.deployed import ApplicationReading
from stages.entries import Draft, Entry, Head, LedgerAway
from stages.refusal import Refusal, Trouble
from stages.state import ControlState
from stages.witness import Order, OrderOutcome, Position, VenueReading
from tests.property import racing
from tests.property.racing import OPEN, Book, Remote

FAULTS = ("down", "slow", "lying", "recovering")
WELL = ""


class Fault:
    """How one part fails. ``asked`` is set by the first question; a slow part answers when ``gate`` opens."""

    def __init__(self, kind: str, gate: threading.Event) -> None:
        self.kind, self.asked = kind, threading.Event()
        self._gate, self._failures = gate, 2 if kind == "recovering" else 0

    def strike(self, away: type[Trouble] = Trouble) -> bool:
        """Whether the part shall lie; raises when it does not answer, and waits while it is slow."""
        self.asked.set()
        if self.kind == "slow":
            assert self._gate.wait(60)
        if self.kind == "down" or self._failures > 0:
            self._failures -= 1
            raise away("no answer")
        return self.kind == "lying"


class FaultyMirror(racing.Mirror):
    """A remote. Lying, it takes a push and keeps nothing; coming back, the answer to the first push is lost."""

    def __init__(self, remote: Remote, fault: Fault) -> None:
        super().__init__(remote, lambda _: None)
        self._fault, self._lost = fault, fault.kind == "recovering"

    def fetch(self) -> str:
        self._fault.strike()
        return super().fetch()

    def push(self, sha: str, expected: str) -> Pushed:
        if self._fault.strike():
            return Pushed("pushed")
        answer = super().push(sha, expected)
        if self._lost:
            self._lost = False
            return Pushed("unknown", "the line broke")
        return answer

    def proposal(self, branch: str) -> str | None:
        self._fault.strike()
        return None


class FaultyLedger:
    """A ledger. Lying, it says yes to everything and keeps nothing."""

    def __init__(self, book: Book, fault: Fault) -> None:
        self._ledger, self._fault, self._book = racing.Ledger(book, lambda _: None), fault, book

    def transact(
        self, command: Command, *, now: datetime, deadline: float | None = None, term: int | None = None
    ) -> tuple[Entry, ...] | Refusal:
        if self._fault.strike(LedgerAway):
            return (self._book.all[-1],)
        return self._ledger.transact(command, now=now, deadline=deadline, term=term)

    def join(self, build: Callable[[Entry], Sequence[Draft]], *, now: datetime) -> tuple[Entry, ...]:
        if self._fault.strike(LedgerAway):
            return (self._book.all[-1],)
        return self._ledger.join(build, now=now)

    def state(self) -> ControlState:
        self._fault.strike(LedgerAway)
        return self._ledger.state()

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        self._fault.strike(LedgerAway)
        return self._ledger.entries(after, limit)

    def head(self) -> Head:
        self._fault.strike(LedgerAway)
        return self._ledger.head()


class FaultyVenue:
    """A venue with one resting order and one position. Lying, it says yes and does nothing."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self.blocked = False
        self.orders: tuple[Order, ...] = (Order("1", "NVDA", "buy", Decimal(1), Decimal(100), OPEN),)

    def read(self) -> VenueReading:
        self._fault.strike()
        held = (Position("NVDA", Decimal(2), Decimal(200)),)
        return VenueReading("HERON-1", "live", self.blocked, self.orders, held, Decimal(0), OPEN)

    def block(self) -> None:
        if not self._fault.strike():
            self.blocked = True

    def unblock(self) -> None:
        raise AssertionError("nothing that reduces lets the venue go")

    def cancel_all(self) -> tuple[OrderOutcome, ...]:
        outcomes = tuple(OrderOutcome(one.order_id, one.symbol, one.side, "cancelled") for one in self.orders)
        if not self._fault.strike():
            self.orders = ()
        return outcomes


class FaultyController:
    """The GitOps controller by the API server. Lying, it says that it will look and does not."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def application(self) -> ApplicationReading:
        raise AssertionError("a reduction does not wait for what the controller says")

    def refresh(self) -> None:
        self._fault.strike()

    def sync(self, *, who: str, reason: str) -> None:
        raise AssertionError("a reduction asks for no sync")


class Kept(racing.Aside):
    """A spill in memory that remembers what it ever held."""

    def __init__(self) -> None:
        super().__init__()
        self.drafts: list[Draft] = []

    def append(self, drafts: Sequence[Draft], *, at: datetime, cause: str) -> None:
        super().append(drafts, at=at, cause=cause)
        self.drafts += drafts

    def kinds(self) -> list[str]:
        return [draft.kind for draft in self.drafts]


class Parts:
    """All of them; ``broken`` names one and how it fails."""

    NAMES = ("git", "venue", "ledger", "controller")

    def __init__(self, files: Mapping[str, bytes], book: Book, broken: str, fault: str) -> None:
        self.gate = threading.Event()
        self.faults = {name: Fault(fault if name == broken else WELL, self.gate) for name in self.NAMES}
        self.remote, self.book = Remote(), book
        self.remote.begin(files)
        self.git = FaultyMirror(self.remote, self.faults["git"])
        self.venue = FaultyVenue(self.faults["venue"])
        self.ledger = FaultyLedger(book, self.faults["ledger"])
        self.controller = FaultyController(self.faults["controller"])
        self.spill, self.clock, self.alone = Kept(), racing.Clock(), racing.Alone()

    def asked(self, *names: str) -> list[str]:
        """Which of ``names`` were asked nothing within a long time."""
        return [name for name in names if not self.faults[name].asked.wait(60)]

    @property
    def files(self) -> Mapping[str, Any]:
        return self.remote.commits[self.remote.head].files
