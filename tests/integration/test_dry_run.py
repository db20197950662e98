"""A server-side dry run against a real API server: its own word on each object, and nothing that it keeps."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from console.runtime.api import Access, ApiServer
from console.runtime.dry_run import ServerSideDryRun
from console.wiring import SystemClock
from stages.dry_run import ARGO_MANAGER, Attempt, Wanted
from tests.integration.cluster import STRANGER, Cluster, free_ports, wait_until
from tests.integration.herons import Heron, sample_objects

POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


def runner(cluster: Cluster, file: Path | None = None) -> ServerSideDryRun:
    return ServerSideDryRun(ApiServer(Access(kubeconfig=file or cluster.kubeconfig()), SystemClock()), SystemClock())


def elsewhere(folder: Path, url: str) -> ServerSideDryRun:
    """A runner against another server than the real one."""
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "a", "users": [{"name": "a", "user": {"token": "t"}}],
        "clusters": [{"name": "a", "cluster": {"server": url}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    }  # fmt: skip
    file = folder / "kubeconfig"
    file.write_text(json.dumps(content), encoding="utf-8")
    return ServerSideDryRun(ApiServer(Access(kubeconfig=file), SystemClock()), SystemClock())


def wanted(namespace: str, kind: str, **spec: Any) -> Wanted:
    """A sample object without a namespace of its own, with something else in its spec."""
    manifest = next(one for one in sample_objects() if one["kind"] == kind)
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "namespace"}
    return Wanted(
        {**manifest, "metadata": metadata, **({"spec": {**manifest["spec"], **spec}} if spec else {})}, namespace
    )


def test_what_would_be_taken_is_taken_and_nothing_is_kept(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "tries")
    before = api_server.ask("GET", heron.deployment)
    all_of_them = [wanted(heron.namespace, kind) for kind in ("Deployment", "Service", "ConfigMap")]
    tried = runner(api_server).attempt([wanted(heron.namespace, "Deployment", replicas=7), *all_of_them], ARGO_MANAGER)
    assert tried == tuple(Attempt(one.object) for one in (all_of_them[0], *all_of_them))
    assert api_server.ask("GET", heron.deployment) == before


def test_validation_names_object_field_and_message(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "refuses")
    (said,) = runner(api_server).attempt([wanted(heron.namespace, "Deployment", replicas=-1)], ARGO_MANAGER)
    assert said.object == "Deployment/heron-scheduler"
    assert said.refused == ("spec.replicas: Invalid value: -1: must be greater than or equal to 0",)
    (said,) = runner(api_server).attempt([wanted(heron.namespace, "Deployment", replicas="many")], ARGO_MANAGER)
    assert said.refused
    assert "replicas" in said.refused[0]


def test_admission_refuses_by_its_own_words(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "admits")
    rules = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"]}
    selector = {"matchLabels": {"kubernetes.io/metadata.name": heron.namespace}}
    spec = {
        "matchConstraints": {"namespaceSelector": selector, "resourceRules": [rules]},
        "validations": [{"expression": "object.spec.replicas < 5", "message": "five is a crowd"}],
    }
    policy = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "crowds"}}
    api_server.put(POLICIES, "crowds", {**policy, "kind": "ValidatingAdmissionPolicy", "spec": spec})
    bound = {"policyName": "crowds", "validationActions": ["Deny"]}
    api_server.put(BINDINGS, "crowds", {**policy, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound})
    found, many = runner(api_server), [wanted(heron.namespace, "Deployment", replicas=9)]
    wait_until(lambda: bool(found.attempt(many, ARGO_MANAGER)[0].refused), 60, "the policy is never in force")
    assert "five is a crowd" in found.attempt(many, ARGO_MANAGER)[0].refused[0]


def test_what_keeps_it_from_judging_is_not_known(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "unsure")
    one = wanted(heron.namespace, "Deployment")
    (stranger,) = runner(api_server, api_server.kubeconfig(STRANGER)).attempt([one], ARGO_MANAGER)
    assert stranger.refused == ()
    assert 'User "stranger" cannot patch resource "deployments"' in stranger.unknown
    (expired,) = runner(api_server, api_server.kubeconfig(token="old", name="old")).attempt([one], ARGO_MANAGER)
    assert "does not accept the credentials" in expired.unknown

    unserved = {"apiVersion": "example.com/v1", "kind": "Heron", "metadata": {"name": "a"}}
    (missing,) = runner(api_server).attempt([Wanted(unserved, heron.namespace)], ARGO_MANAGER)
    said = "the API server does not know Heron of example.com/v1; install its CustomResourceDefinition"
    assert missing == Attempt("Heron/a", unknown=said)
    (nowhere,) = runner(api_server).attempt([wanted("no-such-namespace", "ConfigMap")], ARGO_MANAGER)
    assert 'namespaces "no-such-namespace" not found' in nowhere.unknown


class Impatient(BaseHTTPRequestHandler):
    """Serves the list of kinds, and asks whoever patches for patience."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self._answer(200, {"resources": [{"name": "configmaps", "kind": "ConfigMap", "namespaced": True}]})

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.path)
        self._answer(429, {"kind": "Status", "code": 429, "message": "too many"})

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Retry-After", "30")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_a_server_that_asks_for_patience_gets_it(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Impatient) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = elsewhere(tmp_path, f"http://127.0.0.1:{server.server_port}")
        first, second = found.attempt([wanted("heron", "ConfigMap")] * 2, ARGO_MANAGER)
        (later,) = found.attempt([wanted("heron", "ConfigMap")], ARGO_MANAGER)
        server.shutdown()
    assert first.unknown == "the API server asks for patience, 30 s"
    assert second.unknown == "not tried: the API server asks for patience"
    assert later.unknown.startswith("not tried: the API server asks for patience, ")
    assert len(Impatient.asked) == 1


def test_a_server_that_is_away_and_none_at_all_are_not_known(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    away = elsewhere(tmp_path, f"http://127.0.0.1:{port}")
    first, second = away.attempt([wanted("heron", "ConfigMap")] * 2, ARGO_MANAGER)
    assert (first.unknown, second.unknown) == ("connection refused", "not tried: connection refused")
    none = ServerSideDryRun(ApiServer(None, SystemClock()), SystemClock())
    assert "'kubernetes' is not configured" in none.attempt([wanted("heron", "ConfigMap")], ARGO_MANAGER)[0].unknown
