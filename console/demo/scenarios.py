"""Scenarios: what happens to the demo's world by itself, told from the ledger's view of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from stages.refusal import Trouble
from stages.state import ControlState
from stages.value import Struct

CALM: Final = "calm"
RISK_BREACH: Final = "risk-breach"
QUIET_AT_L1: Final = timedelta(seconds=4)
"""How long the canary stage runs before prices gap."""


class Fault(Struct, frozen=True):
    """A fault of the live venue and when it strikes; ``due`` sees the ledger's state and the wall time."""

    name: str
    due: Callable[[ControlState, datetime], bool]


class Scenario(Struct, frozen=True):
    """A named course of events; each fault strikes once."""

    name: str
    says: str
    faults: tuple[Fault, ...] = ()


def scenario(name: str) -> Scenario:
    """The scenario of this name. Raises Trouble naming those there are."""
    known = _all()
    if name not in known:
        raise Trouble(f"there is no scenario '{name}'", fix=f"use one of {', '.join(sorted(known))}")
    return known[name]


def names() -> tuple[str, ...]:
    """The scenarios there are."""
    return tuple(sorted(_all()))


def _all() -> Mapping[str, Scenario]:
    scenarios = (
        Scenario(CALM, "nothing goes wrong"),
        Scenario(
            RISK_BREACH,
            "prices gap a few seconds after the canary stage is in force",
            (Fault("gap", _quiet_at_l1),),
        ),
        *(Scenario(name, says, (Fault(name, _quiet_at_l1),)) for name, says in _AT_L1.items()),
    )
    return {scenario.name: scenario for scenario in scenarios}


_AT_L1: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tca-degradation": "fills get worse until both windows of the cost trigger agree",
        "stale-data": "trade signals stand still while the process stays healthy",
        "reconciliation-mismatch": "an order that nobody sent, and a position that is off by one share",
        "incident": "an alert fires",
        "loss-limit": "prices go against the book until the day's loss is past its limit",
        "wrong-account": "the venue reports another account",
    }
)
"""Scenarios that are one fault of the same name, a few seconds after the canary stage is in force."""


def _quiet_at_l1(state: ControlState, now: datetime) -> bool:
    return _settled_at(state, "L1", now) >= QUIET_AT_L1


def _settled_at(state: ControlState, stage: str, now: datetime) -> timedelta:
    """How long the stage has been observing its burn-in; negative when it is not in force."""
    act = state.last_pushed
    run = state.runs.get(stage)
    if act is None or act.to_stage != stage or act.settled != "converged" or run is None or run.state != "OBSERVING":
        return timedelta(days=-1)
    return now - act.at
