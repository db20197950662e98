"""BurnIn: what a stage has to show before the next one (semantics 1.3 to 1.5).

A run's state lives in the ledger; its figures are accumulated here from market time that was really observed. At most
one transition is asked for per tick, and a run ends once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from stages.bearings import Bearings
from stages.commands import ChangeBurnIn, OpenLatch
from stages.objectives import Outcome, failed, items, lacks, objectives, outcome, see
from stages.policy import BurnInSpec, Policy
from stages.posture import Mode
from stages.session import market_after, market_seconds, session_length
from stages.signals import SignalKey, Snapshot
from stages.state import ControlState, Run
from stages.verdict import BurnIn, BurnInItem, Row, RowState
from stages.watching import UNSEEN_AFTER, BurnWatch, ObjectiveWatch, WatchState

ARMED, WARMUP, OBSERVING = "ARMED", "WARMUP", "OBSERVING"
SUSPENDED, BLIND = "SUSPENDED", "BLIND"
PASSED, FAILED, INCONCLUSIVE, ABORTED = "PASSED", "FAILED", "INCONCLUSIVE", "ABORTED"
NONE = "none"

ENDED: Final = frozenset({PASSED, FAILED, INCONCLUSIVE, ABORTED})
TRIGGER: Final = "burn-in-failed"
"""Name of the latch that a failed run opens."""
CLEARED_BY: Final = ("trader", "risk")


@dataclass(frozen=True, slots=True)
class Tick:
    """What a run learns in one tick. Spans in market seconds, ``wall`` in real ones."""

    outcomes: Mapping[str, Outcome]
    fresh: bool
    """Whether any objective had a new event time."""
    seen: float
    unseen: float
    wall: float

    @property
    def worst(self) -> Outcome:
        return max(self.outcomes.values(), default=Outcome.PASS)


@dataclass(frozen=True, slots=True)
class Progress:
    """The accumulators after a tick and what they ask the ledger for."""

    watch: BurnWatch
    commands: tuple[ChangeBurnIn | OpenLatch, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything that a transition depends on."""

    policy: Policy
    state: ControlState
    here: Bearings
    snapshot: Snapshot
    agrees: bool
    rows: tuple[Row, ...]
    holding: Mode
    actor: str
    stage: int
    spec: BurnInSpec


def advance_burn_in(
    policy: Policy,
    state: ControlState,
    watch: WatchState,
    snapshot: Snapshot,
    here: Bearings,
    *,
    agrees: bool,
    rows: tuple[Row, ...],
    holding: Mode,
    actor: str,
) -> Progress:
    """The run after one more tick.

    ``agrees``: the runtime runs what Git says. ``rows``: all rows of the tick, of which the reconciliation has to be
    clean at the end. ``holding``: the strictest mode that is latched already, so that one cause opens one latch.
    """
    leaving = _left_behind(policy, state, here)
    if leaving is not None:
        return Progress(BurnWatch(), (_change(actor, leaving, ABORTED, snapshot, _why_left(here)),))
    stage = here.standing.stage
    spec = policy.stages[stage].burn_in if stage is not None else None
    if stage is None or spec is None:
        return Progress(watch.burn_in)
    case = _Case(policy, state, here, snapshot, agrees, rows, holding, actor, stage, spec)
    run = current_run(policy, state, stage)
    if run is None or run.state == ABORTED or (run.state == PASSED and watch.burn_in.voided):
        return _start(case, run, watch.burn_in)
    mine = watch.burn_in if watch.burn_in.run == run.run else BurnWatch(run=run.run)
    tick = _tick(case, watch, mine)
    if run.state == PASSED:
        return Progress(_after_pass(case, mine, tick))
    if run.state in ENDED:
        return Progress(mine)
    return _observe(case, run, mine, tick)


def current_run(policy: Policy, state: ControlState, stage: int) -> Run | None:
    """The stage's newest run of this stay in the stage; one from before the newest arrival does not count."""
    run = state.runs.get(policy.stages[stage].name)
    if run is None:
        return None
    arrivals = [
        intent.market
        for intent in state.intents.values()
        if intent.outcome == "pushed" and intent.to_stage == run.stage and intent.from_stage != run.stage
    ]
    return None if arrivals and run.started < max(arrivals) else run


def valid_minutes(policy: Policy, run: Run) -> float:
    """Market minutes for which a PASSED run of its stage counts."""
    index = policy.stage_index(run.stage)
    spec = policy.stages[index].burn_in if index is not None else None
    return spec.valid_for.minutes(session_length(policy.spec.target.session)) if spec else 0.0


def passed_problem(policy: Policy, state: ControlState, watch: WatchState, stage: int, market: datetime) -> str:
    """Why the stage's burn-in does not carry an advance at ``market``; empty when it does or none is asked for."""
    if policy.stages[stage].burn_in is None:
        return ""
    run, name = current_run(policy, state, stage), policy.stages[stage].name
    if run is None:
        return f"burn-in of {name} has not begun"
    if run.state != PASSED:
        return f"burn-in of {name} is {run.state}{f': {run.reason}' if run.reason else ''}"
    if watch.burn_in.run == run.run and watch.burn_in.voided:
        return f"burn-in of {name} passed but {watch.burn_in.voided} since"
    age = market_seconds(policy.spec.target.session, run.changed, market) / 60
    if age > valid_minutes(policy, run):
        return f"burn-in of {name} passed {age:.0f} market minutes ago, {valid_minutes(policy, run):.0f} allowed"
    return ""


def _left_behind(policy: Policy, state: ControlState, here: Bearings) -> Run | None:
    """A run that still goes on though its stage is not the one that stands; None while Git is not known."""
    if here.limits is None:
        return None
    standing = policy.stages[here.standing.stage].name if here.standing.stage is not None else ""
    if here.settling is not None:
        standing = here.settling.to_stage
    for run in state.runs.values():
        index = policy.stage_index(run.stage)
        if run.state not in ENDED and index is not None:
            old = run.stage == standing and current_run(policy, state, index) is None
            if run.stage != standing or old or here.standing.mode is Mode.KILLED:
                return run
    return None


def _why_left(here: Bearings) -> str:
    if here.standing.mode is Mode.KILLED:
        return "killed"
    return "the stage changed" if here.standing.stage is not None else "the manifests stand between stages"


def _start(case: _Case, last: Run | None, watch: BurnWatch) -> Progress:
    """A new run begins when the stage has converged: read back, not pushed."""
    ready = case.agrees and not case.state.settling and not case.state.unresolved and case.here.dark_left is None
    if not ready or max(case.here.standing.mode, case.holding) > Mode.FROZEN:
        return Progress(watch)
    name = case.policy.stages[case.stage].name
    number = next_run_id(name, case.state.epoch, last or case.state.runs.get(name))
    run = Run(number, name, NONE, case.here.market, case.here.market)
    return Progress(BurnWatch(run=run.run), (_change(case.actor, run, ARMED, case.snapshot, ""),))


def next_run_id(stage: str, epoch: int, last: Run | None) -> str:
    """``L1-4-2``: the second run of L1 in epoch 4."""
    prefix = f"{stage}-{epoch}-"
    number = int(last.run.removeprefix(prefix)) if last is not None and last.run.startswith(prefix) else 0
    return f"{prefix}{number + 1}"


def _tick(case: _Case, watch: WatchState, mine: BurnWatch) -> Tick:
    snapshot, here = case.snapshot, case.here
    outcomes: dict[str, Outcome] = {}
    fresh = False
    hanging = {row.key for row in case.rows if row.state is RowState.OVER}
    for name, objective in objectives(case.spec):
        key = SignalKey(here.book, objective.signal)
        reading = here.readings[key]
        outcomes[name] = outcome(case.policy, objective, reading, case.stage)
        if key in hanging:
            # What hangs over from a step down is neither a failure of this stage nor evidence for it.
            outcomes[name] = Outcome.SUSPENDED
        last = mine.objectives.get(name, ObjectiveWatch()).coverage.last
        fresh |= reading.believed and reading.event_time is not None and (last is None or reading.event_time > last)
    if watch.wall is None or watch.market is None:
        return Tick(outcomes, fresh, 0.0, 0.0, 0.0)
    wall = max(0.0, (snapshot.wall - watch.wall).total_seconds())
    market = market_seconds(case.policy.spec.target.session, watch.market, snapshot.market)
    unseen = min(wall, max(snapshot.gap, wall if wall > UNSEEN_AFTER else 0.0))
    share = unseen / wall if wall else 0.0
    open_share = min(1.0, market / (wall * snapshot.speed)) if wall else 0.0
    return Tick(outcomes, fresh, market * (1 - share), market * share, wall * open_share)


def _after_pass(case: _Case, mine: BurnWatch, tick: Tick) -> BurnWatch:
    """A PASSED run counts until a FAIL is confirmed or a blind period as long as the signal's own max age."""
    seen = _see(case, mine, tick)
    failing = failed(case.policy, case.spec, seen)
    if failing:
        return replace(seen, voided=f"{failing} failed")
    if tick.worst is not Outcome.BLIND and not tick.unseen:
        return replace(seen, blind_since=None)
    since = seen.blind_since or case.snapshot.wall
    lost = [
        case.spec.objectives[int(name.split(":")[0])] for name, one in tick.outcomes.items() if one is Outcome.BLIND
    ]
    patience = min((case.policy.spec.signals[one.signal].max_age.total_seconds() for one in lost), default=UNSEEN_AFTER)
    blind = max((case.snapshot.wall - since).total_seconds(), tick.unseen)
    return replace(seen, blind_since=since, voided="it was blind" if blind > patience else "")


def _observe(case: _Case, run: Run, mine: BurnWatch, tick: Tick) -> Progress:
    if not case.here.phase.is_open:
        blind = not case.here.phase.is_known
        return _to(
            case, run, replace(mine, streak=0, blind_ticks=0), BLIND if blind else SUSPENDED, case.here.phase.note
        )
    warm_up = case.spec.warm_up.total_seconds()
    if run.state == ARMED:
        return _to(case, run, mine, WARMUP if warm_up else OBSERVING)
    if mine.warm < warm_up:
        warm = tick.seen if tick.worst < Outcome.NO_SAMPLE else 0.0
        return _to(case, run, replace(mine, warm=mine.warm + warm), WARMUP)
    seen = _see(case, mine, tick)
    failing = failed(case.policy, case.spec, seen)
    if failing:
        return _fail(case, run, seen, failing)
    if tick.worst is Outcome.BLIND:
        # One lost read stops the clock; two in a row are a state.
        return _to(case, run, seen, BLIND if seen.blind_ticks > 1 else run.state, _names(tick, Outcome.BLIND))
    if run.state != OBSERVING:
        return _to(case, run, seen, OBSERVING)
    return _judge_end(case, run, seen)


def _see(case: _Case, mine: BurnWatch, tick: Tick) -> BurnWatch:
    """The accumulators with this tick in them."""
    paused = tick.worst in (Outcome.SUSPENDED, Outcome.NO_SAMPLE)
    blind = tick.worst is Outcome.BLIND
    streak = mine.streak if not tick.fresh else mine.streak + 1
    found = {
        name: see(
            case.policy,
            objective,
            case.here.readings[SignalKey(case.here.book, objective.signal)],
            mine.objectives.get(name, ObjectiveWatch()),
            tick.outcomes[name],
        )
        for name, objective in objectives(case.spec)
    }
    return replace(
        mine,
        observed=mine.observed + (0.0 if paused or blind else tick.seen),
        blind=mine.blind + tick.unseen + (tick.seen if blind else 0.0),
        session=mine.session + (0.0 if tick.worst is Outcome.SUSPENDED else tick.wall),
        streak=streak if tick.worst is Outcome.PASS else 0,
        blind_ticks=mine.blind_ticks + 1 if blind else 0,
        objectives=found,
    )


def _fail(case: _Case, run: Run, mine: BurnWatch, failing: str) -> Progress:
    reason = f"{failing} outside its objective"
    commands: list[ChangeBurnIn | OpenLatch] = [_change(case.actor, run, FAILED, case.snapshot, reason, mine)]
    mode = Mode[case.spec.on_fail]
    if case.holding < mode:
        latch = OpenLatch(
            actor=case.actor,
            trigger=TRIGGER,
            cause=run.run,
            evidence=reason,
            mode=mode,
            cap=None,
            effective=case.here.effective,
            stage=run.stage,
            clear_roles=CLEARED_BY,
        )
        commands.append(latch)
    return Progress(mine, tuple(commands))


def _judge_end(case: _Case, run: Run, mine: BurnWatch) -> Progress:
    found = items(case.policy, case.spec, mine, case.rows)
    missing = [item for item in found if not item.met]
    if not missing:
        return _to(case, run, mine, PASSED)
    longest = case.spec.max_market_time
    if longest is not None:
        age = market_seconds(case.policy.spec.target.session, run.started, case.here.market) / 60
        if age >= longest.minutes(session_length(case.policy.spec.target.session)):
            return _to(case, run, mine, INCONCLUSIVE, f"time is up: {lacks(missing[0])}")
    return Progress(mine)


def verdict(policy: Policy, state: ControlState, watch: WatchState, here: Bearings, rows: tuple[Row, ...]) -> BurnIn:
    """The run of the stage in force, for people."""
    stage = here.standing.stage if here.standing.stage is not None else here.effective
    spec, run = policy.stages[stage].burn_in, current_run(policy, state, stage)
    if spec is None:
        return BurnIn(stage, "", NONE, reason="the policy asks for none")
    if run is None:
        return BurnIn(stage, "", NONE, reason="begins when the stage has converged")
    mine = watch.burn_in if watch.burn_in.run == run.run else BurnWatch(run=run.run)
    found = items(policy, spec, mine, rows)
    binding = min((item for item in found if not item.met), key=_share, default=None)
    done = 1.0 if run.state == PASSED else min((_share(item) for item in found), default=0.0)
    return BurnIn(
        stage=stage,
        run=run.run,
        state=run.state,
        progress=done,
        lacks=lacks(binding) if binding is not None and run.state not in ENDED else "",
        items=found,
        reason=mine.voided or run.reason,
        started_at=run.started,
        valid_until=_valid_until(policy, run) if run.state == PASSED else None,
    )


def _valid_until(policy: Policy, run: Run) -> datetime | None:
    return market_after(policy.spec.target.session, run.changed, valid_minutes(policy, run))


def _share(item: BurnInItem) -> float:
    return min(1.0, float(item.have / item.need)) if item.need > 0 else 1.0


def _to(case: _Case, run: Run, mine: BurnWatch, state: str, reason: str = "") -> Progress:
    if state == run.state:
        return Progress(mine)
    return Progress(mine, (_change(case.actor, run, state, case.snapshot, reason, mine),))


def _change(
    actor: str, run: Run, state: str, snapshot: Snapshot, reason: str, mine: BurnWatch | None = None
) -> ChangeBurnIn:
    figures = {} if mine is None else _figures(mine)
    return ChangeBurnIn(actor, run.stage, run.run, state, run.started, snapshot.market, reason, figures)


def _figures(mine: BurnWatch) -> dict[str, object]:
    samples = {name.split(":", 1)[1]: seen.coverage.samples for name, seen in mine.objectives.items()}
    return {"observed": f"{mine.observed:.1f}", "blind": f"{mine.blind:.1f}", "samples": samples}


def _names(tick: Tick, which: Outcome) -> str:
    lost = [name.split(":", 1)[1] for name, one in tick.outcomes.items() if one is which]
    return f"cannot see {', '.join(lost)}" if lost else ""
