"""``kill``: stop everything that can add risk, by every way at once; what is confirmed is handed over within 250 ms."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from console.hang_up import put_off
from console.verbs.change import by_hand_lines, carry_out, on_branch, order_down, policy_of, require_hands, unconfirmed
from stages.not_written import by_commit, in_words
from stages.phrase import kill_phrase, mismatch
from stages.refusal import Trouble
from stages.value import Struct

if TYPE_CHECKING:
    from console.output import Output
    from console.procedures.kill import Killed, Salvo
    from console.wiring import Wiring
    from stages.policy import Policy
    from stages.witness import VenueReading

FOLLOW: Final = 30.0
"""Seconds for which ``kill`` follows its worker to Git; the worker itself goes on."""

_STEP: Final = 0.2


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``kill``."""
    parser = subparsers.add_parser(
        "kill", parents=[shared], help="block, cancel all, kill switch and lowest stage, now"
    )
    parser.add_argument("--confirm", metavar="PHRASE", help='"KILL name"')
    parser.add_argument("--reason", default="", help="may be given afterwards: rampdeck note --reason TEXT")
    parser.add_argument("--print", action="store_true", dest="by_hand", help="only the commands to do it by hand")
    parser.set_defaults(run=run_kill)


class Fired(Struct, frozen=True):
    """A kill that was handed over, or why it was not."""

    intent: str
    wrong: str
    salvo: Salvo | None


def start_kill(wiring: Wiring, phrase: str, reason: str = "") -> Fired:
    """Kill when ``phrase`` says so; returns as soon as every witness's thread holds its request. Raises Trouble."""
    before = look_first(wiring)
    policy, digests = policy_of(wiring, at_once=True)
    wrong = mismatch(phrase, kill_phrase(policy.name))
    if wrong:
        return Fired("", unconfirmed(wiring, "kill", wrong.text), None)
    return fire(wiring, policy, digests, before, reason)


def fire(
    wiring: Wiring, policy: Policy, digests: tuple[str, str], before: Mapping[str, VenueReading], reason: str = ""
) -> Fired:
    """Kill what ``policy`` describes, now; ``before`` is where ``look_first`` puts what it finds."""
    from console.procedures.kill import KillOrder, KillPorts, kill

    confirmed = wiring.clock.monotonic()
    intent, lowest = wiring.ids.new(), policy.stages[0].name
    cause = reason or f"killed by {wiring.actor}"

    def go_on() -> int | None:
        command = ["reduce-worker", "--to", lowest, "--mode", "KILLED", "--cause", cause, "--intent", intent]
        command += ["--actor", wiring.actor, "--begun"]
        try:
            return wiring.launcher.launch([*command, "--reason", reason] if reason else command)
        except Trouble:
            order = order_down(wiring, policy, lowest, cause, mode="KILLED", intent=intent, reason=reason, begun=True)
            carry_out(wiring, policy, digests, order)
            return None

    ports = KillPorts(
        wiring.late_ledger,
        wiring.spill,
        wiring.venue,
        wiring.clock,
        go_on,
        lambda: before.get("reading"),
        partial(wiring.outside.flag, policy),
    )
    order = KillOrder(intent, wiring.actor, lowest, cause, wiring.authenticated)
    return Fired(intent, "", kill(ports, order, confirmed=confirmed))


def look_first(wiring: Wiring) -> dict[str, VenueReading]:
    """Ask the venue what is open, in a thread, while the phrase is looked at; the kill does not wait for it."""
    from console.containment import heard

    found: dict[str, VenueReading] = {}
    venue = wiring.venue

    def look() -> None:
        with suppress(Trouble):
            if venue is not None:
                found["reading"] = heard(venue)

    threading.Thread(target=look, name="kill look", daemon=True).start()
    return found


def run_kill(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 when venue and Git are verified, 1 for a wrong phrase or a remote that says no, 2 when something is not."""
    if arguments.by_hand:
        policy, _ = policy_of(wiring)
        lines = by_hand_lines(wiring, policy, policy.stages[0].name, killed=True)
        if out.json:
            out.document({"commands": lines})
        for line in lines:
            out.line(line)
        return 0
    require_hands(wiring)
    if not arguments.confirm:
        raise Trouble("a kill is confirmed by its phrase", fix='add --confirm "KILL name", with the name of the policy')
    with put_off():
        fired = start_kill(wiring, arguments.confirm, arguments.reason)
        killed = fired.salvo.finish() if fired.salvo is not None else None
    if killed is None:
        out.note(f"rampdeck: {fired.wrong}")
        return 1
    for one in killed.witnesses:
        out.note(f"{'·' if one.done else '■' if one.done is False else '?'} {one.text}")
    git, message = _follow(wiring, killed)
    if out.json:
        out.document(killed_document(killed, git, message))
    for line in _lines(killed, git, message):
        out.line(line)
    if git in ("rejected", "proposed"):
        return 1
    return 0 if git in REACHED and not _unverified(killed) else 2


REACHED: Final = ("pushed", "unchanged")
"""Outcomes of an act that is in Git."""
REFUSED: Final = "refused"
"""What became of Git when the manifests did not let all of the kill be written."""


def _follow(wiring: Wiring, killed: Killed) -> tuple[str, str]:
    """What became of Git, by the ledger or, while that is away, by the branch itself: outcome and message."""
    deadline, pause, last = wiring.clock.monotonic() + FOLLOW, threading.Event(), ""
    before = wiring.repository.known_head()
    while wiring.clock.monotonic() < deadline:
        try:
            act = wiring.ledger.state().intents.get(killed.intent)
            if act is not None and not act.unresolved:
                return REFUSED if act.refused and act.outcome in REACHED else act.outcome, act.message
            last = wiring.spill.unmerged()
        except Trouble as away:
            last = away.line
        if last and (arrived := on_branch(wiring, killed.intent, before)) is not None:
            short = in_words(by_commit(arrived.trailers))
            said = "; ".join(filter(None, (short, "read from the branch, because the ledger is away")))
            return REFUSED if short else "pushed", said
        pause.wait(_STEP)
    return "unknown", last or f"no outcome after {FOLLOW:.0f} s; it is tried on"


def _unverified(killed: Killed) -> list[str]:
    """Witnesses that nobody has heard of, but for Git, whose outcome is followed."""
    return [name for name in killed.unverified if not name.startswith("Git")]


def _lines(killed: Killed, git: str, message: str) -> list[str]:
    reached = git in REACHED
    stays = "Git says KILLED" if reached else "NO, Git is not whole" if git == REFUSED else "UNVERIFIED: Git"
    venue = not [name for name in killed.unverified if name.startswith("venue")]
    lines = [
        f"handed over to every witness in {1000 * killed.handed:.0f} ms",
        f"SAFE NOW  {'YES: blocked, no order open' if venue else 'UNVERIFIED: ' + ', '.join(_unverified(killed))}",
        f"STAYS SO  {stays}{f', {message}' if message else ''}",
    ]
    lines += [f"  {one.order_id} {one.side} {one.symbol}: {_outcome(one.outcome)}" for one in killed.orders]
    lines += [
        f"  no longer protected: {o.side} {o.quantity:f} {o.symbol} was to close a position" for o in killed.protective
    ]
    if killed.left is None:
        lines.append("positions left: not known")
    lines += [f"  still open: {p.symbol} {p.quantity:+f}, {p.market_value:,.2f} $" for p in killed.left or ()]
    if killed.left:
        lines.append(
            "nothing was sold, and the strategy cannot close either: call the desk, or 'rampdeck permit-reduce'"
        )
    if killed.spilled:
        lines.append("the ledger is away: what was decided waits in a file and joins it when it is back")
    lines.append("the reason is owed within 10 min: rampdeck note --reason TEXT")
    if not reached or not venue:
        lines.append("by hand: rampdeck kill --print")
    return lines


def _outcome(outcome: str) -> str:
    return "ASKED, NO ANSWER" if outcome == "unknown" else outcome.upper()


def killed_document(killed: Killed, git: str, message: str) -> dict[str, Any]:
    """The result as JSON."""
    unverified = _unverified(killed) + ([] if git in (*REACHED, "rejected") else ["git"])
    return {
        "intent": killed.intent,
        "outcome": git,
        "message": message,
        "handedOverSeconds": round(killed.handed, 4),
        "witnesses": [
            {
                "witness": one.witness,
                "handedSeconds": round(one.handed, 4),
                "tookSeconds": None if one.took is None else round(one.took, 3),
                "done": one.done,
                "detail": one.detail,
            }
            for one in killed.witnesses
        ],
        "unverified": unverified,
        "orders": [
            {"id": one.order_id, "symbol": one.symbol, "side": one.side, "outcome": one.outcome}
            for one in killed.orders
        ],
        "unprotected": [{"id": one.order_id, "symbol": one.symbol, "side": one.side} for one in killed.protective],
        "left": None if killed.left is None else [{"symbol": p.symbol, "quantity": p.quantity} for p in killed.left],
        "spilled": killed.spilled,
        "process": killed.process,
    }
