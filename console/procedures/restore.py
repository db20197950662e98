"""Restore: out of KILLED to the lowest stage, approved; the way that an advance goes, and then the venue is let go.

The intent uses the approvals up and ends what killed. The venue is unblocked only after the branch holds the lowest
stage, so that whatever the runtime runs meanwhile is the kill or the lowest stage and nothing above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from console.approvals import InForce
from console.ports import Clock, LedgerStore, Repository, RunningActs, Signer, Venue
from stages.authority import Action, action_digest
from stages.commands import BeginRestore, Quorum, Record, RecordCommitted, RecordOutcome
from stages.plan import Plan, build
from stages.posture import Mode
from stages.refusal import Refusal, Trouble
from stages.staleness import APPROVED_TRAILER, EPOCH_TRAILER, LEDGER_TRAILER, MODE_TRAILER, STAGE_TRAILER

TRIES: Final = 5
"""How often a commit is made anew because the branch moved meanwhile."""


@dataclass(frozen=True, slots=True)
class RestorePorts:
    """What a restore uses of the world."""

    ledger: LedgerStore
    repository: Repository
    venue: Venue | None
    signer: Signer
    clock: Clock
    running: RunningActs


@dataclass(frozen=True, slots=True)
class Facts:
    """What the newest look says: the mode that the manifests hold, and what a restore needs to be so."""

    standing: Mode
    reconciled: bool
    positions_known: bool
    waits: tuple[str, ...] = ()
    """What the causes of the kill still wait for."""


@dataclass(frozen=True, slots=True)
class Restored:
    """``outcome``: refused, pushed, rejected, abandoned or unknown. ``venue`` tells what became of its block."""

    outcome: str
    message: str = ""
    intent: str = ""
    sha: str = ""
    venue: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who restores by which approvals; ``intent`` is a new identifier."""

    intent: str
    actor: str
    action: Action
    quorum: Quorum
    confirmation: str


def restore(ports: RestorePorts, force: InForce, wish: Wish, facts: Facts) -> Restored:
    """Carry a restore out. A refusal is a value and an entry; Trouble means that nothing was begun."""
    state, head = ports.ledger.state(), ports.repository.fetch()
    plan = _plan(ports, force, wish, head, state.epoch + 1)
    if plan.refusals:
        return Restored("refused", f"it cannot be carried out: {plan.refusals[0]}")
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
        signature=_signature(ports.signer, force, wish),
    )
    with ports.running.hold(wish.intent):
        begun = ports.ledger.transact(command, now=now)
        if isinstance(begun, Refusal):
            return Restored("refused", begun.reason)
        done = _publish(ports, force, wish, plan, head)
        ports.ledger.transact(
            RecordOutcome(wish.actor, wish.intent, done.outcome, done.sha, done.message), now=ports.clock.wall()
        )
        if done.outcome not in ("pushed", "unchanged"):
            return done
        return Restored(done.outcome, done.message, done.intent, done.sha, _let_go(ports, wish))


def _signature(signer: Signer, force: InForce, wish: Wish) -> str:
    """The operator's own signature; raising risk is never anonymous. Raises Trouble."""
    message = action_digest(wish.action).encode()
    signature = signer.sign(message)
    who = signer.verify(message, signature, force.signers)
    if who != wish.actor:
        whose = f"belongs to {who}" if who else "is nobody's among the allowed signers"
        raise Trouble(f"you act as {wish.actor}, but your key {whose}", fix="correct identity")
    return signature


def _plan(ports: RestorePorts, force: InForce, wish: Wish, head: str, epoch: int) -> Plan:
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


def _publish(ports: RestorePorts, force: InForce, wish: Wish, plan: Plan, head: str) -> Restored:
    """Commit on the checked head and push; when the branch moved: fetch, plan and commit again."""
    sha = ""
    try:
        for _ in range(TRIES):
            if not plan.contents:
                return Restored("unchanged", "the manifests say this already", wish.intent, head)
            sha = ports.repository.commit(head, plan.contents, _message(force, plan), _trailers(ports, wish, plan))
            ports.ledger.transact(RecordCommitted(wish.actor, wish.intent, sha), now=ports.clock.wall())
            if ports.ledger.state().epoch != plan.epoch:
                return Restored("abandoned", "a reduction began meanwhile", wish.intent, sha)
            pushed = ports.repository.push(sha, head)
            if pushed.outcome != "moved":
                return Restored(pushed.outcome, pushed.message, wish.intent, sha)
            before, head = head, ports.repository.fetch()
            if _reduced_elsewhere(ports.repository, before, head):
                return Restored("abandoned", "a reduction reached the branch meanwhile", wish.intent, sha)
            plan = _plan(ports, force, wish, head, plan.epoch)
    except Trouble as trouble:
        return Restored("unknown" if sha else "abandoned", trouble.line, wish.intent, sha)
    return Restored("abandoned", f"the branch moved {TRIES} times", wish.intent, sha)


def _reduced_elsewhere(repository: Repository, before: str, head: str) -> bool:
    """Whether a commit of this program reached the branch: whoever made it, it is not overwritten."""
    return any(EPOCH_TRAILER in commit.trailers for commit in repository.log(before, head))


def _message(force: InForce, plan: Plan) -> str:
    lines = [f"{one.control}: {one.before} -> {one.after}" for one in plan.changes if one.before != one.after]
    return f"Restore {force.policy.name} to {plan.to_stage}\n\n" + "\n".join(lines)


def _trailers(ports: RestorePorts, wish: Wish, plan: Plan) -> Sequence[tuple[str, str]]:
    newest, state = ports.ledger.head(), ports.ledger.state()
    return (
        (EPOCH_TRAILER, str(plan.epoch)),
        (STAGE_TRAILER, plan.to_stage),
        (MODE_TRAILER, Mode.NORMAL.name),
        (APPROVED_TRAILER, ", ".join(one.approver for one in wish.quorum.approvals)),
        (LEDGER_TRAILER, f"{state.ledger} {newest.seq} {newest.hash}"),
    )


def _let_go(ports: RestorePorts, wish: Wish) -> str:
    """Have the venue take orders again; what it says."""
    if ports.venue is None:
        return ""
    try:
        ports.venue.unblock()
        said = "the venue takes orders again"
    except Trouble as trouble:
        said = f"the venue was not let go: {trouble.line}"
    ports.ledger.transact(
        Record(wish.actor, "note", {"text": said, "subject": "venue unblock"}, intent=wish.intent),
        now=ports.clock.wall(),
    )
    return said
