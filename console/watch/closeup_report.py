"""Reports of a close-up: one signal over time as JSON, and as lines for people and for screen readers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from stages.closeup import Closeup, Moment, near_misses, origin
from stages.figures import measure
from stages.plot import Point, known
from stages.policy import Policy
from stages.verdict import Row

PARTS = 12
"""Into how many stretches of equal length the lines divide the window."""


def closeup_document(policy: Policy, closeup: Closeup, row: Row | None) -> dict[str, Any]:
    """The contract of ``status --signal NAME --json``; a reading that is not believed is null, with its reason."""
    who, asked = origin(policy, closeup.key.name)
    return {
        "signal": closeup.key.name,
        "book": closeup.key.book,
        "unit": policy.spec.signals[closeup.key.name].unit.value,
        "from": closeup.start,
        "to": closeup.end,
        "source": who,
        "query": asked,
        "limit": row.limit if row is not None else None,
        "stride": closeup.stride,
        "samples": {"read": len(closeup.points), "believed": closeup.believed, "not": dict(closeup.lost())},
        "points": [{"time": one.at, "value": one.value, "why": one.why} for one in closeup.points],
        "moments": [
            {"time": one.at, "kind": one.kind.value, "words": one.words} for one in _moments(policy, closeup, row)
        ],
        "trouble": closeup.trouble,
    }


def closeup_lines(policy: Policy, closeup: Closeup, row: Row | None) -> Iterator[str]:
    """The same in sentences: where it comes from, how far it may be believed, its worst in each part of the window."""
    who, asked = origin(policy, closeup.key.name)
    signal = policy.spec.signals[closeup.key.name]
    yield f"{signal.title} ({closeup.key.book}/{closeup.key.name}), {_clock(closeup.start)} to {_clock(closeup.end)}"
    yield f"source {who}: {asked}"
    if row is not None and row.limit is not None:
        yield f"limit {measure(row.limit, row.unit, decimals=row.decimals)}{' at least' if row.minimum else ''}"
    lost = "".join(f"; {count} {why}" for why, count in closeup.lost())
    yield f"samples {len(closeup.points)}, believed {closeup.believed}{lost}"
    if closeup.trouble:
        yield f"not read: {closeup.trouble}"
    falling = signal.harm == "loss" or (row is not None and row.minimum)
    for start, part in _parts(closeup):
        values = [point.value for point in part if point.value is not None and known(point.value)]
        if not values:
            why = next((point.why for point in part if point.why), "nobody looked")
            yield f"{_clock(start)} not known: {why}"
            continue
        worst = Decimal(repr(min(values) if falling else max(values)))
        gaps = len(part) - len(values)
        said = measure(worst, signal.unit, signed=signal.signed, decimals=signal.decimals)
        yield f"{_clock(start)} worst {said}{f', {gaps} not known' if gaps else ''}"
    for moment in _moments(policy, closeup, row):
        yield f"{_clock(moment.at)} {moment.words}"


def _moments(policy: Policy, closeup: Closeup, row: Row | None) -> list[Moment]:
    limit = float(row.limit) if row is not None and row.limit is not None else None
    missed = near_misses(policy, closeup.key.name, closeup.points, limit, minimum=row is not None and row.minimum)
    return sorted((*closeup.moments, *missed), key=lambda one: one.at)


def _parts(closeup: Closeup) -> Iterator[tuple[datetime, list[Point]]]:
    length = (closeup.end - closeup.start) / PARTS
    for part in range(PARTS):
        start = closeup.start + length * part
        end = closeup.end if part == PARTS - 1 else start + length
        last = part == PARTS - 1
        yield start, [one for one in closeup.points if start <= one.at < end or (last and one.at == end)]


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%SZ}"
