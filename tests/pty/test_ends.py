"""A console that is ended from outside: killed politely, or its terminal closed. The next one begins where it ended."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.pty.places import kinds, no_process_left, until
from tests.pty.sight import console, site
from tests.pty.terminal import Terminal

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("walk")]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A console that watches, its first frame drawn."""
    with console(tmp_path) as (_, terminal):
        until(lambda: holder(tmp_path), what="a watch")
        yield terminal


def holder(folder: Path) -> str | None:
    """Who holds the lease, by the ledger's file."""
    with closing(sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True)) as ledger:
        row = ledger.execute("SELECT holder FROM lease").fetchone()
        return row[0] if row else None


def gone(pid: int) -> bool:
    """Whether no such process is left; one that nobody has waited for yet has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def handed_back(folder: Path) -> None:
    """Nothing is left for the next console to wait for or to count again."""
    assert holder(folder) is None
    assert kinds(folder)[-2:] == ["seal", "lease"]


def test_a_polite_kill_restores_the_terminal_and_hands_the_watch_back(terminal: Terminal, tmp_path: Path) -> None:
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.ends() == 128 + signal.SIGTERM
    assert terminal.restored
    handed_back(tmp_path)


def test_a_closed_terminal_hands_the_watch_back(terminal: Terminal, tmp_path: Path) -> None:
    terminal.hang_up()
    until(lambda: gone(terminal.pid), 20, what="the end")
    handed_back(tmp_path)


@pytest.mark.parametrize("arguments", [[], ["panic"]])
def test_a_polite_kill_that_comes_early_is_heard(tmp_path: Path, arguments: list[str]) -> None:
    with site(tmp_path) as (_, config), Terminal(["--config", str(config), *arguments]) as terminal:
        terminal.until(lambda: b"\x1b[?1049h" in terminal.raw, what="a screen of its own")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.ends() == 128 + signal.SIGTERM
    assert terminal.restored


@pytest.mark.parametrize("moment", ["heron [DEMO]", "AUTO HERE"])
@pytest.mark.parametrize("how", ["closed", "killed"])
def test_a_demo_leaves_no_process_behind(tmp_path: Path, moment: str, how: str) -> None:
    folder = tmp_path / "demo"
    with Terminal(["demo", "--scenario", "calm", "--dir", str(folder)]) as terminal:
        terminal.sees(moment, seconds=60)
        if how == "closed":
            terminal.hang_up()
            until(lambda: gone(terminal.pid), 30, what="the end")
        else:
            os.kill(terminal.pid, signal.SIGTERM)
            assert terminal.ends() == 128 + signal.SIGTERM
            assert terminal.restored
    no_process_left(folder)
    if moment == "AUTO HERE":
        assert holder(folder) is None
