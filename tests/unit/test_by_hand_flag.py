"""The commands of a kill by hand name the runtime flag where the policy has one, and those of a rollback do not."""

from __future__ import annotations

from console.by_hand import by_hand
from stages.posture import Mode
from tests.unit.watched import make_policy, policy_document

TARGET = {**policy_document()["spec"]["target"], "application": {"namespace": "argocd", "name": "heron"}}
FLAG = {"object": "ConfigMap/runtime", "path": "data.kill", "value": "true", "normal": "false"}


def commands(mode: Mode) -> str:
    policy = make_policy(postures={"KILLED": {"venue": ["suspend"], "runtime": FLAG}}, target=TARGET)
    return "\n".join(by_hand(policy, 0, mode, remote="file:///r.git", branch="main", venue=None, plan=None))


def test_a_kill_by_hand_writes_the_flag() -> None:
    patch = 'patch configmap runtime --type merge --field-manager rampdeck -p \'{"data": {"kill": "true"}}\''
    assert patch in commands(Mode.KILLED)


def test_a_rollback_by_hand_does_not() -> None:
    assert "configmap runtime" not in commands(Mode.NORMAL)
