"""A demo venue over real HTTP, in a thread and as a process of its own, and the adapter that speaks to it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from console.demo.application import Account
from console.demo.floor import Pace
from console.demo.listener import Listener, Reply, Request, bind
from console.demo.venue import VenueConfig, run
from console.venue.demo import DemoVenue
from stages.refusal import Trouble

ENV = {
    "TRADING_MAX_NOTIONAL_PER_TRADE": "500",
    "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE": "5000",
    "TRADING_PORTFOLIO_MAX_NET_EXPOSURE": "2500",
    "TRADING_PORTFOLIO_MAX_NOTIONAL_PER_SYMBOL": "2000",
    "TRADING_MAX_PARTICIPATION_RATE": "0.01",
    "TRADING_DAILY_LOSS_LIMIT_USD": "150",
    "TRADING_STATIC_SYMBOLS": "NVDA,AMD,MU",
    "TRADING_MODE": "live",
    "TRADING_LIVE_SUBMIT_ENABLED": "true",
    "TRADING_KILL_SWITCH_ENABLED": "false",
}


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        pause.wait(0.02)


@dataclass
class Faces:
    """The three addresses of one venue."""

    app: str
    broker: str
    control: str

    def apply(self, revision: str = "r1", **changes: str) -> requests.Response:
        body = {"revision": revision, "env": ENV | changes, "catalog": None, "feed": None}
        return requests.post(self.control + "/apply", json=body, timeout=60)

    def status(self) -> dict[str, Any]:
        answer = requests.get(self.app + "/trading/status", timeout=60)
        return answer.json() if answer.status_code == 200 else {}

    def gross(self) -> Decimal:
        status = self.status()
        return Decimal(status["exposure"]["gross"]) if status else Decimal(0)

    def order(self, **body: object) -> requests.Response:
        return requests.post(self.broker + "/orders", json=body, timeout=60)


@pytest.fixture
def faces(tmp_path: Path) -> Iterator[Faces]:
    """A live venue at 100 trading seconds per second, with restarts of a second and a half."""
    ports = tmp_path / "ports.json"
    account = Account("ACC-1", "live", Decimal(250_000))
    config = VenueConfig(account, 5, 100.0, Pace(restart_seconds=1.5), {}, ports)
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(config, stop))
    thread.start()
    until(ports.exists)
    yield Faces(**{face: f"http://127.0.0.1:{port}" for face, port in json.loads(ports.read_text()).items()})
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


def test_nothing_is_served_before_a_revision_is_handed_over(faces: Faces) -> None:
    answer = requests.get(faces.app + "/healthz", timeout=60)
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "detail": "scheduler_runtime_unavailable"}
    assert requests.get(faces.broker + "/account", timeout=60).json()["label"] == "ACC-1"
    assert requests.get(faces.control + "/revision", timeout=60).json() == {"revision": None}


def test_it_trades_and_tells_its_controls(faces: Faces) -> None:
    assert faces.apply().json()["outcome"] == "started"
    until(lambda: faces.gross() > 3000)
    status = faces.status()
    assert status["ramp"]["controls"]["maxGrossExposure"] == "5000"
    assert status["ramp"]["controls"]["universe"] == ["NVDA", "AMD", "MU"]
    assert status["ramp"]["revision"] == "r1"
    assert status["account"] == {"label": "ACC-1", "environment": "live"}
    assert status["running"] is True
    families = {
        f.name: f for f in text_string_to_metric_families(requests.get(faces.app + "/metrics", timeout=60).text)
    }
    assert families["torghut_trading_orders_submitted"].samples[0].value > 0
    replicas = families["torghut_clickhouse_guardrails_ta_signals_max_event_ts_seconds"].samples
    assert len({sample.labels["replica"] for sample in replicas}) == 2
    assert abs(families["torghut_trading_last_cycle_timestamp_seconds"].samples[0].value - time.time()) < 5
    assert requests.get(faces.app + "/scheduler/readyz", timeout=60).json()["leadership_healthy"] is True


def test_it_tells_the_dear_end_of_its_costs_and_what_became_of_its_orders(faces: Faces) -> None:
    faces.apply()
    until(lambda: faces.status() and faces.status()["tca"]["order_count"] >= 5)
    status = faces.status()
    tca = status["tca"]
    tail, worst = Decimal(tca["slippage_p95_bps"]), Decimal(tca["worst_order"]["slippage_bps"])
    assert Decimal(tca["avg_slippage_bps"]) <= tail <= worst
    assert tca["worst_order"]["symbol"] in ("NVDA", "AMD", "MU")
    assert tca["filled_execution_count"] == tca["closed_execution_count"]
    execution = status["execution"]
    assert execution["orders_asked_total"] == execution["orders_submitted_total"] + execution["orders_rejected_total"]
    assert abs(datetime.fromisoformat(status["now"]).timestamp() - time.time()) < 5


def test_every_document_tells_a_new_event_time(faces: Faces) -> None:
    faces.apply()
    until(faces.status)
    first = faces.status()
    until(lambda: faces.status()["exposure"]["as_of"] > first["exposure"]["as_of"])
    assert faces.status()["last_run_at"] > first["last_run_at"]


def test_a_changed_environment_restarts_the_process_and_not_the_broker(faces: Faces) -> None:
    faces.apply()
    until(lambda: faces.gross() > 3000)
    started = faces.status()["ramp"]["started_at"]
    assert faces.apply("r2", TRADING_DAILY_LOSS_LIMIT_USD="140").json()["outcome"] == "restarting"
    assert requests.get(faces.app + "/metrics", timeout=60).status_code == 503
    assert requests.get(faces.broker + "/positions", timeout=60).json() != []
    until(faces.status)
    after = faces.status()
    assert after["ramp"]["started_at"] > started
    assert after["ramp"]["controls"]["dailyLossLimit"] == "140"
    assert Decimal(after["exposure"]["gross"]) > 2500


def test_an_environment_that_cannot_run_is_refused_and_the_old_one_stays(faces: Faces) -> None:
    faces.apply()
    until(faces.status)
    refused = faces.apply("r2", TRADING_MODE="sometimes")
    assert refused.status_code == 400
    assert "TRADING_MODE" in refused.json()["reason"]
    assert faces.status()["ramp"]["revision"] == "r1"


def test_a_block_rejects_a_probe_with_its_own_reason_until_it_ends(faces: Faces) -> None:
    requests.post(faces.broker + "/block", json={"reason": "drill_17"}, timeout=60)
    rejected = faces.order(symbol="MU", side="buy", qty="1")
    assert (rejected.status_code, rejected.json()["reason"]) == (403, "drill_17")
    requests.post(faces.broker + "/unblock", timeout=60)
    accepted = faces.order(symbol="MU", side="buy", qty="1", limit_price="0.01")
    assert (accepted.status_code, accepted.json()["status"]) == (201, "accepted")


def test_one_order_can_be_cancelled_by_its_id_once(faces: Faces) -> None:
    order = faces.order(symbol="MU", side="buy", qty="1", limit_price="0.01").json()["id"]
    assert requests.delete(f"{faces.broker}/orders/{order}", timeout=60).json()["outcome"] == "cancelled"
    assert requests.delete(f"{faces.broker}/orders/{order}", timeout=60).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"symbol": "MU", "side": "up", "qty": "1"}, 400),
        ({"symbol": "MU", "side": "buy", "qty": "many"}, 400),
        ({"side": "buy", "qty": "1"}, 400),
        ({"symbol": "MU", "side": "buy", "qty": "0"}, 403),
        ({"symbol": "NOPE", "side": "buy", "qty": "1"}, 403),
    ],
)
def test_a_bad_order_is_refused(faces: Faces, body: dict[str, str], status: int) -> None:
    assert faces.order(**body).status_code == status
    assert requests.get(faces.broker + "/orders", timeout=60).json() == []


def test_a_body_that_is_no_document_and_a_path_that_is_none_are_answered(faces: Faces) -> None:
    assert requests.post(faces.broker + "/orders", data=b"[1", timeout=60).status_code == 400
    assert requests.post(faces.broker + "/orders", json=[1], timeout=60).status_code == 400
    assert requests.get(faces.broker + "/nowhere", timeout=60).status_code == 404


def test_an_injected_gap_breaks_the_limit_and_an_unknown_fault_is_named(faces: Faces) -> None:
    faces.apply()
    until(lambda: faces.gross() > 3000)
    injected = requests.post(faces.broker + "/demo/inject", json={"name": "gap"}, timeout=60)
    assert "gap" in injected.json()["detail"], "at once, or as soon as the book allows it"
    until(lambda: faces.gross() > 5000, 30)
    unknown = requests.post(faces.broker + "/demo/inject", json={"name": "meteor"}, timeout=60)
    assert unknown.status_code == 404
    assert {"calm", "gap"} < set(unknown.json()["known"])


def inject(faces: Faces, name: str) -> str:
    answer = requests.post(faces.broker + "/demo/inject", json={"name": name}, timeout=60)
    return str(answer.json()["detail"])


def ahead(answer: requests.Response) -> float:
    """Seconds by which the Date header of an answer is ahead of this machine's clock."""
    return (parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)).total_seconds()


def test_a_clock_that_is_ahead_shows_in_every_answer(faces: Faces) -> None:
    faces.apply()
    until(faces.status)
    assert abs(ahead(requests.get(faces.app + "/metrics", timeout=60))) < 3
    inject(faces, "clock-ahead")
    for url in (faces.app + "/trading/status", faces.broker + "/clock"):
        assert 5 < ahead(requests.get(url, timeout=60)) < 11
    told = datetime.fromisoformat(requests.get(faces.broker + "/clock", timeout=60).json()["timestamp"])
    assert 5 < (told - datetime.now(UTC)).total_seconds() < 11


def test_an_injected_restart_is_dark_for_the_process_alone(faces: Faces) -> None:
    faces.apply()
    until(faces.status)
    before = faces.status()["ramp"]["started_at"]
    inject(faces, "restart")
    assert requests.get(faces.app + "/healthz", timeout=60).status_code == 503
    assert requests.get(faces.broker + "/account", timeout=60).status_code == 200
    until(faces.status)
    assert faces.status()["ramp"]["started_at"] > before


def test_the_broker_tells_the_phase_of_its_session(faces: Faces) -> None:
    def clock() -> dict[str, Any]:
        document: dict[str, Any] = requests.get(faces.broker + "/clock", timeout=60).json()
        return document

    assert (clock()["phase"], clock()["is_open"]) == ("open", True)
    inject(faces, "early-close")
    assert (clock()["phase"], clock()["is_open"], clock()["early_close"]) == ("closed", False, True)


def test_the_adapter_reads_blocks_cancels_and_unblocks(faces: Faces) -> None:
    faces.apply()
    until(lambda: faces.gross() > 3000)
    venue = DemoVenue(faces.broker, timeout=60)
    venue.block()
    resting = venue.read()
    assert resting.blocked is True
    assert (resting.account_label, resting.environment) == ("ACC-1", "live")
    assert {position.symbol for position in resting.positions} <= {"NVDA", "AMD", "MU"}
    assert resting.cash is not None
    assert resting.as_of.tzinfo is not None
    venue.unblock()
    probe = faces.order(symbol="MU", side="sell", qty="1", limit_price="9999").json()["id"]
    outcomes = {outcome.order_id: outcome for outcome in venue.cancel_all()}
    assert (outcomes[probe].outcome, outcomes[probe].side) == ("cancelled", "sell")
    after = venue.read()
    assert after.blocked is False
    assert probe not in {order.order_id for order in after.open_orders}


def test_the_adapter_says_so_when_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Trouble, match="connection refused"):
        DemoVenue(f"http://127.0.0.1:{port}", timeout=1).block()


def test_the_adapter_does_not_wait_for_a_venue_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(Trouble, match=r"no answer in 0\.2 s"):
            DemoVenue(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2).read()
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(200, "<html>", "text/html"), "not JSON"),
        (Reply.of({"blocked": "yes"}), "not confirmed"),
        (Reply.of({}, 500), "HTTP 500"),
    ],
)
def test_the_adapter_takes_no_strange_answer_for_a_block(reply: Reply, says: str) -> None:
    def answer(_request: Request) -> Reply:
        return reply

    strange = Listener(bind(), answer)
    strange.start()
    try:
        with pytest.raises(Trouble, match=says):
            DemoVenue(f"http://127.0.0.1:{strange.port}").block()
    finally:
        strange.shutdown()
        strange.server_close()


def test_an_outcome_the_broker_does_not_name_is_unknown() -> None:
    def answer(_request: Request) -> Reply:
        return Reply.of([{"id": "7", "symbol": "MU", "side": "buy", "outcome": "probably"}])

    vague = Listener(bind(), answer)
    vague.start()
    try:
        assert [o.outcome for o in DemoVenue(f"http://127.0.0.1:{vague.port}").cancel_all()] == ["unknown"]
    finally:
        vague.shutdown()
        vague.server_close()


def test_the_process_refuses_a_configuration_that_is_none(tmp_path: Path, root: Path) -> None:
    config = tmp_path / "venue.json"
    config.write_text('{"seed": 1}')
    command = [sys.executable, "-m", "console.demo.venue", "--config", str(config)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "not a venue configuration" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_process_publishes_its_ports_and_ends_with_its_parents_pipe(tmp_path: Path, root: Path) -> None:
    config, ports = tmp_path / "venue.json", tmp_path / "ports.json"
    account = {"label": "ACC-2", "environment": "paper", "cash": "1000"}
    config.write_text(json.dumps({"account": account, "seed": 1, "ports_file": str(ports)}))
    command = [sys.executable, "-m", "console.demo.venue", "--config", str(config), "--with-parent"]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        until(ports.exists)
        broker = f"http://127.0.0.1:{json.loads(ports.read_text())['broker']}"
        assert requests.get(broker + "/account", timeout=60).json()["environment"] == "paper"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0
