"""How far long work is, told to whoever waits for it: strides of different kinds, or pieces of one kind by number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from stages.refusal import Trouble

Piece = TypeVar("Piece")

Tell = Callable[[str], object]
"""Hears the name of each stride as it begins; called in the thread that works."""

PLANNING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fetch": "fetches the newest head of the branch",
        "plan": "reads the manifests, splices the new values, proves the rest unchanged",
        "gates": "asks the gates: Git, ledger, signals, build, API server",
    }
)
"""What making a plan does, by name."""


def silent(_stride: str) -> None:
    """Tells nobody."""


class Tally:
    """How many pieces of long work are done: one thread works, another looks and may stop it."""

    def __init__(self) -> None:
        self.done = 0
        self.stopped = False

    def stop(self) -> None:
        """Ends the work before its next piece."""
        self.stopped = True

    def over(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The pieces, counted as they are taken. Raises Trouble once it was stopped."""
        for piece in pieces:
            if self.stopped:
                raise Trouble(f"stopped after {self.done:,}")
            yield piece
            self.done += 1
