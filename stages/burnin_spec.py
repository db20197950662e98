"""What a stage's burn-in asks for, as the policy writes it: objectives, the comparison, regimes and times."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from stages.manifest import Duration, Manifest, MarketSpan


class FailWhen(Manifest):
    """The K-th breach among the last N distinct valid samples fails (semantics 1.5)."""

    breaches: int = Field(ge=1)
    of: int = Field(ge=1)

    @model_validator(mode="after")
    def _reachable(self) -> FailWhen:
        if self.breaches > self.of:
            raise ValueError("breaches cannot exceed of")
        return self


class Objective(Manifest):
    """A condition on a signal that burn-in checks; one without a condition does not load."""

    signal: str
    at_most: Decimal | None = None
    at_least: Decimal | None = None
    within_limit: bool = False
    min_samples: int = Field(default=50, ge=1)
    coverage: Decimal | None = None
    fail_when: FailWhen | None = None

    @model_validator(mode="after")
    def _has_condition(self) -> Objective:
        if self.at_most is None and self.at_least is None and not self.within_limit:
            raise ValueError("an objective needs a condition: atMost, atLeast or withinLimit: true")
        return self


class ComparisonSpec(Manifest):
    """What a stage's costs are compared with, and by how much they may be worse (semantics 1.6)."""

    baseline: str = "previous"
    """``previous``, or a stage's name."""
    signal: str
    """A mean over the application's whole life, in which more is worse."""
    count: str
    """The signal that counts what the mean is over."""
    margin: Decimal = Field(gt=0)
    min_fills: int = Field(default=100, ge=2)
    min_days: int = Field(default=3, ge=1)
    bucket: Duration = timedelta(minutes=5)
    """Market time within which fills of both are one pair."""
    tail: Decimal | None = None
    """Cost from which a bucket counts as an outlier."""
    tail_share: Decimal = Field(default=Decimal("0.05"), gt=0, le=1)
    """Largest share of outliers among the buckets."""


class Regimes(Manifest):
    """Parts of the session that a run has to have seen, for a quiet noon proves nothing of an open (semantics 1.4 g).

    One counts when ``share`` of its ``edge``, market time beside the open or the close, was observed.
    """

    opens: int = Field(default=2, ge=0)
    closes: int = Field(default=2, ge=0)
    edge: Duration = timedelta(minutes=15)
    share: Decimal = Field(default=Decimal("0.9"), gt=0, le=1)


class BurnInSpec(Manifest):
    """What a stage must show before the next one (semantics 1.3 and 1.4)."""

    min_market_time: MarketSpan
    max_market_time: MarketSpan | None = None
    warm_up: Duration = timedelta()
    pass_run: int = Field(default=5, ge=1)
    valid_for: MarketSpan = MarketSpan(sessions=Decimal(2))
    objectives: tuple[Objective, ...]
    on_fail: Literal["FROZEN", "REDUCE_ONLY", "HALTED"] = "FROZEN"
    comparison: ComparisonSpec | None = None
    regimes: Regimes | None = None
