"""Rows: each signal of a book against the limits of a stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from stages.bearings import harm_of
from stages.ladder import Unit
from stages.measures import Confirmation
from stages.policy import Policy
from stages.posture import Latch
from stages.quality import Reading
from stages.signals import LIVE_BOOK, Quality, SignalKey, Snapshot
from stages.value import Struct
from stages.verdict import Row, RowState
from stages.watching import Overhang, WatchState, key_text
from stages.windows import Confirmations, clear_level


class Bound(Struct, frozen=True):
    """A signal's limit at one stage. Exactly one of the four forms is set."""

    most: Decimal | None = None
    least: Decimal | None = None
    zero: bool = False
    words: tuple[str, ...] = ()
    universe: tuple[str, ...] = ()
    """With ``zero``: the symbols that the reading's text may name."""

    @property
    def number(self) -> Decimal | None:
        if self.zero:
            return Decimal(0)
        return self.most if self.most is not None else self.least


class Comparison(Struct, frozen=True):
    """A believed reading against its bound. ``used`` is harm over limit, None where a limit of zero has no share."""

    harm: Decimal
    limit: Decimal | None
    used: Decimal | None
    spare: Decimal | None
    broken: bool

    def reaches(self, share: Decimal) -> bool:
        """Whether the harm is at ``share`` of the limit or beyond; bounds without a share only know broken."""
        return self.broken if self.used is None else self.used >= share


def bound_of(policy: Policy, name: str, stage: int | None) -> Bound | None:
    """The limit of a signal at a stage; None without one, or while the stage that would set it is not known."""
    limit = policy.spec.signals[name].limit
    if limit is None:
        return None
    if limit.control is None:
        return Bound(limit.at_most, limit.at_least, limit.zero, limit.words)
    return None if stage is None else _control_bound(policy, name, limit.control, stage)


def _control_bound(policy: Policy, name: str, control: str, stage: int) -> Bound | None:
    value = policy.resolved[stage].get(control)
    if value is None:
        return None
    if isinstance(value, tuple):
        return Bound(zero=True, universe=value)
    if isinstance(value, str):
        return Bound(words=(value,))
    share = policy.share(stage, control)
    if share is not None and policy.spec.signals[name].unit is Unit.USD:
        base = policy.resolved[stage].get(share.of)
        return Bound(most=share.value * base) if isinstance(base, Decimal) else None
    if policy.spec.controls[control].order.sense == "lower":
        return Bound(least=value)
    return Bound(most=value)


def compare(policy: Policy, name: str, reading: Reading, bound: Bound) -> Comparison | None:
    """A believed reading against ``bound``; None without a value.

    At the limit is a breach, except at a minimum, which is reached, and at a limit of zero, where nothing is no harm.
    """
    if bound.words:
        return Comparison(Decimal(0), None, None, None, reading.text not in bound.words)
    value = _value(reading, bound)
    if value is None:
        return None
    if bound.least is not None:
        spare = value - bound.least
        return Comparison(-spare, bound.least, None, spare, spare < 0)
    harm = harm_of(policy, name, value)
    if bound.zero:
        return Comparison(harm, Decimal(0), None, None, value != 0)
    limit = bound.most
    assert limit is not None
    if limit <= 0:
        return Comparison(harm, limit, None, None, harm > 0)
    return Comparison(harm, limit, harm / limit, None, harm >= limit)


def _value(reading: Reading, bound: Bound) -> Decimal | None:
    if not bound.universe or not reading.text:
        return reading.value
    held = {symbol.strip() for symbol in reading.text.split(",") if symbol.strip()}
    return Decimal(len(held - set(bound.universe)))


def covers(
    overhang: Overhang | None, compared: Comparison, tolerance: Decimal, market: datetime, at: Decimal = Decimal(1)
) -> bool:
    """Whether harm above ``at`` of a lower limit hung over from the step down: not grown, and not past its deadline.

    What was below that level when the limits came down has reached it since: that never hung over. Of a limit on
    single names each name hangs over by itself.
    """
    if overhang is None or compared.limit is None or overhang.level < at * compared.limit:
        return False
    if overhang.grown or (overhang.until_market is not None and market >= overhang.until_market):
        return False
    return compared.harm <= overhang.level + tolerance * compared.limit


def tolerance_of(policy: Policy, name: str) -> Decimal:
    """How far harm that hangs over may grow, as a share of the limit: the hysteresis of the triggers that watch it."""
    watching = [trigger.hysteresis for trigger in policy.spec.triggers.values() if name in trigger.signals]
    return min(watching, default=Decimal("0.2"))


def reads_needed(policy: Policy, name: str) -> int:
    """Confirmations after which a bad row is a BREACH: those of the quickest trigger on the full limit."""
    watching = [
        trigger.confirm.reads
        for trigger in policy.spec.triggers.values()
        if trigger.kind in ("limit", "loss") and trigger.at >= 1 and name in trigger.signals
    ]
    return min(watching, default=Confirmation().reads)


def books_of(policy: Policy, rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows by which books are clean or not: all of the reconciliation panel but those that only inform."""
    return tuple(row for row in rows if row.panel == "reconciliation" and not policy.informs_alone(row.key.name))


def confirm_rows(
    policy: Policy, watch: WatchState, readings: Mapping[SignalKey, Reading], stage: int | None, market: datetime
) -> dict[str, Confirmations]:
    """The rows' confirmations after one more tick; only a new event time counts."""
    counts = dict(watch.rows)
    for key, reading in readings.items():
        compared = _compared(policy, key, reading, stage)
        if compared is None or reading.event_time is None:
            continue
        name = key_text(key)
        hanging = covers(watch.overhang.get(name), compared, tolerance_of(policy, key.name), market)
        seen = counts.get(name, Confirmations())
        counts[name] = seen.see(reading.event_time, compared.broken and not hanging)
    return counts


def rows(
    policy: Policy,
    watch: WatchState,
    readings: Mapping[SignalKey, Reading],
    book: str,
    stage: int | None,
    snapshot: Snapshot,
    latches: Iterable[Latch] = (),
) -> tuple[Row, ...]:
    """The rows of ``book`` against the limits of ``stage``, in the policy's order."""
    held = {name for latch in latches for name in _signals_of(policy, latch.trigger)}
    return tuple(
        _row(
            policy,
            watch,
            SignalKey(book, name),
            readings[SignalKey(book, name)],
            stage,
            snapshot,
            name in held,
        )
        for name in policy.spec.signals
    )


def _row(
    policy: Policy,
    watch: WatchState,
    key: SignalKey,
    reading: Reading,
    stage: int | None,
    snapshot: Snapshot,
    held: bool,
) -> Row:
    signal = policy.spec.signals[key.name]
    bound = bound_of(policy, key.name, stage)
    compared = _compared(policy, key, reading, stage)
    known = watch.known.get(key_text(key))
    last = reading if reading.believed or known is None else known
    state, word = _unbelieved(policy, key.name, reading, _at(policy, snapshot, last.event_time))
    if reading.believed:
        state, word = _judged(policy, watch, key, compared, snapshot.market, stage)
    return Row(
        key=key,
        title=signal.title,
        panel=signal.panel,
        safety=signal.class_ == "safety",
        unit=signal.unit,
        state=state,
        quality=reading.quality,
        value=last.value,
        text=last.text,
        limit=bound.number if bound else None,
        minimum=bound is not None and bound.least is not None,
        used=compared.used if compared else None,
        spare=compared.spare if compared else None,
        warn_at=signal.warn if bound and bound.most is not None else None,
        clear_at=_clear_at(policy, key.name) if held else None,
        word=word,
        detail=reading.detail,
        event_time=last.event_time,
        max_age=signal.max_age.total_seconds(),
        baseline=_baseline(policy, watch, key, stage),
        decimals=signal.decimals,
        signed=signal.signed,
    )


def _compared(policy: Policy, key: SignalKey, reading: Reading, stage: int | None) -> Comparison | None:
    bound = bound_of(policy, key.name, stage)
    return compare(policy, key.name, reading, bound) if bound is not None and reading.believed else None


def _unbelieved(policy: Policy, name: str, reading: Reading, seen: str) -> tuple[RowState, str]:
    """``seen``: when the value that is shown was true, in words."""
    if reading.quality is Quality.CLOSED:
        return RowState.CLOSED, seen
    if reading.quality is Quality.RESTARTING:
        return RowState.RESTARTING, "RESTARTING"
    if reading.lacks:
        return RowState.NO_DATA, f"NO DATA ({reading.lacks})"
    if reading.quality is Quality.STALE:
        return RowState.STALE, "STALE"
    if policy.spec.signals[name].class_ == "safety":
        return RowState.BLIND, "BLIND"
    return RowState.NO_DATA, "NO DATA"


def _judged(
    policy: Policy,
    watch: WatchState,
    key: SignalKey,
    compared: Comparison | None,
    market: datetime,
    stage: int | None,
) -> tuple[RowState, str]:
    signal = policy.spec.signals[key.name]
    if compared is None:
        return RowState.INFO, ""
    if compared.broken:
        if covers(watch.overhang.get(key_text(key)), compared, tolerance_of(policy, key.name), market):
            return RowState.OVER, f"OVER {policy.stages[stage].name}" if stage is not None else "OVER"
        needed = reads_needed(policy, key.name)
        seen = watch.rows.get(key_text(key), Confirmations()).bad
        return (RowState.BREACH, "BREACH") if seen >= needed else (RowState.SUSPECT, f"{max(seen, 1)} of {needed}")
    if signal.warn is not None and compared.used is not None and compared.used >= signal.warn:
        return RowState.WARN, "WARN"
    return RowState.OK, ""


def _signals_of(policy: Policy, trigger: str) -> tuple[str, ...]:
    spec = policy.spec.triggers.get(trigger)
    return spec.signals if spec else ()


def _clear_at(policy: Policy, name: str) -> Decimal:
    watching = [trigger for trigger in policy.spec.triggers.values() if name in trigger.signals]
    return min(clear_level(trigger.at, trigger.hysteresis) for trigger in watching)


def _baseline(policy: Policy, watch: WatchState, key: SignalKey, stage: int | None) -> Decimal | None:
    """The value of the stage below, where that stage has a book of its own."""
    if stage is None or stage == 0:
        return None
    below = policy.stages[stage - 1].book
    known = watch.known.get(key_text(SignalKey(below, key.name))) if below not in (LIVE_BOOK, key.book) else None
    return known.value if known else None


def _at(policy: Policy, snapshot: Snapshot, event: datetime | None) -> str:
    """The exchange's time at which a value was true."""
    if event is None:
        return "closed"
    zone = ZoneInfo(policy.spec.target.session.timezone)
    return f"at {snapshot.market_of(event).astimezone(zone):%H:%M}"
