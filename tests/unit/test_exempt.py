"""The runtime flag: written only where the controller's own object shows that it stays."""

from __future__ import annotations

from typing import Any

import pytest

from stages.application import application_of
from stages.exempt import keys_of, patch_of, value_in, why_healed
from stages.gates import judge_gates
from stages.policy import RuntimeFlag
from stages.runtime_checks import check_runtime_flag
from stages.value import replace
from stages.verdict import GateStatus
from tests.unit.test_gates import facts, plan
from tests.unit.watched import Watched, make_policy, policy_document

FLAG = RuntimeFlag(object="ConfigMap/runtime", path='data["kill.switch"]', value="true", normal="false")
OTHER = {"kind": "Deployment", "name": "scheduler", "namespace": "heron", "status": "Synced"}
OURS = {"kind": "ConfigMap", "name": "runtime", "namespace": "heron", "status": "Synced"}
RESPECTS = "RespectIgnoreDifferences=true"


def healed(
    *ignored: dict[str, Any], options: tuple[str, ...] = (RESPECTS,), managed: bool = True, tracked: str = ""
) -> str:
    application = application_of(
        {
            "metadata": {"name": "heron"},
            "spec": {"ignoreDifferences": list(ignored), "syncPolicy": {"syncOptions": list(options)}},
            "status": {"resources": [OTHER, OURS] if managed else [OTHER]},
        }
    )
    said = {"argocd.argoproj.io/tracking-id": f"{tracked}:/ConfigMap:heron/runtime"} if tracked else {}
    return why_healed(FLAG, "heron", {"metadata": {"annotations": said}}, application)


def test_the_patch_writes_one_field_and_the_same_field_is_read() -> None:
    assert keys_of(FLAG) == ("data", "kill.switch")
    assert patch_of(FLAG, "true") == {"data": {"kill.switch": "true"}}
    assert value_in(FLAG, {"data": {"kill.switch": "false"}}) == "false"
    assert value_in(FLAG, {"data": {}}) is None


def test_an_object_that_no_application_manages_stays() -> None:
    assert healed(managed=False) == ""


@pytest.mark.parametrize(
    "place",
    [
        {"jsonPointers": ["/data/kill.switch"]},
        {"jsonPointers": ["/data"]},
        {"jqPathExpressions": ['.data["kill.switch"]']},
        {"jqPathExpressions": [".data"]},
        {"managedFieldsManagers": ["rampdeck"]},
    ],
)
def test_a_field_that_is_ignored_in_comparison_and_in_sync_stays(place: dict[str, Any]) -> None:
    assert healed({"kind": "ConfigMap", "name": "runtime", **place}) == ""
    assert "RespectIgnoreDifferences=true is missing" in healed({"kind": "ConfigMap", **place}, options=())


@pytest.mark.parametrize(
    "ignored",
    [
        {"kind": "ConfigMap", "jsonPointers": ["/data/other"]},
        {"kind": "ConfigMap", "name": "other", "jsonPointers": ["/data"]},
        {"kind": "ConfigMap", "namespace": "elsewhere", "jsonPointers": ["/data"]},
        {"kind": "Deployment", "jsonPointers": ["/data"]},
        {"group": "apps", "kind": "ConfigMap", "jsonPointers": ["/data"]},
        {"kind": "ConfigMap", "jqPathExpressions": [".data | keys"]},
    ],
)
def test_what_is_ignored_elsewhere_is_healed_here(ignored: dict[str, Any]) -> None:
    assert "manages ConfigMap/runtime and does not ignore" in healed(ignored)


def test_what_belongs_to_another_application_or_is_not_told_is_not_written() -> None:
    assert healed(managed=False, tracked="shared") == "ConfigMap/runtime belongs to another Application, shared"
    silent = application_of({"metadata": {"name": "heron"}})
    assert "does not tell which objects it manages" in why_healed(FLAG, "heron", {}, silent)
    assert "does not ignore" in healed(managed=False, tracked="heron")


def policy_with(mode: str = "KILLED", *, application: bool = True, **flag: str) -> Watched:
    runtime = {"object": "ConfigMap/runtime", "path": "data.kill", "value": "true", "normal": "false", **flag}
    document = policy_document()["spec"]
    postures = {**document["postures"], mode: {**document["postures"].get(mode, {}), "runtime": runtime}}
    target = {**document["target"], "application": {"namespace": "argocd", "name": "heron"} if application else None}
    return Watched(make_policy(postures=postures, target=target))


@pytest.mark.parametrize(
    ("world", "says"),
    [
        (policy_with("HALTED"), "HALTED writes nothing into the cluster"),
        (policy_with(application=False), "target.application is missing"),
        (policy_with(path="spec.kill"), "is no key of a ConfigMap's data"),
        (policy_with(path="data..kill"), "the path"),
        (policy_with(normal="true"), "value and normal are the same"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_flag_that_makes_no_sense_does_not_load(world: Watched, says: str) -> None:
    assert says in "\n".join(problem.what for problem in check_runtime_flag(world.policy))


def test_an_object_that_a_control_is_written_in_is_no_exempt_one() -> None:
    world = policy_with()
    controls = {**policy_document()["spec"]["controls"]}
    bound = {"file": "runtime.yaml", "object": "ConfigMap/runtime", "path": "data.SYMBOLS"}
    controls["universe"] = {**controls["universe"], "bindings": [bound]}
    spec = world.policy.model_dump(by_alias=True)["spec"]
    policy = make_policy(**{**spec, "controls": controls})
    assert "is written in Git by a binding" in "\n".join(one.what for one in check_runtime_flag(policy))


def test_a_flag_that_makes_sense_loads() -> None:
    assert list(check_runtime_flag(policy_with().policy)) == []


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ({"flag_healed": ""}, GateStatus.PASS),
        ({"flag_healed": "Application heron manages it"}, GateStatus.FAIL),
        ({"flag_healed": None, "flag_unknown": "connection refused"}, GateStatus.UNKNOWN),
    ],
)
def test_nobody_goes_up_on_a_kill_that_is_known_to_be_healed(found: dict[str, Any], status: GateStatus) -> None:
    world = policy_with().tick(20)
    said = replace(facts(world), **found)
    gates = {one.gate_id: one for one in judge_gates(world.policy, world.state, world.judge(), plan(), said)}
    assert gates["runtime-flag"].status is status
    assert gates["runtime-flag"].reasons
