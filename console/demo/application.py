"""The demo's trading process: trades a book within its controls, counts what it did, and is dark while it restarts."""

from __future__ import annotations

import random
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from console.demo.book import ZERO, Book, Fill, Order, OrderRefused, Ticket
from console.demo.controls import Controls, Deployed
from console.demo.hours import Phase
from console.demo.market import Market
from console.demo.mischief import Mischief
from console.demo.reconciliation import Reconciliation
from console.demo.strategy import Situation, Strategy
from stages.value import Struct, field, replace

BASIS_POINT = Decimal("0.0001")
_MINUTE = 60  # steps
_BAR = 5  # steps
_TOO_LARGE = 20  # times what the strategy wants: beyond the limit for the smallest order that it sends
_OVER_MAX_ORDER = "max_notional_per_trade_exceeded"


class Account(Struct, frozen=True):
    """The broker account as the broker reports it; cash in dollars at the start of the day."""

    label: str
    environment: str
    cash: Decimal


@dataclass(slots=True)
class Costs:
    """Sums over filled orders, in basis points (harm positive) and dollars."""

    orders: int = 0
    slippage: Decimal = ZERO
    slippage_abs: Decimal = ZERO
    shortfall: Decimal = ZERO
    shortfall_dollars: Decimal = ZERO
    notional: Decimal = ZERO

    def add(self, slippage: Decimal, shortfall: Decimal, notional: Decimal) -> None:
        """Count one filled order."""
        self.orders += 1
        self.slippage += slippage
        self.slippage_abs += abs(slippage)
        self.shortfall += shortfall
        self.shortfall_dollars += shortfall * BASIS_POINT * notional
        self.notional += notional


class Run(Struct):
    """What lives in the memory of one process: a restart begins it anew."""

    started_at: datetime
    last_run_at: datetime
    submitted: int = 0
    rejected: int = 0
    reject_reasons: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    """Orders that the process's own limits held back; the broker never saw them."""
    signals_at: datetime | None = None
    microbars_at: datetime | None = None
    market_data_lag_ms: int = 0
    largest_order: Decimal = ZERO  # of this run: an order sent under higher limits is no breach of lower ones


class Measured(Struct, frozen=True):
    """What one filled order cost against its arrival price, in basis points (harm positive)."""

    symbol: str
    slippage: Decimal


class Records(Struct):
    """What the process writes to its database, so that a restart keeps it."""

    sent: int = 0
    measured: deque[Measured] = field(default_factory=lambda: deque(maxlen=500))
    costs: Costs = field(default_factory=Costs)
    by_symbol: dict[str, Costs] = field(default_factory=dict)
    computed_at: datetime | None = None
    last_order: Order | None = None
    last_decision_at: datetime | None = None
    feed_at: datetime | None = None
    flat_at: datetime | None = None
    own_orders: set[str] = field(default_factory=set)


class Application:
    """One trading process on one account."""

    def __init__(self, account: Account, seed: int, restart_seconds: float, mischief: Mischief | None = None) -> None:
        self.account = account
        self.mischief = mischief or Mischief()
        self.records = Records()
        self.reconciliation = Reconciliation(account.cash)
        self.deployed: Deployed | None = None
        self._earlier: Deployed | None = None
        self.run: Run | None = None
        self.high_water = account.cash
        self._strategy = Strategy(seed)
        self._random = random.Random(f"{seed}/application")
        self._restart_seconds = restart_seconds
        self._up_from = 0.0
        self._partial: dict[str, list[Fill]] = {}
        self._recent: deque[int] = deque()

    def apply(self, deployed: Deployed, monotonic: float) -> str:
        """Take over a revision; returns ``started``, ``restarting``, ``reloaded`` or ``unchanged``.

        Only the environment needs a restart, and the first start is immediate.
        """
        before = self.deployed
        if before is not None and self.mischief.reverts:
            deployed = replace(before, revision=deployed.revision)
        self.deployed = deployed
        if before is None:
            return "started"
        if before.env != deployed.env:
            self._earlier = before
            self.restart(monotonic)
            return "restarting"
        same = (before.catalog, before.feed) == (deployed.catalog, deployed.feed)
        return "unchanged" if same else "reloaded"

    def revert(self, monotonic: float) -> bool:
        """Restart with the environment from before the newest change, under the newest revision's name."""
        if self.deployed is None or self._earlier is None:
            return False
        self.deployed = replace(self._earlier, revision=self.deployed.revision)
        self.restart(monotonic)
        return True

    def restart(self, monotonic: float) -> None:
        """End the process; another one is up after the time that a restart takes."""
        self._up_from = monotonic + self._restart_seconds
        self.run = None

    def up(self, monotonic: float) -> bool:
        """Whether the process answers and trades: it has been told how to, and no restart is under way."""
        return self.deployed is not None and monotonic >= self._up_from and not self.mischief.dark

    def may_submit(self, controls: Controls) -> bool:
        """Whether orders that add risk may go out: on paper always, on a live account in live mode with submit on."""
        return self.account.environment == "paper" or (controls.mode == "live" and controls.submit)

    def must_leave(self, controls: Controls) -> bool:
        """Whether the book is to become flat: a live account in paper mode is left. Submit off alone only holds."""
        return self.account.environment == "live" and controls.mode == "paper"

    def step(self, market: Market, book: Book, now: datetime) -> None:
        """Decide once on the market's current step, and send what was decided."""
        run, deployed = self._begin(now), self.deployed
        if deployed is None:
            return
        controls = deployed.controls
        self._read_feeds(run, market, now)
        while self._recent and self._recent[0] <= market.steps - _MINUTE:
            self._recent.popleft()
        if controls.kill_switch:
            for order in self.own_orders(book):
                book.cancel(order.id)
            return
        ticket = self._decide(deployed, market, book)
        if ticket is not None:
            self._send(ticket, controls, run, market, book, now)

    def _read_feeds(self, run: Run, market: Market, now: datetime) -> None:
        """Trade signals and prices as they come in, or as they stand still."""
        wrong = self.mischief
        lag = 20 + self._random.randrange(60)
        run.signals_at = wrong.signals_stand_at or now
        if wrong.feed_stands_at is not None:
            run.microbars_at = wrong.feed_stands_at
            run.market_data_lag_ms = lag + (now - wrong.feed_stands_at) // timedelta(milliseconds=1)
            return
        run.market_data_lag_ms = lag
        if run.microbars_at is None or market.steps % _BAR == 0:
            run.microbars_at = now

    def _decide(self, deployed: Deployed, market: Market, book: Book) -> Ticket | None:
        """What the strategy wants to send now; nothing while it is idle or the day is over."""
        wrong, controls = self.mischief, deployed.controls
        if wrong.idle or wrong.phase is Phase.FLAT:
            return None
        open_to_risk = self.may_submit(controls) and not controls.reduce_only and not wrong.phase.entry_block
        seen = Situation(
            controls=controls,
            universe=deployed.universe,
            exposure=book.exposure(market),
            profit=self.day_profit(book, market),
            may_add=open_to_risk,
            wind_down=self.must_leave(controls) or wrong.phase.ending,
        )
        ticket = self._strategy.decide(seen, book, market)
        return replace(ticket, qty=ticket.qty * _TOO_LARGE) if ticket and wrong.orders_too_large else ticket

    def _send(self, ticket: Ticket, controls: Controls, run: Run, market: Market, book: Book, now: datetime) -> None:
        """Hold the order against the process's own limit, then hand it to the broker."""
        self.records.last_decision_at = now
        if ticket.qty * market.price(ticket.symbol) > controls.max_order:
            run.refused += 1
            run.reject_reasons[_OVER_MAX_ORDER] += 1
            return
        try:
            order = book.submit(ticket, market, now)
        except OrderRefused as refused:
            run.rejected += 1
            run.reject_reasons[str(refused)] += 1
            return
        run.submitted += 1
        self.records.sent += 1
        self._recent.append(market.steps)
        self.records.own_orders.add(order.id)
        self.records.last_order = order
        run.largest_order = max(run.largest_order, order.arrival * ticket.qty)

    def cycle(self, market: Market, book: Book, now: datetime) -> None:
        """Read the order feed, reconcile when it is time, and say that the cycle has run."""
        run = self._begin(now)
        run.last_run_at = self.records.feed_at = now
        for fill in self.reconciliation.read_feed(book):
            self._measure(fill, now)
        if not self.mischief.reconciliation_late and not self.mischief.reconciliation_missing:
            self.reconciliation.run(book, market, now)
        self.high_water = max(self.high_water, book.equity(market))
        self.records.own_orders &= book.orders.keys()
        if not self.mischief.phase.ending:
            self.records.flat_at = None
        elif not book.positions:
            self.records.flat_at = self.records.flat_at or now

    def forget(self) -> None:
        """Begin the day's counts anew, as in the first minutes of a first day; book and positions stay."""
        self.records = Records(own_orders=self.records.own_orders, feed_at=self.records.feed_at)
        if self.run is not None:
            self.run = Run(self.run.started_at, self.run.last_run_at, signals_at=self.run.signals_at)
        self._recent.clear()
        self._partial.clear()

    def day_profit(self, book: Book, market: Market) -> Decimal:
        """Dollars since the start of the day, fees paid."""
        return book.equity(market) - self.account.cash

    def own_orders(self, book: Book) -> list[Order]:
        """The working orders that this process sent: what others sent to the account it does not know."""
        return [order for order in book.orders.values() if order.id in self.records.own_orders]

    def orders_per_minute(self) -> int:
        """Orders sent in the last 60 trading seconds."""
        return len(self._recent)

    def _begin(self, now: datetime) -> Run:
        if self.run is None:
            self.run = Run(started_at=now, last_run_at=now)
        return self.run

    def _measure(self, fill: Fill, now: datetime) -> None:
        """The cost of an order against the price at its arrival, once it is filled in full."""
        if fill.ticket.source != "app":
            return
        fills = [*self._partial.pop(fill.order_id, []), fill]
        if not fill.completes:
            self._partial[fill.order_id] = fills
            return
        qty = sum((part.qty for part in fills), ZERO)
        paid = sum((part.qty * part.price for part in fills), ZERO)
        sign = 1 if fill.ticket.side == "buy" else -1
        slippage = sign * (paid / qty - fill.arrival) / fill.arrival / BASIS_POINT
        # The signal was a moment older than the order: that moment's price move counts as cost too.
        shortfall = slippage + Decimal(self._random.randint(0, 15)) / 10
        for costs in (self.records.costs, self.records.by_symbol.setdefault(fill.ticket.symbol, Costs())):
            costs.add(slippage, shortfall, paid)
        self.records.measured.append(Measured(fill.ticket.symbol, slippage))
        self.records.computed_at = now
