"""The built result of a plan: real Kustomize where it is installed, and what is said where it is not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.gitops.kustomize import Kustomize
from stages.plan import Plan, build
from stages.policy import Policy
from stages.policy_text import load
from stages.reach import Material, gather
from stages.rendering import Built, identities, render

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample"
FOLDER = "apps/heron"
KUSTOMIZATION = f"{FOLDER}/kustomization.yaml"
Files = dict[str, bytes]

needs_kustomize = pytest.mark.skipif(
    not (shutil.which("kustomize") or shutil.which("kubectl")), reason="neither kustomize nor kubectl is installed"
)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load((ROOT / "stages" / "policies" / "demo.yaml").read_text(encoding="utf-8"), "demo.yaml")


@pytest.fixture
def files() -> Files:
    return {str(file.relative_to(SAMPLE)): file.read_bytes() for file in SAMPLE.rglob("*") if file.is_file()}


@pytest.fixture
def plan_of(policy: Policy) -> Callable[[Files], Plan]:
    def make(files: Files) -> Plan:
        return build(
            policy, policy_digest="p" * 64, roster_digest="r" * 64, read=files.get, base_commit="0" * 40, epoch=0,
            to_stage=1, created_by="alice", now=datetime(2026, 11, 24, 19, 31, tzinfo=UTC),
        )  # fmt: skip

    return make


@needs_kustomize
def test_a_plan_of_the_sample_builds_with_the_same_objects_and_its_own_values(
    policy: Policy, files: Files, plan_of: Callable[[Files], Plan]
) -> None:
    found = render(policy, plan_of(files), files.get, Kustomize().build)
    assert (found.wrong, found.unknown, found.not_checked) == ((), (), ())
    assert found.objects > 3


@needs_kustomize
def test_a_result_that_an_overlay_changes_is_wrong(
    policy: Policy, files: Files, plan_of: Callable[[Files], Plan]
) -> None:
    plan = plan_of(files)
    env = next(b.env for b in policy.spec.controls["maxGrossExposure"].bindings if b.env)
    name = next(b.object for b in policy.spec.controls["maxGrossExposure"].bindings if b.env).partition("/")[2]
    files[f"{FOLDER}/more.yaml"] = (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: heron}}\n"
        "spec: {template: {spec: {containers: [{name: heron-scheduler, "
        f"env: [{{name: {env}, value: '999999'}}]}}]}}}}}}\n"
    ).encode()
    files[KUSTOMIZATION] += b"patches:\n  - path: more.yaml\n"
    found = render(policy, plan, files.get, Kustomize().build)
    assert any("the result says 999999" in why for why in found.wrong)


@needs_kustomize
def test_a_result_that_does_not_build_is_wrong_and_says_why(
    policy: Policy, files: Files, plan_of: Callable[[Files], Plan]
) -> None:
    plan = plan_of(files)
    files[KUSTOMIZATION] += b"namePrefix: [not, a, text]\n"
    found = render(policy, plan, files.get, Kustomize().build)
    assert len(found.wrong) == 1
    assert found.wrong[0].startswith("the result does not build, as it did before: ")
    assert "rampdeck-build" not in found.wrong[0]


@needs_kustomize
def test_what_lies_on_other_machines_is_left_out_and_said(
    policy: Policy, files: Files, plan_of: Callable[[Files], Plan]
) -> None:
    plan = plan_of(files)
    remote = "https://example.invalid/base?ref=v1"
    files[KUSTOMIZATION] = files[KUSTOMIZATION].replace(b"resources:\n", f"resources:\n  - {remote}\n".encode())
    found = render(policy, plan, files.get, Kustomize().build)
    assert found.wrong == ()
    assert found.not_checked == (f"not checked: {remote}, which {KUSTOMIZATION} takes from another machine",)


def test_without_the_tool_the_result_is_not_checked_and_that_is_said(
    policy: Policy, files: Files, plan_of: Callable[[Files], Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = render(policy, plan_of(files), files.get, Kustomize().build)
    assert found.absent == "not checked: neither kustomize nor kubectl is installed here"


def test_a_builder_that_hangs_is_ended_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "kustomize"
    script.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert "did not answer" in Kustomize(patience=0.2).build(Material("a", {"a/kustomization.yaml": b"{}"})).absent


def test_the_same_material_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "kustomize"
    script.write_text(f"#!/bin/sh\necho x >> {tmp_path}/calls\necho 'kind: A'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    builder = Kustomize()
    for content in (b"{}", b"{}", b"{} "):
        assert builder.build(Material("a", {"a/kustomization.yaml": content})).text == "kind: A\n"
    assert (tmp_path / "calls").read_text().count("x") == 2


# What is compared


def test_objects_that_come_or_go_are_named(policy: Policy, files: Files, plan_of: Callable[[Files], Plan]) -> None:
    plan = plan_of(files)
    texts = iter(
        [
            "kind: A\napiVersion: v1\nmetadata: {name: x, namespace: n}\n",
            "kind: A\napiVersion: v2\nmetadata: {name: x}\n",
        ]
    )
    found = render(policy, plan, files.get, lambda _material: Built(next(texts)))
    assert found.wrong[:2] == ("A/x (v1, namespace n) would go", "A/x (v2) would come")
    assert any("cannot be read in the result" in why for why in found.unknown)


def test_a_file_that_a_kustomization_names_and_nobody_has_is_wrong(
    policy: Policy, files: Files, plan_of: Callable[[Files], Plan]
) -> None:
    plan = plan_of(files)
    del files[f"{FOLDER}/feed.yaml"]
    found = render(policy, plan, files.get, lambda _material: Built())
    assert found.wrong == (f"not there, though a kustomization names it: {FOLDER}/feed.yaml",)


def test_only_what_a_kustomization_reaches_is_gathered(files: Files) -> None:
    files["apps/heron/README.md"] = b"words"
    material = gather(files.get, FOLDER)
    assert KUSTOMIZATION in material.files
    assert all(path.startswith(FOLDER) and path.endswith(".yaml") for path in material.files)


def test_charts_are_taken_out_and_said() -> None:
    files = {"a/kustomization.yaml": b"helmCharts:\n  - {name: x, repo: 'https://example.invalid'}\nresources: [b]\n",
             "a/b/kustomization.yml": b"resources: [c.yaml, ../../d.yaml]\n", "a/b/c.yaml": b"kind: C\n",
             "d.yaml": b"kind: D\n"}  # fmt: skip
    material = gather(files.get, "a")
    assert set(material.files) == set(files)
    assert b"helmCharts" not in material.files["a/kustomization.yaml"]
    assert material.left_out == ("the Helm charts of a/kustomization.yaml",)


def test_identities_are_of_every_document() -> None:
    text = "apiVersion: v1\nkind: A\nmetadata: {name: x}\n---\n---\napiVersion: v1\nkind: B\nmetadata: {name: y}\n"
    assert identities(text) == {("v1", "A", "", "x"), ("v1", "B", "", "y")}
