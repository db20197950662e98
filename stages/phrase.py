"""Confirmation tokens: the phrase typed by hand. Case, commas and spaces are folded; nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.ladder import Direction
from stages.value import Struct

if TYPE_CHECKING:
    from stages.plan import Plan

FREEZE: Final = "FREEZE"


def confirmation_phrase(policy_name: str, plan: Plan) -> str:
    """What is typed to carry ``plan`` out: ``ADVANCE heron L1 L2 GROSS 25,000``; down, ``ROLLBACK L1``."""
    if plan.direction is Direction.SAFER:
        return rollback_phrase(plan.to_stage)
    gross = plan.blast_radius.gross_after
    limit = "UNLIMITED" if gross is None else f"{gross.normalize():,f}"
    return f"ADVANCE {policy_name} {plan.from_stage} {plan.to_stage} GROSS {limit}"


def rollback_phrase(stage: str) -> str:
    """``ROLLBACK L0``: what you type is what happens."""
    return f"ROLLBACK {stage}"


def kill_phrase(policy_name: str) -> str:
    """``KILL heron``."""
    return f"KILL {policy_name}"


def drill_phrase(mode: str, act: str, target: str, fault: str = "") -> str:
    """``DRILL KILL heron-paper`` fires for real there, ``... WITH push-refused`` under a fault; ``TABLETOP KILL``
    touches nothing."""
    under = f" WITH {fault}" if fault else ""
    return f"TABLETOP {act.upper()}" if mode == "tabletop" else f"DRILL {act.upper()} {target}{under}"


def restore_phrase(policy_name: str, stage: str) -> str:
    """``RESTORE heron L0``."""
    return f"RESTORE {policy_name} {stage}"


def resume_phrase(policy_name: str, stage: str) -> str:
    """``RESUME heron L1``."""
    return f"RESUME {policy_name} {stage}"


def fold_phrase(text: str) -> str:
    """The form in which phrases are compared."""
    return " ".join(text.replace(",", "").casefold().split())


class Mismatch(Struct, frozen=True):
    """The first word that differs, counted from 1; ``typed`` or ``expected`` is empty where a phrase has ended."""

    position: int
    typed: str
    expected: str

    @property
    def text(self) -> str:
        """The mismatch in words."""
        if not self.typed:
            return f"word {self.position} is missing: {self.expected}"
        if not self.expected:
            return f"word {self.position} is too much: {self.typed}"
        return f"word {self.position} is '{self.typed}', not {self.expected}"


def mismatch(typed: str, expected: str) -> Mismatch | None:
    """Where ``typed`` first leaves ``expected``; None when they are the same phrase."""
    said, wanted = typed.replace(",", "").split(), expected.split()
    for position in range(max(len(said), len(wanted))):
        word = said[position] if position < len(said) else ""
        due = wanted[position] if position < len(wanted) else ""
        if fold_phrase(word) != fold_phrase(due):
            return Mismatch(position + 1, word, due)
    return None
