"""Drills for pages, told entry by entry as a ledger tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from console.desk import DrillGround, Frame
from stages.drill import KILL, PAPER, PASS, ROLLBACK, STEPS, TABLETOP, Scope
from stages.drill_progress import DrillBoard
from stages.drill_story import told
from stages.drill_validity import Validity
from stages.entries import Draft, write
from stages.facts import DrillRun
from stages.value import replace
from tests.screens import states

TARGET = Scope("torghut-sim", "PA3SX7FYNUTF", "paper", "torghut-sim", "apps/torghut-sim", "https://paper.example")
LIVE = Scope("torghut", "8820154411", "live", "torghut", "apps/torghut", "https://live.example")
GROUND = DrillGround(TARGET, LIVE, "L2", "L1")

PROBES = {"ord-91": "buy 1 NVDA 1.00, no position", "ord-92": "sell 1 AMD 100,000.00, has position"}
SAID = {
    "D0": "PA3SX7FYNUTF paper",
    "D1": "2 orders, 1 positions, cash 98,412.10",
    "D5": "403 account is blocked",
    "D11": "carol may not clear it: needs risk",
    "D3": "19:31:03.014Z",
    "D4": "48219e1c",
    "D7": "intent, note, committed, outcome",
    "D8": "AMD +3",
    "D9": "entry 214",
    "D10": "Git KILLED, venue blocked",
    "D12": "two people, one risk",
}
TOOK = {"D1": 0.6, "D2": 1.9, "D4": 6.2, "D5": 0.7, "D7": 1.1, "D9": 44.0, "D10": 71.0, "D11": 0.8, "D12": 24.0}


class Story:
    """One drill, written with a clock that each entry moves on."""

    def __init__(
        self, run: str, begun: datetime, *, act: str = KILL, mode: str = PAPER, down: str = "", path: str = "key"
    ) -> None:
        self.run, self.act, self.now = run, act, begun
        self.made: DrillRun | None = None
        first = {"act": act, "mode": mode, "transition": down, "path": path}
        self.add({**first, "target": TARGET.document(), "market": begun})

    def add(self, body: dict[str, Any], seconds: float = 0.0, state: str = "RUNNING") -> Story:
        self.now += timedelta(seconds=seconds)
        draft = Draft("drill", None, None, "alice", {"run": self.run, "drill": self.run, "state": state, **body})
        entry = write(draft, ledger="l", previous=None, now=self.now)
        self.made = told(self.made, entry)
        return self

    def find(self, step: str, says: str, ok: bool | None = True, took: float = 0.3, **more: Any) -> Story:
        body = {"step": step, "says": says, "ok": ok, "took": took, "budget": 5, "expected": "", "observed": "",
                "negative": False, "subject": "", "fired": None} | more  # fmt: skip
        return self.add(body, took if step not in ("D5", "D6") else 0.3)

    def hold(self, upto: str) -> Story:
        """Every step until ``upto``, each of which holds."""
        for step in STEPS[self.act]:
            if step.id == upto:
                return self
            self.step(step.id, step.says)
        return self

    def step(self, step: str, says: str) -> Story:
        self.add({"step": step})
        if step == "D2" and self.act == KILL:
            for order, what in PROBES.items():
                self.find("D2", f"probe {what}, is taken", took=0.4, observed=order, subject=order)
            until = self.now + timedelta(minutes=15)
            return self.add({"step": "D2", "orders": list(PROBES), "reasons": ["suspended"], "until": until})
        if step == "D6" and self.act == KILL:
            for number, order in enumerate(PROBES):
                self.find("D6", f"{PROBES[order]} is gone", took=1.2 + number, observed="CANCELLED", subject=order)
            return self
        fired: dict[str, Any] = {"fired": self.now + timedelta(seconds=TOOK["D4"])} if step == "D4" else {}
        words = SAID.get(step, "")
        return self.find(
            step, says, took=TOOK.get(step, 0.4), observed=words, negative=step in ("D5", "D11"), **fired
        )  # fmt: skip

    def end(self, state: str, *reasons: str, tidied: bool = False) -> DrillRun:
        kept = [f"drill-{self.run[:8]}.json sha256:9f2c41aa07d35e1b"]
        self.add({"reasons": list(reasons), "artifacts": kept, "tidied": tidied, "market": self.now}, 0.1, state)
        return self.so_far()

    def so_far(self) -> DrillRun:
        assert self.made is not None
        return self.made


def before(seconds: float) -> datetime:
    return states.NOW - timedelta(seconds=seconds)


def earlier() -> tuple[DrillRun, ...]:
    """A drill that failed two days ago and one that passed yesterday."""
    failed = Story("11f2a0c4d1", before(2 * 86400)).hold("D10").add({"step": "D10"})
    agree = "Git, application and venue agree: KILLED"
    failed.find("D10", agree, ok=False, took=240, observed="Git KILLED, venue OPEN")
    failed.step("D11", "x").step("D12", "x")
    lost = failed.end("FAIL", f"D10: {agree}: Git KILLED, venue OPEN")
    return lost, Story("13b7c2e9f0", before(86400)).hold("").end(PASS)


def many() -> tuple[DrillRun, ...]:
    """Some days of drills of both kinds, and one under a fault."""
    again = Story("14d9e1f3a2", before(4000)).hold("").end(PASS)
    down = Story("16c3d4e5f6", before(3000), act=ROLLBACK, down="L2 to L1", path="command").hold("").end(PASS)
    under = replace(Story("17aa0bc1d2", before(2000)).hold("").end(PASS), inject="push-refused")
    return (*earlier(), again, down, under)


def running() -> DrillRun:
    """A kill drill four seconds after its act: one of two planted orders has not answered."""
    story = Story("14d9e1f3a2", before(13)).hold("D6").add({"step": "D6"})
    story.find("D6", "buy 1 NVDA 1.00 is gone", took=1.2, observed="CANCELLED", subject="ord-91")
    return replace(story.so_far(), fired=before(4.1))


def firing() -> DrillRun:
    """It waits for the phrase of its act."""
    return Story("14d9e1f3a2", before(9)).hold("D4").add({"step": "D4"}).so_far()


def table() -> DrillRun:
    """A tabletop that waits for an answer to D5."""
    story = Story("15a0b1c2d3", before(120), mode=TABLETOP)
    for step in STEPS[KILL][:5]:
        story.add({"step": step.id}).find(step.id, step.says, took=11.0, observed="said alice")
    return story.add({"step": "D5"}).so_far()


def passed() -> DrillRun:
    return Story("14d9e1f3a2", before(180)).hold("").end(PASS)


def failed() -> DrillRun:
    """One planted order stays open, and nobody approves the restore: the target stays killed."""
    story = Story("14d9e1f3a2", before(400)).hold("D6").add({"step": "D6"})
    story.find("D6", "buy 1 NVDA 1.00 is gone", took=1.2, observed="CANCELLED", subject="ord-91")
    story.find("D6", "sell 1 AMD 100,000.00 is gone", ok=False, took=5.0, observed="STILL OPEN", subject="ord-92")
    for step in STEPS[KILL][7:12]:
        story.step(step.id, step.says)
    story.add({"step": "D12"})
    story.find("D12", "restored by the rule", ok=False, took=15.0, observed="0 of 2 approvals")
    return story.end("FAIL", "D6: sell 1 AMD is gone at the venue: STILL OPEN", "D12: restored by the rule: 0 of 2")


def aborted() -> DrillRun:
    """A live trigger ended it after its act: what was fired stays as it is."""
    return Story("14d9e1f3a2", before(30)).hold("D9").end("ABORTED", "gross-over fired on the live target")


def rolled_back() -> DrillRun:
    return Story("16c3d4e5f6", before(200), act=ROLLBACK, down="L2 to L1", path="command").hold("").end(PASS)


def frame(*runs: DrillRun, reasons: Sequence[str] = ("rollback drill L2 to L1: never passed on paper",)) -> Frame:
    """The quiet frame of L1 with these drills."""
    found = Validity(not reasons, tuple(reasons), "2 in date")
    return replace(states.ok(), drills=DrillBoard(tuple(runs), found, "L2 to L1"))
