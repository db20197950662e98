"""What a newer policy allows that the one in force does not: adoption of a looser policy needs an approval.

Every leaf of the two policies is compared. A difference is harmless only where a rule says that it cannot loosen
anything; whatever no rule knows counts as looser, so that a field added later is never adopted unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TypeAlias

from stages.ladder import Value, plain
from stages.policy import Policy
from stages.posture import Mode

_Leaf: TypeAlias = object
_Path: TypeAlias = tuple[str, ...]


def loosened(old: Policy, new: Policy) -> tuple[str, ...]:
    """Sentences that name each part of ``new`` that is looser than ``old``, or not surely tighter; empty when none."""
    return (*_looser_values(old, new), *_looser_leaves(old, new))


def _looser_values(old: Policy, new: Policy) -> Iterator[str]:
    """Stage values and mode overlays, by the order of risk of the policy in force."""
    before = {stage.name: values for stage, values in zip(old.stages, old.resolved, strict=True)}
    after = {stage.name: values for stage, values in zip(new.stages, new.resolved, strict=True)}
    if list(after)[: len(before)] != list(before):
        yield f"stages: {', '.join(before)} became {', '.join(after)}"
    yield from (f"stage {name} is new" for name in after if name not in before)
    for name, values in before.items():
        if name not in after:
            continue
        for control, spec in old.spec.controls.items():
            if control not in after[name]:
                yield f"{name}: {control} is no longer limited"
                continue
            was, now = old.comparable(values, control), new.comparable(after[name], control)
            if not spec.order.at_most(now, was):
                yield f"{name}: {control} {_said(was)} became {_said(now)}"
    for mode in old.mapped_modes:
        overlay = new.overlay(mode)
        for control, value in old.overlay(mode).items():
            if control not in overlay or not old.spec.controls[control].order.at_most(overlay[control], value):
                yield f"{mode.name} no longer sets {control} to {_said(value)}"


def _looser_leaves(old: Policy, new: Policy) -> Iterator[str]:
    before, after = _leaves(old), _leaves(new)
    for path in (*before, *(path for path in after if path not in before)):
        was, now = before.get(path), after.get(path)
        if path in before and path in after and was == now:
            continue
        name = ".".join(path)
        if _harmless(name, was, now, added=path not in before, removed=path not in after):
            continue
        if path not in after:
            yield f"{name}: {_said(was)} is gone"
        else:
            yield f"{name}: {_said(was)} became {_said(now)}" if path in before else f"{name}: {_said(now)} is new"


def _harmless(name: str, was: _Leaf, now: _Leaf, *, added: bool, removed: bool) -> bool:
    if any(fnmatchcase(name, pattern) for pattern in _FREE):
        return True
    if name == "spec.drill" and removed and was is None:
        return True  # nothing was asked for; what is asked for now is judged part by part
    replaces = any(fnmatchcase(name, pattern) for pattern in _REPLACING)
    if added and not replaces and any(fnmatchcase(name, pattern) for pattern in _ADDITIONS):
        return True
    if added or removed or was is None or now is None:
        return False
    return any(fnmatchcase(name, pattern) and rule(was, now) for pattern, rule in _RULES)


def _lower(was: _Leaf, now: _Leaf) -> bool:
    return _amount(now) <= _amount(was)


def _higher(was: _Leaf, now: _Leaf) -> bool:
    return _amount(now) >= _amount(was)


def _stricter(was: _Leaf, now: _Leaf) -> bool:
    return Mode[str(now)] >= Mode[str(was)]


def _required(was: _Leaf, now: _Leaf) -> bool:
    order = ("off", "whenPresent", "required")
    return order.index(str(now)) > order.index(str(was))


def _amount(value: _Leaf) -> Decimal:
    """A number, duration or switch as one comparable number."""
    if isinstance(value, timedelta):
        return Decimal(str(value.total_seconds()))
    return Decimal(int(value)) if isinstance(value, bool) else Decimal(str(value))


_FREE = (
    "spec.version",
    "spec.contracts.*",
    "spec.pins.*.reason",
    "spec.controls.*.title",
    "spec.stages.*.title",
    "spec.signals.*.title",
    "spec.signals.*.panel",
    "spec.signals.*.label",
    "spec.signals.*.warn",
    "spec.signals.*.decimals",
    "spec.signals.*.signed",
    "spec.triggers.*.title",
    "spec.triggers.*.then.*.because",
)
"""Words and looks: they change what people read, never what is allowed."""

_ADDITIONS = (
    "spec.controls.*",
    "spec.pins.*",
    "spec.mirrors.*",
    "spec.postures.*",
    "spec.heartbeats.*",
    "spec.signals.*.needs.*",
    "spec.signals.*",
    "spec.triggers.*",
    "spec.stages.*.burnIn.*",
    "spec.stages.*.approvals.roles.*",
    "spec.drill.kill",
    "spec.drill.rollback",
    "spec.drill.validFor.*",
    "spec.drill.image",
    "spec.drill.holdBack",
)
"""What may be added: one more limit, one more thing that is watched, one more condition."""

_REPLACING = (
    "spec.triggers.*.then.*.clear.*",
    "spec.signals.*.baseline",
    "spec.mirrors.*.but*",
    "spec.pins.*.digest*",
    "spec.controls.*.apart*",
)
"""What takes the place of something where it is added: another clear condition, another meaning of a loss, an
exception."""

_RULES: tuple[tuple[str, Callable[[_Leaf, _Leaf], bool]], ...] = (
    ("spec.signals.*.maxAge", _lower),
    ("spec.signals.*.every", _lower),
    ("spec.signals.*.limit.atMost", _lower),
    ("spec.signals.*.limit.atLeast", _higher),
    ("spec.signals.*.needs.*.atLeast", _higher),
    ("spec.triggers.*.at", _lower),
    ("spec.triggers.*.confirm.reads", _lower),
    ("spec.triggers.*.hysteresis", _higher),
    ("spec.triggers.*.then.*.after", _lower),
    ("spec.triggers.*.then.*.mode", _stricter),
    ("spec.triggers.*.clear.good", _higher),
    ("spec.triggers.*.clear.hold", _higher),
    ("spec.triggers.*.clear.each", _higher),
    ("spec.triggers.*.clear.approval", _higher),
    ("spec.triggers.*.clear.nextSession", _higher),
    ("spec.triggers.*.clear.gone", _higher),
    ("spec.triggers.*.clear.explain", _higher),
    ("spec.triggers.*.clear.itself", _lower),
    ("spec.triggers.*.then.*.times", _lower),
    ("spec.triggers.*.then.*.reads", _lower),
    ("spec.triggers.*.windows.delta", _lower),
    ("spec.triggers.*.windows.deltas", _lower),
    ("spec.triggers.*.windows.nominal", _lower),
    ("spec.stages.*.burnIn.minMarketTime.*", _higher),
    ("spec.stages.*.burnIn.validFor.*", _lower),
    ("spec.stages.*.burnIn.passRun", _higher),
    ("spec.stages.*.burnIn.onFail", _stricter),
    ("spec.stages.*.burnIn.objectives.*.atMost", _lower),
    ("spec.stages.*.burnIn.objectives.*.atLeast", _higher),
    ("spec.stages.*.burnIn.objectives.*.withinLimit", _higher),
    ("spec.stages.*.burnIn.objectives.*.minSamples", _higher),
    ("spec.stages.*.burnIn.objectives.*.coverage", _higher),
    ("spec.stages.*.approvals.required", _higher),
    ("spec.stages.*.approvals.roles.*", _higher),
    ("spec.stages.*.burnIn.comparison.margin", _lower),
    ("spec.stages.*.burnIn.comparison.minFills", _higher),
    ("spec.stages.*.burnIn.comparison.minDays", _higher),
    ("spec.gates.permitLife", _lower),
    ("spec.gates.planLife", _lower),
    ("spec.gates.approvalLife", _lower),
    ("spec.gates.cooldownSessions", _higher),
    ("spec.gates.render", _required),
    ("spec.gates.dryRun", _required),
    ("spec.target.convergence", _lower),
    ("spec.drill.kill", _higher),
    ("spec.drill.rollback", _higher),
    ("spec.drill.validFor.*", _lower),
    ("spec.drill.holdBack", _lower),
    ("spec.drill.budgets.*", _lower),
    ("spec.target.workloads.*.dark", _lower),
)
"""Differences that tighten when they go the way the rule says."""


def _leaves(policy: Policy) -> dict[_Path, _Leaf]:
    """Every leaf by its path; list items are named by what identifies them. Values of controls are judged apart."""
    found: dict[_Path, _Leaf] = {}
    _walk(policy.model_dump(by_alias=True), (), found)
    return {path: leaf for path, leaf in found.items() if "controls" not in path[2:] or path[1] == "contracts"}


def _walk(node: object, path: _Path, found: dict[_Path, _Leaf]) -> None:
    if isinstance(node, Mapping):
        for key, value in node.items():
            _walk(value, (*path, str(key)), found)
    elif isinstance(node, tuple) and any(isinstance(item, Mapping) for item in node):
        for place, item in enumerate(node):
            name = next((str(item[key]) for key in ("name", "signal", "object") if key in item), str(place))
            own = name if path[-1] in ("stages", "objectives", "needs", "workloads") else str(place)
            _walk(item, (*path, own), found)
    elif node is not None and node not in ((), {}):
        found[path] = node


def _said(value: object | Value | None) -> str:
    if value is None:
        return "no limit"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
