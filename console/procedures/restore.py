"""Restore: out of KILLED to the lowest stage, approved; the way that an advance goes, and then the venue is let go.

The intent uses the approvals up and ends what killed.
"""

from __future__ import annotations

from functools import partial

from console.approvals import InForce
from console.way_back import Journey, Returned, ReturnPorts, refuse, sign, travel
from stages.authority import Action
from stages.commands import BeginRestore, Quorum
from stages.plan import Plan, build
from stages.posture import Mode
from stages.refusal import Refusal
from stages.value import Struct


class Facts(Struct, frozen=True):
    """What the newest look says: the mode that the manifests hold, and what a restore needs to be so."""

    standing: Mode
    reconciled: bool
    positions_known: bool
    waits: tuple[str, ...] = ()
    """What the causes of the kill still wait for."""


class Wish(Struct, frozen=True):
    """Who restores by which approvals; ``intent`` is a new identifier."""

    intent: str
    actor: str
    action: Action
    quorum: Quorum
    confirmation: str


def restore(ports: ReturnPorts, force: InForce, wish: Wish, facts: Facts) -> Returned:
    """Carry a restore out. A refusal is a value and an entry; Trouble means that nothing was begun."""
    state, head = ports.ledger.state(), ports.repository.fetch()
    again = partial(_plan, ports, force, wish, state.epoch + 1)
    plan = again(head)
    if plan.refusals:
        return refuse(ports, wish.actor, "restore", Refusal("plan", f"it cannot be carried out: {plan.refusals[0]}"))
    newest, now = state.last_pushed, ports.clock.wall()
    command = BeginRestore(
        actor=wish.actor,
        intent=wish.intent,
        from_stage=newest.to_stage if newest else plan.to_stage,
        to_stage=plan.to_stage,
        to_index=0,
        market=ports.clock.market(now),
        epoch=state.epoch,
        policy=force.policy_digest,
        roster=force.roster_digest,
        quorum=wish.quorum,
        standing=facts.standing,
        gone=not facts.waits,
        reconciled=facts.reconciled,
        positions_known=facts.positions_known,
        why=facts.waits,
        blobs={edit.path: edit.blob_after for edit in plan.edits},
        base=head,
        confirmation=wish.confirmation,
        signature=sign(ports.signer, force, wish.actor, wish.action),
    )
    approvers = tuple(one.approver for one in wish.quorum.approvals)
    trip = Journey(wish.intent, wish.actor, "Restore", 0, Mode.NORMAL, state.epoch + 1, approvers)
    with ports.running.hold(wish.intent):
        begun = ports.ledger.transact(command, now=now)
        if isinstance(begun, Refusal):
            return Returned("refused", begun.reason)
        return travel(ports, force, trip, plan, again, unblock=True)


def _plan(ports: ReturnPorts, force: InForce, wish: Wish, epoch: int, head: str) -> Plan:
    return build(
        force.policy,
        policy_digest=force.policy_digest,
        roster_digest=force.roster_digest,
        read=partial(ports.repository.read, head),
        base_commit=head,
        epoch=epoch,
        to_stage=0,
        created_by=wish.actor,
        now=ports.clock.wall(),
        blob_id=ports.repository.blob_id,
    )
