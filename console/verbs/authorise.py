"""``approve``, on an approver's own machine, and ``apply`` with what they signed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.verbs.change import exit_code, require_hands
from console.verbs.rehearse import read_document, read_plan
from stages.asking import KIND as REQUEST
from stages.authority import (
    APPROVE,
    REJECT,
    Action,
    Check,
    Claims,
    action_digest,
    adopt_action,
    advance_action,
    claims_expiry,
    environment_fingerprint,
    gate_report_digest,
)
from stages.refusal import Trouble
from stages.token import Token, encode_token
from stages.value import Struct

if TYPE_CHECKING:
    from console.in_force import InForce
    from console.output import Output
    from console.procedures.advance import Advanced
    from console.wiring import Wiring
    from stages.plan import Plan


class Checked(Struct, frozen=True):
    """What was checked on this machine instead of being taken from the asker; ``ok`` None could not be."""

    text: str
    ok: bool | None


def run_approve(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Show the plan and what could be checked here, then sign a yes or a no; prints the token's line."""
    require_hands(wiring)
    if arguments.reject and not arguments.reason.strip():
        raise Trouble("a rejection needs a reason", fix='add --reason "..."')
    if Path(arguments.file).suffix in (".yaml", ".yml"):
        return _approve_adoption(arguments, wiring, out)
    document = read_document(Path(arguments.file))
    if document.get("kind") == REQUEST:
        from console.verbs.agree import approve_request

        return approve_request(arguments, wiring, out, document)
    plan = read_plan(document, arguments.file)
    wiring.settings.need("identity")
    force, now = _force(wiring, plan), wiring.clock.wall()
    if now >= plan.expires_at:
        raise Trouble(
            f"the plan expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC", where=arguments.file, fix="make it again"
        )
    checked = tuple(_checks(wiring, force, plan))
    if not out.json:
        for line in _page(wiring, plan, document, checked):
            out.note(line)
    refused = [one for one in checked if one.ok is False]
    if refused and not arguments.reject:
        raise Trouble(f"this cannot be approved by {wiring.actor}: {refused[0].text}", where=arguments.file)
    if not willing(arguments, out):
        out.note("neither approved nor rejected")
        return 1
    token = sign_token(
        arguments, wiring, force, advance_action(plan), gate_report_digest(document.get("gates", [])), plan.expires_at
    )
    placed = _place(wiring, plan, token, rejected=arguments.reject)
    if out.json:
        answer = REJECT if arguments.reject else APPROVE
        out.document({"plan": plan.id, "approver": wiring.actor, "answer": answer, "token": token, "inbox": placed})
    out.line(token)
    return 0


def run_apply(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Carry the plan out; 0 when it was pushed (or proposed, as configured), 1 when the answer is no, 2 for unknown."""
    from console.procedures.advance import apply

    require_hands(wiring)
    document = read_document(Path(arguments.file))
    plan = read_plan(document, arguments.file)
    force = wiring.in_force()
    tokens = arguments.approval or _from_inbox(wiring, force, plan)
    done = apply(
        wiring.advance_ports(force.policy), force, plan=plan, tokens=tokens, phrase=arguments.confirm,
        actor=wiring.actor, gates=wiring.judge(force.policy),
    )  # fmt: skip
    _report(done, plan, out)
    return 0 if done.ok else exit_code(done.outcome)


# ------------------------------------------------------------------------------------------------------------ approving


def _force(wiring: Wiring, plan: Plan) -> InForce:
    """The policy and roster that the plan was made under, read here: from the ledger's adoption or from the branch."""
    from console.in_force import InForce
    from stages.policy_text import digest

    if wiring.settings.ledger:
        force = wiring.in_force()
    else:
        head = wiring.repository.fetch()
        policy, text = wiring.read_policy(head)
        roster, signers, roster_digest = wiring.read_roster(head)
        force = InForce(policy, text, digest(text), roster, roster_digest, signers)
    if (force.policy_digest, force.roster_digest) != (plan.policy_digest, plan.roster_digest):
        raise Trouble("the plan was made under another policy or roster than the one found here", fix="make it again")
    return force


def _checks(wiring: Wiring, force: InForce, plan: Plan) -> Iterator[Checked]:
    from stages.plan import build

    roles = force.roster.roles(wiring.actor)
    held = ", ".join(sorted(roles))
    yield Checked(f"you are {held} on the roster" if roles else f"{wiring.actor} is not on the roster", bool(roles))
    asker = "not the asker" if wiring.actor != plan.created_by else "the asker, who cannot approve"
    yield Checked(f"you are {asker}", wiring.actor != plan.created_by)
    try:
        head = wiring.repository.fetch()
        again = build(
            force.policy, policy_digest=force.policy_digest, roster_digest=force.roster_digest,
            read=partial(wiring.repository.read, plan.base_commit), base_commit=plan.base_commit, epoch=plan.epoch,
            to_stage=force.policy.stage_index(plan.to_stage) or 0, created_by=plan.created_by, now=plan.created_at,
            expires_at=plan.expires_at, blob_id=wiring.repository.blob_id,
        )  # fmt: skip
    except Trouble as trouble:
        yield Checked(f"the edits could not be made again here: {trouble.line}", None)
        return
    equal = again.id == plan.id
    word = "equal byte for byte" if equal else "NOT what the plan says"
    yield Checked(f"the same edits made again from your own clone: {word}", equal)
    newest = head == plan.base_commit
    said = "its base is the newest commit" if newest else "there are newer commits than its base"
    yield Checked(said, newest or None)


def _page(wiring: Wiring, plan: Plan, document: dict[str, Any], checked: Sequence[Checked]) -> Iterator[str]:
    radius, target = plan.blast_radius, wiring.settings.environment.name
    yield f"{plan.namespace} [{target}]   plan {plan.id[:8]}, made by {plan.created_by}"
    yield f"expires {plan.expires_at:%Y-%m-%d %H:%M} UTC"
    yield ""
    gross = f"can be open {_money(radius.gross_before)} → {_money(radius.gross_after)}"
    loss = f"kill at a loss of {_money(radius.loss_before)} → {_money(radius.loss_after)}"
    yield f"{plan.direction.upper()}  {plan.from_stage} → {plan.to_stage}   {gross}   {loss}"
    for change in plan.changes:
        if change.before != change.after:
            moved = f"{_said(change.before):>14} → {_said(change.after):<14}"
            yield f"  {change.title:<18} {moved} {change.direction.value}"
    for workload in radius.restarts:
        yield f"  restarts {workload}"
    yield ""
    for gate in document.get("gates", []):
        yield f"  {gate['status']:<8} {gate['gate_id']}: {'; '.join(gate['reasons'])}"
    yield "checked here, not taken from " + plan.created_by
    marks = {True: "·", False: "■", None: "○"}
    yield from (f"  {marks[one.ok]} {one.text}" for one in checked)
    yield ""
    yield from (line for edit in plan.edits for line in edit.diff.splitlines())


def willing(arguments: argparse.Namespace, out: Output) -> bool:
    """Whether the person who was shown it says yes; without a terminal the command itself is the yes."""
    if arguments.yes or out.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    out.note("")
    word = "reject" if arguments.reject else "approve"
    sys.stderr.write(f"{word} this? y or n: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _approve_adoption(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Sign that a policy's file, or a roster's with the ``allowed_signers`` beside it, may be put in force."""
    from stages.policy_text import digest, load
    from stages.roster import load_roster

    wiring.settings.need("identity", "ledger")
    force, path = wiring.in_force(), Path(arguments.file)
    try:
        content = path.read_bytes()
        roster = b"kind: Roster" in content
        subject = (
            load_roster(path.with_name("allowed_signers").read_bytes(), content, str(path))[1]
            if roster
            else digest(content.decode("utf-8"))
        )
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"cannot be read ({error})", where=str(path)) from None
    if not roster:
        load(content.decode("utf-8"), str(path))
    what = "the roster" if roster else "the policy"
    out.note(f"put {what} with digest {subject[:16]} in force; 'git diff' shows what it changes")
    if not willing(arguments, out):
        out.note("neither approved nor rejected")
        return 1
    action = adopt_action(force.policy.spec.target.namespace, subject)
    token = sign_token(arguments, wiring, force, action, gate_report_digest([]), action.expires)
    if out.json:
        out.document({"subject": subject, "approver": wiring.actor, "token": token})
    out.line(token)
    return 0


def sign_token(
    arguments: argparse.Namespace, wiring: Wiring, force: InForce, action: Action, gates: str, end: datetime
) -> str:
    """The token: claims over ``action`` and over the gates that were seen, good until ``end`` at the most."""
    signer = wiring.signer_with(Path(arguments.key)) if arguments.key else wiring.signer
    now = wiring.clock.wall()
    claims = Claims(
        action=action_digest(action),
        gate_report=gates,
        approver=wiring.actor,
        roster=force.roster_digest,
        environment=environment_fingerprint(force.policy),
        issued=now,
        expires=claims_expiry(now, force.policy.spec.gates.approval_life, end),
        nonce=wiring.ids.new(),
        answer=REJECT if arguments.reject else APPROVE,
        reason=" ".join(arguments.reason.split()),
    )
    signature = signer.sign(claims.message())
    whose = signer.verify(claims.message(), signature, force.signers)
    if whose != wiring.actor:
        owner = f"is {whose}'s" if whose else "is nobody's among the allowed signers"
        raise Trouble(f"you act as {wiring.actor}, but this key {owner}", fix="correct identity, or pass --key FILE")
    return encode_token(Token(claims, signature))


def _place(wiring: Wiring, plan: Plan, token: str, *, rejected: bool) -> str | None:
    """Put the answer into the inbox where one is configured; elsewhere the line is copied."""
    from console.inbox import Inbox

    if wiring.settings.inbox is None:
        return None
    return str(Inbox(wiring.inbox).answer(plan.id, wiring.actor, token, rejected=rejected))


# ------------------------------------------------------------------------------------------------------------- applying


def _from_inbox(wiring: Wiring, force: InForce, plan: Plan) -> list[str]:
    from console.approvals import collect
    from console.inbox import Inbox

    found = collect(
        wiring.ledger, wiring.clock, wiring.signer, Inbox(wiring.inbox), force=force, plan=plan, actor=wiring.actor
    )
    return [opinion.text for opinion in found if not opinion.fault and not opinion.rejects]


def _report(done: Advanced, plan: Plan, out: Output) -> None:
    if out.json:
        out.document(
            {
                "outcome": done.outcome,
                "plan": plan.id,
                "intent": done.intent,
                "sha": done.sha,
                "branch": done.branch,
                "code": done.refusal.code if done.refusal else "",
                "message": done.message,
                "stale": list(done.stale),
                "departure": done.departure.document() if done.departure else None,
                "approvals": [
                    {"approver": opinion.approver, "fault": opinion.fault, "checks": _document(opinion.checks)}
                    for opinion in done.opinions
                ],
            }
        )
    for opinion in done.opinions:
        for check in opinion.checks:
            out.note(f"  {'·' if check.ok else '■'} {opinion.approver}: {check.name}, {check.detail}")
    if done.branch:
        out.line(f"PROPOSED {plan.from_stage} → {plan.to_stage}: {done.message}; the watch follows it")
    elif done.ok:
        out.line(f"pushed {done.sha[:8]}: {plan.from_stage} → {plan.to_stage}; the watch follows it to the runtime")
    else:
        out.line(f"{done.outcome.upper()}: {done.message}")
    if done.departure is not None:
        out.line("THE APPROVED PLAN AND THE SAME PLAN MADE TODAY")
        for line in done.departure.lines or ("no difference: only the branch's history speaks against it",):
            out.line(f"  {line}")


def _document(checks: Sequence[Check]) -> list[dict[str, Any]]:
    return [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]


def _money(value: object) -> str:
    return "no limit" if value is None else f"{value:,} $"


def _said(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
