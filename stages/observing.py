"""What each kind of trigger sees in one tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from stages.bearings import longest_dark
from stages.books import flat, readiness, reconciliation
from stages.drift import DRIFT, NO_READBACK, SAME
from stages.limits import limit
from stages.looking import Look, Observation, why
from stages.quality import FIRST_READ, Reading
from stages.signals import LIVE_BOOK, Quality, SignalKey
from stages.tca import tca
from stages.watching import key_text


def observe(look: Look) -> tuple[Observation, ...]:
    """Everything that the trigger watches, at this tick."""
    return tuple(_KINDS[look.trigger.kind](look))


def _limits(look: Look) -> Iterator[Observation]:
    for book in look.here.books:
        for name in look.trigger.signals:
            yield limit(look, SignalKey(book, name))


def _incident(look: Look) -> Iterator[Observation]:
    """Alerts that count as an incident; those declared by hand are the ledger's."""
    for name in look.trigger.signals:
        yield limit(look, SignalKey(LIVE_BOOK, name), cause=look.policy.spec.signals[name].title)


def _stale(look: Look) -> Iterator[Observation]:
    """Inputs that stand still. An absence has no event time: what confirms it is that tick after tick it lasts."""
    restarting = look.here.dark_left is not None
    for name in look.trigger.signals:
        key = SignalKey(LIVE_BOOK, name)
        reading, title = look.here.readings[key], look.policy.spec.signals[name].title
        text = key_text(key)
        if restarting or reading.quality in (Quality.CLOSED, Quality.RESTARTING):
            yield Observation(text, None, None, why=f"{title}: {reading.detail or 'restarting'}")
        elif reading.quality is Quality.STALE:
            evidence, root = f"{title}: {reading.detail}", _endpoint(look, name)
            yield Observation(text, True, look.here.wall, look.trigger.title, evidence, root=root)
        elif not reading.believed:
            yield Observation(text, None, None, lost=reading.lost, why=why(title, reading))
        else:
            yield _too_old(look, key)


def _too_old(look: Look, key: SignalKey) -> Observation:
    """A believed lag or age that is itself the value; without a limit a fresh reading is a good one."""
    found = limit(look, key)
    if found.bad is None:
        return Observation(found.key, False, look.here.readings[key].event_time, clear=True)
    return found


def _endpoint(look: Look, name: str) -> str:
    return look.policy.spec.signals[name].source.endpoint


def _blind(look: Look) -> Iterator[Observation]:
    """All safety signals of one source lost, outside of what a restart explains."""
    groups: dict[tuple[str, str], list[SignalKey]] = {}
    for key, reading in look.here.readings.items():
        signal = look.policy.spec.signals[key.name]
        named = not look.trigger.signals or key.name in look.trigger.signals
        counts = signal.class_ == "safety" and named and reading.quality is not Quality.CLOSED
        if counts and not _first_reads(look, key, signal.max_age):
            groups.setdefault((key.book, signal.source.endpoint), []).append(key)
    for (book, endpoint), keys in groups.items():
        found = [look.here.readings[key] for key in keys]
        place = endpoint if book == LIVE_BOOK else f"{endpoint} ({book})"
        if any(reading.quality is Quality.RESTARTING for reading in found):
            yield Observation(place, None, None, why=f"{place}: restarting")
            continue
        lost = all(reading.lost for reading in found) and all(_too_long(look, key) for key in keys)
        clear = any(reading.believed for reading in found)
        said = f"{place} {_said(found)}"
        evidence = f"{said}: {len(found)} signals, one cause"
        yield Observation(place, lost, look.here.wall, said, evidence, clear=clear, root=endpoint)
    if not groups:
        yield Observation(LIVE_BOOK, None, None, why="first reads")


def _first_reads(look: Look, key: SignalKey, max_age: timedelta) -> bool:
    """A signal that has not answered since the watch began to look is excused for a while.

    One that never answered may be starting; one that answered before the watch paused has its own max age.
    """
    known, started = look.watch.known.get(key_text(key)), look.watch.started
    if started is None or (known is not None and known.event_time is not None and known.event_time >= started):
        return False
    patience = max_age if known is not None else max_age + longest_dark(look.policy)
    return look.here.wall - started <= patience


def _too_long(look: Look, key: SignalKey) -> bool:
    """Whether the newest value that could be believed is older than its own max age: one lost read is not blindness."""
    known = look.watch.known.get(key_text(key))
    if known is None or known.event_time is None:
        return True
    return look.here.wall - known.event_time > look.policy.spec.signals[key.name].max_age


def _said(found: list[Reading]) -> str:
    details = {reading.detail for reading in found if reading.lost and reading.detail not in ("", FIRST_READ)}
    return details.pop() if len(details) == 1 else "gives no answer"


def _accounts(look: Look) -> Iterator[Observation]:
    for book in look.here.books:
        declared = (
            look.policy.stage_account(look.here.effective) if book != LIVE_BOOK else look.policy.spec.target.account
        )
        accepted = {declared.label, declared.environment}
        for name in look.trigger.signals:
            key = SignalKey(book, name)
            reading, title = look.here.readings[key], look.policy.spec.signals[name].title
            if not reading.believed or not reading.text:
                yield Observation(key_text(key), None, None, lost=reading.lost, why=why(title, reading))
                continue
            wrong = reading.text not in accepted
            evidence = f"{title} is {reading.text}, declared is {declared.label} {declared.environment}"
            yield Observation(
                key_text(key), wrong, reading.event_time, f"{title} is {reading.text}", evidence, not wrong
            )
    yield _venue_account(look)


def _venue_account(look: Look) -> Observation:
    venue, declared = look.snapshot.venue, look.policy.spec.target.account
    if venue is None or venue.error:
        return Observation("venue", None, None, why="the venue was not read", moot=venue is None)
    wrong = (venue.account_label, venue.environment) != (declared.label, declared.environment)
    found = f"the venue's account is {venue.account_label} {venue.environment}"
    evidence = f"{found}, declared is {declared.label} {declared.environment}"
    return Observation("venue", wrong, venue.as_of, found, evidence, not wrong)


def _drift(look: Look) -> Iterator[Observation]:
    for one in look.sight.drift:
        if one.state not in (DRIFT, SAME):
            said = f"{one.control}: {one.detail or one.state}"
            yield Observation(one.control, None, None, why=said, moot=one.detail == NO_READBACK)
            continue
        reading = look.snapshot.runtime[one.control]
        event = reading.event_time or reading.read_time
        wrong = one.state == DRIFT
        yield Observation(
            one.control, wrong, event, f"{one.control} differs", f"{one.control}: {one.detail}", not wrong
        )


_KINDS: Final[Mapping[str, Callable[[Look], Iterator[Observation]]]] = {
    "limit": _limits,
    "loss": _limits,
    "stale": _stale,
    "blind": _blind,
    "account": _accounts,
    "drift": _drift,
    "reconciliation": reconciliation,
    "tca": tca,
    "incident": _incident,
    "flat": flat,
    "readiness": readiness,
}
