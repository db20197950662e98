"""The stage rail: one card per stage."""

from __future__ import annotations

from decimal import Decimal

from stages.bearings import Bearings, downward
from stages.burnin import NONE, NOT_READ, PASSED, current_run
from stages.figures import measure
from stages.ladder import Unit
from stages.policy import Policy
from stages.posture import Posture
from stages.state import ControlState
from stages.verdict import BurnIn, StageCard


def cards(
    policy: Policy, state: ControlState, here: Bearings, burn_in: BurnIn, posture: Posture
) -> tuple[StageCard, ...]:
    """The cards of all stages, lowest first."""
    going = _going(policy, state, here, posture)
    return tuple(
        StageCard(
            index=index,
            name=stage.name,
            title=stage.title,
            limits=limits_line(policy, index),
            status=_status(policy, state, here, index, going),
            note=_note(policy, state, here, burn_in, index),
            in_force=index == here.effective,
        )
        for index, stage in enumerate(policy.stages)
    )


def limits_line(policy: Policy, index: int) -> str:
    """``5,000 $ gross · 3 symbols · paper``"""
    values = policy.resolved[index]
    gross, universe = values.get("maxGrossExposure"), values.get("universe")
    parts = [f"{measure(gross, Unit.USD)} gross"] if isinstance(gross, Decimal) else []
    if isinstance(universe, tuple):
        parts.append(f"{len(universe)} symbol{'' if len(universe) == 1 else 's'}")
    if policy.stages[index].account is not None:
        parts.append(policy.stage_account(index).environment)
    return " · ".join(parts)


def _going(policy: Policy, state: ControlState, here: Bearings, posture: Posture) -> int | None:
    """The stage that a change under way, or one that a latch asks for, leads to."""
    if here.settling is not None:
        return policy.stage_index(here.settling.to_stage)
    if state.unresolved:
        return policy.stage_index(state.unresolved[-1].to_stage)
    return posture.cap if posture.cap < here.effective else None


def _status(policy: Policy, state: ControlState, here: Bearings, index: int, going: int | None) -> str:
    if index == going and (index != here.effective or here.settling is not None):
        return "GOING HERE"
    if index == here.effective:
        leaving = going is not None and going != index
        return "LIVE, LEAVING" if leaving else "LIVE NOW"
    run = state.runs.get(policy.stages[index].name)
    if index > here.effective:
        return "not yet"
    return "passed" if run is not None and run.state == PASSED else "below"


def _note(policy: Policy, state: ControlState, here: Bearings, burn_in: BurnIn, index: int) -> str:
    if index == burn_in.stage and index == here.effective:
        if burn_in.state in (NONE, PASSED, NOT_READ):
            return f"burn-in {burn_in.state if burn_in.run else 'not begun'}"
        paused = {"SUSPENDED": " paused, market closed", "BLIND": " STOPPED, blind"}.get(burn_in.state, "")
        return f"burn-in {burn_in.progress:.0%}{paused}{f', {burn_in.lacks}' if burn_in.lacks else ''}"
    if index < here.effective:
        run = current_run(policy, state, index)
        return "known good" if run is not None and run.state == PASSED else ""
    newest = state.last_pushed
    if newest is not None and downward(policy, newest) and newest.from_stage == policy.stages[index].name:
        return "stepped down from here"
    below = policy.stages[index - 1].name if index else ""
    needed = policy.stages[index].approvals.required
    return f"needs {below} burn-in, {needed} approval{'s' if needed > 1 else ''}"
