"""The reader with real servers: a hang, a refusal or nonsense costs its own source and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from console.sources import documents
from console.watch import ticks
from console.watch.reader import Reader
from stages.evaluation import WatchState, accumulate, judge
from stages.policy import Policy
from stages.policy_text import load
from stages.refusal import Trouble
from stages.signals import LIVE_BOOK, Quality, Snapshot
from stages.state import ControlState
from stages.verdict import RowState, WatchPresence
from stages.witness import VenueReading
from tests.integration.test_sources_http import RealClock, Served, hang, text
from tests.integration.watching import HandClock, World, demo_policy

STATUS = (
    '{"running": true, "last_run_at": "%(at)s", "exposure": {"gross": "%(gross)s", "as_of": "%(at)s"},'
    ' "ramp": {"controls": {"maxGrossExposure": "5000", "universe": ["NVDA"]}}}'
)


@dataclass
class Desk:
    """The three documents of the live process and the status of the paper one."""

    status: Served
    metrics: Served
    paper: Served

    def endpoints(self) -> dict[str, str]:
        return {"heron": self.status.url, "heron-paper": self.paper.url}


def wait_for(met: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        if met():
            return True
        pause.wait(0.02)
    return met()


def status(gross: str = "1200.50") -> str:
    return STATUS % {"at": datetime.now(UTC).isoformat(), "gross": gross}


@pytest.fixture
def servers() -> Iterator[tuple[Served, Served]]:
    live, paper = Served(), Served()
    live.answer, paper.answer = text(status()), text(status("77"))
    yield live, paper
    live.close()
    paper.close()


@pytest.fixture
def policy(root: Path) -> Policy:
    return demo_policy(root)


def reader(policy: Policy, live: str, paper: str) -> Reader:
    clock = RealClock()
    return Reader(policy, documents(policy, {"heron": live, "heron-paper": paper}, clock), clock)


def gross(snapshot: Snapshot, book: str = LIVE_BOOK) -> tuple[Quality, Decimal | None]:
    sample = snapshot.sample(book, "gross")
    return (sample.quality, sample.value) if sample else (Quality.MISSING, None)


def test_each_book_reads_its_own_endpoint(policy: Policy, servers: tuple[Served, Served]) -> None:
    one = reader(policy, servers[0].url, servers[1].url)
    one.start()
    try:
        assert one.settled(8)
        snapshot = one.snapshot(1)
    finally:
        one.stop()
    assert gross(snapshot) == (Quality.OK, Decimal("1200.50"))
    assert gross(snapshot, "L0") == (Quality.OK, Decimal(77))
    assert snapshot.runtime["maxGrossExposure"].value == Decimal(5000)
    assert snapshot.runtime["universe"].value == ("NVDA",)
    assert snapshot.runtime["killSwitch"].error
    sample = snapshot.sample(LIVE_BOOK, "leadership")
    assert sample is not None
    assert sample.quality is Quality.PROVIDER_ERROR, "JSON is no exposition"


def test_documents_are_shared_by_all_that_they_tell(policy: Policy) -> None:
    fetches = documents(policy, {"heron": "http://127.0.0.1:1", "heron-paper": "http://127.0.0.1:2"}, RealClock())
    assert sorted(fetch.name for fetch in fetches) == [
        "heron metrics", "heron readyz", "heron status",
        "heron-paper metrics", "heron-paper readyz", "heron-paper status",
    ]  # fmt: skip
    assert all(fetch.every == 1.0 for fetch in fetches)
    assert all(fetch.patience < fetch.every + 1 for fetch in fetches)


def test_a_hang_costs_its_own_source_alone(policy: Policy, servers: tuple[Served, Served]) -> None:
    live, paper = servers
    live.answer = hang(live)
    one = reader(policy, live.url, paper.url)
    one.start()
    try:
        assert wait_for(lambda: gross(one.snapshot(1))[0] is Quality.PROVIDER_ERROR)
        assert wait_for(lambda: gross(one.snapshot(2), "L0") == (Quality.OK, Decimal(77)))
        started = time.monotonic()
        sources = {source.name: source for source in one.snapshot(3).sources}
        assert time.monotonic() - started < 0.5
    finally:
        one.stop()
    assert not sources["heron status"].ok
    assert "no answer" in sources["heron status"].detail
    assert sources["heron-paper status"].ok


def test_a_refused_source_comes_back_by_itself(policy: Policy, servers: tuple[Served, Served]) -> None:
    live, paper = servers
    live.answer = text("oops", status=500)
    one = reader(policy, live.url, paper.url)
    one.start()
    try:
        assert wait_for(lambda: gross(one.snapshot(1))[0] is Quality.PROVIDER_ERROR)
        live.answer = text(status("9"))
        assert wait_for(lambda: gross(one.snapshot(2)) == (Quality.OK, Decimal(9)))
    finally:
        one.stop()


def test_stopping_does_not_wait_for_a_hanging_source(policy: Policy, servers: tuple[Served, Served]) -> None:
    live, paper = servers
    live.answer = hang(live)
    one = reader(policy, live.url, paper.url)
    one.start()
    started = time.monotonic()
    one.stop()
    assert time.monotonic() - started < 0.5
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("rampdeck"))


class Stuck:
    """A fetch whose request never ends, such as a name that is never resolved."""

    name, every, patience = "stuck", 0.05, 0.05

    def __init__(self, inner: object, release: threading.Event) -> None:
        self.inner, self.release, self.asked = inner, release, 0

    def read(self) -> object:
        self.asked += 1
        self.release.wait(300)
        return self.failed("released", datetime.now(UTC))

    def failed(self, reason: str, at: datetime) -> object:
        return self.inner.failed(reason, at)  # type: ignore[attr-defined]


def test_a_request_that_never_ends_leaks_no_thread_and_is_named(policy: Policy) -> None:
    release, clock = threading.Event(), HandClock()
    inner = documents(policy, {}, clock)[0]
    stuck = Stuck(inner, release)
    one = Reader(policy, [stuck], clock)  # type: ignore[list-item]
    before = threading.active_count()
    one.start()
    try:
        assert wait_for(lambda: stuck.asked == 1)
        clock.move(50)
        snapshot = one.snapshot(1)
        assert threading.active_count() == before + 1
        assert stuck.asked == 1
        assert not snapshot.sources[0].ok
        assert "no answer for 50 s" in snapshot.sources[0].detail
        assert gross(snapshot)[0] is Quality.PROVIDER_ERROR
    finally:
        one.stop()
        release.set()


class AwayVenue:
    """Answers once and is away ever after."""

    def __init__(self) -> None:
        self.asked = 0

    def read(self) -> VenueReading:
        self.asked += 1
        if self.asked > 1:
            raise Trouble("the venue does not answer")
        return VenueReading("HERON-LIVE-01", "live", False, (), (), Decimal(1), datetime.now(UTC))


def test_the_venues_last_word_stands_with_its_error(policy: Policy) -> None:
    venue = AwayVenue()
    one = Reader(policy, (), RealClock(), venue=venue, venue_every=0.02)  # type: ignore[arg-type]
    one.start()
    try:
        assert wait_for(lambda: venue.asked > 2)
        said = one.snapshot(1).venue
    finally:
        one.stop()
    assert said is not None
    assert said.account_label == "HERON-LIVE-01"
    assert "does not answer" in said.error


def test_a_jump_of_the_wall_and_a_late_tick_are_gaps(policy: Policy) -> None:
    clock = HandClock()
    one = Reader(policy, (), clock)
    assert one.snapshot(1).gap == 0
    clock.move(1)
    assert one.snapshot(2).gap == 0
    clock.now += timedelta(seconds=90)
    assert one.snapshot(3).gap == 90
    clock.move(30)
    assert one.snapshot(4).gap >= 29


def test_a_stored_tick_gives_the_snapshot_back(policy: Policy) -> None:
    world = World(policy, HandClock(), quality={"net": Quality.NONFINITE})
    snapshot = world.snapshot(7)
    assert ticks.from_document(policy, 7, ticks.to_document(snapshot)) == snapshot


def test_zero_is_not_good_news(root: Path, torghut_folder: Path) -> None:
    """Torghut's own answers of a process that does not run: no row is ok."""
    policy = load((root / "stages/policies/torghut.yaml").read_text(encoding="utf-8"), "torghut.yaml")
    body, metrics = (torghut_folder / name for name in ("status.json", "metrics.txt"))
    served = Served()
    pages = {"/trading/status": text(body.read_bytes()), "/metrics": text(metrics.read_bytes())}
    served.answer = lambda handler: pages.get(handler.path, text("not found", status=404))(handler)
    clock = RealClock()
    endpoints = {
        endpoint: served.url
        for source in [*(one.source for one in policy.spec.signals.values())]
        for endpoint in [source.endpoint, *(name for stage in policy.stages for name in stage.endpoints.values())]
    }
    one = Reader(policy, documents(policy, endpoints, clock), clock)
    one.start()
    try:
        assert one.settled(10)
        snapshot = one.snapshot(1)
    finally:
        one.stop()
        served.close()
    state = ControlState()
    watch, _ = accumulate(policy, state, WatchState.start(), snapshot, "watch")
    nobody = WatchPresence(None, acting=False, here=False, age=None)
    rows = judge(policy, state, watch, snapshot, nobody).rows
    assert rows
    good = {RowState.OK, RowState.WARN, RowState.INFO}
    assert [row.key.name for row in rows if row.state in good] == []
