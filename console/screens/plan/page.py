"""The pages of a plan: two columns on a wide terminal, four numbered pages on the others."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from console.desk import Running
from console.screens import View, view_head
from console.screens.plan.draft import Draft
from console.screens.plan.keys import plan_keys
from console.screens.plan.missing import no_plan
from stages.ladder import Direction, Unit, Value
from stages.plan import Plan
from stages.value import Struct, replace
from stages.verdict import Gate, Headline
from widgets.change_table import change_lines, cost_lines
from widgets.departure_view import departure_lines
from widgets.diff_view import changed_lines, diff_lines
from widgets.figures import age, amount, clock, number
from widgets.gate_list import approval_lines, gate_lines
from widgets.header import Head, header
from widgets.line import Line, Tone, beside, fit, padded, sentences, title
from widgets.step_list import awaited, step_lines

SIDES = 140
"""Columns from which on before and after stand beside each other."""
TALL = 36
"""Rows from which on a plan is one page on such a terminal."""
PAGES = ("Summary", "Diff", "Gates", "Approve, apply")
_STATE_WORDS = {
    "rehearsing": "MAKING IT", "failed": "FAILED", "refused": "REFUSED", "stale": "STALE", "blocked": "DRY RUN",
    "ready": "READY", "applying": "APPLYING", "applied": "APPLIED", "not applied": "NOT APPLIED",
    "undone": "TAKEN BACK", "proposed": "PROPOSED",
}  # fmt: skip


class PageLink(Struct, frozen=True):
    """A click on the name of a page."""

    page: int


def plan_page(
    view: View, draft: Draft, width: int, height: int, *, typing: bool = False
) -> tuple[list[Line], int | None]:
    """The page, and the row at which the confirmation token's field stands, if it stands anywhere."""
    state = draft.state(view)
    plan = draft.plan
    lines = header(_head(view, draft, state, width), width)
    if plan is None:
        body = no_plan(draft, view.wall, width)
        return [*lines, *padded(body, height - 4), plan_keys(view, draft, width, typing=typing)], None
    field_at: int | None = None
    if width >= SIDES and height >= TALL and draft.look.beside and plan.edits:
        lines.append(Line())
        lines.extend(padded(_diff(draft, plan, width, height - 5, files=True), height - 5))
    elif width >= SIDES and height >= TALL:
        lines.append(Line())
        room = height - 5
        at = 92
        left, offset = _left(view, draft, plan, state, at, room)
        right = _diff(draft, plan, width - at - 1, room, files=True)
        lines.extend(beside(padded(left, room), padded(right, room), at, width))
        field_at = None if offset is None else 4 + offset
    else:
        lines.append(_tabs(draft.tab, width))
        room = height - 5
        page, offset = _page(view, draft, plan, state, width, room)
        lines.extend(padded(page, room))
        field_at = None if offset is None else 4 + offset
    return [*(line.fill(width) for line in lines), plan_keys(view, draft, width, typing=typing)], field_at


def _diff(draft: Draft, plan: Plan, width: int, room: int, *, files: bool) -> list[Line]:
    """The diff; beside each other only where both sides can be read, else below each other."""
    look = draft.look if width >= SIDES or not draft.look.beside else replace(draft.look, beside=False)
    meanings = draft.meanings if width >= 77 else {}
    return diff_lines(plan.edits, look, width, room, meanings, plan.contents, files=files)


def _head(view: View, draft: Draft, state: str, width: int) -> Head:
    """Rows 1 to 3: which plan it is, what it risks, and whether it may be applied."""
    plan = draft.plan
    unwritten = ", nothing written" if width >= 140 and state in ("blocked", "ready") else ""
    headline = _headline(view, draft, state)
    if width < 100:
        headline = replace(headline, thing=headline.thing.replace(": paper → live account", ": live account"))
    head = view_head(view, headline, prefix=f"PLAN {_STATE_WORDS[state]}{unwritten} │")
    if plan is None:
        return head
    move = f"{plan.from_stage} → {plan.to_stage}"
    left = age((plan.expires_at - view.wall).total_seconds())
    verdict = f"YOU MAY APPLY, {left}" if state == "ready" else ""
    verdict = f"CANNOT APPLY: {missing_words(draft)}" if state == "blocked" else verdict
    if verdict and head.verdict:
        headline = replace(headline, sentence=f"{head.verdict}. {headline.sentence}")
    return replace(
        head,
        stage=move,
        stage_short=move,
        mode=plan.id[:4] if width < 100 else f"plan {plan.id[:4]}",
        cap="",
        auto="",
        pnl=None,
        phase="",
        verdict=verdict or head.verdict,
        verdict_short="" if verdict else head.verdict_short,
        alarmed=head.alarmed and not verdict,
        headline=headline,
    )


def _headline(view: View, draft: Draft, state: str) -> Headline:
    plan = draft.plan
    if state == "rehearsing":
        took = clock((view.wall - draft.strides[0][1]).total_seconds()) if draft.strides else ""
        said = "Nothing is written. esc leaves it, and nothing is lost."
        return Headline("WAIT", took, f"makes the plan to {draft.target}", said, "running", False)
    if state == "failed":
        what = draft.fault.what if draft.fault is not None else draft.trouble
        return Headline("CANNOT PLAN", "", what, "R tries again. Nothing was written.", "unknown", False)
    if plan is None:
        reason = draft.rehearsal.refusal if draft.rehearsal is not None else ""
        return Headline("REFUSED", "", reason or "there is no plan", "Nothing was written.", "warn", False)
    running = draft.running(view)
    if running is not None:
        return _running_headline(view, running, state)
    if state == "applying":
        return Headline("WAIT", "", "commanded", "Gates and approvals are checked once more.", "running", False)
    word, figure = _direction(plan)
    money = _account_change(view, plan) or _money(plan)
    if state == "refused":
        reasons = (draft.rehearsal.refusal if draft.rehearsal else "") or "; ".join(plan.refusals)
        return Headline("REFUSED", "", reasons, f"{word} {figure}: {money}. Nothing was written.", "breach", False)
    if state == "stale":
        why = draft.answers.stale if draft.answers is not None and draft.answers.stale else "the plan has expired"
        return Headline(
            "STALE", "", why, "Its approvals are void for what is there now. R makes the plan again.", "breach", True
        )
    left = age((plan.expires_at - view.wall).total_seconds())
    if state == "ready":
        return Headline(word, figure, money, _applying_means(plan), "ok", False)
    return Headline(word, figure, money, _why_not(draft, left), "ok", False)


def _running_headline(view: View, running: Running, state: str) -> Headline:
    took = clock(((running.finished or view.wall) - running.started).total_seconds())
    if running.awaits:
        said = f"waits for the merge of {running.awaits}"
        return Headline("PROPOSED", took, said, "Nothing of it is in force before somebody merges it.", "running", True)
    if not running.outcome:
        at = next((step for step in running.steps if step.state == "running"), None)
        thing = f"{at.name}, {awaited(at)}".removesuffix(", ") if at is not None else running.title
        return Headline(
            "WAIT", took, thing, "esc leaves it running. r stops it: a ROLLBACK wins over this apply.", "running", False
        )
    if state == "undone":
        now = view.frame.policy.stages[view.frame.evaluation.effective].name if view.frame is not None else ""
        sentence = "The way down since then won. R makes the plan again."
        return Headline("TAKEN BACK", "", f"{running.title}; {now} is in force again", sentence, "warn", False)
    if running.outcome == "done":
        return Headline(
            "APPLIED",
            took,
            running.title,
            "The running system says the same as Git. Burn-in starts from zero. esc: back.",
            "ok",
            False,
        )
    said = next((step.note for step in running.steps if step.state in ("failed", "unknown")), running.outcome)
    return Headline(
        "NOT APPLIED",
        took,
        said,
        "What was written is in the ledger; r goes down, R makes the plan again.",
        "breach",
        True,
    )


def _direction(plan: Plan) -> tuple[str, str]:
    blast = plan.blast_radius
    word = plan.direction.upper()
    if blast.gross_before is None or blast.gross_after is None or blast.gross_before == blast.gross_after:
        return word, ""
    return word, f"{number(blast.gross_after - blast.gross_before, Unit.USD, signed=True)} $"


def _money(plan: Plan) -> str:
    blast = plan.blast_radius
    if blast.gross_after is None or blast.gross_after == blast.gross_before:
        # The money stays; what else moves is then the thing to know.
        moves = [change for change in plan.changes if change.direction is not Direction.NEUTRAL]
        texts = [f"{m.title or m.control} {_value(m.before, m.unit)} → {_value(m.after, m.unit)}" for m in moves]
        return ", ".join(texts[:3]) or f"{plan.from_stage} → {plan.to_stage}"
    before = number(blast.gross_before, Unit.USD) if blast.gross_before is not None else "?"
    return f"can open {before} → {number(blast.gross_after, Unit.USD)} $"


def _account_change(view: View, plan: Plan) -> str:
    """Whose money it is from now on, when the two stages do not read the same kind of account."""
    policy = view.frame.policy if view.frame is not None else None
    stages = [policy.stage_index(name) for name in (plan.from_stage, plan.to_stage)] if policy is not None else []
    if policy is None or stages[0] is None or stages[1] is None:
        return ""
    before, after = policy.stage_account(stages[0]), policy.stage_account(stages[1])
    if before.environment == after.environment:
        return ""
    gross = plan.blast_radius.gross_after
    most = f"up to {number(gross, Unit.USD)} $" if gross is not None else "NO LIMIT"
    money = "REAL MONEY" if after.environment == "live" else "paper money"
    return f"{money}: {before.environment} → {after.environment} account …{after.label[-4:]}, {most}"


def _value(value: Value | None, unit: Unit) -> str:
    return f"{len(value)}" if isinstance(value, tuple) else amount(value, unit)


def missing_words(draft: Draft) -> str:
    """What keeps the plan from being applied, counted: ``2 gates, 1 sign``."""
    gates = sum(not gate.passes for gate in draft.gates)
    answers = draft.answers
    signs = max(0, answers.needed - len(answers.given)) if answers is not None else 0
    parts = [f"{gates} gate{'s' if gates > 1 else ''}"] if gates else []
    parts.extend([f"{signs} sign"] if signs else [])
    return ", ".join(parts) or "asking the gates"


def _why_not(draft: Draft, left: str) -> str:
    failing = next((gate for gate in draft.gates if not gate.passes), None)
    if failing is not None:
        return f"{failing.gate_id}: {'; '.join(failing.reasons) or failing.status}. The plan expires in {left}."
    if not draft.asked and not (draft.answers is not None and draft.answers.requested):
        return f"Every gate passes. y asks the approvers. The plan expires in {left}."
    return f"Every gate passes; it waits for approval. The plan expires in {left}."


def _applying_means(plan: Plan) -> str:
    names = ", ".join(name.rpartition("/")[2] for name in plan.blast_radius.restarts)
    restart = f" Applying restarts {names}, no trading process meanwhile." if names else ""
    return f"Every gate passes, every approval is in.{restart}"


def _open_now(view: View) -> str:
    venue = view.frame.evaluation.snapshot.venue if view.frame is not None else None
    if venue is None or venue.error:
        return "open not known"
    held = sum((abs(position.market_value) for position in venue.positions), start=Decimal(0))
    return f"{number(held, Unit.USD)} $ open"


def _cost(view: View, plan: Plan, width: int, height: int = 9) -> list[Line]:
    within = ""
    if view.frame is not None:
        within = f"within {age(view.frame.policy.spec.target.convergence.total_seconds())} of the push"
    return cost_lines(plan, width, open_now=_open_now(view), in_force=within, height=height)


def _approvals(view: View, draft: Draft, width: int) -> list[Line]:
    answers = draft.answers
    if answers is None:
        return [title("APPROVALS", width), Line().put("   asking the ledger")]
    asked = draft.asked or answers.requested
    return approval_lines(answers.given, answers.needed, answers.needs, answers.rejected, width, view.wall, asked=asked)


def _happens(plan: Plan, width: int) -> list[Line]:
    total = sum(changed_lines(edit) for edit in plan.edits)
    files = len(plan.edits)
    texts = (
        "1 record the intent, use up the approvals",
        "2 check again: base, gates, approvals, nothing newer running",
        f"3 commit and push {total} {'line' if total == 1 else 'lines'} in {files} {'file' if files == 1 else 'files'}",
        "4 the cluster takes it; the workloads restart",
        f"5 read back from the runtime; burn-in of {plan.to_stage} starts from zero",
    )
    return [title("WHAT WILL HAPPEN", width), *(Line().put("   ").put(fit(text, width - 4)) for text in texts)]


def _goes_wrong(plan: Plan, width: int) -> list[Line]:
    back = f"ROLLBACK {plan.from_stage}" if plan.from_stage.startswith("L") else "ROLLBACK"
    return [
        title("IF IT GOES WRONG", width),
        Line().put("   ").put(fit("before the push: nothing has changed; ask for new approvals", width - 4)),
        Line().put("   ").put(fit(f"after it: r, then {back}. No approval is needed", width - 4)),
    ]


def _token(draft: Draft, width: int) -> list[Line]:
    """Three lines above the field, which the input itself draws."""
    how = "type this, then Enter; case and commas do not matter; paste is refused"
    if not draft.confirmation:
        how = f"NOT NOW: {missing_words(draft)}; what is typed stays, Enter is refused until then"
    return [
        title("CONFIRMATION TOKEN", width),
        Line().put("   ").put(fit(how, width - 4)),
        Line(Tone.BOLD).put("       ").put(fit(draft.confirmation or draft.held, width - 8)),
    ]


def _locked(state: str, width: int) -> list[Line]:
    said = "locked: it is shown when every gate passes and every approval is in"
    return [title("CONFIRMATION TOKEN", width, note=said if state in ("blocked", "stale") else "none", tone=Tone.PLAIN)]


def _notes(draft: Draft, plan: Plan, width: int) -> list[Line]:
    texts = [f"also: {text}" for text in plan.contracts] + [draft.note] * bool(draft.note)
    return [line for text in texts for line in sentences(text, width - 4, lambda: Line().put("   "))]


def _left(view: View, draft: Draft, plan: Plan, state: str, width: int, room: int) -> tuple[list[Line], int | None]:
    parted = _departed(draft, state, width, room // 2)
    lines = [*parted, *change_lines(plan.changes, width, 13, [edit.path for edit in plan.edits])]
    if draft.typing(view):
        return _ready(view, draft, plan, lines, width, room)
    lines.extend([] if parted else _cost(view, plan, width))
    running = draft.running(view)
    if state == "applying" and running is None:
        return [*lines, title("STEPS", width), Line().put(" ► ").put("checks gates and approvals once more")], None
    if running is not None:
        lines.extend(step_lines(running.steps, width, len(running.steps) + 1))
        lines.extend(_goes_wrong(plan, width))
        return [*lines, *_notes(draft, plan, width)], None
    tail = [*_approvals(view, draft, width), *_notes(draft, plan, width), *_locked(state, width)]
    lines.extend(gate_lines(draft.gates, width, max(3, room - len(lines) - len(tail))))
    return [*lines, *tail], None


def _ready(
    view: View, draft: Draft, plan: Plan, lines: list[Line], width: int, room: int
) -> tuple[list[Line], int | None]:
    """Below the changes: the money, gates and approvals, and the field in view whatever the rest takes."""
    token, approvals = _token(draft, width), _approvals(view, draft, width)
    told = [*_happens(plan, width), *_goes_wrong(plan, width)]
    spare = room - len(lines) - len(approvals) - len(token) - _FIELD - _FEWEST_GATES
    costs = 0 if draft.departure is not None else max(_FEWEST_COSTS, min(_MOST_COSTS, spare - len(told)))
    if costs:
        lines.extend(_cost(view, plan, width, costs))
    told = told[: max(0, spare - costs)]
    lines.extend(gate_lines(draft.gates, width, max(_FEWEST_GATES, spare - costs - len(told) + _FEWEST_GATES)))
    lines = [*lines, *approvals, *told, *token]
    return lines, len(lines)


_FIELD = 2
"""Lines of the field: what is typed, and what is said of it."""
_FEWEST_GATES = 2
_MOST_COSTS = 9
_FEWEST_COSTS = 5
"""Lines: the title, what can be open, what can be lost by the limit and in a gap, and what restarts."""


def _departed(draft: Draft, state: str, width: int, room: int) -> list[Line]:
    """What the same plan would say now, above all else, once this one is stale or was refused."""
    found = draft.departure
    if found is None or state not in ("stale", "blocked", "ready"):
        return []
    return departure_lines(found, width, room)


def _page(view: View, draft: Draft, plan: Plan, state: str, width: int, room: int) -> tuple[list[Line], int | None]:
    if draft.tab == 1:
        said = sentences(draft.note, width - 4, lambda: Line().put("   "))
        return [*padded(_diff(draft, plan, width, room - len(said), files=False), room - len(said)), *said], None
    if draft.tab == 2:
        return [*gate_lines(draft.gates, width, room - 4), *_notes(draft, plan, width)], None
    running = draft.running(view)
    if draft.tab == 3:
        if running is not None:
            steps = step_lines(running.steps, width, len(running.steps) + 1)
            return [*steps, *_goes_wrong(plan, width)], None
        lines = [*_approvals(view, draft, width), *_happens(plan, width), *_goes_wrong(plan, width)]
        if not draft.typing(view):
            return [*lines, *_notes(draft, plan, width), *_locked(state, width)], None
        token = _token(draft, width)
        lines = [*lines[: room - len(token) - 2], *token]
        return lines, len(lines)
    if parted := _departed(draft, state, width, room - 3):
        return [*parted, *_notes(draft, plan, width)], None
    gates = [gate for gate in draft.gates if not gate.passes]
    why = _why_lines(draft, gates, width)
    paths = [edit.path for edit in plan.edits]
    whole = change_lines(plan.changes, width, room, paths)
    costs = _cost(view, plan, width, max(_FEWEST_COSTS, min(9, room - len(whole) - len(why))))
    table = change_lines(plan.changes, width, max(4, room - len(costs) - len(why)), paths)
    return [*table, *costs, *why], None


def _why_lines(draft: Draft, failing: Sequence[Gate], width: int) -> list[Line]:
    lines = [title("WHY NOT YET" if failing else "GATES", width, note="" if failing else f"{len(draft.gates)} pass")]
    for gate in failing[:3]:
        line = Line().put(" ").put("■", Tone.WARN).put(f" {fit(gate.gate_id, 20)}")
        lines.append(line.put(fit("; ".join(gate.reasons) or gate.status, width - 26), at=24).fill(width))
    if len(failing) > 3:
        lines.append(Line().put(f"   and {len(failing) - 3} more: 3 shows all"))
    answers = draft.answers
    if answers is not None:
        names = ", ".join(given.approver for given in answers.given)
        missing = answers.needed - len(answers.given)
        mark = "○" if missing > 0 else "·"
        who = f"; {answers.needs}" if missing > 0 and answers.needs else ""
        text = f"{len(answers.given)} of {answers.needed}{f': {names}' if names else ''}{who}"
        lines.append(Line().put(f" {mark} approvals").put(fit(text, width - 26), at=24).fill(width))
    return lines


def _tabs(tab: int, width: int) -> Line:
    line = Line().put(" ")
    for index, name in enumerate(PAGES):
        text, start = f"{index + 1} {name}", line.length
        line.put(f"[{text}]" if index == tab else f" {text} ", Tone.BOLD if index == tab else Tone.PLAIN)
        line.link(PageLink(index + 1), start).put("  ")
    return line.fill(width)


def narrow_page(view: View, draft: Draft, width: int, height: int) -> list[Line]:
    """Below 80 columns a plan can be looked at, not applied: its diff would not be read."""
    state, room = draft.state(view), height - 1
    headline = _headline(view, draft, state)
    named = f" PLAN {draft.plan.id[:4]} to {draft.target}" if draft.plan is not None else f" PLAN to {draft.target}"
    lines = [Line(Tone.REVERSE).put(named).right(_STATE_WORDS[state], width - 1).fill(width)]
    said = f"{headline.word} {headline.figure} {headline.thing}"
    lines.extend(sentences(said, width - 2, lambda: Line(Tone.BOLD).put(" ")))
    lines.extend(sentences(headline.sentence, width - 2, lambda: Line().put(" ")))
    lines.extend(sentences("80x24 is needed to read the diff and to apply", width - 2, lambda: Line().put(" ")))
    asked = [*_approvals(view, draft, width)] if draft.plan is not None else []
    if draft.gates and len(lines) + len(asked) + _FEWEST_GATES <= room:
        lines.extend(gate_lines(draft.gates, width, room - len(lines) - len(asked)))
        lines.extend(asked)
    return [
        *padded([line.fill(width) for line in lines], room),
        plan_keys(view, draft, width, narrow=True),
    ]
