"""Sources against real servers on loopback: each kind of trouble costs its own source one short reason."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from console.sources.transport import BODY_LIMIT, Missing, Transport
from stages.refusal import Trouble

Answer = Callable[[BaseHTTPRequestHandler], None]


class RealClock:
    """The machine's own clocks."""

    speed = 1.0

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def market(self, wall: datetime) -> datetime:
        return wall


class Served:
    """A server whose answer can be exchanged; ``asked`` counts requests."""

    def __init__(self) -> None:
        self.answer: Answer = text("{}")
        self.asked = 0
        self.over = threading.Event()
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked += 1
                try:
                    served.answer(self)
                except OSError:
                    self.close_connection = True  # the client went away, as it should

            def log_message(self, format: str, *args: object) -> None:
                """Tests print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def text(body: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    raw = body.encode() if isinstance(body, str) else body

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(raw)

    return answer


def hang(served: Served) -> Answer:
    def answer(_handler: BaseHTTPRequestHandler) -> None:
        served.over.wait(300)

    return answer


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.close()


def get(url: str, seconds: float = 30.0) -> bytes:
    return Transport(url, RealClock()).get(seconds)


def failure(url: str, seconds: float = 0.4) -> tuple[str, float]:
    started = time.monotonic()
    with pytest.raises(Trouble) as caught:
        get(url, seconds)
    return caught.value.what, time.monotonic() - started


def test_a_server_that_hangs_is_given_up_in_time(served: Served) -> None:
    served.answer = hang(served)
    reason, took = failure(served.url)
    assert reason == "no answer in 0.4 s"
    assert took < 20


def test_a_slow_trickle_is_given_up_in_time(served: Served) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not served.over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    served.answer = trickle
    reason, took = failure(served.url)
    assert "0.4 s" in reason
    assert took < 20


def test_a_refused_connection_says_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/status")[0] == "connection refused"


def test_an_error_status_is_named(served: Served) -> None:
    served.answer = text("{}", status=503)
    assert failure(served.url)[0] == "HTTP 503"


def test_a_redirect_is_not_followed(served: Served) -> None:
    served.answer = text("", status=302, headers={"Location": "/elsewhere"})
    assert failure(served.url)[0] == "HTTP 302"
    assert served.asked == 1


def test_an_endless_body_is_not_read_to_the_end(served: Served) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 2**20)

    served.answer = endless
    reason, _ = failure(served.url, 20)
    assert f"{BODY_LIMIT // 2**20} MB" in reason


def test_a_body_that_breaks_off_is_not_taken_for_whole(served: Served) -> None:
    served.answer = text('{"a": 1}', headers={"Content-Length": "400"})
    assert failure(served.url)[0] in ("the answer ends too early", "no answer in 0.4 s")


def test_what_is_no_http_at_all_is_said(served: Served) -> None:
    def garbage(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"\x00\x01\x02 nothing of the kind\r\n\r\n")

    served.answer = garbage
    assert failure(served.url)[0] == "not an HTTP answer"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "127.0.0.1:80/x", "http://127.0.0.1:port/x"])
def test_a_wrong_url_is_an_answer_not_a_crash(url: str) -> None:
    assert failure(url)[0]


def test_an_endpoint_without_configuration_is_named() -> None:
    with pytest.raises(Trouble, match="paper is not configured"):
        Missing("paper").get(1.0)


def test_a_good_answer_arrives_whole(served: Served) -> None:
    served.answer = text('{"gross": "25000.10"}')
    assert get(f"{served.url}/trading/status?x=1") == b'{"gross": "25000.10"}'
