"""What a person gets from the console itself: the palette, copies for the clipboard, pictures of the screen."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App, SystemCommand
from textual.screen import Screen

from console.actions import actions_on
from console.screens import Live
from widgets.palette import THEMES

if TYPE_CHECKING:
    from datetime import datetime

    from console.desk import Faults
    from console.seat import Seat


def past_tmux(text: str) -> str:
    """The sequence for the terminal around tmux: every escape in it doubled, wrapped as tmux hands it on."""
    inner = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a".replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{inner}\x1b\\"


def given(app: App[None], seat: Seat, now: datetime, what: str, *arguments: object) -> str:
    """A copy or a picture of the screen, for the person who asked; what became of it in a sentence."""
    from console.copying import Copy, hand_over
    from console.picture import take

    home = os.environ.get("HOME")
    match what, arguments:
        case "copy", (Copy() as copy,):
            return hand_over(copy, app.copy_to_clipboard, seat.keeps and seat.keeps / "copies", now, home)
        case _:
            svg = app.export_screenshot(title="rampdeck")
            return take(svg, seat.veil, seat.keeps and seat.keeps / "screenshots", now, home)


def offered(
    app: App[None], screen: Screen[object], faults: Faults | None, inject: Callable[[str], object]
) -> Iterator[SystemCommand]:
    """Everything that the palette offers on ``screen``. Nothing of it acts on the target without its own phrase."""
    if isinstance(screen, Live) and screen.ON is not None:
        for action in actions_on(screen.ON):
            if action.palette and action.possible(screen.view.frame):
                method = getattr(screen, f"action_{action.method}")
                yield SystemCommand(f"{action.brief} ({screen.view.keys.label(action)})", action.title, method)
        for copy in screen.copies():
            says = f"to the clipboard; '{copy.twin}' prints the same" if copy.twin else "to the clipboard"
            yield SystemCommand(f"copy {copy.name} as {copy.form}", says, partial(screen.copy, copy))
    for name in THEMES:
        says = "colours, until the console is left"
        yield SystemCommand(f"theme {name}", says, partial(setattr, app, "theme", name))
    if faults is not None:
        for name, says in faults.known().items():
            yield SystemCommand(f"inject {name}", says, partial(inject, name))


def climb(app: App[None], depth: int) -> None:
    """Up the way until ``depth`` of its parts are left; what is typed is given up as by escape, on a second click."""
    top = app.screen
    if not isinstance(top, Live) or not top.lets_go():
        return
    while len(app.screen_stack) > 1:
        below = app.screen_stack[-2]
        if not isinstance(below, Live) or len(below.trail()) < depth:
            break
        app.pop_screen()
    if isinstance(app.screen, Live) and len(app.screen.trail()) > depth:
        app.screen.up()
