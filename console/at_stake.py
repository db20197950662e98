"""At stake: what is open by the venue's word; what is not known is never a bare number."""

from __future__ import annotations

from decimal import Decimal

from console.desk import Frame
from stages.ladder import Unit
from widgets.figures import number


def at_stake(frame: Frame | None, width: int) -> str:
    """``18,240 $ open, 2 orders working``; ``WHAT IS OPEN: not known, was 18,240 $`` once the venue is silent."""
    venue = frame.evaluation.snapshot.venue if frame is not None else None
    if frame is None or venue is None:
        return "WHAT IS OPEN: not known"
    held = sum((abs(position.market_value) for position in venue.positions), start=Decimal(0))
    if venue.error:
        was = f", was {number(held, Unit.USD)} $" if venue.positions else ""
        return f"WHAT IS OPEN: not known{was}"
    orders = len(venue.open_orders)
    working = f", {orders} order{'s' if orders != 1 else ''} working" if width >= 80 else ""
    return f"{number(held, Unit.USD)} $ open{working}"
