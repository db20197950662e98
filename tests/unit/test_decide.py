"""decide: what the ledger refuses, what it never refuses, and what it does once only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from stages.commands import (
    AdoptPolicy,
    AdoptRoster,
    BeginAdvance,
    BeginReduce,
    ChangeBurnIn,
    Command,
    OpenLatch,
    Quorum,
    RecordApproval,
    RecordOutcome,
    RecordSettled,
    RejectApproval,
    VerifiedApproval,
)
from stages.decide import decide, latch_key
from stages.entries import Draft, Entry, genesis, write
from stages.posture import Mode
from stages.refusal import Refusal
from stages.state import ControlState, fold
from stages.value import replace

NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
MARKET = NOW


class Book:
    """A ledger in memory: decides, writes and folds like the store."""

    def __init__(self) -> None:
        self.last = genesis(ledger="book", actor="alice", fingerprint={"namespace": "heron"}, now=NOW)
        self.state = fold(ControlState(), self.last)

    def command(self, command: Command, now: datetime = NOW) -> Sequence[Entry] | Refusal:
        decision = decide(self.state, command, now)
        if isinstance(decision, Refusal):
            return decision
        return [self.append(draft, now) for draft in decision]

    def append(self, draft: Draft, now: datetime) -> Entry:
        self.last = write(draft, ledger="book", previous=self.last, now=now)
        self.state = fold(self.state, self.last)
        return self.last


@pytest.fixture
def book() -> Book:
    book = Book()
    book.command(AdoptPolicy("alice", "policy", 1, "c0", "ramp.yaml"))
    book.command(AdoptRoster("alice", "roster", "c0", "roster.yaml"))
    book.command(ChangeBurnIn("watch", "L0", "L0-0-1", "PASSED", MARKET, MARKET))
    return book


def approval(approver: str = "bob", *roles: str, nonce: str = "n1", action: str = "act") -> VerifiedApproval:
    return VerifiedApproval(nonce, approver, roles, action, "gates", "roster", NOW, NOW + timedelta(hours=1))


def advance(**changes: object) -> BeginAdvance:
    quorum = Quorum("act", (approval(),), 1, {}, frozenset({"alice", "dave"}))
    command = BeginAdvance(
        actor="alice",
        intent="i1",
        plan_id="p1",
        action="act",
        from_stage="L0",
        to_stage="L1",
        epoch=0,
        policy="policy",
        roster="roster",
        expires=NOW + timedelta(hours=1),
        market=MARKET,
        quorum=quorum,
        top=3,
        to_index=1,
        burn_in_run="L0-0-1",
        blobs={"a.yaml": "b1"},
        base="c0",
        confirmation="ADVANCE heron L0 L1 GROSS 5,000",
        signature="sig",
    )
    return replace(command, **changes)  # type: ignore[arg-type]


def code(answer: Sequence[Entry] | Refusal) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def breach(effective: int = 1, trigger: str = "gross", cause: str = "gross") -> OpenLatch:
    return OpenLatch("watch", trigger, cause, "3 of 3", Mode.REDUCE_ONLY, "-1", effective, "L1", ("risk", "trader"))


def test_an_advance_consumes_its_approvals_before_anything_is_pushed(book: Book) -> None:
    entries = book.command(advance())
    assert not isinstance(entries, Refusal)
    assert [entry.kind for entry in entries] == ["intent"]
    assert book.state.consumed == {"n1"}
    assert book.state.unresolved[0].id == "i1"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"expires": NOW}, "plan-expired"),
        ({"epoch": 7}, "stale-epoch"),
        ({"policy": "other"}, "stale-policy"),
        ({"roster": "other"}, "stale-roster"),
        ({"signature": ""}, "unsigned"),
        ({"burn_in_run": "L0-0-9"}, "burn-in"),
        ({"quorum": Quorum("act", (), 1)}, "approval"),
        ({"quorum": Quorum("act", (approval(action="another"),), 1)}, "approval"),
        ({"quorum": Quorum("act", (approval(),), 1, {"risk": 1})}, "approval"),
        ({"quorum": Quorum("act", (approval("dave"),), 1, {}, frozenset({"dave"}))}, "approval"),
        ({"quorum": Quorum("act", (approval("alice"),), 1)}, "approval"),
        ({"quorum": Quorum("act", (approval(), approval(nonce="n2")), 2)}, "approval"),
    ],
)
def test_an_advance_is_refused(book: Book, changes: dict[str, object], expected: str) -> None:
    assert code(book.command(advance(**changes))) == expected
    assert not book.state.intents


@pytest.mark.parametrize("ended", ["INCONCLUSIVE", "FAILED", "ABORTED"])
def test_an_advance_rests_on_no_run_that_ended_otherwise(book: Book, ended: str) -> None:
    book.command(ChangeBurnIn("watch", "L0", "L0-0-2", ended, MARKET, MARKET))
    assert code(book.command(advance(burn_in_run="L0-0-2"))) == "burn-in"


def test_one_person_with_two_roles_fills_one_seat(book: Book) -> None:
    two_seats = Quorum("act", (approval("bob", "risk", "designated"), approval("eve", "trader", nonce="n2")), 2,
                       {"risk": 1, "designated": 1})  # fmt: skip
    assert code(book.command(advance(quorum=two_seats))) == "approval"
    filled = replace(two_seats, approvals=(approval("bob", "risk", "designated"), approval("eve", "risk", nonce="n2")))
    assert not isinstance(book.command(advance(quorum=filled)), Refusal)


def test_an_expired_approval_does_not_count(book: Book) -> None:
    late = NOW + timedelta(hours=2)
    assert code(book.command(advance(expires=late + timedelta(hours=1)), late)) == "approval"


def test_two_applies_race_on_one_approval(book: Book) -> None:
    book.command(advance())
    book.command(RecordOutcome("alice", "i1", "pushed", "sha"))
    book.command(RecordSettled("watch", "i1", True, "sha"))
    again = book.command(advance(intent="i2", plan_id="p2"))
    assert code(again) == "approval"


def test_a_plan_is_applied_once(book: Book) -> None:
    book.command(advance())
    book.command(RecordOutcome("alice", "i1", "rejected"))
    fresh = Quorum("act", (approval(nonce="n2"),), 1)
    assert code(book.command(advance(intent="i2", quorum=fresh))) == "plan-used"


def test_an_unknown_outcome_blocks_an_advance_and_no_reduction(book: Book) -> None:
    book.command(advance())
    fresh = Quorum("act", (approval(nonce="n2"),), 1)
    assert code(book.command(advance(intent="i2", plan_id="p2", quorum=fresh))) == "outcome-unknown"
    reduced = book.command(BeginReduce("carol", "r1", "L1", "L0", Mode.NORMAL, MARKET, "by hand"))
    assert not isinstance(reduced, Refusal)


def test_an_open_latch_blocks_an_advance(book: Book) -> None:
    book.command(breach(effective=2))
    assert code(book.command(advance())) == "posture"


def test_a_rejected_plan_is_dead(book: Book) -> None:
    book.command(RejectApproval("bob", "p1", "act", "too early"))
    assert code(book.command(advance())) == "rejected"
    assert code(book.command(RecordApproval("bob", "p1", approval()))) == "rejected"


def test_a_reduction_raises_the_epoch_and_makes_older_plans_stale(book: Book) -> None:
    book.command(BeginReduce("carol", "r1", "L1", "L0", Mode.NORMAL, MARKET, "by hand"))
    book.command(RecordOutcome("carol", "r1", "unchanged"))
    assert book.state.epoch == 1
    assert code(book.command(advance())) == "stale-epoch"


def test_a_reduction_is_never_refused(book: Book) -> None:
    book.command(advance())
    book.command(breach())
    for number in range(3):
        answer = book.command(BeginReduce("carol", f"r{number}", "L1", "L0", Mode.HALTED, MARKET, "by hand"))
        assert not isinstance(answer, Refusal)
        assert answer


def test_an_automatic_reduction_under_way_is_not_begun_twice(book: Book) -> None:
    begin = BeginReduce("watch", "r1", "L1", "L0", Mode.REDUCE_ONLY, MARKET, "gross", automatic=True)
    assert book.command(begin)
    assert book.command(replace(begin, intent="r2")) == []
    assert book.command(replace(begin, intent="r3", mode=Mode.HALTED))


def test_the_same_intent_is_begun_once_whoever_comes_second(book: Book) -> None:
    begin = BeginReduce("alice", "k1", "L1", "L0", Mode.KILLED, MARKET, "by hand")
    begun = book.command(begin)
    assert not isinstance(begun, Refusal)
    assert [entry.kind for entry in begun] == ["latch-opened", "intent"]
    assert book.command(begin) == []
    assert book.state.epoch == 1


def test_a_latch_opens_once_and_resolves_its_cap_once(book: Book) -> None:
    book.command(breach(effective=3))
    book.command(breach(effective=2))
    assert [latch.cap for latch in book.state.latches.values()] == [2]


def test_a_latch_stays_one_across_the_epoch_that_its_own_reduction_raises(book: Book) -> None:
    book.command(breach())
    book.command(BeginReduce("watch", "r1", "L1", "L0", Mode.REDUCE_ONLY, MARKET, "gross", automatic=True))
    assert book.command(breach()) == []
    assert len(book.state.latches) == 1


def test_the_cap_below_the_lowest_stage_is_the_lowest_stage(book: Book) -> None:
    book.command(breach(effective=0))
    assert [latch.cap for latch in book.state.latches.values()] == [0]


def test_the_latch_key_names_trigger_cause_and_epoch() -> None:
    assert latch_key("gross", "NVDA", 4) == "gross/NVDA/4"


def test_an_older_policy_and_a_looser_one_without_approval_are_refused(book: Book) -> None:
    assert code(book.command(AdoptPolicy("alice", "p2", 1, "c1", "ramp.yaml"))) == "version"
    looser = AdoptPolicy("alice", "p2", 2, "c1", "ramp.yaml", looser=("maxGrossExposure of L1",))
    assert code(book.command(looser)) == "approval"
    signed = replace(looser, quorum=Quorum("adopt", (approval(action="adopt"),), 1))
    assert not isinstance(book.command(signed), Refusal)
    assert book.state.policy
    assert book.state.policy.version == 2
    assert "n1" in book.state.consumed


def test_another_roster_needs_the_roster_in_force(book: Book) -> None:
    assert code(book.command(AdoptRoster("alice", "r2", "c1", "roster.yaml"))) == "approval"


def test_a_burn_in_run_ends_once(book: Book) -> None:
    book.command(ChangeBurnIn("watch", "L1", "L1-0-1", "FAILED", MARKET, MARKET))
    assert book.command(ChangeBurnIn("watch", "L1", "L1-0-1", "PASSED", MARKET, MARKET)) == []
    assert book.state.runs["L1"].state == "FAILED"


def test_an_outcome_that_is_known_is_not_told_again(book: Book) -> None:
    book.command(advance())
    assert book.command(RecordOutcome("alice", "i1", "pushed", "sha"))
    assert book.command(RecordOutcome("alice", "i1", "rejected")) == []
    assert book.state.intents["i1"].outcome == "pushed"


def test_the_newest_holder_of_the_watch_and_whether_it_acts_are_state(book: Book) -> None:
    def lease(state: str, holder: str, **more: object) -> None:
        book.append(Draft("lease", None, None, holder, {"state": state, "holder": holder, "term": 1, **more}), NOW)

    lease("taken", "watch@a", acting=True)
    assert (book.state.watch, book.state.acting) == ("watch@a", True)
    lease("taken", "watch@b", acting=False)
    lease("released", "watch@a")
    assert (book.state.watch, book.state.acting) == ("watch@b", False)
    lease("released", "watch@b")
    assert (book.state.watch, book.state.acting) == ("", False)
