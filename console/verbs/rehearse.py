"""``rampdeck plan --to STAGE`` and ``rampdeck plan show FILE``: a dry run, never a write to Git."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.ladder import Direction, Unit, Value
from stages.ladder import plain as plain_number
from stages.refusal import Trouble

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from console.output import Output
    from console.procedures.rehearse import Judge
    from console.wiring import Wiring
    from stages.plan import ControlChange, Plan
    from stages.policy import Policy

_MARKS = {Direction.RISKIER: "▲", Direction.SAFER: "▼", Direction.NEUTRAL: "="}
_WORDS = {Direction.RISKIER: "riskier", Direction.SAFER: "safer", Direction.NEUTRAL: "same"}
_ENFORCED = {
    "app-clip": "app clips",
    "app-reject": "app REJECTS above it",
    "app-stop": "app stops",
    "venue": "venue",
    "rampdeck": "RAMPDECK ONLY",
}
_WIDTH = 140
_PATCH_HELP = "print the edits alone, as a patch for 'git apply'"


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``plan`` with ``plan show``."""
    plan = subparsers.add_parser("plan", parents=[shared], help="rehearse a move to a stage")
    plan.add_argument("--to", metavar="STAGE", help="the stage to go to")
    plan.add_argument("-o", "--output", metavar="FILE", help="write the plan here, also when it is not allowed")
    plan.add_argument("--patch", action="store_true", help=_PATCH_HELP)
    plan.set_defaults(run=run_plan)
    show = plan.add_subparsers(metavar="show").add_parser("show", parents=[shared], help="show a plan's file")
    show.add_argument("file", metavar="FILE")
    show.add_argument("--patch", action="store_true", help=_PATCH_HELP)
    show.set_defaults(run=run_show)


def run_plan(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Make the plan, show it, write it; 0 when it is allowed, 1 when not."""
    from console.procedures.rehearse import make_plan
    from stages.plan import to_document

    if not arguments.to:
        raise Trouble("a plan needs a stage to go to", fix="write 'rampdeck plan --to L1'")
    policy, policy_digest, roster_digest = _policy(wiring)
    rehearsal = make_plan(
        repository=wiring.repository,
        policy=policy,
        policy_digest=policy_digest,
        roster_digest=roster_digest,
        epoch=wiring.ledger.state().epoch if wiring.settings.ledger else 0,
        created_by=wiring.actor,
        now=wiring.clock.wall(),
        to_stage=arguments.to,
        judge=_judge(wiring, policy),
    )
    plan = rehearsal.plan
    assert plan is not None
    document = to_document(plan, gates=rehearsal.gates, allowed=rehearsal.allowed, confirmation=rehearsal.confirmation)
    if arguments.output:
        write_document(Path(arguments.output), document)
        out.note(f"written to {arguments.output}")
    _answer(plan, document, out, patch=arguments.patch)
    return 0 if rehearsal.allowed else 1


def run_show(arguments: argparse.Namespace, _wiring: Wiring, out: Output) -> int:
    """Show a plan's file after checking that its id is the digest of its core."""
    document = read_document(Path(arguments.file))
    _answer(read_plan(document, arguments.file), document, out, patch=arguments.patch)
    return 0


def read_document(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises Trouble."""
    from console.verbs.policy import read_text

    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        fix = "make it with 'rampdeck plan --to STAGE -o plan.json'"
        raise Trouble(f"is not JSON ({error.msg})", where=f"{path}:{error.lineno}", fix=fix) from None
    if not isinstance(document, dict):
        raise Trouble("is not a plan", where=str(path), fix="make it with 'rampdeck plan --to STAGE -o plan.json'")
    return document


def read_plan(document: dict[str, Any], where: str) -> Plan:
    """The plan of a document, with the file named in its Trouble."""
    from stages.plan import from_document

    try:
        return from_document(document)
    except Trouble as trouble:
        raise Trouble(trouble.what, where=where, fix=trouble.fix) from None


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write a plan's file. Raises Trouble."""
    try:
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise Trouble(f"cannot be written ({error.strerror})", where=str(path), fix="name another file") from None


def _judge(wiring: Wiring, policy: Policy) -> Judge:
    """The gates on one look at the target; without a ledger there is nothing that a gate could rest on."""
    from console.procedures.rehearse import unseen

    return wiring.judge(policy) if wiring.settings.ledger else unseen


def _policy(wiring: Wiring) -> tuple[Policy, str, str]:
    """The policy with its digest and the roster's: the adopted ones, or the file of ``--policy`` as a proposal."""
    from stages.policy_text import digest

    if wiring.policy_file is None and wiring.settings.ledger:
        force = wiring.in_force()
        return force.policy, force.policy_digest, force.roster_digest
    head = wiring.repository.fetch()
    policy, text = wiring.read_policy(head)
    try:
        roster_digest = wiring.read_roster(head)[2] if wiring.settings.policy else ""
    except Trouble:
        # A proposal may come before the first roster; without one nobody could approve it.
        roster_digest = ""
    return policy, digest(text), roster_digest


# For people


def _answer(plan: Plan, document: dict[str, Any], out: Output, *, patch: bool) -> None:
    if patch:
        from stages.patch import patch_text

        out.exact(patch_text(plan.edits))
        return
    if out.json:
        out.document(document)
        return
    from rich.console import Console

    console = Console(file=out.stream, width=None if out.stream.isatty() else _WIDTH, highlight=False)
    for part in _parts(plan, document):
        console.print(part, soft_wrap=not hasattr(part, "add_row"))


def _parts(plan: Plan, document: dict[str, Any]) -> list[RenderableType]:
    from rich.text import Text

    riskier = sum(change.direction is Direction.RISKIER for change in plan.changes)
    safer = sum(change.direction is Direction.SAFER for change in plan.changes)
    same = len(plan.changes) - riskier - safer
    counts = ", ".join(f"{n} {word}" for n, word in ((riskier, "riskier"), (safer, "safer"), (same, "same")) if n)
    parts: list[RenderableType] = [
        Text(f"PLAN {plan.id[:12]}  {plan.namespace}  {plan.from_stage} → {plan.to_stage}  {plan.direction.upper()}"),
        Text(f"by {plan.created_by}, until {plan.expires_at:%Y-%m-%d %H:%M} UTC, base {plan.base_commit[:7]}\n"),
        Text(f"WHAT CHANGES  {counts}"),
        _changes(plan),
        *(Text(f"  file {number}  {edit.path}") for number, edit in enumerate(plan.edits, 1)),
        Text("\nWHAT IT CAN COST"),
        _costs(plan),
    ]
    lines = _consequences(plan)
    lines += ["", "CANNOT BE DONE", *(f"  {reason}" for reason in plan.refusals)] if plan.refusals else []
    if plan.contracts:
        lines += ["", "ALSO TO SATISFY", *(f"  {contract}" for contract in plan.contracts)]
    gates = document.get("gates", [])
    passed = sum(gate["status"] in ("PASS", "WAIVED") for gate in gates)
    lines += ["", f"GATES  {passed} of {len(gates)}"]
    lines += [f"  {gate['status']:<8} {gate['gate_id']:<16} {'; '.join(gate['reasons'])}" for gate in gates]
    lines += ["", *(edit.diff.rstrip("\n") for edit in plan.edits)]
    lines += [
        "",
        "nothing was written" + (f"; to confirm: {document['confirmationToken']}" if document.get("allowed") else ""),
    ]
    return [*parts, Text("\n".join(lines))]


def _changes(plan: Plan) -> Table:
    table = _table("", "", "", "now", "after", "times", "enforced by", "files")
    paths = [edit.path for edit in plan.edits]
    for one in plan.changes:
        pinned = f"; {one.pinned}" if one.pinned else ""
        table.add_row(
            _MARKS[one.direction], one.title, _WORDS[one.direction], _said(one.before, one.unit),
            _said(one.after, one.unit), _times(one), _ENFORCED.get(one.enforced_by, one.enforced_by) + pinned,
            ",".join(str(paths.index(path) + 1) for path in one.files if path in paths),
        )  # fmt: skip
    return table


def _costs(plan: Plan) -> Table:
    from stages.stake import stakes

    table = _table("if every limit binds at once", "now", "after", "more")
    for one in stakes(plan.blast_radius, plan.order_limits):
        if not one.limited:
            unread = "" if one.key == "orderRate" and not plan.paced else ", or none could be read"
            table.add_row(f"  {one.title}", "", "", f"no control limits it{unread}")
            continue
        more = "" if not one.delta else f"{'+' if one.delta > 0 else ''}{_said(one.delta, one.unit)}"
        table.add_row(f"  {one.title}", _said(one.before, one.unit), _said(one.after, one.unit), more)
    return table


def _consequences(plan: Plan) -> list[str]:
    """What comes with the move beside its costs: symbols that come and go, workloads that restart."""
    radius = plan.blast_radius
    moved = [f"+{symbol}" for symbol in radius.symbols_added] + [f"-{symbol}" for symbol in radius.symbols_removed]
    lines = [f"symbols   {' '.join(moved)}"] if moved else []
    return [*lines, *(f"restarts  {workload}" for workload in radius.restarts)]


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=any(columns))
    for column in columns:
        table.add_column(column, justify="right" if column in ("now", "after", "more", "times") else "left")
    return table


def _said(value: Value | None, unit: Unit) -> str:
    """A value as the screens write it: ``5,000 $``, ``10 %``, ``3`` symbols by their number."""
    if value is None:
        return "no limit"
    if isinstance(value, tuple):
        return str(len(value))
    if isinstance(value, str):
        return value
    if unit is Unit.RATIO:
        return f"{plain_number(value * 100)} %"
    return f"{value:,.0f} $" if unit is Unit.USD else f"{plain_number(value)} {unit.value}"


def _times(change: ControlChange) -> str:
    before, after = change.before, change.after
    if change.direction is Direction.NEUTRAL:
        return ""
    if isinstance(before, tuple) and isinstance(after, tuple):
        return f"{len(after) - len(before):+d}"
    if isinstance(before, (tuple, str)) or isinstance(after, (tuple, str)) or not before or after is None:
        return ""
    return f"{after / before:.1f}"
