"""Verification finds and locates every way of tampering with a stored chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from stages.chain import Anchor, Row, Verification, verify
from stages.entries import Draft, Entry, Head, genesis, write

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
LEDGER = "6f1c9a52-0f0e-4c3e-9d53-2f3f6a2b7a10"


def chain(count: int, ledger: str = LEDGER) -> list[Entry]:
    entries = [genesis(ledger=ledger, actor="ops", fingerprint={"namespace": "torghut"}, now=NOW)]
    for number in range(2, count + 1):
        text = f'entry {number} says "prev":"{"0" * 64}","seq":1,'
        draft = Draft("note", f'L"ledger":"{number}', None, "ops", {"text": text})
        entries.append(write(draft, ledger=ledger, previous=entries[-1], now=NOW + timedelta(seconds=number)))
    return entries


def row(entry: Entry) -> Row:
    return entry.seq, entry.prev, entry.hash, entry.text.encode()


def rows(count: int = 8) -> list[Row]:
    return [row(entry) for entry in chain(count)]


def head(count: int = 8) -> Head:
    return chain(count)[-1].head


def places(verdict: Verification) -> set[int]:
    return {problem.seq for problem in verdict.problems}


def altered(stored: Row, *, with_hash: bool) -> Row:
    seq, prev, digest, text = stored
    text = text.replace(b'"actor":"ops"', b'"actor":"eve"')
    return seq, prev, sha256(text).hexdigest() if with_hash else digest, text


def test_an_untouched_chain_is_ok() -> None:
    verdict = verify(iter(rows()), head())
    assert verdict.ok
    assert verdict.document() == {
        "ok": True, "entries": 8, "head": {"seq": 8, "hash": head().hash}, "anchored": None, "problems": [],
    }  # fmt: skip


@pytest.mark.parametrize("seq", range(1, 9))
def test_an_altered_entry_is_located(seq: int) -> None:
    stored = rows()
    stored[seq - 1] = altered(stored[seq - 1], with_hash=False)
    verdict = verify(stored, head())
    assert seq in places(verdict)
    assert places(verdict) <= {seq, 8}


@pytest.mark.parametrize("seq", range(1, 9))
def test_an_altered_entry_with_its_hash_made_to_fit_is_located(seq: int) -> None:
    stored = rows()
    stored[seq - 1] = altered(stored[seq - 1], with_hash=True)
    assert places(verify(stored, head())) == {seq}


@pytest.mark.parametrize("seq", range(1, 8))
def test_a_dropped_entry_is_located(seq: int) -> None:
    stored = rows()
    del stored[seq - 1]
    assert places(verify(stored, head())) == {seq}


def test_dropped_newest_entries_are_found_by_the_head_row() -> None:
    verdict = verify(rows()[:5], head())
    assert [(found.seq, found.problem) for found in verdict.problems] == [
        (6, "is missing, and every entry up to 8: the head row names 8")
    ]


def test_dropped_newest_entries_with_their_head_row_are_found_by_the_anchor() -> None:
    anchor = Anchor(7, chain(8)[6].hash, "c0ffee")
    verdict = verify(rows()[:5], head(5), [anchor])
    assert places(verdict) == {7}
    assert "c0ffee" in verdict.problems[0].problem


def test_a_dropped_and_closed_gap_is_found() -> None:
    stored = rows()
    del stored[3]
    stored = [(number, prev, digest, text) for number, (_, prev, digest, text) in enumerate(stored, 1)]
    verdict = verify(stored, Head(7, stored[-1][2]))
    assert places(verdict) == {4, 5, 6, 7} | {3}


def test_swapped_entries_are_both_named() -> None:
    stored = rows()
    third, sixth = stored[2], stored[5]
    stored[2], stored[5] = (3, *sixth[1:]), (6, *third[1:])
    assert {3, 6} <= places(verify(stored, head()))


def test_an_inserted_entry_is_found() -> None:
    stored, forged = rows(), chain(9, LEDGER)[8]
    assert places(verify([*stored, row(forged)], head())) == {9}


def test_a_foreign_ledgers_entry_is_found() -> None:
    stored, foreign = rows(), chain(8, "00000000-0000-4000-8000-000000000000")
    stored[4] = row(foreign[4])
    assert 5 in places(verify(stored, head()))


def test_a_false_prev_column_is_found() -> None:
    stored = rows()
    stored[4] = (5, "f" * 64, *stored[4][2:])
    assert places(verify(stored, head())) == {5}


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff\xfe", b'"ledger":"'])
def test_a_text_that_is_no_entry_is_located(text: bytes) -> None:
    stored = rows()
    stored[4] = (*stored[4][:3], text)
    assert 5 in places(verify(stored, head()))


def test_a_missing_head_row_and_an_empty_ledger_are_problems() -> None:
    assert places(verify(rows(), None)) == {9}
    assert places(verify([], Head(0, "0" * 64))) == {1}


def test_a_wrong_head_row_is_a_problem() -> None:
    assert places(verify(rows(), Head(8, "e" * 64))) == {8}


def test_a_later_anchor_does_not_hide_one_that_contradicts() -> None:
    entries = chain(8)
    anchors = [Anchor(6, "ab" * 32, "bad"), Anchor(6, entries[5].hash, "good")]
    verdict = verify(map(row, entries), entries[-1].head, anchors)
    assert [problem.seq for problem in verdict.problems] == [6]
    assert "bad" in verdict.problems[0].problem


def test_anchors_say_up_to_where_the_outside_vouches() -> None:
    entries = chain(8)
    anchors = [Anchor(3, entries[2].hash, "aaa"), Anchor(6, entries[5].hash, "bbb")]
    verdict = verify(rows(), head(), anchors)
    assert verdict.ok
    assert verdict.document()["anchored"] == {"seq": 6, "commit": "bbb"}


def test_a_rewritten_history_contradicts_its_anchor() -> None:
    rewritten = [genesis(ledger=LEDGER, actor="eve", fingerprint={}, now=NOW)]
    for number in range(2, 9):
        draft = Draft("note", None, None, "eve", {"text": str(number)})
        rewritten.append(write(draft, ledger=LEDGER, previous=rewritten[-1], now=NOW))
    verdict = verify(map(row, rewritten), rewritten[-1].head, [Anchor(6, chain(8)[5].hash, "bbb")])
    assert places(verdict) == {6}
    assert verdict.anchored is None
