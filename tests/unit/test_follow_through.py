"""Done-checks: a pushed act has arrived when controller, workloads and readbacks say so, each in its own way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stages.application import application_of
from stages.bindings import Binding
from stages.deployed import ApplicationReading, Deployed, WorkloadReading
from stages.live_objects import Asked, Sighting, live_reading, resource_of
from stages.policy import ControlSpec
from stages.rollouts import Rollout
from stages.settling import truth
from stages.value import replace
from tests.unit.watched import OPEN, Watched

DONE = Rollout(done=True, said="1 of 1 updated, 1 available", wanted=1, updated=1, available=1)
MOVING = replace(DONE, done=False, said="0 of 1 updated, 1 available", updated=0)


def settled(world: Watched, rollout: Rollout | None, revision: str, error: str = "") -> tuple[bool | None, str]:
    """What settling says while the cluster says this, the readbacks of all controls agreeing."""
    status = {"sync": {"status": "Synced", "revision": revision}, "health": {"status": "Healthy"}}
    application = application_of({"metadata": {"name": "heron"}, "spec": {}, "status": status})
    at = world.snapshot.wall
    told = Deployed(
        (WorkloadReading("Deployment/heron", rollout, at, error=error),), ApplicationReading(application, at)
    )
    world.snapshot = replace(world.snapshot, deployed=told)
    found = truth(world.policy, world.state, world.judge())
    return found.agrees, found.detail


@pytest.fixture
def world() -> Watched:
    """An advance to L1 that is pushed, read back from Git and from every control."""
    world = Watched(stage=1)
    world.tick(2)
    world.push("advance", "L0", "L1")
    world.head = "abc"
    return world.tick(2)


def test_it_has_arrived_when_controller_and_workload_have_followed(world: Watched) -> None:
    assert settled(world, DONE, "abc") == (True, "")


def test_without_a_cluster_the_readbacks_decide(world: Watched) -> None:
    assert truth(world.policy, world.state, world.judge()).agrees is True


@pytest.mark.parametrize(
    ("rollout", "revision", "says"),
    [
        (MOVING, "abc", "heron: 0 of 1 updated"),
        (DONE, "older", "Argo CD: has not looked at abc"),
        (replace(MOVING, stuck=True), "abc", "heron: 0 of 1 updated"),
    ],
    ids=["rolling out", "not looked at", "stuck"],
)
def test_what_has_not_followed_is_named(world: Watched, rollout: Rollout, revision: str, says: str) -> None:
    agrees, detail = settled(world, rollout, revision)
    assert agrees is False
    assert says in detail


def test_what_is_not_known_is_no_arrival(world: Watched) -> None:
    assert settled(world, None, "abc", "no answer in 4 s") == (None, "heron: no answer in 4 s")
    assert settled(world, DONE, "")[0] is None


# ----------------------------------------------------------------------------------------------------- hot reloading


def catalog(reload: str | None, ago: timedelta) -> Any:
    """A control of a ConfigMap that was written so long ago, and what the live object says of it."""
    binding = {"file": "catalog.yaml", "object": "ConfigMap/catalog", "path": "data.gross"}
    source = {} if reload is None else {"reload": reload}
    spec = ControlSpec.model_validate(
        {"unit": "usd", "riskier": "higher", "enforcedBy": "app-clip", "bindings": [binding],
         "readback": {"kubernetes": source}}
    )  # fmt: skip
    place = Binding(file="catalog.yaml", object="ConfigMap/catalog", path="data.gross")
    resource = resource_of(place)
    written = (OPEN - ago).isoformat()
    held = {
        "metadata": {"name": "catalog", "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [
            {"manager": "argocd", "time": written}
        ]},
        "data": {"gross": "4000"},
    }  # fmt: skip
    asked = Asked("maxGrossExposure", spec, ((place, resource),))
    return live_reading(asked, {resource: Sighting(resource, OPEN, held)}, OPEN)


def test_a_catalog_counts_when_processes_had_the_time_to_read_it_anew() -> None:
    fresh = catalog("90s", timedelta(seconds=12))
    assert fresh.value is None
    assert "was written 12 s ago and is read anew within 90 s" in fresh.error
    assert (catalog("90s", timedelta(seconds=90)).error, catalog(None, timedelta()).error) == ("", "")
    assert catalog("90s", timedelta(seconds=90)).value == 4000
