"""A drill on the account that the stage in force is measured on, while the watch looks at it and acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from console.demo.cast import Approver
from console.demo.household import Household
from console.hands import PersonsHands
from console.wiring import Wiring
from stages.posture import Mode
from tests.integration.drilling import drilled_demo, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@contextmanager
def watched(house: Household) -> Iterator[Wiring]:
    """A watch that acts, and a wiring of the person who drills."""
    wiring = Wiring.of(house.config)
    watch = wiring.watch(wiring.desk(), acting=True)
    watch.start()
    try:
        eventually(lambda: bool(wiring.ledger.state().runs))
        yield wiring
    finally:
        watch.stop()
        wiring.close()


def test_what_a_drill_declared_latches_nothing_and_an_order_more_halts(tmp_path: Path) -> None:
    with drilled_demo(tmp_path) as demo, watched(demo.house) as wiring:
        people = Approver(demo.house, lambda _: None)
        people.start()
        try:
            done = demo.drill()
            assert done.code == 0, done.document.get("reasons") or done.words
            assert wiring.ledger.state().latches == {}
            entries = list(wiring.ledger.entries())
            assert not [one for one in entries if one.kind == "alarm"]
            held = [str(one.body["cause"]) for one in entries if one.kind == "alarm-suppressed"]
            assert all(cause.startswith("DRILL") for cause in held)

            drills = PersonsHands(wiring, lambda: None).drills
            assert drills.start("DRILL KILL heron-paper").ok
            run = next(one.run for one in wiring.ledger.state().drills.values() if one.state == "RUNNING")
            eventually(lambda: "D4" in wiring.ledger.state().drills[run].entered)
            order = {"symbol": "NVDA", "side": "buy", "qty": "1", "limit_price": "1"}
            said = requests.post(demo.world.paper.broker_url + "/orders", json=order, timeout=60)
            assert said.ok
            eventually(lambda: bool(wiring.ledger.state().latches))
            (latch,) = wiring.ledger.state().latches.values()
            assert (latch.trigger, latch.mode) == ("unknownOrders", Mode.HALTED)
            eventually(lambda: wiring.ledger.state().drills[run].state == "ABORTED")
            assert wiring.ledger.state().drills[run].reasons == ("unknownOrders fired on the live target",)
        finally:
            people.leave()
            people.join(10)
