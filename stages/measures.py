"""What the policy measures and acts on: sources, signals with their limits, triggers with their steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from stages.ladder import Unit
from stages.manifest import Duration, Manifest
from stages.posture import Mode


class HttpSource(Manifest):
    """One value of a JSON document. ``reduce`` folds a path with [*]; ``minus`` is subtracted."""

    endpoint: str
    path: str
    value: str
    minus: str | None = None
    reduce: Literal["sum", "sum-abs", "max", "max-abs", "min", "count"] | None = None


class ScrapeSource(Manifest):
    """One series of an exporter's /metrics; several matching series are folded by ``reduce``."""

    endpoint: str
    metric: str
    labels: Mapping[str, str] = Field(default_factory=dict)
    path: str = "/metrics"
    reduce: Literal["sum", "max", "min"] | None = None


class Source(Manifest):
    """Where a signal or a readback comes from; exactly one kind."""

    http: HttpSource | None = None
    scrape: ScrapeSource | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Source:
        if (self.http is None) == (self.scrape is None):
            raise ValueError("a source names exactly one of http, scrape")
        return self

    @property
    def endpoint(self) -> str:
        chosen = self.http or self.scrape
        assert chosen is not None
        return chosen.endpoint

    @property
    def path(self) -> str:
        chosen = self.http or self.scrape
        assert chosen is not None
        return chosen.path


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
    event_time: str | None = None
    """Path of the event time in the document, or name of the metric that holds it; required for safety signals."""
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

    @property
    def as_mode(self) -> Mode:
        return Mode[self.mode]


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


class Trigger(Manifest):
    """What makes the console reduce risk by itself (semantics 2)."""

    title: str
    kind: Literal["limit", "loss", "stale", "blind", "account", "drift"]
    signals: tuple[str, ...] = ()
    at: Decimal = Decimal(1)
    """Share of the limit at which a limit or loss trigger fires."""
    confirm: Confirmation = Confirmation()
    then: tuple[Step, ...]
    clear: Clear = Clear()
    hysteresis: Decimal = Decimal("0.2")
