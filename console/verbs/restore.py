"""``restore``: the way back from KILLED, to the lowest stage and nowhere else, approved by two, one of them risk."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from console.verbs.change import exit_code, require_hands, unconfirmed
from console.verbs.release import add_asking, ask_for, consent_ports
from stages.asking import Asked
from stages.phrase import mismatch, restore_phrase
from stages.refusal import Trouble
from stages.releases import RESTORE_APPROVALS
from stages.rows import books_of
from stages.verdict import RowState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.desk import Consents
    from console.in_force import InForce
    from console.output import Output
    from console.procedures.restore import Facts
    from console.way_back import Returned, ReturnPorts
    from console.wiring import Wiring
    from stages.policy import Policy

_CLEAN = frozenset({RowState.OK, RowState.WARN, RowState.INFO})


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``restore``."""
    parser = subparsers.add_parser("restore", parents=[shared], help="come back from KILLED, to the lowest stage")
    parser.add_argument("--confirm", metavar="PHRASE", help='"RESTORE name L0"')
    add_asking(parser)
    parser.set_defaults(run=run_restore)


def run_restore(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 when the branch holds the lowest stage, 1 when the answer is no, 2 when nobody knows."""
    require_hands(wiring)
    force = wiring.in_force()
    lowest = force.policy.stages[0].name
    if arguments.ask or arguments.output:
        return ask_for(wiring, restore_request(wiring, force), arguments.output, out)
    phrase = restore_phrase(force.policy.name, lowest)
    if not arguments.confirm:
        raise Trouble("a restore is confirmed by its phrase", fix=f'add --confirm "{phrase}"')
    wrong = mismatch(arguments.confirm, phrase)
    if wrong:
        out.note(unconfirmed(wiring, "restore", wrong.text))
        return 1
    done, faults = come_back(wiring, force, arguments.confirm, arguments.approval)
    for fault in faults:
        out.note(fault)
    return _report(done, lowest, out)


def come_back(
    wiring: Wiring, force: InForce, phrase: str, tokens: Sequence[str] = ()
) -> tuple[Returned, tuple[str, ...]]:
    """Carry the restore out whose ``phrase`` fits; also what is wrong with approvals that do not count."""
    from console.consent import gather
    from console.procedures.restore import Wish, restore
    from stages.clearing import restore_action

    action = restore_action(force.policy, wiring.ledger.state())
    consent = gather(consent_ports(wiring), force, action, tokens, actor=wiring.actor, required=RESTORE_APPROVALS)
    wish = Wish(wiring.ids.new(), wiring.actor, action, consent.quorum, " ".join(phrase.split()))
    return restore(return_ports(wiring, force.policy), force, wish, _facts(wiring, force)), consent.faults


def restore_request(wiring: Wiring, force: InForce) -> Asked:
    """What the approvers of a restore are handed."""
    from stages.clearing import restore_action

    state, lowest = wiring.ledger.state(), force.policy.stages[0].name
    held = ", ".join(sorted(one.trigger for one in state.latches.values() if one.killed)) or "nothing that killed"
    about = f"restore {force.policy.name} to {lowest}, which ends {held}; needs two, one of them risk"
    return Asked(restore_action(force.policy, state), wiring.actor, about)


def restore_consents(wiring: Wiring, force: InForce) -> Consents:
    """How the approvals and the conditions of a restore stand. Nothing is recorded."""
    from console.verbs.release import consents
    from stages.clearing import restore_action
    from stages.releases import restore_quorum
    from stages.value import replace

    found = consents(wiring, force, restore_action(force.policy, wiring.ledger.state()), restore_quorum)
    facts = _facts(wiring, force)
    conditions = (
        ("books are clean", facts.reconciled),
        ("positions are known", facts.positions_known),
        (f"its cause is gone{': ' if facts.waits else ''}{'; '.join(facts.waits)}", not facts.waits),
    )
    phrase = restore_phrase(force.policy.name, force.policy.stages[0].name)
    return replace(found, conditions=conditions, phrase=phrase)


def return_ports(wiring: Wiring, policy: Policy) -> ReturnPorts:
    """What every way back uses of the world."""
    from console.way_back import ReturnPorts

    return ReturnPorts(
        ledger=wiring.ledger,
        repository=wiring.repository,
        venue=wiring.venue,
        signer=wiring.signer,
        clock=wiring.clock,
        running=wiring.running,
        checkpoint=wiring.checkpoint,
        flag=wiring.outside.flag(policy),
        by_branch=wiring.by_branch("advance"),
    )


def _facts(wiring: Wiring, force: InForce) -> Facts:
    """What the newest look says of books, positions and the causes of the kill."""
    from console.procedures.restore import Facts

    look = wiring.look(force.policy)
    seen = look.evaluation
    books = books_of(force.policy, seen.rows)
    venue = seen.snapshot.venue
    killing = [one for one in look.clearances if one.latch.killed]
    return Facts(
        standing=seen.standing.mode,
        reconciled=all(row.state in _CLEAN for row in books),
        positions_known=venue is not None and not venue.error,
        waits=tuple(f"{one.latch.trigger}: {one.why}" for one in killing if not one.gone),
    )


def _report(done: Returned, lowest: str, out: Output) -> int:
    if out.json:
        out.document(returned_document(done))
    if done.ok:
        out.line(f"restored to {lowest}{f', pushed {done.sha[:8]}' if done.outcome == 'pushed' else ''}")
        if done.flag:
            out.line(done.flag)
        out.line(done.venue or "no venue is configured: let it go at the broker")
    else:
        out.line(_not_done(done))
    return exit_code(done.outcome)


def returned_note(done: Returned) -> str:
    """The result in one sentence."""
    if not done.ok:
        return _not_done(done)
    return f"restored; {done.venue or 'no venue is configured: let it go at the broker'}"


def _not_done(done: Returned) -> str:
    return "; ".join(filter(None, (f"{done.outcome.upper()}: {done.message}", done.venue)))


def returned_document(done: Returned) -> dict[str, str]:
    """The result of a way back as JSON."""
    return {
        "outcome": done.outcome,
        "intent": done.intent,
        "sha": done.sha,
        "message": done.message,
        "venue": done.venue,
        "flag": done.flag,
        "branch": done.branch,
    }
