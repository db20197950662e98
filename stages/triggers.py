"""Triggers: from suspicion to confirmation to the latches that follow by themselves (semantics 2).

A trigger marks on the first bad reading and acts on confirmation only; a latch is asked for once per step, cause and
epoch, and the ledger's decision makes that unique. Nothing here lowers a contribution or closes a latch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from stages.commands import OpenLatch
from stages.incidents import clear_rule
from stages.ladder import Unit
from stages.latching import latch_key
from stages.looking import Look, Observation, Sight
from stages.measures import Step, Trigger
from stages.nearing import courses_after, soonest
from stages.observing import observe
from stages.policy import Policy
from stages.policy_checks import reaction_seconds
from stages.posture import Latch, Mode
from stages.signals import Snapshot
from stages.tca import taped
from stages.value import replace
from stages.verdict import TriggerRow, TriggerState
from stages.watching import TriggerWatch, WatchState
from stages.windows import GAP_INTERVALS, Confirmations, Dwell


def advance_triggers(sight: Sight, watch: WatchState) -> dict[str, TriggerWatch]:
    """Every trigger's accumulators after one more tick."""
    return {name: _advance(sight, watch, name) for name in sight.policy.spec.triggers}


def latches_due(sight: Sight, watch: WatchState, actor: str) -> tuple[OpenLatch, ...]:
    """Latches that confirmed triggers ask for and that the ledger does not hold yet."""
    return tuple(
        command
        for name, trigger in sight.policy.spec.triggers.items()
        for index in range(len(trigger.then))
        if (command := _due(sight, watch, name, index, actor)) is not None
    )


def trigger_rows(sight: Sight, watch: WatchState) -> tuple[TriggerRow, ...]:
    """Every trigger by its distance to firing, in the policy's order."""
    return tuple(_row(sight, watch, name) for name in sight.policy.spec.triggers)


def cleared_by(clear_roles: Sequence[str]) -> str:
    """``HELD until risk and trader clear it``"""
    return f"HELD {until_cleared(clear_roles)}"


def until_cleared(clear_roles: Sequence[str]) -> str:
    """``until risk and trader clear it``, ``until risk clears it``"""
    return f"until {' and '.join(clear_roles) or 'somebody'} clear{'s' if len(clear_roles) < 2 else ''} it"


def _advance(sight: Sight, watch: WatchState, name: str) -> TriggerWatch:
    trigger = sight.policy.spec.triggers[name]
    before = watch.triggers.get(name, TriggerWatch())
    if trigger.kind == "tca":
        before = replace(before, tape=taped(Look(sight, watch, trigger, before)))
    seen = observe(Look(sight, watch, trigger, before))
    causes: dict[str, Confirmations] = {}
    for one in seen:
        count = before.causes.get(one.key, Confirmations())
        causes[one.key] = count if one.bad is None or one.event is None else count.see(one.event, one.bad)
    courses = courses_after(before.courses, seen, str(sight.here.limits), _interval(sight.policy, trigger))
    mine = replace(before, causes=causes, courses=courses)
    if mine.confirmed is None and any(_is_confirmed(trigger, one, causes) for one in seen):
        mine = _confirmed(sight, mine)
    return _going(sight, name, mine, seen)


def _confirmed(sight: Sight, mine: TriggerWatch) -> TriggerWatch:
    session = sight.here.phase.session
    day = session.day if session else mine.session
    times = mine.times + 1 if day == mine.session else 1
    return replace(mine, confirmed=sight.snapshot.wall, session=day, times=times)


def _going(sight: Sight, name: str, mine: TriggerWatch, seen: Sequence[Observation]) -> TriggerWatch:
    """How far the cause of what is confirmed or held has gone. What cannot be seen never helps."""
    held = any(latch.trigger == name for latch in sight.state.latches.values())
    if mine.confirmed is None and not held:
        return replace(mine, gone=Dwell(), clear=False)
    known = [one for one in seen if one.bad is not None]
    told = bool(known) and all(one.bad is not None or one.moot for one in seen)
    if not told:
        return replace(mine, clear=False)
    clear = all(one.clear and not one.bad for one in known)
    newest = max((one.event for one in known if one.event is not None), default=sight.snapshot.wall)
    gone = mine.gone.see(newest, clear, _patience(sight.policy, sight.policy.spec.triggers[name]))
    return replace(mine, gone=gone, clear=clear, confirmed=None if clear else mine.confirmed)


def _patience(policy: Policy, trigger: Trigger) -> float:
    """Seconds between two events at most, half the silence that is a gap: an old value that counts is no gap."""
    named = [policy.spec.signals[name] for name in trigger.signals if name in policy.spec.signals]
    ages = [signal.max_age.total_seconds() / GAP_INTERVALS for signal in named]
    return max([_interval(policy, trigger), *ages])


def _is_confirmed(trigger: Trigger, one: Observation, causes: Mapping[str, Confirmations]) -> bool:
    if not one.bad:
        return False
    return one.seconded or causes[one.key].bad >= trigger.confirm.reads


def _due(sight: Sight, watch: WatchState, name: str, index: int, actor: str) -> OpenLatch | None:
    trigger, step = sight.policy.spec.triggers[name], sight.policy.spec.triggers[name].then[index]
    mine = watch.triggers.get(name)
    if mine is None or mine.confirmed is None or sight.snapshot.wall - mine.confirmed < step.after:
        return None
    bad = [one for one in _seen(sight, watch, trigger, mine) if one.bad]
    if not bad or not _step_applies(sight, trigger, step, mine):
        return None
    worst = max(bad, key=lambda one: mine.causes.get(one.key, Confirmations()).bad)
    if step.reads is not None and not _still_unexplained(sight, name, mine, worst, step.reads):
        return None
    cause = worst.cause if index == 0 else f"{worst.cause}, step {index + 1}"
    clear = trigger.clear_of(index)
    if latch_key(name, cause, sight.state.epoch) in sight.state.keys_used or sight.state.open_latch(name, cause):
        return None
    return OpenLatch(
        actor=actor,
        trigger=name,
        cause=cause,
        evidence=_evidence(trigger, worst, mine),
        mode=step.as_mode,
        cap=_cap(sight.policy, step),
        effective=sight.here.effective,
        stage=sight.policy.stages[sight.here.effective].name,
        clear_roles=clear.by,
        rule=clear_rule(clear),
        root=worst.root,
        storm=sight.policy.spec.gates.storm_within,
        market=sight.snapshot.market,
    )


def _still_unexplained(sight: Sight, name: str, mine: TriggerWatch, worst: Observation, reads: int) -> bool:
    """Whether a break has lasted for so many cycles and nobody who may has said what it is."""
    held = sight.state.open_latch(name, worst.cause)
    explained = held is not None and held.key in sight.state.explained
    return not explained and mine.causes.get(worst.key, Confirmations()).bad >= reads


def _evidence(trigger: Trigger, worst: Observation, mine: TriggerWatch) -> str:
    reads = mine.causes.get(worst.key, Confirmations()).bad
    proof = "a second source agrees" if worst.seconded and reads < trigger.confirm.reads else f"{reads} reads"
    return f"{worst.evidence} ({proof})"


def _step_applies(sight: Sight, trigger: Trigger, step: Step, mine: TriggerWatch) -> bool:
    if mine.times < step.times:
        return False
    if step.second_path_lost and not second_path_lost(sight.snapshot):
        return False
    # Drift alone freezes; a step that stops trading is meant for a runtime looser than Git.
    if trigger.kind == "drift" and step.as_mode >= Mode.REDUCE_ONLY:
        return any(one.state == "drift" and one.riskier for one in sight.drift)
    return True


def second_path_lost(snapshot: Snapshot) -> bool:
    """Whether the venue, the second path to the same facts, does not answer either."""
    return snapshot.venue is None or bool(snapshot.venue.error)


def _cap(policy: Policy, step: Step) -> str | None:
    if step.cap is None or step.cap == "-1":
        return step.cap
    index = policy.stage_index(step.cap)
    return None if index is None else str(index)


def _seen(sight: Sight, watch: WatchState, trigger: Trigger, mine: TriggerWatch) -> tuple[Observation, ...]:
    return observe(Look(sight, watch, trigger, mine))


def _row(sight: Sight, watch: WatchState, name: str) -> TriggerRow:
    trigger = sight.policy.spec.triggers[name]
    mine = watch.triggers.get(name, TriggerWatch())
    seen = _seen(sight, watch, trigger, mine)
    held = [latch for latch in sight.state.latches.values() if latch.trigger == name]
    reads = max((mine.causes.get(one.key, Confirmations()).bad for one in seen if one.bad), default=0)
    known = [one for one in seen if one.left is not None]
    nearest = min(known, key=lambda one: (one.share if one.share is not None else one.left) or Decimal(0), default=None)
    state = _state(mine, seen, held, reads)
    return TriggerRow(
        name=name,
        title=trigger.title,
        state=state,
        left=nearest.left if nearest else None,
        unit=nearest.unit if nearest else Unit.COUNT,
        share=nearest.share if nearest else None,
        then=then_words(sight.policy, trigger, sight.here.effective),
        reads=min(reads, trigger.confirm.reads),
        of=trigger.confirm.reads,
        detail=_detail(state, seen, held),
        next_in=_next_in(sight, mine, trigger),
        reaction=reaction_seconds(sight.policy, trigger),
        projected=soonest(mine.courses, seen, sight.here.wall) if state is TriggerState.ARMED else None,
    )


def _state(mine: TriggerWatch, seen: Sequence[Observation], held: Sequence[Latch], reads: int) -> TriggerState:
    if held or mine.confirmed is not None:
        return TriggerState.FIRED
    if reads:
        return TriggerState.SUSPECT
    if any(one.bad is not None for one in seen):
        return TriggerState.ARMED
    return TriggerState.CANNOT_SEE if any(one.lost for one in seen) else TriggerState.NOT_ARMED


def _detail(state: TriggerState, seen: Sequence[Observation], held: Sequence[Latch]) -> str:
    if held:
        return cleared_by(held[-1].clear_roles)
    if state is TriggerState.SUSPECT:
        return next(one.evidence for one in seen if one.bad)
    if state in (TriggerState.CANNOT_SEE, TriggerState.NOT_ARMED):
        return next((one.why for one in seen if one.why), "nothing to watch")
    return ""


def then_words(policy: Policy, trigger: Trigger, effective: int) -> str:
    """What follows by itself: ``REDUCE ONLY, back to L0``; in steps, ``FROZEN; 3m NO NEW ORDERS; 30m L0``."""
    said: list[str] = []
    worst: Mode | None = None
    for step in trigger.then:
        # A step says only what it adds to those before it.
        stricter = step.as_mode > (Mode.NORMAL if worst is None else worst)
        mode = step.as_mode.words if stricter else ""
        worst = step.as_mode if worst is None else max(worst, step.as_mode)
        target = _step_target(policy, step, effective)
        goal = f"{'' if step.after else 'back to '}{target}" if target else ""
        words = ", ".join(part for part in (mode, goal) if part)
        if words:
            said.append(f"{_brief(step.after)} {words}" if step.after else words)
    return "; ".join(said)


def _step_target(policy: Policy, step: Step, effective: int) -> str:
    """The lower stage that a step leads to; empty when it leads to none."""
    if step.cap is None:
        return ""
    target = max(0, effective - 1) if step.cap == "-1" else policy.stage_index(step.cap)
    return policy.stages[target].name if target is not None and target < effective else ""


def _brief(length: timedelta) -> str:
    """``41s``, ``30m``: a step stands in one narrow column."""
    seconds = int(length.total_seconds())
    return f"{seconds}s" if seconds < 120 else f"{seconds // 60}m"


def _next_in(sight: Sight, mine: TriggerWatch, trigger: Trigger) -> float | None:
    """Seconds until the next step of a running trigger."""
    if mine.confirmed is None:
        return None
    passed = (sight.snapshot.wall - mine.confirmed).total_seconds()
    ahead = [
        step.after.total_seconds() - passed
        for step in trigger.then
        if step.after.total_seconds() > passed and _step_applies(sight, trigger, step, mine)
    ]
    return min(ahead, default=None)


def _interval(policy: Policy, trigger: Trigger) -> float:
    """Seconds between two readings of the slowest signal; one tick where no signal is named."""
    named = [policy.spec.signals[name].every.total_seconds() for name in trigger.signals if name in policy.spec.signals]
    return max(named, default=1.0)
