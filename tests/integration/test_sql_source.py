"""Positions by SQL: a real PostgreSQL in Torghut's shape, a SQLite file, and every way in which a database fails."""

from __future__ import annotations

import json
import os
import shutil
import signal as signals
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from console.sources import documents
from console.sources.sql import Rows, Select
from stages.measures import Signal, Source
from stages.policy import Policy
from stages.policy_text import load
from stages.refusal import Trouble
from stages.signals import LIVE_BOOK, Quality, Sample, SignalKey
from tests.integration.test_ledger_postgres import find_binaries
from tests.integration.test_sources_http import RealClock

LABEL = "PA3SX7FYNUTF"
TABLE = """
CREATE TABLE position_snapshots (
    alpaca_account_label text NOT NULL, as_of timestamptz NOT NULL,
    equity numeric NOT NULL, cash numeric NOT NULL, buying_power numeric NOT NULL, positions json NOT NULL
)
"""
COSTS = """
CREATE TABLE execution_tca_metrics (
    alpaca_account_label text, symbol text NOT NULL, slippage_bps numeric, computed_at timestamptz NOT NULL
)
"""
BOOK = [
    {"symbol": "NVDA", "qty": "10", "side": "long", "market_value": "1800.50", "current_price": "180.05"},
    {"symbol": "AMD", "qty": "-4", "side": "short", "market_value": "-600.25", "current_price": "150.0625"},
    {"symbol": "MU", "qty": "3", "side": "long", "market_value": "300", "current_price": "100"},
]


def started(folder: str, user: str | None, binaries: Path) -> str:
    """A cluster in a folder of its own that listens on a socket there; its URL."""
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    for command in (
        ("initdb", "-D", f"{folder}/data", "-U", "rampdeck", "-A", "trust", "-E", "UTF8", "--no-sync"),
        ("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start"),
    ):
        words = [str(binaries / command[0]), *command[1:]]
        subprocess.run(words, user=user, cwd=folder, check=True, capture_output=True, timeout=60)
    return f"postgresql://rampdeck@/postgres?host={folder}"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's initdb is not installed")
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if user:
            shutil.chown(folder, user)
        url = started(folder, user, binaries)
        try:
            with psycopg.connect(url) as connection:
                connection.execute(TABLE)
                connection.execute(COSTS)
                connection.execute("CREATE SEQUENCE counter")
            yield url
        finally:
            stop = [str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop"]
            subprocess.run(stop, user=user, cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def positions(database: str) -> Iterator[str]:
    """The database with a newest snapshot of the account, an older one, and one of somebody else."""
    now = datetime.now(UTC)
    rows = [
        (LABEL, now - timedelta(seconds=90), [{**BOOK[0], "market_value": "999999"}]),
        (LABEL, now - timedelta(seconds=5), BOOK),
        ("OTHER", now, [{**BOOK[0], "market_value": "777777"}]),
    ]
    with psycopg.connect(database) as connection:
        for label, at, book in rows:
            connection.execute(
                "INSERT INTO position_snapshots VALUES (%s, %s, 30000.10, 28500, 57000, %s)",
                (label, at, json.dumps(book)),
            )
    yield database
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM position_snapshots")


@pytest.fixture(scope="module")
def torghut(root: Path) -> Policy:
    return load((root / "stages/policies/torghut.yaml").read_text(encoding="utf-8"), "torghut.yaml")


def exposure(policy: Policy, url: str) -> dict[str, Sample]:
    """What the policy's signals by SQL say of the live book's exposure."""
    return by_sql(policy, url, "exposure")


def by_sql(policy: Policy, url: str, panel: str) -> dict[str, Sample]:
    named = {name for name, one in policy.spec.signals.items() if one.source.sql and one.panel == panel}
    fetches = documents(policy, {}, RealClock(), databases={"torghut": SecretStr(url)})
    samples = {key.name: one for fetch in fetches for key, one in fetch.read().samples.items() if key.book == LIVE_BOOK}
    return {name: samples[name] for name in named}


# --------------------------------------------------------------------------------------------- the policy's own queries


def test_one_request_tells_gross_net_largest_and_count(torghut: Policy, positions: str) -> None:
    fetches = [one for one in documents(torghut, {}, RealClock()) if one.name.startswith("sql")]
    assert [one.name for one in fetches] == ["sql gross", "sql slippageTail"]
    found = exposure(torghut, positions)
    assert {name: one.quality for name, one in found.items()} == dict.fromkeys(found, Quality.OK)
    assert found["gross"].value == Decimal("2700.75")
    assert found["net"].value == Decimal("1500.25")
    assert (found["largestName"].value, found["largestName"].text) == (Decimal("1800.50"), "NVDA")
    assert found["positions"].value == 3
    assert (found["long"].value, found["short"].value) == (Decimal("2100.50"), Decimal("-600.25"))
    event = found["gross"].event_time
    assert event is not None
    assert timedelta(seconds=4) < datetime.now(UTC) - event < timedelta(seconds=60)


def test_the_dear_end_of_a_days_costs_is_told_by_a_request_of_its_own(torghut: Policy, database: str) -> None:
    assert {one.quality for one in by_sql(torghut, database, "tca").values()} == {Quality.MISSING}
    now = datetime.now(UTC)
    rows: list[tuple[str, str, Decimal | int | None, datetime]]
    rows = [(LABEL, "NVDA", number, now - timedelta(minutes=number)) for number in range(1, 21)]
    rows += [(LABEL, "OLD", 900, now - timedelta(days=2)), ("OTHER", "MU", 800, now), (LABEL, "MU", None, now)]
    rows += [(LABEL, "AMD", Decimal("21.5"), now - timedelta(minutes=1))]
    with psycopg.connect(database) as connection:
        for row in rows:
            connection.execute("INSERT INTO execution_tca_metrics VALUES (%s, %s, %s, %s)", row)
    try:
        found = by_sql(torghut, database, "tca")
    finally:
        with psycopg.connect(database) as connection:
            connection.execute("DELETE FROM execution_tca_metrics")
    assert (found["worstOrder"].value, found["worstOrder"].text) == (Decimal("21.5"), "AMD")
    assert found["slippageTail"].value == 20


def test_an_account_without_positions_is_flat_and_one_without_snapshots_is_unknown(
    torghut: Policy, database: str
) -> None:
    assert {one.quality for one in exposure(torghut, database).values()} == {Quality.MISSING}
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO position_snapshots VALUES (%s, now(), 30000, 30000, 60000, '[]')", (LABEL,))
    try:
        found = exposure(torghut, database)
    finally:
        with psycopg.connect(database) as connection:
            connection.execute("DELETE FROM position_snapshots")
    assert {name: one.value for name, one in found.items()} == dict.fromkeys(found, Decimal(0))


def test_a_position_without_a_value_is_not_counted_as_nothing(torghut: Policy, database: str) -> None:
    book = [BOOK[0], {"symbol": "AMD", "qty": "5", "side": "long", "market_value": None}]
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO position_snapshots VALUES (%s, now(), 1, 1, 1, %s)", (LABEL, json.dumps(book)))
    try:
        found = exposure(torghut, database)
    finally:
        with psycopg.connect(database) as connection:
            connection.execute("DELETE FROM position_snapshots")
    assert {found[name].quality for name in ("gross", "net", "largestName")} == {Quality.MISSING}


# ---------------------------------------------------------------------------------------------------- rows and columns


def ask(url: str | None, query: str, seconds: float = 30.0, account: str = LABEL) -> Rows:
    return Select("books", SecretStr(url) if url else None, query, account, RealClock()).ask(seconds)


def failure(url: str | None, query: str = "SELECT 1 AS value", seconds: float = 30.0) -> tuple[str, float]:
    started = time.monotonic()
    with pytest.raises(Trouble) as caught:
        ask(url, query, seconds)
    return caught.value.line, time.monotonic() - started


def said(rows: Rows, unit: str = "usd", column: str = "value", **more: object) -> Sample:
    source = {"sql": {"database": "books", "query": "SELECT 1", "value": column}}
    fields = {"title": "t", "unit": unit, "panel": "exposure", "class": "info", "maxAge": "60s", "source": source}
    return rows.sample(Signal.model_validate({**fields, **more}), datetime.now(UTC))


@pytest.fixture
def file(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "books.db")) as connection:
        connection.execute("CREATE TABLE t (account text, value text, at text)")
        connection.execute("INSERT INTO t VALUES (?, '12345678901234567.89', '2026-11-23T15:00:00+00:00')", (LABEL,))
        connection.commit()
    return f"sqlite:///{tmp_path}/books.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> str:
    """Both kinds of database by the same tests."""
    return str(request.getfixturevalue("file" if request.param == "sqlite" else "database"))


def test_numbers_are_exact_and_times_have_zones(file: str) -> None:
    found = said(ask(file, "SELECT value, at FROM t WHERE account = :account;"), eventTime="at")
    assert found.value == Decimal("12345678901234567.89")
    assert found.event_time == datetime(2026, 11, 23, 15, tzinfo=UTC)
    assert said(ask(file, "SELECT value FROM t WHERE account = :account", account="OTHER")).detail == "no row"


def test_words_labels_and_readbacks_are_columns(either: str) -> None:
    rows = ask(either, "SELECT 'live' AS value, 2.5 AS size, 'NVDA' AS symbol")
    assert said(rows, "word").text == "live"
    assert said(rows, column="size", label="symbol").text == "NVDA"
    readback = Source.model_validate({"sql": {"database": "books", "query": "SELECT 1", "value": "size"}})
    assert rows.said(readback) == "2.5"


@pytest.mark.parametrize(
    ("query", "quality", "detail"),
    [
        ("SELECT 1 AS value WHERE 1 = 0", Quality.MISSING, "no row"),
        ("SELECT 1 AS value UNION ALL SELECT 2", Quality.MISSING, "several rows, expected one"),
        ("SELECT NULL AS value", Quality.MISSING, "value is null"),
        ("SELECT 1 AS other", Quality.PROVIDER_ERROR, "the row has no column value"),
        ("SELECT 'soon' AS value", Quality.PROVIDER_ERROR, "value is not a number"),
        ("SELECT 'NaN' AS value", Quality.NONFINITE, "value is NaN"),
    ],
)
def test_what_is_not_one_number_has_no_value(either: str, query: str, quality: Quality, detail: str) -> None:
    found = said(ask(either, query))
    assert (found.quality, found.detail, found.value) == (quality, detail, None)


@pytest.mark.parametrize("time", ["NULL", "'soon'", "'2026-11-23T15:00:00'"])
def test_a_value_without_its_event_time_is_missing(either: str, time: str) -> None:
    assert said(ask(either, f"SELECT 1 AS value, {time} AS at"), eventTime="at").quality is Quality.MISSING


# --------------------------------------------------------------------------------------- writes, hangs, and being away


def test_a_write_is_refused_by_the_database_itself(positions: str, file: str) -> None:
    write = "WITH gone AS (DELETE FROM position_snapshots RETURNING 1) SELECT count(*) AS value FROM gone"
    assert "data-modifying" in failure(positions, write)[0]
    assert failure(positions, "SELECT nextval('counter') AS value")[0] == "the query would write, and was refused"
    loosened = "SELECT set_config('transaction_read_only', 'off', true) AS value, nextval('counter') AS number"
    assert "read-write mode" in failure(positions, loosened)[0]
    assert "refused" in failure(file, "INSERT INTO t (value) VALUES ('1') RETURNING value")[0]
    with psycopg.connect(positions) as connection:
        assert connection.execute("SELECT count(*) FROM position_snapshots").fetchone() == (3,)


def test_a_slow_query_is_given_up_in_time(database: str, file: str) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS value FROM n"
    for url, query in ((database, "SELECT pg_sleep(30) AS value"), (file, endless)):
        reason, took = failure(url, query, 0.5)
        assert reason in ("no answer in 0.5 s", "the query takes too long")
        assert took < 20


def test_a_server_that_hangs_costs_no_more_than_its_time(database: str) -> None:
    """The server's process is stopped in the middle of a query, so that its own time limit cannot help."""
    stopped: list[int] = []
    select = Select("books", SecretStr(database), "SELECT 1 AS value, pg_sleep(2)", LABEL, RealClock())
    select.ask(60)

    with psycopg.connect(database, autocommit=True) as other:

        def stop_it() -> None:
            deadline = time.monotonic() + 60
            while not stopped and time.monotonic() < deadline:
                busy = "SELECT pid FROM pg_stat_activity WHERE application_name = 'rampdeck' AND state <> 'idle'"
                for (pid,) in other.execute(busy).fetchall():
                    os.kill(pid, signals.SIGSTOP)
                    stopped.append(pid)

        watcher = threading.Thread(target=stop_it)
        watcher.start()
        began = time.monotonic()
        try:
            with pytest.raises(Trouble, match="no answer in 1 s"):
                select.ask(1)
            assert time.monotonic() - began < 20
        finally:
            watcher.join()
            for pid in stopped:
                os.kill(pid, signals.SIGCONT)
    assert stopped


def test_a_database_that_is_away_says_so(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert failure(f"postgresql://me:hunter2@127.0.0.1:{port}/x")[0] == "connection refused"
    assert "unable to open" in failure(f"sqlite:///{tmp_path}/nothing.db")[0]
    assert not (tmp_path / "nothing.db").exists()


def test_a_database_that_is_not_configured_or_not_supported_says_so() -> None:
    assert failure(None)[0] == "database books is not configured"
    assert "neither PostgreSQL nor SQLite" in failure("mysql://me:hunter2@db/x")[0]
    assert failure("hunter2")[0] == "the URL of database books is none"


def test_a_database_that_fails_costs_its_own_signals_alone(torghut: Policy, positions: str) -> None:
    fetches = documents(torghut, {}, RealClock(), databases={"torghut": SecretStr("postgresql:///x?host=/nowhere")})
    by_name = {fetch.name: fetch.read() for fetch in fetches}
    found = by_name["sql gross"].samples
    assert found[SignalKey(LIVE_BOOK, "gross")].quality is Quality.PROVIDER_ERROR
    assert {key.name for key in found} == {"gross", "net", "largestName", "positions", "long", "short"}
