"""What the ledger costs: ``python tests/benchmarks/bench_ledger.py [ENTRIES]`` prints figures beside their limits.

The limits hold for a machine of its own; on a busy one compare the ratios to the bare SQLite figures of the same run.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import quantiles

from console.store.ledger import SqlLedger
from console.store.reader import LedgerReader
from stages.entries import Draft, Entry, EntryFilter

WRITERS = 3
INTENTS = 300


def draft(text: str) -> Draft:
    blobs = {"argocd/applications/torghut/scheduler-deployment.yaml": "9f" * 20}
    return Draft("intent", "L1", "01JD2Z8W", "watch@ops-1", {"act": "reduce", "cause": text, "blobs": blobs})


def decide(_state: int, command: str, _now: datetime) -> Sequence[Draft]:
    return [draft(command)]


def count(state: int, _entry: Entry) -> int:
    return state + 1


def open_ledger(path: Path) -> SqlLedger[int, str]:
    return SqlLedger(f"sqlite:///{path}", fold=count, initial=0, decide=decide)


def write_intents(path: Path, pause: float, waits: multiprocessing.Queue[list[float]]) -> None:
    """One of the writers: an intent every ``pause`` seconds, or as fast as it goes."""
    with closing(open_ledger(path)) as ledger:
        ledger.state()
        taken = []
        for number in range(INTENTS):
            started = time.perf_counter()
            ledger.transact(f"cause {number}", now=datetime.now(UTC))
            taken.append(time.perf_counter() - started)
            time.sleep(pause)
    waits.put(taken)


def contend(path: Path, pause: float) -> list[float]:
    waits: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    writers = [multiprocessing.Process(target=write_intents, args=(path, pause, waits)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    taken = [seconds for _ in writers for seconds in waits.get()]
    for writer in writers:
        writer.join()
    return taken


def bare_commit(folder: Path) -> float:
    """Seconds of the same insert without any ledger: what the disk asks for."""
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, entry TEXT)")
        started = time.perf_counter()
        for _ in range(INTENTS):
            connection.execute("INSERT INTO entry (entry) VALUES (?)", ("x" * 400,))
        return (time.perf_counter() - started) / INTENTS


def bare_hash(path: Path) -> float:
    """Seconds to read and hash every entry's text without looking at it."""
    with closing(sqlite3.connect(path)) as connection:
        started = time.perf_counter()
        for (text,) in connection.execute("SELECT CAST(entry AS BLOB) FROM entry ORDER BY seq"):
            sha256(text).hexdigest()
        return time.perf_counter() - started


def best(action: Callable[[], object], repeat: int = 5) -> float:
    def once() -> float:
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    return min(once() for _ in range(repeat))


def main(entries: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "ledger.db"
        with closing(open_ledger(path)) as ledger:
            ledger.begin(ledger="6f1c9a52", actor="ops", fingerprint="torghut", now=datetime.now(UTC))
            bare = bare_commit(folder)
            for label, pause in (("paced", 0.02), ("at full speed", 0.0)):
                cuts = quantiles(contend(path, pause), n=100)
                print(
                    f"intent append, {WRITERS} writers {label}: p50 {1000 * cuts[49]:.1f} ms,"
                    f" p99 {1000 * cuts[98]:.1f} ms (limit 50), {cuts[49] / bare:.1f} x a bare commit"
                )
            now, batch = datetime.now(UTC), 5_000
            seconds = 0.0
            for start in range(0, entries, batch):
                drafts = [draft(f"cause {number}") for number in range(start, start + batch)]
                started = time.perf_counter()
                ledger.append(drafts, now=now)
                seconds += time.perf_counter() - started
            print(f"batches of {batch}: {entries / seconds:,.0f} entries/s (limit 5,000)")
        with closing(LedgerReader(f"sqlite:///{path}")) as reader:
            total = reader.head().seq
            verifying = best(reader.verify)
            print(
                f"verify {total:,} entries: {total / verifying:,.0f}/s (limit 300,000),"
                f" {verifying / min(bare_hash(path) for _ in range(5)):.2f} x reading and hashing alone"
            )
            page = best(lambda: reader.newest(limit=100))
            rare = best(lambda: reader.newest(EntryFilter(kind="genesis"), limit=100))
            print(f"newest page: {1000 * page:.1f} ms, by kind: {1000 * rare:.1f} ms (limit 500)")
            tracemalloc.start()
            reader.verify()
            print(f"memory while verifying: {tracemalloc.get_traced_memory()[1] / 2**20:.1f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
