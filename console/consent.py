"""Consent: the approvals of an action that is no plan: asked for, gathered, examined one by one, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.approvals import AnswerBox, InForce, Opinion, examine, verified_of
from console.ports import Clock, LedgerStore, Signer
from stages.asking import Asked, to_document
from stages.authority import Action, Standard, action_digest, environment_fingerprint, failed
from stages.commands import Quorum, Record, RequestApprovals
from stages.refusal import Refusal, Trouble
from stages.value import Struct


class ConsentPorts(Struct, frozen=True):
    """What asking and gathering use of the world."""

    ledger: LedgerStore
    clock: Clock
    signer: Signer
    inbox: AnswerBox


def ask(ports: ConsentPorts, asked: Asked, *, stage: str) -> Path:
    """Ask by the ledger and the inbox; asking again changes nothing. The request's file. Raises Trouble."""
    action = asked.action
    command = RequestApprovals(
        asked.asked_by, action.subject, action_digest(action), stage, action.params.get("to", stage), action.expires
    )
    answer = ports.ledger.transact(command, now=ports.clock.wall())
    if isinstance(answer, Refusal):
        raise Trouble(answer.reason)
    return ports.inbox.ask(action.subject, to_document(asked))


class Consent(Struct, frozen=True):
    """The approvals that count, ready for the ledger's decision, and every opinion with its checks."""

    quorum: Quorum
    opinions: tuple[Opinion, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with those that do not count."""
        return tuple(
            f"the approval of {one.approver or 'nobody'}: {one.fault or 'it is a rejection'}"
            for one in self.opinions
            if one.fault or one.rejects
        )


def gather(
    ports: ConsentPorts, force: InForce, action: Action, tokens: Sequence[str], *, actor: str, required: int = 1
) -> Consent:
    """Examine ``tokens``, or what lies in the inbox where none is given; refused ones are recorded.

    Who asked for the action cannot approve it, whoever carries it out.
    """
    found = look(ports, force, action, tokens, actor=actor, required=required)
    for opinion in found.opinions:
        if opinion.fault:
            _refused(ports, action, actor, opinion)
    return found


def look(
    ports: ConsentPorts, force: InForce, action: Action, tokens: Sequence[str] = (), *, actor: str, required: int = 1
) -> Consent:
    """What ``gather`` would find; nothing is recorded, so it may be asked as often as a page is drawn."""
    state = ports.ledger.state()
    request = state.requests.get(action.subject)
    asker = request.asked_by if request else actor
    held_against = Standard(
        action=action,
        requester=asker,
        roster=force.roster,
        roster_digest=force.roster_digest,
        environment=environment_fingerprint(force.policy),
        life=force.policy.spec.gates.approval_life,
        consumed=state.consumed,
        revoked=state.revoked,
    )
    given: Sequence[Any] = () if tokens else ports.inbox.answers(action.subject)
    texts = [*tokens, *(answer.text for answer in given)]
    opinions = tuple(examine(ports.signer, force, text, held_against, ports.clock.wall()) for text in texts)
    counting = tuple(verified_of(one, force) for one in opinions if not one.fault and not one.rejects)
    quorum = Quorum(action_digest(action), counting, required, barred=frozenset({asker}))
    return Consent(quorum, opinions)


def _refused(ports: ConsentPorts, action: Action, actor: str, opinion: Opinion) -> None:
    body = {
        "plan": action.subject,
        "approver": opinion.approver or "unknown",
        "action": action_digest(action),
        "code": "approval",
        "reason": opinion.fault,
        "checks": [f"{check.name}: {check.detail}" for check in failed(opinion.checks)],
    } | ({"nonce": opinion.claims.nonce} if opinion.claims else {})
    ports.ledger.transact(Record(actor, "approval-refused", body), now=ports.clock.wall())
