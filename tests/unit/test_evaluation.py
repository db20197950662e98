"""Evaluation: pure, resumable, and looking at another stage changes nothing."""

from __future__ import annotations

from decimal import Decimal

from stages.evaluation import WatchState, accumulate, judge
from stages.signals import Quality, Sample, SignalKey
from stages.value import replace
from stages.verdict import RowState
from stages.watching import Overhang
from stages.witness import Position
from tests.unit.watched import ACTING, Watched, make_policy, policy_document, stage


def test_the_same_arguments_give_the_same_answer() -> None:
    world = Watched().tick(5)
    first = accumulate(world.policy, world.state, world.watch, world.snapshot, "watch")
    assert accumulate(world.policy, world.state, world.watch, world.snapshot, "watch") == first
    assert judge(world.policy, world.state, world.watch, world.snapshot, ACTING) == world.judge()


def test_evaluating_one_snapshot_twice_counts_it_once() -> None:
    world = Watched().tick(5).tick(1, gross=6000)
    for _ in range(10):
        world.watch, commands = accumulate(world.policy, world.state, world.watch, world.snapshot, "watch")
        assert commands == ()
    assert world.row("gross").word == "1 of 3"


def test_the_book_of_the_stage_below_is_the_baseline_of_the_live_one() -> None:
    stages = policy_document()["spec"]["stages"]
    stages[0] = stage("L0", 400, 4000, 100, ["NVDA"], endpoints={"heron": "paper"})
    world = Watched(make_policy(stages=stages), stage=1).tick(3)
    paper = Sample(Quality.OK, world.wall, Decimal(3480), world.wall)
    running = Sample(Quality.OK, world.wall, Decimal(1), world.wall)
    samples = {**world.snapshot.samples, SignalKey("L0", "gross"): paper, SignalKey("L0", "running"): running}
    snapshot = type(world.snapshot)(**{**_fields(world.snapshot), "samples": samples})
    watch, _ = accumulate(world.policy, world.state, world.watch, snapshot, "watch")
    live = judge(world.policy, world.state, watch, snapshot, ACTING).rows
    assert next(row for row in live if row.key.name == "gross").baseline == 3480


def test_money_that_is_open_in_the_live_book_is_shown_before_the_paper_of_the_stage() -> None:
    stages = policy_document()["spec"]["stages"]
    stages[0] = stage("L0", 400, 4000, 100, ["NVDA"], endpoints={"heron": "paper"})
    world = Watched(make_policy(stages=stages), stage=0).tick(3)
    assert world.snapshot.venue is not None
    assert world.judge().book == "L0"

    holds = replace(world.snapshot.venue, positions=(Position("MU", Decimal(4), Decimal(704)),))
    open_book = replace(world.snapshot, venue=holds)
    found = judge(world.policy, world.state, world.watch, open_book, ACTING)
    assert found.book == "live"
    assert "gross" in found.headline.thing, "the headline is about what is open"

    silent = replace(world.snapshot, venue=replace(holds, error="no answer"))
    over = replace(world.watch, overhang={"live/gross": Overhang(Decimal(9000), None)})
    assert judge(world.policy, world.state, over, silent, ACTING).book == "live"


def test_unknown_is_never_agreement() -> None:
    world = Watched()
    world.runtime = {}
    world.tick(3)
    assert world.judge().truth.agree is None
    world.runtime = dict(world.git_values)
    assert world.tick(1).judge().truth.agree is True


def test_without_git_nothing_stands_and_no_stage_limit_is_claimed() -> None:
    world = Watched().tick(0)
    world.git_values = {}
    found = world.tick(3).judge()
    assert found.standing.stage is None
    assert world.row("gross").limit is None
    assert world.row("gross").state is RowState.INFO


def test_the_watch_goes_on_from_its_document() -> None:
    world = Watched(stage=2).tick(20).tick(4, gross=26000)
    world.push("reduce", "L2", "L1")
    world.stand(1)
    world.settle()
    world.tick(4)
    assert WatchState.from_document(world.watch.to_document()) == world.watch


def _fields(snapshot: object) -> dict:
    return {name: getattr(snapshot, name) for name in snapshot.__slots__}  # type: ignore[attr-defined]
