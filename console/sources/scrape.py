"""An exporter's /metrics read directly: the second opinion, and the path when Prometheus is down."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from stages.measures import ScrapeSource, Signal, Source
from stages.raw_values import age_of, is_measurement, number_of
from stages.refusal import Trouble
from stages.signals import Quality, Sample
from stages.value import Struct


class Series(Struct, frozen=True):
    """One line of the exposition."""

    labels: Mapping[str, str]
    value: float


_REDUCERS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {"sum": math.fsum, "max": max, "min": min}


class _NotThere(Exception):
    def __init__(self, detail: str, quality: Quality = Quality.MISSING) -> None:
        super().__init__(detail)
        self.detail, self.quality = detail, quality


class Exposition(Struct, frozen=True):
    """A parsed body of metrics: the series of each name."""

    series: Mapping[str, Sequence[Series]]

    @classmethod
    def parse(cls, body: bytes) -> Exposition:
        """Raises Trouble for HTML, nothing or anything else that is not in exposition format."""
        text = body.strip()
        if not text:
            raise Trouble("an empty answer")
        if text.startswith(b"<"):
            raise Trouble("HTML instead of metrics")
        found: dict[str, list[Series]] = {}
        try:
            for family in text_string_to_metric_families(text.decode("utf-8") + "\n"):
                for sample in family.samples:
                    found.setdefault(sample.name, []).append(Series(sample.labels, float(sample.value)))
        except (ValueError, TypeError, IndexError, KeyError):
            raise Trouble("not in exposition format") from None
        return cls(found)

    def sample(self, signal: Signal, read_time: datetime) -> Sample:
        """The signal's value with its event time; of several times the oldest counts."""
        source = signal.source.scrape
        assert source is not None
        try:
            chosen = self._chosen(source)
            number = _finite(_folded(chosen, source), source.metric)
            if source.age:
                number = age_of(_time(float(number), source.metric), read_time, signal.unit)
            event = None if signal.event_time is None else self._moment(signal.event_time, source.labels)
            label = "" if signal.label is None or len(chosen) != 1 else chosen[0].labels.get(signal.label, "")
            return Sample(Quality.OK, read_time, number, event, label)
        except _NotThere as missing:
            return Sample(missing.quality, read_time, detail=missing.detail)

    def said(self, source: Source) -> str | tuple[str, ...] | None:
        """The number of a readback as text. Raises Trouble when the exposition does not hold it."""
        assert source.scrape is not None
        try:
            return str(_finite(_folded(self._chosen(source.scrape), source.scrape), source.scrape.metric))
        except _NotThere as missing:
            raise Trouble(missing.detail) from None

    def _chosen(self, source: ScrapeSource) -> Sequence[Series]:
        chosen = [each for each in self.series.get(source.metric, ()) if source.labels.items() <= each.labels.items()]
        if not chosen:
            raise _NotThere(f"there is no {source.metric}")
        return chosen

    def _moment(self, metric: str, labels: Mapping[str, str]) -> datetime:
        """The oldest time among the metric's series: of two replicas the one that lags behind.

        The source's labels choose where the metric carries them, and are no condition where it does not.
        """
        every = self.series.get(metric, ())
        alike = [each for each in every if labels.items() <= each.labels.items()] or every
        if not alike:
            raise _NotThere(f"there is no {metric}")
        oldest = min((each.value for each in alike), key=lambda value: value if math.isfinite(value) else -math.inf)
        return _time(oldest, metric)


def _time(seconds: float, metric: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise _NotThere(f"{metric} is not a time") from None


def _folded(chosen: Sequence[Series], source: ScrapeSource) -> float:
    if len(chosen) == 1:
        return chosen[0].value
    if source.reduce is None:
        raise _NotThere(f"{source.metric} has {len(chosen)} series and no reduce", Quality.PROVIDER_ERROR)
    numbers = [each.value for each in chosen]
    # An extreme would hide a NaN or not, by the order of the series.
    return math.nan if any(math.isnan(number) for number in numbers) else _REDUCERS[source.reduce](numbers)


def _finite(number: float, metric: str) -> Decimal:
    exact = number_of(number)
    if exact is None or not is_measurement(exact):
        raise _NotThere(f"{metric} is {number}", Quality.NONFINITE)
    return exact
