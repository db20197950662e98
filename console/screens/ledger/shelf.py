"""The shelf: the few hundred entries around the eye, out of a ledger of any length.

Rows are kept newest first in one unbroken run that grows at the end which is read towards and is cut at the other, so
that memory stays the same however far one scrolls. The view hangs on the entry at its top: what arrives never moves it.
"""

from __future__ import annotations

from collections.abc import Mapping

from console.desk import Leaf
from stages.entries import StoredEntry
from stages.pairing import Ending
from stages.value import Struct, field, replace

PAGE = 200
"""Entries asked for at once."""
HELD = 600
"""Entries kept at most."""
NEAR = 100
"""How near to an end of the run the next page is asked for."""


class Shelf(Struct, frozen=True):
    """A run of entries, the view's top and the chosen entry, both by number."""

    rows: tuple[StoredEntry, ...] = ()
    endings: Mapping[str, Ending] = field(default_factory=dict)
    newest: bool = False
    """Whether nothing newer passes the filter than the run's first entry."""
    oldest: bool = False
    top: int = 0
    cursor: int = 0

    @property
    def chosen(self) -> StoredEntry | None:
        return next((row for row in self.rows if row.seq == self.cursor), None)

    def index(self, seq: int) -> int:
        """Where an entry stands in the run; where it would stand when it is not there."""
        return next((at for at, row in enumerate(self.rows) if row.seq <= seq), max(0, len(self.rows) - 1))

    # ------------------------------------------------------------------------------------------------------ filling

    def begin(self, leaf: Leaf, *, from_oldest: bool = False, at: int = 0, more_newer: bool = False) -> Shelf:
        """A new run, seen from its newest entry, from its oldest, or with the entry ``at`` chosen."""
        rows = leaf.entries
        if not rows:
            return Shelf(newest=True, oldest=True)
        cursor = rows[-1].seq if from_oldest else rows[0].seq
        shelf = Shelf(
            rows,
            leaf.endings,
            newest=not (leaf.more if from_oldest else more_newer),
            oldest=from_oldest or not leaf.more,
            top=cursor if from_oldest else rows[0].seq,
            cursor=cursor,
        )
        return shelf.choose(at) if at else shelf

    def older(self, leaf: Leaf) -> Shelf:
        """The run with a page below it; what is far above the view is let go."""
        rows = (*self.rows, *leaf.entries)
        cut = max(0, min(len(rows) - HELD, self.index(self.top)))
        return self._held(rows[cut:], leaf, newest=self.newest and not cut, oldest=not leaf.more)

    def newer(self, leaf: Leaf) -> Shelf:
        """The run with a page above it; what is far below the view is let go.

        A view deep down keeps its rows instead, and what came is read when one goes up again.
        """
        if len(leaf.entries) + self.index(self.cursor) + NEAR > HELD:
            return replace(self, newest=False)
        rows = (*leaf.entries, *self.rows)
        return self._held(rows[:HELD], leaf, newest=not leaf.more, oldest=self.oldest and len(rows) <= HELD)

    def _held(self, rows: tuple[StoredEntry, ...], leaf: Leaf, *, newest: bool, oldest: bool) -> Shelf:
        held = {row.entry.intent for row in rows if row.entry is not None}
        endings = {intent: ending for intent, ending in self.endings.items() if intent in held}
        shelf = replace(self, rows=rows, endings={**endings, **leaf.endings}, newest=newest, oldest=oldest)
        return shelf if shelf.top else replace(shelf, top=rows[0].seq if rows else 0, cursor=rows[0].seq if rows else 0)

    def lacks(self) -> str:
        """``older`` or ``newer`` when the chosen entry is near an end behind which there is more; else nothing."""
        at = self.index(self.cursor)
        if not self.oldest and len(self.rows) - at < NEAR:
            return "older"
        return "newer" if not self.newest and at < NEAR and self.rows else ""

    # ------------------------------------------------------------------------------------------------------- moving

    def move(self, step: int, room: int) -> Shelf:
        """The entry ``step`` rows further is chosen, and the view follows as little as it must."""
        if not self.rows:
            return self
        at = max(0, min(len(self.rows) - 1, self.index(self.cursor) + step))
        return replace(self, cursor=self.rows[at].seq).seen(room)

    def choose(self, seq: int) -> Shelf:
        """The entry is chosen, if it is held."""
        return replace(self, cursor=seq) if any(row.seq == seq for row in self.rows) else self

    def seen(self, room: int) -> Shelf:
        """The view with the chosen entry in it; it is filled as far as there are entries to fill it."""
        if not self.rows:
            return self
        at, top = self.index(self.cursor), self.index(self.top)
        top = min(max(top, at - room + 1), at)
        if self.oldest:
            top = min(top, max(0, len(self.rows) - room))
        return replace(self, top=self.rows[top].seq)

    def shown(self, room: int) -> tuple[StoredEntry, ...]:
        """The rows in view."""
        top = self.index(self.top)
        return self.rows[top : top + room]
