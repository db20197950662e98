"""The truth in reports: what each witness says of each fact, and what the cluster says of workloads and controller."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from stages.deployed import ApplicationReading, Deployed, WorkloadReading
from stages.deployed_rows import UNREAD, warnings_of
from stages.session import span
from stages.verdict import Evaluation, TruthRow


def truth_report(found: Evaluation) -> Iterator[str]:
    """One line a fact, Git, runtime and venue side by side, and the Events of rollouts that do not come to an end."""
    truth, wall = found.truth, found.snapshot.wall
    ages = (f"{name} {'not read' if age is None else f'{age:.0f}s'}" for name, age in truth.ages.items())
    lasting = f"; for {span(wall - truth.since)}" if truth.since is not None else ""
    left = f"; CONVERGING, {truth.converging:.0f} s allowed" if truth.converging is not None else ""
    yield f"{', '.join(ages)}{lasting}{left}"
    for row in truth.rows:
        said = " ".join(f"{_said(one):<16}" for one in (row.git, row.runtime, row.venue))
        yield f"{row.name:<20} {said} {_verdict(row)} {row.note}".rstrip()
    for workload in found.snapshot.deployed.workloads if found.snapshot.deployed else ():
        for event in warnings_of(workload):
            yield f"!! {workload.object} {event.reason} ({event.count}x): {event.message}"


def deployed_document(deployed: Deployed | None, wall: datetime) -> dict[str, Any]:
    """``workloads`` and ``application``; nothing is left out that is not known: it says so."""
    if deployed is None:
        return {"workloads": [], "application": None}
    application = deployed.application
    return {
        "workloads": [_workload(one, wall) for one in deployed.workloads],
        "application": None if application is None else _application(application, wall),
    }


def _workload(reading: WorkloadReading, wall: datetime) -> dict[str, Any]:
    rollout = reading.rollout
    return {
        "object": reading.object,
        "rolledOut": rollout.done if rollout is not None else None,
        "stuck": rollout.stuck if rollout is not None else None,
        "said": rollout.said if rollout is not None else "",
        "wanted": rollout.wanted if rollout is not None else None,
        "updated": rollout.updated if rollout is not None else None,
        "available": rollout.available if rollout is not None else None,
        "changedAt": reading.changed_at,
        "restartedSince": reading.restarted,
        "pods": [
            {"name": pod.name, "startedAt": pod.started_at, "ready": pod.ready, "restarts": pod.restarts}
            for pod in reading.pods
        ],
        "events": [
            {"reason": one.reason, "message": one.message, "warning": one.warning, "count": one.count, "at": one.at}
            for one in reading.events
        ],
        "ageSeconds": _age(reading.read_time, wall),
        "error": reading.error,
        "note": reading.note,
    }


def _application(reading: ApplicationReading, wall: datetime) -> dict[str, Any]:
    said = reading.application
    age = _age(reading.read_time, wall)
    if said is None:
        return {"name": None, "ageSeconds": age, "error": reading.error, "note": reading.note}
    operation = said.operation
    return {
        "name": said.name,
        "sync": said.sync,
        "health": said.health,
        "revision": said.revision,
        "targetRevision": said.target_revision,
        "autoSync": said.automated,
        "selfHeal": said.self_heal,
        "prune": said.prune,
        "refreshing": said.refreshing,
        "operation": None if operation is None else {"phase": operation.phase, "message": operation.message},
        "conditions": said.conditions,
        "ageSeconds": age,
        "error": reading.error,
        "note": reading.note,
    }


def _age(read_time: datetime, wall: datetime) -> float:
    return round((wall - read_time).total_seconds(), 1)


def _said(one: str | None) -> str:
    return "-" if one is None else "not read" if one == UNREAD else one


def _verdict(row: TruthRow) -> str:
    if row.agree is None:
        return "unknown" if UNREAD in (row.git, row.runtime, row.venue) else ""
    return "agree" if row.agree else "DIFFER"
