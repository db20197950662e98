"""Kubernetes as runtime witness: every binding on its live object, kept by a watch with resync on each object.

A thread of its own follows each object: it lists, watches from there, and lists again when the watch ends. What it
heard last is composed into readbacks whenever the reader asks; nobody waits for the cluster. The threads end by
themselves when nobody asks any more.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from console.ports import Clock, Fetched
from console.runtime.api import ApiServer, ApiTrouble
from stages.deployed import WorkloadReading
from stages.live_objects import Asked, Resource, Sighting, asked_of, live_reading, workloads_of
from stages.policy import Policy
from stages.refusal import Trouble
from stages.rollouts import Happening, PodStart, happenings, pod_starts, started_after
from stages.witness import RuntimeReading

REQUEST: Final = 4.0
"""Seconds that one request may take."""

RESYNC: Final = 10.0
"""Seconds after which a watch ends and the object is listed anew, so that a lost event costs no more."""

SILENCE: Final = 5.0
"""Seconds beyond its end for which a watch may say nothing before its connection counts as dead."""

STALE: Final = RESYNC + SILENCE + REQUEST + 1
"""Seconds after which a value that nobody confirmed is not known any more."""

PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds between failures in a row, unless the API server asks for others."""

LONGEST_PAUSE: Final = 30.0
"""Seconds for which a request for patience is followed; after that the API server is asked again anyway."""

LET_GO: Final = 30.0
"""Seconds after the last question at which the threads end."""


class Follower:
    """Follows one object of a namespace."""

    def __init__(self, api: ApiServer, namespace: str, resource: Resource, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._namespace, self.resource = namespace, resource
        self._lock = threading.Lock()
        self._newest: Sighting | None = None
        self._wanted_until = 0.0
        self._running = False
        self.heard = threading.Event()
        """Set by the first answer, whatever it was."""
        self._wake = threading.Event()

    def sighting(self) -> Sighting | None:
        """What is known now; keeps the thread going, and starts it when it is not. None before the first answer."""
        with self._lock:
            self._wanted_until = self._clock.monotonic() + LET_GO
            if not self._running:
                self._running = True
                name = f"rampdeck kubernetes {self.resource.object}"
                threading.Thread(target=self._run, name=name, daemon=True).start()
            return self._newest

    @property
    def running(self) -> bool:
        """Whether its thread is at work."""
        with self._lock:
            return self._running

    def hurry(self) -> None:
        """Ends a pause between failures."""
        self._wake.set()

    def _run(self) -> None:
        failures = 0
        while self._wanted():
            try:
                version = self._list()
                failures = 0
                self._watch(version)
            except ApiTrouble as trouble:
                if trouble.status == 410:
                    continue  # the history is gone: what stands now is listed anew
                self._say(error=trouble.what)
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
                self._wake.wait(min(max(pause, trouble.retry_after or 0.0), LONGEST_PAUSE))
                self._wake.clear()

    def _wanted(self) -> bool:
        with self._lock:
            self._running = self._clock.monotonic() < self._wanted_until
            return self._running

    def _query(self) -> dict[str, str]:
        """Selects the object by its name, which RBAC may then allow by that name alone."""
        return {"fieldSelector": f"metadata.name={self.resource.name}"}

    def _list(self) -> str:
        path = self.resource.collection(self._namespace)
        found = self._api.get(path, {**self._query(), "limit": "1"}, seconds=REQUEST)
        items = found.get("items") or [None]
        self._say(held=items[0])
        return str(found.get("metadata", {}).get("resourceVersion", ""))

    def _watch(self, version: str) -> None:
        """Follows events until the server ends the watch."""
        query = {
            **self._query(),
            "watch": "true",
            "resourceVersion": version,
            "timeoutSeconds": f"{RESYNC:g}",
            "allowWatchBookmarks": "true",
        }
        path = self.resource.collection(self._namespace)
        for event in self._api.stream(path, query, connect=REQUEST, silence=RESYNC + SILENCE):
            if event.get("type") == "ERROR":
                status = event.get("object", {})
                raise ApiTrouble(str(status.get("message", "the watch failed")), status=int(status.get("code", 0)))
            if event.get("type") in ("ADDED", "MODIFIED"):
                self._say(held=event["object"])
            elif event.get("type") == "DELETED":
                self._say(held=None)
            if not self._wanted():
                return

    def _say(self, *, held: Mapping[str, Any] | None = None, error: str = "") -> None:
        with self._lock:
            last = self._newest
            if error:
                kept = last.held if last else None
                read_time = last.read_time if last else self._clock.wall()
                self._newest = Sighting(self.resource, read_time, kept, error)
            else:
                self._newest = Sighting(self.resource, self._clock.wall(), held)
        self.heard.set()


class ClusterWitness:
    """The ``Fetch`` of every readback of a policy from live objects, and what the cluster says of its workloads."""

    name = "kubernetes"
    every = 1.0
    """Seconds between two questions; each is answered from what the followers heard."""
    patience = REQUEST + 0.5

    def __init__(self, api: ApiServer, policy: Policy, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._namespace = policy.spec.target.namespace
        self._asked: tuple[Asked, ...] = asked_of(policy)
        read = {resource for asked in self._asked for _, resource in asked.places}
        self._workloads = workloads_of(policy)
        self._followers = {
            resource: Follower(api, self._namespace, resource, clock)
            for resource in sorted(read | set(self._workloads), key=lambda one: one.object)
        }

    def read(self) -> Fetched:
        """Every readback as of now; the first call waits until each object was asked for once."""
        started = self._clock.monotonic()
        seen = self._seen(started + REQUEST)
        at = self._clock.wall()
        errors = [f"{one.resource.object}: {one.error}" for one in seen.values() if one.error]
        return Fetched(
            at=at,
            latency_ms=None,
            samples={},
            runtime={asked.control: live_reading(asked, seen, at) for asked in self._asked},
            error=errors[0] if errors else "",
        )

    def failed(self, reason: str, at: datetime) -> Fetched:
        """The lack of an answer for every control that is read back from the cluster."""
        unknown = {asked.control: RuntimeReading(None, at, error=reason) for asked in self._asked}
        return Fetched(at, None, {}, unknown, reason)

    def workloads(self) -> tuple[WorkloadReading, ...]:
        """Every workload of the policy: its rollout, its pods, and what happened to it. Never raises Trouble."""
        seen = self._seen(self._clock.monotonic() + REQUEST)
        return tuple(self._workload(seen[resource]) for resource in self._workloads)

    @property
    def reads_back(self) -> bool:
        """Whether the policy reads any control back from live objects."""
        return bool(self._asked)

    @property
    def following(self) -> int:
        """How many objects are followed now."""
        return sum(follower.running for follower in self._followers.values())

    def hurry(self) -> None:
        """Asks again at once where a pause after a failure is being waited out."""
        for follower in self._followers.values():
            follower.hurry()

    def _seen(self, deadline: float) -> dict[Resource, Sighting]:
        """The newest word on every object; old words are marked as such."""
        for follower in self._followers.values():
            follower.sighting()
        for follower in self._followers.values():
            follower.heard.wait(max(0.0, deadline - self._clock.monotonic()))
        return {resource: self._judged(follower) for resource, follower in self._followers.items()}

    def _judged(self, follower: Follower) -> Sighting:
        now, sighting = self._clock.wall(), follower.sighting()
        if sighting is None:
            return Sighting(follower.resource, now, error="was not answered yet")
        age = (now - sighting.read_time).total_seconds()
        if age > STALE and not sighting.error:
            said = f"was not confirmed for {age:.0f} s"
            return Sighting(sighting.resource, sighting.read_time, sighting.held, said)
        return sighting

    def _workload(self, sighting: Sighting) -> WorkloadReading:
        at, changed = sighting.read_time, sighting.changed_at
        missing = sighting.error or ("" if sighting.held is not None else "is not in the cluster")
        if missing:
            return WorkloadReading(sighting.resource.object, None, at, changed, error=missing)
        try:
            pods, events = self._pods(sighting), self._events(sighting)
        except Trouble as trouble:
            return WorkloadReading(
                sighting.resource.object, sighting.rollout, at, changed, error=f"pods and Events: {trouble.what}"
            )
        after = None if changed is None else started_after(pods, changed)
        return WorkloadReading(sighting.resource.object, sighting.rollout, at, changed, pods, after, events)

    def _pods(self, sighting: Sighting) -> tuple[PodStart, ...]:
        held, name = sighting.held or {}, sighting.resource.name
        chosen = held.get("spec", {}).get("selector", {}).get("matchLabels")
        if sighting.resource.kind == "Service":
            chosen = {"serving.knative.dev/service": name}
        if not chosen:
            return ()
        query = {"labelSelector": ",".join(f"{key}={value}" for key, value in chosen.items()), "limit": "100"}
        found = self._api.get(f"/api/v1/namespaces/{self._namespace}/pods", query, seconds=REQUEST)
        return pod_starts(found.get("items") or ())

    def _events(self, sighting: Sighting) -> tuple[Happening, ...]:
        resource = sighting.resource
        chosen = f"involvedObject.kind={resource.kind},involvedObject.name={resource.name}"
        path = f"/api/v1/namespaces/{self._namespace}/events"
        found = self._api.get(path, {"fieldSelector": chosen, "limit": "50"}, seconds=REQUEST)
        return happenings(found.get("items") or ())
