"""Signals: named measurements, their samples, and the frozen snapshot that one tick is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from stages.value import Struct, field

if TYPE_CHECKING:
    from stages.deployed import Deployed
    from stages.ladder import Value
    from stages.witness import GitReading, RuntimeReading, VenueReading

LIVE_BOOK = "live"
"""The book of the declared account; a stage with sources of its own has a book named after it."""


class Quality(StrEnum):
    """How far a sample may be trusted (semantics 1.2)."""

    OK = "OK"
    STALE = "STALE"
    MISSING = "MISSING"
    NONFINITE = "NONFINITE"
    PARTIAL = "PARTIAL"
    SKEWED = "SKEWED"
    PROVIDER_ERROR = "PROVIDER_ERROR"
    CLOSED = "CLOSED"
    RESTARTING = "RESTARTING"
    """Inside an expected dark window (semantics 2.2 rule 12): neither blind nor good."""


class SignalKey(NamedTuple):
    """A signal in a book; the same signal read from the paper account is another series."""

    book: str
    name: str


class Sample(Struct, frozen=True):
    """One reading of a signal.

    ``value`` is None for a word (``text`` then holds it) and whenever quality is not OK, except STALE, whose last
    value is kept to be shown as ``was``. ``event_time`` is when the fact was true, ``read_time`` when it was read.
    """

    quality: Quality
    read_time: datetime
    value: Decimal | None = None
    event_time: datetime | None = None
    text: str = ""
    """A word value (account label, state) or the label of the row (the largest symbol)."""
    detail: str = ""
    """Why quality is not OK, in words for a person."""


class SourceHealth(Struct, frozen=True):
    """State of one fetch, for the line of sources: ``status 88ms`` or ``status NO ANSWER 41s``."""

    name: str
    ok: bool
    latency_ms: int | None
    last_good: datetime | None
    detail: str = ""
    """Why it does not answer; of one that does, what a person should know of how it was got."""


class Snapshot(Struct, frozen=True):
    """All that one tick knows, frozen. ``wall`` and ``market`` are aware UTC; market time is what --speed scales."""

    seq: int
    wall: datetime
    market: datetime
    samples: Mapping[SignalKey, Sample] = field(default_factory=dict)
    sources: tuple[SourceHealth, ...] = ()
    git: GitReading | None = None
    runtime: Mapping[str, RuntimeReading] = field(default_factory=dict)
    """Readback of each control by name; a control without readback is missing."""
    venue: VenueReading | None = None
    deployed: Deployed | None = None
    """What the cluster says of workloads and GitOps controller; None where no cluster is configured."""
    gap: float = 0.0
    """Seconds that passed unseen since the previous tick (a wall-monotonic jump, a late tick); 0 when none."""
    speed: float = 1.0
    """Market seconds per wall second; 1 outside demos."""

    def market_of(self, wall: datetime) -> datetime:
        """Market time of another wall time near this tick."""
        return self.market - (self.wall - wall) * self.speed

    def sample(self, book: str, name: str) -> Sample | None:
        return self.samples.get(SignalKey(book, name))


class ReadControls(Struct, frozen=True):
    """The values of controls that one witness shows; None is absent, a missing key is not read."""

    values: Mapping[str, Value | None]
    unread: Mapping[str, str] = field(default_factory=dict)
    """Controls that could not be read, with the reason."""
    parted: tuple[str, ...] = ()
    """Digests in the manifests that are not those of their documents."""
