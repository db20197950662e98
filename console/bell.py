"""When the terminal rings: rarely, and never for what a person has already acknowledged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stages.verdict import Alarm, AlarmClass

REPEAT = timedelta(seconds=60)
REPEATS = 5
CHATTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Rung:
    """What one alarm has rung so far. ``gone`` is when it ended."""

    times: int
    last: datetime
    gone: datetime | None = None


class Bell:
    """P1 rings at once and each minute, five times more; P2 rings once; P3 never. The same alarm within ten minutes of
    its end is counted, not rung."""

    def __init__(self) -> None:
        self._rung: dict[str, Rung] = {}

    def rings(self, alarms: Iterable[Alarm], acknowledged: frozenset[str], now: datetime) -> bool:
        """Whether to ring now, once for however many alarms."""
        alarms = [alarm for alarm in alarms if alarm.klass is not AlarmClass.NOTE]
        present = {alarm.key for alarm in alarms}
        for key, rung in list(self._rung.items()):
            if key not in present and rung.gone is None:
                self._rung[key] = replace(rung, gone=now)
            elif rung.gone is not None and now - rung.gone > CHATTER:
                del self._rung[key]
        due = [alarm for alarm in alarms if alarm.key not in acknowledged and self._due(alarm, now)]
        for alarm in due:
            before = self._rung.get(alarm.key)
            self._rung[alarm.key] = Rung((before.times if before else 0) + 1, now)
        for alarm in alarms:
            known = self._rung.get(alarm.key)
            if known is not None and known.gone is not None:
                self._rung[alarm.key] = replace(known, gone=None)
        return bool(due)

    def _due(self, alarm: Alarm, now: datetime) -> bool:
        rung = self._rung.get(alarm.key)
        if rung is None:
            return True
        if rung.gone is not None or alarm.klass is not AlarmClass.ACT:
            return False
        return rung.times <= REPEATS and now - rung.last >= REPEAT
