"""The watch on a real ledger: one latch, one reduction, one holder; nothing is confirmed by standing still."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.ports import Observations
from console.watch.memory import KEPT
from stages.commands import BeginReduce, ChangeBurnIn, Record, RecordOutcome, RecordSettled
from stages.entries import EntryFilter, canonical
from stages.posture import Mode
from stages.refusal import Trouble
from stages.signals import LIVE_BOOK, Quality, SignalKey
from stages.value import replace
from stages.verdict import RowState
from tests.integration.watching import Console, HandClock, Manifests, World, begun, console, kinds, run


class Away:
    """A store whose disk is full: it reads, and takes nothing more."""

    def __init__(self, store: Observations) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append_tick(self, at: datetime, body: Mapping[str, Any]) -> int:
        raise Trouble("the disk is full")

    def put_accumulators(self, body: Mapping[str, Any], *, at: datetime) -> str:
        raise Trouble("the disk is full")


def test_without_an_adopted_policy_the_desk_says_what_is_in_the_way(tmp_path: Path, world: World) -> None:
    one = console(tmp_path, world, "watch@a:1")
    one.watch.tick()
    assert one.desk.frame() is None
    assert "does not exist" in one.desk.waiting_for()


def test_the_first_tick_makes_a_frame_and_takes_the_lease(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    heard: list[int] = []
    end = one.desk.subscribe(lambda: heard.append(1))
    frame = run(one, clock, 3)
    end()
    assert frame.presence.here
    assert frame.presence.acting
    assert frame.evaluation.standing.stage == 1
    assert len(heard) >= 3
    assert one.observations.newest_tick() is not None
    assert not one.memory.launched


def test_a_confirmed_breach_opens_one_latch_and_starts_one_reduction(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 3)
    world.values["gross"] = "5300"
    frame = run(one, clock, 2)
    assert not kinds(one, "latch-opened"), "two reads are a suspicion"
    row = next(row for row in frame.evaluation.rows if row.key == SignalKey(LIVE_BOOK, "gross"))
    assert row.state is RowState.SUSPECT
    frame = run(one, clock, 8)
    assert len(kinds(one, "latch-opened")) == 1
    assert frame.evaluation.posture.mode.name == "REDUCE_ONLY"
    assert frame.evaluation.posture.cap == 0
    assert len(one.memory.launched) == 1
    assert one.memory.launched[0][0] == "reduce-worker"
    assert "L0" in one.memory.launched[0]
    assert one.memory.notified
    assert kinds(one, "alarm")
    assert frame.rung >= 1
    assert any("HELD grossLimit" in line for line in frame.events)


def test_a_stage_that_cannot_be_reached_whole_is_passed_over_down_to_killed(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True, manifests=Manifests(missing={"scheduler.yaml"}))
    run(one, clock, 3)
    world.values["gross"] = "5300"
    run(one, clock, 8)
    (launched,) = one.memory.launched
    assert launched[1:5] == ("--to", "L0", "--mode", "KILLED")
    assert "not to L0: L0 cannot be reached whole" in launched[6]


def test_what_slips_in_after_a_reduction_by_hand_is_reduced_again(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 3)
    market, hand = clock.market(clock.wall()), "alice"
    one.ledger.transact(BeginReduce(hand, "i1", "L2", "L1", Mode.FROZEN, market, "by hand"), now=clock.wall())
    one.ledger.transact(RecordOutcome(hand, "i1", "pushed", "b" * 40), now=clock.wall())
    one.ledger.transact(RecordSettled(hand, "i1", True, "b" * 40), now=clock.wall())
    run(one, clock, 2)
    assert not one.memory.launched
    world.stage = 2
    run(one, clock, 2)
    (launched,) = one.memory.launched
    assert launched[1:3] == ("--to", "L1")
    assert not kinds(one, "latch-opened")


def test_a_console_that_does_not_act_says_so_and_starts_nothing(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1")
    world.values["gross"] = "5300"
    frame = run(one, clock, 8)
    assert len(kinds(one, "latch-opened")) == 1
    assert not one.memory.launched
    assert not frame.presence.acting
    one.watch.take_over()
    run(one, clock, 2)
    assert len(one.memory.launched) == 1


def test_a_frozen_source_read_at_any_rate_confirms_nothing(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 2)
    world.values["gross"], world.frozen = "5300", clock.wall()
    for _ in range(40):
        one.watch.tick()
        clock.move(0.1)
    assert not [body for body in kinds(one, "latch-opened") if "grossLimit" in body]


def test_two_consoles_and_a_watcher_open_one_latch(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    watcher = console(tmp_path, world, "watch@a:1", acting=True)
    desks = [console(tmp_path, world, f"watch@b:{place}", acting=True) for place in (1, 2)]
    run(watcher, clock, 3, *desks)
    world.values["gross"] = "5300"
    frame = run(watcher, clock, 8, *desks)
    assert len(kinds(watcher, "latch-opened")) == 1
    assert [len(each.memory.launched) for each in (watcher, *desks)] == [1, 0, 0]
    for each in desks:
        shown = each.desk.frame()
        assert shown is not None
        assert shown.presence.holder == "watch@a:1"
        assert shown.presence.acting
        assert not shown.presence.here
        assert shown.evaluation.snapshot.seq == frame.evaluation.snapshot.seq
        assert [row.value for row in shown.evaluation.rows] == [row.value for row in frame.evaluation.rows]
        assert not each.readers, "a desk asks the sources nothing while ticks come"
        assert not each.memory.notified


def test_a_desk_reads_for_itself_when_ticks_stop_and_takes_a_free_lease(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    watcher, desk = console(tmp_path, world, "watch@a:1", acting=True), console(tmp_path, world, "watch@b:1")
    run(watcher, clock, 3, desk)
    frame = run(desk, clock, 7)
    assert any("own readings" in notice for notice in frame.notices)
    assert desk.readers
    frame = run(desk, clock, 6)
    assert frame.presence.here, "the lease has expired and was free"
    states = [body for body in kinds(desk, "lease") if "expired" in body]
    assert len(states) == 1


def test_a_look_is_the_newest_tick_and_no_older_one(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    watcher, desk = console(tmp_path, world, "watch@a:1", acting=True), console(tmp_path, world, "watch@b:1")
    assert watcher.watch.look() is None, "nothing was seen yet"
    frame = run(watcher, clock, 3, desk)
    for each in (watcher, desk):
        seen = each.watch.look()
        assert seen is not None
        assert seen.evaluation.snapshot.seq == frame.evaluation.snapshot.seq
        assert (seen.own, seen.presence.holder) == (False, "watch@a:1")
    run(desk, clock, 7)
    assert desk.watch.look() is None, "its own readings are no watch's: whoever judges by them looks for itself"
    assert watcher.watch.look() is None, "what is seven seconds old is looked at again"


def test_whoever_acts_relieves_a_holder_that_only_looks(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    looks = console(tmp_path, world, "watch@a:1")
    acts = console(tmp_path, world, "watch@b:1", acting=True)
    also = console(tmp_path, world, "watch@c:1", acting=True)
    run(looks, clock, 3)
    run(acts, clock, 3, looks, also)
    frame = acts.desk.frame()
    assert frame is not None
    assert frame.presence.here
    assert frame.presence.acting
    assert [body for body in kinds(acts, "lease") if "relieved" in body], "the ledger says who was relieved"
    assert len(kinds(acts, "lease")) == 2, "two that act do not relieve one another"


def test_ticks_of_the_future_are_no_sign_of_life(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    acts, looks = console(tmp_path, world, "watch@a:1", acting=True), console(tmp_path, world, "watch@b:1")
    frame = run(acts, clock, 3, looks)
    assert not frame.notices
    clock.move(-3600)
    frame = run(looks, clock, 1)
    assert any("own readings" in notice for notice in frame.notices)


def test_whoever_acts_already_takes_nothing_over(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    acts, looks = console(tmp_path, world, "watch@a:1", acting=True), console(tmp_path, world, "watch@b:1")
    run(acts, clock, 2, looks)
    before = kinds(acts, "lease")
    acts.watch.take_over()
    run(acts, clock, 2, looks)
    assert kinds(acts, "lease") == before
    looks.watch.take_over()
    run(looks, clock, 2, acts)
    acts.watch.take_over()
    frame = run(acts, clock, 2, looks)
    assert frame.presence.here, "asked again after it was relieved"


def relieved(folder: Path, world: World, clock: HandClock) -> Console:
    """A console that acted until, a moment ago, another took over; it has not heard of that yet."""
    begun(folder, clock)
    first, second = console(folder, world, "watch@a:1", acting=True), console(folder, world, "watch@b:1")
    run(first, clock, 3, second)
    second.watch.take_over()
    second.watch.tick()
    return first


def test_whoever_was_relieved_writes_nothing_more(tmp_path: Path, world: World, clock: HandClock) -> None:
    first = relieved(tmp_path, world, clock)
    clock.move(1)
    before = first.ledger.head().seq
    first.watch.tick()
    frame = first.desk.frame()
    assert frame is not None
    assert frame.presence.holder == "watch@b:1"
    assert first.ledger.head().seq == before
    assert any("relieved" in body for body in kinds(first, "lease"))


def test_whoever_is_relieved_within_a_tick_writes_nothing_of_its_rest(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    first = relieved(tmp_path, world, clock)
    before = first.ledger.head().seq
    rest = [Record("watch", "note", {"text": text, "subject": "tick"}) for text in ("one", "two", "three")]
    first.watch._carry_out(rest, first.ledger.state())
    assert first.ledger.head().seq == before
    assert first.watch._pending == [], "whoever watches now says it, not this one later"


def test_a_restart_resumes_from_the_seal_and_the_time_between_is_unseen(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 70)
    one.watch.close()
    sealed = one.ledger.state()
    assert sealed.last_seal >= 70
    seen = one.desk.frame()
    clock.move(30)
    two = console(tmp_path, world, "watch@a:2", acting=True)
    frame = run(two, clock, 1)
    assert seen is not None
    assert frame.evaluation.snapshot.seq == seen.evaluation.snapshot.seq + 1
    assert frame.evaluation.snapshot.gap >= 30
    assert frame.presence.here, "the lease was given back"


def test_a_crash_resumes_from_the_ticks_after_the_seal(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 65)
    world.values["gross"] = "5300"
    run(one, clock, 2)
    clock.move(11)
    two = console(tmp_path, world, "watch@a:2", acting=True)
    run(two, clock, 1)
    assert len(kinds(two, "latch-opened")) == 1, "the two reads before the crash count"


def test_lost_accumulators_abort_the_burn_in_instead_of_inventing_it(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 5)
    one.watch.close()
    assert any(run.state == "OBSERVING" for run in one.ledger.state().runs.values())
    with sqlite3.connect(tmp_path / "o.db") as store:
        store.execute("delete from accumulators")
    two = console(tmp_path, world, "watch@a:2")
    run(two, clock, 1)
    assert any("ABORTED" in body and "lost" in body for body in kinds(two, "burn-in"))


def test_lost_accumulators_void_a_pass_too(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 5)
    one.watch.close()
    (stage, going) = next(iter(one.ledger.state().runs.items()))
    one.ledger.transact(ChangeBurnIn("watch", stage, going.run, "PASSED", going.started, clock.now), now=clock.now)
    with sqlite3.connect(tmp_path / "o.db") as store:
        store.execute("delete from accumulators")
    two = console(tmp_path, world, "watch@a:2", acting=True)
    run(two, clock, 1)
    assert any(going.run in body and "ABORTED" in body and "lost" in body for body in kinds(two, "burn-in"))


def test_time_that_no_seal_can_cover_is_no_evidence(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 5)
    assert one.watch._memory is not None
    before = one.watch._memory.watch.burn_in
    store = one.watch._ports.observations
    one.watch._ports = replace(one.watch._ports, observations=Away(store))
    frame = run(one, clock, 20)
    assert any("disk" in notice for notice in frame.notices)
    world.values["gross"] = "5300"
    run(one, clock, 3)
    assert len(kinds(one, "latch-opened")) == 1, "what is unsafe is acted on, stored or not"
    one.watch._ports = replace(one.watch._ports, observations=store)
    run(one, clock, 1)
    after = one.watch._memory.watch.burn_in
    assert after.observed - before.observed <= 1, "the tick that found the store away"
    assert after.blind - before.blind >= 22
    stored = list(store.ticks(after=1))
    assert stored[-1].body["snapshot"]["gap"] >= 23


def test_a_ledger_that_is_locked_costs_no_reduction(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 3)
    world.values["gross"] = "5300"
    run(one, clock, 2)
    locker = sqlite3.connect(tmp_path / "l.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    frame = run(one, clock, 1)
    assert len(one.memory.launched) == 1
    assert any("locked" in notice for notice in frame.notices)
    locker.execute("ROLLBACK")
    locker.close()
    frame = run(one, clock, 1)
    assert len([body for body in kinds(one, "latch-opened") if "grossLimit" in body]) == 1
    assert not frame.notices


def test_blindness_of_one_source_leaves_the_others_alone(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 3)
    world.quality["gross"] = Quality.PROVIDER_ERROR
    frame = run(one, clock, 1)
    states = {row.key.name: row.state for row in frame.evaluation.rows if row.key.book == LIVE_BOOK}
    assert states["gross"] is RowState.BLIND
    assert states["net"] is RowState.OK


def test_trends_hold_only_what_was_believed(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    world.values["gross"] = "1200"
    run(one, clock, 25)
    world.quality["gross"] = Quality.MISSING
    frame = run(one, clock, 15)
    trend = frame.history[SignalKey(LIVE_BOOK, "gross")]
    assert trend[0] == 1200.0
    assert trend[-1] is None
    two = console(tmp_path, world, "watch@b:1")
    again = run(two, clock, 1).history[SignalKey(LIVE_BOOK, "gross")]
    assert 1200.0 in again, "a console that has just started knows the hour before it"


def test_a_seal_a_minute_holds_the_digest_of_its_ticks(tmp_path: Path, world: World, clock: HandClock) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1", acting=True)
    run(one, clock, 125)
    seals = sorted((entry for entry in one.ledger.newest(EntryFilter(kind="seal"))), key=lambda entry: entry.seq)
    assert [entry.body["phase"] for entry in seals] == ["open", "open"]
    for entry in seals:
        digest, count = one.observations.digest(after=entry.body["from"] - 1, upto=entry.body["through"])
        assert (digest, count) == (entry.body["ticks"], entry.body["count"])
    assert seals[1].body["from"] == seals[0].body["through"] + 1


def test_sealed_ticks_older_than_two_days_are_pruned_and_the_watch_goes_on(
    tmp_path: Path, world: World, clock: HandClock
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1")
    run(one, clock, 130)
    kept = len(list(one.observations.ticks()))
    clock.move(KEPT.total_seconds())
    run(one, clock, 130)
    left = list(one.observations.ticks())
    assert len(left) < kept + 130
    assert all(tick.at > clock.wall() - KEPT - timedelta(seconds=130) for tick in left)
    assert one.ledger.verify().ok
    again = console(tmp_path, world, "watch@a:1")
    assert run(again, clock, 1).evaluation.standing.stage == 1


def test_a_tick_on_disk_is_compact(tmp_path: Path, world: World, clock: HandClock) -> None:
    """A day of ticks stays below what a laptop notices: 86,400 of them in less than two gigabytes."""
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1")
    run(one, clock, 2)
    tick = one.observations.newest_tick()
    assert tick is not None
    text = canonical(tick.body)
    samples = sum(len(book) for book in tick.body["snapshot"]["samples"].values())
    assert len(text) / samples < 300, "bytes per sample, witnesses included"
    assert ": " not in text.replace("T", "")[:200], "no blanks between keys"


def test_a_watch_that_breaks_says_so_on_the_last_frame(
    tmp_path: Path, world: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path, clock)
    one = console(tmp_path, world, "watch@a:1")
    run(one, clock, 2)
    monkeypatch.setattr(world, "snapshot", lambda _seq: 1 // 0)
    one.watch.start()
    one.watch.stop(10)
    assert isinstance(one.watch.fault, ZeroDivisionError)
    frame = one.desk.frame()
    assert frame is not None
    assert any("stopped by itself (ZeroDivisionError)" in notice for notice in frame.notices)
    row = one.ledger.lease.current()
    assert row is None or not row.alive(clock.wall()), "the lease is given back"
