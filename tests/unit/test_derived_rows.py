"""Rows that the console works out itself: each says what it knows, from its own evidence, and nothing before that."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stages.commands import DeclareIncident, ResolveIncident
from stages.incidents import latch_for
from stages.ladder import Unit
from stages.verdict import Row, RowState
from stages.witness import Order, Position
from tests.unit.watched import OPEN, Watched, make_policy, policy_document, signal, stage

HELD = (Position("NVDA", Decimal(10), Decimal(1000)), Position("MU", Decimal(-5), Decimal(-413)))


def derived(watched: Watched) -> dict[str, Row]:
    return {row.title: row for row in watched.judge().derived}


def costs(watched: Watched, orders: int, mean: float, minutes: int = 1) -> None:
    """So many minutes go by, and the lifetime count and mean are then these."""
    watched.tick(seconds=60, times=minutes, orders=orders, slippage=mean)


def with_windows(**windows: Any) -> Watched:
    spec = {"count": "orders", "long": "15m", "short": "5m", "delta": 1, "deltas": 2, "nominal": 2, "minLong": 10}
    fast = {"title": "cost", "kind": "tca", "signals": ["slippage"], "then": [{"mode": "FROZEN"}]}
    document = policy_document()["spec"]["triggers"]
    return Watched(make_policy(triggers={**document, "fast": fast | {"windows": spec | {"minShort": 4} | windows}}))


def test_a_window_of_costs_is_told_once_it_has_enough_orders() -> None:
    watched = with_windows()
    costs(watched, 40, 2.0)
    row = derived(watched)["slippage 15 min"]
    assert (row.state, row.word, row.value) == (RowState.NO_DATA, "NO DATA (0 of 10)", None)
    costs(watched, 44, 2.2)
    assert derived(watched)["slippage 15 min"].word == "NO DATA (4 of 10)"
    costs(watched, 50, 2.4)
    row = derived(watched)["slippage 15 min"]
    # 50 orders at 2.4 less 40 at 2.0 are 40 bp over 10 orders.
    assert (row.state, row.value, row.limit, row.used) == (RowState.WARN, Decimal(4), Decimal(4), Decimal(1))


def test_a_short_window_has_a_row_only_while_it_is_over() -> None:
    watched = with_windows()
    costs(watched, 40, 2.0)
    costs(watched, 60, 2.0)
    assert "slippage 5 min" not in derived(watched)
    costs(watched, 70, 3.0)
    row = derived(watched)["slippage 5 min"]
    assert (row.state, row.panel, row.unit) == (RowState.WARN, "tca", Unit.BASIS_POINTS)


def test_flat_by_close_says_the_time_then_warns_then_breaks() -> None:
    watched = Watched()
    watched.positions = HELD
    watched.tick()
    row = derived(watched)["flat by close"]
    assert (row.state, row.text) == (RowState.INFO, "by 15:50")
    watched, late = (Watched(start=OPEN.replace(hour=20, minute=minute)) for minute in (46, 51))
    for one, state in ((watched, RowState.WARN), (late, RowState.BREACH)):
        one.positions = HELD
        row = derived(one.tick())["flat by close"]
        assert (row.state, row.text) == (state, "NOT FLAT 1,413 $")
    late.positions = ()
    late.tick(3)
    row = derived(late)["flat by close"]
    assert (row.state, row.text) == (RowState.OK, "flat 15:51:02"), "since the first look at it"
    late.venue_silent = True
    assert derived(late.tick())["flat by close"].state is RowState.BLIND


def test_a_session_that_asks_for_no_flat_book_has_no_such_row() -> None:
    document = policy_document()["spec"]["target"]
    session = {name: value for name, value in document["session"].items() if name not in ("flatBy", "flattenStart")}
    watched = Watched(make_policy(target=document | {"session": session}))
    assert "flat by close" not in derived(watched.tick())


def test_the_newest_declared_incident_stands_until_it_is_resolved() -> None:
    watched = Watched().tick()
    assert (derived(watched)["declared"].state, derived(watched)["declared"].text) == (RowState.OK, "none")
    for number, title in (("INC-1", "feed outage"), ("INC-2", "broker rejects")):
        latch = latch_for(
            watched.policy,
            actor="carol",
            incident=number,
            severity="SEV2",
            title=title,
            effective=1,
            market=watched.market,
        )
        watched.decide(DeclareIncident("carol", number, "SEV2", title, latch))
        watched.tick(seconds=9)
    row = derived(watched)["declared"]
    assert (row.state, row.text) == (RowState.WARN, "INC-2 SEV2 by carol 9 s: broker rejects, and 1 more")
    for number in ("INC-2", "INC-1"):
        watched.decide(ResolveIncident("erin", number, "over"))
    assert derived(watched.tick())["declared"].text == "none"


def test_reconciliations_of_the_run_are_counted_by_distinct_times() -> None:
    books = {"signal": "residuals", "withinLimit": True, "minSamples": 3, "coverage": "0.02"}
    run = {"minMarketTime": "60s", "passRun": 2, "objectives": [books]}
    stages = [stage("L0", 400, 4000, 100, ["NVDA"]), stage("L1", 500, 5000, 150, ["NVDA", "AMD"], burnIn=run)]
    watched = Watched(make_policy(stages=stages)).tick(3)
    watched.frozen.add("residuals")
    before = derived(watched.tick(5))["runs in this burn-in"]
    assert before.state is RowState.INFO
    assert before.text.endswith(" of 3")
    watched.frozen.clear()
    after = derived(watched.tick(3))["runs in this burn-in"]
    assert (after.state, int(after.text) >= 3) == (RowState.OK, True)


@pytest.mark.parametrize("moment", [OPEN, OPEN + timedelta(hours=1)])
def test_without_ground_in_the_policy_there_is_no_row(moment: datetime) -> None:
    found = derived(Watched(start=moment).tick())
    assert set(found) == {"flat by close", "declared"}


def test_positions_are_compared_with_the_venues_own() -> None:
    signals = policy_document()["spec"]["signals"]
    signals["list"] = signal("list", unit="word", panel="reconciliation", **{"class": "info"})
    watched = Watched(make_policy(signals=signals, ownPositions="list"))
    watched.texts["list"] = "NVDA 10, MU -5"
    watched.positions = HELD
    row = derived(watched.tick())["positions"]
    assert (row.state, row.text, row.panel) == (RowState.OK, "2 of 2 match", "reconciliation")
    watched.texts["list"] = "NVDA 9, MU -5, AMD 1"
    row = derived(watched.tick())["positions"]
    assert (row.state, row.text) == (RowState.WARN, "1 of 3 match: not AMD,NVDA")
    watched.orders = tuple(Order(f"o-{name}", name, "buy", Decimal(1), None, None) for name in ("NVDA", "AMD"))
    assert derived(watched.tick())["positions"].state is RowState.OK, "an order that works may be on its way"
    watched.texts["list"] = "nonsense"
    assert derived(watched.tick())["positions"].state is RowState.NO_DATA
    watched.texts["list"], watched.venue_silent = "NVDA 10", True
    assert derived(watched.tick())["positions"].state is RowState.BLIND


def test_derived_rows_stand_behind_the_signals_of_their_panel() -> None:
    watched = with_windows()
    costs(watched, 40, 2.0)
    titles = [row.title for row in watched.judge().panels if row.panel == "tca"]
    assert titles == ["orders", "slippage", "slippage 15 min"]
