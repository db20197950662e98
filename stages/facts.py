"""Facts: the parts of which the ledger's state is made: approvals, acts, runs, incidents, permits and baselines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from stages.drill import Finding
from stages.posture import Mode
from stages.value import Struct, field

ADVANCE: Final = "advance"
REDUCE: Final = "reduce"
RESTORE: Final = "restore"
"""The way back from KILLED, to the lowest stage."""
RESUME: Final = "resume"
"""A mode is lifted at the stage that stands."""


CANCEL_BY_HAND: Final = "cancel by hand"
"""Subject of the note that is the intent of cancelling every order and nothing else."""


class Cancelled(Struct, frozen=True):
    """Every working order was cancelled by hand, with nothing blocked; its reason is still owed."""

    intent: str
    actor: str
    at: datetime


class Adopted(Struct, frozen=True):
    """A document in force: its digest, the commit it was read at, and for a policy its version."""

    digest: str
    commit: str
    version: int = 0


class Approval(Struct, frozen=True):
    """A verified approval as recorded: who, in which roles, for which action on which plan, until when."""

    nonce: str
    approver: str
    roles: tuple[str, ...]
    action: str
    subject: str
    expires: datetime
    seq: int


class Request(Struct, frozen=True):
    """A plan for which approvals were asked."""

    plan_id: str
    action: str
    asked_by: str
    at: datetime
    to_stage: str


class Intent(Struct, frozen=True):
    """An act from intent to settlement. ``outcome`` "" is OUTCOME UNKNOWN until the remote tells."""

    id: str
    kind: str
    """ADVANCE, REDUCE, RESTORE or RESUME"""
    actor: str
    from_stage: str
    to_stage: str
    mode: Mode
    epoch: int
    at: datetime
    market: datetime
    plan_id: str = ""
    cause: str = ""
    automatic: bool = False
    sha: str = ""
    outcome: str = ""
    """pushed, proposed, rejected, unchanged, abandoned, or unknown"""
    branch: str = ""
    """The branch that was pushed instead of the target's; somebody merges it."""
    expires: datetime | None = None
    """When the plan's life ends, and with it that of a proposal; None for what has no plan."""
    message: str = ""
    settled: str = ""
    """converged or diverged"""
    reason: str = ""
    ended: datetime | None = None
    """When its newest outcome was recorded."""
    refused: tuple[str, ...] = ()
    """What of a reduction the manifests did not let be written: none of that is lower in Git."""

    @property
    def unresolved(self) -> bool:
        return self.outcome in ("", "unknown")

    @property
    def awaited(self) -> bool:
        """Whether it waits as a branch for somebody to merge it; nothing of it is in force."""
        return self.outcome == "proposed"


class Run(Struct, frozen=True):
    """The newest burn-in run of a stage; times are market time."""

    run: str
    stage: str
    state: str
    started: datetime
    changed: datetime
    reason: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None
    """Market time up to which it was extended; None when it was not."""
    waived: Mapping[str, str] = field(default_factory=dict)
    """Items that it may pass without, with the reason."""


class Incident(Struct, frozen=True):
    """A declared incident. ``latch`` is the key of what it holds."""

    incident: str
    severity: str
    title: str
    actor: str
    at: datetime
    is_open: bool = True
    latch: str = ""


class Permit(Struct, frozen=True):
    """So much of a symbol may be closed until then."""

    permit: str
    symbol: str
    quantity: Decimal
    until: datetime
    actor: str


class DrillRun(Struct, frozen=True):
    """A drill as the ledger knows it; ``market`` is the market time of its end, of its beginning while it runs."""

    run: str
    act: str
    mode: str
    transition: str
    state: str
    actor: str
    started: datetime
    market: datetime
    target: Mapping[str, str]
    pins: Mapping[str, str]
    """What its result rests on (``drill_validity.pins``)."""
    until: datetime | None = None
    """End of the window in which its declared effects ring nothing."""
    step: str = ""
    reasons: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    path: str = ""
    """How the act is fired."""
    inject: str = ""
    """The fault that strikes in it (``drill_faults``); empty for a plain drill."""
    orders: tuple[str, ...] = ()
    """Ids of its planted orders, as declared."""
    effects: tuple[str, ...] = ()
    """What else it was declared to cause on the target's account, as ``drill.Declared`` names it."""
    entered: Mapping[str, datetime] = field(default_factory=dict)
    """When each step was reached, by its id."""
    fired: datetime | None = None
    ended: datetime | None = None
    tidied: bool = False
    """Whether what it planted was taken back, though it did not reach its last step."""
    findings: tuple[Finding, ...] = ()
    answers: Mapping[str, tuple[bool | None, str]] = field(default_factory=dict)
    """Of a tabletop on the screen: what people said of a step, and their words."""
    abandoned: str = ""
    """Who gave it up while it ran."""


class Gap(Struct, frozen=True):
    """Decisions that joined the ledger late, because it was away when they were made."""

    seq: int
    merged: datetime
    since: str
    """When the first of them was made; empty when none of them could be read."""
    records: int
    torn: int


class Baseline(Struct, frozen=True):
    """Value of a signal at the open of a session."""

    value: Decimal
    session: date
