"""Help: every key from the registry, the marks, and the words that are easily misread."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.actions import ACTIONS, On
from console.keymap import STANDARD, Keymap
from console.screens import Live, View, bindings, view_head
from console.topics import TOPICS, Topic
from widgets.header import header
from widgets.line import Line, Tone, beside, fit, padded, sentences, title

MARKS = (
    ("·", "", "inside its limit, fresh"),
    ("▲", "WARN, 1 of 3", "past the warn level; or one bad read, not confirmed"),
    ("■", "BREACH", "the limit is broken, confirmed"),
    ("▼", "OVER L1", "above the new limits, being reduced"),
    ("?", "STALE, BLIND, NO DATA", "do not trust this number"),
    ("–", "at 16:00", "market closed, not expected to move"),
    ("○", "NOT ARMED", "cannot work yet, and why"),
    ("►", "a clock", "in progress"),
    ("≠", "NOT AGREED", "Git, runtime and venue say different things"),
    ("╎", "on a bar", "where it warns; after that, where it is good again"),
)
WORDS = (
    ("FROZEN", "no advance; everything else goes on"),
    ("REDUCE ONLY", "exits pass, entries do not"),
    ("NO NEW ORDERS", "the app sends none; nothing is sold"),
    ("MAY ADVANCE", "the console permits; it does not urge"),
    ("HELD", "stays until the named roles clear it"),
    ("SAFE NOW", "the venue says that no new risk can start"),
    ("STAYS SO", "Git and the runtime say the same, so it lasts"),
    ("acknowledge", "quiet, still broken; it never clears anything"),
)
TYPED = (
    ("type", "FREEZE or ROLLBACK and a stage, then Enter"),
    ("ctrl+u", "empty the line; ctrl+v pastes, here only"),
)
"""What the field of Reduce risk takes, which is no key of the registry."""
SCREEN_NAMES = {
    On.RAMP: "RAMP", On.PLAN: "PLAN", On.REDUCE: "REDUCE RISK", On.INCIDENT: "INCIDENT",
    On.CLEAR: "CLEAR WHAT IS HELD", On.DRILL: "DRILL", On.LEDGER: "LEDGER", On.ZOOM: "ZOOM", On.EVERY: "EVERYWHERE",
    On.HELP: "HELP",
}  # fmt: skip


def key_lines(width: int, here: On = On.RAMP, keys: Keymap = STANDARD) -> list[Line]:
    """Every action by screen, as the registry has them; those of ``here`` and of everywhere come first."""
    lines: list[Line] = []
    first = [here, On.EVERY]
    for screen in [*first, *(one for one in On if one not in first)]:
        actions = [action for action in ACTIONS if action.on is screen]
        if actions or screen is On.REDUCE:
            lines.append(title(SCREEN_NAMES[screen], width, note="· where you are" if screen is here else ""))
        if screen is On.REDUCE:
            lines.extend(Line().put(f"  {key}", Tone.BOLD).put(fit(means, width - 11), at=10) for key, means in TYPED)
        for action in actions:
            line = Line().put(f"  {keys.labels(action)}", Tone.BOLD)
            at = max(10, line.length + 1)
            line.put(fit(action.title, width - at - 1), at=at)
            lines.append(line.put("") if line.length >= width else line)
    return lines


def topic_lines(topic: Topic, keys: Keymap, width: int) -> list[Line]:
    """What has the eye: what it shows, and its keys."""
    lines = [title(f"HERE: {topic.name}", width)]
    lines.extend(sentences(topic.says, width - 4, lambda: Line().put("  ")))
    own = [(keys.labels(action), action.title) for name in topic.actions for action in ACTIONS if action.id == name]
    for key, means in (*own, *topic.keys):
        line = Line().put(f"  {key}", Tone.BOLD)
        at = max(10, line.length + 1)
        lines.append(line.put(fit(means, width - at - 1), at=at))
    return lines


def mark_lines(width: int) -> list[Line]:
    """Marks and words with what they mean."""
    lines = [title("MARKS", width)]
    for mark, word, means in MARKS:
        lines.append(Line().put(f" {mark} ", Tone.BOLD).put(fit(word, 22)).put(fit(means, width - 27), at=26))
    lines.append(title("WORDS", width))
    for word, means in WORDS:
        lines.append(Line().put(f"   {word}").put(fit(means, width - 19), at=18))
    return lines


class HelpScreen(Live):
    """What had the eye first, then the keys of its screen; two columns where they fit, and arrows for the rest."""

    ON: ClassVar[On | None] = On.HELP
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.HELP)

    def __init__(self, view: View, here: On = On.RAMP, topic: str = "ramp", *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.here = here
        self.about = TOPICS[topic]
        self.top = 0

    def page(self, width: int, height: int) -> list[Line]:
        head = header(view_head(self.view), width)
        room = height - len(head) - 1
        if width >= 120:
            half = width // 2
            keys, right = self._keys(half), mark_lines(width - half - 1)
            self.top = max(0, min(self.top, len(keys) - room))
            body = beside(padded(keys[self.top :], room), padded(right, room), half, width)
        else:
            everything = [*self._keys(width), *mark_lines(width)]
            self.top = max(0, min(self.top, len(everything) - room))
            body = everything[self.top : self.top + room]
        foot = Line().put(" esc back   up, down scroll")
        return [*head, *padded(body, room), foot]

    def _keys(self, width: int) -> list[Line]:
        keys = self.view.keys
        return [*topic_lines(self.about, keys, width), *key_lines(width, self.here, keys)]

    def action_scroll(self, rows: int) -> None:
        self.top += rows
        self.paint()

    def action_help(self) -> None:
        self.action_back()
