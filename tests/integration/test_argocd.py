"""Argo CD through its Application on a real API server: read, nudged, asked to sync, and never asked twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.nudge import nudge
from console.runtime.api import Access, ApiServer
from console.runtime.argocd import ArgoCd
from console.wiring import SystemClock
from stages.application import Application, application_of
from stages.deployed import ApplicationReading
from stages.policy import Application as Where
from stages.refusal import Trouble
from tests.integration.argo import Argo
from tests.integration.cluster import STRANGER, Cluster, wait_until
from tests.integration.herons import Heron, sample_objects

HEALING = {"prune": True, "selfHeal": True}
KILL = "TRADING_KILL_SWITCH_ENABLED"


class Branch:
    """What the branch holds: the sample's objects, edited in place, under a revision that counts up."""

    def __init__(self) -> None:
        self.number, self.objects = 1, list(sample_objects())

    def __call__(self) -> tuple[str, list[dict[str, Any]]]:
        return f"{self.number:040}", self.objects

    def set_env(self, name: str, value: str) -> str:
        self.number += 1
        for manifest in self.objects:
            template = manifest.get("spec", {}).get("template")
            for container in template["spec"]["containers"] if template else ():
                for one in container["env"]:
                    if one["name"] == name:
                        one["value"] = value
        return self()[0]


def deployed(cluster: Cluster, namespace: str, **automated: Any) -> tuple[Argo, Branch, ArgoCd]:
    branch = Branch()
    argo = Argo(Heron.deployed(cluster, namespace), branch)
    argo.create(automated=automated or None)
    argo.round()
    return argo, branch, client(argo)


def client(argo: Argo, user: str = "admin") -> ArgoCd:
    api = ApiServer(Access(kubeconfig=argo.cluster.kubeconfig(user)), SystemClock())
    return ArgoCd(api, Where(namespace=argo.heron.namespace, name=argo.name), SystemClock())


def until(controller: ArgoCd, holds: Callable[[Application], bool]) -> Application:
    def known() -> Application | None:
        reading = controller.application()
        return None if reading.error else reading.application

    def held() -> bool:
        said = known()
        return said is not None and holds(said)

    wait_until(held, 15, f"never: {controller.application()}")
    found = known()
    assert found is not None
    return found


def test_the_application_tells_sync_settings_and_history(api_server: Cluster) -> None:
    argo, branch, controller = deployed(api_server, "argo-reads", **HEALING)
    branch.set_env(KILL, "true")
    argo.round()
    said = until(controller, lambda one: bool(one.history))
    assert said.sync == "Synced"
    assert (said.health, said.revision, said.target_revision) == ("Healthy", branch()[0], "main")
    assert (said.automated, said.self_heal, said.prune) == (True, True, True)
    assert said.operation is not None
    assert (said.operation.phase, said.operation.revision) == ("Succeeded", branch()[0])
    assert [one.revision for one in said.history] == [branch()[0]]
    assert "Deployment/heron-scheduler" in [one.object for one in said.managed]


def test_settings_that_are_off_are_said_so(api_server: Cluster) -> None:
    _, _, controller = deployed(api_server, "argo-manual")
    said = until(controller, lambda one: one.sync != "Unknown")
    assert (said.automated, said.self_heal, said.prune) == (False, False, False)
    off = application_of({"spec": {"syncPolicy": {"automated": {"enabled": False, "selfHeal": True}}}})
    assert (off.automated, off.self_heal) == (False, False)


def test_a_refresh_is_taken_as_asked_for(api_server: Cluster) -> None:
    argo, branch, controller = deployed(api_server, "argo-refresh", **HEALING)
    argo.reconciles = False
    newest = branch.set_env(KILL, "true")
    argo.round()
    assert until(controller, lambda one: one.sync == "Synced").revision != newest
    controller.refresh()
    assert until(controller, lambda one: one.refreshing).sync == "Synced"
    argo.round()
    said = until(controller, lambda one: one.revision == newest)
    assert (said.refreshing, said.sync) == (False, "Synced")


def test_a_sync_is_asked_for_once(api_server: Cluster) -> None:
    argo, branch, controller = deployed(api_server, "argo-sync")
    newest = branch.set_env(KILL, "true")
    argo.round()
    assert until(controller, lambda one: one.revision == newest).sync == "OutOfSync"
    controller.sync(who="alice", reason="a rollback")
    asked = argo.held()["operation"]
    assert asked["initiatedBy"] == {"username": "alice"}
    assert asked["sync"] == {
        "revision": "main",
        "prune": False,
        "syncOptions": ["ServerSideApply=true"],
        "syncStrategy": {"hook": {}},
    }
    with pytest.raises(Trouble, match="another operation is in progress"):
        controller.sync(who="bob", reason="again")
    argo.round()
    said = until(controller, lambda one: one.sync == "Synced")
    assert [one.revision for one in said.history] == [newest]


def test_a_failed_sync_keeps_its_reason(api_server: Cluster) -> None:
    argo, branch, controller = deployed(api_server, "argo-fails", **HEALING)
    argo.break_with = "admission webhook denied the request"
    newest = branch.set_env(KILL, "true")
    argo.round()
    said = until(controller, lambda one: one.revision == newest)
    assert said.sync == "OutOfSync"
    assert said.operation is not None
    assert (said.operation.phase, said.operation.message) == ("Failed", "admission webhook denied the request")


def test_self_heal_reverts_what_is_changed_in_the_cluster(api_server: Cluster) -> None:
    argo, _, controller = deployed(api_server, "argo-heals", **HEALING)
    argo.heron.set_env(KILL, "true", argo.heron.deployment)
    argo.round()
    container = api_server.ask("GET", argo.heron.deployment)["spec"]["template"]["spec"]["containers"][0]
    assert [one["value"] for one in container["env"] if one["name"] == KILL] == ["false"]
    assert until(controller, lambda one: len(one.history) == 1).sync == "Synced"


def unknown(reading: ApplicationReading) -> str:
    assert reading.application is None
    return reading.error


def test_no_application_and_no_permission_are_unknown(api_server: Cluster) -> None:
    argo = Argo(Heron(api_server, api_server.namespace("argo-none")), Branch())
    assert unknown(client(argo).application()) == "there is no such Application"
    assert "cannot list resource" in unknown(client(argo, STRANGER).application())


def test_a_nudge_says_how_it_went(api_server: Cluster) -> None:
    argo, _, controller = deployed(api_server, "argo-nudge")
    assert nudge(None, actor="alice", intent="1") is None
    done = nudge(controller, actor="alice", intent="1")
    assert done is not None
    assert done.body["text"] == "the GitOps controller was asked to look at Git now"
    assert until(controller, lambda one: one.refreshing).name == "heron"
    refused = nudge(client(argo, STRANGER), actor="alice", intent="1")
    assert refused is not None
    assert "could not be asked: kubernetes:" in refused.body["text"]
    assert 'User "stranger" cannot patch resource' in refused.body["text"]
