"""What the policy measures and acts on: sources, signals with their limits, triggers with their steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue

from stages.ladder import Unit
from stages.manifest import Duration, Manifest
from stages.posture import Mode

_CADENCES: Final[Mapping[str, timedelta]] = {"promql": timedelta(seconds=15), "sql": timedelta(seconds=30)}
"""How often a kind of source is asked unless the signal says otherwise; the others every 5 s."""


class HttpSource(Manifest):
    """One value of a JSON document. ``reduce`` folds a path with [*]; ``minus`` is subtracted, ``over`` divides.

    ``among``: of the words at a path with [*], ``reduce: count`` counts these and no others.

    ``age``: the path holds a time, and what counts is how old it is when it is read, in the signal's unit.
    """

    endpoint: str
    path: str
    value: str
    minus: str | None = None
    over: str | None = None
    age: bool = False
    reduce: Literal["sum", "sum-abs", "max", "max-abs", "min", "count"] | None = None
    among: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _among_is_counted(self) -> HttpSource:
        if self.among and (self.reduce != "count" or "[*]" not in self.value):
            raise ValueError("among names which words of a list are counted: it needs [*] in value and reduce: count")
        return self

    @model_validator(mode="after")
    def _age_stands_alone(self) -> HttpSource:
        if self.age and (self.minus or self.over or self.reduce):
            raise ValueError("an age is that of one time: it takes no minus, over or reduce")
        return self


class ScrapeSource(Manifest):
    """One series of an exporter's /metrics; several matching series are folded by ``reduce``.

    ``age``: the series holds a time, and what counts is how old it is when it is read, in the signal's unit.
    """

    endpoint: str
    metric: str
    age: bool = False
    labels: Mapping[str, str] = Field(default_factory=dict)
    path: str = "/metrics"
    reduce: Literal["sum", "max", "min"] | None = None


class PromqlSource(Manifest):
    """An instant query of Prometheus; written as the bare expression where that is all.

    Of several series ``labels`` names the one that is meant, or ``reduce`` folds those that carry them. ``process`` is
    the endpoint whose heartbeats vouch for the value; ``$process`` in the expression stands for it, so that a stage
    which replaces the endpoint reads its own series.
    """

    query: str
    labels: Mapping[str, str] = Field(default_factory=dict)
    reduce: Literal["sum", "max", "min"] | None = None
    process: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"query": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(core)]}


class SqlSource(Manifest):
    """One column of the one row that a read-only SELECT returns; ``:account`` is the book's account label."""

    database: str
    query: str
    value: str = "value"


class KubernetesSource(Manifest):
    """The control's own bindings, read on the live objects: on all that it is bound to, or on the named ones.

    Of a readback alone. A variable counts when its workload has rolled out, a value of a ConfigMap when it has stood
    for ``reload``: so long may processes take until they have read it anew.
    """

    objects: tuple[str, ...] = ()
    reload: Duration = timedelta()


class Source(Manifest):
    """Where a signal or a readback comes from; exactly one kind."""

    http: HttpSource | None = None
    scrape: ScrapeSource | None = None
    promql: PromqlSource | None = None
    sql: SqlSource | None = None
    kubernetes: KubernetesSource | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Source:
        if sum(one is not None for one in (self.http, self.scrape, self.promql, self.sql, self.kubernetes)) != 1:
            raise ValueError("a source names exactly one of http, scrape, promql, sql, kubernetes")
        return self

    @property
    def endpoint(self) -> str:
        """Who answers, as people and groups of signals know it: what fails together has one name."""
        if self.promql is not None:
            return "prometheus"
        if self.kubernetes is not None:
            return "kubernetes"
        return f"database {self.sql.database}" if self.sql is not None else self.process

    @property
    def process(self) -> str:
        """The endpoint whose heartbeats must be good, or nothing that is read here is believed; empty for none."""
        if self.promql is not None:
            return self.promql.process or ""
        chosen = self.http or self.scrape
        return chosen.endpoint if chosen is not None else ""


class Limit(Manifest):
    """What a signal is measured against; at the limit is a breach."""

    control: str | None = None
    at_most: Decimal | None = None
    at_least: Decimal | None = None
    zero: bool = False
    """Any value but zero is a breach (unknown orders, symbols outside the universe)."""
    words: tuple[str, ...] = ()
    """A word signal is a breach when its word is none of these."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Limit:
        numbers = (self.control, self.at_most, self.at_least)
        given = [*(one is not None for one in numbers), self.zero, bool(self.words)]
        if sum(given) != 1:
            raise ValueError("a limit names exactly one of control, atMost, atLeast, zero, words")
        return self


class Needs(Manifest):
    """A value counts only while another signal is at least this much."""

    signal: str
    at_least: Decimal


class Signal(Manifest):
    """A named measurement (design section 5)."""

    title: str
    unit: Unit
    panel: Literal["exposure", "tca", "freshness", "reconciliation", "incident"]
    class_: Literal["safety", "performance", "info"] = Field(alias="class")
    source: Source
    every: Duration = timedelta(seconds=5)
    """15 s by promql and 30 s by sql, unless it is given."""
    event_time: str | None = None
    """When the value was true; required for safety signals.

    A path in the document, the name of the metric that holds it, a PromQL expression, or a column.
    """
    max_age: Duration
    ages: Literal["wall", "market"] = "wall"
    absent_means: Literal["missing", "zero"] = "missing"
    label: str | None = None
    """Path of a word shown beside the title, such as the largest symbol."""
    harm: Literal["value", "magnitude", "loss"] = "value"
    """What is compared with the limit: the value, its magnitude, or its negative."""
    limit: Limit | None = None
    warn: Decimal | None = Decimal("0.8")
    """Share of the limit from which the row warns; null for limits that are meant to be used in full."""
    needs: tuple[Needs, ...] = ()
    decimals: int | None = None
    signed: bool = False
    baseline: Literal["session"] | None = None
    """``session``: what counts is the difference to the value at the session's open, which the ledger keeps."""

    @model_validator(mode="before")
    @classmethod
    def _cadence(cls, value: Any) -> Any:
        """The default of ``every`` depends on the kind of source."""
        source = value.get("source") if isinstance(value, Mapping) else None
        if not isinstance(source, Mapping) or "every" in value:
            return value
        kind = next((kind for kind in _CADENCES if kind in source), None)
        return value if kind is None else {**value, "every": _CADENCES[kind]}


class NotWatched(Manifest):
    """A row that people look for and that no source of this target can fill; the screen says so and why."""

    title: str
    panel: Literal["exposure", "tca", "freshness", "reconciliation", "incident"]
    why: str


class Confirmation(Manifest):
    """How a suspicion becomes a fact: so many distinct samples, or one that a second source agrees with."""

    reads: int = Field(default=3, ge=1)
    second: str | None = None


class Clear(Manifest):
    """Who may clear the latch and how long its cause must be gone."""

    by: tuple[str, ...] = ("operator",)
    each: bool = True
    """True: one signature of every role; False: any one of them."""
    good: Duration = timedelta(minutes=30)
    hold: Duration = timedelta(minutes=15)
    next_session: bool = False
    approval: bool = True
    """Whether a signed approval is needed; False: one key press by an operator is enough."""
    gone: bool = True
    """Whether the cause has to be seen gone. False where its evidence stays as it is while the latch holds; then an
    explanation stands for it."""
    explain: bool = False
    """Whether who clears it has to say what it was."""
    itself: bool = False
    """It ends without anybody once the cause is gone; only for steps that freeze and do nothing else."""


class Windows(Manifest):
    """Two windows over a mean that the application gives for its whole life (semantics 1.5).

    The long one confirms, the short one proves that it still happens. Both are market time and are taken by
    differencing: mean times ``count`` of successive samples. Over is a mean of ``nominal + deltas * delta`` or more.
    """

    count: str
    """The signal that counts what the mean is over."""
    long: Duration
    short: Duration
    delta: Decimal = Field(gt=0)
    deltas: Decimal = Field(default=Decimal(1), gt=0)
    nominal: Decimal = Decimal(0)
    min_long: int = Field(default=50, ge=1)
    min_short: int = Field(default=10, ge=1)

    @property
    def threshold(self) -> Decimal:
        return self.nominal + self.deltas * self.delta


class Step(Manifest):
    """One contribution of a trigger; ``after`` counts from its confirmation, as long as the cause lasts."""

    mode: Literal["NORMAL", "FROZEN", "REDUCE_ONLY", "HALTED", "KILLED"] = "NORMAL"
    cap: str | None = None
    """``-1`` is the stage below the effective one, resolved when the latch opens; otherwise a stage's name."""
    after: Duration = timedelta()
    because: str | None = None
    """Why a stage contribution comes before HALTED (semantics 2.2 rule 0)."""
    second_path_lost: bool = False
    """This step waits until the second path to the same facts is lost as well."""
    times: int = Field(default=1, ge=1)
    """This step waits until the trigger was confirmed so often within one session."""
    reads: int | None = Field(default=None, ge=1)
    """This step waits for so many bad reads in a row, and for nobody having explained them."""
    clear: Clear | None = None
    """Replaces the trigger's own clear condition for what this step holds."""

    @property
    def as_mode(self) -> Mode:
        return Mode[self.mode]


class Trigger(Manifest):
    """What makes the console reduce risk by itself (semantics 2)."""

    title: str
    kind: Literal[
        "limit", "loss", "stale", "blind", "account", "drift", "reconciliation", "tca", "incident", "flat", "readiness"
    ]
    signals: tuple[str, ...] = ()
    at: Decimal = Decimal(1)
    """Share of the limit at which a limit or loss trigger fires."""
    confirm: Confirmation = Confirmation()
    then: tuple[Step, ...]
    clear: Clear = Clear()
    hysteresis: Decimal = Field(default=Decimal("0.2"), ge=0, lt=1)
    windows: Windows | None = None
    """For tca: the windows that have to agree."""
    severity: Literal["SEV1", "SEV2", "SEV3"] | None = None
    """For incident: the severity, declared by hand or told by the signals, which count alerts."""

    def clear_of(self, step: int) -> Clear:
        """The clear condition of what a step holds."""
        return self.then[step].clear or self.clear
