"""Judging: the gates of a plan, on one look at the target and on what Git says now."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from console.ports import Builder, Clock, DryRunner, KillFlag, Repository
from console.watch.history import applied_controls
from console.watch.once import Look
from stages.applied import Applied, compare, moved_since
from stages.dry_run import DryRun, dry_run
from stages.gates import GateFacts, judge_gates
from stages.plan import Plan, build
from stages.policy import Policy
from stages.readiness import refused_down, rollback_readiness
from stages.refusal import Trouble
from stages.rendering import render
from stages.staleness import why_stale
from stages.state import ControlState
from stages.verdict import Gate


def judge_plan(
    plan: Plan,
    *,
    policy: Policy,
    state: ControlState,
    look: Callable[[], Look],
    repository: Repository,
    clock: Clock,
    endpoint: str = "",
    down_by_branch: bool = False,
    builder: Builder | None = None,
    runner: DryRunner | None = None,
    flag: KillFlag | None = None,
) -> tuple[Gate, ...]:
    """Every gate for ``plan``, now. A repository that is away leaves the gates that need it unknown."""
    seen = look()
    applied, rendered, tried = Applied(), None, None
    now = clock.wall()
    try:
        head = repository.fetch()
        stale = why_stale(
            policy,
            plan,
            since=repository.log(plan.base_commit, head),
            base=partial(repository.read, plan.base_commit),
            head=partial(repository.read, head),
        )
        whole = _whole(plan, policy, repository)
        ready, reason = rollback_readiness(policy, whole, partial(repository.read, head), now)
        if builder is not None:
            rendered = render(policy, whole, partial(repository.read, plan.base_commit), builder.build)
            tried = _tried(policy, whole, repository, builder, runner)
        applied, known = applied_controls(policy, repository, state), True
    except Trouble as trouble:
        stale, ready, reason, known = (), None, trouble.line, False
    healed, unsure = _healed(flag)
    facts = GateFacts(
        now, seen.presence, ready, reason, head_known=known, stale=stale, endpoint=endpoint,
        moved=moved_since(compare(policy, seen.evaluation.drift, applied, None)), applied_unknown=applied.trouble,
        down_by_branch=down_by_branch or refused_down(state), rendered=rendered, dry_run=tried,
        flag_healed=healed, flag_unknown=unsure,
    )  # fmt: skip
    return judge_gates(policy, state, seen.evaluation, plan, facts)


def _healed(flag: KillFlag | None) -> tuple[str | None, str]:
    """Why the flag that a kill writes would not hold, or None and why nobody can say."""
    if flag is None:
        return "", ""
    try:
        return flag.verify(), ""
    except Trouble as trouble:
        return None, trouble.line


def _tried(
    policy: Policy, whole: Plan, repository: Repository, builder: Builder, runner: DryRunner | None
) -> DryRun | None:
    """What the API server says to the plan's result, where the policy asks for its word."""
    if policy.spec.gates.dry_run == "off":
        return None
    if runner is None:
        return DryRun(absent="not tried: 'kubernetes' is not configured")
    return dry_run(policy, whole, partial(repository.read, whole.base_commit), builder.build, runner.attempt)


def _whole(plan: Plan, policy: Policy, repository: Repository) -> Plan:
    """The plan with the files it leaves; one read from a file carries only their digests."""
    target = policy.stage_index(plan.to_stage)
    if plan.contents or not plan.edits or target is None:
        return plan
    return build(
        policy,
        policy_digest=plan.policy_digest,
        roster_digest=plan.roster_digest,
        read=partial(repository.read, plan.base_commit),
        base_commit=plan.base_commit,
        epoch=plan.epoch,
        to_stage=target,
        created_by=plan.created_by,
        now=plan.created_at,
        expires_at=plan.expires_at,
        blob_id=repository.blob_id,
    )
