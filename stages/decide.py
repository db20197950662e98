"""Decide: command -> entries or Refusal, pure; it runs inside the ledger's write transaction.

Risk-reducing commands are never refused. Facts that only the world knows (signatures, Git, burn-in figures) come
inside the command; facts that the ledger knows are checked here, where nothing can change between check and record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from stages.entries import Draft
from stages.posture import Mode, join
from stages.refusal import Refusal
from stages.state import ControlState, parse_time


@dataclass(frozen=True, slots=True)
class AdoptPolicy:
    """Puts a policy in force. ``looser`` names what it loosens; that needs the approvals in ``approvals``."""

    actor: str
    digest: str
    version: int
    commit: str
    looser: tuple[str, ...] = ()
    approvals: tuple[VerifiedApproval, ...] = ()


@dataclass(frozen=True, slots=True)
class AdoptRoster:
    """Puts a roster in force; the first one needs nothing, a later one an approval by the roster in force."""

    actor: str
    digest: str
    commit: str
    approvals: tuple[VerifiedApproval, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifiedApproval:
    """An approval whose signature, roster membership and environment were checked; times are aware UTC."""

    nonce: str
    approver: str
    roles: tuple[str, ...]
    action: str
    gate_report: str
    roster: str
    issued: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class RequestApprovals:
    """Asks for the approvals of a plan; ``action`` is the digest that is to be signed."""

    actor: str
    plan_id: str
    action: str
    to_stage: str


@dataclass(frozen=True, slots=True)
class RecordApproval:
    actor: str
    plan_id: str
    approval: VerifiedApproval


@dataclass(frozen=True, slots=True)
class RejectApproval:
    actor: str
    plan_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class BeginAdvance:
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
    approvals: tuple[VerifiedApproval, ...]
    required: int
    required_roles: Mapping[str, int]
    top: int
    burn_in_run: str
    """Run id of the PASSED burn-in that the gate judged; empty when the stage below asks for none."""
    blobs: Mapping[str, str]
    signature: str
    authors: tuple[str, ...] = ()
    """Authors of commits in the plan's range; none of them may approve it."""


@dataclass(frozen=True, slots=True)
class BeginReduce:
    """The intent of a reduction; it raises the epoch, which makes every older plan stale. Never refused."""

    actor: str
    intent: str
    from_stage: str
    to_stage: str
    mode: Mode
    market: datetime
    cause: str
    automatic: bool = False
    authenticated: bool = False


@dataclass(frozen=True, slots=True)
class RecordCommitted:
    actor: str
    intent: str
    sha: str
    tree: str = ""


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """``outcome``: pushed, rejected, unchanged, abandoned or unknown."""

    actor: str
    intent: str
    outcome: str
    sha: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class RecordSettled:
    actor: str
    intent: str
    converged: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OpenLatch:
    """Opens a latch once per (trigger, step, cause, epoch). ``cap`` is ``-1``, a stage's index as text, or None.

    ``effective`` is the index of the stage in force, from which ``-1`` is resolved here and never again.
    """

    actor: str
    trigger: str
    cause: str
    evidence: str
    mode: Mode
    cap: str | None
    effective: int
    stage: str
    clear_roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeBurnIn:
    actor: str
    stage: str
    run: str
    state: str
    started: datetime
    market: datetime
    reason: str = ""
    figures: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """Holds the digests of the ticks since the previous seal and of the accumulators after them."""

    actor: str
    through: int
    ticks: str
    accumulators: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    actor: str
    alarm: str
    text: str


@dataclass(frozen=True, slots=True)
class GiveReason:
    actor: str
    intent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AdoptExternalChange:
    """A change of the manifests made elsewhere, taken as fact instead of being fought."""

    actor: str
    head: str
    author: str
    detail: str


@dataclass(frozen=True, slots=True)
class Record:
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
    | BeginAdvance
    | BeginReduce
    | RecordCommitted
    | RecordOutcome
    | RecordSettled
    | OpenLatch
    | ChangeBurnIn
    | Seal
    | Acknowledge
    | GiveReason
    | AdoptExternalChange
    | Record
)

Decision: TypeAlias = Sequence[Draft] | Refusal


def decide(state: ControlState, command: Command, now: datetime) -> Decision:
    """The entries that ``command`` becomes, or the reason why it does not."""
    raise AssertionError
