"""Decide: command -> entries or Refusal, pure; it runs inside the ledger's write transaction.

Risk-reducing commands are never refused. Facts that only the world knows (signatures, Git, burn-in figures) come
inside the command; facts that the ledger knows are checked here, where nothing can change between check and record.
An empty answer means that nothing is left to do: the same decision stands already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import singledispatch
from typing import Any, Final, TypeAlias

from stages.commands import (
    Acknowledge,
    AdoptExternalChange,
    AdoptPolicy,
    AdoptRoster,
    BeginAdvance,
    BeginReduce,
    ChangeBurnIn,
    Command,
    GiveReason,
    OpenLatch,
    Quorum,
    Record,
    RecordApproval,
    RecordCommitted,
    RecordOutcome,
    RecordSettled,
    RejectApproval,
    RequestApprovals,
    Seal,
    VerifiedApproval,
)
from stages.entries import Draft
from stages.posture import Mode, join
from stages.refusal import Refusal
from stages.state import ADVANCE, REDUCE, ControlState

TERMINAL: Final = frozenset({"PASSED", "FAILED", "INCONCLUSIVE", "ABORTED"})
"""States in which a burn-in run has ended; a run ends once."""


Decision: TypeAlias = Sequence[Draft] | Refusal


def latch_key(trigger: str, cause: str, epoch: int) -> str:
    """The unique key of a latch: the same trigger and cause open once in an epoch."""
    return f"{trigger}/{cause}/{epoch}"


def decide(state: ControlState, command: Command, now: datetime) -> Decision:
    """The entries that ``command`` becomes, or the reason why it does not."""
    return _decide(command, state, now)


def denial(command: Command, refusal: Refusal) -> Draft | None:
    """The entry that keeps a refused command; None for one that leaves no trace."""
    match command:
        case BeginAdvance() | RecordApproval():
            return Draft("denied", None, None, command.actor, _why(command, refusal) | {"plan": command.plan_id})
        case AdoptPolicy() | AdoptRoster():
            return Draft("denied", None, None, command.actor, _why(command, refusal) | {"subject": command.digest})
    return None


def _why(command: Command, refusal: Refusal) -> dict[str, Any]:
    return {"command": type(command).__name__, "code": refusal.code, "reason": refusal.reason}


@singledispatch
def _decide(command: object, state: ControlState, now: datetime) -> Decision:
    raise TypeError(f"no rule decides {type(command).__name__}")


@_decide.register
def _adopt_policy(command: AdoptPolicy, state: ControlState, now: datetime) -> Decision:
    current = state.policy
    if current and current.digest == command.digest:
        return ()
    if current and command.version <= current.version:
        return Refusal("version", f"version {command.version} does not follow the adopted version {current.version}")
    if current and command.looser:
        if command.quorum is None:
            return Refusal("approval", f"it is looser ({', '.join(command.looser)}) and needs approval")
        refusal = _refuse_quorum(state, command.quorum, command.actor, now)
        if refusal:
            return refusal
    body = {
        "digest": command.digest,
        "version": command.version,
        "commit": command.commit,
        "path": command.path,
        "looser": command.looser,
    }
    return (_draft(command, "policy-adopted", body | _consumed(command.quorum)),)


@_decide.register
def _adopt_roster(command: AdoptRoster, state: ControlState, now: datetime) -> Decision:
    if state.roster and state.roster.digest == command.digest:
        return ()
    if state.roster:
        if command.quorum is None:
            return Refusal("approval", "another roster needs an approval by the roster in force")
        refusal = _refuse_quorum(state, command.quorum, command.actor, now)
        if refusal:
            return refusal
    body = {"digest": command.digest, "commit": command.commit, "path": command.path}
    return (_draft(command, "roster-adopted", body | _consumed(command.quorum)),)


@_decide.register
def _request(command: RequestApprovals, state: ControlState, now: datetime) -> Decision:
    if command.plan_id in state.requests:
        return ()
    body = {
        "plan": command.plan_id,
        "action": command.action,
        "from": command.from_stage,
        "to": command.to_stage,
        "expires": command.expires,
    }
    return (_draft(command, "plan-requested", body, stage=command.to_stage),)


@_decide.register
def _record_approval(command: RecordApproval, state: ControlState, now: datetime) -> Decision:
    approval = command.approval
    if approval.nonce in state.approvals:
        return ()
    if command.plan_id in state.rejected:
        return Refusal("rejected", f"the plan was rejected by {state.rejected[command.plan_id]}")
    body = {
        "action": approval.action,
        "plan": command.plan_id,
        "approver": approval.approver,
        "roles": approval.roles,
        "nonce": approval.nonce,
        "issued": approval.issued,
        "expires": approval.expires,
        "gateReport": approval.gate_report,
        "roster": approval.roster,
    }
    return (_draft(command, "approval-recorded", body),)


@_decide.register
def _reject(command: RejectApproval, state: ControlState, now: datetime) -> Decision:
    body = {
        "action": command.action,
        "plan": command.plan_id,
        "approver": command.actor,
        "reason": command.reason,
    }
    return (_draft(command, "approval-rejected", body),)


@_decide.register
def _begin_advance(command: BeginAdvance, state: ControlState, now: datetime) -> Decision:
    refusal = (
        _refuse_plan(state, command, now)
        or _refuse_moment(state, command)
        or _refuse_quorum(state, command.quorum, command.actor, now)
    )
    if refusal:
        return refusal
    body = {
        "act": ADVANCE,
        "plan": command.plan_id,
        "action": command.action,
        "from": command.from_stage,
        "to": command.to_stage,
        "mode": Mode.NORMAL.name,
        "market": command.market,
        "base": command.base,
        "blobs": dict(command.blobs),
        "confirmation": command.confirmation,
        "signature": command.signature,
        "authenticated": True,
    }
    draft = _draft(command, "intent", body | _consumed(command.quorum), command.to_stage, command.intent)
    return (draft,)


def _refuse_plan(state: ControlState, command: BeginAdvance, now: datetime) -> Refusal | None:
    """What is wrong with the plan itself: expired, of another epoch, policy or roster, used up, rejected."""
    if now >= command.expires:
        return Refusal("plan-expired", "the plan has expired; make it again")
    if command.epoch != state.epoch:
        return Refusal(
            "stale-epoch", f"the plan is of epoch {command.epoch}, a reduction has raised it to {state.epoch}"
        )
    if state.policy is None or command.policy != state.policy.digest:
        return Refusal("stale-policy", "the plan was made under another policy than the adopted one")
    if state.roster is None or command.roster != state.roster.digest:
        return Refusal("stale-roster", "the plan was made under another roster than the adopted one")
    if command.plan_id in state.rejected:
        return Refusal("rejected", f"the plan was rejected by {state.rejected[command.plan_id]}")
    if any(intent.plan_id == command.plan_id for intent in state.intents.values()):
        return Refusal("plan-used", "the plan was applied before; make it again")
    if not command.signature:
        return Refusal("unsigned", "raising risk needs the operator's signature; configure identity.key")
    return None


def _refuse_moment(state: ControlState, command: BeginAdvance) -> Refusal | None:
    """What stands in the way now: unknown outcomes, another act, open latches, a burn-in that does not count."""
    if state.unresolved:
        intent = state.unresolved[0]
        return Refusal(
            "outcome-unknown", f"the outcome of {intent.kind} {intent.id[:8]} is unknown; it is settled first"
        )
    if state.settling:
        intent = state.settling[0]
        return Refusal("still-settling", f"{intent.kind} to {intent.to_stage} has not been read back yet")
    posture = join(state.latches.values(), command.top)
    if posture.mode is not Mode.NORMAL or posture.cap < command.to_index:
        held = ", ".join(sorted(latch.trigger for latch in state.latches.values()))
        return Refusal("posture", f"the posture is {posture.mode.name}, held by {held}")
    run = state.runs.get(command.from_stage)
    if command.burn_in_run and (run is None or run.run != command.burn_in_run or run.state != "PASSED"):
        return Refusal("burn-in", f"the burn-in of {command.from_stage} that the plan rests on no longer counts")
    return None


def _refuse_quorum(state: ControlState, quorum: Quorum, actor: str, now: datetime) -> Refusal | None:
    """Whether the approvals suffice: single use, unexpired, for this action, by enough people in their roles."""
    for approval in quorum.approvals:
        fault = _approval_fault(state, quorum, approval, now)
        if fault:
            return Refusal("approval", f"the approval of {approval.approver} {fault}")
    people = {approval.approver: frozenset(approval.roles) for approval in quorum.approvals}
    if len(people) < quorum.required:
        return Refusal("approval", f"{len(people)} of {quorum.required} approvals")
    seats = [role for role, count in sorted(quorum.roles.items()) for _ in range(count)]
    if not _seated(seats, people):
        return Refusal("approval", f"the approvals do not fill the roles {', '.join(seats)}")
    if set(people) == {actor}:
        return Refusal("approval", f"{actor} types the confirmation and cannot be the only approver")
    return None


def _approval_fault(state: ControlState, quorum: Quorum, approval: VerifiedApproval, now: datetime) -> str:
    if approval.nonce in state.consumed:
        return "was used before"
    if approval.nonce in state.revoked:
        return "was revoked"
    if now >= approval.expires:
        return "has expired"
    if approval.action != quorum.action:
        return "is for another action"
    if state.roster and approval.roster != state.roster.digest:
        return "was given under another roster"
    if approval.approver in quorum.barred:
        return "does not count: who asks for or wrote a change cannot approve it"
    return ""


def _seated(seats: Sequence[str], people: Mapping[str, frozenset[str]]) -> bool:
    """Whether every role can be filled by a person of its own."""
    if not seats:
        return True
    first, rest = seats[0], seats[1:]
    return any(
        _seated(rest, {name: roles for name, roles in people.items() if name != chosen})
        for chosen, held in people.items()
        if first in held
    )


@_decide.register
def _begin_reduce(command: BeginReduce, state: ControlState, now: datetime) -> Decision:
    running = state.reducing
    same = running and (running.to_stage, running.mode) == (command.to_stage, command.mode)
    if command.automatic and same:
        return ()
    body = {
        "act": REDUCE,
        "from": command.from_stage,
        "to": command.to_stage,
        "mode": command.mode.name,
        "market": command.market,
        "cause": command.cause,
        "automatic": command.automatic,
        "latches": sorted(state.latches),
        "authenticated": command.authenticated,
    }
    return (Draft("intent", command.to_stage, command.intent, command.actor, body, epoch=state.epoch + 1),)


@_decide.register
def _record_committed(command: RecordCommitted, state: ControlState, now: datetime) -> Decision:
    return (_draft(command, "committed", {"sha": command.sha, "tree": command.tree}, intent=command.intent),)


@_decide.register
def _record_outcome(command: RecordOutcome, state: ControlState, now: datetime) -> Decision:
    intent = state.intents.get(command.intent)
    if intent and not intent.unresolved:
        return ()
    if intent and intent.outcome == "unknown" == command.outcome:
        return ()
    body = {"outcome": command.outcome, "sha": command.sha, "message": command.message}
    return (_draft(command, "outcome", body, intent=command.intent),)


@_decide.register
def _record_settled(command: RecordSettled, state: ControlState, now: datetime) -> Decision:
    intent = state.intents.get(command.intent)
    if intent and intent.settled:
        return ()
    kind = "converged" if command.converged else "diverged"
    return (_draft(command, kind, {"sha": command.sha, "detail": command.detail}, intent=command.intent),)


@_decide.register
def _open_latch(command: OpenLatch, state: ControlState, now: datetime) -> Decision:
    key = latch_key(command.trigger, command.cause, state.epoch)
    if key in state.keys_used or state.open_latch(command.trigger, command.cause):
        return ()
    cap = command.cap
    body = {
        "key": key,
        "trigger": command.trigger,
        "cause": command.cause,
        "mode": command.mode.name,
        "cap": None if cap is None else max(0, command.effective - 1) if cap == "-1" else int(cap),
        "evidence": command.evidence,
        "clearRoles": command.clear_roles,
    }
    return (_draft(command, "latch-opened", body, stage=command.stage),)


@_decide.register
def _change_burn_in(command: ChangeBurnIn, state: ControlState, now: datetime) -> Decision:
    run = state.runs.get(command.stage)
    if run and run.run == command.run and (run.state == command.state or run.state in TERMINAL - {"PASSED"}):
        return ()
    body = {
        "run": command.run,
        "state": command.state,
        "started": command.started,
        "market": command.market,
        "reason": command.reason,
        "figures": dict(command.figures),
    }
    return (_draft(command, "burn-in", body, stage=command.stage),)


@_decide.register
def _seal(command: Seal, state: ControlState, now: datetime) -> Decision:
    if command.last <= state.last_seal:
        return ()
    body = {
        "from": command.first,
        "through": command.last,
        "count": command.ticks,
        "ticks": command.digest,
        "accumulators": command.accumulators,
        "phase": command.phase,
    }
    return (_draft(command, "seal", body),)


@_decide.register
def _acknowledge(command: Acknowledge, state: ControlState, now: datetime) -> Decision:
    if command.alarm in state.acknowledged:
        return ()
    return (_draft(command, "acknowledged", {"alarm": command.alarm, "text": command.text}),)


@_decide.register
def _give_reason(command: GiveReason, state: ControlState, now: datetime) -> Decision:
    body = {"subject": command.intent, "text": command.reason}
    return (_draft(command, "reason", body, intent=command.intent),)


@_decide.register
def _external_change(command: AdoptExternalChange, state: ControlState, now: datetime) -> Decision:
    if state.external_head == command.head:
        return ()
    body = {"witness": "git", "head": command.head, "author": command.author, "detail": command.detail}
    return (_draft(command, "external-change", body),)


@_decide.register
def _record(command: Record, state: ControlState, now: datetime) -> Decision:
    return (_draft(command, command.kind, command.body, stage=command.stage, intent=command.intent),)


def _draft(
    command: Command, kind: str, body: Mapping[str, Any], stage: str | None = None, intent: str | None = None
) -> Draft:
    return Draft(kind, stage, intent, command.actor, body)


def _consumed(quorum: Quorum | None) -> dict[str, Any]:
    return {"approvals": [approval.nonce for approval in quorum.approvals]} if quorum else {}
