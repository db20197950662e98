"""The course: walks a drill step by step, times it, records every finding, and keeps every raw answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol

from msgspec import to_builtins

from console.drilling.broken import Injected
from console.ports import Clock, DrillVenue, KillFlag, LedgerStore, Repository, Runtime, Venue
from stages import drill as machine
from stages.authority import Action
from stages.commands import Record, VerifiedApproval
from stages.drill import FIRE, FROM_THE_ACT, KILL, Declared, Drill, Finding, Scope
from stages.drill_validity import pins
from stages.entries import Entry
from stages.facts import REDUCE
from stages.policy import DrillSpec, Policy
from stages.posture import Mode
from stages.refusal import Refusal, Trouble
from stages.state import ControlState
from stages.value import Struct
from stages.witness import RuntimeReading

LOOK_EVERY: Final = 0.05
"""Seconds between two looks at something that is waited for."""
CHECK_EVERY: Final = 0.5
"""Seconds between two looks at the live ledger while something is waited for."""


class Fired(Protocol):
    """What the act under test answered."""

    @property
    def outcome(self) -> str: ...
    @property
    def sha(self) -> str: ...
    @property
    def unverified(self) -> tuple[str, ...]: ...


class Controlled(Struct, frozen=True):
    """The cluster side of a target whose policy names an Application: who deploys it, and what the objects say there.

    ``runtime`` is None where no cluster is configured, ``readback`` reads the controls that are read from live objects.
    """

    name: str
    runtime: Runtime | None
    readback: Callable[[], Mapping[str, RuntimeReading]]
    flag: KillFlag | None = None
    """The field that a kill writes into the cluster; None where the policy declares none."""
    own_round: timedelta = timedelta(seconds=5)
    """A comparison this long after a sync is a round of the controller's own, and not the one that ends the sync."""


class DrillTarget(Struct, frozen=True):
    """The paper target: its own policy, ledger, repository path and venue.

    ``fire`` is the path under test, to a stage (an index) in a mode: it returns when the act has an outcome.
    ``reduce`` is the reduction itself, under an intent's id. ``fresh`` opens its ledger anew, as a console that was
    restarted does. ``approvals`` asks for those of an action and waits for so many seconds, calling the last argument
    meanwhile, which may end the waiting.
    """

    scope: Scope
    policy: Policy
    policy_digest: str
    roster_digest: str
    ledger: LedgerStore
    repository: Repository
    venue: DrillVenue
    fire: Callable[[int, Mode], Fired]
    reduce: Callable[[int, Mode, str], Fired]
    fresh: Callable[[], ControlState]
    sign: Callable[[bytes], str]
    approvals: Callable[[Action, float, Callable[[], None]], Sequence[VerifiedApproval]]
    controlled: Controlled | None = None
    """None where the policy names no Application: then its venue is asked to provoke a self-heal."""
    fault: Injected | None = None
    """What is broken on purpose in this drill; None in a plain one."""


class LiveSide(Struct, frozen=True):
    """The live target as a drill sees it: what must not be touched, and the ledger that keeps the drill."""

    scope: Scope
    policy: Policy
    ledger: LedgerStore
    venue: Venue | None


class Surroundings(Struct, frozen=True):
    """Time and chance; ``tell`` hears of the drill after every change, ``keep`` writes the bundle and names it."""

    clock: Clock
    new_id: Callable[[], str]
    pause: Callable[[float], object]
    tell: Callable[[Drill], None]
    keep: Callable[[str, Mapping[str, Any]], str]
    version: str


class LiveTrigger(Exception):
    """Something latched on the live target: the drill ends at once."""


class GivenUp(Exception):
    """A person gave the drill up: it counts as failed, and cleans up after itself."""


class Course:
    """One drill on its way. Steps find; the course judges nothing itself."""

    def __init__(
        self, around: Surroundings, live: LiveSide, target: DrillTarget, drill: Drill, actor: str, path: str = ""
    ) -> None:
        self.around, self.live, self.target, self.drill, self.actor = around, live, target, drill, actor
        self.path = path
        """How the act is fired."""
        self.raw: list[dict[str, Any]] = []
        self._latched = frozenset(live.ledger.state().latches)
        self._step_began = self._checked = around.clock.monotonic()
        self.leaving = False
        """Whether it only cleans up any more, which nothing ends early."""
        self.fired_at: float | None = None
        """Monotonic time of the act; what follows it is timed from there."""
        self.fired_wall: datetime | None = None

    # ---------------------------------------------------------------------------------------------------- recording

    def begin(self, image: str) -> None:
        """The first entry: what is drilled, on what, and what its result rests on. Raises Trouble when refused."""
        clock = self.around.clock
        rests_on = pins(self.live.policy, self.live.scope.endpoint, image)
        body = {
            "act": self.drill.act,
            "mode": self.drill.mode,
            "transition": self.drill.transition,
            "path": self.path,
            "inject": self.drill.inject,
            "target": self.target.scope.document(),
            "pins": dict(rests_on),
            "market": clock.market(clock.wall()),
        }
        self.record(body)

    def record(self, body: Mapping[str, Any]) -> None:
        """One entry of the drill in the live ledger, in its scope."""
        whole = {"run": self.drill.run, "drill": self.drill.run, "state": self.drill.state, **body}
        answer = self.live.ledger.transact(Record(self.actor, "drill", whole), now=self.around.clock.wall())
        if isinstance(answer, Refusal):
            raise Trouble(f"the drill could not be recorded: {answer.reason}")

    def note(self, source: str, answer: object) -> None:
        """Keep a raw answer for the bundle."""
        self.raw.append({"at": self.around.clock.wall(), "step": self.drill.at, "source": source, "answer": answer})

    @property
    def quiet_until(self) -> datetime:
        """End of the window for which effects are declared, if they were declared now."""
        spec = self.live.policy.spec.drill or DrillSpec()
        return self.around.clock.wall() + spec.hold_back

    def declare(self, declared: Declared) -> None:
        """Announce the effects before they happen."""
        self.drill = machine.declare(self.drill, declared)
        self.record(
            {
                "step": self.drill.at,
                "orders": list(declared.orders),
                "reasons": list(declared.reasons),
                "until": declared.until,
                "effects": list(declared.effects),
            }
        )

    # ------------------------------------------------------------------------------------------------------ stepping

    def enter(self, step_id: str) -> None:
        """Go to the next step, which is an entry. Raises LiveTrigger and GivenUp as ``check`` does."""
        self.check()
        self.drill = machine.enter(self.drill, step_id)
        self._step_began = self.around.clock.monotonic()
        self.record({"step": step_id})
        self.around.tell(self.drill)

    def check(self) -> None:
        """Look whether it may go on. Raises LiveTrigger when the live target latched, GivenUp when a person ended it.

        A ledger that does not answer for a moment ends nothing: whoever writes to it will say so.
        """
        self._checked = self.around.clock.monotonic()
        if self.leaving:
            return
        try:
            state = self.live.ledger.state()
        except Trouble as trouble:
            self.note("live ledger", trouble.line)
            return
        opened = [one for key, one in state.latches.items() if key not in self._latched]
        if opened:
            raise LiveTrigger(f"{opened[0].trigger} fired on the live target")
        mine = state.drills.get(self.drill.run)
        if mine is not None and mine.abandoned:
            raise GivenUp(f"abandoned by {mine.abandoned} at {self.drill.at}")

    def check_now_and_then(self) -> None:
        """``check``, when the last look is long enough ago; for loops that wait."""
        if self.around.clock.monotonic() - self._checked >= CHECK_EVERY:
            self.check()

    def find(
        self, says: str, ok: bool | None, observed: str = "", *, expected: str = "", negative: bool = False,
        subject: str = "",
    ) -> bool:  # fmt: skip
        """Record one assertion of the current step; whether it holds within the budget."""
        took = self.elapsed
        finding = Finding(self.drill.at, says, ok, took, expected, observed, negative, subject)
        self.drill = machine.find(self.drill, finding)
        judged = self.drill.findings[-1]
        budget = self.drill.step(judged.step).budget.total_seconds()
        self.record(
            {
                "step": judged.step,
                "says": says,
                "ok": judged.ok,
                "took": round(took, 3),
                "budget": budget,
                "expected": expected,
                "observed": judged.observed,
                "negative": negative,
                "subject": subject,
                "fired": self.fired_wall if judged.step == FIRE else None,
            }
        )
        self.around.tell(self.drill)
        return judged.ok is True

    @property
    def elapsed(self) -> float:
        """Seconds of the current step; those that a kill must reach quickly count from the act."""
        quick = self.drill.act == KILL and self.drill.at in FROM_THE_ACT
        since = self.fired_at if quick and self.fired_at is not None else self._step_began
        return self.around.clock.monotonic() - since

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Look until ``condition`` holds or the step's budget is used up; Trouble while looking is not yet."""
        budget = self.drill.step(self.drill.at).budget.total_seconds()
        while True:
            try:
                if condition():
                    return True
            except Trouble as trouble:
                self.note("trouble", trouble.line)
            if self.elapsed >= budget:
                return False
            self.check_now_and_then()
            self.around.pause(LOOK_EVERY)

    def intent_since(self, seq: int) -> Entry | None:
        """The first reduction that the target's ledger has begun after the entry ``seq``."""
        entries = self.target.ledger.entries(after=seq)
        return next((one for one in entries if one.kind == "intent" and one.body.get("act") == REDUCE), None)

    def mark_fired(self, at: datetime | None = None) -> None:
        """Start the clock of the act, now or at the moment at which its intent was written."""
        wall = self.around.clock.wall()
        ago = max((wall - at).total_seconds(), 0.0) if at is not None else 0.0
        self.fired_at = self.around.clock.monotonic() - ago
        self.fired_wall = at or wall


StepWork = Callable[[Course], None]


def walk(course: Course, work: Mapping[str, StepWork], tidy: StepWork) -> Drill:
    """Every step in its order. What fails before the act ends the drill unfired; what fails after it does not.

    ``tidy`` takes back what was planted when the drill ends before its act, or whenever a person gives it up.
    """
    tidied = False
    try:
        for step in course.drill.steps:
            course.enter(step.id)
            try:
                work[step.id](course)
            except Trouble as trouble:
                course.note("trouble", trouble.line)
                course.find("it could be asked", None, trouble.line)
            if course.fired_at is None and course.drill.holds(step.id) is not True and step.id != FIRE:
                tidied = _tidied(course, tidy)
                break
        course.drill = machine.conclude(course.drill)
    except LiveTrigger as trigger:
        # The live target comes first: what was fired already stays as it is, and the banner says so.
        tidied = course.fired_at is None and _tidied(course, tidy)
        course.drill = machine.abort(course.drill, str(trigger))
    except GivenUp as given_up:
        tidied = _tidied(course, tidy)
        course.drill = machine.abort(course.drill, str(given_up))
    except KeyboardInterrupt:
        course.drill = machine.abort(course.drill, f"broken off by {course.actor}")
    return _ended(course, tidied=tidied)


def _tidied(course: Course, tidy: StepWork) -> bool:
    """Take back what was planted; False when that could not be done: the bundle says why."""
    course.leaving = True
    try:
        tidy(course)
    except Trouble as trouble:
        course.note("not tidied", trouble.line)
        return False
    return True


def _ended(course: Course, *, tidied: bool) -> Drill:
    """The bundle first, so that the last entry can name its digest."""
    clock = course.around.clock
    bundle = {
        "drill": machine.document(course.drill),
        "actor": course.actor,
        "target": course.target.scope.document(),
        "live": course.live.scope.document(),
        "policy": course.target.policy_digest,
        "roster": course.target.roster_digest,
        "version": course.around.version,
        "ended": clock.wall(),
        "raw": course.raw,
    }
    kept = course.around.keep(course.drill.run, bundle)
    course.record(
        {
            "reasons": list(course.drill.reasons),
            "artifacts": [kept],
            "tidied": tidied,
            "market": clock.market(clock.wall()),
            "observed": f"{course.drill.passed} of {len(course.drill.steps)} steps",
        }
    )
    course.around.tell(course.drill)
    return course.drill


def plain(value: Any) -> Any:
    """A reading of the ports as a document; numbers and times stay what they are."""
    return to_builtins(value, builtin_types=(Decimal, datetime))
