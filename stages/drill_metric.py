"""The metric of a trigger with a fault in it: what the engine itself makes of it, tick by tick, in memory.

A limit is broken throughout. First the metric tells of it with the fault, then without: the first must neither look
right nor fire, the second must fire.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from stages.commands import OpenLatch
from stages.drill_faults import NAN, SKEW, STALE
from stages.evaluation import accumulate, judge
from stages.ladder import Value
from stages.measures import Signal
from stages.policy import Policy
from stages.raw_values import is_measurement, number_of
from stages.signals import LIVE_BOOK, Quality, Sample, SignalKey, Snapshot
from stages.state import ControlState
from stages.value import Struct, replace
from stages.verdict import RowState, WatchPresence
from stages.watching import WatchState
from stages.witness import GitReading

NAMED: Final = {STALE: Quality.STALE, NAN: Quality.NONFINITE, SKEW: Quality.SKEWED}
"""The quality that each fault has to be given."""

BELIEVED: Final = frozenset({RowState.OK, RowState.WARN, RowState.INFO})
_BEYOND: Final = Decimal("1.06")
_AHEAD: Final = timedelta(minutes=1)
_NOBODY: Final = WatchPresence(None, acting=False, here=False, age=None)


class MetricTrial(Struct, frozen=True):
    """What came of one fault; ``word`` is what a screen shows while it lasts, ``reads`` how many good ones fired."""

    trigger: str
    signal: str
    qualities: frozenset[Quality]
    word: str
    looked_right: bool
    fired_on_fault: bool
    reads: int | None


class _Input(Struct, frozen=True):
    """One trigger's one signal, beyond its limit at a stage."""

    trigger: str
    signal: str
    stage: int
    value: Decimal


def tried(policy: Policy, fault: str, wall: datetime, market: datetime) -> MetricTrial | None:
    """The fault in the first signal on which a trigger of the policy fires; None where none fires on a limit."""
    for one in _inputs(policy):
        trial = _tried(policy, one, fault, wall, market)
        if trial.reads is not None or trial.fired_on_fault:
            return trial
    return None


def _inputs(policy: Policy) -> Iterator[_Input]:
    """Every signal with a numeric limit that a trigger watches, beyond it at the lowest stage that has one."""
    for name, trigger in policy.spec.triggers.items():
        for watched in trigger.signals if trigger.kind == "limit" else ():
            limit = policy.spec.signals[watched].limit
            for stage, values in enumerate(policy.resolved if limit else ()):
                bound = values.get(limit.control or "") if limit else None
                if isinstance(bound, Decimal) and bound > 0:
                    yield _Input(name, watched, stage, bound * _BEYOND)
                    break


def _tried(policy: Policy, one: _Input, fault: str, wall: datetime, market: datetime) -> MetricTrial:
    signal, state, watch = policy.spec.signals[one.signal], ControlState(), WatchState.start()
    needed = policy.spec.triggers[one.trigger].confirm.reads + 1
    qualities: set[Quality] = set()
    word, right, reads = "", False, None
    fired = False
    for tick in range(2 * needed):
        broken = tick < needed
        at = wall + tick * signal.every
        sample = _faulted(fault, signal, one.value, at, wall) if broken else _good(one.value, at)
        snapshot = _snapshot(policy, one, sample, tick, at, market + tick * signal.every)
        watch, commands = accumulate(policy, state, watch, snapshot, "drill")
        latched = any(isinstance(said, OpenLatch) and said.trigger == one.trigger for said in commands)
        if not broken:
            reads = reads or (tick - needed + 1 if latched else None)
            continue
        fired = fired or latched
        rows = judge(policy, state, watch, snapshot, _NOBODY).rows
        row = next(row for row in rows if row.key == SignalKey(LIVE_BOOK, one.signal))
        qualities.add(row.quality)
        word, right = row.word or row.quality.name, right or row.state in BELIEVED
    return MetricTrial(one.trigger, one.signal, frozenset(qualities), word, right, fired, reads)


def _good(value: Decimal, at: datetime) -> Sample:
    return Sample(Quality.OK, at, value, at)


def _faulted(fault: str, signal: Signal, value: Decimal, at: datetime, began: datetime) -> Sample:
    """The sample as a source hands it over while the fault lasts."""
    if fault == NAN:
        number = number_of("NaN")
        measured = number is not None and is_measurement(number)
        return _good(value, at) if measured else Sample(Quality.NONFINITE, at, None, at, detail="the value is NaN")
    stands = began - 2 * signal.max_age if fault == STALE else at + _AHEAD
    return replace(_good(value, at), event_time=stands)


def _snapshot(
    policy: Policy, one: _Input, sample: Sample, tick: int, at: datetime, market: datetime
) -> Snapshot:  # fmt: skip
    """One tick in which the stage's limits are in Git, its process lives, and nothing else is known."""
    values: dict[str, Value | None] = dict(policy.resolved[one.stage])
    beats = policy.spec.heartbeats.get(policy.spec.signals[one.signal].source.process, ())
    alive = {name: Decimal(1) for name in beats}
    alive |= {need.signal: need.at_least for need in policy.spec.signals[one.signal].needs}
    samples = {SignalKey(LIVE_BOOK, name): _good(value, at) for name, value in alive.items()}
    samples[SignalKey(LIVE_BOOK, one.signal)] = sample
    return Snapshot(tick, at, market, samples, git=GitReading("drill", at, values=values))
