"""Frames made by hand, one for each state that a screen must be able to show, beside what they are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from console.desk import Frame, Running, RunningStep
from stages.ladder import Unit
from stages.posture import Latch, Mode, Posture
from stages.signals import Quality, SourceHealth
from stages.standing import Difference, Standing
from stages.value import replace
from stages.verdict import (
    Alarm,
    AlarmClass,
    BurnIn,
    Hanging,
    Headline,
    Row,
    RowState,
    TriggerRow,
    TriggerState,
    Truth,
    TruthRow,
    WatchPresence,
)
from stages.witness import Position
from tests.screens.ladder import (
    NOW,
    POLICY,
    D,
)
from tests.screens.plans import (
    BLOCKED,
    BLOCKED_REHEARSAL,
    BOB,
    DIFF,
    PHRASE,
    PLAN,
    READY,
    READY_REHEARSAL,
    REFUSED_REHEARSAL,
    STALE,
    applying,
    gates,
)
from tests.screens.quiet import (
    BURN_IN,
    CARDS,
    SNAPSHOT,
    TRIGGER_ROWS,
    TRUTH,
    VENUE,
    changed,
    evaluation,
    frame,
    rows,
    view,
)

__all__ = [
    "BLOCKED",
    "BLOCKED_REHEARSAL",
    "BOB",
    "BURN_IN",
    "CARDS",
    "DIFF",
    "GOING_DOWN",
    "LATCH",
    "NOW",
    "PHRASE",
    "PLAN",
    "POLICY",
    "READY",
    "READY_REHEARSAL",
    "REFUSED_REHEARSAL",
    "SNAPSHOT",
    "STALE",
    "STATES",
    "STEPS",
    "TRIGGER_ROWS",
    "TRUTH",
    "VENUE",
    "applying",
    "between",
    "blind",
    "breach",
    "changed",
    "closed",
    "evaluation",
    "first_bad_read",
    "first_run",
    "frame",
    "gates",
    "no_data",
    "nobody_acts",
    "ok",
    "over",
    "read_only",
    "reducing",
    "restarting",
    "rows",
    "stale",
    "view",
    "waiting",
    "warning",
]


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
    nearing = replace(TRIGGER_ROWS[0], left=D(440), projected=715.0)
    return frame(
        evaluation=evaluation(
            rows=changed(rows(), gross=row) + rows("L0"), headline=head, triggers=(nearing, *TRIGGER_ROWS[1:])
        )
    )


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


HELD_AT_L2 = (
    Position("NVDA", D(34), D(6120)),
    Position("MU", D(53), D(5600)),
    Position("AAPL", D(21), D(5075)),
    Position("AMD", D(-32), D(-5200)),
    Position("INTC", D(-120), D(-4415)),
)
"""26,410 $ gross, 7,180 $ net."""


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
            snapshot=replace(SNAPSHOT, venue=replace(VENUE, positions=HELD_AT_L2)),
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


FLATTENING = NOW + timedelta(minutes=73, seconds=52)
"""15:45 in New York."""


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
            overhang=(
                Hanging("gross", "", D(13240), Unit.USD, FLATTENING),
                Hanging("largest", "NVDA", D(1200), Unit.USD, FLATTENING),
                Hanging("largest", "AMD", D(400), Unit.USD, FLATTENING),
                Hanging("outside universe", "MU", D(900), Unit.USD, FLATTENING),
                Hanging("day P&L", "", D(62), Unit.USD, None, loss=True),
            ),
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
        rows=tuple(replace(row, runtime="?", agree=None) for row in TRUTH.rows[1:]),
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
            snapshot=replace(SNAPSHOT, git=None, venue=None, sources=(SourceHealth("status", False, None, None),)),
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
