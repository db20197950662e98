"""Plans: what changes, which way, what it can cost, and an id that nothing can alter unseen."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.ladder import Direction
from stages.plan import Plan, build, core_bytes, from_document, git_blob_id, to_document
from stages.policy import EnvOf, Mirror, Policy
from stages.policy_text import load
from stages.posture import Mode
from stages.refusal import Trouble
from stages.standing import assess, read_controls
from stages.verdict import Gate, GateStatus

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample"
NOW = datetime(2026, 11, 24, 19, 31, tzinfo=UTC)
TEXT = (ROOT / "stages" / "policies" / "demo.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(TEXT, "demo.yaml")


class Files:
    """A working copy of the sample, to which plans are applied."""

    def __init__(self) -> None:
        self.contents = {str(file.relative_to(SAMPLE)): file.read_bytes() for file in SAMPLE.rglob("*.yaml")}

    def read(self, path: str) -> bytes | None:
        return self.contents.get(path)

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.contents[path].decode()
        assert old in text
        self.contents[path] = text.replace(old, new, 1).encode()


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def plan_to(policy: Policy, files: Files) -> Callable[..., Plan]:
    def make(stage: str, *, with_policy: Policy = policy, **options: Any) -> Plan:
        index = with_policy.stage_index(stage)
        assert index is not None
        return build(
            with_policy,
            policy_digest="p" * 64,
            roster_digest="r" * 64,
            read=files.read,
            base_commit="b" * 40,
            epoch=3,
            to_stage=index,
            created_by="alice",
            now=NOW,
            **options,
        )

    return make


def directions(plan: Plan) -> dict[str, Direction]:
    return {change.control: change.direction for change in plan.changes}


def test_an_advance_changes_what_the_stage_changes_and_nothing_else(plan_to: Callable[..., Plan]) -> None:
    plan = plan_to("L1")
    assert (plan.from_stage, plan.to_stage, plan.direction) == ("L0", "L1", Direction.RISKIER)
    moved = {name for name, direction in directions(plan).items() if direction is not Direction.NEUTRAL}
    assert moved == {"tradingMode", "submitEnabled"}
    assert len(plan.changes) == 11
    assert [edit.path for edit in plan.edits] == ["apps/heron/api.yaml", "apps/heron/scheduler.yaml"]
    lines = [
        line
        for edit in plan.edits
        for line in edit.diff.splitlines()
        if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert sorted(set(lines)) == [
        '+              value: "true"',
        "+              value: live",
        '-              value: "false"',
        "-              value: paper",
    ]
    assert len(lines) == 8


def test_the_blobs_are_those_of_git(plan_to: Callable[..., Plan], files: Files) -> None:
    edit = plan_to("L1").edits[0]
    before = files.contents[edit.path]
    assert edit.blob_before == hashlib.sha1(b"blob %d\0" % len(before) + before).hexdigest()
    assert git_blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_there_and_back_restores_every_byte(plan_to: Callable[..., Plan], files: Files) -> None:
    before = dict(files.contents)
    for stage in ("L1", "L2", "L3", "L1", "L0"):
        files.contents |= plan_to(stage).contents
    assert files.contents == before


def test_the_blast_radius_is_in_dollars(plan_to: Callable[..., Plan], files: Files) -> None:
    files.contents |= plan_to("L1").contents
    radius = plan_to("L2").blast_radius
    assert (radius.gross_before, radius.gross_after) == (Decimal(5000), Decimal(25000))
    assert (radius.name_before, radius.name_after) == (Decimal(2000), Decimal(6250))
    assert (radius.loss_before, radius.loss_after) == (Decimal(150), Decimal(600))
    assert radius.symbols_added == ("AVGO", "MRVL", "WDC")
    assert radius.restarts == ("Deployment/heron-scheduler",)


def test_a_smaller_share_of_more_dollars_is_riskier(plan_to: Callable[..., Plan], files: Files) -> None:
    files.contents |= plan_to("L1").contents
    change = next(change for change in plan_to("L2").changes if change.control == "symbolConcentration")
    assert change.direction is Direction.RISKIER
    assert (change.share_before, change.share_after) == (Decimal("0.4"), Decimal("0.25"))


def test_one_riskier_control_makes_the_plan_riskier(plan_to: Callable[..., Plan], files: Files) -> None:
    files.contents |= plan_to("L2").contents
    for name in ("scheduler", "api"):
        files.replace(f"apps/heron/{name}.yaml", 'value: "600"', 'value: "100"')
    plan = plan_to("L1")
    assert directions(plan)["dailyLossLimit"] is Direction.RISKIER
    assert directions(plan)["maxGrossExposure"] is Direction.SAFER
    assert plan.direction is Direction.RISKIER


def test_a_reduction_keeps_what_is_safer_already(plan_to: Callable[..., Plan], files: Files) -> None:
    files.contents |= plan_to("L2").contents
    for name in ("scheduler", "api"):
        files.replace(f"apps/heron/{name}.yaml", 'value: "600"', 'value: "100"')
    plan = plan_to("L1", only_safer=True)
    assert plan.direction is Direction.SAFER
    assert directions(plan)["dailyLossLimit"] is Direction.NEUTRAL
    assert {change.control: change.after for change in plan.changes}["dailyLossLimit"] == Decimal(100)


def test_a_reduction_upwards_changes_nothing(plan_to: Callable[..., Plan]) -> None:
    plan = plan_to("L3", only_safer=True)
    assert (plan.direction, plan.edits, plan.refusals) == (Direction.NEUTRAL, (), ())


def test_a_mode_is_laid_on_top_of_the_stage(plan_to: Callable[..., Plan], files: Files, policy: Policy) -> None:
    files.contents |= plan_to("L2").contents
    files.contents |= plan_to("L1", mode=Mode.REDUCE_ONLY, only_safer=True).contents
    standing = assess(policy, read_controls(policy, files.read))
    assert (standing.stage, standing.mode) == (1, Mode.REDUCE_ONLY)


def test_frozen_touches_no_manifest(plan_to: Callable[..., Plan]) -> None:
    assert plan_to("L0", mode=Mode.FROZEN, only_safer=True).edits == ()


def test_mirrors_that_disagree_are_brought_together(plan_to: Callable[..., Plan], files: Files) -> None:
    files.replace("apps/heron/api.yaml", 'value: "5000"', 'value: "9000"')
    change = next(change for change in plan_to("L0").changes if change.control == "maxGrossExposure")
    assert (change.before, change.after, change.files) == (Decimal(9000), Decimal(5000), ("apps/heron/api.yaml",))


def without_binding(files: Files) -> None:
    files.replace("apps/heron/api.yaml", "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE", "TRADING_RENAMED")


def test_a_riskier_plan_with_a_missing_binding_has_no_edits_and_says_why(
    plan_to: Callable[..., Plan], files: Files
) -> None:
    without_binding(files)
    plan = plan_to("L1")
    assert (plan.edits, plan.contents) == ((), {})
    assert any("TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE" in reason and "api.yaml" in reason for reason in plan.refusals)


def test_a_reduction_with_a_missing_binding_does_the_rest_and_names_it(
    plan_to: Callable[..., Plan], files: Files
) -> None:
    files.contents |= plan_to("L2").contents
    without_binding(files)
    plan = plan_to("L1", only_safer=True)
    assert b'value: "5000"' in plan.contents["apps/heron/scheduler.yaml"]
    assert any("TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE" in reason for reason in plan.refusals)
    assert "apps/heron/api.yaml" in plan.contents


def test_a_reduction_without_any_readable_file_raises_nothing(policy: Policy) -> None:
    plan = build(
        policy, policy_digest="", roster_digest="", read=lambda _: b"\xff\xfe: [", base_commit="", epoch=1, to_stage=0,
        created_by="watch", now=NOW, only_safer=True, mode=Mode.KILLED,
    )  # fmt: skip
    assert plan.edits == ()
    assert len(plan.refusals) >= 10


def pinned_differently(value: str) -> Policy:
    return load(TEXT.replace("        participationCap: 0.01", f"        participationCap: {value}"), "demo.yaml")


def test_raising_a_pinned_control_is_refused_with_its_companions(plan_to: Callable[..., Plan]) -> None:
    plan = plan_to("L1", with_policy=pinned_differently("0.02"))
    assert plan.edits == ()
    assert any("participationCap is pinned by cost-model" in reason for reason in plan.refusals)
    assert any("a new fit of the cost model" in reason for reason in plan.refusals)


def test_a_safer_plan_leaves_a_pinned_control_alone_and_says_so(plan_to: Callable[..., Plan], files: Files) -> None:
    files.contents |= plan_to("L2").contents
    plan = plan_to("L1", with_policy=pinned_differently("0.005"), only_safer=True)
    assert plan.edits
    assert directions(plan)["participationCap"] is Direction.NEUTRAL
    assert any("participationCap is pinned" in reason for reason in plan.refusals)


def test_the_id_is_the_digest_of_the_core(plan_to: Callable[..., Plan]) -> None:
    plan = plan_to("L1")
    core = json.loads(core_bytes(plan))
    assert plan.id == hashlib.sha256(core_bytes(plan)).hexdigest()
    assert core["changes"][0] == {
        "control": "maxOrderNotional", "before": "500", "after": "500", "unit": "usd", "direction": "neutral",
    }  # fmt: skip
    assert core["blastRadius"]["grossAfter"] == "5000"
    assert not {"gates", "allowed", "diff", "baseCommit", "confirmationToken"} & set(core)


def test_the_same_facts_make_the_same_plan(plan_to: Callable[..., Plan], policy: Policy) -> None:
    assert plan_to("L1") == plan_to("L1")
    assert plan_to("L1").expires_at == NOW + policy.spec.gates.plan_life
    assert plan_to("L1", expires_at=NOW + timedelta(hours=1)).id != plan_to("L1").id


def test_a_plan_survives_its_document(plan_to: Callable[..., Plan]) -> None:
    plan = plan_to("L2")
    gates = (Gate("order", GateStatus.PASS, ("L0 to L1",)),)
    document = json.loads(json.dumps(to_document(plan, gates=gates, allowed=True, confirmation="ADVANCE heron L0 L2")))
    back = from_document(document)
    assert (back.id, back.changes, back.blast_radius, back.edits) == (
        plan.id,
        plan.changes,
        plan.blast_radius,
        plan.edits,
    )
    assert document["gates"][0]["gate_id"] == "order"
    assert document["confirmationToken"] == "ADVANCE heron L0 L2"


@pytest.mark.parametrize(
    "alter",
    [
        lambda d: d.update(to="L3"),
        lambda d: d["changes"][1].update(after="999999"),
        lambda d: d["edits"][0].update(blobAfter="0" * 40),
        lambda d: d["blastRadius"].update(grossAfter="1"),
        lambda d: d.update(expiresAt="2030-01-01T00:00:00Z"),
        lambda d: d.update(epoch=4),
    ],
    ids=["to", "change", "blob", "radius", "expiry", "epoch"],
)
def test_an_altered_document_is_refused(plan_to: Callable[..., Plan], alter: Callable[[dict[str, Any]], None]) -> None:
    document = copy.deepcopy(to_document(plan_to("L2")))
    alter(document)
    with pytest.raises(Trouble, match="altered"):
        from_document(document)


@pytest.mark.parametrize(
    "document", [{}, {"apiVersion": "v1", "kind": "Pod"}, {"kind": "RampPlan"}], ids=["empty", "pod", "no version"]
)
def test_what_is_no_plan_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Trouble, match="not a RampPlan"):
        from_document(document)


def test_a_file_without_a_last_line_break_says_so_in_its_diff(plan_to: Callable[..., Plan], files: Files) -> None:
    files.contents["apps/heron/feed.yaml"] = (
        b'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: heron-feed\ndata:\n  SYMBOLS: "NVDA,AMD,MU"'
    )
    edit = next(edit for edit in plan_to("L2").edits if edit.path.endswith("feed.yaml"))
    assert edit.diff.count("\\ No newline at end of file\n") == 2


# What a repository does to a binding


def test_a_value_in_many_files_changes_in_all_or_none(plan_to: Callable[..., Plan], files: Files) -> None:
    assert len({edit.path for edit in plan_to("L1").edits}) == 2
    files.replace("apps/heron/api.yaml", "name: TRADING_MODE", "name: TRADING_MODUS")
    plan = plan_to("L1")
    assert plan.edits == ()
    assert [refusal for refusal in plan.refusals if "tradingMode" in refusal and "api.yaml" in refusal]


def test_a_value_that_an_overlay_overrides_is_refused_with_the_reason(
    plan_to: Callable[..., Plan], files: Files
) -> None:
    patch = (
        'spec: {template: {spec: {containers: [{name: heron-scheduler, env: [{name: TRADING_MODE, value: "live"}]}]}}}'
    )
    files.contents["apps/heron/patch.yaml"] = (
        f"kind: Deployment\nmetadata: {{name: heron-scheduler}}\n{patch}\n".encode()
    )
    files.contents["apps/heron/kustomization.yaml"] = (
        b"resources: [api.yaml, scheduler.yaml]\npatches: [{path: patch.yaml}]\n"
    )
    plan = plan_to("L1")
    assert plan.edits == ()
    refusal = next(refusal for refusal in plan.refusals if "scheduler.yaml" in refusal)
    assert "apps/heron/kustomization.yaml overrides it: the patch patch.yaml writes it" in refusal
    assert all("TRADING_MODE" in refusal for refusal in plan.refusals)


def test_two_bindings_in_the_same_text_are_refused(policy: Policy, plan_to: Callable[..., Plan]) -> None:
    control = policy.spec.controls["tradingMode"]
    first = control.bindings[0]
    name = first.object.partition("/")[2]
    path = f"spec.template.spec.containers[name={name}].env[name={first.env}].value"
    same = first.model_copy(update={"env": None, "container": None, "path": path})
    plan = plan_to("L1", with_policy=_bound(policy, "submitEnabled", same))
    assert plan.edits == ()
    assert any("stand in the same text" in refusal for refusal in plan.refusals)


def _bound(policy: Policy, name: str, binding: Any) -> Policy:
    """The policy with one more binding of a control."""
    control = policy.spec.controls[name]
    more = control.model_copy(update={"bindings": (*control.bindings, binding)})
    spec = policy.spec.model_copy(update={"controls": {**policy.spec.controls, name: more}})
    return policy.model_copy(update={"spec": spec})


def test_what_readers_of_yaml_disagree_on_is_refused_upwards_and_replaced_downwards(
    plan_to: Callable[..., Plan], files: Files
) -> None:
    files.contents |= plan_to("L2").contents
    files.replace("apps/heron/scheduler.yaml", 'value: "600"', "value: 0600")
    up = plan_to("L3")
    assert up.edits == ()
    assert any("readers of YAML 1.1 and 1.2 disagree on 0600" in refusal for refusal in up.refusals)
    down = plan_to("L1", only_safer=True)
    assert down.refusals == ()
    assert b'value: "150"' in down.contents["apps/heron/scheduler.yaml"]
    assert b"0600" not in down.contents["apps/heron/scheduler.yaml"]


@pytest.mark.parametrize("but", [(), ("TRADING_MODE",)])
def test_a_mirror_that_the_plan_would_part_is_refused_with_its_variables(
    policy: Policy, plan_to: Callable[..., Plan], files: Files, but: tuple[str, ...]
) -> None:
    own = tuple(_differing(files))
    mirror = Mirror(
        of=EnvOf(file="api.yaml", object=_object(files, "api.yaml")),
        like=EnvOf(file="scheduler.yaml", object=_object(files, "scheduler.yaml")),
        but=(*own, *but),
    )
    with_mirror = policy.model_copy(update={"spec": policy.spec.model_copy(update={"mirrors": (mirror,)})})
    assert plan_to("L1", with_policy=with_mirror).refusals == ()
    control = policy.spec.controls["tradingMode"]
    alone = tuple(binding for binding in control.bindings if binding.file == "scheduler.yaml")
    controls = {**policy.spec.controls, "tradingMode": control.model_copy(update={"bindings": alone})}
    spec = with_mirror.spec.model_copy(update={"controls": controls})
    plan = plan_to("L1", with_policy=with_mirror.model_copy(update={"spec": spec}))
    if but:
        assert plan.refusals == ()
        return
    assert plan.edits == ()
    (refusal,) = plan.refusals
    assert "TRADING_MODE would differ; bind each in both files" in refusal


def _object(files: Files, file: str) -> str:
    found = yaml.safe_load_all(files.contents[f"apps/heron/{file}"])
    return next(f"{one['kind']}/{one['metadata']['name']}" for one in found if "template" in one.get("spec", {}))


def _differing(files: Files) -> list[str]:
    """The variables that api and scheduler do not share today."""
    sides = []
    for file in ("api.yaml", "scheduler.yaml"):
        found = yaml.safe_load_all(files.contents[f"apps/heron/{file}"])
        pod = next(one["spec"]["template"]["spec"] for one in found if "template" in one.get("spec", {}))
        sides.append({one["name"]: one for one in pod["containers"][0]["env"]})
    return [name for name in {**sides[0], **sides[1]} if sides[0].get(name) != sides[1].get(name)]
