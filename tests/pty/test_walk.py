"""The walk, on the installed program in a real terminal: up one stage by hand, one breach, down by itself."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.pty.places import commits, entries, message, no_process_left, of_kind, processes, tree, until, verified
from tests.pty.terminal import Terminal

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("walk")]

PHRASE = "ADVANCE heron L0 L1 GROSS 5,000"


def test_a_stage_up_and_a_breach_down(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with Terminal(["demo", "--scenario", "risk-breach", "--dir", str(folder)]) as terminal:
        terminal.sees("RAMPDECK heron [DEMO]", "WAIT", "EXPOSURE")
        terminal.sees("MAY ADVANCE", "burn-in PASSED", seconds=60)
        look_at_a_stage(terminal)
        plan_and_apply(terminal, folder)
        watch_the_breach(terminal, folder)
        leave(terminal)
    assert terminal.restored
    no_process_left(folder)
    assert verified(folder)


def look_at_a_stage(terminal: Terminal) -> None:
    """Rows 1 and 2 tell of the stage in force while another one is looked at; only their clocks and figures move."""
    terminal.press("1")
    terminal.sees("L1 LIVE, account HERON-LIVE-01. This is NOT the book in force.")
    assert "L0 Paper baseline │ NORMAL" in terminal.lines[0]
    assert "PAPER" in terminal.lines[0]
    assert terminal.lines[1].startswith(" MAY ADVANCE")
    terminal.escape()
    terminal.loses("NOT the book in force")


def plan_and_apply(terminal: Terminal, folder: Path) -> None:
    terminal.press("p")
    terminal.sees("DRY RUN, nothing written", "CANNOT APPLY")
    terminal.sees("-   value: paper", "+   value: live", '+   value: "true"', "every other byte is unchanged")
    assert len(commits(folder)) == 1
    terminal.press("y")
    terminal.sees("demo-bob", "YOU MAY APPLY", PHRASE)
    assert of_kind(entries(folder), "approval-recorded")
    terminal.sees("letters go into the field")
    type_when_it_counts(terminal, PHRASE.lower())
    terminal.enter()
    terminal.sees("pushed")
    _, advanced = commits(folder)
    said = message(folder, advanced)
    assert "Rampdeck-Stage: L1" in said
    assert "Rampdeck-Plan: " in said
    assert "Rampdeck-Approved-By: demo-bob" in said
    terminal.escape()
    terminal.sees("EXPOSURE", "TRIGGERS")


GRACE = 0.7
"""Seconds after which a field that has just appeared takes keys."""


def type_when_it_counts(terminal: Terminal, phrase: str) -> None:
    """A field that raises risk drops its first half second of keys and says so: then it is typed again."""
    grace = threading.Event()
    for _ in range(12):
        grace.wait(GRACE)
        terminal.press("\x15" + phrase)
        with suppress(AssertionError):
            terminal.until(lambda: "Enter does it" in terminal.text, 5)
            return
    terminal.sees("Enter does it")


def watch_the_breach(terminal: Terminal, folder: Path) -> None:
    """The canary burns in, prices gap, and the console goes back to L0 by itself with a commit."""
    until(lambda: any(e["body"]["state"] == "OBSERVING" and e["stage"] == "L1" for e in runs(folder)), 60)
    until(lambda: of_kind(entries(folder), "latch-opened"), 60, what="a latch")
    until(lambda: len(commits(folder)) == 3, 60, what="the step down's commit")
    first, _, down = commits(folder)
    said = message(folder, down)
    assert "Rampdeck-Stage: L0" in said
    assert "Rampdeck-Mode: REDUCE_ONLY" in said
    terminal.sees("L0 Paper baseline │ REDUCE ONLY, max L0", "HELD", seconds=60)
    changed = [
        (before, after)
        for before, after in zip(tree(folder, first).splitlines(), tree(folder, down).splitlines(), strict=True)
        if before != after
    ]
    assert {line.rpartition("\t")[2] for pair in changed for line in pair} == {
        "apps/heron/api.yaml",
        "apps/heron/scheduler.yaml",
    }, "the step down leaves the stage of L0 with reduce-only on"
    latches = of_kind(entries(folder), "latch-opened")
    outcomes = [entry["body"]["outcome"] for entry in of_kind(entries(folder), "outcome")]
    assert [entry["body"]["trigger"] for entry in latches] == ["grossLimit"]
    assert outcomes == ["pushed", "pushed"]


def runs(folder: Path) -> list[dict]:
    return of_kind(entries(folder), "burn-in")


def leave(terminal: Terminal) -> None:
    """This console acts, so leaving is asked about."""
    terminal.press("q")
    terminal.sees("LEAVE?", "This console is the one that acts.")
    say_yes(terminal)
    assert terminal.ends() == 0


def say_yes(terminal: Terminal) -> None:
    """The question takes no key in its first half second: say yes until it is heard."""

    def heard() -> bool:
        if terminal.process.isalive() and "LEAVE?" in terminal.text:
            terminal.press("y")
        return not terminal.process.isalive()

    until(heard, what="the end")


def test_home_paints_before_the_world_is_up(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with Terminal(["demo", "--scenario", "calm", "--dir", str(folder)]) as terminal:
        terminal.sees("RAMPDECK heron [DEMO]", "WAIT")
        assert "not read yet" in terminal.text
        terminal.press("q")
        assert terminal.ends() == 0
    assert terminal.restored
    no_process_left(folder)
    assert not processes(folder)
