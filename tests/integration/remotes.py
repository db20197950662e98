"""Git remotes as people have them, on loopback: smart HTTP, the Git protocol, and a line that breaks."""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar


class _Backend(BaseHTTPRequestHandler):
    """``git http-backend`` as a CGI program, the way that it stands behind a web server."""

    root: ClassVar[Path]
    realm: ClassVar[str] = ""
    """When set, nobody may enter: the answer is 401."""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._run(b"")

    def do_POST(self) -> None:
        self._run(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _run(self, body: bytes) -> None:
        if self.realm:
            self.send_response(401)
            self.send_header("WWW-Authenticate", f'Basic realm="{self.realm}"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        told = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "carol",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env={**os.environ, **told}, capture_output=True, check=False
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in {**fields, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def over_http(root: Path, *, realm: str = "") -> Iterator[str]:
    """The bare repositories below ``root`` over smart HTTP; the URL of the folder."""
    handler = type("Backend", (_Backend,), {"root": root, "realm": realm})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def over_git(root: Path) -> Iterator[tuple[str, int]]:
    """The same by ``git daemon``, which takes pushes; host and port."""

    class Daemon(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            command = ["git", "daemon", "--inetd", "--export-all", "--enable=receive-pack", f"--base-path={root}"]
            subprocess.run(command, stdin=self.request, stdout=self.request, stderr=subprocess.DEVNULL, check=False)

    with _Server(("127.0.0.1", 0), Daemon) as server, _running(server):
        yield "127.0.0.1", server.server_address[1]


class Line:
    """A line to a server that breaks after so many bytes towards it, or back from it; None never breaks.

    ``sent`` and ``received`` count what has passed over the newest such connection that has ended.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.break_after: int | None = None
        self.break_back_after: int | None = None
        self.only = b""
        """Only connections whose first bytes hold this break."""
        self.sent = self.received = 0
        self.counted = threading.Event()

    @contextmanager
    def open(self) -> Iterator[int]:
        """The port of the line's near end."""
        line = self

        class Relay(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                line.carry(self.request)

        with _Server(("127.0.0.1", 0), Relay) as server, _running(server):
            yield server.server_address[1]

    def carry(self, near: socket.socket) -> None:
        with socket.create_connection(self.target) as far:
            first = _request(near)
            limits = (self.break_after, self.break_back_after) if self.only in first else (None, None)
            passed = _Passed()
            back = threading.Thread(target=_back, args=(far, near, limits[1], passed), daemon=True)
            back.start()
            _there(near, far, first, limits[0], passed)
            back.join(20)
            if self.only in first:
                self.sent, self.received = passed.there, passed.back
                self.counted.set()


def _request(near: socket.socket) -> bytes:
    """The first packet, whole: it names the service that is asked for."""
    data = b""
    while len(data) < 4 or len(data) < int(data[:4], 16):
        more = near.recv(65536)
        if not more:
            break
        data += more
    return data


@dataclass(slots=True)
class _Passed:
    """Bytes of one connection."""

    there: int = 0
    back: int = 0


def _there(near: socket.socket, far: socket.socket, data: bytes, limit: int | None, passed: _Passed) -> None:
    try:
        while data:
            if limit is not None and passed.there + len(data) > limit:
                far.sendall(data[: max(0, limit - passed.there)])
                _cut(near, far)
                return
            far.sendall(data)
            passed.there += len(data)
            data = near.recv(65536)
        far.shutdown(socket.SHUT_WR)
    except OSError:
        _cut(near, far)


def _back(far: socket.socket, near: socket.socket, limit: int | None, passed: _Passed) -> None:
    try:
        while data := far.recv(65536):
            if limit is not None and passed.back + len(data) > limit:
                near.sendall(data[: max(0, limit - passed.back)])
                _cut(near)
                while far.recv(65536):
                    pass  # the other side goes on talking to nobody
                return
            passed.back += len(data)
            near.sendall(data)
        near.shutdown(socket.SHUT_WR)
    except OSError:
        _cut(near, far)


def _cut(*ends: socket.socket) -> None:
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
