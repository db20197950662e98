"""The headline's precedence and words, alarms and when they ring."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from stages.signals import Snapshot
from stages.value import replace
from stages.verdict import AlarmClass
from stages.witness import Position
from tests.unit.watched import NOBODY, OPEN, Watched, make_policy, policy_document


def test_calm_names_the_signal_nearest_to_a_limit_that_matters() -> None:
    world = Watched().tick(5, order=490)
    found = world.judge().headline
    assert (found.word, found.figure, found.thing) == ("HOLD", "60 %", "gross: 3,000 of 5,000 $")
    assert found.sentence.startswith("Nothing to do. Burn-in of L1 lacks")
    assert "entries stop in 89 min" in found.sentence
    assert not found.reverse


def test_a_passed_burn_in_permits_and_does_not_urge() -> None:
    found = Watched().tick(20).judge()
    assert found.headline.word == "MAY ADVANCE"
    assert found.recommendation.to_stage == 2
    assert "2 approvals" in found.headline.sentence


def test_information_beyond_its_limit_is_marked_and_is_no_headline() -> None:
    signals = policy_document()["spec"]["signals"]
    signals["orders"]["limit"] = {"atMost": 30}
    world = Watched(make_policy(signals=signals)).tick(5)
    assert world.row("orders").word == "BREACH"
    assert world.judge().headline.word == "HOLD"


def test_first_run() -> None:
    world = Watched()
    world.silent = True
    world.tick(1)
    world.silent = False
    found = world.tick(0).judge().headline
    assert found.word == "BLIND"
    fresh = Watched(stage=0)
    fresh.runtime = {}
    assert fresh.tick(2).judge().headline.word == "FIRST RUN"


def test_breach_says_what_follows_by_itself_and_that_nothing_is_sold() -> None:
    world = Watched(stage=2).tick(3).tick(5, gross=26410)
    found = world.judge().headline
    assert (found.word, found.figure, found.reverse) == ("BREACH", "106 %", True)
    assert found.thing == "gross: 26,410 of 25,000 $ for 4 s"
    assert found.sentence.startswith("STEPPING DOWN TO L1 by itself.")
    assert "nothing is sold" in found.sentence
    assert found.alarm is not None
    assert "NOBODY STEPS DOWN" in world.judge(NOBODY).headline.sentence


def test_the_first_bad_read_is_marked_and_is_no_breach() -> None:
    found = Watched().tick(5).tick(1, gross=5100).judge().headline
    assert (found.word, found.mark, found.figure) == ("WARN", "suspect", "102 %")
    assert "1 of 3 reads" in found.thing


def test_just_below_the_limit_never_rounds_up_to_it() -> None:
    assert Watched().tick(5, gross="4999.99").judge().headline.figure == "99 %"


def test_over_the_lower_limits_after_a_step_down() -> None:
    world = Watched(stage=2).tick(3, gross=18240)
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.settle()
    found = world.tick(3).judge().headline
    assert found.word == "OVER L1"
    assert found.figure == "13,240 $ still to reduce"
    assert "left" in found.thing


def test_blind_counts_from_the_last_answer() -> None:
    world = Watched().tick(5)
    world.silent = True
    found = world.tick(10).judge().headline
    assert (found.word, found.figure, found.mark) == ("BLIND", "10 s", "unknown")
    assert "FROZEN: no advance" in found.sentence
    assert "by itself in" in found.sentence


def test_nobody_acts_is_said_on_a_live_stage_only() -> None:
    world = Watched().tick(5)
    assert world.judge(NOBODY).headline.word == "NOBODY ACTS"
    assert "watch@ops-1 silent for 34 s" in world.judge(NOBODY).headline.thing
    assert Watched(stage=0).tick(5).judge(NOBODY).headline.word != "NOBODY ACTS"


def test_between_names_the_controls_and_uses_the_tighter_limits() -> None:
    world = Watched(stage=1)
    world.git_values["maxGrossExposure"] = Decimal(25000)
    world.git_values["symbolConcentration"] = Decimal(10000)
    found = world.tick(3).judge()
    assert found.headline.word == "BETWEEN"
    assert found.headline.figure == "L1 L2"
    assert found.headline.thing == "2 of 7 controls are already L2: maxGrossExposure, symbolConcentration"
    assert world.row("gross").limit == 5000


def test_tighter_counts_as_the_stage_and_says_so() -> None:
    world = Watched(stage=1)
    for values in (world.git_values, world.runtime):
        values["maxNetExposure"] = Decimal(2300)
    found = world.tick(5).judge()
    assert found.standing.tighter
    assert "tighter than the 2,500 $ of L1" in found.headline.sentence


def test_waiting_for_an_advance() -> None:
    world = Watched().tick(5)
    world.push("advance", "L1", "L2")
    world.stand(2, runtime=False)
    found = world.tick(8).judge()
    assert found.headline.word == "WAIT"
    assert found.headline.figure == "00:08"
    assert [card.status for card in found.cards] == ["below", "below", "GOING HERE"]


def test_what_fired_is_told_with_its_time_because_the_number_has_moved_since() -> None:
    world = Watched(stage=2).tick(3).tick(5, gross=26410).tick(60, gross=3000)
    found = world.judge().headline
    assert found.word == "REDUCE ONLY"
    assert found.thing.endswith("gross over its limit: gross: 26,410 of 25,000 $ (3 reads), at 14:00")


def test_a_flat_live_book_says_nothing_of_the_paper_book_that_is_shown() -> None:
    evening = datetime(2026, 11, 25, 0, 2, tzinfo=UTC)
    assert Watched(start=evening).tick(3).judge().headline.thing.startswith("flat, opens in ")
    stages = policy_document()["spec"]["stages"]
    paper = {"label": "HERON-PAPER-01", "environment": "paper"}
    stages[0] = {**stages[0], "endpoints": {"heron": "paper"}, "account": paper}
    on_paper = Watched(make_policy(stages=stages), stage=0, start=evening)
    on_paper.paper = dict(on_paper.values)
    on_paper.tick(3)
    assert on_paper.judge().book == "L0"
    assert on_paper.judge().headline.thing.startswith("live book flat, opens in ")


def test_closed_and_not_flat() -> None:
    world = Watched(start=datetime(2026, 11, 25, 0, 2, tzinfo=UTC)).tick(3)
    assert world.judge().headline.word == "CLOSED"
    assert "opens in 14 h 27 min" in world.judge().headline.thing
    venue = world.snapshot.venue
    assert venue is not None
    open_book = replace(venue, positions=(Position("NVDA", Decimal(8), Decimal(1413)),))
    world.snapshot = replace(world.snapshot, venue=open_book)
    found = world.judge()
    assert found.headline.word == "NOT FLAT"
    assert "1,413 $" in found.headline.thing
    assert any(alarm.klass is AlarmClass.ACT for alarm in found.alarms)


def test_cut_off_when_nothing_at_all_answers() -> None:
    world = Watched().tick(5)
    world.silent = world.venue_silent = True
    world.tick(3)
    git = world.snapshot.git
    assert git is not None
    world.snapshot = replace(world.snapshot, git=replace(git, error="no route"))
    assert world.judge().headline.word == "CUT OFF"


def test_killed_claims_only_what_the_venue_confirms() -> None:
    world = Watched().tick(3).tick(3, gross=6000)
    latch = next(iter(world.state.latches.values()))
    world.state = replace(world.state, latches={latch.key: replace(latch, mode=latch.mode.KILLED, cap=0)})
    found = world.judge().headline
    assert (found.word, found.thing) == ("KILLED", "ordered; the venue does not block yet")


def test_an_empty_snapshot_says_that_nothing_was_read() -> None:
    world = Watched()
    world.snapshot = Snapshot(0, OPEN, OPEN)
    found = world.judge()
    assert found.headline.word == "BLIND"
    assert not [row for row in found.rows if row.state.value == "ok"]


@pytest.mark.parametrize(("every", "klass"), [("1s", AlarmClass.NOTE), ("2s", AlarmClass.ACT)])
def test_a_slow_source_rings_at_its_first_bad_read(every: str, klass: AlarmClass) -> None:
    signals = policy_document()["spec"]["signals"]
    signals["gross"]["every"] = every
    world = Watched(make_policy(signals=signals)).tick(5).tick(1, gross=6000)
    found = world.judge().alarms
    assert [one.klass for one in found] == [klass]
    assert found[0].text.endswith("1 of 3")


def test_an_alarm_that_calls_for_an_act_leaves_when_it_is_over_and_acknowledged() -> None:
    world = Watched().tick(5)
    world.account = ("OTHER", "live")
    world.tick(1)
    world.state = replace(world.state, latches={})
    world.account = ("HERON-1", "live")
    world.tick(5)
    (left,) = world.judge().alarms
    assert left.klass is AlarmClass.LOOK
    assert left.text.endswith("(over, not acknowledged)")
    world.state = replace(world.state, acknowledged=frozenset({left.key}))
    assert world.tick(1).judge().alarms == ()


@pytest.mark.parametrize(
    ("overlay", "word", "says"), [("HALTED", "NO NEW ORDERS", "halt"), ("KILLED", "KILLED", "kill")]
)
def test_what_a_cleared_halt_has_left_is_said_until_a_person_lifts_it(overlay: str, word: str, says: str) -> None:
    world = Watched(make_policy(postures={overlay: {"controls": {"maxOrderNotional": 1}}}))
    world.git_values = world.git_values | {"maxOrderNotional": Decimal(1)}
    world.runtime = world.runtime | {"maxOrderNotional": Decimal(1)}
    found = world.tick(1, order=0).judge().headline
    assert (found.word, found.reverse, f"by a {says}" in found.thing) == (word, False, True)
    assert found.sentence.startswith("c re")
