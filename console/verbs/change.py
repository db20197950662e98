"""Verbs that change things: ``approve``, ``apply``, ``rollback``, ``freeze``, and the worker that goes down."""

from __future__ import annotations

import argparse
from contextlib import suppress
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from stages.not_written import by_commit
from stages.phrase import FREEZE, mismatch, rollback_phrase
from stages.refusal import Trouble
from stages.value import Struct

if TYPE_CHECKING:
    from console.output import Output
    from console.ports import CommitInfo
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
    apply.add_argument(
        "--approval", metavar="TOKEN", nargs="+", action="extend", default=[], help="otherwise those in the inbox"
    )
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
    worker.add_argument("--begun", action="store_true")
    worker.set_defaults(run=run_worker)


def _run_approve(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    from console.verbs.authorise import run_approve

    return run_approve(arguments, wiring, out)


def _run_apply(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    from console.verbs.authorise import run_apply

    return run_apply(arguments, wiring, out)


# ---------------------------------------------------------------------------------------------------------- going down


def run_rollback(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Start the reduction in a process of its own and follow it; 0 when Git holds it, 2 when that is not verified."""
    if arguments.by_hand:
        return _print_by_hand(policy_of(wiring)[0], arguments, wiring, out)
    require_hands(wiring)
    if not arguments.confirm:
        example = rollback_phrase(arguments.to or "L0")
        raise Trouble("a rollback is confirmed by its phrase", fix=f'add --confirm "{example}"')
    started = start_rollback(wiring, arguments.to, arguments.confirm, arguments.reason)
    out.note(started.note if started.ok else f"rampdeck: {started.note}")
    if not started.ok:
        return 1
    if started.done is not None:
        return _report(started.done, out)
    return _follow(wiring, started.intent, started.stage, out)


class Started(Struct, frozen=True):
    """Whether a rollback was started and what to tell; ``done`` when it had to be carried out in this process.

    ``handed``: seconds from the confirmed phrase until a process of its own was at it.
    """

    ok: bool
    note: str
    intent: str = ""
    stage: str = ""
    done: Reduced | None = None
    handed: float = 0.0


def start_rollback(wiring: Wiring, to: str | None, phrase: str, reason: str = "") -> Started:
    """Start going down, in a process of its own, to the stage of ``phrase``; ``to``, where given, must be the same."""
    policy, digests = policy_of(wiring, at_once=True)
    name, wrong = _confirmed_stage(policy, to, phrase)
    if wrong:
        return Started(False, unconfirmed(wiring, "rollback", wrong))
    confirmed = wiring.clock.monotonic()
    intent, cause = wiring.ids.new(), reason or f"rollback to {name} by {wiring.actor}"
    command = ["reduce-worker", "--to", name, "--cause", cause, "--intent", intent, "--actor", wiring.actor]
    command += ["--reason", reason] if reason else []
    try:
        process = wiring.launcher.launch(command)
    except Trouble as trouble:
        order = order_down(wiring, policy, name, cause, intent=intent, reason=reason)
        done = carry_out(wiring, policy, digests, order)
        return Started(True, f"{trouble.line}; carried out in this process instead", intent, name, done)
    note = f"ROLLBACK {name}: process {process} is at it; it goes on when this terminal closes"
    return Started(True, note, intent, name, handed=wiring.clock.monotonic() - confirmed)


def run_worker(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Carry a reduction out in this process, which has a session of its own."""
    policy, digests = policy_of(wiring)
    order = order_down(
        wiring, policy, arguments.to, arguments.cause, mode=arguments.mode, intent=arguments.intent,
        actor=arguments.actor, automatic=arguments.automatic, reason=arguments.reason,
        begun=arguments.begun,
    )  # fmt: skip
    return _report(carry_out(wiring, policy, digests, order), out)


def run_freeze(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Hold every advance by a latch."""
    require_hands(wiring)
    held, note = hold_advances(wiring, arguments.confirm, arguments.reason or "by hand")
    if out.json:
        out.document({"frozen": held, "by": wiring.actor, "note": note})
    (out.line if held else out.note)(note)
    return 0 if held else 1


def hold_advances(wiring: Wiring, phrase: str, cause: str) -> tuple[bool, str]:
    """Freeze when ``phrase`` says so; whether it is held now, and what to tell."""
    from console.procedures.reduce import freeze

    wrong = mismatch(phrase, FREEZE)
    if wrong:
        return False, unconfirmed(wiring, "freeze", wrong.text)
    policy, now = policy_of(wiring)[0], wiring.clock.wall()
    new = freeze(wiring.ledger, wiring.spill, wiring.clock, actor=wiring.actor, cause=cause, top=policy.top, now=now)
    return True, "FROZEN: no advance until an operator clears it" if new else "FROZEN already, by hand"


def policy_of(wiring: Wiring, *, at_once: bool = False) -> tuple[Policy, tuple[str, str]]:
    """The policy to go down by, with its digest and the roster's: the adopted one, else the newest found.

    ``at_once``: what this machine knows of the branch will do, and before a remote is asked that may be silent the copy
    that was kept here of the policy last in force. That copy serves as well where nothing else is to be had.
    """
    from console.in_force import policy_of_file
    from stages.policy_text import digest

    kept = at_once and wiring.policy_file is None and wiring.policy_copy.exists()
    if kept and wiring.repository.known_head() is None:
        policy, text = policy_of_file(wiring.policy_copy)
        return policy, (digest(text), "")
    try:
        force = wiring.in_force()
    except Trouble:
        if wiring.policy_file is not None:
            policy, text = policy_of_file(wiring.policy_file)
            return policy, (digest(text), "")
        known = wiring.repository.known_head()
        try:
            head = known if at_once and known is not None else wiring.repository.fetch()
        except Trouble:
            if known is None and wiring.policy_copy.exists():
                policy, text = policy_of_file(wiring.policy_copy)
                return policy, (digest(text), "")
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


def _confirmed_stage(policy: Policy, to: str | None, phrase: str) -> tuple[str, str]:
    """The stage's name and, when the phrase does not fit, what is wrong with it."""
    named = to or (phrase.replace(",", " ").split() or [""])[-1]
    stage = policy.stage_index(named)
    if stage is None:
        known = ", ".join(rollback_phrase(each.name) for each in policy.stages)
        return "", f"there is no stage '{named}'; type one of {known}"
    name = policy.stages[stage].name
    wrong = mismatch(phrase, rollback_phrase(name))
    return name, wrong.text if wrong else ""


def unconfirmed(wiring: Wiring, command: str, wrong: str) -> str:
    """Keep that a confirmation failed; what to tell about it."""
    from stages.commands import Record

    with suppress(Trouble):  # without a ledger the phrase is wrong all the same
        body = {"command": command, "wrong": wrong}
        wiring.ledger.transact(Record(wiring.actor, "confirmation-failed", body), now=wiring.clock.wall())
    return f"the phrase does not fit: {wrong}; nothing was done"


def order_down(
    wiring: Wiring,
    policy: Policy,
    to: str,
    cause: str,
    *,
    mode: str = "NORMAL",
    intent: str | None = None,
    actor: str | None = None,
    automatic: bool = False,
    reason: str = "",
    begun: bool = False,
) -> Order:
    from console.procedures.reduce import Order
    from stages.posture import Mode

    stage = policy.stage_index(to)
    if stage is None or mode not in Mode.__members__:
        raise Trouble(f"there is no stage {to} or no mode {mode}", where=policy.name)
    who = actor or (wiring.seat.partition(":")[0] if automatic else wiring.actor)
    return Order(
        intent or wiring.ids.new(), who, stage, Mode[mode], cause, automatic=automatic, reason=reason, begun=begun
    )


def carry_out(wiring: Wiring, policy: Policy, digests: tuple[str, str], order: Order) -> Reduced:
    from console.procedures.reduce import ReducePorts, reduce

    ports = ReducePorts(
        ledger=wiring.late_ledger,
        spill=wiring.spill,
        repository=wiring.repository,
        venue=wiring.venue,
        clock=wiring.clock,
        running=wiring.running,
        pause=Event().wait,
        checkpoint=wiring.checkpoint,
        by_branch=wiring.by_branch("reduce"),
        runtime=wiring.outside.runtime(policy),
        flag=wiring.outside.flag(policy),
    )
    return reduce(ports, policy, order, digests=digests)


def _report(done: Reduced, out: Output) -> int:
    if out.json:
        out.document(reduced_document(done))
    for one in done.witnesses:
        out.line(f"{'·' if one.done else '?'} {one.text}")
    for refusal in done.refusals:
        out.line(f"■ not written: {refusal}")
    for position in done.left or ():
        out.line(f"  still open: {position.symbol} {position.quantity:+f}, {position.market_value:,.2f} $")
    out.line(f"{done.outcome.upper()} after {done.took:.1f} s{f': {done.message}' if done.message else ''}")
    return exit_code(done.outcome) or (2 if done.unverified or done.refusals else 0)


def exit_code(outcome: str) -> int:
    """0 done, 1 the remote said no or somebody must merge it first, 2 nobody knows."""
    return {"pushed": 0, "unchanged": 0, "running": 0, "rejected": 1, "refused": 1, "abandoned": 1, "proposed": 1}.get(
        outcome, 2
    )


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
        "branch": done.branch,
    }


def _follow(wiring: Wiring, intent: str, name: str, out: Output) -> int:
    """Tell what the ledger tells of the act, until its outcome or until ``FOLLOW`` has passed.

    While the ledger is away, or takes nothing, the branch itself is asked, which can tell of this outcome alone.
    """
    deadline, before = wiring.clock.monotonic() + FOLLOW.total_seconds(), wiring.repository.known_head()
    seen, pause, away = 0, Event(), ""
    while wiring.clock.monotonic() < deadline:
        try:
            for entry in wiring.ledger.entries(after=seen):
                seen = entry.seq
                if entry.intent != intent:
                    continue
                if entry.kind in ("committed", "note"):
                    out.note(str(entry.body.get("text") or f"committed {entry.body['sha'][:8]}"))
                if entry.kind == "outcome":
                    return _ended(wiring, dict(entry.body), intent, name, out)
            away = wiring.spill.unmerged()
        except Trouble as trouble:
            away = trouble.line
        if away:
            arrived = on_branch(wiring, intent, before)
            if arrived is not None:
                out.note(f"the ledger is away: what was decided waits in a file and joins it when it is back ({away})")
                message = "read from the branch, because the ledger is away"
                body = {"outcome": "pushed", "sha": arrived.sha, "message": message, "unverified": ["ledger"]}
                body |= {"refused": by_commit(arrived.trailers)}
                return _ended(wiring, body, intent, name, out)
        pause.wait(_STEP)
    unverified = "Git" if not away else f"Git and the ledger ({away})"
    raise Trouble(
        f"ROLLBACK {name} is not done after {FOLLOW.total_seconds():.0f} s, not verified: {unverified}; it goes on",
        where=str(wiring.launcher.log),
        fix="'rampdeck status' shows it; 'rampdeck rollback --print' gives the commands to do it by hand",
    )


def on_branch(wiring: Wiring, intent: str, before: str | None) -> CommitInfo | None:
    """The commit of act ``intent`` on the branch now, among those after ``before``; None when it is not seen.

    An older act may have left the same stage and mode there, so only a commit that names the act is an answer.
    """
    from stages.staleness import INTENT_TRAILER

    with suppress(Trouble):
        head = wiring.repository.fetch()
        newer = wiring.repository.log(before, head) if before else ()
        for commit in (wiring.repository.info(head), *newer):
            if commit.trailers.get(INTENT_TRAILER) == intent:
                return commit
    return None


def _ended(wiring: Wiring, body: dict[str, Any], intent: str, name: str, out: Output) -> int:
    outcome, sha, message = body["outcome"], body.get("sha", ""), body.get("message", "")
    unverified, silence = list(body.get("unverified", [])), _venue_silence(wiring)
    refused = list(body.get("refused", []))
    if out.json:
        told = {"outcome": outcome, "intent": intent, "sha": sha, "message": message, "to": name, "refusals": refused}
        out.document(told | {"unverified": [*unverified, *(["venue"] if silence else [])]})
    said = {"pushed": f"pushed {sha[:8]}: limits of {name}; nothing is sold", "unchanged": f"{name} holds already"}
    whole = said.get(outcome, f"{outcome.upper()}: {message}")
    out.line(f"{name} IS NOT WHOLLY IN GIT" if refused and outcome in said else whole)
    for refusal in refused:
        out.line(f"■ not written: {refusal}")
    if silence:
        out.note(f"not verified: the venue ({silence}); what is open there is not known")
    return exit_code(outcome) or (2 if unverified or silence or refused else 0)


def _venue_silence(wiring: Wiring) -> str:
    """Why the venue does not tell what is open; empty when it does, or where there is none."""
    from console.containment import heard

    if wiring.venue is None:
        return ""
    try:
        heard(wiring.venue)
    except Trouble as away:
        return away.line
    return ""


def _print_by_hand(policy: Policy, arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    lines = by_hand_lines(wiring, policy, arguments.to or policy.stages[0].name)
    if out.json:
        out.document({"commands": lines})
    for line in lines:
        out.line(line)
    return 0


def by_hand_lines(wiring: Wiring, policy: Policy, to: str, *, killed: bool = False) -> tuple[str, ...]:
    """The commands that roll back to stage ``to``, or kill, without this program, with a patch if Git can be read."""
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
    mode = Mode.KILLED if killed else Mode.NORMAL
    with suppress(Trouble):
        head = wiring.repository.fetch()
        plan = build(
            policy, policy_digest="", roster_digest="", read=partial(wiring.repository.read, head), base_commit=head,
            epoch=0, to_stage=stage, created_by=wiring.actor, now=wiring.clock.wall(), only_safer=True,
            mode=mode if killed else None,
        )  # fmt: skip
    venue = wiring.settings.venue.url if wiring.settings.venue else None
    return by_hand(policy, stage, mode, remote=settings.remote, branch=settings.branch, venue=venue, plan=plan)
