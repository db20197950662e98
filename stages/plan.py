"""Plan: what a move between stages changes in Git and in money, with an id that is the digest of its core.

The core (design section 6.1) is what is approved; gates, diffs and the base commit stand outside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from stages.ladder import Direction, Unit, Value


@dataclass(frozen=True, slots=True)
class Edit:
    """One file's change. ``path`` is from the repository's root; blobs are Git ids; ``diff`` is unified text."""

    path: str
    blob_before: str
    blob_after: str
    diff: str


@dataclass(frozen=True, slots=True)
class ControlChange:
    """One control's move. ``share`` tells the ratio when the stages give one (``40 %`` -> ``25 %``)."""

    control: str
    title: str
    before: Value | None
    after: Value | None
    unit: Unit
    direction: Direction
    enforced_by: str
    files: tuple[str, ...] = ()
    pinned: str = ""
    share_before: Decimal | None = None
    share_after: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What the plan can cost if every limit binds at once; dollars."""

    gross_before: Decimal | None
    gross_after: Decimal | None
    net_before: Decimal | None
    net_after: Decimal | None
    name_before: Decimal | None
    name_after: Decimal | None
    loss_before: Decimal | None
    loss_after: Decimal | None
    symbols_added: tuple[str, ...] = ()
    symbols_removed: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    """Workloads that the change restarts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A rehearsed move. ``id`` is the SHA-256 hex of the RFC 8785 core."""

    id: str
    namespace: str
    epoch: int
    from_stage: str
    """Name of the stage, or ``between`` or ``beyond``."""
    to_stage: str
    direction: Direction
    policy_digest: str
    policy_version: int
    roster_digest: str
    edits: tuple[Edit, ...]
    changes: tuple[ControlChange, ...]
    blast_radius: BlastRadius
    created_by: str
    created_at: datetime
    expires_at: datetime
    base_commit: str
    contracts: tuple[str, ...] = ()
    """Checks outside the manifests that the change must also satisfy, in words."""
    refusals: tuple[str, ...] = ()
    """Why the plan cannot be carried out at all (a pinned or missing binding of a riskier change)."""
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """New bytes of each edited path; not part of the JSON."""
