"""Recommendation: what the console permits next, with its reasons; it never urges and nothing follows from it."""

from __future__ import annotations

from stages.gates import GateFacts, allowed, judge_gates, reasons
from stages.policy import Policy
from stages.posture import Mode
from stages.state import ControlState
from stages.verdict import Evaluation, Recommendation, RowState, WatchPresence

HOLD, MAY_ADVANCE, STEP_DOWN, INVESTIGATE = "HOLD", "MAY ADVANCE", "STEP DOWN", "INVESTIGATE"


def recommend(policy: Policy, state: ControlState, draft: Evaluation, presence: WatchPresence) -> Recommendation:
    """From an evaluation whose own recommendation and headline are still to be filled."""
    posture, standing = draft.posture, draft.standing
    held = tuple(f"{latch.trigger}: {latch.cause}" for latch in draft.latches)
    if posture.cap < draft.effective and posture.mode is not Mode.KILLED:
        return Recommendation(STEP_DOWN, held, posture.cap)
    doubts = _doubts(draft)
    if doubts:
        return Recommendation(INVESTIGATE, (*doubts, *held))
    if standing.stage is None or standing.stage >= policy.top:
        return Recommendation(HOLD, ("the top of the ladder is in force",))
    # Whether the way back is ready is tried when a plan is made; here only what is known already can speak against it.
    facts = GateFacts(draft.snapshot.wall, presence, rollback_ready=True)
    gates = judge_gates(policy, state, draft, None, facts)
    if allowed(gates):
        return Recommendation(MAY_ADVANCE, ("all gates pass",), standing.stage + 1)
    return Recommendation(HOLD, reasons(gates))


def _doubts(draft: Evaluation) -> tuple[str, ...]:
    found: list[str] = []
    if draft.standing.beyond:
        found.append("a control stands above the top stage")
    elif draft.standing.stage is None:
        found.append("the manifests stand between stages" if draft.standing.differences else "Git was not read")
    found += [f"{row.title}: {row.word}" for row in draft.rows if row.safety and row.state in _LOST]
    found += [f"{one.control}: {one.detail}" for one in draft.drift if one.state == "drift"]
    return tuple(found)


_LOST = (RowState.BLIND, RowState.STALE)
