"""The trading process's own ledger, built from the order feed, and its comparison with the broker's book."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile

from console.demo.book import ZERO, Book, Fill, Quotes
from stages.value import Struct

EVERY = timedelta(seconds=15)
_SAME_CASH = Decimal("0.01")


class Residual(Struct, frozen=True):
    """One difference between the ledger and the broker."""

    path: str
    classification: str
    ledger: Decimal
    broker: Decimal


class Verdict(Struct, frozen=True):
    """What the last comparison found."""

    at: datetime
    residuals: tuple[Residual, ...]
    ledger_cash: Decimal
    broker_cash: Decimal
    broker_equity: Decimal
    open_orders: int


class Reconciliation:
    """Follows the broker's fills and checks every 15 real seconds that both sides hold the same."""

    def __init__(self, cash: Decimal) -> None:
        self.updates = 0
        self.verdict: Verdict | None = None
        self._cash = cash
        self._held: dict[str, Decimal] = {}
        self._seen = 0

    @property
    def held(self) -> Mapping[str, Decimal]:
        """Signed shares by symbol, as the ledger has them."""
        return self._held

    def read_feed(self, book: Book) -> Iterator[Fill]:
        """Enter the fills that are new since the last call, and hand each on."""
        fresh = list(takewhile(lambda fill: fill.seq > self._seen, reversed(book.fills)))
        for fill in reversed(fresh):
            signed = fill.qty if fill.ticket.side == "buy" else -fill.qty
            held = self._held.get(fill.ticket.symbol, ZERO) + signed
            self._held[fill.ticket.symbol] = held
            if held == 0:
                del self._held[fill.ticket.symbol]
            self._cash -= signed * fill.price + fill.fee
            self._seen = fill.seq
            yield fill

    def run(self, book: Book, quotes: Quotes, now: datetime) -> None:
        """Compare, when the last comparison is old enough."""
        if self.verdict is not None and now - self.verdict.at < EVERY:
            return
        self.updates += 1
        self.verdict = Verdict(
            at=now,
            residuals=tuple(self._compare(book)),
            ledger_cash=self._cash,
            broker_cash=book.cash,
            broker_equity=book.equity(quotes),
            open_orders=len(book.orders),
        )

    def lose(self) -> None:
        """Forget what the last comparison found, as when nothing was ever written down."""
        self.verdict = None

    def _compare(self, book: Book) -> Iterator[Residual]:
        broker = book.holdings()
        for symbol in sorted(self._held.keys() | broker.keys()):
            ours, theirs = self._held.get(symbol, ZERO), broker.get(symbol, ZERO)
            if ours != theirs:
                yield Residual(f"positions.{symbol}", _difference(ours, theirs), ours, theirs)
        if abs(self._cash - book.cash) >= _SAME_CASH:
            yield Residual("cash", "broker_cash_mismatch", self._cash, book.cash)


def _difference(ours: Decimal, theirs: Decimal) -> str:
    if theirs == 0:
        return "ledger_position_missing_from_broker"
    return "broker_position_missing_from_ledger" if ours == 0 else "broker_position_quantity_mismatch"
