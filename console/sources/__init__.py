"""Sources: where measurements come from. One document per endpoint and path, read once for all that it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from console.ports import Clock, Fetch
from console.sources.document import Document, DocumentFetch
from console.sources.http import JsonDocument
from console.sources.scrape import Exposition
from console.sources.transport import Missing, Transport
from stages.measures import Source
from stages.policy import Policy
from stages.signals import LIVE_BOOK, SignalKey

LONGEST: Final = 5.0
"""Seconds that any one request may take."""

SLACK: Final = 0.5
"""Seconds by which a request may outlast its own cadence."""

_Place = tuple[str, str, bool]
"""URL of the endpoint (or its name in angle brackets where none is configured), path, whether it is an exposition."""


def documents(policy: Policy, endpoints: Mapping[str, str], clock: Clock) -> tuple[Fetch, ...]:
    """The fetches that feed every signal in every book and every readback of a policy.

    Stages that replace an endpoint read the same signals from another URL, in a book of their own. Whatever shares a
    URL and a path shares one document and one request.
    """
    named: dict[_Place, str] = {}
    fetches: dict[_Place, DocumentFetch] = {}

    def fetch(endpoint: str, source: Source) -> DocumentFetch:
        place = (endpoints.get(endpoint, f"<{endpoint}>").rstrip("/"), source.path, source.scrape is not None)
        if place not in fetches:
            named[place] = endpoint
            fetches[place] = DocumentFetch(_transport(endpoint, endpoints, source.path, clock), _parser(source), clock)
        return fetches[place]

    for book, renamed in _books(policy):
        for name, signal in policy.spec.signals.items():
            endpoint = renamed.get(signal.source.endpoint, signal.source.endpoint)
            fetch(endpoint, signal.source).add_signal(SignalKey(book, name), signal)
    for name, control in policy.spec.controls.items():
        if control.readback:
            fetch(control.readback.endpoint, control.readback).add_readback(name, control.unit, control.readback)
    for place, name in _short_names(named).items():
        fetches[place].name = name
        fetches[place].patience = min(fetches[place].every + SLACK, LONGEST)
    return tuple(fetches.values())


def _books(policy: Policy) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every book with the endpoints that it replaces."""
    yield LIVE_BOOK, {}
    for stage in policy.stages:
        if stage.book != LIVE_BOOK:
            yield stage.book, stage.endpoints


def _transport(endpoint: str, endpoints: Mapping[str, str], path: str, clock: Clock) -> Transport | Missing:
    url = endpoints.get(endpoint)
    return Missing(endpoint) if url is None else Transport(url.rstrip("/") + path, clock)


def _parser(source: Source) -> Callable[[bytes], Document]:
    return JsonDocument.parse if source.http else Exposition.parse


def _short_names(named: Mapping[_Place, str]) -> dict[_Place, str]:
    """``status`` where one endpoint serves such a path, ``paper status`` where several do."""
    last = {place: place[1].rpartition("/")[2].partition("?")[0] or named[place] for place in named}
    alone = {name for name in last.values() if list(last.values()).count(name) == 1}
    return {place: name if name in alone else f"{named[place]} {name}" for place, name in last.items()}
