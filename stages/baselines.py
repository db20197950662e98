"""Baselines: values at a session's open, kept in the ledger, against which losses are measured (semantics 2.2 rule 5).

A baseline is taken once per session, at its open; a restart in between finds the old one and cannot lower it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stages.commands import Rebase
from stages.policy import Policy
from stages.quality import Reading
from stages.session import Phase, session_date
from stages.signals import LIVE_BOOK, Quality, SignalKey, Snapshot
from stages.state import ControlState
from stages.value import replace

NO_BASELINE = "no baseline yet"


def measured(policy: Policy, state: ControlState, readings: Mapping[SignalKey, Reading]) -> dict[SignalKey, Reading]:
    """The readings with each signal that has a baseline as its difference to it; without one it says nothing."""
    return {key: _difference(policy, state, key, reading) for key, reading in readings.items()}


def _difference(policy: Policy, state: ControlState, key: SignalKey, reading: Reading) -> Reading:
    if policy.spec.signals[key.name].baseline is None or not reading.believed or reading.value is None:
        return reading
    base = state.baselines.get(baseline_name(key))
    if base is None:
        return replace(reading, quality=Quality.MISSING, value=None, detail=NO_BASELINE)
    return replace(reading, value=reading.value - base.value)


def rebases(
    policy: Policy,
    state: ControlState,
    snapshot: Snapshot,
    phase: Phase,
    raw: Mapping[SignalKey, Reading],
    actor: str,
) -> Iterator[Rebase]:
    """Baselines to take now: at the first good reading of a session, and once where there is none at all."""
    hours = policy.spec.target.session
    for key, reading in raw.items():
        signal = policy.spec.signals[key.name]
        if signal.baseline is None or not reading.believed or reading.value is None:
            continue
        known = state.baselines.get(baseline_name(key))
        day = session_date(hours, snapshot.market) or snapshot.market.date()
        if known is None or (phase.is_open and day > known.session):
            yield Rebase(actor, baseline_name(key), reading.value, signal.unit.value, day, snapshot.market)


def baseline_name(key: SignalKey) -> str:
    """``equity`` of the live book, ``L0/equity`` of another."""
    return key.name if key.book == LIVE_BOOK else f"{key.book}/{key.name}"
