"""The palette: the registry's actions of a screen, what can be copied there, themes, and faults where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.app import App, SystemCommand
from textual.screen import Screen

from console.actions import actions_on
from console.desk import Faults
from console.screens import Live
from widgets.palette import THEMES


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
