"""The floor of one account: market, book and trading process move on together, one step per trading second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from console.demo.application import Account, Application
from console.demo.book import Book
from console.demo.controls import Deployed
from console.demo.market import Market


@dataclass(frozen=True, slots=True)
class Pace:
    """Real seconds: how long a restart keeps the process dark, and how long trading pauses after a jump in prices."""

    restart_seconds: float = 4.0
    pause_seconds: float = 40.0


class Floor:
    """Not thread-safe: whoever calls holds the venue's lock. Times are handed in."""

    def __init__(self, account: Account, seed: int, pace: Pace, now: datetime) -> None:
        self.account = account
        self.pace = pace
        self.market = Market(seed)
        self.book = Book(seed, account.cash)
        self.app = Application(account, seed, pace.restart_seconds)
        self.as_of = now
        self.session_open = True
        self._expected: list[Callable[[Floor, datetime], bool]] = []

    def advance(self, steps: int, now: datetime, monotonic: float) -> None:
        """Move the market and the book on by some steps; the trading process takes part unless it is restarting."""
        up = self.app.up(monotonic)
        for _ in range(steps):
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

    def expect_nothing(self) -> None:
        """Forget the events that have not happened yet."""
        self._expected.clear()

    def apply(self, deployed: Deployed, monotonic: float) -> str:
        """Hand a revision to the trading process; see Application.apply for the answer."""
        return self.app.apply(deployed, monotonic)
