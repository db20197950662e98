"""``rampdeck policy init`` on the sample repository and on Torghut's manifests, asked and unasked."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pexpect
import pytest

from console.__main__ import main
from console.config import load as load_settings
from console.demo.sample_repository import sample_files
from stages.bindings import read
from stages.ladder import Unit, parse_value
from stages.policy import Policy
from stages.policy_text import load
from stages.proposals import propose
from tests.integration.actuation import git


def initialised(folder: Path, out: Path) -> Policy:
    assert main(["policy", "init", str(folder), "--yes", "-o", str(out)]) == 0
    assert load_settings(out / "rampdeck.yaml", {}).policy
    return load((out / "ramp.yaml").read_text(), "ramp.yaml")


def held_by(policy: Policy, folder: Path, control: str) -> list[object]:
    """What the manifests say at every binding of a control, read by the product's own code."""
    spec = policy.spec.controls[control]
    found: list[object] = []
    for binding in spec.bindings:
        text = (folder / binding.file).read_text()
        found.append(parse_value(spec.unit, read(text, binding.binding, binding.file), binding.file))
    return found


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The demo's repository as a clone has it."""
    root = tmp_path / "repo"
    for path, content in sample_files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    git("init", "-qb", "release", cwd=root)
    git("remote", "add", "origin", "git@host:org/repo.git", cwd=root)
    return root


def test_the_sample_becomes_a_ladder_that_begins_where_it_stands(sample: Path, tmp_path: Path) -> None:
    policy = initialised(sample, tmp_path / "out")
    assert (policy.name, policy.spec.target.gitops_path, policy.spec.target.branch) == (
        "heron",
        "apps/heron",
        "release",
    )
    assert policy.spec.target.account.label == "HERON-LIVE-01"
    folder = sample / "apps" / "heron"
    assert set(held_by(policy, folder, "maxGrossExposure")) == {Decimal(5000)}
    for name, control in policy.spec.controls.items():
        assert control.bindings, name
        for said in held_by(policy, folder, name):
            assert said == policy.resolved[0][name], name
    assert [stage.controls["tradingMode"] for stage in policy.stages] == ["paper", "live"]
    assert policy.spec.postures["KILLED"].controls == {"killSwitch": "true"}
    settings = load_settings(tmp_path / "out" / "rampdeck.yaml", {})
    assert settings.repository
    assert settings.repository.remote == "git@host:org/repo.git"
    assert settings.policy == "apps/heron/ramp.yaml"


def test_torghut_finds_the_exposure_and_every_list_of_symbols(torghut_folder: Path, tmp_path: Path) -> None:
    folder = torghut_folder / "manifests"
    policy = initialised(folder, tmp_path / "out")
    gross = policy.spec.controls["maxGrossExposure"].bindings
    assert {(one.object, one.env, one.when_absent) for one in gross} == {
        ("Deployment/torghut-scheduler", "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE", "insert"),
        ("Service/torghut", "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE", "insert"),
    }
    lists = held_by(policy, folder, "universe")
    assert len(lists) > 15
    assert all(isinstance(one, tuple) and set(one) == set(policy.resolved[-1]["universe"] or ()) for one in lists)  # type: ignore[arg-type]
    assert set(held_by(policy, folder, "participationCap")) == {Decimal("0.1")}
    assert policy.spec.target.account.label == "PA3SX7FYNUTF"
    assert [stage.name for stage in policy.stages] == ["L0", "L1", "L2", "L3"]
    assert not any("sim" in one.object for control in policy.spec.controls.values() for one in control.bindings)


def test_the_example_of_what_to_watch_loads_when_it_is_uncommented(sample: Path, tmp_path: Path) -> None:
    initialised(sample, tmp_path / "out")
    text = (tmp_path / "out" / "ramp.yaml").read_text()
    head, mark, tail = text.partition("  # signals:\n")
    policy = load(head + re.sub(r"(?m)^  # ?", "  ", (mark + tail).partition("  #\n")[0]), "ramp.yaml")
    assert list(policy.spec.triggers) == ["grossLimit"]


def test_nothing_is_written_over(sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "rampdeck.yaml").write_text("mine\n")
    assert main(["policy", "init", str(sample), "--yes", "-o", str(out)]) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert (out / "rampdeck.yaml").read_text() == "mine\n"
    assert not (out / "ramp.yaml").exists()


def test_without_a_terminal_it_says_how_to_go_on(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "init", str(sample)]) == 2
    assert "--yes" in capsys.readouterr().err


@pytest.mark.parametrize(("made", "says"), [("none", "is no folder"), ("empty", "holds no Kubernetes manifests")])
def test_a_folder_without_manifests_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], made: str, says: str
) -> None:
    if made == "empty":
        (tmp_path / made).mkdir()
        (tmp_path / made / "values.yaml").write_text("a: {{ .b }}\n")
    assert main(["policy", "init", str(tmp_path / made), "--yes", "-o", str(tmp_path)]) == 2
    assert says in capsys.readouterr().err


def test_a_terminal_is_asked_and_its_answers_are_written(sample: Path, tmp_path: Path, root: Path) -> None:
    shutil.rmtree(sample / "apps" / "heron-paper")
    (sample / "apps" / "heron" / "scheduler.yaml").write_text(
        (sample / "apps" / "heron" / "scheduler.yaml").read_text().replace("TRADING_DAILY_LOSS_LIMIT_USD", "OTHER")
    )
    (sample / "apps" / "heron" / "api.yaml").unlink()
    words = ["-m", "console", "policy", "init", str(sample), "-o", str(tmp_path / "out")]
    child = pexpect.spawn(sys.executable, words, cwd=str(root), timeout=60, encoding="utf-8")
    for question, answer in (
        ("Name of the target", "egret"),
        ("Account label", "EGRET-1"),
        ("paper or live", ""),
        ("loss of a day.*150", "125"),
        ("Namespace", ""),
    ):
        child.expect(question)
        child.sendline(answer)
    child.expect("wrote .*ramp.yaml")
    child.expect(pexpect.EOF)
    policy = load((tmp_path / "out" / "ramp.yaml").read_text(), "ramp.yaml")
    assert (policy.name, policy.spec.target.account.label) == ("egret", "EGRET-1")
    assert policy.resolved[0]["dailyLossLimit"] == Decimal(125)
    assert policy.spec.controls["dailyLossLimit"].enforced_by == "rampdeck"


def deployment(**env: str) -> str:
    items = [{"name": name, "value": value} for name, value in env.items()]
    spec = {"template": {"spec": {"containers": [{"name": "app", "env": items}]}}}
    return json.dumps({"kind": "Deployment", "metadata": {"name": "egret"}, "spec": spec})


@pytest.mark.parametrize(
    ("env", "control", "today"),
    [
        ({"MAX_ORDER_NOTIONAL": "100"}, "maxOrderNotional", "100"),
        ({"GROSS_LIMIT": "7.5"}, "maxGrossExposure", "7.5"),
        ({"MAX_DAILY_LOSS": "50"}, "dailyLossLimit", "50"),
        ({"SYMBOLS": "BRK.B, SPY"}, "universe", "BRK.B, SPY"),
        ({"SYMBOLS": "http://x"}, "universe", None),
        ({"MAX_PARTICIPATION": "5"}, "participationCap", None),
        ({"KILL_SWITCH": "maybe"}, "killSwitch", None),
    ],
)
def test_names_and_values_decide_together(env: Mapping[str, str], control: str, today: str | None) -> None:
    assert propose({"app.json": deployment(**env)}).proposals[control].today == today


def test_places_that_disagree_are_left_out_and_named() -> None:
    found = propose({"a.json": deployment(MAX_GROSS="10", MAX_NET="5"), "b.json": deployment(MAX_GROSS="20")})
    proposal = found.proposals["maxGrossExposure"]
    assert proposal.known.unit is Unit.USD
    assert len(proposal.places) == len(proposal.left_out) == 1
    assert "20" in proposal.left_out[0][1]
