"""A console on fakes: a feed that shows what it is given, hands that remember what they were asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from console.app import RampdeckApp
from console.desk import Answers, ByHand, Consents, DrillGround, Frame, Leaf, Leftover, Proof, Rehearsal, Told
from console.keymap import STANDARD, Keymap
from console.seat import Seat
from console.strides import Tally, Tell, silent
from console.veil import Veil
from stages.chain import Problem
from stages.closeup import Closeup
from stages.entries import EMPTY, EVERY, EntryFilter, Head, StoredEntry
from stages.pairing import endings
from stages.plan import Plan
from stages.policy import Policy
from stages.refusal import Trouble
from stages.signals import SignalKey
from stages.verdict import Row
from tests.screens import closeups, drills, states


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


class DrillRecorder:
    """Hands for drills that do nothing but remember."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.where = drills.GROUND

    def ground(self) -> DrillGround:
        return self.where

    def start(self, phrase: str) -> Told:
        self.asked.append(("start", phrase))
        return Told(True, "begun")

    def fire(self, run: str, phrase: str) -> Told:
        self.asked.append(("fire", run, phrase))
        return Told(True, "fired")

    def answer(self, run: str, step: str, letter: str, words: str) -> Told:
        self.asked.append(("answer", run, step, letter, words))
        return Told(True, "kept")

    def abandon(self, run: str) -> Told:
        self.asked.append(("abandon", run))
        return Told(True, "it cleans up")

    def bundle(self, run: str) -> Told:
        return Told(True, f"/var/lib/rampdeck/drills/drill-{run[:8]}.json")


class Recorder:
    """Hands that do nothing but remember."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.drills = DrillRecorder()
        self.rehearsal: Rehearsal = states.BLOCKED_REHEARSAL
        self.standing: Answers = states.BLOCKED
        self.told = Told(True, "started")
        self.signed = Consents()
        self.left = Leftover()
        self.commands: ByHand | None = None
        self.hold = threading.Event()
        self.hold.set()

    def rehearse(self, to_stage: int, tell: Tell = silent) -> Rehearsal:
        tell("fetch")
        tell("plan")
        self.hold.wait(60)
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

    def kill(self, phrase: str) -> Told:
        self.asked.append(("kill", phrase))
        return Told(True, "handed over in 4 ms; blocked, no order open; Git follows")

    def declare(self, severity: str, title: str) -> Told:
        self.asked.append(("declare", severity, title))
        return Told(True, f"INC-1 {severity} declared: FROZEN")

    def consents(self, latch: str) -> Consents:
        return self.signed

    def ask_to_clear(self, latch: str) -> Told:
        self.asked.append(("ask", latch))
        return Told(True, "asked; rampdeck approve /inbox/request-1.json")

    def clear(self, latch: str, because: str) -> Told:
        self.asked.append(("clear", latch, because))
        return self.told

    def restore(self, phrase: str) -> Told:
        self.asked.append(("restore", phrase))
        return self.told

    def leftover(self) -> Leftover:
        return self.left

    def resume(self, phrase: str) -> Told:
        self.asked.append(("resume", phrase))
        return self.told

    def give_reason(self, reason: str) -> Told:
        self.asked.append(("reason", reason))
        return Told(True, reason)

    def acknowledge(self, alarm: str) -> Told:
        self.asked.append(("acknowledge", alarm))
        return self.told

    def take_over(self) -> Told:
        self.asked.append(("take over",))
        return self.told

    def by_hand(self, stage: str) -> ByHand:
        return self.commands or ByHand((f"git clone ... # to {stage}", "git push"))


class Shelves:
    """Books held in memory: whatever entries they were given, oldest first."""

    def __init__(self, entries: Sequence[StoredEntry] = ()) -> None:
        self.entries = list(entries)
        self.problems: tuple[Problem, ...] = ()
        self.away = ""
        self.measured = True
        self.rows: Mapping[SignalKey, Row] = {}
        self.exported: list[tuple[EntryFilter, str]] = []
        self.pieces = 0
        """How many entries an export writes, each once there is ``paper``."""
        self.paper = threading.Event()
        self.told: list[tuple[str, str, str]] = []
        self.asked: list[tuple[int | None, int | None]] = []

    def leaf(self, only: EntryFilter, *, before: int | None = None, after: int | None = None, limit: int = 200) -> Leaf:
        if self.away:
            raise Trouble(self.away, where="ledger.db", fix="wait for it")
        self.asked.append((before, after))
        rows = [one for one in self.entries if self._passes(one, only)]
        if after is not None:
            rows = [one for one in rows if one.seq > after]
            more, rows = len(rows) > limit, rows[:limit]
        else:
            rows = [one for one in rows if before is None or one.seq < before]
            more, rows = len(rows) > limit, rows[-limit:]
        return Leaf(tuple(rows[::-1]), self._head(), more, endings(one.entry for one in self.entries if one.entry))

    def _passes(self, one: StoredEntry, only: EntryFilter) -> bool:
        entry = one.entry
        if entry is None:
            return only == EVERY
        said = all(getattr(only, name) in (None, getattr(entry, name)) for name in ("kind", "actor", "stage", "intent"))
        return said and (only.text is None or only.text.casefold() in one.text.casefold())

    def _head(self) -> Head:
        return Head(self.entries[-1].seq, self.entries[-1].hash) if self.entries else EMPTY

    def companions(self, intent: str) -> tuple[StoredEntry, ...]:
        return tuple(one for one in self.entries if one.entry is not None and one.entry.intent == intent)

    def count(self, only: EntryFilter) -> int:
        return sum(self._passes(one, only) for one in self.entries)

    def verification(self, *, again: bool = False) -> Proof:
        ended = endings(one.entry for one in self.entries if one.entry)
        asked = [one for one in self.entries if one.entry is not None and one.entry.kind == "intent"]
        lost = tuple(one.seq for one in reversed(asked) if one.entry is not None and one.entry.intent not in ended)
        total = len(self.entries)
        return Proof(total, total, self.problems, done=True, seconds=0.16, at=states.NOW, unanswered=lost)

    def closeup(self, policy: Policy, key: SignalKey, start: datetime, end: datetime) -> Closeup:
        if self.away:
            raise Trouble(self.away, where="ledger.db", fix="wait for it")
        if not self.measured:
            return Closeup(key, start, end, ())
        return closeups.closeup(key, start, end, self.rows.get(key))

    def export(self, only: EntryFilter, path: str, tally: Tally) -> Told:
        self.exported.append((only, path))
        for _ in tally.over(range(self.pieces)):
            self.paper.wait(60)
        return Told(True, f"{self.count(only)} entries, jsonl, in {path}")

    def write_down(self, policy: Policy, incident: str, path: str) -> Told:
        self.told.append((policy.name, incident, path))
        return Told(True, f"{incident}: {path}/postmortem.md")


class Mishaps:
    """Faults that do nothing but remember."""

    def __init__(self) -> None:
        self.injected: list[str] = []
        self.trouble = ""

    def known(self) -> Mapping[str, str]:
        return {"stale-data": "Trade signals stand still.", "calm": "Ends every fault."}

    def inject(self, name: str) -> str:
        self.injected.append(name)
        if self.trouble:
            raise Trouble(self.trouble)
        return "trade signals stand still"


class Console:
    """An app with its fakes."""

    def __init__(
        self,
        frame: Frame | None,
        folder: Path,
        *,
        ascii_marks: bool = False,
        faults: Mishaps | None = None,
        read_only: bool = False,
        keymap: Keymap = STANDARD,
        veil: Veil | None = None,
    ) -> None:
        self.feed = Stage(frame)
        self.hands = Recorder()
        self.books = Shelves()
        self.books.rows = closeups.rows_of(frame)
        self.now: datetime = states.NOW
        person = ("torghut", "PRODUCTION", "alice", read_only, "0.1.0")
        seat = Seat(*person, folder, ascii_marks, keymap=keymap, keeps=folder, veil=veil or Veil())
        self.app = RampdeckApp(self.feed, self.hands, self.books, lambda: self.now, seat, faults)

    @property
    def text(self) -> str:
        """What the terminal shows, row by row, as the compositor painted it."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)


MakeConsole = Callable[..., Console]


@pytest.fixture
def console(tmp_path: Path) -> MakeConsole:
    return lambda frame=None, **more: Console(frame, tmp_path / "state", **more)
