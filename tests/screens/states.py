"""Frames made by hand, one for each state that a screen must be able to show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from console.desk import Answers, Frame, Given, Rehearsal, Running, RunningStep
from console.screens import View
from stages.ladder import Direction, Unit
from stages.plan import ControlChange, Edit, Plan
from stages.policy import Policy
from stages.posture import Latch, Mode, Posture
from stages.signals import LIVE_BOOK, Quality, SignalKey, Snapshot, SourceHealth
from stages.stake import BlastRadius
from stages.standing import Difference, Standing
from stages.verdict import (
    Alarm,
    AlarmClass,
    BurnIn,
    BurnInItem,
    Evaluation,
    Gate,
    GateStatus,
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

D = Decimal
NOW = datetime(2026, 11, 24, 19, 31, 8, tzinfo=UTC)
"""Tuesday 24 Nov, 14:31:08 in New York."""

LIMITS = {
    "L0": (500, 5000, 2500, "0.4", 150, "NVDA,AMD,MU"),
    "L1": (500, 5000, 2500, "0.4", 150, "NVDA,AMD,MU"),
    "L2": (2500, 25000, 10000, "0.25", 600, "NVDA,AMD,MU,AVGO,MRVL,WDC"),
    "L3": (10000, 100000, 40000, "0.15", 2000, "NVDA,AMD,MU,AVGO,MRVL,WDC,INTC,QCOM,TXN,ON"),
}
TITLES = {"L0": "Paper baseline", "L1": "Canary", "L2": "Wider universe", "L3": "Target"}


def _control(title: str, unit: str, riskier: str, env: str, enforced: str) -> dict[str, Any]:
    binding = {"file": "scheduler-deployment.yaml", "object": "Deployment/torghut-scheduler", "env": env}
    return {"title": title, "unit": unit, "riskier": riskier, "bindings": [binding], "enforcedBy": enforced}


CONTROLS = {
    "maxOrderNotional": _control("max order", "usd", "higher", "TRADING_MAX_NOTIONAL_PER_TRADE", "app-reject"),
    "maxGrossExposure": _control("max gross", "usd", "higher", "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE", "app-clip"),
    "maxNetExposure": _control("max net", "usd", "higher", "TRADING_PORTFOLIO_MAX_NET_EXPOSURE", "app-clip"),
    "symbolConcentration": _control("max per symbol", "usd", "higher", "TRADING_MAX_NOTIONAL_PER_SYMBOL", "app-clip"),
    "participationCap": _control("participation", "ratio", "higher", "TRADING_PARTICIPATION", "app-clip"),
    "dailyLossLimit": _control("loss limit, day", "usd", "higher", "RAMPDECK_LOSS_LIMIT", "rampdeck"),
    "universe": _control("symbols", "symbols", "superset", "TRADING_STATIC_SYMBOLS", "app-clip"),
}


def _signal(title: str, unit: str, panel: str, **more: Any) -> dict[str, Any]:
    source = {"http": {"endpoint": "torghut", "path": "/trading/status", "value": "x"}}
    return {"title": title, "unit": unit, "panel": panel, "class": "safety", "source": source, "maxAge": "30s"} | more


SIGNALS = {
    "pnl": _signal("day P&L", "usd", "exposure", harm="loss", limit={"control": "dailyLossLimit"}),
    "gross": _signal("gross", "usd", "exposure", limit={"control": "maxGrossExposure"}),
    "grossFilled": _signal("gross if all fill", "usd", "exposure", limit={"control": "maxGrossExposure"}),
    "net": _signal("net", "usd", "exposure", harm="magnitude", limit={"control": "maxNetExposure"}),
    "largest": _signal("largest", "usd", "exposure", limit={"control": "symbolConcentration"}),
    "largestOrder": _signal("largest order", "usd", "exposure", limit={"control": "maxOrderNotional"}, warn=None),
    "participation": _signal("worst participation", "ratio", "exposure", limit={"control": "participationCap"}),
    "orderRate": _signal("orders per minute", "/min", "exposure", limit={"atMost": 6}),
    "outside": _signal("outside universe", "count", "exposure", limit={"zero": True}),
    "working": _signal("working orders", "usd", "exposure"),
    "shortfall": _signal("shortfall, arrival", "bp", "tca", limit={"atMost": 8}),
    "slippage": _signal("slippage 15 min", "bp", "tca", limit={"atMost": 12}),
    "rejected": _signal("rejected orders", "ratio", "tca", limit={"atMost": "0.1"}),
    "filled": _signal("filled of sent", "ratio", "tca", limit={"atLeast": "0.9"}),
    "worstSymbol": _signal("worst symbol", "bp", "tca", limit={"atMost": 12}),
    "signalsAge": _signal("trade signals", "s", "freshness", limit={"atMost": 300}),
    "bars": _signal("microbars", "s", "freshness", limit={"atMost": 240}),
    "lag": _signal("market-data lag", "ms", "freshness", limit={"atMost": 5000}),
    "cycle": _signal("scheduler cycle", "s", "freshness", limit={"atMost": 15}),
    "books": _signal("broker vs ledger", "s", "reconciliation", limit={"atMost": 7200}),
    "unknown": _signal("unknown orders", "count", "reconciliation", limit={"zero": True}),
    "stop": _signal("app's own stop", "word", "incident", limit={"words": ["none"]}),
}

TRIGGERS = {
    "gross-over": {
        "title": "gross over its limit",
        "kind": "limit",
        "signals": ["gross"],
        "then": [{"mode": "REDUCE_ONLY", "cap": "-1"}],
    },
    "loss": {
        "title": "loss, first level",
        "kind": "loss",
        "signals": ["pnl"],
        "then": [{"mode": "FROZEN", "cap": "-1"}],
    },
}


def policy() -> Policy:
    """A ladder of four stages in the shape of Torghut's."""
    stages = []
    for name, (order, gross, net, share, loss, symbols) in LIMITS.items():
        controls = {
            "maxOrderNotional": order,
            "maxGrossExposure": gross,
            "maxNetExposure": net,
            "symbolConcentration": {"value": share, "of": "maxGrossExposure"},
            "participationCap": "0.1",
            "dailyLossLimit": loss,
            "universe": symbols.split(","),
        }
        stage: dict[str, Any] = {"name": name, "title": TITLES[name], "controls": controls}
        if name == "L0":
            stage |= {"endpoints": {"torghut": "paper"}, "account": {"label": "PA3SX7FYNUTF", "environment": "paper"}}
        stages.append(stage)
    hours = {
        "timezone": "America/New_York",
        "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"],
        "open": "09:30",
        "close": "16:00",
        "entryCutoff": "15:30",
        "flattenStart": "15:45",
        "calendarUntil": "2027-12-31",
    }
    target = {
        "namespace": "torghut",
        "gitopsPath": "apps/torghut",
        "session": hours,
        "convergence": "6m",
        "account": {"label": "8820154411", "environment": "live"},
        "workloads": [{"object": "Deployment/torghut-scheduler", "dark": "6m"}],
    }
    spec = {
        "version": 7,
        "target": target,
        "controls": CONTROLS,
        "stages": stages,
        "signals": SIGNALS,
        "triggers": TRIGGERS,
    }
    document = {
        "apiVersion": "rampdeck.dev/v1alpha1",
        "kind": "RampPolicy",
        "metadata": {"name": "torghut"},
        "spec": spec,
    }
    return Policy.model_validate(document)


POLICY = policy()


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
    (Order("7c1", "MU", "buy", D(2), D(105), NOW),),
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


def ok() -> Frame:
    return frame()


def waiting() -> None:
    """Before the first tick there is no frame."""


def warning() -> Frame:
    row = {"state": RowState.WARN, "value": D(4560), "used": D("0.912")}
    head = Headline(
        "WARN",
        "91 %",
        "gross: 4,560 of 5,000 $",
        "Inside its limit. A breach would reduce to L0.",
        "warn",
        False,
        0,
        "warn:gross",
    )
    return frame(evaluation=evaluation(rows=changed(rows(), gross=row) + rows("L0"), headline=head))


def first_bad_read() -> Frame:
    row = {"state": RowState.SUSPECT, "value": D(5100), "used": D("1.02"), "word": "1 of 3"}
    fired = replace(TRIGGER_ROWS[0], state=TriggerState.SUSPECT, left=D(-100), reads=1)
    head = Headline(
        "WAIT", "102 %", "gross: 5,100 of 5,000 $, 1 of 3", "Not confirmed; two more reads decide.", "suspect", False
    )
    return frame(
        evaluation=evaluation(
            rows=changed(rows(), gross=row) + rows("L0"), headline=head, triggers=(fired, *TRIGGER_ROWS[1:])
        )
    )


STEPS = (
    RunningStep("recorded", "done", 0.02, 0.05, "entry 48,402"),
    RunningStep("venue blocks new risk", "done", 0.6, 1.0, "venue answered: blocked"),
    RunningStep("L1 pushed", "running", None, 30.0, "5be2d71 on its way"),
    RunningStep("runtime read back", "waiting", None, 360.0),
)


def reducing(**changes: Any) -> Running:
    made = Running(
        "reduce",
        "STEPPING DOWN TO L1 by itself",
        STEPS,
        NOW - timedelta(seconds=6.2),
        safe_now="YES",
        safe_note="venue blocks new risk (read 1s)",
        stays_so="NOT YET",
        stays_note="runtime still runs L2",
    )
    return replace(made, **changes)


LATCH = Latch(
    "gross-over:1:4",
    "gross-over",
    "gross",
    4,
    NOW,
    "26,410 of 25,000",
    Mode.REDUCE_ONLY,
    1,
    ("risk", "trader"),
    48402,
)
GOING_DOWN = (
    replace(CARDS[0], status="passed", note="known good"),
    replace(CARDS[1], status="GOING HERE", note="burn-in will start from zero", in_force=False),
    replace(CARDS[2], status="LIVE, LEAVING", note="burn-in FAILED at 71 %", in_force=True),
    replace(CARDS[3], note="no advance before Fri 04 Dec"),
)


def breach() -> Frame:
    loud = {"state": RowState.BREACH, "value": D(26410), "limit": D(25000), "used": D("1.0564")}
    changes: dict[str, dict[str, Any]] = {
        "pnl": {"value": D("-212.75"), "limit": D(600), "used": D("0.354")},
        "gross": loud,
        "grossFilled": loud,
        "net": {"value": D(7180), "limit": D(10000), "used": D("0.718")},
        "largest": {"value": D(6120), "limit": D(6250), "used": D("0.979"), "state": RowState.WARN},
        "largestOrder": {"value": D(2484), "limit": D(2500), "used": D("0.9936")},
    }
    head = Headline(
        "BREACH",
        "106 %",
        "gross: 26,410 of 25,000 $, since 14:31:04 (9 s)",
        "STEPPING DOWN TO L1 by itself, step 3 of 4. Positions stay open, nothing is sold. "
        "New risk is blocked at the venue.",
        "breach",
        True,
        0,
        "fired:gross-over",
    )
    fired = replace(
        TRIGGER_ROWS[0],
        state=TriggerState.FIRED,
        left=D(-1410),
        detail="3 of 3 reads; HELD until risk + trader clear it",
    )
    truth = replace(
        TRUTH,
        rows=(
            TruthRow("stage", "L1", "L2", None, False, "for 1 s"),
            TruthRow("gross limit", "5,000", "25,000", None, False),
            TruthRow("new orders", "exits only", "exits only", "BLOCKED", True),
            TruthRow("gross", None, "26,410 $", "26,410 $", None),
        ),
        agree=False,
        since=NOW - timedelta(seconds=1),
    )
    return frame(
        evaluation=evaluation(
            standing=Standing(2, Mode.NORMAL, 2),
            effective=2,
            posture=Posture(Mode.REDUCE_ONLY, 1),
            latches=(LATCH,),
            rows=changed(rows(), **changes) + rows("L0"),
            headline=head,
            triggers=(fired, *TRIGGER_ROWS[1:]),
            cards=GOING_DOWN,
            truth=truth,
            burn_in=BurnIn(2, "run-9", "FAILED", 0.71, ""),
            alarms=(Alarm("fired:gross-over", AlarmClass.ACT, "gross over its limit", NOW),),
        ),
        running=reducing(),
    )


def over() -> Frame:
    row = {"state": RowState.OVER, "value": D(18240), "used": D("3.648"), "word": "OVER L1"}
    head = Headline(
        "OVER L1",
        "",
        "13,240 $ still to reduce: gross 18,240 of 5,000 $",
        "Exits pass, entries do not. HELD until trader and risk clear it.",
        "over",
        False,
    )
    return frame(
        evaluation=evaluation(
            rows=changed(rows(), gross=row) + rows("L0"),
            headline=head,
            latches=(LATCH,),
            posture=Posture(Mode.REDUCE_ONLY, 1),
        )
    )


def _unknown(state: RowState, panels: tuple[str, ...], **more: Any) -> tuple[Row, ...]:
    old = NOW - timedelta(seconds=41)
    return tuple(
        replace(row, state=state, used=None, quality=Quality.PROVIDER_ERROR, event_time=old, **more)
        if row.panel in panels
        else row
        for row in rows()
    )


def blind() -> Frame:
    head = Headline(
        "BLIND",
        "41 s",
        "exposure and TCA: status gives no answer",
        "FROZEN: no advance. If it stays so, by itself: back to L0 in 19 s.",
        "unknown",
        True,
        0,
        "blind",
    )
    made = _unknown(RowState.BLIND, ("exposure", "freshness", "reconciliation"))
    made = tuple(replace(row, state=RowState.NO_DATA, used=None) if row.panel == "tca" else row for row in made)
    seen = tuple(replace(row, state=TriggerState.CANNOT_SEE) for row in TRIGGER_ROWS[1:3])
    lost = TriggerRow(
        "blind",
        "we cannot see",
        TriggerState.FIRED,
        None,
        Unit.SECONDS,
        "FROZEN",
        detail="FROZEN; L0 next",
        next_in=19.0,
    )
    truth = replace(
        TRUTH,
        agree=None,
        since=NOW - timedelta(seconds=41),
        ages={"git": 360.0, "runtime": None, "venue": 1.0},
        rows=(TruthRow("stage", "L1", "?", None, None), *TRUTH.rows[2:]),
    )
    sources = (SourceHealth("status", False, None, NOW - timedelta(seconds=41)), *SNAPSHOT.sources[1:])
    return frame(
        evaluation=evaluation(
            rows=made + rows("L0"),
            headline=head,
            triggers=(lost, *seen, TRIGGER_ROWS[3]),
            truth=truth,
            posture=Posture(Mode.FROZEN, 3),
            snapshot=replace(SNAPSHOT, sources=sources),
            burn_in=replace(BURN_IN, state="BLIND"),
            alarms=(Alarm("blind", AlarmClass.ACT, "blind", NOW),),
        )
    )


def stale() -> Frame:
    head = Headline(
        "BLIND", "48 s", "trade signals", "The last bar is 48 s older than allowed.", "unknown", True, 0, "stale"
    )
    return frame(evaluation=evaluation(rows=_unknown(RowState.STALE, ("freshness",)) + rows("L0"), headline=head))


def restarting() -> Frame:
    head = Headline(
        "WAIT",
        "52 s",
        "torghut-scheduler restarts, as expected",
        "Dark for at most 6 min; no trigger counts this silence.",
        "running",
        False,
    )
    made = _unknown(RowState.RESTARTING, ("exposure", "freshness"))
    return frame(evaluation=evaluation(rows=made + rows("L0"), headline=head, dark_left=308.0))


def no_data() -> Frame:
    head = Headline(
        "HOLD", "82 %", "gross if all fill: 4,123 of 5,000 $", "TCA has too few fills to say anything.", "ok", False
    )
    made = _unknown(RowState.NO_DATA, ("tca",), word="NO DATA (3 of 10)", value=None)
    return frame(evaluation=evaluation(rows=made + rows("L0"), headline=head))


def closed() -> Frame:
    head = Headline(
        "CLOSED", "", "flat since 15:47:12", "Nothing to do. Burn-in clock paused at 64 %.", "closed", False
    )
    made = _unknown(RowState.CLOSED, ("exposure", "tca"), word="at 16:00")
    return frame(
        evaluation=evaluation(
            rows=made + rows("L0"),
            headline=head,
            market_phase="closed",
            market_note="opens in 14 h 28 min",
            burn_in=replace(BURN_IN, state="SUSPENDED"),
        )
    )


def between() -> Frame:
    differences = (Difference("maxGrossExposure", D(5000), D(25000), False),)
    head = Headline(
        "BETWEEN",
        "",
        "2 of 7 controls are already L2: max gross, symbols",
        "Nothing may go up. r ROLLBACK L1 puts both back.",
        "warn",
        False,
    )
    standing = Standing(None, Mode.NORMAL, 2, differences=differences)
    return frame(evaluation=evaluation(standing=standing, effective=2, headline=head, posture=Posture(Mode.FROZEN, 3)))


def nobody_acts() -> Frame:
    head = Headline(
        "NOBODY ACTS",
        "",
        "triggers only ring here: watch@ops-1 silent for 34 s",
        "This console does not act by itself. T takes over here.",
        "warn",
        False,
        0,
        "nobody",
    )
    return frame(evaluation=evaluation(headline=head), presence=WatchPresence("watch@ops-1", False, False, 34.0))


def read_only() -> Frame:
    return frame(read_only=True, who="visitor")


def first_run() -> Frame:
    head = Headline(
        "FIRST RUN",
        "",
        "3 of 6 triggers armed; nothing is held",
        "Not armed: TCA (0 of 10 fills), loss (no opening equity yet).",
        "ok",
        False,
    )
    made = tuple(
        replace(
            row,
            state=RowState.NO_DATA if row.panel == "tca" else RowState.BLIND,
            value=None,
            used=None,
            text="",
            event_time=None,
        )
        for row in rows("L0")
    )
    truth = Truth(
        tuple(replace(row, git="?", runtime="?", venue="?", agree=None) for row in TRUTH.rows),
        {"git": None, "runtime": None, "venue": None},
        None,
    )
    return frame(
        evaluation=evaluation(
            rows=made,
            book="L0",
            headline=head,
            accounts={},
            truth=truth,
            burn_in=BurnIn(0, "", "none"),
            effective=0,
            standing=Standing(0, Mode.NORMAL, 0),
            posture=Posture(Mode.FROZEN, 3),
            cards=tuple(
                replace(card, in_force=card.index == 0, status="LIVE NOW" if card.index == 0 else "not yet")
                for card in CARDS
            ),
            triggers=tuple(
                replace(row, state=TriggerState.NOT_ARMED, left=None, detail="no data yet") for row in TRIGGER_ROWS
            ),
            snapshot=replace(SNAPSHOT, git=None, sources=(SourceHealth("status", False, None, None),)),
        ),
        history={},
        events=(),
        presence=WatchPresence(None, False, False, None),
    )


STATES = {
    made.__name__: made
    for made in (
        ok,
        waiting,
        first_run,
        warning,
        first_bad_read,
        breach,
        over,
        stale,
        blind,
        restarting,
        no_data,
        closed,
        between,
        nobody_acts,
        read_only,
    )
}

# -------------------------------------------------------------------------------------------------------------- plans

DIFF = """--- a/apps/torghut/scheduler-deployment.yaml
+++ b/apps/torghut/scheduler-deployment.yaml
@@ -186,14 +186,14 @@
             - name: TRADING_MAX_NOTIONAL_PER_TRADE
-              value: "500"
+              value: "2500"
             - name: TRADING_MIN_NOTIONAL_PER_TRADE
               value: "25"
@@ -240,8 +240,8 @@
             - name: TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE
-              value: "5000"
+              value: "25000"
             - name: TRADING_PORTFOLIO_MAX_NET_EXPOSURE
-              value: "2500"
+              value: "10000"
             - name: TRADING_STATIC_SYMBOLS
-              value: NVDA,AMD,MU
+              value: NVDA,AMD,MU,AVGO,MRVL,WDC
"""
SMALL_DIFF = """--- a/apps/torghut/ws/configmap.yaml
+++ b/apps/torghut/ws/configmap.yaml
@@ -4,3 +4,3 @@
 data:
-  SYMBOLS: "NVDA,AMD,MU"
+  SYMBOLS: "NVDA,AMD,MU,AVGO,MRVL,WDC"
"""


def _change(name: str, before: Any, after: Any, unit: Unit, *, same: bool = False, **more: Any) -> ControlChange:
    control = POLICY.spec.controls[name]
    direction = Direction.NEUTRAL if same else Direction.RISKIER
    return ControlChange(name, control.title, before, after, unit, direction, control.enforced_by, **more)


SCHEDULER, FEED = "apps/torghut/scheduler-deployment.yaml", "apps/torghut/ws/configmap.yaml"

PLAN = Plan(
    id="7f3a" + "0" * 60,
    namespace="torghut",
    epoch=4,
    from_stage="L1",
    to_stage="L2",
    direction=Direction.RISKIER,
    policy_digest="a" * 64,
    policy_version=7,
    roster_digest="b" * 64,
    edits=(
        Edit(SCHEDULER, "1" * 40, "2" * 40, DIFF),
        Edit(FEED, "3" * 40, "4" * 40, SMALL_DIFF),
    ),
    changes=(
        _change("maxOrderNotional", D(500), D(2500), Unit.USD, files=(SCHEDULER,)),
        _change("maxGrossExposure", D(5000), D(25000), Unit.USD, files=(SCHEDULER,)),
        _change("maxNetExposure", D(2500), D(10000), Unit.USD, files=(SCHEDULER,)),
        _change("symbolConcentration", D(2000), D(6250), Unit.USD, share_before=D("0.4"), share_after=D("0.25")),
        _change("dailyLossLimit", D(150), D(600), Unit.USD),
        _change(
            "universe",
            ("NVDA", "AMD", "MU"),
            ("NVDA", "AMD", "MU", "AVGO", "MRVL", "WDC"),
            Unit.SYMBOLS,
            files=(SCHEDULER, FEED),
        ),
        _change("participationCap", D("0.1"), D("0.1"), Unit.RATIO, same=True, pinned="economic policy"),
    ),
    blast_radius=BlastRadius(
        D(5000),
        D(25000),
        D(2500),
        D(10000),
        D(2000),
        D(6250),
        D(150),
        D(600),
        ("AVGO", "MRVL", "WDC"),
        (),
        ("Deployment/torghut-scheduler",),
    ),
    created_by="alice",
    created_at=NOW,
    expires_at=NOW + timedelta(hours=1, minutes=9),
    base_commit="8c1f2e0a55",
    contracts=("capital-safety.sh pins max gross per symbol: change it in the same pull request",),
)

GATE_NAMES = (
    "policy",
    "order",
    "standing",
    "posture",
    "burn-in",
    "freshness",
    "reconciliation",
    "drift",
    "rollback-ready",
    "watch",
    "fresh",
)


def gates(*, failing: str = "") -> tuple[Gate, ...]:
    return tuple(
        Gate(
            name,
            GateStatus.FAIL if name == failing else GateStatus.PASS,
            ("127 of 200 fills, 2.0 of 3 sessions",) if name == failing else (f"{name} holds",),
        )
        for name in GATE_NAMES
    )


BOB = Given("bob", ("risk",), NOW - timedelta(minutes=9), NOW + timedelta(minutes=51))
ERIN = Given("erin", ("designated",), NOW - timedelta(minutes=2), NOW + timedelta(minutes=27))
PHRASE = "ADVANCE torghut L1 L2 GROSS 25,000"

BLOCKED_REHEARSAL = Rehearsal(PLAN, gates(failing="burn-in"), False, "")
READY_REHEARSAL = Rehearsal(PLAN, gates(), True, PHRASE)
REFUSED_REHEARSAL = Rehearsal(
    replace(PLAN, refusals=("participation is pinned by economic-policy: edit its companions",)), gates(), False, ""
)

BLOCKED = Answers(True, 2, "1 of role designated; not alice", (BOB,), gates=gates(failing="burn-in"))
READY = Answers(True, 2, "", (BOB, ERIN), gates=gates(), allowed=True, confirmation=PHRASE)
STALE = replace(
    READY, stale="the image changed in scheduler-deployment.yaml (bot, 14:47)", allowed=False, confirmation=""
)


def applying(**changes: Any) -> Running:
    steps = (
        RunningStep("recorded", "done", 0.02, 0.05, "entry 48,410, approvals used up"),
        RunningStep("checked again", "done", 0.4, 5.0, "base, gates, approvals"),
        RunningStep("pushed", "done", 2.1, 30.0, "93c2f11 on main"),
        RunningStep("runtime read back", "running", None, 360.0, "5 of 7 controls are L2"),
    )
    return replace(
        Running("advance", "alice applies 7f3a: L1 → L2", steps, NOW - timedelta(seconds=47), plan_id=PLAN.id),
        **changes,
    )
