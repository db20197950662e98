"""The demo strategy: holds a long and a short side inside its limits, and works its way back when it is over one."""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

from console.demo.book import ZERO, Book, Exposure, Side, Ticket
from console.demo.controls import Controls
from console.demo.market import CENT, Market
from stages.value import Struct

# Shares of a limit. Gross stays between 60 % and 85 % of its limit; the inner marks leave room for prices to move.
_GROSS_LOW = Decimal("0.66")
_GROSS_HIGH = Decimal("0.78")
_SYMBOL_HIGH = Decimal("0.80")
_NET_LOW = Decimal("0.05")
_NET_HIGH = Decimal("0.45")
_NET_MOST = Decimal("0.65")
_BACK_TO = Decimal("0.95")
_SMALLEST = Decimal("0.10")  # of the order limit; smaller orders are not worth sending

# Paces in steps (trading seconds).
_FIRST_ENTRIES = 6
_EXITS = 5
_REBALANCE = 15


class Situation(Struct, frozen=True):
    """What the strategy decides on. ``may_add`` allows new risk, ``wind_down`` asks for a flat book."""

    controls: Controls
    universe: tuple[str, ...]
    exposure: Exposure
    profit: Decimal
    may_add: bool
    wind_down: bool


class Strategy:
    """Decides on at most one order per step, from its own seeded dice."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/strategy")

    def decide(self, seen: Situation, book: Book, market: Market) -> Ticket | None:
        """The order to send now, if any. Exits come before entries and never wait for permission to add risk."""
        rebalance = self._random.randrange(_REBALANCE) == 0
        free = {s for s in market.symbols if not market.paused(s)} - {o.ticket.symbol for o in book.orders.values()}
        values = {s: p.qty * market.price(s) for s, p in book.positions.items()}
        over = _worst_overrun(seen, values)
        if over is not None:
            return self._exit(over, seen, values, free, book, market) if market.steps % _EXITS == 0 else None
        if not seen.may_add:
            return None
        limit = seen.controls.max_gross
        if seen.exposure.if_all_fill < _GROSS_LOW * limit:
            return self._entry(seen, values, free, market) if market.steps % _FIRST_ENTRIES == 0 else None
        if not rebalance or any(order.ticket.source == "app" for order in book.orders.values()):
            return None  # one change at a time, or two trims would sell the same room
        if seen.exposure.if_all_fill < (_GROSS_LOW + _GROSS_HIGH) / 2 * limit:
            return self._entry(seen, values, free, market)
        return self._trim(seen, values, free, book, market)

    def _entry(self, seen: Situation, values: dict[str, Decimal], free: set[str], market: Market) -> Ticket | None:
        """Add on the side that the book needs, or on the other one where every symbol of that side is full."""
        wanted = self._entry_side(seen)
        other: Side = "sell" if wanted == "buy" else "buy"
        for side in (wanted, other):
            sign = 1 if side == "buy" else -1
            rooms = _rooms(sign, seen, values, free)
            if rooms:
                symbol = self._pick(list(rooms), seen, market, cheapest=side == "buy")
                size = min(
                    self._order_size(seen.controls),
                    rooms[symbol],
                    _GROSS_HIGH * seen.controls.max_gross - seen.exposure.if_all_fill,
                    _NET_MOST * seen.controls.max_net - sign * seen.exposure.net,
                )
                return _ticket(symbol, side, size, seen.controls, market)
        return None

    def _entry_side(self, seen: Situation) -> Side:
        """Keeps the book somewhat long, so that both sides are always held."""
        if seen.exposure.net > _NET_HIGH * seen.controls.max_net:
            return "sell"
        if seen.exposure.net < _NET_LOW * seen.controls.max_net:
            return "buy"
        return self._random.choice(("buy", "sell"))

    def _trim(
        self, seen: Situation, values: dict[str, Decimal], free: set[str], book: Book, market: Market
    ) -> Ticket | None:
        long_side = seen.exposure.net > (_NET_LOW + _NET_HIGH) / 2 * seen.controls.max_net
        held = [symbol for symbol in values if symbol in free and (values[symbol] > 0) == long_side]
        if not held:
            return None
        symbol = self._pick(held, seen, market, cheapest=not long_side)
        size = min(self._order_size(seen.controls), seen.exposure.gross - _GROSS_LOW * seen.controls.max_gross)
        return _reduction(symbol, size, seen.controls, book, market)

    def _order_size(self, controls: Controls) -> Decimal:
        return controls.max_order * Decimal(self._random.randint(45, 95)) / 100

    def _pick(self, symbols: list[str], seen: Situation, market: Market, *, cheapest: bool) -> str:
        """Follows the prices only while the day is behind a small gain: that pays for costs and keeps the day calm."""
        if seen.profit > seen.controls.daily_loss * Decimal("0.04"):
            return self._random.choice(symbols)
        return (min if cheapest else max)(symbols, key=market.stretch)

    def _exit(
        self,
        over: _Overrun,
        seen: Situation,
        values: dict[str, Decimal],
        free: set[str],
        book: Book,
        market: Market,
    ) -> Ticket | None:
        candidates = [symbol for symbol in over.symbols if symbol in free]
        if not candidates:
            return None
        symbol = max(candidates, key=lambda s: abs(values[s]))
        return _reduction(symbol, over.excess, seen.controls, book, market)


class _Overrun(Struct, frozen=True):
    """Symbols that may be reduced, and by how many dollars in all."""

    symbols: tuple[str, ...]
    excess: Decimal


def _worst_overrun(seen: Situation, values: dict[str, Decimal]) -> _Overrun | None:
    """The first limit that the book is over: positions that must go, then symbol, gross and net."""
    controls = seen.controls
    gone = [s for s in values if seen.wind_down or s not in seen.universe]
    if gone:
        return _Overrun(tuple(gone), max(abs(values[s]) for s in gone))
    large = [s for s in values if abs(values[s]) > controls.max_symbol]
    if large:
        return _Overrun(tuple(large), max(abs(values[s]) for s in large) - _BACK_TO * controls.max_symbol)
    if seen.exposure.gross > controls.max_gross:
        return _Overrun(tuple(values), seen.exposure.gross - _BACK_TO * controls.max_gross)
    net = seen.exposure.net
    if abs(net) > controls.max_net:
        heavy: Iterable[str] = (s for s in values if values[s] * net > 0)
        return _Overrun(tuple(heavy), abs(net) - _BACK_TO * controls.max_net)
    return None


def _rooms(sign: int, seen: Situation, values: dict[str, Decimal], free: set[str]) -> dict[str, Decimal]:
    """Dollars that may still be added on one side: every other symbol of the universe is one to hold short."""
    ceiling = _SYMBOL_HIGH * seen.controls.max_symbol
    mine = seen.universe[::2] if sign > 0 else seen.universe[1::2]
    rooms = {s: ceiling - sign * values.get(s, ZERO) for s in mine if s in free}
    return {s: room for s, room in rooms.items() if _SMALLEST * seen.controls.max_order <= room <= ceiling}


def _ticket(symbol: str, side: Side, dollars: Decimal, controls: Controls, market: Market) -> Ticket | None:
    if dollars < _SMALLEST * controls.max_order:
        return None
    qty = (dollars / market.price(symbol)).quantize(CENT, ROUND_DOWN)
    return Ticket(symbol, side, qty) if qty > 0 else None


def _reduction(symbol: str, dollars: Decimal, controls: Controls, book: Book, market: Market) -> Ticket | None:
    """Reduce a position by some dollars, one order's worth at most; what would be left as a crumb goes too."""
    held = book.positions[symbol].qty
    price = market.price(symbol)
    crumb = _SMALLEST * controls.max_order
    most = _BACK_TO * controls.max_order
    qty = min((min(max(dollars, crumb), most) / price).quantize(CENT, ROUND_DOWN), abs(held))
    if abs(held) * price <= most and (abs(held) - qty) * price < crumb:
        qty = abs(held)
    return Ticket(symbol, "sell" if held > 0 else "buy", qty) if qty > 0 else None
