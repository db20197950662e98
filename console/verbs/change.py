"""Verbs that change things: ``approve``, ``apply``, ``rollback``, ``freeze``, and the worker that goes down."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.procedures.reduce import Order, Reduced
    from console.wiring import Wiring
    from stages.policy import Policy

FOLLOW: Final = timedelta(minutes=2)
"""How long ``rollback`` follows its worker; the worker itself goes on."""

_STEP: Final = 0.2


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add the verbs of change; ``reduce-worker`` is started by the program itself."""
    approve = subparsers.add_parser("approve", parents=[shared], help="sign or reject a plan; prints the approval")
    approve.add_argument("file", metavar="FILE", help="a plan, or a request from the inbox")
    approve.add_argument("--key", metavar="FILE", help="another key than identity.key")
    approve.add_argument("--reject", action="store_true", help="say no; needs --reason")
    approve.add_argument("--reason", default="", help="why not")
    approve.add_argument("--yes", action="store_true", help="do not ask before signing")
    approve.set_defaults(run=_run_approve)

    apply = subparsers.add_parser("apply", parents=[shared], help="carry out an approved plan")
    apply.add_argument("file", metavar="FILE", help="the plan")
    apply.add_argument("--approval", metavar="TOKEN", nargs="+", default=[], help="otherwise those in the inbox")
    apply.add_argument("--confirm", metavar="PHRASE", required=True, help='"ADVANCE name L0 L1 GROSS 5,000"')
    apply.set_defaults(run=_run_apply)

    rollback = subparsers.add_parser("rollback", parents=[shared], help="go down to a stage, now")
    rollback.add_argument("--to", metavar="STAGE", help="otherwise the stage of the phrase")
    rollback.add_argument("--confirm", metavar="PHRASE", help='"ROLLBACK L0"')
    rollback.add_argument("--reason", default="", help="may be given afterwards")
    rollback.add_argument("--print", action="store_true", dest="by_hand", help="only the commands to do it by hand")
    rollback.set_defaults(run=run_rollback)

    freeze = subparsers.add_parser("freeze", parents=[shared], help="hold every advance")
    freeze.add_argument("--confirm", metavar="PHRASE", required=True, help="FREEZE")
    freeze.add_argument("--reason", default="", help="why")
    freeze.set_defaults(run=run_freeze)

    worker = subparsers.add_parser("reduce-worker", parents=[shared])
    worker.add_argument("--to", required=True)
    worker.add_argument("--mode", default="NORMAL")
    worker.add_argument("--cause", default="by hand")
    worker.add_argument("--intent")
    worker.add_argument("--actor")
    worker.add_argument("--reason", default="")
    worker.add_argument("--automatic", action="store_true")
    worker.set_defaults(run=run_worker)


def _run_approve(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    from console.verbs.authorise import run_approve

    return run_approve(arguments, wiring, out)


def _run_apply(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    from console.verbs.authorise import run_apply

    return run_apply(arguments, wiring, out)


# ---------------------------------------------------------------------------------------------------------- going down


def run_rollback(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Start the reduction in a process of its own and follow it; 0 when Git holds it."""
    policy, digests = policy_of(wiring)
    if arguments.by_hand:
        return _print_by_hand(policy, arguments, wiring, out)
    require_hands(wiring)
    stage = _confirmed_stage(policy, arguments, wiring)
    if stage is None:
        return 1
    name, intent = policy.stages[stage].name, wiring.ids.new()
    cause = arguments.reason or f"rollback to {name} by {wiring.actor}"
    command = ["reduce-worker", "--to", name, "--cause", cause, "--intent", intent, "--actor", wiring.actor]
    command += ["--reason", arguments.reason] if arguments.reason else []
    try:
        process = wiring.launcher.launch(command)
    except Trouble as trouble:
        out.note(f"rampdeck: {trouble.line}; carried out in this process instead")
        order = _order(wiring, policy, name, "NORMAL", intent, cause, arguments)
        return _report(_reduce(wiring, policy, digests, order), out)
    out.note(f"ROLLBACK {name}: process {process} is at it; it goes on when this terminal closes")
    return _follow(wiring, intent, name, out)


def run_worker(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Carry a reduction out in this process, which has a session of its own."""
    policy, digests = policy_of(wiring)
    order = _order(
        wiring, policy, arguments.to, arguments.mode, arguments.intent or wiring.ids.new(), arguments.cause, arguments
    )
    return _report(_reduce(wiring, policy, digests, order), out)


def run_freeze(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Hold every advance by a latch."""
    from console.procedures.reduce import freeze
    from stages.phrase import FREEZE, mismatch

    require_hands(wiring)
    wrong = mismatch(arguments.confirm, FREEZE)
    if wrong:
        return _unconfirmed(wiring, "freeze", wrong.text)
    policy, _ = policy_of(wiring)
    cause = arguments.reason or "by hand"
    new = freeze(
        wiring.ledger, wiring.spill, wiring.clock, actor=wiring.actor, cause=cause, top=policy.top,
        now=wiring.clock.wall(),
    )  # fmt: skip
    if out.json:
        out.document({"frozen": True, "new": new, "by": wiring.actor})
    out.line("FROZEN: no advance until an operator clears it" if new else "FROZEN already, by hand")
    return 0


def policy_of(wiring: Wiring) -> tuple[Policy, tuple[str, str]]:
    """The policy to go down by, with its digest and the roster's: the adopted one, else the newest found."""
    from stages.policy_text import digest

    try:
        force = wiring.in_force()
    except Trouble:
        try:
            head = wiring.repository.fetch()
        except Trouble:
            known = wiring.repository.known_head()
            if known is None:
                raise
            head = known
        policy, text = wiring.read_policy(head)
        return policy, (digest(text), "")
    return force.policy, (force.policy_digest, force.roster_digest)


def require_hands(wiring: Wiring) -> None:
    """Trouble on a console that only looks."""
    if wiring.read_only:
        raise Trouble("this console is read-only", fix="leave out --read-only, or print the commands with --print")


def _confirmed_stage(policy: Policy, arguments: argparse.Namespace, wiring: Wiring) -> int | None:
    """The stage of the phrase, which must be the one of ``--to`` where that is given; None when it does not fit."""
    from stages.phrase import mismatch, rollback_phrase

    if not arguments.confirm:
        example = rollback_phrase(arguments.to or policy.stages[0].name)
        raise Trouble("a rollback is confirmed by its phrase", fix=f'add --confirm "{example}"')
    named = arguments.to or arguments.confirm.replace(",", " ").split()[-1]
    stage = policy.stage_index(named)
    if stage is None:
        known = ", ".join(rollback_phrase(each.name) for each in policy.stages)
        _unconfirmed(wiring, "rollback", f"there is no stage '{named}'; type one of {known}")
        return None
    wrong = mismatch(arguments.confirm, rollback_phrase(policy.stages[stage].name))
    if wrong:
        _unconfirmed(wiring, "rollback", wrong.text)
        return None
    return stage


def _unconfirmed(wiring: Wiring, command: str, wrong: str) -> int:
    from stages.commands import Record

    with suppress(Trouble):  # without a ledger the phrase is wrong all the same
        body = {"command": command, "wrong": wrong}
        wiring.ledger.transact(Record(wiring.actor, "confirmation-failed", body), now=wiring.clock.wall())
    sys.stderr.write(f"rampdeck: the phrase does not fit: {wrong}; nothing was done\n")
    return 1


def _order(
    wiring: Wiring, policy: Policy, to: str, mode: str, intent: str, cause: str, arguments: argparse.Namespace
) -> Order:
    from console.procedures.reduce import Order
    from stages.posture import Mode

    stage = policy.stage_index(to)
    if stage is None or mode not in Mode.__members__:
        raise Trouble(f"there is no stage {to} or no mode {mode}", where=policy.name)
    automatic = bool(getattr(arguments, "automatic", False))
    seat = wiring.seat.partition(":")[0] if automatic else wiring.actor
    actor = getattr(arguments, "actor", None) or seat
    return Order(intent, actor, stage, Mode[mode], cause, automatic=automatic, reason=arguments.reason)


def _reduce(wiring: Wiring, policy: Policy, digests: tuple[str, str], order: Order) -> Reduced:
    from console.procedures.reduce import ReducePorts, reduce

    ports = ReducePorts(
        ledger=wiring.ledger,
        spill=wiring.spill,
        repository=wiring.repository,
        venue=wiring.venue,
        clock=wiring.clock,
        running=wiring.running,
        pause=Event().wait,
        checkpoint=wiring.checkpoint,
    )
    return reduce(ports, policy, order, digests=digests)


def _report(done: Reduced, out: Output) -> int:
    if out.json:
        out.document(reduced_document(done))
    for one in done.witnesses:
        out.line(f"{'·' if one.done else '?'} {one.text}")
    for refusal in done.refusals:
        out.line(f"? not reduced: {refusal}")
    for position in done.left or ():
        out.line(f"  still open: {position.symbol} {position.quantity:+f}, {position.market_value:,.2f} $")
    out.line(f"{done.outcome.upper()} after {done.took:.1f} s{f': {done.message}' if done.message else ''}")
    return exit_code(done.outcome)


def exit_code(outcome: str) -> int:
    """0 done, 1 the remote said no, 2 nobody knows."""
    return {"pushed": 0, "unchanged": 0, "running": 0, "rejected": 1, "refused": 1, "abandoned": 1}.get(outcome, 2)


def reduced_document(done: Reduced) -> dict[str, Any]:
    """The result as JSON."""
    return {
        "outcome": done.outcome,
        "intent": done.intent,
        "sha": done.sha,
        "message": done.message,
        "tookSeconds": round(done.took, 3),
        "witnesses": [
            {"witness": one.witness, "done": one.done, "tookSeconds": round(one.took, 3), "detail": one.detail}
            for one in done.witnesses
        ],
        "unverified": list(done.unverified),
        "refusals": list(done.refusals),
        "left": None if done.left is None else [{"symbol": p.symbol, "quantity": p.quantity} for p in done.left],
        "spilled": done.spilled,
    }


def _follow(wiring: Wiring, intent: str, name: str, out: Output) -> int:
    """Tell what the ledger tells of the act, until its outcome or until ``FOLLOW`` has passed."""
    deadline = wiring.clock.monotonic() + FOLLOW.total_seconds()
    seen, pause = 0, Event()
    while wiring.clock.monotonic() < deadline:
        with suppress(Trouble):
            for entry in wiring.ledger.entries(after=seen):
                seen = entry.seq
                if entry.intent != intent:
                    continue
                if entry.kind in ("committed", "note"):
                    out.note(str(entry.body.get("text") or f"committed {entry.body['sha'][:8]}"))
                if entry.kind == "outcome":
                    return _ended(dict(entry.body), intent, name, out)
        pause.wait(_STEP)
    raise Trouble(
        f"ROLLBACK {name} is not done after {FOLLOW.total_seconds():.0f} s; it goes on",
        where=str(wiring.launcher.log),
        fix="'rampdeck status' shows it; 'rampdeck rollback --print' gives the commands to do it by hand",
    )


def _ended(body: dict[str, Any], intent: str, name: str, out: Output) -> int:
    outcome, sha, message = body["outcome"], body.get("sha", ""), body.get("message", "")
    if out.json:
        out.document({"outcome": outcome, "intent": intent, "sha": sha, "message": message, "to": name})
    said = {"pushed": f"pushed {sha[:8]}: limits of {name}; nothing is sold", "unchanged": f"{name} holds already"}
    out.line(said.get(outcome, f"{outcome.upper()}: {message}"))
    return exit_code(outcome)


def _print_by_hand(policy: Policy, arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    lines = by_hand_lines(wiring, policy, arguments.to or policy.stages[0].name)
    if out.json:
        out.document({"commands": lines})
    for line in lines:
        out.line(line)
    return 0


def by_hand_lines(wiring: Wiring, policy: Policy, to: str) -> tuple[str, ...]:
    """The commands that roll back to stage ``to`` without this program, with a patch where Git can be read."""
    from functools import partial

    from console.by_hand import by_hand
    from stages.plan import Plan, build
    from stages.posture import Mode

    stage = policy.stage_index(to)
    if stage is None:
        raise Trouble(f"there is no stage '{to}'", where=policy.name)
    wiring.settings.need("repository")
    settings = wiring.settings.repository
    assert settings is not None
    plan: Plan | None = None
    with suppress(Trouble):
        head = wiring.repository.fetch()
        plan = build(
            policy, policy_digest="", roster_digest="", read=partial(wiring.repository.read, head), base_commit=head,
            epoch=0, to_stage=stage, created_by=wiring.actor, now=wiring.clock.wall(), only_safer=True,
        )  # fmt: skip
    venue = wiring.settings.venue.url if wiring.settings.venue else None
    return by_hand(policy, stage, Mode.NORMAL, remote=settings.remote, branch=settings.branch, venue=venue, plan=plan)
