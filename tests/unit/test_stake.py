"""Stake: how many orders go out, and for how much in a minute, where a control bounds it; said where none does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from stages.plan import Plan, build, from_document, to_document
from stages.policy_text import load
from stages.stake import stakes

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample"
LIMITS = "kind: ConfigMap\nmetadata: {name: pace}\ndata: {all: '4', strategy: '9'}\n"


def plan_with(**rates: tuple[int, int]) -> Plan:
    """The plan to L1 with limits of orders per minute, each from its value of today to that of L1."""
    document = yaml.safe_load((ROOT / "stages/policies/demo.yaml").read_text())
    spec = document["spec"]
    for name, (low, high) in rates.items():
        binding = {"file": "pace.yaml", "object": "ConfigMap/pace", "path": f"data.{name}"}
        spec["controls"][name] = {
            "unit": "/min",
            "riskier": "higher",
            "enforcedBy": "app-reject",
            "bindings": [binding],
        }
        for number, stage in enumerate(spec["stages"]):
            stage["controls"][name] = high if number else low
    files = {str(file.relative_to(SAMPLE)): file.read_bytes() for file in SAMPLE.rglob("*.yaml")}
    return build(
        load(json.dumps(document, indent=1), "demo.yaml"), policy_digest="", roster_digest="",
        read={**files, "apps/heron/pace.yaml": LIMITS.encode()}.get, base_commit="", epoch=0, to_stage=1,
        created_by="alice", now=datetime(2026, 11, 24, tzinfo=UTC),
    )  # fmt: skip


def figures(plan: Plan) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    return {one.key: (one.before, one.after) for one in stakes(plan.blast_radius, plan.order_limits)}


def test_without_a_limit_of_the_rate_only_the_single_order_is_bounded() -> None:
    plan = plan_with()
    found = figures(plan)
    assert found["orderRate"] == (None, None)
    assert found["order"] == plan.order_limits
    assert plan.order_limits[1] is not None
    assert "sent" not in found


@pytest.mark.parametrize(
    ("rates", "ceiling"),
    [
        ({"all": (4, 6)}, (4, 6)),
        ({"all": (4, 20), "strategy": (9, 12)}, (4, 12)),
    ],
)
def test_the_tightest_rate_times_the_largest_order_is_the_most_of_a_minute(
    rates: dict[str, tuple[int, int]], ceiling: tuple[int, int]
) -> None:
    plan = plan_with(**rates)
    assert plan.refusals == ()
    found = figures(plan)
    before, after = plan.order_limits
    assert before is not None
    assert after is not None
    assert found["orderRate"] == tuple(map(Decimal, ceiling))
    assert found["sent"] == (ceiling[0] * before, ceiling[1] * after)


def test_programs_read_it_and_an_altered_plan_is_still_found_out() -> None:
    plan = plan_with(all=(4, 6))
    document = json.loads(json.dumps(to_document(plan)))
    assert Decimal(document["worstCase"]["sent"]["after"]) == 6 * (plan.order_limits[1] or 0)
    assert from_document(document).order_limits == plan.order_limits
