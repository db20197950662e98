"""Live objects: what the API server holds of the objects that bindings select, and how far their rollouts are.

A binding is read on the live object by the same code that reads it in a manifest. A variable of a workload counts only
when the workload has rolled out: until then some process still runs with the value before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from stages.bindings import Binding, locate
from stages.json_spans import parse_json
from stages.ladder import Value, parse_value
from stages.measures import KubernetesSource
from stages.policy import ControlSpec, Policy
from stages.raw_values import moment_of
from stages.refusal import Trouble
from stages.rollouts import Object, Rollout, rollout
from stages.session import span
from stages.value import Struct
from stages.witness import RuntimeReading
from stages.yaml_spans import Manifest

_KNATIVE: Final = ("serving.knative.dev", "v1", "services")
_PLACES: Final[Mapping[str, tuple[str, str, str]]] = {
    "ConfigMap": ("", "v1", "configmaps"),
    "Pod": ("", "v1", "pods"),
    "CronJob": ("batch", "v1", "cronjobs"),
    "DaemonSet": ("apps", "v1", "daemonsets"),
    "Deployment": ("apps", "v1", "deployments"),
    "Job": ("batch", "v1", "jobs"),
    "Rollout": ("argoproj.io", "v1alpha1", "rollouts"),
    "StatefulSet": ("apps", "v1", "statefulsets"),
}


class Resource(Struct, frozen=True):
    """An object's address at the API server; ``group`` is empty for the core."""

    group: str
    version: str
    plural: str
    kind: str
    name: str

    @property
    def object(self) -> str:
        """As bindings name it."""
        return f"{self.kind}/{self.name}"

    def collection(self, namespace: str) -> str:
        """The path of all objects of its kind in a namespace."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}"

    def path(self, namespace: str) -> str:
        """The path of the object itself."""
        return f"{self.collection(namespace)}/{self.name}"


def resource_of(binding: Binding) -> Resource:
    """Where the API server keeps a binding's object. A Service is Knative's where a pod template is read in it.

    Raises Trouble for a kind whose place is not known.
    """
    kind, _, name = binding.object.partition("/")
    if kind == "Service":
        templated = binding.env is not None or (binding.path or "").startswith("spec.template")
        return Resource(*(_KNATIVE if templated else ("", "v1", "services")), kind, name)
    if kind not in _PLACES:
        known = ", ".join(sorted([*_PLACES, "Service"]))
        raise Trouble(f"{binding.object} cannot be read back from Kubernetes", fix=f"bind one of {known}")
    return Resource(*_PLACES[kind], kind, name)


class Sighting(Struct, frozen=True):
    """The newest word on one object: it was there, it was not (``held`` None), or nobody could say (``error``).

    ``manifest`` is what is there as bindings are read in it, where it was parsed before.
    """

    resource: Resource
    read_time: datetime
    held: Object | None = None
    error: str = ""
    manifest: Manifest | None = None

    @property
    def changed_at(self) -> datetime | None:
        """When its content was last written, apart from its status; by the API server's clock."""
        metadata = (self.held or {}).get("metadata", {})
        written = [one.get("time") for one in metadata.get("managedFields", ()) if one.get("subresource") != "status"]
        moments = [moment_of(at) for at in [*written, metadata.get("creationTimestamp")] if at]
        return max((at for at in moments if at is not None), default=None)

    @property
    def rollout(self) -> Rollout:
        """How far it has rolled out; done at once for what starts no process."""
        return rollout(self.resource.kind, self.held or {})


class Asked(Struct, frozen=True):
    """A control that is read back from Kubernetes, and its bindings with their objects."""

    control: str
    spec: ControlSpec
    places: tuple[tuple[Binding, Resource], ...]


def asked_of(policy: Policy) -> tuple[Asked, ...]:
    """Every control of a policy that is read back from Kubernetes. Raises Trouble for an unknown kind."""
    found = []
    for name, spec in policy.spec.controls.items():
        source = spec.readback.kubernetes if spec.readback else None
        if source is not None:
            bindings = bindings_of(spec, source)
            found.append(Asked(name, spec, tuple((binding, resource_of(binding)) for binding in bindings)))
    return tuple(found)


def bindings_of(spec: ControlSpec, source: KubernetesSource) -> tuple[Binding, ...]:
    """The bindings that a readback reads: all of the control's, or those on the objects that it names."""
    all_of_them = (one.binding for one in spec.bindings)
    return tuple(one for one in all_of_them if not source.objects or one.object in source.objects)


def live_reading(asked: Asked, seen: Mapping[Resource, Sighting], now: datetime) -> RuntimeReading:
    """What the live objects say of a control: one value when all of its bindings agree, else why it is not known."""
    sightings = [seen[resource] for _, resource in asked.places if resource in seen]
    read_time = min((one.read_time for one in sightings), default=now)
    if len(sightings) < len(asked.places) or not sightings:
        return RuntimeReading(None, read_time, error="was not read yet")
    changed = max((one.changed_at for one in sightings if one.changed_at is not None), default=None)
    try:
        values = [_value(asked.spec, binding, seen[resource], now) for binding, resource in asked.places]
    except Trouble as trouble:
        return RuntimeReading(None, read_time, changed, trouble.line)
    if any(not asked.spec.order.same(values[0], value) for value in values[1:]):
        return RuntimeReading(None, read_time, changed, _apart(asked, values))
    return RuntimeReading(values[0], read_time, changed)


def _apart(asked: Asked, values: Sequence[Value | None]) -> str:
    said = ", ".join(f"{binding.object} {value}" for (binding, _), value in zip(asked.places, values, strict=True))
    return f"the live objects differ: {said}"


def _value(spec: ControlSpec, binding: Binding, sighting: Sighting, now: datetime) -> Value | None:
    """What a binding says on a live object. Raises Trouble when that is not known, or nothing runs with it yet."""
    if sighting.error:
        raise Trouble(sighting.error, where=binding.object)
    if sighting.held is None:
        raise Trouble("is not in the cluster", where=binding.object)
    if not sighting.rollout.done:
        raise Trouble(f"is rolling out: {sighting.rollout.said}", where=binding.object)
    if sighting.resource.kind == "ConfigMap":
        _reloaded(spec, sighting, now)
    manifest = sighting.manifest or manifest_of(sighting.resource, sighting.held)
    return parse_value(spec.unit, locate(manifest, binding, manifest.where).value, manifest.where)


def _reloaded(spec: ControlSpec, sighting: Sighting, now: datetime) -> None:
    """No restart shows that processes took a file anew: it must have stood for as long as they may need."""
    source, changed = spec.readback.kubernetes if spec.readback else None, sighting.changed_at
    if source is None or not source.reload or changed is None or now - changed >= source.reload:
        return
    said = f"was written {span(now - changed)} ago and is read anew within {span(source.reload)}"
    raise Trouble(said, where=sighting.resource.object)


def manifest_of(resource: Resource, held: Object) -> Manifest:
    """A live object as bindings are read in it, without who wrote which field. Raises Trouble."""
    metadata = {name: value for name, value in held.get("metadata", {}).items() if name != "managedFields"}
    said = {**held, "kind": resource.kind, "metadata": metadata}
    return parse_json(json.dumps(said, ensure_ascii=False), f"live {resource.object}")


def workloads_of(policy: Policy) -> tuple[Resource, ...]:
    """The workloads that a change restarts, as the policy names them. Raises Trouble for an unknown kind."""
    named = (one.object for one in policy.spec.target.workloads)
    return tuple(resource_of(Binding(file="", object=name, path="spec.template")) for name in named)
