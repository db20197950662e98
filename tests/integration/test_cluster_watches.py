"""Watches on a real API server: what changes is told without asking, and what ends a watch costs no knowledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from console.runtime.api import Access, ApiServer, Stream
from console.runtime.argocd import ArgoCd
from console.runtime.kubernetes import ClusterWitness
from console.runtime.reflector import Collection, Pace, Reflector
from console.watch.reader import Reader
from console.wiring import SystemClock
from stages.deployed import WorkloadReading
from stages.policy import Application as Where
from stages.signals import SourceHealth
from stages.value import replace
from tests.integration.argo import Argo
from tests.integration.cluster import MERGE, READER, Cluster, wait_until
from tests.integration.herons import Heron, live_policy, sample_objects

SYMBOLS = "universe"
SECONDS = 30.0
LASTING = Pace(watch=600, resync=600.0)
"""Nothing is listed twice and no watch ends, unless something happens."""

ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/{}"


class Asked(ApiServer):
    """Writes down what is asked; ``first_from`` is the version that the first watch goes on from."""

    def __init__(self, cluster: Cluster, user: str = "admin", *, first_from: str = "") -> None:
        super().__init__(Access(kubeconfig=cluster.kubeconfig(user)), SystemClock())
        self.asked: list[str] = []
        self._first_from = first_from

    def get(self, path: str, query: Mapping[str, str] | None = None, *, seconds: float) -> Any:
        self.asked.append("list")
        return super().get(path, query, seconds=seconds)

    def stream(self, path: str, query: Mapping[str, str], *, connect: float, lasts: float) -> Stream:
        version, self._first_from = self._first_from or query["resourceVersion"], ""
        self.asked.append("watch")
        return super().stream(path, {**query, "resourceVersion": version}, connect=connect, lasts=lasts)


class Followed:
    """A heron whose workloads, readbacks and Application are watched."""

    def __init__(self, heron: Heron, user: str = "admin", pace: Pace = LASTING) -> None:
        self.heron, self.api = heron, Asked(heron.cluster, user)
        self.argo = Argo(heron, lambda: ("0" * 40, list(sample_objects())))
        self.argo.create()
        where = Where(namespace=heron.namespace, name="heron")
        self.witness = ClusterWitness(self.api, live_policy(heron.namespace), SystemClock(), pace)
        self.controller = ArgoCd(self.api, where, SystemClock(), pace)

    def symbols(self, value: str) -> None:
        feed = self.heron.config_map("heron-feed")
        self.heron.cluster.ask("PATCH", feed, {"data": {"SYMBOLS": value}}, content=MERGE)

    def runtime(self) -> str:
        reading = self.witness.read().runtime[SYMBOLS]
        return reading.error or str(reading.value)

    def workload(self) -> WorkloadReading:
        (found,) = self.witness.workloads()
        return found

    def sources(self) -> tuple[SourceHealth, ...]:
        """What the reader's line of sources says."""
        reader = Reader(live_policy(self.heron.namespace), [self.witness], SystemClock())
        reader.start()
        try:
            assert reader.settled(SECONDS)
            return reader.snapshot(1).sources
        finally:
            reader.stop()

    def every_kind_changes(self, mark: str) -> tuple[tuple[Callable[[], None], Callable[[], bool]], ...]:
        """A change of each kind of object, and whether the witness has heard of it."""
        health = {"status": {"health": {"status": mark}}}
        pods, events = lambda: self.workload().pods, lambda: self.workload().events
        return (
            (partial(self.symbols, mark), lambda: mark in self.runtime()),
            (
                partial(self.heron.start_pod, mark.lower(), "2026-11-23T15:00:00Z"),
                lambda: any(one.name == mark.lower() and one.started_at for one in pods()),
            ),
            (partial(self.heron.happen, "Why", mark), lambda: mark in [one.message for one in events()]),
            (
                partial(self.heron.cluster.ask, "PATCH", self.argo.path, health, content=MERGE),
                lambda: getattr(self.controller.application().application, "health", "") == mark,
            ),
        )

    def hears(self, mark: str) -> None:
        for change, heard in self.every_kind_changes(mark):
            change()
            wait_until(heard, SECONDS, f"{mark} is never heard: {self.runtime()}, {self.workload()}")

    def known(self) -> bool:
        return not any(one.error for one in (self.witness.read(), self.workload(), self.controller.application()))


@pytest.fixture(scope="module")
def heron(api_server: Cluster) -> Heron:
    return Heron.deployed(api_server, "watched")


@pytest.fixture
def followed(heron: Heron) -> Followed:
    return Followed(heron)


def test_every_change_is_told_without_another_list(followed: Followed) -> None:
    assert followed.known()
    begun = ["list"] * 7 + ["watch"] * 7
    wait_until(lambda: sorted(followed.api.asked) == begun, SECONDS, f"not {begun}")
    followed.hears("TOLD")
    assert sorted(followed.api.asked) == begun
    followed.api.close()
    wait_until(lambda: followed.witness.following == 0, SECONDS, "a watch goes on after the end")


def test_watches_that_end_go_on_from_where_they_were(heron: Heron) -> None:
    followed = Followed(heron, pace=replace(LASTING, watch=1))
    assert followed.known()
    wait_until(lambda: followed.known() and followed.api.asked.count("watch") > 14, SECONDS, "no watch ends")
    followed.hears("WENTON")
    assert followed.api.asked.count("list") == 7
    followed.api.close()


def test_a_server_that_is_started_again_is_watched_again(followed: Followed) -> None:
    cluster = followed.heron.cluster
    assert followed.known()
    before = followed.witness.read().runtime[SYMBOLS].read_time
    cluster.stop_server()
    try:
        wait_until(lambda: followed.witness.read().error != "", SECONDS, "its absence goes unnoticed")
        wait_until(lambda: followed.workload().error != "", SECONDS, "its absence goes unnoticed")
        wait_until(lambda: followed.controller.application().error != "", SECONDS, "its absence goes unnoticed")
        away = followed.witness.read().runtime[SYMBOLS]
        assert (away.value, away.read_time < datetime.now(UTC)) == (None, True)
        assert away.read_time >= before
    finally:
        cluster.start_server()
    wait_until(followed.known, SECONDS, "it is never known again")
    followed.hears("AGAIN")
    followed.api.close()
    lists_anew(followed.heron, "configmaps")  # what a server cached before it ended is too old for it now


def lists_anew(heron: Heron, plural: str) -> None:
    """A watch of what is too old ends, and the one after a list tells what comes."""
    api = Asked(heron.cluster, first_from="1")
    path = f"/api/v1/namespaces/{heron.namespace}/{plural}"
    found = Reflector(api, Collection(path), SystemClock(), LASTING)
    found.wait(SECONDS)
    wait_until(lambda: api.asked == ["list", "watch"] * 2, SECONDS, "what is too old is watched")
    about = {"involvedObject": {"kind": "Deployment", "name": "x", "namespace": heron.namespace}}
    name = f"after-{plural}"
    heron.cluster.ask("POST", path, {"metadata": {"name": name}, **(about if plural == "events" else {})})
    wait_until(
        lambda: any(one["metadata"]["name"] == name for one in found.newest().items),
        SECONDS,
        "nothing is watched again",
    )
    assert found.newest().error == ""
    assert api.asked == ["list", "watch"] * 2
    api.close()


def test_what_the_store_has_forgotten_is_listed_anew(heron: Heron) -> None:
    """The API server keeps no cache of Events: their watch ends with the store's own word."""
    heron.happen("Why", "before")
    heron.cluster.compact()
    lists_anew(heron, "events")


def test_who_may_list_and_not_watch_is_told_late_and_told_so(api_server: Cluster) -> None:
    heron = Heron.deployed(api_server, "unwatched")
    rules = [
        {"apiGroups": ["", "apps", "serving.knative.dev", "argoproj.io"], "resources": ["*"], "verbs": ["list"]},
    ]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lists"}
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": READER}
    api_server.ask("POST", ROLES.format(heron.namespace, "roles"), {"metadata": {"name": "lists"}, "rules": rules})
    api_server.ask(
        "POST",
        ROLES.format(heron.namespace, "rolebindings"),
        {"metadata": {"name": "lists"}, "roleRef": reference, "subjects": [user]},
    )
    followed = Followed(heron, READER, replace(LASTING, poll=0.2, refused=0.2))
    wait_until(followed.known, SECONDS, f"never known: {followed.workload()}")
    said = "asked for every 0.2 s, may not be watched"
    wait_until(lambda: said in followed.witness.read().note, SECONDS, "nobody is told that it is late")
    followed.hears("LATE")
    assert said in followed.workload().note
    assert followed.controller.application().note == said
    (source,) = followed.sources()
    assert (source.name, source.ok, said in source.detail) == ("kubernetes", True, True)
    assert followed.api.asked.count("watch") == 7
    followed.api.close()
