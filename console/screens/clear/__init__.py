"""Clear what is held: every open latch with what it waits for, and the one thing that can be done about the picked one.

What a cleared halt has left, and the way back from a kill, stand in the same list: it is the whole way back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.message import Message

from console.actions import On
from console.desk import Hands, Told
from console.errand import Errand, send
from console.screens import Live, View, bindings
from console.screens.clear.page import NOTHING, PHRASE, PRESS, REASON, Item, ItemLink, Offer, Sight, clear_page, items
from stages.value import replace
from widgets.line import Line
from widgets.token_input import GRACE, TokenInput

LOOK_EVERY: Final = 2.0
"""Seconds between two looks at approvals and at what is left."""


class ClearScreen(Live):
    """A list, and what is offered for the picked one: a key, a line of reason, or a phrase."""

    ON: ClassVar[On | None] = On.CLEAR
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.CLEAR)

    class Seen(Message):
        """What was read about an item."""

        def __init__(self, row: Item, sight: Sight) -> None:
            super().__init__()
            self.row = row
            self.sight = sight

    class Heard(Message):
        """What came of an act."""

        def __init__(self, errand: Errand[Told]) -> None:
            super().__init__()
            self.errand = errand

    def __init__(self, view: View, hands: Hands, *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.hands = hands
        self.picked, self.note, self.sight = 0, "", Sight()
        self.sure = False
        self.offered = Offer(NOTHING, "", "")
        self.field = TokenInput(ascii_marks=ascii_marks, grace=0.0)
        self._looking = False

    def on_mount(self) -> None:
        self.mount(self.field)
        self.field.display = False
        self.paint()
        self._look()
        self.set_interval(LOOK_EVERY, self._look)

    @property
    def item(self) -> Item | None:
        """The picked one."""
        rows = items(self.view.frame)
        return rows[min(self.picked, len(rows) - 1)] if rows else None

    def show(self, view: View) -> None:
        before = self.item
        super().show(view)
        if _other(before, self.item):
            self._picked_other()

    def page(self, width: int, height: int) -> list[Line]:
        lines, field_at, found = clear_page(self.view, self.picked, self.sight, self.note, width, height)
        self.field.styles.offset = (0, field_at)
        self.field.styles.width = width
        if (found.how, found.phrase) != (self.offered.how, self.offered.phrase):
            self._ready_field(found)
        self.offered = found
        return lines

    def topic(self) -> str:
        return "clear-field" if self.field.has_focus else "clear"

    def _ready_field(self, found: Offer) -> None:
        """The field fits what is offered; keys meant for the page before do not count as the first of a phrase."""
        typed = found.how in (REASON, PHRASE)
        self.field.display = typed
        if not typed:
            self.set_focus(None)
            return
        self.field.typed, self.field.said, self.field.early = "", "", 0
        self.field.phrases = (found.phrase,) if found.phrase else ()
        self.field.accepts = None if found.how == PHRASE else _reason
        self.field.paste_allowed = found.how == REASON
        self.field.ready = False
        self.set_timer(GRACE, self.field.open)
        self.field.focus()

    # --------------------------------------------------------------------------------------------------------- looking

    def _look(self) -> None:
        item = self.item
        if item is None or self._looking or not _needs_look(item):
            return
        self._looking = True
        work: Callable[[], Sight] = (
            (lambda: Sight(leftover=self.hands.leftover()))
            if item.act == "resume"
            else (lambda: Sight(consents=self.hands.consents(item.key)))
        )

        def deliver(errand: Errand[Sight]) -> None:
            self.post_message(self.Seen(item, errand.result or Sight(trouble=errand.trouble)))

        send("clear-look", work, deliver)

    def on_clear_screen_seen(self, message: Seen) -> None:
        self._looking = False
        if _other(message.row, self.item):
            self._look()
            return
        self.sight = message.sight
        self.paint()

    def action_pick(self) -> None:
        self._pick(1)

    def action_pick_before(self) -> None:
        self._pick(-1)

    def clicked(self, target: object) -> None:
        match target:
            case ItemLink(index):
                self._pick(index - self.picked)
            case _:
                super().clicked(target)

    def _pick(self, step: int) -> None:
        rows = items(self.view.frame)
        if rows:
            self.picked = (min(self.picked, len(rows) - 1) + step) % len(rows)
            self._picked_other()

    def _picked_other(self) -> None:
        self.sight = Sight()
        if self.sure:
            self.sure, self.note = False, ""
        self.paint()
        self._look()

    # ---------------------------------------------------------------------------------------------------------- acting

    def action_yes(self) -> None:
        """The first press says what the second one does."""
        item = self.item
        if item is None or self.offered.how != PRESS:
            return
        if self.offered.act == "ask":
            self._send("asking", lambda: self.hands.ask_to_clear(item.key))
        elif not self.sure:
            self.sure, self.note = True, f"clear {item.name}, which holds {item.holds}: y again does it, esc leaves"
            self.paint()
        else:
            self._send("clearing", lambda: self.hands.clear(item.key, ""))

    def on_token_input_confirmed(self, message: TokenInput.Confirmed) -> None:
        item, phrase = self.item, message.phrase
        if item is None:
            return
        if self.offered.act == "restore":
            self._send("restoring", lambda: self.hands.restore(phrase))
        elif self.offered.act == "resume":
            self._send("resuming", lambda: self.hands.resume(phrase))
        else:
            self._send("clearing", lambda: self.hands.clear(item.key, phrase))

    def _send(self, doing: str, work: Callable[[], Told]) -> None:
        self.sure, self.note = False, f"{doing}: handed over"
        send(doing, work, lambda errand: self.post_message(self.Heard(errand)))
        self.paint()

    def on_clear_screen_heard(self, message: Heard) -> None:
        told = message.errand.result
        if told is None:
            self.note = f"not done: {message.errand.trouble}"
        else:
            self.note = told.note if told.ok else f"not done: {told.note}"
        self.sight = replace(self.sight, trouble="")
        self.paint()
        self._look()


def _reason(text: str) -> str:
    return "" if len(text.split()) > 1 else "a line of reason is missing"


def _needs_look(item: Item) -> bool:
    """Whether what is offered hangs on more than the frame tells."""
    return item.act != "clear" or (item.clearance is not None and item.clearance.latch.rule.approval)


def _other(one: Item | None, two: Item | None) -> bool:
    return (one.act, one.key) != (two.act, two.key) if one is not None and two is not None else one is not two
