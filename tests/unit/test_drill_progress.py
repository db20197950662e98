"""How far a drill is, as its entries tell it, and which drill left something behind."""

from __future__ import annotations

from datetime import timedelta

from stages.drill import STEPS
from stages.drill_progress import left_behind, progress, unclean
from tests.screens import drills, states

NOW = states.NOW


def test_the_step_under_way_counts_from_the_act_and_names_how_far_it_is() -> None:
    found = progress(drills.running(), NOW, {})
    assert found.current is not None
    assert (found.current.id, found.current.note) == ("D6", "1 of 2")
    assert round(found.current.took or 0, 1) == 4.1
    assert [step.state for step in found.steps[7:]] == ["waiting"] * 6
    assert [(one.outcome, one.state) for one in found.orders] == [
        ("CANCELLED", "done"),
        ("ASKED, NO ANSWER", "running"),
    ]


def test_an_order_without_an_answer_is_never_a_success() -> None:
    ended = progress(drills.aborted(), NOW, {})
    assert ended.since_act is not None
    lost = progress(drills.failed(), NOW, {})
    assert [one.state for one in lost.orders] == ["done", "failed"]
    assert [step.id for step in lost.steps if step.state == "failed"] == ["D6", "D12"]


def test_budgets_of_the_policy_count() -> None:
    found = progress(drills.running(), NOW, {"D6": timedelta(seconds=9)})
    assert found.steps[6].budget == 9


def test_the_clock_compares_with_the_last_drill_that_passed_and_with_no_other() -> None:
    rows = progress(drills.running(), NOW, {}, drills.earlier()).clock
    assert all(row.last is not None for row in rows)
    assert all(row.last is None for row in progress(drills.running(), NOW, {}, drills.earlier()[:1]).clock)


def test_what_was_refused_is_a_proof() -> None:
    assert [one.step for one in progress(drills.passed(), NOW, {}).proofs] == ["D5", "D11"]


def test_a_drill_that_ends_before_its_last_step_has_left_something_unless_it_tidied() -> None:
    assert not left_behind(drills.passed())
    assert not left_behind(drills.running())
    assert left_behind(drills.failed())
    assert left_behind(drills.aborted())
    tidied = drills.Story("aa", NOW).hold("D6").end("ABORTED", "abandoned by bob at D6", tidied=True)
    assert not left_behind(tidied)
    untouched = drills.Story("bb", NOW).hold("D2").end("FAIL", "D1: no cash")
    assert not left_behind(untouched)
    table = drills.table()
    assert not left_behind(table)


def test_it_is_clean_again_when_a_later_drill_finds_its_target_in_order() -> None:
    lost = drills.failed()
    assert unclean([lost]) == lost
    blocked = (
        drills.Story("cc", NOW).add({"step": "D0"}).find("D0", "the target takes orders", ok=False).end("FAIL", "D0")
    )
    assert unclean([lost, blocked]) == lost
    assert unclean([lost, drills.passed()]) is None
    assert unclean([drills.passed(), lost]) == lost
    assert len(STEPS["kill"]) == 13
