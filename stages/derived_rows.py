"""Rows that no source gives and that the console works out itself: windows of costs, the comparison with the baseline,
flat by the close, reconciliations of the run, declared incidents.

They inform. Triggers, gates and alarms judge the same facts by rules of their own, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from stages.bearings import Bearings
from stages.burnin import compared_costs
from stages.comparison import Comparison, Verdict
from stages.figures import measure
from stages.ladder import Unit
from stages.measures import Windows
from stages.objectives import objectives
from stages.policy import Policy
from stages.session import market_seconds, span
from stages.signals import LIVE_BOOK, Quality, SignalKey, Snapshot
from stages.state import ControlState
from stages.tca import Mean, window
from stages.value import Struct, replace
from stages.verdict import Row, RowState
from stages.watching import ObjectiveWatch, TriggerWatch, WatchState

RECONCILIATION = "reconciliation"
_TENTH = 1
_TODAY = timedelta(hours=12)
"""How long ago a clock time says by itself which one is meant."""


class _Facts(Struct, frozen=True):
    policy: Policy
    state: ControlState
    watch: WatchState
    snapshot: Snapshot
    here: Bearings

    def row(self, name: str, title: str, panel: str, unit: Unit, state: RowState) -> Row:
        """A row of the book that panels show, whose name no signal can have."""
        key = SignalKey(self.here.shown, f"derived/{name}")
        return Row(key, title, panel, safety=False, unit=unit, state=state, quality=Quality.OK)


def derived_rows(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, here: Bearings
) -> tuple[Row, ...]:
    """All of them; what the policy gives no ground for has no row."""
    facts = _Facts(policy, state, watch, snapshot, here)
    books = (*_positions(facts), *_runs(facts))
    return (*_cost_windows(facts), *_against_baseline(facts), *_flat_by(facts), *books, *_declared(facts))


# ------------------------------------------------------------------------------------------------------------------ TCA


def _cost_windows(facts: _Facts) -> Iterator[Row]:
    """The windows of each cost trigger (semantics 1.5), the longest first; the short ones once they are over."""
    found: dict[tuple[str, timedelta], Row] = {}
    for name, trigger in facts.policy.spec.triggers.items():
        if trigger.windows is None or not trigger.signals:
            continue
        signal, spec = trigger.signals[0], trigger.windows
        for length, least in ((spec.long, spec.min_long), (spec.short, spec.min_short)):
            row = _window_row(facts, name, spec, length, least)
            if length == spec.long or row.state is RowState.WARN:
                known = found.get((signal, length))
                lower = known is None or (known.limit or spec.threshold) > spec.threshold
                found[signal, length] = row if lower or known is None else known
    yield from (found[place] for place in sorted(found, key=lambda place: (place[0], -place[1])))


def _window_row(facts: _Facts, trigger: str, spec: Windows, length: timedelta, least: int) -> Row:
    """One window against what both have to reach for the trigger; one alone is a warning."""
    signal = facts.policy.spec.signals[facts.policy.spec.triggers[trigger].signals[0]]
    minutes = f"{int(length.total_seconds() // 60)} min"
    row = replace(
        facts.row(f"{trigger}/{minutes}", f"{signal.title} {minutes}", signal.panel, signal.unit, RowState.NO_DATA),
        limit=spec.threshold,
        decimals=signal.decimals,
        signed=signal.signed,
    )
    tape = facts.watch.triggers.get(trigger, TriggerWatch()).tape
    mean = window(tape, facts.here.market, length, _passed(facts))
    if mean is None or mean.count < least:
        return replace(row, word=f"NO DATA ({mean.count if mean else 0} of {least})")
    return _measured(row, mean, spec.threshold, tape.marks[-1].at, facts)


def _measured(row: Row, mean: Mean, threshold: Decimal, at: datetime, facts: _Facts) -> Row:
    over = mean.value >= threshold
    old = (facts.here.market - at).total_seconds() / facts.snapshot.speed
    return replace(
        row,
        state=RowState.WARN if over else RowState.OK,
        value=mean.value,
        used=max(Decimal(0), mean.value) / threshold if threshold > 0 else None,
        event_time=facts.snapshot.wall - timedelta(seconds=old),
    )


def _against_baseline(facts: _Facts) -> Iterator[Row]:
    """Where the costs may lie against the baseline's (semantics 1.6), and the margin that they are allowed."""
    stage = facts.here.effective
    found = compared_costs(facts.policy, facts.state, stage, facts.watch.burn_in)
    if found is None:
        return
    states = {Verdict.INFERIOR: RowState.BREACH, Verdict.NON_INFERIOR: RowState.OK}
    row = facts.row("baseline", "against baseline", "tca", Unit.BASIS_POINTS, states.get(found.verdict, RowState.INFO))
    bounded = found.interval.high != float("inf")
    yield replace(
        row,
        value=_bp(found.interval.high) if bounded else None,
        limit=_bp(found.margin),
        decimals=_TENTH,
        signed=True,
        detail=_interval_words(found),
    )


def _interval_words(found: Comparison) -> str:
    low, high = found.interval.low, found.interval.high
    verdict = found.verdict.value.replace("_", " ").lower()
    if high == float("inf"):
        return f"{verdict}: {found.why}" if found.why else verdict
    why = f", {found.why}" if found.why else ""
    return f"{low:+.1f} to {high:+.1f}: {verdict}{why}"


def _bp(value: float) -> Decimal:
    return Decimal(repr(round(value, _TENTH)))


# ------------------------------------------------------------------------------------------------------------- exposure


def _flat_by(facts: _Facts) -> Iterator[Row]:
    """Whether the live book is flat when the session wants it to be."""
    session, market = facts.here.phase.session, facts.here.market
    if session is None or session.flat_by is None or facts.here.shown != LIVE_BOOK:
        return
    venue = facts.snapshot.venue
    row = facts.row("flat", "flat by close", "exposure", Unit.WORD, RowState.INFO)
    if venue is None or venue.error:
        yield replace(row, state=RowState.BLIND, text="the venue was not read")
        return
    row, zone = replace(row, event_time=venue.as_of), ZoneInfo(facts.policy.spec.target.session.timezone)
    if not venue.positions:
        since = facts.watch.since.get("flat", facts.snapshot.wall)
        at = facts.snapshot.market_of(since)
        told = f"flat {at.astimezone(zone):%H:%M:%S}" if market - at < _TODAY else "flat"
        yield replace(row, state=RowState.OK, text=told)
        return
    held = sum((abs(one.market_value) for one in venue.positions), Decimal(0))
    begins = session.flatten_start or session.flat_by
    if market < begins:
        yield replace(row, text=f"by {session.flat_by.astimezone(zone):%H:%M}")
        return
    late = market >= session.flat_by
    said = f"NOT FLAT {measure(held, Unit.USD, decimals=0)}"
    yield replace(row, state=RowState.BREACH if late else RowState.WARN, text=said)


# ------------------------------------------------------------------------------------------- reconciliation, incidents


def _positions(facts: _Facts) -> Iterator[Row]:
    """Positions by the venue's word and by the application's; one whose order works now may be on its way."""
    name, venue = facts.policy.spec.own_positions, facts.snapshot.venue
    if name is None or facts.here.shown != LIVE_BOOK:
        return
    row = facts.row("positions", "positions", RECONCILIATION, Unit.WORD, RowState.BLIND)
    reading = facts.here.readings[SignalKey(LIVE_BOOK, name)]
    if venue is None or venue.error or not reading.believed:
        yield replace(row, text="the venue was not read" if reading.believed else "the list was not read")
        return
    theirs = {one.symbol: one.quantity for one in venue.positions}
    ours = _listed(reading.text)
    if ours is None:
        yield replace(row, state=RowState.NO_DATA, text="the list cannot be read")
        return
    moving = {order.symbol for order in venue.open_orders}
    every = {*theirs, *ours}
    apart = sorted(symbol for symbol in every - moving if ours.get(symbol) != theirs.get(symbol))
    said = f"{len(every) - len(apart)} of {len(every)} match{f': not {chr(44).join(apart)}' if apart else ''}"
    yield replace(row, state=RowState.WARN if apart else RowState.OK, text=said, event_time=reading.event_time)


def _listed(text: str) -> dict[str, Decimal] | None:
    """``NVDA 7.4, MU -10.5`` as quantities by symbol; None for anything else."""
    found: dict[str, Decimal] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        symbol, _, quantity = entry.partition(" ")
        try:
            found[symbol] = Decimal(quantity)
        except InvalidOperation:
            return None
    return found


def _runs(facts: _Facts) -> Iterator[Row]:
    """Distinct reconciliations that the run has seen, against what it needs; of objectives on the books alone."""
    spec = facts.policy.stages[facts.here.effective].burn_in
    if spec is None or facts.watch.burn_in.run == "":
        return
    for name, objective in objectives(spec):
        signal = facts.policy.spec.signals[objective.signal]
        if signal.panel != RECONCILIATION:
            continue
        seen = facts.watch.burn_in.objectives.get(name, ObjectiveWatch()).coverage
        enough = seen.samples >= objective.min_samples
        row = facts.row(f"runs/{objective.signal}", "runs in this burn-in", RECONCILIATION, Unit.WORD, RowState.INFO)
        said = f"{seen.samples} of {objective.min_samples}" if not enough else str(seen.samples)
        yield replace(row, state=RowState.OK if enough else RowState.INFO, text=said, event_time=seen.last)
        return


def _declared(facts: _Facts) -> Iterator[Row]:
    """The newest open incident that a person declared, and how many there are."""
    held = [one for one in facts.state.incidents.values() if one.is_open]
    row = facts.row("declared", "declared", "incident", Unit.WORD, RowState.OK)
    if not held:
        yield replace(row, text="none")
        return
    newest = max(held, key=lambda one: one.at)
    more = f", and {len(held) - 1} more" if len(held) > 1 else ""
    since = span(facts.snapshot.wall - newest.at)
    said = f"{newest.incident} {newest.severity} by {newest.actor} {since}: {newest.title}{more}"
    yield replace(row, state=RowState.WARN, text=said, event_time=newest.at)


def _passed(facts: _Facts) -> Callable[[datetime, datetime], float]:
    return lambda start, end: market_seconds(facts.policy.spec.target.session, start, end)
