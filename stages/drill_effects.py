"""Drill effects: what a drill declared to cause on its account is counted as the drill's; everything else is not.

Only what was declared is excused, and only until the declared end: its own orders, by their number while they work, and
the silence of the process that it restarts. An order more, another account, a loss ring and latch as always.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from stages.drill import PLANT, PLANTED, PROBES, PUT_BACK, RESTARTS
from stages.drill_progress import left_behind
from stages.facts import DrillRun
from stages.policy import Policy
from stages.quality import Reading
from stages.signals import Quality, SignalKey
from stages.state import ControlState
from stages.value import replace

SILENT = "a drill restarts it"


def declared(policy: Policy, state: ControlState, book: str, now: datetime) -> DrillRun | None:
    """The newest drill on the account of ``book`` whose declared end lies ahead; None where there is none.

    The live account is never a drill's, so that its alarms ring as always.
    """
    stage = policy.stage_index(book)
    if stage is None:
        return None
    label = policy.stage_account(stage).label
    runs = [run for run in state.drills.values() if run.until and run.target.get("account") == label]
    return next((run for run in reversed(runs) if run.until and run.until > now), None)


def drilled(
    policy: Policy, state: ControlState, readings: Mapping[SignalKey, Reading], now: datetime
) -> dict[SignalKey, Reading]:
    """The same readings without what drills declared: their orders taken off, their silence marked RESTARTING."""
    found = dict(readings)
    runs = {book: declared(policy, state, book, now) for book in {key.book for key in readings}}
    for key, reading in readings.items():
        run = runs[key.book]
        if run is not None:
            found[key] = _without(policy, run, key, reading, now)
    return found


def _without(policy: Policy, run: DrillRun, key: SignalKey, reading: Reading, now: datetime) -> Reading:
    if reading.lost and RESTARTS in run.effects and not _over(policy, run, key, now):
        return replace(reading, quality=Quality.RESTARTING, detail=SILENT)
    if key.name != policy.spec.unknown_orders or not reading.believed or reading.value is None:
        return reading
    own = min(reading.value, Decimal(working_at(policy, run, key, reading.event_time or now)))
    return replace(reading, value=reading.value - own, detail=f"{own} of a drill") if own else reading


def working_at(policy: Policy, run: DrillRun, key: SignalKey, at: datetime) -> int:
    """How many of the drill's orders may work at a moment, as the signal tells it, which may lag by its maxAge.

    Before their ids are told it is as many as it plants; at its last step it sends one more to see whether it is taken.
    """
    if PROBES not in run.effects or PLANT not in run.entered or _over(policy, run, key, at):
        return 0
    late = policy.spec.signals[key.name].max_age
    gone = {one.subject for one in run.findings if one.ok and one.step != PLANT and one.at and one.at + late < at}
    last = 1 if PUT_BACK in run.entered else 0
    return (len(set(run.orders) - gone) if run.orders else PLANTED) + last


def _over(policy: Policy, run: DrillRun, key: SignalKey, at: datetime) -> bool:
    """Whether it has ended and left nothing behind, for longer than the signal may lag."""
    if run.ended is None or left_behind(run):
        return False
    return at > run.ended + policy.spec.signals[key.name].max_age
