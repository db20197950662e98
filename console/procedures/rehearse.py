"""Rehearse a move: fetch the head, read the manifests at it, plan, and let the gates judge. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from console.desk import Rehearsal
from console.ports import Repository
from console.strides import Tell, silent
from stages.ladder import Direction
from stages.phrase import confirmation_phrase
from stages.plan import Plan, build
from stages.policy import Policy
from stages.posture import Mode
from stages.refusal import Trouble
from stages.verdict import Gate, GateStatus

Judge = Callable[[Plan], tuple[Gate, ...]]
"""Every gate for a plan, judged on what is known now."""


def unseen(_plan: Plan) -> tuple[Gate, ...]:
    """The verdict where nobody looks at the target: unknown, which never passes."""
    reason = "nobody has looked at the target's signals, so no gate could be judged"
    return (Gate("evaluation", GateStatus.UNKNOWN, (reason,)),)


def make_plan(
    *,
    repository: Repository,
    policy: Policy,
    policy_digest: str,
    roster_digest: str,
    epoch: int,
    created_by: str,
    now: datetime,
    to_stage: str,
    judge: Judge,
    mode: Mode | None = None,
    tell: Tell = silent,
) -> Rehearsal:
    """The plan from the branch's head, fetched now, to the stage named ``to_stage``, with all gates.

    ``tell`` hears each stride as it begins. ``allowed`` needs every gate to pass and a plan that can be carried out
    whole; its refusals are told in ``refusal``. Raises Trouble when there is no such stage, or when the remote or a
    file cannot be read.
    """
    index = find_stage(policy, to_stage)
    tell("fetch")
    head = repository.fetch()
    tell("plan")
    plan = build(
        policy,
        policy_digest=policy_digest,
        roster_digest=roster_digest,
        read=partial(repository.read, head),
        blob_id=repository.blob_id,
        base_commit=head,
        epoch=epoch,
        to_stage=index,
        mode=mode,
        created_by=created_by,
        now=now,
    )
    tell("gates")
    gates = judge(plan)
    blocked = plan.direction is Direction.RISKIER and bool(plan.refusals)
    return Rehearsal(
        plan,
        gates,
        allowed=bool(gates) and all(gate.passes for gate in gates) and not blocked,
        confirmation=confirmation_phrase(policy.name, plan),
        refusal="; ".join(plan.refusals) if blocked else "",
    )


def find_stage(policy: Policy, name: str) -> int:
    """The index of a stage by its name, case folded. Raises Trouble that lists the stages there are."""
    index = policy.stage_index(name)
    if index is None:
        known = ", ".join(stage.name for stage in policy.stages)
        raise Trouble(f"there is no stage '{name}'", where=policy.name, fix=f"name one of {known}")
    return index
