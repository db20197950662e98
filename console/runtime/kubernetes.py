"""Kubernetes as runtime witness: every binding on its live object, and the workloads with their pods and Events.

A reflector follows each object by its name, which RBAC may then allow by that name alone, and two more the pods and the
Events of each workload. What they heard last is composed into readbacks whenever the reader asks; nobody waits for the
cluster.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from console.ports import Clock, Fetched
from console.runtime.api import ApiServer
from console.runtime.reflector import Collection, Heard, Pace, Reflector
from stages.deployed import WorkloadReading
from stages.live_objects import Asked, Resource, Sighting, asked_of, live_reading, manifest_of, workloads_of
from stages.policy import Policy
from stages.refusal import Trouble
from stages.rollouts import Object, happenings, pod_starts, started_after
from stages.value import replace
from stages.witness import RuntimeReading
from stages.yaml_spans import Manifest


def object_in(namespace: str, resource: Resource) -> Collection:
    """One object as a collection of its own."""
    return Collection(resource.collection(namespace), (("fieldSelector", f"metadata.name={resource.name}"),))


def object_of(resource: Resource, heard: Heard) -> Object | None:
    """The one object of such a collection; None when it is not there."""
    return next((one for one in heard.items if one["metadata"]["name"] == resource.name), None)


class ClusterWitness:
    """The ``Fetch`` of every readback of a policy from live objects, and what the cluster says of its workloads."""

    name = "kubernetes"
    every = 0.25
    """Seconds between two questions; each is answered from what was heard, and nobody is asked."""

    def __init__(self, api: ApiServer, policy: Policy, clock: Clock, pace: Pace | None = None) -> None:
        self._api, self._clock, self._pace = api, clock, pace or Pace()
        self.patience = self._pace.request + 0.5
        self._namespace = policy.spec.target.namespace
        self._asked: tuple[Asked, ...] = asked_of(policy)
        read = {resource for asked in self._asked for _, resource in asked.places}
        self._workloads = workloads_of(policy)
        self._objects = {
            resource: self._reflector(object_in(self._namespace, resource))
            for resource in sorted(read | set(self._workloads), key=lambda one: one.object)
        }
        self._events = {resource: self._reflector(self._events_of(resource)) for resource in self._workloads}
        self._lock = threading.Lock()
        self._pods: dict[Resource, Reflector] = {}
        """Of each workload, by the selector that it had last."""
        self._parsed: dict[Resource, tuple[Object, Manifest]] = {}
        """Each object as it was read last: parsing it costs more than all the rest."""

    def read(self) -> Fetched:
        """Every readback as of now; the first call waits until each object was asked for once."""
        heard = self._heard(self._objects)
        at = self._clock.wall()
        seen = {resource: self._sighting(resource, one) for resource, one in heard.items()}
        errors = [f"{one.resource.object}: {one.error}" for one in seen.values() if one.error]
        notes = [f"{resource.object}: {one.note}" for resource, one in heard.items() if one.note]
        return Fetched(
            at=at,
            latency_ms=None,
            samples={},
            runtime={asked.control: live_reading(asked, seen, at) for asked in self._asked},
            error=errors[0] if errors else "",
            note=notes[0] if notes else "",
        )

    def failed(self, reason: str, at: datetime) -> Fetched:
        """The lack of an answer for every control that is read back from the cluster."""
        unknown = {asked.control: RuntimeReading(None, at, error=reason) for asked in self._asked}
        return Fetched(at, None, {}, unknown, reason)

    def workloads(self) -> tuple[WorkloadReading, ...]:
        """Every workload of the policy: its rollout, its pods, and what happened to it. Never raises Trouble."""
        for reflector in self._events.values():
            reflector.newest()
        seen = self._heard({resource: self._objects[resource] for resource in self._workloads})
        sightings = {resource: self._sighting(resource, one) for resource, one in seen.items()}
        pods = self._heard(dict(self._pods_of(sightings.values())))
        happened = self._heard(self._events)
        return tuple(_workload(sightings[one], seen[one], pods.get(one), happened[one]) for one in self._workloads)

    @property
    def reads_back(self) -> bool:
        """Whether the policy reads any control back from live objects."""
        return bool(self._asked)

    @property
    def following(self) -> int:
        """How many collections are followed now."""
        with self._lock:
            reflectors = (*self._objects.values(), *self._events.values(), *self._pods.values())
        return sum(reflector.running for reflector in reflectors)

    def _heard(self, reflectors: Mapping[Resource, Reflector]) -> dict[Resource, Heard]:
        """The newest word of each, all asked before any is waited for."""
        deadline = self._clock.monotonic() + self._pace.request
        for reflector in reflectors.values():
            reflector.newest()
        for reflector in reflectors.values():
            reflector.wait(deadline - self._clock.monotonic())
        return {resource: reflector.newest() for resource, reflector in reflectors.items()}

    def _sighting(self, resource: Resource, heard: Heard) -> Sighting:
        held = object_of(resource, heard)
        if held is None or heard.error:
            return Sighting(resource, heard.read_time, held, heard.error)
        known, manifest = self._parsed.get(resource, (None, None))
        if known is not held or manifest is None:
            try:
                manifest = manifest_of(resource, held)
            except Trouble as trouble:
                return Sighting(resource, heard.read_time, held, trouble.line)
            self._parsed[resource] = (held, manifest)
        return Sighting(resource, heard.read_time, held, manifest=manifest)

    def _reflector(self, collection: Collection) -> Reflector:
        return Reflector(self._api, collection, self._clock, self._pace)

    def _events_of(self, resource: Resource) -> Collection:
        chosen = f"involvedObject.kind={resource.kind},involvedObject.name={resource.name}"
        return Collection(f"/api/v1/namespaces/{self._namespace}/events", (("fieldSelector", chosen),))

    def _pods_of(self, sightings: Iterable[Sighting]) -> Iterator[tuple[Resource, Reflector]]:
        """The pods that each workload selects; another selector than before begins anew."""
        for sighting in sightings:
            chosen = _selector(sighting)
            if chosen is None:
                continue
            collection = Collection(f"/api/v1/namespaces/{self._namespace}/pods", (("labelSelector", chosen),))
            with self._lock:
                known = self._pods.get(sighting.resource)
                if known is None or known.collection != collection:
                    known = self._pods[sighting.resource] = self._reflector(collection)
            yield sighting.resource, known


def _selector(sighting: Sighting) -> str | None:
    """The labels by which a workload's pods are known; None where it names none."""
    if sighting.held is None:
        return None
    chosen = sighting.held.get("spec", {}).get("selector", {}).get("matchLabels")
    if sighting.resource.kind == "Service":
        chosen = {"serving.knative.dev/service": sighting.resource.name}
    return ",".join(f"{key}={value}" for key, value in chosen.items()) if chosen else None


def _workload(sighting: Sighting, seen: Heard, pods: Heard | None, happened: Heard) -> WorkloadReading:
    """Put together from what was heard of the workload itself, of its pods and of its Events."""
    told = {sighting.resource.object: seen, "Events": happened, **({"pods": pods} if pods is not None else {})}
    reading = WorkloadReading(
        sighting.resource.object,
        sighting.rollout if sighting.held is not None and not sighting.error else None,
        sighting.read_time,
        sighting.changed_at,
        error=sighting.error or ("" if sighting.held is not None else "is not in the cluster"),
        note=next((f"{what}: {one.note}" for what, one in told.items() if one.note), ""),
    )
    if reading.error:
        return reading
    if error := next((one.error for one in told.values() if one.error), ""):
        return replace(reading, error=f"pods and Events: {error}")
    starts = pod_starts(pods.items) if pods is not None else ()
    changed = sighting.changed_at
    return replace(
        reading,
        read_time=min(one.read_time for one in told.values()),
        pods=starts,
        restarted=None if changed is None else started_after(starts, changed),
        events=happenings(happened.items),
    )
