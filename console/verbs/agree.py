"""``approve`` of a request that is no plan: to clear a latch, to restore, to waive an item of a burn-in."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from console.verbs.authorise import Checked, sign_token, willing
from console.verbs.drill_target import target_wiring
from stages.asking import Asked, from_document
from stages.authority import APPROVE, REJECT, gate_report_digest
from stages.clearing import DRILL
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.in_force import InForce
    from console.output import Output
    from console.wiring import Wiring


def approve_request(arguments: argparse.Namespace, wiring: Wiring, out: Output, document: dict[str, Any]) -> int:
    """Show what is asked and what could be checked here, then sign a yes or a no; prints the token's line."""
    asked = from_document(document, arguments.file)
    wiring.settings.need("identity")
    if DRILL not in asked.action.params:
        return _answer(arguments, wiring, out, asked)
    target = target_wiring(wiring)
    try:
        return _answer(arguments, target, out, asked)
    finally:
        target.close()


def _answer(arguments: argparse.Namespace, wiring: Wiring, out: Output, asked: Asked) -> int:
    """The answer by the policy, roster and ledger of what is asked about: ``wiring`` is that target's."""
    force = _force(wiring)
    checked = _checks(wiring, force, asked)
    if not out.json:
        out.note(f"{asked.action.kind.upper()}: {asked.about}, asked by {asked.asked_by}")
        marks = {True: "·", False: "■", None: "○"}
        for one in checked:
            out.note(f"  {marks[one.ok]} {one.text}")
    refused = [one for one in checked if one.ok is False]
    if refused and not arguments.reject:
        raise Trouble(f"this cannot be approved by {wiring.actor}: {refused[0].text}", where=arguments.file)
    if not willing(arguments, out):
        out.note("neither approved nor rejected")
        return 1
    token = sign_token(arguments, wiring, force, asked.action, gate_report_digest([]), asked.action.expires)
    placed = _place(wiring, asked, token, rejected=arguments.reject)
    if out.json:
        answer = REJECT if arguments.reject else APPROVE
        out.document(
            {
                "request": asked.action.kind,
                "subject": asked.action.subject,
                "approver": wiring.actor,
                "answer": answer,
                "token": token,
                "inbox": placed,
            }
        )
    out.line(token)
    return 0


def _force(wiring: Wiring) -> InForce:
    """What is in force by the ledger; on a machine without one, what the branch holds."""
    from console.in_force import InForce
    from stages.policy_text import digest

    if wiring.settings.ledger:
        return wiring.in_force()
    head = wiring.repository.fetch()
    policy, text = wiring.read_policy(head)
    roster, signers, roster_digest = wiring.read_roster(head)
    return InForce(policy, text, digest(text), roster, roster_digest, signers)


def _checks(wiring: Wiring, force: InForce, asked: Asked) -> tuple[Checked, ...]:
    roles = force.roster.roles(wiring.actor)
    held = ", ".join(sorted(roles))
    mine = wiring.actor == asked.asked_by
    here = asked.action.target == force.policy.spec.target.namespace
    return (
        Checked(f"you are {held} on the roster" if roles else f"{wiring.actor} is not on the roster", bool(roles)),
        Checked("you are the asker, who cannot approve" if mine else "you are not the asker", not mine),
        Checked(f"it is about {asked.action.target}", here),
        _derived(wiring, force, asked),
    )


def _derived(wiring: Wiring, force: InForce, asked: Asked) -> Checked:
    """Whether this machine, by its own look at the ledger, comes to the same action."""
    from stages.clearing import clear_action, drill_restore_action, restore_action

    if not wiring.settings.ledger:
        return Checked("no ledger is configured here, so it is signed as it was handed over", None)
    state, action = wiring.ledger.state(), asked.action
    if action.kind == "restore":
        run = action.params.get(DRILL)
        derived = (
            restore_action(force.policy, state)
            if run is None
            else drill_restore_action(force.policy, state, run, action.expires)
        )
        same = action == derived
        return Checked("the ledger says the same" if same else "the ledger has moved on; ask again", same)
    if action.kind == "clear":
        latch = state.latches.get(action.params.get("latch", ""))
        if latch is None:
            return Checked("no such latch is open", False)
        same = action == clear_action(force.policy, latch)
        return Checked(f"{latch.trigger}: {latch.evidence}" if same else "the ledger has another latch there", same)
    burn_in = next((one for one in state.runs.values() if one.run == action.params.get("run")), None)
    if burn_in is None:
        return Checked("the ledger knows no such burn-in run", False)
    return Checked(
        f"burn-in of {burn_in.stage} is {burn_in.state}", burn_in.state not in ("PASSED", "FAILED", "ABORTED")
    )


def _place(wiring: Wiring, asked: Asked, token: str, *, rejected: bool) -> str | None:
    from console.inbox import Inbox

    if wiring.settings.inbox is None:
        return None
    return str(Inbox(wiring.inbox).answer(asked.action.subject, wiring.actor, token, rejected=rejected))
