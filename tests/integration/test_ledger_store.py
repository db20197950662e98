"""The ledger store on real SQLite files: the write transaction, the lease, tampering and every kind of trouble."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.store.database import PATIENCE, Database
from console.store.ledger import SqlLedger
from console.store.reader import LedgerReader
from console.store.spill import Spill
from stages.entries import EMPTY, Draft, Entry, EntryFilter, LedgerAltered, LedgerAway
from stages.refusal import Refusal, Trouble

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
LEDGER = "6f1c9a52-0f0e-4c3e-9d53-2f3f6a2b7a10"
TARGET = {"namespace": "torghut", "account": "PA3SX7FYNUTF"}

Names = tuple[str, ...]
NONE: Names = ()


def fold(state: Names, entry: Entry) -> Names:
    return (*state, entry.body["key"]) if entry.kind == "latch-opened" else state


def decide(state: Names, command: str, now: datetime) -> Sequence[Draft] | Refusal:
    """A latch by name, once; ``deny`` is refused."""
    if command == "deny":
        return Refusal("forbidden", "not by this actor")
    if command in state:
        return ()
    return [Draft("latch-opened", "L1", None, "watch", {"key": command, "mode": "FROZEN", "cap": None})]


def denial(command: str, refusal: Refusal) -> Draft:
    return Draft("denied", None, None, "ops", {"code": refusal.code, "reason": refusal.reason, "command": command})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


def open_ledger(path: Path, *, begin: bool = True) -> SqlLedger[Names, str]:
    ledger = SqlLedger(f"sqlite:///{path}", fold=fold, initial=NONE, decide=decide, denial=denial)
    if begin:
        ledger.begin(ledger=LEDGER, actor="ops", fingerprint=TARGET, now=NOW)
    return ledger


@pytest.fixture
def ledger(path: Path) -> Iterator[SqlLedger[Names, str]]:
    with closing(open_ledger(path)) as opened:
        yield opened


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


# ------------------------------------------------------------------------------------------------ the write transaction


def test_a_decision_is_appended_chained_and_folded(ledger: SqlLedger[Names, str]) -> None:
    appended = ledger.transact("loss", now=NOW)
    assert isinstance(appended, tuple)
    assert [(entry.seq, entry.kind, entry.stage) for entry in appended] == [(2, "latch-opened", "L1")]
    assert ledger.state() == ("loss",)
    assert ledger.head() == appended[-1].head
    assert list(ledger.entries(after=1)) == list(appended)
    assert ledger.verify().ok


def test_another_object_decides_on_the_newest_state(path: Path, ledger: SqlLedger[Names, str]) -> None:
    with closing(open_ledger(path)) as other:
        assert other.state() == ()
        ledger.transact("loss", now=NOW)
        assert other.transact("loss", now=NOW) == ()
        assert other.state() == ("loss",)
    assert ledger.head().seq == 2


def test_a_refusal_changes_nothing_but_is_kept(ledger: SqlLedger[Names, str]) -> None:
    refused = ledger.transact("deny", now=NOW)
    assert refused == Refusal("forbidden", "not by this actor")
    assert ledger.state() == ()
    assert ledger.newest(EntryFilter(kind="denied"))[0].body["code"] == "forbidden"


def test_a_fault_in_decide_leaves_no_trace(path: Path) -> None:
    def faulty(_state: Names, _command: str, _now: datetime) -> Sequence[Draft]:
        return [Draft("note", None, None, "ops", {"text": "kept?"}), Draft("no-such-kind", None, None, "ops", {})]

    with closing(SqlLedger(f"sqlite:///{path}", fold=fold, initial=NONE, decide=faulty)) as ledger:
        ledger.begin(ledger=LEDGER, actor="ops", fingerprint=TARGET, now=NOW)
        with pytest.raises(ValueError, match="no-such-kind"):
            ledger.transact("x", now=NOW)
        assert ledger.head().seq == 1
        assert ledger.append([Draft("note", None, None, "ops", {"text": "on"})], now=NOW)[0].seq == 2


def test_racing_threads_open_one_latch(path: Path, ledger: SqlLedger[Names, str]) -> None:
    with closing(open_ledger(path)) as other, ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: (ledger, other)[n % 2].transact("loss", now=NOW), range(40)))
    assert sum(len(outcome) for outcome in outcomes if isinstance(outcome, tuple)) == 1
    assert ledger.verify().ok


def test_begin_is_idempotent_and_keeps_the_first_identity(ledger: SqlLedger[Names, str]) -> None:
    again = ledger.begin(ledger="another", actor="other", fingerprint=TARGET, now=NOW + timedelta(days=1))
    assert (again.ledger, again.seq, ledger.head().seq) == (LEDGER, 1, 1)


def test_begin_refuses_the_ledger_of_another_target(ledger: SqlLedger[Names, str]) -> None:
    with pytest.raises(Trouble, match="belongs to another target"):
        ledger.begin(ledger=LEDGER, actor="ops", fingerprint={"namespace": "demo"}, now=NOW)


def test_newest_filters_and_pages(ledger: SqlLedger[Names, str]) -> None:
    for number in range(5):
        ledger.transact(f"latch-{number}", now=NOW + timedelta(minutes=number))
    ledger.append([Draft("note", None, "i-1", "ops", {"text": "x"})], now=NOW + timedelta(minutes=9))
    seqs = [entry.seq for entry in ledger.newest(EntryFilter(kind="latch-opened"), limit=2)]
    assert seqs == [6, 5]
    assert [entry.seq for entry in ledger.newest(EntryFilter(stage="L1"), before=5, limit=2)] == [4, 3]
    assert [entry.seq for entry in ledger.newest(EntryFilter(since=NOW + timedelta(minutes=4)))] == [7, 6]
    assert [entry.seq for entry in ledger.newest(EntryFilter(actor="ops", intent="i-1"))] == [7]


# ------------------------------------------------------------------------------------------------------------ the lease


def test_one_watch_holds_the_lease_until_it_expires(ledger: SqlLedger[Names, str]) -> None:
    assert ledger.lease.current() is None
    assert ledger.lease.acquire("watch@ops-1", NOW) == 1
    assert ledger.lease.acquire("watch@ops-2", NOW + timedelta(seconds=9)) is None
    assert ledger.lease.renew(1, NOW + timedelta(seconds=9))
    assert ledger.lease.acquire("watch@ops-2", NOW + timedelta(seconds=18)) is None
    assert ledger.lease.acquire("watch@ops-2", NOW + timedelta(seconds=19)) == 2
    assert not ledger.lease.renew(1, NOW + timedelta(seconds=20))
    kept = [(entry.body["state"], entry.body["term"]) for entry in ledger.entries() if entry.kind == "lease"]
    assert kept == [("taken", 1), ("expired", 1), ("taken", 2)]


def test_taking_over_says_whom_it_relieved(ledger: SqlLedger[Names, str]) -> None:
    ledger.lease.acquire("watch@ops-1", NOW)
    assert ledger.lease.take_over("watch@ops-2", NOW) == (2, "watch@ops-1")
    assert ledger.newest(limit=1)[0].body["relieved"] == "watch@ops-1"
    held = ledger.lease.current()
    assert held is not None
    assert (held.holder, held.term, held.expires) == ("watch@ops-2", 2, NOW + timedelta(seconds=10))


def test_a_released_lease_is_free_and_its_term_is_fenced(ledger: SqlLedger[Names, str]) -> None:
    ledger.lease.acquire("watch@ops-1", NOW)
    assert ledger.lease.release(1, NOW)
    assert not ledger.lease.release(1, NOW)
    assert isinstance(ledger.transact("loss", now=NOW, term=1), Refusal)
    assert ledger.lease.acquire("watch@ops-2", NOW) == 2


def test_a_relieved_watch_is_refused_inside_the_transaction(path: Path, ledger: SqlLedger[Names, str]) -> None:
    term = ledger.lease.acquire("watch@ops-1", NOW)
    assert isinstance(ledger.transact("first", now=NOW, term=term), tuple)
    with closing(open_ledger(path)) as other:
        other.lease.take_over("watch@ops-2", NOW)
    refused = ledger.transact("second", now=NOW, term=term)
    assert isinstance(refused, Refusal)
    assert refused.code == "relieved"
    assert "watch@ops-2 holds term 2" in refused.reason
    assert ledger.state() == ("first",)


# -------------------------------------------------------------------------------------------------------------- trouble


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


@pytest.mark.parametrize("warm", [True, False])
def test_a_locked_ledger_keeps_a_reducing_caller_no_longer_than_its_deadline(path: Path, *, warm: bool) -> None:
    open_ledger(path).close()
    with closing(open_ledger(path, begin=False)) as ledger:
        if warm:
            ledger.state()
        with locked(path):
            started = time.monotonic()
            with pytest.raises(LedgerAway, match="locked by another process"):
                ledger.transact("loss", now=NOW, deadline=0.05)
            assert time.monotonic() - started < 4, "the ledger itself waits five seconds"
            assert ledger.state() == ()
        assert isinstance(ledger.transact("loss", now=NOW, deadline=60), tuple)


def test_a_deadline_that_passed_leaves_the_connection_as_patient_as_it_was(path: Path) -> None:
    open_ledger(path).close()
    with closing(Database(f"sqlite:///{path}", name="ledger", away=LedgerAway)) as database:
        with locked(path), pytest.raises(LedgerAway), database.write(0.02):
            pytest.fail("it was locked")
        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 1000 * PATIENCE


def test_a_reduction_spills_while_the_ledger_is_away_and_is_merged_when_it_is_back(
    path: Path, ledger: SqlLedger[Names, str]
) -> None:
    spill = Spill(path.with_name("ledger.db.spill"))
    with locked(path):
        with pytest.raises(LedgerAway) as away:
            ledger.transact("loss", now=NOW, deadline=0.05)
        drafts = decide(NONE, "loss", NOW)
        assert not isinstance(drafts, Refusal)
        spill.append(drafts, at=NOW, cause=away.value.what)
        with pytest.raises(LedgerAway):
            spill.merge(ledger, actor="watch", now=NOW, deadline=0.05)
    gap, opened = spill.merge(ledger, actor="watch", now=NOW + timedelta(minutes=1))
    assert (gap.kind, gap.body["records"]) == ("gap", 1)
    assert "locked by another process" in gap.body["cause"]
    assert opened.body["spilledAt"] == "2026-11-23T14:30:00.000000Z"
    assert ledger.state() == ("loss",)
    assert ledger.verify().ok


def test_a_patient_caller_waits_for_its_turn(path: Path, ledger: SqlLedger[Names, str]) -> None:
    waiting = threading.Event()

    def ask() -> tuple[Entry, ...] | Refusal:
        waiting.set()
        return ledger.transact("loss", now=NOW)

    with ThreadPoolExecutor(1) as pool:
        with locked(path):
            outcome = pool.submit(ask)
            assert waiting.wait(60)
            assert not outcome.done()
        assert isinstance(outcome.result(60), tuple)


def test_a_thread_that_holds_the_ledger_keeps_others_no_longer_than_their_deadline(
    ledger: SqlLedger[Names, str],
) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow(_connection: object, _state: Names) -> Sequence[Draft]:
        inside.set()
        assert leave.wait(60)
        return ()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(ledger.within, slow, now=NOW)
        assert inside.wait(60)
        with pytest.raises(LedgerAway, match="another thread"):
            ledger.transact("loss", now=NOW, deadline=0.05)
        assert ledger.state() == ()
        leave.set()
        assert held.result(60) == ()


@contextmanager
def without_privileges() -> Iterator[Path]:
    """A folder used as an ordinary user: root may write what is read-only."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
            try:
                yield Path(folder)
            finally:
                os.seteuid(0)
        else:
            yield Path(folder)
            Path(folder).chmod(0o700)


def test_a_read_only_ledger_reads_but_does_not_write() -> None:
    with without_privileges() as folder:
        path = folder / "ledger.db"
        open_ledger(path).close()
        path.chmod(0o400)
        with closing(open_ledger(path, begin=False)) as ledger:
            assert ledger.state() == ()
            with pytest.raises(LedgerAway, match="read-only"):
                ledger.transact("loss", now=NOW)


def test_a_copy_in_a_read_only_folder_can_be_verified() -> None:
    with without_privileges() as folder:
        path = folder / "ledger.db"
        open_ledger(path).close()
        path.chmod(0o400)
        folder.chmod(0o500)
        with closing(LedgerReader(f"sqlite:///{path}")) as reader:
            assert reader.verify().ok
        folder.chmod(0o700)


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("apiVersion: v1\n" * 100)
    with closing(open_ledger(path, begin=False)) as ledger:
        for ask in (ledger.state, lambda: ledger.transact("loss", now=NOW), lambda: open_ledger(path)):
            with pytest.raises(LedgerAway, match=r"ledger\.db: the ledger is not a SQLite database; name another"):
                ask()
    assert path.read_text().startswith("apiVersion")


def test_a_database_of_something_else_is_named(path: Path) -> None:
    path.parent.mkdir()
    sql(path, "CREATE TABLE harbour (ship TEXT)")
    with closing(LedgerReader(f"sqlite:///{path}")) as reader, pytest.raises(LedgerAway, match="no such table"):
        reader.head()


def test_a_missing_folder_is_made_and_private(path: Path) -> None:
    assert not path.parent.exists()
    with closing(open_ledger(path)) as ledger:
        assert ledger.head().seq == 1
    assert path.parent.stat().st_mode & 0o077 == 0


def test_asking_a_missing_ledger_does_not_make_it(path: Path) -> None:
    with closing(LedgerReader(f"sqlite:///{path}")) as reader:
        for ask in (reader.head, reader.verify, reader.newest, lambda: list(reader.entries())):
            with pytest.raises(LedgerAway, match="does not exist"):
                ask()
    with closing(open_ledger(path, begin=False)) as ledger, pytest.raises(LedgerAway, match="does not exist"):
        ledger.transact("loss", now=NOW)
    assert not path.parent.exists()


def test_a_path_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(LedgerAway, match="has no folder"):
        open_ledger(tmp_path / "state" / "ledger.db")


def test_a_full_disk_stops_the_entry_whole_and_passes(path: Path, ledger: SqlLedger[Names, str]) -> None:
    with ledger.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    filling = [Draft("note", None, None, "ops", {"text": "x" * 3000}) for _ in range(20)]
    with pytest.raises(LedgerAway, match="disk is full"):
        ledger.append(filling, now=NOW)
    assert ledger.head().seq == 1
    assert ledger.verify().ok
    with ledger.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert len(ledger.append(filling, now=NOW)) == 20


def test_a_clock_that_steps_back_is_recorded(ledger: SqlLedger[Names, str]) -> None:
    ledger.transact("first", now=NOW + timedelta(hours=1))
    second = ledger.transact("second", now=NOW)
    assert isinstance(second, tuple)
    assert second[0].at == NOW + timedelta(hours=1)
    assert second[0].body["clockStep"] == -3600
    assert ledger.verify().ok


@pytest.mark.parametrize("url", ["ledger.db", "mysql://host/x", "sqlite://", "sqlite:///:memory:", "", "postgres//"])
def test_a_url_that_names_no_store_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(Trouble) as refused:
        LedgerReader(url)
    assert "sqlite:////path/to/file" in refused.value.line
    assert "\n" not in refused.value.line


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with closing(LedgerReader("sqlite:///~/state/ledger.db")) as reader:
        assert reader.database.path == tmp_path / "state" / "ledger.db"


def test_a_password_stays_out_of_the_error() -> None:
    reader = LedgerReader("postgresql://ops:hunter2@127.0.0.1:1/ledger")
    with closing(reader), pytest.raises(LedgerAway) as away:
        reader.head()
    assert "hunter2" not in away.value.line
    assert "127.0.0.1" in away.value.line


# ------------------------------------------------------------------------------------------------------------ tampering

FORGE = 'UPDATE entry SET entry = replace(entry, \'"actor":"watch"\', \'"actor":"eve"\') WHERE seq = 4'
TAMPERING = {
    "altered": ([FORGE], {4}),
    "dropped": (["DELETE FROM entry WHERE seq = 4"], {4}),
    "dropped newest": (["DELETE FROM entry WHERE seq > 5"], {6}),
    "dropped all": (["DELETE FROM entry"], {1}),
    "swapped": (
        [
            "UPDATE entry SET seq = 99 WHERE seq = 3",
            "UPDATE entry SET seq = 3 WHERE seq = 5",
            "UPDATE entry SET seq = 5 WHERE seq = 99",
        ],
        {3, 5},
    ),
    "inserted": (
        ["INSERT INTO entry (seq, prev, hash, entry) SELECT 8, 'p', 'h', entry FROM entry WHERE seq=3"],
        {8},
    ),
    "hash column": (["UPDATE entry SET hash = 'x' WHERE seq = 4"], {4}),
    "prev column": (["UPDATE entry SET prev = 'x' WHERE seq = 4"], {4}),
    "head row": (["UPDATE head SET hash = 'x'"], {7}),
    "no head row": (["DELETE FROM head"], {8}),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_with_the_file_is_found_and_located(name: str, path: Path) -> None:
    statements, places = TAMPERING[name]
    with closing(open_ledger(path)) as ledger:
        for number in range(6):
            ledger.transact(f"latch-{number}", now=NOW)
    sql(path, *statements)
    with closing(LedgerReader(f"sqlite:///{path}")) as reader:
        verdict = reader.verify()
    assert not verdict.ok
    assert places <= {problem.seq for problem in verdict.problems}


@pytest.mark.parametrize("name", sorted(set(TAMPERING) - {"hash column", "prev column"}))
def test_a_console_that_starts_on_an_altered_ledger_does_not_write_to_it(name: str, path: Path) -> None:
    with closing(open_ledger(path)) as ledger:
        for number in range(6):
            ledger.transact(f"latch-{number}", now=NOW)
    sql(path, *TAMPERING[name][0])
    with closing(open_ledger(path, begin=False)) as ledger:
        with pytest.raises(LedgerAltered, match="ledger verify"):
            ledger.transact("new", now=NOW)
        with pytest.raises(LedgerAltered):
            ledger.state()


def test_a_ledger_that_lost_its_newest_entries_is_noticed_by_who_saw_them(path: Path) -> None:
    with closing(open_ledger(path)) as ledger:
        for number in range(3):
            ledger.transact(f"latch-{number}", now=NOW)
        third = ledger.entry(3)
        assert third is not None
        sql(path, "DELETE FROM entry WHERE seq = 4", f"UPDATE head SET seq = 3, hash = '{third.hash}'")
        with pytest.raises(LedgerAltered):
            ledger.transact("new", now=NOW)


def test_an_empty_head_before_the_genesis(path: Path) -> None:
    with closing(open_ledger(path, begin=False)) as ledger:
        ledger.database.create(ledger.tables.metadata)
        assert ledger.head() == EMPTY
        with pytest.raises(LedgerAway, match="no genesis entry"):
            ledger.transact("loss", now=NOW)
