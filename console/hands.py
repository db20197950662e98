"""Hands: what a person does from the screens, by the same procedures as on the command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from console.desk import KILL, Answers, ByHand, Consents, Given, Leftover, Rehearsal, Told
from console.strides import Tell, silent
from stages.posture import Mode
from stages.refusal import Refusal, Trouble

if TYPE_CHECKING:
    from console.approvals import Opinion
    from console.drill_hands import PersonsDrills
    from console.in_force import InForce
    from console.watch.loop import Watch
    from console.watch.once import Look
    from console.wiring import Wiring
    from stages.plan import Plan
    from stages.policy import Policy
    from stages.state import ControlState


class PersonsHands:
    """The hands of whoever sits at this console. Every method may take long; screens call each in its own thread."""

    def __init__(self, wiring: Wiring, watch: Callable[[], Watch | None]) -> None:
        self._wiring, self._watch = wiring, watch

    @cached_property
    def drills(self) -> PersonsDrills:
        """The hands for drills."""
        from console.drill_hands import PersonsDrills

        return PersonsDrills(self._wiring)

    def _seen(self) -> Look | None:
        """What this console's watch has just found: a page that asks every other second need not fold it all again."""
        watch = self._watch()
        return watch.look() if watch is not None else None

    # ------------------------------------------------------------------------------------------------------ going up

    def rehearse(self, to_stage: int, tell: Tell = silent) -> Rehearsal:
        from console.procedures.rehearse import make_plan

        wiring, force = self._wiring, self._wiring.in_force()
        return make_plan(
            repository=wiring.repository,
            policy=force.policy,
            policy_digest=force.policy_digest,
            roster_digest=force.roster_digest,
            epoch=wiring.ledger.state().epoch,
            created_by=wiring.actor,
            now=wiring.clock.wall(),
            to_stage=force.policy.stages[to_stage].name,
            judge=wiring.judge(force.policy, self._seen),
            tell=tell,
        )

    def request(self, plan: Plan) -> Told:
        """Asks by the inbox and the ledger; the request carries the gates as they stand now."""
        from console.approvals import request
        from console.inbox import Inbox
        from stages.phrase import confirmation_phrase
        from stages.plan import to_document

        self._may_act()
        wiring, force = self._wiring, self._wiring.in_force()
        gates = wiring.judge(force.policy)(plan)
        document = to_document(
            plan,
            gates=gates,
            allowed=all(gate.passes for gate in gates),
            confirmation=confirmation_phrase(force.policy.name, plan),
        )
        answer = request(
            wiring.ledger, wiring.clock, Inbox(wiring.inbox), plan=plan, document=document, actor=wiring.actor
        )
        return _told(answer, f"asked; rampdeck approve {wiring.inbox}/request-{plan.id[:8]}.json")

    def answers(self, plan: Plan) -> Answers:
        """How the plan stands now: answers collected and checked, gates judged again, staleness by Git."""
        from console.procedures.advance import departed
        from stages.phrase import confirmation_phrase

        wiring, force = self._wiring, self._wiring.in_force()
        if not self._wiring.read_only:
            self._collect(force, plan)
        state = wiring.ledger.state()
        gates = wiring.judge(force.policy, self._seen)(plan)
        stage = force.policy.stages[force.policy.stage_index(plan.to_stage) or 0]
        given = _given(state, plan)
        lacking = _lacking(force.policy, plan, given)
        stale = next(("; ".join(g.reasons) for g in gates if g.gate_id == "plan-fresh" and not g.passes), "")
        head = wiring.repository.known_head()
        parted = departed(wiring.repository, force, plan, head, state.epoch) if stale and head else None
        ready = not lacking and all(gate.passes for gate in gates) and plan.id not in state.rejected
        return Answers(
            requested=plan.id in state.requests,
            needed=stage.approvals.required,
            needs=lacking,
            given=given,
            rejected=state.rejected.get(plan.id, ""),
            stale=stale,
            gates=gates,
            allowed=ready,
            confirmation=confirmation_phrase(force.policy.name, plan) if ready else "",
            departure=parted,
        )

    def apply(self, plan: Plan, phrase: str) -> Told:
        from console.procedures.advance import apply

        self._may_act()
        wiring, force = self._wiring, self._wiring.in_force()
        tokens = [one.text for one in self._collect(force, plan) if not one.fault and not one.rejects]
        done = apply(
            wiring.advance_ports(force.policy),
            force,
            plan=plan,
            tokens=tokens,
            phrase=phrase,
            actor=wiring.actor,
            gates=wiring.judge(force.policy),
        )
        return Told(done.ok, done.message or (f"pushed {done.sha[:7]}" if done.ok else done.outcome), done.departure)

    def _collect(self, force: InForce, plan: Plan) -> tuple[Opinion, ...]:
        from console.approvals import collect
        from console.inbox import Inbox

        wiring = self._wiring
        return collect(
            wiring.ledger, wiring.clock, wiring.signer, Inbox(wiring.inbox), force=force, plan=plan, actor=wiring.actor
        )

    # ---------------------------------------------------------------------------------------------------- going down

    def rollback(self, stage: str, phrase: str) -> Told:
        from console.verbs.change import start_rollback

        self._may_act()
        started = start_rollback(self._wiring, stage, phrase, "")
        return Told(started.ok, started.note)

    def freeze(self, phrase: str) -> Told:
        from console.verbs.change import hold_advances

        self._may_act()
        ok, note = hold_advances(self._wiring, phrase, "by hand")
        return Told(ok, note)

    def kill(self, phrase: str) -> Told:
        from console.verbs.kill import start_kill

        self._may_act()
        fired = start_kill(self._wiring, phrase)
        if fired.salvo is None:
            return Told(False, fired.wrong)
        killed = fired.salvo.finish()
        lost = [name for name in killed.unverified if not name.startswith("Git")]
        known = f"UNVERIFIED: {', '.join(lost)}" if lost else "blocked, no order open; Git follows"
        return Told(True, f"handed over in {1000 * killed.handed:.0f} ms; {known}")

    def give_reason(self, reason: str) -> Told:
        from console.verbs.remark import give_reason

        self._may_act()
        return Told(True, reason) if give_reason(self._wiring, reason) else Told(False, "no way down owes a reason")

    def declare(self, severity: str, title: str) -> Told:
        from console.verbs.incident import declare

        self._may_act()
        return Told(True, declare(self._wiring, severity, title).note)

    # ------------------------------------------------------------------------------------------------------ coming back

    def consents(self, latch: str) -> Consents:
        from console.verbs.release import clear_consents, find_latch
        from console.verbs.restore import restore_consents

        wiring, force = self._wiring, self._wiring.in_force()
        found = find_latch(wiring.ledger.state(), latch) if latch else None
        if found is None or found.killed:
            return restore_consents(wiring, force)
        return clear_consents(wiring, force, found)

    def ask_to_clear(self, latch: str) -> Told:
        from console.verbs.release import clear_request, find_latch, place
        from console.verbs.restore import restore_request

        self._may_act()
        wiring, force = self._wiring, self._wiring.in_force()
        found = find_latch(wiring.ledger.state(), latch) if latch else None
        asked = restore_request(wiring, force) if found is None or found.killed else clear_request(wiring, force, found)
        return Told(True, f"asked; rampdeck approve {place(wiring, asked)}")

    def clear(self, latch: str, because: str) -> Told:
        from console.verbs.release import clear, find_latch
        from console.verbs.resume import carry_on, said

        self._may_act()
        wiring, force = self._wiring, self._wiring.in_force()
        found = find_latch(wiring.ledger.state(), latch)
        answer = clear(wiring, force, found, because, ())
        if isinstance(answer, Refusal):
            return Told(False, answer.reason)
        cleared = answer.partition("; 'rampdeck")[0]
        if found.mode <= Mode.FROZEN:
            return Told(True, cleared)
        try:
            done = carry_on(wiring, None)
        except Trouble as trouble:
            return Told(True, f"{cleared}; not resumed: {trouble.line}")
        return Told(True, f"{cleared}; {done if isinstance(done, str) else said(done)}")

    def restore(self, phrase: str) -> Told:
        from console.verbs.restore import come_back, returned_note

        self._may_act()
        done, _ = come_back(self._wiring, self._wiring.in_force(), phrase)
        return Told(done.ok, returned_note(done))

    def leftover(self) -> Leftover:
        from console.verbs.resume import survey_resume

        seen = survey_resume(self._wiring)
        return Leftover(seen.lines, seen.phrase, seen.refusal.reason if seen.refusal else "")

    def resume(self, phrase: str) -> Told:
        from console.verbs.resume import carry_on, said

        self._may_act()
        done = carry_on(self._wiring, phrase)
        return Told(False, done) if isinstance(done, str) else Told(done.ok, said(done))

    def by_hand(self, stage: str) -> ByHand:
        from console.verbs.change import by_hand_lines, policy_of

        policy, _ = policy_of(self._wiring)
        if stage == KILL:
            return ByHand(by_hand_lines(self._wiring, policy, policy.stages[0].name, killed=True))
        return ByHand(by_hand_lines(self._wiring, policy, stage))

    # --------------------------------------------------------------------------------------------------------- alarms

    def acknowledge(self, alarm: str) -> Told:
        from stages.commands import Acknowledge

        self._may_act()
        command = Acknowledge(self._wiring.actor, alarm, "seen at the console")
        return _told(self._wiring.ledger.transact(command, now=self._wiring.clock.wall()), "quiet, still as it was")

    def take_over(self) -> Told:
        self._may_act()
        watch = self._watch()
        if watch is None:
            return Told(False, "the watch has not started yet")
        watch.take_over()
        return Told(True, "this console takes over acting")

    def _may_act(self) -> None:
        if self._wiring.read_only:
            raise Trouble("this console is read-only", fix="start it without --read-only")


def _told(answer: Any, note: str) -> Told:
    return Told(False, answer.reason) if isinstance(answer, Refusal) else Told(True, note)


def _given(state: ControlState, plan: Plan) -> tuple[Given, ...]:
    """Approvals of the plan that still count."""
    counting = (
        one
        for nonce, one in state.approvals.items()
        if one.subject == plan.id and nonce not in state.consumed and nonce not in state.revoked
    )
    return tuple(Given(one.approver, one.roles, None, one.expires) for one in counting)


def _lacking(policy: Policy, plan: Plan, given: tuple[Given, ...]) -> str:
    """What approvals are still missing, in words; empty when they suffice."""
    wanted = policy.stages[policy.stage_index(plan.to_stage) or 0].approvals
    lacking = {
        role: (count, have)
        for role, count in wanted.roles.items()
        if (have := sum(role in one.roles for one in given)) < count
    }
    named = sum(count - have for count, have in lacking.values())
    more = wanted.required - len(given) - named
    missing = [f"{count - have} of role {role}" for role, (count, have) in lacking.items()]
    if more > 0:
        missing.append(f"{more} more, of any role" if given or missing else f"{more} of any role")
    return f"{' and '.join(missing)}; not {plan.created_by}" if missing else ""
