"""``incident declare|resolve``: an incident by hand, with what its severity holds back."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.verbs.change import policy_of, require_hands
from stages.commands import DeclareIncident, ResolveIncident
from stages.incidents import SEVERITIES, latch_for, next_number
from stages.refusal import Refusal, Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring
    from stages.policy import Policy
    from stages.state import ControlState


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``incident`` with its two verbs."""
    incident = subparsers.add_parser("incident", help="declare or resolve an incident")
    verbs = incident.add_subparsers(dest="incident_verb", metavar="declare|resolve", required=True)
    declare = verbs.add_parser("declare", parents=[shared], help="declare one; it holds at once what its severity says")
    declare.add_argument("severity", metavar="SEVERITY", type=str.upper, choices=SEVERITIES, help="SEV1, SEV2 or SEV3")
    declare.add_argument("title", metavar="TEXT", nargs="+", help="one line of what happens")
    declare.set_defaults(run=run_declare)
    resolve = verbs.add_parser("resolve", parents=[shared], help="it is over; what it holds is cleared by 'clear'")
    resolve.add_argument("incident", metavar="INCIDENT", help="INC-1")
    resolve.add_argument("text", metavar="TEXT", nargs="+", help="what it was")
    resolve.set_defaults(run=run_resolve)


@dataclass(frozen=True, slots=True)
class Declared:
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
    held = f"{latch.mode.name}{', L0' if latch.cap == '0' else ', one stage down' if latch.cap == '-1' else ''}"
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
