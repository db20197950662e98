"""The machine's clocks and chance: the only place that reads them."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.config import MarketSettings

__all__ = ["RandomIdentifiers", "SystemClock"]


class SystemClock:
    """The machine's clocks; market time is the wall's unless the configuration gives the market one of its own."""

    def __init__(self, market: MarketSettings | None = None) -> None:
        self._market = market

    @property
    def speed(self) -> float:
        return self._market.speed if self._market else 1.0

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def market(self, wall: datetime) -> datetime:
        if self._market is None:
            return wall
        return self._market.start + (wall - self._market.anchor) * self._market.speed


class RandomIdentifiers:
    """Identifiers that nobody can guess."""

    def new(self) -> str:
        return uuid.uuid4().hex
