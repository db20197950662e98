"""How far a sample is believed: by its own time, in the clock that its ages count in, with its heartbeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from stages.policy import Policy
from stages.quality import Reading, readings
from stages.session import phase
from stages.signals import Quality, Sample, SignalKey, Snapshot
from stages.value import replace
from tests.unit.watched import OPEN, make_policy, policy_document, signal

MORNING = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
"""The open in New York."""


def policy(**more: object) -> Policy:
    """``gross`` ages by the wall, ``bars`` by the market, ``absent`` is zero where nothing is."""
    signals = policy_document()["spec"]["signals"]
    bars = signal("bars", ages="market", maxAge="60s")
    absent = signal("cancels", unit="count", absentMeans="zero", **more)
    return make_policy(signals=signals | {"bars": bars, "absent": absent})


def snapshot(samples: dict[str, Sample], wall: datetime = OPEN, market: datetime | None = None) -> Snapshot:
    beat = {"running": Sample(Quality.OK, wall, Decimal(1), wall)}
    found = {SignalKey("live", name): sample for name, sample in (beat | samples).items()}
    return Snapshot(1, wall, market or wall, samples=found)


def read(spec: Policy, seen: Snapshot, name: str) -> Reading:
    now = phase(spec.spec.target.session, seen.market)
    return readings(spec, seen, now, ["live"])[SignalKey("live", name)]


def sample(age: float, wall: datetime = OPEN, read_ago: float = 0.0) -> Sample:
    return Sample(Quality.OK, wall - timedelta(seconds=read_ago), Decimal(7), wall - timedelta(seconds=age))


def test_a_value_is_as_old_as_its_own_time_however_new_the_answer_is() -> None:
    spec = policy()
    assert read(spec, snapshot({"gross": sample(5)}), "gross").quality is Quality.OK
    old = read(spec, snapshot({"gross": sample(6)}), "gross")
    assert (old.quality, old.detail) == (Quality.STALE, "its time stands still")


def test_an_answer_that_is_too_old_is_stale_however_new_its_value_claims_to_be() -> None:
    found = read(policy(), snapshot({"gross": sample(0, read_ago=6)}), "gross")
    assert (found.quality, found.detail) == (Quality.STALE, "not read since")


def test_more_than_five_seconds_ahead_is_skewed() -> None:
    spec = policy()
    assert read(spec, snapshot({"gross": sample(-5)}), "gross").quality is Quality.OK
    assert read(spec, snapshot({"gross": sample(-5.5)}), "gross").quality is Quality.SKEWED


def test_bars_age_in_market_time_and_heartbeats_in_wall_time() -> None:
    """Seconds into the session a bar of last evening is seconds old, and a heartbeat of then a night."""
    spec, wall = policy(), MORNING + timedelta(seconds=4)
    bar = Sample(Quality.OK, wall, Decimal(7), MORNING - timedelta(hours=17))
    assert read(spec, snapshot({"bars": bar}, wall), "bars").quality is Quality.OK
    assert read(spec, snapshot({"gross": bar}, wall), "gross").quality is Quality.STALE
    later = MORNING + timedelta(seconds=61)
    assert read(spec, snapshot({"bars": replace(bar, read_time=later)}, later), "bars").quality is Quality.STALE


def test_a_faster_market_makes_no_bar_older() -> None:
    fast = replace(snapshot({"bars": sample(30)}), speed=60)
    assert read(policy(), fast, "bars").quality is Quality.OK


@pytest.mark.parametrize("name", ["bars", "lag"])
def test_a_calendar_past_its_horizon_is_stale_and_not_closed(name: str) -> None:
    beyond = datetime(2027, 1, 5, 19, 0, tzinfo=UTC)
    found = read(policy(), snapshot({name: sample(0, beyond)}, beyond), name)
    assert found.quality is Quality.STALE
    assert "calendar" in found.detail


def missing(wall: datetime = OPEN) -> Sample:
    return Sample(Quality.MISSING, wall)


def test_absent_is_zero_only_where_the_policy_says_so_and_its_exporter_lives() -> None:
    spec = policy()
    assert read(spec, snapshot({"absent": missing()}), "absent").value == 0
    assert read(spec, snapshot({"gross": missing()}), "gross").quality is Quality.MISSING
    stopped = Sample(Quality.OK, OPEN, Decimal(0), OPEN)
    still = sample(9)
    for beat in (stopped, still):
        found = read(spec, snapshot({"absent": missing(), "running": beat}), "absent")
        assert (found.quality, found.value) == (Quality.MISSING, None)


def test_absent_is_not_zero_without_any_heartbeat_to_vouch_for_it() -> None:
    spec = make_policy(heartbeats={}, signals=dict(policy_document()["spec"]["signals"]) | {
        "absent": signal("cancels", unit="count", absentMeans="zero")
    })  # fmt: skip
    assert read(spec, snapshot({"absent": missing()}), "absent").quality is Quality.MISSING


@pytest.mark.parametrize("quality", [Quality.NONFINITE, Quality.PARTIAL, Quality.PROVIDER_ERROR, Quality.MISSING])
def test_what_the_reader_does_not_believe_is_not_believed_here(quality: Quality) -> None:
    found = read(policy(), snapshot({"gross": Sample(quality, OPEN, detail="so it is")}), "gross")
    assert (found.quality, found.lost) == (quality, True)
