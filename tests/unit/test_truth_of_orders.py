"""New orders in the truth panel: what Git, the runtime and the venue would each do with one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from stages.figures import value_text
from stages.ladder import Unit
from stages.posture import Mode
from stages.truth import same_orders
from stages.value import replace
from stages.verdict import Truth, TruthRow
from tests.screens import states
from widgets.line import Line
from widgets.truth_panel import truth_lines

WALL = states.ok().evaluation.snapshot.wall


@pytest.mark.parametrize(
    ("git", "runtime", "venue", "agree"),
    [
        ("sent", "sent", "taken", True),
        ("sent", "sent", "BLOCKED", False),
        ("exits only", "exits only", "BLOCKED", False),
        ("exits only", "exits only", "taken", True),
        ("stopped", "stopped", "BLOCKED", True),
        ("stopped", "stopped", "taken", True),
        ("stopped", "sent", "BLOCKED", False),
        ("sent", "sent", "?", None),
        ("?", "sent", "taken", None),
        (None, "sent", "taken", None),
        ("sent", None, "taken", None),
    ],
)
def test_a_venue_that_refuses_what_is_sent_does_not_agree(
    git: str | None, runtime: str | None, venue: str, agree: bool | None
) -> None:
    assert same_orders(git, runtime, venue) is agree


def test_the_difference_is_marked_at_the_witness_that_differs() -> None:
    row = TruthRow("new orders", "sent", "sent", "BLOCKED", False, "for 12s")
    truth = replace(states.ok().evaluation.truth, rows=(row,), agree=False)
    text = next(line.text for line in _lines(truth) if "new orders" in line.text)
    assert text.index("≠") > text.index("BLOCKED")
    other = replace(truth, rows=(replace(row, runtime="stopped", venue="taken"),))
    text = next(line.text for line in _lines(other) if "new orders" in line.text)
    assert text.index("stopped") < text.index("≠") < text.index("taken")


def _lines(truth: Truth) -> list[Line]:
    return truth_lines(truth, 90, 8, "", WALL)


@pytest.mark.parametrize(("value", "says"), [("true", "on"), ("False", "off"), ("paper", "paper"), (None, "absent")])
def test_a_switch_reads_on_or_off(value: str | None, says: str) -> None:
    assert value_text(value, Unit.WORD) == says


def test_numbers_are_no_switches() -> None:
    assert value_text(Decimal(1), Unit.COUNT) == "1"


def test_people_are_told_no_names_of_constants() -> None:
    assert [mode.words for mode in Mode] == ["NORMAL", "FROZEN", "REDUCE ONLY", "NO NEW ORDERS", "KILLED"]
