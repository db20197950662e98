"""The herald: what a view says beyond its page, to somebody who looks elsewhere: the window's title and the bell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.screens.ramp import terminal_title
from stages.ringing import Ringing, ring
from widgets.glyphs import ascii_twin

if TYPE_CHECKING:
    from console.screens import View


class Herald:
    """Remembers what the window is called and which alarms have rung."""

    def __init__(self, *, ascii_marks: bool) -> None:
        self._ascii_marks = ascii_marks
        self._titled = ""
        self._heard = Ringing()

    def new_title(self, view: View) -> str | None:
        """The window's title in printable characters; None while it stays as it is."""
        wanted = terminal_title(view)
        wanted = ascii_twin(wanted) if self._ascii_marks else wanted
        if wanted == self._titled:
            return None
        self._titled = wanted
        return "".join(character for character in wanted if character.isprintable())

    def rings(self, view: View) -> bool:
        """Whether an alarm makes itself heard now."""
        if view.frame is None:
            return False
        self._heard, rings, _ = ring(self._heard, view.frame.evaluation.alarms, view.frame.acknowledged, view.wall)
        return any(one.audible for one in rings)
