"""The reflex's rule: what the manifests must come down to so that they show no more than the posture allows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from stages.bearings import in_convergence
from stages.latching import OpenLatch
from stages.policy import Policy
from stages.posture import Mode, Posture, effective_mode
from stages.standing import Standing
from stages.state import REDUCE, ControlState, Intent
from stages.value import Struct
from stages.watching import WatchState


class Need(Struct, frozen=True):
    """What the manifests must come down to: a stage at most, and a mode at least."""

    cap: int
    mode: Mode


def need(policy: Policy, posture: Posture, standing: Standing) -> Need | None:
    """The reduction that ``posture`` asks for and Git does not show; None when Git shows it already.

    With nothing read of Git, a posture that restricts anything asks for its reduction: the worker reads the head.
    """
    mode = effective_mode(posture.mode, policy.mapped_modes)
    too_high = standing.riskiest > posture.cap
    too_loose = mode > Mode.FROZEN and mode in policy.mapped_modes and standing.mode < mode
    # A posture that lets the stage be asks for a stricter mode where it stands, never for a move up to its cap.
    return Need(min(posture.cap, standing.riskiest), mode) if too_high or too_loose else None


def under_way(policy: Policy, posture: Posture, reducing: Intent | None) -> bool:
    """Whether a reduction brings all that ``posture`` asks for."""
    if reducing is None:
        return False
    low_enough = (policy.stage_index(reducing.to_stage) or 0) <= posture.cap
    return low_enough and reducing.mode >= effective_mode(posture.mode, policy.mapped_modes)


def carried_out(policy: Policy, posture: Posture, state: ControlState, head: str) -> bool:
    """Whether the newest reduction brought all that ``posture`` asks for, and Git is as it left it.

    A stage may be as strict as a mode by itself, and a manifest may refuse: nothing is won by asking the same again.
    """
    reductions = [one for one in state.intents.values() if one.kind == REDUCE]
    if not reductions or not head:
        return False
    newest = reductions[-1]
    done = newest.outcome in ("pushed", "unchanged") and newest.sha == head
    return done and under_way(policy, posture, newest)


def slipped_in(policy: Policy, state: ControlState, watch: WatchState, wall: datetime) -> Posture:
    """What the newest act still asks for when it was a reduction: nothing above it until Git has settled (rule 8).

    Git has settled when its head was the same over one convergence window; every other hand's change begins another.
    A later change is a fact to adopt, and no reduction is held against it.
    """
    free = Posture(Mode.NORMAL, policy.top)
    newest = list(state.intents.values())[-1] if state.intents else None
    if newest is None or newest.kind != REDUCE or newest.outcome not in ("pushed", "unchanged"):
        return free
    stage, since = policy.stage_index(newest.to_stage), newest.ended or newest.at
    if watch.changed is not None:
        since = max(since, watch.changed)
    if stage is None or not in_convergence(policy, since, wall):
        return free
    return Posture(newest.mode, stage)


def with_pending(policy: Policy, posture: Posture, pending: Iterable[object]) -> Posture:
    """The posture with latches that could not be written yet: a ledger that is away stops no reduction."""
    for command in pending:
        if isinstance(command, OpenLatch):
            cap = policy.top if command.cap is None else max(0, command.effective - 1)
            if command.cap not in (None, "-1"):
                cap = int(str(command.cap))
            posture = posture.join(Posture(command.mode, cap))
    return posture
