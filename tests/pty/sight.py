"""From a sample to the screen: a process that answers over HTTP, a console in a pseudo-terminal, and a stopwatch."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import yaml

from stages.ladder import write_value
from tests.conftest import ROOT
from tests.integration.actuation import World
from tests.integration.test_sources_http import Served, text
from tests.integration.watching import demo_policy
from tests.pty.terminal import Terminal

TICK = 1.0
"""Seconds between two ticks of the watch."""
PAINT = 0.25
"""Seconds beyond a tick within which what was read has to be on the screen."""
FIRST = 6000
"""Dollars of gross, beyond the limit of the lowest stage; each further sample is a dollar more."""


@dataclass
class Source:
    """A trading process with a gross that can be set. ``told`` holds when a gross was first told to anybody."""

    controls: dict[str, Any]
    gross: int = 1200
    told: dict[int, float] = field(default_factory=dict)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/metrics":
            seconds = time.time()
            beats = f"torghut_scheduler_leadership_healthy 1\ntorghut_trading_last_cycle_timestamp_seconds {seconds}\n"
            text(beats)(handler)
            return
        now, gross = datetime.now(UTC).isoformat(), self.gross
        status = {
            "running": True,
            "last_run_at": now,
            "exposure": {"gross": str(gross), "as_of": now},
            "account": {"label": "HERON-PAPER-01"},
            "ramp": {"controls": self.controls},
        }
        text(json.dumps(status))(handler)
        self.told.setdefault(gross, time.monotonic())


@dataclass(frozen=True)
class Sight:
    """Seconds to the screen of one sample: from when it was read, and from when it became true."""

    from_read: float
    from_event: float


@contextmanager
def site(folder: Path) -> Iterator[tuple[Source, Path]]:
    """A source that answers, and the configuration of a console for it."""
    world = World.make(folder)
    world.ledger.close()
    controls = {name: write_value(value) for name, value in demo_policy(ROOT).resolved[0].items()}
    served, source = Served(), Source(controls)
    served.answer = source.answer
    configuration = {
        "repository": {"remote": (folder / "remote.git").as_uri(), "branch": "main"},
        "policy": "ops/ramp.yaml",
        "ledger": f"sqlite:///{folder / 'ledger.db'}",
        "endpoints": {"heron": served.url, "heron-paper": served.url},
        "identity": {"name": "alice"},
        "cache": str(folder / "cache"),
        "state": str(folder / "state"),
    }
    config = folder / "rampdeck.yaml"
    config.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    try:
        yield source, config
    finally:
        served.close()


@contextmanager
def console(folder: Path) -> Iterator[tuple[Source, Terminal]]:
    """A console that watches the source, its first frame drawn."""
    with site(folder) as (source, config), Terminal(["--config", str(config)]) as terminal:
        terminal.sees("EXPOSURE", "1,200", seconds=60)
        yield source, terminal


def measure(source: Source, terminal: Terminal, samples: int) -> list[Sight]:
    """One sample beyond its limit after the other, at moments that wander through the second."""
    found, pause = [], threading.Event()
    for number in range(samples):
        gross = FIRST + number
        pause.wait(0.37)
        happened = time.monotonic()
        source.gross = gross
        deadline = happened + 20
        while f"{gross:,}" not in terminal.text:
            assert time.monotonic() < deadline, f"{gross:,} never came on the screen\n{terminal.text}"
            pause.wait(0.005)
        seen = time.monotonic()
        found.append(Sight(seen - source.told[gross], seen - happened))
    return found
