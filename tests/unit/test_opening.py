"""How the console comes up: what comes first, what waits for the first frame, and what ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from console import opening
from console.feed import Desk
from console.opening import Backstage
from console.seat import Seat
from console.wiring import Wiring
from stages.entries import LedgerAway
from stages.refusal import Trouble
from stages.state import ControlState


class App:
    """What the backstage asks of the app: whatever is to be called later is called at once, and told."""

    def __init__(self) -> None:
        self.seat = Seat("rampdeck", "…", "…")
        self.told: list[str] = []
        self.furnished, self.left = threading.Event(), threading.Event()

    def call_later(self, work: Callable[..., object], *arguments: object) -> None:
        work(*arguments)

    call_after_refresh = call_later

    def be_seated(self, _seat: object) -> None:
        self.told.append("seated")

    def furnish(self, *_furniture: object) -> None:
        self.told.append("furnished")
        self.furnished.set()

    def exit(self) -> None:
        self.told.append("exit")
        self.left.set()


@pytest.fixture
def wiring(tmp_path: Path) -> Iterator[Wiring]:
    """A configuration whose ledger nobody has begun."""
    config = tmp_path / "rampdeck.yaml"
    config.write_text(
        f"repository: {{remote: '{tmp_path.as_uri()}/remote.git', branch: main}}\npolicy: ops/ramp.yaml\n"
        f"ledger: sqlite:///{tmp_path}/none/ledger.db\nstate: {tmp_path}/state\ncache: {tmp_path}/cache\n"
    )
    made = Wiring.of(config)
    yield made
    made.close()


def backstage(wire: Callable[[], Wiring], prepare: Callable[[], None], monkeypatch: Any) -> Backstage:
    """One that would leave hands and pages to the first frame for longer than the test lasts."""
    monkeypatch.setattr(opening, "FIRST_FRAME", 3600.0)
    return Backstage(wire, Desk(), prepare=prepare, acting=False)


def test_hands_do_not_wait_for_a_frame_that_will_not_come(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    def trouble() -> None:
        raise Trouble("the world is away")

    app: Any = App()
    behind = backstage(lambda: wiring, trouble, monkeypatch)
    behind.start(app)
    assert app.furnished.wait(20)
    assert app.told == ["seated", "furnished"]
    assert behind.fault is None


def test_hands_come_when_somebody_asks_for_a_page(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    away = threading.Event()

    def hang() -> None:
        away.wait(60)

    app: Any = App()
    behind = backstage(lambda: wiring, hang, monkeypatch)
    behind.start(app)
    assert not app.furnished.wait(0.3), "nobody has asked yet, and the first frame goes before"
    behind.hasten()
    assert app.furnished.wait(20), "whatever is in the way of the watch"
    behind.stop()
    away.set()


@pytest.mark.parametrize("where", ["wire", "prepare"])
def test_what_nobody_foresaw_ends_the_console_and_is_kept(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    fault = RuntimeError("unforeseen")

    def broken() -> Any:
        raise fault

    app: Any = App()
    behind = backstage(broken if where == "wire" else lambda: wiring, broken, monkeypatch)
    behind.start(app)
    assert app.left.wait(20)
    assert behind.fault is fault
    behind.hasten()


class Started:
    """A watch that tells when it is started."""

    def __init__(self) -> None:
        self.started = False

    def start(self) -> None:
        self.started = True


class Ledger:
    """A ledger that is away for some asks first."""

    def __init__(self, away: int = 0) -> None:
        self.away = away

    def state(self) -> ControlState:
        if self.away:
            self.away -= 1
            raise LedgerAway("the ledger does not answer", fix="wait")
        return ControlState()


class Alone:
    """Remembers what it was told of the ledger, and whether it has ended."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.stopped = False

    def see(self, away: str) -> None:
        assert not self.stopped
        self.said.append(away)

    def stop(self) -> None:
        self.stopped = True


def test_a_ledger_that_is_away_is_asked_again_until_it_answers(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    watch, alone, ledger, up = Started(), Alone(), Ledger(away=3), threading.Event()
    monkeypatch.setattr(opening, "AGAIN", 0.01)
    monkeypatch.setattr(Wiring, "late_ledger", ledger)
    monkeypatch.setattr(wiring, "alone", lambda _desk: alone)

    def make(_desk: Desk, *, acting: bool) -> Started:
        up.set()
        return watch

    monkeypatch.setattr(wiring, "watch", make)
    app: Any = App()
    behind = backstage(lambda: wiring, lambda: None, monkeypatch)
    behind.start(app)
    assert app.furnished.wait(20), "the ways down are there meanwhile"
    assert up.wait(20)
    begun = next((one for one in threading.enumerate() if one.name == "rampdeck start"), None)
    if begun is not None:
        begun.join(20)
    assert alone.said == ["the ledger does not answer; wait"] * 3
    assert alone.stopped
    assert watch.started


def test_a_console_that_ends_while_the_ledger_is_away_waits_no_longer(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, app = Alone(), cast("Any", App())
    monkeypatch.setattr(Wiring, "late_ledger", Ledger(away=1_000))
    monkeypatch.setattr(wiring, "alone", lambda _desk: alone)
    behind = backstage(lambda: wiring, lambda: None, monkeypatch)
    behind.start(app)
    assert app.furnished.wait(20)
    behind.stop()
    begun = next((one for one in threading.enumerate() if one.name == "rampdeck start"), None)
    if begun is not None:
        begun.join(20)
        assert not begun.is_alive()
    assert alone.stopped


def test_a_console_that_ends_while_it_comes_up_starts_no_watch(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    watch, made = Started(), threading.Event()
    behind = backstage(lambda: wiring, lambda: None, monkeypatch)

    def make(_desk: Desk, *, acting: bool) -> Started:
        assert not acting
        behind.stop()
        made.set()
        return watch

    monkeypatch.setattr(Wiring, "late_ledger", Ledger())
    monkeypatch.setattr(wiring, "watch", make)
    behind.start(cast("Any", App()))
    assert made.wait(20)
    begun = next((one for one in threading.enumerate() if one.name == "rampdeck start"), None)
    if begun is not None:
        begun.join(20)
    assert not watch.started
    behind.hasten()


def test_what_was_wired_after_the_end_is_closed(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, closed = threading.Event(), threading.Event()
    monkeypatch.setattr(wiring, "close", closed.set)

    def wire() -> Wiring:
        assert ended.wait(20)
        return wiring

    app: Any = App()
    behind = backstage(wire, lambda: None, monkeypatch)
    behind.start(app)
    behind.stop()
    ended.set()
    assert closed.wait(20)
    assert app.told == [], "nobody is seated any more"
