"""The ways back, in a real terminal: the kill drilled on paper, the live one killed, read in the ledger, restored."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.pty.places import Entry, commits, entries, message, no_process_left, of_kind, tree, until, verified
from tests.pty.terminal import Terminal
from tests.pty.test_walk import leave, type_when_it_counts

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("ways back")]

DRILL, FIRE = "DRILL KILL heron-paper", "KILL heron-paper"
KILL, RESTORE = "KILL heron", "RESTORE heron L0"


def test_drilled_killed_read_and_restored(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with Terminal(["demo", "--scenario", "calm", "--dir", str(folder)]) as terminal:
        terminal.sees("RAMPDECK heron [DEMO]", "EXPOSURE", "AUTO HERE", seconds=60)
        drill(terminal, folder)
        kill(terminal, folder)
        read(terminal)
        restore(terminal, folder)
        leave(terminal)
    assert terminal.restored
    no_process_left(folder)
    assert verified(folder)


def drill(terminal: Terminal, folder: Path) -> None:
    """Begun and fired by its phrases; it goes on while nobody looks, and has passed when somebody does."""
    terminal.press("d")
    terminal.sees("DRILL", "READY", DRILL)
    terminal.press("\t")
    type_when_it_counts(terminal, DRILL.lower())
    terminal.enter()
    terminal.sees("RUNNING", f"FIRE BY HAND: {FIRE}", seconds=60)
    fire(terminal)
    terminal.sees("PROBE ORDERS", "CANCELLED", seconds=60)
    terminal.press("\t")
    terminal.escape()
    terminal.sees("EXPOSURE", "TRIGGERS")
    assert "KILLED" not in terminal.lines[0], "what is drilled on paper kills nothing here"
    until(lambda: ended(folder), 150, what="the drill's end")
    terminal.press("d")
    terminal.sees("PASSED", "13 of 13", "every step held within its budget")
    (run,) = {entry["body"]["run"] for entry in of_kind(entries(folder), "drill")}
    assert (folder / "state" / "drills" / f"drill-{run[:8]}.json").exists()
    terminal.escape()
    terminal.sees("EXPOSURE", "TRIGGERS")


def fire(terminal: Terminal) -> None:
    """As a person does it: who sees nothing happen, because the field was not there yet, types it again."""
    for _ in range(3):
        type_when_it_counts(terminal, FIRE.lower())
        terminal.enter()
        with suppress(AssertionError):
            terminal.loses("FIRE BY HAND", seconds=15)
            return
    terminal.loses("FIRE BY HAND")


def ended(folder: Path) -> Entry | None:
    """The last entry of the drill once it is over."""
    return next((one for one in of_kind(entries(folder), "drill") if one["body"]["state"] != "RUNNING"), None)


def kill(terminal: Terminal, folder: Path) -> None:
    terminal.press("!")
    terminal.sees("REDUCE RISK", KILL)
    terminal.press(KILL.lower())
    terminal.enter()
    terminal.sees("SAFE NOW", seconds=20)
    terminal.sees("STAYS SO  YES", seconds=60)
    until(lambda: "Rampdeck-Mode: KILLED" in message(folder, commits(folder)[-1]), what="the kill in Git")
    terminal.escape()
    terminal.sees("KILLED", "TRIGGERS")
    assert "KILLED" in terminal.lines[0]


def read(terminal: Terminal) -> None:
    """The kill's intent stands in the ledger with its outcome, and the whole chain is verified."""
    terminal.press("l")
    terminal.sees("VERIFIED   all", "Every intent has an outcome.")
    terminal.press("/")
    terminal.sees("esc closes")
    terminal.press("kind:intent")
    terminal.enter()
    terminal.sees("1 of", "converged  reduce", "KILLED", "sound: the text gives the hash")
    terminal.escape()
    terminal.sees("EXPOSURE", "TRIGGERS")


def acts(folder: Path, ended: str) -> list[Entry]:
    """The intents that ended so."""
    found = entries(folder)
    closed = {one["intent"] for one in of_kind(found, ended)}
    return [one for one in of_kind(found, "intent") if one["intent"] in closed]


def restore(terminal: Terminal, folder: Path) -> None:
    terminal.press("c")
    terminal.sees("HELD", "y asks for the approvals")
    terminal.press("y")
    terminal.sees(f"type {RESTORE}", seconds=60)
    type_when_it_counts(terminal, RESTORE.lower())
    terminal.enter()
    terminal.sees("restored; the venue takes orders again", seconds=60)
    terminal.escape()
    terminal.sees("L0 Paper baseline │ NORMAL", "EXPOSURE", seconds=60)
    until(
        lambda: [one["body"]["act"] for one in acts(folder, "converged")] == ["reduce", "restore"], 60, what="converged"
    )
    assert [one["body"]["trigger"] for one in of_kind(entries(folder), "latch-opened")] == ["manual-kill"]
    first, *_, last = commits(folder)
    assert tree(folder, last) == tree(folder, first)
