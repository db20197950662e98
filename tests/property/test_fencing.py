"""A late apply is fenced: whoever reduces meanwhile has the last word, in every interleaving of the two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.procedures.advance import Advanced, AdvancePorts, apply
from console.procedures.reduce import BUDGET, Order, Reduced, ReducePorts, reduce
from stages.authority import Claims, action_digest, advance_action, environment_fingerprint, gate_report_digest
from stages.commands import AdoptPolicy, AdoptRoster, ChangeBurnIn
from stages.decide import decide
from stages.entries import Draft
from stages.phrase import confirmation_phrase
from stages.posture import Mode
from stages.refusal import Refusal
from stages.standing import read_controls
from stages.token import Token, encode_token
from tests.property import small
from tests.property.racing import (
    OPEN,
    Alone,
    Aside,
    Book,
    Choose,
    Clock,
    Ledger,
    Mirror,
    Numbers,
    Pen,
    Race,
    Remote,
    Turn,
    every,
)

SHARED = frozenset({"begin", "fetch", "check", "commit", "push", "merge"})
"""The points at which every schedule is tried; reads of the ledger between them go with what follows."""


EPOCH = 3
"""Where the ledger is; a reduction that never reached it takes its own for the first."""


@dataclass(frozen=True)
class Down:
    """A reduction that races: to which stage, in which mode, by whom, and whether it reaches the ledger and Git."""

    to: int
    mode: Mode
    automatic: bool = False
    ledger: bool = True
    git: bool = True


DOWN = {
    "kill": Down(0, Mode.KILLED),
    "kill without its ledger": Down(0, Mode.KILLED, ledger=False),
    "rollback": Down(0, Mode.NORMAL),
    "rollback without its ledger": Down(0, Mode.NORMAL, ledger=False),
    "kill without its ledger and Git": Down(0, Mode.KILLED, ledger=False, git=False),
    "rollback without its ledger and Git": Down(0, Mode.NORMAL, ledger=False, git=False),
    "halt by itself": Down(1, Mode.HALTED, automatic=True),
    "step down by itself": Down(1, Mode.NORMAL, automatic=True),
}


class Target:
    """A target that stands at a stage, with a plan for the next one that everybody approved."""

    def __init__(self, stage: int) -> None:
        self.remote, self.book, self.aside = Remote(), Book(), Aside()
        self.remote.begin(small.files(stage))
        made = small.force()
        name = made.policy.stages[stage].name
        for command in (
            AdoptRoster("alice", made.roster_digest, self.remote.head, "roster.yaml"),
            AdoptPolicy("alice", made.policy_digest, 1, self.remote.head, "ramp.yaml"),
            ChangeBurnIn("watch", name, f"run-{name}", "PASSED", OPEN, OPEN),
        ):
            answer = decide(self.book.state, command, OPEN)
            assert not isinstance(answer, Refusal)
            self.book.add(answer)
        self.book.add([Draft("latch-cleared", None, None, "alice", {"key": "long ago"}, epoch=EPOCH)])
        self.plan = small.first_plan(stage, EPOCH)

    def advance(self, race: Race) -> Advanced:
        made, turn = small.force(), race.turns("advance")
        ports = AdvancePorts(
            Ledger(self.book, turn), Mirror(self.remote, turn), Pen("alice"), Clock(), Numbers("up"), Alone(),
            lambda _: None,
        )  # fmt: skip
        phrase = confirmation_phrase(made.policy.name, self.plan)
        tokens = [self.approval(who) for who in ("bob", "erin")]
        return apply(
            ports, made, plan=self.plan, tokens=tokens, phrase=phrase, actor="alice", gates=lambda _: (),
        )  # fmt: skip

    def approval(self, who: str) -> str:
        made = small.force()
        claims = Claims(
            action=action_digest(advance_action(self.plan)), gate_report=gate_report_digest([]), approver=who,
            roster=made.roster_digest, environment=environment_fingerprint(made.policy), issued=OPEN,
            expires=OPEN + timedelta(minutes=30), nonce=f"nonce-{who}",
        )  # fmt: skip
        return encode_token(Token(claims, Pen(who).sign(b"")))

    def reduce(self, race: Race, down: Down, who: str = "reduce", intent: str = "down1") -> Reduced:
        made, turn, clock = small.force(), race.turns(who), Clock()
        ports = ReducePorts(
            Ledger(self.book, turn, away=not down.ledger), self.aside,
            Mirror(self.remote, turn, away=not down.git), None, clock, Alone(), clock.pause, lambda _: None,
        )  # fmt: skip
        order = Order(intent, "carol", down.to, down.mode, "by hand", automatic=down.automatic)
        budget = BUDGET if down.git else timedelta(seconds=1)
        return reduce(ports, made.policy, order, digests=(made.policy_digest, made.roster_digest), budget=budget)

    def merge(self, turn: Turn) -> int:
        """Whoever looks next brings in what was spilled; how many entries that became."""
        return len(self.aside.merge(Ledger(self.book, turn), actor="watch", now=OPEN))

    def values(self) -> dict[str, Any]:
        files = self.remote.commits[self.remote.head].files
        return dict(read_controls(small.force().policy, files.get).values)


def race(
    stage: int, down: Down, choose: Choose, points: frozenset[str] | None = SHARED, *, merging: bool = True
) -> None:
    """Run both, beside them (``merging``) whoever brings in what was spilled, and look at what is left."""
    target = Target(stage)
    run = Race(choose, points)
    acts: dict[str, Callable[[], object]] = {
        "advance": partial(target.advance, run),
        "reduce": partial(target.reduce, run, down),
    }
    if merging and not down.ledger:
        acts["watch"] = lambda: target.merge(run.turns("watch"))
    found = run.run(acts)
    story = "\n".join(run.moves)
    if down.git:
        fenced_in_git(target, down, found["advance"], found["reduce"], story)
    if down.ledger:
        state = target.book.state
        assert not state.unresolved, story
        told = [one.outcome for one in state.intents.values() if one.kind == "advance"]
        assert told in ([], [found["advance"].outcome]), story
    else:
        fenced_in_the_ledger(target, found["advance"], joined=found.get("watch", 0) > 0, moves=run.moves)


def fenced_in_git(target: Target, down: Down, advanced: Advanced, reduced: Reduced, story: str) -> None:
    policy = small.force().policy
    allowed = {**policy.resolved[down.to], **policy.overlay(down.mode)}
    for name, value in target.values().items():
        if name in allowed:
            assert policy.spec.controls[name].order.at_most(value, allowed[name]), f"{name} is {value}\n{story}"
    line = list(target.remote.line(target.remote.head))
    assert (advanced.outcome == "pushed") == (advanced.sha in line), story
    assert reduced.outcome in ("pushed", "unchanged"), story
    if reduced.outcome == "pushed" and advanced.outcome == "pushed":
        assert line.index(reduced.sha) < line.index(advanced.sha), f"the apply came after the reduction\n{story}"


def fenced_in_the_ledger(target: Target, advanced: Advanced, *, joined: bool, moves: list[str]) -> None:
    """From the moment in which the spill joined it, also where the reduction has nothing to show in Git."""
    story = "\n".join(moves)
    if joined and "advance commit" in moves[moves.index("watch merge") :]:
        assert advanced.outcome != "pushed", f"the ledger knew of the reduction before the commit\n{story}"
    target.merge(lambda _: None)
    assert target.book.state.epoch > target.plan.epoch, story
    epochs = [entry.epoch for entry in target.book.all]
    assert epochs == sorted(epochs), story


@pytest.mark.parametrize("name", [name for name, down in DOWN.items() if down.git and not down.automatic])
def test_no_schedule_of_an_apply_and_a_reduction_ends_riskier_than_the_reduction(name: str) -> None:
    """From the lowest stage, where a rollback finds nothing to lower and has to fence the apply off all the same."""
    assert every(partial(race, 0, DOWN[name], merging=False)) >= 50


@pytest.mark.parametrize("name", [name for name, down in DOWN.items() if not down.git])
def test_no_schedule_lets_an_apply_pass_a_reduction_that_only_its_spill_tells_of(name: str) -> None:
    assert every(partial(race, 0, DOWN[name])) >= 50


CASES = [(stage, name) for name, down in DOWN.items() for stage in (0, 1) if down.to <= stage]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CASES), st.lists(st.integers(0, 2), max_size=60))
def test_nor_does_one_that_also_cuts_between_the_ledgers_reads(case: tuple[int, str], choices: list[int]) -> None:
    left = iter(choices)
    stage, name = case
    race(stage, DOWN[name], lambda waiting: waiting[next(left, 0) % len(waiting)], points=None)


@pytest.mark.parametrize("name", [name for name, down in DOWN.items() if not down.ledger])
def test_the_plan_from_before_is_refused_after_the_spill_has_joined(name: str) -> None:
    """The spilled entries were decided in an epoch that somebody who does not reach the ledger can only guess."""
    target = Target(0)
    alone = Race(lambda waiting: waiting[0])
    alone.run({"reduce": lambda: target.reduce(alone, DOWN[name])})
    assert target.merge(lambda _: None) > 0
    assert target.book.state.epoch == EPOCH + 1
    after = Race(lambda waiting: waiting[0])
    late = after.run({"advance": lambda: target.advance(after)})["advance"]
    assert late.outcome == "refused"
    assert late.refusal.code == ("stale" if DOWN[name].git else "stale-epoch")
    assert "took risk out" in late.message or "epoch" in late.message
    assert late.sha not in target.remote.line(target.remote.head)
