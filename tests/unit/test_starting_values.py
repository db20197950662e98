"""The numbers that a policy starts from where it says nothing of its own, and those of the shipped ladder."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from stages.burnin_spec import BurnInSpec, ComparisonSpec, Objective, Regimes
from stages.comparison import Verdict
from stages.manifest import MarketSpan
from stages.measures import Clear, Trigger, Windows
from stages.objectives import Outcome, outcome
from stages.policy import Gates, Policy
from stages.policy_text import load
from stages.posture import Mode
from stages.quality import Reading
from stages.signals import Quality
from tests.unit.watched import OPEN, make_policy, policy_document

TORGHUT = Path(__file__).resolve().parents[2] / "stages" / "policies" / "torghut.yaml"


def test_a_burn_in_starts_from_these_numbers() -> None:
    spec = BurnInSpec(
        min_market_time=MarketSpan(sessions=Decimal(3)), objectives=(Objective(signal="gross", within_limit=True),)
    )
    assert spec.pass_run == 5
    assert spec.valid_for == MarketSpan(sessions=Decimal(2))
    assert spec.on_fail == "FROZEN"
    assert spec.objectives[0].min_samples == 50
    wanted = Regimes()
    assert (wanted.opens, wanted.closes) == (2, 2)
    compared = ComparisonSpec(signal="slippage", count="orders", margin=Decimal(1))
    assert (compared.baseline, compared.min_days) == ("previous", 3)


def test_a_trigger_starts_from_these_numbers() -> None:
    trigger = Trigger(title="gross", kind="limit", then=())
    assert trigger.confirm.reads == 3
    assert trigger.hysteresis == Decimal("0.2")
    clear = Clear()
    assert (clear.good, clear.hold) == (timedelta(minutes=30), timedelta(minutes=15))
    windows = Windows(count="orders", long=timedelta(minutes=15), short=timedelta(minutes=5), delta=Decimal(1))
    assert (windows.min_long, windows.min_short) == (50, 10)


def test_the_gates_start_from_these_numbers() -> None:
    gates = Gates()
    assert gates.cooldown_sessions == Decimal(1)
    assert gates.storm_within == timedelta(seconds=30)


def test_the_shipped_ladder_observes_five_three_and_five_sessions() -> None:
    stages = load(TORGHUT.read_text(encoding="utf-8"), "torghut.yaml").stages
    sessions = [stage.burn_in.min_market_time.sessions for stage in stages if stage.burn_in]
    assert sessions[:3] == [5, 3, 5]
    costs = [one for stage in stages[1:3] if stage.burn_in for one in stage.burn_in.objectives if one.at_most]
    assert costs
    assert {one.min_samples for one in costs} == {100}


def test_modes_and_outcomes_have_their_order() -> None:
    assert list(Mode) == [Mode.NORMAL, Mode.FROZEN, Mode.REDUCE_ONLY, Mode.HALTED, Mode.KILLED]
    assert list(Mode) == sorted(Mode)
    worst_first = [Outcome.FAIL, Outcome.BLIND, Outcome.NO_SAMPLE, Outcome.SUSPENDED, Outcome.PASS]
    assert worst_first == sorted(Outcome, reverse=True)
    assert set(Verdict) == {"NON_INFERIOR", "INFERIOR", "UNDECIDED"}


GROSS = Objective(signal="gross", within_limit=True)
COSTS = Objective(signal="slippage", at_most=Decimal(6))
LOST = (
    Quality.STALE,
    Quality.MISSING,
    Quality.NONFINITE,
    Quality.PARTIAL,
    Quality.SKEWED,
    Quality.PROVIDER_ERROR,
)


@pytest.mark.parametrize("quality", LOST)
def test_what_is_not_believed_blinds_safety_and_is_no_sample_of_performance(quality: Quality) -> None:
    reading = Reading(quality, Decimal(1), "", OPEN, OPEN)
    assert outcome(make_policy(), GROSS, reading, 1) is Outcome.BLIND
    assert outcome(make_policy(), COSTS, reading, 1) is Outcome.NO_SAMPLE


@pytest.mark.parametrize(("objective", "good", "bad"), [(GROSS, 4999, 5000), (COSTS, 5, 6)])
def test_what_is_believed_is_compared_and_at_the_limit_is_a_breach(objective: Objective, good: int, bad: int) -> None:
    found = [outcome(make_policy(), objective, Reading(Quality.OK, Decimal(value)), 1) for value in (good, bad)]
    assert found == [Outcome.PASS, Outcome.FAIL]


@pytest.mark.parametrize("objective", [GROSS, COSTS])
def test_out_of_session_and_in_a_restart_it_is_suspended(objective: Objective) -> None:
    for quality in (Quality.CLOSED, Quality.RESTARTING):
        assert outcome(make_policy(), objective, Reading(quality), 1) is Outcome.SUSPENDED


def slices(**spec: object) -> tuple[str, ...]:
    return make_policy(**spec).slices


def test_a_run_rests_on_its_own_slice_of_the_policy_and_on_nothing_else() -> None:
    spec = policy_document()["spec"]
    before = slices()

    def with_title(kind: str, name: str) -> tuple[str, ...]:
        return slices(**{kind: spec[kind] | {name: spec[kind][name] | {"title": "another"}}})

    assert with_title("signals", "order") == before, "no objective reads it"
    assert with_title("triggers", "stale") == before, "no objective reads what it watches"
    for kind, name in (("signals", "gross"), ("triggers", "grossLimit")):
        assert not set(with_title(kind, name)) & set(before), name
    spec["stages"][1]["controls"] |= {"dailyLossLimit": 160}
    moved = slices(stages=spec["stages"])
    assert [new == old for new, old in zip(moved, before, strict=True)] == [True, False, True]


def test_an_objective_without_a_condition_does_not_load() -> None:
    with pytest.raises(ValueError, match="an objective needs a condition"):
        Policy.model_validate(_without_condition())


def _without_condition() -> dict[str, object]:
    document = policy_document()
    document["spec"]["stages"][1]["burnIn"]["objectives"] = [{"signal": "gross"}]
    return document
