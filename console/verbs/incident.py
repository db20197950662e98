"""``incident declare|resolve|export``: an incident by hand, with what its severity holds back, and its postmortem."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from console.verbs.change import policy_of, require_hands
from stages.commands import DeclareIncident, ResolveIncident
from stages.incidents import SEVERITIES, latch_for, next_number
from stages.refusal import Refusal, Trouble
from stages.timeline import folder_name
from stages.value import Struct

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring
    from stages.policy import Policy
    from stages.state import ControlState


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``incident`` with its three verbs."""
    incident = subparsers.add_parser("incident", help="declare, resolve or export an incident")
    verbs = incident.add_subparsers(dest="incident_verb", metavar="declare|resolve|export", required=True)
    declare = verbs.add_parser("declare", parents=[shared], help="declare one; it holds at once what its severity says")
    declare.add_argument("severity", metavar="SEVERITY", type=str.upper, choices=SEVERITIES, help="SEV1, SEV2 or SEV3")
    declare.add_argument("title", metavar="TEXT", nargs="+", help="one line of what happens")
    declare.set_defaults(run=run_declare)
    resolve = verbs.add_parser("resolve", parents=[shared], help="it is over; what it holds is cleared by 'clear'")
    resolve.add_argument("incident", metavar="INCIDENT", help="INC-1")
    resolve.add_argument("text", metavar="TEXT", nargs="+", help="what it was")
    resolve.set_defaults(run=run_resolve)
    export = verbs.add_parser("export", parents=[shared], help="its postmortem: a page in Markdown and its plots")
    export.add_argument("incident", metavar="INCIDENT", help="INC-1, or the key of a latch that nobody declared")
    export.add_argument("--to", metavar="FOLDER", help="a new folder; otherwise INC-1 here")
    export.add_argument("--force", action="store_true", help="replace the folder when it exists")
    export.set_defaults(run=run_export)


class Declared(Struct, frozen=True):
    """A new incident and what it holds, in words."""

    incident: str
    severity: str
    note: str


def declare(wiring: Wiring, severity: str, title: str) -> Declared:
    """Declare an incident; the stage that it counts from is the one of the newest act. Raises Trouble."""
    line = " ".join(title.split())
    if severity not in SEVERITIES or not line:
        raise Trouble("an incident has a severity and one line", fix=f"{' '.join(SEVERITIES)}, then what happens")
    policy, state = policy_of(wiring)[0], wiring.ledger.state()
    number, now = next_number(state), wiring.clock.wall()
    latch = latch_for(
        policy,
        actor=wiring.actor,
        incident=number,
        severity=severity,
        title=line,
        effective=_effective(policy, state),
        market=wiring.clock.market(now),
    )
    answer = wiring.ledger.transact(DeclareIncident(wiring.actor, number, severity, line, latch), now=now)
    if isinstance(answer, Refusal):
        raise Trouble(answer.reason)
    held = f"{latch.mode.words}{', L0' if latch.cap == '0' else ', one stage down' if latch.cap == '-1' else ''}"
    return Declared(number, severity, f"{number} {severity} declared: {held}")


def _effective(policy: Policy, state: ControlState) -> int:
    """The stage that was commanded last; without any act the lowest, from which nothing leads down."""
    newest = state.last_pushed
    return (policy.stage_index(newest.to_stage) or 0) if newest else 0


def run_declare(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Never refused."""
    require_hands(wiring)
    declared = declare(wiring, arguments.severity, " ".join(arguments.title))
    if out.json:
        out.document({"incident": declared.incident, "severity": declared.severity, "by": wiring.actor})
    out.line(declared.note)
    return 0


def run_resolve(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """The incident is over; 1 when there is no such incident."""
    require_hands(wiring)
    text = " ".join(" ".join(arguments.text).split())
    command = ResolveIncident(wiring.actor, arguments.incident, text)
    answer = wiring.ledger.transact(command, now=wiring.clock.wall())
    if isinstance(answer, Refusal):
        out.note(answer.reason)
        return 1
    known = wiring.ledger.state().incidents[arguments.incident]
    if out.json:
        out.document({"incident": known.incident, "resolved": True, "holds": known.latch})
    holds = known.latch in wiring.ledger.state().latches
    out.line(f"{known.incident} is over" + (f"; 'rampdeck clear {known.latch}' lifts what it holds" if holds else ""))
    return 0


def run_export(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Write the incident down; 2 when it is not known or the folder exists."""
    from console.procedures.postmortem import Sources, in_words, write_down

    reader = wiring.ledger_reader()
    try:
        folder, files = write_down(
            Sources(reader, lambda: wiring.observations),
            policy_of(wiring)[0],
            arguments.incident,
            Path(arguments.to or folder_name(arguments.incident)),
            by=wiring.actor,
            now=wiring.clock.wall(),
            anew=arguments.force,
        )
    finally:
        reader.close()
    if out.json:
        out.document({"incident": arguments.incident, "folder": str(folder), "files": files})
    out.line(in_words(arguments.incident, folder, files))
    return 0
