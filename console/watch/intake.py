"""Intake: what was decided while the ledger was away joins it at the first tick at which it answers again."""

from __future__ import annotations

from datetime import datetime

from console.ports import LedgerStore, SpillFile
from console.watch.tenure import HASTE
from stages.alarms import unmerged
from stages.refusal import Trouble
from stages.verdict import Alarm


class Intake:
    """The spill of this machine, as one process that watches sees it. ``reads_only``: it tells, and merges nothing."""

    def __init__(self, spill: SpillFile, ledger: LedgerStore, actor: str, *, reads_only: bool) -> None:
        self._spill, self._ledger, self._actor, self._reads_only = spill, ledger, actor, reads_only
        self._since: datetime | None = None
        self.trouble = ""
        """What waits, and why it still does; empty when nothing does."""

    def consider(self, now: datetime, *, answers: bool) -> bool:
        """Once a tick; True when something was merged. ``answers``: the ledger was read in this tick.

        It never takes longer than twice the patience of a tick for each file that waits.
        """
        why = "" if answers else "the ledger is away"
        try:
            waits = self._spill.unmerged()
            merged = bool(waits) and answers and not self._reads_only and self._merge(now)
            waits = self._spill.unmerged() if merged else waits
        except Trouble as trouble:
            waits, merged, why = self._waits(), False, trouble.line
        self.trouble = f"{waits}{f' ({why})' if why else ''}" if waits else ""
        self._since = (self._since or now) if waits else None
        return merged

    def alarms(self) -> tuple[Alarm, ...]:
        """What waits, as an alarm."""
        return (unmerged(self.trouble, self._since),) if self._since is not None else ()

    def _merge(self, now: datetime) -> bool:
        return bool(self._spill.merge(self._ledger, actor=self._actor, now=now, deadline=HASTE))

    def _waits(self) -> str:
        try:
            return self._spill.unmerged()
        except Trouble as trouble:
            return trouble.line
