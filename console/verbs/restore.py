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
from stages.verdict import RowState

if TYPE_CHECKING:
    from console.output import Output
    from console.procedures.restore import Facts
    from console.way_back import Returned, ReturnPorts
    from console.wiring import InForce, Wiring

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
    from console.consent import gather
    from console.procedures.restore import Wish, restore
    from stages.clearing import restore_action

    require_hands(wiring)
    force, state = wiring.in_force(), wiring.ledger.state()
    lowest = force.policy.stages[0].name
    action = restore_action(force.policy, state)
    if arguments.ask or arguments.output:
        held = ", ".join(sorted(one.trigger for one in state.latches.values() if one.killed)) or "nothing that killed"
        about = f"restore {force.policy.name} to {lowest}, which ends {held}; needs two, one of them risk"
        return ask_for(wiring, Asked(action, wiring.actor, about), arguments.output, out)
    phrase = restore_phrase(force.policy.name, lowest)
    if not arguments.confirm:
        raise Trouble("a restore is confirmed by its phrase", fix=f'add --confirm "{phrase}"')
    wrong = mismatch(arguments.confirm, phrase)
    if wrong:
        out.note(unconfirmed(wiring, "restore", wrong.text))
        return 1
    consent = gather(
        consent_ports(wiring), force, action, arguments.approval, actor=wiring.actor, required=RESTORE_APPROVALS
    )
    for fault in consent.faults:
        out.note(fault)
    wish = Wish(wiring.ids.new(), wiring.actor, action, consent.quorum, " ".join(arguments.confirm.split()))
    return _report(restore(return_ports(wiring), force, wish, _facts(wiring, force)), lowest, out)


def return_ports(wiring: Wiring) -> ReturnPorts:
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
    )


def _facts(wiring: Wiring, force: InForce) -> Facts:
    """What the newest look says of books, positions and the causes of the kill."""
    from console.procedures.restore import Facts

    look = wiring.look(force.policy)
    seen = look.evaluation
    books = [row for row in seen.rows if row.panel == "reconciliation"]
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
        out.line(done.venue or "no venue is configured: let it go at the broker")
    else:
        out.line(f"{done.outcome.upper()}: {done.message}")
    return exit_code(done.outcome)


def returned_document(done: Returned) -> dict[str, str]:
    """The result of a way back as JSON."""
    return {
        "outcome": done.outcome,
        "intent": done.intent,
        "sha": done.sha,
        "message": done.message,
        "venue": done.venue,
    }
