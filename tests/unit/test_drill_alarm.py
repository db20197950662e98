"""A drill that was not cleaned up is an alarm that wants an act, until a later drill finds its target in order."""

from __future__ import annotations

from stages.facts import DrillRun
from stages.value import replace
from stages.verdict import AlarmClass
from tests.screens import drills
from tests.unit.watched import Watched


def world(*runs: DrillRun, **values: int) -> Watched:
    made = Watched().tick(5)
    made.state = replace(made.state, drills={f"{number}": run for number, run in enumerate(runs)})
    return made.tick(3, **values)


def test_it_rings_names_the_target_and_can_be_acknowledged() -> None:
    found = world(drills.aborted()).judge()
    alarm = next(one for one in found.alarms if one.cause.startswith("drill/"))
    assert alarm.klass is AlarmClass.ACT
    assert alarm.text.startswith("drill not cleaned up: torghut-sim stays as it is")
    assert (found.headline.word, found.headline.reverse, found.headline.alarm) == ("NOT CLEANED UP", True, alarm.key)


def test_a_breach_of_the_live_book_comes_first() -> None:
    assert world(drills.aborted(), gross=26410).judge().headline.word == "BREACH"


def test_it_ends_when_a_later_drill_finds_the_target_in_order() -> None:
    found = world(drills.aborted(), drills.passed()).judge()
    assert not [one for one in found.alarms if one.cause.startswith("drill/")]
    assert found.headline.word == "HOLD"


def test_a_drill_that_runs_or_passed_is_no_alarm() -> None:
    for run in (drills.running(), drills.passed(), drills.table()):
        assert not [one for one in world(run).judge().alarms if one.cause.startswith("drill/")]
