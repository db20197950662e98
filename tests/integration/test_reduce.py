"""Going down: with the branch moving, Git away, the ledger away, a venue that is slow, and an act that died."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest

from console.procedures.follow import resolve, settle
from console.procedures.reduce import Order, freeze, reduce
from console.store.ledger import SqlLedger
from console.wiring import RandomIdentifiers, SystemClock
from stages.decide import decide, denial
from stages.owing import owed
from stages.posture import Mode
from stages.refusal import Trouble
from stages.settling import Truth
from stages.state import ControlState, fold
from stages.value import replace
from stages.witness import OrderOutcome, Position, VenueReading
from tests.integration.actuation import World, git


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world that stands at L1."""
    world = World.make(tmp_path)
    climb(world)
    return world


def climb(world: World) -> None:
    plan = world.plan("L1")
    answer = world.apply(plan, [world.approve(plan)])
    assert answer.ok, answer
    settle(world.ledger, SystemClock(), actor="watch", truth=Truth(True), convergence=timedelta(minutes=1))


class Broker:
    """A venue whose first ``silent`` calls are lost, and which hands its cancels over when ``gate`` opens."""

    def __init__(self, silent: int = 0, gate: threading.Event | None = None, unknown: bool = False) -> None:
        self.blocked, self.cancelled, self.silent, self.gate, self.unknown = False, False, silent, gate, unknown

    def _answer(self) -> None:
        self.silent -= 1
        if self.silent >= 0:
            raise Trouble("the venue does not answer")

    def read(self) -> VenueReading:
        self._answer()
        left = (Position("NVDA", Decimal(8), Decimal(1413)),)
        return VenueReading("HERON", "live", self.blocked, (), left, None, datetime.now(UTC))

    def block(self) -> None:
        self._answer()
        self.blocked = True

    def unblock(self) -> None:
        self.blocked = False

    def cancel_all(self) -> tuple[OrderOutcome, ...]:
        if self.gate:
            assert self.gate.wait(30)
        self.cancelled = True
        return (OrderOutcome("1", "AMD", "buy", "unknown" if self.unknown else "cancelled"),)


def test_up_and_down_restores_every_byte_and_kills_the_old_plan(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    before = world.files()
    plan = world.plan("L1")
    token = world.approve(plan)
    assert world.apply(plan, [token]).ok
    assert world.files() != before
    answer = world.reduce("L0")
    assert (answer.outcome, answer.refusals, answer.ok) == ("pushed", (), True)
    assert world.files() == before
    settle(world.ledger, SystemClock(), actor="watch", truth=Truth(True), convergence=timedelta(minutes=1))
    again = world.apply(plan, [token])
    assert again.refusal is not None
    assert again.refusal.code == "stale"
    assert any("raised the epoch" in reason for reason in again.stale)
    assert any("carried this plan out" in reason for reason in again.stale)
    fresh = world.apply(world.plan("L1"), [token])
    assert fresh.refusal is not None
    assert fresh.refusal.code == "approval"


def test_a_reduction_is_one_commit_that_raises_the_epoch(world: World) -> None:
    answer = world.reduce("L0", reason="the desk is empty")
    assert world.head() == answer.sha
    info = world.repository.info(answer.sha)
    assert info.trailers["Rampdeck-Epoch"] == "1"
    assert info.trailers["Rampdeck-Stage"] == "L0"
    assert "Rampdeck-Plan" not in info.trailers
    assert world.ledger.state().epoch == 1
    assert world.kinds()[-4:] == ["intent", "committed", "outcome", "reason"]
    entry = [entry for entry in world.ledger.entries() if entry.kind == "intent"][-1]
    assert entry.body["authenticated"] is False


def test_nothing_to_reduce_is_said_and_still_raises_the_epoch(world: World) -> None:
    head = world.head()
    answer = world.reduce("L2")
    assert answer.outcome == "unchanged"
    assert world.head() == head
    assert world.ledger.state().epoch == 1
    assert world.ledger.state().settling == ()


def test_what_is_safer_today_stays(world: World) -> None:
    world.elsewhere("apps/heron/scheduler.yaml", 'value: "2500"', 'value: "10"')
    assert world.reduce("L0").outcome == "pushed"
    assert world.says('value: "10"')


def test_a_newer_image_survives_the_way_down(world: World) -> None:
    world.elsewhere("apps/heron/scheduler.yaml", "v1.48.0", "v1.49.0")
    assert world.reduce("L0").outcome == "pushed"
    assert world.says("v1.49.0")
    assert world.says("value: paper")


def test_a_branch_that_moves_is_followed(world: World) -> None:
    left = [3]

    def move(reached: str) -> None:
        if reached == "committed" and left[0]:
            left[0] -= 1
            world.elsewhere("docs/notes.md", "", f"{left[0]}\n", f"Move {left[0]}")

    world.checkpoint = move
    assert world.reduce("L0").outcome == "pushed"
    assert world.commits()[:2] == ["Roll back heron to L0", "Move 0"]


def test_what_cannot_be_read_is_named_and_the_rest_is_done(world: World) -> None:
    world.elsewhere("apps/heron/api.yaml", "TRADING_MODE", "TRADING_MOOD")
    answer = world.reduce("L0")
    assert answer.outcome == "pushed"
    assert any("api.yaml" in reason for reason in answer.refusals)
    assert not answer.ok
    assert "git" in answer.unverified
    assert "NOT WRITTEN" in answer.message
    assert world.says("value: paper")
    intent = world.ledger.state().intents[answer.intent]
    assert intent.refused == answer.refusals, "whoever reads the ledger learns of it"


def test_what_is_not_written_is_known_after_a_crash_too(world: World) -> None:
    world.elsewhere("apps/heron/api.yaml", "TRADING_MODE", "TRADING_MOOD")

    def crash(reached: str) -> None:
        if reached == "pushed":
            raise RuntimeError("the machine has gone")

    world.checkpoint = crash
    with pytest.raises(RuntimeError, match="the machine has gone"):
        world.reduce("L0")
    found = resolve(world.ledger, world.repository, world.running, SystemClock(), actor="watch", grace=timedelta())
    assert [one.outcome for one in found] == ["pushed"]
    (refused,) = world.ledger.state().intents[found[0].intent.id].refused
    assert "api.yaml" in refused, "the commit says it where no outcome could"


def test_manifests_of_which_nothing_can_be_written_do_not_say_it_already(world: World) -> None:
    for name in ("api", "scheduler"):
        world.elsewhere(f"apps/heron/{name}.yaml", "apiVersion:", "[apiVersion:")
    answer = world.reduce("L0", Mode.KILLED)
    assert answer.refusals
    assert "git" in answer.unverified
    assert "already" not in answer.message
    assert "NOT WRITTEN" in answer.message


class Unmergeable:
    """A ledger in front of which a spill lies that cannot be brought into it."""

    def __init__(self, ledger: SqlLedger[Any, Any]) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def transact(self, *_: object, **__: object) -> NoReturn:
        raise Trouble("the spill cannot be merged")


def test_a_spill_that_cannot_be_merged_stops_no_reduction_and_no_freeze(world: World) -> None:
    ports = replace(world.reduce_ports, ledger=cast("Any", Unmergeable(world.ledger)))
    order = Order(RandomIdentifiers().new(), "carol", 0, Mode.NORMAL, "by hand")
    answer = reduce(ports, world.force.policy, order, digests=(world.force.policy_digest, world.force.roster_digest))
    assert (answer.outcome, answer.spilled) == ("pushed", True)
    assert world.says("value: paper")
    clock = SystemClock()
    assert freeze(ports.ledger, ports.spill, clock, actor="carol", cause="by hand", top=3, now=clock.wall())


def test_git_that_is_away_is_tried_until_it_is_back(world: World) -> None:
    away = world.remote.with_name("away.git")
    world.remote.rename(away)
    said = threading.Event()

    def pause(_seconds: float) -> None:
        if not said.is_set():
            said.set()
            away.rename(world.remote)

    world.pause = pause
    answer = world.reduce("L0")
    assert said.is_set()
    assert answer.outcome == "pushed"
    assert any("Git pending" in str(entry.body.get("text")) for entry in world.ledger.entries())


def test_a_branch_that_is_locked_is_tried_with_pauses_until_it_is_free(world: World) -> None:
    lock = world.remote / "refs/heads/main.lock"
    lock.touch()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            lock.unlink()

    world.pause = pause
    answer = world.reduce("L0")
    assert answer.outcome == "pushed"
    assert pauses == [0.5, 1, 2, 4, 8]
    told = [str(entry.body.get("text")) for entry in world.ledger.entries() if entry.kind == "note"]
    assert any("Git pending: main is locked on the remote" in text for text in told)


def test_a_branch_that_stays_locked_is_an_answer_that_names_the_lock(world: World) -> None:
    (world.remote / "refs/heads/main.lock").touch()
    answer = world.reduce("L0", budget=3)
    assert answer.outcome == "rejected"
    assert "remove refs/heads/main.lock" in answer.message
    assert answer.unverified == ("git",)


def test_git_that_stays_away_is_an_answer_that_names_it(world: World) -> None:
    world.remote.rename(world.remote.with_name("away.git"))
    answer = world.reduce("L0", budget=3)
    assert answer.outcome == "abandoned"
    assert "cannot be read" in answer.message
    assert answer.unverified == ("git",)
    assert world.ledger.state().unresolved == ()


def test_a_rejected_push_is_tried_three_times_and_then_once_as_a_branch(world: World) -> None:
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\necho "no `wc -l < count`" >&2\necho x >> count\nexit 1\n')
    hook.chmod(0o755)
    (world.remote / "count").write_text("")
    answer = world.reduce("L0")
    assert answer.outcome == "rejected"
    assert (world.remote / "count").read_text() == "x\n" * 4


def test_a_signing_key_that_is_gone_stops_no_reduction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = world.folder / "gitconfig"
    settings.write_text("[user]\nsigningkey = /nowhere\n[gpg]\nformat = ssh\n[commit]\ngpgsign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert world.reduce("L0").outcome == "pushed"


# ------------------------------------------------------------------------------------------------------- the ledger


def test_a_ledger_that_is_locked_is_spilled_around_and_told_afterwards(world: World) -> None:
    held, done = threading.Event(), threading.Event()
    other = World(world.folder)

    def hold() -> None:
        with other.ledger.database.write(5):
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)

    def release(reached: str) -> None:
        if reached == "pushed":
            done.set()
            holder.join(10)

    world.checkpoint = release
    answer = world.reduce("L0")
    assert (answer.outcome, answer.spilled) == ("pushed", True)
    assert world.kinds()[-4:] == ["gap", "intent", "committed", "outcome"]
    state = world.ledger.state()
    assert state.epoch == 1
    assert state.unresolved == ()
    assert world.repository.info(answer.sha).trailers["Rampdeck-Epoch"] == "1"
    assert world.ledger.verify().ok


def test_a_ledger_that_is_gone_stops_no_reduction(world: World) -> None:
    force = world.force
    world.ledger.close()
    for file in world.folder.glob("ledger.db*"):
        file.unlink()
    bare = World(world.folder)
    bare.__dict__["force"] = force
    answer = bare.reduce("L0")
    assert (answer.outcome, answer.spilled) == ("pushed", True)
    assert world.spill.waiting()


# -------------------------------------------------------------------------------------------------------- the venue


def test_halted_blocks_at_the_venue_without_waiting_for_git(world: World) -> None:
    broker = Broker(silent=2)
    world.venue = broker
    answer = world.reduce("L0", Mode.HALTED)
    assert broker.blocked
    assert not broker.cancelled
    assert world.says('TRADING_LIVE_SUBMIT_ENABLED\n              value: "false"')
    assert {one.witness: one.done for one in answer.witnesses} == {"venue block": True, "venue read": True, "git": True}
    assert answer.left == (Position("NVDA", Decimal(8), Decimal(1413)),)
    assert any("venue block: new orders are blocked" in str(entry.body.get("text")) for entry in world.ledger.entries())


def test_killed_cancels_in_parallel_and_the_slow_cancel_holds_nothing_up(world: World) -> None:
    gate = threading.Event()
    broker = Broker(gate=gate)
    world.venue = broker
    world.checkpoint = lambda reached: gate.set() if reached == "pushed" else None
    answer = world.reduce("L0", Mode.KILLED)
    assert answer.outcome == "pushed"
    assert broker.blocked
    assert broker.cancelled
    assert world.says('TRADING_KILL_SWITCH_ENABLED\n              value: "true"')


def test_an_order_without_an_answer_stays_unknown(world: World) -> None:
    world.venue = Broker(unknown=True)
    answer = world.reduce("L0", Mode.KILLED)
    assert answer.unverified == ("venue cancel",)
    assert "buy AMD unknown" in next(one.detail for one in answer.witnesses if one.witness == "venue cancel")


def test_a_venue_that_never_answers_does_not_keep_git_from_it(world: World) -> None:
    world.venue = Broker(silent=99)
    answer = world.reduce("L0", Mode.HALTED)
    assert answer.outcome == "pushed"
    assert set(answer.unverified) == {"venue block", "venue read"}
    assert answer.left is None


def test_a_mode_without_a_mapping_is_carried_out_as_the_next_stricter_one(world: World) -> None:
    postures = {name: spec for name, spec in world.force.policy.spec.postures.items() if name != "HALTED"}
    spec = world.force.policy.spec.model_copy(update={"postures": postures})
    policy = world.force.policy.model_copy(update={"spec": spec})
    world.__dict__["force"] = replace(world.force, policy=policy)
    broker = Broker()
    world.venue = broker
    assert world.reduce("L1", Mode.HALTED).outcome == "pushed"
    assert broker.cancelled
    assert world.says('TRADING_KILL_SWITCH_ENABLED\n              value: "true"')


# -------------------------------------------------------------------------------------------- more than one at a time


def test_the_same_automatic_reduction_by_two_is_one_intent_and_one_commit(world: World) -> None:
    answers = []

    def racer() -> None:
        own = World(world.folder)
        answers.append(own.reduce("L0", automatic=True))
        own.ledger.close()

    threads = [threading.Thread(target=racer) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert all(answer.outcome in ("pushed", "running", "unchanged") for answer in answers), answers
    assert world.commits().count("Step down heron to L0") == 1
    assert [entry.body.get("act") for entry in world.ledger.entries() if entry.kind == "intent"].count("reduce") == 1


def test_what_slips_in_after_a_reduction_is_reduced_again(world: World) -> None:
    assert world.reduce("L0", automatic=True).outcome == "pushed"
    before = world.files()
    world.elsewhere("apps/heron/scheduler.yaml", "value: paper", "value: live", "Slip in")
    answer = world.reduce("L0", automatic=True)
    assert answer.outcome == "pushed"
    assert world.files() == before
    assert world.ledger.state().epoch == 1


def test_a_commit_that_arrived_though_its_answer_was_lost_is_found(world: World) -> None:
    world.repository._timeout = 3
    hook = world.remote / "hooks" / "post-receive"
    gate = world.folder / "gate"
    git("config", "receive.autogc", "false", cwd=world.remote)
    hook.write_text(f"#!/bin/sh\n[ -e {gate} ] && exit 0\n: > {gate}\nkill -9 $PPID\n")
    hook.chmod(0o755)
    answer = world.reduce("L0")
    assert answer.outcome == "pushed"
    assert world.commits().count("Roll back heron to L0") == 1


def test_a_reason_is_owed_after_ten_minutes(world: World) -> None:
    answer = world.reduce("L0")
    now = datetime.now(UTC)
    (early,), (late,) = (owed(world.ledger.state(), now + timedelta(minutes=past)) for past in (0, 11))
    assert (early.intent, late.intent) == (answer.intent, answer.intent)
    assert "is owed, 9:" in early.text
    assert "carol's reduction to L0 IS OVERDUE by " in late.text
    assert owed(world.ledger.state(), now + timedelta(days=2)) == ()


@pytest.mark.parametrize("ledger", ["there", "away"])
def test_a_late_apply_is_fenced_off_where_nothing_is_to_be_lowered(tmp_path: Path, ledger: str) -> None:
    """Between its last look at the ledger and its push somebody rolls back to the stage that is in force."""
    world = World.make(tmp_path)
    before, plan, found = world.files(), world.plan("L1"), []

    def roll_back(reached: str) -> None:
        if reached == "before-push":
            other = World(world.folder)
            if ledger == "away":
                away = world.folder / "away.db"
                other.__dict__["ledger"] = SqlLedger(
                    f"sqlite:///{away}", fold=fold, initial=ControlState(), decide=decide, denial=denial
                )
            found.append(other.reduce("L0"))

    world.checkpoint = roll_back
    late = world.apply(plan, [world.approve(plan)])
    assert [one.outcome for one in found] == ["pushed"]
    assert late.outcome == "abandoned"
    assert world.files() == before
    assert world.head() == found[0].sha
    assert world.commits()[0] == "Roll back heron to L0"
    assert any("epoch" in reason or "took risk out" in reason for reason in late.stale)
