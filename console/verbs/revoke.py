"""``revoke``: an approval is taken back before it is used, by whoever gave it or by risk."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from console.verbs.change import require_hands
from stages.commands import RevokeApproval
from stages.refusal import Refusal, Trouble
from stages.token import PREFIX, decode_token
from stages.value import Struct

if TYPE_CHECKING:
    from console.in_force import InForce
    from console.output import Output
    from console.wiring import Wiring
    from stages.state import ControlState

SHORTEST: Final = 8
"""Characters of a plan's identifier that name it, as everywhere else."""


class Given(Struct, frozen=True):
    """An approval that can be taken back. ``subject`` is empty where only the token is known."""

    nonce: str
    approver: str
    subject: str = ""


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``revoke``."""
    parser = subparsers.add_parser("revoke", parents=[shared], help="take back an approval before it is used")
    parser.add_argument("what", metavar="PLAN|TOKEN", help="what was approved, by its identifier; or the token's line")
    parser.add_argument("--of", metavar="APPROVER", help="whose approval; your own otherwise. Others' only by risk")
    parser.add_argument("--reason", default="", help="why, for whoever asks again")
    parser.set_defaults(run=run_revoke)


def run_revoke(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Take back what fits; 1 when nothing does, or when it may not be taken back any more."""
    require_hands(wiring)
    wiring.settings.need("identity")
    force, state = wiring.in_force(), wiring.ledger.state()
    whose = arguments.of or wiring.actor
    if f"{PREFIX}." in arguments.what:
        given = [_of_token(wiring, force, arguments.what)]
    else:
        given = [one for one in _of_subject(wiring, force, state, arguments.what) if one.approver == whose]
    if not given:
        out.note(f"nothing to take back: {whose} has approved no {arguments.what}")
        return 1
    roles, reason = frozenset(force.roster.roles(wiring.actor)), " ".join(arguments.reason.split())
    return _told([_take_back(wiring, one, roles, reason) for one in given], out)


class Answered(Struct, frozen=True):
    """What became of one: ``refused`` says why it stands, empty when it was taken back."""

    given: Given
    refused: str


def _take_back(wiring: Wiring, given: Given, roles: frozenset[str], reason: str) -> Answered:
    command = RevokeApproval(wiring.actor, roles, given.subject, given.approver, given.nonce, reason)
    answer = wiring.ledger.transact(command, now=wiring.clock.wall())
    return Answered(given, answer.reason if isinstance(answer, Refusal) else "")


def _told(answers: Sequence[Answered], out: Output) -> int:
    if out.json:
        out.document(
            {
                "approvals": [
                    {
                        "plan": one.given.subject,
                        "approver": one.given.approver,
                        "nonce": one.given.nonce,
                        "revoked": not one.refused,
                        "why": one.refused,
                    }
                    for one in answers
                ]
            }
        )
    for one in answers:
        of_what = f" of {one.given.subject[:SHORTEST]}" if one.given.subject else ""
        said = f"NOT TAKEN BACK: {one.refused}" if one.refused else "taken back: it counts no more"
        (out.note if one.refused else out.line)(f"{one.given.approver}'s approval{of_what}: {said}")
    return 1 if any(one.refused for one in answers) else 0


def _of_token(wiring: Wiring, force: InForce, text: str) -> Given:
    """The approval of a token that its approver signed. Raises Trouble for any other."""
    token = decode_token(text)
    claims = token.claims
    if wiring.signer.verify(claims.message(), token.signature, force.signers) != claims.approver:
        raise Trouble(f"{claims.approver} did not sign this token", fix="copy the whole line of the approval")
    return Given(claims.nonce, claims.approver)


def _of_subject(wiring: Wiring, force: InForce, state: ControlState, what: str) -> Iterator[Given]:
    """Approvals that the ledger has recorded, and those that still lie in the inbox."""
    from console.inbox import Inbox

    if len(what) < SHORTEST:
        raise Trouble(f"'{what}' is too short to name a plan", fix=f"give {SHORTEST} characters of its identifier")
    whole = next((plan for plan in state.requests if plan.startswith(what)), what)
    seen: set[str] = set()
    for approval in state.approvals.values():
        if approval.subject.startswith(what) and approval.nonce not in state.revoked:
            seen.add(approval.nonce)
            yield Given(approval.nonce, approval.approver, approval.subject)
    for answer in Inbox(wiring.inbox).answers(whole):
        try:
            found = _of_token(wiring, force, answer.text)
        except Trouble:
            continue  # nobody's approval: whoever gathers the answers refuses it
        if not answer.rejected and found.nonce not in seen | state.revoked:
            yield Given(found.nonce, found.approver, whole)
