"""Target: where a reduction leads (semantics 2.2 rule 7)."""

from __future__ import annotations

from collections.abc import Callable

from stages.policy import Policy
from stages.posture import Mode, Posture
from stages.reflex import Need
from stages.standing import Standing
from stages.value import Struct


class Target(Struct, frozen=True):
    """A stage's index and a mode, with why it is not the first choice where it is not."""

    stage: int
    mode: Mode
    why: str = ""


def aim(policy: Policy, wanted: Need, standing: Standing, ready: Callable[[int], tuple[bool | None, str]]) -> Target:
    """Where the reduction that is ``wanted`` leads. A stricter mode alone leaves the stage where it stands."""
    if wanted.cap >= standing.riskiest:
        return Target(wanted.cap, wanted.mode)
    return reduction_target(policy, Posture(wanted.mode, wanted.cap), ready)


def reduction_target(policy: Policy, posture: Posture, ready: Callable[[int], tuple[bool | None, str]]) -> Target:
    """The highest allowed stage that is ready to be reached; the lowest one when none is known to be.

    ``ready`` rehearses a stage: True, False, or None where that is not known, with the reason. A lowest stage that is
    known not to be reachable is KILLED instead; one that nobody could rehearse is tried.
    """
    passed_over: list[str] = []
    for stage in range(posture.cap, -1, -1):
        answer, reason = ready(stage)
        if answer:
            return Target(stage, posture.mode, "; ".join(passed_over))
        passed_over.append(f"{policy.stages[stage].name}: {reason or 'not ready'}")
        if stage == 0 and answer is False:
            return Target(0, Mode.KILLED, "; ".join(passed_over))
    return Target(0, posture.mode, "; ".join(passed_over))
