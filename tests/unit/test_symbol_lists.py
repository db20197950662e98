"""Symbol lists: a change of the universe leaves no list behind that says the same, or it is refused with the list."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stages.plan import Plan, build
from stages.policy import Apart, Policy
from stages.policy_text import load

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample"
FEED = "apps/heron/feed.yaml"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load((ROOT / "stages/policies/demo.yaml").read_text(), "demo.yaml")


@pytest.fixture
def files() -> dict[str, bytes]:
    return {str(file.relative_to(SAMPLE)): file.read_bytes() for file in SAMPLE.rglob("*.yaml")}


def plan(policy: Policy, files: dict[str, bytes], stage: str, **options: Any) -> Plan:
    return build(
        policy, policy_digest="", roster_digest="", read=files.get, base_commit="", epoch=0,
        to_stage=policy.stage_index(stage) or 0, created_by="alice", now=datetime(2026, 11, 24, tzinfo=UTC), **options,
    )  # fmt: skip


@pytest.fixture
def at_l1(policy: Policy, files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, **plan(policy, files, "L1").contents}


@pytest.mark.parametrize(
    "added",
    [
        '  ALLOWLIST: "NVDA,AMD,MU"\n',
        "  ALLOWLIST: MU, NVDA, AMD, WDC\n",
        "  list.yaml: |\n    chips:\n      - NVDA\n      - AMD\n      - MU\n",
        '  list.json: \'{"chips": ["NVDA", "AMD", "MU"]}\'\n',
        '  list.json: ["NVDA", "AMD", "MU"]\n',
    ],
)
def test_a_list_that_says_the_same_and_is_not_bound_refuses_a_wider_universe(
    policy: Policy, at_l1: dict[str, bytes], added: str
) -> None:
    assert plan(policy, at_l1, "L2").refusals == ()
    at_l1[FEED] += added.encode()
    line = at_l1[FEED].decode().count("\n") - added.count("\n") + 1
    refused = plan(policy, at_l1, "L2")
    assert refused.edits == ()
    (said,) = refused.refusals
    where = f"{FEED}:{line}" if "list.yaml" not in added else FEED
    assert said.startswith(f"universe: {where}")
    assert "no control is bound to it; bind it, or name its object under apart" in said


@pytest.mark.parametrize(
    "added",
    ['  OTHERS: "NVDA,AMD"\n', "  NOTE: we trade NVDA and AMD and MU\n", "  SCRIPT: |\n    # NVDA AMD MU\n    [ -\n"],
)
def test_what_is_no_list_of_the_universe_is_left_alone(policy: Policy, at_l1: dict[str, bytes], added: str) -> None:
    at_l1[FEED] += added.encode()
    assert plan(policy, at_l1, "L2").refusals == ()


def test_a_plan_that_leaves_the_universe_alone_does_not_look(policy: Policy, files: dict[str, bytes]) -> None:
    files[FEED] += b'  ALLOWLIST: "NVDA,AMD,MU"\n'
    there = plan(policy, files, "L1")
    assert there.edits
    assert there.refusals == ()


def test_a_reduction_does_the_rest_and_names_the_list(policy: Policy, at_l1: dict[str, bytes]) -> None:
    wide = {**at_l1, **plan(policy, at_l1, "L2").contents}
    wide[FEED] += b'  ALLOWLIST: "NVDA,AMD,MU,AVGO,MRVL,WDC"\n'
    reduced = plan(policy, wide, "L1", only_safer=True)
    assert FEED in reduced.contents
    assert any("NVDA,AMD,MU,AVGO,MRVL,WDC, and no control" in one for one in reduced.refusals)


def test_an_object_that_is_named_apart_keeps_its_lists(policy: Policy, at_l1: dict[str, bytes]) -> None:
    at_l1[FEED] += b'---\nkind: ConfigMap\nmetadata: {name: elsewhere}\ndata: {ALLOWLIST: "NVDA,AMD,MU"}\n'
    assert len(plan(policy, at_l1, "L2").refusals) == 1
    apart = (Apart(file="feed.yaml", object="ConfigMap/elsewhere", because="a paper world of its own"),)
    control = policy.spec.controls["universe"].model_copy(update={"apart": apart})
    spec = policy.spec.model_copy(update={"controls": {**policy.spec.controls, "universe": control}})
    assert plan(policy.model_copy(update={"spec": spec}), at_l1, "L2").refusals == ()


def beside(files: dict[str, bytes], name: str, content: str) -> dict[str, bytes]:
    """A file that no binding names and that the target's kustomization reaches."""
    kustomization = "apps/heron/kustomization.yaml"
    assert b"resources:\n" in files[kustomization]
    reaching = files[kustomization].replace(b"resources:\n", f"resources:\n  - {name}\n".encode())
    return {**files, kustomization: reaching, f"apps/heron/{name}": content.encode()}


LIST = 'kind: ConfigMap\nmetadata: {name: radar}\ndata: {SYMBOLS: "NVDA,AMD,MU"}\n'


def test_a_list_in_a_file_that_only_the_kustomization_reaches_is_found(policy: Policy, at_l1: dict[str, bytes]) -> None:
    files = beside(at_l1, "radar.yaml", LIST)
    (said,) = plan(policy, files, "L2").refusals
    assert said.startswith("universe: apps/heron/radar.yaml:3: ConfigMap/radar lists NVDA,AMD,MU")
    assert plan(policy, {**at_l1, "apps/heron/radar.yaml": LIST.encode()}, "L2").refusals == (), "nothing deploys it"


def test_a_reached_file_with_the_symbols_that_cannot_be_read_is_said(policy: Policy, at_l1: dict[str, bytes]) -> None:
    files = beside(at_l1, "radar.yaml", "symbols: [NVDA, AMD, MU\n")
    (said,) = plan(policy, files, "L2").refusals
    assert said.startswith("universe: apps/heron/radar.yaml")
    assert "nobody can say which symbols it lists" in said
    mine = (Apart(file="radar.yaml", object="", because="of the research desk"),)
    spec = policy.spec.controls["universe"].model_copy(update={"apart": mine})
    controls = {**policy.spec.controls, "universe": spec}
    apart = policy.model_copy(update={"spec": policy.spec.model_copy(update={"controls": controls})})
    assert plan(apart, files, "L2").refusals == ()
