"""What a drill declared on the account of the stage in force rings and latches nothing; whatever else happens does."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stages.drill import ABORTED, KILL, PAPER, PASS, PROBES, RESTARTS, RUNNING, Finding
from stages.drill_effects import declared
from stages.facts import DrillRun
from stages.posture import Mode
from stages.value import replace
from stages.verdict import RowState
from tests.unit.test_all_triggers import held, one
from tests.unit.watched import GOOD, OPEN, Watched, make_policy, policy_document, signal

ACCOUNT = "HERON-PAPER"
STRANGE = one("reconciliation", {"mode": "HALTED", "cap": "L0"}, signals=["unknownOrders"])
BLIND = one("blind", {"mode": "FROZEN"})
LOSS = one("loss", {"mode": "KILLED", "cap": "L0"}, signals=["pnl"])


def baseline(**triggers: dict[str, Any]) -> Watched:
    """A world at its lowest stage, which is measured on the paper account."""
    spec = policy_document()["spec"]
    stages = [dict(stage) for stage in spec["stages"]]
    stages[0] |= {"endpoints": {"heron": "paper"}, "account": {"label": ACCOUNT, "environment": "paper"}}
    signals = spec["signals"] | {
        "unknownOrders": signal("unknown orders", unit="count", panel="reconciliation", limit={"zero": True}),
        "otherOrders": signal("other orders", unit="count", panel="reconciliation", limit={"zero": True}),
    }
    policy = make_policy(stages=stages, signals=signals, triggers=triggers, unknownOrders="unknownOrders")
    watched = Watched(policy, stage=0)
    watched.values |= {"unknownOrders": Decimal(0), "otherOrders": Decimal(0)}
    watched.paper = GOOD | {"unknownOrders": Decimal(0), "otherOrders": Decimal(0)}
    return watched.tick(3)


def drilling(watched: Watched, *orders: str, effects: tuple[str, ...] = (PROBES, RESTARTS), **changes: Any) -> DrillRun:
    """A drill on the paper account that has planted its orders; the watch knows of it."""
    run = DrillRun(
        "r1", KILL, PAPER, "", RUNNING, "alice", watched.wall, watched.market, {"account": ACCOUNT}, {},
        until=watched.wall + timedelta(minutes=15), step="D3", orders=orders, effects=effects,
        entered={"D2": watched.wall, "D3": watched.wall},
    )  # fmt: skip
    run = replace(run, **changes)
    watched.state = replace(watched.state, drills={run.run: run})
    return run


def rings(watched: Watched) -> list[str]:
    return [alarm.text for alarm in watched.judge().alarms]


def gone(order: str, at: datetime) -> Finding:
    return Finding("D6", f"{order} is gone at the venue", True, 0.1, subject=order, at=at)


def test_its_own_orders_are_taken_off_and_told() -> None:
    watched = baseline(strange=STRANGE)
    drilling(watched, "o1", "o2")
    watched.paper["unknownOrders"] = Decimal(2)
    watched.tick(3)
    assert (held(watched), rings(watched)) == ([], [])
    found = watched.judge()
    row = next(row for row in found.rows if row.key.name == "unknownOrders" and row.key.book == "L0")
    assert (row.state, row.value, row.detail) == (RowState.OK, Decimal(0), "2 of a drill")
    (back,) = found.held
    assert back.alarm.text == "unknown orders: 2 of a drill"
    assert back.why.startswith("DRILL")
    assert back.until == watched.state.drills["r1"].until


@pytest.mark.parametrize("name", ["unknownOrders", "otherOrders"])
def test_an_order_more_and_one_that_is_counted_elsewhere_halt(name: str) -> None:
    watched = baseline(strange=STRANGE | {"signals": [name]})
    drilling(watched, "o1")
    watched.paper[name] = Decimal(2)
    watched.tick(1)
    assert held(watched) == [(Mode.HALTED, 0)]
    assert rings(watched)


def test_they_are_excused_from_the_declaration_on_though_their_ids_are_not_told_yet() -> None:
    watched = baseline(strange=STRANGE)
    drilling(watched)
    watched.paper["unknownOrders"] = Decimal(2)
    assert held(watched.tick(1)) == []
    watched.paper["unknownOrders"] = Decimal(3)
    assert held(watched.tick(1)) == [(Mode.HALTED, 0)]


def test_an_order_that_was_seen_gone_excuses_no_other_one() -> None:
    watched = baseline(strange=STRANGE)
    run = drilling(watched, "o1", "o2")
    drilling(watched, "o1", "o2", findings=(gone("o1", run.started), gone("o2", run.started)))
    watched.paper["unknownOrders"] = Decimal(1)
    assert held(watched.tick(1)) == [], "the signal may be as old as its maxAge"
    assert held(watched.tick(6)) == [(Mode.HALTED, 0)]


def test_a_drill_that_declared_no_orders_excuses_none() -> None:
    watched = baseline(strange=STRANGE)
    drilling(watched, effects=(RESTARTS,))
    watched.paper["unknownOrders"] = Decimal(1)
    assert held(watched.tick(1)) == [(Mode.HALTED, 0)]


def test_the_silence_of_what_it_restarts_is_no_blindness_until_the_declared_end() -> None:
    watched = baseline(blind=BLIND)
    run = drilling(watched, until=watched.wall + timedelta(seconds=20))
    watched.paper = {"orders": Decimal(40)}
    watched.tick(18)
    assert (held(watched), rings(watched)) == ([], [])
    states = {row.state for row in watched.judge().rows if row.key.book == "L0" and row.safety}
    assert states == {RowState.RESTARTING}
    assert {back.until for back in watched.judge().held} == {run.until}
    watched.tick(4)
    assert held(watched) == [(Mode.FROZEN, None)]


def test_the_live_book_is_nobodys_drill() -> None:
    watched = baseline(blind=BLIND)
    drilling(watched)
    watched.silent = True
    assert held(watched.tick(8)) == [(Mode.FROZEN, None)]
    assert declared(watched.policy, watched.state, "live", watched.wall) is None


def test_a_loss_on_the_drilled_account_kills_as_always() -> None:
    watched = baseline(loss=LOSS)
    drilling(watched, "o1", "o2")
    watched.paper["pnl"] = Decimal(-120)
    assert held(watched.tick(3)) == [(Mode.KILLED, 0)]


def test_nothing_outlives_a_drill_that_left_nothing_behind() -> None:
    watched = baseline(strange=STRANGE)
    done = {"D2": watched.wall, "D12": watched.wall}
    proof = Finding("D12", "no probe is left", True, 0.1, at=watched.wall)
    drilling(watched, "o1", state=PASS, ended=watched.wall, entered=done, findings=(proof,))
    watched.paper["unknownOrders"] = Decimal(1)
    assert held(watched.tick(4)) == []
    assert held(watched.tick(3)) == [(Mode.HALTED, 0)]


def test_what_a_broken_off_drill_left_behind_is_its_own_until_the_declared_end() -> None:
    watched = baseline(strange=STRANGE)
    drilling(watched, "o1", state=ABORTED, ended=watched.wall, until=watched.wall + timedelta(seconds=30))
    watched.paper["unknownOrders"] = Decimal(1)
    assert held(watched.tick(20)) == []
    assert held(watched.tick(12)) == [(Mode.HALTED, 0)]


def test_declared_is_by_account_and_by_time() -> None:
    watched = baseline()
    run = drilling(watched)
    assert declared(watched.policy, watched.state, "L0", OPEN) == run
    assert run.until is not None
    assert declared(watched.policy, watched.state, "L0", run.until) is None
    drilling(watched, target={"account": "ANOTHER"})
    assert declared(watched.policy, watched.state, "L0", OPEN) is None
