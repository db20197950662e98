"""Faults of prices: jumps that take the book past a limit without any order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from console.demo.book import ZERO
from console.demo.floor import Floor
from console.demo.market import CENT

# Shares of a limit: where a gap takes gross, how near it brings a single name to its own, and how much gross the
# book must hold for one to strike.
_BEYOND = Decimal("1.06")
_NAME_ROOM = Decimal("0.96")
_AT_WORK = Decimal("0.50")
_LONGEST_WAIT = timedelta(seconds=20)


def gap(floor: Floor, now: datetime) -> str:
    """Prices of held names jump until gross, and nothing else, is past its limit, and trading in them pauses.

    No order is sent, no name passes its own limit, and longs gain what shorts lose. Where the book does not allow
    that yet, the jump waits until it does; after twenty seconds it strikes as well as it can.
    """
    if _gap_now(floor, now, now + _LONGEST_WAIT):
        return f"{', '.join(floor.book.positions)} gapped up: gross {floor.book.exposure(floor.market).gross} $"
    floor.expect(lambda there, later: _gap_now(there, later, now + _LONGEST_WAIT))
    return "armed: prices gap once the book is at work"


def loss_limit(floor: Floor, now: datetime) -> str:
    """Prices go against the book until the day's loss is past its limit; it waits until the book is at work."""
    if not _lose_now(floor, now):
        floor.expect(_lose_now)
        return "armed: prices turn once the book is at work"
    return f"prices turned: {floor.app.day_profit(floor.book, floor.market).quantize(CENT)} $ today"


def _lose_now(floor: Floor, now: datetime) -> bool:
    """False while the book is too small for such a day."""
    exposure, deployed = floor.book.exposure(floor.market), floor.app.deployed
    if deployed is None or exposure.gross < _AT_WORK * deployed.controls.max_gross:
        return False
    missing = deployed.controls.daily_loss * _BEYOND + floor.app.day_profit(floor.book, floor.market)
    share = max(missing, ZERO) / exposure.gross
    for symbol, position in floor.book.positions.items():
        floor.market.gap(symbol, 1 - share if position.qty > 0 else 1 + share)
    floor.market.pause(list(floor.book.positions), now + timedelta(seconds=floor.pace.pause_seconds))
    return True


def _gap_now(floor: Floor, now: datetime, latest: datetime) -> bool:
    """False while the book is too small for a jump that anybody would believe, or too lopsided before ``latest``."""
    exposure, deployed = floor.book.exposure(floor.market), floor.app.deployed
    if deployed is None or not exposure.long > 0 > exposure.short:
        return False
    limits = deployed.controls
    missing = limits.max_gross * _BEYOND - exposure.gross
    if exposure.gross < _AT_WORK * limits.max_gross:
        return False
    values = {symbol: position.qty * floor.market.price(symbol) for symbol, position in floor.book.positions.items()}
    room = {symbol: max(limits.max_symbol * _NAME_ROOM - abs(value), ZERO) for symbol, value in values.items()}
    gains = _within_room(values, room, missing) or (_in_proportion(values, missing) if now >= latest else None)
    if gains is None:
        return False
    for symbol, gain in gains.items():
        floor.market.gap(symbol, 1 + gain / abs(values[symbol]))
    for order in list(floor.book.orders.values()):
        if order.ticket.symbol in values:
            floor.book.cancel(order.id)
    floor.market.pause(list(values), now + timedelta(seconds=floor.pace.pause_seconds))
    return True


def _within_room(
    values: Mapping[str, Decimal], room: Mapping[str, Decimal], missing: Decimal
) -> dict[str, Decimal] | None:
    """Dollars that each name gains so that gross gains ``missing``, no name leaves its room, and longs gain enough."""
    long_room = sum((room[symbol] for symbol, value in values.items() if value > 0), ZERO)
    short_room = sum((room[symbol] for symbol, value in values.items() if value < 0), ZERO)
    on_shorts = min(missing / 2, short_room)
    on_longs = missing - on_shorts
    if missing <= 0 or on_longs > long_room:
        return None
    share = {True: on_longs / long_room, False: on_shorts / short_room if short_room else ZERO}
    return {symbol: room[symbol] * share[value > 0] for symbol, value in values.items()}


def _in_proportion(values: Mapping[str, Decimal], missing: Decimal) -> dict[str, Decimal]:
    """The same dollars for both sides, each name by its size."""
    sides = {side: sum((abs(v) for v in values.values() if (v > 0) is side), ZERO) for side in (True, False)}
    return {symbol: max(missing, ZERO) / 2 * abs(value) / sides[value > 0] for symbol, value in values.items()}
