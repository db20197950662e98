"""The venue's part of a reduction: what it was not heard to say is never done."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from console.containment import VenueSteps, contain, heard
from console.wiring.clock import SystemClock
from stages.refusal import Trouble
from stages.witness import Order, OrderOutcome, Position, VenueReading

AT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
ORDER = Order("1", "MU", "buy", Decimal(1), None, None)


class Mute:
    """A venue that obeys, and whose reading either fails, carries an error, or tells of ``orders``."""

    def __init__(self, *, raises: bool = False, error: str = "", orders: tuple[Order, ...] = ()) -> None:
        self.raises, self.error, self.orders, self.blocked = raises, error, orders, False

    def read(self) -> VenueReading:
        if self.raises:
            raise Trouble("the venue does not answer")
        left = (Position("NVDA", Decimal(8), Decimal(1413)),)
        return VenueReading("HERON", "live", self.blocked, self.orders, left, None, AT, self.error)

    def block(self) -> None:
        self.blocked = True

    def unblock(self) -> None:
        self.blocked = False

    def cancel_all(self) -> tuple[OrderOutcome, ...]:
        return (OrderOutcome("1", "MU", "buy", "cancelled"),)


STEPS = [VenueSteps(), VenueSteps(block=True), VenueSteps(block=True, cancel=True)]


@pytest.mark.parametrize("venue", [Mute(raises=True), Mute(error="last word of 14:02")], ids=["silent", "stale"])
@pytest.mark.parametrize("steps", STEPS, ids=["normal", "block", "block-cancel"])
def test_a_venue_that_cannot_be_read_is_not_verified_in_any_mode(venue: Mute, steps: VenueSteps) -> None:
    witnessed, left = contain(venue, steps, SystemClock(), threading.Event().wait).finish()
    assert [one.witness for one in witnessed if not one.done] == ["venue read"]
    assert left is None


def test_orders_that_are_left_open_after_a_cancellation_are_not_verified() -> None:
    venue = Mute(orders=(ORDER,))
    cancelling = contain(venue, VenueSteps(cancel=True), SystemClock(), threading.Event().wait).finish()[0]
    assert [(one.witness, one.done) for one in cancelling] == [("venue cancel", True), ("venue read", False)]
    reading, left = contain(venue, VenueSteps(), SystemClock(), threading.Event().wait).finish()
    assert (reading, [one.symbol for one in left or ()]) == ((), ["NVDA"])


def test_a_reading_that_carries_an_error_was_not_heard() -> None:
    with pytest.raises(Trouble, match="last word"):
        heard(Mute(error="last word of 14:02"))
