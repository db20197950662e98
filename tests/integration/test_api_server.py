"""The API server of the tests is a real one: it authorises, keeps custom objects, and comes and goes."""

from __future__ import annotations

from tests.integration.cluster import READER, STRANGER, Cluster

APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/{}/applications"


def test_it_authorises_by_rbac(api_server: Cluster) -> None:
    place = api_server.namespace("authorises")
    api_server.ask("GET", f"/api/v1/namespaces/{place}/configmaps")
    for user in (READER, STRANGER):
        refused = api_server.ask("GET", f"/api/v1/namespaces/{place}/configmaps", user=user, expect=(403,))
        assert user in refused["message"]


def test_it_keeps_applications(api_server: Cluster) -> None:
    path = APPLICATIONS.format(api_server.namespace("keeps"))
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "heron"},
        "spec": {"project": "default", "source": {"path": "apps/heron"}},
    }
    api_server.put(path, "heron", manifest)
    assert api_server.ask("GET", f"{path}/heron")["spec"] == manifest["spec"]


def test_it_comes_back_with_what_it_kept(api_server: Cluster) -> None:
    place = api_server.namespace("comes-back")
    api_server.stop_server()
    api_server.start_server()
    assert api_server.ask("GET", f"/api/v1/namespaces/{place}")["metadata"]["name"] == place
