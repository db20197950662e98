"""Applied: what Git says now beside what the last applied plan left there, and who moved each control since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from stages.drift import NO_READBACK, SAME, UNKNOWN
from stages.figures import value_text
from stages.ladder import Value
from stages.policy import Policy
from stages.signals import ReadControls
from stages.value import Struct, field
from stages.verdict import ControlDrift

_MOVED: Final = "Git was moved"


class Origin(Struct, frozen=True):
    """The commit that gave a control the value it has at head."""

    sha: str
    author: str
    at: datetime


class Applied(Struct, frozen=True):
    """The controls at the last applied plan's commit ``sha`` ("" when none was ever applied), and what moved since.

    ``trouble`` says why they could not be read; then nothing is known, which is not the same as no drift.
    """

    sha: str = ""
    controls: ReadControls = field(default_factory=lambda: ReadControls({}))
    origins: Mapping[str, Origin] = field(default_factory=dict)
    trouble: str = ""


class Compared(Struct, frozen=True):
    """One control by four witnesses. ``differences`` say who differs, since when, and whether that is riskier."""

    control: str
    stage: Value | None
    git: Value | None
    applied: Value | None
    runtime: Value | None
    state: str
    """same, converging, drift, unknown"""
    riskier: bool
    differences: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def compare(
    policy: Policy, found: tuple[ControlDrift, ...], applied: Applied, runtime_since: datetime | None
) -> tuple[Compared, ...]:
    """Every control of ``found`` with the fourth witness. ``runtime_since``: since when Git and runtime disagree."""
    return tuple(_compare(policy, one, applied, runtime_since) for one in found)


def moved_since(compared: tuple[Compared, ...]) -> tuple[str, ...]:
    """What moved in Git since the last applied plan, one line for each control."""
    return tuple(f"{one.control}: {said}" for one in compared for said in one.differences if said.startswith(_MOVED))


def _compare(policy: Policy, one: ControlDrift, applied: Applied, runtime_since: datetime | None) -> Compared:
    name, spec = one.control, policy.spec.controls[one.control]
    left = applied.controls.values.get(name)
    unknown = [] if one.state != UNKNOWN or one.detail == NO_READBACK else [one.detail]
    said: list[str] = []
    riskier = one.riskier
    if one.state not in (SAME, UNKNOWN):
        since = f" since {runtime_since:%Y-%m-%d %H:%M:%S}Z" if runtime_since else ""
        said.append(f"the runtime runs {value_text(one.runtime, spec.unit)}{since}{_risk(one.riskier)}")
    moved = False
    if spec.bindings and (applied.sha or applied.trouble):
        why = applied.trouble or applied.controls.unread.get(name, "")
        if why:
            unknown.append(f"last applied plan: {why}")
        elif one.git is not None and not spec.order.same(one.git, left):
            moved, looser = True, not spec.order.at_most(one.git, left)
            riskier = riskier or looser
            before, now = value_text(left, spec.unit), value_text(one.git, spec.unit)
            said.append(f"{_MOVED} from {before} to {now}{_who(applied.origins.get(name))}{_risk(looser)}")
    state = "drift" if moved else one.state
    if unknown and state == SAME:
        state = UNKNOWN
    return Compared(name, one.stage, one.git, left, one.runtime, state, riskier, tuple(said), tuple(unknown))


def _who(origin: Origin | None) -> str:
    return f" by {origin.author} in {origin.sha[:8]}, {origin.at:%Y-%m-%d %H:%M}" if origin else ""


def _risk(riskier: bool) -> str:
    return ", riskier" if riskier else ", not riskier"
