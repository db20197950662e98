"""Posture: the join of all open latches, mode x stage cap (semantics 2.1).

The join is commutative, associative and idempotent, so order, duplicates and races cannot change the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Mode(IntEnum):
    """Modes in order of strictness."""

    NORMAL = 0
    FROZEN = 1
    REDUCE_ONLY = 2
    HALTED = 3
    KILLED = 4


@dataclass(frozen=True, slots=True)
class Posture:
    """``mode`` and ``cap``: the index in the ladder of the highest stage allowed."""

    mode: Mode
    cap: int

    def join(self, other: Posture) -> Posture:
        return Posture(max(self.mode, other.mode), min(self.cap, other.cap))


@dataclass(frozen=True, slots=True)
class Latch:
    """An open latch. It stores what the posture needs, why, and who may clear it; only a clear ends it."""

    key: str
    """Unique: trigger, step, cause and epoch."""
    trigger: str
    cause: str
    epoch: int
    opened_at: datetime
    evidence: str
    mode: Mode
    cap: int | None
    """Resolved once, when the latch opened; None contributes no cap."""
    clear_roles: tuple[str, ...]
    seq: int
    """Sequence number of its entry in the ledger."""

    def contribution(self, top: int) -> Posture:
        return Posture(self.mode, top if self.cap is None else self.cap)


def join(latches: Iterable[Latch], top: int) -> Posture:
    """Posture of all open latches on a ladder whose highest stage has index ``top``."""
    posture = Posture(Mode.NORMAL, top)
    for latch in latches:
        posture = posture.join(latch.contribution(top))
    return posture


def effective_mode(mode: Mode, mapped: Sequence[Mode]) -> Mode:
    """The mode that is carried out: an unmapped one is carried out as the next stricter mapped one.

    NORMAL and FROZEN act inside Rampdeck only. Without any mapping that is strict enough the mode itself is
    returned, and the caller says that the manifests cannot express it.
    """
    if mode <= Mode.FROZEN:
        return mode
    return min((known for known in mapped if known >= mode), default=mode)
