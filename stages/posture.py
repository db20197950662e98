"""Posture: the join of all open latches, mode x stage cap (semantics 2.1).

The join is commutative, associative and idempotent, so order, duplicates and races cannot change the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from stages.value import Struct


class Mode(IntEnum):
    """Modes in order of strictness."""

    NORMAL = 0
    FROZEN = 1
    REDUCE_ONLY = 2
    HALTED = 3
    KILLED = 4

    @property
    def words(self) -> str:
        """What people are told; only documents, the policy and the command line say HALTED and REDUCE_ONLY."""
        return "NO NEW ORDERS" if self is Mode.HALTED else self.name.replace("_", " ")


class Posture(Struct, frozen=True):
    """``mode`` and ``cap``: the index in the ladder of the highest stage allowed."""

    mode: Mode
    cap: int

    def join(self, other: Posture) -> Posture:
        return Posture(max(self.mode, other.mode), min(self.cap, other.cap))


class ClearRule(Struct, frozen=True):
    """What has to be so before a latch may be cleared. It is kept with the latch, so that no reload can loosen it."""

    approval: bool = True
    """Signed approvals are needed; False: one key press by somebody in a role."""
    each: bool = True
    """Every role has to be filled by a person of its own; False: any one of them."""
    explain: bool = False
    """Who clears has to say what it was."""
    itself: bool = False
    """It ends without anybody as soon as the cause is gone; only for what never let risk grow."""
    gone: bool = True
    """The cause has to be seen gone; False where the evidence cannot come back while the latch holds."""
    good: timedelta = timedelta()
    """Time of valid readings below the clear level."""
    hold: timedelta = timedelta()
    """Time that has to pass since the latch opened."""
    next_session: bool = False
    """A session has to open first."""


UNRULED: Final = ClearRule()
"""Signed by every role, nothing else."""


class Latch(Struct, frozen=True):
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
    rule: ClearRule = UNRULED
    root: str = ""
    """What the cause goes back to: an endpoint, a book. Latches of one root within a short time are one storm."""
    incident: str = ""
    """Key of the first latch of the storm, or number of the declared incident."""
    market: datetime | None = None
    """Market time at which it opened."""

    @property
    def killed(self) -> bool:
        """Whether only a restore ends it."""
        return self.mode is Mode.KILLED

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
