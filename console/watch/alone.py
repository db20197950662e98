"""Alone: what a console sees for itself while no ledger answers. It writes nothing, and does not know what is held.

The policy is the copy that this machine keeps. Values, limits, truth and the ways down are judged as ever; who acts and
what is latched is said to be unknown, no burn-in is decided, and no gate passes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from console.desk import Frame, Trends
from console.feed import Desk
from console.ports import Clock
from console.watch.memory import Memory
from console.watch.reader import FIRST_LOOK, TICK, Reader
from console.watch.tenure import Seat
from stages.burnin import NOT_READ
from stages.evaluation import accumulate, judge
from stages.policy import Policy
from stages.refusal import Trouble
from stages.state import ControlState
from stages.value import Struct, replace
from stages.verdict import Evaluation, WatchPresence
from stages.watching import WatchState

UNREAD: Final = WatchPresence(None, acting=False, here=False, age=None, known=False)
"""Who watches, and what is held, by a ledger that does not answer."""


class AlonePorts(Struct, frozen=True):
    """What it needs of the world. ``policy`` gives the copy kept on this machine, or raises Trouble."""

    clock: Clock
    policy: Callable[[], Policy]
    reader: Callable[[Policy], Reader]


class Alone:
    """A daemon thread that ticks until ``stop``. ``tick`` may be called by itself where there is no thread."""

    def __init__(self, ports: AlonePorts, seat: Seat, desk: Desk) -> None:
        self._ports, self._seat, self._desk = ports, seat, desk
        self._memory = Memory(WatchState.start(), blank=True)
        self._trends = Trends()
        self._policy: Policy | None = None
        self._reader: Reader | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rampdeck alone", daemon=True)
        self.away = ""
        """Why the ledger does not answer, in a sentence."""

    def see(self, away: str) -> None:
        """Ticks from now on, and says of the ledger what it last said; returns at once."""
        self.away = away
        if not self._thread.is_alive():
            self._thread.start()

    def stop(self) -> None:
        """Ends the ticking: no frame comes from here any more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._reader is not None:
            self._reader.stop()
            self._reader = None

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.tick()
            except Trouble as trouble:
                self._desk.wait(f"{self.away}; nothing is read meanwhile: {trouble.line}")
            self._stop.wait(TICK)

    def tick(self) -> None:
        """One look and its verdict. Raises Trouble where there is no policy to judge by."""
        policy, reader = self._reading()
        snapshot, state = reader.snapshot(self._memory.through + 1), ControlState()
        self._memory.through += 1
        self._memory.watch, _ = accumulate(policy, state, self._memory.watch, snapshot, self._seat.actor)
        evaluation = _unclaimed(judge(policy, state, self._memory.evidence, snapshot, UNREAD))
        self._trends.add_rows(evaluation.rows, snapshot.wall)
        if self._stop.is_set():
            return
        self._desk.publish(
            Frame(
                evaluation=evaluation,
                history=self._trends.history(),
                policy=policy,
                who=self._seat.who,
                actor=self._seat.actor,
                presence=UNREAD,
                read_only=self._seat.read_only,
                environment=self._seat.environment,
                notices=(self.away,),
            )
        )

    def _reading(self) -> tuple[Policy, Reader]:
        if self._policy is None:
            self._policy = self._ports.policy()
        if self._reader is None:
            self._reader = self._ports.reader(self._policy)
            self._reader.start()
            self._reader.settled(FIRST_LOOK)
        return self._policy, self._reader


def _unclaimed(found: Evaluation) -> Evaluation:
    """Without what an empty ledger would say of burn-ins and of the way to each stage."""
    cards = tuple(replace(card, note=f"burn-in {NOT_READ}" if card.in_force else "") for card in found.cards)
    return replace(found, cards=cards, burn_in=replace(found.burn_in, state=NOT_READ, stage=found.effective, lacks=""))
