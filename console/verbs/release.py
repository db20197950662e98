"""``clear`` ends a latch whose cause is gone; ``permit-reduce`` lets one symbol be closed while no order may go out."""

from __future__ import annotations

import argparse
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from console.verbs.change import require_hands
from stages.asking import Asked
from stages.commands import ClearLatch, PermitReduce
from stages.posture import Mode
from stages.refusal import Refusal, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from console.consent import ConsentPorts
    from console.desk import Consents
    from console.in_force import InForce
    from console.output import Output
    from console.wiring import Wiring
    from stages.authority import Action
    from stages.clearing import Clearance
    from stages.posture import Latch
    from stages.quorum import Quorum
    from stages.state import ControlState


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``clear`` and ``permit-reduce``."""
    clear = subparsers.add_parser("clear", parents=[shared], help="end a latch whose cause is gone")
    clear.add_argument("latch", metavar="LATCH", help="its key, or its trigger when only one of it is open")
    clear.add_argument("--because", default="", metavar="TEXT", help="what it was; some latches need it")
    add_asking(clear)
    clear.set_defaults(run=run_clear)

    permit = subparsers.add_parser(
        "permit-reduce", parents=[shared], help="let so much of a symbol be closed while no order may go out"
    )
    permit.add_argument("symbol", metavar="SYMBOL")
    permit.add_argument("quantity", metavar="QTY", help="shares")
    permit.add_argument("--for", dest="life", default="10m", metavar="TIME", help="how long, such as 10m (10m)")
    permit.add_argument("--reason", default="", help="why")
    permit.set_defaults(run=run_permit)


def add_asking(parser: argparse.ArgumentParser) -> None:
    """The options of every verb that needs the approval of others."""
    parser.add_argument(
        "--approval", metavar="TOKEN", nargs="+", action="extend", default=[], help="otherwise those in the inbox"
    )
    parser.add_argument("--ask", action="store_true", help="only ask for the approvals, by the inbox")
    parser.add_argument("-o", "--output", metavar="FILE", help="only ask for the approvals, by this file")


# ------------------------------------------------------------------------------------------------------------- clearing


def run_clear(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 when it is ended or asked for, 1 when something or somebody is still missing."""
    require_hands(wiring)
    force, state = wiring.in_force(), wiring.ledger.state()
    latch = find_latch(state, arguments.latch)
    if arguments.ask or arguments.output:
        return ask_to_clear(wiring, force, latch, arguments.output, out)
    answer = clear(wiring, force, latch, arguments.because, arguments.approval, out)
    refused = isinstance(answer, Refusal)
    said = answer.reason if isinstance(answer, Refusal) else answer
    if out.json:
        out.document({"latch": latch.key, "cleared": not refused, "why": said if refused else ""})
    (out.note if refused else out.line)(said)
    return 1 if refused else 0


def find_latch(state: ControlState, name: str) -> Latch:
    """The open latch of a key, of a trigger, or of a part that fits one alone. Raises Trouble."""
    held = tuple(state.latches.values())
    for fits in (
        [one for one in held if one.key == name],
        [one for one in held if one.trigger == name],
        [one for one in held if name in one.key],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise Trouble(f"'{name}' fits {len(fits)} latches", fix=f"name one: {', '.join(o.key for o in fits)}")
    known = ", ".join(one.key for one in held)
    raise Trouble(f"no latch '{name}' is open", fix=f"open now: {known}" if known else "nothing is held")


def clear(
    wiring: Wiring, force: InForce, latch: Latch, because: str, tokens: Sequence[str], out: Output | None = None
) -> str | Refusal:
    """End ``latch``; what to tell, or why not. Faulty approvals are noted on ``out``."""
    from console.consent import gather
    from stages.clearing import clear_action

    found = clearance(wiring, force, latch)
    quorum = None
    if latch.rule.approval and not latch.killed:
        consent = gather(consent_ports(wiring), force, clear_action(force.policy, latch), tokens, actor=wiring.actor)
        if out is not None:
            for fault in consent.faults:
                out.note(fault)
        quorum = consent.quorum
    command = ClearLatch(
        actor=wiring.actor,
        key=latch.key,
        gone=found.gone,
        why=found.why,
        evidence="its cause is gone for its dwell" if found.gone else "",
        roles=tuple(sorted(force.roster.roles(wiring.actor))),
        quorum=quorum,
        explanation=because,
    )
    answer = wiring.ledger.transact(command, now=wiring.clock.wall())
    if isinstance(answer, Refusal):
        return answer
    left = len(wiring.ledger.state().latches)
    told = f"{latch.trigger} is cleared; {f'{left} more hold' if left else 'nothing is held any more'}"
    # What a halt has set stays in Git and at the venue until a person lifts it.
    return f"{told}; 'rampdeck resume' lifts what it set" if latch.mode > Mode.FROZEN else told


def clearance(wiring: Wiring, force: InForce, latch: Latch) -> Clearance:
    """What ``latch`` waits for now, by the newest look at its cause."""
    from stages.clearing import Clearance, who_clears

    found = wiring.look(force.policy).clearances
    unseen = Clearance(latch, False, ("its cause was not looked at",), who_clears(latch))
    return next((one for one in found if one.latch.key == latch.key), unseen)


def clear_consents(wiring: Wiring, force: InForce, latch: Latch) -> Consents:
    """How the approvals stand that end ``latch``. Nothing is recorded."""
    from stages.clearing import clear_action
    from stages.releases import clear_quorum

    return consents(wiring, force, clear_action(force.policy, latch), lambda quorum: clear_quorum(latch, quorum))


def consents(wiring: Wiring, force: InForce, action: Action, held: Callable[[Quorum], Quorum]) -> Consents:
    """How the approvals of ``action`` stand, ``held`` to what it asks for."""
    from console.consent import look
    from console.desk import Consents
    from stages.quorum import refuse_quorum

    found = look(consent_ports(wiring), force, action, actor=wiring.actor)
    state = wiring.ledger.state()
    asked = action.subject in state.requests
    lacking = refuse_quorum(state, held(found.quorum), wiring.actor, wiring.clock.wall())
    return Consents(
        asked=asked,
        file=str(wiring.inbox / f"request-{action.subject[:8]}.json") if asked else "",
        given=tuple(f"{one.approver} ({', '.join(one.roles)})" for one in found.quorum.approvals),
        faults=found.faults,
        lacking=lacking.reason if lacking else "",
    )


def consent_ports(wiring: Wiring) -> ConsentPorts:
    """What asking and gathering need of the world."""
    from console.consent import ConsentPorts
    from console.inbox import Inbox

    return ConsentPorts(wiring.ledger, wiring.clock, wiring.signer, Inbox(wiring.inbox))


def ask_to_clear(wiring: Wiring, force: InForce, latch: Latch, path: str | None, out: Output) -> int:
    """Ask for the approvals that ``latch`` needs."""
    from stages.clearing import who_clears

    if latch.killed or not latch.rule.approval:
        raise Trouble(f"{latch.trigger} is not cleared by approvals: {who_clears(latch)}")
    return ask_for(wiring, clear_request(wiring, force, latch), path, out)


def clear_request(wiring: Wiring, force: InForce, latch: Latch) -> Asked:
    """What the approvers of a clear are handed."""
    from stages.clearing import clear_action, who_clears

    about = f"end {latch.key} ({latch.evidence}); needs {who_clears(latch)}"
    return Asked(clear_action(force.policy, latch), wiring.actor, about)


def ask_for(wiring: Wiring, asked: Asked, path: str | None, out: Output) -> int:
    """Put the request into the ledger and the inbox, and into a file where one is named."""
    from console.verbs.rehearse import write_document
    from stages.asking import to_document

    placed = place(wiring, asked)
    if path:
        write_document(Path(path), to_document(asked))
        placed = Path(path)
    if out.json:
        out.document({"asked": asked.action.kind, "subject": asked.action.subject, "file": str(placed)})
    out.line(f"asked; rampdeck approve {placed}")
    return 0


def place(wiring: Wiring, asked: Asked) -> Path:
    """The request's file, once it is in the ledger and the inbox."""
    from console.consent import ask

    newest = wiring.ledger.state().last_pushed
    return ask(consent_ports(wiring), asked, stage=newest.to_stage if newest else "")


# -------------------------------------------------------------------------------------------------------------- permits


def run_permit(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 when the permit is given; it ends by itself."""
    require_hands(wiring)
    force, now = wiring.in_force(), wiring.clock.wall()
    until = now + life(arguments.life)
    command = PermitReduce(
        actor=wiring.actor,
        permit=wiring.ids.new()[:8],
        symbol=arguments.symbol.upper(),
        quantity=_quantity(arguments.quantity),
        until=until,
        longest=force.policy.spec.gates.permit_life,
        authenticated=wiring.authenticated,
        reason=arguments.reason,
    )
    answer = wiring.ledger.transact(command, now=now)
    if isinstance(answer, Refusal):
        out.note(answer.reason)
        return 1
    if out.json:
        out.document({"permit": command.permit, "symbol": command.symbol, "quantity": command.quantity, "until": until})
    out.line(f"{command.quantity:f} {command.symbol} may be closed until {until:%H:%M:%S} UTC; permit {command.permit}")
    return 0


def life(text: str) -> timedelta:
    """``10m``, ``1h30m``. Raises Trouble."""
    from stages.manifest import parse_duration

    try:
        found = parse_duration(text)
    except ValueError as fault:
        raise Trouble(str(fault)) from None
    assert isinstance(found, timedelta)
    return found


def _quantity(text: str) -> Decimal:
    try:
        quantity = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise Trouble(f"'{text}' is not a number of shares") from None
    if not quantity.is_finite():
        raise Trouble(f"'{text}' is not a number of shares")
    return quantity
