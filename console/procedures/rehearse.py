"""Rehearse a move: fetch the head, read the manifests at it, plan, and let the gates judge. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from console.desk import Rehearsal
from console.ports import Repository
from stages.gates import GateFacts, judge_gates
from stages.ladder import Direction
from stages.phrase import confirmation_phrase
from stages.plan import Plan, build
from stages.policy import Policy
from stages.posture import Mode
from stages.refusal import Trouble
from stages.state import ControlState
from stages.verdict import Evaluation, Gate, GateStatus, WatchPresence

Judge = Callable[[Plan], tuple[Gate, ...]]
"""Every gate for a plan, judged on what is known now."""


def unseen(_plan: Plan) -> tuple[Gate, ...]:
    """The verdict where nobody looks at the target: unknown, which never passes."""
    reason = "nobody has looked at the target's signals, so no gate could be judged"
    return (Gate("evaluation", GateStatus.UNKNOWN, (reason,)),)


def judging(
    *,
    repository: Repository,
    policy: Policy,
    state: ControlState,
    evaluation: Evaluation,
    presence: WatchPresence,
    now: datetime,
) -> Judge:
    """The core gates on an evaluation and the ledger's state; the way back down is tried out for each plan."""

    def judge(plan: Plan) -> tuple[Gate, ...]:
        ready, reason = way_back(repository, policy, plan)
        facts = GateFacts(now=now, presence=presence, rollback_ready=ready, rollback_reason=reason)
        return judge_gates(policy, state, evaluation, plan, facts)

    return judge


def way_back(repository: Repository, policy: Policy, plan: Plan) -> tuple[bool | None, str]:
    """Whether the stage that a plan leaves could be reached again from its own result, and why not.

    None where the plan leaves no stage of the ladder, so that there is nothing to come back to.
    """
    index = policy.stage_index(plan.from_stage)
    if index is None:
        return None, f"the plan starts {plan.from_stage} stages"
    made = rebuilt(repository, policy, plan) if plan.edits and not plan.contents else plan
    down = build(
        policy,
        policy_digest=plan.policy_digest,
        roster_digest=plan.roster_digest,
        read=lambda path: made.contents.get(path) or repository.read(plan.base_commit, path),
        base_commit=plan.base_commit,
        epoch=plan.epoch,
        to_stage=index,
        created_by=plan.created_by,
        now=plan.created_at,
        only_safer=True,
    )
    return not down.refusals, "; ".join(down.refusals)


def rebuilt(repository: Repository, policy: Policy, plan: Plan) -> Plan:
    """The plan made again at its own base commit, with the contents that its document does not carry."""
    return build(
        policy,
        policy_digest=plan.policy_digest,
        roster_digest=plan.roster_digest,
        read=partial(repository.read, plan.base_commit),
        blob_id=repository.blob_id,
        base_commit=plan.base_commit,
        epoch=plan.epoch,
        to_stage=find_stage(policy, plan.to_stage),
        created_by=plan.created_by,
        now=plan.created_at,
        expires_at=plan.expires_at,
    )


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
) -> Rehearsal:
    """The plan from the branch's head, fetched now, to the stage named ``to_stage``, with all gates.

    ``allowed`` needs every gate to pass and a plan that can be carried out whole; its refusals are told in
    ``refusal``. Raises Trouble when there is no such stage, or when the remote or a file cannot be read.
    """
    index = find_stage(policy, to_stage)
    head = repository.fetch()
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
