"""Ramp, the home screen: is something amiss, may I believe it, and can I get out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from console.actions import On
from console.screens import Asked, Live, bindings
from console.screens.ramp.outline import Look, terminal_title, waiting_page
from stages.value import replace
from widgets.header import is_pnl
from widgets.narrowing import narrowed
from widgets.status import worst, worst_first
from widgets.token_input import TokenInput

if TYPE_CHECKING:
    from console.copying import Copy
    from console.screens import View
    from stages.verdict import Row
    from widgets.line import Line

__all__ = ["RampScreen", "terminal_title"]

LOOK_FOR = timedelta(seconds=60)
"""How long a look at another stage lasts before the screen returns by itself."""


ALONE_AFTER = timedelta(minutes=30)
"""After so long without a key the strip of events tells what happened since, until the next key."""


class RampScreen(Live):
    """The home screen."""

    ON: ClassVar[On | None] = On.RAMP
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.RAMP)

    def __init__(self, view: View, *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.look = Look()
        self._looking_until: datetime | None = None
        self._note_until: datetime | None = None
        self._touched = view.started
        self.field: TokenInput | None = None
        """Stands while the words to narrow by are being typed."""

    def page(self, width: int, height: int) -> list[Line]:
        if self.view.frame is None:
            return waiting_page(self.view, self.look.note, width, height)
        from console.screens.ramp.page import ramp_page  # what a frame is drawn with is not needed before there is one

        if self._looking_until is not None and self.view.wall >= self._looking_until:
            self._looking_until, self.look = None, replace(self.look, stage=None)
        if self._note_until is not None and self.view.wall >= self._note_until:
            self._note_until, self.look = None, replace(self.look, note="")
        alone = self.view.wall - self._touched >= ALONE_AFTER
        return ramp_page(self.view, replace(self.look, away=self._touched if alone else None), width, height)

    def paint(self, width: int = 0, height: int = 0) -> None:
        super().paint(width, height)
        if self.field is not None:
            self.field.styles.offset = (0, max(0, (height or self.size.height) - 2))

    def action_filter(self) -> None:
        """Asks for words in the last two rows."""
        self._close()
        self.field = TokenInput(paste=True, grace=0, accepts=lambda _typed: "", ascii_marks=self.ascii_marks)
        self.field.typed = self.field.given = self.look.words
        self.mount(self.field)
        self.field.focus()
        self.paint()

    def on_token_input_confirmed(self, message: TokenInput.Confirmed) -> None:
        self._close()
        self.look = replace(self.look, words=message.phrase)
        self.tell(f"only rows with '{message.phrase}', and all that are not ok" if message.phrase else "every row")

    def _close(self) -> None:
        if self.field is not None:
            self.field.remove()
            self.field = None

    def touched(self) -> None:
        """A key was pressed, here or on another screen."""
        self._touched = self.view.wall

    def tell(self, note: str) -> None:
        """Says something once, for eight seconds, where the sources stand."""
        self.look = replace(self.look, note=note)
        self._note_until = self.view.wall + timedelta(seconds=8)
        self.paint()

    def action_look(self, stage: int) -> None:
        frame = self.view.frame
        if frame is None or stage > frame.policy.top:
            return
        back = stage == min(frame.evaluation.effective, frame.policy.top)
        self.look = replace(self.look, stage=None if back else stage)
        self._looking_until = None if back else self.view.wall + LOOK_FOR
        self.paint()

    def topic(self) -> str:
        if self.field is not None:
            return "ramp-filter"
        if self.look.stage is not None:
            return "what-if"
        if self.look.card:
            return "burn-in"
        chosen = next((row for row in self._rows() if row.key == self.look.cursor), None)
        return chosen.panel if chosen is not None else "ramp"

    def up(self) -> None:
        """Out of the field; then everything that was chosen is put off."""
        if self.field is not None:
            self._close()
            return
        self.look = replace(self.look, stage=None, note="", card=False, cursor=None, words="")
        self._looking_until = None
        self.paint()
        super().up()  # whoever waits for a page that cannot open yet forgets it

    def action_card(self) -> None:
        if self.size.width < 100 or self.size.height < 28:
            self.tell("the burn-in card needs 100 columns and 28 rows; see rampdeck status --json")
            return
        self.look = replace(self.look, card=not self.look.card)
        self.paint()

    def action_zoom(self) -> None:
        """Into the chosen signal; into the one that needs a look first while none is chosen."""
        rows = self._rows()
        chosen = next((row for row in rows if row.key == self.look.cursor), None) or worst(rows)
        if chosen is not None:
            self.post_message(Asked("zoom", chosen.key))
        else:
            self.tell("nothing is read yet: there is no signal to zoom into")

    def action_choose_next(self) -> None:
        self._choose(1)

    def action_choose_previous(self) -> None:
        self._choose(-1)

    def _choose(self, by: int) -> None:
        """Moves the cursor by one row, in the order of the panels; it begins at the first or the last."""
        rows = self._rows()
        if not rows:
            return
        keys = [row.key for row in rows]
        at = keys.index(self.look.cursor) + by if self.look.cursor in keys else (0 if by > 0 else -1)
        row = rows[at % len(rows)]
        self.look = replace(self.look, cursor=row.key)
        self.tell(f"{self.key_of('zoom')} zooms into {row.title}")

    def clicked(self, target: object) -> None:
        """A row is chosen by the first click and opened by the second; a stage is looked at."""
        from stages.signals import SignalKey
        from widgets.stage_rail import StageLink

        match target:
            case SignalKey() if target == self.look.cursor:
                self.action_zoom()
            case SignalKey():
                self.look = replace(self.look, cursor=target)
                self.tell(f"a second click, or {self.key_of('zoom')}, zooms in")
            case StageLink(stage):
                self.action_look(stage)
            case _:
                super().clicked(target)

    def copies(self) -> tuple[Copy, ...]:
        """The chosen row and its panel, the page, and the whole status."""
        from console.copying import JSON, TEXT, Copy, as_json
        from console.watch.once import Look as Seen
        from console.watch.report import row_line, signal_document, status_document

        frame = self.view.frame
        if frame is None:
            return super().copies()
        found, rows, wall = frame.evaluation, self._rows(), frame.evaluation.snapshot.wall
        whole = Copy(
            "status",
            JSON,
            lambda: as_json(status_document(frame.policy, Seen(found, frame.presence, own=False))),
            "rampdeck status --json",
        )
        chosen = next((row for row in rows if row.key == self.look.cursor), None)
        if chosen is None:
            return (*super().copies(), whole)
        panel = [row for row in rows if row.panel == chosen.panel]
        name, command = f"panel {chosen.panel}", "rampdeck status"
        return (
            Copy(chosen.title, TEXT, lambda: row_line(chosen, wall), command),
            Copy(chosen.title, JSON, lambda: as_json(signal_document(chosen, wall)), f"{command} --json"),
            Copy(name, TEXT, lambda: "\n".join(row_line(row, wall) for row in panel), command),
            Copy(name, JSON, lambda: as_json([signal_document(row, wall) for row in panel]), f"{command} --json"),
            *super().copies(),
            whole,
        )

    def say(self, text: str) -> None:
        """Long sentences as everywhere; Ramp has a place for short ones."""
        if len(text) <= self.size.width - 2:
            self.tell(text)
        else:
            super().say(text)

    def _rows(self) -> list[Row]:
        """The rows of the home screen as they stand, panel by panel."""
        frame = self.view.frame
        if frame is None:
            return []
        rank = {key: place for place, key in enumerate(self.look.order)}
        rows = [row for row in frame.evaluation.panels if row.key.book == frame.evaluation.book]
        panels = list(dict.fromkeys(row.panel for row in rows))
        rows = narrowed(rows, self.look.words)
        return sorted(rows, key=lambda row: (panels.index(row.panel), rank.get(row.key, len(rank))))

    def action_plan(self) -> None:
        frame = self.view.frame
        if frame is None:
            self.tell("nothing is read yet: a plan needs the policy, and where the target stands")
            return
        if frame.read_only:
            self.tell("READ-ONLY: nothing can be planned from here")
            return
        here = min(frame.evaluation.effective, frame.policy.top)
        target = self.look.stage if self.look.stage is not None else min(here + 1, frame.policy.top)
        self.post_message(Asked("plan", target))

    def action_acknowledge(self) -> None:
        frame = self.view.frame
        alarm = frame.evaluation.headline.alarm if frame is not None else None
        if alarm is None:
            self.tell("acknowledge: nothing rings")
        else:
            self.post_message(Asked("acknowledge", alarm))

    def action_take_over(self) -> None:
        self.post_message(Asked("take over"))

    def action_sort_once(self) -> None:
        frame = self.view.frame
        if frame is None:
            return
        ranked = worst_first(frame.evaluation.rows)
        # The P&L stays where traders look for it first.
        ranked.sort(key=lambda row: not is_pnl(row, frame.policy))
        self.look = replace(self.look, order=tuple(row.key for row in ranked))
        self.tell("sorted once, worst first")
