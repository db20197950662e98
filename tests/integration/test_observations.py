"""The observation store: ticks in order, digests for the seals, pruning, trouble."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from console.store.database import database_url
from console.store.observations import BATCH, START, ObservationsAway, SqlObservations, chain_digest
from stages.entries import canonical

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "observations.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlObservations]:
    with closing(SqlObservations(f"sqlite:///{path}")) as opened:
        opened.begin()
        yield opened


def fill(store: SqlObservations, count: int) -> list[int]:
    return [store.append_tick(NOW + timedelta(seconds=n), {"n": n, "pnl": Decimal("-12.50")}) for n in range(count)]


def test_ticks_come_back_in_order_and_exact(store: SqlObservations) -> None:
    assert store.newest_tick() is None
    assert fill(store, 5) == [1, 2, 3, 4, 5]
    newest = store.newest_tick()
    assert newest is not None
    assert (newest.seq, newest.at, newest.body) == (5, NOW + timedelta(seconds=4), {"n": 4, "pnl": "-12.50"})
    assert [tick.seq for tick in store.ticks(after=2, upto=4)] == [3, 4]
    assert [tick.seq for tick in store.ticks(since=NOW + timedelta(seconds=3))] == [4, 5]


def test_another_process_sees_the_ticks(store: SqlObservations, path: Path) -> None:
    fill(store, 2)
    with closing(SqlObservations(f"sqlite:///{path}")) as desk:
        tick = desk.newest_tick()
        assert tick is not None
        assert tick.seq == 2


def test_the_digest_of_a_span_can_be_recomputed_by_anyone(store: SqlObservations) -> None:
    fill(store, 4)
    texts = [canonical({"n": n, "pnl": "-12.50"}) for n in (1, 2, 3)]
    by_hand = bytes.fromhex(START)
    for text in texts:
        by_hand = sha256(by_hand + text.encode()).digest()
    assert store.digest(after=1, upto=4) == (by_hand.hex(), 3)
    assert store.digest(after=4) == (START, 0)


def test_a_tick_takes_little_room_and_reads_as_it_was_written(store: SqlObservations) -> None:
    body = {"samples": {f"signal{n}": {"quality": "OK", "value": str(n)} for n in range(200)}}
    store.append_tick(NOW, body)
    with store.database.read() as connection:
        room = connection.exec_driver_sql("SELECT length(body) FROM tick").scalar_one()
    newest = store.newest_tick()
    assert newest is not None
    assert newest.body == body
    assert room < len(newest.text) / 4


def test_a_damaged_tick_changes_the_digest_and_says_nothing(store: SqlObservations) -> None:
    fill(store, 2)
    sound = store.digest()
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE tick SET body = x'78ff00' WHERE seq = 2")
    assert store.digest() != sound
    newest = store.newest_tick()
    assert newest is not None
    with pytest.raises(ValueError, match="Expecting value"):
        _ = newest.body


def test_the_digest_depends_on_order_and_content() -> None:
    assert len({chain_digest(texts) for texts in (["a", "b"], ["b", "a"], ["ab"], ["a"], [])}) == 5


def test_accumulators_are_kept_by_digest_and_checked(store: SqlObservations) -> None:
    digest = store.put_accumulators({"observed": Decimal("12.5"), "samples": 50}, at=NOW)
    assert store.put_accumulators({"samples": 50, "observed": "12.5"}, at=NOW) == digest
    assert store.accumulators(digest) == {"observed": "12.5", "samples": 50}
    for altered in (zlib.compress(b'{"observed":"12.5","samples":500}'), b"\x00\xff", '{"samples":50}'):
        with store.database.write() as connection:
            connection.exec_driver_sql("UPDATE accumulators SET body = ?", (altered,))
        assert store.accumulators(digest) is None
    assert store.accumulators("0" * 64) is None


def test_pruning_removes_what_is_old_and_keeps_the_newest(store: SqlObservations) -> None:
    with store.database.write() as connection:
        rows = [(int((NOW + timedelta(seconds=n)).timestamp()) * 1_000_000, "{}") for n in range(2500)]
        for row in rows:
            connection.exec_driver_sql("INSERT INTO tick (at, body) VALUES (?, ?)", row)
    old = store.put_accumulators({"n": 1}, at=NOW)
    kept = store.put_accumulators({"n": 2}, at=NOW + timedelta(hours=1))
    assert store.prune(NOW + timedelta(seconds=2400)) == 2400
    assert [tick.seq for tick in store.ticks()][:2] == [2401, 2402]
    assert (store.accumulators(old), store.accumulators(kept)) == (None, {"n": 2})
    assert store.prune(NOW + timedelta(days=1)) == 99
    assert store.accumulators(kept) == {"n": 2}
    assert store.append_tick(NOW, {}) == 2501


def test_pruning_stops_at_its_bound_and_after_its_batches(store: SqlObservations) -> None:
    with store.database.write() as connection:
        for n in range(BATCH + 500):
            at = int((NOW + timedelta(seconds=n)).timestamp()) * 1_000_000
            connection.exec_driver_sql("INSERT INTO tick (at, body) VALUES (?, ?)", (at, "{}"))
    late = NOW + timedelta(days=1)
    assert store.prune(late, through=10) == 10
    assert store.prune(late, batches=1) == BATCH
    assert store.prune(late, batches=1) == 489


def test_numbers_are_not_used_again(store: SqlObservations) -> None:
    fill(store, 3)
    with store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM tick")
    assert store.append_tick(NOW, {}) == 4


def test_a_missing_store_is_not_made_by_asking(path: Path) -> None:
    store = SqlObservations(f"sqlite:///{path}")
    with closing(store):
        for ask in (store.newest_tick, lambda: store.append_tick(NOW, {}), lambda: store.accumulators("x")):
            with pytest.raises(ObservationsAway, match="observation store does not exist"):
                ask()
    assert not path.exists()


def test_postgresql_urls_use_the_driver_that_is_shipped() -> None:
    assert database_url("postgresql://ops@db/rampdeck").drivername == "postgresql+psycopg"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="tells what a process maps on Linux alone")
def test_a_console_that_stays_open_for_days_does_not_take_the_file_into_its_memory(
    store: SqlObservations, path: Path
) -> None:
    fill(store, 200)
    assert sum(1 for _ in store.ticks()) == 200
    mapped = {line.rpartition(" ")[2] for line in Path("/proc/self/maps").read_text().splitlines()}
    assert str(path) not in mapped
