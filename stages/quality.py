"""Quality: how far a sample may be believed now (semantics 1.1, 1.2).

The reader says whether an answer came and held a number; age, skew, the session, the heartbeats of the same process,
the counts that a ratio needs and an expected restart are judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from stages.measures import Signal
from stages.policy import Policy
from stages.session import Phase, market_seconds
from stages.signals import Quality, Sample, SignalKey, Snapshot
from stages.value import Struct, replace
from stages.watching import Dark, key_text

SKEW = timedelta(seconds=5)
"""An event time further in the future than this is SKEWED (semantics 1.1)."""

SESSION_PANELS = ("freshness", "tca")
"""Panels that count in session only (semantics 2.2 rule 13)."""

NOT_RUNNING = "NOT RUNNING"
FIRST_READ = "first read"


class Reading(Struct, frozen=True):
    """A sample as it may be believed at one tick."""

    quality: Quality
    value: Decimal | None = None
    text: str = ""
    event_time: datetime | None = None
    read_time: datetime | None = None
    detail: str = ""
    lacks: str = ""
    """``3 of 10`` where the value needs a count that is not reached yet."""

    @property
    def believed(self) -> bool:
        return self.quality is Quality.OK

    @property
    def lost(self) -> bool:
        """Neither believed nor excused: blind for a safety signal."""
        return self.quality not in (Quality.OK, Quality.CLOSED, Quality.RESTARTING) and not self.lacks


def readings(policy: Policy, snapshot: Snapshot, phase: Phase, books: Iterable[str]) -> dict[SignalKey, Reading]:
    """Every signal of the policy in each of ``books``, before an expected restart is taken into account."""
    found: dict[SignalKey, Reading] = {}
    for book in books:
        raw = {name: _raw(policy, snapshot, phase, book, name) for name in policy.spec.signals}
        heartbeats = policy.spec.heartbeats
        silent = {process: [one for one in beats if not _beats(raw.get(one))] for process, beats in heartbeats.items()}
        alive = {name: _heartbeat(policy, raw, name, silent) for name in raw}
        found |= {SignalKey(book, name): _with_needs(policy, alive, name) for name in alive}
    return found


def excused(readings: Mapping[SignalKey, Reading], dark: Dark | None, left: float | None) -> dict[SignalKey, Reading]:
    """The same readings, those that an expected restart has silenced marked RESTARTING."""
    if dark is None or left is None:
        return dict(readings)
    went, done = set(dark.went), set(dark.done)
    return {
        key: replace(reading, quality=Quality.RESTARTING) if reading.lost and key_text(key) in went - done else reading
        for key, reading in readings.items()
    }


def _raw(policy: Policy, snapshot: Snapshot, phase: Phase, book: str, name: str) -> Reading:
    signal = policy.spec.signals[name]
    sample = snapshot.sample(book, name)
    # A process is alive or not at any hour: without its heartbeat nothing else that it says could be believed at night.
    session_only = signal.panel in SESSION_PANELS and name not in policy.spec.heartbeats.get(signal.source.process, ())
    if session_only and phase.is_closed:
        return _of(sample, Quality.CLOSED, "market closed")
    if not phase.is_known and (session_only or signal.ages == "market"):
        return _of(sample, Quality.STALE, phase.note)
    if sample is None:
        return Reading(Quality.MISSING, detail=FIRST_READ)
    if sample.quality is not Quality.OK:
        return _of(sample, sample.quality, sample.detail)
    return _aged(policy, signal, sample, snapshot)


def _aged(policy: Policy, signal: Signal, sample: Sample, snapshot: Snapshot) -> Reading:
    event = sample.event_time or sample.read_time
    ahead = event - snapshot.wall
    if ahead > SKEW:
        return _of(sample, Quality.SKEWED, f"its time is {int(ahead.total_seconds())} s ahead of ours")
    if snapshot.wall - sample.read_time > signal.max_age:
        return _of(sample, Quality.STALE, "not read since")
    age = (snapshot.wall - event).total_seconds()
    if signal.ages == "market":
        hours = policy.spec.target.session
        # --speed scales market time alone: an age stays real seconds, of which those in session count.
        age = market_seconds(hours, snapshot.market_of(event), snapshot.market) / snapshot.speed
    if age > signal.max_age.total_seconds():
        return _of(sample, Quality.STALE, "its time stands still")
    return _of(sample, Quality.OK, "")


def _of(sample: Sample | None, quality: Quality, detail: str) -> Reading:
    if sample is None:
        return Reading(quality, detail=detail)
    event = sample.event_time or (sample.read_time if sample.quality is Quality.OK else None)
    return Reading(quality, sample.value, sample.text, event, sample.read_time, detail)


def _heartbeat(
    policy: Policy, raw: Mapping[str, Reading], name: str, silent_of: Mapping[str, Sequence[str]]
) -> Reading:
    """Nothing that a process says is believed while its own heartbeats are not all good."""
    reading = raw[name]
    signal = policy.spec.signals[name]
    beats = policy.spec.heartbeats.get(signal.source.process, ())
    silent = silent_of.get(signal.source.process, ())
    if reading.believed:
        if name in beats:
            return replace(reading, quality=Quality.MISSING, detail=NOT_RUNNING) if name in silent else reading
        if silent:
            said = raw.get(silent[0])
            stopped = said is not None and said.believed
            return replace(reading, quality=Quality.MISSING, detail=NOT_RUNNING if stopped else f"no {silent[0]}")
    zero = signal.absent_means == "zero" and reading.quality is Quality.MISSING and reading.read_time is not None
    if zero and beats and not silent:
        event = raw[beats[0]].event_time
        return replace(reading, quality=Quality.OK, value=Decimal(0), event_time=event, detail="absent")
    return reading


def _beats(reading: Reading | None) -> bool:
    return reading is not None and reading.believed and reading.value is not None and reading.value >= 1


def _with_needs(policy: Policy, alive: Mapping[str, Reading], name: str) -> Reading:
    reading = alive[name]
    if not reading.believed:
        return reading
    for need in policy.spec.signals[name].needs:
        count = alive.get(need.signal)
        if count is None or not count.believed or count.value is None:
            return replace(reading, quality=Quality.PARTIAL, detail=f"{need.signal} is not known")
        if count.value < need.at_least:
            lacks = f"{count.value:f} of {need.at_least:f}"
            return replace(reading, quality=Quality.PARTIAL, lacks=lacks, detail=f"{need.signal} {lacks}")
    return reading
