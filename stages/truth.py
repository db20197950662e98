"""The truth panel: what Git intends, what the runtime answers and what the venue says, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from stages.bearings import Bearings, runtime_reach
from stages.drift import CONVERGING, DRIFT, NO_READBACK, SAME
from stages.figures import measure, value_text
from stages.ladder import Unit
from stages.policy import Policy
from stages.signals import Snapshot
from stages.standing import Standing
from stages.verdict import ControlDrift, Truth, TruthRow
from stages.watching import WatchState

UNREAD = "?"


def truth(
    policy: Policy, watch: WatchState, snapshot: Snapshot, here: Bearings, drift: tuple[ControlDrift, ...]
) -> Truth:
    """All facts by three witnesses. Agreement needs every witness that has a say to have been read."""
    rows = (
        _stage(policy, watch, here, snapshot),
        *(_control(policy, one) for one in drift if one.detail != NO_READBACK),
        _account(policy, snapshot),
        *_venue(snapshot),
    )
    judged = [row.agree for row in rows if row.agree is not None or UNREAD in (row.git, row.runtime, row.venue)]
    agree = False if False in judged else None if None in judged or not judged else True
    return Truth(rows, _ages(snapshot), agree, watch.since.get(f"truth/{agree}"), here.converging_left)


def stage_name(policy: Policy, standing: Standing) -> str:
    """``L1``, ``L1 TIGHTER``, ``BETWEEN L1 L2``, ``BEYOND L3``, or ``?`` while nothing is known."""
    if standing.stage is not None:
        return policy.stages[standing.stage].name + (" TIGHTER" if standing.tighter else "")
    if standing.beyond:
        return f"BEYOND {policy.stages[-1].name}"
    if not standing.differences:
        return UNREAD
    upper = min(standing.riskiest, policy.top)
    return f"BETWEEN {policy.stages[max(0, upper - 1)].name} {policy.stages[upper].name}"


def already_at(policy: Policy, snapshot: Snapshot, standing: Standing) -> tuple[str, ...]:
    """Between two stages: the controls that stand on the upper one already, by their titles."""
    upper = min(standing.riskiest, policy.top)
    if snapshot.git is None or upper == 0:
        return ()
    above, below = policy.resolved[upper], policy.resolved[upper - 1]
    return tuple(
        spec.title or name
        for name, spec in policy.spec.controls.items()
        if name in snapshot.git.values
        and not spec.order.same(above.get(name), below.get(name))
        and not spec.order.at_most(snapshot.git.values[name], below.get(name))
    )


def _stage(policy: Policy, watch: WatchState, here: Bearings, snapshot: Snapshot) -> TruthRow:
    reach = runtime_reach(policy, watch)
    unread = not snapshot.runtime or any(reading.error for reading in snapshot.runtime.values())
    heard = any(control.readback for control in policy.spec.controls.values())
    runtime = (UNREAD if reach is None or unread else policy.stages[min(reach, policy.top)].name) if heard else None
    git = stage_name(policy, here.standing)
    if UNREAD in (git, runtime) or runtime is None or here.standing.stage is None:
        return TruthRow("stage", git, runtime, None, None)
    return TruthRow("stage", git, runtime, None, reach == here.standing.riskiest)


def _control(policy: Policy, one: ControlDrift) -> TruthRow:
    spec = policy.spec.controls[one.control]
    agree = True if one.state == SAME else False if one.state in (DRIFT, CONVERGING) else None
    if agree is None:
        return TruthRow(spec.title or one.control, UNREAD, UNREAD, None, None, one.detail)
    git, runtime = value_text(one.git, spec.unit), value_text(one.runtime, spec.unit)
    return TruthRow(
        spec.title or one.control, git, runtime, None, agree, "converging" if one.state == CONVERGING else ""
    )


def _account(policy: Policy, snapshot: Snapshot) -> TruthRow:
    declared = policy.spec.target.account
    said = f"{declared.label} {declared.environment}"
    venue = snapshot.venue
    if venue is None or venue.error:
        return TruthRow("account", said, None, UNREAD, None, venue.error if venue else "")
    found = f"{venue.account_label} {venue.environment}"
    return TruthRow("account", said, None, found, found == said)


def _venue(snapshot: Snapshot) -> tuple[TruthRow, ...]:
    venue = snapshot.venue
    if venue is None or venue.error:
        return (TruthRow("new risk", None, None, UNREAD, None), TruthRow("open orders", None, None, UNREAD, None))
    gross = sum((abs(position.market_value) for position in venue.positions), Decimal(0))
    return (
        TruthRow("new risk", None, None, "BLOCKED" if venue.blocked else "not blocked", None),
        TruthRow("open orders", None, None, str(len(venue.open_orders)), None),
        TruthRow("gross $", None, None, measure(gross, Unit.USD), None),
    )


def _ages(snapshot: Snapshot) -> Mapping[str, float | None]:
    reads = [reading.read_time for reading in snapshot.runtime.values() if not reading.error]
    seen = {
        "git": snapshot.git.fetched_at if snapshot.git else None,
        "runtime": min(reads, default=None),
        "venue": snapshot.venue.as_of if snapshot.venue and not snapshot.venue.error else None,
    }
    return {name: None if at is None else (snapshot.wall - at).total_seconds() for name, at in seen.items()}
