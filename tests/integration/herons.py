"""The sample repository's objects in a namespace of a real API server, and the policy that reads them back there.

No controller runs here: what a Deployment's or Knative's would write into a status, ``roll_out`` writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stages.policy import Policy
from stages.policy_text import load
from tests.integration.cluster import MERGE, Cluster

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample" / "apps" / "heron"
DEPLOYMENT, SERVICE = "heron-scheduler", "heron"
PATHS = {
    ("v1", "ConfigMap"): "/api/v1/namespaces/{}/configmaps",
    ("v1", "Service"): "/api/v1/namespaces/{}/services",
    ("v1", "ServiceAccount"): "/api/v1/namespaces/{}/serviceaccounts",
    ("apps/v1", "Deployment"): "/apis/apps/v1/namespaces/{}/deployments",
    ("serving.knative.dev/v1", "Service"): "/apis/serving.knative.dev/v1/namespaces/{}/services",
}


def live_policy(namespace: str, **target: Any) -> Policy:
    """The demo's policy in another namespace, with every control read back from the live objects."""
    return load(json.dumps(_document(namespace, **target)), "ramp.yaml")


def full_policy(namespace: str, controller: str) -> Policy:
    """The same with an Application in the namespace ``controller``, a dry run and a runtime flag: all that asks."""
    document = _document(namespace, application={"namespace": controller, "name": "heron"})
    flag = {"object": "ConfigMap/heron-runtime", "path": "data.kill", "value": "true", "normal": "false"}
    document["spec"]["postures"]["KILLED"]["runtime"] = flag
    document["spec"]["gates"]["dryRun"] = "required"
    return load(json.dumps(document), "ramp.yaml")


def _document(namespace: str, **target: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "stages" / "policies" / "demo.yaml").read_text(encoding="utf-8"))
    document["spec"]["target"] |= {"namespace": namespace, **target}
    for control in document["spec"]["controls"].values():
        control["readback"] = {"kubernetes": {}}
    return document


def sample_objects() -> Iterator[dict[str, Any]]:
    """Every object of the sample's live application, as its files say it."""
    for file in ("scheduler.yaml", "api.yaml", "catalog.yaml", "feed.yaml"):
        yield from yaml.safe_load_all((SAMPLE / file).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Heron:
    """The application in one namespace."""

    cluster: Cluster
    namespace: str

    @classmethod
    def deployed(cls, cluster: Cluster, namespace: str) -> Heron:
        """Applied and rolled out, with one pod of the scheduler."""
        found = cls(cluster, cluster.namespace(namespace))
        for manifest in sample_objects():
            found.apply(manifest)
        found.roll_out()
        return found

    @property
    def deployment(self) -> str:
        return f"{PATHS['apps/v1', 'Deployment'].format(self.namespace)}/{DEPLOYMENT}"

    @property
    def service(self) -> str:
        return f"{PATHS['serving.knative.dev/v1', 'Service'].format(self.namespace)}/{SERVICE}"

    def config_map(self, name: str) -> str:
        return f"{PATHS['v1', 'ConfigMap'].format(self.namespace)}/{name}"

    def apply(self, manifest: dict[str, Any]) -> None:
        path = PATHS[manifest["apiVersion"], manifest["kind"]].format(self.namespace)
        self.cluster.put(path, manifest["metadata"]["name"], self.moved(manifest))

    def moved(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """A manifest of the sample in this namespace."""
        return {**manifest, "metadata": {**manifest["metadata"], "namespace": self.namespace}}

    def set_env(self, name: str, value: str, *objects: str) -> None:
        """What an edit of the live objects does: a variable of both workloads, or of the one at a path."""
        for path in objects or (self.deployment, self.service):
            held = self.cluster.ask("GET", path)
            container = held["spec"]["template"]["spec"]["containers"][0]
            container["env"] = [one if one["name"] != name else {**one, "value": value} for one in container["env"]]
            self.cluster.ask("PUT", path, held)

    def roll_out(self, *, updated: int = 1) -> None:
        """The controllers' word: so many of the one pod run the newest template."""
        generation = self.cluster.ask("GET", self.deployment)["metadata"]["generation"]
        counts = {"replicas": 1, "updatedReplicas": updated, "availableReplicas": 1, "readyReplicas": 1}
        self._status(self.deployment, {"observedGeneration": generation, **counts})
        generation = self.cluster.ask("GET", self.service)["metadata"]["generation"]
        revision = f"heron-{generation:05}"
        serving = {
            "observedGeneration": generation,
            "latestCreatedRevisionName": revision,
            "latestReadyRevisionName": revision,
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        self._status(self.service, serving)

    def start_pod(self, name: str, at: str) -> None:
        """A pod of the scheduler that runs since ``at``."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        container = {"name": "scheduler", "image": "heron"}
        metadata = {"name": name, "labels": {"app": DEPLOYMENT}}
        self.cluster.ask("POST", path, {"metadata": metadata, "spec": {"containers": [container]}})
        self._status(f"{path}/{name}", {"phase": "Running", "startTime": at})

    def happen(self, reason: str, message: str) -> None:
        """An Event about the scheduler."""
        about = {"kind": "Deployment", "name": DEPLOYMENT, "namespace": self.namespace, "apiVersion": "apps/v1"}
        event = {
            "metadata": {"generateName": "heron-"},
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "type": "Warning",
            "lastTimestamp": "2026-11-23T15:00:00Z",
        }
        self.cluster.ask("POST", f"/api/v1/namespaces/{self.namespace}/events", event)

    def _status(self, path: str, status: dict[str, Any]) -> None:
        self.cluster.ask("PATCH", f"{path}/status", {"status": status}, content=MERGE)
