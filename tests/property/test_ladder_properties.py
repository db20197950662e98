"""The law on any mixture of values: a reduction never raises risk, and standing never understates what is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from stages.ladder import Direction, RiskOrder, Value, write_value
from stages.plan import Plan, build, core_bytes, from_document, to_document
from stages.policy import Policy
from stages.policy_text import load
from stages.posture import Mode
from stages.splice import Change, decode, edit, encode
from stages.standing import assess, read_controls

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample"
EXAMPLES = settings(max_examples=40)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
STAGES = st.integers(0, 3)
MODES = st.sampled_from([None, *Mode])
SYMBOLS = st.lists(st.sampled_from(["NVDA", "AMD", "MU", "AVGO", "TSLA"]), unique=True).map(tuple)
MIXTURES = st.lists(STAGES, min_size=11, max_size=11)
"""For each control the stage whose value it holds."""

Files = dict[str, bytes]


@cache
def policy() -> Policy:
    return load((ROOT / "stages" / "policies" / "demo.yaml").read_text(encoding="utf-8"), "demo.yaml")


@cache
def sample() -> Mapping[str, bytes]:
    return {str(file.relative_to(SAMPLE)): file.read_bytes() for file in SAMPLE.rglob("*.yaml")}


def holding(values: Mapping[str, Value | None]) -> Files:
    """The sample with these values in every binding."""
    files = dict(sample())
    changes: dict[str, list[Change]] = {}
    for name, spec in policy().spec.controls.items():
        for one in spec.bindings:
            path = f"apps/heron/{one.file}"
            changes.setdefault(path, []).append(Change(one.binding, write_value(values[name])))
    for path, wanted in changes.items():
        text, bom = decode(files[path])
        files[path] = encode(edit(text, wanted, path).after, bom)
    return files


def mixture(rungs: list[int]) -> dict[str, Value | None]:
    return {name: policy().resolved[rung][name] for name, rung in zip(policy().spec.controls, rungs, strict=True)}


def reduction(files: Files, stage: int, mode: Mode | None) -> Plan:
    return build(
        policy(), policy_digest="", roster_digest="", read=files.get, base_commit="", epoch=1, to_stage=stage,
        mode=mode, created_by="watch", now=NOW, only_safer=True,
    )  # fmt: skip


@EXAMPLES
@given(MIXTURES, STAGES, MODES)
def test_a_reduction_is_never_riskier_and_reaches_its_stage(rungs: list[int], stage: int, mode: Mode | None) -> None:
    before = mixture(rungs)
    files = holding(before)
    plan = reduction(files, stage, mode)
    assert Direction.RISKIER not in {change.direction for change in plan.changes}
    assert plan.direction is not Direction.RISKIER
    files |= plan.contents
    after = read_controls(policy(), files.get).values
    for name, spec in policy().spec.controls.items():
        assert spec.order.at_most(policy().comparable(after, name), policy().comparable(before, name))
        assert spec.order.at_most(after[name], policy().resolved[stage][name])
    assert assess(policy(), read_controls(policy(), files.get)).riskiest <= stage


@EXAMPLES
@given(MIXTURES, STAGES, MODES)
def test_a_reduction_twice_is_a_reduction_once(rungs: list[int], stage: int, mode: Mode | None) -> None:
    files = holding(mixture(rungs))
    files |= reduction(files, stage, mode).contents
    assert reduction(files, stage, mode).edits == ()


@EXAMPLES
@given(MIXTURES)
def test_standing_never_understates_the_riskiest_control(rungs: list[int]) -> None:
    values = mixture(rungs)
    standing = assess(policy(), read_controls(policy(), holding(values).get))
    assert standing.known
    assert not standing.beyond
    overlaid = policy().overlay(standing.mode)
    for name, spec in policy().spec.controls.items():
        if name not in overlaid:
            assert spec.order.at_most(values[name], policy().resolved[standing.riskiest][name])
    if standing.stage is not None and not standing.tighter and standing.mode is Mode.NORMAL:
        assert all(
            spec.order.same(values[name], policy().resolved[standing.stage][name])
            for name, spec in policy().spec.controls.items()
        )


@EXAMPLES
@given(st.lists(STAGES, min_size=1, max_size=4))
def test_any_walk_that_comes_back_restores_every_byte(walk: list[int]) -> None:
    files = dict(sample())
    for stage in (*walk, 0):
        files |= build(
            policy(), policy_digest="", roster_digest="", read=files.get, base_commit="", epoch=1, to_stage=stage,
            created_by="alice", now=NOW,
        ).contents  # fmt: skip
    assert files == sample()


@EXAMPLES
@given(MIXTURES, STAGES)
def test_a_plan_and_its_document_have_one_core(rungs: list[int], stage: int) -> None:
    plan = reduction(holding(mixture(rungs)), stage, None)
    assert core_bytes(from_document(to_document(plan))) == core_bytes(plan)


@given(
    st.sampled_from(["higher", "lower"]), st.decimals(0, 10**6, places=2), st.none() | st.decimals(0, 10**6, places=2)
)
def test_the_safest_number_is_at_most_both(sense: str, left: Decimal, right: Decimal | None) -> None:
    order = RiskOrder(sense)
    safest = order.safest(left, right)
    assert order.at_most(safest, left)
    assert order.at_most(safest, right)


@given(SYMBOLS, SYMBOLS)
def test_the_safest_set_is_within_both(left: tuple[str, ...], right: tuple[str, ...]) -> None:
    order = RiskOrder("superset")
    safest = order.safest(left, right)
    assert isinstance(safest, tuple)
    assert set(safest) == set(left) & set(right)
    assert (order.direction(left, right) is Direction.SAFER) == (set(right) < set(left))
