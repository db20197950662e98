"""What can be done to a demo venue from outside: each fault is one function, and the venue is handed the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from console.demo.book import ZERO
from console.demo.floor import Floor

Fault = Callable[[Floor, datetime], str]
"""Changes the floor and says in a few words what happened."""

# Shares of the gross limit: where a gap takes the book, and what it must hold for one to strike.
_BEYOND = Decimal("1.18")
_AT_WORK = Decimal("0.50")


def gap(floor: Floor, now: datetime) -> str:
    """Prices of held names jump until gross is past its limit, without any order; trading in them then pauses.

    Where the book is not at work yet, the jump waits until it is.
    """
    if _gap_now(floor, now):
        return f"{', '.join(floor.book.positions)} gapped up: gross {floor.book.exposure(floor.market).gross} $"
    floor.expect(_gap_now)
    return "armed: prices gap once the book is at work"


def calm(floor: Floor, _now: datetime) -> str:
    """Ends every pause and disarms what has not struck; prices stay where they are."""
    floor.expect_nothing()
    floor.market.resume()
    return "trading resumed"


def _gap_now(floor: Floor, now: datetime) -> bool:
    """Longs and shorts gain the same dollars, so that net and the day's profit stay where they are.

    False while the book is too small for that: a jump of several times the price would be nobody's market.
    """
    exposure, deployed = floor.book.exposure(floor.market), floor.app.deployed
    if deployed is None or not exposure.long > 0 > exposure.short:
        return False
    limit = deployed.controls.max_gross
    if exposure.gross < _AT_WORK * limit:
        return False
    gain = max(limit * _BEYOND - exposure.gross, ZERO) / 2
    for symbol, position in floor.book.positions.items():
        floor.market.gap(symbol, 1 + gain / (exposure.long if position.qty > 0 else -exposure.short))
    for order in list(floor.book.orders.values()):
        if order.ticket.symbol in floor.book.positions:
            floor.book.cancel(order.id)
    floor.market.pause(list(floor.book.positions), now + timedelta(seconds=floor.pace.pause_seconds))
    return True


def known_faults() -> Mapping[str, Fault]:
    """Every fault by the name that ``inject`` takes."""
    return MappingProxyType({"gap": gap, "calm": calm})
