"""Releases: what ends a latch, and how risk comes back after it: clear, restore, resume, and permits under a halt.

A clear needs the cause gone and the people whom the latch itself names. It raises the epoch, so that the same cause can
latch again and every plan from before it is stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from stages.by_hand import BeginRestore, BeginResume, ClearLatch, Explain, PermitReduce
from stages.commands import BeginReduce
from stages.entries import Draft
from stages.facts import RESTORE, RESUME
from stages.latching import OpenLatch, latch_draft
from stages.posture import Latch, Mode, join
from stages.quorum import Quorum, consumed, refuse_quorum
from stages.refusal import Refusal
from stages.state import ControlState
from stages.value import replace

MANUAL_KILL: Final = "manual-kill"
"""Name of the latch that a kill by hand opens; only a restore ends it."""
MANUAL_BLOCK: Final = "manual-block"
"""A person had the venue refuse new orders."""

ALONE: Final = "killed by hand without a policy"
"""The cause of a kill that reached the venue alone: Git follows as soon as an acting watch hears of it."""

RESTORE_APPROVALS: Final = 2
RESTORE_ROLES: Final = {"risk": 1}
"""Approved by two, one of them risk (semantics 2.1)."""

RESUME_ROLES: Final = ("operator", "trader")
"""Who may lift what nothing asks for any more; who may end the latches before it is each latch's own rule."""


def clear(command: ClearLatch, state: ControlState, now: datetime) -> Sequence[Draft] | Refusal:
    """The end of one latch, or why not."""
    latch = state.latches.get(command.key)
    if latch is None:
        return () if command.by_itself else Refusal("no-latch", f"no open latch has the key {command.key}")
    if latch.killed:
        return Refusal("restore-only", f"{latch.trigger} killed: only a restore ends it")
    if not command.gone:
        return Refusal("not-gone", command.why or "its cause lasts")
    refusal = _refuse_people(command, latch, state, now)
    if refusal:
        return refusal
    return (_cleared(command.actor, latch, state.epoch + 1, command),)


def _refuse_people(command: ClearLatch, latch: Latch, state: ControlState, now: datetime) -> Refusal | None:
    rule = latch.rule
    if command.by_itself:
        return None if rule.itself else Refusal("role", f"{latch.trigger} does not end by itself")
    if (rule.explain or not rule.gone) and not command.explanation.strip():
        return Refusal("explanation", f"{latch.trigger} is cleared with an explanation of what it was")
    named = " and ".join(latch.clear_roles) if rule.each else " or ".join(latch.clear_roles)
    if not rule.approval:
        right = set(command.roles) & set(latch.clear_roles)
        return None if right else Refusal("role", f"{command.actor} is not {named}, who may clear {latch.trigger}")
    if command.quorum is None:
        return Refusal("approval", f"clearing {latch.trigger} needs the approval of {named}")
    return refuse_quorum(state, clear_quorum(latch, command.quorum), command.actor, now)


def clear_quorum(latch: Latch, quorum: Quorum) -> Quorum:
    """``quorum`` held to what the latch asks for: every role by a person of its own, or any one of them."""
    if latch.rule.each:
        seats = dict.fromkeys(latch.clear_roles, 1)
        return replace(quorum, required=len(seats), roles=seats)
    people = [one for one in quorum.approvals if set(one.roles) & set(latch.clear_roles)]
    return replace(quorum, approvals=tuple(people), required=1, roles={})


def restore_quorum(quorum: Quorum) -> Quorum:
    """``quorum`` held to what a restore asks for at least."""
    required = max(RESTORE_APPROVALS, quorum.required)
    return replace(quorum, required=required, roles={**RESTORE_ROLES, **quorum.roles})


def _cleared(actor: str, latch: Latch, epoch: int, command: ClearLatch | None = None) -> Draft:
    body: dict[str, object] = {"key": latch.key, "trigger": latch.trigger, "cause": latch.cause}
    if command is not None:
        body |= {"evidence": command.evidence, "reason": command.explanation, "itself": command.by_itself}
        body |= consumed(command.quorum)
    return Draft("latch-cleared", None, None, actor, body, epoch=epoch)


def restore(command: BeginRestore, state: ControlState, now: datetime) -> Sequence[Draft] | Refusal:
    """The intent of the way back from KILLED with the latches that it ends, or why not."""
    killing = [latch for latch in state.latches.values() if latch.killed]
    refusal = (
        _refuse_restore(command, state, killing)
        or _refuse_risk(state, command)
        or refuse_quorum(state, restore_quorum(command.quorum), command.actor, now)
    )
    if refusal:
        return refusal
    epoch = state.epoch + 1
    body = {
        "act": RESTORE,
        "from": command.from_stage,
        "to": command.to_stage,
        "mode": Mode.NORMAL.name,
        "market": command.market,
        "latches": sorted(latch.key for latch in killing),
        "policy": command.policy,
        "roster": command.roster,
        "base": command.base,
        "blobs": dict(command.blobs),
        "confirmation": command.confirmation,
        "signature": command.signature,
        "authenticated": True,
    }
    intent = Draft("intent", command.to_stage, command.intent, command.actor, body | consumed(command.quorum), epoch)
    return (intent, *(_cleared(command.actor, latch, epoch) for latch in killing))


def _refuse_restore(command: BeginRestore, state: ControlState, killing: Sequence[Latch]) -> Refusal | None:
    if not killing and command.standing is not Mode.KILLED:
        return Refusal("not-killed", "nothing is killed")
    if command.to_index != 0:
        return Refusal("order", f"a restore leads to the lowest stage, not to {command.to_stage}")
    missing = list(command.why) if not command.gone else []
    if not command.gone and not missing:
        missing.append("its cause lasts")
    if not command.reconciled:
        missing.append("reconciliation is not clean")
    if not command.positions_known:
        missing.append("positions are not known")
    if missing:
        return Refusal("not-gone", "; ".join(missing))
    others = join((latch for latch in state.latches.values() if not latch.killed), 0)
    if others.mode > Mode.FROZEN:
        held = ", ".join(sorted(one.trigger for one in state.latches.values() if not one.killed))
        return Refusal("posture", f"{held} still asks for {others.mode.words}; it is cleared first")
    return _refuse_texts(state, command)


def resume(command: BeginResume, state: ControlState) -> Sequence[Draft] | Refusal:
    """The intent of lifting a mode that nothing asks for any more, or why not."""
    refusal = refuse_resume(command, state) or _refuse_risk(state, command)
    if refusal:
        return refusal
    body = {
        "act": RESUME,
        "from": command.stage,
        "to": command.stage,
        "mode": command.mode.name,
        "market": command.market,
        "policy": command.policy,
        "roster": command.roster,
        "base": command.base,
        "blobs": dict(command.blobs),
        "confirmation": command.confirmation,
        "signature": command.signature,
        "authenticated": True,
    }
    return (Draft("intent", command.stage, command.intent, command.actor, body),)


def refuse_resume(command: BeginResume, state: ControlState) -> Refusal | None:
    """Why the mode stays, whoever signs; None when it may be lifted. A dry run asks this alone."""
    if command.standing is Mode.KILLED:
        return Refusal("restore-only", "only a restore leads back from KILLED")
    held = overtaken(state, command.mode, command.stage_index, command.top)
    if held:
        return Refusal("posture", held)
    if command.mode >= command.standing and not command.unblock:
        asking = ", ".join(sorted(one.trigger for one in state.latches.values() if one.mode > Mode.FROZEN))
        if asking:
            return Refusal("posture", f"{asking} still asks for {command.mode.words}; it is cleared first")
        return Refusal("order", f"there is nothing to lift: Git holds {command.stage} {command.standing.words}")
    if command.stage_index > command.approved:
        return Refusal("order", f"Git stands at {command.stage}, above what was last carried out; roll back first")
    if not set(command.roles) & set(RESUME_ROLES):
        return Refusal("role", f"{command.actor} is not {' or '.join(RESUME_ROLES)}, who may resume")
    return _refuse_texts(state, command) or _refuse_awaiting(state)


def overtaken(state: ControlState, mode: Mode, stage: int, top: int) -> str:
    """What is held that ``mode`` at the stage with this index would exceed, in words; empty when nothing is."""
    posture = join(state.latches.values(), top)
    allowed = posture.mode if posture.mode > Mode.FROZEN else Mode.NORMAL
    if mode >= allowed and stage <= posture.cap:
        return ""
    held = ", ".join(sorted(latch.trigger for latch in state.latches.values()))
    return f"the posture is {posture.mode.words}, held by {held}"


def _refuse_texts(state: ControlState, command: BeginRestore | BeginResume) -> Refusal | None:
    if state.policy is None or command.policy != state.policy.digest:
        return Refusal("stale-policy", "asked under another policy than the adopted one")
    if state.roster is None or command.roster != state.roster.digest:
        return Refusal("stale-roster", "asked under another roster than the adopted one")
    return None


def _refuse_risk(state: ControlState, command: BeginRestore | BeginResume) -> Refusal | None:
    """What stands against any act that raises risk: an older epoch, unknown outcomes, no signature."""
    if command.epoch != state.epoch:
        return Refusal("stale-epoch", f"asked in epoch {command.epoch}, now is {state.epoch}")
    if state.unresolved:
        intent = state.unresolved[0]
        return Refusal("outcome-unknown", f"the outcome of {intent.kind} {intent.id[:8]} is unknown")
    if awaits := _refuse_awaiting(state):
        return awaits
    if not command.signature:
        return Refusal("unsigned", "raising risk needs the operator's signature; configure identity.key")
    return None


def _refuse_awaiting(state: ControlState) -> Refusal | None:
    for intent in state.awaiting:
        return Refusal("awaits-merge", f"{intent.kind} to {intent.to_stage} waits for the merge of {intent.branch}")
    return None


def permit(command: PermitReduce, state: ControlState, now: datetime) -> Sequence[Draft] | Refusal:
    """An exception for one symbol while no order may go out, or why not."""
    if command.quantity <= 0:
        return Refusal("quantity", f"a permit of {command.quantity} closes nothing")
    if command.until <= now or command.until - now > command.longest:
        return Refusal("life", f"a permit lasts at most {int(command.longest.total_seconds() // 60)} min")
    if join(state.latches.values(), 0).mode < Mode.HALTED:
        return Refusal("not-halted", "orders that reduce are not stopped; no permit is needed")
    body = {
        "permit": command.permit,
        "symbol": command.symbol,
        "quantity": command.quantity,
        "until": command.until,
        "reason": command.reason,
        "authenticated": command.authenticated,
    }
    return (Draft("permit", None, None, command.actor, body),)


def kill_latch(command: BeginReduce, state: ControlState, now: datetime) -> Draft | None:
    """A kill by hand holds until it is restored; one that follows from a latch is held by that."""
    if command.automatic or command.mode is not Mode.KILLED:
        return None
    latch = OpenLatch(
        actor=command.actor,
        trigger=MANUAL_KILL,
        cause="killed by hand",
        evidence=command.cause or f"by {command.actor}",
        mode=Mode.KILLED,
        cap="0",
        effective=0,
        stage=command.to_stage,
        clear_roles=("risk",),
        market=command.market,
    )
    return latch_draft(latch, state, now, epoch=state.epoch + 1)


def lone_kill_latch(actor: str, state: ControlState, market: datetime) -> OpenLatch:
    """What a kill holds where no policy is known, so that no stage can be named for Git to go down to."""
    newest = state.last_pushed
    return OpenLatch(
        actor=actor,
        trigger=MANUAL_KILL,
        cause=ALONE,
        evidence=f"by {actor}",
        mode=Mode.KILLED,
        cap="0",
        effective=0,
        stage=newest.to_stage if newest else "",
        clear_roles=("risk",),
        market=market,
    )


def block_latch(actor: str, state: ControlState, market: datetime) -> OpenLatch:
    """What a block by hand holds: no new orders, until trader and risk clear it."""
    newest = state.last_pushed
    return OpenLatch(
        actor=actor,
        trigger=MANUAL_BLOCK,
        cause="blocked by hand",
        evidence=f"by {actor}",
        mode=Mode.HALTED,
        cap=None,
        effective=0,
        stage=newest.to_stage if newest else "",
        clear_roles=("trader", "risk"),
        market=market,
    )


def explain(command: Explain, state: ControlState) -> Sequence[Draft] | Refusal:
    """What a break in the books was, said by somebody who may clear what it holds."""
    latch = state.latches.get(command.key)
    if latch is None:
        return Refusal("no-latch", f"no open latch has the key {command.key}")
    if not set(command.roles) & set(latch.clear_roles):
        return Refusal("role", f"{command.actor} is not {' or '.join(latch.clear_roles)}")
    body = {"text": command.text, "subject": command.key, "explains": True}
    return (Draft("note", None, None, command.actor, body),)
