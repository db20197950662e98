"""Bearings: of one tick, before any verdict: where the system stands, whose limits count, what is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from stages.baselines import measured
from stages.drill_effects import drilled
from stages.ladder import Value, parse_value
from stages.policy import Policy
from stages.posture import Mode
from stages.quality import Reading, excused, readings
from stages.session import Phase, phase
from stages.signals import LIVE_BOOK, ReadControls, SignalKey, Snapshot
from stages.standing import Standing, assess
from stages.state import ControlState, Intent
from stages.value import Struct
from stages.watching import Dark, WatchState


class Bearings(Struct, frozen=True):
    """Facts of one tick. Stages are indices in the ladder."""

    wall: datetime
    market: datetime
    phase: Phase
    standing: Standing
    effective: int
    """The riskier of Git and last known runtime; the top while nothing is known."""
    limits: int | None
    """The stage whose limits count (semantics 2.2 rule 11); None while nobody knows where the manifests stand."""
    books: tuple[str, ...]
    """The live book, and the stage's own where it has one; the last is the stage's."""
    shown: str
    """The book that panels and headline are about: the live one as long as anything is open in it."""
    readings: Mapping[SignalKey, Reading]
    dark_left: float | None
    settling: Intent | None
    """Own change that is pushed and has not reached the runtime yet."""
    converging_left: float | None
    """Seconds left in which a change may still be on its way to the runtime."""

    @property
    def book(self) -> str:
        return self.books[-1]


def bearings(policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot) -> Bearings:
    """Bearings at ``snapshot``, given what the watch remembers up to it."""
    standing = git_standing(policy, snapshot)
    settling = state.settling[-1] if state.settling else None
    reached = standing.riskiest if _stands(standing) else None
    known = [index for index in (reached, runtime_reach(policy, watch), _floor(policy, settling)) if index is not None]
    effective = min(max(known, default=policy.top), policy.top)
    own = policy.stages[effective].book
    books = (LIVE_BOOK,) if own == LIVE_BOOK else (LIVE_BOOK, own)
    now = phase(policy.spec.target.session, snapshot.market)
    left = dark_left(policy, watch.dark, snapshot.wall)
    return Bearings(
        wall=snapshot.wall,
        market=snapshot.market,
        phase=now,
        standing=standing,
        effective=effective,
        limits=_limits_stage(policy, standing, settling, snapshot.wall),
        books=books,
        shown=LIVE_BOOK if _live_book_holds(watch, snapshot) else books[-1],
        readings=excused(_as_counted(policy, state, snapshot, now, books), watch.dark, left),
        dark_left=left,
        settling=settling,
        converging_left=_converging(policy, settling, watch, snapshot.wall),
    )


def _as_counted(
    policy: Policy, state: ControlState, snapshot: Snapshot, now: Phase, books: tuple[str, ...]
) -> Mapping[SignalKey, Reading]:
    """The readings against their baselines, without what drills declared."""
    found = measured(policy, state, readings(policy, snapshot, now, books))
    return drilled(policy, state, found, snapshot.wall)


def _live_book_holds(watch: WatchState, snapshot: Snapshot) -> bool:
    """Whether money is open or working in the live book; where the venue does not tell, whether any hung over."""
    venue = snapshot.venue
    if venue is None or venue.error:
        return bool(watch.overhang)
    return bool(venue.positions or venue.open_orders)


def git_standing(policy: Policy, snapshot: Snapshot) -> Standing:
    """Where the manifests stand; with Git unread nothing is known and every control counts as unread."""
    git = snapshot.git
    if git is None or not git.head:
        return Standing(None, Mode.NORMAL, policy.top, unread=dict.fromkeys(policy.spec.controls, "Git was not read"))
    return assess(policy, ReadControls(git.values, git.unread, git.parted))


def runtime_values(policy: Policy, watch: WatchState) -> dict[str, Value | None]:
    """Last known readback of each control."""
    return {
        name: parse_value(policy.spec.controls[name].unit, text, name)
        for name, text in watch.runtime.items()
        if name in policy.spec.controls
    }


def runtime_reach(policy: Policy, watch: WatchState) -> int | None:
    """Index of the riskiest stage that any last known readback reaches; None when nothing was ever read back."""
    values = runtime_values(policy, watch)
    bound = {name: value for name, value in values.items() if policy.spec.controls[name].bindings}
    return assess(policy, ReadControls(bound)).riskiest if bound else None


def dark_left(policy: Policy, dark: Dark | None, wall: datetime) -> float | None:
    """Seconds left of an expected restart that is under way; None when there is none."""
    if dark is None or dark.began is None or not set(dark.went) - set(dark.done):
        return None
    left = (dark.began + longest_dark(policy) - wall).total_seconds()
    return left if left > 0 else None


def longest_dark(policy: Policy) -> timedelta:
    """How long a restart may silence the workloads."""
    return max((workload.dark for workload in policy.spec.target.workloads), default=timedelta())


def in_convergence(policy: Policy, since: datetime, wall: datetime) -> bool:
    return wall - since < policy.spec.target.convergence


def downward(policy: Policy, intent: Intent) -> bool:
    """Whether an act lowered the stage."""
    source, target = policy.stage_index(intent.from_stage), policy.stage_index(intent.to_stage)
    return target is not None and (source is None or target < source)


def harm_of(policy: Policy, name: str, value: Decimal) -> Decimal:
    """The part of a value that does harm, towards the limit; never below zero."""
    harm = policy.spec.signals[name].harm
    towards = {"value": value, "magnitude": abs(value), "loss": -value}[harm]
    return max(Decimal(0), towards)


def _stands(standing: Standing) -> bool:
    """Whether anything of the standing is known."""
    return standing.stage is not None or standing.beyond or bool(standing.differences)


def _floor(policy: Policy, settling: Intent | None) -> int | None:
    """What a change under way may have reached, whatever has been read so far."""
    return None if settling is None else policy.stage_index(settling.to_stage)


def _limits_stage(policy: Policy, standing: Standing, settling: Intent | None, wall: datetime) -> int | None:
    if settling is not None:
        target, source = policy.stage_index(settling.to_stage), policy.stage_index(settling.from_stage)
        lowering = downward(policy, settling) and in_convergence(policy, settling.at, wall)
        if lowering and source is not None:
            return source
        if target is not None:
            return target
    if standing.stage is not None:
        return standing.stage
    if not _stands(standing):
        return None
    return min(_lower_of(policy, standing), policy.top)


def _lower_of(policy: Policy, standing: Standing) -> int:
    """Between two stages the tighter one's limits count: the lowest rung on which a differing control sits."""
    rungs = [standing.riskiest]
    for one in standing.differences:
        order = policy.spec.controls[one.control].order
        rungs += [
            index
            for index in range(min(standing.riskiest, policy.top))
            if order.same(policy.resolved[index].get(one.control), one.value)
        ][-1:]
    return min(rungs)


def _converging(policy: Policy, settling: Intent | None, watch: WatchState, wall: datetime) -> float | None:
    starts = [settling.at] if settling is not None else []
    starts += [watch.changed] if watch.changed is not None else []
    left = [(start + policy.spec.target.convergence - wall).total_seconds() for start in starts]
    return max((seconds for seconds in left if seconds > 0), default=None)
