"""The truth panel: what Git intends, what the runtime answers and what the venue says, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from stages.bearings import Bearings, runtime_reach
from stages.deployed_rows import deployed_rows
from stages.drift import CONVERGING, DRIFT, GIT_SILENT, GIT_UNREAD, NO_READBACK, SAME
from stages.figures import measure, value_text
from stages.ladder import Unit, Value
from stages.policy import Policy
from stages.posture import Mode
from stages.session import span
from stages.signals import LIVE_BOOK, SignalKey, Snapshot
from stages.standing import Standing
from stages.value import replace
from stages.verdict import ControlDrift, Truth, TruthRow
from stages.watching import WatchState

UNREAD = "?"
STOPPED, BLOCKED = "stopped", "BLOCKED"
"""A new order, by the system that does not send it and by the venue that would refuse it."""
MODE, GROSS = "tradingMode", "maxGrossExposure"
_FIRST = (GROSS, "killSwitch")
"""Controls that are looked for first, after mode and stage."""


def truth(
    policy: Policy, watch: WatchState, snapshot: Snapshot, here: Bearings, drift: tuple[ControlDrift, ...]
) -> Truth:
    """All facts by three witnesses. Agreement needs every witness that has a say to have been read."""
    controls = {one.control: _control(policy, one) for one in drift if one.detail != NO_READBACK}
    first = [_mode(controls.pop(MODE), snapshot)] if MODE in controls else []
    first.append(_stage(policy, watch, here, snapshot))
    first += [controls.pop(name) for name in _FIRST if name in controls]
    own = here.settling.sha if here.settling is not None else ""
    first += deployed_rows(snapshot.deployed, snapshot.git, own, snapshot.wall)
    known = (*first, *_orders(policy, snapshot, here), _gross(policy, snapshot, here), *controls.values())
    rows = tuple(_lasting(row, watch, snapshot) for row in (*known, _account(policy, snapshot)))
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
    git = stage_name(policy, here.standing) if _git_answers(snapshot) else UNREAD
    if UNREAD in (git, runtime) or runtime is None or here.standing.stage is None:
        return TruthRow("stage", git, runtime, None, None)
    return TruthRow("stage", git, runtime, None, reach == here.standing.riskiest)


def _git_answers(snapshot: Snapshot) -> bool:
    """Whether Git's last word is its present one."""
    return snapshot.git is not None and not snapshot.git.error


def _control(policy: Policy, one: ControlDrift) -> TruthRow:
    spec = policy.spec.controls[one.control]
    agree = True if one.state == SAME else False if one.state in (DRIFT, CONVERGING) else None
    if agree is None:
        alone = one.detail in (GIT_SILENT, GIT_UNREAD) and one.runtime is not None
        heard = value_text(one.runtime, spec.unit) if alone else UNREAD
        return TruthRow(spec.title or one.control, UNREAD, heard, None, None, one.detail)
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


def _mode(row: TruthRow, snapshot: Snapshot) -> TruthRow:
    """The mode as configured and as run; what kind of account answers is the venue's word beside it."""
    venue = snapshot.venue
    said = UNREAD if venue is None or venue.error else f"{venue.environment} acct"
    return replace(row, venue=said)


def _orders(policy: Policy, snapshot: Snapshot, here: Bearings) -> tuple[TruthRow, ...]:
    """Whether new orders go out, by what each of the three would do with one; and how many work."""
    venue = snapshot.venue
    read = venue is not None and not venue.error
    taken = UNREAD if venue is None or venue.error else BLOCKED if venue.blocked else "taken"
    git = new_orders(policy, snapshot.git.values) if snapshot.git and not snapshot.git.error else UNREAD
    known = {name: one.value for name, one in snapshot.runtime.items() if not one.error}
    runtime = new_orders(policy, known)
    agree = same_orders(git, runtime, taken)
    own = here.readings.get(SignalKey(LIVE_BOOK, policy.spec.own_orders or ""))
    mine = None if own is None else str(len([one for one in own.text.split(",") if one])) if own.believed else UNREAD
    count = str(len(venue.open_orders)) if venue is not None and read else UNREAD
    # The counts are of two moments, and orders come and go between them: they stand side by side, unjudged.
    return (TruthRow("new orders", git, runtime, taken, agree), TruthRow("open orders", None, mine, count, None))


def same_orders(git: str | None, runtime: str | None, taken: str) -> bool | None:
    """Whether all three would do the same with a new order; a venue that takes orders contradicts nobody."""
    if UNREAD in (git, taken) or git is None or runtime is None:
        return None
    return git == runtime and (taken != BLOCKED or git == STOPPED)


def new_orders(policy: Policy, values: Mapping[str, Value | None]) -> str | None:
    """What a system with these values does with a new order; None while one that decides it is not known."""
    word = "sent"
    for mode, said in ((Mode.REDUCE_ONLY, "exits only"), (Mode.HALTED, STOPPED), (Mode.KILLED, STOPPED)):
        overlay = policy.overlay(mode)
        if any(name not in values for name in overlay):
            return None
        if overlay and all(values[name] == value for name, value in overlay.items()):
            word = said
    return word


def _gross(policy: Policy, snapshot: Snapshot, here: Bearings) -> TruthRow:
    """Gross of the live account by the process and by the venue. Prices move between the two reads: unjudged."""
    limited = (name for name, one in policy.spec.signals.items() if one.limit and one.limit.control == GROSS)
    reading = here.readings.get(SignalKey(LIVE_BOOK, next(limited, "")))
    runtime = None
    if reading is not None:
        believed = reading.believed and reading.value is not None
        runtime = measure(reading.value or Decimal(0), Unit.USD) if believed else UNREAD
    venue = snapshot.venue
    if venue is None or venue.error:
        return TruthRow("gross", None, runtime, UNREAD, None)
    gross = sum((abs(position.market_value) for position in venue.positions), Decimal(0))
    return TruthRow("gross", None, runtime, measure(gross, Unit.USD), None)


def differs(name: str) -> str:
    """Under which cause the watch remembers since when a fact has had two versions."""
    return f"truth/row/{name}"


def _lasting(row: TruthRow, watch: WatchState, snapshot: Snapshot) -> TruthRow:
    since = watch.since.get(differs(row.name)) if row.agree is False else None
    return row if since is None else replace(row, note=f"{row.note} for {span(snapshot.wall - since)}".strip())


def _ages(snapshot: Snapshot) -> Mapping[str, float | None]:
    reads = [reading.read_time for reading in snapshot.runtime.values() if not reading.error]
    seen = {
        "git": snapshot.git.fetched_at if snapshot.git and snapshot.git.head else None,
        "runtime": min(reads, default=None),
        "venue": snapshot.venue.as_of if snapshot.venue and not snapshot.venue.error else None,
    }
    return {name: None if at is None else (snapshot.wall - at).total_seconds() for name, at in seen.items()}
