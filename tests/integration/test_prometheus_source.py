"""A real Prometheus that scrapes the demo's venue: the same facts as by scrape, and every way in which it fails."""

from __future__ import annotations

import re
import shlex
import shutil
import signal as signals
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from console.demo.world import POLICY_PATH, Settings, World
from console.sources import documents
from console.sources.prometheus import Answer, Question, Server
from stages.evaluation import WatchState, accumulate, judge
from stages.measures import Signal
from stages.policy import Policy
from stages.policy_text import load
from stages.refusal import Trouble
from stages.signals import LIVE_BOOK, Quality, Sample, SignalKey, Snapshot
from stages.state import ControlState
from stages.verdict import RowState, WatchPresence
from tests.integration.test_reader import wait_for
from tests.integration.test_sources_http import RealClock, Served, hang, text

LAG = "torghut_trading_signal_lag_seconds"
CYCLE = "torghut_trading_last_cycle_timestamp_seconds"
STEP = "rampdeck_step"
"""A gauge of the relay: which of its pages Prometheus has seen."""

MEASURED = {LAG: "s", "torghut_trading_orders_submitted_total": "count", "torghut_ws_market_data_lag_ms": "ms"}
"""Metrics that are read both ways, with their units."""


class Relay:
    """Stands between the venue's process and whoever reads it: its metrics change only when the test says so."""

    def __init__(self, url: str) -> None:
        self._url, self._page, self.step = url, "", 0
        self.served = Served()
        self.served.answer = self._answer

    def show(self, change: Callable[[str], str]) -> None:
        """The process's metrics as they are now, changed by the test."""
        self.step += 1
        page = requests.get(f"{self._url}/metrics", timeout=60).text
        self._page = f"{change(page)}# TYPE {STEP} gauge\n{STEP} {self.step}\n"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        metrics = handler.path == "/metrics"
        page = self._page if metrics else requests.get(self._url + handler.path, timeout=60).text
        text(page, headers={"Content-Type": "text/plain"} if metrics else None)(handler)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with World(tmp_path_factory.mktemp("world"), {POLICY_PATH: b"kind: RampPolicy\n"}, Settings(seed=3)) as world:
        world.ready(60)
        one = Relay(world.live.app_url)
        assert wait_for(lambda: LAG in requests.get(f"{world.live.app_url}/metrics", timeout=60).text, 20)
        one.show(str)
        yield one
        one.served.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def prometheus(relay: Relay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("Prometheus is not installed")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    target = relay.served.url.removeprefix("http://")
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: heron, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    command = [
        binary,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            assert wait_for(lambda: seen(url) > 0, 40), (folder / "log").read_text()
            yield url
        finally:
            process.send_signal(signals.SIGTERM)
            process.wait(60)


def seen(url: str) -> int:
    """The step that Prometheus has scraped; 0 for none."""
    try:
        found = requests.get(f"{url}/api/v1/query", params={"query": STEP}, timeout=60).json()["data"]["result"]
    except (requests.RequestException, ValueError, KeyError):
        return 0
    return int(found[0]["value"][1]) if found else 0


# ----------------------------------------------------------------------------- by promql and by scrape, the same facts


SIGNAL = """    {name}:
      title: {name}
      unit: {unit}
      panel: exposure
      class: info
      source: {source}
      eventTime: '{event}'
      every: 1s
      maxAge: 60s
      limit: {{atMost: 300}}
"""


@pytest.fixture(scope="module")
def policy(root: Path) -> Policy:
    """The demo's policy with each metric read both ways, under the heartbeats of one process."""
    body = ""
    for metric, unit in MEASURED.items():
        scraped = f"{{scrape: {{endpoint: heron, metric: {metric}}}}}"
        chosen = '{job="$process"}'
        asked = f"{{promql: {{query: '{metric}{chosen}', process: heron}}}}"
        body += SIGNAL.format(name=f"{metric}_scraped", unit=unit, source=scraped, event=CYCLE)
        body += SIGNAL.format(name=f"{metric}_asked", unit=unit, source=asked, event=CYCLE + chosen)
    demo = (root / "stages/policies/demo.yaml").read_text(encoding="utf-8")
    return load(demo.replace("\n  ownOrders:", f"\n{body}\n  ownOrders:", 1), "ramp.yaml")


def read(policy: Policy, relay: Relay, prometheus: str) -> tuple[dict[SignalKey, Sample], dict[str, RowState]]:
    """One reading of every source: the samples, and the state of each signal's row."""
    clock = RealClock()
    samples: dict[SignalKey, Sample] = {}
    for fetch in documents(policy, {"heron": relay.served.url}, clock, prometheus=Server(prometheus)):
        samples |= fetch.read().samples
    now = clock.wall()
    snapshot = Snapshot(seq=1, wall=now, market=now, samples=samples)
    watch, _ = accumulate(policy, ControlState(), WatchState.start(), snapshot, "watch")
    evaluation = judge(policy, ControlState(), watch, snapshot, WatchPresence(None, acting=False, here=False, age=None))
    return samples, {row.key.name: row.state for row in evaluation.rows if row.key.book == LIVE_BOOK}


def lag(said: str | None) -> Callable[[str], str]:
    """The page with another lag, or without any."""
    return lambda page: re.sub(rf"(?m)^({LAG}{{.*}}) .*\n", "" if said is None else rf"\1 {said}\n", page)


def old(page: str) -> str:
    """The page of a process whose cycle stood still two minutes ago."""
    return re.sub(rf"(?m)^{CYCLE} .*$", f"{CYCLE} {time.time() - 120:.3f}", page)


@pytest.mark.parametrize(
    ("change", "quality", "state"),
    [
        (str, Quality.OK, RowState.OK),
        (lag("12.25"), Quality.OK, RowState.OK),
        (lag("300"), Quality.OK, RowState.SUSPECT),
        (lag("301.5"), Quality.OK, RowState.SUSPECT),
        (lag("NaN"), Quality.NONFINITE, RowState.NO_DATA),
        (lag("+Inf"), Quality.NONFINITE, RowState.NO_DATA),
        (lag(None), Quality.MISSING, RowState.NO_DATA),
        (old, Quality.OK, RowState.STALE),
        (lag("0.5"), Quality.OK, RowState.OK),
    ],
    ids=["as-is", "fine", "at-limit", "over", "nan", "inf", "absent", "standing-still", "again"],
)
def test_promql_and_scrape_tell_the_same(
    policy: Policy, relay: Relay, prometheus: str, change: Callable[[str], str], quality: Quality, state: RowState
) -> None:
    relay.show(change)
    assert wait_for(lambda: seen(prometheus) == relay.step, 20)
    samples, rows = read(policy, relay, prometheus)
    for metric in MEASURED:
        asked, scraped = (samples[SignalKey(LIVE_BOOK, f"{metric}_{way}")] for way in ("asked", "scraped"))
        assert (asked.quality, asked.value, asked.event_time) == (scraped.quality, scraped.value, scraped.event_time)
        assert rows[f"{metric}_asked"] == rows[f"{metric}_scraped"]
    assert samples[SignalKey(LIVE_BOOK, f"{LAG}_asked")].quality is quality
    assert rows[f"{LAG}_asked"] is state


# ------------------------------------------------------------------------------------------------- answers of all kinds


def ask(server: Server | None, query: str = "x", seconds: float = 30.0, **moments: str) -> Answer:
    return Question(server, query, moments, RealClock()).ask(seconds)


def failure(server: Server | None, seconds: float = 0.5) -> tuple[str, float]:
    started = time.monotonic()
    with pytest.raises(Trouble) as caught:
        ask(server, seconds=seconds)
    return caught.value.line, time.monotonic() - started


def sample_of(answer: Answer, **more: object) -> Sample:
    fields = {"title": "t", "unit": "count", "panel": "exposure", "class": "info", "maxAge": "60s"}
    return answer.sample(Signal.model_validate({**fields, "source": {"promql": "x"}, **more}), datetime.now(UTC))


def test_vectors_scalars_and_nothing_are_told_apart(prometheus: str) -> None:
    server = Server(prometheus)
    assert sample_of(ask(server, f"{STEP} * 0 + 2.5")).value == Decimal("2.5")
    assert sample_of(ask(server, "1 + 2")).value == 3
    assert sample_of(ask(server, f"scalar({STEP} * 0)")).value == 0
    assert sample_of(ask(server, "no_such_metric")).quality is Quality.MISSING
    assert sample_of(ask(server, "vector(0) / vector(0)")).quality is Quality.NONFINITE
    several = sample_of(ask(server, '{job="heron", __name__=~"torghut_scheduler_.*"}'))
    assert (several.quality, several.detail) == (Quality.MISSING, "2 series, expected labels of one series alone")


def test_value_and_event_time_are_of_one_instant(prometheus: str) -> None:
    answer = ask(Server(prometheus), "vector(time())", at="vector(time())")
    assert answer.moments["at"][0].value == answer.value[0].value


def test_the_event_time_is_when_the_series_was_scraped_not_when_it_was_asked_for(prometheus: str) -> None:
    found = sample_of(ask(Server(prometheus), STEP, time=f"timestamp({STEP} offset 2s)"), eventTime="time")
    assert found.event_time is not None
    assert 1.5 <= (found.read_time - found.event_time).total_seconds() < 10


def test_what_prometheus_refuses_is_told_in_its_words(prometheus: str) -> None:
    with pytest.raises(Trouble, match=r"HTTP 422: invalid regular expression"):
        ask(Server(prometheus), 'label_replace(up, "a", "$1", "job", "(")')


# ---------------------------------------------------------------------------------------------- ways in which it fails


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.close()


def test_prometheus_that_is_not_configured_or_down_says_so() -> None:
    assert failure(None)[0] == "prometheus is not configured"
    assert failure(Server(f"http://127.0.0.1:{free_port()}"))[0] == "connection refused"


def test_a_prometheus_that_hangs_is_given_up_in_time(served: Served) -> None:
    served.answer = hang(served)
    reason, took = failure(Server(served.url))
    assert "no answer in" in reason
    assert took < 20
    assert served.asked == 1, "nothing is retried"


def test_a_slow_trickle_is_given_up_in_time(served: Served) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not served.over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    served.answer = trickle
    reason, took = failure(Server(served.url))
    assert "0.5 s" in reason
    assert took < 20


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (text("", status=503), "HTTP 503"),
        (text('{"status": "error", "error": "too  many samples"}', status=422), "HTTP 422: too many samples"),
        (text("", status=302, headers={"Location": "/elsewhere"}), "HTTP 302"),
        (text("<html>", headers={"Content-Type": "text/html"}), "not JSON"),
        (text("[]"), "not an answer of Prometheus"),
        (text('{"data": {"result": [{"metric": {}, "values": []}]}}'), "not an answer of Prometheus"),
    ],
    ids=["503", "422", "redirect", "html", "list", "matrix"],
)
def test_what_is_no_answer_is_told_shortly(
    served: Served, answer: Callable[[BaseHTTPRequestHandler], None], says: str
) -> None:
    served.answer = answer
    assert failure(Server(served.url))[0] == says
    assert served.asked == 1


ONE = '{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1.5, "7"]}]}%s}'


def test_a_warning_in_any_of_the_answers_makes_the_sample_partial(served: Served) -> None:
    def second(handler: BaseHTTPRequestHandler) -> None:
        text(ONE % (', "warnings": ["one store did not answer"]' if "time=1.5" in handler.path else ""))(handler)

    served.answer = second
    assert sample_of(ask(Server(served.url))).value == 7
    assert sample_of(ask(Server(served.url), at="y"), eventTime="at").quality is Quality.PARTIAL


def test_the_tenant_and_the_token_are_sent_and_a_refused_token_is_fetched_anew(served: Served) -> None:
    tokens, got = iter(["first", "second"]), []

    def check(handler: BaseHTTPRequestHandler) -> None:
        got.append((handler.headers["X-Scope-OrgID"], handler.headers["Authorization"]))
        good = handler.headers["Authorization"] == "Bearer second"
        text(ONE % "" if good else "", status=200 if good else 401)(handler)

    served.answer = check
    server = Server(served.url, {"X-Scope-OrgID": "anonymous"}, token=lambda: SecretStr(next(tokens)))
    question = Question(server, "x", {}, RealClock())
    with pytest.raises(Trouble, match="HTTP 401") as refused:
        question.ask(1)
    assert "first" not in refused.value.line
    assert sample_of(question.ask(1)).value == 7
    assert sample_of(question.ask(1)).value == 7
    assert got == [("anonymous", "Bearer first"), *[("anonymous", "Bearer second")] * 2]


def test_only_a_trusted_certificate_is_spoken_to(served: Served, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pem = tmp_path / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=here -addext subjectAltName=IP:127.0.0.1"
    made = [*shlex.split(command), "-keyout", str(pem), "-out", str(tmp_path / "ca")]
    subprocess.run(made, check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + (tmp_path / "ca").read_bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    served.server.socket = context.wrap_socket(served.server.socket, server_side=True)
    served.answer = text(ONE % "")
    url = served.url.replace("http:", "https:")
    assert failure(Server(url), 3)[0].startswith("TLS failed")
    assert sample_of(ask(Server(url, ca=tmp_path / "ca"))).value == 7
    assert sample_of(ask(Server(url, verify=False))).value == 7
