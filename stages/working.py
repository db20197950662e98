"""Working orders as people see them: oldest first, and those that the application does not know marked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from stages.policy import Policy
from stages.signals import LIVE_BOOK, SignalKey, Snapshot
from stages.value import Struct
from stages.verdict import Row, RowState
from stages.witness import Order


class Whose(StrEnum):
    """Whose order the venue works."""

    OWN = "working"
    UNKNOWN = "UNKNOWN: nobody here sent it"
    NEW = "new, not in the app's list yet"
    UNTOLD = "not known whose"
    """Nothing tells which orders are the application's."""


class Working(Struct, frozen=True):
    """One order that the venue works. ``age`` in seconds, None when the venue does not say since when."""

    order_id: str
    age: float | None
    side: str
    symbol: str
    quantity: Decimal
    price: Decimal | None
    """The limit; None at the market."""
    whose: Whose


def working(policy: Policy, snapshot: Snapshot, rows: Sequence[Row]) -> tuple[Working, ...] | None:
    """The venue's working orders, oldest first; None while the venue is not read."""
    venue = snapshot.venue
    if venue is None or venue.error:
        return None
    key = SignalKey(LIVE_BOOK, policy.spec.own_orders or "")
    known = next((row for row in rows if row.key == key and row.state in (RowState.OK, RowState.INFO)), None)
    oldest_first = sorted(venue.open_orders, key=lambda order: (order.since or snapshot.wall, order.order_id))
    return tuple(
        Working(
            order_id=one.order_id,
            age=None if one.since is None else (snapshot.wall - one.since).total_seconds(),
            side=one.side,
            symbol=one.symbol,
            quantity=one.quantity,
            price=one.limit_price,
            whose=_whose(one, known),
        )
        for one in oldest_first
    )


def _whose(order: Order, known: Row | None) -> Whose:
    """An order that is younger than the application's list cannot be in it, and is no stranger for that."""
    if known is None or known.event_time is None:
        return Whose.UNTOLD
    if order.order_id in known.text.split(","):
        return Whose.OWN
    return Whose.NEW if order.since is None or order.since >= known.event_time else Whose.UNKNOWN
