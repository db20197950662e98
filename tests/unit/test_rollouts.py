"""A workload has taken a change only when every process that serves was started with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stages.rollouts import happenings, pod_starts, rollout, started_after

TEMPLATE: dict[str, Any] = {"spec": {"containers": []}}
DONE = {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
READY = [{"type": "Ready", "status": "True"}]


def workload(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"generation": 3}, "spec": {"template": TEMPLATE, **spec}, "status": status}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "has not seen the change"),
        ({**DONE, "observedGeneration": 2}, "has not seen the change"),
        ({"observedGeneration": 3}, "0 of 1 updated"),
        ({**DONE, "availableReplicas": 0}, "0 available"),
        ({**DONE, "replicas": 2}, "1 of the template before still there"),
    ],
)
def test_a_deployment_is_not_done_before_its_last_pod(status: dict[str, Any], said: str) -> None:
    found = rollout("Deployment", workload(status))
    assert not found.done
    assert said in found.said


def test_a_deployment_is_done_when_all_pods_are_new_and_available() -> None:
    found = rollout("Deployment", workload(DONE))
    assert (found.done, found.wanted, found.updated, found.available, found.stuck) == (True, 1, 1, 1, False)


def test_a_deployment_scaled_to_nothing_is_done() -> None:
    assert rollout("Deployment", workload({"observedGeneration": 3}, replicas=0)).done


def test_a_passed_progress_deadline_is_stuck() -> None:
    late = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    found = rollout("Deployment", workload({**DONE, "availableReplicas": 0, "conditions": late}))
    assert found.stuck
    assert "deadline" in found.said


def test_a_stateful_set_is_done_when_its_revisions_are_one() -> None:
    revisions = {"currentRevision": "a", "updateRevision": "b"}
    assert not rollout("StatefulSet", workload({**DONE, **revisions})).done
    assert rollout("StatefulSet", workload({**DONE, **revisions, "currentRevision": "b"})).done


def test_a_daemon_set_counts_nodes() -> None:
    status = {"observedGeneration": 3, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 2}
    assert not rollout("DaemonSet", workload(status)).done
    assert rollout("DaemonSet", workload({**status, "updatedNumberScheduled": 2})).done


@pytest.mark.parametrize(
    ("created", "ready", "conditions", "done"),
    [
        ("r2", "r2", READY, True),
        ("r2", "r1", READY, False),
        ("r2", "r2", [{"type": "Ready", "status": "Unknown"}], False),
        (None, None, [], False),
    ],
)
def test_a_knative_service_is_done_when_its_newest_revision_serves(
    created: str | None, ready: str | None, conditions: list[dict[str, str]], done: bool
) -> None:
    status = {"latestCreatedRevisionName": created, "latestReadyRevisionName": ready, "conditions": conditions}
    assert rollout("Service", workload({"observedGeneration": 3, **status})).done is done


def test_a_config_map_starts_nothing_anew() -> None:
    assert rollout("ConfigMap", {"data": {}}).done


def pod(name: str, started: str | None, **metadata: str) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "status": {"startTime": started, "conditions": READY}}


def test_pods_started_since_a_change_leave_out_those_that_go() -> None:
    change = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    after, before = pod("a", "2026-11-23T15:00:05Z"), pod("b", "2026-11-23T14:00:00Z")
    going = pod("c", "2026-11-23T14:00:00Z", deletionTimestamp="2026-11-23T15:00:01Z")
    assert started_after(pod_starts([after, going]), change) is True
    assert started_after(pod_starts([after, before]), change) is False
    assert started_after(pod_starts([after, pod("d", None)]), change) is None
    assert started_after(pod_starts([]), change) is None


def test_events_come_oldest_first_with_their_kind() -> None:
    def event(reason: str, at: str | None, **more: Any) -> dict[str, Any]:
        return {"involvedObject": {"kind": "Pod", "name": "p"}, "reason": reason, "lastTimestamp": at, **more}

    said = happenings(
        [
            event("Killing", "2026-11-23T15:00:05Z", type="Warning", count=3, message="a\n b"),
            event("Pulled", "2026-11-23T15:00:00Z"),
        ]
    )
    assert [one.reason for one in said] == ["Pulled", "Killing"]
    assert (said[1].object, said[1].warning, said[1].count, said[1].message) == ("Pod/p", True, 3, "a b")
