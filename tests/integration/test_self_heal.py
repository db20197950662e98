"""A ramp on a real API server, followed by a controller that heals: up, drift, down, and a kill that nothing undoes.

The console acts as the account of docs/rbac.yaml throughout.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.__main__ import main
from console.procedures.advance import apply
from console.procedures.reduce import Order, Reduced, reduce
from console.runtime.api import Access, ApiServer
from console.runtime.argocd import ArgoCd
from console.runtime.flag import ExemptFlag
from console.runtime.kubernetes import ClusterWitness
from console.wiring import RandomIdentifiers, SystemClock
from stages.exempt import flag_of
from stages.phrase import confirmation_phrase
from stages.posture import Mode
from stages.value import replace
from tests.integration.actuation import World, git
from tests.integration.argo import Argo
from tests.integration.cluster import MERGE, READER, Cluster, wait_until
from tests.integration.herons import Heron
from tests.integration.test_rbac import grant

HEALING = {"prune": True, "selfHeal": True}
RUNTIME = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "heron-runtime", "namespace": "heron"},
    "data": {"kill": "false", "note": "as Git says"},
}
IGNORED = [{"group": "", "kind": "ConfigMap", "name": "heron-runtime", "jsonPointers": ["/data/kill"]}]
GROSS_ENV, KILL_ENV = "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE", "TRADING_KILL_SWITCH_ENABLED"


@dataclass
class Stand:
    """A repository, the objects that it deploys, the controller between them, and the console's own account."""

    world: World
    heron: Heron
    argo: Argo

    @classmethod
    def make(cls, folder: Path, cluster: Cluster, namespace: str, root: Path, *, respects: bool = True) -> Stand:
        world = World.make(folder, prepare=lambda work: prepare(work, namespace))
        heron = Heron(cluster, cluster.namespace(namespace))
        found = cls(world, heron, Argo(heron, lambda: rendered(world)))
        found.argo.create(automated=HEALING, ignoreDifferences=IGNORED)
        if respects:
            options = ["ServerSideApply=true", "RespectIgnoreDifferences=true"]
            patch = {"spec": {"syncPolicy": {"syncOptions": options}}}
            cluster.ask("PATCH", found.argo.path, patch, content=MERGE)
        grant(cluster, root, {"heron": namespace, "argocd": namespace})
        found.reconcile()
        return found

    def reconcile(self) -> None:
        self.argo.round()
        self.heron.roll_out()

    @cached_property
    def api(self) -> ApiServer:
        return ApiServer(Access(kubeconfig=self.heron.cluster.kubeconfig(READER)), SystemClock())

    @cached_property
    def controller(self) -> ArgoCd:
        where = self.world.force.policy.spec.target.application
        assert where is not None
        return ArgoCd(self.api, where, SystemClock())

    @cached_property
    def witness(self) -> ClusterWitness:
        return ClusterWitness(self.api, self.world.force.policy, SystemClock())

    @cached_property
    def flag(self) -> ExemptFlag:
        policy = self.world.force.policy
        flag, where = flag_of(policy), policy.spec.target.application
        assert flag is not None
        assert where is not None
        return ExemptFlag(self.api, self.heron.namespace, flag, where)

    def runs(self, control: str, value: object) -> None:
        """Waits until the live objects, read as the console's account, say the value."""
        wait_until(
            lambda: self.witness.read().runtime[control].value == value, 20,
            f"never {value}: {self.witness.read().runtime[control]}",
        )  # fmt: skip

    def runtime_says(self) -> str:
        data: dict[str, str] = self.heron.cluster.ask("GET", self.heron.config_map("heron-runtime"))["data"]
        return data["kill"]

    def config(self) -> str:
        folder, world = self.world.folder, self.world
        settings = {
            "repository": {"remote": world.remote.as_uri(), "branch": "main"},
            "policy": "ops/ramp.yaml",
            "roster": {"signers": "ops/allowed_signers", "members": "ops/roster.yaml"},
            "ledger": f"sqlite:///{folder}/ledger.db",
            "identity": {"name": "alice", "key": str(world.key("alice"))},
            "kubernetes": {"kubeconfig": str(self.heron.cluster.kubeconfig(READER))},
            "cache": str(folder / "cache"),
            "state": str(folder / "state"),
        }
        file = folder / "alice.yaml"
        file.write_text(json.dumps(settings))
        return str(file)

    def advance(self, to: str) -> None:
        world, plan = self.world, self.world.plan(to)
        phrase = confirmation_phrase(world.force.policy.name, plan)
        ports = replace(world.ports, runtime=self.controller)
        tokens = [world.approve(plan)]
        done = apply(ports, world.force, plan=plan, tokens=tokens, phrase=phrase, actor="alice", gates=lambda _: ())
        assert done.outcome == "pushed", done

    def reduce(self, mode: Mode = Mode.NORMAL) -> Reduced:
        world, policy = self.world, self.world.force.policy
        ports = replace(world.reduce_ports, runtime=self.controller, flag=self.flag)
        order = Order(RandomIdentifiers().new(), "carol", 0, mode, "by hand")
        return reduce(ports, policy, order, digests=(world.force.policy_digest, world.force.roster_digest))


def prepare(work: Path, namespace: str) -> None:
    """The sample in another namespace, with an object for the runtime flag and a policy that uses it."""
    folder = work / "apps" / "heron"
    (folder / "runtime.yaml").write_text(yaml.safe_dump(RUNTIME))
    kustomization = folder / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text() + "  - runtime.yaml\n")
    for file in folder.glob("*.yaml"):
        file.write_text(file.read_text().replace("namespace: heron\n", f"namespace: {namespace}\n"))
    ramp = work / "ops" / "ramp.yaml"
    policy = yaml.safe_load(ramp.read_text())
    spec = policy["spec"]
    spec["target"] |= {"namespace": namespace, "application": {"namespace": namespace, "name": "heron"}}
    spec["gates"]["dryRun"] = "required"
    for control in spec["controls"].values():
        control["readback"] = {"kubernetes": {}}
    flag = {"object": "ConfigMap/heron-runtime", "path": "data.kill", "value": "true", "normal": "false"}
    spec["postures"]["KILLED"]["runtime"] = flag
    ramp.write_text(json.dumps(policy))


def rendered(world: World) -> tuple[str, list[dict[str, Any]]]:
    """What the branch deploys now."""
    folder = "main:apps/heron"
    files = yaml.safe_load(git("show", f"{folder}/kustomization.yaml", cwd=world.remote))["resources"]
    texts = [git("show", f"{folder}/{file}", cwd=world.remote) for file in files]
    return world.head(), [one for text in texts for one in yaml.safe_load_all(text)]


@pytest.fixture(scope="module")
def stand(api_server: Cluster, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    """One stand that the tests of this module take up and down in turn; the killing ones come last."""
    return Stand.make(tmp_path_factory.mktemp("stand"), api_server, "heals", root)


def gates(stand: Stand, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    main(["plan", "--to", "L1", "--json", "--config", stand.config()])
    return {one["gate_id"]: one for one in json.loads(capsys.readouterr().out)["gates"]}


def test_up_drift_and_down_as_the_restricted_account(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    policy = stand.world.force.policy
    stages = [stage["maxGrossExposure"] for stage in policy.resolved]
    stand.runs("maxGrossExposure", stages[0])

    found = gates(stand, capsys)
    assert found["dry-run"]["status"] == "PASS", found["dry-run"]
    assert found["runtime-flag"]["status"] == "PASS", found["runtime-flag"]

    stand.advance("L1")
    stand.runs("maxGrossExposure", stages[0])
    stand.argo.reconciles = False  # only the console's own request makes it look
    stand.reconcile()
    stand.runs("maxGrossExposure", stages[1])

    stand.heron.set_env(GROSS_ENV, "999999")
    stand.heron.roll_out()
    stand.runs("maxGrossExposure", 999999)
    stand.reconcile()
    stand.runs("maxGrossExposure", stages[1])

    done = stand.reduce()
    assert done.outcome == "pushed", done
    assert "runtime flag" not in [one.witness for one in done.witnesses]
    stand.reconcile()
    stand.runs("maxGrossExposure", stages[0])
    assert stand.runtime_says() == "false"


def test_a_kill_holds_through_self_heal_a_manual_sync_and_a_reconcile(stand: Stand) -> None:
    done = stand.reduce(Mode.KILLED)
    told = {one.witness: one for one in done.witnesses}
    assert told["runtime flag"].done, told
    assert told["runtime flag"].detail == "ConfigMap/heron-runtime data.kill says true"
    assert stand.runtime_says() == "true", "the flag does not wait for the controller"

    stand.reconcile()
    stand.runs("killSwitch", "true")
    stand.heron.set_env(KILL_ENV, "false")
    rounds: list[Callable[[], None]] = [
        lambda: None,
        lambda: stand.controller.sync(who="mallory", reason="a manual sync"),
        lambda: setattr(stand.argo, "reconciles", True),
    ]
    for before in rounds:
        before()
        stand.reconcile()
        assert stand.runtime_says() == "true"
        stand.runs("killSwitch", "true")
    assert stand.flag.restore().done
    assert stand.runtime_says() == "false"


def test_a_field_that_a_sync_would_write_is_refused_and_the_kill_goes_on(
    api_server: Cluster, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand = Stand.make(tmp_path, api_server, "heals-not", root, respects=False)
    assert gates(stand, capsys)["runtime-flag"]["status"] == "FAIL"
    stand.heron.cluster.ask("PATCH", stand.heron.config_map("heron-runtime"), {"data": {"kill": "x"}}, content=MERGE)
    done = stand.reduce(Mode.KILLED)
    told = {one.witness: one for one in done.witnesses}
    assert not told["runtime flag"].done
    assert "RespectIgnoreDifferences=true is missing" in told["runtime flag"].detail
    assert done.outcome == "pushed"
    assert stand.runtime_says() == "x", "nothing was written"
    stand.argo.round()
    assert stand.runtime_says() == "x", "ignored in the comparison, so nothing that changed touches it"
    stand.controller.sync(who="mallory", reason="a manual sync")
    stand.argo.round()
    assert stand.runtime_says() == "false", "which is why it was refused: the sync writes it"


def test_what_leaves_the_branch_is_pruned_and_a_broken_sync_leaves_the_kill_in_git(stand: Stand) -> None:
    stand.argo.break_with = "the repo server is away"
    assert stand.reduce(Mode.KILLED).outcome in ("pushed", "unchanged")
    stand.argo.round()
    assert stand.world.says(f'{KILL_ENV}\n              value: "true"')
    assert stand.runtime_says() == "true"
    stand.argo.break_with = ""
    stand.world.elsewhere("apps/heron/kustomization.yaml", "  - runtime.yaml\n", "", "Drop the flag")
    stand.reconcile()
    held = stand.heron.cluster.ask("GET", stand.heron.config_map("heron-runtime"), expect=(200, 404))
    assert held["kind"] == "Status"
    done = stand.reduce(Mode.KILLED)
    told = {one.witness: one for one in done.witnesses}
    assert not told["runtime flag"].done
    assert "heron-runtime" in told["runtime flag"].detail
