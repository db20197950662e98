"""The controller and the workloads on a real API server, read by the reader's own witness, from push to pods."""

from __future__ import annotations

from datetime import UTC, datetime

from console.runtime.api import Access, ApiServer
from console.runtime.kubernetes import ClusterWitness
from console.watch.reader import DeployedWitness
from console.wiring import SystemClock
from stages.deployed_rows import deployed_rows
from stages.verdict import TruthRow
from stages.witness import GitReading
from tests.integration.cluster import Cluster, wait_until
from tests.integration.herons import live_policy
from tests.integration.test_argocd import HEALING, KILL, Branch, deployed


def test_a_push_is_followed_through_the_controller_to_the_pods(api_server: Cluster) -> None:
    argo, branch, controller = deployed(api_server, "followed", **HEALING)
    heron = argo.heron
    heron.roll_out()
    api = ApiServer(Access(kubeconfig=api_server.kubeconfig()), SystemClock())
    cluster = ClusterWitness(api, live_policy(heron.namespace), SystemClock())
    witness = DeployedWitness(cluster, controller)

    def rows(branch: Branch, own: str = "") -> dict[str, TruthRow]:
        now = datetime.now(UTC)
        found = deployed_rows(witness(), GitReading(branch()[0], now), own, now)
        return {row.name: row for row in found}

    def until(*agree: bool | None, row: str, says: str, own: str = "") -> None:
        # Events, pods and rollout are watched each by itself: what one of them tells may come a moment after another.
        def told() -> bool:
            found = rows(branch, own)
            return tuple(one.agree for one in found.values()) == agree and says in found[row].note

        wait_until(told, 30, f"not {agree} with {says!r}: {rows(branch, own)}")

    until(True, True, row="Argo CD", says="auto-sync, self-heal")
    newest = branch.set_env(KILL, "true")
    until(False, True, own=newest, row="Argo CD", says="has not looked at")
    argo.round()
    heron.happen("FailedCreate", "exceeded quota")
    until(True, False, own=newest, row="heron-scheduler", says="exceeded quota")
    heron.start_pod("scheduler-new", datetime.now(UTC).isoformat())
    heron.roll_out()
    until(True, True, own=newest, row="heron-scheduler", says="pods since")
