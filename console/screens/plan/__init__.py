"""Plan: what a stage change alters in Git and in money, who says no, and the phrase that applies it."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from console.actions import On
from console.copying import JSON, PATCH, Copy, as_json
from console.desk import Answers, Hands, Rehearsal, Told
from console.errand import Errand, send
from console.screens import Live, View, bindings
from console.screens.plan.draft import Draft, read_meanings
from console.screens.plan.page import PAGES, SIDES, TALL, PageLink, missing_words, narrow_page, plan_page
from stages.patch import patch_text
from stages.plan import Plan, to_document
from stages.value import replace
from widgets.diff_view import Look, change_starts
from widgets.line import Line
from widgets.token_input import TokenInput

__all__ = ["PlanScreen"]

ASK_AGAIN = timedelta(seconds=2)
"""How often the plan's standing (gates, approvals, staleness) is asked for."""


class PlanScreen(Live):
    """One rehearsed stage change, from dry run to applied."""

    ON: ClassVar[On | None] = On.PLAN
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.PLAN)

    class Rehearsed(Message):
        """A dry run came back."""

        def __init__(self, attempt: int, errand: Errand[Rehearsal]) -> None:
            super().__init__()
            self.attempt = attempt
            self.errand = errand

    class Strode(Message):
        """Making the plan has come to its next stride."""

        def __init__(self, attempt: int, stride: str) -> None:
            super().__init__()
            self.attempt = attempt
            self.stride = stride

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
        self._attempt = 0

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
            return narrow_page(self.view, self.draft, width, height)
        typing = self.token is not None and self.token.has_focus
        return plan_page(self.view, self.draft, width, height, typing=typing)[0]

    def _place_token(self, width: int, height: int) -> None:
        """The field exists only while its phrase can be used or is being typed, and where the page has room for it."""
        there = self.draft.typing(self.view)
        row = plan_page(self.view, self.draft, width, height)[1] if there and width >= 80 and height >= 20 else None
        if not there:
            if self.token is not None:
                self.token.remove()
                self.token = None
            return
        if self.token is None:
            self.token = TokenInput((self.draft.confirmation,), ascii_marks=self.ascii_marks)
            self.mount(self.token)
            self.token.focus()
            self.call_after_refresh(super().paint)
        self.token.phrases = (self.draft.confirmation or self.draft.held,)
        self.token.withheld = "" if self.draft.confirmation else f"not now: {missing_words(self.draft)}"
        self.token.display = row is not None
        if row is not None:
            self.token.styles.offset = (0, row)
            self.token.styles.width = 92 if width >= SIDES and height >= TALL else width

    def show(self, view: View) -> None:
        running = self.draft.running(view)
        if running is not None and running.outcome:
            reached = self.draft.reached or self.draft.in_force(view)
            self.draft = replace(self.draft, ended=running, reached=reached)
        super().show(view)
        plan = self.draft.plan
        if plan is not None and not self._asking and view.wall >= self._ask_at and self.draft.running(view) is None:
            self._ask(plan)

    # -------------------------------------------------------------------------------------------------------- errands

    def action_again(self) -> None:
        if self.draft.state(self.view) == "applying":
            return
        self.draft = Draft(self.draft.target, tab=self.draft.tab)
        self._attempt = attempt = self._attempt + 1
        self.paint()
        send(
            "rehearse",
            lambda: self.hands.rehearse(self.to_stage, lambda stride: self.post_message(self.Strode(attempt, stride))),
            lambda errand: self.post_message(self.Rehearsed(attempt, errand)),
        )

    def on_plan_screen_strode(self, message: Strode) -> None:
        if message.attempt == self._attempt:
            self.draft = replace(self.draft, strides=(*self.draft.strides, (message.stride, self.view.wall)))
            self.paint()

    def on_plan_screen_rehearsed(self, message: Rehearsed) -> None:
        errand = message.errand
        if message.attempt != self._attempt:
            return  # of a plan that is being made again
        plan = errand.result.plan if errand.result is not None else None
        meanings = read_meanings(self.view.frame, plan) if plan is not None else {}
        self.draft = replace(
            self.draft, rehearsal=errand.result, trouble=errand.trouble, fault=errand.fault, meanings=meanings
        )
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
        begun = self.token is not None and bool(self.token.typed)
        held = (was or self.draft.held) if begun and not self.draft.confirmation else ""
        self.draft = replace(self.draft, held=held)
        if self.draft.confirmation and not was and not begun:
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
        if plan is None or self.draft.state(self.view) != "ready":
            return
        self.draft = replace(self.draft, note="", sent=True, tab=3)
        phrase = message.phrase
        send("apply", lambda: self.hands.apply(plan, phrase), lambda e: self.post_message(self.Heard("apply", e)))
        self.paint()

    def on_plan_screen_heard(self, message: Heard) -> None:
        told, trouble = message.errand.result, message.errand.trouble
        note = trouble or (told.note if told is not None else "")
        refused = bool(trouble) or (told is not None and not told.ok)
        self.draft = replace(self.draft, note=note)
        if message.what == "apply" and refused:
            parted = told.departure if told is not None else None
            self.draft = replace(self.draft, note=f"not applied: {note}", sent=False, parted=parted, tab=0)
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
            self.call_after_refresh(self.paint)

    def action_next_change(self) -> None:
        self._jump(1)

    def action_previous_change(self) -> None:
        self._jump(-1)

    def _jump(self, step: int) -> None:
        plan = self.draft.plan
        if plan is None or not plan.edits:
            return
        look = self.draft.look
        starts = self._starts(plan, look)
        ahead = [start for start in starts if (start > look.top + 1 if step > 0 else start < look.top + 1)]
        if ahead:
            top = max(0, (ahead[0] if step > 0 else ahead[-1]) - 1)
            self.draft = replace(self.draft, look=replace(look, top=top), tab=1)
        else:
            self._turn(step)
        self.paint()

    def _starts(self, plan: Plan, look: Look) -> list[int]:
        return change_starts(look.rows(plan.edits, {}, plan.contents))

    def action_beside(self) -> None:
        if self.size.width < SIDES:
            self._reform(whole=self.draft.look.whole, beside=False)
            self.draft = replace(self.draft, note=f"side by side needs {SIDES} columns")
        else:
            self._reform(whole=self.draft.look.whole, beside=not self.draft.look.beside)
        self.paint()

    def action_fold(self) -> None:
        self._reform(whole=not self.draft.look.whole, beside=self.draft.look.beside)
        self.paint()

    def _reform(self, *, whole: bool, beside: bool) -> None:
        """Another form of the diff, at the change that is looked at."""
        plan, look = self.draft.plan, self.draft.look
        if plan is None or not plan.edits:
            return
        at = max(0, sum(start <= look.top + 1 for start in self._starts(plan, look)) - 1)
        other = replace(look, whole=whole, beside=beside)
        starts = self._starts(plan, other)
        top = max(0, starts[at] - 1) if look.top or whole else 0
        self.draft = replace(self.draft, look=replace(other, top=top), tab=1)

    def clicked(self, target: object) -> None:
        match target:
            case PageLink(page):
                self.action_page(page)
            case _:
                super().clicked(target)

    def copies(self) -> tuple[Copy, ...]:
        draft, plan = self.draft, self.draft.plan
        if plan is None:
            return super().copies()
        told = draft.rehearsal
        allowed, phrase = (told.allowed, told.confirmation) if told is not None else (False, "")
        verb, name = f"rampdeck plan --to {plan.to_stage}", f"plan {plan.id[:4]}"

        def document() -> str:
            return as_json(to_document(plan, gates=draft.gates, allowed=allowed, confirmation=phrase))

        return (
            *((Copy(name, PATCH, lambda: patch_text(plan.edits), f"{verb} --patch"),) if plan.edits else ()),
            Copy(name, JSON, document, f"{verb} --json"),
            *super().copies(),
        )

    def action_next_file(self) -> None:
        self._turn(1)
        self.paint()

    def action_previous_file(self) -> None:
        self._turn(-1)
        self.paint()

    def _turn(self, step: int) -> None:
        plan = self.draft.plan
        if plan is not None and 0 <= self.draft.look.file + step < len(plan.edits):
            look = replace(self.draft.look, file=self.draft.look.file + step, top=0)
            self.draft = replace(self.draft, look=look, tab=1)

    @property
    def paged(self) -> bool:
        """Whether the pages of the plan stand one at a time."""
        return self.size.width < SIDES or self.size.height < TALL

    def crumbs(self) -> tuple[str, ...]:
        name = f"PLAN {self.draft.target}"
        return (name, PAGES[self.draft.tab].upper()) if self.paged and self.draft.tab else (name,)

    def topic(self) -> str:
        if self.token is not None and self.token.has_focus:
            return "token"
        return f"plan-{self.draft.tab}"

    def up(self) -> None:
        """From a page of the plan to its summary, from there out."""
        if self.paged and self.draft.tab and self.draft.plan is not None:
            self.action_page(1)
        else:
            super().up()


def _not_known(answers: Answers | None) -> Answers | None:
    return replace(answers, allowed=False, confirmation="") if answers is not None else None
