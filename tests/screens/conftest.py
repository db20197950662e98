"""A console on fakes: a feed that shows what it is given, hands that remember what they were asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from console.app import RampdeckApp, Seat
from console.desk import Answers, ByHand, Frame, Rehearsal, Told
from stages.plan import Plan
from tests.screens import states


class TextPage(SingleFileSnapshotExtension):
    """A page as it reads, one file each, so that a difference can be reviewed by eye."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def page_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextPage)


class Stage:
    """The feed of a test: whatever frame it was given last."""

    def __init__(self, frame: Frame | None) -> None:
        self.shown = frame
        self.notify: Callable[[], object] = lambda: None

    def frame(self) -> Frame | None:
        return self.shown

    def subscribe(self, notify: Callable[[], object]) -> Callable[[], None]:
        self.notify = notify
        return lambda: None

    def waiting_for(self) -> str:
        return "Starts the world of the demo."

    def give(self, frame: Frame | None) -> None:
        self.shown = frame
        self.notify()


class Recorder:
    """Hands that do nothing but remember."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.rehearsal: Rehearsal = states.BLOCKED_REHEARSAL
        self.standing: Answers = states.BLOCKED
        self.told = Told(True, "started")
        self.hold = threading.Event()
        self.hold.set()

    def rehearse(self, to_stage: int) -> Rehearsal:
        self.hold.wait(10)
        self.asked.append(("rehearse", to_stage))
        return self.rehearsal

    def request(self, plan: Plan) -> Told:
        self.asked.append(("request", plan.id))
        return self.told

    def answers(self, plan: Plan) -> Answers:
        return self.standing

    def apply(self, plan: Plan, phrase: str) -> Told:
        self.asked.append(("apply", plan.id, phrase))
        return self.told

    def rollback(self, stage: str, phrase: str) -> Told:
        self.asked.append(("rollback", stage, phrase))
        return self.told

    def freeze(self, phrase: str) -> Told:
        self.asked.append(("freeze", phrase))
        return self.told

    def acknowledge(self, alarm: str) -> Told:
        self.asked.append(("acknowledge", alarm))
        return self.told

    def take_over(self) -> Told:
        self.asked.append(("take over",))
        return self.told

    def by_hand(self, stage: str) -> ByHand:
        return ByHand((f"git clone ... # to {stage}", "git push"))


class Console:
    """An app with its fakes."""

    def __init__(self, frame: Frame | None, folder: Path, *, ascii_marks: bool = False) -> None:
        self.feed = Stage(frame)
        self.hands = Recorder()
        self.now: datetime = states.NOW
        seat = Seat("torghut", "PRODUCTION", "alice", False, "0.1.0", folder, ascii_marks)
        self.app = RampdeckApp(self.feed, self.hands, lambda: self.now, seat)

    @property
    def text(self) -> str:
        """What the terminal shows, row by row, as the compositor painted it."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)


MakeConsole = Callable[..., Console]


@pytest.fixture
def console(tmp_path: Path) -> MakeConsole:
    return lambda frame=None, **more: Console(frame, tmp_path / "state", **more)
