"""Drill: rehearse the kill or the rollback on the paper target, or at the table; leaving the screen stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from console.actions import On
from console.copying import JSON, Copy, as_json
from console.desk import DrillGround, Hands, Told
from console.errand import Errand, send
from console.screens import Live, View, bindings
from console.screens.drill.page import Sitting, drill_page, fires_by_hand, phrases, shown_run, to_answer
from console.watch.drill_report import run_document
from stages.drill import KILL, PAPER, RUNNING
from stages.drill_faults import FAULTS, why_not_injected
from stages.drill_story import ANSWERS
from stages.value import replace
from widgets.line import Line
from widgets.token_input import TokenInput, wrong_word

TICK = 0.2
"""Seconds between two paintings while a drill runs: somebody waits for its clock."""


def wrong_answer(text: str) -> str:
    """What keeps a text from being an answer to a step; empty when it is one."""
    letter = text.strip().partition(" ")[0].casefold()
    return "" if letter in ANSWERS else "it begins with y (it held), n (it did not) or u (nobody knows)"


class DrillScreen(Live):
    """It follows the ledger: whatever process drills, the page shows how far it is."""

    ON: ClassVar[On | None] = On.DRILL
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.DRILL)

    class Grounded(Message):
        """Where a drill would be held."""

        def __init__(self, errand: Errand[DrillGround]) -> None:
            super().__init__()
            self.errand = errand

    class Heard(Message):
        """What came of a wish."""

        def __init__(self, what: str, errand: Errand[Told]) -> None:
            super().__init__()
            self.what = what
            self.errand = errand

    def __init__(self, view: View, hands: Hands, now: Callable[[], datetime], *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.hands = hands.drills
        self.now = now
        self.asked = Sitting()
        self.token = TokenInput(accepts=self._problem, passes=("exclamation_mark",), ascii_marks=ascii_marks)
        self._called = ""
        """The drill and step for which the field took the focus by itself."""

    def on_mount(self) -> None:
        self.mount(self.token)
        self.token.display = False
        self.paint()
        self.set_interval(TICK, self._tick)
        self._read_ground()

    def _tick(self) -> None:
        run = shown_run(self.view, self.asked)
        if run is not None and run.state == RUNNING:
            self.view = replace(self.view, wall=self.now())
            self.paint()

    def page(self, width: int, height: int) -> list[Line]:
        lines, field_at = drill_page(self.view, self.asked, width, height)
        self.token.phrases = phrases(self.view, self.asked)
        self.token.display = field_at is not None
        if field_at is not None:
            self.token.styles.offset = (0, field_at)
            self.token.styles.width = width
            self._call()
        return lines

    def topic(self) -> str:
        return "drill-field" if self.token.has_focus else "drill"

    def _call(self) -> None:
        """Where the drill waits for a person, the field takes the focus once; elsewhere tab brings it."""
        run = shown_run(self.view, self.asked)
        if run is None or run.state != RUNNING or self._called == f"{run.run} {run.step}":
            return
        self._called = f"{run.run} {run.step}"
        self.token.focus()

    def _problem(self, text: str) -> str:
        run = shown_run(self.view, self.asked)
        if run is not None and to_answer(self.view, run) is not None:
            return wrong_answer(text)
        return wrong_word(text, phrases(self.view, self.asked))

    # --------------------------------------------------------------------------------------------------------- wishes

    def on_token_input_confirmed(self, message: TokenInput.Confirmed) -> None:
        phrase, run = message.phrase, shown_run(self.view, self.asked)
        if run is None:
            self._wish(phrase, lambda: self.hands.start(phrase))
        elif fires_by_hand(run):
            self._wish(phrase, lambda: self.hands.fire(run.run, phrase))
        else:
            letter, _, words = phrase.partition(" ")
            self._wish(f"{run.step} {letter}", lambda: self.hands.answer(run.run, run.step, letter.casefold(), words))

    def _wish(self, what: str, work: Callable[[], Told]) -> None:
        self._note(f"{what}: handing over")
        send("drill", work, lambda errand: self.post_message(self.Heard(what, errand)))

    def on_drill_screen_heard(self, message: Heard) -> None:
        told, trouble = message.errand.result, message.errand.trouble
        if trouble or told is None:
            self._note(f"{message.what}: {trouble}")
        else:
            # What goes well is seen in the steps; only a no needs words, and where the evidence lies.
            self._note(told.note if message.what == "evidence" or not told.ok else "")

    def on_drill_screen_grounded(self, message: Grounded) -> None:
        errand = message.errand
        ground = errand.result or DrillGround(None, None, trouble=errand.trouble)
        self.asked = replace(self.asked, ground=ground)
        self.paint()

    def copies(self) -> tuple[Copy, ...]:
        run = shown_run(self.view, self.asked)
        if run is None:
            return super().copies()
        twin = "rampdeck drill list --json"
        return (*super().copies(), Copy(f"drill {run.run[:8]}", JSON, lambda: as_json(run_document(run)), twin))

    def action_abandon(self) -> None:
        run = shown_run(self.view, self.asked)
        if run is None or run.state != RUNNING:
            self._note("no drill runs: nothing to abandon")
        else:
            self._wish("abandon", lambda: self.hands.abandon(run.run))

    def action_evidence(self) -> None:
        run = shown_run(self.view, self.asked)
        if run is None:
            self._note("no drill is shown: rampdeck drill list names every bundle")
        else:
            self._wish("evidence", lambda: self.hands.bundle(run.run))

    def action_another(self) -> None:
        run = shown_run(self.view, self.asked)
        if run is not None and run.state == RUNNING:
            self._note("a drill runs: it ends first, or A abandons it")
            return
        self.asked = replace(self.asked, aside=run.run if run is not None else self.asked.aside, note="")
        if self.asked.ground is not None and self.asked.ground.trouble:
            self._read_ground()
        self.paint()

    def _read_ground(self) -> None:
        """Look at the drill's target, also again after it could not be read."""
        self.asked = replace(self.asked, ground=None)
        send("drill-ground", self.hands.ground, lambda errand: self.post_message(self.Grounded(errand)))

    def action_fault(self) -> None:
        """The next fault for a drill of the kill; after the last one none."""
        run, ground = shown_run(self.view, self.asked), self.asked.ground
        if run is not None:
            self._note(
                "a fault is chosen for a new drill: d puts this one aside" if run.state != RUNNING else "it runs"
            )
            return
        if ground is None or ground.target is None or ground.trouble:
            self._note("no fault without a target to drill on")
            return
        names = ("", *FAULTS)
        after = names[(names.index(self.asked.fault) + 1) % len(names)]
        why = why_not_injected(after, KILL, PAPER, ground.target) if after else ""
        self.asked = replace(self.asked, fault="" if why else after, note=why)
        self.paint()

    def action_field(self) -> None:
        if self.token.display and not self.token.has_focus:
            self.set_focus(self.token)  # at once: what is typed right behind the key is not for the page
        else:
            self.set_focus(None)

    def _note(self, text: str) -> None:
        self.asked = replace(self.asked, note=text)
        self.paint()
