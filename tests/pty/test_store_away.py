"""The installed console on a real terminal, started while its observation store cannot be opened."""

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
