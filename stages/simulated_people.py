"""People of a scenario: what they ask of the ledger in their second, and how it answers, by the commands of everybody.

A person acts on what the watch has seen in that very second, so that a key pressed too early is refused as it would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from datetime import datetime, timedelta
from typing import Final, Protocol

from stages.authority import Action, action_digest, advance_action
from stages.clearing import clear_action, restore_action
from stages.clearing import judge as judge_latch
from stages.commands import (
    Acknowledge,
    BeginAdvance,
    BeginRestore,
    BeginResume,
    ClearLatch,
    Command,
    Quorum,
    ResolveIncident,
    VerifiedApproval,
)
from stages.gates import GateFacts, judge_gates
from stages.plan import Plan
from stages.policy import Policy
from stages.posture import Mode, join
from stages.refusal import Refusal
from stages.releases import RESTORE_APPROVALS
from stages.resuming import approved, lift
from stages.rows import books_of
from stages.scenario import Act, ClearAct, Event, MoveAct, Scenario
from stages.signals import ReadControls, Snapshot
from stages.state import ControlState
from stages.value import Struct
from stages.verdict import Evaluation, RowState, WatchPresence
from stages.watching import WatchState

_CLEAN: Final = frozenset({RowState.OK, RowState.WARN, RowState.INFO})
_LIFE: Final = timedelta(hours=1)
_SIGNED: Final = "signed in the scenario"


class Seen(Struct, frozen=True):
    """What there is to act on in one second."""

    policy: Policy
    digest: str
    scenario: Scenario
    state: ControlState
    watch: WatchState
    snapshot: Snapshot
    evaluation: Evaluation
    presence: WatchPresence
    head: str

    @property
    def now(self) -> datetime:
        return self.snapshot.wall


class Office(Protocol):
    """The ledger and the branch, as people reach them."""

    def seen(self) -> Seen: ...
    def record(self, command: Command) -> Refusal | None: ...
    def intent(self) -> str:
        """The name of the next intent."""

    def controls(self) -> ReadControls:
        """What the branch's head says."""

    def plan(self, stage: int, by: str, *, mode: Mode = Mode.NORMAL, only: Set[str] | None = None) -> Plan: ...
    def reduce(self, by: str, stage: int, mode: Mode) -> None:
        """Begins a reduction: the venue is told what the mode asks for, the branch follows."""

    def publish(self, intent: str, stage: int, *, mode: Mode, only: Set[str] | None, lets_go: bool) -> None:
        """Pushes a stage in a mode when it is due; ``lets_go``: the venue takes orders again after it."""


class Answer(Struct, frozen=True):
    """What came of an act; ``why`` says why not, or what it did."""

    act: str
    done: bool
    why: str = ""


def answers(office: Office, event: Event) -> Iterator[Answer]:
    """Carries out the acts of an event, one after the other."""
    if event.kill is not None:
        office.reduce(event.kill.by, 0, Mode.KILLED)
        yield Answer("kill", done=True)
    if event.rollback is not None:
        yield _rollback(office, event.rollback)
    if event.acknowledge is not None:
        yield _acknowledge(office, event.acknowledge.by, event.acknowledge.alarm)
    if event.resolve is not None:
        command = ResolveIncident(event.resolve.by, event.resolve.incident, event.resolve.says)
        yield _answer("resolve", office.record(command), event.resolve.incident)
    if event.clear is not None:
        yield _clear(office, event.clear)
    if event.resume is not None:
        yield _resume(office, event.resume)
    if event.restore is not None:
        yield _restore(office, event.restore)
    if event.advance is not None:
        yield _advance(office, event.advance)


def _rollback(office: Office, wish: MoveAct) -> Answer:
    seen, stage = office.seen(), office.seen().policy.stage_index(wish.to)
    if stage is None or stage >= seen.evaluation.effective:
        return Answer("rollback", done=False, why=f"{wish.to} is no stage below")
    office.reduce(wish.by, stage, Mode.NORMAL)
    return Answer("rollback", done=True)


def _acknowledge(office: Office, by: str, cause: str) -> Answer:
    alarm = next((one for one in office.seen().evaluation.alarms if one.cause == cause), None)
    if alarm is None:
        return Answer("acknowledge", done=False, why="no such alarm rings")
    return _answer("acknowledge", office.record(Acknowledge(by, alarm.key, "seen")), alarm.text)


def _clear(office: Office, wish: ClearAct) -> Answer:
    seen = office.seen()
    latch = next((one for one in seen.state.latches.values() if one.trigger == wish.latch), None)
    if latch is None:
        return Answer("clear", done=False, why=f"{wish.latch} holds nothing")
    found = judge_latch(seen.policy, seen.state, seen.watch, seen.snapshot, latch)
    command = ClearLatch(
        actor=wish.by,
        key=latch.key,
        gone=found.gone,
        why=found.why,
        roles=tuple(seen.scenario.spec.people[wish.by]),
        quorum=_quorum(seen, clear_action(seen.policy, latch), wish, 1) if latch.rule.approval else None,
        explanation=wish.because,
    )
    return _answer("clear", office.record(command), latch.trigger)


def _resume(office: Office, wish: Act) -> Answer:
    """Lifts what the mode in Git and at the venue still holds, as far as the open latches let it."""
    seen, intent = office.seen(), office.intent()
    venue = seen.snapshot.venue
    if venue is not None and venue.error:
        return Answer("resume", done=False, why=venue.error)
    found = lift(seen.policy, seen.state, office.controls(), blocked=venue is not None and venue.blocked)
    if isinstance(found, Refusal):
        return _answer("resume", found)
    plan = office.plan(found.stage, wish.by, mode=found.mode, only=found.controls)
    command = BeginResume(
        actor=wish.by,
        intent=intent,
        stage=plan.to_stage,
        stage_index=found.stage,
        top=seen.policy.top,
        mode=found.mode,
        standing=found.standing.mode,
        market=seen.snapshot.market,
        epoch=seen.state.epoch,
        policy=seen.digest,
        roster=seen.digest,
        roles=tuple(seen.scenario.spec.people[wish.by]),
        approved=approved(seen.policy, seen.state),
        unblock=found.unblock,
        blobs=_blobs(plan),
        base=seen.head,
        signature=_SIGNED,
    )
    return _publish(office, "resume", command, plan, found.mode, found.controls, lets_go=found.unblock)


def _restore(office: Office, wish: Act) -> Answer:
    seen, intent = office.seen(), office.intent()
    plan, venue = office.plan(0, wish.by), seen.snapshot.venue
    killing = [latch for latch in seen.state.latches.values() if latch.killed]
    found = [judge_latch(seen.policy, seen.state, seen.watch, seen.snapshot, latch) for latch in killing]
    books = books_of(seen.policy, seen.evaluation.rows)
    command = BeginRestore(
        actor=wish.by,
        intent=intent,
        from_stage=seen.policy.stages[seen.evaluation.effective].name,
        to_stage=plan.to_stage,
        to_index=0,
        market=seen.snapshot.market,
        epoch=seen.state.epoch,
        policy=seen.digest,
        roster=seen.digest,
        quorum=_quorum(seen, restore_action(seen.policy, seen.state), wish, RESTORE_APPROVALS),
        standing=seen.evaluation.standing.mode,
        gone=all(one.gone for one in found),
        reconciled=all(row.state in _CLEAN for row in books),
        positions_known=venue is not None and not venue.error,
        why=tuple(f"{one.latch.trigger}: {one.why}" for one in found if not one.gone),
        blobs=_blobs(plan),
        base=seen.head,
        signature=_SIGNED,
    )
    return _publish(office, "restore", command, plan, lets_go=True)


def _advance(office: Office, wish: MoveAct) -> Answer:
    """Every gate is judged, then the approvals; the answer names what stands in the way."""
    seen, intent = office.seen(), office.intent()
    target = seen.policy.stage_index(wish.to)
    assert target is not None
    plan = office.plan(target, wish.by)
    facts = GateFacts(seen.now, seen.presence, rollback_ready=True)
    gates = judge_gates(seen.policy, seen.state, seen.evaluation, plan, facts)
    closed = [f"{gate.gate_id}: {'; '.join(gate.reasons)}" for gate in gates if not gate.passes]
    if closed:
        return Answer("advance", done=False, why=", ".join(closed))
    stage = seen.policy.stages[target]
    run = seen.state.runs.get(plan.from_stage)
    action, needs = advance_action(plan), stage.approvals
    command = BeginAdvance(
        actor=wish.by,
        intent=intent,
        plan_id=plan.id,
        action=action_digest(action),
        from_stage=plan.from_stage,
        to_stage=plan.to_stage,
        epoch=plan.epoch,
        policy=seen.digest,
        roster=seen.digest,
        expires=plan.expires_at,
        market=seen.snapshot.market,
        quorum=_quorum(seen, action, wish, needs.required, needs.roles),
        top=seen.policy.top,
        to_index=target,
        burn_in_run=run.run if run is not None else "",
        blobs=_blobs(plan),
        base=seen.head,
        confirmation=f"ADVANCE {seen.policy.name} {plan.to_stage}",
        signature=_SIGNED,
    )
    return _publish(office, "advance", command, plan, lets_go=False)


def _publish(
    office: Office,
    act: str,
    command: BeginAdvance | BeginRestore | BeginResume,
    plan: Plan,
    mode: Mode = Mode.NORMAL,
    only: Set[str] | None = None,
    *,
    lets_go: bool,
) -> Answer:
    refusal = office.record(command)
    if refusal is None:
        seen = office.seen()
        held, stage = join(seen.state.latches.values(), seen.policy.top), seen.policy.stage_index(plan.to_stage)
        assert stage is not None
        go = lets_go and held.mode < Mode.HALTED
        office.publish(command.intent, stage, mode=mode, only=only, lets_go=go)
    return _answer(act, refusal)


def _quorum(seen: Seen, action: Action, wish: Act, required: int, roles: Mapping[str, int] | None = None) -> Quorum:
    signed = action_digest(action)
    given = (
        VerifiedApproval(
            nonce=f"{name}@{seen.now.isoformat()}/{signed[:8]}",
            approver=name,
            roles=tuple(seen.scenario.spec.people[name]),
            action=signed,
            gate_report="",
            roster=seen.digest,
            issued=seen.now,
            expires=seen.now + _LIFE,
        )
        for name in wish.approved_by
    )
    return Quorum(signed, tuple(given), required, roles or {}, barred=frozenset({wish.by}))


def _blobs(plan: Plan) -> dict[str, str]:
    return {edit.path: edit.blob_after for edit in plan.edits}


def _answer(act: str, refusal: Refusal | None, why: str = "") -> Answer:
    return Answer(act, done=refusal is None, why=why if refusal is None else refusal.reason)
