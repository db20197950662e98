"""Books: what triggers see of positions and their reconciliation: breaks, a book that should be flat, what runs out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from stages.drill import KILL, PASS, RUNNING
from stages.drill_validity import newest, running_image, validity
from stages.limits import limit
from stages.looking import Look, Observation, why
from stages.signals import LIVE_BOOK, Quality, SignalKey
from stages.value import replace
from stages.watching import key_text


def reconciliation(look: Look) -> Iterator[Observation]:
    """Breaks between the books, one cycle of the reconciliation each: its event time is what makes reads distinct."""
    for book in look.here.books:
        for name in look.trigger.signals:
            yield limit(look, SignalKey(book, name), cause=look.policy.spec.signals[name].title)


def readiness(look: Look) -> Iterator[Observation]:
    """What has to be renewed in time: a proof that is older than its limit, or that stands still, has expired."""
    for name in look.trigger.signals:
        key, title = SignalKey(LIVE_BOOK, name), look.policy.spec.signals[name].title
        reading = look.here.readings[key]
        if reading.quality is Quality.STALE:
            evidence = f"{title}: {reading.detail}"
            yield Observation(key_text(key), True, look.here.wall, f"{title} expired", evidence, root=name)
        else:
            yield limit(look, key, cause=f"{title} expired")
    yield from _drilled(look)
    if not look.here.phase.is_known:
        note = look.here.phase.note
        yield Observation("calendar", True, look.here.wall, "calendar expired", note, root="calendar")


def _drilled(look: Look) -> Iterator[Observation]:
    """The kill drill that an advance relies on. One that never passed has not expired: the gate asks for it.

    One that runs is about to renew the proof and takes none away.
    """
    known = look.sight.state
    state = replace(known, drills={name: run for name, run in known.drills.items() if run.state != RUNNING})
    passed = any(run.act == KILL and run.state == PASS for run in state.drills.values())
    if look.policy.spec.drill is None or not passed or newest(state, KILL) is None:
        return
    found = validity(look.policy, state, look.here.market, "", image=running_image(look.policy, look.snapshot))
    why_not = "; ".join(found.reasons)
    yield Observation(KILL, not found.ok, look.here.wall, "drill expired", why_not, clear=found.ok, root="drill")


def flat(look: Look) -> Iterator[Observation]:
    """Whether the live book is flat once the session's ``flatBy`` has passed, until the next open."""
    if look.policy.spec.target.session.flat_by is None:
        yield Observation(LIVE_BOOK, None, None, why="the session has no flatBy", moot=True)
        return
    due, open_now = _due(look), _open(look)
    for key, held, reason, event in open_now:
        title = look.trigger.title
        if held is None:
            yield Observation(key, None, None, lost=True, why=reason)
        else:
            bad = due and held
            yield Observation(key, bad, event, title, reason, clear=not bad, root=f"{LIVE_BOOK} book")


def _due(look: Look) -> bool:
    """Past ``flatBy`` of the day's session, and as long as no session has opened since."""
    session = look.here.phase.session
    if session is None or session.flat_by is None:
        return look.here.phase.is_closed
    return look.here.market >= session.flat_by


def _open(look: Look) -> Iterator[tuple[str, bool | None, str, datetime | None]]:
    """What is open by the venue's word, and by the signals that the trigger names."""
    venue = look.snapshot.venue
    if venue is not None:
        names = ", ".join(one.symbol for one in venue.positions)
        held = None if venue.error else bool(venue.positions)
        yield "venue", held, venue.error or f"open at the venue: {names}", venue.as_of
    for name in look.trigger.signals:
        key, title = SignalKey(LIVE_BOOK, name), look.policy.spec.signals[name].title
        reading = look.here.readings[key]
        if reading.believed and reading.value is not None:
            yield key_text(key), reading.value != 0, f"{title}: {reading.value:f}", reading.event_time
        else:
            yield key_text(key), None, why(title, reading), None
