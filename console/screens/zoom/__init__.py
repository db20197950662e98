"""Zoom: one signal over time, how near to its limit it came, and where its number comes from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from console.actions import On
from console.copying import JSON, TEXT, Copy, as_json
from console.desk import Books
from console.errand import Errand, send
from console.screens import Live, View, bindings
from console.screens.zoom.page import WINDOWS, Sight, copied, zoom_page
from stages.close_by import made_of
from stages.closeup import Closeup
from stages.signals import SignalKey
from stages.value import replace
from widgets.line import Line

__all__ = ["ZoomScreen"]

AGAIN = timedelta(seconds=5)
"""How often a chart that follows the newest moment is read again."""


class ZoomScreen(Live):
    """A chart of one signal; what it shows is read in errands and never blocks a key."""

    ON: ClassVar[On | None] = On.ZOOM
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.ZOOM)

    class Came(Message):
        """A close-up came back; it is of ``sight``."""

        def __init__(self, sight: Sight, errand: Errand[Closeup]) -> None:
            super().__init__()
            self.sight, self.errand = sight, errand

    def __init__(self, view: View, books: Books, key: SignalKey, *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.books = books
        self.sight = Sight(key)
        self._asked: Sight | None = None
        self._read_at: datetime | None = None

    def on_mount(self) -> None:
        self.paint()
        self._read()

    def page(self, width: int, height: int) -> list[Line]:
        return zoom_page(self.view, self.sight, width, height)

    def crumbs(self) -> tuple[str, ...]:
        return (f"ZOOM {self.sight.key.name}",)

    def show(self, view: View) -> None:
        super().show(view)
        due = self._read_at is None or view.wall - self._read_at >= AGAIN
        if self.sight.until is None and due:
            self._read()

    # -------------------------------------------------------------------------------------------------------- errands

    def _read(self) -> None:
        """Asks for the window that is looked at, unless an answer is under way."""
        frame = self.view.frame
        if frame is None or self._asked is not None:
            return
        sight, policy = replace(self.sight, closeup=None, trouble=""), frame.policy
        base = made_of(policy, sight.key.name)
        if base is None:
            return  # of such a row nothing is kept, and the page says so
        key, end = SignalKey(sight.key.book, base), sight.until or self.view.wall
        self._asked, self._read_at = sight, self.view.wall
        send(
            "closeup",
            lambda: self.books.closeup(policy, key, end - sight.span, end),
            lambda errand: self.post_message(self.Came(sight, errand)),
        )

    def on_zoom_screen_came(self, message: Came) -> None:
        """An answer to what is no longer looked at is dropped, and the window of now asked for."""
        self._asked = None
        asked = replace(self.sight, closeup=None, trouble="")
        if message.sight != asked:
            self._read()
            return
        if message.errand.result is not None:
            self.sight = replace(self.sight, closeup=message.errand.result, trouble="")
        else:
            self.sight = replace(self.sight, trouble=message.errand.trouble)
        self.paint()

    def _look(self, sight: Sight) -> None:
        """Turns to another signal or window: what is on the chart belongs to the last one and goes."""
        self.sight = replace(sight, closeup=None, trouble="")
        self.paint()
        self._read()

    # ----------------------------------------------------------------------------------------------------------- keys

    def action_window(self, by: int) -> None:
        """A longer or a shorter window, with the same end."""
        window = max(0, min(len(WINDOWS) - 1, self.sight.window + by))
        if window != self.sight.window:
            self._look(replace(self.sight, window=window))

    def action_longer(self) -> None:
        self.action_window(1)

    def action_shorter(self) -> None:
        self.action_window(-1)

    def action_earlier(self) -> None:
        """Half a window back."""
        end = self.sight.until or self.view.wall
        self._look(replace(self.sight, until=end - self.sight.span / 2))

    def action_later(self) -> None:
        """Half a window on; less than another half from the newest moment the chart follows again."""
        if self.sight.until is None:
            return
        half = self.sight.span / 2
        end = self.sight.until + half
        self._look(replace(self.sight, until=None if self.view.wall - end < half else end))

    def action_next_signal(self) -> None:
        self._turn(1)

    def action_previous_signal(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        """To a neighbour in the order of the policy, within the same book."""
        frame = self.view.frame
        if frame is None:
            return
        keys = [row.key for row in frame.evaluation.panels if row.key.book == self.sight.key.book]
        at = keys.index(self.sight.key) if self.sight.key in keys else 0
        if keys:
            self._look(replace(self.sight, key=keys[(at + by) % len(keys)]))

    def copies(self) -> tuple[Copy, ...]:
        """The readings as text, and what is known of the signal as JSON."""
        from console.watch.closeup_report import closeup_document

        sight, name, twin = self.sight, self.sight.key.name, f"rampdeck status --signal {self.sight.key.name}"
        frame, closeup = self.view.frame, self.sight.closeup
        if closeup is None:
            return (Copy(f"readings of {name}", TEXT, str), *super().copies())
        if frame is None or closeup.key.name not in frame.policy.spec.signals:
            return super().copies()
        row = next((one for one in frame.evaluation.rows if one.key == closeup.key), None)
        return (
            Copy(f"readings of {name}", TEXT, lambda: copied(self.view, sight), f"{twin} --json"),
            Copy(name, JSON, lambda: as_json(closeup_document(frame.policy, closeup, row)), f"{twin} --json"),
            *super().copies(),
        )
