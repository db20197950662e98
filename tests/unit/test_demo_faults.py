"""What each fault of the demo's venue does to it, and that calm ends them all."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest

from console.demo.book import Ticket
from console.demo.faults import known_faults, told_faults
from console.demo.listener import Reply
from console.demo.mischief import Mischief
from console.demo.status_page import metrics, readiness, status
from console.sources.http import JsonDocument
from console.sources.scrape import Exposition
from stages.policy import Policy
from stages.policy_text import load
from stages.quality import SKEW
from stages.signals import Quality, Sample
from stages.value import replace
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
    return status(day.floor, run, controls, day.floor.clock(day.now))


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load((files("stages") / "policies" / "demo.yaml").read_text(encoding="utf-8"), "demo.yaml")


def seen(day: Day, policy: Policy, name: str) -> Sample:
    """A signal of the demo's policy, read from the page that it names as its source reads it."""
    signal, run, controls = policy.spec.signals[name], day.floor.app.run, day.floor.app.deployed
    assert run is not None
    assert controls is not None
    now = day.floor.clock(day.now)
    if signal.source.scrape is not None:
        return Exposition.parse(metrics(day.floor, run, controls, now).encode()).sample(signal, day.now)
    assert signal.source.http is not None
    pages = {"/trading/status": lambda: page(day), "/scheduler/readyz": lambda: readiness(day.floor, run, now)}
    return JsonDocument.parse(Reply.of(pages[signal.source.http.path]()).text.encode()).sample(signal, day.now)


def number(day: Day, policy: Policy, name: str) -> Decimal:
    found = seen(day, policy, name)
    assert found.quality is Quality.OK, found
    assert found.value is not None
    return found.value


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


def stands(day: Day) -> tuple[list[Decimal], int]:
    """Every price, and how many fills there were."""
    return [day.floor.market.price(symbol) for symbol in day.floor.market.symbols], len(day.floor.book.fills)


@pytest.mark.parametrize(
    ("name", "phase", "is_open", "early", "block"),
    [
        ("close", "closed", False, False, "market_closed"),
        ("early-close", "closed", False, True, "market_closed"),
        ("halt", "halted", True, False, "market_halted"),
    ],
)
def test_nothing_moves_in_a_market_that_does_not_trade(
    day: Day, name: str, phase: str, is_open: bool, early: bool, block: str
) -> None:
    inject(day, name)
    before = stands(day)
    day.trade(60)
    assert stands(day) == before
    found = page(day)
    assert found["market_session"] == {"phase": phase, "is_open": is_open, "early_close": early}
    assert found["signal_continuity"]["market_session_open"] is is_open
    assert block in found["action_authority"]["reason_codes"]["entry"]
    assert found["last_run_at"] == day.now.isoformat()
    assert found["capital_controls"]["flat_confirmed_at"] is None, "the book was not left"


def test_after_the_cutoff_the_book_never_grows(day: Day) -> None:
    inject(day, "entry-cutoff")
    day.trade(10)  # what was sent before may still fill
    held = day.floor.book.holdings()
    day.trade(300)
    assert all(abs(qty) <= abs(held[symbol]) for symbol, qty in day.floor.book.holdings().items())
    assert page(day)["live_submission_gate"]["reason"] == "entry_cutoff_passed"


def test_flattening_leaves_the_book_and_says_when_it_is_flat(day: Day, policy: Policy) -> None:
    assert day.gross > 0
    inject(day, "flatten")
    day.trade(400)
    found = page(day)
    assert (found["exposure"]["gross"], found["market_session"]["phase"]) == ("0.00", "flatten")
    assert found["capital_controls"]["flat_confirmed_at"] is not None
    assert number(day, policy, "gross") == 0
    assert seen(day, policy, "submissionGate").text == "session_flattening"
    inject(day, "calm")
    assert page(day.trade(1))["capital_controls"]["flat_confirmed_at"] is None


def test_past_the_deadline_what_is_left_stays(day: Day) -> None:
    day.trade(5)
    inject(day, "entry-cutoff")
    day.trade(10)
    assert inject(day, "flat").startswith("NOT FLAT")
    held = day.floor.book.holdings()
    day.trade(120)
    assert day.floor.book.holdings() == held
    assert page(day)["capital_controls"]["flat_confirmed_at"] is None


def test_a_missing_reconciliation_has_no_age_and_no_state(day: Day, policy: Policy) -> None:
    assert number(day, policy, "residuals") == 0
    inject(day, "missing-reconciliation")
    day.trade(60)
    assert page(day)["broker_economic_ledger"]["state"] == "missing"
    assert seen(day, policy, "residuals").quality is Quality.MISSING
    assert seen(day, policy, "reconciliation").quality is Quality.MISSING


def test_a_frozen_feed_falls_behind_while_the_process_stays_healthy(day: Day, policy: Policy) -> None:
    inject(day, "frozen-feed")
    stood = day.now
    day.trade(30)
    assert page(day)["freshness"]["microbars_at"] == stood.isoformat()
    assert number(day, policy, "marketData") >= 30_000
    assert number(day, policy, "tradeSignals") < 2
    assert number(day, policy, "running") == 1


def test_our_own_refusals_never_reach_the_broker(day: Day, policy: Policy) -> None:
    sent = page(day)["execution"]["orders_submitted_total"]
    inject(day, "own-rejects")
    day.trade(400)
    found = page(day)["execution"]
    assert found["orders_refused_by_own_limits_total"] > 0
    assert (found["orders_submitted_total"], found["orders_rejected_total"]) == (sent, 0)
    assert found["reject_reason_totals"].keys() == {"max_notional_per_trade_exceeded"}
    assert number(day, policy, "rejectedOrders") == 0


def test_the_brokers_refusals_are_counted_apart(day: Day, policy: Policy) -> None:
    inject(day, "broker-rejects")
    day.trade(400)
    found = page(day)["execution"]
    assert found["orders_rejected_total"] == found["reject_reason_totals"]["insufficient_buying_power"] > 0
    assert found["orders_refused_by_own_limits_total"] == 0
    assert number(day, policy, "rejectedOrders") == found["orders_rejected_total"]


def test_the_first_minutes_have_no_means_and_no_orders(day: Day, policy: Policy) -> None:
    assert number(day, policy, "tcaOrders") > 0
    inject(day, "no-activity")
    day.trade(120)
    found = page(day)
    assert (found["tca"]["order_count"], found["tca"]["avg_slippage_bps"]) == (0, None)
    assert (found["orders_per_minute"], found["execution"]["orders_submitted_total"]) == (0, 0)
    assert (found["last_decision_at"], found["execution"]["last_submitted_order"]) == (None, None)
    assert number(day, policy, "tcaOrders") == 0
    assert seen(day, policy, "slippage").quality is Quality.MISSING
    inject(day, "calm")
    day.trade(400)
    assert number(day, policy, "tcaOrders") > 0


@pytest.mark.parametrize(("name", "ahead", "skewed"), [("clock-ahead", 8.0, True), ("clock-drift", 0.8, False)])
def test_a_clock_that_is_ahead_tells_of_the_future(
    day: Day, policy: Policy, name: str, ahead: float, skewed: bool
) -> None:
    inject(day, name)
    day.trade(5)
    told = datetime.fromisoformat(page(day)["now"])
    assert (told - day.now).total_seconds() == ahead
    event = seen(day, policy, "gross").event_time
    assert event is not None
    assert (event - day.now > SKEW) is skewed
    inject(day, "calm")
    assert page(day.trade(1))["now"] == day.now.isoformat()


def test_a_restart_is_dark_for_its_time_and_counts_anew(day: Day) -> None:
    before = page(day)["execution"]["orders_submitted_total"]
    inject(day, "restart")
    assert day.floor.app.run is None
    dark = sum(not day.trade(1).floor.app.up(float(day.seconds)) for _ in range(20))
    assert dark == int(day.floor.pace.restart_seconds) - 1
    assert page(day)["execution"]["orders_submitted_total"] < before
    assert page(day)["tca"]["order_count"] > 0, "what was measured lies in the database"


def test_a_stuck_restart_comes_back_with_calm_alone(day: Day) -> None:
    inject(day, "stuck-restart")
    day.trade(300)
    assert not day.floor.app.up(float(day.seconds))
    assert day.floor.app.run is None
    inject(day, "calm")
    assert day.trade(1).floor.app.up(float(day.seconds))


def test_the_venue_says_whether_the_account_is_a_live_one(day: Day) -> None:
    inject(day, "wrong-environment")
    assert page(day)["account"] == {"label": LIVE.label, "environment": "paper"}


def test_signals_that_stand_still_are_seen_as_lag(day: Day, policy: Policy) -> None:
    inject(day, "stale-data")
    assert number(day.trade(30), policy, "tradeSignals") == 30


def test_an_unknown_order_and_a_missing_share_are_seen(day: Day, policy: Policy) -> None:
    assert number(day, policy, "unknownOrders") == 0
    assert number(day, policy, "residuals") == 0
    inject(day, "reconciliation-mismatch")
    day.trade(16)
    assert number(day, policy, "unknownOrders") == 1
    assert number(day, policy, "residuals") >= 1


def test_the_account_the_alert_and_the_loss_are_seen(day: Day, policy: Policy) -> None:
    for name in ("wrong-account", "incident", "loss-limit"):
        inject(day, name)
    assert seen(day, policy, "account").text == f"{LIVE.label}-B"
    assert number(day, policy, "alerts") == 1
    assert number(day, policy, "dayPnl") < -150


def test_a_reconciliation_that_is_late_is_seen_by_its_age(day: Day, policy: Policy) -> None:
    inject(day, "late-reconciliation")
    day.trade(120)
    assert number(day, policy, "reconciliation") >= 120
    assert number(day, policy, "reconcileLoop") >= 120


def test_every_fault_is_told_in_one_line_and_calm_comes_last() -> None:
    told = told_faults()
    assert told.keys() == known_faults().keys()
    assert list(told)[-1] == "calm"
    assert all(says.endswith(".") and len(says) <= 110 and "\n" not in says for says in told.values()), told


def test_a_late_reconciliation_grows_old(day: Day) -> None:
    inject(day, "late-reconciliation")
    day.trade(120)
    assert Decimal(page(day)["broker_economic_ledger"]["age_seconds"]) >= 120


def test_calm_ends_whatever_is_wrong(day: Day) -> None:
    for name in known_faults():
        if name != "calm":
            inject(day, name)
    inject(day, "calm")
    assert day.floor.mischief == Mischief()
    day.trade(60)
    found = page(day)
    assert found["account"]["environment"] == LIVE.environment
    assert found["market_session"] == {"phase": "open", "is_open": True, "early_close": False}
    assert found["account"]["label"] == LIVE.label
    assert found["alerts"]["critical"] == 0
    assert found["freshness"]["trade_signals_at"] == day.now.isoformat()
    assert found["signal_continuity"]["market_session_open"] is True
    assert Decimal(found["broker_economic_ledger"]["age_seconds"]) < timedelta(seconds=20).total_seconds()


def test_of_each_senders_cancels_every_second_one_is_lost_and_stays_so_until_calm(day: Day) -> None:
    inject(day, "no-activity")
    for symbol in ("NVDA", "AMD"):
        ticket = Ticket(symbol, "buy", Decimal(1), limit=Decimal("0.01"), source="external")
        day.floor.book.submit(ticket, day.floor.market, day.now)
    first, second = [order.id for order in day.floor.book.orders.values() if order.ticket.source == "external"]
    inject(day, "half-cancels")
    assert [day.floor.cancel(first), day.floor.cancel(second)] == ["unanswered", "cancelled"]
    assert day.floor.cancel(first) == "unanswered"
    inject(day, "calm")
    assert day.floor.cancel(first) == "cancelled"


def test_a_reverting_self_heal_runs_what_ran_before_and_calm_has_the_loop_heal_it(day: Day) -> None:
    assert inject(day, "reverting-self-heal") == "nothing ran before: there is nothing to go back to"
    before = day.floor.app.deployed
    assert before is not None
    newer = replace(
        deployed(), revision="newer", env={**before.env, "X": "1"}, controls=replace(before.controls, kill_switch=True)
    )
    day.apply(newer)
    assert inject(day, "reverting-self-heal").startswith("the process runs what it ran before")
    assert day.floor.app.deployed is not None
    assert not day.floor.app.deployed.controls.kill_switch
    assert day.floor.app.deployed.revision == "newer", "it calls that healed"
    day.apply(newer)
    assert not day.floor.app.deployed.controls.kill_switch, "and does so again"
    inject(day, "calm")
    assert day.floor.app.deployed.revision == "", "so that the loop applies the head again"
    day.apply(newer)
    assert day.floor.app.deployed.controls.kill_switch
