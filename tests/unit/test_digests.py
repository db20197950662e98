"""Digests: a plan writes them with the document that they pin, or leaves both as they are and says so."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from stages.digests import digest_of, disagreements
from stages.ladder import Direction
from stages.plan import Plan, build
from stages.policy import DigestSpec, Policy
from stages.policy_text import load
from stages.refusal import Trouble
from stages.standing import Manifests, assess, read_controls
from stages.value import replace

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample"
LIMITS, PINS = "apps/heron/limits.yaml", "apps/heron/pins.yaml"
LIMITS_TEXT = """\
kind: ConfigMap
metadata: {name: limits}
data:
  # read by the scheduler
  limits.json: |
    {
      "sizing": {"participation": "0.01", "steps": [1, 2.5, true, null]},   "name": "limits"
    }
"""
OF = {"file": "limits.yaml", "object": "ConfigMap/limits", "path": 'data["limits.json"]', "inside": "json"}
WRITTEN = {"file": "pins.yaml", "object": "ConfigMap/pins", "path": "data.digest"}


def sha(participation: str) -> str:
    """What the sample's scheduler would compute."""
    data = {"sizing": {"participation": participation, "steps": [1, 2.5, True, None]}, "name": "limits"}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def pins_text(digest: str) -> str:
    return f"kind: ConfigMap\nmetadata: {{name: pins}}\ndata:\n  digest: {digest}  # of limits.json\n"


@pytest.fixture
def files() -> dict[str, bytes]:
    found = {str(file.relative_to(SAMPLE)): file.read_bytes() for file in SAMPLE.rglob("*.yaml")}
    return found | {LIMITS: LIMITS_TEXT.encode(), PINS: pins_text(sha("0.01")).encode()}


def with_digest(pin: dict[str, Any] | None = None, written: dict[str, str] = WRITTEN) -> Policy:
    """The demo's policy, its participation cap in a pinned document and larger from L1 on."""
    document = yaml.safe_load((ROOT / "stages/policies/demo.yaml").read_text())
    spec = document["spec"]
    for stage in spec["stages"][1:]:
        stage["controls"]["participationCap"] = 0.02
    spec["controls"]["participationCap"]["bindings"] = [{**OF, "innerPath": "sizing.participation"}]
    own = {"reason": "the scheduler compares", "digest": {"of": OF, "written": [written]}}
    spec["pins"]["cost-model"] = {**own, **(pin or {})}
    return load(json.dumps(document, indent=1), "demo.yaml")


def plan(policy: Policy, files: dict[str, bytes], stage: int, **options: Any) -> Plan:
    return build(
        policy, policy_digest="", roster_digest="", read=files.get, base_commit="", epoch=0, to_stage=stage,
        created_by="alice", now=datetime(2026, 11, 24, tzinfo=UTC), **options,
    )  # fmt: skip


def test_the_digest_is_written_with_the_document_and_the_way_back_restores_every_byte(files: dict[str, bytes]) -> None:
    policy, before = with_digest(), dict(files)
    there = plan(policy, files, 1)
    assert (there.refusals, there.direction) == ((), Direction.RISKIER)
    assert there.contents[LIMITS].decode() == LIMITS_TEXT.replace('"0.01"', '"0.02"')
    assert there.contents[PINS].decode() == pins_text(sha("0.02"))
    files |= there.contents
    assert list(disagreements(policy, Manifests(policy, files.get))) == []
    back = plan(policy, files, 0)
    assert back.refusals == ()
    files |= back.contents
    assert files == before


def test_a_plan_that_leaves_the_document_alone_writes_no_digest(files: dict[str, bytes]) -> None:
    files |= plan(with_digest(), files, 1).contents
    again = plan(with_digest(), files, 2)
    assert again.refusals == ()
    assert again.edits
    assert PINS not in again.contents


def test_a_digest_that_is_not_its_documents_refuses_what_raises_risk(files: dict[str, bytes]) -> None:
    files[PINS] = pins_text(sha("0.03")).encode()
    refused = plan(with_digest(), files, 1)
    assert refused.edits == ()
    (said,) = refused.refusals
    assert said.startswith("pin cost-model: ")
    assert f"says {sha('0.03')[:19]}" in said
    assert f"limits.yaml has {sha('0.01')[:19]}" in said
    assert "bring the digest and its document together first" in said


def test_a_reduction_leaves_a_document_alone_whose_digest_it_cannot_write_and_does_the_rest(
    files: dict[str, bytes],
) -> None:
    policy = with_digest()
    files |= plan(policy, files, 2).contents
    files[PINS] = pins_text("sha256:elsewhere").encode()
    reduced = plan(policy, files, 0, only_safer=True)
    assert LIMITS not in reduced.contents
    assert "apps/heron/scheduler.yaml" in reduced.contents
    assert any(one.startswith("pin cost-model") for one in reduced.refusals)


def test_companions_that_no_plan_can_edit_refuse_it_with_the_list(files: dict[str, bytes]) -> None:
    with pytest.raises(Trouble, match="'participationCap' is pinned by cost-model, so no stage can move it"):
        with_digest({"companions": ["a new image", "the broker's form"]})
    policy = with_digest()
    pin = policy.spec.pins["cost-model"].model_copy(update={"companions": ("a new image", "the broker's form")})
    pinned = policy.model_copy(update={"spec": policy.spec.model_copy(update={"pins": {"cost-model": pin}})})
    refused = plan(pinned, files, 1)
    assert refused.edits == ()
    assert any("moves only together with a new image, the broker's form" in one for one in refused.refusals)


def test_a_place_of_the_digest_that_is_missing_is_named(files: dict[str, bytes]) -> None:
    refused = plan(with_digest(written={**WRITTEN, "path": "data.nowhere"}), files, 1)
    assert refused.edits == ()
    assert any("data.nowhere matches nothing" in one for one in refused.refusals)


def test_a_digest_within_its_own_document_is_refused(files: dict[str, bytes]) -> None:
    of = {"file": "limits.yaml", "object": "ConfigMap/limits", "path": "data"}
    policy = with_digest({"digest": {"of": of, "written": [{**WRITTEN, **of, "path": "data.digest"}]}})
    inside = LIMITS_TEXT + '  digest: "x"\n'
    files[LIMITS] = inside.encode()
    refused = plan(policy, files, 1)
    assert refused.edits == ()
    assert any(one.startswith("pin cost-model") for one in refused.refusals)


def test_the_standing_names_a_digest_that_does_not_fit(files: dict[str, bytes]) -> None:
    policy = with_digest()
    files[PINS] = pins_text("sha256:elsewhere").encode()
    manifests = Manifests(policy, files.get)
    controls = replace(read_controls(policy, manifests), parted=tuple(disagreements(policy, manifests)))
    assert controls.unread == {}
    (said,) = assess(policy, controls).parted
    assert "says sha256:elsewhere" in said


@pytest.mark.parametrize(
    ("data", "form", "canonical"),
    [
        ({"b": 1.0, "a": "é"}, "sorted", r'{"a":"\u00e9","b":1.0}'),
        ({"b": 1.0, "a": "é"}, "rfc8785", '{"a":"é","b":1}'),
    ],
)
def test_each_form_is_what_its_name_says(data: object, form: str, canonical: str) -> None:
    assert digest_of(data, form) == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    ("plain", "why"),
    [("yes", "differ on yes"), ("!!str x", "the tag"), ("{<<: {a: b}}", "differ on <<"), ("{1: a}", "plain strings")],
)
def test_what_readers_of_yaml_differ_on_has_no_digest(files: dict[str, bytes], plain: str, why: str) -> None:
    of = {"file": "limits.yaml", "object": "ConfigMap/limits", "path": "data"}
    files[LIMITS] = f"kind: ConfigMap\nmetadata: {{name: limits}}\ndata:\n  odd: {plain}\n".encode()
    policy = with_digest({"digest": {"of": of, "written": [WRITTEN]}})
    (said,) = disagreements(policy, Manifests(policy, files.get))
    assert why in said


@pytest.mark.parametrize(
    "of",
    [
        {"file": "a.json", "path": "data"},
        {"file": "a.yaml", "object": "ConfigMap/a"},
        {"file": "a.yaml", "object": "ConfigMap/a", "env": "A"},
    ],
)
def test_a_document_that_is_nowhere_does_not_load(of: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"document within|lead into a string"):
        DigestSpec.model_validate({"of": of, "written": [WRITTEN]})
