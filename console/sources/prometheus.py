"""Prometheus by instant queries: a value and the time of its event, asked for the same instant.

Every answer is bounded in time and length, nothing is retried and no redirect is followed: the next tick asks anew.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import requests
from prometheus_api_client import PrometheusConnect
from pydantic import SecretStr
from urllib3 import disable_warnings
from urllib3.exceptions import HTTPError, InsecureRequestWarning
from urllib3.util.retry import Retry

from console.ports import Clock
from stages.measures import PromqlSource, Signal, Source
from stages.raw_values import is_measurement, moment_of, number_of
from stages.refusal import Trouble
from stages.signals import Quality, Sample
from stages.value import Struct, field

BODY_LIMIT: Final = 8 * 2**20
"""Bytes of the longest answer that is read."""

_PIECE: Final = 64 * 2**10
_SHORT: Final = 120
"""Characters of Prometheus's own words that are passed on."""

_REDUCERS: Final[Mapping[str, Callable[[Sequence[Decimal]], Decimal]]] = {
    "sum": lambda numbers: sum(numbers, Decimal(0)),
    "max": max,
    "min": min,
}


class Server(Struct, frozen=True):
    """A Prometheus, or what speaks its API. ``token`` brings the bearer token, None where none is configured."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    token: Callable[[], SecretStr] | None = None
    ca: Path | None = None
    certificate: tuple[Path, Path | None] | None = None
    """The client's own certificate and its key, None where one file holds both."""
    verify: bool = True


class Series(Struct, frozen=True):
    """One series of an instant vector, or a scalar, which has no labels."""

    labels: Mapping[str, str]
    value: object


class _NotThere(Exception):
    def __init__(self, detail: str, quality: Quality = Quality.MISSING) -> None:
        super().__init__(detail)
        self.detail, self.quality = detail, quality


class Answer(Struct, frozen=True):
    """What Prometheus said to a question: the value's series, those of each event time, and its warnings."""

    value: tuple[Series, ...]
    moments: Mapping[str, tuple[Series, ...]]
    warnings: tuple[str, ...] = ()

    def sample(self, signal: Signal, read_time: datetime) -> Sample:
        """The signal's value with its event time; with a warning the answer is PARTIAL, whatever it holds."""
        source = signal.source.promql
        assert source is not None
        if self.warnings:
            return Sample(Quality.PARTIAL, read_time, detail=f"Prometheus warns: {self.warnings[0][:_SHORT]}")
        try:
            chosen = self._chosen(source)
            number = _folded(chosen, source)
            event = None if signal.event_time is None else _oldest(self.moments[signal.event_time], source.labels)
            label = "" if signal.label is None or len(chosen) != 1 else chosen[0].labels.get(signal.label, "")
            return Sample(Quality.OK, read_time, number, event, label)
        except _NotThere as missing:
            return Sample(missing.quality, read_time, detail=missing.detail)

    def said(self, source: Source) -> str | tuple[str, ...] | None:
        """Raises Trouble: a value that may be five minutes old is no readback."""
        raise Trouble(f"{source.endpoint} does not know what runs now")

    def _chosen(self, source: PromqlSource) -> Sequence[Series]:
        """The series that carry the expected labels: exactly one, unless they are to be folded."""
        if not self.value:
            raise _NotThere("no series")
        chosen = [each for each in self.value if source.labels.items() <= each.labels.items()]
        if not chosen or (len(chosen) > 1 and source.reduce is None):
            wanted = ", ".join(f"{name}={value}" for name, value in source.labels.items()) or "of one series alone"
            raise _NotThere(f"{len(self.value)} series, expected labels {wanted}")
        return chosen


class Question:
    """One expression and the event times of the signals that read it, by name; asked by one thread."""

    def __init__(self, server: Server | None, query: str, moments: Mapping[str, str], clock: Clock) -> None:
        self._server, self._query, self._moments, self._clock = server, query, moments, clock
        self._token: SecretStr | None = None

    def ask(self, seconds: float) -> Answer:
        """Value and event times of one instant of the server's clock. Raises Trouble with a short reason."""
        if self._server is None:
            raise Trouble("prometheus is not configured")
        self._session.begin(self._clock.monotonic() + seconds, seconds)
        self._authorise(self._server)
        value, at = self._query_at(self._query, None)
        moments = {name: self._query_at(query, at)[0] if value else () for name, query in self._moments.items()}
        return Answer(value, moments, tuple(self._session.warnings))

    @cached_property
    def _session(self) -> _Session:
        assert self._server is not None
        return _Session(self._server, self._clock)

    @cached_property
    def _connection(self) -> PrometheusConnect:
        assert self._server is not None
        return PrometheusConnect(
            url=self._server.url.rstrip("/"),
            headers=dict(self._server.headers),
            session=self._session,
            retry=Retry(total=0, read=False),
        )

    def _query_at(self, query: str, at: str | None) -> tuple[tuple[Series, ...], str | None]:
        try:
            left = self._session.left()
            found = self._connection.custom_query(query, params={} if at is None else {"time": at}, timeout=left)
            return _parsed(found)
        except requests.RequestException as error:
            raise Trouble(_reason(error, self._session.seconds)) from None
        except (HTTPError, OSError):
            raise Trouble("the connection was closed") from None
        except Refused as refused:
            self._token = None  # a token may have been exchanged for another
            raise Trouble(refused.what) from None
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise Trouble("not an answer of Prometheus") from None

    def _authorise(self, server: Server) -> None:
        """The token is fetched once, and anew after Prometheus has refused it; it is told to nobody else."""
        if server.token is None:
            return
        if self._token is None:
            self._token = server.token()
        self._session.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"


class Refused(Trouble):
    """Prometheus does not take the token."""


class _Session(requests.Session):
    """A session of requests whose hook reads each answer within bounds and keeps the warnings in it.

    Neither proxies nor passwords of the environment are used: what is asked, and as whom, is configuration.
    """

    def __init__(self, server: Server, clock: Clock) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(server.ca) if server.ca and server.verify else server.verify
        if server.certificate is not None:
            certificate, key = server.certificate
            self.cert = (str(certificate), str(key)) if key else str(certificate)
        if not server.verify:
            disable_warnings(InsecureRequestWarning)  # it was chosen, and standard error belongs to the screen
        self.hooks["response"].append(self._whole)
        self.warnings: list[str] = []
        self.seconds = 0.0
        self._clock, self._deadline = clock, 0.0

    def begin(self, deadline: float, seconds: float) -> None:
        """A new question, to be answered until ``deadline`` of the monotonic clock."""
        self._deadline, self.seconds = deadline, seconds
        self.warnings.clear()

    def left(self) -> float:
        """Seconds until the deadline. Raises Trouble when there are none."""
        left = self._deadline - self._clock.monotonic()
        if left <= 0:
            raise Trouble(f"the answer takes longer than {self.seconds:g} s")
        return left

    def _whole(self, response: requests.Response, **_: object) -> requests.Response:
        """The same answer with its body read; anything but 200 ends here, before a redirect could be followed."""
        try:
            body = self._body(response)
        finally:
            response.close()
        whole = requests.Response()
        whole.status_code, whole.url, whole.request = response.status_code, response.url, response.request
        whole.raw, whole.encoding = io.BytesIO(body), "utf-8"
        if response.status_code != http.client.OK:
            kind = Refused if response.status_code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN) else Trouble
            raise kind(f"HTTP {response.status_code}{_told(whole)}")
        said = whole.json()
        self.warnings.extend(str(warning) for warning in said.get("warnings") or ())
        return whole

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        while piece := response.raw.read1(_PIECE, decode_content=True):
            body += piece
            self.left()
            if len(body) > BODY_LIMIT:
                raise Trouble(f"the answer is longer than {BODY_LIMIT // 2**20} MB")
        return bytes(body)


def _parsed(found: Any) -> tuple[tuple[Series, ...], str | None]:
    """The series of an instant vector or a scalar, and the time for which the server evaluated them."""
    if len(found) == 2 and not isinstance(found[0], dict):
        return (Series({}, found[1]),), str(found[0])
    series = tuple(Series(each["metric"], each["value"][1]) for each in found)
    return series, str(found[0]["value"][0]) if found else None


def _folded(chosen: Sequence[Series], source: PromqlSource) -> Decimal:
    numbers = [_finite(each.value) for each in chosen]
    return numbers[0] if len(numbers) == 1 else _REDUCERS[source.reduce or "sum"](numbers)


def _finite(value: object) -> Decimal:
    number = number_of(value)
    if number is None or not is_measurement(number):
        raise _NotThere(f"the value is {str(value)[:20]}", Quality.NONFINITE)
    return number or Decimal(0)


def _oldest(series: Sequence[Series], labels: Mapping[str, str]) -> datetime:
    """The oldest time among the series: of two replicas the one that lags behind.

    The expected labels choose where the series carry them, and are no condition where they do not.
    """
    alike = [each for each in series if labels.items() <= each.labels.items()] or series
    if not alike:
        raise _NotThere("no series tells its time")
    times = [number_of(each.value) for each in alike]
    known = [time for time in times if time is not None and time.is_finite()]
    oldest = moment_of(min(known)) if len(known) == len(times) else None
    if oldest is None:
        raise _NotThere("its time is no time")
    return oldest


def _told(response: requests.Response) -> str:
    """Prometheus's own words on an error, where it has any."""
    try:
        said = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {' '.join(str(said).split())[:_SHORT]}"


def _reason(error: requests.RequestException, seconds: float) -> str:
    """A few words. What the error says itself is kept back: it may hold a header."""
    if isinstance(error, requests.Timeout):
        return f"no answer in {seconds:g} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "TLS failed: the certificate is not trusted, or a file of it is wrong"
    if isinstance(error, requests.ConnectionError):
        return "connection refused" if "refused" in str(error) else "no connection"
    if isinstance(error, requests.JSONDecodeError):
        return "not JSON"
    return "the request cannot be made: check url and headers"
