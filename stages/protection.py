"""Protection: which working orders stand in the market to close a position, so that cancelling them is a loss."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from stages.witness import Order, Position


def protective(orders: Sequence[Order], positions: Sequence[Position]) -> tuple[Order, ...]:
    """Orders that would make an open position smaller: a sell against a long one, a buy against a short one."""
    held = {position.symbol: position.quantity for position in positions}
    return tuple(order for order in orders if _closes(order, held.get(order.symbol, Decimal(0))))


def _closes(order: Order, held: Decimal) -> bool:
    return held > 0 if order.side == "sell" else held < 0 if order.side == "buy" else False
