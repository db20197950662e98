"""Drill faults: what may be broken on purpose while a drill runs on its paper target, and what must hold all the same.

A fault strikes in the drill's own path and on its own target alone: at the paper venue, at a port that only the drill's
reduction uses, or in the input of the trigger that fires it. It has an end in the same drill, after which everything
must come out as without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from stages.drill import ITSELF, KILL, PAPER, TRIGGER, Scope
from stages.refusal import Trouble
from stages.value import Struct

STALE, NAN, SKEW = "stale-metric", "nan-metric", "clock-skew"
PUSH, DISK = "push-refused", "ledger-full"
CANCELS, HEAL = "half-cancels", "self-heal-reverts"


class DrillFault(Struct, frozen=True):
    """One fault: what is wrong, what must come of it, and the one path by which its act can be fired (empty: any)."""

    name: str
    says: str
    must: str
    path: str = ""


_FAULTS: Final = (
    DrillFault(STALE, "the trigger's metric stands still", "STALE, never ok, and nothing fires on it", TRIGGER),
    DrillFault(NAN, "the trigger's metric is not a number", "unknown, never ok, and nothing fires on it", TRIGGER),
    DrillFault(SKEW, "the trigger's metric comes from the future", "SKEWED by name, and nothing fires on it", TRIGGER),
    DrillFault(PUSH, "the remote refuses every push", "the venue holds the kill, Git is named not verified", ITSELF),
    DrillFault(DISK, "the ledger's disk is full", "the kill goes on, spills, and its evidence joins later", ITSELF),
    DrillFault(CANCELS, "every second cancel gives no answer", "no order counts as gone before the venue says so"),
    DrillFault(HEAL, "the GitOps controller undoes the kill", "it is seen and named, and the venue still refuses"),
)

FAULTS: Final[Mapping[str, DrillFault]] = MappingProxyType({fault.name: fault for fault in _FAULTS})
"""Every fault by the name that ``drill --inject`` takes."""

METRICS: Final = (STALE, NAN, SKEW)
"""Faults of what a trigger reads."""


def effect_of(name: str) -> str:
    """How a drill declares a fault among its effects."""
    return f"fault {name}"


def why_not_injected(name: str, act: str, mode: str, scope: Scope) -> str:
    """Why a fault must not strike in such a drill; empty when it may."""
    if name not in FAULTS:
        return f"there is no fault '{name}'; there are {', '.join(FAULTS)}"
    if mode != PAPER:
        return "a tabletop touches nothing: a fault needs a drill on paper"
    if act != KILL:
        return "faults are injected into drills of the kill"
    if scope.environment != PAPER:
        return f"{scope.target} is {scope.environment.upper()}: a fault is injected on a paper target and nowhere else"
    return ""


def require_injectable(name: str, act: str, mode: str, scope: Scope) -> None:
    """Raises Trouble with the reason when a fault must not strike."""
    if why := why_not_injected(name, act, mode, scope):
        raise Trouble(why, fix="leave out --inject, or correct drillTarget")
