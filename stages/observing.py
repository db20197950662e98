"""What each kind of trigger sees in one tick: limit, loss, stale, blind, account and drift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from stages.bearings import Bearings, longest_dark
from stages.drift import DRIFT, SAME
from stages.figures import figure, measure
from stages.ladder import Unit
from stages.measures import Trigger
from stages.policy import Policy
from stages.quality import FIRST_READ, Reading
from stages.rows import bound_of, compare, covers, tolerance_of
from stages.signals import LIVE_BOOK, Quality, SignalKey, Snapshot
from stages.verdict import ControlDrift
from stages.watching import WatchState, key_text
from stages.windows import clear_level


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at one thing that a trigger watches. ``bad`` None: it cannot be said, which confirms and clears nothing.

    ``event`` is what makes it distinct: the event time of a value, the tick for an absence.
    """

    key: str
    bad: bool | None
    event: datetime | None
    cause: str = ""
    evidence: str = ""
    clear: bool = False
    """Below the clear level, so that the cause counts as gone."""
    seconded: bool = False
    """A second source agrees, which confirms at once."""
    left: Decimal | None = None
    unit: Unit = Unit.COUNT
    lost: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    policy: Policy
    snapshot: Snapshot
    here: Bearings
    drift: tuple[ControlDrift, ...]
    watch: WatchState
    trigger: Trigger


def observe(
    policy: Policy,
    snapshot: Snapshot,
    here: Bearings,
    drift: tuple[ControlDrift, ...],
    watch: WatchState,
    trigger: Trigger,
) -> tuple[Observation, ...]:
    """Everything that ``trigger`` watches, at this tick."""
    look = _Look(policy, snapshot, here, drift, watch, trigger)
    kinds = {"limit": _limits, "loss": _limits, "stale": _stale, "blind": _blind, "account": _accounts, "drift": _drift}
    return tuple(kinds[trigger.kind](look))


def _limits(look: _Look) -> Iterator[Observation]:
    for book in look.here.books:
        for name in look.trigger.signals:
            yield _limit(look, SignalKey(book, name))


def _limit(look: _Look, key: SignalKey) -> Observation:
    policy, here, reading = look.policy, look.here, look.here.readings[key]
    signal, text = policy.spec.signals[key.name], key_text(key)
    if not reading.believed:
        return Observation(text, None, None, lost=reading.lost, why=_why(signal.title, reading))
    bound = bound_of(policy, key.name, here.limits)
    compared = compare(policy, key.name, reading, bound) if bound else None
    if compared is None:
        return Observation(text, None, None, why=f"{signal.title}: no limit known")
    hanging = covers(look.watch.overhang.get(text), compared, tolerance_of(policy, key.name), here.market)
    at = look.trigger.at
    bad = compared.reaches(at) and not hanging
    stage = policy.stages[here.limits].name if here.limits is not None else "unknown"
    # While a step down converges its old limits count, and a breach of them keeps the cause that it was latched under.
    home = policy.stages[here.limits].book if here.limits is not None else here.book
    clear_at = clear_level(at, look.trigger.hysteresis)
    left = at * compared.limit - compared.harm if compared.limit is not None and compared.used is not None else None
    shown = (
        reading.text
        if bound and bound.words
        else figure(reading.value, signal.unit, signed=signal.signed, decimals=signal.decimals)
    )
    limit = (
        f" of {measure(compared.limit, signal.unit, decimals=signal.decimals)}" if compared.limit is not None else ""
    )
    return Observation(
        key=text,
        bad=bad,
        event=reading.event_time,
        cause=f"{look.trigger.title} of {stage}" if home == key.book else f"{look.trigger.title}, {key.book} book",
        evidence=f"{signal.title}: {shown}{limit}",
        clear=hanging or not compared.reaches(clear_at),
        seconded=bad and _second_agrees(look, key),
        left=left,
        unit=signal.unit,
    )


def _second_agrees(look: _Look, key: SignalKey) -> bool:
    """Whether the second source, measured against the same limit, is beyond it as well."""
    second = look.trigger.confirm.second
    if second is None:
        return False
    reading = look.here.readings.get(SignalKey(key.book, second))
    bound = bound_of(look.policy, key.name, look.here.limits)
    if reading is None or bound is None or not reading.believed:
        return False
    compared = compare(look.policy, second, reading, bound)
    return compared is not None and compared.reaches(look.trigger.at)


def _stale(look: _Look) -> Iterator[Observation]:
    """Inputs that stand still. An absence has no event time: what confirms it is that tick after tick it lasts."""
    restarting = look.here.dark_left is not None
    for name in look.trigger.signals:
        key = SignalKey(LIVE_BOOK, name)
        reading, title = look.here.readings[key], look.policy.spec.signals[name].title
        text = key_text(key)
        if restarting or reading.quality in (Quality.CLOSED, Quality.RESTARTING):
            yield Observation(text, None, None, why=f"{title}: {reading.detail or 'restarting'}")
        elif reading.quality is Quality.STALE:
            yield Observation(text, True, look.here.wall, look.trigger.title, f"{title}: {reading.detail}")
        elif not reading.believed:
            yield Observation(text, None, None, lost=reading.lost, why=_why(title, reading))
        else:
            yield _too_old(look, key)


def _too_old(look: _Look, key: SignalKey) -> Observation:
    """A believed lag or age that is itself the value; without a limit a fresh reading is a good one."""
    found = _limit(look, key)
    if found.bad is None:
        return Observation(found.key, False, look.here.readings[key].event_time, clear=True)
    return found


def _blind(look: _Look) -> Iterator[Observation]:
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
        yield Observation(place, lost, look.here.wall, said, f"{said}: {len(found)} signals, one cause", clear=clear)
    if not groups:
        yield Observation(LIVE_BOOK, None, None, why="first reads")


def _first_reads(look: _Look, key: SignalKey, max_age: timedelta) -> bool:
    """A signal that has not answered since the watch began to look is excused for a while.

    One that never answered may be starting; one that answered before the watch paused has its own max age.
    """
    known, started = look.watch.known.get(key_text(key)), look.watch.started
    if started is None or (known is not None and known.event_time is not None and known.event_time >= started):
        return False
    patience = max_age if known is not None else max_age + longest_dark(look.policy)
    return look.here.wall - started <= patience


def _too_long(look: _Look, key: SignalKey) -> bool:
    """Whether the newest value that could be believed is older than its own max age: one lost read is not blindness."""
    known = look.watch.known.get(key_text(key))
    if known is None or known.event_time is None:
        return True
    return look.here.wall - known.event_time > look.policy.spec.signals[key.name].max_age


def _said(found: list[Reading]) -> str:
    details = {reading.detail for reading in found if reading.lost and reading.detail not in ("", FIRST_READ)}
    return details.pop() if len(details) == 1 else "gives no answer"


def _accounts(look: _Look) -> Iterator[Observation]:
    for book in look.here.books:
        declared = (
            look.policy.stage_account(look.here.effective) if book != LIVE_BOOK else look.policy.spec.target.account
        )
        accepted = {declared.label, declared.environment}
        for name in look.trigger.signals:
            key = SignalKey(book, name)
            reading, title = look.here.readings[key], look.policy.spec.signals[name].title
            if not reading.believed or not reading.text:
                yield Observation(key_text(key), None, None, lost=reading.lost, why=_why(title, reading))
                continue
            wrong = reading.text not in accepted
            evidence = f"{title} is {reading.text}, declared is {declared.label} {declared.environment}"
            yield Observation(
                key_text(key), wrong, reading.event_time, f"{title} is {reading.text}", evidence, not wrong
            )
    yield _venue_account(look)


def _venue_account(look: _Look) -> Observation:
    venue, declared = look.snapshot.venue, look.policy.spec.target.account
    if venue is None or venue.error:
        return Observation("venue", None, None, why="the venue was not read")
    wrong = (venue.account_label, venue.environment) != (declared.label, declared.environment)
    found = f"the venue's account is {venue.account_label} {venue.environment}"
    evidence = f"{found}, declared is {declared.label} {declared.environment}"
    return Observation("venue", wrong, venue.as_of, found, evidence, not wrong)


def _drift(look: _Look) -> Iterator[Observation]:
    for one in look.drift:
        if one.state not in (DRIFT, SAME):
            continue
        reading = look.snapshot.runtime[one.control]
        event = reading.event_time or reading.read_time
        wrong = one.state == DRIFT
        yield Observation(
            one.control, wrong, event, f"{one.control} differs", f"{one.control}: {one.detail}", not wrong
        )


def _why(title: str, reading: Reading) -> str:
    return f"{title}: {reading.lacks or reading.detail or reading.quality.value.lower()}"
