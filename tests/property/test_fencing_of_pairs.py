"""Two at the same target, other than a push and a reduction: two reductions, an advance by branch, a ledger lost."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.procedures.advance import Advanced, AdvancePorts, apply
from console.procedures.follow import resolve
from stages.phrase import confirmation_phrase
from stages.posture import Mode, join
from stages.refusal import Trouble
from tests.property import small
from tests.property.racing import Alone, Choose, Clock, Ledger, Mirror, Numbers, Pen, Race, every
from tests.property.test_fencing import DOWN, Down, Target

COARSE = frozenset({"fetch", "check", "push"})
"""Where two reductions are cut in every way there is: nobody sees a commit before its push."""

PROPOSING = frozenset({"check", "propose", "withdraw", "record"})
"""Where an advance by branch and a reduction are cut."""


class Dead(Alone):
    """Nobody on this machine is at an act any more."""

    def alive(self, intent: str) -> bool | None:
        return False


def advance(target: Target, race: Race, *, by_branch: bool = False, left: int | None = None) -> Advanced | Trouble:
    """An advance; the Trouble with which it ended where its ledger went away meanwhile."""
    made, turn = small.force(), race.turns("advance")
    ports = AdvancePorts(
        Ledger(target.book, turn, left=left), Mirror(target.remote, turn), Pen("alice"), Clock(), Numbers("up"),
        Alone(), lambda _: None, by_branch=by_branch,
    )  # fmt: skip
    phrase = confirmation_phrase(made.policy.name, target.plan)
    tokens = [target.approval(who) for who in ("bob", "erin")]
    try:
        return apply(
            ports, made, plan=target.plan, tokens=tokens, phrase=phrase, actor="alice", gates=lambda _: (),
        )  # fmt: skip
    except Trouble as away:
        return away


def at_most(target: Target, down: Down, story: str) -> None:
    policy = small.force().policy
    allowed = {**policy.resolved[down.to], **policy.overlay(down.mode)}
    for name, value in target.values().items():
        if name in allowed:
            assert policy.spec.controls[name].order.at_most(value, allowed[name]), f"{name} is {value}\n{story}"


def look_later(target: Target) -> None:
    """The watch's next look, when whoever was at it is gone."""
    mirror = Mirror(target.remote, lambda _: None)
    mirror.fetch()
    resolve(Ledger(target.book, lambda _: None), mirror, Dead(), Clock(), actor="watch", grace=timedelta())


def both_down(one: Down, other: Down, choose: Choose, points: frozenset[str] | None = COARSE) -> None:
    target, run = Target(1), Race(choose, points)
    found = run.run(
        {
            "one": lambda: target.reduce(run, one, "one", "down1"),
            "other": lambda: target.reduce(run, other, "other", "down2"),
        }
    )
    story = "\n".join(run.moves)
    assert {found[who].outcome for who in found} <= {"pushed", "unchanged"}, story
    for down in (one, other):
        at_most(target, down, story)
    recorded = [down for down in (one, other) if down.ledger]
    state = target.book.state
    assert not state.unresolved, story
    assert len(state.intents) == len(recorded), story
    killed = any(down.mode is Mode.KILLED for down in recorded)
    assert (join(state.latches.values(), 2).mode is Mode.KILLED) == killed, story


PAIRS = [
    ("kill", "kill"), ("kill", "kill without its ledger"), ("kill", "rollback"),
    ("kill without its ledger", "rollback"),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_no_schedule_of_two_reductions_leaves_more_than_either_allows(pair: tuple[str, str]) -> None:
    one, other = (DOWN[name] for name in pair)
    assert every(partial(both_down, one, other)) >= 20


def proposal(down: Down, choose: Choose, points: frozenset[str] | None = PROPOSING) -> None:
    """No branch that raises risk outlives a reduction: at once where both reach the ledger, else at the next look."""
    target, run = Target(0), Race(choose, points)
    found = run.run(
        {"advance": lambda: advance(target, run, by_branch=True), "reduce": lambda: target.reduce(run, down)}
    )
    story, advanced = "\n".join(run.moves), found["advance"]
    at_most(target, down, story)
    if down.ledger:
        assert not target.remote.branches, story
        look_later(target)
        assert not target.book.state.awaiting, story
        assert not target.book.state.unresolved, story
    else:
        assert (advanced.outcome == "proposed") == bool(target.remote.branches), story
        assert advanced.sha not in target.remote.line(target.remote.head), "nothing but a merge brings it in"


@pytest.mark.parametrize("name", ["kill", "rollback", "kill without its ledger"])
@settings(max_examples=60, deadline=None)
@given(choices=st.lists(st.booleans(), max_size=60))
def test_no_schedule_leaves_a_branch_that_a_reduction_overtook(name: str, choices: list[bool]) -> None:
    left = iter(choices)
    proposal(DOWN[name], lambda waiting: waiting[-1] if next(left, False) else waiting[0], points=None)


@pytest.mark.parametrize("name", ["kill", "rollback"])
def test_nor_does_any_schedule_around_the_proposal(name: str) -> None:
    assert every(partial(proposal, DOWN[name])) >= 30


@pytest.mark.parametrize("by_branch", [False, True], ids=["push", "branch"])
@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["kill", "rollback", "kill without its ledger"]), left=st.integers(0, 8),
    choices=st.lists(st.booleans(), max_size=60),
)  # fmt: skip
def test_an_advance_that_loses_its_ledger_on_the_way_is_fenced_as_well(
    by_branch: bool, name: str, left: int, choices: list[bool]
) -> None:
    target, following = Target(0), iter(choices)
    run = Race(lambda waiting: waiting[-1] if next(following, False) else waiting[0])
    down = DOWN[name]
    found = run.run(
        {
            "advance": lambda: advance(target, run, by_branch=by_branch, left=left),
            "reduce": lambda: target.reduce(run, down),
        }
    )
    story = "\n".join(run.moves)
    at_most(target, down, story)
    told_all = isinstance(found["advance"], Advanced) and found["advance"].outcome != "proposed"
    if by_branch and down.ledger:
        look_later(target)
        assert not target.remote.branches, story
    elif by_branch and told_all:
        assert not target.remote.branches, story
