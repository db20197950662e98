"""The installed console on a real terminal, started while its ledger or its observation store cannot be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pty.sight import site
from tests.pty.terminal import Terminal

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("walk")]


def test_a_console_that_starts_without_its_observation_store_shows_what_it_reads(tmp_path: Path) -> None:
    with site(tmp_path) as (_, config):
        (tmp_path / "ledger.observations.db").mkdir()
        with Terminal(["--config", str(config)]) as terminal:
            terminal.sees("EXPOSURE", "1,200", "observation store", seconds=60)


def test_a_console_that_starts_without_its_ledger_shows_what_it_reads_until_the_ledger_answers(tmp_path: Path) -> None:
    with site(tmp_path) as (_, config):
        with Terminal(["--config", str(config)]) as terminal:
            terminal.sees("1,200", "AUTO OFF", seconds=60)
            terminal.press("q")
            assert terminal.ends() == 0
        ledger, aside = tmp_path / "ledger.db", tmp_path / "aside.db"
        ledger.rename(aside)
        ledger.mkdir()
        with Terminal(["--config", str(config)]) as terminal:
            terminal.sees("1,200", "AUTO unknown", "not known: ledger away", "the ledger is a folder", seconds=60)
            terminal.press("r")
            terminal.sees("The phrases work without it", seconds=20)
            terminal.press("\x1b")
            ledger.rmdir()
            aside.rename(ledger)
            terminal.sees("1,200", "AUTO OFF", seconds=60)
            terminal.loses("ledger away")
