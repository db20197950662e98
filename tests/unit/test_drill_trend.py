"""Drills over time: step by step beside the budget, and only what was fired for real."""

from __future__ import annotations

from datetime import timedelta

from console.verbs.drill_card import card_document, card_lines
from stages.drill import FAIL, KILL, PASS, TABLETOP
from stages.drill_trend import LAST, Cell, scorecards
from stages.facts import DrillRun
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
