"""Session: the market's calendar. Phase at a market time, and market minutes between two times.

A calendar that cannot be read or is past its horizon is ``unknown``, never "closed, all fine".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stages.policy import SessionHours
from stages.value import Struct

OPEN, CLOSED, UNKNOWN = "open", "closed", "unknown"

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SEARCH_DAYS = 30
"""How far the next session is looked for; no exchange stays closed for longer."""


class Session(Struct, frozen=True):
    """One trading session. All times aware UTC; None where the policy gives no such time."""

    day: date
    opens: datetime
    closes: datetime
    entry_cutoff: datetime | None
    flatten_start: datetime | None
    flat_by: datetime | None

    @property
    def length(self) -> timedelta:
        return self.closes - self.opens

    def holds(self, market: datetime) -> bool:
        return self.opens <= market < self.closes


class Phase(Struct, frozen=True):
    """What the calendar says of one market time: ``name`` is open, closed or unknown; ``note`` is for people."""

    name: str
    note: str
    session: Session | None = None
    """The running session, or the last one of the same day; None when there was none or nobody knows."""
    next_open: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.name == OPEN

    @property
    def is_closed(self) -> bool:
        return self.name == CLOSED

    @property
    def is_known(self) -> bool:
        return self.name != UNKNOWN


def phase(hours: SessionHours, market: datetime) -> Phase:
    """The phase at ``market`` (aware). Raises ValueError for a naive time."""
    _aware(market)
    zone = _zone(hours.timezone)
    if zone is None:
        return Phase(UNKNOWN, f"calendar failed: time zone {hours.timezone} is not known")
    today = market.astimezone(zone).date()
    if today > hours.calendar_until:
        return Phase(UNKNOWN, f"calendar failed: it ends on {hours.calendar_until.isoformat()}")
    current = session_on(hours, today)
    if current is not None and current.holds(market):
        return Phase(OPEN, _open_note(current, market), current, _next_open(hours, today))
    before = current is not None and market < current.opens
    following = current.opens if current is not None and before else _next_open(hours, today)
    return Phase(CLOSED, _closed_note(market, following), None if before else current, following)


def session_on(hours: SessionHours, day: date) -> Session | None:
    """The session of a local date; None on a holiday, at a weekend and past the horizon."""
    zone = _zone(hours.timezone)
    if zone is None or day > hours.calendar_until or day in hours.holidays:
        return None
    if _WEEKDAYS[day.weekday()] not in hours.weekdays:
        return None
    opens = _moment(day, hours.open, zone)
    regular = _moment(day, hours.close, zone)
    closes = _moment(day, hours.early_closes[day], zone) if day in hours.early_closes else regular
    # An early close moves the end of the day: what is said relative to the close keeps its distance to it.
    earlier = regular - closes

    def placed(at: time | None) -> datetime | None:
        return None if at is None else _moment(day, at, zone) - earlier

    return Session(day, opens, closes, placed(hours.entry_cutoff), placed(hours.flatten_start), placed(hours.flat_by))


def session_length(hours: SessionHours) -> timedelta:
    """Length of a regular session."""
    opens, closes = (timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) for at in (hours.open, hours.close))
    return closes - opens


def session_date(hours: SessionHours, market: datetime) -> date | None:
    """Local date of the session that runs at ``market`` or ran last before it on the same day; None without one."""
    found = phase(hours, market)
    return found.session.day if found.session else None


def market_seconds(hours: SessionHours, start: datetime, end: datetime) -> float:
    """Seconds of open market between two times; 0 when ``end`` is not after ``start``. Raises ValueError when naive."""
    _aware(start)
    _aware(end)
    return sum(
        max(0.0, (min(end, session.closes) - max(start, session.opens)).total_seconds())
        for session in sessions_between(hours, start, end)
    )


def market_minutes(hours: SessionHours, start: datetime, end: datetime) -> float:
    """Minutes of open market between two times."""
    return market_seconds(hours, start, end) / 60


def market_after(hours: SessionHours, start: datetime, minutes: float) -> datetime | None:
    """The time at which ``minutes`` of open market have passed since ``start``; None past the calendar's horizon."""
    left = minutes * 60
    horizon = start + timedelta(days=_SEARCH_DAYS + minutes / 60)
    for session in sessions_between(hours, start, horizon):
        begin = max(start, session.opens)
        length = (session.closes - begin).total_seconds()
        if length >= left:
            return begin + timedelta(seconds=left)
        left -= length
    return None


def sessions_between(hours: SessionHours, start: datetime, end: datetime) -> Iterator[Session]:
    """Sessions that have any open time between ``start`` and ``end``, oldest first."""
    zone = _zone(hours.timezone)
    if zone is None or end <= start:
        return
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        session = session_on(hours, day)
        if session is not None and session.closes > start and session.opens < end:
            yield session
        day += timedelta(days=1)


def sessions_begun(hours: SessionHours, start: datetime, end: datetime) -> int:
    """How many sessions opened after ``start`` and up to ``end``: the count behind "next session at the earliest"."""
    through = end + timedelta(microseconds=1)
    return sum(start < session.opens for session in sessions_between(hours, start, through))


def _next_open(hours: SessionHours, after: date) -> datetime | None:
    for ahead in range(1, _SEARCH_DAYS + 1):
        session = session_on(hours, after + timedelta(days=ahead))
        if session is not None:
            return session.opens
    return None


def _open_note(session: Session, market: datetime) -> str:
    if session.entry_cutoff is not None and market < session.entry_cutoff:
        return f"entries stop in {span(session.entry_cutoff - market)}"
    if session.flat_by is not None and market < session.flat_by:
        return f"entries stopped, flat by in {span(session.flat_by - market)}"
    return f"closes in {span(session.closes - market)}"


def _closed_note(market: datetime, following: datetime | None) -> str:
    if following is None:
        return "no session in sight"
    return f"opens in {span(following - market)}"


def span(length: timedelta) -> str:
    """A length for people: ``41 s``, ``58 min``, ``14 h 28 min``, ``3 d 4 h``."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(_UTC)


_UTC = ZoneInfo("UTC")


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _aware(moment: datetime) -> None:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"a time without zone was given: {moment.isoformat()}")
