"""Bad input and trouble, through the program as it is run: one clear line, an exit code, nothing half-applied."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import main
from stages.plan import Plan, build, to_document
from stages.token import Token, decode_token, encode_token
from stages.value import replace
from tests.integration.actuation import ROOT, World, git
from tests.integration.people import configure

Run = Callable[..., tuple[int, str, str]]
PHRASE = "ADVANCE heron L0 L1 GROSS 5,000"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World.make(tmp_path)
    for name in ("alice", "bob", "erin", "mallory"):
        configure(world, name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    return world


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program; exit code, standard output, standard error."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as left:
            code = int(left.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def alice(world: World, run: Run) -> Run:
    """Run the program as alice."""
    return lambda *words: run(*words, "--config", world.folder / "alice.yaml")


def one_line(answer: tuple[int, str, str], *says: str) -> None:
    """Exit code 2, nothing on standard output, one line on standard error that says all of ``says``."""
    code, out, err = answer
    assert (code, out) == (2, ""), answer
    assert err.startswith("rampdeck: "), err
    assert err.count("\n") == 1, err
    assert "stopped on a fault" not in err
    for each in says:
        assert each in err, err


def write(world: World, plan: Plan, **changes: Any) -> Path:
    path = world.folder / "plan.json"
    path.write_text(json.dumps(to_document(plan) | changes))
    return path


# -------------------------------------------------------------------------------------------------------------- policy

POLICIES = {
    "an unknown key": ("maxAge:", "maxAgee:", "did you mean 'maxAge'"),
    "a wrong unit": ("unit: usd", "unit: euro", "write one of usd"),
    "a stage without a value": ("        dailyLossLimit: 150\n", "", "dailyLossLimit"),
    "a ladder that is not monotone": ("maxGrossExposure: 5000\n", "maxGrossExposure: 900000\n", "maxGrossExposure"),
    "no YAML": ("spec:", "spec: [", "YAML"),
    "a number that is none": ("maxGrossExposure: 5000", "maxGrossExposure: lots", "maxGrossExposure"),
    "a duration that is none": ("convergence: 30s", "convergence: soon", "soon"),
}


@pytest.mark.parametrize("case", POLICIES)
def test_a_policy_that_does_not_load_is_told_by_file_and_line(run: Run, tmp_path: Path, case: str) -> None:
    old, new, says = POLICIES[case]
    text = (ROOT / "stages/policies/demo.yaml").read_text()
    assert old in text
    path = tmp_path / "ramp.yaml"
    path.write_text(text.replace(old, new, 1))
    if case == "no YAML":
        one_line(run("policy", "check", path), f"{path}:8:", says)
        one_line(run("policy", "check", path, "--json"), f"{path}:8:", says)
        return
    code, out, err = run("policy", "check", path)
    assert (code, err) == (2, "")
    assert all(line.startswith(f"{path}:") for line in out.splitlines()), out
    assert says in out
    code, out, err = run("policy", "check", path, "--json")
    assert (code, err) == (2, "")
    assert json.loads(out)["ok"] is False


@pytest.mark.parametrize("case", POLICIES)
def test_a_policy_that_does_not_load_stops_every_verb_that_needs_it(
    world: World, alice: Run, tmp_path: Path, case: str
) -> None:
    old, new, says = POLICIES[case]
    path = tmp_path / "proposed.yaml"
    path.write_text((world.work / "ops/ramp.yaml").read_text().replace(old, new, 1))
    before = world.kinds()
    one_line(alice("plan", "--to", "L1", "--policy", path), f"{path}:", says)
    one_line(alice("plan", "--to", "L1", "--policy", path, "--json"), says)
    assert world.kinds() == before


def test_a_broken_policy_at_the_head_is_not_adopted_and_the_adopted_one_goes_on(world: World, alice: Run) -> None:
    world.elsewhere("ops/ramp.yaml", "version: 1", "version: two")
    one_line(alice("policy", "adopt"), "ops/ramp.yaml:", "version")
    code, out, _ = alice("plan", "--to", "L1", "--json")
    assert code == 1, "nobody watches"
    assert json.loads(out)["to"] == "L1"


def test_a_policy_file_that_is_not_there_or_not_text_is_one_line(run: Run, tmp_path: Path) -> None:
    one_line(run("policy", "check", tmp_path / "none.yaml"), "none.yaml", "cannot be read")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00spec")
    one_line(run("policy", "check", tmp_path / "bytes.yaml"), "bytes.yaml", "UTF-8")
    one_line(run("policy", "check"), "no policy file is named")


# ----------------------------------------------------------------------------------------------- manifests and roster

DEPLOYMENT = "kind: Deployment\nmetadata:\n  name: heron-scheduler"
MANIFESTS = {
    "matches nothing": (DEPLOYMENT, DEPLOYMENT.replace("scheduler", "planner"), "Deployment/heron-scheduler"),
    "does not parse": ("kind: Deployment", "kind: [Deployment", "scheduler.yaml"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_cannot_be_read_refuses_the_advance_by_name(world: World, alice: Run, case: str) -> None:
    old, new, says = MANIFESTS[case]
    world.elsewhere("apps/heron/scheduler.yaml", old, new)
    before = world.head()
    code, out, err = alice("plan", "--to", "L1", "--json")
    if code == 2:
        one_line((code, out, err), says)
    else:
        document = json.loads(out)
        assert (code, document["allowed"]) == (1, False)
        assert any(says in reason for reason in document["refusals"]), document["refusals"]
    assert world.head() == before


def test_a_binding_that_matches_several_things_refuses_the_advance(world: World, alice: Run) -> None:
    path = world.work / "apps/heron/scheduler.yaml"
    world.elsewhere("apps/heron/scheduler.yaml", "", "---\n" + path.read_text())
    code, out, err = alice("plan", "--to", "L1", "--json")
    assert code in (1, 2)
    said = err if code == 2 else " ".join(json.loads(out)["refusals"])
    assert "Deployment/heron-scheduler" in said
    assert "Traceback" not in said


def test_a_roster_that_does_not_parse_or_is_missing_is_not_adopted(world: World, alice: Run) -> None:
    world.elsewhere("ops/roster.yaml", "members:", "members: [")
    one_line(alice("policy", "adopt"), "ops/roster.yaml")
    git("rm", "-q", "ops/roster.yaml", cwd=world.work)
    git("commit", "-qm", "Drop the roster", cwd=world.work)
    git("push", "-q", "origin", "HEAD:main", cwd=world.work)
    one_line(alice("policy", "adopt"), "there is no roster", "ops/roster.yaml")


# ------------------------------------------------------------------------------------------------------- configuration

CONFIGURATIONS = {
    "repository: [": ("YAML", "rampdeck.yaml"),
    "- a list": ("no mapping",),
    "repositry: {remote: x}": ("repositry",),
    "repository: {branch: main}": ("repository lacks 'remote'",),
    "market: {anchor: soon, start: now}": ("market.anchor",),
    "": ("is not configured",),
    "ledger: mysql://host/name": ("mysql",),
    "repository: {remote: 'file:///nowhere/at/all'}\nledger: sqlite:////nowhere/ledger.db": ("/nowhere/ledger.db",),
}


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_configuration_that_is_wrong_is_one_line(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text(text)
    one_line(run("status", "--config", path), *CONFIGURATIONS[text])


def test_a_configuration_that_is_not_there_or_not_text_is_one_line(run: Run, tmp_path: Path) -> None:
    one_line(run("status", "--config", tmp_path / "none.yaml"), "none.yaml", "--config")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    one_line(run("status", "--config", tmp_path / "bytes.yaml"), "bytes.yaml")


def test_words_that_are_no_verb_are_one_line(run: Run) -> None:
    one_line(run("aply"), "did you mean 'apply'")
    one_line(run(), "needs a terminal")


# -------------------------------------------------------------------------------------------------------------- remote


def test_a_remote_that_rejects_is_quoted_and_nothing_is_left(world: World, run: Run) -> None:
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is frozen for the audit' >&2\nexit 1\n")
    hook.chmod(0o755)
    plan, before = world.plan("L1"), world.head()
    done = world.apply(plan, [world.approve(plan)])
    assert done.outcome == "rejected"
    assert "main is frozen for the audit" in done.message
    assert world.head() == before
    assert world.ledger.state().unresolved == ()


def test_a_reduction_that_the_remote_rejects_says_so_and_leaves_no_doubt(world: World, alice: Run) -> None:
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is frozen for the audit' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = world.head()
    code, out, _ = alice("rollback", "--confirm", "ROLLBACK L0", "--json")
    assert (code, json.loads(out)["outcome"]) == (1, "rejected")
    assert "main is frozen for the audit" in out
    assert world.head() == before


def test_a_remote_that_moved_elsewhere_does_not_matter_but_a_stale_plan_does(world: World) -> None:
    plan = world.plan("L1")
    world.elsewhere("README.md", "", "more\n")
    moved = world.plan("L1")
    world.elsewhere("apps/heron/scheduler.yaml", "", "# a remark\n")
    stale = world.apply(plan, [world.approve(plan)])
    assert (stale.ok, bool(stale.stale)) == (False, True)
    assert moved.base_commit != plan.base_commit


@pytest.mark.parametrize("verb", [("plan", "--to", "L1"), ("policy", "adopt")])
def test_a_remote_that_is_away_is_one_line(world: World, alice: Run, verb: tuple[str, ...]) -> None:
    world.remote.rename(world.folder / "away.git")
    before = world.kinds()
    one_line(alice(*verb), "remote.git")
    one_line(alice(*verb, "--json"), "remote.git")
    assert world.kinds() == before


def test_a_branch_that_is_not_there_is_one_line(world: World, run: Run) -> None:
    configure(world, "alice", repository={"remote": world.remote.as_uri(), "branch": "trunk"}, cache=None)
    one_line(run("plan", "--to", "L1", "--config", world.folder / "alice.yaml"), "trunk")


# -------------------------------------------------------------------------------------------------------------- ledger


@pytest.fixture
def locked(world: World) -> Iterator[None]:
    """Another process holds the ledger's write lock."""
    holder = sqlite3.connect(world.folder / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield
    holder.rollback()
    holder.close()


@pytest.mark.usefixtures("locked")
def test_a_ledger_that_is_locked_stops_what_raises_risk_and_not_what_lowers_it(world: World, alice: Run) -> None:
    plan, before = world.plan("L1"), world.head()
    answer = alice("apply", write(world, plan), "--approval", world.approve(plan), "--confirm", PHRASE)
    assert answer[0] == 2, answer
    assert "is locked by another process" in answer[2]
    assert world.head() == before
    code, out, _ = alice("reduce-worker", "--to", "L0", "--json")
    assert (code, json.loads(out)["outcome"], json.loads(out)["spilled"]) == (0, "pushed", True)
    assert "fenced off" in json.loads(out)["message"], "what may be on its way cannot be seen, so it is fenced off"
    code, _, err = alice("freeze", "--confirm", "FREEZE")
    assert code == 0, err


def test_a_ledger_that_is_read_only_stops_what_raises_risk(world: World, alice: Run) -> None:
    if os.geteuid() == 0:
        pytest.skip("platform: root may write every file")
    plan, before = world.plan("L1"), world.head()
    path, token = write(world, plan), world.approve(plan)
    world.ledger.close()
    (world.folder / "ledger.db").chmod(0o444)
    one_line(alice("apply", path, "--approval", token, "--confirm", PHRASE), "read-only")
    assert world.head() == before


def alter(world: World, statement: str) -> None:
    """Change the ledger's file behind the program's back."""
    world.ledger.close()
    with sqlite3.connect(world.folder / "ledger.db") as behind:
        for (name,) in behind.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            behind.execute(f"DROP TRIGGER {name}")
        behind.execute(statement)


ALTERED = {
    "a body": "UPDATE entry SET entry = replace(entry, '\"alice\"', '\"carol\"') WHERE seq = 2",
    "no entry": "UPDATE entry SET entry = '{}' WHERE seq = 3",
    "a dropped entry": "DELETE FROM entry WHERE seq = 3",
    "a dropped tail": "DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)",
    "another order": "UPDATE entry SET hash = hash || 'x' WHERE seq = 2",
}


@pytest.mark.parametrize("case", ALTERED)
def test_a_ledger_that_was_altered_is_found_and_located(world: World, alice: Run, case: str) -> None:
    alter(world, ALTERED[case])
    code, out, err = alice("ledger", "verify", "--json")
    assert (code, err) == (1, "")
    document = json.loads(out)
    assert document["ok"] is False
    assert document["problems"][0]["seq"] > 0


@pytest.mark.parametrize("case", ["no entry", "a dropped entry"])
def test_a_ledger_that_cannot_be_folded_is_one_line(world: World, alice: Run, case: str) -> None:
    alter(world, ALTERED[case])
    one_line(alice("plan", "--to", "L1"), "ledger", "verify")


def test_a_ledger_that_is_missing_or_none_is_one_line(world: World, run: Run) -> None:
    for ledger, says in (("none.db", "does not exist"), ("alice.yaml", "is not a SQLite database"), ("", "folder")):
        path = configure(world, "bob", ledger=f"sqlite:///{world.folder}/{ledger}")
        for verb in (("status",), ("plan", "--to", "L1"), ("ledger", "list"), ("watch",)):
            one_line(run(*verb, "--config", path), says)


# ---------------------------------------------------------------------------------------------- plans and approvals


def test_a_stage_that_is_not_there_is_one_line(alice: Run) -> None:
    one_line(alice("plan", "--to", "L9"), "L9", "L0")
    one_line(alice("plan", "--to", "L9", "--json"), "L9")
    one_line(alice("plan"), "--to L1")


def test_an_altered_plan_is_not_shown(world: World, alice: Run) -> None:
    path = write(world, world.plan("L1"), createdBy="bob")
    one_line(alice("plan", "show", path), "plan.json", "altered")
    path.write_text("{}")
    one_line(alice("plan", "show", path), "plan.json")
    path.write_text("{")
    one_line(alice("plan", "show", path), "plan.json:1", "JSON")
    one_line(alice("plan", "show", world.folder / "none.json"), "none.json")
    document = to_document(world.plan("L1"))
    for key in document:
        path.write_text(json.dumps(document | {key: [7]}))
        code, _, err = alice("plan", "show", path, "--json")
        assert code in (0, 2), key
        assert err == "" or (err.startswith("rampdeck: ") and "fault" not in err and err.count("\n") == 1), err


def test_who_is_not_on_the_roster_cannot_approve(world: World, run: Run) -> None:
    path = write(world, world.plan("L1"))
    code, out, err = run("approve", path, "--config", world.folder / "mallory.yaml", "--yes")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("rampdeck: ")
    assert "mallory is not on the roster" in err.splitlines()[-1]
    one_line(run("approve", path, "--config", world.folder / "mallory.yaml", "--json"), "not on the roster")


def forged(world: World, plan: Plan, **claims: Any) -> str:
    """A token whose claims were changed after it was signed."""
    token = decode_token(world.approve(plan))
    return encode_token(Token(replace(token.claims, **claims), token.signature))


def test_apply_refuses_a_wrong_phrase_a_forged_token_and_an_expired_plan(world: World, alice: Run) -> None:
    plan, before = world.plan("L1"), world.head()
    path, token = write(world, plan), world.approve(plan)
    later = datetime.now(UTC) + timedelta(days=30)
    cases = {
        "phrase": (token, "ADVANCE heron L0 L1 GROSS 50,000"),
        "forged": (forged(world, plan, approver="erin"), PHRASE),
        "longer": (forged(world, plan, expires=later), PHRASE),
        "garbled": ("rda1.!!.!!", PHRASE),
        "cut": (token[:-20], PHRASE),
    }
    for name, (approval, phrase) in cases.items():
        seen = len(world.kinds())
        code, out, err = alice("apply", path, "--approval", approval, "--confirm", phrase, "--json")
        assert (code, json.loads(out)["outcome"]) == (1, "refused"), (name, out, err)
        assert {"intent", "committed", "approval-consumed"}.isdisjoint(world.kinds()[seen:])
    assert world.head() == before
    assert not world.ledger.state().consumed


def expired(world: World) -> Plan:
    """A plan of yesterday."""
    head, force = world.repository.fetch(), world.force
    then = datetime.now(UTC) - timedelta(days=1)
    return build(
        force.policy, policy_digest=force.policy_digest, roster_digest=force.roster_digest,
        read=partial(world.repository.read, head), base_commit=head, epoch=0, to_stage=1, created_by="alice",
        now=then, expires_at=then + timedelta(hours=4), blob_id=world.repository.blob_id,
    )  # fmt: skip


def test_apply_refuses_a_plan_that_has_expired(world: World, alice: Run) -> None:
    old = expired(world)
    path = write(world, old)
    code, out, _ = alice("apply", path, "--approval", world.approve(old), "--confirm", PHRASE, "--json")
    assert (code, json.loads(out)["outcome"]) == (1, "refused")
    assert "expired" in json.loads(out)["message"]


def test_rollback_to_another_stage_than_the_phrase_does_nothing(world: World, alice: Run) -> None:
    before = world.head()
    for words in (["--confirm", "ROLLBACK L9"], ["--to", "L1", "--confirm", "ROLLBACK L0"], ["--confirm", "L0"]):
        code, out, err = alice("rollback", *words)
        assert (code, out, err.count("\n")) == (1, "", 1), err
        assert err.startswith("rampdeck: the phrase does not fit"), err
    assert world.head() == before
    assert "intent" not in world.kinds()


def test_read_only_refuses_every_acting_verb_before_it_looks(world: World, alice: Run) -> None:
    path, before = write(world, world.plan("L1")), world.kinds()
    cases = (
        ["apply", path, "--confirm", PHRASE],
        ["rollback", "--confirm", "ROLLBACK L0"],
        ["freeze", "--confirm", "FREEZE"],
        ["policy", "adopt"],
        ["approve", path],
    )
    for words in cases:
        one_line(alice(*words, "--read-only"), "read-only")
        one_line(alice("--read-only", *words), "read-only")
    assert world.kinds() == before
