"""A venue of tests: what it remembers lies in a file, so that it outlives the process that asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from stages.refusal import Trouble
from stages.witness import OrderOutcome, Position, VenueReading


def nothing() -> None:
    """Nothing happens."""


@dataclass
class Broker:
    """A venue that blocks. ``deaf``: it does not let go; ``away``: it says nothing; ``letting_go``: called before."""

    file: Path
    deaf: bool = False
    away: bool = False
    letting_go: Callable[[], object] = nothing

    @property
    def blocked(self) -> bool:
        return self.file.exists()

    def read(self) -> VenueReading:
        if self.away:
            raise Trouble("the venue does not answer")
        left = (Position("NVDA", Decimal(8), Decimal(1413)),)
        return VenueReading("HERON", "live", self.blocked, (), left, None, datetime.now(UTC))

    def block(self) -> None:
        self.file.touch()

    def unblock(self) -> None:
        if self.deaf:
            raise Trouble("the venue does not answer")
        self.letting_go()
        self.file.unlink(missing_ok=True)

    def cancel_all(self) -> tuple[OrderOutcome, ...]:
        return ()
