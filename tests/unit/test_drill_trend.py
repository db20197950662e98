"""Drills over time: step by step beside the budget, and only what was fired for real."""

from __future__ import annotations

from datetime import timedelta

from console.screens.drill.scorecard import trend_cells
from console.verbs.drill_card import card_document, card_lines, fault_document, fault_lines
from stages.drill import FAIL, KILL, PASS, ROLLBACK, TABLETOP
from stages.drill_faults import FAULTS, HEAL, PUSH
from stages.drill_trend import LAST, Cell, fault_trends, scorecards
from stages.facts import DrillRun
from stages.value import replace
from tests.screens.drills import Story, before, earlier, running


def passed(run: str, seconds: float) -> DrillRun:
    return Story(run, before(seconds)).hold("").end(PASS)


def test_each_step_is_followed_through_the_drills_beside_its_budget() -> None:
    (card,) = scorecards(earlier(), {"D10": timedelta(seconds=60)})
    assert (card.act, [run.state for run in card.runs]) == (KILL, [FAIL, PASS])
    agree = next(step for step in card.steps if step.id == "D10")
    assert (agree.budget, agree.cells) == (60, (Cell(240, held=False), Cell(71.0, held=True)))
    assert agree.change is None, "a step that did not hold has no time to compare with"
    quick = next(step for step in card.steps if step.id == "D6")
    assert quick.cells[-1].took == 2.2


def test_the_change_is_told_where_both_held() -> None:
    (card,) = scorecards((passed("a", 500), passed("b", 400)), {})
    assert {step.change for step in card.steps} == {0.0}


def test_a_step_that_was_not_reached_has_no_time() -> None:
    broken = Story("broken", before(300)).hold("D5").end("ABORTED", "a live trigger fired")
    (card,) = scorecards((passed("a", 500), broken), {})
    assert [step.cells[-1] for step in card.steps][5:] == [Cell(None, held=False)] * 8


def test_a_tabletop_and_a_drill_that_runs_are_left_out_and_the_oldest_fall_off() -> None:
    table = Story("table", before(900), mode=TABLETOP).end(PASS)
    assert scorecards((table, running()), {}) == ()
    (card,) = scorecards([passed(str(number), 1000 - number) for number in range(LAST + 3)], {})
    assert [run.run for run in card.runs] == [str(number) for number in range(3, LAST + 3)]


def test_the_lines_and_the_document_say_what_held_and_how_long_it_took() -> None:
    (card,) = scorecards(earlier(), {})
    lines = list(card_lines(card))
    agree = next(line for line in lines if line.startswith("  D10"))
    assert agree.split()[-3:] == ["240", "240.0*", "71.0"]
    assert lines[-1].split() == ["outcome", "FAIL", "PASS"]
    told = next(one for one in card_document(card)["steps"] if one["step"] == "D10")
    assert (told["tookSeconds"], told["held"], told["changeSeconds"]) == ([240, 71.0], [False, True], None)


def test_how_often_in_a_row_counts_all_drills_and_stops_at_the_newest_that_did_not_hold() -> None:
    (card,) = scorecards([passed(str(number), 1000 - number) for number in range(LAST + 3)], {})
    assert (card.streak, {step.streak for step in card.steps}) == (LAST + 3, {LAST + 3})
    (card,) = scorecards((*earlier(), passed("c", 60)), {})
    streaks = {step.id: step.streak for step in card.steps}
    assert (card.streak, streaks["D10"], streaks["D9"]) == (2, 2, 3)
    (card,) = scorecards(earlier()[:1], {})
    assert (card.streak, {step.id: step.streak for step in card.steps}["D10"]) == (0, 0)


def test_how_soon_it_was_safe_counts_from_the_act_and_has_the_kills_own_limit() -> None:
    (card,) = scorecards(earlier(), {"D6": timedelta(seconds=3)})
    assert card.limit == 3
    assert card.safe[-1] is not None
    assert 0 < card.safe[-1] < 3
    broken = Story("broken", before(300)).hold("D5").end("ABORTED", "a live trigger fired")
    assert scorecards((broken,), {})[0].safe == (None,)
    down = Story("down", before(200), act=ROLLBACK, down="L2 to L1").hold("").end(PASS)
    assert scorecards((down,), {})[0].limit is None, "a step down is not measured against seconds"


def test_what_nobody_knows_is_no_failure_and_no_pass() -> None:
    silent = Story("silent", before(300)).hold("D6").add({"step": "D6"}).find("D6", "gone", ok=None, took=5.0)
    (card,) = scorecards((silent.end(FAIL, "D6: gone (unknown)"),), {})
    cell = next(step for step in card.steps if step.id == "D6").last
    assert (cell.held, cell.known) == (False, False)


def test_a_drill_under_a_fault_stands_apart_the_newest_of_each() -> None:
    under = [replace(passed(str(number), 500 - number), inject=PUSH) for number in range(2)]
    assert scorecards(under, {}) == ()
    told = {one.name: one.newest for one in fault_trends(under)}
    assert list(told) == list(FAULTS)
    assert told[PUSH] is under[1]
    assert told[HEAL] is None
    lines = list(fault_lines(fault_trends(under)))
    assert any(line.split()[:2] == [PUSH, "PASS"] for line in lines)
    assert any(line.split() == [HEAL, "never"] for line in lines)
    assert list(fault_lines(fault_trends(()))) == []
    document = fault_document(fault_trends(under)[list(FAULTS).index(PUSH)])
    assert (document["fault"], document["state"], document["run"]) == (PUSH, PASS, "1")


def test_the_document_says_whether_it_counts_and_how_it_stands() -> None:
    (card,) = scorecards(earlier(), {})
    told = card_document(card, ("rollback drill L2 to L1: never passed on paper",))
    assert (told["inDate"], told["streak"], told["safeLimitSeconds"], told["outcomes"]) == (True, 1, 5, [FAIL, PASS])
    assert told["steps"][10]["streak"] == 1
    assert card_document(card, ("kill drill: expired, 400 market min old",))["inDate"] is False


def test_a_trend_is_a_share_of_its_limit_and_never_draws_what_did_not_hold_as_a_number() -> None:
    assert trend_cells((0.0, 2.5, 5.0, 9.0, None), 5.0, (True, True, True, False, False)) == "▁▅█■–"
    assert trend_cells((1.0,), None, (True,)) == "", "without a limit there is no scale"
