"""Resume: what a cleared halt has left is lifted, at the stage that stands; nothing else and nobody else lifts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.__main__ import main
from console.procedures.follow import resolve
from console.procedures.resume import resume, survey
from console.store.ledger import SqlLedger
from console.watch.chronicle import Chronicle
from console.wiring import SystemClock
from stages.commands import ClearLatch, OpenLatch
from stages.entries import LedgerAway
from stages.posture import ClearRule, Mode
from stages.refusal import Refusal, Trouble
from stages.value import replace
from tests.integration.actuation import ROOT, World, git
from tests.integration.broker import Broker
from tests.integration.test_restore import Flag
from tests.screens import states

HALTED = 'TRADING_LIVE_SUBMIT_ENABLED\n              value: "false"'
ONE_KEY = ClearRule(approval=False, each=False, gone=False)
LEFT = "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE"


def hold(world: World, mode: Mode = Mode.HALTED, cap: str | None = None) -> str:
    """Open a latch of one key press; its key."""
    cause = f"by a test {len(world.ledger.state().keys_used)}"
    world.command(OpenLatch("watch", "stale-test", cause, "seen", mode, cap, 1, "L1", ("operator",), rule=ONE_KEY))
    return next(one.key for one in world.ledger.state().latches.values() if one.cause == cause)


def clear(world: World, key: str) -> None:
    world.command(ClearLatch("alice", key, gone=True, roles=("operator",), explanation="it came back"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world that was halted at L1, and whose latch is cleared: nothing asks for the halt any more."""
    world = World.make(tmp_path)
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    world.venue = Broker(tmp_path / "blocked")
    key = hold(world)
    assert world.reduce("L1", Mode.HALTED, automatic=True).outcome == "pushed"
    assert (world.says(HALTED), broker(world).blocked) == (True, True)
    clear(world, key)
    return world


def broker(world: World) -> Broker:
    assert isinstance(world.venue, Broker)
    return world.venue


def untouched(world: World) -> bool:
    return world.says(HALTED) and broker(world).blocked


# ------------------------------------------------------------------------------------------------------------ refusals


def test_what_another_latch_still_asks_for_stays(world: World) -> None:
    hold(world)
    done = world.resume()
    assert (done.outcome, "stale-test still asks for NO NEW ORDERS" in done.message) == ("refused", True), done
    assert (untouched(world), world.kinds()[-1]) == (True, "denied")


def test_a_cap_below_the_stage_that_stands_is_not_lifted_over(world: World) -> None:
    hold(world, Mode.FROZEN, cap="0")
    assert "the posture is FROZEN" in world.resume().message
    assert untouched(world)


def test_who_may_not_resume_or_has_no_key_of_that_name_is_refused(world: World) -> None:
    done = world.resume(actor="bob")
    assert (done.outcome, "bob is not operator or trader" in done.message) == ("refused", True)
    with pytest.raises(Trouble, match="your key belongs to alice"):
        world.resume(actor="erin")
    assert untouched(world)


def test_while_the_venue_the_branch_or_the_ledger_is_away_nothing_begins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = world.ledger.state().seq
    broker(world).away = True
    with pytest.raises(Trouble, match="the venue does not answer"):
        world.resume()
    broker(world).away = False
    gone = world.remote.rename(world.folder / "elsewhere.git")
    with pytest.raises(Trouble):
        world.resume()
    gone.rename(world.remote)

    def away(*_arguments: object, **_options: object) -> None:
        raise LedgerAway("the ledger is away")

    with monkeypatch.context() as patched:
        patched.setattr(SqlLedger, "transact", away)
        with pytest.raises(LedgerAway):
            world.resume()
    assert (untouched(world), world.ledger.state().seq) == (True, entries)


def test_git_that_stands_above_what_was_carried_out_is_not_let_run(world: World) -> None:
    world.reduce("L0", Mode.HALTED, automatic=True)
    git("pull", "-q", "origin", "main", cwd=world.work)
    git("revert", "--no-edit", "HEAD", cwd=world.work)
    git("push", "-q", "origin", "HEAD:main", cwd=world.work)
    done = world.resume()
    assert (done.outcome, "roll back first" in done.message) == ("refused", True), done
    assert untouched(world)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (f'{LEFT}\n              value: "5000"', f'{LEFT}\n              value: "5001"', "roll back to a stage first"),
        (f"{LEFT}\n", f"{LEFT}_GONE\n", "cannot be read in Git"),
    ],
    ids=["between stages", "unread"],
)
def test_git_that_says_no_stage_refuses_and_the_refusal_is_kept(
    world: World, before: str, after: str, says: str
) -> None:
    for path in ("apps/heron/scheduler.yaml", "apps/heron/api.yaml"):
        world.elsewhere(path, before, after, "Edit by hand")
    seq = world.ledger.state().seq
    done = world.resume()
    assert (done.outcome, says in done.message) == ("refused", True), done
    (kept,) = (entry for entry in world.ledger.entries() if entry.seq > seq)
    assert (kept.kind, kept.actor, kept.body["command"]) == ("denied", "alice", "resume")
    assert (kept.body["code"], kept.body["reason"]) == ("standing", done.message)
    assert untouched(world)


def test_a_kill_is_not_resumed(world: World) -> None:
    world.reduce("L0", Mode.KILLED)
    assert "only a restore leads back" in world.resume().message


# ------------------------------------------------------------------------------------------------------------- the way


def test_the_halt_is_lifted_in_git_and_then_at_the_venue(world: World) -> None:
    seen = survey(world.return_ports, world.force, actor="alice")
    assert (seen.refusal, seen.phrase, seen.unblock) == (None, "RESUME heron L1", True)
    assert len(seen.lines) == 2, seen.lines
    assert untouched(world), "a dry run writes nothing"
    done = world.resume()
    assert (done.outcome, done.venue) == ("pushed", "the venue takes orders again")
    assert not world.says(HALTED)
    assert not broker(world).blocked
    info = world.repository.info(world.head())
    assert (info.trailers["Rampdeck-Mode"], info.trailers["Rampdeck-Stage"]) == ("NORMAL", "L1")
    intent = world.ledger.state().intents[done.intent]
    assert (intent.kind, intent.outcome, intent.mode) == ("resume", "pushed", Mode.NORMAL)
    told = Chronicle()
    told.read(world.ledger)
    lines = [line.partition(" ")[2] for line in told.lines()]
    assert "alice resumes L1 -> L1 NORMAL" in lines
    assert "alice cleared stale-test it came back" in lines
    running = told.running(states.POLICY, world.ledger.state(), states.evaluation())
    assert running is not None
    assert (running.kind, running.title) == ("resume", "alice RESUMES L1, NORMAL")
    again = world.resume()
    assert (again.outcome, "nothing to lift: Git holds L1 NORMAL" in again.message) == ("refused", True)


def test_only_what_the_mode_had_set_comes_back(world: World) -> None:
    before = f'{LEFT}\n              value: "5000"'
    assert world.says(before)
    for path in ("apps/heron/scheduler.yaml", "apps/heron/api.yaml"):
        world.elsewhere(path, before, before.replace("5000", "1200"), "Tighten by hand")
    assert world.resume().outcome == "pushed"
    assert world.says(before.replace("5000", "1200")), "a tighter limit never comes back by a resume"
    assert not world.says(HALTED)


def test_a_gentler_mode_that_is_still_asked_for_is_what_remains(world: World) -> None:
    hold(world, Mode.REDUCE_ONLY)
    done = world.resume()
    assert (done.outcome, done.venue) == ("pushed", "the venue takes orders again")
    assert not world.says(HALTED)
    assert world.says('TRADING_REDUCE_ONLY\n              value: "true"')


def test_a_branch_that_moves_under_it_is_planned_again_unless_it_was_reduced(world: World) -> None:
    moved: list[str] = []

    def move(name: str) -> None:
        if name == "committed" and not moved:
            moved.append(world.elsewhere("README.md", "", "a line\n", "Note"))

    world.checkpoint = move
    assert world.resume().outcome == "pushed"
    assert (moved[0] in {one.sha for one in world.repository.log(moved[0] + "~1", world.head())}) is True
    assert not world.says(HALTED)


@pytest.mark.parametrize("point", ["intent", "committed", "outcome"])
def test_what_is_opened_meanwhile_wins_at_every_point(world: World, point: str) -> None:
    def open_one(name: str) -> None:
        if name == point:
            world.checkpoint = lambda _name: None
            hold(world)
            broker(world).block()

    world.checkpoint = open_one
    done = world.resume()
    assert broker(world).blocked
    if point == "outcome":
        assert (done.outcome, "stays blocked: the posture is NO NEW ORDERS" in done.venue) == ("pushed", True)
    else:
        assert (done.outcome, world.says(HALTED)) == ("abandoned", True), done


def test_a_halt_that_strikes_while_the_venue_lets_go_blocks_it_again(world: World) -> None:
    def strike() -> None:
        hold(world)
        broker(world).block()

    broker(world).letting_go = strike
    done = world.resume()
    assert (broker(world).blocked, "is blocked again" in done.venue) == (True, True), done


def test_a_venue_that_does_not_let_go_is_said_and_let_go_by_the_next_one(world: World) -> None:
    broker(world).deaf = True
    done = world.resume()
    assert (done.outcome, "was not let go" in done.venue, broker(world).blocked) == ("pushed", True, True)
    broker(world).deaf = False
    again = world.resume()
    assert (again.outcome, again.venue) == ("unchanged", "the venue takes orders again")
    assert not broker(world).blocked


@pytest.mark.parametrize(
    ("point", "outcome"), [("intent", "abandoned"), ("committed", "abandoned"), ("pushed", "pushed")]
)
def test_a_resume_that_died_is_named_and_done_again(world: World, point: str, outcome: str) -> None:
    world.ledger.close()
    died = subprocess.run(
        [sys.executable, "-m", "tests.integration.actuation", "resume", str(world.folder), point],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert died.returncode == -9, died.stderr
    started = World(world.folder, venue=Broker(world.folder / "blocked"))
    assert broker(started).blocked, "the venue goes last"
    assert "the outcome of resume" in started.resume().message
    resolve(started.ledger, started.repository, started.running, SystemClock(), actor="alice", grace=timedelta())
    (intent,) = (one for one in started.ledger.state().intents.values() if one.kind == "resume")
    assert (intent.outcome, started.says(HALTED)) == (outcome, outcome == "abandoned")
    assert started.resume().outcome == ("pushed" if outcome == "abandoned" else "unchanged")
    assert (started.says(HALTED), broker(started).blocked) == (False, False)


def test_by_the_verb_it_is_a_dry_run_until_it_is_confirmed(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "repository": {"remote": world.remote.as_uri(), "branch": "main"},
        "policy": "ops/ramp.yaml",
        "ledger": f"sqlite:///{world.folder}/ledger.db",
        "cache": str(world.folder / "cache"),
        "state": str(world.folder / "state"),
        "identity": {"name": "alice", "key": str(world.key("alice"))},
    }
    (world.folder / "alice.yaml").write_text(json.dumps(settings))
    monkeypatch.chdir(ROOT)
    resume = ["resume", "--config", str(world.folder / "alice.yaml")]
    assert main([*resume, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["allowed"], document["from"], document["to"]) == (True, "HALTED", "NORMAL")
    assert [one["control"] for one in document["changes"]] == ["submitEnabled"]
    assert main([*resume, "--confirm", "resume heron l2"]) == 1
    assert "word 3 is 'l2', not L1" in capsys.readouterr().err
    assert main([*resume, "--confirm", "resume heron l1", "--read-only"]) == 2
    assert world.says(HALTED)
    assert main([*resume, "--confirm", "resume heron l1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "pushed"
    assert main(resume) == 1
    assert "nothing to lift" in capsys.readouterr().err
    assert not world.says(HALTED)


def test_the_ledger_itself_refuses_what_was_asked_in_an_older_epoch(world: World) -> None:
    seen = survey(world.return_ports, world.force, actor="alice")
    assert seen.command is not None
    clear(world, hold(world, Mode.FROZEN))
    answer = world.ledger.transact(seen.command, now=datetime.now(UTC))
    assert isinstance(answer, Refusal)
    assert answer.code == "stale-epoch"


# ----------------------------------------------------------------------------------------------------- the runtime flag


def test_the_flag_that_a_block_raised_is_taken_back_before_the_venue_is_let_go(world: World) -> None:
    flag = Flag()
    ports = replace(world.return_ports, flag=flag)
    seen = survey(ports, world.force, actor="alice")
    assert "the runtime flag is taken back" in seen.lines
    done = resume(ports, world.force, intent="r1", actor="alice", confirmation="RESUME")
    assert (done.outcome, flag.says, done.flag) == ("pushed", "false", "the runtime flag: says false")
    assert not broker(world).blocked


def test_a_flag_that_alone_is_left_is_something_to_lift(world: World) -> None:
    assert world.resume().outcome == "pushed"
    flag = Flag()
    done = resume(replace(world.return_ports, flag=flag), world.force, intent="r2", actor="alice", confirmation="R")
    assert (done.outcome, flag.says) == ("unchanged", "false"), done


def test_a_flag_that_does_not_tell_or_that_a_halt_still_wants_stays(world: World) -> None:
    flag = Flag(away="connection refused")
    with pytest.raises(Trouble, match="connection refused"):
        survey(replace(world.return_ports, flag=flag), world.force, actor="alice")
    hold(world)
    flag.away = ""
    done = resume(replace(world.return_ports, flag=flag), world.force, intent="r3", actor="alice", confirmation="R")
    assert (done.outcome, flag.says) == ("refused", "true")
