"""What the demo's trading process serves: its status document and its metrics, in Torghut's names and shapes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from console.demo.application import Costs, Measured, Run
from console.demo.book import ZERO, Order
from console.demo.controls import Deployed
from console.demo.floor import Floor
from console.demo.market import CENT

Document = dict[str, object]

_BUILD = {
    "version": "v1.48.0",
    "commit": "7a41c0de93b25f6681d0c2e4f95ab3087d6e1f24",
    "image_digest": "sha256:4f0c1c5f7f3a0c1b6f3f6f1a2be0a7b77b7f0b9d7f6c2f34a1f5f7a9f1c3d5e7",
}
_REPLICAS = ("chi-0-0", "chi-0-1")
_RECONCILED_WITHIN = 7200  # seconds
_ACTIVITY_WITHIN = 60  # seconds
_CYCLE_WITHIN = 15  # seconds
_RATIO = Decimal("0.000001")
_TENTH = Decimal("0.0001")
_PREDICTED = Decimal("2.5")
"""Basis points that heron's cost model predicts for every order."""


def status(floor: Floor, run: Run, deployed: Deployed, now: datetime) -> Document:
    """The whole of /trading/status for a process that runs. Decimals are strings, times ISO 8601 in UTC."""
    entry = _entry_blocks(floor, deployed)
    return {
        "now": iso(now),
        "service": "heron",
        "process_role": "scheduler",
        "build": _BUILD,
        "mode": deployed.controls.mode,
        "enabled": True,
        "running": True,
        "last_run_at": iso(run.last_run_at),
        "last_reconcile_at": iso(_reconciled_at(floor)),
        "last_decision_at": iso(floor.app.records.last_decision_at),
        "last_error": None,
        "live_submission_gate": _gate(floor, deployed),
        "action_authority": {
            "evaluated_at": iso(floor.as_of),
            "service_healthy": True,
            "entry_allowed": not entry,
            "reduce_only_allowed": not deployed.controls.kill_switch and floor.book.blocked is None,
            "recovery_degraded": False,
            "reason_codes": {
                "service": [],
                "entry": entry,
                "reduce_only": _exit_blocks(floor, deployed),
                "recovery": [],
            },
        },
        "capital_controls": _capital(floor, entry),
        "execution": _execution(floor, run),
        "market_session": market_session(floor),
        "signal_continuity": {
            "universe_source": "static",
            "universe_status": "ok" if deployed.universe else "empty",
            "universe_symbols_count": len(deployed.universe),
            "market_session_open": floor.session_open,
            "no_signal_streak": _silent_cycles(run, now),
            "universe_cache_age_seconds": round((now - run.started_at).total_seconds(), 1),
            "feature_staleness_ms_p95": run.market_data_lag_ms,
            "last_state": "current",
            "alert_active": False,
            "alert_reason": None,
        },
        "tca": _tca(floor),
        "broker_economic_ledger": _reconciliation(floor, now),
        # A second ledger that is switched off: neither fine nor wrong.
        "tigerbeetle_ledger": {"enabled": False, "ok": True, "mode": "off", "reconciliation_age_seconds": None},
        "broker_economic_activities": {
            "state": "current",
            "current": True,
            "reason_codes": [],
            "account_label": floor.account.label,
            "environment": floor.account.environment,
            "max_age_seconds": _ACTIVITY_WITHIN,
        },
        "broker_mutation_safety": {
            "runtime_wired": True,
            "entry_fencing_proven": True,
            "reduction_fencing_proven": True,
            "unresolved_submit_receipt_count": 0,
            "unresolved_reduction_receipt_count": 0,
            "reason_codes": [],
        },
        "order_lineage": _lineage(floor),
        "alerts": _alerts(floor),
        "account": {"label": floor.account.label, "environment": floor.account.environment},
        "exposure": _exposure(floor, run),
        "pnl": _profit(floor),
        "positions": positions(floor),
        "position_lines": [f"{symbol} {held}" for symbol, held in sorted(floor.app.reconciliation.held.items())],
        "open_orders": [order_row(order, now) for order in floor.app.own_orders(floor.book)],
        "orders_per_minute": floor.app.orders_per_minute(),
        "outside_universe": sum(symbol not in deployed.universe for symbol in floor.book.positions),
        "freshness": {
            "trade_signals_at": iso(run.signals_at),
            "microbars_at": iso(run.microbars_at),
            "market_data_lag_ms": run.market_data_lag_ms,
            "order_feed_at": iso(floor.app.records.feed_at),
            "executable_quotes_at": iso(now - timedelta(milliseconds=float(run.market_data_lag_ms))),
        },
        "ramp": {
            "controls": deployed.readback(),
            "revision": deployed.revision,
            "started_at": iso(run.started_at),
        },
    }


def metrics(floor: Floor, run: Run, deployed: Deployed, now: datetime) -> str:
    """The same process in Prometheus exposition format. A signal that never came has no sample, not a zero."""
    records, entry = floor.app.records, _entry_blocks(floor, deployed)
    names = 'service="heron"'
    lines: list[str] = []

    def family(name: str, kind: str, help_text: str, *samples: tuple[str, object]) -> None:
        lines.append(f"# HELP {name} {help_text}")
        lines.append(f"# TYPE {name} {kind}")
        lines.extend(f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in samples)

    family("torghut_trading_orders_submitted_total", "counter", "Orders sent by this process.", ("", run.submitted))
    family("torghut_trading_orders_rejected_total", "counter", "Orders refused.", ("", run.rejected))
    updates = floor.app.reconciliation.updates
    family("torghut_trading_reconcile_updates_total", "counter", "Comparisons with the broker.", ("", updates))
    if run.signals_at is not None:
        lag = max((now - run.signals_at).total_seconds(), 0.0)
        family("torghut_trading_signal_lag_seconds", "gauge", "Age of the newest trade signal.", (names, f"{lag:.3f}"))
    is_open = int(floor.session_open)
    family("torghut_trading_market_session_open", "gauge", "1 while the market is open.", (names, is_open))
    allowed = int(not entry)
    family("torghut_trading_capital_new_exposure_allowed", "gauge", "1 while new risk is allowed.", ("", allowed))
    cycle = _epoch(run.last_run_at)
    family("torghut_trading_last_cycle_timestamp_seconds", "gauge", "When the last cycle ran.", ("", cycle))
    family("torghut_scheduler_leadership_acquired", "gauge", "1 while this process owns the writer fence.", ("", 1))
    family("torghut_scheduler_leadership_healthy", "gauge", "1 while the writer fence is healthy.", ("", 1))
    family("torghut_ws_market_data_lag_ms", "gauge", "Lag of market data.", ("", run.market_data_lag_ms))
    for name, at in (("ta_signals_max_event_ts", run.signals_at), ("ta_microbars_max_window_end", run.microbars_at)):
        if at is not None:
            samples = [(f'replica="{replica}"', _epoch(at)) for replica in _REPLICAS]
            family(f"torghut_clickhouse_guardrails_{name}_seconds", "gauge", "Newest event by replica.", *samples)
    family("torghut_trading_tca_orders", "gauge", "Orders with a measured cost.", ("", records.costs.orders))
    return "\n".join(lines) + "\n"


def readiness(floor: Floor, run: Run, now: datetime) -> Document:
    """/scheduler/readyz: the ages of the two loops against what they may be, in seconds."""
    reconciled = _reconciled_at(floor)
    return {
        "ok": True,
        "leadership_acquired": True,
        "leadership_healthy": True,
        "as_of": iso(floor.as_of),
        "trading_success_age_seconds": _age(run.last_run_at, now),
        "success_max_age_seconds": str(_CYCLE_WITHIN),
        "reconcile_success_age_seconds": None if reconciled is None else _age(reconciled, now),
    }


def market_session(floor: Floor) -> Document:
    """The phase of the exchange's session, and whether it was closed before its time."""
    phase = floor.mischief.phase
    return {"phase": phase.value, "is_open": floor.session_open, "early_close": floor.mischief.early_close}


def positions(floor: Floor) -> list[Document]:
    """Positions at current prices; quantity and value are negative for a short."""
    return [
        {
            "symbol": symbol,
            "qty": str(position.qty),
            "side": "long" if position.qty > 0 else "short",
            "market_value": str((position.qty * floor.market.price(symbol)).quantize(CENT)),
            "current_price": str(floor.market.price(symbol)),
        }
        for symbol, position in sorted(floor.book.positions.items())
    ]


def order_row(order: Order, now: datetime) -> Document:
    """A working order, with its age in real seconds."""
    return {
        "id": order.id,
        "symbol": order.ticket.symbol,
        "side": order.ticket.side,
        "qty": str(order.ticket.qty),
        "filled_qty": str(order.filled),
        "limit_price": None if order.ticket.limit is None else str(order.ticket.limit),
        "notional": str((order.remaining * order.arrival).quantize(CENT)),
        "submitted_at": iso(order.submitted_at),
        "age_seconds": _age(order.submitted_at, now),
    }


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, null for never."""
    return None if at is None else at.astimezone(UTC).isoformat()


def _entry_blocks(floor: Floor, deployed: Deployed) -> list[str]:
    """Why no order that adds risk may go out, by Torghut's reason codes."""
    controls = deployed.controls
    reasons = {
        "kill_switch_enabled": controls.kill_switch,
        "live_submit_disabled": not floor.app.may_submit(controls),
        "reduce_only_enabled": controls.reduce_only,
        "universe_fail_safe_empty": not deployed.universe,
    }
    closed = [floor.mischief.phase.entry_block] if floor.mischief.phase.entry_block else []
    return [code for code, holds in reasons.items() if holds] + closed + _venue_blocks(floor)


def _exit_blocks(floor: Floor, deployed: Deployed) -> list[str]:
    return (["kill_switch_enabled"] if deployed.controls.kill_switch else []) + _venue_blocks(floor)


def _venue_blocks(floor: Floor) -> list[str]:
    return [] if floor.book.blocked is None else [f"broker_blocked:{floor.book.blocked}"]


def _gate(floor: Floor, deployed: Deployed) -> Document:
    """As in Torghut, the gate says yes in paper mode whatever else holds: it is no capital authority."""
    paper = deployed.controls.mode == "paper"
    blocked = [] if paper else _entry_blocks(floor, deployed)
    return {
        "allowed": not blocked,
        "reason": "non_live_mode" if paper else (blocked[0] if blocked else "ready"),
        "blocked_reasons": blocked,
        "reason_codes": blocked,
        "capital_stage": "paper" if paper else ("blocked" if blocked else "live"),
        "configured_live_submit": deployed.controls.submit,
    }


def _capital(floor: Floor, entry: list[str]) -> Document:
    equity, start, high = floor.book.equity(floor.market), floor.account.cash, floor.app.high_water
    return {
        "new_exposure_allowed": not entry,
        "current_equity": _dollars(equity),
        "buying_power": _dollars(max(equity - floor.book.exposure(floor.market).gross, ZERO)),
        "daily_start_equity": _dollars(start),
        "high_water_equity": _dollars(high),
        "daily_loss_ratio": str((max(start - equity, ZERO) / start).quantize(_RATIO)),
        "drawdown_ratio": str((max(high - equity, ZERO) / high).quantize(_RATIO)),
        "flat_confirmed_at": iso(floor.app.records.flat_at),
        "last_evaluated_at": iso(floor.as_of),
    }


def _execution(floor: Floor, run: Run) -> Document:
    last = floor.app.records.last_order
    return {
        "route": "broker",
        "orders_submitted_total": run.submitted,
        "orders_rejected_total": run.rejected,
        "orders_asked_total": run.submitted + run.rejected,
        "orders_wanted_total": run.submitted + run.rejected + run.refused,
        "orders_refused_by_own_limits_total": run.refused,
        "execution_requests_total": run.submitted + run.rejected,
        "execution_fallback_total": 0,  # there is one route
        "reject_reason_totals": dict(run.reject_reasons),
        "last_submitted_order": None
        if last is None
        else {
            "route": "broker",
            "symbol": last.ticket.symbol,
            "side": last.ticket.side,
            "notional": _dollars(last.ticket.qty * last.arrival),
            "broker_order_id": last.id,
            "status": "working" if last.id in floor.book.orders else "closed",
            "submitted_at": iso(last.submitted_at),
        },
    }


def _tca(floor: Floor) -> Document:
    records, working = floor.app.records, len(floor.app.own_orders(floor.book))
    return {
        "account_label": floor.account.label,
        **_means(records.costs),
        **_tail(records.measured),
        "filled_execution_count": records.costs.orders,
        "closed_execution_count": records.sent - working,
        "unsettled_execution_count": working,
        "avg_churn_ratio": _unfilled(records.sent - working, records.costs.orders),
        "avg_divergence_bps": _divergence(records.costs),
        "symbol_breakdown": [{"symbol": s, **_means(costs)} for s, costs in sorted(records.by_symbol.items())],
        "last_computed_at": iso(records.computed_at),
        "read_model_status": "ok",
        "reason_codes": [],
    }


def _unfilled(closed: int, filled: int) -> str | None:
    """Orders that ended without a fill, as a share of those that ended."""
    return str((Decimal(max(closed - filled, 0)) / closed).quantize(_TENTH)) if closed else None


def _divergence(costs: Costs) -> str | None:
    """What orders cost beyond the prediction, in basis points."""
    return str((costs.shortfall / costs.orders - _PREDICTED).quantize(_TENTH)) if costs.orders else None


def _silent_cycles(run: Run, now: datetime) -> int:
    """Cycles since the newest signal."""
    return 0 if run.signals_at is None else max(0, int((now - run.signals_at).total_seconds()))


def _means(costs: Costs) -> Document:
    """Lifetime means in basis points; without an order there is no mean."""

    def mean(total: Decimal) -> str | None:
        return str((total / costs.orders).quantize(_TENTH)) if costs.orders else None

    return {
        "order_count": costs.orders,
        "avg_slippage_bps": mean(costs.slippage),
        "avg_abs_slippage_bps": mean(costs.slippage_abs),
        "avg_realized_shortfall_bps": mean(costs.shortfall),
        "avg_shortfall_notional": mean(costs.shortfall_dollars),
        "filled_notional": _dollars(costs.notional),
    }


def _tail(measured: Collection[Measured]) -> Document:
    """The dear end of the orders measured: the 95th percentile by nearest rank, and the worst one."""
    if not measured:
        return {"slippage_p95_bps": None, "worst_order": None}
    ranked = sorted(measured, key=lambda one: one.slippage)
    worst, tail = ranked[-1], ranked[(len(ranked) * 95 + 99) // 100 - 1]
    return {
        "slippage_p95_bps": str(tail.slippage.quantize(_TENTH)),
        "worst_order": {"symbol": worst.symbol, "slippage_bps": str(worst.slippage.quantize(_TENTH))},
    }


def _reconciliation(floor: Floor, now: datetime) -> Document:
    verdict = floor.app.reconciliation.verdict
    if verdict is None:
        return {
            "state": "missing",
            "current": False,
            "reconciled": False,
            "reason_codes": ["economic_reconciliation_missing"],
            "residual_count": None,
            "open_order_count": None,
            "max_age_seconds": _RECONCILED_WITHIN,
        }
    clean = not verdict.residuals
    return {
        "state": "reconciled" if clean else "residual",
        "current": (now - verdict.at).total_seconds() <= _RECONCILED_WITHIN,
        "reconciled": clean,
        "reason_codes": sorted({residual.classification for residual in verdict.residuals}),
        "residual_count": len(verdict.residuals),
        "open_order_count": verdict.open_orders,
        "residuals": [
            {
                "path": residual.path,
                "classification": residual.classification,
                "ledger": str(residual.ledger),
                "broker": str(residual.broker),
                "difference": str(residual.ledger - residual.broker),
            }
            for residual in verdict.residuals
        ],
        "reconciled_at": iso(verdict.at),
        "age_seconds": _age(verdict.at, now),
        "max_age_seconds": _RECONCILED_WITHIN,
        "economics": {
            "broker": {"cash": _dollars(verdict.broker_cash), "equity": _dollars(verdict.broker_equity)},
            "ledger": {"cash": _dollars(verdict.ledger_cash)},
        },
    }


def _lineage(floor: Floor) -> Document:
    """Working orders that this process did not send are the broker's unknown ones."""
    own = len(floor.app.own_orders(floor.book))
    return {
        "state": "closed",
        "closed_census": True,
        "current_version": True,
        "classification_counts": {"complete": own, "external_or_unproved": len(floor.book.orders) - own},
        "reason_codes": [],
    }


def _alerts(floor: Floor) -> Document:
    """Alerts that fire and say that somebody has to come."""
    alert = floor.mischief.alert
    return {"critical": int(bool(alert)), "name": alert or None, "as_of": iso(floor.as_of)}


def _exposure(floor: Floor, run: Run) -> Document:
    exposure = floor.book.exposure(floor.market)
    largest = exposure.largest
    return {
        "gross": str(exposure.gross),
        "gross_if_all_fill": str(exposure.if_all_fill),
        "net": str(exposure.net),
        "long": str(exposure.long),
        "short": str(exposure.short),
        "largest": {"symbol": None, "notional": "0.00"}
        if largest is None
        else {"symbol": largest[0], "notional": str(largest[1])},
        "largest_order_today": _dollars(run.largest_order),
        "as_of": iso(floor.as_of),
    }


def _profit(floor: Floor) -> Document:
    """Day = realised + open - fees, in dollars."""
    book = floor.book
    opened = book.open_profit(floor.market)
    return {
        "day": _dollars(book.realized + opened - book.fees),
        "realized": _dollars(book.realized),
        "open": _dollars(opened),
        "fees": _dollars(book.fees),
        "as_of": iso(floor.as_of),
    }


def _reconciled_at(floor: Floor) -> datetime | None:
    verdict = floor.app.reconciliation.verdict
    return None if verdict is None else verdict.at


def _dollars(amount: Decimal) -> str:
    return str(amount.quantize(CENT))


def _age(at: datetime, now: datetime) -> str:
    return f"{(now - at).total_seconds():.3f}"


def _epoch(at: datetime) -> str:
    return f"{at.timestamp():.3f}"
