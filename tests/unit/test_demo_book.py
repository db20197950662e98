"""The demo's book, market and strategy: money adds up, limits hold in calm, and the same seed tells the same story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.demo.application import Account
from console.demo.book import Book, OrderRefused, Position, Side, Ticket
from console.demo.controls import BadManifest, Controls, Deployed
from console.demo.faults import calm
from console.demo.floor import Floor, Pace
from console.demo.market import Market
from console.demo.price_faults import gap
from console.demo.status_page import metrics, status
from stages.value import replace

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
LIVE = Account("ACC-LIVE", "live", Decimal(250_000))
PAPER = Account("ACC-PAPER", "paper", Decimal(100_000))
STAGES = {
    "L1": ("500", "5000", "2500", "2000", "150", "NVDA,AMD,MU"),
    "L2": ("2500", "25000", "10000", "6250", "600", "NVDA,AMD,MU,AVGO,MRVL,WDC"),
    "L3": ("10000", "100000", "40000", "20000", "2500", "NVDA,AMD,MU,AVGO,MRVL,WDC,CRDO,COHR,LITE,SNDK"),
}


def environment(stage: str = "L1", **changes: str) -> dict[str, str]:
    """The environment of a live stage; changes name variables without their TRADING_."""
    order, gross, net, symbol, loss, symbols = STAGES[stage]
    env = {
        "TRADING_MAX_NOTIONAL_PER_TRADE": order,
        "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE": gross,
        "TRADING_PORTFOLIO_MAX_NET_EXPOSURE": net,
        "TRADING_PORTFOLIO_MAX_NOTIONAL_PER_SYMBOL": symbol,
        "TRADING_MAX_PARTICIPATION_RATE": "0.01",
        "TRADING_DAILY_LOSS_LIMIT_USD": loss,
        "TRADING_STATIC_SYMBOLS": symbols,
        "TRADING_MODE": "live",
        "TRADING_LIVE_SUBMIT_ENABLED": "true",
        "TRADING_KILL_SWITCH_ENABLED": "false",
    }
    return env | {f"TRADING_{name}": value for name, value in changes.items()}


def deployed(stage: str = "L1", **changes: str) -> Deployed:
    env = environment(stage, **changes)
    return Deployed("r-" + stage, env, Controls.read(env), catalog=None, feed=None)


class Day:
    """A floor whose wall clock is one second per step, as at speed 1."""

    def __init__(self, account: Account = LIVE, seed: int = 1, pace: Pace | None = None) -> None:
        self.floor = Floor(account, seed, pace or Pace(), START)
        self.seconds = 0

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def apply(self, wanted: Deployed) -> str:
        return self.floor.apply(wanted, float(self.seconds))

    def trade(self, steps: int) -> Day:
        for _ in range(steps):
            self.seconds += 1
            self.floor.advance(1, self.floor.clock(self.now), float(self.seconds))
        return self

    @property
    def gross(self) -> Decimal:
        return self.floor.book.exposure(self.floor.market).gross

    def document(self) -> dict[str, Any]:
        run, running = self.floor.app.run, self.floor.app.deployed
        assert run is not None
        assert running is not None
        return status(self.floor, run, running, self.now)


@pytest.mark.parametrize("stage", STAGES)
def test_calm_keeps_every_figure_inside_its_limit(stage: str) -> None:
    day, limits = Day(seed=3), deployed(stage).controls
    day.apply(deployed(stage))
    day.trade(300)
    for _ in range(300):
        day.trade(10)
        exposure = day.floor.book.exposure(day.floor.market)
        assert Decimal("0.60") <= exposure.gross / limits.max_gross <= Decimal("0.85")
        assert exposure.if_all_fill <= limits.max_gross * Decimal("0.85")
        assert abs(exposure.net) < limits.max_net * Decimal("0.80")
        assert exposure.largest is not None
        assert exposure.largest[1] < limits.max_symbol * Decimal("0.90")
        profit = day.floor.app.day_profit(day.floor.book, day.floor.market)
        assert abs(profit) < limits.daily_loss * Decimal("0.40")
        assert day.floor.app.orders_per_minute() <= 12
    assert day.floor.app.run is not None
    assert 0 < day.floor.app.run.largest_order < limits.max_order


def test_the_same_seed_and_steps_tell_the_same_story_at_any_pace() -> None:
    one, other = Day(seed=11), Day(seed=11)
    for day in (one, other):
        day.apply(deployed("L2"))
    one.trade(900)
    for _ in range(9):
        other.floor.advance(100, other.now, 0.0)
    assert one.floor.book.holdings() == other.floor.book.holdings() != {}
    assert one.floor.book.cash == other.floor.book.cash
    assert Day(seed=12).trade(900).floor.market.price("NVDA") != one.floor.market.price("NVDA")


def test_a_live_account_without_submit_stays_flat_while_it_runs() -> None:
    day = Day()
    day.apply(deployed(MODE="paper", LIVE_SUBMIT_ENABLED="false"))
    document = day.trade(200).document()
    assert document["running"] is True
    assert day.gross == 0
    assert document["tca"]["avg_slippage_bps"] is None


def test_a_paper_account_trades_whatever_submit_says() -> None:
    day = Day(PAPER)
    day.apply(deployed(MODE="paper", LIVE_SUBMIT_ENABLED="false"))
    assert day.trade(200).gross >= 3000


def test_submit_off_alone_holds_the_book_and_lets_exits_pass() -> None:
    day = Day(pace=Pace(restart_seconds=0))
    day.apply(deployed())
    day.trade(300)
    day.apply(deployed(LIVE_SUBMIT_ENABLED="false"))
    held = day.trade(10).floor.book.holdings()
    assert day.trade(200).floor.book.holdings() == held != {}
    day.apply(deployed(LIVE_SUBMIT_ENABLED="false", PORTFOLIO_MAX_GROSS_EXPOSURE="2000"))
    assert 1500 < day.trade(200).gross <= 2000


def test_paper_mode_on_a_live_account_winds_the_book_down_in_bounded_orders() -> None:
    day = Day(pace=Pace(restart_seconds=0))
    day.apply(deployed())
    before = day.trade(300).gross
    day.apply(deployed(MODE="paper", LIVE_SUBMIT_ENABLED="false"))
    day.trade(10)
    assert before > day.gross > before - 2 * Decimal(500) - 20
    assert day.trade(200).gross == 0


def test_reduce_only_never_adds() -> None:
    day = Day(pace=Pace(restart_seconds=0))
    day.apply(deployed())
    day.trade(300)
    day.apply(deployed(REDUCE_ONLY="true"))
    held = {s: abs(q) for s, q in day.trade(10).floor.book.holdings().items()}
    day.trade(300)
    after = day.floor.book.holdings()
    assert all(abs(quantity) <= held[symbol] for symbol, quantity in after.items())


def test_lower_limits_and_a_smaller_universe_are_worked_towards() -> None:
    day = Day(pace=Pace(restart_seconds=0))
    day.apply(deployed("L2"))
    day.trade(600)
    day.apply(deployed("L1"))
    day.trade(600)
    assert day.gross <= 5000
    assert Decimal(day.document()["exposure"]["largest_order_today"]) < 500, "no order of the higher limits counts here"
    assert set(day.floor.book.holdings()) <= {"NVDA", "AMD", "MU"}
    assert day.document()["outside_universe"] == 0


def test_the_kill_switch_cancels_and_sends_nothing_but_keeps_positions() -> None:
    day = Day(pace=Pace(restart_seconds=0))
    day.apply(deployed())
    day.trade(300)
    held = day.floor.book.holdings()
    day.floor.book.submit(
        Ticket("MU", "buy", Decimal(1), limit=Decimal(1), source="external"), day.floor.market, day.now
    )
    day.apply(deployed(KILL_SWITCH_ENABLED="true"))
    day.trade(1)
    settled = day.floor.book.holdings()
    day.trade(100)
    assert settled == day.floor.book.holdings()
    assert set(settled) == set(held)
    assert day.floor.app.own_orders(day.floor.book) == []
    assert "kill_switch_enabled" in day.document()["live_submission_gate"]["blocked_reasons"]


def test_a_gap_breaks_the_gross_limit_without_an_order_or_a_loss() -> None:
    day = Day()
    day.apply(deployed())
    day.trade(300)
    app, book, market = day.floor.app, day.floor.book, day.floor.market
    before, sent = app.day_profit(book, market), len(book.fills)
    gap(day.floor, day.now)
    assert day.gross > 5000
    assert abs(book.exposure(market).net) < 2500, "gross alone is past its limit"
    assert all(abs(p.qty * market.price(symbol)) < 2000 for symbol, p in book.positions.items())
    assert app.day_profit(book, market) > before - 1, "a gap is no loss"
    assert day.trade(30).gross > 5000, "trading in the names is paused, so the breach stands to be seen"
    assert len(book.fills) == sent
    calm(day.floor, day.now)
    assert day.trade(100).gross <= 5000, "the strategy works its way back when trading resumes"


def test_a_gap_waits_for_a_book_that_is_at_work() -> None:
    day = Day()
    prices = {symbol: day.floor.market.price(symbol) for symbol in day.floor.market.symbols}
    assert gap(day.floor, day.now).startswith("armed")
    assert prices == {symbol: day.floor.market.price(symbol) for symbol in prices}
    day.apply(deployed())
    assert day.trade(30).gross < 5000
    assert any(day.trade(5).gross > 5000 for _ in range(24))


def test_calm_disarms_a_gap() -> None:
    day = Day()
    gap(day.floor, day.now)
    calm(day.floor, day.now)
    day.apply(deployed())
    assert day.trade(300).gross < 5000


def test_a_restart_is_dark_forgets_counters_and_keeps_the_book() -> None:
    day = Day(pace=Pace(restart_seconds=4))
    assert day.apply(deployed()) == "started"
    day.trade(300)
    run, held = day.floor.app.run, day.floor.book.holdings()
    assert run is not None
    assert run.submitted > 0
    assert day.apply(deployed(DAILY_LOSS_LIMIT_USD="100")) == "restarting"
    assert not day.floor.app.up(day.seconds + 3.9)
    assert day.floor.app.up(day.seconds + 4.0)
    assert day.trade(3).floor.app.run is None
    again = day.trade(1).floor.app.run
    assert again is not None
    assert (again.submitted, again.started_at) == (0, day.now)
    assert set(held) == set(day.floor.book.holdings())
    assert day.floor.app.records.costs.orders > 0


def test_a_change_of_the_lists_alone_is_hot() -> None:
    day, now_running = Day(), deployed(ACTIVE_STRATEGY="tide")
    day.apply(now_running)
    smaller = replace(now_running, revision="r2", catalog={"tide": ("NVDA", "AMD")}, feed=("AMD", "MU"))
    assert day.apply(smaller) == "reloaded"
    assert smaller.universe == ("AMD",)
    assert day.apply(replace(smaller, revision="r3")) == "unchanged"


def test_a_blocked_account_refuses_with_the_blocks_own_reason() -> None:
    day = Day()
    day.apply(deployed())
    day.floor.book.blocked = "risk_hold"
    with pytest.raises(OrderRefused, match="risk_hold"):
        day.floor.book.submit(Ticket("MU", "buy", Decimal(1)), day.floor.market, day.now)
    execution = day.trade(60).document()["execution"]
    assert execution["reject_reason_totals"]["risk_hold"] > 0
    assert execution["orders_submitted_total"] == 0


def test_an_order_of_somebody_else_is_unknown_to_the_trading_process_and_still_reconciles() -> None:
    day = Day()
    day.apply(deployed(LIVE_SUBMIT_ENABLED="false"))
    day.floor.book.submit(Ticket("MU", "buy", Decimal(2), Decimal(1), "external"), day.floor.market, day.now)
    document = day.trade(20).document()
    assert document["open_orders"] == []
    assert document["order_lineage"]["classification_counts"]["external_or_unproved"] == 1
    assert document["broker_economic_ledger"]["state"] == "reconciled"


def test_a_book_that_changed_behind_the_feed_shows_as_a_residual() -> None:
    day = Day()
    day.apply(deployed())
    day.trade(120)
    symbol = next(iter(day.floor.book.positions))
    day.floor.book.positions[symbol].qty += 1
    ledger = day.trade(16).document()["broker_economic_ledger"]
    assert ledger["state"] == "residual"
    assert ledger["reason_codes"] == ["broker_position_quantity_mismatch"]


def test_profit_adds_up_on_the_status_page() -> None:
    day = Day(seed=5)
    day.apply(deployed("L2"))
    profit = day.trade(2000).document()["pnl"]
    parts = Decimal(profit["realized"]) + Decimal(profit["open"]) - Decimal(profit["fees"])
    assert abs(Decimal(profit["day"]) - parts) <= Decimal("0.02")
    equity = day.floor.app.day_profit(day.floor.book, day.floor.market)
    assert abs(Decimal(profit["day"]) - equity) < Decimal("0.05")


def test_metrics_have_no_signal_lag_before_the_first_signal() -> None:
    day = Day()
    day.apply(deployed())
    day.floor.advance(0, day.now, 0.0)
    run, running = day.floor.app.run, day.floor.app.deployed
    assert run is not None
    assert running is not None
    assert "torghut_trading_signal_lag_seconds" not in metrics(day.floor, run, running, day.now)
    day.trade(1)
    assert 'torghut_trading_signal_lag_seconds{service="heron"} 0.000' in metrics(day.floor, run, running, day.now)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"MODE": "Live"}, "TRADING_MODE"),
        ({"LIVE_SUBMIT_ENABLED": "yes"}, "TRADING_LIVE_SUBMIT_ENABLED"),
        ({"PORTFOLIO_MAX_GROSS_EXPOSURE": "lots"}, "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE"),
        ({"MAX_NOTIONAL_PER_TRADE": "-1"}, "TRADING_MAX_NOTIONAL_PER_TRADE"),
        ({"DAILY_LOSS_LIMIT_USD": "NaN"}, "TRADING_DAILY_LOSS_LIMIT_USD"),
    ],
)
def test_a_manifest_that_cannot_be_run_names_its_variable(changes: dict[str, str], names: str) -> None:
    with pytest.raises(BadManifest, match=names):
        Controls.read(environment(**changes))


def test_a_missing_kill_switch_means_killed() -> None:
    env = environment()
    del env["TRADING_KILL_SWITCH_ENABLED"]
    assert Controls.read(env).kill_switch is True


def test_working_orders_count_only_the_side_that_adds_more_risk() -> None:
    market, book = Market(1), Book(1, Decimal(100_000))
    book.positions["MU"] = Position(Decimal(10), Decimal(100))
    far_below, far_above = Decimal(1), Decimal(1000)
    sides: list[tuple[Side, Decimal, Decimal]] = [("buy", Decimal(4), far_below), ("sell", Decimal(12), far_above)]
    for side, qty, limit in sides:
        book.submit(Ticket("MU", side, qty, limit), market, START)
    exposure, price = book.exposure(market), market.price("MU")
    assert exposure.gross == 10 * price
    assert exposure.if_all_fill == 14 * price


@given(
    st.lists(
        st.tuples(st.decimals(-500, 500, places=2).filter(bool), st.decimals(1, 500, places=2)), min_size=1, max_size=30
    )
)
def test_realised_and_open_profit_are_what_cash_says(trades: list[tuple[Decimal, Decimal]]) -> None:
    position, cash, realised = Position(), Decimal(0), Decimal(0)
    for qty, price in trades:
        realised += position.trade(qty, price)
        cash -= qty * price
    last = trades[-1][1]
    assert abs(realised + position.qty * (last - position.cost) - (cash + position.qty * last)) < Decimal("0.0001")
