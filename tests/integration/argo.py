"""A controller of the tests that behaves as Argo CD does: it renders a folder, compares, syncs and heals.

It prunes what it applied once, and leaves alone what ignoreDifferences names. It acts only when ``round`` is called, so
that tests decide what happens when; ``break_with`` makes it fail as it does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stages.application import REFRESH
from tests.integration.cluster import APPLY, MERGE, Cluster
from tests.integration.herons import PATHS, Heron

MANAGER = "argocd-controller"
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/{}/applications"
Render = Callable[[], tuple[str, list[dict[str, Any]]]]
"""The revision that the branch's head is, and the objects that it holds."""


@dataclass
class Argo:
    """Drives one Application of one heron."""

    heron: Heron
    render: Render
    name: str = "heron"
    seen: str = ""
    """The revision that was compared last; a new one is found at a refresh or a reconcile."""
    wanted: list[dict[str, Any]] = field(default_factory=list)
    break_with: str = ""
    """The message with which every sync fails."""
    reconciles: bool = True
    """Whether a round looks at Git by itself, as after timeout.reconciliation, or only when asked to."""

    _applied: set[str] = field(default_factory=set)
    _rules: list[dict[str, Any]] = field(default_factory=list)
    _respects: bool = False

    @property
    def cluster(self) -> Cluster:
        return self.heron.cluster

    @property
    def path(self) -> str:
        return f"{APPLICATIONS.format(self.heron.namespace)}/{self.name}"

    def create(self, *, automated: Mapping[str, Any] | None = None, **spec: Any) -> None:
        policy = {"syncOptions": ["ServerSideApply=true"], **({"automated": automated} if automated else {})}
        manifest = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": self.name},
            "spec": {"project": "default", "source": {"targetRevision": "main"}, "syncPolicy": policy, **spec},
        }
        self.cluster.put(self.path.rpartition("/")[0], self.name, manifest)

    def held(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.ask("GET", self.path)
        return found

    def round(self) -> None:
        """One reconciliation: refresh, compare, sync when told or automated, and tell."""
        application = self.held()
        asked = application["metadata"].get("annotations", {}).get(REFRESH)
        found_new, looks = False, bool(asked or self.reconciles or not self.seen)
        if looks:
            revision, self.wanted = self.render()
            found_new, self.seen = revision != self.seen, revision
        self._rules = application["spec"].get("ignoreDifferences", [])
        self._respects = "RespectIgnoreDifferences=true" in application["spec"]["syncPolicy"].get("syncOptions", [])
        differ = [manifest for manifest in self.wanted if self._differs(manifest)]
        automated = application["spec"]["syncPolicy"].get("automated")
        state: dict[str, Any] | None = None
        if "operation" in application:
            state = self._sync(self.wanted)
        elif (differ or self._extra) and automated and (found_new or automated.get("selfHeal")):
            state = self._sync(differ)
        if state and state["phase"] == "Succeeded":
            differ = []
            if automated and automated.get("prune"):
                self._prune()
        self._tell(application, differ, state, looks=looks)

    def _sync(self, manifests: list[dict[str, Any]]) -> dict[str, Any]:
        at = _now()
        result = {"syncResult": {"revision": self.seen}, "startedAt": at, "finishedAt": at}
        if self.break_with:
            return {"phase": "Failed", "message": self.break_with, **result}
        for manifest in manifests:
            path = self._place(manifest)
            applied = self._as_ignored(manifest, self._live(path)) if self._respects else manifest
            query = f"?fieldManager={MANAGER}&force=true"
            self.cluster.ask("PATCH", path + query, self._moved(applied), content=APPLY)
            self._applied.add(path)
        return {"phase": "Succeeded", "message": "successfully synced", **result}

    def _differs(self, manifest: dict[str, Any]) -> bool:
        """Whether applying it again would change the object, by the API server's own word."""
        path = self._place(manifest)
        held = self._live(path)
        if held is None:
            return True
        query = f"?fieldManager={MANAGER}&force=true&dryRun=All"
        applied = self._moved(self._as_ignored(manifest, held))
        would = self.cluster.ask("PATCH", path + query, applied, content=APPLY)
        return _content(held) != _content(would)

    def _prune(self) -> None:
        """Deletes what was applied once and is not wanted any more."""
        for path in self._extra:
            self.cluster.ask("DELETE", path, expect=(200, 404))
        self._applied -= self._extra

    @property
    def _extra(self) -> set[str]:
        return self._applied - {self._place(manifest) for manifest in self.wanted}

    def _as_ignored(self, manifest: dict[str, Any], held: dict[str, Any] | None) -> dict[str, Any]:
        """A manifest that says what is live at every place whose difference is ignored."""
        said, name = copy.deepcopy(manifest), manifest["metadata"]["name"]
        for rule in self._rules if held is not None else ():
            if rule["kind"] != manifest["kind"] or rule.get("name", name) != name:
                continue
            for pointer in rule.get("jsonPointers", ()):
                *above, last = pointer.strip("/").split("/")
                target, live = said, held or {}
                for key in above:
                    target, live = target.get(key, {}), live.get(key, {})
                if last in live:
                    target[last] = live[last]
        return said

    def _live(self, path: str) -> dict[str, Any] | None:
        held: dict[str, Any] = self.cluster.ask("GET", path, expect=(200, 404))
        return None if held.get("kind") == "Status" else held

    def _place(self, manifest: dict[str, Any]) -> str:
        return f"{self._collection(manifest)}/{manifest['metadata']['name']}"

    def _tell(
        self, application: dict[str, Any], differ: list[dict[str, Any]], state: dict[str, Any] | None, *, looks: bool
    ) -> None:
        names = {(one["kind"], one["metadata"]["name"]) for one in differ}
        resources = [
            {
                "group": one["apiVersion"].rpartition("/")[0],
                "kind": one["kind"],
                "name": one["metadata"]["name"],
                "namespace": self.heron.namespace,
                "status": "OutOfSync" if (one["kind"], one["metadata"]["name"]) in names else "Synced",
            }
            for one in self.wanted
        ]
        status = dict(application.get("status", {}))
        status["sync"] = {"status": "OutOfSync" if differ else "Synced", "revision": self.seen}
        status |= {"health": {"status": "Healthy"}, "resources": resources}
        if looks:
            status["reconciledAt"] = _now()
        if state:
            status["operationState"] = state
            if state["phase"] == "Succeeded":
                deployed = {"revision": self.seen, "deployedAt": state["finishedAt"]}
                status["history"] = [*status.get("history", ()), deployed]
        patch = {"status": status, "operation": None, "metadata": {"annotations": {REFRESH: None}}}
        self.cluster.ask("PATCH", self.path, patch, content=MERGE)

    def _collection(self, manifest: dict[str, Any]) -> str:
        return PATHS[manifest["apiVersion"], manifest["kind"]].format(self.heron.namespace)

    def _moved(self, manifest: dict[str, Any]) -> dict[str, Any]:
        return {**manifest, "metadata": {**manifest["metadata"], "namespace": self.heron.namespace}}


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _content(held: dict[str, Any]) -> dict[str, Any]:
    """An object without what the API server itself keeps of it."""
    said = copy.deepcopy(held)
    said.pop("status", None)
    for name in ("managedFields", "resourceVersion", "generation"):
        said["metadata"].pop(name, None)
    return said
