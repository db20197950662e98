"""Faults in drills: where they may strike, what becomes of a metric with one, and that they prove no plain drill."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import pytest

from console.drilling.broken import FULL, REFUSED, Switch, full, refusing
from console.ports import Pushed
from console.verbs.drill_faults import path_under
from stages.drill import FAIL, ITSELF, KILL, PAPER, ROLLBACK, TABLETOP, TRIGGER, Scope
from stages.drill_faults import FAULTS, HEAL, METRICS, PUSH, SKEW, require_injectable, why_not_injected
from stages.drill_metric import NAMED, tried
from stages.entries import LedgerAway
from stages.policy_text import load
from stages.refusal import Trouble
from stages.value import replace
from tests.unit.test_drill_validity import asking, reasons, run

TARGET = Scope("heron-paper", "HERON-PAPER-01", "paper", "heron-paper", "apps/heron-paper", "")
NOON = datetime(2026, 11, 24, 17, tzinfo=UTC)


def test_a_fault_never_strikes_on_a_live_target() -> None:
    live = replace(TARGET, target="heron", environment="live")
    assert why_not_injected(PUSH, KILL, PAPER, live) == (
        "heron is LIVE: a fault is injected on a paper target and nowhere else"
    )
    with pytest.raises(Trouble, match="heron is LIVE"):
        require_injectable(PUSH, KILL, PAPER, live)


@pytest.mark.parametrize(
    ("name", "act", "mode", "why"),
    [
        ("rain", KILL, PAPER, "there is no fault 'rain'"),
        (PUSH, ROLLBACK, PAPER, "drills of the kill"),
        (PUSH, KILL, TABLETOP, "a tabletop touches nothing"),
    ],
)
def test_where_it_means_nothing_it_is_refused(name: str, act: str, mode: str, why: str) -> None:
    assert why in why_not_injected(name, act, mode, TARGET)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_may_strike_in_a_kill_drill_on_paper(name: str) -> None:
    assert why_not_injected(name, KILL, PAPER, TARGET) == ""


def test_a_broken_port_is_fired_by_the_drill_itself_and_a_metric_by_its_trigger() -> None:
    assert path_under(PUSH, "command") == ITSELF
    assert path_under(SKEW, "command") == TRIGGER
    assert path_under(HEAL, "hangup") == "hangup"
    with pytest.raises(Trouble, match="cannot be fired by 'key'"):
        path_under(PUSH, "key")


@pytest.mark.parametrize("fault", METRICS)
@pytest.mark.parametrize("policy", ["demo", "torghut"])
def test_a_metric_with_a_fault_is_named_never_right_and_fires_nothing(fault: str, policy: str) -> None:
    text = (files("stages") / "policies" / f"{policy}.yaml").read_text(encoding="utf-8")
    trial = tried(load(text, policy), fault, NOON, NOON)
    assert trial is not None
    assert trial.qualities == {NAMED[fault]}
    assert (trial.looked_right, trial.fired_on_fault) == (False, False)
    assert trial.reads == 3, "without the fault the same metric is confirmed by three reads"


class Remote:
    """Takes every push."""

    def push(self, _sha: str, _expected: str) -> Pushed:
        return Pushed("pushed")

    def propose(self, _sha: str, _branch: str) -> Pushed:
        return Pushed("pushed")

    def fetch(self) -> str:
        return "head"


class Store:
    """Takes every entry."""

    def transact(self, *_: object, **__: object) -> tuple[()]:
        return ()

    def state(self) -> str:
        return "state"


def test_a_broken_port_is_whole_before_and_after_and_passes_on_the_rest() -> None:
    switch = Switch("broken", "whole")
    remote, ledger = refusing(Remote(), switch), full(Store(), switch)  # type: ignore[arg-type]
    assert remote.push("a", "b").outcome == "pushed"
    assert switch.strike() == "broken"
    assert remote.push("a", "b") == remote.propose("a", "b") == Pushed("rejected", REFUSED)
    assert remote.fetch() == "head"
    with pytest.raises(LedgerAway, match="disk is full") as away:
        ledger.transact(object(), now=NOON)  # type: ignore[arg-type]
    assert away.value.what == FULL
    assert str(ledger.state()) == "state"
    assert switch.end() == "whole"
    assert remote.propose("a", "b").outcome == "pushed"
    assert ledger.transact(object(), now=NOON) == ()  # type: ignore[arg-type]


def test_a_drill_under_a_fault_proves_no_plain_one_and_blocks_when_it_fails() -> None:
    policy = asking(rollback=False)
    under = run(policy, "a", inject=PUSH)
    assert reasons(policy, under) == ("kill drill: never passed on paper",)
    plain = run(policy, "b")
    assert reasons(policy, plain, under) == ()
    lost = replace(under, state=FAIL, reasons=("D7: the kill is in Git",))
    assert reasons(policy, plain, lost) == (
        "kill drill: the last one was FAIL under push-refused (D7: the kill is in Git)",
    )
    assert reasons(policy, lost, plain) == ()
