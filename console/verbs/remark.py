"""``ack`` and ``note``: what somebody has seen, and what somebody wants to be remembered."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from console.verbs.change import require_hands
from stages.commands import Acknowledge, GiveReason, Note
from stages.facts import REDUCE
from stages.refusal import Trouble
from stages.releases import MANUAL_BLOCK

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
    owed = give_reason(wiring, text)
    if out.json:
        out.document({"intent": owed, "reason": text})
    (out.line if owed else out.note)(f"the reason of {owed[:8]}: {text}" if owed else "no way down owes a reason")
    return 0 if owed else 1


def give_reason(wiring: Wiring, text: str) -> str:
    """Give the newest reduction by hand its reason; its identifier, empty when none is owed. Raises Trouble."""
    state = wiring.ledger.state()
    owed = [one.id for one in state.intents.values() if one.kind == REDUCE and not one.automatic and not one.reason]
    # A block by hand is no act in Git: what it holds owes the reason.
    held = [one for one in state.latches.values() if one.trigger == MANUAL_BLOCK and one.key not in state.explained]
    if held and (not owed or held[-1].opened_at >= state.intents[owed[-1]].at):
        owed.append(held[-1].key)
    if owed:
        wiring.command(GiveReason(wiring.actor, owed[-1], text))
    return owed[-1] if owed else ""
