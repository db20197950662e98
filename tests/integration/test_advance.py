"""Carrying a plan out against a real remote: what is refused, what is noticed, and that it happens once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.approvals import collect, request
from console.procedures.advance import Advanced
from console.procedures.follow import resolve, settle
from console.wiring import SystemClock
from stages.commands import BeginReduce, OpenLatch, RecordCommitted, RecordOutcome
from stages.ladder import Direction
from stages.plan import from_document, to_document
from stages.posture import Mode
from stages.refusal import Trouble
from stages.settling import Truth
from stages.value import replace
from stages.verdict import Gate, GateStatus
from tests.integration.actuation import World, git

GROSS = "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path)


def code(answer: Advanced) -> str:
    assert answer.refusal is not None, answer
    return answer.refusal.code


def test_an_approved_plan_is_one_commit_on_the_remote(world: World) -> None:
    plan = world.plan("L1")
    answer = world.apply(from_document(to_document(plan)), [world.approve(plan)], "advance HERON l0 l1 gross 5000")
    assert answer.ok, answer
    assert world.head() == answer.sha
    assert world.says("value: live")
    info = world.repository.info(answer.sha)
    assert info.trailers["Rampdeck-Plan"] == plan.id
    assert info.trailers["Rampdeck-Stage"] == "L1"
    assert info.trailers["Rampdeck-Approved-By"] == "bob"
    ledger, seq, at = info.trailers["Rampdeck-Ledger"].split()
    entry = world.ledger.entry(int(seq))
    assert entry is not None
    assert (entry.ledger, entry.hash, entry.kind) == (ledger, at, "intent")
    assert world.kinds()[-3:] == ["intent", "committed", "outcome"]
    assert world.ledger.state().last_pushed == world.ledger.state().settling[0]


def test_every_refusal_changes_nothing_and_is_recorded(world: World) -> None:
    plan, before = world.plan("L1"), world.head()
    good = world.approve(plan)
    refusals = {
        "confirmation": world.apply(plan, [good], "ADVANCE heron L0 L2 GROSS 5,000"),
        "approval": world.apply(plan, [good[:-9]]),
        "gate": world.apply(plan, [good], gates=[Gate("drift", GateStatus.UNKNOWN, ("not read",))]),
        "other-target": world.apply(replace(plan, namespace="kiwi"), [good]),
        "safer": world.apply(replace(plan, direction=Direction.SAFER), [good]),
        "blocked": world.apply(replace(plan, refusals=("pinned",)), [good]),
        "unknown-stage": world.apply(replace(plan, to_stage="L9"), [good]),
    }
    assert {name: code(answer) for name, answer in refusals.items()} == {name: name for name in refusals}
    assert world.head() == before
    kinds = world.kinds()[-7:]
    assert kinds == ["confirmation-failed", "approval-refused", "denied", "denied", "denied", "denied", "denied"]
    assert world.apply(plan, [good]).ok


@pytest.mark.parametrize(
    ("who", "changes", "says"),
    [
        ("bob", {"approver": "erin"}, "signature"),
        ("bob", {"environment": "paper"}, "environment"),
        ("bob", {"roster": "old"}, "roster"),
        ("bob", {"action": "00"}, "this action"),
        ("alice", {}, "not the asker"),
        ("bob", {"expires": datetime(2026, 1, 1, tzinfo=UTC)}, "not expired"),
        ("bob", {"answer": "reject", "reason": "too early"}, "rejection"),
    ],
)
def test_an_approval_that_does_not_count_is_named(
    world: World, who: str, changes: dict[str, object], says: str
) -> None:
    plan = world.plan("L1")
    answer = world.apply(plan, [world.approve(plan, who, **changes)])
    assert code(answer) == "approval"
    assert says in answer.message
    assert world.kinds()[-1] == "approval-refused"


def test_too_few_approvals_are_refused_in_the_ledger(world: World) -> None:
    assert code(world.apply(world.plan("L1"), [])) == "approval"
    assert world.kinds()[-1] == "denied"


def test_without_a_key_nothing_is_begun(world: World) -> None:
    plan = world.plan("L1")
    token = world.approve(plan)
    world.key("alice").unlink()
    world.key("alice").with_suffix(".pub").unlink()
    with pytest.raises(Trouble, match="no signing key"):
        world.apply(plan, [token])
    assert "intent" not in world.kinds()


def test_a_key_of_somebody_else_is_refused(world: World) -> None:
    plan = world.plan("L1")
    token = world.approve(plan)
    for ending in ("", ".pub"):
        world.key("bob").with_suffix(ending).replace(world.key("alice").with_suffix(ending))
    assert code(world.apply(plan, [token])) == "operator"


def test_a_burn_in_that_did_not_pass_is_refused_in_the_ledger(world: World) -> None:
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    settle(world.ledger, SystemClock(), actor="watch", truth=Truth(True), convergence=timedelta(minutes=1))
    second = world.plan("L2")
    answer = world.apply(second, [world.approve(second), world.approve(second, "erin")])
    assert code(answer) == "burn-in"


# ------------------------------------------------------------------------------------------------------------ stale


def test_other_commits_do_not_matter(world: World) -> None:
    plan = world.plan("L1")
    token = world.approve(plan)
    world.elsewhere("apps/heron/README.md", "", "\nA word.\n")
    world.elsewhere("docs/notes.md", "", "Hello\n")
    answer = world.apply(plan, [token])
    assert answer.ok, answer
    assert world.commits()[1:3] == ["Elsewhere", "Elsewhere"]


def test_an_edited_file_that_changed_is_stale(world: World) -> None:
    plan = world.plan("L1")
    world.elsewhere("apps/heron/scheduler.yaml", "v1.48.0", "v1.49.0")
    answer = world.apply(plan, [world.approve(plan)])
    assert code(answer) == "stale"
    assert "scheduler.yaml changed since the plan (Carol" in answer.message
    assert answer.departure is not None
    ((path, text),) = answer.departure.files
    assert path == "apps/heron/scheduler.yaml"
    assert text.startswith("--- approved\n+++ today\n") or text == ""
    assert answer.departure.controls == ()


def test_a_value_that_moved_meanwhile_is_shown_beside_the_approved_one(world: World) -> None:
    plan = world.plan("L1")
    world.elsewhere(
        "apps/heron/scheduler.yaml",
        "name: TRADING_MODE\n              value: paper",
        "name: TRADING_MODE\n              value: live",
    )
    answer = world.apply(plan, [world.approve(plan)])
    assert code(answer) == "stale"
    assert answer.departure is not None
    what, approved, today = next(pair for pair in answer.departure.controls if pair[0] == "tradingMode")
    assert (approved, today) == ("paper -> live", "live unchanged")
    document = answer.departure.document()
    assert document["controls"] == [{"what": what, "approved": approved, "today": today}]
    assert any(
        line.startswith("tradingMode: approved paper -> live, today live unchanged") for line in answer.departure.lines
    )


def test_a_selected_object_that_changed_is_stale_and_its_neighbours_are_not(world: World) -> None:
    plan = world.plan("L1")
    token = world.approve(plan)
    assert all(edit.path != "apps/heron/feed.yaml" for edit in plan.edits)
    world.elsewhere("apps/heron/feed.yaml", "", "---\nkind: ConfigMap\nmetadata: {name: other}\n")
    world.elsewhere("apps/heron/feed.yaml", "NVDA", "AAPL")
    answer = world.apply(plan, [token])
    assert code(answer) == "stale"
    assert "ConfigMap/heron-feed" in answer.message


@pytest.mark.parametrize(
    ("trailer", "says"), [("Rampdeck-Epoch: 7", "raised the epoch to 7"), ("PLAN", "carried this plan")]
)
def test_what_another_console_did_makes_it_stale(world: World, trailer: str, says: str) -> None:
    plan = world.plan("L1")
    message = f"By another console\n\n{trailer.replace('PLAN', f'Rampdeck-Plan: {plan.id}')}"
    world.elsewhere("apps/heron/README.md", "", "\nA word.\n", message)
    answer = world.apply(plan, [world.approve(plan)])
    assert code(answer) == "stale"
    assert says in answer.message


def test_an_approver_who_wrote_a_commit_in_the_range_does_not_count(world: World) -> None:
    plan = world.plan("L1")
    world.elsewhere("apps/heron/README.md", "", "\nA word.\n", by="Bob")
    answer = world.apply(plan, [world.approve(plan)])
    assert "not an author" in answer.message


# ------------------------------------------------------------------------------------------------- between the points


def at(world: World, point: str, act: object, times: int = 1) -> None:
    """Do something when a point of the protocol is reached."""
    left = [times]

    def checkpoint(reached: str) -> None:
        if reached == point and left[0]:
            left[0] -= 1
            act()  # type: ignore[operator]

    world.checkpoint = checkpoint


def test_a_branch_that_moves_before_the_push_gets_the_commit_on_top(world: World) -> None:
    plan = world.plan("L1")
    at(world, "before-push", lambda: world.elsewhere("docs/notes.md", "", "Hello\n"))
    answer = world.apply(plan, [world.approve(plan)])
    assert answer.ok, answer
    assert world.commits()[:2] == ["Advance heron L0 -> L1", "Elsewhere"]
    assert world.kinds()[-4:] == ["intent", "committed", "committed", "outcome"]


def test_a_branch_that_moves_under_an_edited_file_ends_it(world: World) -> None:
    plan = world.plan("L1")
    at(world, "before-push", lambda: world.elsewhere("apps/heron/scheduler.yaml", "v1.48.0", "v1.49.0"))
    answer = world.apply(plan, [world.approve(plan)])
    assert answer.outcome == "abandoned"
    assert "branch moved" in answer.message
    assert world.says("value: paper")


def test_a_branch_that_never_rests_ends_it(world: World) -> None:
    plan = world.plan("L1")
    at(world, "before-push", lambda: world.elsewhere("docs/notes.md", "", "Hello\n"), times=99)
    assert world.apply(plan, [world.approve(plan)]).outcome == "abandoned"
    assert world.ledger.state().unresolved == ()


def test_a_reduction_that_begins_meanwhile_wins(world: World) -> None:
    plan = world.plan("L1")
    now = datetime.now(UTC)
    begin = BeginReduce("carol", "r1", "L0", "L0", Mode.NORMAL, now, "by hand")
    at(world, "intent", lambda: world.command(begin))
    answer = world.apply(plan, [world.approve(plan)])
    assert answer.outcome == "abandoned"
    assert "reduction by carol" in answer.message
    assert world.says("value: paper")


def test_a_latch_that_opens_meanwhile_wins(world: World) -> None:
    plan = world.plan("L1")
    latch = OpenLatch("watch", "manual-freeze", "freeze", "by hand", Mode.FROZEN, None, 0, "L0", ())
    at(world, "committed", lambda: world.command(latch))
    assert world.apply(plan, [world.approve(plan)]).outcome == "abandoned"


def test_a_hook_that_rejects_is_an_outcome(world: World) -> None:
    hook = world.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'no change on Fridays' >&2\nexit 1\n")
    hook.chmod(0o755)
    plan = world.plan("L1")
    answer = world.apply(plan, [world.approve(plan)])
    assert answer.outcome == "rejected"
    assert "no change on Fridays" in answer.message
    assert world.ledger.state().unresolved == ()


def test_a_remote_that_goes_away_before_the_push_leaves_an_unknown_outcome(world: World) -> None:
    plan = world.plan("L1")
    away = world.remote.with_name("away.git")
    at(world, "before-push", lambda: world.remote.rename(away))
    assert world.apply(plan, [world.approve(plan)]).outcome == "unknown"
    ports = (world.ledger, world.repository, world.running, SystemClock())
    assert [each.outcome for each in resolve(*ports, actor="alice", grace=timedelta())] == ["unknown"]
    away.rename(world.remote)
    assert [each.outcome for each in resolve(*ports, actor="alice", grace=timedelta())] == ["abandoned"]
    assert world.ledger.state().unresolved == ()


def test_an_act_that_lives_is_not_declared_abandoned(world: World) -> None:
    plan = world.plan("L1")
    found: list[object] = []
    ports = (world.ledger, world.repository, world.running, SystemClock())
    at(world, "committed", lambda: found.extend(resolve(*ports, actor="bob", grace=timedelta())))
    assert world.apply(plan, [world.approve(plan)]).ok
    assert found == []


def test_ctrl_c_before_the_push_changes_nothing(world: World) -> None:
    plan = world.plan("L1")

    def interrupt() -> None:
        raise KeyboardInterrupt

    at(world, "before-push", interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.apply(plan, [world.approve(plan)])
    assert world.says("value: paper")
    assert world.ledger.state().settling == ()


# ------------------------------------------------------------------------------------------------------- racing, replay


def test_two_applies_race_on_one_approval_and_one_wins(world: World) -> None:
    plan = world.plan("L1")
    token = world.approve(plan)
    barrier = threading.Barrier(2)
    answers: list[Advanced] = []

    def racer() -> None:
        own = World(world.folder)

        def wait(reached: str) -> None:
            if reached == "verified":
                barrier.wait(60)

        own.checkpoint = wait
        answers.append(own.apply(plan, [token]))
        own.ledger.close()

    threads = [threading.Thread(target=racer) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert sorted(answer.outcome for answer in answers) == ["pushed", "refused"]
    assert world.commits().count("Advance heron L0 -> L1") == 1
    assert world.kinds().count("denied") == 1
    assert world.kinds().count("intent") == 1


def test_a_plan_is_applied_once(world: World) -> None:
    plan = world.plan("L1")
    token = world.approve(plan)
    assert world.apply(plan, [token]).ok
    again = world.apply(plan, [token])
    assert code(again) == "stale"
    assert world.kinds()[-1] == "denied"


# ----------------------------------------------------------------------------------------------------- inbox, settling


def test_answers_are_collected_from_the_inbox_once(world: World) -> None:
    plan = world.plan("L1")
    clock = SystemClock()
    request(world.ledger, clock, world.inbox, plan=plan, document=to_document(plan), actor="alice")
    request(world.ledger, clock, world.inbox, plan=plan, document=to_document(plan), actor="alice")
    assert world.kinds().count("plan-requested") == 1
    world.inbox.answer(plan.id, "bob", world.approve(plan))
    world.inbox.answer(plan.id, "eve", world.approve(plan, "erin", approver="eve"))

    def gather() -> list[tuple[str, str]]:
        found = collect(
            world.ledger, clock, world.ports.signer, world.inbox, force=world.force, plan=plan, actor="alice"
        )
        return [(opinion.approver, opinion.fault.partition(":")[0]) for opinion in found]

    assert gather() == [("bob", ""), ("eve", "signature")]
    assert gather() == [("bob", "")]
    assert world.kinds().count("approval-recorded") == 1
    assert world.kinds().count("approval-refused") == 1
    world.inbox.answer(plan.id, "erin", world.approve(plan, "erin", answer="reject", reason="too early"), rejected=True)
    gather()
    gather()
    assert world.kinds().count("approval-rejected") == 1
    assert world.ledger.state().rejected[plan.id] == "erin: too early"
    assert code(world.apply(plan, [world.approve(plan)])) == "rejected"


def test_readback_closes_an_act(world: World) -> None:
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    clock = SystemClock()
    long = timedelta(minutes=5)
    assert settle(world.ledger, clock, actor="watch", truth=Truth(None), convergence=long) == ()
    assert settle(world.ledger, clock, actor="watch", truth=Truth(False, "gross"), convergence=long) == ()
    closed = settle(world.ledger, clock, actor="watch", truth=Truth(True), convergence=long)
    assert [entry.kind for entry in closed] == ["converged"]
    assert settle(world.ledger, clock, actor="watch", truth=Truth(True), convergence=long) == ()


def test_an_act_that_does_not_arrive_in_time_has_diverged_and_so_has_a_replaced_one(world: World) -> None:
    plan = world.plan("L1")
    assert world.apply(plan, [world.approve(plan)]).ok
    world.command(BeginReduce("carol", "r1", "L1", "L0", Mode.NORMAL, datetime.now(UTC), "by hand"))
    world.command(RecordCommitted("carol", "r1", "sha"))
    world.command(RecordOutcome("carol", "r1", "pushed", "sha"))
    closed = settle(world.ledger, SystemClock(), actor="watch", truth=Truth(None, "not read"), convergence=timedelta())
    assert [(entry.kind, entry.body["detail"]) for entry in closed] == [
        ("diverged", "replaced by a newer act"),
        ("diverged", "not read"),
    ]


def test_nobodys_checkout_is_touched(world: World) -> None:
    plan = world.plan("L1")
    before = git("status", "--porcelain", "--branch", cwd=world.work)
    assert world.apply(plan, [world.approve(plan)]).ok
    assert git("status", "--porcelain", "--branch", cwd=world.work) == before
