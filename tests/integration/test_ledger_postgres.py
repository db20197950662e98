"""The same ledger on a real PostgreSQL cluster, started for these tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.store.ledger import SqlLedger
from console.store.observations import SqlObservations
from stages.entries import Draft, Entry, EntryFilter, LedgerAway
from stages.refusal import Refusal

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

Names = tuple[str, ...]
NONE: Names = ()


def find_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's initdb is not installed")
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if user:
            shutil.chown(folder, user)
        data = f"{folder}/data"

        def run(*command: str) -> None:
            subprocess.run(
                [str(binaries / command[0]), *command[1:]],
                user=user,
                cwd=folder,
                check=True,
                capture_output=True,
                timeout=60,
            )

        run("initdb", "-D", data, "-U", "rampdeck", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://rampdeck@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")


@pytest.fixture
def url(cluster: str) -> Iterator[str]:
    yield cluster
    with closing(open_ledger(cluster, begin=False)) as ledger:
        ledger.tables.metadata.drop_all(ledger.database.engine)


def fold(state: Names, entry: Entry) -> Names:
    return (*state, entry.body["key"]) if entry.kind == "latch-opened" else state


def decide(state: Names, command: str, now: datetime) -> Sequence[Draft] | Refusal:
    return () if command in state else [Draft("latch-opened", "L1", None, "watch", {"key": command, "cause": "Δ"})]


def open_ledger(url: str, *, begin: bool = True) -> SqlLedger[Names, str]:
    ledger = SqlLedger(url, fold=fold, initial=NONE, decide=decide)
    if begin:
        ledger.begin(ledger="6f1c9a52", actor="ops", fingerprint="torghut", now=NOW)
    return ledger


def test_decisions_filters_and_verification_are_the_same(url: str) -> None:
    with closing(open_ledger(url)) as ledger, closing(open_ledger(url)) as other:
        ledger.transact("loss", now=NOW + timedelta(seconds=2))
        assert other.transact("loss", now=NOW) == ()
        assert other.state() == ("loss",)
        assert [entry.seq for entry in other.newest(EntryFilter(kind="latch-opened", stage="L1"))] == [2]
        assert ledger.verify().document()["ok"]
        assert ledger.verify().entries == 2


def test_racing_threads_open_one_latch(url: str) -> None:
    with closing(open_ledger(url)) as one, closing(open_ledger(url)) as two, ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda n: (one, two)[n % 2].transact(f"latch-{n % 5}", now=NOW), range(40)))
        assert sum(len(outcome) for outcome in outcomes if isinstance(outcome, tuple)) == 5
        assert one.verify().problems == ()


def test_tampering_is_located(url: str) -> None:
    with closing(open_ledger(url)) as ledger:
        for number in range(4):
            ledger.transact(f"latch-{number}", now=NOW)
        with ledger.database.write() as connection:
            connection.exec_driver_sql("UPDATE entry SET entry = replace(entry, 'watch', 'eve') WHERE seq = 3")
        assert [problem.seq for problem in ledger.verify().problems] == [3]


def test_the_lease_lives_by_the_databases_clock(url: str) -> None:
    with closing(open_ledger(url)) as ledger:
        long_ago = NOW - timedelta(days=400)
        assert ledger.lease.acquire("watch@ops-1", long_ago) == 1
        assert ledger.lease.acquire("watch@ops-2", NOW + timedelta(days=400)) is None
        assert ledger.lease.renew(1, long_ago)
        assert ledger.lease.take_over("watch@ops-2", NOW) == (2, "watch@ops-1")
        assert isinstance(ledger.transact("loss", now=NOW, term=1), Refusal)


def test_a_held_lock_keeps_a_reducing_caller_no_longer_than_its_deadline(url: str) -> None:
    with closing(open_ledger(url)) as holder, closing(open_ledger(url)) as ledger:
        with holder.database.write(), pytest.raises(LedgerAway, match="locked by another writer"):
            ledger.transact("loss", now=NOW, deadline=0.05)
        assert isinstance(ledger.transact("loss", now=NOW, deadline=60), tuple)


def test_observations_in_the_same_database(url: str) -> None:
    with closing(open_ledger(url)), closing(SqlObservations(url)) as store:
        store.begin()
        seqs = [store.append_tick(NOW + timedelta(seconds=n), {"n": n}) for n in range(5)]
        assert store.digest(after=seqs[0])[1] == 4
        assert store.prune(NOW + timedelta(seconds=3)) == 3
