"""Safe now, and stays so: YES only by witnesses that were read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stages.drift import SAME, UNKNOWN
from stages.facts import Intent
from stages.posture import Mode
from stages.safety import NOT_YET, UNVERIFIED, YES, safe_now, stays_so
from stages.settling import truth as read_back
from stages.signals import Snapshot
from stages.value import replace
from stages.verdict import Evaluation
from tests.unit.watched import Watched

Change = Callable[[Snapshot], Snapshot]


def heard(snapshot: Snapshot) -> Snapshot:
    return snapshot


def venue_silent(snapshot: Snapshot) -> Snapshot:
    assert snapshot.venue is not None
    return replace(snapshot, venue=replace(snapshot.venue, blocked=True, error="no answer"))


def git_silent(snapshot: Snapshot) -> Snapshot:
    assert snapshot.git is not None
    return replace(snapshot, git=replace(snapshot.git, error="no route"))


def runtime_silent(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, runtime={key: replace(one, error="lost") for key, one in snapshot.runtime.items()})


def blocked(snapshot: Snapshot) -> Snapshot:
    assert snapshot.venue is not None
    return replace(snapshot, venue=replace(snapshot.venue, blocked=True))


def no_venue(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, venue=None)


def pushed(change: Change, mode: Mode = Mode.NORMAL, settled: str = "converged") -> tuple[Watched, Intent, Evaluation]:
    """A reduction to L0 that was read back once, and what is read after ``change``."""
    watched = Watched(stage=0).tick(2)
    watched.push("reduce", "L1", "L0")
    watched.tick(1)
    watched.snapshot = change(watched.snapshot)
    intent = replace(watched.state.intents["i1"], mode=mode, settled=settled)
    return watched, intent, watched.judge()


@pytest.mark.parametrize(
    ("change", "mode", "settled", "now", "stays"),
    [
        (heard, Mode.NORMAL, "converged", YES, YES),
        (heard, Mode.NORMAL, "", NOT_YET, NOT_YET),
        (venue_silent, Mode.NORMAL, "converged", UNVERIFIED, YES),
        (venue_silent, Mode.KILLED, "converged", UNVERIFIED, YES),
        (no_venue, Mode.KILLED, "converged", UNVERIFIED, YES),
        (no_venue, Mode.NORMAL, "converged", YES, YES),
        (heard, Mode.KILLED, "converged", NOT_YET, YES),
        (blocked, Mode.KILLED, "", YES, NOT_YET),
        (git_silent, Mode.NORMAL, "converged", UNVERIFIED, UNVERIFIED),
        (git_silent, Mode.KILLED, "converged", NOT_YET, UNVERIFIED),
        (runtime_silent, Mode.NORMAL, "converged", UNVERIFIED, UNVERIFIED),
    ],
)
def test_only_a_witness_that_was_read_says_yes(change: Change, mode: Mode, settled: str, now: str, stays: str) -> None:
    watched, intent, evaluation = pushed(change, mode, settled)
    found = safe_now(watched.policy, intent, evaluation), stays_so(watched.policy, intent, evaluation)
    assert tuple(one.said for one in found) == (now, stays)


@pytest.mark.parametrize("change", [heard, runtime_silent])
def test_what_the_manifests_refused_is_not_safe_whatever_the_runtime_says(change: Change) -> None:
    watched, intent, evaluation = pushed(change)
    intent = replace(intent, refused=("scheduler.yaml:12: cannot be read",))
    found = safe_now(watched.policy, intent, evaluation), stays_so(watched.policy, intent, evaluation)
    assert [one.said for one in found] == [NOT_YET, NOT_YET]
    assert all("scheduler.yaml:12" in one.note for one in found)


def test_git_that_gives_no_answer_is_no_agreement_anywhere() -> None:
    watched, intent, evaluation = pushed(git_silent)
    assert {one.state for one in evaluation.drift} == {UNKNOWN}
    assert evaluation.truth.agree is None
    assert {row.git for row in evaluation.truth.rows if row.name == "stage"} == {"?"}
    assert read_back(watched.policy, watched.state, evaluation).agrees is None
    assert stays_so(watched.policy, intent, evaluation).note.startswith("Git gives no answer for ")


def test_a_runtime_that_differs_from_gits_last_word_stays_a_difference_while_git_is_silent() -> None:
    watched, _, before = pushed(heard)
    assert {one.state for one in before.drift} == {SAME}
    first = next(iter(watched.snapshot.runtime))
    loose = watched.policy.resolved[watched.policy.top][first]
    odd = replace(watched.snapshot.runtime[first], value=loose)
    watched.snapshot = git_silent(replace(watched.snapshot, runtime={**watched.snapshot.runtime, first: odd}))
    found = {one.control: one for one in watched.judge().drift}
    assert found[first].state != UNKNOWN
    assert found[first].riskier
