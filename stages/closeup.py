"""Close-ups: one signal over a stretch of time, with what happened meanwhile and how near to its limit it came."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from stages.entries import Entry
from stages.measures import Signal, Source
from stages.plot import Point, known
from stages.policy import Policy
from stages.signals import Quality, SignalKey
from stages.value import Struct

NEAR: Final = 0.9
"""Share of its limit that a signal came back from, where the policy names no level that warns."""

_WORKED_OUT: Final = "worked out by the console from other readings; none of its own is kept"


class Kind(StrEnum):
    """What a moment tells."""

    STAGE = "stage"
    TRIGGER = "trigger"
    ALARM = "alarm"
    NEAR_MISS = "near miss"


class Moment(Struct, frozen=True):
    """Something that happened, in words for people."""

    at: datetime
    kind: Kind
    words: str


class Closeup(Struct, frozen=True):
    """A signal between ``start`` and ``end``; one tick in ``stride`` was read. Points are in its own unit."""

    key: SignalKey
    start: datetime
    end: datetime
    points: tuple[Point, ...]
    moments: tuple[Moment, ...] = ()
    """Stage changes, and what the triggers and alarms of this signal did; oldest first."""
    stride: int = 1
    trouble: str = ""
    """Why a part of it could not be read, in one line."""

    @property
    def believed(self) -> int:
        """How many of the readings may be believed."""
        return sum(known(point.value) for point in self.points)

    def lost(self) -> tuple[tuple[str, int], ...]:
        """Why the others may not, the most frequent reason first."""
        return tuple(
            Counter(point.why or "not a number" for point in self.points if not known(point.value)).most_common()
        )


def reading_at(at: datetime, sample: Mapping[str, Any] | None, signal: Signal) -> Point:
    """One kept sample as a point; what could not be believed at ``at`` is not known, and says why."""
    if sample is None:
        return Point(at, None, "not read")
    quality = str(sample["quality"])
    if quality != Quality.OK.value or sample.get("value") is None:
        return Point(at, None, str(sample.get("detail") or quality.replace("_", " ").lower()))
    true_at = sample.get("event_time")
    if true_at and signal.ages == "wall" and at - datetime.fromisoformat(str(true_at)) > signal.max_age:
        return Point(at, None, "stale")
    try:
        value = float(Decimal(str(sample["value"])))
    except InvalidOperation:
        return Point(at, None, "not a number")
    return Point(at, value) if math.isfinite(value) else Point(at, None, "not a number")


def used(policy: Policy, name: str, value: float, limit: float, *, minimum: bool) -> float:
    """The share of its limit that a value is, 1 at the limit; of a minimum, how much of the value it takes."""
    if minimum:
        return limit / value if value > 0 else math.inf
    harm = {"magnitude": abs(value), "loss": max(0.0, -value)}.get(policy.spec.signals[name].harm, value)
    return harm / abs(limit) if limit else (math.inf if harm > 0 else 0.0)


def near_misses(
    policy: Policy, name: str, points: Sequence[Point], limit: float | None, *, minimum: bool = False
) -> tuple[Moment, ...]:
    """Where the signal went past the level that warns and came back without reaching its limit; the nearest moment.

    ``points`` and ``limit`` are in the same unit.
    """
    if limit is None or name not in policy.spec.signals or not limit:
        return ()
    warn = policy.spec.signals[name].warn
    level = float(warn) if warn is not None else NEAR
    found: list[Moment] = []
    for stretch in _stretches(points, lambda value: used(policy, name, value, limit, minimum=minimum), level):
        at, share = max(stretch, key=lambda one: one[1])
        if share < 1:
            found.append(Moment(at, Kind.NEAR_MISS, f"near miss: {share * 100:.0f} % of its limit"))
    return tuple(found)


def _stretches(points: Sequence[Point], share: Any, level: float) -> Iterator[list[tuple[datetime, float]]]:
    """Each stretch above ``level`` that has ended in a reading below it; one that goes on is no miss yet."""
    stretch: list[tuple[datetime, float]] = []
    for point in points:
        if point.value is None or not known(point.value):
            continue
        now = share(point.value)
        if now >= level:
            stretch.append((point.at, now))
        elif stretch:
            yield stretch
            stretch = []


def moments(policy: Policy, name: str, entries: Iterable[Entry]) -> tuple[Moment, ...]:
    """What the ledger tells that belongs on the time axis of a signal, oldest first."""
    watching = {key for key, trigger in policy.spec.triggers.items() if name in trigger.signals}
    moves: dict[str, str] = {}
    mine: set[str] = set()
    found: list[Moment] = []
    for entry in entries:
        body = entry.body
        if entry.kind == "intent" and entry.intent is not None:
            moves[entry.intent] = f"{body.get('from', '?')} to {body.get('to', '?')}"
        elif entry.kind == "converged":
            found.append(Moment(entry.at, Kind.STAGE, f"{moves.get(entry.intent or '', 'a change')} in force"))
        elif entry.kind == "latch-opened" and body.get("trigger") in watching:
            mine.add(str(body["key"]))
            title = policy.spec.triggers[str(body["trigger"])].title
            found.append(Moment(entry.at, Kind.TRIGGER, f"FIRED: {title}"))
        elif entry.kind == "latch-cleared" and str(body.get("key")) in mine:
            found.append(
                Moment(entry.at, Kind.TRIGGER, f"cleared by {'itself' if body.get('itself') else entry.actor}")
            )
        elif entry.kind == "alarm" and str(body.get("signal", "")).rpartition("/")[2] == name:
            found.append(Moment(entry.at, Kind.ALARM, f"alarm: {body.get('text', '')}"))
    return tuple(found)


def origin(policy: Policy, name: str) -> tuple[str, str]:
    """Who answers for a signal, and what is asked of it: ``("torghut", "/trading/status gross")``."""
    signal = policy.spec.signals.get(name)
    return _asked(signal.source) if signal is not None else ("the console", _WORKED_OUT)


def _asked(source: Source) -> tuple[str, str]:
    if source.http is not None:
        one = source.http
        folded = f", {one.reduce}" if one.reduce else ""
        less, over = f" minus {one.minus}" if one.minus else "", f" over {one.over}" if one.over else ""
        return source.endpoint, f"GET {one.path} {one.value}{less}{over}{folded}{', its age' if one.age else ''}"
    if source.scrape is not None:
        labels = ", ".join(f'{key}="{value}"' for key, value in source.scrape.labels.items())
        return source.endpoint, f"GET {source.scrape.path} {source.scrape.metric}{{{labels}}}"
    if source.promql is not None:
        return source.endpoint, " ".join(source.promql.query.split())
    if source.sql is not None:
        return source.endpoint, " ".join(source.sql.query.split())
    return source.endpoint, "the live objects"


def stride_for(window: timedelta, most: int = 3600) -> int:
    """Which ticks are read, one a second, so that at most so many are."""
    return max(1, math.ceil(window.total_seconds() / most))
