"""Verdicts: everything that one evaluation says, frozen and ready to be drawn or printed; no rule lives here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from stages.figures import measure
from stages.ladder import Unit
from stages.outline import Headline, RowState, TriggerState
from stages.signals import LIVE_BOOK
from stages.value import Struct, field

if TYPE_CHECKING:
    from stages.ladder import Value
    from stages.owing import Owed
    from stages.posture import Latch, Posture
    from stages.signals import Quality, SignalKey, Snapshot
    from stages.standing import Standing
    from stages.way_down import Way

__all__ = [
    "Alarm",
    "AlarmClass",
    "BurnIn",
    "BurnInItem",
    "ControlDrift",
    "Evaluation",
    "Gate",
    "GateStatus",
    "Hanging",
    "Headline",
    "HeldBack",
    "Recommendation",
    "Row",
    "RowState",
    "Sees",
    "StageCard",
    "TriggerRow",
    "TriggerState",
    "Truth",
    "TruthRow",
    "WatchPresence",
]


class Row(Struct, frozen=True):
    """One signal of one book against its limit.

    ``value`` is the newest known value even when it must not be believed (``was 3,912``): believe it only when
    ``state`` is one of OK, WARN, SUSPECT, BREACH, OVER, INFO. ``used`` is harm divided by limit, 1 at the limit;
    ``spare`` is what is left of a minimum-type limit.
    """

    key: SignalKey
    title: str
    panel: str
    safety: bool
    unit: Unit
    state: RowState
    quality: Quality
    value: Decimal | None = None
    text: str = ""
    limit: Decimal | None = None
    minimum: bool = False
    used: Decimal | None = None
    spare: Decimal | None = None
    warn_at: Decimal | None = None
    clear_at: Decimal | None = None
    """Share of the limit below which a held alarm may clear; None while nothing is held."""
    word: str = ""
    """What stands beside the bar: ``WARN``, ``1 of 3``, ``BREACH``, ``OVER L1``, ``BLIND``, ``NO DATA (3 of 10)``."""
    detail: str = ""
    event_time: datetime | None = None
    max_age: float = 0.0
    """Seconds after which the reading is stale."""
    baseline: Decimal | None = None
    decimals: int | None = None
    signed: bool = False


class Hanging(Struct, frozen=True):
    """What hangs over of one limit (semantics 2.2 rule 10): ``over`` is what is still to be reduced, in ``unit``."""

    title: str
    symbol: str
    """The name, of a limit on single names; empty otherwise."""
    over: Decimal
    unit: Unit
    until_market: datetime | None
    """Market time of its deadline."""
    loss: bool = False
    """A loss cannot be reduced: it waits for the next session."""

    @property
    def words(self) -> str:
        """``largest NVDA: 1,200 $ over``"""
        name = f"{self.title} {self.symbol}".rstrip()
        return f"{name}: {measure(self.over, self.unit, decimals=0 if self.unit is Unit.USD else None)} over"


class TriggerRow(Struct, frozen=True):
    """A trigger by its distance to firing. ``left`` is what is left to the limit, in ``unit``; ``reaction`` the
    seconds it needs at worst from the event to the act, computed at load."""

    name: str
    title: str
    state: TriggerState
    left: Decimal | None
    unit: Unit
    then: str
    """What follows by itself, in words: ``REDUCE ONLY, back to L0``."""
    reads: int = 0
    of: int = 0
    detail: str = ""
    next_in: float | None = None
    """Seconds until the next step follows by itself, when it is running."""
    reaction: float = 0.0
    share: Decimal | None = None
    """``left`` as a share of the whole way to the limit: 1 with nothing used, 0 where it fires, negative beyond."""
    projected: float | None = None
    """Seconds until it fires if what it watches goes on as it lately did; None without a steady trend there."""


class BurnInItem(Struct, frozen=True):
    """One condition of the burn-in: what there is, what is needed, in words and numbers."""

    name: str
    have: Decimal
    need: Decimal
    unit: str
    met: bool
    detail: str = ""


class BurnIn(Struct, frozen=True):
    """The run of the stage in force; ``progress`` is 0 to 1 by the item that binds."""

    stage: int
    run: str
    state: str
    """none, ARMED, WARMUP, OBSERVING, SUSPENDED, BLIND, PASSED, FAILED, INCONCLUSIVE, ABORTED; NOT READ while the
    evidence of a run is out of reach"""
    progress: float = 0.0
    lacks: str = ""
    """The item that binds, in words: ``lacks 73 fills``."""
    items: tuple[BurnInItem, ...] = ()
    reason: str = ""
    started_at: datetime | None = None
    valid_until: datetime | None = None
    """Market time until which a PASSED run counts."""
    earliest: datetime | None = None
    """Market time at which it can pass if from now on all is seen and good; None when that is not known."""
    hopeless: str = ""
    """Why it cannot pass any more; empty while it can."""


class StageCard(Struct, frozen=True):
    """A stage on the rail."""

    index: int
    name: str
    title: str
    limits: str
    """``5,000 $ gross, 3 symbols, paper``"""
    status: str
    """``LIVE NOW``, ``passed``, ``not yet``, ``GOING HERE``, ``LEAVING``"""
    note: str
    in_force: bool


class TruthRow(Struct, frozen=True):
    """One fact by three witnesses; None means the witness has no say, ``?`` that it was not read."""

    name: str
    git: str | None
    runtime: str | None
    venue: str | None
    agree: bool | None
    """None is unknown, which is never agreement."""
    note: str = ""


class Truth(Struct, frozen=True):
    """The truth panel: ages in seconds, None when a witness was never read."""

    rows: tuple[TruthRow, ...]
    ages: Mapping[str, float | None]
    agree: bool | None
    since: datetime | None = None
    converging: float | None = None
    """Seconds left in which own changes may still be on their way."""


class ControlDrift(Struct, frozen=True):
    """A control on which Git, the stage or the runtime differ. ``riskier``: the runtime is looser than Git."""

    control: str
    stage: Value | None
    git: Value | None
    runtime: Value | None
    state: str
    """same, converging, drift, unknown"""
    riskier: bool
    detail: str = ""


class AlarmClass(StrEnum):
    ACT = "P1"
    LOOK = "P2"
    NOTE = "P3"


class Alarm(Struct, frozen=True):
    """A condition that wants a person. ``key`` is stable while the cause lasts."""

    key: str
    klass: AlarmClass
    text: str
    since: datetime

    @property
    def cause(self) -> str:
        """The key without since when: the same at each return of the same thing."""
        return self.key.partition("@")[0]


class HeldBack(Struct, frozen=True):
    """An alarm that does not ring before ``until`` (wall), and why."""

    alarm: Alarm
    why: str
    until: datetime


class Recommendation(Struct, frozen=True):
    """What the console permits: HOLD, MAY ADVANCE, STEP DOWN, INVESTIGATE; it never urges."""

    action: str
    reasons: tuple[str, ...]
    to_stage: int | None = None


class GateStatus(StrEnum):
    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    WAIVED = "WAIVED"


class Gate(Struct, frozen=True):
    """Report of one gate (design section 6.2); UNKNOWN never passes."""

    gate_id: str
    status: GateStatus
    reasons: tuple[str, ...]
    core: bool = True
    artifact_refs: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        if self.status is GateStatus.NOT_CONFIGURED:
            return not self.core
        return self.status in (GateStatus.PASS, GateStatus.WAIVED)


class Sees(Struct, frozen=True):
    """Seconds from an event to the frame that shows it, as measured here: 99th percentile, worst, and of how many."""

    p99: float
    worst: float
    count: int


class WatchPresence(Struct, frozen=True):
    """Who holds the lease and whether it acts by itself."""

    holder: str | None
    acting: bool
    here: bool
    age: float | None
    """Seconds since the holder last renewed."""
    known: bool = True
    """False while no ledger has answered: who acts, and what is held, is not known then."""


class Evaluation(Struct, frozen=True):
    """All that follows from policy, ledger, accumulators and one snapshot."""

    snapshot: Snapshot
    standing: Standing
    effective: int
    """Index of the stage whose limits are in force: the riskier of Git and last known runtime."""
    posture: Posture
    latches: tuple[Latch, ...]
    rows: tuple[Row, ...]
    triggers: tuple[TriggerRow, ...]
    burn_in: BurnIn
    cards: tuple[StageCard, ...]
    truth: Truth
    drift: tuple[ControlDrift, ...]
    alarms: tuple[Alarm, ...]
    headline: Headline
    recommendation: Recommendation
    market_phase: str
    """open, closed, unknown, with ``market_note`` for people: ``entries stop in 58 min``"""
    market_note: str
    derived: tuple[Row, ...] = ()
    """Rows that the console works out itself; they inform, and no rule judges them."""
    book: str = LIVE_BOOK
    """The book that panels and headline are about: the live one as long as anything is open in it."""
    accounts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Per book the account label and environment as read."""
    dark_left: float | None = None
    """Seconds left of an expected restart; None when none is expected."""
    overhang: tuple[Hanging, ...] = ()
    """What is above lower limits since a step down, name by name."""
    notes: tuple[str, ...] = ()
    """What the policy leaves unwatched."""
    held: tuple[HeldBack, ...] = ()
    """Alarms that an expected restart, an own change or a closed market holds back."""
    ways: tuple[Way, ...] = ()
    """The ways down from here, the nearest first."""
    owed: tuple[Owed, ...] = ()
    """Reasons that are owed for what was done by hand, the oldest first."""

    @property
    def panels(self) -> tuple[Row, ...]:
        """All rows as panels show them: panel by panel, each panel's derived rows after its signals."""
        names = dict.fromkeys(row.panel for row in (*self.rows, *self.derived))
        return tuple(row for name in names for row in (*self.rows, *self.derived) if row.panel == name)
