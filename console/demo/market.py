"""Prices of the demo: a seeded walk around an anchor per symbol, reproducible by seed and number of steps."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

CENT = Decimal("0.01")

LISTINGS: Mapping[str, Decimal] = MappingProxyType(
    {
        "NVDA": Decimal("182.40"),
        "AMD": Decimal("164.10"),
        "MU": Decimal("121.75"),
        "AVGO": Decimal("338.20"),
        "MRVL": Decimal("84.35"),
        "WDC": Decimal("76.90"),
        "CRDO": Decimal("131.60"),
        "COHR": Decimal("112.25"),
        "LITE": Decimal("158.45"),
        "SNDK": Decimal("97.80"),
    }
)
"""Where each symbol's walk begins, in dollars."""

# The stretch is counted in hundredths of a basis point, so the walk needs no floating point.
_STRETCH_PER_ONE = 1_000_000
_STEP = 400  # the largest move of one step: 4 bp
_PULL = 240  # steps in which a stretch decays by about two thirds


class Market:
    """Quoted prices; one step is one trading second."""

    def __init__(self, seed: int, listings: Mapping[str, Decimal] = LISTINGS) -> None:
        self._random = random.Random(f"{seed}/market")
        self._anchor = dict(listings)
        self._stretch = dict.fromkeys(listings, 0)
        self._paused_until: dict[str, datetime] = {}
        self.steps = 0

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every listed symbol."""
        return tuple(self._anchor)

    def step(self, now: datetime) -> None:
        """Move every price that is not paused. A pause uses up its draw, so that the other walks do not change."""
        self._paused_until = {symbol: until for symbol, until in self._paused_until.items() if until > now}
        for symbol, stretch in self._stretch.items():
            move = self._random.randint(-_STEP, _STEP)
            if symbol not in self._paused_until:
                self._stretch[symbol] = stretch + move - stretch // _PULL
        self.steps += 1

    def price(self, symbol: str) -> Decimal:
        """The price in dollars and cents; KeyError for a symbol that is not listed."""
        return (self._anchor[symbol] * (1 + Decimal(self._stretch[symbol]) / _STRETCH_PER_ONE)).quantize(CENT)

    def stretch(self, symbol: str) -> int:
        """How far the price stands above its anchor, in hundredths of a basis point: what the strategy trades on."""
        return self._stretch[symbol]

    def gap(self, symbol: str, factor: Decimal) -> None:
        """Jump one price for good: the anchor moves with it, so the walk does not come back."""
        self._anchor[symbol] *= factor

    def pause(self, symbols: Iterable[str], until: datetime) -> None:
        """Stop trading in these symbols, as an exchange does after a jump: prices stand, nothing fills."""
        self._paused_until.update(dict.fromkeys(symbols, until))

    def resume(self) -> None:
        """End every pause."""
        self._paused_until.clear()

    def paused(self, symbol: str) -> bool:
        """Whether the symbol is in a pause, as of the last step."""
        return symbol in self._paused_until
