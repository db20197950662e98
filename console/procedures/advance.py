"""Advance: carry an approved plan out so that a crash at any point leaves a state that can be named.

Verify everything; record the intent, which uses the approvals up; make the commit; record it; push from the head that
was checked; record the outcome. What follows by readback, and what a crash left behind, is ``procedures.follow``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from console.approvals import InForce, Opinion, examine, quorum, refuse, standard
from console.nudge import nudge
from console.ports import (
    Checkpoint,
    Clock,
    Identifiers,
    LedgerStore,
    Repository,
    RunningActs,
    Runtime,
    Signer,
    branch_name,
)
from stages.authority import action_digest, advance_action
from stages.commands import BeginAdvance, Record, RecordCommitted, RecordOutcome
from stages.departure import Departure, departure
from stages.ladder import Direction
from stages.phrase import confirmation_phrase, mismatch
from stages.plan import Plan, build
from stages.policy import Policy
from stages.posture import Mode, join
from stages.refusal import Refusal, Trouble
from stages.staleness import (
    APPROVED_TRAILER,
    EPOCH_TRAILER,
    LEDGER_TRAILER,
    MODE_TRAILER,
    PLAN_TRAILER,
    STAGE_TRAILER,
    authors,
    why_stale,
)
from stages.state import REDUCE, ControlState
from stages.value import Struct, replace
from stages.verdict import Gate

TRIES: Final = 5
"""How often a commit is made anew because the branch moved meanwhile."""


class AdvancePorts(Struct, frozen=True):
    """What an advance needs of the world."""

    ledger: LedgerStore
    repository: Repository
    signer: Signer
    clock: Clock
    ids: Identifiers
    running: RunningActs
    checkpoint: Checkpoint
    by_branch: bool = False
    """Whether it is proposed as a branch that somebody merges, instead of pushed."""
    runtime: Runtime | None = None


class Advanced(Struct, frozen=True):
    """``outcome``: refused, pushed, proposed (as ``branch``), rejected, abandoned or unknown.

    ``opinions`` show every check of every approval. Of a stale plan ``departure`` tells what the same plan made today
    says otherwise.
    """

    outcome: str
    message: str = ""
    intent: str = ""
    sha: str = ""
    refusal: Refusal | None = None
    opinions: tuple[Opinion, ...] = ()
    stale: tuple[str, ...] = ()
    departure: Departure | None = None
    branch: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome in ("pushed", "proposed")


@dataclass(eq=False)
class _Stop(Exception):
    """The answer is no before anything has changed; ``recorded`` when the ledger knows already."""

    refusal: Refusal
    opinions: tuple[Opinion, ...] = ()
    stale: tuple[str, ...] = ()
    checks: tuple[str, ...] = field(default=())
    recorded: bool = False
    departure: Departure | None = None


class _Verified(Struct, frozen=True):
    """Everything that was found true; ``fresh`` is the plan made again on ``head``, with its contents."""

    head: str
    fresh: Plan
    opinions: tuple[Opinion, ...]
    barred: frozenset[str]
    state: ControlState
    signature: str


def apply(
    ports: AdvancePorts,
    force: InForce,
    *,
    plan: Plan,
    tokens: Sequence[str],
    phrase: str,
    actor: str,
    gates: Callable[[Plan], Sequence[Gate]],
) -> Advanced:
    """Carry ``plan`` out with the approvals in ``tokens``, confirmed by ``phrase``; ``gates`` judges it now.

    A refusal is a value and an entry. Trouble means that nothing was begun, or that the ledger went away in between;
    then ``resolve`` finds out.
    """
    ports.checkpoint("begin")
    try:
        found = _verify(ports, force, plan, tokens, phrase, actor, gates)
    except _Stop as stop:
        return _refused(ports, plan, actor, stop)
    ports.checkpoint("verified")
    intent = ports.ids.new()
    with ports.running.hold(intent):
        begun = ports.ledger.transact(_intent(force, plan, found, intent, phrase, actor, ports.clock), now=_now(ports))
        if isinstance(begun, Refusal):
            return Advanced("refused", begun.reason, refusal=begun, opinions=found.opinions)
        ports.checkpoint("intent")
        outcome = _publish(ports, force, plan, found, intent, actor)
        command = RecordOutcome(actor, intent, outcome.outcome, outcome.sha, outcome.message, outcome.branch)
        ports.ledger.transact(command, now=_now(ports))
        ports.checkpoint("outcome")
        note = nudge(ports.runtime, actor=actor, intent=intent) if outcome.outcome == "pushed" else None
        if note is not None:
            with suppress(Trouble):  # it was pushed; that the note is missing changes nothing of it
                ports.ledger.transact(note, now=_now(ports))
    return outcome


# ------------------------------------------------------------------------------------------------------- verification


def _verify(
    ports: AdvancePorts,
    force: InForce,
    plan: Plan,
    tokens: Sequence[str],
    phrase: str,
    actor: str,
    gates: Callable[[Plan], Sequence[Gate]],
) -> _Verified:
    """Everything that can be known before the intent; raises ``_Stop`` with the answer no."""
    _check_plan(force, plan)
    _check_phrase(ports, force, plan, phrase, actor)
    state = ports.ledger.state()
    head = ports.repository.fetch()
    stale, barred = _stale(ports, force, plan, head)
    if stale:
        different = departed(ports.repository, force, plan, head, state.epoch)
        raise _Stop(Refusal("stale", f"the plan is stale: {stale[0]}"), stale=stale, departure=different)
    opinions = _check_approvals(ports, force, plan, tokens, state, barred, actor)
    fresh, difference = _made_again(ports.repository, force, plan, head)
    if difference:
        said, different = f"the same move made today differs: {difference}", departure(plan, fresh)
        raise _Stop(Refusal("stale", said), opinions, (difference,), departure=different)
    _check_gates(gates(fresh))
    return _Verified(head, fresh, opinions, barred, state, _sign(ports.signer, force, plan, actor))


def _check_plan(force: InForce, plan: Plan) -> None:
    if force.policy.stage_index(plan.to_stage) is None:
        raise _Stop(Refusal("unknown-stage", f"the policy in force has no stage {plan.to_stage}"))
    if plan.namespace != force.policy.spec.target.namespace:
        raise _Stop(Refusal("other-target", f"the plan is for {plan.namespace}"))
    if plan.direction is Direction.SAFER:
        raise _Stop(
            Refusal("safer", f"this reduces risk and needs no approval: rampdeck rollback --to {plan.to_stage}")
        )
    if plan.refusals:
        raise _Stop(Refusal("blocked", f"it cannot be carried out: {plan.refusals[0]}"), checks=plan.refusals)
    if not plan.edits:
        raise _Stop(Refusal("nothing", "the manifests say this already; there is nothing to apply"))


def _check_phrase(ports: AdvancePorts, force: InForce, plan: Plan, phrase: str, actor: str) -> None:
    wrong = mismatch(phrase, confirmation_phrase(force.policy.name, plan))
    if wrong is None:
        return
    body = {"command": "apply", "plan": plan.id, "wrong": wrong.text}
    ports.ledger.transact(Record(actor, "confirmation-failed", body), now=_now(ports))
    raise _Stop(Refusal("confirmation", f"the confirmation token does not fit: {wrong.text}"), recorded=True)


def _check_approvals(
    ports: AdvancePorts,
    force: InForce,
    plan: Plan,
    tokens: Sequence[str],
    state: ControlState,
    barred: frozenset[str],
    actor: str,
) -> tuple[Opinion, ...]:
    held_against = standard(force, plan, state, barred)
    opinions = tuple(examine(ports.signer, force, text, held_against, _now(ports)) for text in tokens)
    faults = [opinion for opinion in opinions if opinion.fault or opinion.rejects]
    for opinion in faults:
        refuse(ports.ledger, ports.clock, actor, plan, opinion)
    if faults:
        said = faults[0].fault or "it is a rejection"
        who = f" of {faults[0].approver}" if faults[0].approver else ""
        raise _Stop(Refusal("approval", f"the approval{who} does not count: {said}"), opinions, recorded=True)
    return opinions


def _check_gates(gates: Sequence[Gate]) -> None:
    closed = [f"{gate.gate_id} {gate.status.value}: {'; '.join(gate.reasons)}" for gate in gates if not gate.passes]
    if closed:
        more = f" (and {len(closed) - 1} more)" if len(closed) > 1 else ""
        raise _Stop(Refusal("gate", f"gate {closed[0]}{more}"), checks=tuple(closed))


def _stale(ports: AdvancePorts, force: InForce, plan: Plan, head: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Why the plan is stale on ``head``, and who wrote commits in its range."""
    read, since = ports.repository.read, ports.repository.log(plan.base_commit, head)
    base, now = partial(read, plan.base_commit), partial(read, head)
    wrote = authors(force.policy, since, tuple(force.roster.members))
    return why_stale(force.policy, plan, since=since, base=base, head=now), wrote


def _made_again(repository: Repository, force: InForce, plan: Plan, head: str) -> tuple[Plan, str]:
    """The same plan made on ``head``, and how it differs; equal ids mean equal edits, byte for byte."""
    fresh = build(
        force.policy,
        policy_digest=force.policy_digest,
        roster_digest=force.roster_digest,
        read=partial(repository.read, head),
        base_commit=head,
        epoch=plan.epoch,
        to_stage=force.policy.stage_index(plan.to_stage) or 0,
        created_by=plan.created_by,
        now=plan.created_at,
        expires_at=plan.expires_at,
        blob_id=repository.blob_id,
    )
    if fresh.id == plan.id:
        return fresh, ""
    if (fresh.policy_digest, fresh.roster_digest) != (plan.policy_digest, plan.roster_digest):
        return fresh, "it was made under another policy or roster"
    known = {change.control: (change.before, change.after) for change in plan.changes}
    changed = [one.control for one in fresh.changes if known.get(one.control) != (one.before, one.after)]
    return fresh, f"{', '.join(changed) or 'its edits'} would come out otherwise"


def departed(repository: Repository, force: InForce, plan: Plan, head: str, epoch: int) -> Departure | None:
    """What the plan would say if it were made now; None where it cannot be made at all."""
    try:
        fresh, _ = _made_again(repository, force, plan, head)
    except Trouble:
        return None
    return departure(plan, replace(fresh, epoch=epoch))


def _sign(signer: Signer, force: InForce, plan: Plan, actor: str) -> str:
    """The operator's own signature over the action; raising risk is never anonymous."""
    message = action_digest(advance_action(plan)).encode()
    signature = signer.sign(message)
    who = signer.verify(message, signature, force.signers)
    if who != actor:
        whose = f"belongs to {who}" if who else "is nobody's among the allowed signers"
        raise _Stop(Refusal("operator", f"you act as {actor}, but your key {whose}"))
    return signature


def _refused(ports: AdvancePorts, plan: Plan, actor: str, stop: _Stop) -> Advanced:
    if not stop.recorded:
        body = {
            "command": "apply",
            "plan": plan.id,
            "code": stop.refusal.code,
            "reason": stop.refusal.reason,
            "checks": list(stop.checks or stop.stale),
        }
        ports.ledger.transact(Record(actor, "denied", body, stage=plan.to_stage), now=_now(ports))
    return Advanced(
        "refused", stop.refusal.reason, refusal=stop.refusal, opinions=stop.opinions, stale=stop.stale,
        departure=stop.departure,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------- publishing


def _intent(
    force: InForce, plan: Plan, found: _Verified, intent: str, phrase: str, actor: str, clock: Clock
) -> BeginAdvance:
    needed = force.policy.stage_index(plan.from_stage)
    judged = needed is not None and force.policy.stages[needed].burn_in is not None
    run = found.state.runs.get(plan.from_stage)
    return BeginAdvance(
        actor=actor,
        intent=intent,
        plan_id=plan.id,
        action=action_digest(advance_action(plan)),
        from_stage=plan.from_stage,
        to_stage=plan.to_stage,
        epoch=plan.epoch,
        policy=plan.policy_digest,
        roster=plan.roster_digest,
        expires=plan.expires_at,
        market=clock.market(clock.wall()),
        quorum=quorum(force, plan, found.opinions, found.barred | {plan.created_by}),
        top=force.policy.top,
        to_index=force.policy.stage_index(plan.to_stage) or 0,
        burn_in_run=(run.run if run else "none") if judged else "",
        blobs={edit.path: edit.blob_after for edit in plan.edits},
        base=found.head,
        confirmation=" ".join(phrase.split()),
        signature=found.signature,
    )


def _publish(ports: AdvancePorts, force: InForce, plan: Plan, found: _Verified, intent: str, actor: str) -> Advanced:
    """Commit on the checked head and push; when the branch moved: fetch, check again, commit again."""
    head, fresh, sha = found.head, found.fresh, ""
    branch = branch_name(plan.id) if ports.by_branch else ""
    try:
        for _ in range(TRIES):
            sha = _commit(ports, force, fresh, found, head)
            ports.ledger.transact(RecordCommitted(actor, intent, sha, branch=branch), now=_now(ports))
            ports.checkpoint("committed")
            overtaken = _overtaken(force.policy, ports.ledger.state(), plan, intent)
            if overtaken:
                return Advanced("abandoned", overtaken, intent, sha, opinions=found.opinions)
            ports.checkpoint("before-push")
            pushed = ports.repository.propose(sha, branch) if branch else ports.repository.push(sha, head)
            ports.checkpoint("pushed")
            if branch and pushed.outcome == "pushed":
                return replace(_proposed(ports, force.policy, plan, intent, sha, branch), opinions=found.opinions)
            if pushed.outcome != "moved":
                return Advanced(pushed.outcome, pushed.message, intent, sha, opinions=found.opinions)
            head = ports.repository.fetch()
            stale, barred = _stale(ports, force, plan, head)
            fresh, difference = _made_again(ports.repository, force, plan, head)
            stale = stale or ((difference,) if difference else ())
            late = barred & {opinion.approver for opinion in found.opinions}
            if stale or late:
                why = stale[0] if stale else f"{', '.join(sorted(late))} approved it and wrote a commit meanwhile"
                departed = departure(plan, fresh) if stale else None
                said = f"the branch moved: {why}"
                return Advanced("abandoned", said, intent, sha, None, found.opinions, stale, departed)
    except Trouble as trouble:
        return Advanced("abandoned", trouble.line, intent, sha, opinions=found.opinions)
    except KeyboardInterrupt:
        _interrupted(ports, intent, sha, actor)
        raise
    return Advanced("abandoned", f"the branch moved {TRIES} times", intent, sha, opinions=found.opinions)


def _proposed(ports: AdvancePorts, policy: Policy, plan: Plan, intent: str, sha: str, branch: str) -> Advanced:
    """What a proposal is worth: whoever reduced meanwhile may have looked for the branch before it was there."""
    try:
        overtaken = _overtaken(policy, ports.ledger.state(), plan, intent)
    except Trouble as away:
        overtaken = f"nobody knows whether it was overtaken: {away.line}"
    if not overtaken:
        said = f"pushed as branch {branch}; nothing changes before somebody merges it"
        return Advanced("proposed", said, intent, sha, branch=branch)
    try:
        gone = ports.repository.withdraw(branch, sha)
    except Trouble as away:
        return Advanced(
            "unknown", f"{overtaken}; whether branch {branch} is gone is not known: {away.line}", intent, sha
        )
    kept = "" if gone else f"; branch {branch} COULD NOT BE TAKEN BACK: do not merge it"
    return Advanced("abandoned", f"{overtaken}{kept}", intent, sha)


def _commit(ports: AdvancePorts, force: InForce, fresh: Plan, found: _Verified, head: str) -> str:
    newest = ports.ledger.head()
    lines = [f"{one.control}: {one.before} -> {one.after}" for one in fresh.changes if one.before != one.after]
    message = f"Advance {force.policy.name} {fresh.from_stage} -> {fresh.to_stage}\n\n" + "\n".join(lines)
    trailers = (
        (PLAN_TRAILER, fresh.id),
        (EPOCH_TRAILER, str(fresh.epoch)),
        (STAGE_TRAILER, fresh.to_stage),
        (MODE_TRAILER, Mode.NORMAL.name),
        (APPROVED_TRAILER, ", ".join(opinion.approver for opinion in found.opinions)),
        (LEDGER_TRAILER, f"{found.state.ledger} {newest.seq} {newest.hash}"),
    )
    return ports.repository.commit(head, fresh.contents, message, trailers)


def _overtaken(policy: Policy, state: ControlState, plan: Plan, intent: str) -> str:
    """Why an advance in flight stops: a reduction that began meanwhile always wins."""
    if state.epoch != plan.epoch:
        by = [other.actor for other in state.intents.values() if other.kind == REDUCE]
        return f"a reduction by {by[-1]} began meanwhile" if by else "the epoch was raised meanwhile"
    posture = join(state.latches.values(), policy.top)
    if posture.mode is not Mode.NORMAL or posture.cap < (policy.stage_index(plan.to_stage) or 0):
        return f"held meanwhile by {', '.join(sorted(latch.trigger for latch in state.latches.values()))}"
    own = state.intents.get(intent)
    return "" if own is None or own.unresolved else f"it was declared {own.outcome} meanwhile"


def _interrupted(ports: AdvancePorts, intent: str, sha: str, actor: str) -> None:
    """Ctrl+c: before the push nothing has changed; during it only the remote knows."""
    arrived = ports.repository.contains(sha) if sha and not ports.by_branch else None if sha else False
    outcome = {True: "pushed", False: "unknown" if sha else "abandoned", None: "unknown"}[arrived]
    ports.ledger.transact(RecordOutcome(actor, intent, outcome, sha, "interrupted by a person"), now=_now(ports))


def _now(ports: AdvancePorts) -> datetime:
    return ports.clock.wall()
