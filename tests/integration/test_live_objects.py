"""The runtime witness against a real API server: values with event times, and no agreement without knowledge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from console.ports import Fetched
from console.runtime.api import Access, ApiServer, ApiTrouble
from console.runtime.kubernetes import ClusterWitness
from console.runtime.reflector import Pace
from console.wiring import SystemClock
from stages.witness import RuntimeReading
from tests.integration.cluster import READER, STRANGER, Cluster, wait_until
from tests.integration.herons import Heron, live_policy

GROSS, SYMBOLS, KILL = "maxGrossExposure", "universe", "killSwitch"
GROSS_ENV, KILL_ENV = "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE", "TRADING_KILL_SWITCH_ENABLED"


def witness_of(cluster: Cluster, namespace: str, file: Path | None = None, pace: Pace | None = None) -> ClusterWitness:
    api = ApiServer(Access(kubeconfig=file or cluster.kubeconfig()), SystemClock())
    return ClusterWitness(api, live_policy(namespace), SystemClock(), pace)


def until(witness: ClusterWitness, control: str, holds: Callable[[RuntimeReading], bool]) -> RuntimeReading:
    wait_until(lambda: holds(witness.read().runtime[control]), 20, f"never: {witness.read().runtime[control]}")
    return witness.read().runtime[control]


def errors(fetched: Fetched) -> set[str]:
    return {reading.error for reading in fetched.runtime.values()}


def test_every_binding_is_read_on_its_live_object(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "reads-all")
    fetched = witness_of(api_server, heron.namespace).read()
    assert errors(fetched) == {""}
    assert fetched.error == ""
    stage = live_policy(heron.namespace).resolved[1]
    assert {name: one.value for name, one in fetched.runtime.items() if name in (GROSS, KILL, SYMBOLS)} == {
        GROSS: stage[GROSS],
        KILL: "false",
        SYMBOLS: stage[SYMBOLS],
    }
    reading = fetched.runtime[GROSS]
    assert reading.event_time is not None
    assert timedelta(0) <= reading.read_time - reading.event_time + timedelta(seconds=1) < timedelta(seconds=30)


def test_a_change_is_not_believed_before_its_pods_run_it(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "rolls-out")
    witness = witness_of(api_server, heron.namespace)
    before = witness.read().runtime[KILL]
    assert (before.value, before.error) == ("false", "")
    heron.set_env(KILL_ENV, "true")
    rolling = until(witness, KILL, lambda one: "rolling out" in one.error)
    assert rolling.value is None
    heron.roll_out(updated=0)
    assert "0 of 1 updated" in until(witness, KILL, lambda one: "0 of 1" in one.error).error
    heron.roll_out()
    done = until(witness, KILL, lambda one: not one.error)
    assert done.value == "true"
    assert before.event_time is not None
    assert done.event_time is not None
    assert done.event_time >= before.event_time


def test_two_objects_that_differ_are_no_value(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "differs")
    witness = witness_of(api_server, heron.namespace)
    heron.set_env(GROSS_ENV, "1", heron.deployment)
    heron.roll_out()
    reading = until(witness, GROSS, lambda one: "differ" in one.error)
    assert reading.value is None
    assert "Deployment/heron-scheduler 1," in reading.error


def test_a_config_map_counts_as_soon_as_it_is_written(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "hot-reload")
    witness = witness_of(api_server, heron.namespace)
    assert witness.read().runtime[SYMBOLS].error == ""
    feed = heron.config_map("heron-feed")
    held = api_server.ask("GET", feed)
    held["data"]["SYMBOLS"] = "XYZ"
    api_server.ask("PUT", feed, held)
    assert "differ" in until(witness, SYMBOLS, lambda one: bool(one.error)).error


def test_an_object_that_is_gone_is_unknown_and_comes_back(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "gone")
    witness = witness_of(api_server, heron.namespace)
    assert witness.read().runtime[KILL].error == ""
    held = api_server.ask("GET", heron.service)
    api_server.ask("DELETE", heron.service)
    assert "Service/heron: is not in the cluster" in until(witness, KILL, lambda one: bool(one.error)).error
    fresh = {"metadata": {"name": "heron"}, "spec": held["spec"], "apiVersion": held["apiVersion"], "kind": "Service"}
    api_server.ask("POST", heron.service.rpartition("/")[0], fresh)
    heron.roll_out()
    assert until(witness, KILL, lambda one: not one.error).value == "false"


def test_a_frozen_server_makes_old_words_unknown(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "freezes")
    witness = witness_of(api_server, heron.namespace, pace=Pace(request=1.0, watch=1, silence=1.0))
    assert witness.read().runtime[KILL].value == "false"
    api_server.freeze_server()
    try:
        frozen = until(witness, KILL, lambda one: bool(one.error))
        assert frozen.value is None
        assert datetime.now(UTC) - frozen.read_time > timedelta(seconds=1)
    finally:
        api_server.thaw_server()
    assert until(witness, KILL, lambda one: not one.error).value == "false"


def test_without_permission_each_control_says_what_is_forbidden(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "forbidden")
    witness = witness_of(api_server, heron.namespace, api_server.kubeconfig(STRANGER))
    said = witness.read().runtime[KILL]
    assert said.value is None
    assert 'User "stranger" cannot list resource' in said.error
    assert "rbac.yaml" not in witness.read().error


def test_an_expired_token_is_read_anew_from_the_file(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "expired")
    file = api_server.kubeconfig(READER, token="expired", name="expired")
    witness = witness_of(api_server, heron.namespace, file, Pace(refused=1.0))
    assert "does not accept the credentials" in witness.read().runtime[KILL].error
    file.write_text(api_server.kubeconfig().read_text(encoding="utf-8"), encoding="utf-8")
    assert until(witness, KILL, lambda one: not one.error).value == "false"


def test_a_kind_that_the_server_does_not_know_is_said_so(api_server: Cluster) -> None:
    api = ApiServer(Access(kubeconfig=api_server.kubeconfig()), SystemClock())
    with pytest.raises(ApiTrouble, match="does not know this kind") as raised:
        api.get("/apis/argoproj.io/v1alpha1/namespaces/default/rollouts", seconds=5)
    assert raised.value.status == 404


def test_workloads_tell_their_rollout_pods_and_events(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "workloads")
    heron.start_pod("scheduler-old", "2020-01-01T00:00:00Z")
    heron.happen("FailedCreate", "no room")
    witness = witness_of(api_server, heron.namespace)
    (found,) = witness.workloads()
    assert (found.object, found.error, found.restarted) == ("Deployment/heron-scheduler", "", False)
    assert found.rollout is not None
    assert found.rollout.done
    assert [pod.name for pod in found.pods] == ["scheduler-old"]
    assert [(one.reason, one.message, one.warning) for one in found.events] == [("FailedCreate", "no room", True)]
    api_server.ask("DELETE", f"/api/v1/namespaces/{heron.namespace}/pods/scheduler-old?gracePeriodSeconds=0")
    heron.start_pod("scheduler-new", (datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    wait_until(lambda: witness.workloads()[0].restarted is True, 20, "the new pod is never heard of")


def test_a_context_that_is_not_there_is_one_line(api_server: Cluster) -> None:
    api = ApiServer(Access(kubeconfig=api_server.kubeconfig(), context="other"), SystemClock())
    with pytest.raises(ApiTrouble, match="no credentials") as raised:
        api.get("/version", seconds=5)
    assert "\n" not in raised.value.line


def test_what_is_not_configured_says_so_in_every_readback() -> None:
    witness = ClusterWitness(ApiServer(None, SystemClock()), live_policy("nowhere"), SystemClock())
    assert all("'kubernetes' is not configured" in error for error in errors(witness.read()))


def test_the_reflectors_end_when_nobody_asks(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "let-go")
    witness = witness_of(api_server, heron.namespace, pace=Pace(let_go=0.5, watch=1))
    assert isinstance(witness.read().runtime[GROSS].value, Decimal)
    wait_until(lambda: witness.following == 0, 20, "a reflector goes on for nobody")
    assert witness.read().runtime[KILL].value == "false"
