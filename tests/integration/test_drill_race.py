"""D10 on a real API server: a kill holds through a self-heal, a sync and a reconcile period, or the drill fails.

The controller of the tests moves whenever the drill waits, and the drill asks it as the account of docs/rbac.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from console.drilling.course import Controlled, Course, DrillTarget, LiveSide, Surroundings
from console.drilling.killing import KillCourse
from console.ports import AppReading
from console.wiring import SystemClock
from stages.drill import KILL, TABLETOP, Drill, Finding
from stages.posture import Mode
from stages.refusal import Trouble
from stages.value import replace
from stages.witness import RuntimeReading, VenueReading
from tests.integration.actuation import short_pause
from tests.integration.cluster import MERGE, Cluster
from tests.integration.test_drill_course import LIVE, PAPER
from tests.integration.test_self_heal import HEALING, IGNORED, KILL_ENV, Stand

ATTEMPTED = "a self-heal was attempted: it compared the cluster with Git, and healed what differed"


@dataclass
class Paper:
    """A paper venue that refuses orders, and a trading process that does what the live Deployment says."""

    stand: Stand

    def read(self) -> VenueReading:
        return VenueReading(PAPER.account, PAPER.environment, True, (), (), None, datetime.now(UTC))

    def app(self) -> AppReading:
        held = self.stand.heron.cluster.ask("GET", self.stand.heron.deployment)
        env = {one["name"]: one.get("value") for one in held["spec"]["template"]["spec"]["containers"][0]["env"]}
        return AppReading(datetime.now(UTC), self.stand.world.head(), {"killSwitch": env[KILL_ENV]}, "")

    def heal(self) -> None:
        raise Trouble("no self-heal could be provoked")

    def inject(self, fault: str) -> str:
        raise Trouble(f"it lets no {fault} strike")


def course(stand: Stand, pause: Callable[[float], object], controlled: Controlled | None, budget: float) -> Course:
    """A kill drill of the stand's target that has come to D10."""
    force, nobody = stand.world.force, cast("Any", None)
    target = DrillTarget(
        PAPER, force.policy, "p", "r", stand.world.ledger, stand.world.repository, cast("Any", Paper(stand)),
        nobody, nobody, nobody, nobody, nobody, controlled,
    )  # fmt: skip
    around = Surroundings(SystemClock(), lambda: "new", pause, lambda _: None, lambda *_: "kept", "1")
    drill = Drill("r1", KILL, TABLETOP, "", datetime.now(UTC), {"D10": timedelta(seconds=budget)})
    made = Course(around, LiveSide(LIVE, force.policy, stand.world.ledger, None), target, drill, "alice")
    made.begin("")
    made.drill = replace(made.drill, at="D10")
    return made


def controlled(stand: Stand) -> Controlled:
    return Controlled(
        "argocd/heron", stand.controller, lambda: stand.witness.read().runtime, stand.flag, timedelta(0)
    )  # fmt: skip


def run(stand: Stand, budget: float = 120.0, **other: Any) -> dict[str, Finding]:
    """The findings of D10, by what they say; the controller makes a round in every pause."""
    made = course(stand, lambda _: stand.reconcile(), replace(controlled(stand), **other), budget)
    KillCourse().work()["D10"](made)
    return {one.says: one for one in made.drill.findings}


@pytest.fixture(scope="module")
def stand(api_server: Cluster, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    """A target that was killed a moment ago: the controller has not looked since."""
    found = Stand.make(tmp_path_factory.mktemp("race"), api_server, "races", root)
    assert found.reduce(Mode.KILLED).outcome == "pushed"
    return found


def test_a_kill_holds_through_a_self_heal_a_sync_and_a_reconcile_period(stand: Stand) -> None:
    stand.argo.seen = ""
    found = run(stand)
    assert {says: (one.ok, one.observed) for says, one in found.items() if one.ok is not True} == {}
    assert list(found) == [
        ATTEMPTED,
        "still KILLED after the self-heal",
        "a manual sync went through",
        "still KILLED after the sync",
        "a reconcile period passed: it compared again by itself",
        "still KILLED after the reconcile period",
    ]
    said = found["still KILLED after the reconcile period"].observed
    assert said == (
        "Git KILLED, application KILLED, runtime KILLED, ConfigMap/heron-runtime data.kill says true, venue blocked"
    )
    operation = stand.argo.held()["status"]["operationState"]
    assert operation["phase"] == "Succeeded"


def test_the_drill_takes_the_runtime_flag_back_at_its_end(stand: Stand) -> None:
    made = course(stand, short_pause, controlled(stand), 60)
    KillCourse._lower_flag(made)
    assert [(one.says, one.ok) for one in made.drill.findings] == [("the runtime flag is taken back", True)]
    assert stand.runtime_says() == "false"
    assert stand.flag.kill().done


def test_a_self_heal_that_reverts_the_kill_fails_the_drill_and_is_named(stand: Stand) -> None:
    spec: Callable[[list[Any]], Mapping[str, Any]] = lambda rules: {"spec": {"ignoreDifferences": rules}}  # noqa: E731
    stand.heron.cluster.ask("PATCH", stand.argo.path, spec([]), content=MERGE)
    try:
        found = run(stand)
    finally:
        stand.heron.cluster.ask("PATCH", stand.argo.path, spec(IGNORED), content=MERGE)
    reverted = found["still KILLED after the self-heal"]
    assert (reverted.ok, reverted.observed) == (False, "ConfigMap/heron-runtime data.kill says false")
    assert "a manual sync went through" not in found
    assert stand.flag.kill().done


def test_a_sync_that_fails_fails_the_drill_with_the_controllers_own_words(stand: Stand) -> None:
    stand.argo.break_with = "the repo server is away"
    try:
        found = run(stand)
    finally:
        stand.argo.break_with = ""
    sync = found["a manual sync went through"]
    assert (sync.ok, sync.observed) == (False, "Failed the repo server is away")


def test_a_controller_that_heals_nothing_proves_nothing(stand: Stand) -> None:
    spec = {"spec": {"syncPolicy": {"automated": {"selfHeal": False}}}}
    stand.heron.cluster.ask("PATCH", stand.argo.path, spec, content=MERGE)
    try:
        stand.reconcile()
        found = run(stand)
    finally:
        healing = {"spec": {"syncPolicy": {"automated": HEALING}}}
        stand.heron.cluster.ask("PATCH", stand.argo.path, healing, content=MERGE)
    said = found["a self-heal was attempted"]
    assert (said.ok, said.observed) == (None, "not tested: self-heal is off on Application argocd/heron")


def test_what_the_cluster_does_not_tell_is_unknown_and_does_not_hold(stand: Stand) -> None:
    silent = {"killSwitch": RuntimeReading(None, datetime.now(UTC), error="403")}
    found = run(stand, readback=lambda: silent)
    said = found["still KILLED after the self-heal"]
    assert (said.ok, said.observed) == (None, "runtime killSwitch not known: 403")


def test_without_a_cluster_or_a_controller_it_says_that_it_was_not_tested(stand: Stand) -> None:
    assert run(stand, runtime=None)["the GitOps controller can be asked"].observed == (
        "not tested: the policy names Application argocd/heron, and no cluster is configured"
    )
    made = course(stand, short_pause, None, 60)
    KillCourse().work()["D10"](made)
    (found,) = made.drill.findings
    assert (found.ok, found.observed) == (
        None, "not tested: the policy names no Application, and no self-heal could be provoked",
    )  # fmt: skip
