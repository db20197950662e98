"""Pairing: an intent and what became of it. An intent without an outcome is an act of which nobody knows the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stages.entries import Entry
from stages.value import Struct

UNKNOWN: Final = "OUTCOME UNKNOWN"
ENDS: Final = frozenset({"outcome", "converged", "diverged"})
"""Kinds that say how an intent ended; the last one stands."""


class Ending(Struct, frozen=True):
    """How an intent ended: the word, and the entry that says so (0: none does)."""

    word: str
    seq: int = 0

    @property
    def known(self) -> bool:
        """Whether anybody knows how it ended."""
        return self.word != UNKNOWN


NO_ENDING: Final = Ending(UNKNOWN)


def endings(companions: Iterable[Entry]) -> dict[str, Ending]:
    """The ending of each intent among entries that are in order; whoever asks for another gets ``NO_ENDING``.

    Only an outcome ends an intent: what was read back later refines it, and alone proves nothing about the act.
    """
    found: dict[str, Ending] = {}
    for entry in companions:
        if entry.intent is None or entry.kind not in ENDS:
            continue
        if entry.kind == "outcome":
            said = str(entry.body.get("outcome") or "unknown")
            found[entry.intent] = Ending(UNKNOWN if said == "unknown" else said, entry.seq)
        elif found.get(entry.intent, NO_ENDING).known:
            found[entry.intent] = Ending(entry.kind, entry.seq)
    return found
