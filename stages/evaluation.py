"""Evaluation: composes; it holds no rule of its own. One snapshot in, accumulators, commands and verdicts out."""

from __future__ import annotations

from collections.abc import Mapping

from stages.alarms import Situation, alarms, conditions, held_back, since_when, to_acknowledge
from stages.bearings import Bearings, bearings
from stages.burnin import advance_burn_in
from stages.burnin_verdict import verdict as burn_in_verdict
from stages.clearing import self_clears
from stages.commands import Command, OpenLatch
from stages.derived_rows import derived_rows
from stages.drift import drift, runtime_agrees
from stages.headline import Scene, headline
from stages.looking import Sight
from stages.memory import remember
from stages.overhang import hanging, latch_due
from stages.owing import owed
from stages.policy import Policy
from stages.posture import Mode, join
from stages.rail import cards
from stages.recommendation import HOLD, recommend
from stages.rows import confirm_rows, rows
from stages.signals import LIVE_BOOK, SignalKey, Snapshot
from stages.state import ControlState
from stages.triggers import advance_triggers, latches_due, trigger_rows
from stages.truth import truth
from stages.value import replace
from stages.verdict import ControlDrift, Evaluation, Headline, Recommendation, Row, WatchPresence
from stages.watching import WatchState
from stages.way_down import ways

__all__ = ["WatchState", "accumulate", "judge"]


def accumulate(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, actor: str
) -> tuple[WatchState, tuple[Command, ...]]:
    """The accumulators after one more tick, and what the ledger is asked to decide because of it.

    Pure: the same arguments give the same answer, so that a verdict can be recomputed from recorded ticks.
    """
    before = watch
    watch, adopted = remember(policy, state, watch, snapshot, actor)
    here = bearings(policy, state, watch, snapshot)
    found = drift(policy, snapshot, here)
    watch = replace(watch, rows=confirm_rows(policy, watch, here.readings, here.limits, here.market))
    sight = Sight(policy, state, snapshot, here, found)
    watch = replace(watch, triggers=advance_triggers(sight, watch))
    seen = _all_rows(policy, state, watch, snapshot, here)
    due = (*latches_due(sight, watch, actor), *latch_due(policy, state, watch, snapshot, here, actor))
    burn = advance_burn_in(
        policy,
        state,
        replace(watch, wall=before.wall, market=before.market),
        snapshot,
        here,
        agrees=_converged(policy, found, snapshot),
        rows=seen,
        holding=_strictest(state, due),
        actor=actor,
    )
    watch = replace(watch, burn_in=burn.watch)
    now = _situation(policy, state, watch, snapshot, here, found, seen)
    raised = conditions(now)
    watch = replace(watch, since=since_when(now, raised), over=to_acknowledge(now, raised))
    renewed = self_clears(policy, state, watch, snapshot, actor)
    return watch, (*adopted, *due, *burn.commands, *renewed)


def judge(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, presence: WatchPresence
) -> Evaluation:
    """Everything that follows from the accumulators after ``snapshot``; changes nothing."""
    here = bearings(policy, state, watch, snapshot)
    found = drift(policy, snapshot, here)
    now = _situation(policy, state, watch, snapshot, here, found, _all_rows(policy, state, watch, snapshot, here))
    latches = tuple(state.latches.values())
    burn_in = burn_in_verdict(policy, state, watch, here, now.rows, snapshot.speed)
    raised = alarms(now, presence)
    draft = Evaluation(
        snapshot=snapshot,
        standing=here.standing,
        effective=here.effective,
        posture=now.posture,
        latches=latches,
        rows=now.rows,
        derived=derived_rows(policy, state, watch, snapshot, here),
        book=here.shown,
        triggers=now.triggers,
        burn_in=burn_in,
        cards=cards(policy, state, here, burn_in, now.posture),
        truth=now.truth,
        drift=found,
        alarms=raised,
        held=held_back(now, presence),
        headline=Headline("", "", "", "", "ok", reverse=False),
        recommendation=Recommendation(HOLD, ()),
        market_phase=here.phase.name,
        market_note=here.phase.note,
        accounts=_accounts(policy, here, snapshot),
        dark_left=here.dark_left,
        overhang=hanging(policy, watch, here),
        notes=_unwatched(policy),
        ways=ways(policy, state, snapshot, here.effective),
        owed=owed(state, snapshot.wall),
    )
    recommendation = recommend(policy, state, draft, presence)
    scene = Scene(now, raised, burn_in, recommendation, presence, latches)
    said = headline(scene)
    if draft.owed:
        said = replace(said, sentence=f"{draft.owed[0].brief} {said.sentence}".rstrip())
    return replace(draft, recommendation=recommendation, headline=said)


def _situation(
    policy: Policy,
    state: ControlState,
    watch: WatchState,
    snapshot: Snapshot,
    here: Bearings,
    found: tuple[ControlDrift, ...],
    seen: tuple[Row, ...],
) -> Situation:
    return Situation(
        policy=policy,
        state=state,
        watch=watch,
        snapshot=snapshot,
        here=here,
        posture=join(state.latches.values(), policy.top),
        rows=seen,
        triggers=trigger_rows(Sight(policy, state, snapshot, here, found), watch),
        truth=truth(policy, watch, snapshot, here, found),
    )


def _all_rows(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, here: Bearings
) -> tuple[Row, ...]:
    """Rows of the live book, and of the stage's own where it has one."""
    latches = tuple(state.latches.values())
    return tuple(
        row for book in here.books for row in rows(policy, watch, here.readings, book, here.limits, snapshot, latches)
    )


def _converged(policy: Policy, found: tuple[ControlDrift, ...], snapshot: Snapshot) -> bool:
    """Whether the runtime runs what Git says; with nothing to read back, Git's word is all there is."""
    if any(control.readback is not None for control in policy.spec.controls.values()):
        return runtime_agrees(policy, found) is True
    return snapshot.git is not None and not snapshot.git.error


def _strictest(state: ControlState, due: tuple[OpenLatch, ...]) -> Mode:
    modes = [latch.mode for latch in state.latches.values()] + [command.mode for command in due]
    return max(modes, default=Mode.NORMAL)


def _accounts(policy: Policy, here: Bearings, snapshot: Snapshot) -> Mapping[str, tuple[str, str]]:
    """The accounts as read: the venue's own word for the live book, an account signal for the others."""
    found: dict[str, tuple[str, str]] = {}
    named = [name for one in policy.spec.triggers.values() if one.kind == "account" for name in one.signals]
    for book in here.books:
        declared = policy.spec.target.account if book == LIVE_BOOK else policy.stage_account(here.effective)
        for reading in (here.readings[SignalKey(book, name)] for name in named):
            if reading.believed and reading.text:
                found[book] = (reading.text, declared.environment if reading.text == declared.label else "?")
    venue = snapshot.venue
    if venue is not None and not venue.error:
        found[LIVE_BOOK] = (venue.account_label, venue.environment)
    return found


def _unwatched(policy: Policy) -> tuple[str, ...]:
    panels = {signal.panel for signal in policy.spec.signals.values()}
    names = {"exposure": "exposure", "tca": "TCA", "freshness": "freshness", "reconciliation": "reconciliation"}
    missing = [f"{words} is not watched" for panel, words in names.items() if panel not in panels]
    return (*missing, *(() if policy.spec.triggers else ("nothing acts by itself: the policy has no triggers",)))
