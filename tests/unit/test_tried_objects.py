"""What a dry run tries: the objects that a plan changes and no others, read as a cluster reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stages.dry_run import Attempt, DryRun, Wanted, dry_run
from stages.plan import Plan, build
from stages.policy import Policy
from stages.policy_text import load
from stages.reach import Material
from stages.rendering import Built

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample"
KUSTOMIZATION = "apps/heron/kustomization.yaml"
NO_BUILDER = Built(absent="neither kustomize nor kubectl is installed here")


@dataclass
class Server:
    """Takes everything, but for what it is told to answer."""

    answers: dict[str, Attempt] = field(default_factory=dict)
    asked: list[Wanted] = field(default_factory=list)
    manager: str = ""

    def __call__(self, objects: Sequence[Wanted], manager: str) -> tuple[Attempt, ...]:
        self.asked, self.manager = list(objects), manager
        return tuple(self.answers.get(one.object, Attempt(one.object)) for one in objects)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load((ROOT / "stages" / "policies" / "demo.yaml").read_text(encoding="utf-8"), "demo.yaml")


@pytest.fixture
def files() -> dict[str, bytes]:
    return {str(file.relative_to(SAMPLE)): file.read_bytes() for file in SAMPLE.rglob("*") if file.is_file()}


def plan_of(policy: Policy, files: dict[str, bytes], stage: int = 1) -> Plan:
    return build(
        policy, policy_digest="p" * 64, roster_digest="r" * 64, read=files.get, base_commit="0" * 40, epoch=0,
        to_stage=stage, created_by="alice", now=datetime(2026, 11, 24, 19, 31, tzinfo=UTC),
    )  # fmt: skip


def nothing_builds(_material: Material) -> Built:
    return NO_BUILDER


def test_every_changed_object_of_plain_files_is_tried_and_no_other(policy: Policy, files: dict[str, bytes]) -> None:
    del files[KUSTOMIZATION]
    server = Server()
    found = dry_run(policy, plan_of(policy, files), files.get, nothing_builds, server)
    assert {one.object for one in server.asked} == {"Deployment/heron-scheduler", "Service/heron"} | {
        one.object for one in server.asked if one.object.startswith("ConfigMap/")
    }
    assert found == DryRun(tried=len(server.asked))
    assert server.manager == "rampdeck"
    assert {one.namespace for one in server.asked} == {"heron"}


def test_a_folder_for_kustomize_is_tried_as_it_builds_or_not_at_all(policy: Policy, files: dict[str, bytes]) -> None:
    server = Server()
    found = dry_run(policy, plan_of(policy, files), files.get, nothing_builds, server)
    assert (found.unknown, server.asked) == ((f"not tried: {NO_BUILDER.absent}",), [])

    texts = iter(["kind: A\nmetadata: {name: a}\ndata: {x: 1}\n---\nkind: B\n", "kind: A\nmetadata: {name: a}\n"])
    found = dry_run(policy, plan_of(policy, files), files.get, lambda _material: Built(next(texts)), server)
    assert [one.manifest for one in server.asked] == [{"kind": "A", "metadata": {"name": "a"}}]
    assert found.tried == 1


def test_scalars_are_read_as_a_cluster_reads_them(policy: Policy, files: dict[str, bytes]) -> None:
    server, before = Server(), "kind: A\nmetadata: {name: a}\n"
    after = before + "data: {at: 15:30:00, day: 2026-11-24, count: 7, share: 0.4, large: 1e3, mode: 0644, on: true}\n"
    texts = iter([before, after])
    dry_run(policy, plan_of(policy, files), files.get, lambda _material: Built(next(texts)), server)
    assert server.asked[0].manifest["data"] == {
        "at": "15:30:00", "day": "2026-11-24", "count": 7, "share": 0.4, "large": 1000.0, "mode": 0o644, True: True,
    }  # fmt: skip


def test_a_plan_that_changes_no_file_tries_nothing(policy: Policy, files: dict[str, bytes]) -> None:
    server = Server()
    assert dry_run(policy, plan_of(policy, files, 0), files.get, nothing_builds, server) == DryRun()
    assert server.asked == []


def test_refusals_name_the_object(policy: Policy, files: dict[str, bytes]) -> None:
    del files[KUSTOMIZATION]
    name = "Deployment/heron-scheduler"
    server = Server({name: Attempt(name, ("spec.replicas: too many",))})
    server.answers["Service/heron"] = Attempt("Service/heron", unknown="no answer in 5 s")
    found = dry_run(policy, plan_of(policy, files), files.get, nothing_builds, server)
    assert found.refused == (f"{name}: spec.replicas: too many",)
    assert found.unknown == ("Service/heron: no answer in 5 s",)
