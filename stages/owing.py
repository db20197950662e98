"""Owing: a reduction by hand is never asked why before it acts; it owes its reason within ten minutes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from stages.posture import Mode
from stages.releases import ALONE, MANUAL_BLOCK
from stages.state import REDUCE, ControlState
from stages.value import Struct

WITHIN: Final = timedelta(minutes=10)
"""How long a reason may be owed."""

REMEMBERED: Final = timedelta(days=1)
"""How long a reason that was never given is asked for."""


class Owed(Struct, frozen=True):
    """An act without its reason. ``left`` is negative once the reason is overdue."""

    intent: str
    """The act, a cancel among them, or the latch of a block or of a kill without a policy: none is an act in Git."""
    actor: str
    to_stage: str
    """Empty for a block and for a cancel."""
    left: timedelta
    act: str = "reduction"

    @property
    def overdue(self) -> bool:
        """Whether the reason is owed for longer than it may be."""
        return self.left <= timedelta()

    @property
    def what(self) -> str:
        """Who owes for which act: ``carol's reduction to L0``, ``carol's block``."""
        return f"{self.actor}'s {self.act}{f' to {self.to_stage}' if self.to_stage else ''}"

    @property
    def due(self) -> str:
        """``8:12 left``, then ``OVERDUE by 1:03``."""
        return f"OVERDUE by {_clock(-self.left)}" if self.overdue else f"{_clock(self.left)} left"

    @property
    def text(self) -> str:
        """The debt, and how it is paid."""
        return f"the reason of {self.what} {self._is}: rampdeck note --reason TEXT"

    @property
    def _is(self) -> str:
        return f"IS {self.due}" if self.overdue else f"is owed, {self.due}"

    @property
    def brief(self) -> str:
        """The debt in one short sentence, for a headline."""
        return f"Reason {self.due}: {self.what}." if self.overdue else f"Reason owed, {self.due}: {self.what}."


def owed(state: ControlState, now: datetime) -> tuple[Owed, ...]:
    """Every reason that is owed for a reduction, a block or a cancel by hand, the oldest first."""
    acts = [
        (one.at, one.id, one.actor, one.to_stage, "kill" if one.mode is Mode.KILLED else "reduction")
        for one in state.intents.values()
        if one.kind == REDUCE and not one.automatic and not one.reason
    ]
    blocks = [
        (one.opened_at, one.key, one.evidence.removeprefix("by "), "", "kill" if one.killed else "block")
        for one in state.latches.values()
        if (one.trigger == MANUAL_BLOCK or one.cause == ALONE) and one.key not in state.explained
    ]
    cancels = [(one.at, one.intent, one.actor, "", "cancel") for one in state.cancels.values()]
    return tuple(
        Owed(intent, actor, stage, WITHIN - (now - at), act)
        for at, intent, actor, stage, act in sorted([*acts, *blocks, *cancels])
        if now - at < REMEMBERED
    )


def _clock(left: timedelta) -> str:
    seconds = int(left.total_seconds())
    return f"{seconds // 60}:{seconds % 60:02d}"
