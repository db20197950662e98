"""Restore: out of KILLED by two approvals, to the lowest stage, and only when what is asked for is so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.__main__ import main
from console.consent import ConsentPorts, ask, gather
from console.identity import SshSigner
from console.ports import FlagAnswer
from console.procedures.follow import resolve
from console.procedures.restore import Facts, Wish, restore
from console.watch.chronicle import Chronicle
from console.way_back import Returned
from console.wiring import RandomIdentifiers, SystemClock
from stages.asking import Asked
from stages.authority import Claims, action_digest, environment_fingerprint, gate_report_digest
from stages.clearing import restore_action
from stages.posture import Mode
from stages.refusal import Trouble
from stages.token import Token, encode_token
from stages.value import replace
from tests.integration.actuation import ROOT, World, die_at
from tests.integration.broker import Broker

CLEAN = Facts(Mode.KILLED, reconciled=True, positions_known=True)
KILLED = 'TRADING_KILL_SWITCH_ENABLED\n              value: "true"'


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world that went to L1 and was killed there."""
    world = World.make(tmp_path)
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    world.venue = Broker(tmp_path / "blocked")
    assert world.reduce("L0", Mode.KILLED).outcome == "pushed"
    assert world.says(KILLED)
    return world


@dataclass
class Flag:
    """A runtime flag that a kill wrote; ``away`` is why the cluster does not answer."""

    says: str = "true"
    away: str = ""
    meanwhile: Callable[[], object] = field(default=lambda: None)

    def verify(self) -> str:
        return ""

    def kills(self) -> FlagAnswer:
        if self.away:
            raise Trouble(self.away)
        return FlagAnswer(self.says == "true", f"says {self.says}")

    def kill(self) -> FlagAnswer:
        self.says = "true"
        return FlagAnswer(True, "says true")

    def restore(self) -> FlagAnswer:
        if self.away:
            raise Trouble(self.away)
        self.says = "false"
        self.meanwhile()
        return FlagAnswer(True, "says false")


def consent(world: World) -> ConsentPorts:
    return ConsentPorts(world.ledger, SystemClock(), SshSigner(world.key("alice")), world.inbox)


def sign(world: World, who: str) -> str:
    now = datetime.now(UTC)
    claims = Claims(
        action=action_digest(restore_action(world.force.policy, world.ledger.state())),
        gate_report=gate_report_digest([]),
        approver=who,
        roster=world.force.roster_digest,
        environment=environment_fingerprint(world.force.policy),
        issued=now,
        expires=now + timedelta(hours=1),
        nonce=RandomIdentifiers().new(),
    )
    return encode_token(Token(claims, SshSigner(world.key(who)).sign(claims.message())))


def attempt(world: World, *tokens: str, facts: Facts = CLEAN, flag: Flag | None = None) -> Returned:
    action = restore_action(world.force.policy, world.ledger.state())
    found = gather(consent(world), world.force, action, tokens, actor="alice")
    wish = Wish(RandomIdentifiers().new(), "alice", action, found.quorum, "RESTORE heron L0")
    return restore(replace(world.return_ports, flag=flag), world.force, wish, facts)


def test_two_people_bring_it_back_to_the_lowest_stage_and_the_venue_is_let_go_last(world: World) -> None:
    done = attempt(world, sign(world, "bob"), sign(world, "erin"))
    assert done.outcome == "pushed", done
    assert not world.says(KILLED)
    assert world.says("value: paper")
    assert world.says('TRADING_KILL_SWITCH_ENABLED\n              value: "false"')
    assert isinstance(world.venue, Broker)
    assert not world.venue.blocked
    state = world.ledger.state()
    assert (state.latches, len(state.consumed)) == ({}, 3)
    told = Chronicle()
    told.read(world.ledger)
    assert any(line.endswith("alice restores L0 -> L0") for line in told.lines()), told.lines()
    info = world.repository.info(world.head())
    assert (info.trailers["Rampdeck-Mode"], info.trailers["Rampdeck-Approved-By"]) == ("NORMAL", "bob, erin")
    assert int(info.trailers["Rampdeck-Epoch"]) == state.epoch


def test_one_person_or_two_without_risk_are_not_enough(world: World) -> None:
    before = world.head()
    assert "1 of 2 approvals" in attempt(world, sign(world, "bob")).message
    assert "2 approvals" in attempt(world, sign(world, "erin"), sign(world, "erin")).message
    assert "of 2 approvals" in attempt(world, sign(world, "bob"), sign(world, "alice")).message
    assert (world.head(), world.kinds()[-1]) == (before, "latch-clear-refused")


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (Facts(Mode.KILLED, reconciled=False, positions_known=True), "reconciliation is not clean"),
        (Facts(Mode.KILLED, reconciled=True, positions_known=False), "positions are not known"),
        (Facts(Mode.KILLED, True, True, ("loss: not before the next session",)), "not before the next session"),
    ],
)
def test_what_is_not_so_yet_is_named_and_uses_no_approval_up(world: World, facts: Facts, says: str) -> None:
    used = world.ledger.state().consumed
    done = attempt(world, sign(world, "bob"), sign(world, "erin"), facts=facts)
    assert (done.outcome, says in done.message) == ("refused", True)
    assert world.ledger.state().consumed == used
    assert world.says(KILLED)


def test_a_plan_that_cannot_be_carried_out_is_refused_and_the_refusal_is_kept(world: World) -> None:
    used, gross = world.ledger.state().consumed, "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE"
    world.elsewhere("apps/heron/scheduler.yaml", f"{gross}\n", f"{gross}_GONE\n", "Edit by hand")
    tokens = sign(world, "bob"), sign(world, "erin")
    seq = world.ledger.state().seq
    done = attempt(world, *tokens)
    assert (done.outcome, "it cannot be carried out" in done.message) == ("refused", True), done
    (kept,) = (entry for entry in world.ledger.entries() if entry.seq > seq and entry.kind == "denied")
    assert (kept.body["command"], kept.body["code"], kept.body["reason"]) == ("restore", "plan", done.message)
    assert (world.ledger.state().consumed, world.says(KILLED)) == (used, True)


def test_approvals_are_for_this_kill_alone(world: World) -> None:
    old = [sign(world, "bob"), sign(world, "erin")]
    world.reduce("L0", Mode.KILLED)
    assert "0 of 2 approvals" in attempt(world, *old).message
    assert "approval-refused" in world.kinds()


def test_a_remote_that_says_no_leaves_the_venue_blocked(world: World) -> None:
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    done = attempt(world, sign(world, "bob"), sign(world, "erin"))
    assert (done.outcome, done.venue) == ("rejected", "")
    assert isinstance(world.venue, Broker)
    assert world.venue.blocked


def test_a_remote_that_goes_away_before_the_push_leaves_the_venue_blocked_until_it_is_known(world: World) -> None:
    approvals, away = [sign(world, "bob"), sign(world, "erin")], world.remote.with_name("away.git")

    def gone(reached: str) -> None:
        if reached == "committed":
            world.remote.rename(away)

    world.checkpoint = gone
    done = attempt(world, *approvals)
    assert (done.outcome, done.venue) == ("unknown", "")
    assert isinstance(world.venue, Broker)
    assert world.venue.blocked
    ports = (world.ledger, world.repository, world.running, SystemClock())
    assert [each.outcome for each in resolve(*ports, actor="alice", grace=timedelta())] == ["unknown"]
    away.rename(world.remote)
    assert [each.outcome for each in resolve(*ports, actor="alice", grace=timedelta())] == ["abandoned"]
    assert (world.says(KILLED), world.venue.blocked) == (True, True)


def test_a_venue_that_does_not_let_go_is_said(world: World) -> None:
    world.venue = Broker(world.folder / "blocked", deaf=True)
    done = attempt(world, sign(world, "bob"), sign(world, "erin"))
    assert (done.outcome, "was not let go" in done.venue) == ("pushed", True)


def test_by_the_verb_it_is_asked_for_and_says_what_is_missing(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "repository": {"remote": world.remote.as_uri(), "branch": "main"},
        "policy": "ops/ramp.yaml",
        "ledger": f"sqlite:///{world.folder}/ledger.db",
        "inbox": str(world.folder / "inbox"),
        "cache": str(world.folder / "cache"),
        "state": str(world.folder / "state"),
    }
    for name in ("alice", "bob", "erin"):
        named = {"identity": {"name": name, "key": str(world.key(name))}}
        (world.folder / f"{name}.yaml").write_text(json.dumps(settings | named))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("console.watch.once.PATIENCE", 0.2)
    alice = ["--config", str(world.folder / "alice.yaml")]
    assert main(["restore", *alice]) == 2
    assert 'add --confirm "RESTORE heron L0"' in capsys.readouterr().err
    assert main(["restore", "--confirm", "RESTORE heron L1", *alice]) == 1
    assert main(["restore", "--ask", *alice]) == 0
    (request,) = world.inbox.requests()
    for who in ("bob", "erin"):
        assert main(["approve", str(request), "--config", str(world.folder / f"{who}.yaml")]) == 0
    capsys.readouterr()
    assert main(["restore", "--confirm", "restore heron l0", *alice]) == 1
    said = capsys.readouterr().out
    assert "reconciliation is not clean" in said
    assert "positions are not known" in said
    assert world.says(KILLED)


def test_the_request_of_a_restore_is_one_file_and_one_entry(world: World) -> None:
    action = restore_action(world.force.policy, world.ledger.state())
    paths = {ask(consent(world), Asked(action, "alice", "back"), stage="L0") for _ in range(2)}
    assert len(paths) == 1
    assert world.kinds().count("plan-requested") == 1


def test_the_runtime_flag_is_taken_back_once_the_branch_holds_the_restore(world: World) -> None:
    flag = Flag()
    done = attempt(world, sign(world, "bob"), sign(world, "erin"), flag=flag)
    assert (done.ok, flag.says, done.flag) == (True, "false", "the runtime flag: says false")
    subjects = [entry.body.get("subject") for entry in world.ledger.entries() if entry.kind == "note"]
    assert "runtime flag" in subjects


def test_a_flag_that_cannot_be_taken_back_is_told_and_a_kill_meanwhile_sets_it_again(world: World) -> None:
    away = Flag(away="connection refused")
    done = attempt(world, sign(world, "bob"), sign(world, "erin"), flag=away)
    assert (done.ok, away.says) == (True, "true")
    assert "was not taken back: connection refused" in done.flag

    assert world.reduce("L0", Mode.KILLED).outcome == "pushed"
    again = Flag(meanwhile=lambda: world.reduce("L0", Mode.KILLED))
    done = attempt(world, sign(world, "bob"), sign(world, "erin"), flag=again)
    assert again.says == "true"
    assert "the runtime flag is set again" in done.flag


def test_a_refused_restore_leaves_the_flag(world: World) -> None:
    flag = Flag()
    assert not attempt(world, sign(world, "bob"), flag=flag).ok
    assert flag.says == "true"


@pytest.mark.parametrize(
    ("point", "outcome"),
    [("intent", "abandoned"), ("committed", "abandoned"), ("pushed", "pushed"), ("outcome", "pushed")],
)
def test_a_restore_that_died_is_named_and_the_way_back_goes_on(world: World, point: str, outcome: str) -> None:
    approvals = [sign(world, "bob"), sign(world, "erin")]
    world.ledger.close()
    died = subprocess.run(
        [sys.executable, "-m", "tests.integration.test_restore", str(world.folder), point, *approvals],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert died.returncode == -9, died.stderr
    started = World(world.folder, venue=Broker(world.folder / "blocked"))
    assert isinstance(started.venue, Broker)
    assert started.venue.blocked, "the venue goes last"
    resolve(started.ledger, started.repository, started.running, SystemClock(), actor="alice", grace=timedelta())
    (intent,) = (one for one in started.ledger.state().intents.values() if one.kind == "restore")
    assert (intent.outcome, started.says(KILLED)) == (outcome, outcome == "abandoned")
    if outcome == "abandoned":
        assert "restore" in started.resume().message, "a kill is not resumed"
        assert attempt(started, *approvals).outcome == "refused", "the approvals are used up"
        assert attempt(started, sign(started, "bob"), sign(started, "erin")).outcome == "pushed"
    else:
        assert started.resume().outcome == "unchanged"
    assert (started.says(KILLED), started.venue.blocked) == (False, False)
    assert started.ledger.verify().ok


def die() -> None:
    """Restore with these approvals, and die at that point."""
    folder, point, *approvals = sys.argv[1:]
    world = World(Path(folder), die_at(point), venue=Broker(Path(folder) / "blocked"))
    print(attempt(world, *approvals))


if __name__ == "__main__":
    die()
