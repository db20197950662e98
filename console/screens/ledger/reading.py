"""A reading of the ledger: what is held of it, how far it is verified, and what the person at the screen is doing."""

from __future__ import annotations

from datetime import datetime

from console.desk import Proof
from console.screens.ledger.shelf import Shelf
from console.screens.ledger.wanted import Wanted
from stages.entries import EMPTY, Head, StoredEntry
from stages.value import Struct, field


class Writing(Struct, frozen=True):
    """An export: so many entries are written, of so many; 0 where these are not counted yet."""

    done: int = 0
    of: int = 0


class Reading(Struct, frozen=True):
    """Everything that the page is drawn from beside the view."""

    wanted: Wanted = field(default_factory=Wanted)
    shelf: Shelf = field(default_factory=Shelf)
    head: Head = EMPTY
    loaded: bool = False
    """Whether the first page has come."""
    waited: float = 0.0
    """Seconds since the page that is being waited for was asked for."""
    read_at: datetime | None = None
    """When the ledger last answered."""
    matching: int | None = None
    """How many entries pass the filter; None while they are being counted."""
    proof: Proof | None = None
    trouble: str = ""
    """Why the ledger cannot be read now, in one line."""
    unproven: str = ""
    """Why the ledger cannot be verified now."""
    companions: tuple[StoredEntry, ...] = ()
    """Entries of the chosen entry's intent."""
    latest: int = 0
    """The newest entry that passes the filter, as far as is known."""
    fresh: int = 0
    """How many entries have come since the top was last looked at."""
    newcomer: StoredEntry | None = None
    tail: bool = False
    """Whether the view follows what comes."""
    opened: bool = False
    """Whether the chosen entry fills the page."""
    scroll: int = 0
    typing: str = ""
    """``filter``, ``export`` or ``postmortem`` while a line is being typed."""
    note: str = ""
    writing: Writing | None = None
    """The export under way."""

    @property
    def bad(self) -> dict[int, str]:
        """What is wrong at which entry, the first finding of each."""
        found: dict[int, str] = {}
        for problem in self.proof.problems if self.proof is not None else ():
            found.setdefault(problem.seq, problem.problem)
        return found

    @property
    def state(self) -> str:
        """Which of the ledger's states holds now: away, altered, waiting, empty, verifying or verified."""
        if self.trouble:
            return "away"
        if self.proof is not None and self.proof.problems:
            return "altered"
        if not self.loaded:
            return "waiting"
        if not self.head.seq:
            return "empty"
        if self.unproven:
            return "unverified"
        return "verified" if self.proof is not None and self.proof.done else "verifying"
