"""A plan to L2 made by hand, with its rehearsals, answers and gates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from console.desk import Answers, Given, Rehearsal, Running, RunningStep
from stages.ladder import Direction, Unit
from stages.plan import ControlChange, Edit, Plan
from stages.stake import BlastRadius
from stages.value import replace
from stages.verdict import (
    Gate,
    GateStatus,
)
from tests.screens.ladder import NOW, POLICY, D

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
