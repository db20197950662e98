"""Ringing: which alarms make a sound now, for every listener by the same rule: rarely, and never for what is seen.

P1 rings at once and each minute until somebody acknowledges it, five times more in the terminal and after that outside
only; P2 rings once; P3 never. One cause rings once. Back within ten minutes of its end it is counted, not rung.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final

from stages.value import Struct, field, replace
from stages.verdict import Alarm, AlarmClass, HeldBack

REPEAT_EVERY: Final = timedelta(seconds=60)
REPEATS: Final = 5
"""How often an alarm that wants an act rings again in the terminal."""
CHATTER: Final = timedelta(minutes=10)
"""An alarm that comes back within this time of its end is held back until the time is over."""
CHATTERS: Final = "it ended less than ten minutes ago"


class Ring(Struct, frozen=True):
    """One ring: ``repeat`` 0 is the first; ``chatter`` counts how often the alarm came and went, 0 for once."""

    alarm: Alarm
    repeat: int = 0
    chatter: int = 0

    @property
    def audible(self) -> bool:
        """Whether the terminal rings; every ring goes out to where no terminal is."""
        return self.repeat <= REPEATS


class Rung(Struct, frozen=True):
    """An alarm that rang: how loud, when last, how often."""

    klass: AlarmClass
    last: datetime
    repeats: int = 0


class Ringing(Struct, frozen=True):
    """What one listener (a console, the watch's notifier) has heard, by cause. Immutable; ``ring`` gives the next."""

    rung: Mapping[str, Rung] = field(default_factory=dict)
    ended: Mapping[str, datetime] = field(default_factory=dict)
    chatter: Mapping[str, int] = field(default_factory=dict)
    windows: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """What is held back and why, with the end of the window that was told."""


def ring(
    heard: Ringing,
    current: Iterable[Alarm],
    acknowledged: AbstractSet[str],
    now: datetime,
    held: Iterable[HeldBack] = (),
) -> tuple[Ringing, tuple[Ring, ...], tuple[HeldBack, ...]]:
    """After one tick: what rings now, and what is held back from now on, told once per alarm and window."""
    rung: dict[str, Rung] = {}
    chatter, rings, quiet = dict(heard.chatter), [], [*held]
    for alarm in current:
        cause, before = alarm.cause, heard.rung.get(alarm.cause)
        if before is None and alarm.klass is AlarmClass.NOTE:
            continue
        until = heard.ended.get(cause, now - CHATTER) + CHATTER
        if before is None and now < until:
            chatter[cause] = chatter.get(cause, 1) + 1
            quiet.append(HeldBack(alarm, CHATTERS, until))
            rung[cause] = Rung(alarm.klass, until - REPEAT_EVERY)
        elif alarm.key in acknowledged:
            rung[cause] = before or Rung(alarm.klass, now)
        elif before is None or alarm.klass < before.klass:
            rung[cause] = Rung(alarm.klass, now)
            rings.append(Ring(alarm, 0, chatter.get(cause, 0)))
        elif alarm.klass is AlarmClass.ACT and now - before.last >= REPEAT_EVERY:
            rung[cause] = replace(before, last=now, repeats=before.repeats + 1)
            rings.append(Ring(alarm, before.repeats + 1, chatter.get(cause, 0)))
        else:
            rung[cause] = before
    ended = {cause: at for cause, at in heard.ended.items() if now - at < CHATTER}
    ended |= {cause: now for cause in heard.rung if cause not in rung}
    kept = {cause: count for cause, count in chatter.items() if cause in rung or cause in ended}
    windows, told = _told_once(heard.windows, quiet, now)
    return Ringing(rung, ended, kept, windows), tuple(rings), told


def _told_once(
    before: Mapping[tuple[str, str], datetime], quiet: Iterable[HeldBack], now: datetime
) -> tuple[dict[tuple[str, str], datetime], tuple[HeldBack, ...]]:
    """The windows that are open, and what is held back in one that was not told yet."""
    windows = {window: until for window, until in before.items() if now < until}
    told = []
    for one in quiet:
        window = one.why, one.alarm.cause
        if window not in windows and now < one.until:
            windows[window] = one.until
            told.append(one)
    return windows, tuple(told)
