"""Exactly at the line: what a threshold, a share, a count, a session and a calendar say on the line itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stages.baselines import rebases
from stages.commands import Rebase
from stages.decide import decide
from stages.objectives import Outcome, failed, items, needed_coverage, see
from stages.posture import Mode
from stages.quality import Reading
from stages.session import phase
from stages.signals import Quality, Sample, SignalKey
from stages.value import replace
from stages.watching import BurnWatch, ObjectiveWatch
from stages.windows import Coverage, Window
from tests.unit.test_all_triggers import held, one, stale, tca, world
from tests.unit.watched import OPEN, Watched, make_policy, policy_document

GROSS = {"signal": "gross", "withinLimit": True, "minSamples": 5}
SLIPPAGE = {"signal": "slippage", "atMost": 6, "minSamples": 5}


def burning(*objectives: dict[str, Any]) -> Watched:
    """A world whose burn-in at L1 has these objectives."""
    stages = policy_document()["spec"]["stages"]
    stages[1]["burnIn"] |= {"objectives": list(objectives)}
    return Watched(make_policy(stages=stages))


def met(watched: Watched, waived: dict[str, str], covered: float = 0.0) -> dict[str, bool]:
    """Which items of the run are met, with every objective's samples vouching for so many of 10 000 seconds."""
    spec = watched.policy.stages[1].burn_in
    assert spec is not None
    seen = ObjectiveWatch(Coverage(9999, covered))
    names = [f"{place}:{objective.signal}" for place, objective in enumerate(spec.objectives)]
    mine = replace(BurnWatch(), session=10000.0, objectives=dict.fromkeys(names, seen))
    return {item.name: item.met for item in items(watched.policy, spec, mine, (), waived=waived)}


def test_a_waiver_of_a_safety_item_counts_for_nothing_wherever_it_came_from() -> None:
    names = ("coverage of gross", "coverage of slippage", "market time", "evaluations in a row")
    waived = met(burning(GROSS, SLIPPAGE), dict.fromkeys(names, "the desk says so"))
    assert [waived[name] for name in names] == [False, True, False, False]


def test_safety_needs_99_percent_of_its_time_and_performance_95() -> None:
    watched = burning(GROSS, SLIPPAGE)
    spec = watched.policy.stages[1].burn_in
    assert spec is not None
    assert [needed_coverage(watched.policy, each) for each in spec.objectives] == [Decimal("0.99"), Decimal("0.95")]
    for covered, expected in ((9900, [True, True]), (9890, [False, True]), (9500, [False, True]), (9490, [False] * 2)):
        found = met(watched, {}, covered)
        assert [found["coverage of gross"], found["coverage of slippage"]] == expected, covered


@pytest.mark.parametrize(
    ("objective", "marks", "fails"),
    [
        (SLIPPAGE, (True, False, True), False),
        (SLIPPAGE, (True, False, True, True), True),
        (SLIPPAGE | {"failWhen": {"breaches": 2, "of": 4}}, (True, False), False),
        (SLIPPAGE | {"failWhen": {"breaches": 2, "of": 4}}, (True, False, False, True), True),
        (GROSS | {"failWhen": {"breaches": 1, "of": 4}}, (True,), True),
    ],
)
def test_the_kth_breach_fails(objective: dict[str, Any], marks: tuple[bool, ...], fails: bool) -> None:
    watched = burning(objective)
    spec = watched.policy.stages[1].burn_in
    assert spec is not None
    seen = ObjectiveWatch(window=Window(marks, OPEN))
    mine = replace(BurnWatch(), objectives={f"0:{objective['signal']}": seen})
    assert bool(failed(watched.policy, spec, mine)) is fails


@pytest.mark.parametrize(("breaches", "fails"), [((1, 2, 5), True), ((1, 2, 6), False), ((1, 3, 5), True)])
def test_three_of_the_last_five_samples_fail_where_an_objective_says_nothing(
    breaches: tuple[int, ...], fails: bool
) -> None:
    watched = burning(SLIPPAGE)
    spec = watched.policy.stages[1].burn_in
    assert spec is not None
    seen = ObjectiveWatch()
    for place in range(1, 7):
        reading = Reading(Quality.OK, Decimal(7), "", OPEN + timedelta(seconds=place))
        now = Outcome.FAIL if place in breaches else Outcome.PASS
        seen = see(watched.policy, spec.objectives[0], reading, seen, now)
        if place == max(breaches):
            break
    assert bool(failed(watched.policy, spec, replace(BurnWatch(), objectives={"0:slippage": seen}))) is fails


def test_time_samples_and_evaluations_are_enough_at_their_number_and_not_just_below() -> None:
    watched = burning(GROSS)
    spec = watched.policy.stages[1].burn_in
    assert spec is not None

    def enough(observed: float, samples: int, streak: int) -> list[bool]:
        seen = {"0:gross": ObjectiveWatch(Coverage(samples, observed))}
        mine = replace(BurnWatch(), observed=observed, session=observed, streak=streak, objectives=seen)
        found = {item.name: item.met for item in items(watched.policy, spec, mine, ())}
        return [found[name] for name in ("market time", "samples of gross", "evaluations in a row")]

    assert enough(10, 5, 2) == [True, True, True]
    assert enough(9.9, 4, 1) == [False, False, False]


class Fills:
    """Minutes of fills whose lifetime mean has no digits to lose, so that a cost can be exactly on a threshold."""

    def __init__(self) -> None:
        self.watched = world(fast=tca(long="4m", short="2m"))
        self.watched.speed = 60
        self.count, self.total = 100, Decimal(200)
        self.watched.tick(1, orders=self.count, slippage=2)

    def upto(self, *counts: int, cost: str) -> Fills:
        """One minute for each count of orders, with the new ones at ``cost``."""
        for count in counts:
            self.total += (count - self.count) * Decimal(cost)
            self.count = count
            self.watched.tick(1, orders=count, slippage=self.total / count)
        return self

    @property
    def clear(self) -> bool:
        return self.watched.watch.triggers["fast"].clear


def test_costs_exactly_at_the_threshold_are_a_breach_and_just_below_are_none() -> None:
    counts = (125, 200, 250, 400, 500)
    assert held(Fills().upto(*counts, cost="4").watched) == [(Mode.FROZEN, 0)]
    assert held(Fills().upto(*counts, cost="3.99").watched) == []


def test_costs_clear_only_below_their_hysteresis() -> None:
    fills = Fills().upto(125, 200, 250, 400, 500, cost="4")
    assert not fills.upto(625, 800, 1000, cost="3.9").clear, "below the threshold, and not by enough"
    assert not fills.upto(1250, 2000, 2500, cost="3.6").clear, "4 less a fifth of its way from 2 is still no clear"
    assert fills.upto(3125, 4000, 5000, cost="3.59").clear


def test_how_often_a_trigger_fired_in_a_session_starts_again_next_day() -> None:
    watched = world(stale=stale()).tick(5)

    def again() -> None:
        watched.frozen.add("lag")
        watched.tick(8)
        watched.frozen.discard("lag")
        watched.tick(3)

    again()
    again()
    assert watched.watch.triggers["stale"].times == 2
    watched.wall = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
    watched.tick(5)
    again()
    assert watched.watch.triggers["stale"].times == 1
    assert (Mode.HALTED, 0) not in held(watched)


def test_a_calendar_that_has_run_out_is_readiness_that_expired() -> None:
    expired = one("readiness", {"mode": "FROZEN"}, signals=["booksAge"])
    watched = world(datetime(2027, 1, 5, 19, 0, tzinfo=UTC), expired=expired).tick(1)
    assert [latch.cause for latch in watched.state.latches.values()] == ["calendar expired"]
    assert held(world(expired=expired).tick(1)) == []


class Named(Watched):
    """A world in which a signal tells the account, as a word."""

    word = "HERON-1"

    def sample(self, name: str) -> Sample:
        if name == "order":
            return Sample(Quality.OK, self.wall, None, self.wall, text=self.word)
        return super().sample(name)


def account_by_a_signal() -> Named:
    trigger = one("account", {"mode": "HALTED"}, signals=["order"])
    return Named(make_policy(triggers={"account": trigger}))


@pytest.mark.parametrize("word", ["HERON-1", "live"])
def test_the_declared_accounts_own_words_are_the_account(word: str) -> None:
    watched = account_by_a_signal()
    watched.word = word
    assert held(watched.tick(3)) == []


@pytest.mark.parametrize("word", ["HERON-2", "paper"])
def test_another_account_by_a_signals_word_halts_though_the_venue_agrees(word: str) -> None:
    watched = account_by_a_signal()
    watched.word = word
    assert held(watched.tick(1)) == [(Mode.HALTED, None)]
    assert word in next(iter(watched.state.latches.values())).cause


def test_an_account_that_no_signal_tells_is_not_the_wrong_one() -> None:
    watched = account_by_a_signal()
    watched.word = ""
    assert held(watched.tick(3)) == []


def test_a_baseline_is_asked_for_once_in_a_session() -> None:
    watched = world().tick(5, equity=50000).tick(5, equity=49000)
    assert [one.value for one in watched.commands if isinstance(one, Rebase)] == [50000]


def test_a_baseline_of_a_session_that_has_one_is_not_replaced() -> None:
    watched = world().tick(2)
    known = watched.state.baselines["equity"]
    rebase = Rebase("watch", "equity", Decimal(1), "usd", known.session, watched.market)
    assert decide(watched.state, rebase, watched.wall) == ()
    later = replace(rebase, session=known.session.replace(day=known.session.day + 1))
    assert len(decide(watched.state, later, watched.wall)) == 1  # type: ignore[arg-type]


def test_before_the_next_open_no_new_baseline_is_taken() -> None:
    watched = world().tick(2)
    night = replace(watched.snapshot, market=datetime(2026, 11, 25, 13, 0, tzinfo=UTC))
    now = phase(watched.policy.spec.target.session, night.market)
    raw = {SignalKey("live", "equity"): Reading(Quality.OK, Decimal(9), "", night.wall, night.wall)}
    assert list(rebases(watched.policy, watched.state, night, now, raw, "watch")) == []
