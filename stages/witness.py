"""Witnesses: what Git intends, what the runtime answers, what the venue says. Unknown is never agreement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from stages.ladder import Value
from stages.value import Struct, field


class GitReading(Struct, frozen=True):
    """The branch's head as last fetched; ``error`` is set when the last fetch failed, and head is the last known."""

    head: str
    fetched_at: datetime
    author: str = ""
    committed_at: datetime | None = None
    values: Mapping[str, Value | None] = field(default_factory=dict)
    """Value of each control at head; None is absent."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Controls whose bindings could not be read, with the reason."""
    parted: tuple[str, ...] = ()
    """Digests that are not those of their documents."""
    trailers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


class RuntimeReading(Struct, frozen=True):
    """Readback of one control from the running system; ``value`` None with ``error`` set is unknown."""

    value: Value | None
    read_time: datetime
    event_time: datetime | None = None
    error: str = ""


class Order(Struct, frozen=True):
    """A working order at the venue."""

    order_id: str
    symbol: str
    side: str
    quantity: Decimal
    limit_price: Decimal | None
    since: datetime | None


class Position(Struct, frozen=True):
    """A position at the venue; quantity and market value are signed."""

    symbol: str
    quantity: Decimal
    market_value: Decimal


class VenueReading(Struct, frozen=True):
    """What the venue itself says of the account."""

    account_label: str
    environment: str
    blocked: bool
    open_orders: tuple[Order, ...]
    positions: tuple[Position, ...]
    cash: Decimal | None
    as_of: datetime
    error: str = ""


class OrderOutcome(Struct, frozen=True):
    """What became of one order that was asked to be cancelled: cancelled, filled, rejected or unknown."""

    order_id: str
    symbol: str
    side: str
    outcome: str
