"""Resuming: what a mode that nothing asks for any more has left in the manifests and at the venue, and what may go."""

from __future__ import annotations

from stages.policy import Policy
from stages.posture import Mode, effective_mode, join
from stages.refusal import Refusal
from stages.signals import ReadControls
from stages.standing import Standing, assess, overlay_holds
from stages.state import ControlState
from stages.value import Struct


class Lift(Struct, frozen=True):
    """From ``standing`` to ``mode`` at ``stage`` (an index). Only ``controls`` may move: the remains of a reduction,
    which made other controls safer, never come back by this."""

    stage: int
    standing: Standing
    mode: Mode
    controls: frozenset[str]
    unblock: bool
    """The venue refuses new orders, and nothing asks for that any more."""


def lift(policy: Policy, state: ControlState, controls: ReadControls, *, blocked: bool) -> Lift | Refusal:
    """What the manifests' ``controls`` and a venue that is ``blocked`` or not still hold beyond the open latches."""
    standing = assess(policy, controls)
    if standing.unread:
        name, why = next(iter(standing.unread.items()))
        return Refusal("standing", f"{name} cannot be read in Git: {why}")
    if standing.stage is None:
        odd = ", ".join(one.control for one in standing.differences) or "a limit"
        where = "above every stage" if standing.beyond else "between stages"
        return Refusal("standing", f"Git stands {where} by {odd}; roll back to a stage first")
    posture = join(state.latches.values(), policy.top)
    mode = effective_mode(posture.mode, policy.mapped_modes) if posture.mode > Mode.FROZEN else Mode.NORMAL
    # What a gentler mode has set may still be there: a stricter one only adds to it.
    held = [one for one in policy.mapped_modes if one <= standing.mode and overlay_holds(policy, controls, one)]
    # What is still asked for may not be there yet: the stricter mode was enough.
    names = frozenset(name for one in (*held, mode) for name in policy.overlay(one))
    return Lift(standing.stage, standing, mode, names, blocked and not suspends(policy, mode))


def suspends(policy: Policy, mode: Mode) -> bool:
    """Whether the policy has the venue refuse new orders in ``mode``."""
    return "suspend" in policy.venue_actions(mode)


def approved(policy: Policy, state: ControlState) -> int:
    """Index of the stage that the newest pushed act led to; the highest one where nothing was ever pushed."""
    newest = state.last_pushed
    index = policy.stage_index(newest.to_stage) if newest else None
    return policy.top if index is None else index
