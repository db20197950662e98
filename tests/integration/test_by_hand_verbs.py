"""The verbs by which people say what they know: clear, permits, incidents, notes, a word on a burn-in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import main
from stages.commands import ChangeBurnIn, OpenLatch
from stages.posture import ClearRule, Mode
from tests.integration.actuation import ROOT, World

Run = Callable[..., tuple[int, str, str]]

SIGNED = ClearRule(gone=False)
ONE_KEY = ClearRule(approval=False, each=False, gone=False)
WHY = ("--because", "a duplicate of the broker's")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a configuration file for each person; no source answers, so every look is short."""
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
    monkeypatch.setattr("console.watch.once.PATIENCE", 0.2)
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


def hold(world: World, mode: Mode, roles: tuple[str, ...], rule: ClearRule, cause: str = "by a test") -> str:
    """Open a latch; its key."""
    latch = OpenLatch("watch", "held-by-test", cause, "seen", mode, None, 0, "L0", roles, rule=rule)
    world.command(latch)
    return next(one.key for one in world.ledger.state().latches.values() if one.cause == cause)


# --------------------------------------------------------------------------------------------------------------- clear


def test_a_latch_of_one_key_press_is_cleared_by_whoever_has_the_role(world: World, run: Run) -> None:
    hold(world, Mode.FROZEN, ("operator",), ONE_KEY)
    code, _, err = run("bob", "clear", "held-by-test", *WHY)
    assert (code, "bob is not operator" in err) == (1, True)
    assert world.kinds()[-1] == "latch-clear-refused"
    code, out, err = run("alice", "clear", "held-by-test", *WHY)
    assert (code, "nothing is held any more" in out) == (0, True), err
    assert world.ledger.state().latches == {}


def test_a_signed_clear_is_asked_for_approved_and_carried_out_once(world: World, run: Run) -> None:
    hold(world, Mode.FROZEN, ("trader", "risk"), SIGNED)
    code, out, _ = run("alice", "clear", "held-by-test", "--ask", "--json")
    request = json.loads(out)["file"]
    assert (code, json.loads(Path(request).read_text())["kind"]) == (0, "RampAction")
    code, _, err = run("alice", "approve", request)
    assert (code, "you are the asker" in err) == (2, True)
    code, _, err = run("alice", "clear", "held-by-test", *WHY)
    assert (code, "of 2 approvals" in err) == (1, True), err
    for who in ("bob", "erin"):
        code, out, err = run(who, "approve", request)
        assert (code, out.startswith("rda1.")) == (0, True), err
    assert "held-by-test: seen" in err
    code, out, err = run("alice", "clear", "held-by-test", *WHY, "--json")
    assert (code, json.loads(out)["cleared"]) == (0, True), err
    state = world.ledger.state()
    assert (state.latches, len(state.consumed)) == ({}, 2)


def test_a_request_by_file_is_signed_and_its_tokens_clear(world: World, run: Run) -> None:
    hold(world, Mode.FROZEN, ("risk",), SIGNED)
    path = str(world.folder / "clear.json")
    assert run("alice", "clear", "held-by-test", "-o", path)[0] == 0
    token = run("bob", "approve", path)[1].strip()
    hold(world, Mode.FROZEN, ("risk",), SIGNED, cause="another")
    other = next(key for key in world.ledger.state().latches if "another" in key)
    code, _, err = run("alice", "clear", other, *WHY, "--approval", token)
    assert (code, "this action" in err) == (1, True), err
    mine = next(key for key in world.ledger.state().latches if "by a test" in key)
    assert run("alice", "clear", mine, *WHY, "--approval", token)[0] == 0


def test_an_altered_request_is_refused_by_the_approvers_own_look(world: World, run: Run) -> None:
    hold(world, Mode.FROZEN, ("risk",), SIGNED)
    path = world.folder / "clear.json"
    run("alice", "clear", "held-by-test", "-o", str(path))
    document = json.loads(path.read_text())
    document["action"]["subject"] = "0" * 64
    path.write_text(json.dumps(document))
    code, _, err = run("bob", "approve", str(path))
    assert (code, "another latch there" in err) == (2, True)
    for broken in ({"kind": "RampAction"}, document | {"action": document["action"] | {"kind": "advance"}}):
        path.write_text(json.dumps(broken))
        code, _, err = run("bob", "approve", str(path))
        assert (code, err.count("\n")) == (2, 1), err


def test_what_killed_is_not_cleared_and_an_unknown_latch_is_named(world: World, run: Run) -> None:
    world.reduce("L0", Mode.KILLED)
    code, _, err = run("alice", "clear", "manual-kill", *WHY)
    assert (code, "only a restore ends it" in err) == (1, True)
    code, _, err = run("alice", "clear", "nothing", *WHY)
    assert (code, "open now: manual-kill" in err) == (2, True)


# ------------------------------------------------------------------------------------------------------------- permits


def test_a_permit_lets_one_symbol_be_closed_while_nothing_else_may(world: World, run: Run) -> None:
    code, _, err = run("alice", "permit-reduce", "mu", "8")
    assert (code, "no permit is needed" in err) == (1, True)
    hold(world, Mode.HALTED, ("risk",), SIGNED)
    code, out, _ = run("alice", "permit-reduce", "mu", "8", "--for", "5m", "--json")
    assert (code, json.loads(out)["symbol"]) == (0, "MU")
    (permit,) = world.ledger.state().permits.values()
    assert permit.until <= datetime.now(UTC) + timedelta(minutes=5)
    for words, says, expected in (
        (("MU", "8", "--for", "3h"), "at most 10 min", 1),
        (("MU", "0"), "closes nothing", 1),
        (("MU", "lots"), "not a number of shares", 2),
        (("MU", "8", "--for", "soon"), "is not a duration", 2),
    ):
        code, _, err = run("alice", "permit-reduce", *words)
        assert (code, says in err) == (expected, True), err


def test_after_a_kill_only_a_permit_lets_a_position_be_closed(world: World, run: Run) -> None:
    world.reduce("L0", Mode.KILLED)
    code, _, err = run("alice", "permit-reduce", "nvda", "8", "--for", "1h")
    assert (code, "at most 10 min" in err, world.kinds()[-1]) == (1, True, "denied")
    code, out, err = run("alice", "permit-reduce", "nvda", "8", "--reason", "half a lot before the close")
    assert (code, "8 NVDA may be closed until" in out) == (0, True), err
    (permit,) = world.ledger.state().permits.values()
    assert (permit.symbol, permit.quantity) == ("NVDA", Decimal(8))
    assert [latch.trigger for latch in world.ledger.state().latches.values()] == ["manual-kill"]


# ----------------------------------------------------------------------------------------------------------- incidents


def test_an_incident_holds_until_it_is_resolved_and_cleared(world: World, run: Run) -> None:
    code, out, _ = run("alice", "incident", "declare", "sev2", "feed", "lies")
    assert (code, "INC-1 SEV2 declared: FROZEN" in out) == (0, True), out
    state = world.ledger.state()
    (latch,) = state.latches.values()
    assert (latch.incident, state.incidents["INC-1"].title) == ("INC-1", "feed lies")
    code, _, err = run("alice", "incident", "resolve", "INC-7", "gone")
    assert (code, "no incident INC-7" in err) == (1, True)
    code, out, _ = run("alice", "incident", "resolve", "INC-1", "a stuck cable")
    assert (code, f"rampdeck clear {latch.key}" in out) == (0, True)
    assert not world.ledger.state().incidents["INC-1"].is_open
    assert run("alice", "incident", "resolve", "INC-1", "again")[0] == 0
    assert world.kinds().count("incident") == 2, "what is over is not ended twice"
    assert world.ledger.state().latches
    code, _, err = run("alice", "incident", "declare", "SEV9", "x")
    assert (code, "SEV9" in err) == (2, True)


# --------------------------------------------------------------------------------------------------------------- words


def test_a_note_is_kept_and_an_alarm_that_does_not_ring_is_not_acknowledged(world: World, run: Run) -> None:
    assert run("alice", "note", "the", "desk", "knows", "--about", "MU")[0] == 0
    newest = list(world.ledger.entries())[-1]
    assert (newest.kind, newest.body["text"], newest.body["subject"]) == ("note", "the desk knows", "MU")
    code, _, err = run("alice", "ack", "no-such-alarm")
    assert (code, "no alarm 'no-such-alarm' rings" in err) == (1, True)
    hold(world, Mode.HALTED, ("risk",), SIGNED)
    code, out, _ = run("alice", "ack", "latch/held-by-test")
    assert (code, "quiet, still as it was" in out) == (0, True)
    assert any(key.startswith("latch/held-by-test") for key in world.ledger.state().acknowledged)


# ------------------------------------------------------------------------------------------------------------- burn-in


def undecided(world: World) -> None:
    now = datetime.now(UTC)
    world.command(ChangeBurnIn("watch", "L0", "run-9", "OBSERVING", now, now))
    world.command(ChangeBurnIn("watch", "L0", "run-9", "INCONCLUSIVE", now, now, "time is up"))


def test_an_undecided_run_is_extended_once(world: World, run: Run) -> None:
    more = ("--for", "2 sessions", "--reason", "a half day")
    code, _, err = run("alice", "burnin", "extend", "L0", *more)
    assert (code, "not INCONCLUSIVE" in err) == (1, True)
    undecided(world)
    code, out, err = run("alice", "burnin", "extend", "L0", *more)
    assert (code, "L0 goes on until" in out) == (0, True), err
    assert world.ledger.state().runs["L0"].state == "OBSERVING"
    now = datetime.now(UTC)
    world.command(ChangeBurnIn("watch", "L0", "run-9", "INCONCLUSIVE", now, now, "time is up again"))
    code, _, err = run("alice", "burnin", "extend", "L0", *more)
    assert (code, "was extended once already" in err, world.kinds()[-1]) == (1, True, "denied")
    for words, says in (
        (("L9", *more), "no stage 'L9'"),
        (("L0", "--for", "ages", "--reason", "x"), "is no market time"),
        (("L3", *more), "no burn-in run"),
    ):
        code, _, err = run("alice", "burnin", "extend", *words)
        assert (code, says in err) == (2, True), err


def test_a_waiver_is_approved_and_never_about_safety(world: World, run: Run) -> None:
    undecided(world)
    force = world.force.policy
    item = next(
        f"samples of {force.spec.signals[one.signal].title}"
        for stage in force.stages
        if stage.burn_in is not None and stage.name == "L0"
        for one in stage.burn_in.objectives
        if force.spec.signals[one.signal].class_ == "performance"
    )
    code, _, err = run("alice", "burnin", "waive", "L0", "market time", "--reason", "x")
    assert (code, "cannot be waived" in err) == (1, True)
    words = ("burnin", "waive", "L0", item, "--reason", "few fills today")
    code, _, err = run("alice", *words)
    assert (code, "0 of 1 approvals" in err) == (1, True)
    assert run("alice", *words, "--ask")[0] == 0
    (request,) = world.inbox.requests()
    assert run("bob", "approve", str(request))[0] == 0
    assert run("alice", "approve", str(request))[0] == 2, "who asks does not approve"
    code, out, err = run("alice", *words)
    assert (code, item in out) == (0, True), err
    assert world.ledger.state().runs["L0"].waived == {item: "few fills today"}
    code, _, err = run("alice", *words)
    assert (code, world.kinds()[-1]) == (1, "denied"), "its approval is used up"
    code, _, err = run("alice", "burnin", "waive", "L3", item, "--reason", "x")
    assert (code, "no burn-in run" in err) == (2, True)


def test_a_console_that_only_looks_says_so(world: World, run: Run) -> None:
    for words in (
        ["kill", "--confirm", "KILL heron"],
        ["clear", "x"],
        ["permit-reduce", "MU", "1"],
        ["incident", "declare", "SEV1", "x"],
        ["note", "x"],
        ["ack", "x"],
        ["burnin", "extend", "L0", "--for", "90m", "--reason", "x"],
    ):
        code, _, err = run("alice", *words, "--read-only")
        assert (code, "read-only" in err) == (2, True), words
