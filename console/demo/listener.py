"""A small HTTP listener on loopback: one function answers every request."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stages.value import Struct

JSON = "application/json"
METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Request(Struct, frozen=True):
    """A request: the path split at its slashes, the body as JSON (an empty mapping without one)."""

    method: str
    path: tuple[str, ...]
    body: Mapping[str, Any]


class Reply(Struct, frozen=True):
    """An answer."""

    status: int
    text: str
    content_type: str = JSON
    at: datetime | None = None
    """What the Date header says; the machine's own time without it."""

    @staticmethod
    def of(document: object, status: int = 200) -> Reply:
        """A JSON answer; decimals become strings, so that no cent is lost."""
        return Reply(status, json.dumps(document, default=_plain) + "\n")


Answer = Callable[[Request], Reply]


def bind(port: int = 0) -> socket.socket:
    """A listening socket on loopback; port 0 takes any free one."""
    return socket.create_server(("127.0.0.1", port), backlog=64)


class Listener(ThreadingHTTPServer):
    """Serves an already listening socket from threads of its own."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, answer: Answer) -> None:
        super().__init__(listening.getsockname(), _handler(answer), bind_and_activate=False)
        self.socket.close()
        self.socket = listening

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self.socket.getsockname()[1])

    def start(self) -> None:
        """Serve until ``shutdown``."""
        threading.Thread(target=self.serve_forever, args=(0.1,), name=f"http-{self.port}", daemon=True).start()


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # headers and body in one packet
        timeout = 30

        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def do_DELETE(self) -> None:
            self._reply()

        def _reply(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                body = json.loads(raw, parse_float=Decimal) if raw else {}
            except ValueError:
                body = None
            if isinstance(body, dict):
                path = tuple(part for part in self.path.partition("?")[0].split("/") if part)
                reply = answer(Request(self.command, path, body))
            else:
                reply = Reply.of({"ok": False, "reason": "body_is_not_a_json_object"}, 400)
            payload = reply.text.encode()
            self.send_response_only(reply.status)
            self.send_header("Date", self.date_time_string(reply.at.timestamp() if reply.at else None))
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests arrive several times a second: only failures are worth a line, and they log themselves."""

    return Handler


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"cannot serve {type(value).__name__}")
