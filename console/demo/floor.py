"""The floor of one account: market, book and trading process move on together, one step per trading second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime

from console.demo.application import Account, Application
from console.demo.book import Book
from console.demo.controls import Deployed
from console.demo.hours import Phase
from console.demo.market import Market
from console.demo.mischief import Mischief
from stages.value import Struct, replace


class Pace(Struct, frozen=True):
    """Real seconds: how long a restart keeps the process dark, and how long trading pauses after a jump in prices."""

    restart_seconds: float = 4.0
    pause_seconds: float = 40.0


class Floor:
    """Not thread-safe: whoever calls holds the venue's lock. Times are handed in."""

    def __init__(self, account: Account, seed: int, pace: Pace, now: datetime) -> None:
        self._account = account
        self.mischief = Mischief()
        self.pace = pace
        self.market = Market(seed)
        self.book = Book(seed, account.cash, self.mischief)
        self.app = Application(account, seed, pace.restart_seconds, self.mischief)
        self.as_of = now
        self._monotonic = 0.0
        self._expected: list[Callable[[Floor, datetime], bool]] = []

    @property
    def account(self) -> Account:
        """The account as it is reported."""
        label, environment = self.mischief.label, self.mischief.environment
        own = self._account
        return replace(own, label=label or own.label, environment=environment or own.environment)

    @property
    def session_open(self) -> bool:
        """Whether the exchange has not closed; a halt is within the session."""
        return self.mischief.phase is not Phase.CLOSED

    def clock(self, wall: datetime) -> datetime:
        """What the venue's own clock shows at a wall time."""
        return wall + self.mischief.clock_offset

    def advance(self, steps: int, now: datetime, monotonic: float) -> None:
        """Move the market and the book on by some steps; the trading process takes part unless it is restarting.

        ``now`` is the time that the venue's own clock shows.
        """
        self._monotonic = monotonic
        up = self.app.up(monotonic)
        for _ in range(steps if self.mischief.phase.trades else 0):
            self.market.step(now)
            self.book.step(self.market, now)
            if up:
                self.app.step(self.market, self.book, now)
        self.as_of = now
        if up:
            self.app.cycle(self.market, self.book, now)
        self._expected = [event for event in self._expected if not event(self, now)]

    def expect(self, event: Callable[[Floor, datetime], bool]) -> None:
        """Try an event after every advance, until it says that it has happened."""
        self._expected.append(event)

    def calm(self) -> None:
        """End everything that is wrong, and forget the events that have not happened yet."""
        self._expected.clear()
        self.market.resume()
        if self.mischief.reverts:
            self.forget_revision()  # so that the loop applies again what it was kept from
        for part in fields(Mischief):
            setattr(self.mischief, part.name, part.default)

    def restart(self) -> None:
        """Restart the trading process as of the newest step; it is dark for as long as any restart takes."""
        self.app.restart(self._monotonic)

    def cancel(self, order_id: str) -> str:
        """What becomes of a cancel: ``cancelled``, ``unanswered``, or nothing where no such order works."""
        order = self.book.orders.get(order_id)
        if order is None:
            return ""
        if self.mischief.loses_cancel(order_id, order.ticket.source):
            return "unanswered"
        self.book.cancel(order_id)
        return "cancelled"

    def revert(self) -> bool:
        """The trading process runs what it ran before the newest change; False when nothing ran before."""
        self.mischief.reverts = self.app.revert(self._monotonic)
        return self.mischief.reverts

    def forget_revision(self) -> None:
        """The trading process no longer says which revision it runs; what it runs stays."""
        if self.app.deployed is not None:
            self.app.deployed = replace(self.app.deployed, revision="")

    def apply(self, deployed: Deployed, monotonic: float) -> str:
        """Hand a revision to the trading process; see Application.apply for the answer."""
        return self.app.apply(deployed, monotonic)
