"""Documents: one answer of one endpoint, and every sample and readback that it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from console.ports import Clock, Fetched
from stages.ladder import Unit, parse_value
from stages.measures import Signal, Source
from stages.refusal import Trouble
from stages.signals import Quality, Sample, SignalKey
from stages.witness import RuntimeReading

LONGEST: Final = 5.0
"""Seconds that any one request may take."""

SLACK: Final = 0.5
"""Seconds by which a request may outlast its own cadence."""

READBACK_EVERY: Final = 5.0
"""Seconds between two readbacks of a document that carries no quicker signal."""


class Document(Protocol):
    """A parsed answer."""

    def sample(self, signal: Signal, read_time: datetime) -> Sample:
        """What the document says of a signal, with the quality that the document alone decides."""

    def said(self, source: Source) -> str | tuple[str, ...] | None:
        """The text of a readback; None for a limit that the process says it does not have. Raises Trouble."""


class DocumentFetch:
    """A ``Fetch``: asks once, answers for every signal and control that was added to it.

    ``ask`` brings the document within so many seconds, or raises Trouble.
    """

    def __init__(self, name: str, ask: Callable[[float], Document], clock: Clock) -> None:
        self.name = name
        self.every = float("inf")
        """Seconds between two requests: the shortest cadence of what shares the document."""
        self._ask, self._clock = ask, clock
        self._signals: dict[SignalKey, Signal] = {}
        self._readbacks: dict[str, tuple[Unit, Source]] = {}

    @property
    def patience(self) -> float:
        """Seconds that a request may take."""
        return min(self.every + SLACK, LONGEST)

    def add_signal(self, key: SignalKey, signal: Signal) -> None:
        self._signals[key] = signal
        self.every = min(self.every, signal.every.total_seconds())

    def add_readback(self, control: str, unit: Unit, source: Source) -> None:
        self._readbacks[control] = (unit, source)
        self.every = min(self.every, READBACK_EVERY)

    def read(self) -> Fetched:
        """One request, within ``patience``; whatever goes wrong becomes the samples' quality."""
        started = self._clock.monotonic()
        try:
            document = self._ask(self.patience)
        except Trouble as trouble:
            return self.failed(trouble.what, self._clock.wall(), self._since(started))
        at = self._clock.wall()
        return Fetched(
            at=at,
            latency_ms=self._since(started),
            samples={key: document.sample(signal, at) for key, signal in self._signals.items()},
            runtime={name: _readback(document, name, *what, at) for name, what in self._readbacks.items()},
        )

    def failed(self, reason: str, at: datetime, latency_ms: int | None = None) -> Fetched:
        """The lack of an answer, in the words of every signal and control that waits for it."""
        return Fetched(
            at=at,
            latency_ms=latency_ms,
            samples={key: Sample(Quality.PROVIDER_ERROR, at, detail=reason) for key in self._signals},
            runtime={name: RuntimeReading(None, at, error=reason) for name in self._readbacks},
            error=reason,
        )

    def _since(self, started: float) -> int:
        return round(1000 * (self._clock.monotonic() - started))


def _readback(document: Document, name: str, unit: Unit, source: Source, at: datetime) -> RuntimeReading:
    try:
        return RuntimeReading(parse_value(unit, document.said(source), name), at)
    except Trouble as trouble:
        return RuntimeReading(None, at, error=trouble.what)
