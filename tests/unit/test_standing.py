"""Where the manifests stand: stage, between, tighter, beyond, and the mode laid on top."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.bindings import Binding
from stages.ladder import write_value
from stages.policy import Policy
from stages.policy_text import load
from stages.posture import Mode
from stages.splice import Change, decode, edit, encode
from stages.standing import Standing, assess, overlay_holds, read_controls

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "console" / "demo" / "sample"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load((ROOT / "stages" / "policies" / "demo.yaml").read_text(encoding="utf-8"), "demo.yaml")


class Repository:
    """The sample's files, edited control by control."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.files: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        if path not in self.files:
            file = SAMPLE / path
            return file.read_bytes() if file.exists() else None
        return self.files[path]

    def write(self, binding: Binding, value: str | tuple[str, ...] | None) -> None:
        path = f"{self.policy.spec.target.gitops_path}/{binding.file}"
        text, bom = decode(self.read(path) or b"")
        self.files[path] = encode(edit(text, [Change(binding, value)], path).after, bom)

    def set(self, **values: str | tuple[str, ...]) -> Repository:
        for name, value in values.items():
            for spec in self.policy.spec.controls[name].bindings:
                self.write(spec.binding, value)
        return self

    def at(self, stage: str) -> Repository:
        index = self.policy.stage_index(stage)
        assert index is not None
        for name, value in self.policy.resolved[index].items():
            for spec in self.policy.spec.controls[name].bindings:
                self.write(spec.binding, write_value(value))
        return self

    @property
    def standing(self) -> Standing:
        return assess(self.policy, read_controls(self.policy, self.read))


@pytest.fixture
def repository(policy: Policy) -> Repository:
    return Repository(policy)


def test_the_sample_stands_at_l0(repository: Repository) -> None:
    assert repository.standing == Standing(0, Mode.NORMAL, 0)


@pytest.mark.parametrize(("stage", "index"), [("L0", 0), ("L1", 1), ("L2", 2), ("L3", 3)])
def test_every_stage_is_recognised(repository: Repository, stage: str, index: int) -> None:
    assert repository.at(stage).standing == Standing(index, Mode.NORMAL, index)


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        ({"reduceOnly": "true"}, Mode.REDUCE_ONLY),
        ({"submitEnabled": "false"}, Mode.HALTED),
        ({"killSwitch": "true"}, Mode.KILLED),
        ({"killSwitch": "true", "submitEnabled": "false", "reduceOnly": "true"}, Mode.KILLED),
    ],
)
def test_a_mode_is_stripped_before_the_stage_is_read(
    repository: Repository, values: dict[str, str], mode: Mode
) -> None:
    standing = repository.at("L2").set(**values).standing
    assert (standing.mode, standing.riskiest) == (mode, 2)
    assert standing.stage == 2


def test_a_stage_that_submits_nothing_is_not_halted(repository: Repository) -> None:
    standing = repository.standing
    assert standing.mode is Mode.NORMAL
    assert overlay_holds(repository.policy, read_controls(repository.policy, repository.read), Mode.HALTED)


def test_killed_at_l0_is_killed(repository: Repository) -> None:
    assert repository.set(killSwitch="true").standing == Standing(0, Mode.KILLED, 0)


def test_a_half_made_move_is_between_and_counts_as_the_riskiest(repository: Repository) -> None:
    standing = repository.at("L1").set(maxGrossExposure="25000").standing
    assert standing.between
    assert standing.riskiest == 2
    named = {one.control for one in standing.differences}
    assert {"maxOrderNotional", "universe"} <= named
    assert all(one.safer for one in standing.differences)


def test_a_safer_value_of_its_own_is_tighter(repository: Repository) -> None:
    standing = repository.at("L2").set(maxGrossExposure="20000").standing
    assert (standing.stage, standing.tighter) == (2, True)
    assert [one.control for one in standing.differences] == ["maxGrossExposure"]


def test_a_value_above_the_top_is_beyond(repository: Repository) -> None:
    standing = repository.at("L3").set(maxGrossExposure="100001").standing
    assert standing.beyond
    assert (standing.stage, standing.riskiest) == (None, 4)
    assert [(one.control, one.safer) for one in standing.differences] == [("maxGrossExposure", False)]


def test_an_unlisted_symbol_or_word_is_beyond(repository: Repository) -> None:
    assert repository.at("L3").set(universe=("NVDA", "TSLA")).standing.beyond
    assert repository.at("L3").set(tradingMode="margin").standing.beyond


def test_the_order_of_symbols_does_not_matter(repository: Repository) -> None:
    assert repository.set(universe=("MU", "NVDA", "AMD")).standing.stage == 0


def test_bindings_that_disagree_are_unread_with_both_values(repository: Repository) -> None:
    mirror = repository.policy.spec.controls["maxGrossExposure"].bindings[1].binding
    repository.write(mirror, "9000")
    standing = repository.standing
    assert not standing.known
    assert "scheduler.yaml says 5000, api.yaml says 9000" in standing.unread["maxGrossExposure"]


def test_a_missing_file_leaves_its_controls_unread(repository: Repository) -> None:
    def read(path: str) -> bytes | None:
        return None if path.endswith("feed.yaml") else repository.read(path)

    controls = read_controls(repository.policy, read)
    assert list(controls.unread) == ["universe"]
    assert "feed.yaml: the file does not exist" in controls.unread["universe"]
    assert assess(repository.policy, controls).stage == 0


def test_nothing_read_is_no_stage_and_the_riskiest_there_is(repository: Repository) -> None:
    standing = assess(repository.policy, read_controls(repository.policy, lambda _: None))
    assert (standing.stage, standing.riskiest, standing.known) == (None, 3, False)


def test_a_value_that_is_no_number_is_unread_with_its_line(repository: Repository) -> None:
    repository.set(maxNetExposure="many")
    reason = repository.standing.unread["maxNetExposure"]
    assert "apps/heron/scheduler.yaml:" in reason
    assert "'many' is not a number" in reason


def test_a_control_without_bindings_has_no_say(policy: Policy) -> None:
    unbound = policy.spec.controls["dailyLossLimit"].model_copy(update={"bindings": ()})
    controls = {**policy.spec.controls, "dailyLossLimit": unbound}
    other = policy.model_copy(update={"spec": policy.spec.model_copy(update={"controls": controls})})
    repository = Repository(other)
    read = read_controls(other, repository.read)
    assert "dailyLossLimit" not in read.values
    assert assess(other, read).stage == 0
