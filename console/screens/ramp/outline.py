"""The home screen before its first frame: what a person chose to see, the page that waits, the window's title.

The first paint is drawn by this alone, so nothing here loads what a frame is made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.actions import On
from console.screens import View, keys_line, view_head
from stages.value import Struct
from widgets.header import header, small_header
from widgets.line import Line, Tone, fit, padded, title
from widgets.status import HEADLINE_MARKS

if TYPE_CHECKING:
    from datetime import datetime

    from stages.signals import SignalKey


class Look(Struct, frozen=True):
    """What the person chose to see: a stage that is not in force, an order of rows, a note of what was just asked."""

    stage: int | None = None
    order: tuple[SignalKey, ...] = ()
    note: str = ""
    card: bool = False
    """Whether the burn-in card is open."""
    words: str = ""
    """What the rows and triggers are narrowed by; what is not ok shows all the same."""
    cursor: SignalKey | None = None
    """The signal that enter zooms into."""
    away: datetime | None = None
    """Since when nobody has pressed a key, where that is long ago."""


def waiting_page(view: View, note: str, width: int, height: int) -> list[Line]:
    """Painted before the first tick: every panel is in its place and none of them claims anything."""
    head = view_head(view)
    lines = header(head, width) if width >= 80 else small_header(head, width)
    lines.append(Line())
    for name in ("EXPOSURE", "TCA", "FRESHNESS", "RECONCILIATION", "TRUTH", "TRIGGERS"):
        lines.append(title(name, width))
        lines.append(Line().put(" ? ", Tone.UNKNOWN).put("not read yet").fill(width))
    keys = keys_line(On.RAMP, view, width)
    said = Line(Tone.BOLD).put(" ").put(fit(note, width - 2))
    return [*padded(lines, height - 2), said.fill(width), keys.fill(width)]


def terminal_title(view: View) -> str:
    """The window's title: ``■ torghut BREACH gross 106 %``."""
    headline = view_head(view).headline
    if headline is None:
        return view.system
    mark = HEADLINE_MARKS.get(headline.mark, "")
    name = headline.thing.partition(":")[0]
    return " ".join(word for word in (mark, view.system, headline.word, name, headline.figure) if word)
