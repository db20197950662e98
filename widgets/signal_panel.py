"""Signals as rows: value, limit, bar, trend, baseline, age; a number that is not known is never printed as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from stages.ladder import Unit
from stages.measures import NotWatched, Signal
from stages.signals import SignalKey
from stages.value import Struct
from stages.verdict import Row, RowState
from widgets.bar import bar
from widgets.figures import age, amount, number, percent, unit_word
from widgets.line import Line, Tone, fit, title
from widgets.narrowing import rows_left_out
from widgets.status import KNOWN, QUIET, ROW_MARKS, ROW_TONES, ROW_WORDS, WORD_TONES, tally, word
from widgets.trend import span_minutes, trend

History = Mapping[SignalKey, Sequence[float | None]]


class Columns(Struct, frozen=True):
    """Where a signal's cells stand; an end is the column after the last cell, 0 leaves the column out."""

    value_end: int
    limit_end: int
    bar_at: int
    bar_cells: int
    word_at: int
    trend_at: int
    trend_cells: int
    baseline_end: int
    age_end: int
    width: int


_LABEL = 8
"""Cells of a label that no value may take."""

WIDE = Columns(33, 47, 48, 12, 67, 74, 16, 98, 103, 104)
MEDIUM = Columns(29, 42, 43, 8, 62, 0, 0, 0, 61, 69)
NARROW = Columns(33, 45, 46, 12, 65, 0, 0, 0, 79, 80)


class Panel(Struct, frozen=True):
    """Rows of one panel with what their drawing needs beside them."""

    name: str
    rows: Sequence[Row]
    signals: Mapping[str, Signal]
    history: History
    wall: datetime
    note: str = ""
    baseline: str = ""
    """Name of the stage that the baseline column shows."""
    absent: Sequence[NotWatched] = ()
    """Rows that nothing fills: named in one line, so that nobody takes them for fine."""
    cursor: SignalKey | None = None
    """The row that a person has chosen."""
    words: str = ""
    """What the rows were narrowed by."""
    hidden: int = 0
    """How many rows did not have these words; every one of them is ok."""

    def label_tone(self, row: Row) -> Tone | None:
        """How a row's name is drawn."""
        return Tone.REVERSE if row.key == self.cursor else None

    @property
    def wants(self) -> int:
        """Lines that show everything, the title with them."""
        return (len(self.rows) or bool(self.hidden)) + bool(self.absent) + 1

    @property
    def minutes(self) -> int:
        """What the trends of this page span; the same for every signal."""
        return span_minutes(max((len(series) for series in self.history.values()), default=0))


def chosen(rows: Sequence[Row], room: int) -> list[Row]:
    """At most ``room`` rows in their own order: every row that is not ok first, then the one nearest to a limit that
    matters, which the headline may be about, then as many others as fit."""
    if len(rows) <= room:
        return list(rows)
    loud = [row for row in rows if row.state not in QUIET]
    quiet = [row for row in rows if row.state in QUIET]
    limited = (row for row in quiet if row.used is not None and row.warn_at is not None and not row.minimum)
    near = max(limited, key=lambda row: row.used or Decimal(0), default=None)
    quiet.sort(key=lambda row: row is not near)
    keep = {row.key for row in (loud + quiet)[:room]}
    return [row for row in rows if row.key in keep]


def heading(panel: Panel, shown: Sequence[Row], width: int, *columns: tuple[str, int]) -> Line:
    """``─ EXPOSURE 2 BREACH 8 ok, 5 shown ─── limit ─ ...``, ``─ EXPOSURE 1 WARN /gross: 9 hidden ─``."""
    name = f"{panel.name} {panel.note}".rstrip()
    if not panel.words:
        return title(name, width, *columns, note=tally(panel.rows, len(shown)))
    note = f"{tally(panel.rows)} {rows_left_out(panel.words, panel.rows, shown, panel.hidden)}".strip()
    return title(name, width, *columns, note=fit(note, width - len(name) - 5))


def signal_lines(panel: Panel, columns: Columns, height: int) -> list[Line]:
    """A title and one line a signal, in ``height`` lines at most."""
    rows, last = _split(panel, columns.width, height)
    names = [("limit", columns.limit_end)]
    if columns.trend_at:
        names.append(("used of limit", columns.bar_at + 14))
        names.append((f"last {panel.minutes} min", columns.trend_at + columns.trend_cells))
        if panel.baseline:
            names.append((f"at {panel.baseline}", columns.baseline_end))
    else:
        names.append(
            (
                "used" if columns.bar_cells < 12 else "used of limit",
                columns.bar_at + (5 if columns.bar_cells < 12 else 14),
            )
        )
    names.append(("age", columns.age_end))
    if not rows and panel.hidden and height > 1:
        empty = Line(Tone.DIM).put("   nothing here has these words; all of it is ok")
        return [heading(panel, rows, columns.width, *names), empty.fill(columns.width)]
    if not rows and height > 1:
        empty = Line().put(" ? ", Tone.UNKNOWN).put("not watched: the policy names no signal for this book")
        return [heading(panel, rows, columns.width, *names), empty.fill(columns.width)]
    lines = [signal_line(row, panel, columns) for row in rows]
    return [heading(panel, rows, columns.width, *names), *lines, *last]


_ROWS_FIRST = 5
"""In a panel that is no higher than this every line is a row's, unless there is room for all."""


def _split(panel: Panel, width: int, height: int) -> tuple[list[Row], list[Line]]:
    """The rows that are shown, and after them the line of what is not watched: a row that is not ok goes before it."""
    loud = sum(row.state not in QUIET for row in panel.rows)
    if not panel.absent or height <= min(_ROWS_FIRST, panel.wants - 1) or loud >= height - 1:
        return chosen(panel.rows, height - 1), []
    names = ", ".join(one.title for one in panel.absent)
    first = panel.absent[0]
    said = f"{first.title}: {first.why}" if len(panel.absent) == 1 else names
    line = Line(Tone.DIM).put(" – not watched: ")
    return chosen(panel.rows, height - 2), [line.put(fit(said, width - line.length - 1)).fill(width)]


def signal_line(row: Row, panel: Panel, columns: Columns) -> Line:
    """One signal on the grid of ``columns``."""
    tone = ROW_TONES.get(row.state, Tone.PLAIN)
    line = Line().put(" ").put(ROW_MARKS[row.state], tone if row.state not in QUIET else Tone.DIM).put(" ")
    label = f"{row.title}, {row.text}" if row.text and row.unit is not Unit.WORD else row.title
    value = value_text(row)
    line.put(fit(label, max(4, columns.value_end - len(value) - line.length - 1)), panel.label_tone(row))
    line.right(value, columns.value_end, tone if row.state not in QUIET else Tone.PLAIN)
    line.put(" ").put(unit_word(row.unit) if row.value is not None else "")
    line.right(limit_text(row, panel.signals.get(row.key.name)), columns.limit_end)
    line.reach(columns.bar_at)
    _put_used(line, row, columns, tone)
    if columns.trend_at:
        line.put(_trend(row, panel, columns.trend_cells), Tone.DIM, at=columns.trend_at)
    if columns.baseline_end and row.baseline is not None:
        line.right(number(row.baseline, row.unit, decimals=row.decimals, signed=row.signed), columns.baseline_end)
    old = age((panel.wall - row.event_time).total_seconds()) if row.event_time else ""
    said = word(row)
    word_tone = WORD_TONES.get(row.state, tone)
    if columns.word_at > columns.age_end:
        said = said if len(said) < columns.width - columns.age_end else ROW_WORDS.get(row.state, said)
        return line.right(old, columns.age_end).put(" ").put(said, word_tone).fill(columns.width).link(row.key)
    return line.right(old, columns.age_end).fill(columns.width).link(row.key)


def _put_used(line: Line, row: Row, columns: Columns, tone: Tone) -> None:
    """Bar and share, or why there is none; then the state's word where it stands beside the bar."""
    said, word_tone = word(row), WORD_TONES.get(row.state, tone)
    beside = columns.word_at < columns.age_end
    end = columns.trend_at - 1 if columns.trend_at else columns.age_end - 4
    room = end - columns.bar_at
    if row.state is RowState.CLOSED:
        line.put(said, tone)
        return
    if row.state not in KNOWN:
        line.put("not known", tone)
    elif row.minimum and row.spare is not None:
        spare = spare_text(row)
        spare = spare if len(spare) + len(" to spare") <= room else spare.partition(" ")[0]
        line.put(f"{spare} to spare" if row.spare > 0 else "none to spare", tone)
    elif row.used is not None:
        tick = row.clear_at if row.clear_at is not None else row.warn_at
        drawn = bar(row.used, columns.bar_cells, solid=row.state not in QUIET, tick=tick)
        line.put(drawn, tone if row.state not in QUIET else Tone.PLAIN).put(percent(row.used).rjust(5))
    elif row.detail:
        line.put(row.detail if len(row.detail) <= room else fit(row.detail.partition(", ")[0], room))
    if beside and said:
        # A long word moves left into the room that a missing bar leaves, rather than being cut.
        start = max(line.length + 1, min(columns.word_at, end - len(said)))
        line.put(fit(said, max(end - start, 4)), word_tone, at=start)


def value_text(row: Row) -> str:
    """``3,912``; ``was 3,912`` when it may not be believed; a word signal's word."""
    if row.unit is Unit.WORD:
        known = {"true": "yes", "false": "no"}.get(row.text, row.text)
    elif row.value is None:
        known = ""
    else:
        known = number(row.value, row.unit, decimals=row.decimals, signed=row.signed)
    if row.state in KNOWN or row.state is RowState.CLOSED:
        return known or "-"
    return f"was {known}" if known else "never read"


def limit_text(row: Row, signal: Signal | None) -> str:
    """The limit's number with the sign that the value would have at it; ``min 90.0`` for a minimum."""
    if row.limit is None:
        return ""
    limit = -abs(row.limit) if signal is not None and signal.harm == "loss" else row.limit
    text = number(limit, row.unit, decimals=row.decimals if row.unit is not Unit.USD else None).removeprefix("+")
    return f"min {text}" if row.minimum else text


def spare_text(row: Row) -> str:
    """What is left above a minimum, in points for ratios."""
    spare = row.spare or Decimal(0)
    if row.unit is Unit.RATIO:
        return f"{number(spare, row.unit, decimals=row.decimals)} points"
    return amount(spare, row.unit, decimals=row.decimals)


def _trend(row: Row, panel: Panel, cells: int) -> str:
    """The row's trend; nothing without a limit, whose scale would be invented."""
    if row.limit is None or row.limit == 0 or row.minimum:
        return trend((), cells, panel.minutes)
    signal = panel.signals.get(row.key.name)
    kind = signal.harm if signal is not None else "value"
    return _drawn(tuple(panel.history.get(row.key, ())), kind, abs(float(row.limit)), cells, panel.minutes)


@lru_cache(maxsize=64)
def _drawn(series: tuple[float | None, ...], kind: str, limit: float, cells: int, minutes: int) -> str:
    """A series as harm divided by the limit. A trend gets a point in ten seconds and is drawn far more often."""
    return trend([None if value is None else _harm(kind, value) / limit for value in series], cells, minutes)


def _harm(kind: str, value: float) -> float:
    if kind == "magnitude":
        return abs(value)
    return max(0.0, -value) if kind == "loss" else value


def side_lines(panel: Panel, width: int, height: int) -> list[Line]:
    """The narrow form of the right column: value, limit, word. Age and allowed age say all of a freshness row."""
    rows, last = _split(panel, width, height)
    value_end, limit_end = (30, 38) if width >= 48 else (23, 29)
    columns = (("max", limit_end),) if panel.rows else ()
    lines = [heading(panel, rows, width, *columns)]
    for row in rows:
        tone = ROW_TONES.get(row.state, Tone.PLAIN)
        value = value_text(row)
        shown = f"{value} {unit_word(row.unit)}".rstrip() if row.unit is not Unit.WORD else value
        line = Line().put(" ").put(ROW_MARKS[row.state], tone if row.state not in QUIET else Tone.DIM).put(" ")
        limit = limit_text(row, panel.signals.get(row.key.name))
        said = word(row)
        # Where nothing stands to the right, a long value takes that room rather than its label's.
        needed = len(row.title) + len(shown) + 4
        furthest = limit_end - len(limit) - 1 if limit else value_end if said else width - 1
        end = max(value_end, min(needed, furthest))
        if said and width < 48:
            said = said if len(said) <= 8 else ROW_WORDS.get(row.state, said)
            end = min(end, width - len(said) - 1)
        if end - len(shown) - 4 < _LABEL:
            shown = fit(shown, end - _LABEL - 4)
        line.put(fit(row.title, end - len(shown) - 4), panel.label_tone(row))
        line.right(shown, end, tone if row.state not in QUIET else None)
        if limit and (width >= 48 or not said):
            line.right(limit, limit_end)
        if said:
            line.put(
                fit(said, max(4, width - line.length - (2 if width >= 48 else 1))),
                WORD_TONES.get(row.state, tone),
                at=max(line.length, limit_end if width >= 48 else 0) + (2 if width >= 48 else 1),
            )
        elif row.detail and width >= 48:
            at = max(line.length, limit_end) + 2
            line.put(fit(row.detail, width - at - 1), at=at)
        lines.append(line.fill(width).link(row.key))
    return [*lines, *last]
