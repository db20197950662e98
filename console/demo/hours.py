"""Hours: the phase of its session in which a demo venue is, as the exchange and the trading process tell it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Phase(StrEnum):
    """Where the day stands; the values are what the venue serves."""

    OPEN = "open"
    ENTRY_CUTOFF = "entry-cutoff"
    """Nothing is added any more; what is held may stay."""
    FLATTEN = "flatten"
    """The process leaves its book."""
    FLAT = "flat"
    """The book was to be flat by now; nothing is sent any more, so that what is left stays until somebody comes."""
    HALTED = "halted"
    """The exchange has stopped all trading within its session."""
    CLOSED = "closed"

    @property
    def trades(self) -> bool:
        """Whether prices move and orders fill."""
        return self not in (Phase.HALTED, Phase.CLOSED)

    @property
    def ending(self) -> bool:
        """Whether the book is to be flat in this phase, or to become so."""
        return self in (Phase.FLATTEN, Phase.FLAT, Phase.CLOSED)

    @property
    def entry_block(self) -> str:
        """Why no order that adds risk goes out; empty while it may."""
        return _ENTRY_BLOCKS.get(self, "")


_ENTRY_BLOCKS: Final[Mapping[Phase, str]] = MappingProxyType(
    {
        Phase.ENTRY_CUTOFF: "entry_cutoff_passed",
        Phase.FLATTEN: "session_flattening",
        Phase.FLAT: "flat_deadline_passed",
        Phase.HALTED: "market_halted",
        Phase.CLOSED: "market_closed",
    }
)
