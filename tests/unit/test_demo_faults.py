"""What each fault of the demo's venue does to it, and that calm ends them all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from console.demo.faults import known_faults
from console.demo.status_page import status
from tests.unit.test_demo_book import LIVE, Day, deployed


@pytest.fixture
def day() -> Day:
    """A day at L1 whose book is at work."""
    day = Day()
    day.apply(deployed())
    return day.trade(300)


def inject(day: Day, name: str) -> str:
    return known_faults()[name](day.floor, day.now)


def page(day: Day) -> dict:
    run, controls = day.floor.app.run, day.floor.app.deployed
    assert run is not None
    assert controls is not None
    return status(day.floor, run, controls, day.now)


def mean_cost(day: Day, seconds: int) -> Decimal:
    """Basis points that the orders of the next seconds cost on average."""
    before = day.floor.app.records.costs
    orders, total = before.orders, before.slippage
    day.trade(seconds)
    after = day.floor.app.records.costs
    return (after.slippage - total) / (after.orders - orders)


def test_fills_get_worse(day: Day) -> None:
    good = mean_cost(day, 600)
    inject(day, "tca-degradation")
    assert mean_cost(day, 600) > good + 8


def test_signals_stand_still_while_the_process_stays_healthy(day: Day) -> None:
    inject(day, "stale-data")
    stood = day.now
    day.trade(30)
    found = page(day)
    assert found["freshness"]["trade_signals_at"] == stood.isoformat()
    assert found["last_run_at"] == day.now.isoformat()
    assert found["running"] is True


def test_an_order_that_nobody_sent_goes_on_working(day: Day) -> None:
    inject(day, "unknown-order")
    day.trade(120)
    assert page(day)["order_lineage"]["classification_counts"]["external_or_unproved"] == 1


def test_a_blocked_broker_takes_no_unknown_order(day: Day) -> None:
    day.floor.book.blocked = "suspended"
    assert "refused" in inject(day, "unknown-order")


def test_one_share_is_missed_by_the_next_reconciliation(day: Day) -> None:
    assert page(day)["broker_economic_ledger"]["residual_count"] == 0
    inject(day, "off-by-one-share")
    day.trade(16)
    found = page(day)["broker_economic_ledger"]
    assert {one["difference"] for one in found["residuals"] if one["path"].startswith("positions")} == {"-1.00"}
    assert found["state"] == "residual"


def test_a_mismatch_is_both(day: Day) -> None:
    inject(day, "reconciliation-mismatch")
    day.trade(16)
    found = page(day)
    assert found["order_lineage"]["classification_counts"]["external_or_unproved"] == 1
    assert found["broker_economic_ledger"]["residual_count"] >= 1


def test_an_alert_fires(day: Day) -> None:
    assert page(day)["alerts"]["critical"] == 0
    inject(day, "incident")
    assert (page(day)["alerts"]["critical"], page(day)["alerts"]["name"]) == (1, "HeronFeedDegraded")


def test_prices_against_the_book_pass_the_loss_limit(day: Day) -> None:
    inject(day, "loss-limit")
    assert day.floor.app.day_profit(day.floor.book, day.floor.market) < -150


def test_a_loss_waits_for_a_book_that_can_lose() -> None:
    day = Day()
    day.apply(deployed())
    assert inject(day, "loss-limit").startswith("armed")
    day.trade(300)
    assert day.floor.app.day_profit(day.floor.book, day.floor.market) < -100


def test_the_venue_reports_another_account(day: Day) -> None:
    inject(day, "wrong-account")
    assert page(day)["account"]["label"] == f"{LIVE.label}-B"
    assert page(day)["account"]["environment"] == "live"


def test_a_cancel_stays_without_an_answer(day: Day) -> None:
    inject(day, "unknown-order")
    order = next(reversed(day.floor.book.orders))
    inject(day, "unanswered-cancel")
    assert day.floor.cancel(order) == "unanswered"
    assert order in day.floor.book.orders
    inject(day, "calm")
    assert day.floor.cancel(order) == "cancelled"
    assert day.floor.cancel(order) == ""


def test_orders_fill_in_part_and_the_rest_goes_on_working() -> None:
    day = Day()
    day.apply(deployed())
    inject(day, "partial-fills")
    day.trade(120)
    assert day.floor.book.fills
    assert not any(fill.completes for fill in day.floor.book.fills)
    assert any(order.filled > 0 and order.remaining > 0 for order in day.floor.book.orders.values())


def test_after_an_early_close_nothing_moves(day: Day) -> None:
    inject(day, "early-close")
    prices = [day.floor.market.price(symbol) for symbol in day.floor.market.symbols]
    fills = len(day.floor.book.fills)
    day.trade(60)
    assert [day.floor.market.price(symbol) for symbol in day.floor.market.symbols] == prices
    assert len(day.floor.book.fills) == fills
    assert page(day)["signal_continuity"]["market_session_open"] is False
    assert page(day)["last_run_at"] == day.now.isoformat()


def test_a_late_reconciliation_grows_old(day: Day) -> None:
    inject(day, "late-reconciliation")
    day.trade(120)
    assert Decimal(page(day)["broker_economic_ledger"]["age_seconds"]) >= 120


def test_calm_ends_whatever_is_wrong(day: Day) -> None:
    for name in known_faults():
        if name != "calm":
            inject(day, name)
    inject(day, "calm")
    day.trade(60)
    found = page(day)
    assert found["account"]["label"] == LIVE.label
    assert found["alerts"]["critical"] == 0
    assert found["freshness"]["trade_signals_at"] == day.now.isoformat()
    assert found["signal_continuity"]["market_session_open"] is True
    assert Decimal(found["broker_economic_ledger"]["age_seconds"]) < timedelta(seconds=20).total_seconds()
