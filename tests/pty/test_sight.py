"""A sample beyond its limit is on the screen within one tick and 250 ms; the screen says what it measured itself."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from tests.pty.sight import PAINT, TICK, console, measure

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("walk")]


def test_a_sample_beyond_its_limit_is_seen_within_a_tick_and_the_time_to_paint(tmp_path: Path) -> None:
    with console(tmp_path) as (source, terminal):
        found = measure(source, terminal, 9)
        # A machine that runs other tests beside may hold back one frame, never most of them.
        assert median(one.from_read for one in found) <= TICK + PAINT
        terminal.until(lambda: "s (p99), worst" in terminal.text, what="the screen's own measurement")
        assert "■ gross" in terminal.text or "▲ gross" in terminal.text
