"""Working orders: strangers are marked, and nobody is called one without evidence."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from stages.ladder import Unit
from stages.policy_text import Unloadable, load
from stages.signals import LIVE_BOOK, Quality, SignalKey
from stages.value import replace
from stages.verdict import Row, RowState
from stages.witness import Order
from stages.working import Whose, working
from tests.conftest import ROOT
from tests.screens import states

POLICY_TEXT = (ROOT / "stages/policies/demo.yaml").read_text(encoding="utf-8")
POLICY = load(POLICY_TEXT, "demo.yaml")
NOW = states.NOW


def order(name: str, seconds: float) -> Order:
    return Order(name, "NVDA", "buy", Decimal(2), None, NOW - timedelta(seconds=seconds))


def told(ids: str, state: RowState = RowState.INFO, seconds: float = 1) -> Row:
    event = NOW - timedelta(seconds=seconds)
    key = SignalKey(LIVE_BOOK, "ownOrders")
    return Row(
        key, "orders it knows", "reconciliation", False, Unit.WORD, state, Quality.OK, None, ids, event_time=event
    )


def whose(row: Row | None, *orders: Order) -> dict[str, Whose]:
    assert states.SNAPSHOT.venue is not None
    snapshot = replace(states.SNAPSHOT, venue=replace(states.SNAPSHOT.venue, open_orders=orders))
    found = working(POLICY, snapshot, () if row is None else (row,))
    assert found is not None
    return {one.order_id: one.whose for one in found}


def test_a_venue_that_was_not_read_has_no_orders_to_show() -> None:
    assert states.SNAPSHOT.venue is not None
    away = replace(states.SNAPSHOT, venue=replace(states.SNAPSHOT.venue, error="no answer"))
    assert working(POLICY, away, ()) is None
    assert working(POLICY, replace(states.SNAPSHOT, venue=None), ()) is None


def test_an_order_that_the_application_does_not_know_is_a_stranger() -> None:
    found = whose(told("a,b"), order("b", 3), order("x", 9), order("a", 30))
    assert list(found) == ["a", "x", "b"]
    assert found == {"a": Whose.OWN, "b": Whose.OWN, "x": Whose.UNKNOWN}


def test_an_order_younger_than_the_list_is_no_stranger_for_that() -> None:
    assert whose(told("a", seconds=2), order("x", 1)) == {"x": Whose.NEW}


def test_without_a_list_that_can_be_believed_nobody_is_called_a_stranger() -> None:
    assert whose(None, order("x", 9)) == {"x": Whose.UNTOLD}
    assert whose(told("a", RowState.NO_DATA), order("x", 9)) == {"x": Whose.UNTOLD}


def test_with_an_empty_list_every_order_is_a_stranger() -> None:
    assert whose(told(""), order("x", 9)) == {"x": Whose.UNKNOWN}


@pytest.mark.parametrize(("name", "says"), [("nothing", "no signal"), ("gross", "lists no ids")])
def test_the_list_of_own_orders_is_a_word_signal(name: str, says: str) -> None:
    with pytest.raises(Unloadable) as caught:
        load(POLICY_TEXT.replace("ownOrders: ownOrders", f"ownOrders: {name}"), "demo.yaml")
    assert "ownOrders" in str(caught.value) or says in str(caught.value)
