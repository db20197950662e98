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
from stages.refusal import Trouble


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


def test_a_console_that_ends_while_it_comes_up_starts_no_watch(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    watch, made = Started(), threading.Event()
    behind = backstage(lambda: wiring, lambda: None, monkeypatch)

    def make(_desk: Desk, *, acting: bool) -> Started:
        assert not acting
        behind.stop()
        made.set()
        return watch

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
