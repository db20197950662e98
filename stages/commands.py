"""Commands: what procedures ask the ledger to decide; facts that only the world knows come inside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from stages.by_hand import (
    BeginRestore,
    BeginResume,
    ClearLatch,
    DeclareIncident,
    Explain,
    ExtendBurnIn,
    Note,
    PermitReduce,
    ResolveIncident,
    WaiveBurnIn,
)
from stages.latching import OpenLatch
from stages.posture import Mode
from stages.quorum import Quorum, VerifiedApproval
from stages.value import Struct, field

__all__ = [
    "Acknowledge",
    "AdoptExternalChange",
    "AdoptPolicy",
    "AdoptRoster",
    "BeginAdvance",
    "BeginReduce",
    "BeginRestore",
    "BeginResume",
    "ChangeBurnIn",
    "ClearLatch",
    "Command",
    "DeclareIncident",
    "Explain",
    "ExtendBurnIn",
    "GiveReason",
    "Note",
    "OpenLatch",
    "PermitReduce",
    "Quorum",
    "Rebase",
    "Record",
    "RecordApproval",
    "RecordCommitted",
    "RecordOutcome",
    "RecordSettled",
    "RejectApproval",
    "RequestApprovals",
    "ResolveIncident",
    "RevokeApproval",
    "Seal",
    "VerifiedApproval",
    "WaiveBurnIn",
]


class AdoptPolicy(Struct, frozen=True):
    """Puts a policy in force. ``looser`` names what it loosens; that needs ``quorum``."""

    actor: str
    digest: str
    version: int
    commit: str
    path: str
    looser: tuple[str, ...] = ()
    quorum: Quorum | None = None


class AdoptRoster(Struct, frozen=True):
    """Puts a roster in force; the first one needs nothing, a later one ``quorum`` by the roster in force."""

    actor: str
    digest: str
    commit: str
    path: str
    quorum: Quorum | None = None


class RequestApprovals(Struct, frozen=True):
    """Asks for the approvals of a plan; ``action`` is the digest that is to be signed."""

    actor: str
    plan_id: str
    action: str
    from_stage: str
    to_stage: str
    expires: datetime


class RecordApproval(Struct, frozen=True):
    """Keeps a verified approval; a plan that was rejected takes none."""

    actor: str
    plan_id: str
    approval: VerifiedApproval


class RejectApproval(Struct, frozen=True):
    """An approver's no; it ends the plan."""

    actor: str
    plan_id: str
    action: str
    reason: str


class RevokeApproval(Struct, frozen=True):
    """Takes an approval back before it is used; by whoever gave it, or by risk (semantics 4).

    ``roles`` are those of ``actor`` on the roster in force.
    """

    actor: str
    roles: frozenset[str]
    plan_id: str
    """What was approved; empty where only the token itself is known."""
    approver: str
    nonce: str
    reason: str


class BeginAdvance(Struct, frozen=True):
    """The intent of an advance; consumes its approvals, all or nothing, before anything is pushed."""

    actor: str
    intent: str
    plan_id: str
    action: str
    from_stage: str
    to_stage: str
    epoch: int
    policy: str
    roster: str
    expires: datetime
    market: datetime
    quorum: Quorum
    top: int
    """Index of the highest stage of the policy, and of the stage that is advanced to."""
    to_index: int
    burn_in_run: str
    """Run id of the PASSED burn-in that the gate judged; empty when the stage below asks for none."""
    blobs: Mapping[str, str]
    base: str
    confirmation: str
    signature: str = ""
    """The operator's SSH signature over the action digest; empty is refused."""


class BeginReduce(Struct, frozen=True):
    """The intent of a reduction; it raises the epoch, which makes every older plan stale. Never refused.

    An automatic one that is already under way to the same target is not begun twice, nor is the same intent.
    """

    actor: str
    intent: str
    from_stage: str
    to_stage: str
    mode: Mode
    market: datetime
    cause: str
    automatic: bool = False
    authenticated: bool = False


class RecordCommitted(Struct, frozen=True):
    """The commit object exists; it is not published yet."""

    actor: str
    intent: str
    sha: str
    tree: str = ""
    branch: str = ""
    """The branch that it is going to be pushed as, when that is not the target's."""


class RecordOutcome(Struct, frozen=True):
    """``outcome``: pushed, proposed (as ``branch``, to be merged), rejected, unchanged, abandoned or unknown.

    ``market`` is the market time of a merge, from which a proposal that became a push counts. ``refused``: what the
    manifests did not let be written.
    """

    actor: str
    intent: str
    outcome: str
    sha: str = ""
    message: str = ""
    branch: str = ""
    market: datetime | None = None
    refused: tuple[str, ...] = ()


class RecordSettled(Struct, frozen=True):
    """The runtime was read back: it runs what was pushed, or it does not."""

    actor: str
    intent: str
    converged: bool
    sha: str
    detail: str = ""


class Rebase(Struct, frozen=True):
    """A loss baseline of a session; the first one of a session stands until the next session opens."""

    actor: str
    name: str
    value: Decimal
    unit: str
    session: date
    market: datetime


class ChangeBurnIn(Struct, frozen=True):
    """A run enters a state (semantics 1.3); ``started`` and ``market`` are market time."""

    actor: str
    stage: str
    run: str
    state: str
    started: datetime
    market: datetime
    reason: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


class Seal(Struct, frozen=True):
    """Holds the digests of the ticks since the previous seal and of the accumulators after them."""

    actor: str
    first: int
    last: int
    ticks: int
    digest: str
    accumulators: str
    phase: str


class Acknowledge(Struct, frozen=True):
    """Somebody has seen an alarm; it clears nothing."""

    actor: str
    alarm: str
    text: str


class GiveReason(Struct, frozen=True):
    """The reason that a reduction owed; ``intent`` is the key of the latch where a block by hand owes it."""

    actor: str
    intent: str
    reason: str


class AdoptExternalChange(Struct, frozen=True):
    """A change of the manifests made elsewhere, taken as fact instead of being fought."""

    actor: str
    head: str
    author: str
    detail: str


class Record(Struct, frozen=True):
    """A fact that decides nothing: a denial, a failed confirmation, an alarm, a lease change, a dark window."""

    actor: str
    kind: str
    body: Mapping[str, Any]
    stage: str | None = None
    intent: str | None = None


Command: TypeAlias = (
    AdoptPolicy
    | AdoptRoster
    | RequestApprovals
    | RecordApproval
    | RejectApproval
    | RevokeApproval
    | BeginAdvance
    | BeginReduce
    | RecordCommitted
    | RecordOutcome
    | RecordSettled
    | OpenLatch
    | ClearLatch
    | BeginRestore
    | BeginResume
    | PermitReduce
    | DeclareIncident
    | ResolveIncident
    | Explain
    | Note
    | Rebase
    | ExtendBurnIn
    | WaiveBurnIn
    | ChangeBurnIn
    | Seal
    | Acknowledge
    | GiveReason
    | AdoptExternalChange
    | Record
)
