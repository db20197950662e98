"""Settlement: what became of acts and drills that a crash left open, asked in a thread of its own."""

from __future__ import annotations

import threading
from typing import Final

from console.ports import Clock, LedgerStore, Repository, RunningActs
from console.procedures.follow import resolve
from stages.drill import RUNNING
from stages.refusal import Trouble
from stages.state import ControlState

EVERY: Final = 15.0
"""Seconds between two questions about the same open act."""


class Settlement:
    """At the first tick, and again while anything is open."""

    def __init__(
        self, ledger: LedgerStore, repository: Repository, running: RunningActs, clock: Clock, actor: str
    ) -> None:
        self._ledger, self._repository, self._running, self._clock = ledger, repository, running, clock
        self._actor = actor
        self._asked: float | None = None
        self._thread: threading.Thread | None = None
        self.trouble = ""

    def consider(self, state: ControlState) -> None:
        """Starts asking when something is open and the last question is old enough."""
        now = self._clock.monotonic()
        soon = self._asked is not None and now - self._asked < EVERY
        drilling = any(one.state == RUNNING for one in state.drills.values())
        open_now = state.unresolved or state.awaiting or drilling
        if not open_now or soon or (self._thread is not None and self._thread.is_alive()):
            return
        self._asked = now
        self._thread = threading.Thread(target=self._ask, name="rampdeck settlement", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        from console.procedures.drill import abandon_dead  # the whole course of a drill, rarely asked for

        try:
            resolve(self._ledger, self._repository, self._running, self._clock, actor=self._actor)
            abandon_dead(self._ledger, self._running, self._clock.wall(), self._actor)
            self.trouble = ""
        except Trouble as trouble:
            self.trouble = trouble.sentence
