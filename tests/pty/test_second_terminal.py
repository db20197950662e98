"""By hand from a second terminal, and terminals that close: a rollback ends whole, whoever watches it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pty.places import (
    Entry,
    advance,
    commits,
    entries,
    kinds,
    message,
    no_process_left,
    of_kind,
    processes,
    tree,
    until,
    verified,
)
from tests.pty.terminal import Terminal

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("rollback")]

SHELL_KEYS = len("rampdeck") + 1
"""What is typed at the shell's prompt before the console is there, Enter included."""


@pytest.fixture(scope="module")
def seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a calm demo whose canary stage is in force, its console open in another terminal."""
    folder = tmp_path_factory.mktemp("calm") / "demo"
    with Terminal(["demo", "--scenario", "calm", "--no-approver", "--dir", str(folder)]) as terminal:
        terminal.sees("MAY ADVANCE", seconds=90)
        advance(folder, "L1")
        until(lambda: "converged" in kinds(folder), 60)
        yield folder


@pytest.fixture(scope="module")
def left_at_l1(seat: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of that folder as it stands at L1: a Git remote and a ledger of its own, the same venues."""
    folder = tmp_path_factory.mktemp("left") / "demo"
    copy(seat, folder)
    return folder


def copy(folder: Path, into: Path) -> None:
    """Copies what a console needs of a demo, with a ledger of its own, and points its configuration there."""
    into.mkdir()
    for name in ("remote.git", "keys"):
        shutil.copytree(folder / name, into / name)
    for name in ("ledger.db", "ledger.observations.db"):
        for part in folder.glob(f"{name}*"):
            shutil.copy(part, into / part.name)
    for config in folder.glob("rampdeck*.yaml"):
        (into / config.name).write_text(config.read_text().replace(str(folder), str(into)))


# ------------------------------------------------------------------------------------------------------------ by hand


def test_a_rollback_takes_22_keys(left_at_l1: Path, seat: Path) -> None:
    first = commits(seat)[0]
    with Terminal(["--config", str(seat / "rampdeck.yaml")], columns=80, rows=24) as terminal:
        terminal.sees("L1")
        terminal.press("r")
        terminal.sees("REDUCE RISK", "ROLLBACK L0")
        terminal.press("rollback l0")
        terminal.enter()
        terminal.sees("SAFE NOW", "STAYS SO")
        assert terminal.typed == 1 + len("rollback l0") + 1
        assert SHELL_KEYS + terminal.typed == 22
        until(lambda: len(commits(seat)) == 3, 30, what="the rollback's commit")
        terminal.sees("STAYS SO  YES", seconds=60)
        terminal.escape()
        terminal.loses("REDUCE RISK")
        terminal.press("q")
        assert terminal.ends() == 0, "this console does not act, so it leaves without a question"
    assert terminal.restored
    down = commits(seat)[-1]
    assert "Rampdeck-Stage: L0" in message(seat, down)
    assert tree(seat, down) == tree(seat, first)
    assert commits(left_at_l1) == commits(seat)[:2], "the copy was made before"


# ----------------------------------------------------------------------------------------------------- closed windows


@pytest.fixture
def folder(left_at_l1: Path, tmp_path: Path) -> Path:
    copy(left_at_l1, tmp_path / "demo")
    return tmp_path / "demo"


def acts(folder: Path) -> list[Entry]:
    """Entries of the rollback: those after the copy's own advance."""
    found = entries(folder)
    last = max(n for n, entry in enumerate(found) if entry["kind"] == "converged")
    return found[last + 1 :]


def ended_whole(folder: Path) -> None:
    """The reduction has its outcome, its commit restores the first one's bytes, and the ledger holds."""
    until(lambda: of_kind(acts(folder), "outcome"), 40, what="an outcome")
    (outcome,) = of_kind(acts(folder), "outcome")
    assert outcome["body"]["outcome"] == "pushed"
    first, _, down = commits(folder)
    assert tree(folder, down) == tree(folder, first)
    assert "Rampdeck-Stage: L0" in message(folder, down)
    assert len(of_kind(acts(folder), "intent")) == 1
    no_process_left(folder, 40)
    assert verified(folder)


@pytest.mark.parametrize("moment", ["launched", "intent", "committed"])
def test_a_window_that_closes_does_not_stop_the_verb(folder: Path, moment: str) -> None:
    config = str(folder / "rampdeck.yaml")
    with Terminal(["--config", config, "rollback", "--confirm", "ROLLBACK L0"], columns=80, rows=24) as terminal:
        if moment == "launched":
            terminal.sees("it goes on when this terminal closes")
        else:
            until(lambda: of_kind(acts(folder), moment), 40, what=moment)
        terminal.hang_up()
        ended_whole(folder)


@pytest.mark.parametrize("moment", ["intent", "committed"])
def test_a_window_that_closes_does_not_stop_what_the_console_commanded(folder: Path, moment: str) -> None:
    with Terminal(["--config", str(folder / "rampdeck.yaml")], columns=80, rows=24) as terminal:
        terminal.sees("heron [DEMO]")
        terminal.press("r")
        terminal.sees("REDUCE RISK", "ROLLBACK")
        terminal.press("rollback l0")
        terminal.sees("rollback l0")
        terminal.enter()
        until(lambda: of_kind(acts(folder), moment), 40, what=moment)
        terminal.hang_up()
        ended_whole(folder)


def test_a_window_that_closes_waits_for_the_kill_to_be_handed_over(folder: Path, seat: Path) -> None:
    """The last of the file: the venue that all of its consoles share refuses orders afterwards."""
    (venue,) = (pid for pid, words in processes(seat).items() if f"--config {seat}/venue-live.json" in words)
    with Terminal(["--config", str(folder / "rampdeck.yaml")], columns=80, rows=24) as terminal:
        terminal.sees("heron [DEMO]")
        terminal.press("!")
        terminal.sees("► KILL heron")
        terminal.press("kill heron")
        terminal.sees("> kill heron")
        os.kill(venue, signal.SIGSTOP)
        try:
            terminal.enter()
            until(lambda: of_kind(acts(folder), "intent"), 40, what="the intent")
            terminal.hang_up()
        finally:
            os.kill(venue, signal.SIGCONT)
        (intent,) = of_kind(acts(folder), "intent")
        until(lambda: "venue block" in told_by_the_console(folder, intent), 40, what="what the venue answered")
        until(lambda: of_kind(acts(folder), "outcome"), 40, what="an outcome")
        no_process_left(folder, 40)
    assert "Rampdeck-Mode: KILLED" in message(folder, commits(folder)[-1])
    assert verified(folder)


def told_by_the_console(folder: Path, intent: Entry) -> set[str]:
    """Of what the console's own threads commanded; the worker's notes come after the one that tells of the worker."""
    notes = [one["body"]["subject"] for one in of_kind(acts(folder), "note") if one["intent"] == intent["intent"]]
    return {*notes} if "Git, by a worker" in notes else set()
