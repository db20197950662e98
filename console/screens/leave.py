"""Leaving while this console acts or something runs: says what then stops and what goes on, and asks."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.screens import Asked, Live, View, view_head
from widgets.header import header
from widgets.line import Line, Tone, padded, sentences

GRACE = 0.5
"""Seconds in which a key meant for the screen before cannot answer."""


def reasons(view: View) -> tuple[str, ...]:
    """Why leaving needs a thought; empty when it does not."""
    frame = view.frame
    if frame is None:
        return ()
    said = []
    if frame.presence.here and frame.presence.acting:
        said.append(
            "This console is the one that acts. When it ends, nobody reduces risk by itself until another takes over."
        )
    running = frame.running
    if running is not None and not running.outcome:
        if running.kind == "reduce":
            said.append(f"{running.title} runs. It goes on by itself without this console.")
        else:
            said.append(
                f"{running.title} runs. Before its push it stops with this console; after it, it is only not watched."
            )
    return tuple(said)


class LeaveScreen(Live):
    """``y`` leaves; anything else stays."""

    BINDINGS: ClassVar[list[BindingType]] = [("y", "yes", "leave"), ("escape,n,q", "back", "stay")]

    def __init__(self, view: View, *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.ready = False

    def on_mount(self) -> None:
        self.set_timer(GRACE, self._open)
        self.paint()

    def _open(self) -> None:
        self.ready = True

    def page(self, width: int, height: int) -> list[Line]:
        lines = [*header(view_head(self.view), width), Line(), Line(Tone.BOLD).put("   LEAVE?"), Line()]
        for reason in reasons(self.view):
            lines.extend(sentences(reason, width - 8, lambda: Line().put("   ")))
            lines.append(Line())
        return [*padded(lines, height - 1), Line(Tone.BOLD).put(" y leave   esc stay")]

    def action_yes(self) -> None:
        if self.ready:
            self.post_message(Asked("exit"))
