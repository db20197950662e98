"""What can be done to a demo venue from outside: each fault is one function, and the venue is handed the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from console.demo.floor import Floor

Fault = Callable[[Floor, datetime], str]
"""Changes the floor and says in a few words what happened."""

_BEYOND = Decimal("1.18")  # of the gross limit


def gap(floor: Floor, now: datetime) -> str:
    """Prices of held names jump until gross is past its limit, without any order; trading in them then pauses.

    Longs and shorts gain the same dollars, so that net and the day's profit stay where they are.
    """
    exposure, deployed = floor.book.exposure(floor.market), floor.app.deployed
    if deployed is None or exposure.gross == 0:
        return "nothing held, nothing moved"
    missing = deployed.controls.max_gross * _BEYOND - exposure.gross
    if missing <= 0:
        return "gross is past its limit already"
    both = exposure.long > 0 and exposure.short < 0
    share = missing / 2 if both else missing
    held = list(floor.book.positions.items())
    for symbol, position in held:
        side = exposure.long if position.qty > 0 else -exposure.short
        floor.market.gap(symbol, 1 + share / side)
    names = [symbol for symbol, _ in held]
    for order in list(floor.book.orders.values()):
        if order.ticket.symbol in names:
            floor.book.cancel(order.id)
    floor.market.pause(names, now + timedelta(seconds=floor.pace.pause_seconds))
    return f"{', '.join(names)} gapped up: gross {floor.book.exposure(floor.market).gross} $"


def calm(floor: Floor, _now: datetime) -> str:
    """Ends every pause; prices stay where they are."""
    floor.market.resume()
    return "trading resumed"


def known_faults() -> Mapping[str, Fault]:
    """Every fault by the name that ``inject`` takes."""
    return MappingProxyType({"gap": gap, "calm": calm})
