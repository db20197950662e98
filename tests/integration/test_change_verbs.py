"""The verbs that change things, on the program itself with a real configuration, remote, keys and ledger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import main
from stages.plan import Plan, to_document
from stages.token import decode_token
from tests.integration.actuation import ROOT, World

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a configuration file for each person."""
    world = World.make(tmp_path)
    for name in ("alice", "bob", "erin"):
        settings: dict[str, Any] = {
            "repository": {"remote": world.remote.as_uri(), "branch": "main"},
            "policy": "ops/ramp.yaml",
            "ledger": f"sqlite:///{tmp_path}/ledger.db",
            "identity": {"name": name, "key": str(world.key(name))},
            "inbox": str(tmp_path / "inbox"),
            "cache": str(tmp_path / "cache"),
            "state": str(tmp_path / "state"),
        }
        (tmp_path / f"{name}.yaml").write_text(json.dumps(settings))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    return world


@pytest.fixture
def run(world: World, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a verb as somebody; exit code, standard output, standard error."""

    def run(who: str, *words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*words, "--config", str(world.folder / f"{who}.yaml")])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def write(world: World, plan: Plan) -> str:
    path = world.folder / "plan.json"
    path.write_text(json.dumps(to_document(plan)))
    return str(path)


def climb(world: World) -> None:
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok


# ------------------------------------------------------------------------------------------------------------- approve


def test_an_approver_sees_what_was_checked_and_gets_one_line(world: World, run: Run) -> None:
    plan = world.plan("L1")
    code, out, err = run("bob", "approve", write(world, plan))
    assert code == 0
    assert out.count("\n") == 1
    assert "you are risk on the roster" in err
    assert "equal byte for byte" in err
    assert "+              value: live" in err
    assert [answer.approver for answer in world.inbox.answers(plan.id)] == ["bob"]
    assert world.apply(plan, [out]).ok


def test_a_rejection_needs_a_reason_and_reaches_the_inbox(world: World, run: Run) -> None:
    plan = world.plan("L1")
    code, _, err = run("bob", "approve", write(world, plan), "--reject")
    assert (code, "needs a reason" in err) == (2, True)
    code, out, _ = run("bob", "approve", write(world, plan), "--reject", "--reason", "too early", "--json")
    assert (code, json.loads(out)["answer"]) == (0, "reject")
    assert [answer.rejected for answer in world.inbox.answers(plan.id)] == [True]


def test_an_approval_is_taken_back_by_whoever_gave_it_and_then_lets_nothing_in(world: World, run: Run) -> None:
    plan = world.plan("L1")
    _, token, _ = run("bob", "approve", write(world, plan))
    code, out, _ = run("bob", "revoke", plan.id[:8], "--reason", "prices moved")
    assert (code, out) == (0, f"bob's approval of {plan.id[:8]}: taken back: it counts no more\n")
    assert world.ledger.state().revoked == {decode_token(token).claims.nonce}
    refused = world.apply(plan, [token])
    assert not refused.ok
    assert any(
        "nobody took it back" in check.detail for one in refused.opinions for check in one.checks if not check.ok
    )
    code, _, err = run("bob", "revoke", plan.id[:8])
    assert (code, "nothing to take back" in err) == (1, True)


def test_risk_takes_back_what_another_gave_and_nobody_else_does(world: World, run: Run) -> None:
    plan = world.plan("L1")
    theirs, mine = world.approve(plan, "erin", approver="erin"), world.approve(plan, "bob", approver="bob")
    code, out, _ = run("erin", "revoke", mine, "--json")
    assert (code, json.loads(out)["approvals"][0]["revoked"]) == (1, False)
    assert world.kinds()[-1] == "denied"
    assert run("bob", "revoke", theirs)[0] == 0
    assert world.apply(plan, [mine]).ok
    code, _, err = run("bob", "revoke", mine)
    assert (code, "was used already" in err) == (1, True)


def test_what_is_no_approval_cannot_be_taken_back(world: World, run: Run) -> None:
    plan = world.plan("L1")
    forged = world.approve(plan, "erin", approver="bob")
    for words, says in ((forged, "bob did not sign this token"), ("abc", "too short"), (forged[:60], "missing")):
        code, out, err = run("bob", "revoke", words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert says in err
    assert run("bob", "revoke", plan.id)[0] == 1
    assert not world.ledger.state().revoked


def test_a_stale_plan_is_shown_beside_the_one_that_would_be_made_today(world: World, run: Run) -> None:
    plan = world.plan("L1")
    mode = "name: TRADING_MODE\n              value: "
    world.elsewhere("apps/heron/scheduler.yaml", f"{mode}paper", f"{mode}live")
    apply = (
        "apply",
        write(world, plan),
        "--approval",
        world.approve(plan),
        "--confirm",
        "ADVANCE heron L0 L1 GROSS 5,000",
    )
    code, out, _ = run("alice", *apply)
    assert (code, "REFUSED: the plan is stale" in out) == (1, True)
    assert "THE APPROVED PLAN AND THE SAME PLAN MADE TODAY" in out
    assert "tradingMode: approved paper -> live, today live unchanged" in out
    assert "-+              value: live" in out
    code, out, _ = run("alice", *apply, "--json")
    shown = json.loads(out)["departure"]
    assert (code, shown["controls"][0]["what"], shown["files"][0]["path"]) == (
        1,
        "tradingMode",
        "apps/heron/scheduler.yaml",
    )


def test_the_asker_a_stranger_and_an_altered_plan_are_refused(world: World, run: Run) -> None:
    plan = world.plan("L1")
    path = write(world, plan)
    code, _, err = run("alice", "approve", path)
    assert (code, "cannot approve" in err) == (2, True)
    code, _, err = run("bob", "approve", path, "--key", str(world.key("erin")))
    assert (code, "this key is erin's" in err) == (2, True)
    altered = json.loads(Path(path).read_text())
    altered["changes"][0]["after"] = "1"
    Path(path).write_text(json.dumps(altered))
    code, _, err = run("bob", "approve", path)
    assert (code, "altered" in err) == (2, True)


# --------------------------------------------------------------------------------------------------------------- apply


def test_apply_says_no_with_every_check_and_changes_nothing(world: World, run: Run) -> None:
    plan, before = world.plan("L1"), world.head()
    path = write(world, plan)
    code, out, _ = run("alice", "apply", path, "--approval", "rda1.x", "--confirm", "ADVANCE heron L0 L1 GROSS 5,000")
    assert (code, "REFUSED" in out) == (1, True)
    code, out, _ = run("alice", "apply", path, "--approval", world.approve(plan), "--confirm", "ADVANCE heron L0 L2")
    assert (code, "word 4" in out) == (1, True)
    phrase = "ADVANCE heron L0 L1 GROSS 5,000"
    code, out, _ = run("alice", "apply", path, "--approval", world.approve(plan), "--confirm", phrase, "--json")
    # Nobody watches here and no source answers: the gates say so.
    assert (code, json.loads(out)["code"]) == (1, "gate")
    assert world.head() == before
    assert world.kinds()[-3:] == ["approval-refused", "confirmation-failed", "denied"]


def test_read_only_commands_nothing(world: World, run: Run) -> None:
    plan = write(world, world.plan("L1"))
    for words in (["apply", plan, "--confirm", "x"], ["freeze", "--confirm", "FREEZE"], ["rollback"]):
        code, _, err = run("alice", *words, "--read-only")
        assert (code, "read-only" in err) == (2, True)


# ----------------------------------------------------------------------------------------------------------- going down


def test_rollback_by_phrase_is_done_by_a_process_of_its_own(world: World, run: Run) -> None:
    before = world.files()
    climb(world)
    code, out, err = run("alice", "rollback", "--confirm", "rollback l0", "--reason", "the desk is empty")
    assert code == 0, err
    assert "limits of L0; nothing is sold" in out
    assert "it goes on when this terminal closes" in err
    assert world.files() == before
    assert [entry.actor for entry in world.ledger.entries() if entry.kind == "intent"][-1] == "alice"


def test_a_rollback_that_the_manifests_refuse_names_what_is_not_written(world: World, run: Run) -> None:
    climb(world)
    world.elsewhere("apps/heron/scheduler.yaml", "apiVersion:", "[apiVersion:")
    code, out, err = run("alice", "rollback", "--confirm", "ROLLBACK L0")
    assert code == 2, err
    assert "L0 IS NOT WHOLLY IN GIT" in out
    assert "not written: " in out
    assert "scheduler.yaml" in out


def test_a_phrase_that_does_not_fit_does_nothing_and_is_recorded(world: World, run: Run) -> None:
    climb(world)
    before = world.head()
    cases = {
        ("rollback", "--confirm", "ROLLBACK L9"): "no stage 'L9'",
        ("rollback", "--to", "L0", "--confirm", "ROLLBACK L1"): "word 2 is 'L1', not L0",
        ("freeze", "--confirm", "FREEZER"): "word 1",
    }
    for words, says in cases.items():
        code, _, err = run("alice", *words)
        assert (code, says in err) == (1, True), err
    assert world.kinds()[-3:] == ["confirmation-failed"] * 3
    code, _, err = run("alice", "rollback", "--to", "L0")
    assert (code, 'add --confirm "ROLLBACK L0"' in err) == (2, True)
    assert world.head() == before


def test_the_commands_by_hand_do_the_same(world: World, run: Run) -> None:
    before = world.files()
    climb(world)
    code, out, _ = run("alice", "rollback", "--print")
    assert code == 0
    script = out[: out.index("# only while Git")] if "# only while Git" in out else out
    person = {f"GIT_{role}_{what}": "alice" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["sh", "-ec", script], cwd=world.folder, env={**os.environ, **person}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert world.files() == before
    assert "kubectl -n heron set env deployment/heron-scheduler" in out
    assert world.kinds()[-1] == "outcome"


def test_with_git_away_the_values_are_listed_instead_of_a_patch(world: World, run: Run) -> None:
    world.remote.rename(world.folder / "away.git")
    code, out, _ = run("alice", "rollback", "--print", "--to", "L0")
    assert code == 0
    assert "apps/heron/scheduler.yaml" in out
    assert "TRADING_MODE: paper" in out


def test_freeze_holds_every_advance(world: World, run: Run) -> None:
    code, out, _ = run("alice", "freeze", "--confirm", "freeze")
    assert (code, "FROZEN" in out) == (0, True)
    code, out, _ = run("alice", "freeze", "--confirm", "freeze", "--json")
    assert (code, json.loads(out)["note"]) == (0, "FROZEN already, by hand")
    plan = world.plan("L1")
    refused = world.apply(plan, [world.approve(plan)])
    assert refused.refusal is not None
    assert refused.refusal.code == "posture"


def test_a_hangup_of_the_terminal_never_stops_a_reduction(world: World) -> None:
    before = world.files()
    climb(world)
    gate, began = world.folder / "gate", world.folder / "began"
    os.mkfifo(gate)
    os.mkfifo(began)
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\necho begun > {began}\nread line < {gate}\n")
    hook.chmod(0o755)
    parent = subprocess.Popen(
        [sys.executable, "-m", "console", "rollback", "--confirm", "ROLLBACK L0", "--config",
         str(world.folder / "alice.yaml")],
        cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert began.read_text() == "begun\n"
    os.killpg(parent.pid, signal.SIGHUP)
    assert parent.wait(60) != 0
    gate.write_text("go\n")
    deadline = world.ports.clock.monotonic() + 60
    while world.ledger.state().unresolved and world.ports.clock.monotonic() < deadline:
        world.pause(0.05)
    assert world.files() == before
    assert world.ledger.state().unresolved == ()


# --------------------------------------------------------------------------------------------------------------- adopt


def test_a_policy_is_adopted_and_a_looser_one_needs_an_approval(world: World, run: Run) -> None:
    code, out, _ = run("alice", "policy", "adopt", "--json")
    assert (code, json.loads(out)["version"]) == (0, 1)
    world.elsewhere("ops/ramp.yaml", "version: 1", "version: 2")
    world.elsewhere("ops/ramp.yaml", "dailyLossLimit: 2500", "dailyLossLimit: 2600")
    code, out, _ = run("alice", "policy", "adopt")
    assert (code, "not adopted" in out) == (1, True)
    assert world.kinds()[-1] == "denied"
    policy = str(world.work / "ops/ramp.yaml")
    tokens = [run(who, "approve", policy)[1].strip() for who in ("bob", "erin")]
    code, out, err = run("alice", "policy", "adopt", "--approval", *tokens)
    assert (code, "version 2" in out) == (0, True), out + err
    assert world.kinds()[-1] == "policy-adopted"
