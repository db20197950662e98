"""Books on a real ledger file: pages by number, filters, pairs, slices of verification, and exports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console import books as room
from console.books import LedgerBooks
from console.desk import Proof
from console.store.ledger import SqlLedger
from console.store.reader import LedgerReader
from console.strides import Tally
from stages.entries import EVERY, Draft, Entry, EntryFilter
from stages.refusal import Trouble
from stages.staleness import LEDGER_TRAILER

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
SHA = "77ac410" + "0" * 33


class StandingClock:
    def wall(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Commits:
    """A repository of which only the trailers matter."""

    def __init__(self, trailers: Mapping[str, str]) -> None:
        self.trailers = trailers

    def vouching(self, _trailer: str, _word: str, _limit: int) -> Any:
        return (self.info(SHA),)

    def info(self, sha: str) -> Any:
        return SimpleNamespace(trailers=self.trailers, sha=sha)


def drafts() -> Iterator[Draft]:
    """Notes, and among them one act with an outcome and one without."""
    for number in range(500):
        yield Draft("note", "L1", None, "carol", {"text": f"note {number} 100% [/x] \u202e"})
        if number == 100:
            yield Draft("intent", "L1", "up", "alice", {"act": "advance", "from": "L0", "to": "L1"})
        if number == 200:
            yield Draft("outcome", None, "up", "alice", {"outcome": "pushed", "sha": SHA})
        if number == 300:
            yield Draft("intent", "L0", "lost", "watch", {"act": "reduce", "from": "L1", "to": "L0"})


def opened(path: Path) -> SqlLedger[int, None]:
    def decide(_state: int, _command: None, _now: datetime) -> Sequence[Draft]:
        return []

    def count(state: int, _entry: Entry) -> int:
        return state + 1

    return SqlLedger(f"sqlite:///{path}", fold=count, initial=0, decide=decide)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """503 entries after the genesis, ten to the minute."""
    path = tmp_path / "ledger.db"
    every = list(drafts())
    with closing(opened(path)) as ledger:
        ledger.begin(ledger="6f1c9a52", actor="ops", fingerprint="torghut", now=NOW)
        for start in range(0, len(every), 10):
            ledger.append(every[start : start + 10], now=NOW + timedelta(minutes=start // 10 + 1))
    return path


def books_of(path: Path, trailers: Mapping[str, str] | None = None) -> LedgerBooks:
    repository: Any = Commits(trailers) if trailers is not None else None
    clock: Any = StandingClock()
    return LedgerBooks(
        lambda: LedgerReader(f"sqlite:///{path}"), clock, "alice", (lambda: repository) if repository else None
    )


def proven(books: LedgerBooks) -> Proof:
    proof = books.verification()
    while not proof.done:
        proof = books.verification()
    return proof


def tamper(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()


# --------------------------------------------------------------------------------------------------------------- pages


def test_pages_follow_one_another_without_gap_or_overlap(path: Path) -> None:
    books, seen = books_of(path), list[int]()
    leaf = books.leaf(EVERY, limit=90)
    while True:
        seen += [one.seq for one in leaf.entries]
        assert leaf.head.seq == 504
        if not leaf.more:
            break
        leaf = books.leaf(EVERY, before=seen[-1], limit=90)
    assert seen == list(range(504, 0, -1))
    back = books.leaf(EVERY, after=1, limit=90)
    assert ([one.seq for one in back.entries], back.more) == (list(range(91, 1, -1)), True)
    assert not books.leaf(EVERY, after=504, limit=90).entries


@pytest.mark.parametrize(
    ("only", "passes"),
    [
        (EntryFilter(kind="intent"), [305, 103]),
        (EntryFilter(actor="alice"), [204, 103]),
        (EntryFilter(stage="L0"), [305]),
        (EntryFilter(intent="up"), [204, 103]),
        (EntryFilter(text="NOTE 499 100%"), [504]),
        (EntryFilter(text="note 49_ "), []),
        (EntryFilter(since=NOW + timedelta(minutes=51)), [504, 503, 502]),
        (EntryFilter(since=NOW + timedelta(days=9)), []),
        (EntryFilter(until=NOW + timedelta(minutes=1)), [1]),
        (EntryFilter(until=NOW), []),
        (
            EntryFilter(kind="note", since=NOW + timedelta(minutes=51), until=NOW + timedelta(days=1), text="e 499"),
            [504],
        ),
    ],
)
def test_filters_choose_the_same_for_pages_counts_and_exports(
    path: Path, tmp_path: Path, only: EntryFilter, passes: list[int]
) -> None:
    books = books_of(path)
    assert [one.seq for one in books.leaf(only).entries] == passes
    assert books.count(only) == len(passes)
    assert [one.seq for one in books.leaf(only, after=0, limit=1).entries] == passes[-1:]
    assert books.export(only, str(tmp_path / "chosen.jsonl"), Tally()).ok
    lines = (tmp_path / "chosen.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["seq"] for line in lines] == passes[::-1]


def test_an_intent_comes_with_its_ending(path: Path) -> None:
    books = books_of(path)
    leaf = books.leaf(EntryFilter(kind="intent"))
    assert {intent: ending.word for intent, ending in leaf.endings.items()} == {"up": "pushed"}
    assert [one.seq for one in books.companions("up")] == [103, 204]
    assert proven(books).unanswered == (305,)


# -------------------------------------------------------------------------------------------------------- verification


def test_verification_goes_on_slice_by_slice_and_is_kept_for_its_head(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SLICE", 200)
    books = books_of(path)
    steps = [books.verification() for _ in range(3)]
    assert [(one.upto, one.done) for one in steps] == [(200, False), (400, False), (504, True)]
    assert books.verification() is steps[-1]
    with closing(opened(path)) as ledger:
        ledger.append([Draft("note", None, None, "dave", {"text": "later"})], now=NOW + timedelta(days=1))
    assert [(one.upto, one.total, one.problems) for one in [proven(books)]] == [(505, 505, ())]
    assert books.verification(again=True).upto == 200


def test_what_is_altered_is_located_and_still_paged(path: Path) -> None:
    tamper(path, "UPDATE entry SET entry = replace(entry, 'note 40 ', 'note 41 ') WHERE seq = 42")
    tamper(
        path, "UPDATE entry SET entry = CAST(replace(CAST(entry AS BLOB), 'note 50 ', x'fffe') AS TEXT) WHERE seq = 52"
    )
    books = books_of(path)
    proof = proven(books)
    assert {problem.seq for problem in proof.problems} >= {42, 52}
    rows = {one.seq: one for one in books.leaf(EVERY, before=60, limit=30).entries}
    assert [seq for seq, one in rows.items() if not one.sound] == [52, 42]
    assert "\ufffd" in rows[52].text


def test_a_change_of_what_was_verified_is_found_when_it_is_verified_again(path: Path) -> None:
    books = books_of(path)
    assert proven(books).problems == ()
    tamper(path, "UPDATE entry SET entry = replace(entry, 'note 40 ', 'note 41 ') WHERE seq = 42")
    assert [problem.seq for problem in books.verification(again=True).problems] == [42]


def test_newest_entries_that_were_dropped_are_missed_by_the_head_row(path: Path) -> None:
    tamper(path, "DELETE FROM entry WHERE seq > 500")
    assert [problem.seq for problem in proven(books_of(path)).problems] == [501]


def test_a_stage_commit_anchors_the_chain_or_contradicts_it(path: Path) -> None:
    with closing(LedgerReader(f"sqlite:///{path}")) as reader:
        entry = reader.entry(103)
    assert entry is not None
    sound = proven(books_of(path, {LEDGER_TRAILER: f"6f1c9a52 103 {entry.hash}"}))
    assert sound.anchor is not None
    assert (sound.anchor.seq, sound.problems) == (103, ())
    other = proven(books_of(path, {LEDGER_TRAILER: f"6f1c9a52 103 {'e' * 64}"}))
    assert [(one.seq, "commit 77ac410" in one.problem) for one in other.problems] == [(103, True)]
    assert proven(books_of(path, {LEDGER_TRAILER: f"another 103 {'e' * 64}"})).anchor is None


# -------------------------------------------------------------------------------------------------------------- export


def test_an_export_never_writes_over_a_file_and_leaves_no_broken_one(path: Path, tmp_path: Path) -> None:
    books, target = books_of(path), tmp_path / "out.csv"
    assert books.export(EntryFilter(kind="intent"), str(target), Tally()).note == f"2 entries, csv, in {target}"
    assert len(target.read_text(encoding="utf-8").splitlines()) == 3
    with pytest.raises(Trouble, match="is there already"):
        books.export(EVERY, str(target), Tally())
    with pytest.raises(Trouble, match="cannot be written"):
        books.export(EVERY, str(tmp_path / "nowhere" / "out.jsonl"), Tally())
    tamper(path, "UPDATE entry SET entry = replace(entry, '\"v\":1', '\"v\":7') WHERE seq = 300")
    with pytest.raises(Trouble, match="altered at entry 300"):
        books.export(EVERY, str(tmp_path / "broken.jsonl"), Tally())
    assert not (tmp_path / "broken.jsonl").exists()


def test_an_export_that_is_stopped_leaves_nothing(path: Path, tmp_path: Path) -> None:
    books, tally, folder = books_of(path), Tally(), tmp_path / "out"
    folder.mkdir()
    tally.stop()
    with pytest.raises(Trouble, match="stopped after 0"):
        books.export(EVERY, str(folder / "all.jsonl"), tally)
    assert not list(folder.iterdir())
    whole = Tally()
    books.export(EVERY, str(folder / "all.jsonl"), whole)
    assert whole.done == books.count(EVERY)
    assert [one.name for one in folder.iterdir()] == ["all.jsonl"]


def test_a_missing_ledger_is_one_line(tmp_path: Path) -> None:
    books = books_of(tmp_path / "nowhere.db")
    for ask in (lambda: books.leaf(EVERY), books.verification, lambda: books.count(EVERY)):
        with pytest.raises(Trouble, match="does not exist"):
            ask()
