"""Every row of the trigger table: what confirms it, what it contributes, and what follows when it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stages.commands import DeclareIncident, Explain, ResolveIncident
from stages.incidents import latch_for
from stages.posture import Mode
from stages.witness import Position
from tests.unit.watched import OPEN, Watched, make_policy, policy_document, signal

AFTERNOON = datetime(2026, 11, 24, 20, 49, 55, tzinfo=UTC)
"""Five seconds before the book has to be flat."""


def world(start: datetime = OPEN, stage: int = 1, **triggers: dict[str, Any]) -> Watched:
    """A world with these triggers alone, and signals for all of them."""
    spec = policy_document()["spec"]
    signals = spec["signals"] | {
        "alerts": signal("alerts", unit="count", panel="incident", limit={"zero": True}),
        "unknownOrders": signal("unknown orders", unit="count", panel="reconciliation", limit={"zero": True}),
        "equity": signal("equity", unit="usd", harm="loss", limit={"control": "dailyLossLimit"}, baseline="session"),
        "booksAge": signal("books age", unit="s", panel="reconciliation", limit={"atMost": 7200}),
    }
    watched = Watched(make_policy(signals=signals, triggers=triggers), stage=stage, start=start)
    extra = {"alerts": 0, "unknownOrders": 0, "equity": 50000, "booksAge": 60}
    watched.values |= {name: Decimal(value) for name, value in extra.items()}
    return watched


def one(kind: str, *steps: dict[str, Any], reads: int = 1, **more: Any) -> dict[str, Any]:
    return {"title": kind, "kind": kind, "confirm": {"reads": reads}, "then": list(steps)} | more


def held(world: Watched) -> list[tuple[Mode, int | None]]:
    return [(latch.mode, latch.cap) for latch in world.state.latches.values()]


def test_an_unknown_order_halts_to_the_lowest_stage_at_once() -> None:
    unknown = one("reconciliation", {"mode": "HALTED", "cap": "L0"}, signals=["unknownOrders"])
    watched = world(unknown=unknown).tick(3).tick(1, unknownOrders=1)
    assert held(watched) == [(Mode.HALTED, 0)]


def breaks() -> dict[str, Any]:
    return one(
        "reconciliation",
        {"mode": "FROZEN"},
        {"mode": "HALTED", "reads": 3},
        reads=2,
        signals=["residuals"],
        clear={"by": ["risk"], "explain": True},
    )


def test_a_break_in_the_books_freezes_after_two_cycles_and_halts_after_a_third() -> None:
    watched = world(breaks=breaks()).tick(3).tick(1, residuals=2)
    assert held(watched) == []
    watched.frozen.add("residuals")
    watched.tick(4)
    assert held(watched) == [], "the same cycle read again is no second cycle"
    watched.frozen.discard("residuals")
    watched.tick(1)
    assert held(watched) == [(Mode.FROZEN, None)]
    watched.tick(1)
    assert held(watched) == [(Mode.FROZEN, None), (Mode.HALTED, None)]


def test_an_explained_break_does_not_halt() -> None:
    watched = world(breaks=breaks()).tick(3).tick(2, residuals=2)
    key = next(iter(watched.state.latches))
    watched.decide(Explain("bob", key, "a late fill of yesterday", ("risk",)))
    watched.tick(5)
    assert held(watched) == [(Mode.FROZEN, None)]


def tca(**windows: Any) -> dict[str, Any]:
    spec = {"count": "orders", "long": "15m", "short": "5m", "delta": 1, "deltas": 2, "nominal": 2} | windows
    return one("tca", {"mode": "FROZEN", "cap": "-1"}, signals=["slippage"], windows=spec)


class Costs:
    """A world in which orders fill at a chosen cost, and the application tells lifetime means only."""

    def __init__(self, **windows: Any) -> None:
        self.watched = world(fast=tca(**windows))
        self.watched.speed = 60
        self.count, self.total = 100, Decimal(200)
        self.run(1, 0, 2)

    def run(self, minutes: int, orders: int, cost: float) -> Costs:
        """So many market minutes, one a tick, with so many orders each."""
        for _ in range(minutes):
            self.count += orders
            self.total += orders * Decimal(str(cost))
            self.watched.tick(1, orders=self.count, slippage=self.total / self.count)
        return self


def test_sustained_cost_needs_both_windows_over() -> None:
    assert held(Costs().run(20, 5, 2).watched) == []
    spike = Costs().run(15, 5, 2).run(4, 5, 6)
    assert held(spike.watched) == [], "the short window alone is over"
    over = Costs().run(15, 5, 6)
    assert held(over.watched) == [(Mode.FROZEN, 0)]
    past = Costs(deltas=Decimal("2.2")).run(7, 5, 6).run(8, 5, 1)
    assert held(past.watched) == [], "it happens no more"


def test_a_window_with_too_few_fills_is_no_sample() -> None:
    few = Costs().run(15, 3, 9)
    assert held(few.watched) == []
    row = few.watched.judge().triggers[0]
    assert "NO SAMPLE (45 of 50" in row.detail


def test_a_short_window_with_too_few_fills_is_no_sample_either() -> None:
    quiet = Costs().run(9, 5, 9).run(6, 1, 9)
    assert held(quiet.watched) == []
    assert "NO SAMPLE (51 of 50, 5 of 10)" in quiet.watched.judge().triggers[0].detail


def test_fewer_orders_than_before_are_a_new_base() -> None:
    costs = Costs().run(8, 5, 9)
    costs.count, costs.total = 10, Decimal(90)
    costs.run(4, 5, 9)
    assert held(costs.watched) == []
    assert "NO SAMPLE" in costs.watched.judge().triggers[0].detail
    costs.run(10, 5, 9)
    assert held(costs.watched) == [(Mode.FROZEN, 0)]


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("SEV1", (Mode.HALTED, 0)), ("SEV2", (Mode.FROZEN, 0)), ("SEV3", (Mode.FROZEN, None))],
)
def test_a_declared_incident_contributes_by_its_severity(severity: str, expected: tuple[Mode, int | None]) -> None:
    watched = world().tick(2)
    latch = latch_for(
        watched.policy, actor="carol", incident="INC-1", severity=severity, title="odd fills", effective=1,
        market=watched.market,
    )  # fmt: skip
    watched.decide(DeclareIncident("carol", "INC-1", severity, "odd fills", latch))
    watched.decide(DeclareIncident("carol", "INC-1", severity, "odd fills", latch))
    assert held(watched) == [expected]
    assert next(iter(watched.state.latches.values())).clear_roles == ("incident-commander", "risk")
    watched.decide(ResolveIncident("carol", "INC-1", "over"))
    assert held(watched) == [expected], "what is over is still held until it is cleared"
    assert not watched.state.incidents["INC-1"].is_open


def test_alerts_of_a_severity_open_its_latch() -> None:
    sev2 = one("incident", {"mode": "FROZEN", "cap": "-1"}, signals=["alerts"], severity="SEV2")
    watched = world(sev2=sev2).tick(3).tick(1, alerts=1)
    assert held(watched) == [(Mode.FROZEN, 0)]


def test_a_book_that_is_not_flat_in_time_freezes_at_once() -> None:
    flat = one("flat", {"mode": "FROZEN"}, clear={"by": ["trader"], "good": "0s", "hold": "0s"})
    watched = world(AFTERNOON, flat=flat)
    watched.positions = (Position("NVDA", Decimal(3), Decimal(600)),)
    watched.tick(3)
    assert held(watched) == []
    watched.tick(3)
    assert held(watched) == [(Mode.FROZEN, None)]
    night = world(AFTERNOON + timedelta(hours=14), flat=flat)
    night.positions = (Position("NVDA", Decimal(3), Decimal(600)),)
    night.tick(1)
    assert held(night) == [(Mode.FROZEN, None)]


def test_readiness_that_runs_out_freezes_and_ends_by_itself_on_renewal() -> None:
    expired = one(
        "readiness",
        {"mode": "FROZEN"},
        signals=["booksAge"],
        clear={"itself": True, "good": "0s", "hold": "0s"},
        hysteresis=0,
    )
    watched = world(expired=expired).tick(3).tick(1, booksAge=7200)
    assert held(watched) == [(Mode.FROZEN, None)]
    epoch = watched.state.epoch
    watched.tick(2, booksAge=5)
    assert held(watched) == []
    assert watched.state.epoch == epoch + 1
    watched.tick(1, booksAge=7300)
    assert held(watched) == [(Mode.FROZEN, None)], "the same cause latches again after a clear"


def test_a_hard_loss_kills_after_three_distinct_samples() -> None:
    hard = one("loss", {"mode": "KILLED", "cap": "L0"}, reads=3, signals=["pnl"])
    watched = world(hard=hard).tick(3).tick(2, pnl=-150)
    assert held(watched) == []
    watched.tick(1)
    assert held(watched) == [(Mode.KILLED, 0)]


def test_a_loss_is_measured_from_the_session_open_and_no_restart_lowers_it() -> None:
    hard = one("loss", {"mode": "KILLED", "cap": "L0"}, reads=3, signals=["equity"])
    watched = world(hard=hard).tick(3).tick(1, equity=49900)
    assert watched.state.baselines["equity"].value == 50000
    assert watched.row("equity").value == -100
    watched.watch = type(watched.watch).start()
    watched.tick(3, equity=49850)
    assert watched.state.baselines["equity"].value == 50000
    assert held(watched) == [(Mode.KILLED, 0)]


def test_a_loss_baseline_is_taken_anew_at_the_next_open_only() -> None:
    before_close = datetime(2026, 11, 24, 20, 59, 57, tzinfo=UTC)
    watched = world(before_close).tick(10, equity=49950)
    assert [one.session.day for one in watched.state.baselines.values()] == [24]
    watched.wall = datetime(2026, 11, 25, 14, 29, 55, tzinfo=UTC)
    watched.tick(3)
    assert watched.state.baselines["equity"].session.day == 24
    watched.tick(4, equity=49900)
    assert watched.state.baselines["equity"].session.day == 25
    assert watched.state.baselines["equity"].value == Decimal(49900)


def stale() -> dict[str, Any]:
    steps = (
        {"mode": "HALTED"},
        {"mode": "HALTED", "cap": "-1", "after": "30m"},
        {"mode": "HALTED", "cap": "-1", "times": 3},
    )
    return one("stale", *steps, reads=2, signals=["lag"], hysteresis=0)


def test_a_stale_input_that_lasts_half_an_hour_steps_down() -> None:
    watched = world(stale=stale()).tick(5)
    watched.frozen.add("lag")
    watched.tick(8)
    assert held(watched) == [(Mode.HALTED, None)]
    watched.tick(1, seconds=1790)
    assert held(watched) == [(Mode.HALTED, None)]
    watched.tick(20)
    assert held(watched) == [(Mode.HALTED, None), (Mode.HALTED, 0)]


def test_a_third_stale_input_in_one_session_steps_down() -> None:
    watched = world(stale=stale()).tick(5)
    for expected in ([(Mode.HALTED, None)], [(Mode.HALTED, None)], [(Mode.HALTED, None), (Mode.HALTED, 0)]):
        watched.frozen.add("lag")
        watched.tick(8)
        assert held(watched) == expected
        watched.frozen.discard("lag")
        watched.tick(3)


def test_triggers_of_one_root_within_half_a_minute_are_one_incident_and_each_contributes() -> None:
    gross = one("limit", {"mode": "REDUCE_ONLY", "cap": "-1"}, reads=2, signals=["gross"])
    order = one("limit", {"mode": "FROZEN"}, reads=2, signals=["order"])
    watched = world(gross=gross, order=order).tick(3).tick(2, gross=6000).tick(10).tick(2, order=900)
    assert held(watched) == [(Mode.REDUCE_ONLY, 0), (Mode.FROZEN, None)]
    assert len({latch.incident for latch in watched.state.latches.values()}) == 1
    late = world(gross=gross, order=order).tick(3).tick(2, gross=6000).tick(40).tick(2, order=900)
    assert len({latch.incident for latch in late.state.latches.values()}) == 2
    apart = world(gross=gross, stale=stale()).tick(3)
    apart.frozen.add("lag")
    apart.tick(10, gross=6000)
    assert held(apart) == [(Mode.REDUCE_ONLY, 0), (Mode.HALTED, None)]
    assert len({latch.incident for latch in apart.state.latches.values()}) == 2, "they have no root in common"
