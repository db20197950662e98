"""When an alarm rings, how often, and what holds it back for how long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from stages.alarms import CLOSED, OWN_CHANGE, RESTART
from stages.ringing import CHATTER, CHATTERS, REPEATS, Ring, Ringing, ring
from stages.verdict import Alarm, AlarmClass, HeldBack
from tests.unit.watched import OPEN, Watched, make_policy, policy_document

SECOND = timedelta(seconds=1)


def alarm(klass: AlarmClass = AlarmClass.ACT, since: datetime = OPEN, cause: str = "trigger/gross") -> Alarm:
    return Alarm(f"{cause}@{since:%H%M%S}", klass, "gross", since)


class Listener:
    """Hears one tick a second."""

    def __init__(self) -> None:
        self.heard, self.now = Ringing(), OPEN
        self.rings: list[Ring] = []
        self.quiet: list[HeldBack] = []

    def hear(
        self, *alarms: Alarm, seconds: int = 1, acknowledged: Iterable[str] = (), held: Iterable[HeldBack] = ()
    ) -> Listener:
        for _ in range(seconds):
            self.heard, rings, quiet = ring(self.heard, alarms, frozenset(acknowledged), self.now, held)
            self.rings += rings
            self.quiet += quiet
            self.now += SECOND
        return self

    @property
    def audible(self) -> int:
        return sum(one.audible for one in self.rings)


def test_an_act_repeats_each_minute_five_times_in_the_terminal_and_then_only_goes_out() -> None:
    listener = Listener().hear(alarm(), seconds=601)
    assert [one.repeat for one in listener.rings] == list(range(11))
    assert listener.audible == 1 + REPEATS


def test_what_somebody_has_seen_does_not_ring_again_nor_at_a_console_that_starts_later() -> None:
    listener = Listener().hear(alarm(), seconds=70).hear(alarm(), seconds=300, acknowledged={alarm().key})
    assert len(listener.rings) == 2
    assert not Listener().hear(alarm(), seconds=300, acknowledged={alarm().key}).rings


@pytest.mark.parametrize(("klass", "rings"), [(AlarmClass.LOOK, 1), (AlarmClass.NOTE, 0)])
def test_a_look_rings_once_and_a_note_never(klass: AlarmClass, rings: int) -> None:
    assert len(Listener().hear(alarm(klass), seconds=600).rings) == rings


def test_what_becomes_worse_rings() -> None:
    listener = Listener().hear(alarm(AlarmClass.NOTE)).hear(alarm(AlarmClass.LOOK)).hear(alarm(AlarmClass.ACT))
    assert [one.alarm.klass for one in listener.rings] == [AlarmClass.LOOK, AlarmClass.ACT]


def test_back_within_ten_minutes_is_counted_and_held_back_until_they_are_over() -> None:
    listener = Listener().hear(alarm(), seconds=5).hear(seconds=4)
    ended = OPEN + 5 * SECOND
    back = alarm(since=listener.now)
    listener.hear(back, seconds=590)
    assert len(listener.rings) == 1
    assert [(one.why, one.until) for one in listener.quiet] == [(CHATTERS, ended + CHATTER)]
    assert listener.heard.chatter == {"trigger/gross": 2}
    assert listener.hear(back, seconds=10).rings[-1].chatter == 2
    assert len(listener.rings) == 2


def test_back_after_ten_minutes_rings() -> None:
    listener = Listener().hear(alarm(AlarmClass.LOOK)).hear(seconds=700).hear(alarm(AlarmClass.LOOK))
    assert (len(listener.rings), listener.quiet) == (2, [])


def test_what_is_held_back_is_told_once_for_each_window() -> None:
    first = HeldBack(alarm(AlarmClass.LOOK), RESTART, OPEN + 60 * SECOND)
    second = HeldBack(alarm(AlarmClass.LOOK), RESTART, OPEN + 200 * SECOND)
    other = HeldBack(alarm(AlarmClass.LOOK), OWN_CHANGE, OPEN + 60 * SECOND)
    listener = Listener().hear(seconds=60, held=(first, other)).hear(seconds=60, held=(second,))
    assert listener.quiet == [first, other, second]
    assert not listener.rings


def test_a_breach_rings_once_for_row_and_trigger_and_keeps_its_key() -> None:
    world, listener, keys = Watched().tick(5), Listener(), set()
    for _ in range(20):
        current = world.tick(1, gross=6000).judge().alarms
        keys |= {one.key for one in current}
        listener.hear(*current)
    assert (len(listener.rings), len(keys)) == (1, 1)


# ----------------------------------------------------------------------------------------------------------- held back


def hear(world: Watched, listener: Listener, ticks: int) -> None:
    for _ in range(ticks):
        judged = world.tick(1).judge()
        listener.now = world.wall
        listener.hear(*judged.alarms, held=judged.held)


def test_the_dark_of_an_own_restart_is_held_back_with_its_end_and_an_overrun_rings() -> None:
    world, listener = Watched().tick(5), Listener()
    world.push("advance", "L0", "L1")
    hear(world, listener, 1)
    world.silent = True
    began = world.wall + SECOND
    hear(world, listener, 14)
    assert not listener.rings
    (held,) = [one for one in listener.quiet if one.why == RESTART]
    assert (held.alarm.cause, held.until) == ("trigger/blind", began + timedelta(seconds=15))
    hear(world, listener, 20)
    assert listener.rings[0].alarm.cause == "trigger/blind"


def test_an_own_change_on_its_way_is_held_back_until_it_must_have_arrived() -> None:
    world, listener = Watched(stage=0).tick(5), Listener()
    world.push("advance", "L0", "L1")
    world.stand(1, runtime=False)
    pushed = world.wall
    hear(world, listener, 10)
    (held,) = [one for one in listener.quiet if one.why == OWN_CHANGE]
    assert held.alarm.cause == "truth"
    assert timedelta(0) <= held.until - (pushed + timedelta(seconds=30)) <= 2 * SECOND
    assert not [one for one in listener.rings if one.alarm.cause == "truth"]


def test_a_closed_market_holds_warnings_back_until_it_opens() -> None:
    world, listener = Watched(start=datetime(2026, 11, 17, 23, 0, tzinfo=UTC)).tick(5, gross=4500), Listener()
    hear(world, listener, 60)
    held = {one.alarm.cause: one.until for one in listener.quiet if one.why == CLOSED}
    assert held["warn/live/gross"] == datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
    assert len(listener.quiet) == len(held)
    assert not listener.rings


def test_a_breach_is_never_held_back() -> None:
    signals = policy_document()["spec"]["signals"]
    world, listener = Watched(make_policy(signals=signals)).tick(5), Listener()
    world.push("advance", "L0", "L1")
    world.values["gross"] += 3000
    hear(world, listener, 5)
    assert [one.alarm.cause for one in listener.rings] == ["trigger/grossLimit"]
