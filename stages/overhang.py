"""Overhang: what the book holds above lower limits after a step down, name by name, and until when (semantics 2.2
rule 10).

It is no new breach. It asks for REDUCE_ONLY as long as it lasts, and becomes a breach when it grows or its deadline
passes. The latch opens once per step down and is cleared by one key press when nothing hangs over any more: nothing
automatic lets risk grow again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from stages.bearings import Bearings, bearings, downward, harm_of
from stages.ladder import Unit
from stages.latching import OpenLatch, latch_key
from stages.policy import Policy
from stages.posture import ClearRule, Mode, join
from stages.quality import Reading
from stages.rows import Bound, bound_of, compare, tolerance_of
from stages.signals import LIVE_BOOK, SignalKey, Snapshot
from stages.state import ControlState, Intent
from stages.value import Struct, replace
from stages.verdict import Hanging
from stages.watching import Lowered, Overhang, WatchState, key_text

OVERHANG: Final = "overhang"
"""Trigger name of the latch that it opens."""
CLEARED_BY: Final[tuple[str, ...]] = ("operator", "trader", "risk")
_RULE: Final = ClearRule(approval=False, each=False, gone=True)


def hangs_over(policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot) -> WatchState:
    """The watch with what the book holds above lower limits since they count, and how it shrinks."""
    here = bearings(policy, state, watch, snapshot)
    newest = _newest_move(state)
    if newest is None or not downward(policy, newest):
        return replace(watch, lowered=None, overhang={})
    lowered = watch.lowered
    if lowered is None or lowered.intent != newest.id:
        lowered = Lowered(newest.id, held=_held(policy, watch))
    if lowered.names is None:
        # A venue that is silent just then says nothing of what was held: its first word afterwards does.
        lowered = replace(lowered, names=_positions(snapshot))
    if here.limits != policy.stage_index(newest.to_stage):
        # Where the limits do not stand on the lowered stage (yet, or any more), nothing more hangs over.
        return replace(watch, lowered=lowered)
    if not lowered.counts:
        limited = sorted(name for name, signal in policy.spec.signals.items() if signal.limit and signal.limit.control)
        pending = tuple(key_text(SignalKey(LIVE_BOOK, name)) for name in limited)
        lowered, watch = replace(lowered, pending=pending, counts=True), replace(watch, overhang={})
    return _followed(policy, watch, lowered, here, snapshot)


def latch_due(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, here: Bearings, actor: str
) -> Iterator[OpenLatch]:
    """REDUCE_ONLY while exposure hangs over and nothing holds the book that tightly already."""
    found = [one for one in hanging(policy, watch, here) if not one.loss]
    if not found or join(state.latches.values(), policy.top).mode >= Mode.REDUCE_ONLY:
        return
    stage = policy.stages[here.limits if here.limits is not None else here.effective].name
    cause = f"over the limits of {stage}"
    if latch_key(OVERHANG, cause, state.epoch) in state.keys_used or state.open_latch(OVERHANG, cause):
        return
    yield OpenLatch(
        actor=actor,
        trigger=OVERHANG,
        cause=cause,
        evidence="; ".join(one.words for one in found),
        mode=Mode.REDUCE_ONLY,
        cap=None,
        effective=here.effective,
        stage=stage,
        clear_roles=CLEARED_BY,
        rule=_RULE,
        root=f"{LIVE_BOOK} book",
        market=snapshot.market,
    )


def hanging(policy: Policy, watch: WatchState, here: Bearings) -> tuple[Hanging, ...]:
    """What is above a limit in force and hangs over, each name of a limit on names by itself."""
    return tuple(one for name in watch.overhang for one in _hanging(policy, watch, here, name))


def still(policy: Policy, watch: WatchState, here: Bearings) -> str:
    """What still hangs over or may do so, in words; empty when nothing does. What cannot be read may."""
    found = [one.words for one in hanging(policy, watch, here) if not one.loss]
    return "; ".join((*found, *_unread(policy, watch, here)))


def _unread(policy: Policy, watch: WatchState, here: Bearings) -> Iterator[str]:
    """Exposures of which nobody knows yet whether they are above the lower limits, because they were not read since."""
    for name in watch.lowered.pending if watch.lowered is not None else ():
        signal_name = name.partition("/")[2]
        signal, reading = policy.spec.signals[signal_name], here.readings.get(SignalKey(LIVE_BOOK, signal_name))
        limited = signal.harm != "loss" and bound_of(policy, signal_name, here.limits) is not None
        if limited and (reading is None or reading.lost):
            yield f"{signal.title} was not read since"


def _hanging(policy: Policy, watch: WatchState, here: Bearings, name: str) -> Iterator[Hanging]:
    signal_name = name.partition("/")[2]
    signal, known = policy.spec.signals[signal_name], watch.overhang[name]
    bound = bound_of(policy, signal_name, here.limits)
    if bound is None or bound.number is None or known.level < bound.number:
        return
    if known.symbols:
        for symbol, dollars in known.symbols.items():
            limit = Decimal(0) if bound.universe or bound.zero else bound.number
            yield Hanging(signal.title, symbol, dollars - limit, Unit.USD, known.until_market)
    elif known.level > 0:
        loss = signal.harm == "loss"
        yield Hanging(signal.title, "", known.level - bound.number, signal.unit, known.until_market, loss=loss)


# ------------------------------------------------------------------------------------------------------ one more tick


class _Tick(Struct, frozen=True):
    policy: Policy
    here: Bearings
    snapshot: Snapshot
    lowered: Lowered


def _followed(policy: Policy, watch: WatchState, lowered: Lowered, here: Bearings, snapshot: Snapshot) -> WatchState:
    """Each signal under the lower limits after one more tick; what could not be read stays as it was."""
    tick, found, pending = _Tick(policy, here, snapshot, lowered), dict[str, Overhang](), list[str]()
    for name in {*lowered.pending, *watch.overhang}:
        before = watch.overhang.get(name)
        harm = _harm(policy, here, name)
        if harm is None:
            if before is not None:
                found[name] = before
            else:
                pending.append(name)
            continue
        one = _one(tick, name, before, *harm)
        if one is not None:
            found[name] = one
    lowered = replace(lowered, pending=tuple(sorted(pending)))
    return replace(watch, lowered=lowered, overhang=dict(sorted(found.items())))


def _one(tick: _Tick, name: str, before: Overhang | None, level: Decimal, limit: Decimal) -> Overhang | None:
    """What hangs over of one signal; None once it does no longer."""
    if before is None:
        level = min(level, tick.lowered.held.get(name, level))
    if level < _least_at(tick.policy, name) * limit:
        return None
    until = before.until_market if before else _deadline(tick.policy, tick.here, name, tick.snapshot)
    lowest = min(level, before.level) if before else level
    symbols, grown = _names(tick, name, before)
    return Overhang(lowest, until, symbols, grown)


def _names(tick: _Tick, name: str, before: Overhang | None) -> tuple[Mapping[str, Decimal] | None, tuple[str, ...]]:
    """Of a limit on single names: those that hang over with their lowest dollars, and those that are new or grew."""
    signal_name = name.partition("/")[2]
    bound = bound_of(tick.policy, signal_name, tick.here.limits)
    if bound is None or not on_names(tick.policy, signal_name):
        return None, ()
    levels = before.symbols if before is not None else None
    if levels is None and tick.lowered.names is not None:
        levels = _over(bound, tick.lowered.names)
    held = _positions(tick.snapshot)
    if held is None or levels is None:
        return levels, _grown_by_label(tick.here.readings.get(SignalKey(LIVE_BOOK, signal_name)), before)
    over = _over(bound, held)
    tolerance = tolerance_of(tick.policy, signal_name)
    room = {symbol: tolerance * (bound.number or levels[symbol]) for symbol in levels}
    fits = {symbol for symbol, dollars in over.items() if symbol in levels and dollars <= levels[symbol] + room[symbol]}
    symbols = {symbol: min(dollars, levels[symbol]) for symbol, dollars in over.items() if symbol in levels}
    return symbols, tuple(sorted(set(over) - fits))


def _grown_by_label(reading: Reading | None, before: Overhang | None) -> tuple[str, ...]:
    """Without the venue's word: what had grown before, and the name that the signal itself tells if it is a new one."""
    if before is None:
        return ()
    named = reading.text if reading is not None and reading.believed else ""
    fresh = {named} if named and before.symbols and named not in before.symbols else set()
    return tuple(sorted({*before.grown, *fresh}))


def on_names(policy: Policy, signal: str) -> bool:
    """Whether a signal's limit is one on single names: a share of the book that one may take, or the universe."""
    limit = policy.spec.signals[signal].limit
    if limit is None or limit.control is None:
        return False
    if policy.spec.controls[limit.control].unit is Unit.SYMBOLS:
        return True
    shared = any(policy.share(index, limit.control) is not None for index in range(len(policy.stages)))
    return shared and policy.spec.signals[signal].unit is Unit.USD


def _over(bound: Bound, names: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Those of ``names`` that are above the limit, with their dollars."""
    return {symbol: dollars for symbol, dollars in names.items() if _is_over(bound, symbol, dollars)}


def _is_over(bound: Bound, symbol: str, dollars: Decimal) -> bool:
    if bound.universe:
        return dollars > 0 and symbol not in bound.universe
    return bound.number is not None and dollars >= bound.number


def _positions(snapshot: Snapshot) -> dict[str, Decimal] | None:
    """Dollars of each position by the venue's own word, without their sign; None where it does not tell."""
    venue = snapshot.venue
    if venue is None or venue.error:
        return None
    return {one.symbol: abs(one.market_value) for one in venue.positions}


def _newest_move(state: ControlState) -> Intent | None:
    """The newest pushed act between two stages: one that only makes the mode stricter takes no limit back."""
    moves = [one for one in state.intents.values() if one.outcome == "pushed" and one.from_stage != one.to_stage]
    return moves[-1] if moves else None


def _held(policy: Policy, watch: WatchState) -> dict[str, Decimal]:
    """Harm of every signal of the live book whose value is known."""
    found: dict[str, Decimal] = {}
    for name, known in watch.known.items():
        book, _, signal = name.partition("/")
        if book == LIVE_BOOK and known.value is not None and signal in policy.spec.signals:
            found[name] = harm_of(policy, signal, known.value)
    return found


def _harm(policy: Policy, here: Bearings, name: str) -> tuple[Decimal, Decimal] | None:
    """Harm and limit of a signal that can be read under the limits in force; None when it cannot."""
    signal = name.partition("/")[2]
    reading = here.readings.get(SignalKey(LIVE_BOOK, signal))
    bound = bound_of(policy, signal, here.limits)
    if reading is None or bound is None or not reading.believed:
        return None
    compared = compare(policy, signal, reading, bound)
    return None if compared is None or compared.limit is None else (compared.harm, compared.limit)


def _least_at(policy: Policy, name: str) -> Decimal:
    """The lowest share of the limit at which any trigger would fire on the signal."""
    signal = name.partition("/")[2]
    return min((one.at for one in policy.spec.triggers.values() if signal in one.signals), default=Decimal(1))


def _deadline(policy: Policy, here: Bearings, name: str, snapshot: Snapshot) -> datetime | None:
    """Market time until which the book may hang over.

    Exposure: the start of flattening, or one convergence without one. A loss cannot be reduced: until the next open,
    where its baseline starts anew.
    """
    if policy.spec.signals[name.partition("/")[2]].harm == "loss":
        return here.phase.next_open
    session = here.phase.session
    if session is not None and session.flatten_start is not None and here.market < session.flatten_start:
        return session.flatten_start
    seconds = policy.spec.target.convergence.total_seconds() * snapshot.speed
    return here.market + timedelta(seconds=seconds)
