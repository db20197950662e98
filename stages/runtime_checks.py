"""Rules of the runtime flag: where a policy may have a kill write straight into the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from stages.paths import Key, parse_path
from stages.policy import Policy, RuntimeFlag
from stages.policy_source import Path, Problem
from stages.posture import Mode
from stages.refusal import Trouble


def check_runtime_flag(policy: Policy) -> Iterator[Problem]:
    """What is wrong with the flag itself; whether the controller leaves it alone is asked of the cluster."""
    for mode, posture in policy.spec.postures.items():
        at: Path = ("spec", "postures", mode, "runtime")
        flag = posture.runtime
        if flag is None:
            continue
        if mode != Mode.KILLED.name:
            yield Problem(at, f"{mode} writes nothing into the cluster", "declare it under KILLED")
        if policy.spec.target.application is None:
            what = "nobody can say what heals the object: target.application is missing"
            yield Problem(at, what, "add target.application: {namespace, name}")
        if flag.value == flag.normal:
            yield Problem((*at, "normal"), "value and normal are the same", "write what the field says without a kill")
        yield from _check_path(policy, at, flag)


def _check_path(policy: Policy, at: Path, flag: RuntimeFlag) -> Iterator[Problem]:
    try:
        steps = parse_path(flag.path)
    except Trouble as trouble:
        yield Problem((*at, "path"), trouble.what, trouble.fix)
        return
    if not all(isinstance(step, Key) for step in steps) or len(steps) != 2 or steps[0] != Key("data"):
        yield Problem((*at, "path"), f"'{flag.path}' is no key of a ConfigMap's data", 'write data.KEY or data["KEY"]')
    bound = {spec.object for control in policy.spec.controls.values() for spec in control.bindings}
    if flag.object in bound:
        what = f"{flag.object} is written in Git by a binding, so the controller heals it"
        yield Problem((*at, "object"), what, "name an object that no control is bound to")
