"""The ways down: is the next lower stage within reach, is the kill, and was that ever proven.

READY says that nothing known stands in the way; NOT PROVEN that no drill in date shows that it works; CANNOT that
something is missing now. Trying is always possible.
"""

from __future__ import annotations

from datetime import datetime

from stages.drill import KILL, PASS, ROLLBACK
from stages.drill_validity import newest, running_image, transition, validity
from stages.policy import Policy
from stages.session import span
from stages.signals import Snapshot
from stages.state import ControlState
from stages.value import Struct

READY, NOT_PROVEN, CANNOT, UNKNOWN = "READY", "NOT PROVEN", "CANNOT", "?"


class Way(Struct, frozen=True):
    """One way down. ``state`` is READY, NOT PROVEN, CANNOT or ``?``; ``note`` says how long, how proven, or why not."""

    name: str
    state: str
    note: str


def ways(policy: Policy, state: ControlState, snapshot: Snapshot, effective: int) -> tuple[Way, ...]:
    """Rollback to the stage below, where there is one, and kill."""
    found = [_kill(policy, state, snapshot)]
    if effective:
        here, below = policy.stages[effective].name, policy.stages[effective - 1].name
        found.insert(0, _rollback(policy, state, snapshot, here, below))
    return tuple(found)


def _rollback(policy: Policy, state: ControlState, snapshot: Snapshot, here: str, below: str) -> Way:
    name = f"roll back to {below}"
    git = _git(snapshot)
    if git:
        return Way(name, UNKNOWN if snapshot.git is None else CANNOT, git)
    return _proven(name, policy, state, snapshot, ROLLBACK, transition(here, below), _usual(policy))


def _kill(policy: Policy, state: ControlState, snapshot: Snapshot) -> Way:
    if "KILLED" not in policy.spec.postures:
        return Way("kill", CANNOT, "the policy does not say what KILLED sets")
    git, venue = _git(snapshot), _venue(snapshot)
    if git and venue:
        return Way("kill", UNKNOWN if snapshot.git is None else CANNOT, f"{git}, {venue}")
    takes = f"by Git alone, {_usual(policy)}; {venue}" if venue else f"venue at once, Git {_usual(policy)}"
    return _proven("kill", policy, state, snapshot, KILL, "", f"by the venue alone; {git}" if git else takes)


def _proven(name: str, policy: Policy, state: ControlState, snapshot: Snapshot, act: str, down: str, takes: str) -> Way:
    """READY with the age of its drill, or why the drills that the policy asks for do not count."""
    run = newest(state, act, down)
    faults = validity(policy, state, snapshot.market, down, image=running_image(policy, snapshot)).reasons
    why = next((one.partition(": ")[2] for one in faults if one.startswith(f"{act} drill")), "")
    if why:
        since = "never drilled" if run is None else _since(run.state, run.market, snapshot.market, why)
        return Way(name, NOT_PROVEN, since)
    if run is not None and run.state == PASS:
        return Way(name, READY, f"{takes}, proven {span(snapshot.market - run.market)} ago")
    return Way(name, READY, takes)


def _since(ended: str, then: datetime, now: datetime, why: str) -> str:
    """A drill that passed and has expired says for how long there was none; any other fault speaks for itself."""
    return f"no drill for {span(now - then)}" if ended == PASS and why.startswith("expired") else why


def _usual(policy: Policy) -> str:
    return f"~{span(policy.spec.target.convergence)}"


def _git(snapshot: Snapshot) -> str:
    """What is wrong with Git as a way; empty when nothing is."""
    if snapshot.git is None:
        return "Git was not read yet"
    return "Git gives no answer" if snapshot.git.error else ""


def _venue(snapshot: Snapshot) -> str:
    if snapshot.venue is None:
        return "no venue was read"
    return "the venue gives no answer" if snapshot.venue.error else ""
