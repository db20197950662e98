"""The policy that the screens' tests draw: a ladder of four stages in the shape of Torghut's, and the time."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from stages.policy import Policy

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
    "ownOrders": _signal("orders it knows", "word", "reconciliation"),
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
        "ownOrders": "ownOrders",
    }
    document = {
        "apiVersion": "rampdeck.dev/v1alpha1",
        "kind": "RampPolicy",
        "metadata": {"name": "torghut"},
        "spec": spec,
    }
    return Policy.model_validate(document)


POLICY = policy()
