"""Drift reports: control by control, the stage's value, Git at head, Git at the last applied plan, and the runtime."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.watch.report import standing_document
from stages.applied import Compared
from stages.figures import value_text
from stages.ladder import write_value
from stages.policy import Policy
from stages.standing import Standing
from stages.verdict import Evaluation


def drift_document(policy: Policy, evaluation: Evaluation, compared: tuple[Compared, ...]) -> dict[str, Any]:
    """Stage, Git, last applied plan and runtime, control by control."""
    return {
        "namespace": policy.spec.target.namespace,
        "standing": standing_document(policy, evaluation.standing),
        "drift": drift_answer(evaluation, compared),
        "controls": [
            {"control": one.control, "unit": policy.spec.controls[one.control].unit.value,
             "stage": write_value(one.stage), "git": write_value(one.git), "applied": write_value(one.applied),
             "runtime": write_value(one.runtime), "state": one.state, "riskier": one.riskier,
             "differences": list(one.differences), "unknown": list(one.unknown),
             "detail": "; ".join((*one.differences, *one.unknown))}
            for one in compared
        ],
    }  # fmt: skip


def drift_answer(evaluation: Evaluation, compared: tuple[Compared, ...]) -> str:
    """``drift``, ``unknown`` or ``none``. Manifests on no stage have drifted as well; what converges has not.

    A control without readback has no say about the runtime.
    """
    standing = evaluation.standing
    if any(one.state == "drift" for one in compared) or _displaced(standing):
        return "drift"
    return "unknown" if any(one.unknown for one in compared) or not standing.known else "none"


def drift_lines(policy: Policy, evaluation: Evaluation, compared: tuple[Compared, ...]) -> Iterator[str]:
    """A table for people, and below each control that differs who differs, since when, and to which side."""
    yield f"{'control':<24} {'stage':>16} {'git':>16} {'applied':>16} {'runtime':>16}  state"
    for one in compared:
        unit = policy.spec.controls[one.control].unit
        cells = [value_text(value, unit) for value in (one.stage, one.git, one.applied, one.runtime)]
        if one.unknown:
            shown = (one.stage, one.git, one.applied, one.runtime)
            cells = [cell if value is not None else "?" for cell, value in zip(cells, shown, strict=True)]
        row = " ".join(f"{cell:>16}" for cell in cells)
        yield f"{one.control:<24} {row}  {one.state} {'; '.join(one.unknown)}".rstrip()
        yield from (f"    {said}" for said in one.differences)
    yield from (f"DOES NOT FIT {said}" for said in evaluation.standing.parted)
    stage = standing_document(policy, evaluation.standing)["stage"]
    yield f"drift: {drift_answer(evaluation, compared)}; Git stands at {stage}"


def _displaced(standing: Standing) -> bool:
    return standing.beyond or bool(standing.parted) or (standing.stage is None and bool(standing.differences))
