"""``panic block|cancel|step-down|verify``: act first, with half of the infrastructure gone; the reason comes after."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from console.hang_up import put_off
from console.panic.acting import Acted, Responder
from console.panic.looking import (
    NONE,
    OK,
    TRUTH,
    VENUE,
    Answer,
    agreement,
    documents,
    look,
    questions,
    sentence,
)
from console.panic.phrases import BLOCK, CANCEL, ROLLBACK, Meant
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring

FOLLOW: Final = 30.0
"""Seconds for which ``step-down`` follows its worker; the worker itself goes on."""

ACTS: Final = ("block", "cancel", "step-down", "verify")


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``panic``; without an act it opens its screen, which is started before anything here is loaded."""
    parser = subparsers.add_parser("panic", parents=[shared], help="block, cancel, step down or verify, now")
    parser.add_argument("act", choices=ACTS, nargs="?", help="without one: a screen of 60x20, in a terminal")
    parser.add_argument("--to", metavar="STAGE", help="step-down: the stage; otherwise one below the newest act's")
    parser.add_argument("--reason", default="", help="may be given afterwards: rampdeck note --reason TEXT")
    parser.add_argument("--print", action="store_true", dest="by_hand", help="only the commands to do it by hand")
    parser.set_defaults(run=run_panic)


def run_panic(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 done and verified, 1 the answer is no, 2 something could not be verified."""
    responder = Responder(wiring)
    if arguments.by_hand:
        return _print(responder, out)
    if arguments.act is None:
        raise Trouble("panic needs a terminal or an act", fix=f"rampdeck panic {'|'.join(ACTS)}")
    if arguments.act == "verify":
        return _verify(responder, out)
    try:
        with put_off():
            acted = responder.act(_meant(responder, arguments), arguments.reason)
    except Trouble as trouble:
        return _not_begun(responder, arguments.act, trouble, out)
    acted = responder.follow(acted, FOLLOW)
    if out.json:
        out.document(acted.document() | {"byHand": list(hand_lines(responder)) if acted.unverified else []})
    for line in (*told(acted), *_afterwards(responder, acted, reason=bool(arguments.reason))):
        out.line(line)
    return 0 if not _doubtful(acted) else 1 if any(one.done is False for one in acted.heard) else 2


def _not_begun(responder: Responder, act: str, trouble: Trouble, out: Output) -> int:
    """Nothing could even be tried: why, and what a person can still do."""
    lines = hand_lines(responder)
    if out.json:
        out.document({"act": act, "error": trouble.line, "byHand": list(lines)})
    out.note(f"rampdeck: {trouble.line}")
    for line in ("nothing was done; by hand:", *(f"  {line}" for line in lines)):
        out.line(line)
    return 2


def _meant(responder: Responder, arguments: argparse.Namespace) -> Meant:
    if arguments.act == "step-down":
        return Meant(ROLLBACK, arguments.to or responder.below())
    return Meant(BLOCK if arguments.act == "block" else CANCEL)


def _doubtful(acted: Acted) -> list[str]:
    """Witnesses that nobody has heard of; a ledger that is away is told of, and stops nothing."""
    return [name for name in acted.unverified if name != "ledger"]


def told(acted: Acted) -> Iterator[str]:
    """What came of an act, in lines."""
    yield f"{acted.verb}{f' {acted.stage}' if acted.stage else ''}: handed over in {1000 * acted.handed:.0f} ms"
    for one in acted.heard:
        mark = "·" if one.done else "■" if one.done is False else "?"
        doubt = "" if one.done is not None else "UNVERIFIED, "
        yield f"{mark} {one.witness}: {doubt}{one.detail}"
    for order in acted.unprotected if acted.verb != BLOCK else ():
        yield f"  no longer protected: {order} was to close a position"
    if acted.left is None:
        yield "  positions left: not known"
    for position in acted.left or ():
        yield f"  still open: {position}; nothing was sold"
    if acted.verb == CANCEL:
        yield "  new orders are not refused: the strategy may send more; 'rampdeck panic block' refuses them"


def _afterwards(responder: Responder, acted: Acted, *, reason: bool) -> Iterator[str]:
    if acted.spilled:
        yield "the ledger is away: what was decided waits in a file and joins it when it is back"
    if not reason:
        yield "the reason is owed within 10 min: rampdeck note --reason TEXT"
    if _doubtful(acted):
        yield "by hand:"
        yield from (f"  {line}" for line in hand_lines(responder))


def hand_lines(responder: Responder) -> tuple[str, ...]:
    """The commands that do everything panic does, made without asking anybody."""
    from console.by_hand import by_hand
    from stages.posture import Mode

    settings, policy = responder.wiring.settings, responder.policy
    venue = settings.venue.url if settings.venue else None
    if policy is None:
        return (*_bare(venue), "# no policy is known here: name it with --policy FILE")
    repository = settings.repository
    remote, branch = (repository.remote, repository.branch) if repository else ("REMOTE", policy.spec.target.branch)
    return by_hand(policy, 0, Mode.KILLED, remote=remote, branch=branch, venue=venue, plan=None)


def _bare(venue: str | None) -> Iterator[str]:
    if venue is None:
        yield "# block new orders and cancel what is open at the broker's own page; no venue is configured here"
        return
    root = venue.rstrip("/")
    yield f"""curl -sS -X POST -H 'Content-Type: application/json' -d '{{"reason": "by hand"}}' {root}/block"""
    yield f"curl -sS -X POST {root}/orders/cancel-all"


def _print(responder: Responder, out: Output) -> int:
    lines = hand_lines(responder)
    if out.json:
        out.document({"commands": list(lines)})
    for line in lines:
        out.line(line)
    return 0


def _verify(responder: Responder, out: Output) -> int:
    """0 when the venue refuses new orders and none is open, 1 when not, 2 when it does not tell."""
    answers = look(questions(responder))
    venue = next(one for one in answers if one.witness == VENUE)
    unread = [one.witness for one in answers if one.state not in (OK, NONE)]
    safe = _safe(venue)
    wall, agree = responder.wiring.clock.wall(), agreement(answers)
    if out.json:
        found = {"safeNow": safe, "agree": agree, "unverified": unread, "witnesses": documents(answers, wall)}
        out.document(found | {"byHand": list(hand_lines(responder)) if unread else []})
    for one in answers:
        out.line(f"{'·' if one.state == OK else '–' if one.state == NONE else '?'} {sentence(one, wall)}")
    words = ", ".join(f"{one.witness} {one.orders_word or 'not known'}" for one in answers if one.witness in TRUTH)
    said = "agree" if agree else "NOT AGREED" if agree is False else "NOT KNOWN whether they agree"
    out.line(f"NEW ORDERS  {said}: {words}")
    word = "YES: blocked, no order open" if safe else "NO" if safe is False else "UNVERIFIED: the venue does not tell"
    out.line(f"SAFE NOW  {word}")
    if unread:
        out.line(f"not verified: {', '.join(unread)}; by hand:")
        for line in hand_lines(responder):
            out.line(f"  {line}")
    return 2 if safe is None else 0 if safe else 1


def _safe(venue: Answer) -> bool | None:
    return None if venue.blocked is None else venue.blocked and not venue.orders
