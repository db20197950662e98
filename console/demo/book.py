"""The demo broker's book: orders that work for some seconds, fills, positions, cash, and a block on new orders."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from console.demo.market import CENT
from console.demo.mischief import Mischief
from stages.value import Struct

Side = Literal["buy", "sell"]
Source = Literal["app", "external"]

ZERO = Decimal(0)
_FEE_RATE = Decimal("0.00002")  # of the notional
_TENTH_BP = Decimal("0.00001")


class Quotes(Protocol):
    """What the book must know of the market."""

    @property
    def steps(self) -> int: ...
    def price(self, symbol: str) -> Decimal: ...
    def paused(self, symbol: str) -> bool: ...


class OrderRefused(Exception):
    """The broker does not take the order; the text is the reason it gives."""


class Ticket(Struct, frozen=True):
    """An order as it is asked for: quantity in shares, limit in dollars (absent: at the market)."""

    symbol: str
    side: Side
    qty: Decimal
    limit: Decimal | None = None
    source: Source = "app"


@dataclass(slots=True)
class Order:
    """An order that works at the broker."""

    id: str
    ticket: Ticket
    arrival: Decimal
    submitted_at: datetime
    fills_on: list[int]
    filled: Decimal = ZERO

    @property
    def remaining(self) -> Decimal:
        """Shares not filled yet."""
        return self.ticket.qty - self.filled

    @property
    def signed(self) -> Decimal:
        """Shares not filled yet, negative for a sale."""
        return self.remaining if self.ticket.side == "buy" else -self.remaining


class Fill(Struct, frozen=True):
    """A trade, or a part of one. ``completes`` says that the order has nothing left to fill."""

    seq: int
    order_id: str
    ticket: Ticket
    qty: Decimal
    price: Decimal
    arrival: Decimal
    fee: Decimal
    at: datetime
    completes: bool


@dataclass(slots=True)
class Position:
    """Shares held (negative: short) and their average cost in dollars."""

    qty: Decimal = ZERO
    cost: Decimal = ZERO

    def trade(self, qty: Decimal, price: Decimal) -> Decimal:
        """Add signed shares at a price; returns the dollars that this realises."""
        closing = min(abs(qty), abs(self.qty)) if qty * self.qty < 0 else ZERO
        realised = closing * (price - self.cost) * (1 if self.qty > 0 else -1)
        after = self.qty + qty
        if qty * self.qty >= 0:
            self.cost = (abs(self.qty) * self.cost + abs(qty) * price) / abs(after)
        elif after * self.qty < 0:
            self.cost = price
        self.qty = after
        return realised


class Exposure(Struct, frozen=True):
    """Dollars at the market: ``short`` is negative, ``if_all_fill`` counts working orders that would add risk."""

    gross: Decimal
    if_all_fill: Decimal
    net: Decimal
    long: Decimal
    short: Decimal
    largest: tuple[str, Decimal] | None


@dataclass(slots=True)
class Book:
    """One account. Nothing here knows the strategy: it goes on while the trading process is down."""

    seed: int
    start_cash: Decimal
    mischief: Mischief = field(default_factory=Mischief)
    cash: Decimal = field(init=False)
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    blocked: str | None = None
    orders: dict[str, Order] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    fills: deque[Fill] = field(default_factory=lambda: deque(maxlen=10_000))
    _random: random.Random = field(init=False)
    _order_count: int = 0
    _fill_count: int = 0

    def __post_init__(self) -> None:
        self.cash = self.start_cash
        self._random = random.Random(f"{self.seed}/book")

    def submit(self, ticket: Ticket, quotes: Quotes, now: datetime) -> Order:
        """Take an order, or raise OrderRefused: with the block's own reason while the account is blocked."""
        if self.blocked is not None:
            raise OrderRefused(self.blocked)
        if self.mischief.broker_refuses:
            raise OrderRefused(self.mischief.broker_refuses)
        try:
            arrival = quotes.price(ticket.symbol)
        except KeyError:
            raise OrderRefused("symbol_not_listed") from None
        if ticket.qty <= 0:
            raise OrderRefused("quantity_not_positive")
        self._order_count += 1
        last = quotes.steps + self._random.randint(2, 6)
        first = quotes.steps + 1 if self._random.randrange(3) == 0 else last
        order = Order(f"ord-{self._order_count:06d}", ticket, arrival, now, sorted({first, last}))
        self.orders[order.id] = order
        return order

    def cancel(self, order_id: str) -> Order | None:
        """Cancel a working order; None when no such order works (any more)."""
        return self.orders.pop(order_id, None)

    def book_share(self, symbol: str, price: Decimal) -> None:
        """Book one share at a price without any fill, as a broker's correction does."""
        position = self.positions.setdefault(symbol, Position())
        self.realized += position.trade(Decimal(1), price)
        self.cash -= price
        if position.qty == 0:
            del self.positions[symbol]

    def step(self, quotes: Quotes, now: datetime) -> None:
        """Fill what is due at the market's current step."""
        for order in list(self.orders.values()):
            if quotes.paused(order.ticket.symbol) or not order.fills_on or order.fills_on[0] > quotes.steps:
                continue
            price = self._fill_price(order, quotes.price(order.ticket.symbol))
            if price is None:
                continue
            order.fills_on.pop(0)
            whole = not order.fills_on and not self.mischief.partial_fills
            part = order.remaining if whole else (order.remaining / 2).quantize(CENT)
            self._fill(order, part, price, now)

    def _fill_price(self, order: Order, market: Decimal) -> Decimal | None:
        """The market price plus a seeded cost of -1 to +4 bp; None while a limit order is away from the market."""
        buy = order.ticket.side == "buy"
        limit = order.ticket.limit
        if limit is not None and (market > limit if buy else market < limit):
            return None
        cost = market * self._random.randint(-10, 40) * _TENTH_BP
        return self.mischief.worse(market + (cost if buy else -cost), buy=buy)

    def _fill(self, order: Order, qty: Decimal, price: Decimal, now: datetime) -> None:
        price = price.quantize(Decimal("0.0001"))
        signed = qty if order.ticket.side == "buy" else -qty
        fee = (qty * price * _FEE_RATE).quantize(Decimal("0.0001"))
        position = self.positions.setdefault(order.ticket.symbol, Position())
        self.realized += position.trade(signed, price)
        if position.qty == 0:
            del self.positions[order.ticket.symbol]
        self.cash -= signed * price + fee
        self.fees += fee
        order.filled += qty
        if order.remaining <= 0:
            del self.orders[order.id]
        self._fill_count += 1
        done = order.id not in self.orders
        self.fills.append(Fill(self._fill_count, order.id, order.ticket, qty, price, order.arrival, fee, now, done))

    def exposure(self, quotes: Quotes) -> Exposure:
        """The book at current prices."""
        values = {symbol: position.qty * quotes.price(symbol) for symbol, position in self.positions.items()}
        gross = sum((abs(value) for value in values.values()), ZERO)
        net = sum(values.values(), ZERO)
        largest = max(values, key=lambda symbol: abs(values[symbol]), default=None)
        return Exposure(
            gross=gross.quantize(CENT),
            if_all_fill=(gross + self._working_risk(quotes)).quantize(CENT),
            net=net.quantize(CENT),
            long=((gross + net) / 2).quantize(CENT),
            short=((net - gross) / 2).quantize(CENT),
            largest=None if largest is None else (largest, abs(values[largest]).quantize(CENT)),
        )

    def _working_risk(self, quotes: Quotes) -> Decimal:
        """Dollars of exposure that working orders would add at worst: only the worse side of each symbol fills."""
        buys: dict[str, Decimal] = {}
        sells: dict[str, Decimal] = {}
        for order in self.orders.values():
            side = buys if order.ticket.side == "buy" else sells
            side[order.ticket.symbol] = side.get(order.ticket.symbol, ZERO) + order.remaining
        total = ZERO
        for symbol in buys.keys() | sells.keys():
            held = self.positions[symbol].qty if symbol in self.positions else ZERO
            worst = max(abs(held + buys.get(symbol, ZERO)), abs(held - sells.get(symbol, ZERO)))
            total += max(worst - abs(held), ZERO) * quotes.price(symbol)
        return total

    def open_profit(self, quotes: Quotes) -> Decimal:
        """Dollars gained on positions that are still held."""
        gains = (position.qty * (quotes.price(symbol) - position.cost) for symbol, position in self.positions.items())
        return sum(gains, ZERO)

    def equity(self, quotes: Quotes) -> Decimal:
        """Cash and positions at current prices, in dollars."""
        return self.cash + sum((p.qty * quotes.price(symbol) for symbol, p in self.positions.items()), ZERO)

    def holdings(self) -> Mapping[str, Decimal]:
        """Signed shares by symbol."""
        return {symbol: position.qty for symbol, position in self.positions.items()}
