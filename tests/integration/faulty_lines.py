"""Lines of HTTP between the product and a real part, each of which can break, hang, lie, or break and come back."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from stages.value import Struct, replace

DOWN, SLOW, LYING, RECOVERING = "down", "slow", "lying", "recovering"
FAULTS = (DOWN, SLOW, LYING, RECOVERING)
FAILURES = 2
"""How many connections a line that comes back refuses before."""

_KEPT = frozenset({"content-length", "content-type", "content-encoding", "www-authenticate", "retry-after"})
_DROPPED = frozenset({"host", "connection", "transfer-encoding", "content-length"})


class Asked(Struct, frozen=True):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(Struct, frozen=True):
    """A whole answer that the part never gave, or gave otherwise."""

    status: int
    body: bytes
    kind: str = "application/json"


Lie = Callable[[Asked, Callable[[Asked], Answer]], Answer | None]
"""Given a request and a way to ask the part itself: what is answered instead; None for what is answered truly."""


@dataclass
class Line:
    """The line to ``target``, a URL without a path; ``ca`` where that speaks TLS. The near end speaks plain HTTP."""

    target: str
    lie: Lie
    ca: str | bool = True
    fault: str = ""
    port: int = 0
    _left: int = 0
    _gate: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: str) -> None:
        with self._lock:
            self.fault, self._left = fault, FAILURES
            self._gate.clear()

    def heal(self) -> None:
        """What hangs is answered now, and everything else is well."""
        with self._lock:
            self.fault = ""
            self._gate.set()

    def refuses(self) -> bool:
        with self._lock:
            if self.fault != RECOVERING:
                return self.fault == DOWN
            self._left -= 1
            return self._left >= 0

    @contextmanager
    def open(self) -> Iterator[Line]:
        line = self

        class Near(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with suppress(ConnectionError, TimeoutError, HTTPError, requests.RequestException):
                    super().handle_one_request()

            def do_GET(self) -> None:
                line.carry(self)

            do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 - the names that the server looks for

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        with _Server(("127.0.0.1", self.port), Near) as server:
            server.refuses = self.refuses
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self.heal()
                server.shutdown()
                thread.join(10)

    def carry(self, near: BaseHTTPRequestHandler) -> None:
        asked = Asked(near.command, near.path, dict(near.headers), _body(near))
        if self.fault == LYING:
            told = self.lie(asked, self._whole)
            if told is not None:
                _tell(near, told.status, {"Content-Type": told.kind, "Content-Length": str(len(told.body))})
                near.wfile.write(told.body)
                return
        with self._far(asked) as answer:
            if self.fault == SLOW:  # the part has done what it was asked to; nobody hears of it
                self._gate.wait(60)
            _tell(near, answer.status_code, {k: v for k, v in answer.headers.items() if k.lower() in _KEPT})
            for piece in answer.raw.stream(65536, decode_content=False):
                near.wfile.write(piece)
                near.wfile.flush()

    def _far(self, asked: Asked) -> requests.Response:
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in _DROPPED}
        return requests.request(
            asked.method, self.target + asked.path, data=asked.body or None, headers=headers, verify=self.ca,
            stream=True, timeout=60,
        )  # fmt: skip

    def _whole(self, asked: Asked) -> Answer:
        plain = {name: value for name, value in asked.headers.items() if name.lower() != "accept-encoding"}
        with self._far(replace(asked, headers=plain | {"Accept-Encoding": "identity"})) as answer:
            return Answer(answer.status_code, answer.content, answer.headers.get("Content-Type", ""))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    refuses: Callable[[], bool]

    def verify_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> bool:
        """A connection that is not wanted ends with a reset, as behind a port that nobody listens at."""
        if not self.refuses():
            return True
        assert isinstance(request, socket.socket)
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Closed at once; a goodbye would be an answer."""
        assert isinstance(request, socket.socket)
        request.close()


def _tell(near: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    near.send_response(status)
    for name, value in {**headers, "Connection": "close"}.items():
        near.send_header(name, value)
    near.end_headers()
    near.close_connection = True


def _body(near: BaseHTTPRequestHandler) -> bytes:
    if near.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return near.rfile.read(int(near.headers.get("Content-Length", "0")))
    parts = []
    while size := int(near.rfile.readline(), 16):
        parts.append(near.rfile.read(size))
        near.rfile.readline()
    near.rfile.readline()
    return b"".join(parts)
