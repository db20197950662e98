"""A late apply is fenced: whoever reduces meanwhile has the last word, in every interleaving of the two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.procedures.advance import Advanced, AdvancePorts, apply
from console.procedures.reduce import Order, Reduced, ReducePorts, reduce
from stages.authority import Claims, action_digest, advance_action, environment_fingerprint, gate_report_digest
from stages.commands import AdoptPolicy, AdoptRoster, ChangeBurnIn
from stages.decide import decide
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
    every,
)

SHARED = frozenset({"begin", "fetch", "check", "commit", "push"})
"""The points at which every schedule is tried; reads of the ledger between them go with what follows."""


@dataclass(frozen=True)
class Down:
    """A reduction that races: to which stage, in which mode, by whom, and whether it reaches the ledger."""

    to: int
    mode: Mode
    automatic: bool = False
    ledger: bool = True


DOWN = {
    "kill": Down(0, Mode.KILLED),
    "kill without its ledger": Down(0, Mode.KILLED, ledger=False),
    "rollback": Down(0, Mode.NORMAL),
    "rollback without its ledger": Down(0, Mode.NORMAL, ledger=False),
    "halt by itself": Down(1, Mode.HALTED, automatic=True),
    "step down by itself": Down(1, Mode.NORMAL, automatic=True),
}


class Target:
    """A target that stands at a stage, with a plan for the next one that everybody approved."""

    def __init__(self, stage: int) -> None:
        self.remote, self.book = Remote(), Book()
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
        self.plan = small.first_plan(stage)

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
            Ledger(self.book, turn, away=not down.ledger), Aside(), Mirror(self.remote, turn), None, clock, Alone(),
            clock.pause, lambda _: None,
        )  # fmt: skip
        order = Order(intent, "carol", down.to, down.mode, "by hand", automatic=down.automatic)
        return reduce(ports, made.policy, order, digests=(made.policy_digest, made.roster_digest))

    def values(self) -> dict[str, Any]:
        files = self.remote.commits[self.remote.head].files
        return dict(read_controls(small.force().policy, files.get).values)


def race(stage: int, down: Down, choose: Choose, points: frozenset[str] | None = SHARED) -> None:
    """Run both, and look at what is left."""
    target = Target(stage)
    run = Race(choose, points)
    found = run.run({"advance": partial(target.advance, run), "reduce": lambda: target.reduce(run, down)})
    advanced, reduced = found["advance"], found["reduce"]
    story = "\n".join(run.moves)
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
    if down.ledger:
        state = target.book.state
        assert not state.unresolved, story
        told = [one.outcome for one in state.intents.values() if one.kind == "advance"]
        assert told in ([], [advanced.outcome]), story


@pytest.mark.parametrize("name", ["kill", "kill without its ledger", "rollback", "rollback without its ledger"])
def test_no_schedule_of_an_apply_and_a_reduction_ends_riskier_than_the_reduction(name: str) -> None:
    """From the lowest stage, where a rollback finds nothing to lower and has to fence the apply off all the same."""
    assert every(partial(race, 0, DOWN[name])) >= 50


CASES = [(stage, name) for name, down in DOWN.items() for stage in (0, 1) if down.to <= stage]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CASES), st.lists(st.booleans(), max_size=60))
def test_nor_does_one_that_also_cuts_between_the_ledgers_reads(case: tuple[int, str], choices: list[bool]) -> None:
    left = iter(choices)
    stage, name = case
    race(stage, DOWN[name], lambda waiting: waiting[-1] if next(left, False) else waiting[0], points=None)
