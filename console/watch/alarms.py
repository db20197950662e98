"""Alarms: when one rings, how often it repeats, and when it stays quiet; the sound itself is made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from stages.verdict import Alarm, AlarmClass

REPEAT: Final = timedelta(seconds=60)
REPEATS: Final = 5
"""How often an alarm that wants an act rings again in the terminal; after that it only goes out."""

CHATTER: Final = timedelta(minutes=10)
"""An alarm that comes back within this time of its end is counted, not rung."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring. ``audible`` in the terminal; every ring goes out to where no terminal is."""

    alarm: Alarm
    audible: bool
    nth: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """An alarm that was held back because it had just ended; it may ring again from ``until`` on."""

    alarm: Alarm
    until: datetime


@dataclass(frozen=True, slots=True)
class _Known:
    rings: int
    last: datetime
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bells:
    """What has rung; immutable. ``rung`` counts audible rings, so that a screen that missed a frame still hears one."""

    rung: int = 0
    known: Mapping[str, _Known] = field(default_factory=dict)

    def hear(
        self, alarms: Sequence[Alarm], acknowledged: AbstractSet[str], now: datetime
    ) -> tuple[Bells, tuple[Ring, ...], tuple[Quiet, ...]]:
        """After one tick: what rings now, and what is held back from now on."""
        rings: list[Ring] = []
        quiet: list[Quiet] = []
        known = {key: self._aged(key, one, alarms, now) for key, one in self.known.items()}
        known = {key: one for key, one in known.items() if one.ended is None or now - one.ended < CHATTER}
        for alarm in alarms:
            if alarm.klass is AlarmClass.NOTE:
                continue
            before = known.get(alarm.key)
            if before is not None and before.ended is not None:
                until = before.ended + CHATTER
                quiet.append(Quiet(alarm, until))
                known[alarm.key] = replace(before, last=until - REPEAT, ended=None)
            elif before is None or _due(alarm, before, acknowledged, now):
                nth = before.rings + 1 if before else 1
                rings.append(Ring(alarm, audible=nth <= REPEATS + 1, nth=nth))
                known[alarm.key] = _Known(nth, now)
        rung = self.rung + sum(ring.audible for ring in rings)
        return Bells(rung, known), tuple(rings), tuple(quiet)

    def _aged(self, key: str, one: _Known, alarms: Sequence[Alarm], now: datetime) -> _Known:
        stands = any(alarm.key == key for alarm in alarms)
        return one if stands or one.ended is not None else replace(one, ended=now)


def _due(alarm: Alarm, before: _Known, acknowledged: AbstractSet[str], now: datetime) -> bool:
    wants_act = alarm.klass is AlarmClass.ACT and alarm.key not in acknowledged
    return wants_act and now - before.last >= REPEAT
