"""What triggers and comparisons must mean before a policy loads: what a kind needs, and that what it holds can end.

Clear conditions (semantics 2.2 rule 4) are judged by the evidence that remains while the latch holds: exposure, loss,
freshness and reconciliation are still measured under HALTED, while a performance signal (a cost per fill) gets no new
samples once no order goes out. A trigger that halts on performance signals alone and asks for good minutes of them can
therefore never be cleared, and the policy is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from stages.burnin_spec import ComparisonSpec
from stages.costs import baseline_of
from stages.ladder import Unit
from stages.measures import Clear, Trigger
from stages.policy import Policy
from stages.policy_source import Path, Problem, unknown
from stages.posture import Mode
from stages.quality import SESSION_PANELS
from stages.session import session_length

_RELATIVE: Final = (Unit.RATIO, Unit.BASIS_POINTS, Unit.PER_MINUTE)
"""Units of figures that have a denominator."""


def check_kind(policy: Policy, at: Path, trigger: Trigger) -> Iterator[Problem]:
    """What a kind needs beyond its signals."""
    yield from _check_windows(policy, at, trigger)
    if (trigger.severity is None) == (trigger.kind == "incident"):
        what = "a severity belongs to an incident trigger, and every incident trigger has one"
        yield Problem((*at, "severity"), what, "write severity: SEV1, SEV2 or SEV3 for kind: incident alone")
    if trigger.kind == "flat" and policy.spec.target.session.flat_by is None:
        yield Problem(at, "the session has no flatBy, so no book is ever late", "give target.session a flatBy")


def _check_windows(policy: Policy, at: Path, trigger: Trigger) -> Iterator[Problem]:
    windows = trigger.windows
    if (windows is None) == (trigger.kind == "tca"):
        what = "windows belong to a tca trigger, and every tca trigger has them"
        yield Problem((*at, "windows"), what, "write windows: {count, long, short, delta} for kind: tca alone")
    if windows is None:
        return
    if len(trigger.signals) > 1:
        yield Problem((*at, "signals"), "a tca trigger follows one mean", "write one trigger for each signal")
    if windows.count not in policy.spec.signals:
        yield unknown((*at, "windows", "count"), "signal", windows.count, policy.spec.signals)
    if windows.short >= windows.long:
        what = f"the short window of {_span(windows.short)} proves nothing beside {_span(windows.long)}"
        yield Problem((*at, "windows", "short"), what, "write a short window that is shorter than the long one")


def check_clears(policy: Policy, at: Path, trigger: Trigger) -> Iterator[Problem]:
    """That everything which the trigger holds can be cleared while it is held."""
    yield from _check_clear(policy, (*at, "clear"), trigger, trigger.clear)
    for place, step in enumerate(trigger.then):
        if step.clear is not None:
            yield from _check_clear(policy, (*at, "then", place, "clear"), trigger, step.clear)


def _check_clear(policy: Policy, at: Path, trigger: Trigger, clear: Clear) -> Iterator[Problem]:
    if not clear.by and not clear.itself:
        yield Problem((*at, "by"), "nobody may clear it", "name at least one role")
    evidence = [policy.spec.signals[name] for name in trigger.signals if name in policy.spec.signals]
    halts = any(step.as_mode >= Mode.HALTED for step in trigger.then)
    needed = clear.gone and (clear.good or trigger.kind == "tca")
    if halts and needed and evidence and all(signal.class_ == "performance" for signal in evidence):
        what = f"its signals get no samples while HALTED, so {_span(clear.good)} of good ones never come"
        fix = "write good: 0s or gone: false, or FROZEN instead of HALTED, or add a safety signal"
        yield Problem(at, what, fix)
    session = session_length(policy.spec.target.session)
    if needed and evidence and clear.good > session and all(one.panel in SESSION_PANELS for one in evidence):
        what = f"its signals are read in session only, which is shorter than {_span(clear.good)}"
        yield Problem((*at, "good"), what, f"write at most {_span(session)}")
    if clear.itself and any(step.as_mode > Mode.FROZEN or step.cap is not None for step in trigger.then):
        what = "it would end by itself what it did more than freeze"
        yield Problem((*at, "itself"), what, "let it only freeze, or let somebody clear it")


def check_shared_limits(policy: Policy) -> Iterator[Problem]:
    """That no two figures of different denominators share one threshold (semantics 2.2 rule 2).

    Shares, costs and rates are relative to something of their own; a second source of one figure is the same figure.
    """
    pairs = {
        frozenset((name, trigger.confirm.second))
        for trigger in policy.spec.triggers.values()
        for name in trigger.signals
        if trigger.confirm.second is not None
    }
    first: dict[str, str] = {}
    for name, signal in policy.spec.signals.items():
        if signal.limit is None or signal.limit.control is None or signal.unit not in _RELATIVE:
            continue
        other = first.setdefault(signal.limit.control, name)
        if other != name and frozenset((other, name)) not in pairs:
            what = f"'{other}' and '{name}' are relative to different things and share the limit {signal.limit.control}"
            yield Problem(("spec", "signals", name, "limit", "control"), what, "give each a limit of its own")


def check_comparison(policy: Policy, at: Path, stage: int, spec: ComparisonSpec) -> Iterator[Problem]:
    """That a burn-in's comparison has signals and a stage below to compare with."""
    for key, name in (("signal", spec.signal), ("count", spec.count)):
        if name not in policy.spec.signals:
            yield unknown((*at, key), "signal", name, policy.spec.signals)
    if baseline_of(policy, stage, spec) is None:
        what = f"'{spec.baseline}' is no stage below {policy.stages[stage].name}"
        yield Problem((*at, "baseline"), what, "name a lower stage, or take the comparison out of the lowest one")


def _span(span: timedelta) -> str:
    """A duration as the policy writes it."""
    seconds = round(span.total_seconds())
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
