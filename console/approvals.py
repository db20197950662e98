"""Approvals: asked for, collected from the inbox, checked one by one, and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from console.ports import Clock, LedgerStore, Signer
from stages.authority import (
    REJECT,
    Check,
    Claims,
    Standard,
    action_digest,
    advance_action,
    check_claims,
    environment_fingerprint,
    failed,
    verified,
)
from stages.commands import Quorum, Record, RecordApproval, RejectApproval, RequestApprovals, VerifiedApproval
from stages.entries import Entry
from stages.plan import Plan
from stages.policy import Policy
from stages.refusal import Refusal, Trouble
from stages.roster import Roster
from stages.state import ControlState
from stages.token import decode_token
from stages.value import Struct


class InForce(Protocol):
    """The adopted policy and roster."""

    @property
    def policy(self) -> Policy: ...
    @property
    def policy_digest(self) -> str: ...
    @property
    def roster(self) -> Roster: ...
    @property
    def roster_digest(self) -> str: ...
    @property
    def signers(self) -> bytes:
        """OpenSSH's ``allowed_signers``."""


class AnswerBox(Protocol):
    """Where requests go and answers come from."""

    def ask(self, plan_id: str, document: Mapping[str, Any]) -> Path: ...
    def answers(self, plan_id: str) -> Sequence[Any]: ...
    def set_aside(self, answer: Any) -> None: ...


class Opinion(Struct, frozen=True):
    """One answer after examination. ``fault`` is empty when it counts; ``checks`` are shown either way."""

    approver: str
    text: str
    claims: Claims | None
    checks: tuple[Check, ...]
    fault: str

    @property
    def rejects(self) -> bool:
        return self.claims is not None and self.claims.answer == REJECT


def standard(force: InForce, plan: Plan, state: ControlState, authors: frozenset[str] = frozenset()) -> Standard:
    """What an approval of ``plan`` is held against now."""
    asked = state.requests.get(plan.id)
    return Standard(
        action=advance_action(plan),
        requester=asked.asked_by if asked else plan.created_by,
        roster=force.roster,
        roster_digest=force.roster_digest,
        environment=environment_fingerprint(force.policy),
        life=force.policy.spec.gates.approval_life,
        authors=authors,
        consumed=state.consumed,
        revoked=state.revoked,
    )


def examine(signer: Signer, force: InForce, text: str, held_against: Standard, now: datetime) -> Opinion:
    """Decode and check one token; what is wrong is in the opinion, never raised. Trouble only without ssh-keygen."""
    try:
        token = decode_token(text)
    except Trouble as trouble:
        return Opinion("", text, None, (), trouble.what)
    claims = token.claims
    who = signer.verify(claims.message(), token.signature, force.signers)
    checks = check_claims(claims, who, held_against, now)
    wrong = failed(checks)
    fault = f"{wrong[0].name}: {wrong[0].detail}" if wrong else ""
    return Opinion(claims.approver, text, claims, checks, fault)


def quorum(force: InForce, plan: Plan, opinions: Sequence[Opinion], barred: frozenset[str]) -> Quorum:
    """The approvals that ``plan`` needs by policy, and those that it has."""
    index = force.policy.stage_index(plan.to_stage)
    needed = force.policy.stages[index or 0].approvals
    return Quorum(
        action=action_digest(advance_action(plan)),
        approvals=tuple(verified_of(opinion, force) for opinion in opinions),
        required=needed.required,
        roles=needed.roles,
        barred=barred,
    )


def verified_of(opinion: Opinion, force: InForce) -> VerifiedApproval:
    """An opinion that counts, as the ledger takes it."""
    if opinion.claims is None or opinion.fault:
        raise ValueError(f"the approval of {opinion.approver or 'nobody'} does not count: {opinion.fault}")
    return verified(opinion.claims, force.roster)


def request(
    ledger: LedgerStore, clock: Clock, inbox: AnswerBox, *, plan: Plan, document: Mapping[str, Any], actor: str
) -> tuple[Entry, ...] | Refusal:
    """Ask for the approvals of ``plan``: one entry, one file in the inbox; asking again changes nothing."""
    command = RequestApprovals(
        actor, plan.id, action_digest(advance_action(plan)), plan.from_stage, plan.to_stage, plan.expires_at
    )
    answer = ledger.transact(command, now=clock.wall())
    if not isinstance(answer, Refusal):
        inbox.ask(plan.id, document)
    return answer


def collect(
    ledger: LedgerStore, clock: Clock, signer: Signer, inbox: AnswerBox, *, force: InForce, plan: Plan, actor: str
) -> tuple[Opinion, ...]:
    """Examine and record what lies in the inbox for ``plan``. A refused answer is recorded once and set aside."""
    state = ledger.state()
    if any(intent.plan_id == plan.id for intent in state.intents.values()):
        return ()
    now = clock.wall()
    held_against = standard(force, plan, state)
    opinions = []
    for answer in inbox.answers(plan.id):
        opinion = examine(signer, force, answer.text, held_against, now)
        if opinion.fault:
            refuse(ledger, clock, actor, plan, opinion)
            inbox.set_aside(answer)
        elif opinion.rejects:
            _record_rejection(ledger, now, plan, opinion, state)
        else:
            recorded = ledger.transact(RecordApproval(actor, plan.id, verified_of(opinion, force)), now=now)
            if isinstance(recorded, Refusal):
                opinion = Opinion(opinion.approver, opinion.text, opinion.claims, opinion.checks, recorded.reason)
        opinions.append(opinion)
    return tuple(opinions)


def refuse(ledger: LedgerStore, clock: Clock, actor: str, plan: Plan, opinion: Opinion) -> None:
    """Keep that an approval was refused, and by which checks."""
    body = {
        "plan": plan.id,
        "approver": opinion.approver or "unknown",
        "action": action_digest(advance_action(plan)),
        "code": "approval",
        "reason": opinion.fault,
        "checks": [f"{check.name}: {check.detail}" for check in failed(opinion.checks)],
    } | ({"nonce": opinion.claims.nonce} if opinion.claims else {})
    ledger.transact(Record(actor, "approval-refused", body), now=clock.wall())


def _record_rejection(ledger: LedgerStore, now: datetime, plan: Plan, opinion: Opinion, state: ControlState) -> None:
    if opinion.claims and plan.id not in state.rejected:
        reason = opinion.claims.reason or "no reason given"
        ledger.transact(RejectApproval(opinion.approver, plan.id, opinion.claims.action, reason), now=now)
