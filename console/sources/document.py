"""Documents: one answer of one endpoint, and every sample and readback that it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from console.ports import Clock, Fetched
from stages.ladder import Unit, parse_value
from stages.measures import Signal, Source
from stages.refusal import Trouble
from stages.signals import Quality, Sample, SignalKey
from stages.witness import RuntimeReading


class Document(Protocol):
    """A parsed answer."""

    def sample(self, signal: Signal, read_time: datetime) -> Sample:
        """What the document says of a signal, with the quality that the document alone decides."""

    def said(self, source: Source) -> str | tuple[str, ...] | None:
        """The text of a readback; None for a limit that the process says it does not have. Raises Trouble."""


class Gets(Protocol):
    """What brings the bytes."""

    def get(self, seconds: float) -> bytes: ...


class DocumentFetch:
    """A ``Fetch``: asks once, answers for every signal and control that was added to it."""

    def __init__(self, transport: Gets, parse: Callable[[bytes], Document], clock: Clock) -> None:
        self.name = ""
        self.every = float("inf")
        """Seconds between two requests: the shortest cadence of what shares the document."""
        self.patience = 5.0
        """Seconds that a request may take."""
        self._transport, self._parse, self._clock = transport, parse, clock
        self._signals: dict[SignalKey, Signal] = {}
        self._readbacks: dict[str, tuple[Unit, Source]] = {}

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
            document = self._parse(self._transport.get(self.patience))
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


READBACK_EVERY = 5.0
"""Seconds between two readbacks of a document that carries no quicker signal."""


def _readback(document: Document, name: str, unit: Unit, source: Source, at: datetime) -> RuntimeReading:
    try:
        return RuntimeReading(parse_value(unit, document.said(source), name), at)
    except Trouble as trouble:
        return RuntimeReading(None, at, error=trouble.what)
