"""The window itself: too small, resized, interrupted. Whatever comes, the shell has its terminal back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pty.places import entries, no_process_left, of_kind, until
from tests.pty.terminal import Terminal
from tests.pty.test_walk import say_yes

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("walk")]

CTRL_C = "\x03"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "demo"
    no_process_left(tmp_path / "demo")


def test_a_window_too_small_says_so_and_grows(folder: Path) -> None:
    with Terminal(["demo", "--scenario", "calm", "--dir", str(folder)], columns=20, rows=5) as terminal:
        terminal.sees("too small")
        terminal.resize(80, 24)
        terminal.sees("heron [DEMO]", "EXPOSURE")
        terminal.loses("too small")
        terminal.sees("r reduce risk", "gross", "AUTO HERE", seconds=60)
        terminal.resize(20, 5)
        terminal.sees("too small")
        terminal.resize(160, 45)
        terminal.sees("AUTO HERE", "TRIGGERS")
        assert max(len(line) for line in terminal.lines) <= 160
        terminal.press(CTRL_C)
        terminal.sees("LEAVE?")
        say_yes(terminal)
        assert terminal.ends() == 0
    assert terminal.restored


@pytest.mark.parametrize("moment", ["at the first paint", "while the world comes up"])
def test_an_interrupt_before_the_console_acts_ends_it_at_once(folder: Path, moment: str) -> None:
    with Terminal(["demo", "--scenario", "calm", "--dir", str(folder)], columns=100, rows=30) as terminal:
        terminal.sees("heron [DEMO]")
        if moment == "while the world comes up":
            until((folder / "remote.git").exists, what="the remote")
        terminal.press(CTRL_C)
        leave_if_asked(terminal)
        assert terminal.ends() == 0
    assert terminal.restored


def leave_if_asked(terminal: Terminal) -> None:
    """The console may just have begun to act: then it asks first."""
    until(lambda: "LEAVE?" in terminal.text or not terminal.process.isalive(), what="the question or the end")
    if terminal.process.isalive():
        say_yes(terminal)


@pytest.mark.parametrize("keys", ["", "2", "r", "?", "p"])
def test_an_interrupt_on_any_page_asks_while_this_console_acts(seated: Terminal, keys: str) -> None:
    seated.press(keys)
    shows = {"": "TRIGGERS", "2": "NOT the book in force", "r": "REDUCE RISK", "?": "WORDS", "p": "PLAN"}[keys]
    seated.sees(shows)
    seated.press(CTRL_C)
    seated.sees("LEAVE?", "This console is the one that acts.")
    seated.press(CTRL_C)
    assert seated.process.isalive(), "a second interrupt does not skip the question"
    seated.escape()
    seated.loses("LEAVE?")
    seated.sees(shows)
    if keys:
        seated.escape()
    seated.loses(shows) if keys else seated.sees(shows)


OPENS = {
    "\r": "WHERE THIS NUMBER COMES FROM",
    "1": "NOT the book in force",
    "p": "DRY RUN",
    "r": "REDUCE RISK",
    "!": "KILL heron",
    "l": "LEDGER",
    "i": "DECLARE AN INCIDENT",
    "d": "DRILL",
    "?": "where you are",
}
"""What each key of Ramp's footer opens; ``esc`` comes back from all of them."""


def test_every_key_of_the_footer_opens_what_it_names_at_every_size(seated: Terminal) -> None:
    sizes = [(160, 45), (100, 30), (80, 24), (200, 60), (60, 20)]
    for index, (key, shows) in enumerate(OPENS.items()):
        seated.press(key)
        seated.sees(shows)
        columns, rows = sizes[index % len(sizes)]
        seated.resize(columns, rows)
        seated.until(lambda: "heron" in seated.lines[0] and any(word in seated.text for word in ("esc", "? help")))
        seated.resize(160, 45)
        seated.sees(shows)
        seated.escape()
        seated.loses(shows)
        seated.sees("TRIGGERS")
    seated.press("s")
    seated.sees("sorted once, worst first")
    seated.press("\x1b[B")
    seated.sees("enter zooms into")
    seated.press("\r")
    seated.sees("believed", "GET ")
    seated.press("-")
    seated.sees("last 4 h")
    seated.escape()
    seated.sees("TRIGGERS")


@pytest.fixture(scope="module")
def seated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A calm demo's console once it acts."""
    folder = tmp_path_factory.mktemp("seated") / "demo"
    with Terminal(["demo", "--scenario", "calm", "--dir", str(folder)]) as terminal:
        terminal.sees("AUTO HERE", "TRIGGERS", seconds=60)
        until(lambda: of_kind(entries(folder), "burn-in"), 60)
        yield terminal
        terminal.press(CTRL_C)
        terminal.sees("LEAVE?")
        say_yes(terminal)
        assert terminal.ends() == 0
    assert terminal.restored
    no_process_left(folder)
