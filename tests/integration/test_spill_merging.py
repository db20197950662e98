"""What was decided while the ledger was away joins it at the next tick, and before the next decision; exactly once."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from console.config import Settings
from console.store.spill import Spill
from console.wiring import Wiring
from stages.commands import BeginReduce, Record
from stages.decide import decide
from stages.entries import Draft, LedgerAway
from stages.posture import Mode
from stages.refusal import Refusal
from tests.integration.watching import Console, HandClock, World, begun, console

AWAY = "the ledger is locked by another process"


@pytest.fixture
def spill(tmp_path: Path) -> Spill:
    return Spill(tmp_path / "l.db.spill")


def kill_by_hand(folder: Path, clock: HandClock, name: str = "k1") -> tuple[Draft, ...]:
    """The drafts of a kill that could not be written."""
    with closing(begun(folder, clock)) as ledger:
        state = ledger.state()
    command = BeginReduce("alice", name, "L1", "L0", Mode.KILLED, clock.wall(), "KILL by alice")
    drafts = decide(state, command, clock.wall())
    assert not isinstance(drafts, Refusal)
    return tuple(drafts)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.rollback()
    other.close()


def tick(clock: HandClock, *consoles: Console) -> None:
    for each in consoles:
        each.watch.tick()
    clock.move(1)


def alarms(one: Console) -> dict[str, str]:
    frame = one.desk.frame()
    assert frame is not None
    return {alarm.key.partition("@")[0]: alarm.text for alarm in frame.evaluation.alarms}


def kinds(one: Console) -> list[str]:
    return [entry.kind for entry in one.ledger.entries()]


def test_the_next_tick_merges_once_whoever_ticks_and_says_so(
    tmp_path: Path, world: World, clock: HandClock, spill: Spill
) -> None:
    drafts = kill_by_hand(tmp_path, clock)
    one, other = console(tmp_path, world, "watch@a:1", acting=True), console(tmp_path, world, "watch@a:2")
    tick(clock, one, other)
    assert "spill" not in alarms(one)
    spill.append(drafts, at=clock.wall(), cause=AWAY)
    with locked(tmp_path / "l.db"):
        tick(clock, one, other)
        for each in (one, other):
            frame = each.desk.frame()
            assert frame is not None
            assert AWAY in alarms(each)["spill"]
            assert any("not in the ledger yet" in notice for notice in frame.notices)
    assert "gap" not in kinds(one)
    for _ in range(3):
        tick(clock, one, other)
    there = [entry for entry in one.ledger.entries() if entry.kind == "gap" or "spilledAt" in entry.body]
    assert [entry.kind for entry in there] == ["gap", *(draft.kind for draft in drafts)]
    assert one.ledger.state().intents["k1"].mode is Mode.KILLED
    assert not spill.waiting()
    for each in (one, other):
        assert "spill" not in alarms(each)
        (told,) = [text for key, text in alarms(each).items() if key.startswith("gap/")]
        assert told.endswith("joined it late")
    frame = one.desk.frame()
    assert frame is not None
    assert any("ledger was away" in line for line in frame.events)
    clock.move(601)
    tick(clock, one)
    assert not [key for key in alarms(one) if key.startswith("gap/")]


def test_a_console_that_only_reads_tells_of_a_spill_and_leaves_it(
    tmp_path: Path, world: World, clock: HandClock, spill: Spill
) -> None:
    spill.append(kill_by_hand(tmp_path, clock), at=clock.wall(), cause=AWAY)
    one = console(tmp_path, world, "watch@a:1", read_only=True)
    tick(clock, one)
    assert "spill" in alarms(one)
    assert spill.waiting()
    assert "gap" not in kinds(one)


def test_a_merge_that_another_process_never_ends_holds_no_tick_up(
    tmp_path: Path, world: World, clock: HandClock, spill: Spill
) -> None:
    spill.append(kill_by_hand(tmp_path, clock), at=clock.wall(), cause=AWAY)
    one = console(tmp_path, world, "watch@a:1")
    with (tmp_path / "l.db.spill.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        tick(clock, one)
        assert "another process is merging" in alarms(one)["spill"]
    tick(clock, one)
    assert "gap" in kinds(one)


def wired(folder: Path) -> Wiring:
    return Wiring(Settings.model_validate({"ledger": f"sqlite:///{folder}/l.db", "state": str(folder)}))


def test_the_next_decision_comes_after_what_was_spilled(tmp_path: Path, clock: HandClock, spill: Spill) -> None:
    drafts = kill_by_hand(tmp_path, clock)
    spill.append(drafts, at=clock.wall(), cause=AWAY)
    with spill.path.open("ab") as file:
        file.write(b'{"at":"torn')
    wiring = wired(tmp_path)
    with closing(wiring):
        wiring.command(Record("bob", "note", {"text": "all quiet", "subject": "desk"}))
        kinds = [entry.kind for entry in wiring.ledger.entries()]
        assert kinds[-len(drafts) - 2 :] == ["gap", *(draft.kind for draft in drafts), "note"]
        gap = wiring.ledger.state().gap
        assert gap is not None
        assert (gap.records, gap.torn) == (1, 1)
        assert not spill.waiting()
        assert wiring.ledger.verify().ok


def test_no_decision_is_made_beside_a_spill_that_cannot_be_merged(
    tmp_path: Path, clock: HandClock, spill: Spill
) -> None:
    spill.append(kill_by_hand(tmp_path, clock), at=clock.wall(), cause=AWAY)
    wiring, note = wired(tmp_path), Record("bob", "note", {"text": "all quiet", "subject": "desk"})
    with closing(wiring), (tmp_path / "l.db.spill.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LedgerAway, match="another process is merging"):
            wiring.ledger.transact(note, now=clock.wall(), deadline=0.05)
        assert "note" not in [entry.kind for entry in wiring.ledger.entries()]


def test_two_that_merge_at_once_merge_once(tmp_path: Path, clock: HandClock, spill: Spill) -> None:
    drafts = kill_by_hand(tmp_path, clock)
    spill.append(drafts, at=clock.wall(), cause=AWAY)
    first, second = wired(tmp_path), wired(tmp_path)
    with closing(first), closing(second), ThreadPoolExecutor(2) as pool:
        note = Record("bob", "note", {"text": "all quiet", "subject": "desk"})
        for done in [pool.submit(wiring.command, note) for wiring in (first, second)]:
            done.result(60)
        kinds = [entry.kind for entry in first.ledger.entries()]
    assert kinds.count("gap") == 1
    assert kinds[-2:] == ["note", "note"]
    assert kinds.count("intent") == 1
