"""Lines of styled text on a grid of cells: what every panel returns and a sheet paints.

A panel puts its text at columns. What does not fit before the next column is cut with ``…``, so columns never move.
Dynamic text is plain text here and can never be read as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size


class Tone(StrEnum):
    """How a piece of text looks; colour only repeats what mark, word and bar already say."""

    PLAIN = "plain"
    DIM = "dim"
    BOLD = "bold"
    WARN = "warn"
    BREACH = "breach"
    BREACH_WORD = "breach-word"
    UNKNOWN = "unknown"
    UNKNOWN_WORD = "unknown-word"
    OVER = "over"
    REVERSE = "reverse"
    ALARM = "alarm"
    REMOVED = "removed"
    REMOVED_PART = "removed-part"
    ADDED = "added"
    ADDED_PART = "added-part"
    INPUT = "input"
    ON_BODY = "on-body"
    """A line that runs through the body of a chart."""


Span = tuple[str, Tone]
Link = tuple[int, int, object]
"""From which cell to which, and what is meant."""


def clean(text: str) -> str:
    """One line of printable text: control characters and line ends become spaces, so that no data steers a terminal."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def fit(text: str, width: int) -> str:
    """``text`` cut to ``width`` cells, the last of them ``…`` when something is missing."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def fit_sentences(text: str, width: int) -> str:
    """As many whole sentences of ``text`` as fit; a single one that is too long is cut."""
    text = clean(text)
    while cell_len(text) > width:
        head, dot, _ = text.removesuffix(".").rpartition(". ")
        if not dot:
            return fit(text, width)
        text = head + "."
    return text


class Line:
    """One row of cells, built from left to right. ``rule`` marks a panel's title, which joins vertical rules."""

    __slots__ = ("base", "length", "links", "rule", "spans")

    def __init__(self, base: Tone = Tone.PLAIN) -> None:
        self.spans: list[Span] = []
        self.length = 0
        self.base = base
        self.rule = False
        self.links: tuple[Link, ...] = ()
        """What the mouse finds on the line; no link is drawn."""

    def link(self, target: object, start: int = 0, end: int | None = None) -> Line:
        """Says what a click on the cells from ``start`` to ``end`` means; to the end of the line so far without one."""
        self.links = (*self.links, (start, self.length if end is None else end, target))
        return self

    def at(self, cell: int) -> object | None:
        """What a click on a cell means; None where it means nothing."""
        return next((target for start, end, target in reversed(self.links) if start <= cell < end), None)

    def put(self, text: str, tone: Tone | None = None, *, at: int | None = None) -> Line:
        """Appends ``text``; with ``at`` it starts in that column and whatever reached into it is cut."""
        if at is not None:
            self.reach(at)
        text = clean(text)
        if text:
            self._add(text, tone or self.base)
        return self

    def _add(self, text: str, tone: Tone) -> None:
        """Appends one span, or lengthens the last one when it looks the same."""
        if self.spans and self.spans[-1][1] is tone:
            self.spans[-1] = (self.spans[-1][0] + text, tone)
        else:
            self.spans.append((text, tone))
        self.length += cell_len(text)

    def right(self, text: str, end: int, tone: Tone | None = None) -> Line:
        """Puts ``text`` so that its last cell is the one before column ``end``."""
        text = clean(text)
        return self.put(text, tone, at=max(0, end - cell_len(text)))

    def reach(self, column: int) -> Line:
        """Pads to ``column``, or cuts what reaches into it and leaves one cell of air."""
        if self.length > column:
            self._cut(column - 1)
        if self.length < column:
            self._add(" " * (column - self.length), self.base)
        return self

    def fill(self, width: int) -> Line:
        """Exactly ``width`` cells, padded or cut."""
        if self.length > width:
            self._cut(width)
        return self.reach(width)

    def extend(self, other: Line) -> Line:
        """Appends another line's cells."""
        if other.links:
            moved = tuple((start + self.length, end + self.length, target) for start, end, target in other.links)
            self.links = (*self.links, *moved)
        for text, tone in other.spans:
            self._add(text, tone)
        return self

    def _cut(self, width: int) -> None:
        """Cuts to ``width`` cells; ``…`` is the last of them when more than air is lost."""
        width = max(0, width)
        kept: list[Span] = []
        room, lost = width, ""
        for text, tone in self.spans:
            cells = cell_len(text)
            inside = text if cells <= room else set_cell_size(text, room)
            if cells > room:
                lost += text[len(inside.rstrip()) :]
            room -= min(cells, room)
            if inside:
                kept.append((inside, tone))
        if lost.strip() and width:
            while not cell_len(kept[-1][0]):
                kept.pop()  # a mark that would join what is cut
            last, tone = kept[-1]
            kept[-1] = (set_cell_size(last, cell_len(last) - 1) + "…", tone)
        self.spans = kept
        self.length = width

    @property
    def text(self) -> str:
        """The line without its tones."""
        return "".join(text for text, _ in self.spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and self.spans == other.spans

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Line({self.text!r})"


def changed_cells(before: Line, after: Line) -> tuple[int, int]:
    """From which cell to before which one two lines differ; all of ``after`` where a character is not one cell."""
    if not before.length == after.length == len(before.text) == len(after.text):
        return 0, after.length
    start = _same(before.spans, after.spans)
    one, other = ([(text[::-1], tone) for text, tone in reversed(line.spans)] for line in (before, after))
    return start, max(start, after.length - _same(one, other))


def _same(one: Sequence[Span], other: Sequence[Span]) -> int:
    """Cells that two rows of spans have in common from their start."""
    cells = 0
    for (text, tone), (twin, tone_of_twin) in zip(one, other, strict=False):
        if tone is not tone_of_twin:
            return cells
        if text != twin:
            return cells + next(place for place, (a, b) in enumerate(zip_longest(text, twin)) if a != b)
        cells += len(text)
    return cells


def title(name: str, width: int, *columns: tuple[str, int], tone: Tone | None = None, note: str = "") -> Line:
    """A panel's title on its rule: ``─ EXPOSURE 11 ok ──── limit ── age ─``. Each of ``columns`` ends at its column."""
    line = Line(Tone.DIM)
    line.rule = True
    line.put("─ ").put(fit(name, max(0, width - 3)), tone or Tone.BOLD)
    if note:
        line.put(" ").put(note, tone or Tone.PLAIN)
    line.put(" ")
    for text, end in columns:
        start = end - cell_len(text)
        if start - 1 < line.length or end + 1 > width:
            continue
        line.put("─" * (start - 1 - line.length)).put(f" {text} ", Tone.PLAIN)
    if line.length < width:
        line.put("─" * (width - line.length))
    return line.fill(width)


def rule(width: int) -> Line:
    """A bare horizontal rule."""
    line = Line(Tone.DIM).put("─" * width)
    line.rule = True
    return line


_JOINTS = {(True, True): "┼", (True, False): "┤", (False, True): "├", (False, False): "│"}


def beside(left: Sequence[Line], right: Sequence[Line], at: int, width: int) -> list[Line]:
    """Two columns with a vertical rule between them at column ``at``, joined to the titles it meets."""
    rows = max(len(left), len(right))
    joined: list[Line] = []
    for index in range(rows):
        first = left[index] if index < len(left) else Line()
        second = right[index] if index < len(right) else Line()
        joint = _JOINTS[(first.rule, second.rule)]
        if index == 0 and joint == "┼":
            joint = "┬"
        line = Line()
        line.rule = first.rule and second.rule
        line.extend(first.fill(at)).put(joint, Tone.DIM).extend(second.fill(width - at - 1))
        joined.append(line)
    return joined


def framed(name: str, body: Iterable[Line], width: int, note: str) -> list[Line]:
    """``body`` (lines of ``width - 2``) inside a frame whose upper edge says what it is."""
    top = Line(Tone.BOLD).put("╭ ").put(fit(name, width - cell_len(note) - 8)).put(" ")
    top.put("─" * max(0, width - top.length - cell_len(note) - 4)).put(f" {note} ─╮")
    sides = [Line(Tone.BOLD).put("│").extend(line.fill(width - 2)).put("│") for line in body]
    return [top.fill(width), *sides]


def padded(lines: Sequence[Line], height: int) -> list[Line]:
    """Exactly ``height`` lines."""
    return [*lines[:height], *(Line() for _ in range(height - len(lines)))]


def sentences(text: str, width: int, make: Callable[[], Line] = Line) -> list[Line]:
    """``text`` wrapped at spaces into lines of at most ``width`` cells."""
    lines: list[Line] = []
    current = ""
    for word in clean(text).split():
        candidate = f"{current} {word}".strip()
        if cell_len(candidate) > width and current:
            lines.append(make().put(current))
            candidate = word
        current = candidate
    if current:
        lines.append(make().put(fit(current, width)))
    return lines
