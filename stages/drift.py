"""Drift: stage, Git and runtime of each control side by side. Unknown is never "no drift"."""

from __future__ import annotations

from stages.bearings import Bearings
from stages.figures import value_text
from stages.ladder import Value
from stages.policy import Policy
from stages.signals import Snapshot
from stages.verdict import ControlDrift

SAME, CONVERGING, DRIFT, UNKNOWN = "same", "converging", "drift", "unknown"
NO_READBACK = "no readback"
GIT_UNREAD, GIT_SILENT = "Git was not read", "Git gives no answer"
"""Git was never read; or its last word is known, but it may say something else by now."""


def drift(policy: Policy, snapshot: Snapshot, here: Bearings) -> tuple[ControlDrift, ...]:
    """Every control of the policy, in its order."""
    return tuple(_control(policy, snapshot, here, name) for name in policy.spec.controls)


def _control(policy: Policy, snapshot: Snapshot, here: Bearings, name: str) -> ControlDrift:
    spec = policy.spec.controls[name]
    stage = policy.resolved[here.limits].get(name) if here.limits is not None else None
    git, git_problem = _git(snapshot, name)
    runtime, runtime_problem = _runtime(policy, snapshot, name)
    problem = git_problem or runtime_problem
    if problem:
        return ControlDrift(name, stage, git, runtime, UNKNOWN, riskier=False, detail=problem)
    if spec.order.same(git, runtime):
        if snapshot.git is not None and snapshot.git.error:
            return ControlDrift(name, stage, git, runtime, UNKNOWN, riskier=False, detail=GIT_SILENT)
        return ControlDrift(name, stage, git, runtime, SAME, riskier=False)
    riskier = not spec.order.at_most(runtime, git)
    said = f"Git {value_text(git, spec.unit)}, runtime {value_text(runtime, spec.unit)}"
    state = CONVERGING if here.converging_left is not None else DRIFT
    return ControlDrift(name, stage, git, runtime, state, riskier, said)


def _git(snapshot: Snapshot, name: str) -> tuple[Value | None, str]:
    git = snapshot.git
    if git is None or not git.head:
        return None, GIT_UNREAD
    if name in git.values:
        return git.values[name], ""
    return None, git.unread.get(name, "not in the manifests")


def _runtime(policy: Policy, snapshot: Snapshot, name: str) -> tuple[Value | None, str]:
    if policy.spec.controls[name].readback is None:
        return None, NO_READBACK
    reading = snapshot.runtime.get(name)
    if reading is None:
        return None, "runtime was not read"
    return (None, reading.error) if reading.error else (reading.value, "")


def runtime_agrees(policy: Policy, found: tuple[ControlDrift, ...]) -> bool | None:
    """Whether the runtime runs what Git says; None when something is unread or nothing is read back.

    Controls that the policy gives no readback have no say.
    """
    heard = [one for one in found if policy.spec.controls[one.control].readback is not None]
    if any(one.state in (DRIFT, CONVERGING) for one in heard):
        return False
    if not heard or any(one.state == UNKNOWN for one in heard):
        return None
    return True
