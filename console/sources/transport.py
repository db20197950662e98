"""Transport: one bounded GET. Short time-outs, a limited body, no redirects, and one reason for what goes wrong."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Final
from urllib.parse import SplitResult, urlsplit

from console.ports import Clock
from stages.refusal import Trouble

BODY_LIMIT: Final = 8 * 2**20
"""Bytes of the longest answer that is read."""

_PIECE: Final = 64 * 2**10


class Transport:
    """A URL that is asked anew each time. Connections are not kept: a process that restarts leaves none half-open.

    http.client is used as it is, because it follows no redirect, uses no proxy and reads as much as it is told to.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = urlsplit(url)
        self._clock = clock

    def get(self, seconds: float) -> bytes:
        """The body of a 200 answer that arrives within ``seconds``. Raises Trouble with a short reason."""
        deadline = self._clock.monotonic() + seconds
        connection = _connection(self.url, seconds)
        try:
            target = self.url.path or "/"
            connection.request("GET", f"{target}?{self.url.query}" if self.url.query else target)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise Trouble(f"HTTP {answer.status}")
            return self._body(connection.sock, answer, deadline, seconds)
        except TimeoutError:
            raise Trouble(f"no answer in {seconds:g} s") from None
        except ConnectionRefusedError:
            raise Trouble("connection refused") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Trouble(_short(error)) from None
        finally:
            connection.close()

    def _body(
        self, sock: socket.socket | None, answer: http.client.HTTPResponse, deadline: float, seconds: float
    ) -> bytes:
        body = bytearray()
        while True:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise Trouble(f"the answer takes longer than {seconds:g} s")
            if sock is not None:
                sock.settimeout(left)
            piece = answer.read1(_PIECE)
            if not piece:
                break
            body += piece
            if len(body) > BODY_LIMIT:
                raise Trouble(f"the answer is longer than {BODY_LIMIT // 2**20} MB")
        if answer.length:
            raise Trouble("the answer ends too early")
        return bytes(body)


class Missing:
    """The transport of an endpoint that the configuration does not name."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def get(self, seconds: float) -> bytes:  # noqa: ARG002 - the answer is the same after any time
        """Raises Trouble at once."""
        raise Trouble(f"endpoint {self._endpoint} is not configured")


def _connection(url: SplitResult, seconds: float) -> http.client.HTTPConnection:
    try:
        host, port = url.hostname or "", url.port
    except ValueError:
        raise Trouble(f"'{url.netloc}' is not a host and a port") from None
    if url.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
    if url.scheme != "http" or not host:
        raise Trouble("the endpoint is not an http or https URL")
    return http.client.HTTPConnection(host, port, timeout=seconds)


def _short(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "the host is not known"
    if isinstance(error, (http.client.RemoteDisconnected, ConnectionError)):
        return "the connection was closed"
    if isinstance(error, http.client.HTTPException):
        return "not an HTTP answer"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
