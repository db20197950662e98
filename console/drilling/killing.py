"""The kill drill: probes, a real kill of the paper target, proof that it holds, and the way back by the rule."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from console.containment import heard
from console.drilling.course import Course, Fired, StepWork, plain
from console.drilling.ground import (
    Baseline,
    agrees,
    close_act,
    fingerprint,
    refused_clear,
    stable_book,
    standing_now,
)
from console.drilling.race import Wanted, Word, race
from console.ports import FlagAnswer
from stages.authority import action_digest
from stages.clearing import drill_restore_action
from stages.commands import BeginRestore, Quorum, RecordCommitted, RecordOutcome
from stages.drill import FIRE, FIRED, PROBES, PUT_BACK, RESTARTS, Declared
from stages.entries import Entry
from stages.ladder import Value
from stages.plan import Plan, build
from stages.posture import Latch, Mode
from stages.refusal import Refusal, Trouble
from stages.releases import RESTORE_APPROVALS, RESTORE_ROLES
from stages.state import ControlState
from stages.value import replace

FAR_BELOW, FAR_ABOVE = Decimal(1), Decimal(100_000)
"""Limits at which a probe rests: no symbol trades there."""
ONE: Final = Decimal(1)
APPROVAL_LIFE: Final = timedelta(minutes=30)


class KillCourse:
    """What the steps of one kill drill hand to each other."""

    def __init__(self) -> None:
        self.book: Baseline | None = None
        self.probes: dict[str, str] = {}
        """Planted orders: id, and what it is."""
        self.probe_symbol = ""
        self.intent = ""
        self.answer: Fired | None = None
        self.failure: Trouble | None = None
        self.thread: threading.Thread | None = None
        self.seq_before = 0
        self.effects: tuple[str, ...] = ()
        """What it is declared to cause beside what every kill drill does."""

    def work(self) -> Mapping[str, StepWork]:
        """The work of each step."""
        steps = (
            fingerprint, self._baseline, self._plant, self._clock, self._fire, self._blocked, self._cancelled,
            self._recorded, self._truth, self._restarted, self._synced, self._negative, self._restore,
        )  # fmt: skip
        return {f"D{number}": step for number, step in enumerate(steps)}

    # ------------------------------------------------------------------------------------------------- before the act

    def _baseline(self, course: Course) -> None:
        self.book = stable_book(course)
        reading = self.book.reading
        says = f"{len(reading.open_orders)} orders, {len(reading.positions)} positions, cash {reading.cash}"
        course.find("orders, positions and cash are stored", reading.cash is not None, says)

    def _plant(self, course: Course) -> None:
        venue, universe = course.target.venue, self._universe(course)
        effects = Declared((), (venue.block_reason,), course.quiet_until, (PROBES, RESTARTS, *self.effects))
        course.declare(effects)  # before the first of them happens: whoever watches this account must know
        course.wait(lambda: any(one.symbol in universe for one in heard(venue).positions))
        held = {one.symbol: one for one in heard(venue).positions if one.quantity}
        free = [symbol for symbol in universe if symbol not in held]
        with_position = next((symbol for symbol in held if symbol in universe), None)
        if free:
            self.probe_symbol = free[0]
            self._send(course, free[0], "buy", FAR_BELOW, "no position")
        else:
            course.find("a symbol without position is there to probe", False, "the account holds every one")
        if with_position:
            self._send(course, with_position, "sell", FAR_ABOVE, "has position")
        else:
            course.find("a symbol with a position is there to probe", False, "the account holds none")
        working = {order.order_id for order in heard(venue).open_orders}
        course.find("every planted order is open at the venue", set(self.probes) <= working, ", ".join(self.probes))
        course.declare(replace(effects, orders=tuple(self.probes)))

    @staticmethod
    def _universe(course: Course) -> list[str]:
        """Symbols that the target may hold at its highest stage, in the policy's order."""
        value = course.target.policy.resolved[-1].get("universe")
        return list(value) if isinstance(value, tuple) else []

    def _send(self, course: Course, symbol: str, side: str, limit: Decimal, what: str) -> None:
        said = course.target.venue.submit(symbol, side, ONE, limit)
        course.note("venue", plain(said))
        if said.accepted:
            self.probes[said.order_id] = f"{side} {ONE} {symbol} {limit:,.2f}"
        says = f"probe {side} {ONE} {symbol} {limit:,.2f}, {what}, is taken"
        course.find(says, said.accepted, said.order_id or said.reason, subject=said.order_id)

    @staticmethod
    def _clock(course: Course) -> None:
        course.find("the clock runs", True, f"{course.around.clock.wall():%H:%M:%S.%fZ}")

    def tidy(self, course: Course) -> None:
        """Take back the probes, and lift by the rule what was fired. Raises Trouble when that is refused."""
        venue = course.target.venue
        if course.fired_at is not None:
            self._join(course)
            odd = self.book.missing(heard(venue), venue.fills()) if self.book else ("no book before",)
            refusal = restore(course, reconciled=not odd, seconds=course.drill.step(PUT_BACK).budget.total_seconds())
            if refusal is not None:
                raise Trouble(f"the kill was not lifted: {refusal.reason}")
            venue.unblock()
            self._take_flag_back(course)
            self._settle(course, converged=False)
        for order_id in self.probes:
            course.note("venue", {"cancel": order_id, "answer": venue.cancel(order_id)})

    def _settle(self, course: Course, *, converged: bool) -> None:
        close_act(course, self.intent, self.answer.sha if self.answer is not None else "", converged=converged)

    def _join(self, course: Course) -> None:
        """Wait for the act's own answer, within what it may take."""
        if self.thread is not None:
            self.thread.join(course.drill.step(FIRE).budget.total_seconds())

    # ---------------------------------------------------------------------------------------------------- the act

    def _fire(self, course: Course) -> None:
        target = course.target
        self.seq_before = target.ledger.head().seq
        before = heard(target.venue).blocked
        self.thread = threading.Thread(target=self._carry_out, args=(course,), name="drill fire", daemon=True)
        self.thread.start()
        written = course.wait(lambda: self._begun(course))
        course.find(f"fired {FIRED[course.path]}", written, self.intent[:8] or str(self.failure or "not fired"))
        course.find("nothing was blocked before it", not before)

    def _begun(self, course: Course) -> bool:
        """Whether the act's intent stands; the clock starts at the moment at which it was written."""
        entry = course.intent_since(self.seq_before)
        if entry is None:
            if self.failure is not None:
                raise self.failure
            return False
        self.intent = entry.intent or ""
        course.mark_fired(entry.at)
        return True

    def _carry_out(self, course: Course) -> None:
        try:
            self.answer = course.target.fire(0, Mode.KILLED)
        except Trouble as trouble:
            self.failure = trouble

    def _blocked(self, course: Course) -> None:
        venue = course.target.venue
        blocked = course.wait(lambda: heard(venue).blocked)
        course.find("the venue says that it is blocked", blocked)
        symbol = self.probe_symbol or next(iter(self._universe(course)), "")
        said = venue.submit(symbol, "buy", ONE, FAR_BELOW)
        course.note("venue", plain(said))
        if said.accepted:
            self.probes[said.order_id] = f"buy {ONE} {symbol} after the kill"
        refused = not said.accepted and said.reason == venue.block_reason
        course.find(
            "a probe order is refused with the kill's own reason", refused, said.reason or f"taken as {said.order_id}",
            expected=venue.block_reason, negative=True,
        )  # fmt: skip

    def _cancelled(self, course: Course) -> None:
        venue, waiting = course.target.venue, dict(self.probes)

        def gone() -> bool:
            working = {order.order_id for order in heard(venue).open_orders}
            for order_id in [one for one in waiting if one not in working]:
                course.find(f"{waiting.pop(order_id)} is gone at the venue", True, "CANCELLED", subject=order_id)
            return not waiting

        course.wait(gone)
        try:
            open_now = {order.order_id for order in heard(venue).open_orders}
        except Trouble as trouble:
            course.note("trouble", trouble.line)
            open_now = set()
        for order_id, what in waiting.items():
            said = (False, "STILL OPEN") if order_id in open_now else (None, "ASKED, NO ANSWER")
            course.find(f"{what} is gone at the venue", *said, subject=order_id)
        filled = {fill.order_id for fill in venue.fills()} & set(self.probes)
        course.find("none of them was filled", not filled, ", ".join(filled))

    def _recorded(self, course: Course) -> None:
        self._join(course)
        told = course.wait(lambda: any(_tells_of_cancels(one) for one in self._entries(course)))
        mine = self._entries(course)
        course.note("target ledger", [entry.text for entry in mine])
        kinds = [entry.kind for entry in mine]
        outcome = self.answer.outcome if self.answer else str(self.failure or "no answer yet")
        course.find("the kill is in Git", outcome in ("pushed", "unchanged"), outcome)
        course.find("the cancels that landed after the kill are recorded", told, ", ".join(kinds))
        ordered = kinds[:1] == ["intent"] and "outcome" in kinds
        course.find("intent before effect, outcome after", ordered, ", ".join(kinds))

    def _entries(self, course: Course) -> list[Entry]:
        """What the target's ledger tells of the act."""
        return [one for one in course.target.ledger.entries(after=self.seq_before) if one.intent == self.intent]

    # ------------------------------------------------------------------------------------------------- what must hold

    def _truth(self, course: Course) -> None:
        reading, scope = heard(course.target.venue), course.target.scope
        course.note("venue", plain(reading))
        course.find("the right account", reading.account_label == scope.account, reading.account_label)
        mode = standing_now(course).mode
        course.find("Git says KILLED", mode is Mode.KILLED, mode.name)
        left = ", ".join(f"{one.symbol} {one.quantity:+f}" for one in reading.positions) or "none"
        course.find("the positions left are known", True, left)

    def _restarted(self, course: Course) -> None:
        venue, fired = course.target.venue, course.fired_wall

        def again() -> bool:
            app = venue.app()
            return fired is not None and app.started_at > fired and agrees(app, self._overlay(course))

        course.find("the application restarted, and says that it is killed", course.wait(again))
        course.find("the venue still refuses", heard(venue).blocked)
        fresh = course.target.fresh()
        course.find("a console opened anew knows the kill", bool(_killing(fresh)), f"entry {fresh.seq}")

    @staticmethod
    def _overlay(course: Course) -> dict[str, Value]:
        return dict(course.target.policy.overlay(Mode.KILLED))

    def _synced(self, course: Course) -> None:
        course.note("app", plain(course.target.venue.app()))
        self._settle(course, converged=race(course, self._wanted(course)))

    def _wanted(self, course: Course) -> Wanted:
        """The kill, as every witness must say it through a self-heal, a sync and a reconcile period."""

        def git() -> Word:
            mode = standing_now(course).mode
            return Word(mode is Mode.KILLED, f"Git {mode.name}")

        return Wanted("KILLED", git, self._overlay(course), killed=True)

    def _negative(self, course: Course) -> None:
        target = course.target
        answers = target.venue.cancel_all()
        course.find(
            "orders can still be cancelled", all(one.outcome != "unknown" for one in answers), f"{len(answers)}"
        )
        latch = next(iter(_killing(target.ledger.state())), None)
        if latch is None:
            course.find("a clear without right is refused", None, "nothing holds the kill", negative=True)
            return
        refused_clear(course, latch)

    # ---------------------------------------------------------------------------------------------------- the way back

    def _restore(self, course: Course) -> None:
        venue = course.target.venue
        reading, fills = heard(venue), venue.fills()
        odd = self.book.missing(reading, fills) if self.book else ("no book before",)
        course.find("the book equals D1 and the fills since", not odd, "; ".join(odd))
        course.find("no probe was filled", not {fill.order_id for fill in fills} & set(self.probes))
        refusal = restore(course, reconciled=not odd, seconds=course.drill.step(PUT_BACK).budget.total_seconds())
        if not course.find(
            "restored by the rule", refusal is None, refusal.reason if refusal else "two people, one risk"
        ):
            return
        venue.unblock()
        self._lower_flag(course)
        normal = {name: course.target.policy.resolved[0][name] for name in self._overlay(course)}
        wanted = {name: value for name, value in normal.items() if value is not None}
        course.find("the application trades again", course.wait(lambda: agrees(venue.app(), wanted)))
        said = venue.submit(self.probe_symbol or self._universe(course)[0], "buy", ONE, FAR_BELOW)
        course.find("a probe is taken again", said.accepted, said.order_id or said.reason)
        if said.accepted:
            self.probes[said.order_id] = "after the restore"
            venue.cancel(said.order_id)
        left = {order.order_id for order in heard(venue).open_orders} & set(self.probes)
        course.find("no probe is left", not left, ", ".join(left))

    @staticmethod
    def _take_flag_back(course: Course) -> FlagAnswer | None:
        """Take back the field that the kill wrote into the cluster; None where the policy declares none."""
        controlled = course.target.controlled
        return None if controlled is None or controlled.flag is None else controlled.flag.restore()

    @classmethod
    def _lower_flag(cls, course: Course) -> None:
        answer = cls._take_flag_back(course)
        if answer is not None:
            course.find("the runtime flag is taken back", answer.done, answer.detail)


def _tells_of_cancels(entry: Entry) -> bool:
    return entry.kind == "note" and "venue cancel" in str(entry.body.get("text", ""))


def _killing(state: ControlState) -> list[Latch]:
    return [latch for latch in state.latches.values() if latch.killed]


def restore(course: Course, *, reconciled: bool, seconds: float) -> Refusal | None:
    """The way back to the lowest stage as the target's own ledger rules it; why not, when it refuses.

    Approvals are waited for as many seconds.
    """
    target, clock, lowest = course.target, course.around.clock, course.target.policy.stages[0].name
    state, head = target.ledger.state(), target.repository.fetch()
    plan = _lift(course, state, head)
    expires = clock.wall() + APPROVAL_LIFE
    action = drill_restore_action(target.policy, state, course.drill.run, expires)
    approvals = tuple(target.approvals(action, seconds, course.check_now_and_then))
    intent = course.around.new_id()
    begin = BeginRestore(
        actor=course.actor,
        intent=intent,
        from_stage=lowest,
        to_stage=lowest,
        to_index=0,
        market=clock.market(clock.wall()),
        epoch=state.epoch,
        policy=target.policy_digest,
        roster=target.roster_digest,
        quorum=Quorum(
            action_digest(action), approvals, RESTORE_APPROVALS, RESTORE_ROLES, barred=frozenset({course.actor})
        ),
        standing=Mode.KILLED,
        gone=True,
        reconciled=reconciled,
        positions_known=True,
        blobs={edit.path: edit.blob_after for edit in plan.edits},
        base=head,
        confirmation=f"RESTORE {target.policy.name}",
        signature=target.sign(action_digest(action).encode()),
    )
    said = target.ledger.transact(begin, now=clock.wall())
    if isinstance(said, Refusal):
        return said
    return _publish(course, plan, head, intent)


def _lift(course: Course, state: ControlState, head: str) -> Plan:
    plan = build(
        course.target.policy,
        policy_digest=course.target.policy_digest,
        roster_digest=course.target.roster_digest,
        read=partial(course.target.repository.read, head),
        base_commit=head,
        epoch=state.epoch,
        to_stage=0,
        created_by=course.actor,
        now=course.around.clock.wall(),
        blob_id=course.target.repository.blob_id,
    )
    if plan.refusals:
        raise Trouble(f"the manifests do not let the kill be lifted: {plan.refusals[0]}")
    return plan


def _publish(course: Course, plan: Plan, head: str, intent: str) -> Refusal | None:
    target, clock = course.target, course.around.clock
    message = f"Restore {target.policy.name} after drill {course.drill.run[:8]}"
    sha = target.repository.commit(head, plan.contents, message, (), signed=False)
    target.ledger.transact(RecordCommitted(course.actor, intent, sha), now=clock.wall())
    pushed = target.repository.push(sha, head)
    record = RecordOutcome(course.actor, intent, pushed.outcome if pushed.outcome != "moved" else "abandoned", sha)
    target.ledger.transact(record, now=clock.wall())
    return None if pushed.outcome == "pushed" else Refusal("push", f"the push was {pushed.outcome}: {pushed.message}")
