"""The page of panic in each state at 60x20 and 80x24, and the screen on a responder that remembers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from console.panic.acting import Acted, Heard
from console.panic.looking import Answer
from console.panic.page import Sight, page
from console.panic.phrases import Meant, read_phrase
from console.panic.screen import PanicApp, outcome
from stages.owing import Owed
from stages.refusal import Trouble
from stages.value import replace
from widgets.token_input import folded

NOW = datetime(2026, 11, 24, 19, 7, 12, tzinfo=UTC)
SIZES = ((60, 20), (80, 24))

FIRST = Sight(NOW, NOW)
SEEN = Sight(
    NOW, NOW - timedelta(seconds=6), "torghut", "PROD", "PA3SX7FYNUTF", "America/New_York", "L1",
    "18,240 $ open, 2 orders", NOW - timedelta(seconds=1), {"ledger": "ok", "venue": "ok"},
    took={"BLOCK": 0.6, "CANCEL": 1.7, "KILL": 0.6},
)  # fmt: skip
ALL = replace(SEEN, witnesses=dict.fromkeys(("Git", "runtime", "ledger", "Prometheus", "venue"), "ok"))
AWAY = replace(
    SEEN,
    witnesses={"Git": "?", "runtime": "?", "ledger": "?", "Prometheus": "none", "venue": "?"},
    silent={"venue": "no answer in 2 s"},
)
DONE = Acted(
    "BLOCK", "a" * 32, 0.01,
    (Heard("ledger", None, "away, the intent is spilled", 0.0, 0.1), Heard("venue block", True, "blocked", 0.0, 0.4)),
    spilled=True,
)  # fmt: skip
REFUSED = Acted(
    "BLOCK", "b" * 32, 0.01,
    (
        Heard("ledger", True, "the intent is written", 0.0, 0.1),
        Heard("venue block", True, "new orders are blocked", 0.0, 0.4),
        Heard("runtime flag", False, "not written: Application heron manages ConfigMap/runtime", 0.0, 0.2),
    ),
)  # fmt: skip
ACTED = replace(SEEN, note=outcome("BLOCK torghut", DONE), owed=NOW - timedelta(seconds=8))
NIGHT = replace(
    ACTED,
    witnesses={"Git": "?", "runtime": "?", "ledger": "?", "Prometheus": "?", "venue": "ok"},
    open_text="18,240 $ open, 2 orders, BLOCKED",
)
STATES = {
    "venue-alone": NIGHT,
    "first-paint": FIRST,
    "seen": SEEN,
    "all-answer": ALL,
    "all-away": AWAY,
    "handing-over": replace(SEEN, running="KILL torghut"),
    "acted": ACTED,
    "overdue": replace(ACTED, owed=NOW - timedelta(minutes=11)),
    "owed-by-another": replace(SEEN, owed=NOW - timedelta(seconds=108), owes="carol's reduction to L0"),
    "overdue-of-another": replace(SEEN, owed=NOW - timedelta(minutes=12), owes="carol@bastion-1's block"),
    "flag-refused": replace(SEEN, note=outcome("BLOCK torghut", REFUSED), owed=NOW - timedelta(seconds=3)),
    "by-hand": replace(SEEN, show_by_hand=True, by_hand=("# 1. at the venue", "curl -sS -X POST " + "x" * 90) * 8),
    "no-configuration": replace(FIRST, trouble="Nothing can be done from here: x.yaml:3: is not YAML"),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_every_state_of_panic_reads_as_recorded(
    state: str, size: tuple[int, int], page_snapshot: SnapshotAssertion
) -> None:
    lines, field_at = page(STATES[state], *size)
    assert len(lines) == size[1]
    assert [line.text for line in lines if line.length > size[0]] == []
    assert (lines[field_at].text, lines[field_at + 1].text) == ("", "")
    assert "\n".join(line.text.rstrip() for line in lines) == page_snapshot


def test_the_phrases_stand_on_the_first_paint_and_nothing_moves_them() -> None:
    rows = [[line.text[:6] for line in page(sight, 60, 20)[0]] for sight in STATES.values() if not sight.show_by_hand]
    for row in (4, 6, 8, 10):
        assert len({texts[row] for texts in rows}) == 1, rows
    assert len({page(sight, 60, 20)[1] for sight in STATES.values()}) == 1


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("block torghut", Meant("BLOCK")), ("KILL, torghut", Meant("KILL")), ("rollback l1", Meant("ROLLBACK", "L1")),
        ("block heron", "word 2 is 'heron', not torghut"), ("rollback L9", "there is no stage 'L9': L0, L1"),
        ("", "nothing is typed yet"), ("stop", "'stop' is none of BLOCK, CANCEL, ROLLBACK, KILL"),
        ("kill", "KILL and one word: KILL torghut"),
    ],
)  # fmt: skip
def test_a_phrase_is_read_folded_and_what_is_wrong_is_said(typed: str, meant: object) -> None:
    assert read_phrase(typed, "torghut", ("L0", "L1")) == meant


def test_what_is_not_known_is_not_checked() -> None:
    assert read_phrase("kill anything", "", ()) == Meant("KILL")
    assert read_phrase("rollback l7", "", ()) == Meant("ROLLBACK", "L7")


class Stand:
    """A responder that remembers; ``ready`` holds back the configuration, ``done`` the act."""

    def __init__(self) -> None:
        self.acts: list[Meant] = []
        self.reasons: list[str] = []
        self.subjects: list[str] = []
        self.ready, self.done = threading.Event(), threading.Event()
        settings = SimpleNamespace(environment=SimpleNamespace(name="PROD"), venue=None, repository=None, ledger=None)
        self.wiring = SimpleNamespace(settings=settings, venue=None)
        session = SimpleNamespace(timezone="America/New_York")
        self.policy: Any = SimpleNamespace(
            name="torghut",
            stages=(SimpleNamespace(name="L0"), SimpleNamespace(name="L1")),
            spec=SimpleNamespace(target=SimpleNamespace(session=session, branch="main")),
        )

    def learn(self) -> Any:
        raise Trouble("no source is known")

    def act(self, meant: Meant) -> Acted:
        self.acts.append(meant)
        assert self.done.wait(10)
        return DONE

    def give_reason(self, act: Acted, text: str) -> str:
        self.subjects.append(act.owes)
        self.reasons.append(text)
        return text


class Standing(PanicApp):
    """The screen on a stand."""

    def __init__(self, stand: Stand) -> None:
        super().__init__(lambda: None, lambda: NOW, "0")  # type: ignore[arg-type, return-value]
        self.stand = stand

    def _come_up(self) -> Any:
        assert self.stand.ready.wait(10)
        return self.stand

    @property
    def text(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.screen._compositor.render_strips())


async def until(pilot: Any, true: Callable[[], object]) -> None:
    for _ in range(400):
        if true():
            return
        await pilot.pause(0.01)
    raise AssertionError(pilot.app.text)


async def test_a_phrase_typed_before_anything_is_read_is_the_first_thing_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.verbs.panic.hand_lines", lambda _responder: ("curl by hand",))
    stand = Stand()
    async with Standing(stand).run_test(size=(60, 20)) as pilot:
        app: Any = pilot.app
        assert "BLOCK <name>" in app.text
        await pilot.press(*"block torghut", "enter")
        await until(pilot, lambda: "is being handed over" in app.text)
        assert stand.acts == []
        await pilot.press("escape")
        await until(pilot, lambda: "esc again leaves" in app.text)
        stand.ready.set()
        await until(pilot, lambda: stand.acts == [Meant("BLOCK")])
        await until(pilot, lambda: "BLOCK torghut" in app.text)
        stand.done.set()
        await until(pilot, lambda: "UNVERIFIED" in app.text)
        assert "reason owed within 10:00" in app.text
        await pilot.press("3", "enter")
        await until(pilot, lambda: stand.reasons == ["stale"])
        await until(pilot, lambda: "reason owed" not in app.text)


async def test_a_letter_is_a_key_only_while_nothing_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.verbs.panic.hand_lines", lambda _responder: ("curl by hand",))
    stand = Stand()
    stand.ready.set()
    async with Standing(stand).run_test(size=(80, 24)) as pilot:
        app: Any = pilot.app
        await until(pilot, lambda: app.sight.by_hand)
        await pilot.press("h")
        await until(pilot, lambda: "curl by hand" in app.text)
        await pilot.press("h")
        await until(pilot, lambda: "curl by hand" not in app.text)
        await pilot.press(*"kill vh")
        assert folded(app.token.typed) == "kill vh"
        await pilot.press("enter")
        await until(pilot, lambda: "nothing happened: word 2 is 'vh', not torghut" in app.text)
        assert stand.acts == []
        await pilot.press("escape")
    assert pilot.app.return_code == 0


async def test_a_reason_that_somebody_else_owes_is_shown_and_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.verbs.panic.hand_lines", lambda _responder: ("curl by hand",))
    debt = Owed("i1", "carol", "L0", timedelta(minutes=8, seconds=12))
    monkeypatch.setattr(
        "console.panic.looking.questions",
        lambda _responder: {"ledger": lambda: Answer("ledger", "ok", "at L0", owed=debt)},
    )
    stand = Stand()
    stand.ready.set()
    async with Standing(stand).run_test(size=(60, 20)) as pilot:
        app: Any = pilot.app
        await until(pilot, lambda: "carol's reduction" in app.text)
        await until(pilot, lambda: app.token.ready)
        await pilot.press("2", "enter")
        await until(pilot, lambda: stand.reasons == ["TCA"])
        assert stand.subjects == ["i1"]
