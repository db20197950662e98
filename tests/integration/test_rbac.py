"""docs/rbac.yaml is enough for everything that Rampdeck does in a cluster, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.doctor.outside import policy_needs
from console.runtime.api import Access, ApiServer
from console.runtime.argocd import ArgoCd
from console.runtime.dry_run import ServerSideDryRun
from console.runtime.kubernetes import ClusterWitness
from console.wiring import SystemClock
from stages.application import refresh_request
from stages.dry_run import ARGO_MANAGER, Wanted
from stages.policy import Application as Where
from tests.integration.argo import APPLICATIONS, Argo
from tests.integration.cluster import MERGE, READER, Cluster, wait_until
from tests.integration.herons import Heron, full_policy, live_policy, sample_objects

GROUP = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/{}"
ADMISSION = "/apis/admissionregistration.k8s.io/v1/{1}"
PLURALS = {
    "Role": (GROUP, "roles"),
    "RoleBinding": (GROUP, "rolebindings"),
    "ValidatingAdmissionPolicy": (ADMISSION, "validatingadmissionpolicies"),
    "ValidatingAdmissionPolicyBinding": (ADMISSION, "validatingadmissionpolicybindings"),
}
FEED = "/api/v1/namespaces/{}/configmaps/heron-feed"


def grant(cluster: Cluster, root: Path, namespaces: dict[str, str]) -> None:
    """Applies the manifest as it is written, in other namespaces."""
    text = (root / "docs" / "rbac.yaml").read_text(encoding="utf-8")
    for name, namespace in namespaces.items():
        text = text.replace(f"kubernetes.io/metadata.name: {name}}}", f"kubernetes.io/metadata.name: {namespace}}}")
    for manifest in yaml.safe_load_all(text):
        metadata = dict(manifest["metadata"])
        if "namespace" in metadata:
            metadata["namespace"] = namespaces[metadata["namespace"]]
        path, plural = PLURALS[manifest["kind"]]
        moved: dict[str, Any] = {**manifest, "metadata": metadata}
        cluster.put(path.format(metadata.get("namespace"), plural), metadata["name"], moved)


@pytest.fixture(scope="module")
def heron(api_server: Cluster, root: Path) -> Heron:
    """A heron whose reader may do what the manifest grants."""
    found = Heron.deployed(api_server, "granted")
    Argo(found, lambda: ("0" * 40, list(sample_objects()))).create()
    grant(api_server, root, {"heron": found.namespace, "argocd": found.namespace})
    return found


@pytest.fixture
def api(heron: Heron) -> ApiServer:
    return ApiServer(Access(kubeconfig=heron.cluster.kubeconfig(READER)), SystemClock())


def test_it_is_enough_for_every_readback_and_workload(heron: Heron, api: ApiServer) -> None:
    witness = ClusterWitness(api, live_policy(heron.namespace), SystemClock())
    assert {name: one.error for name, one in witness.read().runtime.items() if one.error} == {}
    assert [one.error for one in witness.workloads()] == [""]


def test_it_is_enough_to_read_and_ask_the_controller(heron: Heron, api: ApiServer) -> None:
    controller = ArgoCd(api, Where(namespace=heron.namespace, name="heron"), SystemClock())
    assert controller.application().error == ""
    controller.refresh()
    controller.sync(who="alice", reason="a rollback")


def test_the_api_server_says_itself_what_is_granted(heron: Heron, api: ApiServer) -> None:
    for namespace, group, plural, verb, name in policy_needs(full_policy(heron.namespace, heron.namespace)):
        asked = {"namespace": namespace, "group": group, "resource": plural, "verb": verb, "name": name}
        assert api.may(asked, seconds=10), asked
        assert not api.may({**asked, "verb": "delete"}, seconds=10), asked


def test_it_is_enough_for_a_dry_run_of_every_bound_object(heron: Heron, api: ApiServer) -> None:
    bound = {spec.object for one in live_policy(heron.namespace).spec.controls.values() for spec in one.bindings}
    objects = [Wanted(heron.moved(one), heron.namespace) for one in sample_objects()]
    changed = [one for one in objects if one.object in bound]
    said = ServerSideDryRun(api, SystemClock()).attempt(changed, ARGO_MANAGER)
    assert {one.object for one in said} == bound
    assert [one for one in said if one.unknown or one.refused] == []


@pytest.mark.parametrize("path", ["/apis/apps/v1/namespaces/{}/deployments/heron-scheduler", FEED])
def test_it_may_try_a_patch_and_not_make_it(heron: Heron, path: str) -> None:
    """The one right that a dry run needs is also that to write: the admission policy holds it to trying."""
    place, cluster = path.format(heron.namespace), heron.cluster
    change = {"metadata": {"labels": {"tried": "yes"}}}
    cluster.ask("PATCH", f"{place}?dryRun=All", change, content=MERGE, user=READER)

    def refused() -> bool:
        answer = cluster.ask("PATCH", place, change, content=MERGE, user=READER, expect=(200, 403))
        return "rampdeck may only try" in answer.get("message", "")

    wait_until(refused, 60, "a real patch is never refused")


@pytest.mark.parametrize(
    "change",
    [
        lambda value: {"spec": {"syncPolicy": {"automated": {"selfHeal": value}}}},
        lambda value: {"spec": {"source": {"targetRevision": value}}},
        lambda value: {"status": {"sync": {"revision": value}}},
    ],
    ids=["heal", "follow", "tell"],
)
def test_it_may_ask_for_a_refresh_and_a_sync_and_change_nothing_else(
    heron: Heron, change: Callable[[str], dict[str, Any]]
) -> None:
    place, cluster = f"{APPLICATIONS.format(heron.namespace)}/heron", heron.cluster
    asks = {**refresh_request(), "operation": {"sync": {"revision": "main"}}}
    cluster.ask("PATCH", place, asks, content=MERGE, user=READER)

    tries = count()

    def refused() -> bool:
        tried = change(f"try {next(tries)}")  # one that was let through before the policy held is no change any more
        answer = cluster.ask("PATCH", place, tried, content=MERGE, user=READER, expect=(200, 403))
        return "rampdeck may only ask" in answer.get("message", "")

    wait_until(refused, 60, "a change of the Application is never refused")
    cluster.ask("PATCH", place, {"operation": None}, content=MERGE)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/namespaces/{}/secrets"),
        ("GET", "/api/v1/namespaces/{}/configmaps"),
        ("GET", "/api/v1/namespaces/default/pods"),
        ("GET", APPLICATIONS + "/other"),
        ("PATCH", "/api/v1/namespaces/{}/configmaps/another"),
        ("PATCH", "/api/v1/namespaces/{}/secrets/any"),
        ("DELETE", "/apis/apps/v1/namespaces/{}/deployments/heron-scheduler"),
        ("DELETE", APPLICATIONS + "/heron"),
    ],
)
def test_it_grants_nothing_else(heron: Heron, method: str, path: str) -> None:
    body: dict[str, Any] | None = {} if method == "PATCH" else None
    refused = heron.cluster.ask(method, path.format(heron.namespace), body, content=MERGE, user=READER, expect=(403,))
    assert READER in refused["message"]
