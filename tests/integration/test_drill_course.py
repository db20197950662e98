"""A drill's walk: what ends it, what it keeps, and what becomes of one whose process died."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from console.detach import RunningActs
from console.drilling.broken import Injected
from console.drilling.course import Course, DrillTarget, LiveSide, StepWork, Surroundings, walk
from console.drilling.ground import fingerprint
from console.ports import AppReading
from console.procedures.drill import abandon_dead, paper, tabletop
from console.wiring import SystemClock
from stages.commands import OpenLatch, Record
from stages.drill import ABORTED, FAIL, KILL, NEGATIVE, PASS, RUNNING, TABLETOP, Drill, Scope, Step
from stages.drill_faults import CANCELS
from stages.drill_validity import newest
from stages.posture import Mode
from stages.refusal import Trouble
from stages.value import replace
from stages.witness import VenueReading
from tests.integration.actuation import World, short_pause

LIVE = Scope("heron", "HERON-LIVE-01", "live", "heron", "apps/heron", "")
PAPER = Scope("heron-paper", "HERON-PAPER-01", "paper", "heron-paper", "apps/heron-paper", "")


@dataclass
class Ground:
    """A course over a real ledger whose steps are given by each test."""

    world: World
    bundles: list[Mapping[str, Any]] = field(default_factory=list)
    tidied: int = 0

    def course(self, run: str = "r1") -> Course:
        force = self.world.force
        nobody = cast("Any", None)
        target = DrillTarget(
            PAPER, force.policy, "p", "r", self.world.ledger, nobody, nobody, nobody, nobody, nobody, nobody, nobody
        )
        around = Surroundings(SystemClock(), lambda: "new", short_pause, lambda _: None, self._keep, "1")
        live = LiveSide(LIVE, force.policy, self.world.ledger, None)
        # A tabletop declares no effects, so that the steps of the tests need to cause none.
        made = Course(around, live, target, Drill(run, KILL, TABLETOP, "", datetime.now(UTC)), "alice")
        made.begin("")
        return made

    def walk(self, odd: Mapping[str, Callable[[Course], None]] | None = None) -> Drill:
        work: dict[str, StepWork] = {f"D{number}": _good for number in range(13)}
        return walk(self.course(), work | dict(odd or {}), self._tidy)

    def _keep(self, run: str, bundle: Mapping[str, Any]) -> str:
        self.bundles.append(bundle)
        return f"{run}.json"

    def _tidy(self, _course: Course) -> None:
        self.tidied += 1

    def entries(self) -> Sequence[Mapping[str, Any]]:
        return [entry.body for entry in self.world.ledger.entries() if entry.kind == "drill"]


def _good(course: Course) -> None:
    if course.drill.at == "D4":
        course.mark_fired()
    course.find("it holds", True, negative=course.drill.at in NEGATIVE)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(World.make(tmp_path))


def test_every_finding_is_an_entry_in_the_drills_scope_and_the_last_one_names_the_bundle(ground: Ground) -> None:
    assert ground.walk().state == PASS
    bodies = ground.entries()
    assert {body["drill"] for body in bodies} == {"r1"}
    assert [body["step"] for body in bodies if "ok" in body] == [f"D{number}" for number in range(13)]
    assert (bodies[-1]["state"], bodies[-1]["artifacts"]) == (PASS, ["r1.json"])
    assert ground.bundles[0]["drill"]["passed"] == 13


def test_a_live_trigger_ends_the_drill_at_once(ground: Ground) -> None:
    def trigger(course: Course) -> None:
        _good(course)
        ground.world.command(
            OpenLatch("watch", "gross-limit", "gross", "26,410", Mode.FROZEN, None, 0, "L0", ("risk",))
        )

    done = ground.walk({"D1": trigger})
    assert (done.state, done.at) == (ABORTED, "D1")
    assert done.reasons == ("gross-limit fired on the live target",)
    assert ground.tidied == 1
    assert ground.entries()[-1]["state"] == ABORTED


def test_a_live_trigger_ends_a_drill_that_waits(ground: Ground) -> None:
    def trigger(course: Course) -> None:
        ground.world.command(
            OpenLatch("watch", "gross-limit", "gross", "26,410", Mode.FROZEN, None, 0, "L0", ("risk",))
        )
        course.wait(lambda: False)
        pytest.fail("it waited on")

    done = ground.walk({"D2": trigger})
    assert (done.state, done.at, ground.tidied) == (ABORTED, "D2", 1)


def test_a_drill_that_is_given_up_counts_as_failed_and_cleans_up_after_its_act(ground: Ground) -> None:
    def give_up(course: Course) -> None:
        body = {"run": "r1", "drill": "r1", "state": RUNNING, "abandoned": "bob"}
        ground.world.command(Record("bob", "drill", body))
        course.wait(lambda: False)
        pytest.fail("it waited on")

    done = ground.walk({"D6": give_up})
    assert (done.state, done.reasons, ground.tidied) == (ABORTED, ("abandoned by bob at D6",), 1)
    found = ground.world.ledger.state().drills["r1"]
    assert (found.abandoned, found.tidied, found.ended is not None) == ("bob", True, True)


def test_a_latch_that_was_open_before_does_not_end_it(ground: Ground) -> None:
    ground.world.command(OpenLatch("watch", "gross-limit", "gross", "26,410", Mode.FROZEN, None, 0, "L0", ("risk",)))
    assert ground.walk().state == PASS


def test_what_fails_before_the_act_ends_it_unfired_and_tidied(ground: Ground) -> None:
    done = ground.walk({"D2": lambda course: cast("None", course.find("probes are taken", False))})
    assert (done.state, ground.tidied) == (FAIL, 1)
    assert done.reasons[0] == "D2: probes are taken"
    assert "D4 was not run" in done.reasons


def test_what_fails_after_the_act_lets_the_rest_go_on(ground: Ground) -> None:
    done = ground.walk({"D6": lambda course: cast("None", course.find("orders gone", False))})
    assert (done.state, done.passed, done.reasons) == (FAIL, 12, ("D6: orders gone",))
    assert ground.tidied == 0


@dataclass
class OnARevision:
    """A paper venue whose trading process runs one revision and no other."""

    revision: str

    def read(self) -> VenueReading:
        return VenueReading(PAPER.account, PAPER.environment, False, (), (), None, datetime.now(UTC))

    def app(self) -> AppReading:
        return AppReading(datetime.now(UTC), self.revision, {}, "")


@pytest.mark.parametrize(("revision", "budget", "runs"), [("", 30.0, True), ("0" * 40, 0.2, False)])
def test_no_drill_begins_on_an_application_that_does_not_run_what_git_says(
    ground: Ground, revision: str, budget: float, runs: bool
) -> None:
    made = ground.course()
    made.drill = replace(made.drill, budgets={"D0": timedelta(seconds=budget)})
    made.target = replace(
        made.target,
        repository=ground.world.repository,
        venue=cast("Any", OnARevision(revision or ground.world.head())),
    )
    made.enter("D0")
    fingerprint(made)
    (found,) = (one for one in made.drill.findings if one.says == "the application runs what Git says")
    assert found.ok is runs


def test_an_answer_that_does_not_come_is_unknown_which_fails(ground: Ground) -> None:
    def away(_course: Course) -> None:
        raise Trouble("the venue does not answer")

    done = ground.walk({"D6": away})
    assert (done.state, done.holds("D6")) == (FAIL, False)
    assert done.reasons == ("D6: it could be asked: the venue does not answer (unknown)",)


def test_a_person_who_breaks_it_off_leaves_an_aborted_drill(ground: Ground) -> None:
    def interrupt(_course: Course) -> None:
        raise KeyboardInterrupt

    done = ground.walk({"D7": interrupt})
    assert (done.state, done.reasons) == (ABORTED, ("broken off by alice",))
    assert ground.world.ledger.state().drills["r1"].state == ABORTED


def test_a_tabletop_leads_through_every_step_touches_nothing_and_opens_no_gate(ground: Ground) -> None:
    asked: list[str] = []

    def ask(step: Step, _check: Callable[[], None]) -> tuple[bool | None, str]:
        asked.append(step.id)
        return (None, "nobody knew") if step.id == "D9" else (True, "said so")

    course = ground.course()
    running = RunningActs(ground.world.folder / "running")
    done = tabletop(
        course.around, course.live, course.target, run="r2", act=KILL, actor="alice", ask=ask, running=running
    )
    assert asked == [f"D{number}" for number in range(13)]
    assert (done.state, done.passed) == (FAIL, 12)
    assert "nobody knew (unknown)" in done.reasons[0]
    found = ground.world.ledger.state()
    assert found.drills["r2"].mode == TABLETOP
    assert newest(found, KILL) is None


def test_a_drill_whose_process_died_is_declared_aborted(ground: Ground) -> None:
    running = RunningActs(ground.world.folder / "running")
    with running.hold("r1"):
        ground.course()
        assert abandon_dead(ground.world.ledger, running, datetime.now(UTC), "alice") == ()
    dies = f"""import os, pathlib
from console.detach import RunningActs
RunningActs(pathlib.Path({str(ground.world.folder / "running")!r})).hold("r1").__enter__()
os._exit(0)"""
    subprocess.run([sys.executable, "-c", dies], check=True)
    assert ground.world.ledger.state().drills["r1"].state == RUNNING
    assert abandon_dead(ground.world.ledger, running, datetime.now(UTC), "bob") == ("r1",)
    found = ground.world.ledger.state().drills["r1"]
    assert (found.state, found.reasons) == (ABORTED, ("its process died",))


@dataclass
class Away:
    """A paper venue that answers nothing."""

    def read(self) -> VenueReading:
        raise Trouble("the venue does not answer")

    def app(self) -> AppReading:
        raise Trouble("the trading process does not answer")


def held_under_a_fault(ground: Ground, scope: Scope) -> tuple[Drill, list[str]]:
    """A drill of the kill under a fault whose venue is away, and what became of the fault."""
    course, told = ground.course("r0"), list[str]()

    def tell(word: str) -> str:
        told.append(word)
        return word

    fault = Injected(CANCELS, partial(tell, "strikes"), partial(tell, "ends"))
    target = replace(course.target, scope=scope, venue=cast("Any", Away()), fault=fault)
    running = RunningActs(ground.world.folder / "running")
    done = paper(course.around, course.live, target, run="r3", act=KILL, actor="alice", running=running)
    return done, told


def test_no_fault_outlives_its_drill_and_its_first_entry_names_it(ground: Ground) -> None:
    done, told = held_under_a_fault(ground, PAPER)
    assert (done.state, done.inject) == (FAIL, CANCELS)
    assert set(told) == {"ends"}, "it ended before it could strike, and was ended all the same"
    assert ground.world.ledger.state().drills["r3"].inject == CANCELS
    assert ground.bundles[-1]["drill"]["inject"] == CANCELS


def test_a_fault_on_a_live_target_is_refused_before_anything_is_recorded(ground: Ground) -> None:
    with pytest.raises(Trouble, match="heron-paper is LIVE: a fault is injected on a paper target and nowhere else"):
        held_under_a_fault(ground, replace(PAPER, environment="live"))
    assert "r3" not in ground.world.ledger.state().drills
