"""A small world for the watch: a policy of three stages, a ledger in memory, and ticks of one second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from stages.commands import AdoptPolicy, AdoptRoster, Command, OpenLatch
from stages.decide import decide
from stages.entries import Draft, genesis, write
from stages.evaluation import accumulate, judge
from stages.ladder import Value
from stages.policy import Policy
from stages.refusal import Refusal
from stages.signals import Quality, Sample, SignalKey, Snapshot, SourceHealth
from stages.state import ControlState, fold
from stages.value import replace
from stages.verdict import Evaluation, Row, WatchPresence
from stages.watching import WatchState
from stages.witness import GitReading, Order, Position, RuntimeReading, VenueReading

OPEN = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
"""Tuesday 14:00 in New York."""
ACTING = WatchPresence("watch@ops-1", acting=True, here=False, age=1.0)
NOBODY = WatchPresence("watch@ops-1", acting=False, here=False, age=34.0)

_BINDING = {"file": "scheduler.yaml", "object": "Deployment/heron"}


def control(unit: str, riskier: object = "higher") -> dict[str, Any]:
    return {
        "unit": unit,
        "riskier": riskier,
        "bindings": [_BINDING | {"env": "X"}],
        "readback": {"http": {"endpoint": "heron", "path": "/status", "value": "x"}},
        "enforcedBy": "app-clip",
    }


def signal(title: str, **more: object) -> dict[str, Any]:
    base = {
        "title": title,
        "unit": "usd",
        "panel": "exposure",
        "class": "safety",
        "source": {"http": {"endpoint": "heron", "path": "/status", "value": title}},
        "every": "1s",
        "eventTime": "as_of",
        "maxAge": "5s",
    }
    return base | more


def stage(name: str, order: int, gross: int, loss: int, symbols: list[str], **more: object) -> dict[str, Any]:
    values = {
        "maxOrderNotional": order,
        "maxGrossExposure": gross,
        "maxNetExposure": gross // 2,
        "symbolConcentration": {"value": "0.4", "of": "maxGrossExposure"},
        "participationCap": "0.01",
        "dailyLossLimit": loss,
        "universe": symbols,
    }
    burn_in = {
        "minMarketTime": "10s",
        "passRun": 2,
        "objectives": [{"signal": "gross", "withinLimit": True, "minSamples": 5}],
    }
    return {"name": name, "title": name, "controls": values, "burnIn": burn_in} | more


def policy_document() -> dict[str, Any]:
    """The policy as it would stand in its file."""
    heron = {"every": "1s", "maxAge": "5s"}
    return {
        "apiVersion": "rampdeck.dev/v1alpha1",
        "kind": "RampPolicy",
        "metadata": {"name": "heron"},
        "spec": {
            "version": 1,
            "target": {
                "namespace": "heron",
                "gitopsPath": "apps/heron",
                "account": {"label": "HERON-1", "environment": "live"},
                "session": {
                    "timezone": "America/New_York",
                    "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"],
                    "open": "09:30",
                    "close": "16:00",
                    "entryCutoff": "15:30",
                    "flattenStart": "15:45",
                    "flatBy": "15:50",
                    "holidays": ["2026-11-26"],
                    "earlyCloses": {"2026-11-27": "13:00"},
                    "calendarUntil": "2026-12-31",
                },
                "workloads": [{"object": "Deployment/heron", "dark": "15s"}],
                "convergence": "30s",
            },
            "controls": {
                "maxOrderNotional": control("usd"),
                "maxGrossExposure": control("usd"),
                "maxNetExposure": control("usd"),
                "symbolConcentration": control("usd"),
                "participationCap": control("ratio"),
                "dailyLossLimit": control("usd"),
                "universe": control("symbols", "superset"),
            },
            "stages": [
                stage("L0", 400, 4000, 100, ["NVDA"]),
                stage("L1", 500, 5000, 150, ["NVDA", "AMD"]),
                stage("L2", 2500, 25000, 600, ["NVDA", "AMD", "MU"], approvals={"required": 2}),
            ],
            "postures": {},
            "heartbeats": {"heron": ["running"]},
            "signals": {
                "running": signal("running", unit="count", panel="freshness", limit={"atLeast": 1}, warn=None),
                "gross": signal("gross", limit={"control": "maxGrossExposure"}),
                "pnl": signal(
                    "day P&L", harm="loss", limit={"control": "dailyLossLimit"}, warn="0.6", signed=True, decimals=2
                ),
                "order": signal("largest order", limit={"control": "maxOrderNotional"}, warn=None),
                "lag": signal("trade signals", unit="s", panel="freshness", limit={"atMost": 300}, maxAge="5s"),
                "orders": signal("orders", unit="count", **{"class": "info"}, panel="tca") | heron,
                "slippage": signal(
                    "slippage",
                    unit="bp",
                    panel="tca",
                    **{"class": "performance"},
                    limit={"atMost": 6},
                    needs=[{"signal": "orders", "atLeast": 10}],
                ),
                "residuals": signal("residuals", unit="count", panel="reconciliation", limit={"zero": True}),
            },
            "triggers": {
                "grossLimit": {
                    "title": "gross over its limit",
                    "kind": "limit",
                    "signals": ["gross"],
                    "confirm": {"reads": 3},
                    "then": [{"mode": "REDUCE_ONLY", "cap": "-1"}],
                    "clear": {"by": ["risk", "trader"]},
                },
                "softLoss": {
                    "title": "loss, first level",
                    "kind": "loss",
                    "signals": ["pnl"],
                    "at": "0.6",
                    "then": [{"mode": "FROZEN", "cap": "-1"}],
                },
                "stale": {
                    "title": "inputs stale",
                    "kind": "stale",
                    "signals": ["lag"],
                    "confirm": {"reads": 2},
                    "then": [{"mode": "HALTED"}, {"mode": "HALTED", "cap": "-1", "after": "30m"}],
                },
                "blind": {
                    "title": "we are blind",
                    "kind": "blind",
                    "confirm": {"reads": 2},
                    "then": [
                        {"mode": "FROZEN"},
                        {"mode": "HALTED", "after": "10s", "secondPathLost": True},
                        {"mode": "FROZEN", "cap": "-1", "after": "60s"},
                    ],
                },
                "account": {
                    "title": "account is not the declared one",
                    "kind": "account",
                    "confirm": {"reads": 1},
                    "then": [{"mode": "HALTED"}],
                },
                "drift": {
                    "title": "drift",
                    "kind": "drift",
                    "confirm": {"reads": 2},
                    "then": [{"mode": "FROZEN"}, {"mode": "HALTED"}],
                },
            },
        },
    }


def make_policy(**spec: object) -> Policy:
    """The policy, with parts of its spec replaced."""
    document = policy_document()
    document["spec"] |= spec
    return Policy.model_validate(document)


GOOD: dict[str, Decimal] = {
    "running": Decimal(1),
    "gross": Decimal(3000),
    "pnl": Decimal(-20),
    "order": Decimal(390),
    "lag": Decimal(2),
    "orders": Decimal(40),
    "slippage": Decimal(2),
    "residuals": Decimal(0),
}


class Watched:
    """Ticks of one second; every command of the watch is decided by the real ledger rules and folded."""

    def __init__(self, policy: Policy | None = None, stage: int = 1, start: datetime = OPEN) -> None:
        self.policy = policy or make_policy()
        self.last = genesis(ledger="book", actor="alice", fingerprint={"namespace": "heron"}, now=start)
        self.state = fold(ControlState(), self.last)
        self.wall = start
        self.speed = 1
        self.start = start
        self.watch = WatchState.start()
        self.values: dict[str, Decimal] = dict(GOOD)
        self.paper: dict[str, Decimal] = {}
        """Values of the books that stages have of their own, where they are read at all."""
        self.frozen: set[str] = set()
        self.missing: set[str] = set()
        self.events: dict[str, datetime] = {}
        self.git_values: dict[str, Value | None] = dict(self.policy.resolved[stage])
        self.runtime: dict[str, Value | None] = dict(self.policy.resolved[stage])
        self.head = "c0"
        self.trailers: Mapping[str, str] = {}
        self.silent = False
        self.venue_silent = False
        self.account = ("HERON-1", "live")
        self.positions: tuple[Position, ...] = ()
        self.orders: tuple[Order, ...] = ()
        self.texts: dict[str, str] = {}
        """Texts of word signals, which are read now."""
        self.commands: list[Command] = []
        self.snapshot = Snapshot(0, start, start)
        self.decide(AdoptPolicy("alice", "policy", 1, "c0", "ramp.yaml"))
        self.decide(AdoptRoster("alice", "roster", "c0", "roster.yaml"))

    @property
    def market(self) -> datetime:
        return self.start + (self.wall - self.start) * self.speed

    @property
    def latches(self) -> list[str]:
        return [latch.trigger for latch in self.state.latches.values()]

    @property
    def opened(self) -> list[OpenLatch]:
        return [command for command in self.commands if isinstance(command, OpenLatch)]

    def decide(self, command: Command) -> None:
        decision = decide(self.state, command, self.wall)
        assert not isinstance(decision, Refusal), decision
        for draft in decision:
            self.append(draft)

    def append(self, draft: Draft) -> None:
        self.last = write(draft, ledger="book", previous=self.last, now=self.wall)
        self.state = fold(self.state, self.last)

    def stand(self, stage: int, *, runtime: bool = True) -> None:
        """Git, and with ``runtime`` the running system as well, stand at ``stage``; this program made the commit."""
        self.git_values = dict(self.policy.resolved[stage])
        self.head, self.trailers = f"{self.head}'", {"Rampdeck-Stage": str(stage)}
        if runtime:
            self.runtime = dict(self.policy.resolved[stage])

    def push(self, kind: str, source: str, target: str, intent: str = "i1") -> None:
        """An act is recorded, committed and pushed."""
        body = {
            "act": kind,
            "from": source,
            "to": target,
            "mode": "NORMAL",
            "market": self.market,
            "plan": "",
            "cause": "",
        }
        epoch = self.state.epoch + (kind == "reduce")
        extra: dict[str, object] = {} if kind == "reduce" else {"approvals": []}
        self.append(Draft("intent", target, intent, "alice", {**body, "automatic": False, **extra}, epoch=epoch))
        self.append(Draft("outcome", None, intent, "alice", {"outcome": "pushed", "sha": "abc", "message": ""}))

    def settle(self, intent: str = "i1") -> None:
        self.append(Draft("converged", None, intent, "alice", {"detail": ""}))

    def sample(self, name: str) -> Sample:
        if self.silent:
            return Sample(Quality.PROVIDER_ERROR, self.wall, detail="gives no answer")
        if name in self.missing:
            return Sample(Quality.MISSING, self.wall, detail="is not there")
        if name in self.texts:
            return Sample(Quality.OK, self.wall, None, self.wall, text=self.texts[name])
        if name not in self.frozen:
            self.events[name] = self.wall
        return Sample(Quality.OK, self.wall, self.values[name], self.events[name])

    def tick(self, times: int = 1, seconds: float = 1.0, **values: object) -> Watched:
        for name, value in values.items():
            self.values[name] = Decimal(str(value))
        for _ in range(times):
            self.wall += timedelta(seconds=seconds)
            self.snapshot = self._snapshot()
            self.watch, commands = accumulate(self.policy, self.state, self.watch, self.snapshot, "watch")
            self.commands += commands
            for command in commands:
                self.decide(command)
        return self

    def _snapshot(self) -> Snapshot:
        samples = {SignalKey("live", name): self.sample(name) for name in self.policy.spec.signals}
        own = [stage.book for stage in self.policy.stages if stage.book != "live"] if self.paper else []
        samples |= {
            SignalKey(book, name): Sample(Quality.OK, self.wall, value, self.wall)
            for book in own
            for name, value in self.paper.items()
        }
        runtime = {
            name: RuntimeReading(None if self.silent else value, self.wall, error="no answer" if self.silent else "")
            for name, value in self.runtime.items()
        }
        venue = VenueReading(*self.account, False, self.orders, self.positions, Decimal(50000), self.wall)
        return Snapshot(
            seq=self.snapshot.seq + 1,
            wall=self.wall,
            market=self.market,
            samples=samples,
            sources=(SourceHealth("status", not self.silent, 9, self.wall),),
            git=GitReading(self.head, self.wall, author="dave", values=self.git_values, trailers=self.trailers),
            runtime=runtime,
            venue=replace(venue, error="no answer") if self.venue_silent else venue,
            speed=self.speed,
        )

    def judge(self, presence: WatchPresence = ACTING) -> Evaluation:
        return judge(self.policy, self.state, self.watch, self.snapshot, presence)

    def row(self, name: str) -> Row:
        return next(row for row in self.judge().rows if row.key == SignalKey("live", name))
