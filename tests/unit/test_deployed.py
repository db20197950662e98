"""What the cluster says beside the controls' values: never agreement while it is not known, not fresh or not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.watch.deployed_report import deployed_document, truth_report
from console.watch.ticks import from_document, to_document
from stages.application import Application, Operation
from stages.deployed import ApplicationReading, Deployed, WorkloadReading
from stages.deployed_rows import deployed_rows
from stages.rollouts import Happening, PodStart, Rollout
from stages.value import replace
from stages.verdict import Truth, TruthRow
from stages.witness import GitReading
from tests.unit.watched import Watched
from widgets.truth_panel import truth_lines

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
HEAD = "a" * 40
OLDER = "b" * 40
GIT = GitReading(HEAD, NOW)

ARGO = Application(
    name="heron", version="1", target_revision="main", sync="Synced", health="Healthy", revision=HEAD, automated=True,
    self_heal=True, prune=False, refreshing=False, operation=None, requested=False, history=(), managed=(), ignored=(),
    options=(), conditions=(),
)  # fmt: skip
DONE = Rollout(done=True, said="1 of 1 updated, 1 available", wanted=1, updated=1, available=1)
POD = PodStart("heron-1", NOW - timedelta(seconds=41), ready=True, restarts=0)


def controller(application: Application | None, error: str = "", at: datetime = NOW, own: str = "") -> TruthRow:
    (row,) = deployed_rows(Deployed((), ApplicationReading(application, at, error)), GIT, own, NOW)
    return row


def workload(rollout: Rollout | None, error: str = "", at: datetime = NOW, **more: object) -> TruthRow:
    reading = replace(WorkloadReading("Deployment/heron", rollout, at, pods=(POD,), error=error), **more)  # type: ignore[arg-type]
    (row,) = deployed_rows(Deployed((reading,)), GIT, "", NOW)
    return row


def test_without_a_cluster_there_is_nothing_to_say() -> None:
    assert list(deployed_rows(None, GIT, "", NOW)) == []


def test_a_controller_that_applied_git_agrees_and_says_how_it_is_set() -> None:
    row = controller(ARGO)
    assert (row.git, row.runtime, row.agree) == (HEAD[:8], HEAD[:8], True)
    assert row.note == "Synced, Healthy, auto-sync, self-heal"


def test_what_is_told_late_agrees_and_says_so() -> None:
    said = "asked for every 4 s, may not be watched"
    told = Deployed(
        (WorkloadReading("Deployment/heron", DONE, NOW, pods=(POD,), note=f"pods: {said}"),),
        ApplicationReading(ARGO, NOW, note=said),
    )
    rows = list(deployed_rows(told, GIT, "", NOW))
    assert [(row.agree, row.note.endswith(said)) for row in rows] == [(True, True), (True, True)]
    document = deployed_document(told, NOW)
    assert (document["workloads"][0]["note"], document["application"]["note"]) == (f"pods: {said}", said)


@pytest.mark.parametrize(
    ("application", "error", "at"),
    [
        (None, "there is no such Application", NOW),
        (ARGO, "no answer in 4 s", NOW),
        (ARGO, "", NOW - timedelta(minutes=2)),
        (replace(ARGO, sync="Unknown", conditions=("ComparisonError: no access",)), "", NOW),
        (replace(ARGO, revision=""), "", NOW),
    ],
    ids=["missing", "away", "old", "unknown", "no revision"],
)
def test_a_controller_that_is_not_known_never_agrees(application: Application | None, error: str, at: datetime) -> None:
    row = controller(application, error, at)
    assert row.agree is None
    assert row.runtime == "?"
    assert row.note


@pytest.mark.parametrize(
    ("application", "says"),
    [
        (replace(ARGO, sync="OutOfSync"), "OutOfSync"),
        (replace(ARGO, health="Degraded"), "Degraded"),
        (replace(ARGO, sync="OutOfSync", automated=False, self_heal=False), "NO auto-sync"),
        (replace(ARGO, sync="OutOfSync", operation=Operation("Failed", "hook failed")), "sync Failed: hook failed"),
    ],
)
def test_a_controller_that_is_somewhere_else_differs(application: Application, says: str) -> None:
    row = controller(application)
    assert row.agree is False
    assert says in row.note


def test_an_own_change_that_it_has_not_looked_at_differs_and_anothers_is_left_to_the_values() -> None:
    behind = replace(ARGO, revision=OLDER)
    assert controller(behind, own=HEAD).agree is False
    assert controller(behind).agree is None
    assert "has not looked at aaaaaaaa" in controller(behind).note


def test_a_workload_that_rolled_out_agrees_and_says_since_when_its_pods_run() -> None:
    row = workload(DONE)
    assert (row.name, row.git, row.runtime, row.agree, row.note) == ("heron", None, "1 of 1", True, "pods since 41 s")


def test_a_rollout_under_way_differs_and_one_that_is_stuck_says_why() -> None:
    moving = Rollout(done=False, said="0 of 1 updated, 0 available", wanted=1, updated=0, available=0)
    assert (workload(moving).runtime, workload(moving).agree) == ("0 of 1", False)
    failed = Happening("Deployment/heron", "FailedCreate", "exceeded quota", warning=True, count=3, at=NOW)
    row = workload(replace(moving, stuck=True), events=(failed,))
    assert (row.runtime, row.agree) == ("STUCK", False)
    assert "FailedCreate: exceeded quota" in row.note


def test_a_workload_that_is_not_known_never_agrees() -> None:
    for row in (workload(None, "is not in the cluster"), workload(DONE, at=NOW - timedelta(minutes=2))):
        assert (row.runtime, row.agree) == ("?", None)
        assert row.note


def deployed() -> Deployed:
    events = tuple(
        Happening("Deployment/heron", f"E{number}", "over quota", warning=number == 0, count=1, at=NOW)
        for number in range(9)
    )
    stuck = Rollout(done=False, said="0 of 1 updated, 0 available", wanted=1, updated=0, available=0, stuck=True)
    reading = WorkloadReading("Deployment/heron", stuck, NOW, NOW, (POD,), restarted=False, events=events)
    return Deployed((reading,), ApplicationReading(ARGO, NOW)).short()


def test_a_tick_keeps_what_every_desk_is_to_see_and_reads_older_ones() -> None:
    world = Watched()
    world.tick()
    snapshot = replace(world.snapshot, deployed=deployed())
    document = to_document(snapshot)
    assert from_document(world.policy, snapshot.seq, document).deployed == snapshot.deployed
    assert [one.reason for one in deployed().workloads[0].events] == ["E0", "E7", "E8"]
    del document["deployed"]
    assert from_document(world.policy, snapshot.seq, document).deployed is None


def test_the_report_puts_the_witnesses_side_by_side_with_ages_and_events() -> None:
    world = Watched()
    world.tick(2)
    world.snapshot = replace(world.snapshot, deployed=deployed(), wall=NOW)
    found = world.judge()
    lines = list(truth_report(found))
    assert lines[0].startswith("git ")
    assert any(line.startswith("heron ") and "STUCK" in line and "DIFFER" in line for line in lines)
    assert "!! Deployment/heron E0 (1x): over quota" in lines
    document = deployed_document(world.snapshot.deployed, NOW)
    assert document["application"]["autoSync"] is True
    assert document["workloads"][0]["restartedSince"] is False
    assert found.truth.agree is False


def test_a_controller_agrees_with_no_head_that_was_not_read() -> None:
    away = replace(GIT, error="the remote is away")
    (row,) = deployed_rows(Deployed((), ApplicationReading(ARGO, NOW)), away, "", NOW)
    assert (row.git, row.agree) == ("?", None)


def test_the_panel_tells_why_a_rollout_differs_where_the_venue_has_no_say() -> None:
    row = workload(Rollout(done=False, said="0 of 1 updated", wanted=1, updated=0, available=0))
    lines = truth_lines(Truth((row,), {}, agree=False), 90, 3, "", NOW)
    assert "0 of 1 ≠" in lines[2].text
    assert "- 0 of 1 updated" in lines[2].text
