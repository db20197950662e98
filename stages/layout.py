"""Where lines and list items stand in a manifest's text, and how a refused edit is told."""

from __future__ import annotations

from stages.bindings import Located
from stages.refusal import Trouble
from stages.yaml_spans import Sequence


def item_lines(located: Located, node: Sequence, place: int, *, outermost: bool = False) -> tuple[int, int]:
    """From the line break before an item's dash to the end of its last line, its own break left out."""
    text = located.manifest.text if outermost else located.text
    column = column_of(text, node.start)
    after = node.items[place - 1].end if place else node.start - column
    start = after if place == 0 else line_end(text, after) + 1
    while not text.startswith("-", start + column) or text[start : start + column].strip():
        start = line_end(text, start) + 1
        if start > node.items[place].start:
            raise refused(located, "does not begin its list item on a line of its own", "write one item a line")
    if text.startswith("\n", start - 1) and start:
        start -= 2 if text.startswith("\r\n", start - 2) else 1
    return start, line_end(text, node.items[place].end)


def line_end(text: str, place: int) -> int:
    """The offset of the line break that ends the line of ``place``, or the end of the text."""
    end = text.find("\n", place)
    if end < 0:
        return len(text)
    return end - 1 if text.startswith("\r\n", end - 1) and end > place else end


def column_of(text: str, place: int) -> int:
    """Characters between the line start and ``place``."""
    return place - (text.rfind("\n", 0, place) + 1)


def newline_at(text: str, place: int) -> str:
    """The line break in use at ``place``."""
    before = text.rfind("\n", 0, place)
    near = before if before >= 0 else text.find("\n")
    return "\r\n" if near > 0 and text[near - 1] == "\r" else "\n"


def refused(located: Located, what: str, fix: str) -> Trouble:
    """A Trouble at the line of what a binding selects."""
    return Trouble(f"{located.binding.label} {what}", where=located.manifest.at(located.line), fix=fix)
