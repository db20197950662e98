"""Plan: what a stage change alters in Git and in money, who says no, and the phrase that applies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from console.actions import On, footer
from console.desk import Answers, Frame, Hands, Rehearsal, Running, Told
from console.errand import Errand, send
from console.screens import Asked, Live, View, bindings, view_head
from stages.ladder import Direction, Unit
from stages.plan import Plan
from stages.verdict import Gate, Headline
from widgets.change_table import change_lines, cost_lines
from widgets.diff_view import change_starts, changed_lines, diff_lines, diff_rows
from widgets.figures import age, amount, clock, number
from widgets.gate_list import approval_lines, gate_lines
from widgets.header import Head, header
from widgets.line import Line, Tone, beside, fit, padded, sentences, title
from widgets.step_list import step_lines
from widgets.token_input import TokenInput

PAGES = ("Summary", "Diff", "Gates", "Approve, apply")
ASK_AGAIN = timedelta(seconds=2)
"""How often the plan's standing (gates, approvals, staleness) is asked for."""

_STATE_WORDS = {
    "rehearsing": "MAKING IT", "failed": "FAILED", "refused": "REFUSED", "stale": "STALE", "blocked": "DRY RUN",
    "ready": "READY", "applying": "APPLYING", "applied": "APPLIED", "not applied": "NOT APPLIED",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that the page is drawn from beside the view."""

    target: str
    rehearsal: Rehearsal | None = None
    trouble: str = ""
    answers: Answers | None = None
    note: str = ""
    asked: bool = False
    tab: int = 0
    file: int = 0
    top: int = 0
    meanings: Mapping[str, str] = field(default_factory=dict)

    @property
    def plan(self) -> Plan | None:
        return self.rehearsal.plan if self.rehearsal is not None else None

    @property
    def gates(self) -> tuple[Gate, ...]:
        if self.answers is not None and self.answers.gates:
            return self.answers.gates
        return self.rehearsal.gates if self.rehearsal is not None else ()

    def running(self, view: View) -> Running | None:
        """This plan's own apply, when frames tell of one."""
        running = view.frame.running if view.frame is not None else None
        plan = self.plan
        return running if running is not None and plan is not None and running.plan_id == plan.id else None

    def state(self, view: View) -> str:
        """Which of the plan's states holds now."""
        running = self.running(view)
        if running is not None:
            return {"": "applying", "done": "applied"}.get(running.outcome, "not applied")
        if self.trouble:
            return "failed"
        if self.rehearsal is None:
            return "rehearsing"
        if self.plan is None or self.rehearsal.refusal or self.plan.refusals:
            return "refused"
        if (self.answers is not None and self.answers.stale) or view.wall >= self.plan.expires_at:
            return "stale"
        return "ready" if self.confirmation else "blocked"

    @property
    def confirmation(self) -> str:
        """The phrase, only when it can be used."""
        answers = self.answers
        return answers.confirmation if answers is not None and answers.allowed and not answers.stale else ""


def read_meanings(frame: Frame | None, plan: Plan) -> dict[str, str]:
    """Name of an environment item or key -> what its change means: ``max gross 5,000 $ → 25,000 $, riskier``."""
    if frame is None:
        return {}
    meanings: dict[str, str] = {}
    for change in plan.changes:
        control = frame.policy.spec.controls.get(change.control)
        if control is None or change.direction is Direction.NEUTRAL:
            continue
        before, after = change.before, change.after
        if isinstance(before, tuple) and isinstance(after, tuple):
            moved = f"{len(before)} → {len(after)}"
        else:
            moved = f"{amount(before, change.unit).removesuffix(' $')} → {amount(after, change.unit)}"
        for binding in control.bindings:
            leaf = binding.env or (binding.inner_path or binding.path or "").rpartition(".")[2]
            meanings[leaf] = f"{change.title or change.control} {moved}, {change.direction}"
    return meanings


def plan_page(view: View, draft: Draft, width: int, height: int) -> tuple[list[Line], int | None]:
    """The page, and the row at which the confirmation token's field stands, if it stands anywhere."""
    state = draft.state(view)
    plan = draft.plan
    lines = header(_head(view, draft, state, width), width)
    if plan is None:
        body = _no_plan(draft, width)
        return [*lines, *padded(body, height - 4), _keys(view, width)], None
    field_at: int | None = None
    if width >= 140 and height >= 36:
        lines.append(Line())
        room = height - 5
        at = 92
        left, offset = _left(view, draft, plan, state, at, room)
        right = diff_lines(
            plan.edits, draft.file, draft.top, width - at - 1, room, draft.meanings if width >= 170 else {}, files=True
        )
        lines.extend(beside(padded(left, room), padded(right, room), at, width))
        field_at = None if offset is None else 4 + offset
    else:
        lines.append(_tabs(draft.tab, width))
        room = height - 5
        page, offset = _page(view, draft, plan, state, width, room)
        lines.extend(padded(page, room))
        field_at = None if offset is None else 4 + offset
    return [*(line.fill(width) for line in lines), _keys(view, width)], field_at


def _head(view: View, draft: Draft, state: str, width: int) -> Head:
    """Rows 1 to 3: which plan it is, what it risks, and whether it may be applied."""
    plan = draft.plan
    unwritten = ", nothing written" if width >= 140 and state in ("blocked", "ready") else ""
    head = view_head(view, _headline(view, draft, state), prefix=f"PLAN {_STATE_WORDS[state]}{unwritten} │")
    if plan is None:
        return head
    move = f"{plan.from_stage} → {plan.to_stage}"
    left = age((plan.expires_at - view.wall).total_seconds())
    verdict = f"YOU MAY APPLY, {left}" if state == "ready" else ""
    verdict = f"CANNOT APPLY: {_missing(draft)}" if state == "blocked" else verdict
    return replace(
        head,
        stage=move,
        stage_short=move,
        mode=f"plan {plan.id[:4]}",
        cap="",
        auto="",
        pnl=None,
        phase="",
        verdict=verdict,
    )


def _headline(view: View, draft: Draft, state: str) -> Headline:
    plan = draft.plan
    if state == "rehearsing":
        return Headline(
            "WAIT",
            "",
            f"makes the plan to {draft.target}",
            "Reads the newest head, the policy and every manifest it names. Nothing is written.",
            "running",
            False,
        )
    if state == "failed":
        return Headline("CANNOT PLAN", "", draft.trouble, "R tries again. Nothing was written.", "unknown", False)
    if plan is None:
        reason = draft.rehearsal.refusal if draft.rehearsal is not None else ""
        return Headline("REFUSED", "", reason or "there is no plan", "Nothing was written.", "warn", False)
    running = draft.running(view)
    if running is not None:
        return _running_headline(view, running)
    word, figure = _direction(plan)
    money = _money(plan)
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


def _running_headline(view: View, running: Running) -> Headline:
    took = clock(((running.finished or view.wall) - running.started).total_seconds())
    if not running.outcome:
        at = next((step for step in running.steps if step.state == "running"), None)
        thing = f"{at.name}: {at.note}" if at is not None else running.title
        return Headline(
            "WAIT", took, thing, "esc leaves it running. r stops it: a ROLLBACK wins over this apply.", "running", False
        )
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
    if blast.gross_after is None:
        return f"{plan.from_stage} → {plan.to_stage}"
    before = number(blast.gross_before, Unit.USD) if blast.gross_before is not None else "?"
    return f"can open {before} → {number(blast.gross_after, Unit.USD)} $"


def _missing(draft: Draft) -> str:
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
        return ""
    held = sum((abs(position.market_value) for position in venue.positions), start=Decimal(0))
    return f"{number(held, Unit.USD)} $"


def _cost(view: View, plan: Plan, width: int) -> list[Line]:
    within = ""
    if view.frame is not None:
        within = f"within {age(view.frame.policy.spec.target.convergence.total_seconds())} of the push"
    return cost_lines(plan, width, open_now=_open_now(view), in_force=within)


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
    return [
        title("CONFIRMATION TOKEN", width),
        Line().put("   ").put(fit(how, width - 4)),
        Line(Tone.BOLD).put("       ").put(fit(draft.confirmation, width - 8)),
    ]


def _locked(state: str, width: int) -> list[Line]:
    said = "locked: it is shown when every gate passes and every approval is in"
    return [title("CONFIRMATION TOKEN", width, note=said if state in ("blocked", "stale") else "none", tone=Tone.PLAIN)]


def _notes(draft: Draft, plan: Plan, width: int) -> list[Line]:
    texts = [f"also: {text}" for text in plan.contracts] + [draft.note] * bool(draft.note)
    return [line for text in texts for line in sentences(text, width - 4, lambda: Line().put("   "))]


def _left(view: View, draft: Draft, plan: Plan, state: str, width: int, room: int) -> tuple[list[Line], int | None]:
    lines = change_lines(plan.changes, width, 13)
    lines.extend(_cost(view, plan, width))
    running = draft.running(view)
    if running is not None:
        lines.extend(step_lines(running.steps, width, len(running.steps) + 1))
        lines.extend(_goes_wrong(plan, width))
        return [*lines, *_notes(draft, plan, width)], None
    approvals = _approvals(view, draft, width)
    if state == "ready":
        tail = [*approvals, *_happens(plan, width), *_goes_wrong(plan, width), *_token(draft, width)]
        lines.extend(gate_lines(draft.gates, width, max(2, room - len(lines) - len(tail) - 2)))
        lines.extend(tail)
        return lines, len(lines)
    tail = [*approvals, *_notes(draft, plan, width), *_locked(state, width)]
    lines.extend(gate_lines(draft.gates, width, max(3, room - len(lines) - len(tail))))
    return [*lines, *tail], None


def _page(view: View, draft: Draft, plan: Plan, state: str, width: int, room: int) -> tuple[list[Line], int | None]:
    if draft.tab == 1:
        return diff_lines(plan.edits, draft.file, draft.top, width, room, draft.meanings, files=False), None
    if draft.tab == 2:
        return [*gate_lines(draft.gates, width, room - 4), *_notes(draft, plan, width)], None
    running = draft.running(view)
    if draft.tab == 3:
        if running is not None:
            steps = step_lines(running.steps, width, len(running.steps) + 1)
            return [*steps, *_goes_wrong(plan, width)], None
        lines = [*_approvals(view, draft, width), *_happens(plan, width), *_goes_wrong(plan, width)]
        if state != "ready":
            return [*lines, *_notes(draft, plan, width), *_locked(state, width)], None
        token = _token(draft, width)
        lines = [*lines[: room - len(token) - 2], *token]
        return lines, len(lines)
    costs = _cost(view, plan, width)
    gates = [gate for gate in draft.gates if not gate.passes]
    why = _why_lines(draft, gates, width)
    table = change_lines(plan.changes, width, max(4, room - len(costs) - len(why)))
    return [*table, *costs, *why], None


def _why_lines(draft: Draft, failing: Sequence[Gate], width: int) -> list[Line]:
    lines = [title("WHY NOT YET" if failing else "GATES", width, note="" if failing else f"{len(draft.gates)} pass")]
    for gate in failing[:3]:
        line = Line().put(" ").put("■", Tone.BREACH).put(f" {fit(gate.gate_id, 20)}")
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


def _no_plan(draft: Draft, width: int) -> list[Line]:
    said = draft.trouble or (draft.rehearsal.refusal if draft.rehearsal is not None else "")
    if not said:
        said = "fetches the head, reads the manifests, splices the new values, proves that nothing else changed"
    return [Line(), *sentences(said, width - 4, lambda: Line().put("   "))]


def _tabs(tab: int, width: int) -> Line:
    line = Line().put(" ")
    for index, name in enumerate(PAGES):
        text = f"{index + 1} {name}"
        line.put(f"[{text}]" if index == tab else f" {text} ", Tone.BOLD if index == tab else Tone.PLAIN).put("  ")
    return line.fill(width)


def _keys(view: View, width: int) -> Line:
    return Line().put(f" {footer(On.PLAN, view.frame, width - 2)}").fill(width)


class PlanScreen(Live):
    """One rehearsed stage change, from dry run to applied."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(On.PLAN)

    class Rehearsed(Message):
        """A dry run came back."""

        def __init__(self, errand: Errand[Rehearsal]) -> None:
            super().__init__()
            self.errand = errand

    class Answered(Message):
        """The plan's standing came back."""

        def __init__(self, plan_id: str, errand: Errand[Answers]) -> None:
            super().__init__()
            self.plan_id = plan_id
            self.errand = errand

    class Heard(Message):
        """What came of asking for something."""

        def __init__(self, what: str, errand: Errand[Told]) -> None:
            super().__init__()
            self.what = what
            self.errand = errand

    def __init__(self, view: View, hands: Hands, to_stage: int, target: str, *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.hands = hands
        self.to_stage = to_stage
        self.draft = Draft(target)
        self.token: TokenInput | None = None
        self._asking = False
        self._ask_at = view.wall
        self._sent = False

    def compose(self) -> ComposeResult:
        yield self.sheet

    def on_mount(self) -> None:
        self.paint()
        self.action_again()

    # ------------------------------------------------------------------------------------------------------- painting

    def paint(self, width: int = 0, height: int = 0) -> None:
        width, height = width or self.size.width, height or self.size.height
        super().paint(width, height)
        self._place_token(width, height)

    def page(self, width: int, height: int) -> list[Line]:
        if width < 80 or height < 20:
            return _narrow(self.view, self.draft, width, height)
        return plan_page(self.view, self.draft, width, height)[0]

    def _place_token(self, width: int, height: int) -> None:
        """The field exists only while its phrase can be used, and only where the page has room for it."""
        ready = self.draft.state(self.view) == "ready" and not self._sent
        row = plan_page(self.view, self.draft, width, height)[1] if ready and width >= 80 and height >= 20 else None
        if not ready:
            if self.token is not None:
                self.token.remove()
                self.token = None
            return
        if self.token is None:
            self.token = TokenInput((self.draft.confirmation,), ascii_marks=self.ascii_marks)
            self.mount(self.token)
            self.token.focus()
        self.token.phrases = (self.draft.confirmation,)
        self.token.display = row is not None
        if row is not None:
            self.token.styles.offset = (0, row)
            self.token.styles.width = 92 if width >= 140 and height >= 36 else width

    def show(self, view: View) -> None:
        super().show(view)
        plan = self.draft.plan
        if plan is not None and not self._asking and view.wall >= self._ask_at and self.draft.running(view) is None:
            self._ask(plan)

    # -------------------------------------------------------------------------------------------------------- errands

    def action_again(self) -> None:
        if self.draft.state(self.view) == "applying":
            return
        self.draft = Draft(self.draft.target, tab=self.draft.tab)
        self._sent = False
        self.paint()
        send("rehearse", lambda: self.hands.rehearse(self.to_stage), lambda e: self.post_message(self.Rehearsed(e)))

    def on_plan_screen_rehearsed(self, message: Rehearsed) -> None:
        errand = message.errand
        plan = errand.result.plan if errand.result is not None else None
        meanings = read_meanings(self.view.frame, plan) if plan is not None else {}
        self.draft = replace(self.draft, rehearsal=errand.result, trouble=errand.trouble, meanings=meanings)
        self.paint()
        if plan is not None:
            self._ask(plan)

    def _ask(self, plan: Plan) -> None:
        self._asking = True
        send("answers", lambda: self.hands.answers(plan), lambda e: self.post_message(self.Answered(plan.id, e)))

    def on_plan_screen_answered(self, message: Answered) -> None:
        self._asking = False
        self._ask_at = self.view.wall + ASK_AGAIN
        if self.draft.plan is None or message.plan_id != self.draft.plan.id:
            return
        answers = message.errand.result
        was = self.draft.confirmation
        note = message.errand.trouble or self.draft.note
        # Without an answer the last one must not keep the phrase usable.
        self.draft = replace(self.draft, answers=answers or _not_known(self.draft.answers), note=note)
        if self.draft.confirmation and not was:
            self.draft = replace(self.draft, tab=3)
            self.app.bell()
        self.paint()

    def action_request(self) -> None:
        plan = self.draft.plan
        if plan is None or self.draft.state(self.view) not in ("blocked", "ready"):
            return
        self.draft = replace(self.draft, asked=True, note="asks the approvers")
        self.paint()
        send("request", lambda: self.hands.request(plan), lambda e: self.post_message(self.Heard("request", e)))

    def on_token_input_confirmed(self, message: TokenInput.Confirmed) -> None:
        plan = self.draft.plan
        if plan is None or self.draft.state(self.view) != "ready" or self._sent:
            return
        self._sent = True
        self.draft = replace(self.draft, note="applies")
        phrase = message.phrase
        send("apply", lambda: self.hands.apply(plan, phrase), lambda e: self.post_message(self.Heard("apply", e)))
        self.paint()

    def on_plan_screen_heard(self, message: Heard) -> None:
        told, trouble = message.errand.result, message.errand.trouble
        note = trouble or (told.note if told is not None else "")
        refused = bool(trouble) or (told is not None and not told.ok)
        self.draft = replace(self.draft, note=note)
        if message.what == "apply" and refused:
            self.draft = replace(self.draft, note=f"not applied: {note}")
            self._sent = False
        if message.what == "request" and refused:
            self.draft = replace(self.draft, asked=False, note=f"not asked: {note}")
        self.paint()

    # ----------------------------------------------------------------------------------------------------------- keys

    def action_page(self, page: int) -> None:
        self.draft = replace(self.draft, tab=page - 1)
        self.paint()

    def action_field(self) -> None:
        if self.token is not None:
            self.set_focus(None if self.token.has_focus else self.token)

    def action_next_change(self) -> None:
        self._jump(1)

    def action_previous_change(self) -> None:
        self._jump(-1)

    def _jump(self, step: int) -> None:
        plan = self.draft.plan
        if plan is None or not plan.edits:
            return
        starts = change_starts(diff_rows(plan.edits[self.draft.file], {}))
        here = self.draft.top + 1
        ahead = [start for start in starts if (start > here if step > 0 else start < here)]
        if ahead:
            top = max(0, (ahead[0] if step > 0 else ahead[-1]) - 1)
            self.draft = replace(self.draft, top=top, tab=1)
        else:
            self._turn(step)
        self.paint()

    def action_next_file(self) -> None:
        self._turn(1)
        self.paint()

    def action_previous_file(self) -> None:
        self._turn(-1)
        self.paint()

    def _turn(self, step: int) -> None:
        plan = self.draft.plan
        if plan is not None and 0 <= self.draft.file + step < len(plan.edits):
            self.draft = replace(self.draft, file=self.draft.file + step, top=0, tab=1)

    def action_back(self) -> None:
        self.post_message(Asked("back"))


def _not_known(answers: Answers | None) -> Answers | None:
    return replace(answers, allowed=False, confirmation="") if answers is not None else None


def _narrow(view: View, draft: Draft, width: int, height: int) -> list[Line]:
    """Below 80 columns a plan can be looked at, not applied: its diff would not be read."""
    headline = _headline(view, draft, draft.state(view))
    lines = [Line(Tone.REVERSE).put(f" PLAN to {draft.target}").fill(width)]
    lines.append(Line(Tone.BOLD).put(" ").put(fit(f"{headline.word} {headline.figure} {headline.thing}", width - 2)))
    lines.extend(sentences(headline.sentence, width - 2, lambda: Line().put(" ")))
    lines.extend(sentences("80x24 is needed to read the diff and to apply", width - 2, lambda: Line().put(" ")))
    return [*padded([line.fill(width) for line in lines], height - 1), Line().put(" esc back   r reduce risk")]
