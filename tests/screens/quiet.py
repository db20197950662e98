"""A quiet market at L1, as one evaluation, one frame and one view of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from console.desk import Frame
from console.screens import View
from stages.ladder import Unit
from stages.posture import Mode, Posture
from stages.signals import LIVE_BOOK, Quality, SignalKey, Snapshot, SourceHealth
from stages.standing import Standing
from stages.value import replace
from stages.verdict import (
    BurnIn,
    BurnInItem,
    Evaluation,
    Headline,
    Recommendation,
    Row,
    RowState,
    Sees,
    StageCard,
    TriggerRow,
    TriggerState,
    Truth,
    TruthRow,
    WatchPresence,
)
from stages.way_down import Way
from stages.witness import GitReading, Order, Position, VenueReading
from tests.screens.ladder import NOW, POLICY, D


def _row(name: str, value: str | None, limit: str | None = None, *, book: str = LIVE_BOOK, **more: Any) -> Row:
    signal = POLICY.spec.signals[name]
    number = D(value) if value is not None else None
    bound = D(limit) if limit is not None else None
    used = None
    if number is not None and bound:
        harm = -number if signal.harm == "loss" else abs(number) if signal.harm == "magnitude" else number
        used = max(D(0), harm) / bound
    row = Row(
        key=SignalKey(book, name),
        title=signal.title,
        panel=signal.panel,
        safety=signal.panel != "tca",
        unit=signal.unit,
        state=RowState.OK if bound is not None else RowState.INFO,
        quality=Quality.OK,
        value=number,
        limit=bound,
        used=used,
        event_time=NOW - timedelta(seconds=1),
        max_age=30.0,
        warn_at=D("0.8") if bound else None,
    )
    return replace(row, **more)


def rows(book: str = LIVE_BOOK) -> tuple[Row, ...]:
    """The quiet book of L1."""
    made = (
        _row("pnl", "-21.40", "150", decimals=2, signed=True, warn_at=D("0.6"), baseline=D("-4.10")),
        _row("gross", "3912", "5000", baseline=D(3480)),
        _row("grossFilled", "4123", "5000", warn_at=D("0.95"), baseline=D(3480)),
        _row("net", "1351", "2500", signed=True, baseline=D(910)),
        _row("largest", "1413", "2000", text="NVDA", warn_at=D("0.9"), baseline=D(1240)),
        _row("largestOrder", "492", "500", warn_at=None, baseline=D(495), event_time=NOW - timedelta(seconds=190)),
        _row("participation", "0.0012", "0.1", event_time=NOW - timedelta(seconds=41)),
        _row("orderRate", "3", "6", baseline=D(3)),
        _row("outside", "0", "0", used=None, warn_at=None),
        _row("working", "210", detail="1 order, oldest 4s"),
        _row(
            "shortfall", "3.4", "8", decimals=1, signed=True, baseline=D("2.9"), event_time=NOW - timedelta(minutes=2)
        ),
        _row(
            "slippage", "2.4", "12", decimals=1, signed=True, baseline=D("1.6"), event_time=NOW - timedelta(minutes=2)
        ),
        _row("rejected", "0.008", "0.1", baseline=D("0.005")),
        _row("filled", "0.962", "0.9", minimum=True, used=D("0.5"), spare=D("0.062"), decimals=1, baseline=D("0.98")),
        _row("worstSymbol", "4.0", "12", text="MU", decimals=1, signed=True, event_time=NOW - timedelta(minutes=2)),
        _row("signalsAge", "2", "300"),
        _row("bars", "41", "240"),
        _row("lag", "200", "5000"),
        _row("cycle", "4", "15"),
        _row("books", "2820", "7200", detail="next 14:47"),
        _row("unknown", "0", "0", used=None),
        _row("ownOrders", None, text="7c1"),
        _row("stop", None, text="none", state=RowState.OK),
    )
    return tuple(replace(row, key=SignalKey(book, row.key.name)) for row in made)


def changed(base: tuple[Row, ...], **changes: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows with some of their fields replaced, by name of the signal."""
    return tuple(replace(row, **changes.get(row.key.name, {})) for row in base)


TRIGGER_ROWS = (
    TriggerRow(
        "gross-over",
        "gross over its limit",
        TriggerState.ARMED,
        D(1088),
        Unit.USD,
        "REDUCE ONLY, back to L0",
        of=3,
        reaction=3,
    ),
    TriggerRow(
        "name-over",
        "NVDA over its limit",
        TriggerState.ARMED,
        D(587),
        Unit.USD,
        "REDUCE ONLY, back to L0",
        of=3,
        reaction=3,
    ),
    TriggerRow(
        "loss", "loss, first level", TriggerState.ARMED, D("68.60"), Unit.USD, "FROZEN, back to L0", of=3, reaction=3
    ),
    TriggerRow(
        "stale",
        "inputs stale",
        TriggerState.ARMED,
        D(199),
        Unit.SECONDS,
        "NO NEW ORDERS; 5m L0",
    ),
    TriggerRow("drift", "drift", TriggerState.ARMED, None, Unit.COUNT, "FROZEN"),
    TriggerRow(
        "tca",
        "TCA worse, fast",
        TriggerState.NOT_ARMED,
        None,
        Unit.COUNT,
        "FROZEN",
        detail="has 3 of the 10 fills it needs",
    ),
)

CARDS = (
    StageCard(
        0, "L0", "Paper baseline", "5,000 $ gross · 3 symbols · paper", "passed", "burn-in 5 of 5 sessions", False
    ),
    StageCard(1, "L1", "Canary", "5,000 $ gross · 3 symbols", "LIVE NOW", "", True),
    StageCard(2, "L2", "Wider universe", "25,000 $ gross · 6 symbols", "not yet", "needs burn-in, 2 approvals", False),
    StageCard(3, "L3", "Target", "100,000 $ gross · 10 symbols", "not yet", "needs L2 burn-in, 2 approvals", False),
)
BURN_IN = BurnIn(
    1,
    "run-7",
    "OBSERVING",
    0.64,
    "lacks 73 fills",
    (
        BurnInItem("fills", D(127), D(200), "fills", False),
        BurnInItem("market time", D(793), D(1170), "min", False),
        BurnInItem("coverage", D("99.2"), D(99), "%", True),
    ),
    started_at=NOW - timedelta(days=2),
)
TRUTH = Truth(
    (
        TruthRow("mode", "live", "live", "live acct", True),
        TruthRow("stage", "L1", "L1", None, True),
        TruthRow("gross limit", "5,000", "5,000", None, True),
        TruthRow("kill switch", "off", "off", "not blocked", True),
        TruthRow("new orders", "sent", "sent", "taken", True),
        TruthRow("open orders", None, "1", "1", None),
        TruthRow("gross", None, "3,912 $", "3,912 $", None),
    ),
    {"git": 360.0, "runtime": 2.0, "venue": 1.0},
    True,
    NOW - timedelta(hours=4, minutes=17),
)
VENUE = VenueReading(
    "8820154411",
    "live",
    False,
    (Order("7c1", "MU", "buy", D(2), D(105), NOW - timedelta(seconds=4)),),
    (Position("NVDA", D(8), D(1413)), Position("AMD", D(-8), D(-1281)), Position("MU", D(12), D(1219))),
    D(46000),
    NOW,
)
SNAPSHOT = Snapshot(
    8812,
    NOW,
    NOW,
    sources=(
        SourceHealth("status", True, 88, NOW),
        SourceHealth("metrics", True, 41, NOW),
        SourceHealth("venue", True, 61, NOW),
    ),
    git=GitReading("8c1f2e0a55", NOW - timedelta(minutes=6)),
    venue=VENUE,
)
HOLD = Headline(
    "HOLD", "82 %", "gross if all fill: 4,123 of 5,000 $", "Nothing to do. Burn-in of L1 lacks 73 fills.", "ok", False
)


WAYS = (
    Way("roll back to L0", "READY", "~6 min, proven 3 h 02 min ago"),
    Way("kill", "NOT PROVEN", "no drill for 9 d 2 h"),
)


def evaluation(**changes: Any) -> Evaluation:
    """L1 in force and quiet."""
    made = Evaluation(
        snapshot=SNAPSHOT,
        standing=Standing(1, Mode.NORMAL, 1),
        effective=1,
        posture=Posture(Mode.NORMAL, 3),
        latches=(),
        rows=rows() + rows("L0"),
        triggers=TRIGGER_ROWS,
        burn_in=BURN_IN,
        cards=CARDS,
        truth=TRUTH,
        drift=(),
        alarms=(),
        headline=HOLD,
        recommendation=Recommendation("HOLD", ("burn-in lacks 73 fills",)),
        market_phase="open",
        market_note="entries stop in 58 min",
        accounts={"live": ("8820154411", "live"), "L0": ("PA3SX7FYNUTF", "paper")},
        ways=WAYS,
    )
    return replace(made, **changes)


def _history() -> dict[SignalKey, list[float | None]]:
    wave = {row.key: float(row.value or 0) for row in rows()}
    return {
        key: [None if slot < 24 else value * (0.8 + 0.2 * math.sin(slot / 36)) for slot in range(360)]
        for key, value in wave.items()
    }


WATCHED = WatchPresence("watch@ops-1", True, False, 2.0)
EVENTS = (
    "14:02:10  burn-in clock runs again after 6 min blind. Those 6 min do not count.",
    "13:47:05  reconciliation clean: 3 positions, cash difference 0.00 $.",
)


def frame(**changes: Any) -> Frame:
    """The frame of an evaluation; ``evaluation`` among the changes replaces the quiet one."""
    made = Frame(
        evaluation=evaluation(),
        history=_history(),
        policy=POLICY,
        who="alice",
        actor="alice",
        presence=WATCHED,
        events=EVENTS,
        environment="PRODUCTION",
        sees=Sees(1.3, 3.1, 600),
    )
    return replace(made, **changes)


def view(shown: Frame | None = None, *, wall: datetime = NOW, **changes: Any) -> View:
    """A view of a frame at the time of its tick."""
    made = View("torghut", "PRODUCTION", "alice", wall, NOW - timedelta(seconds=3), shown)
    return replace(made, **changes)


# ------------------------------------------------------------------------------------------------------------- states
