"""``resume``: lift what a cleared halt has left in Git and at the venue; without its phrase it is a dry run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from console.verbs.change import exit_code, require_hands, unconfirmed
from console.verbs.restore import return_ports, returned_document
from stages.phrase import mismatch

if TYPE_CHECKING:
    from console.output import Output
    from console.procedures.resume import Prospect
    from console.way_back import Returned
    from console.wiring import Wiring


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``resume``."""
    parser = subparsers.add_parser("resume", parents=[shared], help="lift what a cleared halt has left")
    parser.add_argument("--confirm", metavar="PHRASE", help='"RESUME name L1"; without it nothing is written')
    parser.set_defaults(run=run_resume)


def run_resume(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 when it is lifted, or could be; 1 when the answer is no; 2 when nobody knows."""
    if not arguments.confirm:
        return _rehearse(survey_resume(wiring), out)
    require_hands(wiring)
    done = carry_on(wiring, arguments.confirm)
    if isinstance(done, str):
        out.note(done)
        return 1
    if out.json:
        out.document(returned_document(done))
    out.line(said(done))
    return exit_code(done.outcome)


def survey_resume(wiring: Wiring) -> Prospect:
    """What a resume would do now; acts that a crash left open are asked of the remote first. Raises Trouble."""
    from console.procedures.follow import resolve
    from console.procedures.resume import survey

    force = wiring.in_force()
    if not wiring.read_only:
        resolve(wiring.ledger, wiring.repository, wiring.running, wiring.clock, actor=wiring.actor)
    return survey(return_ports(wiring, force.policy), force, actor=wiring.actor)


def carry_on(wiring: Wiring, phrase: str | None) -> Returned | str:
    """Lift what nothing asks for any more; why not, where ``phrase`` does not fit. Raises Trouble.

    None is the one key press by which a person ends the last latch and resumes in one.
    """
    from console.procedures.resume import resume

    seen = survey_resume(wiring)
    wrong = mismatch(phrase, seen.phrase) if phrase is not None and seen.phrase else None
    if wrong:
        return unconfirmed(wiring, "resume", wrong.text)
    confirmation = "one key press" if phrase is None else " ".join(phrase.split())
    force = wiring.in_force()
    ports = return_ports(wiring, force.policy)
    return resume(ports, force, intent=wiring.ids.new(), actor=wiring.actor, confirmation=confirmation)


def said(done: Returned) -> str:
    """The result in words."""
    if not done.ok:
        return "; ".join(filter(None, (f"{done.outcome.upper()}: {done.message}", done.venue)))
    git = f"resumed, pushed {done.sha[:8]}" if done.outcome == "pushed" else "Git has nothing to lift"
    return "; ".join(filter(None, (git, done.flag, done.venue)))


def _rehearse(seen: Prospect, out: Output) -> int:
    if out.json:
        out.document(prospect_document(seen))
    if seen.stage:
        out.line(f"DRY RUN, nothing written: {seen.stage} {seen.standing.words} -> {seen.mode.words}")
    for line in seen.lines:
        out.line(f"  {line}")
    if seen.refusal is not None:
        out.note(seen.refusal.reason)
        return 1
    out.line(f'MAY RESUME: add --confirm "{seen.phrase}"')
    return 0


def prospect_document(seen: Prospect) -> dict[str, Any]:
    """The dry run as JSON."""
    changes = seen.plan.changes if seen.plan else ()
    return {
        "allowed": seen.refusal is None,
        "why": seen.refusal.reason if seen.refusal else "",
        "stage": seen.stage,
        "from": seen.standing.name,
        "to": seen.mode.name,
        "changes": [
            {"control": one.control, "before": str(one.before), "after": str(one.after)}
            for one in changes
            if one.before != one.after
        ],
        "venue": "unblock" if seen.unblock else "",
        "confirmationToken": seen.phrase,
    }
