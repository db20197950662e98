"""Triggers: suspicion, confirmation, latches, convergence, overhang, dark windows and the closed market."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from stages.posture import Mode
from stages.signals import Quality, Sample
from stages.verdict import RowState, TriggerState
from stages.watching import WatchState
from tests.unit.watched import GOOD, Watched, make_policy, policy_document, stage


def state_of(world: Watched, name: str) -> TriggerState:
    return next(row.state for row in world.judge().triggers if row.name == name)


def test_a_bad_reading_marks_and_only_the_third_acts() -> None:
    world = Watched().tick(3).tick(gross=5000)
    assert (world.row("gross").state, world.row("gross").word) == (RowState.SUSPECT, "1 of 3")
    world.tick()
    assert world.latches == []
    world.tick()
    assert world.latches == ["grossLimit"]
    assert world.row("gross").state is RowState.BREACH


def test_a_frozen_source_read_at_any_rate_confirms_nothing() -> None:
    world = Watched().tick(3).tick(gross=6000)
    world.frozen.add("gross")
    world.tick(40, seconds=0.1)
    assert world.latches == []
    assert world.row("gross").word == "1 of 3"


def test_a_good_reading_between_starts_again() -> None:
    world = Watched().tick(3).tick(2, gross=6000).tick(gross=4000).tick(2, gross=6000)
    assert world.latches == []


def test_a_second_source_that_agrees_confirms_at_once() -> None:
    document = policy_document()["spec"]
    document["triggers"]["grossLimit"]["confirm"] = {"reads": 3, "second": "other"}
    document["signals"]["other"] = {**document["signals"]["gross"], "title": "gross at the venue", "limit": None}
    policy = make_policy(triggers=document["triggers"], signals=document["signals"])
    world = Watched(policy)
    world.values["other"] = Decimal(6100)
    world.tick(3).tick(gross=6000)
    assert world.latches == ["grossLimit"]
    assert "a second source agrees" in world.opened[0].evidence
    apart = Watched(policy)
    apart.values["other"] = Decimal(4900)
    assert apart.tick(3).tick(2, gross=6000).latches == [], "it does not agree, so three reads are needed"


def test_a_latch_opens_once_while_its_cause_lasts_in_whatever_epoch() -> None:
    world = Watched().tick(3).tick(5, gross=6000)
    world.push("reduce", "L1", "L0")
    world.tick(10)
    assert len(world.opened) == 1
    assert world.state.epoch == 1


def test_minus_one_is_passed_on_with_the_stage_in_force() -> None:
    world = Watched(stage=2).tick(3).tick(3, gross=26000)
    assert (world.opened[0].cap, world.opened[0].effective, world.opened[0].mode) == ("-1", 2, Mode.REDUCE_ONLY)
    assert next(iter(world.state.latches.values())).cap == 1


def test_soft_loss_fires_at_its_own_share_of_the_limit() -> None:
    world = Watched().tick(3).tick(3, pnl="-89.99")
    assert world.latches == []
    world.tick(3, pnl="-90")
    assert world.latches == ["softLoss"]


def test_going_up_the_new_limits_count_from_the_push() -> None:
    world = Watched(stage=1).tick(3)
    world.push("advance", "L1", "L2")
    world.tick(5, gross=6000)
    assert world.latches == []
    assert world.row("gross").limit == 25000


def test_going_down_the_old_limits_count_until_converged_then_the_rest_hangs_over() -> None:
    world = Watched(stage=2).tick(3, gross=18000)
    world.push("reduce", "L2", "L1")
    world.stand(1, runtime=False)
    world.tick(5)
    assert world.row("gross").limit == 25000
    world.stand(1)
    world.settle()
    world.tick(5)
    assert world.row("gross").limit == 5000
    assert (world.row("gross").state, world.row("gross").word) == (RowState.OVER, "OVER L1")
    assert world.latches == ["overhang"]


def test_what_hangs_over_is_a_breach_when_it_grows_or_its_deadline_passes() -> None:
    def lowered(start: datetime) -> Watched:
        world = Watched(stage=2, start=start).tick(3, gross=18000)
        world.push("reduce", "L2", "L1")
        world.stand(1)
        world.settle()
        return world.tick(3)

    afternoon = datetime(2026, 11, 24, 20, 44, tzinfo=UTC)
    grown = lowered(afternoon).tick(3, gross=19500)
    assert grown.latches == ["overhang", "grossLimit"]
    late = lowered(afternoon).tick(5)
    assert late.latches == ["overhang"]
    late.tick(65)
    assert late.latches == ["overhang", "grossLimit"]


def test_a_loss_beyond_the_lower_limit_hangs_over_as_well() -> None:
    world = Watched(stage=2).tick(3, pnl="-212.75")
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.settle()
    world.tick(10)
    assert world.latches == []
    assert world.row("pnl").state is RowState.OVER


def test_a_new_breach_at_the_lower_stage_steps_down_again() -> None:
    world = Watched(stage=2).tick(3).tick(3, gross=26000)
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.settle()
    world.tick(5, gross=4000).tick(3, gross=6000)
    assert [latch.cap for latch in world.state.latches.values()] == [1, 0]


@pytest.mark.parametrize(("kind", "source", "target"), [("advance", 1, 2), ("reduce", 2, 1)])
def test_an_own_change_and_its_restart_trip_nothing(kind: str, source: int, target: int) -> None:
    world = Watched(stage=source).tick(20)
    world.push(kind, f"L{source}", f"L{target}")
    world.stand(target, runtime=False)
    world.tick(5)
    world.silent = True
    world.tick(12)
    assert world.row("gross").state is RowState.RESTARTING
    assert world.judge().dark_left == pytest.approx(4.0)
    assert world.judge().alarms == ()
    world.silent = False
    world.stand(target)
    world.tick(3)
    world.settle()
    world.tick(30)
    assert world.latches == []
    assert world.judge().dark_left is None


def test_a_restart_that_overruns_its_time_is_blindness() -> None:
    world = Watched().tick(5)
    world.push("advance", "L1", "L2")
    world.stand(2, runtime=False)
    world.silent = True
    world.tick(14)
    assert world.latches == []
    world.tick(10)
    assert world.latches == ["blind"]


class Partly(Watched):
    """A world in which single signals give no answer."""

    quiet: frozenset[str] = frozenset()

    def sample(self, name: str) -> Sample:
        if name in self.quiet:
            return Sample(Quality.PROVIDER_ERROR, self.wall, detail="gives no answer")
        return super().sample(name)


def test_after_its_first_good_read_a_signal_is_no_longer_excused() -> None:
    world = Partly()
    world.tick(5)
    world.push("advance", "L1", "L2")
    world.stand(2)
    world.silent = True
    world.tick(3)
    world.silent, world.quiet = False, frozenset({"lag"})
    world.tick(2)
    world.quiet = frozenset({"lag", "gross"})
    world.tick(1)
    assert (world.row("gross").state, world.row("lag").state) == (RowState.BLIND, RowState.RESTARTING)


def test_one_lost_read_blinds_the_row_and_fires_nothing() -> None:
    world = Watched().tick(5)
    world.silent = True
    world.tick(2)
    assert world.row("gross").state is RowState.BLIND
    assert world.row("gross").value == GOOD["gross"]
    assert world.latches == []


def test_blindness_freezes_then_steps_by_what_else_is_lost_and_how_long() -> None:
    world = Watched().tick(5)
    world.silent = True
    world.tick(8)
    assert [one.mode for one in world.opened] == [Mode.FROZEN]
    world.tick(15)
    assert len(world.opened) == 1
    world.venue_silent = True
    world.tick(1)
    assert [one.mode for one in world.opened] == [Mode.FROZEN, Mode.HALTED]
    world.tick(50)
    assert world.opened[-1].cap == "-1"


def test_a_source_that_never_answered_is_given_time_to_start() -> None:
    world = Watched()
    world.silent = True
    world.tick(19)
    assert world.latches == []
    world.tick(5)
    assert world.latches == ["blind"]


def test_a_watch_that_was_away_gives_the_sources_time_to_answer_again() -> None:
    world = Watched().tick(5)
    world.silent = True
    world.tick(1, seconds=600)
    world.tick(4)
    assert world.latches == []
    world.tick(5)
    assert world.latches == ["blind"]


def test_a_stale_input_is_confirmed_by_ticks_and_halts() -> None:
    world = Watched().tick(5)
    world.frozen.add("lag")
    world.tick(6)
    assert world.latches == []
    world.tick(1)
    assert world.latches == ["stale"]
    assert world.opened[0].mode is Mode.HALTED


def test_out_of_session_freshness_and_costs_are_closed_and_exposure_still_acts() -> None:
    world = Watched(start=datetime(2026, 11, 24, 22, 0, tzinfo=UTC)).tick(5)
    world.frozen.add("lag")
    world.tick(10)
    assert world.row("lag").state is RowState.CLOSED
    assert world.row("slippage").state is RowState.CLOSED
    assert world.latches == []
    world.tick(3, gross=6000)
    assert world.latches == ["grossLimit"]


def test_a_failed_calendar_is_stale_and_never_closed() -> None:
    world = Watched(start=datetime(2027, 1, 4, 19, 0, tzinfo=UTC)).tick(3)
    assert world.row("lag").state is RowState.STALE
    assert world.judge().market_phase == "unknown"


def test_another_account_halts_at_once() -> None:
    world = Watched().tick(2)
    world.account = ("OTHER", "live")
    world.tick(1)
    assert world.latches == ["account"]


def test_drift_freezes_and_a_looser_runtime_halts() -> None:
    safer = Watched(stage=2).tick(3)
    safer.runtime["maxGrossExposure"] = Decimal(20000)
    safer.tick(1)
    assert safer.latches == []
    safer.tick(1)
    assert [one.mode for one in safer.opened] == [Mode.FROZEN]
    looser = Watched(stage=1).tick(3)
    looser.runtime["maxGrossExposure"] = Decimal(25000)
    looser.tick(2)
    assert [one.mode for one in looser.opened] == [Mode.FROZEN, Mode.HALTED]
    assert looser.judge().effective == 2


def test_an_unread_runtime_is_not_agreement_and_not_drift() -> None:
    world = Watched().tick(3)
    world.silent = True
    world.tick(2)
    assert {one.state for one in world.judge().drift} == {"unknown"}
    assert world.judge().truth.agree is None
    assert "drift" not in world.latches


def test_a_stopped_process_is_not_believed_whatever_else_it_says() -> None:
    world = Watched().tick(3).tick(running=0)
    assert world.row("gross").detail == "NOT RUNNING"
    assert not [row for row in world.judge().rows if row.state is RowState.OK]


def test_an_event_time_ahead_of_ours_is_skewed_and_not_believed() -> None:
    world = Watched().tick(3)
    world.frozen.add("gross")
    world.events["gross"] = world.wall + timedelta(seconds=30)
    world.tick(1)
    assert world.row("gross").quality.value == "SKEWED"
    assert world.row("gross").state is RowState.BLIND


def test_a_mean_without_its_count_is_no_data() -> None:
    world = Watched().tick(2, orders=3)
    assert world.row("slippage").word == "NO DATA (3 of 10)"


def test_zero_for_absent_counts_only_while_the_heartbeat_is_good() -> None:
    document = policy_document()["spec"]["signals"]
    document["residuals"]["absentMeans"] = "zero"
    world = Watched(make_policy(signals=document)).tick(2)
    assert world.row("residuals").state is RowState.OK
    world.tick(1, running=0)
    assert world.row("residuals").state is RowState.BLIND


def test_a_closed_row_says_the_exchanges_time_at_which_its_value_was_true() -> None:
    world = Watched(start=datetime(2026, 11, 24, 20, 55, tzinfo=UTC))
    world.speed = 60
    world.tick(20)
    assert world.market > datetime(2026, 11, 24, 21, 10, tzinfo=UTC)
    row = world.row("lag")
    assert (row.state, row.word) == (RowState.CLOSED, "at 15:59")


def test_triggers_tell_what_is_left_and_what_follows() -> None:
    world = Watched(stage=2).tick(3)
    row = next(row for row in world.judge().triggers if row.name == "grossLimit")
    assert (row.state, row.left, row.then) == (TriggerState.ARMED, Decimal(22000), "REDUCE ONLY, back to L1")
    assert row.share == Decimal(22000) / Decimal(25000)
    stale = next(row for row in world.judge().triggers if row.name == "stale")
    assert stale.then == "NO NEW ORDERS; 30m L1"
    world.silent = True
    world.tick(1)
    assert state_of(world, "grossLimit") is TriggerState.CANNOT_SEE


def test_a_change_made_by_hand_is_adopted_once_and_expected_to_converge() -> None:
    world = Watched(stage=1).tick(3)
    world.git_values["maxGrossExposure"], world.head = Decimal(4500), "d00d"
    world.tick(3)
    assert world.state.external_head == "d00d"
    assert {one.state for one in world.judge().drift} == {"same", "converging"}
    assert world.latches == []
    world.tick(40)
    assert "drift" in world.latches


def test_a_watch_that_starts_again_from_its_document_goes_on() -> None:
    world = Watched().tick(3).tick(2, gross=6000)
    world.watch = WatchState.from_document(world.watch.to_document())
    world.tick(1)
    assert world.latches == ["grossLimit"]


def test_the_stage_with_a_book_of_its_own_is_judged_on_both() -> None:
    stages = policy_document()["spec"]["stages"]
    stages[0] = stage("L0", 400, 4000, 100, ["NVDA"], endpoints={"heron": "paper"})
    world = Watched(make_policy(stages=stages), stage=0).tick(3)
    assert {row.key.book for row in world.judge().rows} == {"live", "L0"}


def test_a_loss_that_grows_in_the_dark_of_a_step_down_never_hung_over() -> None:
    triggers = policy_document()["spec"]["triggers"]
    triggers["hardLoss"] = {
        "title": "loss limit",
        "kind": "loss",
        "signals": ["pnl"],
        "confirm": {"reads": 3},
        "then": [{"mode": "KILLED", "cap": "L0"}],
    }
    world = Watched(make_policy(triggers=triggers), stage=2).tick(3, pnl=-100)
    world.push("reduce", "L2", "L1")
    world.tick(1)
    world.stand(1)
    world.settle()
    world.tick(5, pnl=-160)
    assert "hardLoss" in world.latches, "160 of 150 $ was reached after the step down began"


def test_a_stricter_mode_at_the_same_stage_ends_no_overhang() -> None:
    world = Watched(stage=2).tick(3, gross=18000)
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.settle()
    world.tick(3)
    world.push("reduce", "L1", "L1", intent="i2")
    world.settle("i2")
    world.tick(5)
    assert world.row("gross").state is RowState.OVER
    assert world.latches == ["overhang"]
