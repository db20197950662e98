"""Plots: a signal over time as SVG, with its limit, the moments that mattered, and holes where nothing was known.

The same series gives the same text. A stretch without a believed value is never bridged by a line: it is shaded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from stages.value import Struct

WIDTH: Final = 720
HEIGHT: Final = 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 12, 40, 28
_PLOT: Final = WIDTH - _LEFT - _RIGHT
_ROWS: Final = 4
_APART: Final = 16
_SHEET: Final = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
    'font-family="sans-serif" font-size="11" fill="#222">'
)
SILENCE: Final = timedelta(seconds=5)
"""Longer than this without a tick, and nobody looked: nothing is drawn across it."""


class Point(Struct, frozen=True):
    """One reading; ``value`` None is not known, and ``why`` says why."""

    at: datetime
    value: float | None
    why: str = ""


class Mark(Struct, frozen=True):
    """A moment, drawn as a numbered line."""

    at: datetime
    number: int


class Series(Struct, frozen=True):
    """A signal's readings in order of time; ``limit`` is drawn across where there is one, under ``limit_text``."""

    name: str
    title: str
    suffix: str
    points: tuple[Point, ...]
    limit: float | None = None
    limit_text: str = ""


class Span(Struct, frozen=True):
    """A stretch in which a value was not known."""

    start: datetime
    end: datetime
    why: str

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


def known(value: float | None) -> bool:
    """Whether a value can be drawn."""
    return value is not None and math.isfinite(value)


def holes(points: Sequence[Point], start: datetime, end: datetime) -> tuple[Span, ...]:
    """Where nothing was known between ``start`` and ``end``: readings that were not believed, and no readings."""
    spans: list[Span] = []
    seen = start
    for point in points:
        if point.at - seen > SILENCE:
            spans.append(Span(seen, point.at, "nobody looked"))
        if not known(point.value):
            why = point.why or "not a number"
            if spans and spans[-1].why == why and spans[-1].end == seen:
                spans[-1] = Span(spans[-1].start, point.at, why)
            else:
                spans.append(Span(seen if spans and spans[-1].end == seen else point.at, point.at, why))
        seen = point.at
    if end - seen > SILENCE:
        spans.append(Span(seen, end, "nobody looked"))
    return tuple(spans)


def svg(series: Series, start: datetime, end: datetime, marks: Sequence[Mark], zone: str) -> str:
    """The plot as a document of its own; ``zone`` names the time zone of its axis."""
    frame = _Frame(series, start, max(end, start + timedelta(seconds=1)))
    parts = [
        _SHEET,
        f"<title>{_text(series.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="16" font-size="13" font-weight="bold">{_text(series.title)}</text>',
        f'<text x="{WIDTH - _RIGHT}" y="16" text-anchor="end" fill="#666">{_text(_axis(start, zone))}</text>',
        *_holes(series, frame),
        *_grid(series, frame, zone),
        *_limit(series, frame),
        *(f'<path d="{path}" fill="none" stroke="#1f4e79" stroke-width="1.5"/>' for path in _paths(series, frame)),
        *_marks(marks, frame),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Frame:
    """Where a time and a value lie on the paper."""

    def __init__(self, series: Series, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        values = [point.value for point in series.points if point.value is not None and known(point.value)]
        values += [series.limit] if series.limit is not None else []
        low, high = min((*values, 0.0)), max(values, default=0.0)
        self.low = low
        self.high = high if high > low else low + 1.0
        self.high += 0.05 * (self.high - self.low)
        self.bottom = HEIGHT - _BOTTOM

    def x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return _LEFT + _PLOT * min(1.0, max(0.0, share))

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - _TOP) * (value - self.low) / (self.high - self.low)

    def inside(self, at: datetime) -> bool:
        return self.start <= at <= self.end


def _grid(series: Series, frame: _Frame, zone: str) -> Iterator[str]:
    for row in range(_ROWS + 1):
        value = frame.low + (frame.high - frame.low) * row / _ROWS
        y = frame.y(value)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
        text = _text(f"{_number(value, frame.high - frame.low)}{series.suffix}")
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    for quarter in range(_ROWS + 1):
        at = frame.start + (frame.end - frame.start) * quarter / _ROWS
        anchor = "start" if quarter == 0 else "end" if quarter == _ROWS else "middle"
        text = f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"
        yield f'<text x="{frame.x(at):.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{text}</text>'


def _text(words: str) -> str:
    """Words of other people's making as XML has them; what no XML may hold becomes a space."""
    return escape("".join(sign if sign.isprintable() else " " for sign in words))


def _axis(start: datetime, zone: str) -> str:
    """``America/New_York, UTC-05:00``: how the times beneath are to be read."""
    offset = start.astimezone(ZoneInfo(zone)).strftime("%z")
    return zone if zone == "UTC" else f"{zone}, UTC{offset[:3]}:{offset[3:]}"


def _number(value: float, spread: float) -> str:
    return f"{value:,.0f}" if spread >= 20 else f"{value:,.1f}" if spread >= 2 else f"{value:,.3f}"


def _holes(series: Series, frame: _Frame) -> Iterator[str]:
    for span in holes(series.points, frame.start, frame.end):
        x, wide = frame.x(span.start), max(1.0, frame.x(span.end) - frame.x(span.start))
        yield (
            f'<rect class="unknown" x="{x:.1f}" y="{_TOP}" width="{wide:.1f}" height="{frame.bottom - _TOP}" '
            f'fill="#e4e4e4"><title>not known: {_text(span.why)}</title></rect>'
        )


def _limit(series: Series, frame: _Frame) -> Iterator[str]:
    if series.limit is None:
        return
    y = frame.y(series.limit)
    yield (
        f'<line class="limit" x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#b00020" '
        'stroke-dasharray="6 3"/>'
    )
    text = _text(series.limit_text)
    yield f'<text x="{_LEFT + 4}" y="{y - 4:.1f}" fill="#b00020">{text}</text>'


def _paths(series: Series, frame: _Frame) -> Iterator[str]:
    """One path for each stretch without a hole; of the readings in one column of the paper the extremes are drawn."""
    stretch: list[Point] = []
    for point in series.points:
        broken = not known(point.value) or (stretch and point.at - stretch[-1].at > SILENCE)
        if broken and stretch:
            yield _path(stretch, frame)
            stretch = []
        if known(point.value) and frame.inside(point.at):
            stretch.append(point)
    if stretch:
        yield _path(stretch, frame)


def _path(stretch: Sequence[Point], frame: _Frame) -> str:
    columns: dict[int, list[float]] = {}
    for point in stretch:
        columns.setdefault(round(frame.x(point.at)), []).append(frame.y(point.value or 0.0))
    steps: list[str] = []
    for x, ys in columns.items():
        drawn = [ys[0], min(ys), max(ys), ys[-1]] if len(ys) > 2 else ys
        steps += [f"{x} {y:.1f}" for y in drawn]
    steps += [f"{round(frame.x(stretch[0].at)) + 1} {frame.y(stretch[0].value or 0.0):.1f}"] if len(steps) == 1 else []
    return "M" + " L".join(steps)


def _marks(marks: Sequence[Mark], frame: _Frame) -> Iterator[str]:
    """The moments; numbers of those that lie too close to be read apart stand together."""
    groups: list[tuple[float, list[int]]] = []
    for mark in marks:
        if not frame.inside(mark.at):
            continue
        x = frame.x(mark.at)
        yield (
            f'<line class="mark" x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{frame.bottom}" stroke="#555" '
            'stroke-dasharray="2 2"/>'
        )
        if groups and x - groups[-1][0] < _APART:
            groups[-1][1].append(mark.number)
        else:
            groups.append((x, [mark.number]))
    for x, numbers in groups:
        text = ",".join(str(number) for number in numbers)
        anchor = "end" if x > WIDTH - _RIGHT - _APART else "middle"
        yield f'<text x="{x:.1f}" y="{_TOP - 9}" text-anchor="{anchor}">{text}</text>'
