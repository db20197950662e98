"""Sources: where measurements come from. What shares a URL, a query or a row is read once for all that it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from pydantic import SecretStr

from console.ports import Clock, Fetch
from console.sources.document import Document, DocumentFetch
from console.sources.http import JsonDocument
from console.sources.scrape import Exposition
from console.sources.transport import Missing, Transport
from stages.ladder import Unit
from stages.measures import PromqlSource, Signal, Source, SqlSource
from stages.policy import Policy
from stages.queries import ACCOUNT, PROCESS
from stages.refusal import Trouble
from stages.signals import LIVE_BOOK, SignalKey
from stages.value import Struct, field

if TYPE_CHECKING:
    from console.sources.prometheus import Server

_Place: TypeAlias = tuple[str, ...]
"""Kind, whom is asked, and for what: two sources of one place share one request."""
_Ask: TypeAlias = Callable[[float], Document]


class Book(Struct, frozen=True):
    """Whose facts are read: the account, and the endpoints that stand in for those that the signals name."""

    name: str
    account: str
    renamed: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, endpoint: str) -> str:
        return self.renamed.get(endpoint, endpoint)


class _Shared(Struct):
    """What one request answers."""

    source: Source
    book: Book
    first: str
    signals: dict[SignalKey, Signal] = field(default_factory=dict)
    readbacks: dict[str, tuple[Unit, Source]] = field(default_factory=dict)


def documents(
    policy: Policy,
    endpoints: Mapping[str, str],
    clock: Clock,
    *,
    prometheus: Server | None = None,
    databases: Mapping[str, SecretStr] | None = None,
) -> tuple[Fetch, ...]:
    """The fetches that feed every signal in every book and every readback that is not of the cluster.

    Stages that replace an endpoint read the same signals from another one, in a book of their own. Raises Trouble for
    PromQL beside a market clock of another speed: Prometheus lives in real time, and ages would mean two things.
    """
    shared: dict[_Place, _Shared] = {}

    def share(source: Source, book: Book, name: str) -> _Shared:
        return shared.setdefault(_place(source, book, endpoints), _Shared(source, book, name))

    books = tuple(_books(policy))
    for book in books:
        for name, signal in policy.spec.signals.items():
            if signal.source.promql is not None and clock.speed != 1:
                fix = "run the market at speed 1, or read the exporter by scrape"
                raise Trouble(f"signal {name} is read by promql, which knows no market time", fix=fix)
            share(signal.source, book, name).signals[SignalKey(book.name, name)] = signal
    for name, control in policy.spec.controls.items():
        if control.readback and control.readback.kubernetes is None:
            share(control.readback, books[0], name).readbacks[name] = (control.unit, control.readback)
    ways = _Ways(endpoints, prometheus, databases or {}, clock)
    names = _names(shared)
    return tuple(_fetch(names[place], ways, one) for place, one in shared.items())


def _books(policy: Policy) -> Iterator[Book]:
    yield Book(LIVE_BOOK, policy.spec.target.account.label)
    for index, stage in enumerate(policy.stages):
        if stage.book != LIVE_BOOK:
            yield Book(stage.book, policy.stage_account(index).label, stage.endpoints)


def _fetch(name: str, ways: _Ways, shared: _Shared) -> DocumentFetch:
    fetch = DocumentFetch(name, ways.ask(shared), ways.clock)
    for key, signal in shared.signals.items():
        fetch.add_signal(key, signal)
    for control, (unit, source) in shared.readbacks.items():
        fetch.add_readback(control, unit, source)
    return fetch


class _Ways(Struct, frozen=True):
    """How each kind of source is reached; the client libraries load with the first source that needs them."""

    endpoints: Mapping[str, str]
    prometheus: Server | None
    databases: Mapping[str, SecretStr]
    clock: Clock

    def ask(self, shared: _Shared) -> _Ask:
        source, book = shared.source, shared.book
        if source.promql is not None:
            moments = {signal.event_time for signal in shared.signals.values() if signal.event_time is not None}
            return self._promql(source.promql, book, sorted(moments))
        if source.sql is not None:
            return self._sql(source.sql, book)
        if source.http is not None:
            return self._page(book.name_of(source.http.endpoint), source.http.path, JsonDocument.parse)
        assert source.scrape is not None
        return self._page(book.name_of(source.scrape.endpoint), source.scrape.path, Exposition.parse)

    def _page(self, endpoint: str, path: str, parse: Callable[[bytes], Document]) -> _Ask:
        url = self.endpoints.get(endpoint)
        transport = Missing(endpoint) if url is None else Transport(url.rstrip("/") + path, self.clock)
        return lambda seconds: parse(transport.get(seconds))

    def _promql(self, source: PromqlSource, book: Book, moments: list[str]) -> _Ask:
        from console.sources.prometheus import Question

        asked = {moment: _expression(moment, source, book) for moment in moments}
        return Question(self.prometheus, _expression(source.query, source, book), asked, self.clock).ask

    def _sql(self, source: SqlSource, book: Book) -> _Ask:
        from console.sources.sql import Select

        name = book.name_of(source.database)
        return Select(name, self.databases.get(name), source.query, book.account, self.clock).ask


def _expression(text: str, source: PromqlSource, book: Book) -> str:
    return text.replace(PROCESS, book.name_of(source.process or ""))


def _place(source: Source, book: Book, endpoints: Mapping[str, str]) -> _Place:
    if source.promql is not None:
        process = book.name_of(source.promql.process or "")
        return ("promql", _expression(source.promql.query, source.promql, book), process)
    if source.sql is not None:
        account = book.account if ACCOUNT in source.sql.query else ""
        return ("sql", book.name_of(source.sql.database), source.sql.query, account)
    page = source.http or source.scrape
    assert page is not None
    endpoint = book.name_of(page.endpoint)
    return ("http" if source.http else "scrape", endpoints.get(endpoint, f"<{endpoint}>").rstrip("/"), page.path)


def _names(shared: Mapping[_Place, _Shared]) -> dict[_Place, str]:
    """``status`` where one endpoint serves such a path, ``paper status`` where several do; ``sql gross`` of queries."""
    short = {place: _short(place, one) for place, one in shared.items()}
    found = list(short.values())
    return {place: name if found.count(name) == 1 else _long(name, shared[place]) for place, name in short.items()}


def _short(place: _Place, shared: _Shared) -> str:
    if place[0] in ("promql", "sql"):
        return place[0]
    return place[2].rpartition("/")[2].partition("?")[0] or shared.book.name_of(shared.source.process)


def _long(name: str, shared: _Shared) -> str:
    if shared.source.process and shared.source.promql is None:
        return f"{shared.book.name_of(shared.source.process)} {name}"
    return f"{name} {shared.first}" if shared.book.name == LIVE_BOOK else f"{name} {shared.first} {shared.book.name}"
