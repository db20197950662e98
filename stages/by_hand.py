"""Commands that people give by hand: clear, restore, resume, permit, incidents, notes, and a word on a burn-in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from stages.latching import OpenLatch
from stages.posture import Mode
from stages.quorum import Quorum
from stages.value import Struct, field


class ClearLatch(Struct, frozen=True):
    """Ends one latch. ``gone`` and ``why`` are what the watch's accumulators say of its cause (``clearing.judge``).

    ``roles`` are those that the roster gives the actor, for latches that one key press clears; ``quorum`` carries the
    approvals for the others, and its ``action`` is the digest of ``clearing.clear_action``.
    """

    actor: str
    key: str
    gone: bool
    why: str = ""
    evidence: str = ""
    roles: tuple[str, ...] = ()
    quorum: Quorum | None = None
    explanation: str = ""
    by_itself: bool = False
    """Asked for by the watch; only latches whose rule says so end like that."""


class BeginRestore(Struct, frozen=True):
    """The intent of the way back from KILLED, to the lowest stage and nowhere else; it clears what killed.

    ``gone``, ``reconciled`` and ``positions_known`` are facts of the world: every cause gone for its dwell, books
    clean, the venue's positions read. ``why`` says what is missing. ``standing`` is the mode that the manifests hold.
    No drill is asked for: only what lets risk grow rests on one.
    """

    actor: str
    intent: str
    from_stage: str
    to_stage: str
    to_index: int
    market: datetime
    epoch: int
    policy: str
    roster: str
    quorum: Quorum
    standing: Mode
    gone: bool
    reconciled: bool
    positions_known: bool
    why: tuple[str, ...] = ()
    blobs: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    confirmation: str = ""
    signature: str = ""


class BeginResume(Struct, frozen=True):
    """The intent of lifting a mode at the stage that stands, once nothing asks for it any more; never from KILLED.

    ``approved`` is the index of the stage that the newest pushed act led to: nothing above it comes back. ``unblock``:
    the venue refuses new orders and is to take them again. ``roles`` are those that the roster gives the actor.
    """

    actor: str
    intent: str
    stage: str
    stage_index: int
    top: int
    mode: Mode
    """The mode afterwards."""
    standing: Mode
    """The mode that the manifests hold."""
    market: datetime
    epoch: int
    policy: str
    roster: str
    roles: tuple[str, ...]
    approved: int
    unblock: bool = False
    blobs: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    confirmation: str = ""
    signature: str = ""


class PermitReduce(Struct, frozen=True):
    """A scoped, expiring exception: so much of one symbol may be closed although no order may go out."""

    actor: str
    permit: str
    symbol: str
    quantity: Decimal
    until: datetime
    longest: timedelta
    """The policy's longest life of a permit."""
    authenticated: bool = False
    reason: str = ""


class DeclareIncident(Struct, frozen=True):
    """An incident by hand; ``latch`` is what its severity contributes (``incidents.latch_for``)."""

    actor: str
    incident: str
    severity: str
    title: str
    latch: OpenLatch


class ResolveIncident(Struct, frozen=True):
    """The incident is over; its latch stays until those who may clear it do."""

    actor: str
    incident: str
    text: str


class Explain(Struct, frozen=True):
    """Says what a break in the books was; one of the latch's own clear roles has to say it."""

    actor: str
    key: str
    text: str
    roles: tuple[str, ...]


class Note(Struct, frozen=True):
    """A remark for whoever reads the ledger later."""

    actor: str
    text: str
    subject: str = ""


class ExtendBurnIn(Struct, frozen=True):
    """More market time, until ``until``, for a run that ended INCONCLUSIVE; once."""

    actor: str
    stage: str
    run: str
    until: datetime
    market: datetime
    reason: str


class WaiveBurnIn(Struct, frozen=True):
    """Lets a run pass without one performance ``item``; approved, named, and over with the run."""

    actor: str
    stage: str
    run: str
    item: str
    safety: bool
    market: datetime
    reason: str
    quorum: Quorum
