"""What the ledger's screen costs: ``python -m tests.benchmarks.bench_ledger_screen [ENTRIES]`` prints its figures.

The console is opened on the real books of a ledger file, headless; memory is that of the whole process. Compare the
ratios between the small and the large ledger of one run: on a busy machine the seconds alone say little.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from console.app import RampdeckApp
from console.books import LedgerBooks
from console.screens.ledger import LedgerScreen
from console.seat import Seat
from console.store.ledger import SqlLedger
from console.store.reader import LedgerReader
from console.wiring import SystemClock
from stages.entries import EVERY, Draft, Entry, EntryFilter, write
from tests.screens import states
from tests.screens.conftest import Recorder, Stage

SMALL = 1_000
LIMIT = 0.5
"""Seconds from the key to the newest page."""


def resident() -> float:
    """MiB of this process's own memory; pages of the ledger's file that are mapped belong to the system's cache."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) / 1024


def drafts(start: int, count: int) -> list[Draft]:
    made = []
    for number in range(start, start + count):
        if number % 100 == 0:
            made.append(Draft("intent", "L1", f"i-{number}", "alice", {"act": "advance", "from": "L0", "to": "L1"}))
        elif number % 100 == 1:
            made.append(Draft("outcome", None, f"i-{number - 1}", "alice", {"outcome": "pushed", "sha": "9f" * 20}))
        else:
            made.append(Draft("note", "L1", None, "watch@ops-1", {"text": f"note {number}"}))
    return made


def chained(entries: int, first: Entry) -> Iterator[tuple[int, str, str, str]]:
    """Rows that follow the genesis entry."""
    last = first
    for start in range(0, entries - 1, 10_000):
        for draft in drafts(start, min(10_000, entries - 1 - start)):
            last = write(draft, ledger=last.ledger, previous=last, now=last.at)
            yield last.seq, last.prev, last.hash, last.text


def fill(path: Path, entries: int) -> None:
    """A ledger of so many entries, written in one go: how fast it is written is measured elsewhere."""

    def decide(_state: int, _command: None, _now: datetime) -> Sequence[Draft]:
        return []

    def count(state: int, _entry: Entry) -> int:
        return state + 1

    with closing(SqlLedger(f"sqlite:///{path}", fold=count, initial=0, decide=decide)) as ledger:
        ledger.begin(ledger="6f1c9a52", actor="ops", fingerprint="torghut", now=datetime.now(UTC))
        first = ledger.entry(1)
    assert first is not None
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany(
            "INSERT INTO entry (seq, prev, hash, entry) VALUES (?, ?, ?, ?)", chained(entries, first)
        )
        connection.execute("UPDATE head SET (seq, hash) = (SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1)")
        connection.commit()


def filled(path: Path, entries: int) -> Path:
    """Filled by a process of its own, so that its memory is not counted here."""
    writer = multiprocessing.get_context("spawn").Process(target=fill, args=(path, entries))
    writer.start()
    writer.join()
    return path


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(300):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.002)


async def measure(path: Path) -> dict[str, float]:
    """Opens the screen and turns pages while the chain is verified behind them."""
    books = LedgerBooks(lambda: LedgerReader(f"sqlite:///{path}"), SystemClock(None), "bench")
    seat = Seat("torghut", "PRODUCTION", "alice", False, "0", path.parent)
    app = RampdeckApp(Stage(states.ok()), Recorder(), books, lambda: datetime.now(UTC), seat)
    figures: dict[str, float] = {}
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        before, started = resident(), time.perf_counter()
        app.ramp.action_ledger()
        await until(lambda: isinstance(app.screen, LedgerScreen) and app.screen.reading.shelf.rows)
        figures["seconds to the newest page"] = time.perf_counter() - started
        screen = app.screen
        assert isinstance(screen, LedgerScreen)
        started, worst = time.perf_counter(), 0.0
        while not (screen.reading.proof is not None and screen.reading.proof.done):
            turned = time.perf_counter()
            screen.action_turn(1)
            await asyncio.sleep(0.01)
            worst = max(worst, time.perf_counter() - turned - 0.01)
        figures["seconds to verified, pages turned meanwhile"] = time.perf_counter() - started
        figures["longest turn of a page meanwhile, seconds"] = worst
        started = time.perf_counter()
        screen.action_oldest()
        await until(lambda: screen.reading.shelf.rows and screen.reading.shelf.rows[-1].seq == 1)
        figures["seconds to the oldest page"] = time.perf_counter() - started
        figures["MiB more than before it was opened"] = resident() - before
        figures["entries held"] = float(len(screen.reading.shelf.rows))
    for name, only in (("kind", EntryFilter(kind="intent")), ("rare text", EntryFilter(text="note 4242"))):
        started = time.perf_counter()
        books.leaf(only)
        figures[f"seconds to the first page by {name}"] = time.perf_counter() - started
    started = time.perf_counter()
    books.leaf(EVERY, before=max(2, int(figures["entries held"])))
    figures["seconds to one more page"] = time.perf_counter() - started
    return figures


def main(entries: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name) / "small.db", Path(name) / "large.db"
        few, many = asyncio.run(measure(filled(small, SMALL))), asyncio.run(measure(filled(large, entries)))
        print(f"{'':46}{SMALL:>12,}{entries:>12,}  ratio")
        for figure, value in many.items():
            ratio = f"{value / few[figure]:.1f}" if few[figure] > 0 else "-"
            print(f"{figure:<46}{few[figure]:>12.3f}{value:>12.3f}  {ratio}")
        print(f"limit to the newest page: {LIMIT} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
