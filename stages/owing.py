"""Owing: a reduction by hand is never asked why before it acts; it owes its reason within ten minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stages.session import span
from stages.state import REDUCE, ControlState

WITHIN: Final = timedelta(minutes=10)
"""How long a reason may be owed."""

REMEMBERED: Final = timedelta(days=1)
"""How long a reason that was never given is asked for."""


@dataclass(frozen=True, slots=True)
class Owed:
    """An act without its reason. ``left`` is negative once the reason is overdue."""

    intent: str
    actor: str
    to_stage: str
    left: timedelta

    @property
    def text(self) -> str:
        """The debt, and how it is paid."""
        due = f"is owed within {span(self.left)}" if self.left > timedelta() else f"IS OVERDUE by {span(-self.left)}"
        return f"the reason of {self.actor}'s reduction to {self.to_stage} {due}: rampdeck note --reason TEXT"


def owed(state: ControlState, now: datetime) -> tuple[Owed, ...]:
    """Every reason that is owed for a reduction by hand, the oldest first."""
    acts = (one for one in state.intents.values() if one.kind == REDUCE and not one.automatic and not one.reason)
    return tuple(
        Owed(one.id, one.actor, one.to_stage, WITHIN - (now - one.at)) for one in acts if now - one.at < REMEMBERED
    )
