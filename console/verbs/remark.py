"""``ack`` and ``note``: what somebody has seen, and what somebody wants to be remembered."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from console.verbs.change import require_hands
from stages.commands import Acknowledge, GiveReason, Note
from stages.owing import owed
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``ack`` and ``note``."""
    ack = subparsers.add_parser("ack", parents=[shared], help="an alarm is seen: quiet, not cleared")
    ack.add_argument("alarm", metavar="ALARM", help="its key, as 'status --json' tells it; a part of it will do")
    ack.add_argument("--text", default="seen", help="what you know of it")
    ack.set_defaults(run=run_ack)
    note = subparsers.add_parser("note", parents=[shared], help="a remark for whoever reads the ledger later")
    note.add_argument("text", metavar="TEXT", nargs="+", help="the remark")
    note.add_argument("--about", default="", metavar="SUBJECT", help="what it is about, such as a latch or an order")
    note.add_argument("--reason", action="store_true", help="it is the reason that the newest way down still owes")
    note.set_defaults(run=run_note)


def run_ack(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Quiet one of the alarms that ring now; 1 when none fits."""
    require_hands(wiring)
    alarms = wiring.look(wiring.in_force().policy).evaluation.alarms
    keys = [alarm.key for alarm in alarms]
    fitting = [key for key in keys if key == arguments.alarm] or [key for key in keys if arguments.alarm in key]
    if len(fitting) > 1:
        raise Trouble(f"'{arguments.alarm}' fits {', '.join(fitting)}", fix="name one of them")
    if not fitting:
        out.note(f"no alarm '{arguments.alarm}' rings; {', '.join(keys) or 'none does'}")
        return 1
    wiring.command(Acknowledge(wiring.actor, fitting[0], " ".join(arguments.text.split())))
    if out.json:
        out.document({"acknowledged": fitting[0], "by": wiring.actor})
    out.line(f"{fitting[0]}: quiet, still as it was")
    return 0


def run_note(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Keep a remark."""
    require_hands(wiring)
    text = " ".join(" ".join(arguments.text).split())
    if not text:
        raise Trouble("an empty note says nothing", fix="write what is to be remembered")
    if arguments.reason:
        return _reason(wiring, text, out)
    wiring.command(Note(wiring.actor, text, arguments.about))
    if out.json:
        out.document({"noted": text, "about": arguments.about, "by": wiring.actor})
    out.line("noted")
    return 0


def _reason(wiring: Wiring, text: str, out: Output) -> int:
    paid = give_reason(wiring, text)
    if out.json:
        out.document({"intent": paid, "reason": text})
    (out.line if paid else out.note)(f"the reason of {paid[:8]}: {text}" if paid else "no way down owes a reason")
    return 0 if paid else 1


def give_reason(wiring: Wiring, text: str) -> str:
    """Give the newest reduction by hand its reason; its identifier, empty when none is owed. Raises Trouble."""
    debts = owed(wiring.ledger.state(), wiring.clock.wall())
    if not debts:
        return ""
    wiring.command(GiveReason(wiring.actor, debts[-1].intent, text))
    return debts[-1].intent
