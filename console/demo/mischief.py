"""Mischief: what is wrong at a demo venue until it is told to be calm again. Nothing is wrong at the beginning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from console.demo.hours import Phase

_BASIS_POINT: Final = Decimal("0.0001")


@dataclass(slots=True)
class Mischief:
    """One venue's faults that last; the parts of the floor share it and each looks at its own."""

    extra_cost: Decimal = Decimal(0)
    """Basis points by which every fill is worse."""
    partial_fills: bool = False
    """Orders fill in halves and the rest of each goes on working."""
    cancels_unanswered: bool = False
    """A cancel is taken and nothing comes of it, not even an answer."""
    cancels_halved: bool = False
    """Every second cancel of a sender is taken, and nothing comes of it."""
    cancels_seen: frozenset[str] = frozenset()
    cancels_lost: frozenset[str] = frozenset()
    """Orders whose cancel was asked for while they were halved, and those of them that get no answer."""
    reverts: bool = False
    """The deploying loop applies what ran before the newest change, and goes on doing so."""
    signals_stand_at: datetime | None = None
    """Trade signals carry this time for ever, while the process goes on."""
    feed_stands_at: datetime | None = None
    """Prices carry this time for ever, while the process that reads them goes on."""
    reconciliation_late: bool = False
    """The comparison with the broker does not run."""
    reconciliation_missing: bool = False
    """What the comparison found is gone, and nothing comes after it."""
    orders_too_large: bool = False
    """The strategy asks for more than the process's own limits allow."""
    broker_refuses: str = ""
    """The reason for which the broker takes no order."""
    idle: bool = False
    """The strategy sends nothing."""
    dark: bool = False
    """The process does not come back from its restart."""
    phase: Phase = Phase.OPEN
    """The phase of the session, whatever the calendar says."""
    early_close: bool = False
    """The exchange has closed before its time."""
    clock_offset: timedelta = timedelta()
    """How far the venue's clock is ahead of the true one."""
    label: str = ""
    """The account's label that is reported instead of its own."""
    environment: str = ""
    """The account's environment that is reported instead of its own: live or paper."""
    alert: str = ""
    """Name of an alert that fires."""

    def loses_cancel(self, order_id: str, sender: str) -> bool:
        """Whether a cancel gets no answer; an order that was lost once stays so until it is calm."""
        if self.cancels_unanswered:
            return True
        name = f"{sender}/{order_id}"
        if self.cancels_halved and name not in self.cancels_seen:
            earlier = sum(one.startswith(f"{sender}/") for one in self.cancels_seen)
            self.cancels_seen |= {name}
            self.cancels_lost |= {name} if earlier % 2 == 0 else frozenset()
        return name in self.cancels_lost

    def worse(self, price: Decimal, *, buy: bool) -> Decimal:
        """A price with the extra cost in it."""
        extra = price * self.extra_cost * _BASIS_POINT
        return price + extra if buy else price - extra
