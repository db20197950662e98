"""WatchState: what the watch remembers between ticks, folded from them; a seal holds its digest.

It decides nothing. Times are wall UTC unless a name says ``market``; keys of signals are ``book/name``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from stages.comparison import CostWatch
from stages.projection import Course
from stages.signals import SignalKey
from stages.value import Struct, field, from_document, to_document
from stages.windows import Confirmations, Coverage, Dwell, Window

UNSEEN_AFTER = 5.0
"""Wall seconds between two ticks beyond which the time between them was not observed."""


class Known(Struct, frozen=True):
    """The newest value of a signal that could be believed."""

    value: Decimal | None
    text: str
    event_time: datetime | None


class Dark(Struct, frozen=True):
    """A restart that a change brings with it: expected, counted down, no trigger (semantics 2.2 rule 12)."""

    change: str
    """Intent or commit that restarts the workload."""
    since: datetime
    began: datetime | None = None
    """First bad read after the change; None until there is one."""
    went: tuple[str, ...] = ()
    """Signals that went dark."""
    done: tuple[str, ...] = ()
    """Signals that were bad before the change, or have answered again; they are no longer excused."""


class Overhang(Struct, frozen=True):
    """What the book held above a lower limit when the limit came down; not a breach unless it grows (rule 10)."""

    level: Decimal
    """Lowest harm seen since."""
    until_market: datetime | None
    symbols: Mapping[str, Decimal] | None = None
    """Of a limit on single names: each name that was above it, with its lowest dollars seen since; None where the
    venue has told no names yet."""
    grown: tuple[str, ...] = ()
    """Names above the limit that were not there when it came down, or that have grown since: new breaches."""


class Lowered(Struct, frozen=True):
    """The newest step down whose lower limits count; ``pending`` signals were not read under them yet."""

    intent: str
    pending: tuple[str, ...] = ()
    held: Mapping[str, Decimal] = field(default_factory=dict)
    """Harm of each limited signal when the act was first seen: what is added until its limits count is growth."""
    counts: bool = False
    """Whether its limits have begun to count."""
    names: Mapping[str, Decimal] | None = None
    """Dollars of each position by the venue's first word since the act was seen; None until there is one."""


class Mark(Struct, frozen=True):
    """A lifetime count and sum at a market time."""

    at: datetime
    count: Decimal
    total: Decimal


class Tape(Struct, frozen=True):
    """Successive lifetime sums, oldest first, as far back as the longest window reaches."""

    marks: tuple[Mark, ...] = ()


class TriggerWatch(Struct, frozen=True):
    """A trigger on its way: confirmations by cause, since when it is confirmed, how long the cause has been gone."""

    causes: Mapping[str, Confirmations] = field(default_factory=dict)
    confirmed: datetime | None = None
    gone: Dwell = field(default_factory=Dwell)
    clear: bool = False
    """Whether the newest look saw the whole cause gone."""
    session: date | None = None
    times: int = 0
    """How often it was confirmed in that session."""
    tape: Tape = Tape()
    courses: Mapping[str, Course] = field(default_factory=dict)
    """How the distance to firing moved lately, by what is watched."""


class ObjectiveWatch(Struct, frozen=True):
    """One objective of the run: what was read of it."""

    coverage: Coverage = field(default_factory=Coverage)
    window: Window = field(default_factory=Window)
    failing: Confirmations = field(default_factory=Confirmations)


class BurnWatch(Struct, frozen=True):
    """The run that is being watched; ``observed``, ``blind``, ``wasted`` and ``warm`` in market seconds."""

    run: str = ""
    observed: float = 0.0
    blind: float = 0.0
    wasted: float = 0.0
    """Open market in which nothing was blind and yet nothing counted: no sample, or what hangs over."""
    warm: float = 0.0
    session: float = 0.0
    """Real seconds in which samples were due: what coverage is measured against."""
    streak: int = 0
    """Evaluations in a row that passed in full."""
    blind_ticks: int = 0
    blind_since: datetime | None = None
    objectives: Mapping[str, ObjectiveWatch] = field(default_factory=dict)
    voided: str = ""
    """Why a PASSED run no longer counts."""
    costs: CostWatch = field(default_factory=CostWatch)
    cells: Mapping[str, float] = field(default_factory=dict)
    """Observed market seconds by regime cell, such as ``2026-11-24 open``."""


class WatchState(Struct, frozen=True):
    """All accumulators of one ledger's watch; immutable."""

    started: datetime | None = None
    """First tick, or the first one after a time that was not observed."""
    wall: datetime | None = None
    market: datetime | None = None
    known: Mapping[str, Known] = field(default_factory=dict)
    head: str = ""
    git: Mapping[str, str | None] = field(default_factory=dict)
    """Values of the controls at the last head, as text."""
    changed: datetime | None = None
    """When somebody else's commit that moves controls was first seen."""
    runtime: Mapping[str, str | None] = field(default_factory=dict)
    """Last known readback of each control, as text."""
    dark: Dark | None = None
    lowered: Lowered | None = None
    overhang: Mapping[str, Overhang] = field(default_factory=dict)
    rows: Mapping[str, Confirmations] = field(default_factory=dict)
    triggers: Mapping[str, TriggerWatch] = field(default_factory=dict)
    burn_in: BurnWatch = BurnWatch()
    over: Mapping[str, str] = field(default_factory=dict)
    """Texts of the alarms that call for an act and that nobody acknowledged yet, by cause, over or not."""
    since: Mapping[str, datetime] = field(default_factory=dict)
    """Since when each condition (an alarm's key, ``truth``, ``flat``) holds."""

    @staticmethod
    def start() -> WatchState:
        """A watch that has seen nothing."""
        return WatchState()

    def to_document(self) -> dict[str, Any]:
        """As a JSON object; ``from_document`` gives the same state back."""
        document: dict[str, Any] = to_document(self)
        return document

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> WatchState:
        """Raises ValueError when the document is not one that ``to_document`` made."""
        state: WatchState = from_document(WatchState, dict(document))
        return state


def key_text(key: SignalKey) -> str:
    """A signal's key in accumulators: ``live/grossExposure``."""
    return f"{key.book}/{key.name}"
