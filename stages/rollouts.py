"""Rollouts: how far a workload has taken a change, the pods that it started, and the Events about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from stages.raw_values import moment_of
from stages.value import Struct

Object: TypeAlias = Mapping[str, Any]
"""An object as the API server tells it, in plain JSON values."""

WORKLOADS: Final = frozenset({"DaemonSet", "Deployment", "Rollout", "Service", "StatefulSet"})
"""Kinds whose processes take a change only by starting anew."""

_REPLICAS: Final = ("updatedReplicas", "availableReplicas")


class Rollout(Struct, frozen=True):
    """How far a workload is: ``done`` when every process that serves was started with the newest template.

    ``wanted``, ``updated`` and ``available`` count pods; None where the kind does not tell.
    """

    done: bool
    said: str
    wanted: int | None = None
    updated: int | None = None
    available: int | None = None
    stuck: bool = False


def rollout(kind: str, held: Object) -> Rollout:
    """How far a workload's newest template has reached its pods."""
    if kind not in WORKLOADS or "template" not in held.get("spec", {}):
        return Rollout(done=True, said="takes effect without a restart")
    status, generation = held.get("status", {}), held.get("metadata", {}).get("generation", 0)
    seen = status.get("observedGeneration", 0)
    if isinstance(seen, str):  # Argo Rollouts writes it as text
        seen = int(seen) if seen.isdigit() else 0
    if seen < generation:
        return Rollout(done=False, said="its controller has not seen the change yet")
    if kind == "Service":
        return _revision(status)
    wanted = status.get("desiredNumberScheduled", 0) if kind == "DaemonSet" else held["spec"].get("replicas", 1)
    return _pods(kind, wanted, status)


def _revision(status: Object) -> Rollout:
    """A Knative Service: its newest revision must be the one that serves."""
    created, ready = status.get("latestCreatedRevisionName"), status.get("latestReadyRevisionName")
    conditions = {one.get("type"): one for one in status.get("conditions", ())}
    serving = conditions.get("Ready", {})
    if created and created == ready and serving.get("status") == "True":
        return Rollout(done=True, said=f"revision {ready} serves")
    stuck = serving.get("status") == "False"
    why = f": {serving['message']}" if serving.get("message") else ""
    return Rollout(done=False, said=f"revision {created or '?'} does not serve yet{why}", stuck=stuck)


def _pods(kind: str, wanted: int, status: Object) -> Rollout:
    names = ("updatedNumberScheduled", "numberAvailable") if kind == "DaemonSet" else _REPLICAS
    updated, available = (status.get(name, 0) for name in names)
    running = status.get("replicas", updated)
    partial = kind == "StatefulSet" and status.get("currentRevision") != status.get("updateRevision")
    done = updated == wanted and running == updated and available >= wanted and not partial
    said = f"{updated} of {wanted} updated, {available} available"
    if not done and running > updated:
        said += f", {running - updated} of the template before still there"
    conditions = {one.get("type"): one for one in status.get("conditions", ())}
    stuck = not done and conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded"
    said += ": its progress deadline has passed" if stuck else ""
    return Rollout(done, said, wanted, updated, available, stuck)


class PodStart(Struct, frozen=True):
    """A pod of a workload: since when it runs, whether it serves, and how often its containers had to start again."""

    name: str
    started_at: datetime | None
    ready: bool
    restarts: int


def pod_starts(pods: Iterable[Object]) -> tuple[PodStart, ...]:
    """The pods that are not on their way out, oldest first."""
    found = []
    for pod in pods:
        metadata, status = pod.get("metadata", {}), pod.get("status", {})
        if metadata.get("deletionTimestamp") or status.get("phase") in ("Succeeded", "Failed"):
            continue
        conditions = {one.get("type"): one.get("status") for one in status.get("conditions", ())}
        containers = status.get("containerStatuses", ())
        since = status.get("startTime")
        found.append(
            PodStart(
                name=str(metadata.get("name", "")),
                started_at=moment_of(since) if since else None,
                ready=conditions.get("Ready") == "True",
                restarts=sum(int(one.get("restartCount", 0)) for one in containers),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.started_at is not None, one.started_at, one.name)))


def started_after(pods: Iterable[PodStart], change: datetime) -> bool | None:
    """Whether every pod was started at or after a change; None when there is no pod, or one does not say."""
    starts = [one.started_at for one in pods]
    if not starts or any(at is None for at in starts):
        return None
    return all(at >= change for at in starts if at is not None)


class Happening(Struct, frozen=True):
    """An Event of the cluster about an object."""

    object: str
    reason: str
    message: str
    warning: bool
    count: int
    at: datetime | None


def happenings(events: Iterable[Object]) -> tuple[Happening, ...]:
    """Events as the API server tells them, oldest first; those without a time come first."""
    found = []
    for event in events:
        about, series = event.get("involvedObject", {}), event.get("series") or {}
        last = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
        found.append(
            Happening(
                object=f"{about.get('kind', '')}/{about.get('name', '')}",
                reason=str(event.get("reason", "")),
                message=" ".join(str(event.get("message", "")).split()),
                warning=event.get("type") == "Warning",
                count=int(event.get("count") or series.get("count") or 1),
                at=moment_of(last) if last else None,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.at is not None, one.at, one.object)))
