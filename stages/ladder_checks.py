"""Rules of a policy's values: units, shares, pins, postures, and the ladder that never gets safer on its way up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise

from stages.ladder import Unit, Value, plain
from stages.policy import REQUIRED_CONTROLS, ControlSpec, Policy, ShareSpec
from stages.policy_source import Path, Problem, unknown
from stages.posture import Mode

_EXPECTED_UNITS = {
    "maxOrderNotional": (Unit.USD,),
    "maxGrossExposure": (Unit.USD,),
    "maxNetExposure": (Unit.USD,),
    "symbolConcentration": (Unit.USD, Unit.RATIO),
    "participationCap": (Unit.RATIO,),
    "dailyLossLimit": (Unit.USD,),
    "universe": (Unit.SYMBOLS,),
}


def check_values(policy: Policy) -> Iterator[Problem]:
    """Each value on its own: known control, right unit, a share that can be resolved."""
    for name, control in policy.spec.controls.items():
        yield from _check_control(name, control)
    for index, stage in enumerate(policy.stages):
        at: Path = ("spec", "stages", index, "controls")
        for name in policy.spec.controls:
            if name not in stage.controls:
                fix = "give it a value; null where it has no limit"
                yield Problem(at, f"{stage.name} does not set '{name}'", fix)
            elif stage.controls[name] is None and name in REQUIRED_CONTROLS:
                yield Problem((*at, name), f"{stage.name} leaves '{name}' without a value", "every stage limits it")
        for name, raw in stage.controls.items():
            if isinstance(raw, ShareSpec):
                yield from _check_share(policy, index, name, raw)
            else:
                yield from _check_value(policy, (*at, name), name, raw)
    for mode, posture in policy.spec.postures.items():
        for name, value in posture.controls.items():
            yield from _check_value(policy, ("spec", "postures", mode, "controls", name), name, value)


def _check_control(name: str, control: ControlSpec) -> Iterator[Problem]:
    at: Path = ("spec", "controls", name)
    expected = _EXPECTED_UNITS.get(name, (control.unit,))
    if control.unit not in expected:
        units = " or ".join(expected)
        yield Problem((*at, "unit"), f"'{name}' is measured in {units}, not in {control.unit}", f"write unit: {units}")
    sense = control.order.sense
    fits = {Unit.SYMBOLS: ("superset",), Unit.WORD: ("listed",)}.get(control.unit, ("higher", "lower"))
    if sense not in fits:
        wanted = {"superset": "superset", "listed": "an ordered list of its words"}.get(fits[0], "higher or lower")
        yield Problem((*at, "riskier"), f"of a control in {control.unit}, riskier is {wanted}", "correct it")
    for place, binding in enumerate(control.bindings):
        if (binding.format == "plain") == (control.unit is Unit.SYMBOLS):
            wanted = "csv, json-list or list" if control.unit is Unit.SYMBOLS else "plain"
            what = f"format {binding.format} cannot hold a value in {control.unit}"
            yield Problem((*at, "bindings", place), what, f"write format: {wanted}")


def _check_value(policy: Policy, at: Path, name: str, raw: object) -> Iterator[Problem]:
    control = policy.spec.controls.get(name)
    if control is None:
        yield unknown(at, "control", name, policy.spec.controls)
        return
    if raw is None:
        return
    if control.unit is Unit.SYMBOLS:
        if not isinstance(raw, tuple):
            yield Problem(at, f"'{name}' is a list of symbols, not {_shown(raw)}", "write [NVDA, AMD]")
        elif len(set(raw)) != len(raw) or not all(symbol.strip() == symbol and symbol for symbol in raw):
            yield Problem(at, f"'{name}' holds a symbol twice or an empty one", "name each symbol once")
    elif control.unit is Unit.WORD:
        if not isinstance(raw, str):
            yield Problem(at, f"'{name}' is a word, not {_shown(raw)}", "write a word in quotes")
        elif raw not in control.order.words:
            yield Problem(at, f"'{name}' has no word '{raw}'", f"write one of {', '.join(control.order.words)}")
    elif not isinstance(raw, Decimal):
        yield Problem(at, f"'{name}' is a number in {control.unit}, not {_shown(raw)}", "write a number without quotes")
    elif raw < 0:
        yield Problem(at, f"'{name}' is below zero", "write zero or more")


def _shown(raw: object) -> str:
    if isinstance(raw, tuple):
        return "a list"
    return f"the number {plain(raw)}" if isinstance(raw, Decimal) else f"the text '{raw}'"


def _check_share(policy: Policy, index: int, name: str, share: ShareSpec) -> Iterator[Problem]:
    stage = policy.stages[index]
    at: Path = ("spec", "stages", index, "controls", name)
    control, base = policy.spec.controls.get(name), policy.spec.controls.get(share.of)
    if control is None:
        yield unknown(at, "control", name, policy.spec.controls)
    elif control.unit not in (Unit.USD, Unit.RATIO):
        yield Problem(at, f"'{name}' in {control.unit} cannot be a share", "write a value of its own")
    if not share.value > 0:
        yield Problem(at, f"a share of {share.value} allows nothing", "write a share above 0")
    if base is None:
        yield unknown((*at, "of"), "control", share.of, policy.spec.controls)
    elif base.unit is not Unit.USD or not isinstance(stage.controls.get(share.of), Decimal):
        yield Problem((*at, "of"), f"'{share.of}' is no amount of dollars in {stage.name}", "name a control in usd")
    earlier = policy.stages[0].controls.get(name)
    if isinstance(earlier, ShareSpec) and earlier.of != share.of:
        yield Problem((*at, "of"), f"'{name}' is a share of '{earlier.of}' in {policy.stages[0].name}", "keep one base")


def check_ladder(policy: Policy) -> Iterator[Problem]:
    """The values against one another: monotone, reachable, pinned where pinned, postures never riskier than a stage."""
    for (lower, below), (upper, above) in pairwise(enumerate(policy.resolved)):
        for name in policy.spec.controls:
            yield from _check_rung(policy, name, (lower, below), (upper, above))
    for index in range(len(policy.stages)):
        yield from _check_concentration(policy, index)
    yield from _check_pinned(policy)
    for mode in policy.spec.postures:
        for name, value in policy.overlay(Mode[mode]).items():
            order = policy.spec.controls[name].order
            riskier = [stage.name for stage, values in zip(policy.stages, policy.resolved, strict=True)
                       if not order.at_most(value, values[name])]  # fmt: skip
            if riskier:
                what = f"{mode} would set '{name}' to {_written(value)}, which is riskier than {', '.join(riskier)}"
                yield Problem(("spec", "postures", mode, "controls", name), what, "a mode only ever makes it safer")


def _check_rung(
    policy: Policy,
    name: str,
    lower: tuple[int, Mapping[str, Value | None]],
    upper: tuple[int, Mapping[str, Value | None]],
) -> Iterator[Problem]:
    below, above = policy.comparable(lower[1], name), policy.comparable(upper[1], name)
    if policy.spec.controls[name].order.at_most(below, above):
        return
    down, up = policy.stages[lower[0]].name, policy.stages[upper[0]].name
    what = f"'{name}' is riskier in {down} ({_written(below)}) than in {up} ({_written(above)})"
    shares = policy.share(upper[0], name) or policy.share(lower[0], name)
    hint = "; shares are compared in dollars" if shares else ""
    yield Problem(("spec", "stages", upper[0], "controls", name), what + hint, f"make {up} at least as wide as {down}")


def _check_concentration(policy: Policy, index: int) -> Iterator[Problem]:
    values = policy.resolved[index]
    name, gross, universe = "symbolConcentration", values["maxGrossExposure"], values["universe"]
    share = policy.share(index, name)
    cap = policy.comparable(values, name)
    if policy.spec.controls[name].unit is Unit.RATIO and share is None and isinstance(gross, Decimal):
        cap = cap * gross if isinstance(cap, Decimal) else None
    if not (isinstance(cap, Decimal) and isinstance(gross, Decimal) and isinstance(universe, tuple)):
        return
    if cap * len(universe) < gross and (share is None or share.of == "maxGrossExposure"):
        what = (
            f"{len(universe)} symbols of at most {plain(cap)} usd can never fill a gross of {plain(gross)} usd "
            f"in {policy.stages[index].name}: value x symbols is below 1"
        )
        yield Problem(("spec", "stages", index, "controls", name), what, "raise the share or lower maxGrossExposure")


def _check_pinned(policy: Policy) -> Iterator[Problem]:
    first = policy.resolved[0] if policy.resolved else {}
    for name, control in policy.spec.controls.items():
        pin = policy.spec.pins.get(control.pinned_by or "")
        if pin is None or not pin.holds:
            continue
        for index, values in enumerate(policy.resolved[1:], 1):
            if not control.order.same(first[name], values[name]):
                what = f"'{name}' is pinned by {control.pinned_by}, so no stage can move it"
                fix = f"write {_written(first[name])} in every stage"
                yield Problem(("spec", "stages", index, "controls", name), what, fix)


def indistinct(policy: Policy) -> Iterator[str]:
    """Modes that the manifests cannot tell from a lower stage: a stage with a mode on top equals another stage."""
    for mode in policy.mapped_modes:
        overlay = policy.overlay(mode)
        for index, stage in enumerate(policy.stages):
            held = {**policy.resolved[index], **overlay}
            for lower in range(index):
                plain_values = policy.resolved[lower]
                orders = policy.spec.controls
                if overlay and all(orders[name].order.same(held[name], plain_values[name]) for name in plain_values):
                    yield f"{mode.name} at {stage.name} writes the same manifests as {policy.stages[lower].name}"


def _written(value: Value | None) -> str:
    if value is None:
        return "no limit"
    if isinstance(value, tuple):
        return ", ".join(value) or "no symbol"
    return plain(value) if isinstance(value, Decimal) else value
