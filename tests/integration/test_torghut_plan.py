"""The shipped policy on Torghut's real manifests, over real Git, through the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import main
from console.gitops.kustomize import Kustomize
from console.gitops.mirror import Mirror
from stages.digests import disagreements
from stages.ladder import Direction, Value
from stages.plan import Plan, build
from stages.policy import ControlSpec, Policy
from stages.policy_text import digest, load
from stages.posture import Mode
from stages.rendering import render
from stages.standing import Manifests, assess, read_controls

POLICY = Path(__file__).resolve().parents[2] / "stages" / "policies" / "torghut.yaml"
FOLDER = "argocd/applications/torghut"
PINNED = "services/torghut/config/economic-policy-v1.json"
CHIPS = "NVDA,AVGO,AMD,MU,MRVL,CRDO,COHR,LITE,SNDK,WDC"
LISTED = ", ".join(f'"{chip}"' for chip in CHIPS.split(","))
INSERTED = {
    "TRADING_MAX_NOTIONAL_PER_TRADE": "500",
    "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE": "5000",
    "TRADING_PORTFOLIO_MAX_NET_EXPOSURE": "2500",
    "TRADING_PORTFOLIO_MAX_NOTIONAL_PER_SYMBOL": "2000",
    "TRADING_ALLOCATOR_MAX_SYMBOL_NOTIONAL": "2000",
}


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, torghut_folder: Path) -> Path:
    """A clone of a bare remote that holds Torghut's manifests and the policy."""
    remote, folder = tmp_path / "remote.git", tmp_path / "checkout"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    git(tmp_path, "clone", "-q", str(remote), str(folder))
    git(folder, "checkout", "-q", "-b", "main")
    shutil.copytree(torghut_folder / "manifests", folder / FOLDER)
    (folder / PINNED).parent.mkdir(parents=True)
    shutil.copy(torghut_folder / "config" / "economic-policy-v1.json", folder / PINNED)
    for path in folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            path.chmod(0o644)
    publish(folder)
    return folder


def publish(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "state")
    git(folder, "push", "-q", "origin", "main")


@pytest.fixture
def configuration(tmp_path: Path, checkout: Path) -> Path:
    path = tmp_path / "rampdeck.yaml"
    remote = {"remote": (tmp_path / "remote.git").as_uri(), "branch": "main"}
    path.write_text(json.dumps({"repository": remote, "cache": str(tmp_path / "cache"), "state": str(tmp_path / "s")}))
    return path


def plan(configuration: Path, capsys: pytest.CaptureFixture[str], stage: str, policy: Path = POLICY) -> dict[str, Any]:
    """What ``rampdeck plan --to STAGE --json`` prints."""
    code = main(["--config", str(configuration), "--policy", str(policy), "plan", "--to", stage, "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == (0 if document["allowed"] else 1)
    return document


def changed_lines(document: dict[str, Any]) -> dict[str, list[str]]:
    """Per file the lines that the diff takes away and adds, in order, without indentation."""
    return {
        edit["path"].removeprefix(f"{FOLDER}/"): [
            line[0] + line[1:].strip() for line in edit["diff"].splitlines()[2:] if line[0] in "+-"
        ]
        for edit in document["edits"]
    }


def write(checkout: Path, contents: dict[str, bytes]) -> None:
    for path, content in contents.items():
        (checkout / path).write_bytes(content)
    publish(checkout)


def test_l1_touches_exactly_the_lines_that_its_controls_need(
    configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = changed_lines(plan(configuration, capsys, "L1"))
    lists = [f"-value: {CHIPS}", "+value: NVDA,AMD,MU"] * 3
    added = [line for name, value in INSERTED.items() for line in (f"+- name: {name}", f'+value: "{value}"')]
    assert changed["scheduler-deployment.yaml"] == [*lists, *added]
    assert changed["knative-service.yaml"] == [*lists, *added]
    assert changed["ws/configmap.yaml"] == [
        *(f'-{key}: "{CHIPS}"' for key in ("SYMBOLS", "SYMBOLS_ALLOWLIST")),
        *(f'+{key}: "NVDA,AMD,MU"' for key in ("SYMBOLS", "SYMBOLS_ALLOWLIST")),
    ]
    catalog = [f"-universe_symbols: [{LISTED}]", '+universe_symbols: ["NVDA", "AMD", "MU"]']
    assert changed["strategy-configmap.yaml"] == catalog * 14
    assert len(changed) == 4


def test_the_plan_names_the_contracts_that_the_pull_request_would_break(
    configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contracts = plan(configuration, capsys, "L1")["contracts"]
    assert any("live_config_manifest_contract: the API's environment equals" in contract for contract in contracts)
    assert any("exactly the ten chips" in contract for contract in contracts)
    assert not any("mode 'live'" in contract for contract in contracts)


def test_today_has_no_dollar_limits_and_stands_beyond(configuration: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = plan(configuration, capsys, "L0")
    assert (document["from"], document["direction"]) == ("beyond", "safer")
    assert document["blastRadius"]["grossBefore"] is None


def test_up_and_down_restores_every_byte(
    checkout: Path, configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = POLICY.read_text(encoding="utf-8")
    policy = load(text, "torghut.yaml")
    mirror = Mirror((tmp_path / "remote.git").as_uri(), "main", tmp_path / "other-cache", name="alice")

    def go(stage: str) -> dict[str, Any]:
        document = plan(configuration, capsys, stage)
        head = mirror.fetch()
        made = rehearse(mirror, head, policy, stage)
        assert [edit.blob_after for edit in made.edits] == [edit["blobAfter"] for edit in document["edits"]]
        write(checkout, dict(made.contents))
        return document

    go("L0")
    at_l0 = git(checkout, "rev-parse", f"HEAD:{FOLDER}")
    up = go("L1")
    assert (up["from"], up["direction"]) == ("L0", "riskier")
    assert set(changed_lines(up)) == {"scheduler-deployment.yaml", "knative-service.yaml"}
    assert git(checkout, "rev-parse", f"HEAD:{FOLDER}") != at_l0
    down = go("L0")
    assert down["direction"] == "safer"
    assert git(checkout, "rev-parse", f"HEAD:{FOLDER}") == at_l0


def movable() -> list[str]:
    """The controls of the shipped policy that manifests hold and no pin holds."""
    controls = load(POLICY.read_text(encoding="utf-8"), "torghut.yaml").spec.controls
    return [name for name, control in controls.items() if control.bindings and control.pinned_by is None]


def other(control: ControlSpec, value: Value | None) -> Value:
    """Another value of the control: a tenth more, one symbol less, or the other word."""
    if isinstance(value, Decimal):
        return value * Decimal("1.1")
    if isinstance(value, tuple):
        return value[:-1]
    return next(word for word in control.order.words if word != value)


@pytest.mark.parametrize("name", movable())
def test_every_control_that_no_pin_holds_moves_alone_with_few_lines(name: str, torghut_folder: Path) -> None:
    policy = load(POLICY.read_text(encoding="utf-8"), "torghut.yaml")
    files = {
        f"{FOLDER}/{file.relative_to(torghut_folder / 'manifests')}": file.read_bytes()
        for file in (torghut_folder / "manifests").rglob("*.yaml")
    }
    files[PINNED] = (torghut_folder / "config" / "economic-policy-v1.json").read_bytes()

    def move(with_policy: Policy) -> Plan:
        return build(
            with_policy, policy_digest="", roster_digest="", read=files.get, base_commit="", epoch=0, to_stage=1,
            created_by="alice", now=datetime(2026, 11, 24, tzinfo=UTC),
        )  # fmt: skip

    files |= move(policy).contents
    before = dict(files)
    stage = policy.stages[1]
    value = other(policy.spec.controls[name], policy.resolved[1][name])
    moved = stage.model_copy(update={"controls": {**stage.controls, name: value}})
    stages = (policy.stages[0], moved, *policy.stages[2:])
    spec = policy.spec.model_copy(update={"stages": stages})
    changed_policy = policy.model_copy(update={"spec": spec})
    vars(changed_policy).pop("resolved", None)
    there = move(changed_policy)
    derived = {control for control, share in stage.controls.items() if getattr(share, "of", "") == name}
    bound = {name for name, control in policy.spec.controls.items() if control.bindings}
    changed = {change.control for change in there.changes if change.before != change.after} & bound
    assert there.refusals == ()
    assert changed == {name} | derived
    lines = [line for edit in there.edits for line in edit.diff.splitlines()[2:] if line[0] in "+-"]
    assert len(lines) == 2 * sum(len(policy.spec.controls[one].bindings) for one in changed)
    files |= there.contents
    back = move(policy)
    directions = {there.direction, back.direction}
    assert directions == {Direction.RISKIER, Direction.SAFER}
    files |= back.contents
    assert files == before


def rehearse(mirror: Mirror, head: str, policy: Policy, stage: str, mode: Mode | None = None) -> Any:
    return build(
        policy, policy_digest=digest(""), roster_digest="", read=lambda path: mirror.read(head, path),
        blob_id=mirror.blob_id, base_commit=head, epoch=0, to_stage=policy.stage_index(stage) or 0, mode=mode,
        created_by="alice", now=datetime(2026, 11, 24, tzinfo=UTC), only_safer=mode is not None,
    )  # fmt: skip


def test_a_kill_flips_the_switch_in_scheduler_and_mirror(checkout: Path, tmp_path: Path) -> None:
    policy = load(POLICY.read_text(encoding="utf-8"), "torghut.yaml")
    mirror = Mirror((tmp_path / "remote.git").as_uri(), "main", tmp_path / "cache", name="alice")
    write(checkout, dict(rehearse(mirror, mirror.fetch(), policy, "L1").contents))
    made = rehearse(mirror, mirror.fetch(), policy, "L0", Mode.KILLED)
    write(checkout, dict(made.contents))
    for file in ("scheduler-deployment.yaml", "knative-service.yaml"):
        text = (checkout / FOLDER / file).read_text(encoding="utf-8")
        assert 'TRADING_KILL_SWITCH_ENABLED\n              value: "true"' in text
    head = mirror.fetch()
    standing = assess(policy, read_controls(policy, lambda path: mirror.read(head, path)))
    assert (standing.stage, standing.mode) == (0, Mode.KILLED)


def test_raising_a_pinned_control_is_refused_with_its_companions(
    configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raised = tmp_path / "raised.yaml"
    text = POLICY.read_text(encoding="utf-8").replace(
        "        participationCap: 0.10", "        participationCap: 0.20"
    )
    raised.write_text(text, encoding="utf-8")
    document = plan(configuration, capsys, "L1", raised)
    assert document["edits"] == []
    assert not document["allowed"]
    refusal = next(reason for reason in document["refusals"] if reason.startswith("participationCap"))
    assert "economic-policy-v1.json" in refusal
    assert "post-deploy-evidence.ts" in refusal


def test_a_plan_is_written_shown_and_never_applied(
    checkout: Path, configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = git(tmp_path / "remote.git", "rev-parse", "main")
    file = tmp_path / "plan.json"
    arguments = ["--config", str(configuration), "--policy", str(POLICY)]
    assert main([*arguments, "plan", "--to", "L1", "-o", str(file)]) == 1
    capsys.readouterr()
    assert main(["plan", "show", str(file)]) == 0
    shown = capsys.readouterr().out
    for words in ("beyond → L1", "max gross", "5,000 $", "pinned by economic-policy", "ALSO TO SATISFY", "+++ b/"):
        assert words in shown
    assert main(["--json", "plan", "show", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(file.read_text(encoding="utf-8"))
    assert git(tmp_path / "remote.git", "rev-parse", "main") == before


def test_an_altered_plan_file_is_refused(
    configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = plan(configuration, capsys, "L1")
    document["blastRadius"]["grossAfter"] = "1"
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert main(["plan", "show", str(file)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "was altered" in error


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan", "--to", "L9"], "there is no stage 'L9'"),
        (["plan"], "a plan needs a stage"),
        (["plan", "show", "nowhere.json"], "nowhere.json: cannot be read"),
        (["policy", "check", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    ],
    ids=["stage", "no stage", "no plan", "no policy"],
)
def test_bad_input_is_one_line_and_exit_code_two(
    configuration: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main(["--config", str(configuration), "--policy", str(POLICY), *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_policy_check_answers_for_people_and_programs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["policy", "check", str(POLICY)]) == 0
    assert "OK: torghut version 1" in capsys.readouterr().out
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        POLICY.read_text(encoding="utf-8").replace("convergence: 6m", "convergance: 6m"), encoding="utf-8"
    )
    assert main(["policy", "check", str(broken), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert not document["ok"]
    assert any("'convergance' is not a key" in problem for problem in document["problems"])


@pytest.fixture
def governed(checkout: Path, tmp_path: Path) -> Path:
    """A configuration with a ledger, on a repository that holds the policy and a roster of one."""
    key = tmp_path / "alice"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, capture_output=True)
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    folder = checkout / FOLDER
    (folder / "ramp.yaml").write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "allowed_signers").write_text(f'alice namespaces="rampdeck-approval" {public}\n')
    members = {"apiVersion": "rampdeck.dev/v1alpha1", "kind": "Roster", "members": {"alice": {"roles": ["trader"]}}}
    (folder / "roster.yaml").write_text(json.dumps(members))
    publish(checkout)
    path = tmp_path / "governed.yaml"
    settings = {
        "repository": {"remote": (tmp_path / "remote.git").as_uri(), "branch": "main"},
        "policy": f"{FOLDER}/ramp.yaml",
        "ledger": f"sqlite:///{tmp_path}/ledger.db",
        "cache": str(tmp_path / "cache"),
        "state": str(tmp_path / "state"),
    }
    path.write_text(json.dumps(settings))
    return path


def adopt(configuration: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["--config", str(configuration), "policy", "adopt", "--json"])
    return code, json.loads(capsys.readouterr().out)


def edit_policy(checkout: Path, *pairs: tuple[str, str]) -> None:
    path = checkout / FOLDER / "ramp.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    publish(checkout)


def test_the_first_policy_is_adopted_and_again_is_no_news(
    governed: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, first = adopt(governed, capsys)
    assert (code, first["adopted"], first["commit"]) == (0, True, git(checkout, "rev-parse", "HEAD"))
    assert adopt(governed, capsys)[1]["digest"] == first["digest"]


def test_a_tighter_policy_is_adopted_and_a_looser_one_refused(
    governed: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt(governed, capsys)
    edit_policy(checkout, ("  version: 1", "  version: 2"), ("maxOrderNotional: 10000", "maxOrderNotional: 9000"))
    assert adopt(governed, capsys)[0] == 0
    edit_policy(checkout, ("  version: 2", "  version: 3"), ("maxOrderNotional: 9000", "maxOrderNotional: 9500"))
    code, refused = adopt(governed, capsys)
    assert (code, refused["adopted"], refused["code"]) == (1, False, "approval")
    assert refused["looser"] == ["L3: maxOrderNotional 9000 became 9500"]


def test_a_policy_from_a_file_is_never_adopted(governed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(governed), "--policy", str(POLICY), "policy", "adopt"]) == 2
    assert "only the repository's policy" in capsys.readouterr().err


def test_the_printed_patch_is_what_git_applies_in_a_checkout(
    checkout: Path, configuration: Path, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    command = ["--config", str(configuration), "--policy", str(POLICY), "plan", "--to", "L1"]
    main([*command, "--patch", "-o", str(tmp_path / "plan.json")])
    patch = capsysbinary.readouterr().out
    main(["--config", str(configuration), "plan", "show", str(tmp_path / "plan.json"), "--patch"])
    assert capsysbinary.readouterr().out == patch
    for check in (["--check"], []):
        done = subprocess.run(["git", "apply", *check], cwd=checkout, input=patch, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
    edits = json.loads((tmp_path / "plan.json").read_text())["edits"]
    assert len(edits) == 4
    for edit in edits:
        assert git(checkout, "hash-object", "--no-filters", edit["path"]) == edit["blobAfter"]


@pytest.mark.skipif(not (shutil.which("kustomize") or shutil.which("kubectl")), reason="no kustomize is installed")
def test_the_built_result_of_a_plan_keeps_every_object_and_says_the_stage(torghut_folder: Path) -> None:
    policy = load(POLICY.read_text(encoding="utf-8"), "torghut.yaml")

    folder = torghut_folder / "manifests"
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.yaml")}
    # The folder holds some of the manifests; the rest is no part of a build here.
    files["kustomization.yaml"] = json.dumps({"resources": sorted(files.keys() - {"kustomization.yaml"})}).encode()

    def read(path: str) -> bytes | None:
        return files.get(path.removeprefix(f"{FOLDER}/")) if path.startswith(f"{FOLDER}/") else None

    plan = build(
        policy, policy_digest="p" * 64, roster_digest="", read=read, base_commit="0" * 40, epoch=0, to_stage=1,
        created_by="alice", now=datetime(2026, 11, 24, tzinfo=UTC),
    )  # fmt: skip
    found = render(policy, plan, read, Kustomize().build)
    assert (found.wrong, found.unknown, found.absent) == ((), (), "")
    assert found.objects >= 7


def test_the_digest_that_pins_the_economic_policy_is_the_one_of_its_document(torghut_folder: Path) -> None:
    policy = load(POLICY.read_text(encoding="utf-8"), "torghut.yaml")
    document = (torghut_folder / "config" / "economic-policy-v1.json").read_bytes()

    def read(path: str) -> bytes | None:
        if path == PINNED:
            return document
        file = torghut_folder / "manifests" / path.removeprefix(f"{FOLDER}/")
        return file.read_bytes() if file.is_file() else None

    assert list(disagreements(policy, Manifests(policy, read))) == []
    document = document.replace(b'"max_participation_rate": "0.10"', b'"max_participation_rate": "0.20"')
    found = list(disagreements(policy, Manifests(policy, read)))
    assert len(found) == 3
    assert all("says sha256:071068019c37, but" in one for one in found)
    plan = build(
        policy, policy_digest="", roster_digest="", read=read, base_commit="", epoch=0, to_stage=1, mode=Mode.HALTED,
        created_by="alice", now=datetime(2026, 11, 24, tzinfo=UTC), only_safer=True,
    )  # fmt: skip
    assert plan.edits, "a reduction does what it can"
    assert any("bring the digest and its document together first" in refusal for refusal in plan.refusals)
