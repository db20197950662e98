"""The kill drill under a fault: what must hold while it lasts, and that all of it holds once it is over."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from console.containment import heard
from console.drilling.broken import Injected
from console.drilling.course import Course
from console.drilling.ground import agrees, standing_now
from console.drilling.killing import FAR_BELOW, ONE, KillCourse
from console.drilling.race import words
from stages.drill_faults import CANCELS, DISK, FAULTS, HEAL, METRICS, PUSH, effect_of
from stages.drill_metric import NAMED, tried
from stages.facts import REDUCE
from stages.posture import Mode
from stages.refusal import Trouble


class FaultedKill(KillCourse):
    """A kill drill with a fault in it. The fault has an end whatever becomes of the drill."""

    def __init__(self, fault: Injected) -> None:
        super().__init__()
        self.fault = fault
        self.effects = (effect_of(fault.name),)

    def tidy(self, course: Course) -> None:
        self.fault.end()
        super().tidy(course)

    def _strike(self, course: Course) -> None:
        said = self.fault.strike()
        course.find(f"the fault strikes: {FAULTS[self.fault.name].says}", True, said)

    def _end(self, course: Course) -> None:
        course.find("the fault is over", True, self.fault.end())

    def _found(self, course: Course, ok: bool | None, observed: str) -> bool:
        """What the fault is about."""
        return course.find(f"under it: {FAULTS[self.fault.name].must}", ok, observed)


class MetricFault(FaultedKill):
    """The metric of the trigger is wrong at first: the engine must not believe it, and fires on it when it is right."""

    def _fire(self, course: Course) -> None:
        self._strike(course)
        clock, name = course.around.clock, self.fault.name
        wall = clock.wall()
        trial = tried(course.live.policy, name, wall, clock.market(wall))
        if trial is None:
            self._found(course, None, "no trigger of the live policy fires on a limit")
        else:
            named = trial.qualities == {NAMED[name]} and not trial.looked_right and not trial.fired_on_fault
            qualities = ", ".join(sorted(trial.qualities))
            self._found(course, named, f"{trial.signal} {qualities}, shown as {trial.word}")
            self._end(course)
            fired = trial.reads is not None
            says = "the same metric without the fault fires"
            course.find(says, fired, f"{trial.trigger} after {trial.reads} reads" if fired else trial.trigger)
        super()._fire(course)


class PushRefused(FaultedKill):
    """Git takes nothing: the venue holds the kill alone, and the next try carries it into Git."""

    def _fire(self, course: Course) -> None:
        self._strike(course)
        super()._fire(course)

    def _recorded(self, course: Course) -> None:
        self._join(course)
        unverified = self.answer.unverified if self.answer is not None else ()
        outcome = self.answer.outcome if self.answer is not None else "no answer"
        held = heard(course.target.venue).blocked
        told = f"{outcome}; not verified: {', '.join(unverified) or 'nothing'}"
        self._found(course, held and "git" in unverified and outcome != "pushed", told)
        mode = standing_now(course).mode
        course.find("Git does not say KILLED meanwhile, and nobody says that it does", mode is Mode.NORMAL, mode.name)
        self._end(course)
        self.intent = course.around.new_id()
        self.answer = course.target.reduce(0, Mode.KILLED, self.intent)
        super()._recorded(course)


class LedgerFull(FaultedKill):
    """The ledger takes no entry: the kill goes on beside it, and what it decided joins in its order."""

    def _fire(self, course: Course) -> None:
        self._strike(course)
        super()._fire(course)

    def _begun(self, course: Course) -> bool:
        """Whether the act's intent waits beside the ledger."""
        for at, draft in self.fault.spilled():
            if draft.kind == "intent" and draft.body.get("act") == REDUCE:
                self.intent = draft.intent or ""
                course.mark_fired(at)
                return True
        if self.failure is not None:
            raise self.failure
        return False

    def _recorded(self, course: Course) -> None:
        self._join(course)
        waiting, before = len(self.fault.spilled()), course.target.ledger.head().seq
        kept = course.target.ledger.state().intents.get(self.intent) is None
        where = "the kill's intent is not in it" if kept else "THE KILL'S INTENT IS IN IT"
        self._found(course, waiting > 0 and kept, f"{waiting} decisions wait beside the ledger, {where}")
        self._end(course)
        joined = [entry.kind for entry in course.target.ledger.entries(after=before)]
        course.find("what waited joined, with the gap named", "gap" in joined, ", ".join(joined))
        super()._recorded(course)


class HalfCancels(FaultedKill):
    """Every second cancel is lost: such an order is open and said to be, until the venue says otherwise."""

    def _fire(self, course: Course) -> None:
        self._strike(course)
        super()._fire(course)

    def _cancelled(self, course: Course) -> None:
        course.wait(lambda: len(self._open(course)) < len(self.probes))
        silent = self._open(course)
        self._gone(course, set(self.probes) - silent)
        self._found(course, bool(silent), f"{len(silent)} of {len(self.probes)} ASKED, NO ANSWER: still open")
        filled = {fill.order_id for fill in course.target.venue.fills()} & set(self.probes)
        course.find("none of them was filled", not filled, ", ".join(filled))

    def _recorded(self, course: Course) -> None:
        silent = self._open(course)
        self._end(course)
        course.wait(lambda: not self._open(course))
        left = self._open(course)
        self._gone(course, silent - left)
        course.find("with answers again every planted order is gone", not left, ", ".join(left))
        super()._recorded(course)

    def _open(self, course: Course) -> set[str]:
        return {order.order_id for order in heard(course.target.venue).open_orders} & set(self.probes)

    def _gone(self, course: Course, orders: set[str]) -> None:
        for order_id in sorted(orders):
            course.find(f"{self.probes[order_id]} is gone at the venue", True, "CANCELLED", subject=order_id)


class HealReverts(FaultedKill):
    """The controller undoes what Git says: it is named as the one that differs, and the venue refuses meanwhile."""

    def _synced(self, course: Course) -> None:
        venue, overlay = course.target.venue, self._overlay(course)
        self._strike(course)
        course.wait(lambda: not agrees(venue.app(), overlay))
        wrong = [word.says for word in words(course, self._wanted(course)) if word.ok is False]
        self._found(course, bool(wrong) and heard(venue).blocked, ", ".join(wrong) or "nothing differs")
        said = venue.submit(self.probe_symbol, "buy", ONE, FAR_BELOW)
        if said.accepted:
            self.probes[said.order_id] = "while it was undone"
        course.find("a probe order is refused meanwhile", not said.accepted, said.reason, negative=True)
        self._end(course)
        again = course.wait(lambda: agrees(venue.app(), overlay))
        course.find("the controller does as Git says again: KILLED", again)
        super()._synced(course)


_COURSES: Final[Mapping[str, type[FaultedKill]]] = MappingProxyType(
    {
        **dict.fromkeys(METRICS, MetricFault),
        PUSH: PushRefused,
        DISK: LedgerFull,
        CANCELS: HalfCancels,
        HEAL: HealReverts,
    }
)


def faulted(fault: Injected) -> FaultedKill:
    """The course of a kill drill under a fault. Raises Trouble for one that nobody knows."""
    if fault.name not in _COURSES:
        raise Trouble(f"there is no fault '{fault.name}'")
    return _COURSES[fault.name](fault)
