"""Entries: canonical bytes, the allow-list, the clock that steps back."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from stages.entries import GENESIS_PREV, Draft, Entry, canonical, genesis, parse, plain, stamp, write

NOW = datetime(2026, 11, 23, 14, 30, 0, 250000, tzinfo=UTC)
LEDGER = "6f1c9a52-0f0e-4c3e-9d53-2f3f6a2b7a10"


def first() -> Entry:
    return genesis(ledger=LEDGER, actor="trader@desk-1", fingerprint={"namespace": "torghut"}, now=NOW)


def note(text: Any = "hello", **changes: Any) -> Draft:
    return Draft(**{"kind": "note", "stage": None, "intent": None, "actor": "ops", "body": {"text": text}, **changes})


def test_genesis_is_the_contract_byte_for_byte() -> None:
    expected = (
        '{"actor":"trader@desk-1","body":{"fingerprint":{"namespace":"torghut"}},"epoch":0,"intent":null,"kind":"genesis",'
        f'"ledger":"{LEDGER}","prev":"{GENESIS_PREV}","seq":1,"stage":null,"ts":"2026-11-23T14:30:00.250000Z","v":1}}'
    )
    assert first().text == expected
    assert first().hash == hashlib.sha256(expected.encode()).hexdigest()


def test_an_entry_carries_the_hash_of_the_one_before() -> None:
    entry = write(note(stage="L1", intent="i-1"), ledger=LEDGER, previous=first(), now=NOW)
    assert (entry.seq, entry.prev, entry.stage, entry.intent) == (2, first().hash, "L1", "i-1")


def test_parse_gives_back_the_entry_that_was_written() -> None:
    name = "Δ “x” \u2028\x07"
    alarm = note(kind="alarm", body={"value": Decimal("25000.00"), "limit": 2**60, "detail": [name, 1.5, 2.0]})
    entry = write(alarm, ledger=LEDGER, previous=first(), now=NOW)
    assert parse(entry.text) == entry
    assert parse(entry.text).hash == entry.hash
    assert parse(entry.text).body == {"value": "25000.00", "limit": str(2**60), "detail": [name, 1.5, 2]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("0.010"), "0.010"),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (True, True),
        (("a", 1), ["a", 1]),
        (frozenset({"NVDA", "AMD"}), ["AMD", "NVDA"]),
        (NOW.astimezone(timezone(timedelta(hours=-5))), "2026-11-23T14:30:00.250000Z"),
    ],
)
def test_values_take_their_json_form(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert json.loads(canonical(value)) == expected


def test_a_string_enumeration_is_its_value() -> None:
    class Mode(StrEnum):
        HALTED = "HALTED"

    assert canonical({"mode": Mode.HALTED}) == '{"mode":"HALTED"}'


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), object(), b"x", {1: "x"}, datetime(2026, 1, 1)],  # noqa: DTZ001
)
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"text|time zone"):
        note(text=value)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="unknown entry kind 'latch'"):
        note(kind="latch")


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ValueError, match="'note' entry has no field 'apiKey', 'password'"):
        note(body={"text": "x", "password": "p", "apiKey": "k"})


def test_an_entry_has_an_actor() -> None:
    with pytest.raises(ValueError, match="needs an actor"):
        note(actor="")


def test_epoch_is_inherited_until_a_draft_raises_it() -> None:
    raised = write(note(epoch=4), ledger=LEDGER, previous=first(), now=NOW)
    assert (first().epoch, raised.epoch) == (0, 4)
    assert write(note(), ledger=LEDGER, previous=raised, now=NOW).epoch == 4


def test_a_clock_that_steps_back_is_recorded_and_time_stands_still() -> None:
    entry = write(note(), ledger=LEDGER, previous=first(), now=NOW - timedelta(minutes=5))
    assert entry.ts == stamp(NOW)
    assert entry.body["clockStep"] == -300


def test_waiting_in_the_queue_of_writers_is_no_step_of_the_clock() -> None:
    entry = write(note(), ledger=LEDGER, previous=first(), now=NOW - timedelta(milliseconds=40))
    assert entry.ts == stamp(NOW)
    assert "clockStep" not in entry.body


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        stamp(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"', '{"v":2}', '{"v":1}', "null", "7"])
def test_parse_refuses_what_is_no_entry(text: str) -> None:
    with pytest.raises(ValueError, match=r"entry|Expecting"):
        parse(text)


def test_a_draft_does_not_follow_later_changes_of_what_it_was_given() -> None:
    body = {"text": ["a"]}
    draft = note(body=body)
    body["text"].append("b")
    assert draft.body == {"text": ["a"]}
