"""Clearing: nobody clears early, nobody clears without right, and what was killed comes back by a restore only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stages.clearing import Clearance, clearances, judge
from stages.commands import (
    BeginReduce,
    BeginRestore,
    BeginResume,
    ClearLatch,
    Command,
    DeclareIncident,
    Explain,
    OpenLatch,
    PermitReduce,
    Quorum,
    ResolveIncident,
    VerifiedApproval,
)
from stages.decide import MANUAL_KILL, decide, denial
from stages.entries import Draft
from stages.incidents import latch_for
from stages.posture import ClearRule, Latch, Mode
from stages.refusal import Refusal
from stages.value import replace
from stages.watching import WatchState
from tests.unit.watched import Watched, make_policy, policy_document

LIMIT = {"by": ["risk", "trader"], "good": "30s", "hold": "15s"}


def world(**changes: Any) -> Watched:
    """A world with one limit trigger, cleared by risk and trader after half a minute of good readings."""
    triggers = policy_document()["spec"]["triggers"]
    gross = triggers["grossLimit"] | {"clear": LIMIT | changes}
    return Watched(make_policy(triggers={"grossLimit": gross}), stage=2)


def only(watched: Watched) -> Latch:
    return next(iter(watched.state.latches.values()))


def waiting(watched: Watched) -> Clearance:
    return judge(watched.policy, watched.state, watched.watch, watched.snapshot, only(watched))


def approval(who: str, *roles: str, action: str = "act", nonce: str = "") -> VerifiedApproval:
    far = datetime(2027, 1, 1, tzinfo=UTC)
    return VerifiedApproval(nonce or f"n-{who}", who, roles, action, "", "roster", far - timedelta(days=90), far)


BOTH = Quorum("act", (approval("bob", "risk"), approval("erin", "trader")), 0)


def clear(watched: Watched, **changes: Any) -> ClearLatch:
    found = waiting(watched)
    command = ClearLatch("alice", found.latch.key, gone=found.gone, why=found.why, quorum=BOTH)
    return replace(command, **changes)


def refused(watched: Watched, command: Command) -> str:
    """The code of the refusal, which leaves an entry and changes nothing."""
    before = watched.state.latches
    answer = decide(watched.state, command, watched.wall)
    assert isinstance(answer, Refusal), answer
    trace = denial(command, answer)
    assert trace is not None
    watched.append(trace)
    assert watched.state.latches == before
    return answer.code


def test_a_latch_clears_only_after_its_dwell_below_the_clear_level() -> None:
    watched = world().tick(3).tick(3, gross=26000)
    assert refused(watched, clear(watched)) == "not-gone"
    watched.tick(60, gross=21000)
    assert refused(watched, clear(watched)) == "not-gone", "below the limit, above the clear level"
    watched.tick(20, gross=19000)
    assert "of 30 s" in waiting(watched).why
    watched.tick(11)
    assert waiting(watched).gone
    watched.decide(clear(watched))
    assert watched.state.latches == {}
    assert watched.state.consumed == {"n-bob", "n-erin"}


def test_a_latch_is_held_for_its_time_even_when_its_cause_is_gone() -> None:
    watched = world(good="0s", hold="60s").tick(3).tick(3, gross=26000).tick(5, gross=100)
    assert waiting(watched).waits == ("held for another 55 s",)
    watched.tick(56)
    assert waiting(watched).gone


def test_what_cannot_be_seen_never_helps_a_clear() -> None:
    watched = world().tick(3).tick(3, gross=26000).tick(20, gross=100)
    watched.silent = True
    watched.tick(60)
    assert refused(watched, clear(watched)) == "not-gone"
    watched.silent = False
    watched.tick(20)
    assert not waiting(watched).gone, "the gap has emptied the dwell"
    watched.tick(15)
    assert waiting(watched).gone


def test_a_cause_of_several_signals_is_gone_only_where_all_of_them_are_seen() -> None:
    limit = policy_document()["spec"]["triggers"]["grossLimit"]
    both = limit | {"signals": ["gross", "order"], "clear": LIMIT | {"good": "5s", "hold": "0s"}}
    watched = Watched(make_policy(triggers={"limits": both}), stage=2)
    watched.tick(3).tick(3, gross=26000).tick(20, gross=100)
    assert waiting(watched).gone
    watched.frozen.add("order")
    watched.tick(20)
    assert waiting(watched).waits == ("its cause is not seen gone",)


def test_a_loss_waits_for_the_next_session() -> None:
    watched = world(good="0s", hold="0s", nextSession=True).tick(3).tick(3, gross=26000).tick(5, gross=100)
    assert waiting(watched).waits == ("not before the next session",)
    watched.wall = datetime(2026, 11, 25, 14, 31, tzinfo=UTC)
    watched.tick(3)
    assert waiting(watched).gone


def test_a_restart_a_night_and_a_reload_clear_nothing() -> None:
    watched = world().tick(3).tick(3, gross=26000)
    watched.watch = WatchState.start()
    watched.wall += timedelta(hours=30)
    watched.policy = make_policy(triggers={})
    watched.tick(20, gross=0)
    assert [one.trigger for one in watched.state.latches.values()] == ["grossLimit"]


@pytest.mark.parametrize(
    ("quorum", "code"),
    [
        (None, "approval"),
        (Quorum("act", (approval("bob", "risk"),), 0), "approval"),
        (Quorum("act", (approval("bob", "risk", "trader"),), 0), "approval"),
        (Quorum("act", (approval("bob", "risk"), approval("erin", "trader", action="other")), 0), "approval"),
        (Quorum("act", (approval("bob", "operator"), approval("erin", "trader")), 0), "approval"),
    ],
)
def test_a_clear_without_right_is_refused_and_recorded(quorum: Quorum | None, code: str) -> None:
    watched = world(good="0s", hold="0s").tick(3).tick(3, gross=26000).tick(5, gross=100)
    assert refused(watched, clear(watched, quorum=quorum)) == code
    assert watched.last.kind == "latch-clear-refused"
    assert watched.last.body["key"] == only(watched).key


def test_any_of_the_roles_is_enough_where_the_policy_says_so() -> None:
    watched = world(good="0s", hold="0s", each=False).tick(3).tick(3, gross=26000).tick(5, gross=100)
    watched.decide(clear(watched, quorum=Quorum("act", (approval("erin", "trader"),), 0)))
    assert watched.state.latches == {}


def test_one_key_press_by_an_operator_and_by_nobody_else() -> None:
    quick = {"by": ["operator"], "approval": False, "good": "0s", "hold": "0s"}
    watched = world(**quick).tick(3).tick(3, gross=26000).tick(5, gross=100)
    assert refused(watched, clear(watched, quorum=None, roles=("trader",))) == "role"
    watched.decide(clear(watched, quorum=None, roles=("operator",)))
    assert watched.state.latches == {}


def test_an_explanation_is_asked_where_the_policy_asks_and_stands_for_evidence_that_stays() -> None:
    watched = world(gone=False, good="0s", hold="0s").tick(3).tick(6, gross=26000)
    assert refused(watched, clear(watched)) == "explanation"
    watched.decide(clear(watched, explanation="one order by hand, agreed with risk"))
    assert watched.state.latches == {}


def test_only_who_may_clear_it_explains_what_a_break_was() -> None:
    watched = world().tick(3).tick(3, gross=26000)
    key = only(watched).key
    assert refused(watched, Explain("alice", key, "a late fill", ("operator",))) == "role"
    assert not isinstance(decide(watched.state, Explain("bob", key, "a late fill", ("risk",)), watched.wall), Refusal)


def test_an_explanation_is_asked_of_a_cause_that_is_seen_gone_as_well() -> None:
    watched = world(explain=True, good="0s", hold="0s").tick(3).tick(3, gross=26000).tick(5, gross=100)
    assert waiting(watched).gone
    assert refused(watched, clear(watched)) == "explanation"
    watched.decide(clear(watched, explanation="a fill that came late"))
    assert watched.state.latches == {}


def test_only_what_says_so_ends_by_itself() -> None:
    watched = world(good="0s", hold="0s").tick(3).tick(3, gross=26000).tick(5, gross=100)
    assert refused(watched, clear(watched, quorum=None, by_itself=True)) == "role"


def test_after_a_clear_the_same_cause_latches_again_and_older_plans_are_stale() -> None:
    watched = world(good="0s", hold="0s").tick(3).tick(3, gross=26000).tick(5, gross=100)
    epoch = watched.state.epoch
    watched.decide(clear(watched))
    assert watched.state.epoch == epoch + 1
    watched.tick(3, gross=26000)
    assert [one.trigger for one in watched.state.latches.values()] == ["grossLimit"]


def test_an_incident_has_to_be_resolved_before_its_latch_clears() -> None:
    watched = world().tick(3)
    latch = latch_for(
        watched.policy, actor="carol", incident="INC-1", severity="SEV3", title="odd", effective=2,
        market=watched.market,
    )  # fmt: skip
    watched.decide(DeclareIncident("carol", "INC-1", "SEV3", "odd", latch))
    watched.tick(1)
    assert waiting(watched).waits == ("incident INC-1 is open",)
    watched.decide(ResolveIncident("carol", "INC-1", "a typo"))
    assert waiting(watched).gone


def kill(watched: Watched) -> None:
    watched.decide(BeginReduce("alice", "k1", "L2", "L0", Mode.KILLED, watched.market, "by hand"))


def restore(watched: Watched, **changes: Any) -> BeginRestore:
    command = BeginRestore(
        actor="alice", intent="r1", from_stage="L2", to_stage="L0", to_index=0, market=watched.market,
        epoch=watched.state.epoch, policy="policy", roster="roster", quorum=BOTH, standing=Mode.KILLED,
        gone=True, reconciled=True, positions_known=True, signature="sig",
    )  # fmt: skip
    return replace(command, **changes)


def settled() -> Watched:
    watched = world().tick(3)
    kill(watched)
    watched.append(Draft("outcome", None, "k1", "alice", {"outcome": "pushed", "sha": "abc"}))
    return watched


def test_a_kill_by_hand_is_held_at_the_lowest_stage_until_it_is_restored() -> None:
    watched = settled()
    latch = only(watched)
    assert (latch.trigger, latch.mode, latch.cap, latch.epoch) == (MANUAL_KILL, Mode.KILLED, 0, watched.state.epoch)
    assert refused(watched, clear(watched, gone=True)) == "restore-only"
    watched.decide(restore(watched))
    assert watched.state.latches == {}
    assert watched.state.intents["r1"].to_stage == "L0"


def test_a_second_kill_adds_no_second_latch() -> None:
    watched = settled()
    watched.decide(BeginReduce("bob", "k2", "L0", "L0", Mode.KILLED, watched.market, "again"))
    assert len(watched.state.latches) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"gone": False}, "not-gone"),
        ({"reconciled": False}, "not-gone"),
        ({"positions_known": False}, "not-gone"),
        ({"to_index": 1, "to_stage": "L1"}, "order"),
        ({"signature": ""}, "unsigned"),
        ({"epoch": 0}, "stale-epoch"),
        ({"policy": "other"}, "stale-policy"),
        ({"roster": "other"}, "stale-roster"),
        ({"quorum": Quorum("act", (approval("bob", "risk"),), 1)}, "approval"),
        ({"quorum": Quorum("act", (approval("bob", "trader"), approval("erin", "trader")), 2)}, "approval"),
    ],
)
def test_a_restore_is_refused_and_recorded(changes: dict[str, Any], code: str) -> None:
    watched = settled()
    assert refused(watched, restore(watched, **changes)) == code
    assert watched.last.kind == "latch-clear-refused"


def test_a_restore_waits_for_what_else_is_held() -> None:
    watched = settled()
    halt = OpenLatch("watch", "account", "other account", "", Mode.HALTED, None, 2, "L2", ("risk",))
    watched.decide(halt)
    assert refused(watched, restore(watched)) == "posture"


def test_nothing_killed_is_nothing_to_restore() -> None:
    watched = world().tick(1)
    assert refused(watched, restore(watched, standing=Mode.NORMAL)) == "not-killed"


def resume(watched: Watched, **changes: Any) -> BeginResume:
    command = BeginResume(
        actor="alice", intent="u1", stage="L2", stage_index=2, top=2, mode=Mode.NORMAL, standing=Mode.HALTED,
        market=watched.market, epoch=watched.state.epoch, policy="policy", roster="roster", roles=("operator",),
        approved=2, signature="sig",
    )  # fmt: skip
    return replace(command, **changes)


def test_a_mode_is_lifted_only_when_nothing_asks_for_it() -> None:
    watched = world(good="0s", hold="0s").tick(3).tick(3, gross=26000).tick(5, gross=100)
    assert refused(watched, resume(watched)) == "posture"
    assert refused(watched, resume(watched, mode=Mode.REDUCE_ONLY)) == "posture", "the cap is below the stage"
    watched.decide(clear(watched))
    assert refused(watched, resume(watched, standing=Mode.KILLED)) == "restore-only"
    assert refused(watched, resume(watched, mode=Mode.HALTED)) == "order"
    assert refused(watched, resume(watched, approved=1)) == "order", "Git is above what was carried out"
    assert refused(watched, resume(watched, roles=("risk", "designated"))) == "role"
    assert refused(watched, resume(watched, policy="another")) == "stale-policy"
    assert refused(watched, resume(watched, roster="another")) == "stale-roster"
    assert refused(watched, resume(watched, epoch=0)) == "stale-epoch"
    assert refused(watched, resume(watched, signature="")) == "unsigned"
    watched.decide(resume(watched))
    assert watched.state.intents["u1"].kind == "resume"


def test_a_permit_is_scoped_short_and_for_a_halt_alone() -> None:
    watched = world().tick(1)
    until = watched.wall + timedelta(minutes=5)
    permit = PermitReduce("alice", "p1", "NVDA", Decimal(3), until, timedelta(minutes=10))
    assert refused(watched, permit) == "not-halted"
    kill(watched)
    assert refused(watched, replace(permit, quantity=Decimal(0))) == "quantity"
    assert refused(watched, replace(permit, until=watched.wall + timedelta(hours=1))) == "life"
    watched.decide(permit)
    assert (watched.state.permits["p1"].symbol, watched.state.permits["p1"].until) == ("NVDA", until)


def test_a_latch_keeps_the_rule_it_was_opened_with() -> None:
    watched = world().tick(3).tick(3, gross=26000)
    watched.policy = make_policy(triggers={"grossLimit": policy_document()["spec"]["triggers"]["grossLimit"]})
    assert only(watched).rule == ClearRule(good=timedelta(seconds=30), hold=timedelta(seconds=15))
    strictest = clearances(watched.policy, watched.state, watched.watch, watched.snapshot)
    assert [one.who for one in strictest] == ["risk and trader, signed"]
