"""What must hold for any order, any repetition and any sequence of samples."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from stages.evaluation import WatchState
from stages.posture import Latch, Mode, Posture, join
from stages.windows import Confirmations, Window
from tests.unit.watched import OPEN, Watched

TOP = 3
postures = st.builds(Posture, st.sampled_from(Mode), st.integers(0, TOP))
latches = st.builds(
    Latch,
    key=st.text("abc", min_size=1, max_size=3),
    trigger=st.just("gross"),
    cause=st.just("gross"),
    epoch=st.just(0),
    opened_at=st.just(OPEN),
    evidence=st.just(""),
    mode=st.sampled_from(Mode),
    cap=st.none() | st.integers(0, TOP),
    clear_roles=st.just(("risk",)),
    seq=st.integers(1, 9),
)


@given(postures, postures, postures)
def test_join_is_commutative_associative_and_idempotent(a: Posture, b: Posture, c: Posture) -> None:
    assert a.join(b) == b.join(a)
    assert a.join(b).join(c) == a.join(b.join(c))
    assert a.join(a) == a


@given(st.lists(latches), st.randoms())
def test_order_and_duplicates_of_latches_do_not_matter(held: list[Latch], chance) -> None:
    shuffled = [*held, *held]
    chance.shuffle(shuffled)
    assert join(shuffled, TOP) == join(held, TOP)


@given(st.lists(latches), latches)
def test_one_more_latch_never_loosens(held: list[Latch], one: Latch) -> None:
    before, after = join(held, TOP), join([*held, one], TOP)
    alone = one.contribution(TOP)
    assert after.mode >= max(before.mode, alone.mode)
    assert after.cap <= min(before.cap, alone.cap)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=50), st.integers(4, 6))
def test_no_sequence_with_repeated_event_times_confirms(reads: list[tuple[int, bool]], needed: int) -> None:
    seen, window = Confirmations(), Window()
    for second, bad in reads:
        seen = seen.see(OPEN + timedelta(seconds=second), bad)
        window = window.see(OPEN + timedelta(seconds=second), bad, 10)
    assert seen.bad < needed
    assert window.breaches < needed


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1000, 9000), st.booleans()), max_size=12))
def test_a_latch_needs_three_distinct_bad_readings_in_a_row(reads: list[tuple[int, bool]]) -> None:
    world = Watched().tick(2)
    run = longest = 0
    for gross, frozen in reads:
        (world.frozen.add if frozen else world.frozen.discard)("gross")
        world.tick(1, seconds=0.2, gross=gross)
        if not frozen:
            run = run + 1 if gross >= 5000 else 0
            longest = max(longest, run)
    assert ("grossLimit" in world.latches) == (longest >= 3)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1000, 30000), st.booleans(), st.integers(-400, 100)), max_size=10))
def test_the_watch_survives_its_document(ticks: list[tuple[int, bool, int]]) -> None:
    world = Watched(stage=2).tick(1)
    for gross, silent, pnl in ticks:
        world.silent = silent
        world.tick(1, gross=gross, pnl=Decimal(pnl))
        assert WatchState.from_document(world.watch.to_document()) == world.watch
