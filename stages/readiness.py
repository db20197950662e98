"""Rollback readiness: whether the way down works, rehearsed in memory on the manifests that a plan would leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from stages.plan import Plan, build
from stages.policy import Policy
from stages.posture import Mode
from stages.refusal import Trouble
from stages.standing import assess, read_controls
from stages.state import REDUCE, ControlState

Read = Callable[[str], bytes | None]

DOWN_BY_BRANCH: Final = "DOWN BY BRANCH ONLY: a reduction lowers nothing until a person merges its branch"


def refused_down(state: ControlState) -> bool:
    """Whether the newest reduction that reached the remote could only be proposed as a branch there."""
    tried = [intent for intent in state.intents.values() if intent.kind == REDUCE and intent.sha]
    return bool(tried) and bool(tried[-1].branch)


def rollback_readiness(policy: Policy, plan: Plan, read: Read, now: datetime) -> tuple[bool | None, str]:
    """Whether the stage that ``plan`` leaves can be reached again from where it leads, and the reason.

    ``read`` gives the files of the head that the plan was made on. None is not known, which is never ready.
    """
    back = policy.stage_index(plan.from_stage)
    if back is None:
        return None, f"the plan starts {plan.from_stage}, so there is no stage to go back to"
    if plan.edits and not plan.contents:
        return None, "the plan does not carry the files that it would leave"
    reached = _over(read, plan.contents)
    way_down = build(
        policy,
        policy_digest=plan.policy_digest,
        roster_digest=plan.roster_digest,
        read=reached,
        base_commit=plan.base_commit,
        epoch=plan.epoch,
        to_stage=back,
        created_by=plan.created_by,
        now=now,
        only_safer=True,
    )
    name = policy.stages[back].name
    if way_down.refusals:
        return False, f"{name} cannot be reached whole: {way_down.refusals[0]}"
    standing = assess(policy, read_controls(policy, _over(reached, way_down.contents)))
    if standing.stage != back:
        return False, f"a rollback would not end at {name}"
    return True, f"{name} READY, rehearsed on {plan.base_commit[:7]}"


def way_down(
    policy: Policy, read: Read, stage: int, *, mode: Mode, head: str, now: datetime
) -> tuple[bool | None, str]:
    """Whether a reduction to ``stage`` (an index) in ``mode`` would bring all of it from ``head``, and why not.

    ``read`` gives the files of ``head``; where it cannot, nothing is known.
    """
    name, away = policy.stages[stage].name, list[str]()

    def asked(path: str) -> bytes | None:
        try:
            return read(path)
        except Trouble as trouble:
            away.append(trouble.line)
            raise

    plan = build(
        policy,
        policy_digest="",
        roster_digest="",
        read=asked,
        base_commit=head,
        epoch=0,
        to_stage=stage,
        created_by="",
        now=now,
        mode=mode if mode > Mode.FROZEN else None,
        only_safer=True,
    )
    reached = assess(policy, read_controls(policy, _over(asked, plan.contents)))
    if away:
        return None, away[0]
    if plan.refusals:
        return False, f"{name} cannot be reached whole: {plan.refusals[0]}"
    if reached.riskiest > stage:
        return False, f"a reduction would not end at {name}"
    return True, f"{name} READY"


def _over(read: Read, contents: Mapping[str, bytes]) -> Read:
    """The files below with those of ``contents`` laid over them."""

    def laid(path: str) -> bytes | None:
        return contents[path] if path in contents else read(path)

    return laid
