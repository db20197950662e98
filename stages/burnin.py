"""BurnIn: what a stage has to show before the next one (semantics 1.3 to 1.5).

A run's state lives in the ledger; its figures are accumulated here from market time that was really observed. At most
one transition is asked for per tick, and a run ends once.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from stages import costs
from stages.bearings import Bearings
from stages.burnin_ahead import cell, covered
from stages.burnin_spec import BurnInSpec
from stages.commands import ChangeBurnIn, OpenLatch
from stages.comparison import Comparison, CostWatch, Verdict
from stages.costs import baseline_of, gather, paired, terms_of
from stages.costs import verdict as cost_verdict
from stages.objectives import COMPARISON, Outcome, failed, items, lacks, objectives, outcome, see
from stages.policy import Policy
from stages.posture import Mode
from stages.quality import readings
from stages.session import market_seconds, session_length
from stages.signals import SignalKey, Snapshot
from stages.state import ControlState, Run
from stages.value import Struct, replace
from stages.verdict import BurnInItem, Row, RowState
from stages.watching import UNSEEN_AFTER, BurnWatch, ObjectiveWatch, WatchState

ARMED, WARMUP, OBSERVING = "ARMED", "WARMUP", "OBSERVING"
SUSPENDED, BLIND = "SUSPENDED", "BLIND"
PASSED, FAILED, INCONCLUSIVE, ABORTED = "PASSED", "FAILED", "INCONCLUSIVE", "ABORTED"
NONE = "none"
NOT_READ: Final = "NOT READ"
"""Nobody here knows how far a run has come, or whether its pass still counts; no run is ever in this state."""

ENDED: Final = frozenset({PASSED, FAILED, INCONCLUSIVE, ABORTED})
TRIGGER: Final = "burn-in-failed"
"""Name of the latch that a failed run opens."""
CLEARED_BY: Final = ("trader", "risk")


class Tick(Struct, frozen=True):
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

    @property
    def blind(self) -> bool:
        """Whether a safety signal cannot be seen: that stops the clock, whatever else fails meanwhile."""
        return Outcome.BLIND in self.outcomes.values()

    @property
    def paused(self) -> bool:
        """Whether nothing is blind and yet nothing counts."""
        return not self.blind and not {Outcome.NO_SAMPLE, Outcome.SUSPENDED}.isdisjoint(self.outcomes.values())


class Progress(Struct, frozen=True):
    """The accumulators after a tick and what they ask the ledger for."""

    watch: BurnWatch
    commands: tuple[ChangeBurnIn | OpenLatch, ...] = ()


class _Case(Struct, frozen=True):
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
    if run is None or run.state == ABORTED or _is_over(case, run, watch.burn_in):
        return _start(case, run, watch.burn_in)
    mine = watch.burn_in if watch.burn_in.run == run.run else BurnWatch(run=run.run)
    tick = _tick(case, watch, mine)
    if _terms_changed(policy, stage, run):
        return Progress(mine, (_change(actor, run, ABORTED, snapshot, "the terms that it runs by have changed"),))
    if run.state == PASSED:
        return Progress(_after_pass(case, mine, tick))
    if run.state in ENDED:
        return Progress(mine)
    return _observe(case, run, mine, tick)


def _is_over(case: _Case, run: Run, watch: BurnWatch) -> bool:
    """Whether another run may follow: a pass that no longer counts, or a failure that nothing holds any more."""
    if run.state == PASSED:
        return bool(watch.voided)
    return run.state == FAILED and not case.state.latches and case.holding is Mode.NORMAL


def _terms_changed(policy: Policy, stage: int, run: Run) -> bool:
    """Whether another policy has changed what this run was to show (semantics 1.3)."""
    began_with = run.figures.get("slice")
    return run.state not in (FAILED, ABORTED) and began_with is not None and began_with != policy.slices[stage]


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
    terms = {"slice": case.policy.slices[case.stage]}
    armed = replace(_change(case.actor, run, ARMED, case.snapshot, ""), figures=terms)
    return Progress(BurnWatch(run=run.run), (armed,))


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
    if not tick.blind and not tick.unseen:
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
        if _time_is_up(case, run):
            return _to(case, run, mine, INCONCLUSIVE, "time is up: still warming up")
        warm = tick.seen if tick.worst < Outcome.NO_SAMPLE else 0.0
        return _to(case, run, replace(mine, warm=mine.warm + warm), WARMUP)
    seen = _see(case, mine, tick)
    failing = failed(case.policy, case.spec, seen)
    if failing:
        return _fail(case, run, seen, f"{failing} outside its objective")
    seen = replace(seen, costs=_costs(case, seen.costs))
    compared = compared_costs(case.policy, case.state, case.stage, seen)
    if compared is not None and compared.verdict is Verdict.INFERIOR:
        return _fail(case, run, seen, f"costs are worse than the baseline's by {compared.interval.low:.1f} bp or more")
    if tick.blind and _time_is_up(case, run):
        return _to(case, run, seen, INCONCLUSIVE, f"time is up: {_names(tick, Outcome.BLIND)}")
    if tick.blind:
        # One lost read stops the clock; two in a row are a state.
        return _to(case, run, seen, BLIND if seen.blind_ticks > 1 else run.state, _names(tick, Outcome.BLIND))
    if run.state != OBSERVING:
        return _to(case, run, seen, OBSERVING)
    return _judge_end(case, run, seen)


def _see(case: _Case, mine: BurnWatch, tick: Tick) -> BurnWatch:
    """The accumulators with this tick in them."""
    paused, blind = tick.paused, tick.blind
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
        wasted=mine.wasted + (tick.seen if paused else 0.0),
        session=mine.session + (0.0 if tick.worst is Outcome.SUSPENDED else tick.wall),
        streak=streak if tick.worst is Outcome.PASS else 0,
        blind_ticks=mine.blind_ticks + 1 if blind else 0,
        objectives=found,
        cells=mine.cells if paused or blind else _cells(case, mine.cells, tick.seen),
    )


def _cells(case: _Case, known: Mapping[str, float], seconds: float) -> Mapping[str, float]:
    """The regime cells with this tick's observed time in them."""
    here = cell(case.policy, case.spec, case.here.market)
    return {**known, **{name: known.get(name, 0.0) + seconds for name in here}} if here else known


def _costs(case: _Case, mine: CostWatch) -> CostWatch:
    spec = terms_of(case.policy, case.stage)
    if spec is None:
        return mine
    baseline = baseline_of(case.policy, case.stage, spec)
    pairs = baseline is not None and paired(case.policy, case.stage, baseline)
    other = case.policy.stages[baseline].book if baseline is not None and pairs else None
    known = case.here.readings
    if other is not None and other not in case.here.books:
        known = {**known, **readings(case.policy, case.snapshot, case.here.phase, (other,))}
    return gather(case.policy, spec, mine, known, (case.here.book, other), case.here.market)


def compared_costs(policy: Policy, state: ControlState, stage: int, mine: BurnWatch) -> Comparison | None:
    """The comparison of a stage's costs with its baseline's, as the run has seen them; None where there is none."""
    spec = policy.stages[stage].burn_in
    if spec is None or spec.comparison is None:
        return None
    return cost_verdict(policy, state, stage, spec.comparison, mine.costs.evidence)


def found_items(
    policy: Policy, state: ControlState, run: Run, stage: int, mine: BurnWatch, rows: tuple[Row, ...]
) -> tuple[BurnInItem, ...]:
    """Every condition of a stage's run, its comparison and its waivers in them."""
    spec, compared = policy.stages[stage].burn_in, compared_costs(policy, state, stage, mine)
    assert spec is not None
    item = None
    if compared is not None and spec.comparison is not None:
        detail = f"{compared.verdict.value}{f', {compared.why}' if compared.why else ''}"
        have, met = Decimal(mine.costs.evidence.fills), compared.verdict is Verdict.NON_INFERIOR
        item = BurnInItem(COMPARISON, have, Decimal(spec.comparison.min_fills), "fills compared", met, detail)
    found = items(policy, spec, mine, rows, item, run.waived)
    return (*found, *_regimes(spec, mine))


def _regimes(spec: BurnInSpec, mine: BurnWatch) -> tuple[BurnInItem, ...]:
    wanted = spec.regimes
    if wanted is None:
        return ()
    found = (("open", wanted.opens), ("close", wanted.closes))
    counts = [(which, covered(wanted, mine, which), need) for which, need in found if need]
    return tuple(
        BurnInItem(f"{which}s covered", Decimal(have), Decimal(need), f"{which}s", have >= need)
        for which, have, need in counts
    )


def _fail(case: _Case, run: Run, mine: BurnWatch, reason: str) -> Progress:
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
            market=case.here.market,
        )
        commands.append(latch)
    return Progress(mine, tuple(commands))


def _judge_end(case: _Case, run: Run, mine: BurnWatch) -> Progress:
    found = found_items(case.policy, case.state, run, case.stage, mine, case.rows)
    missing = [item for item in found if not item.met]
    if not missing:
        return _to(case, run, mine, PASSED)
    if _time_is_up(case, run):
        return _to(case, run, mine, INCONCLUSIVE, f"time is up: {lacks(missing[0])}")
    return Progress(mine)


def _time_is_up(case: _Case, run: Run) -> bool:
    if run.until is not None:
        return case.here.market >= run.until
    longest, hours = case.spec.max_market_time, case.policy.spec.target.session
    if longest is None:
        return False
    age = market_seconds(hours, run.started, case.here.market) / 60
    return age >= longest.minutes(session_length(hours))


def _to(case: _Case, run: Run, mine: BurnWatch, state: str, reason: str = "") -> Progress:
    if state == run.state:
        return Progress(mine)
    return Progress(mine, (_change(case.actor, run, state, case.snapshot, reason, mine),))


def _change(
    actor: str, run: Run, state: str, snapshot: Snapshot, reason: str, mine: BurnWatch | None = None
) -> ChangeBurnIn:
    figures = dict(run.figures) if mine is None else _figures(run, mine)
    return ChangeBurnIn(actor, run.stage, run.run, state, run.started, snapshot.market, reason, figures)


def _figures(run: Run, mine: BurnWatch) -> dict[str, object]:
    samples = {name.split(":", 1)[1]: seen.coverage.samples for name, seen in mine.objectives.items()}
    terms = {"slice": run.figures["slice"]} if "slice" in run.figures else {}
    spans = {name: f"{getattr(mine, name):.1f}" for name in ("observed", "blind", "wasted")}
    return {**terms, **spans, "samples": samples, "costs": costs.figures(mine.costs.evidence)}


def _names(tick: Tick, which: Outcome) -> str:
    lost = [name.split(":", 1)[1] for name, one in tick.outcomes.items() if one is which]
    return f"cannot see {', '.join(lost)}" if lost else ""
