"""A signal over time in cells: on a fixed scale, with its lines, with letters for what happened, and holes for gaps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from textwrap import wrap

from stages.plot import Point, known
from stages.value import Struct
from widgets.line import Line, Tone, fit

_LEVELS = "▁▂▃▄▅▆▇█"
_BODY = "█"
"""Lies between a value and nothing, so that the eye reads one height and not a row of specks."""
GUTTER = 9
"""Cells of the scale's numbers."""
_SAID_FROM = 9
"""Cells of a gap that its reason fits into."""


class Level(Struct, frozen=True):
    """A line across, with its name; ``glyph`` draws it."""

    value: float
    name: str
    glyph: str


class Chart(Struct, frozen=True):
    """What is drawn. ``low`` and ``high`` are the ends of the scale; ``falling`` tells that harm lies below."""

    points: Sequence[Point]
    start: datetime
    end: datetime
    low: float
    high: float
    label: Callable[[float], str]
    clock: Callable[[datetime], str]
    levels: Sequence[Level] = ()
    letters: Sequence[tuple[datetime, str]] = ()
    falling: bool = False


def fixed_scale(limit: float | None, values: Sequence[float], *, both: bool = False) -> tuple[float, float]:
    """The ends of the scale: from nothing to a quarter past the limit, doubled while a value lies beyond.

    It hangs on the limit and not on the newest values, so that noise does not look like a cliff. ``both``: the limit
    holds in both directions. Without a limit it ends at a round number.
    """
    low, high = min((*values, 0.0)), max((*values, 0.0))
    if not limit:
        return (-_round_up(-low) if low < 0 else 0.0), (_round_up(high) if high > 0 or low == 0 else 0.0)
    reach = abs(limit) * 1.25
    far = max(high, -low) if both else (-low if limit < 0 else high)
    while reach < far:
        reach *= 2
    if limit < 0:
        return -reach, (reach / 4 if high > 0 else 0.0)
    if both:
        return (-reach if low < 0 else 0.0), reach
    return (-reach / 4 if low < 0 else 0.0), reach


def _round_up(value: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def chart_lines(chart: Chart, width: int, height: int) -> list[Line]:
    """The chart in ``height`` lines: letters above, times below, the newest moment at the right."""
    rows, columns = max(1, height - 2), max(1, width - GUTTER - 1)
    paper = _Paper(chart, rows, columns)
    lines = [Line().put(" " * GUTTER).put(paper.letters(), Tone.BOLD)]
    lines.extend(paper.row(index) for index in range(rows))
    lines.append(_times(chart, width, columns))
    return [line.fill(width) for line in lines]


class _Paper:
    """Cells of the chart, from the top row down; what is drawn later lies above."""

    def __init__(self, chart: Chart, rows: int, columns: int) -> None:
        self.chart, self.rows, self.columns = chart, rows, columns
        self.worst: list[float | None] = [None] * columns
        self.reasons: list[str] = [""] * columns
        for point in chart.points:
            column = self.column(point.at)
            if column is None:
                continue
            if point.value is None or not known(point.value):
                self.reasons[column] = point.why
                continue
            best = self.worst[column]
            worse = min if chart.falling else max
            self.worst[column] = point.value if best is None else worse(best, point.value)
        self.cells = [[(" ", Tone.PLAIN) for _ in range(columns)] for _ in range(rows)]
        self.labels: dict[int, str] = {}
        self._draw()

    def column(self, at: datetime) -> int | None:
        """The column of a moment; None outside of the chart."""
        share = (at - self.chart.start) / (self.chart.end - self.chart.start)
        return min(self.columns - 1, int(share * self.columns)) if 0 <= share <= 1 else None

    def place(self, value: float) -> tuple[int, int]:
        """The row from the top and the eighth of its cell; rows outside of the chart say that it is off the scale."""
        eighths = (value - self.chart.low) / (self.chart.high - self.chart.low) * (self.rows * 8 - 1)
        whole = math.floor(eighths + 0.5)
        return self.rows - 1 - whole // 8, whole % 8

    def letters(self) -> str:
        cells = [" "] * self.columns
        for at, letter in self.chart.letters:
            column = self.column(at)
            if column is not None:
                cells[column] = letter if cells[column] == " " else "*"
        return "".join(cells)

    def row(self, index: int) -> Line:
        line = Line().right(fit(self.labels.get(index, ""), GUTTER - 1), GUTTER - 1).reach(GUTTER)
        for glyph, tone in self.cells[index]:
            line.put(glyph, tone)
        return line

    def _draw(self) -> None:
        self._lines()
        for at, _ in self.chart.letters:
            column = self.column(at)
            if column is not None:
                self._stroke(column)
        self._gaps()
        for column, value in enumerate(self.worst):
            if value is not None:
                self._dot(column, value)
        for level in self.chart.levels:
            self._name(level)

    def _name(self, level: Level) -> None:
        """The name of a line on it, as far right as nothing else is drawn there."""
        row, _ = self.place(level.value)
        said = f" {level.name} "
        if not level.name or not 0 <= row < self.rows:
            return
        cells = self.cells[row]
        for start in range(self.columns - len(said) - 1, 0, -1):
            if all(glyph == level.glyph for glyph, _ in cells[start - 1 : start + len(said) + 1]):
                tones = [tone for _, tone in cells[start : start + len(said)]]
                cells[start : start + len(said)] = list(zip(said, tones, strict=True))
                return

    def _lines(self) -> None:
        zero = [Level(0.0, "", "─")] if self.chart.low <= 0 <= self.chart.high else []
        for level in (*zero, *self.chart.levels):
            row, _ = self.place(level.value)
            if not 0 <= row < self.rows:
                continue
            self.labels[row] = self.chart.label(level.value)
            self.cells[row] = [(level.glyph, Tone.DIM)] * self.columns

    def _stroke(self, column: int) -> None:
        for row in self.cells:
            row[column] = ("╎", Tone.DIM)

    def _gaps(self) -> None:
        """A column of which nothing is known is empty, also of lines; a long hole says why from its top down."""
        start = 0
        while start < self.columns:
            if self.worst[start] is not None:
                start += 1
                continue
            end = start
            while end < self.columns and self.worst[end] is None:
                end += 1
            for row in self.cells:
                row[start:end] = [(" ", Tone.PLAIN)] * (end - start)
            self._say(start, end)
            start = end

    def _say(self, start: int, end: int) -> None:
        why = next((text for text in self.reasons[start:end] if text), "nobody looked")
        told = wrap(f"? {why}", end - start - 1, break_long_words=False) if end - start >= _SAID_FROM else ["?"]
        for cells, line in zip(self.cells, told[: self.rows // 2], strict=False):
            said = fit(line, end - start)
            cells[start : start + len(said)] = [(letter, Tone.UNKNOWN) for letter in said]

    def _dot(self, column: int, value: float) -> None:
        row, eighth = self.place(value)
        if row < 0:
            self.cells[0][column] = ("▲", Tone.BOLD)
        elif row >= self.rows:
            self.cells[-1][column] = ("▼", Tone.BOLD)
        else:
            hangs = "▀" if eighth >= len(_LEVELS) // 2 else "█"
            self.cells[row][column] = (_LEVELS[eighth] if value >= 0 else hangs, Tone.DIM)
        self._stand(column, row)

    def _stand(self, column: int, row: int) -> None:
        """Fills up to the zero line, or to the edge that it lies beyond; lines through it stay in sight."""
        zero, _ = self.place(0.0)
        first, last = (row + 1, zero) if row < zero else (zero + 1, row)
        for cells in self.cells[max(0, first) : max(0, last)]:
            glyph = cells[column][0]
            cells[column] = (_BODY, Tone.DIM) if glyph == " " else (glyph, Tone.ON_BODY)


def _times(chart: Chart, width: int, columns: int) -> Line:
    """Times at the ends of the axis, and between them where they fit."""
    line = Line()
    parts = 4 if columns >= 60 else 2
    for part in range(parts + 1):
        text = chart.clock(chart.start + (chart.end - chart.start) * part / parts)
        middle = GUTTER + columns * part // parts
        start = GUTTER if part == 0 else min(middle - len(text) // 2, width - len(text) - 1)
        if start > line.length or part == 0:
            line.put(text, Tone.DIM, at=start)
    return line
