"""Forty signals at four repaints a second: ``python -m tests.benchmarks.forty`` opens the console on a feed that moves.

Every value changes with every frame, so nothing that is drawn can be kept from one repaint to the next.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from console.app import RampdeckApp
from console.desk import Frame
from console.feed import Desk
from console.seat import Seat
from stages.signals import SignalKey
from stages.value import replace
from stages.verdict import Row
from tests.screens import states
from tests.screens.conftest import Recorder, Shelves

SIGNALS: Final = 40
REPAINTS: Final = 4.0
"""A second."""


def forty(frame: Frame) -> tuple[Row, ...]:
    """The rows of the book in force, each again under another name until there are so many."""
    own = [row for row in frame.evaluation.rows if row.key.book == frame.evaluation.book]
    again = [replace(row, key=SignalKey(row.key.book, f"{row.key.name}{lap}")) for lap in (2, 3) for row in own]
    return tuple([*own, *again][:SIGNALS])


def moved(frame: Frame, rows: tuple[Row, ...], step: int, wall: datetime) -> Frame:
    """The frame some quarters of a second later, every value another one."""
    snapshot = replace(frame.evaluation.snapshot, wall=wall, market=wall, seq=step)
    shifted = tuple(
        row if row.value is None else replace(row, value=row.value + Decimal(step % 7), event_time=wall) for row in rows
    )
    return replace(frame, evaluation=replace(frame.evaluation, rows=shifted, snapshot=snapshot))


def main() -> int:
    """Runs until it is left."""
    desk, left = Desk(), threading.Event()
    frame = states.ok()
    rows = forty(frame)

    def feed() -> None:
        step = 0
        while not left.wait(1 / REPAINTS):
            step += 1
            desk.publish(moved(frame, rows, step, datetime.now(UTC) - timedelta(milliseconds=20)))

    with tempfile.TemporaryDirectory() as folder:
        seat = Seat("torghut", "PRODUCTION", "alice", version="0", crash_folder=Path(folder))
        app = RampdeckApp(desk, Recorder(), Shelves(), lambda: datetime.now(UTC), seat)
        threading.Thread(target=feed, name="feed", daemon=True).start()
        gc.freeze()  # as the console does once everything is loaded
        app.run()
        left.set()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
