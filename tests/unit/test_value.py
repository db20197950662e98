"""Values: made once, changed by a copy, and the same again after a document."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from stages.entries import StoredEntry
from stages.value import Struct, field, from_document, replace, to_document

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Leg(Struct, frozen=True):
    """A part of a trade."""

    symbol: str
    dollars: Decimal


class Trade(Struct, frozen=True):
    """A whole one."""

    at: datetime | None
    legs: tuple[Leg, ...] = ()
    notes: dict[str, float] = field(default_factory=dict)


TRADE = Trade(NOON, (Leg("NVDA", Decimal("12.50")),), {"bp": 1.5})


def test_a_value_cannot_be_changed_and_equals_its_like() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        TRADE.at = None  # type: ignore[misc]
    assert replace(TRADE, at=None) == Trade(None, TRADE.legs, TRADE.notes)
    assert hash(Leg("NVDA", Decimal(1))) == hash(Leg("NVDA", Decimal("1.0")))


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="wall"):
        replace(TRADE, wall=NOON)  # type: ignore[call-arg]


def test_the_few_dataclasses_are_replaced_alike() -> None:
    row = StoredEntry(1, "ab", "{}")
    assert replace(row, text="") == StoredEntry(1, "ab", "")


def test_a_document_gives_the_same_value_back_to_the_last_digit() -> None:
    document = json.loads(json.dumps(to_document(TRADE)))
    assert document["legs"] == [{"symbol": "NVDA", "dollars": "12.50"}]
    again = from_document(Trade, document)
    assert again == TRADE
    assert str(again.legs[0].dollars) == "12.50"
    assert again.at.tzinfo is not None


@pytest.mark.parametrize(
    "document",
    [{}, {"at": "yesterday"}, {"at": None, "legs": [{"symbol": "NVDA"}]}, {"at": None, "notes": {"bp": "x"}}, []],
)
def test_what_is_no_document_of_it_is_a_value_error(document: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_document(Trade, document)
