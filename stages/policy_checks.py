"""What a policy must mean across its parts before it loads, and what it leaves unwatched when it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stages.ladder import Unit
from stages.ladder_checks import check_ladder, check_values, indistinct
from stages.measures import Signal, Step, Trigger
from stages.policy import REQUIRED_CONTROLS, Policy, Spec
from stages.policy_source import Path, Problem, unknown
from stages.posture import Mode
from stages.refusal import Trouble
from stages.runtime_checks import check_runtime_flag
from stages.source_checks import check_sources
from stages.trigger_checks import check_clears, check_comparison, check_kind, check_shared_limits

_PANELS = {
    "exposure": "EXPOSURE",
    "tca": "TCA",
    "freshness": "FRESHNESS",
    "reconciliation": "RECONCILIATION",
    "incident": "INCIDENTS: alerts",
}
_NAME_EVENT_TIME = "add eventTime: a path in the document, a metric or an expression that holds the time, or a column"
_NEEDS_SIGNALS = ("limit", "loss", "stale", "account", "reconciliation", "tca", "readiness")
_NEEDS_LIMITS = ("limit", "loss", "account", "reconciliation", "incident")
_REDUCES_FIRST = ("limit", "loss", "tca", "incident")
"""Kinds whose own rule steps down: limits and losses, sustained cost, and an incident that somebody judged."""
_UNNOTICED = {
    "limit": "a limit that is passed",
    "loss": "a loss",
    "stale": "a stale input",
    "blind": "lost telemetry",
    "account": "another account",
    "drift": "drift",
    "reconciliation": "a break in the books",
    "tca": "sustained cost",
    "flat": "a book that is not flat",
}


def check(policy: Policy) -> Iterator[Problem]:
    """Every problem of a policy whose shape is right."""
    values = [*_check_controls(policy), *check_values(policy)]
    yield from values
    if not values:
        yield from check_ladder(policy)
    yield from _check_stages(policy)
    yield from _check_target(policy)
    yield from _check_signals(policy)
    yield from check_sources(policy)
    yield from check_shared_limits(policy)
    yield from _check_triggers(policy)
    yield from check_runtime_flag(policy)


def reaction_seconds(policy: Policy, trigger: Trigger) -> float:
    """Seconds from an event to the act at worst: the slowest of the trigger's sources times the reads it needs.

    A trigger without signals of its own (drift, blindness) judges every tick; the reads of those are one second apart.
    """
    names = [*trigger.signals, *([trigger.confirm.second] if trigger.confirm.second else [])]
    slowest = max((policy.spec.signals[name].every.total_seconds() for name in names), default=1.0)
    return slowest * trigger.confirm.reads


def _check_controls(policy: Policy) -> Iterator[Problem]:
    spec = policy.spec
    for name in REQUIRED_CONTROLS:
        if name not in spec.controls:
            yield Problem(("spec", "controls"), f"the control '{name}' is missing", "declare it; every stage sets it")
    places: dict[tuple[str | None, ...], str] = {}
    for name, control in spec.controls.items():
        at: Path = ("spec", "controls", name)
        if control.pinned_by is not None and control.pinned_by not in spec.pins:
            yield unknown((*at, "pinnedBy"), "pin", control.pinned_by, spec.pins)
        for place, binding in enumerate(control.bindings):
            try:
                label = binding.binding.label
            except Trouble as trouble:
                yield Problem((*at, "bindings", place), trouble.what, trouble.fix)
                continue
            key = (binding.file, binding.object, binding.container, binding.env, binding.path, binding.inner_path)
            if key in places:
                what = f"{binding.file} {label} is bound twice, here and by '{places[key]}'"
                yield Problem((*at, "bindings", place), what, "keep one of them")
            places[key] = name
    for place, contract in enumerate(spec.contracts):
        for name in contract.controls:
            if name not in spec.controls:
                yield unknown(("spec", "contracts", place, "controls"), "control", name, spec.controls)


def _check_stages(policy: Policy) -> Iterator[Problem]:
    seen: set[str] = set()
    if not policy.stages:
        yield Problem(("spec", "stages"), "there is no stage", "write at least one, the safest first")
    endpoints = _processes(policy) | _databases(policy)
    for index, stage in enumerate(policy.stages):
        at: Path = ("spec", "stages", index)
        if stage.name.casefold() in seen or stage.name.casefold() in ("between", "beyond", "-1", ""):
            yield Problem((*at, "name"), f"the name '{stage.name}' is taken", "give each stage a name of its own")
        seen.add(stage.name.casefold())
        for name in stage.endpoints:
            if name not in endpoints:
                yield unknown((*at, "endpoints", name), "endpoint", name, endpoints)
        named = sum(stage.approvals.roles.values())
        if named > stage.approvals.required:
            what = f"the roles need {named} approvals, required is {stage.approvals.required}"
            yield Problem((*at, "approvals"), what, "raise required")
        if stage.burn_in is not None:
            yield from _check_burn_in(policy, index)


def _check_burn_in(policy: Policy, index: int) -> Iterator[Problem]:
    burn_in = policy.stages[index].burn_in
    assert burn_in is not None
    at: Path = ("spec", "stages", index, "burnIn")
    if burn_in.comparison is not None:
        yield from check_comparison(policy, (*at, "comparison"), index, burn_in.comparison)
    if not burn_in.objectives:
        what = "a burn-in without objectives proves nothing"
        yield Problem((*at, "objectives"), what, "name the signals that it checks")
    for place, objective in enumerate(burn_in.objectives):
        here: Path = (*at, "objectives", place)
        signal = policy.spec.signals.get(objective.signal)
        if signal is None:
            yield unknown((*here, "signal"), "signal", objective.signal, policy.spec.signals)
        elif objective.within_limit and signal.limit is None:
            fix = "give the signal a limit, or the objective atMost or atLeast"
            yield Problem((*here, "withinLimit"), f"'{objective.signal}' has no limit to stay within", fix)
        if objective.coverage is not None and not 0 < objective.coverage <= 1:
            what = f"a coverage of {objective.coverage} is not a share"
            yield Problem((*here, "coverage"), what, "write a number above 0, at most 1")


def _check_target(policy: Policy) -> Iterator[Problem]:
    hours = policy.spec.target.session
    at: Path = ("spec", "target", "session")
    try:
        ZoneInfo(hours.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        fix = "write a name such as America/New_York"
        yield Problem((*at, "timezone"), f"there is no time zone '{hours.timezone}'", fix)
    named = (
        ("open", hours.open),
        ("entryCutoff", hours.entry_cutoff),
        ("flattenStart", hours.flatten_start),
        ("flatBy", hours.flat_by),
        ("close", hours.close),
    )
    times = [(name, time) for name, time in named if time is not None]
    for (earlier, first), (later, second) in pairwise(times):
        if second < first or (second == first and (earlier, later) == ("open", "close")):
            what = f"{later} {second:%H:%M} comes before {earlier} {first:%H:%M}"
            yield Problem((*at, later), what, "open, entryCutoff, flattenStart, flatBy, close follow one another")


def _check_named(spec: Spec) -> Iterator[Problem]:
    """The signals that the policy names for what they tell."""
    for where, name, unit, fault in (
        ("ownOrders", spec.own_orders, Unit.WORD, "lists no ids"),
        ("ownPositions", spec.own_positions, Unit.WORD, "lists no positions"),
        ("unknownOrders", spec.unknown_orders, Unit.COUNT, "counts nothing"),
        ("image", spec.image, Unit.WORD, "names no image"),
    ):
        signal = spec.signals.get(name) if name is not None else None
        if name is not None and signal is None:
            yield unknown(("spec", where), "signal", name, spec.signals)
        elif signal is not None and signal.unit is not unit:
            yield Problem(("spec", where), f"'{name}' {fault}", f"name a signal of unit {unit.value}")


def _check_signals(policy: Policy) -> Iterator[Problem]:
    spec = policy.spec
    yield from _check_named(spec)
    for name, signal in spec.signals.items():
        at: Path = ("spec", "signals", name)
        if signal.class_ == "safety" and signal.event_time is None:
            what = "a safety signal names its event time, or an old value looks fresh"
            yield Problem(at, what, _NAME_EVENT_TIME)
        if signal.max_age < 2 * signal.every:
            what = f"maxAge {_span(signal.max_age)} is below twice the cadence of {_span(signal.every)}"
            yield Problem((*at, "maxAge"), what, f"write at least {_span(2 * signal.every)}")
        yield from _check_limit(policy, at, signal)
        for place, need in enumerate(signal.needs):
            if need.signal not in spec.signals:
                yield unknown((*at, "needs", place, "signal"), "signal", need.signal, spec.signals)
    endpoints = _processes(policy)
    for endpoint, beats in spec.heartbeats.items():
        if endpoint not in endpoints:
            yield unknown(("spec", "heartbeats", endpoint), "endpoint", endpoint, endpoints)
        for beat in beats:
            if beat not in spec.signals:
                yield unknown(("spec", "heartbeats", endpoint), "signal", beat, spec.signals)


def _check_limit(policy: Policy, at: Path, signal: Signal) -> Iterator[Problem]:
    limit = signal.limit
    if limit is None:
        return
    if limit.words and signal.unit.is_number:
        yield Problem((*at, "limit"), f"a signal in {signal.unit} has no words", "use atMost, atLeast, zero or control")
    if not limit.words and not signal.unit.is_number:
        yield Problem((*at, "limit"), f"a signal of unit {signal.unit} is measured by words", "use words: [...]")
    if limit.control is None:
        return
    control = policy.spec.controls.get(limit.control)
    if control is None:
        yield unknown((*at, "limit", "control"), "control", limit.control, policy.spec.controls)
    elif not control.unit.is_number or control.unit is not signal.unit:
        what = f"the signal is in {signal.unit}, its limit '{limit.control}' in {control.unit}"
        yield Problem((*at, "limit", "control"), what, "measure both in one unit")


def _check_triggers(policy: Policy) -> Iterator[Problem]:
    for name, trigger in policy.spec.triggers.items():
        at: Path = ("spec", "triggers", name)
        signals = policy.spec.signals
        if trigger.kind in _NEEDS_SIGNALS and not trigger.signals:
            yield Problem(at, f"a {trigger.kind} trigger needs signals", "add signals: [...]")
        for signal in trigger.signals:
            if signal not in signals:
                yield unknown((*at, "signals"), "signal", signal, signals)
            elif trigger.kind in _NEEDS_LIMITS and signals[signal].limit is None:
                what = f"'{signal}' has no limit that a {trigger.kind} trigger could judge"
                yield Problem((*at, "signals"), what, "give the signal a limit")
        if trigger.confirm.second is not None and trigger.confirm.second not in signals:
            yield unknown((*at, "confirm", "second"), "signal", trigger.confirm.second, signals)
        if trigger.at <= 0:
            yield Problem((*at, "at"), f"a share of {trigger.at} fires always", "write a share above 0")
        yield from _check_steps(policy, at, trigger)
        yield from check_kind(policy, at, trigger)
        yield from check_clears(policy, at, trigger)


def _check_steps(policy: Policy, at: Path, trigger: Trigger) -> Iterator[Problem]:
    if not trigger.then:
        yield Problem((*at, "then"), "the trigger does nothing", "name at least one step")
    for place, step in enumerate(trigger.then):
        here: Path = (*at, "then", place)
        if step.mode == "NORMAL" and step.cap is None:
            yield Problem(here, "the step does nothing", "name a mode or a cap")
        if step.cap not in (None, "-1") and policy.stage_index(str(step.cap)) is None:
            names = ", ".join(stage.name for stage in policy.stages)
            what = f"cap '{step.cap}' is neither '-1' nor a stage"
            yield Problem((*here, "cap"), what, f'write "-1" or one of {names}')
        if step.cap is None or step.because or trigger.kind in _REDUCES_FIRST:
            continue
        if not _halted_by(trigger.then, step):
            what = "a step to another stage comes before HALTED, which would be quicker to undo"
            yield Problem(here, what, "add because: with the reason, or halt first")


def _halted_by(steps: Sequence[Step], costly: Step) -> bool:
    return any(step.as_mode >= Mode.HALTED and step.after <= costly.after for step in steps)


# What loads and still deserves a word


def warnings(policy: Policy) -> tuple[str, ...]:
    """What a policy that loads leaves unwatched, unguarded or unused; one sentence each, the gravest first."""
    return (
        *_missing_acts(policy),
        *_unwatched(policy),
        *_unguarded(policy),
        *_unused(policy),
        *indistinct(policy),
    )


def _missing_acts(policy: Policy) -> Iterator[str]:
    if "KILLED" not in policy.spec.postures:
        yield "acting verbs are refused: postures.KILLED is missing"
    kinds = {trigger.kind for trigger in policy.spec.triggers.values()}
    for kind, event in _UNNOTICED.items():
        if kind not in kinds:
            yield f"{event} reduces nothing by itself: there is no {kind} trigger"
    for stage in policy.stages[:-1]:
        if stage.burn_in is None:
            yield f"{stage.name} has no burn-in: nothing shows that the stage after it is earned"


def _unwatched(policy: Policy) -> Iterator[str]:
    panels = {signal.panel for signal in policy.spec.signals.values()}
    for panel, title in _PANELS.items():
        if panel not in panels:
            yield f"{title} is not watched: no signal" if ":" not in title else f"{title} are not watched: no signal"
    limits = {signal.limit.control for signal in policy.spec.signals.values() if signal.limit}
    for name in REQUIRED_CONTROLS:
        if policy.spec.controls[name].unit.is_number and name not in limits:
            yield f"{name} is not watched: no signal is measured against it"
    for name, control in policy.spec.controls.items():
        if control.readback is None:
            yield f"{name}: what runs is unknown, the control has no readback"
    for endpoint in sorted(_signal_processes(policy) - set(policy.spec.heartbeats)):
        yield f"endpoint {endpoint} has no heartbeat: a process that stands still may look well"


def _unguarded(policy: Policy) -> Iterator[str]:
    for name, control in policy.spec.controls.items():
        if control.enforced_by == "rampdeck":
            yield f"{name} is guarded by Rampdeck alone: unguarded while nobody watches"
        elif not control.bindings:
            yield f"{name} has no binding: no plan can write it"


def _unused(policy: Policy) -> Iterator[str]:
    spec = policy.spec
    used = {name for trigger in spec.triggers.values() for name in (*trigger.signals, trigger.confirm.second)}
    used |= {objective.signal for stage in spec.stages if stage.burn_in for objective in stage.burn_in.objectives}
    used |= {need.signal for signal in spec.signals.values() for need in signal.needs}
    used |= {name for beats in spec.heartbeats.values() for name in beats}
    for name, signal in spec.signals.items():
        if name not in used and signal.class_ != "info":
            yield f"signal {name} is shown, but no trigger, objective or heartbeat uses it"
    pins = {control.pinned_by for control in spec.controls.values()}
    yield from (f"pin {name} pins no control" for name in spec.pins if name not in pins)
    objects = {binding.object for control in spec.controls.values() for binding in control.bindings}
    for workload in spec.target.workloads:
        if workload.object not in objects:
            yield f"workload {workload.object} is restarted by no binding"


def _signal_processes(policy: Policy) -> set[str]:
    return {signal.source.process for signal in policy.spec.signals.values()} - {""}


def _processes(policy: Policy) -> set[str]:
    readbacks = {control.readback.process for control in policy.spec.controls.values() if control.readback}
    return (readbacks | _signal_processes(policy)) - {""}


def _databases(policy: Policy) -> set[str]:
    sources = [signal.source for signal in policy.spec.signals.values()]
    sources += [control.readback for control in policy.spec.controls.values() if control.readback]
    return {source.sql.database for source in sources if source.sql}


def _span(span: timedelta) -> str:
    """A duration as the policy writes it."""
    seconds = round(span.total_seconds())
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
