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

from stages import incidents, releases, runs
from stages.commands import (
    Acknowledge,
    AdoptExternalChange,
    AdoptPolicy,
    AdoptRoster,
    BeginAdvance,
    BeginReduce,
    BeginRestore,
    BeginResume,
    ChangeBurnIn,
    ClearLatch,
    Command,
    DeclareIncident,
    Explain,
    ExtendBurnIn,
    GiveReason,
    Note,
    OpenLatch,
    PermitReduce,
    Rebase,
    Record,
    RecordApproval,
    RecordCommitted,
    RecordOutcome,
    RecordSettled,
    RejectApproval,
    RequestApprovals,
    ResolveIncident,
    RevokeApproval,
    Seal,
    WaiveBurnIn,
)
from stages.entries import Draft
from stages.facts import ADVANCE, REDUCE
from stages.latching import latch_draft, latch_key
from stages.posture import Mode, join
from stages.quorum import consumed, refuse_quorum
from stages.refusal import Refusal
from stages.releases import MANUAL_KILL
from stages.runs import TERMINAL
from stages.state import ControlState

__all__ = ["MANUAL_KILL", "TERMINAL", "Decision", "decide", "denial", "latch_key"]

Decision: TypeAlias = Sequence[Draft] | Refusal

RISK: Final = "risk"
"""The role that may take back anybody's approval."""


def decide(state: ControlState, command: Command, now: datetime) -> Decision:
    """The entries that ``command`` becomes, or the reason why it does not."""
    return _decide(command, state, now)


def denial(command: Command, refusal: Refusal) -> Draft | None:
    """The entry that keeps a refused command; None for one that leaves no trace."""
    match command:
        case BeginAdvance() | RecordApproval():
            return Draft("denied", None, None, command.actor, _why(command, refusal) | {"plan": command.plan_id})
        case ClearLatch():
            why = _why(command, refusal) | {"key": command.key}
            return Draft("latch-clear-refused", None, None, command.actor, why)
        case BeginRestore():
            why = _why(command, refusal) | {"key": MANUAL_KILL}
            return Draft("latch-clear-refused", None, None, command.actor, why)
        case BeginResume() | PermitReduce() | ExtendBurnIn() | WaiveBurnIn() | Explain() | RevokeApproval():
            return Draft("denied", None, None, command.actor, _why(command, refusal))
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
        refusal = refuse_quorum(state, command.quorum, command.actor, now)
        if refusal:
            return refusal
    body = {
        "digest": command.digest,
        "version": command.version,
        "commit": command.commit,
        "path": command.path,
        "looser": command.looser,
    }
    return (_draft(command, "policy-adopted", body | consumed(command.quorum)),)


@_decide.register
def _adopt_roster(command: AdoptRoster, state: ControlState, now: datetime) -> Decision:
    if state.roster and state.roster.digest == command.digest:
        return ()
    if state.roster:
        if command.quorum is None:
            return Refusal("approval", "another roster needs an approval by the roster in force")
        refusal = refuse_quorum(state, command.quorum, command.actor, now)
        if refusal:
            return refusal
    body = {"digest": command.digest, "commit": command.commit, "path": command.path}
    return (_draft(command, "roster-adopted", body | consumed(command.quorum)),)


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
def _revoke(command: RevokeApproval, state: ControlState, now: datetime) -> Decision:
    if command.nonce in state.revoked:
        return ()
    if command.nonce in state.consumed:
        return Refusal("approval", "it was used already; roll back what it let in")
    known = state.approvals.get(command.nonce)
    approver, subject = (known.approver, known.subject) if known else (command.approver, command.plan_id)
    if command.actor != approver and RISK not in command.roles:
        return Refusal("role", f"{command.actor} did not give it and is not {RISK}")
    body = {"plan": subject, "approver": approver, "nonce": command.nonce, "reason": command.reason}
    return (_draft(command, "approval-revoked", body),)


@_decide.register
def _begin_advance(command: BeginAdvance, state: ControlState, now: datetime) -> Decision:
    refusal = (
        _refuse_plan(state, command, now)
        or _refuse_moment(state, command)
        or refuse_quorum(state, command.quorum, command.actor, now)
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
        "expires": command.expires,
        "blobs": dict(command.blobs),
        "confirmation": command.confirmation,
        "signature": command.signature,
        "authenticated": True,
    }
    draft = _draft(command, "intent", body | consumed(command.quorum), command.to_stage, command.intent)
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
    if state.awaiting:
        intent = state.awaiting[0]
        return Refusal(
            "awaits-merge", f"{intent.kind} to {intent.to_stage} waits for the merge of its branch {intent.branch}"
        )
    if state.settling:
        intent = state.settling[0]
        return Refusal("still-settling", f"{intent.kind} to {intent.to_stage} has not been read back yet")
    posture = join(state.latches.values(), command.top)
    if posture.mode is not Mode.NORMAL or posture.cap < command.to_index:
        held = ", ".join(sorted(latch.trigger for latch in state.latches.values()))
        return Refusal("posture", f"the posture is {posture.mode.words}, held by {held}")
    run = state.runs.get(command.from_stage)
    if command.burn_in_run and (run is None or run.run != command.burn_in_run or run.state != "PASSED"):
        return Refusal("burn-in", f"the burn-in of {command.from_stage} that the plan rests on no longer counts")
    return None


@_decide.register
def _begin_reduce(command: BeginReduce, state: ControlState, now: datetime) -> Decision:
    if command.intent in state.intents:
        return ()
    running = state.reducing
    same = running and (running.to_stage, running.mode) == (command.to_stage, command.mode)
    if command.automatic and same:
        return ()
    kill = releases.kill_latch(command, state, now)
    body = {
        "act": REDUCE,
        "from": command.from_stage,
        "to": command.to_stage,
        "mode": command.mode.name,
        "market": command.market,
        "cause": command.cause,
        "automatic": command.automatic,
        "latches": sorted([*state.latches, *([kill.body["key"]] if kill else [])]),
        "authenticated": command.authenticated,
    }
    intent = Draft("intent", command.to_stage, command.intent, command.actor, body, epoch=state.epoch + 1)
    return (kill, intent) if kill else (intent,)


@_decide.register
def _record_committed(command: RecordCommitted, state: ControlState, now: datetime) -> Decision:
    body = {"sha": command.sha, "tree": command.tree} | ({"branch": command.branch} if command.branch else {})
    return (_draft(command, "committed", body, intent=command.intent),)


@_decide.register
def _record_outcome(command: RecordOutcome, state: ControlState, now: datetime) -> Decision:
    intent = state.intents.get(command.intent)
    if intent and not intent.unresolved and not intent.awaited:
        return ()
    if intent and intent.outcome and command.outcome == "unknown":
        return ()
    if intent and intent.awaited and (command.outcome, command.branch) == ("proposed", intent.branch):
        return ()
    body: dict[str, Any] = {"outcome": command.outcome, "sha": command.sha, "message": command.message}
    body |= {"branch": command.branch} if command.branch else {}
    body |= {"market": command.market} if command.market else {}
    body |= {"refused": command.refused} if command.refused else {}
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
    draft = latch_draft(command, state, now)
    return (draft,) if draft else ()


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
def _explain(command: Explain, state: ControlState, now: datetime) -> Decision:
    return releases.explain(command, state)


@_decide.register
def _note(command: Note, state: ControlState, now: datetime) -> Decision:
    return (_draft(command, "note", {"text": command.text, "subject": command.subject}),)


@_decide.register
def _rebase(command: Rebase, state: ControlState, now: datetime) -> Decision:
    known = state.baselines.get(command.name)
    if known is not None and command.session <= known.session:
        return ()
    body = {
        "name": command.name,
        "value": command.value,
        "unit": command.unit,
        "session": command.session.isoformat(),
        "market": command.market,
    }
    return (_draft(command, "baseline", body),)


@_decide.register
def _give_reason(command: GiveReason, state: ControlState, now: datetime) -> Decision:
    latch = state.latch_meant(command.intent)
    body = {"subject": latch.key if latch else command.intent, "text": command.reason}
    return (_draft(command, "reason", body, intent=None if latch else command.intent),)


@_decide.register
def _external_change(command: AdoptExternalChange, state: ControlState, now: datetime) -> Decision:
    if state.external_head == command.head:
        return ()
    body = {"witness": "git", "head": command.head, "author": command.author, "detail": command.detail}
    return (_draft(command, "external-change", body),)


_decide.register(ClearLatch)(releases.clear)
_decide.register(BeginRestore)(releases.restore)
_decide.register(PermitReduce)(releases.permit)
_decide.register(DeclareIncident)(incidents.declare)
_decide.register(WaiveBurnIn)(runs.waive)


@_decide.register
def _change_burn_in(command: ChangeBurnIn, state: ControlState, now: datetime) -> Decision:
    return runs.change(command, state)


@_decide.register
def _extend(command: ExtendBurnIn, state: ControlState, now: datetime) -> Decision:
    return runs.extend(command, state)


@_decide.register
def _resume(command: BeginResume, state: ControlState, now: datetime) -> Decision:
    return releases.resume(command, state)


@_decide.register
def _resolve(command: ResolveIncident, state: ControlState, now: datetime) -> Decision:
    return incidents.resolve(command, state)


@_decide.register
def _record(command: Record, state: ControlState, now: datetime) -> Decision:
    return (_draft(command, command.kind, command.body, stage=command.stage, intent=command.intent),)


def _draft(
    command: Command, kind: str, body: Mapping[str, Any], stage: str | None = None, intent: str | None = None
) -> Draft:
    return Draft(kind, stage, intent, command.actor, body)
