"""Looking: what a trigger looks at in one tick, and what one look says."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from stages.bearings import Bearings
from stages.ladder import Unit
from stages.measures import Trigger
from stages.policy import Policy
from stages.quality import Reading
from stages.signals import Snapshot
from stages.state import ControlState
from stages.value import Struct
from stages.verdict import ControlDrift
from stages.watching import TriggerWatch, WatchState


class Sight(Struct, frozen=True):
    """What all triggers look at in one tick."""

    policy: Policy
    state: ControlState
    snapshot: Snapshot
    here: Bearings
    drift: tuple[ControlDrift, ...]


class Look(Struct, frozen=True):
    """What one trigger looks at."""

    sight: Sight
    watch: WatchState
    trigger: Trigger
    mine: TriggerWatch

    @property
    def policy(self) -> Policy:
        return self.sight.policy

    @property
    def snapshot(self) -> Snapshot:
        return self.sight.snapshot

    @property
    def here(self) -> Bearings:
        return self.sight.here


class Observation(Struct, frozen=True):
    """One look at one thing that a trigger watches. ``bad`` None: it cannot be said, which confirms and clears nothing.

    ``event`` is what makes it distinct: the event time of a value, the tick for an absence.
    """

    key: str
    bad: bool | None
    event: datetime | None
    cause: str = ""
    evidence: str = ""
    clear: bool = False
    """Below the clear level, so that the cause counts as gone."""
    seconded: bool = False
    """A second source agrees, which confirms at once."""
    left: Decimal | None = None
    unit: Unit = Unit.COUNT
    share: Decimal | None = None
    """``left`` as a share of the whole way to the limit: 1 with nothing used, 0 where it fires, negative beyond."""
    lost: bool = False
    why: str = ""
    moot: bool = False
    """Nothing is to be seen here at all, so that nothing has to be seen gone."""
    root: str = ""
    """What the cause goes back to: a source's endpoint, a book."""


def why(title: str, reading: Reading) -> str:
    """Why a reading says nothing: ``gross: no answer``."""
    return f"{title}: {reading.lacks or reading.detail or reading.quality.value.lower()}"
