"""The hand-over of a kill: whichever witnesses hang or refuse, each is asked at once, and the rest is named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from console.procedures.kill import LEDGER_SECONDS, Killed, KillOrder, KillPorts, kill
from console.wiring.clock import SystemClock
from stages.entries import Draft, Entry, LedgerAway
from stages.refusal import Trouble
from stages.state import ControlState
from stages.witness import OrderOutcome, VenueReading

ANSWERS, REFUSES, HANGS = "answers", "refuses", "hangs"
HANDED = 5.0
"""Seconds that no hand-over comes near unless it waits for a witness that hangs, which none of them ever leaves."""


class Part:
    """A witness that answers, refuses, or hangs until the test is over."""

    def __init__(self, how: str, over: threading.Event) -> None:
        self.how, self.over, self.asked = how, over, threading.Event()

    def ask(self, trouble: Callable[[str], Trouble] = Trouble) -> None:
        self.asked.set()
        if self.how == HANGS:
            self.over.wait(60)
        if self.how != ANSWERS:
            raise trouble("connection refused")


class Ledger(Part):
    def state(self) -> ControlState:
        self.ask(LedgerAway)
        return ControlState()

    def transact(self, command: Any, **_options: Any) -> tuple[Entry, ...]:
        self.ask(LedgerAway)
        return ()


class Venue(Part):
    def read(self) -> VenueReading:
        self.ask()
        return VenueReading("HERON", "live", True, (), (), None, datetime.now(UTC))

    def block(self) -> None:
        self.ask()

    def unblock(self) -> None:
        raise AssertionError("a kill lets nothing go")

    def cancel_all(self) -> tuple[OrderOutcome, ...]:
        self.ask()
        return ()


class Git(Part):
    def go_on(self) -> int | None:
        self.ask()
        return 4711


class Spill:
    def __init__(self) -> None:
        self.kept: list[Draft] = []

    def append(self, drafts: Sequence[Draft], *, at: datetime, cause: str) -> None:
        self.kept += drafts

    def merge(self, ledger: Any, **_options: Any) -> tuple[Entry, ...]:
        raise AssertionError("a kill merges nothing")

    def unmerged(self) -> str:
        return ""


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def fired(ledger: Ledger, venue: Venue, git: Git, spill: Spill) -> Killed:
    clock = SystemClock()
    ports = KillPorts(ledger, spill, venue, clock, git.go_on, lambda: None)  # type: ignore[arg-type]
    return kill(ports, KillOrder("k1", "alice", "L0", "test"), confirmed=clock.monotonic()).finish(4 * LEDGER_SECONDS)


@pytest.mark.parametrize(("ledger", "venue", "git"), [*product((ANSWERS, REFUSES, HANGS), repeat=3)])
def test_every_witness_is_asked_and_only_those_that_answered_are_verified(
    over: threading.Event, ledger: str, venue: str, git: str
) -> None:
    parts = Ledger(ledger, over), Venue(venue, over), Git(git, over)
    killed = fired(*parts, Spill())
    assert killed.handed < HANDED
    assert all(part.asked.wait(10) for part in parts)
    lost = set(killed.unverified) - {"Git, by a worker"}  # what a worker brings is told by whoever follows it
    assert ("ledger" in lost) == (ledger != ANSWERS)
    assert (lost - {"ledger"}) == ({"venue block", "venue cancel", "venue read"} if venue != ANSWERS else set())
    assert killed.process == (4711 if git == ANSWERS else None)


def test_what_a_ledger_refuses_is_spilled_before_anything_else_is_told(over: threading.Event) -> None:
    spill = Spill()
    assert fired(Ledger(REFUSES, over), Venue(ANSWERS, over), Git(ANSWERS, over), spill).spilled
    assert [draft.kind for draft in spill.kept][:2] == ["latch-opened", "intent"]
