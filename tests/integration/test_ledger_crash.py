"""Writers that are killed, and writers that race: the chain stays whole."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.store.ledger import SqlLedger
from stages.entries import Draft, Entry

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

WRITER = """
import sys
from datetime import UTC, datetime
from console.store.ledger import SqlLedger
from stages.entries import Draft

def decide(state, command, now):
    return [Draft("note", None, None, command, {"text": f"{command} after {state}"}) for _ in range(3)]

path, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
ledger = SqlLedger(f"sqlite:///{path}", fold=lambda state, entry: state + 1, initial=0, decide=decide)
ledger.state()
print("ready", flush=True)
sys.stdin.readline()
while rounds:
    rounds -= 1
    entries = ledger.transact(name, now=datetime.now(UTC), deadline=60)
    print(entries[-1].seq, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    with closing(open_ledger(path)) as ledger:
        ledger.begin(ledger="6f1c9a52-0f0e-4c3e-9d53-2f3f6a2b7a10", actor="ops", fingerprint="torghut", now=NOW)
    return path


def open_ledger(path: Path) -> SqlLedger[int, str]:
    def count(state: int, _entry: Entry) -> int:
        return state + 1

    def decide(_state: int, command: str, _now: datetime) -> list[Draft]:
        return [Draft("note", None, None, "ops", {"text": command})]

    return SqlLedger(f"sqlite:///{path}", fold=count, initial=0, decide=decide)


@contextmanager
def writer(path: Path, name: str, rounds: int, root: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(rounds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
        bufsize=0,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[bytes], seconds: float = 60) -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], seconds)
    assert readable, "the writer said nothing"
    return process.stdout.readline().decode().strip()


def go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")


def test_a_writer_killed_anywhere_leaves_whole_transactions_and_loses_nothing_it_reported(
    path: Path, root: Path
) -> None:
    reported = 1
    for attempt in range(12):
        with writer(path, f"writer-{attempt}", -1, root) as process:
            assert line(process) == "ready"
            go(process)
            for _ in range(1 + attempt):
                reported = int(line(process))
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        with closing(open_ledger(path)) as ledger:
            verdict = ledger.verify()
            assert verdict.problems == ()
            assert verdict.entries >= reported
            assert (verdict.entries - 1) % 3 == 0, "three entries of one decision are there together or not at all"
            assert ledger.state() == verdict.entries


def test_three_processes_append_side_by_side(path: Path, root: Path) -> None:
    names = ("watch", "desk", "kill")
    with (
        writer(path, names[0], 67, root) as first,
        writer(path, names[1], 67, root) as second,
        writer(path, names[2], 66, root) as third,
    ):
        processes = (first, second, third)
        for process in processes:
            assert line(process) == "ready"
        for process in processes:
            go(process)
        for process in processes:
            process.communicate(timeout=60)
            assert process.returncode == 0
    with closing(open_ledger(path)) as ledger:
        assert ledger.verify().problems == ()
        actors = [entry.actor for entry in ledger.entries(after=1)]
    assert len(actors) == 600
    assert {name: actors.count(name) for name in names} == {"watch": 201, "desk": 201, "kill": 198}


def test_every_decision_saw_all_entries_before_it(path: Path, root: Path) -> None:
    with writer(path, "watch", 40, root) as first, writer(path, "desk", 40, root) as second:
        for process in (first, second):
            assert line(process) == "ready"
        for process in (first, second):
            go(process)
        for process in (first, second):
            process.communicate(timeout=60)
    with closing(open_ledger(path)) as ledger:
        for entry in ledger.entries(after=1):
            before = entry.seq - 1 - (entry.seq - 2) % 3
            assert entry.body["text"] == f"{entry.actor} after {before}"
