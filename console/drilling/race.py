"""The GitOps race: whether an act holds through a self-heal attempt, a sync and a round of the controller.

A target with an Application is asked through it and through nothing else, by the two requests that its account needs
for a refresh and a sync. Without one the venue is asked to provoke a self-heal, and a commit that changes nothing is
what a sync follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from console.containment import heard
from console.drilling.course import Controlled, Course, plain
from console.drilling.ground import TRIES, agrees, same_value
from console.ports import Runtime
from stages.application import Application
from stages.ladder import Value
from stages.refusal import Trouble
from stages.value import Struct

CATCHES_UP: Final = 3.0
"""Seconds that a witness may lag behind what the controller says that it did."""
SUCCEEDED: Final = "Succeeded"
SYNCED: Final = "Synced"


class Word(Struct, frozen=True):
    """What one witness says; ``ok`` None is unknown."""

    ok: bool | None
    says: str


class Wanted(Struct, frozen=True):
    """What must hold through the race: ``name`` in words, what Git says of it, and the values of the runtime."""

    name: str
    git: Callable[[], Word]
    values: Mapping[str, Value]
    killed: bool
    """Whether the venue refuses orders and the runtime flag is set as well."""


def race(course: Course, wanted: Wanted) -> bool:
    """Runs the race and finds what came of it; whether everything held at its end."""
    controlled = course.target.controlled
    if controlled is None:
        return _by_venue(course, wanted)
    if controlled.runtime is None:
        said = f"not tested: the policy names Application {controlled.name}, and no cluster is configured"
        return course.find("the GitOps controller can be asked", None, said)
    return _Round(course, controlled, controlled.runtime, wanted).run()


def words(course: Course, wanted: Wanted) -> tuple[Word, ...]:
    """What Git, the application, the cluster and the venue say of what is wanted. Raises Trouble."""
    app = course.target.venue.app()
    runs = agrees(app, dict(wanted.values))
    found = [wanted.git(), Word(runs, f"application {wanted.name if runs else 'OTHERWISE'}")]
    controlled = course.target.controlled
    if controlled is not None:
        found += _runtime(controlled, wanted)
    if wanted.killed:
        blocked = heard(course.target.venue).blocked
        found.append(Word(blocked, f"venue {'blocked' if blocked else 'OPEN'}"))
    return tuple(found)


def _runtime(controlled: Controlled, wanted: Wanted) -> list[Word]:
    """The live objects, control by control, and the runtime flag of a kill."""
    read = {name: one for name, one in controlled.readback().items() if name in wanted.values}
    found = []
    for name, one in read.items():
        if one.value is None:
            found.append(Word(None, f"runtime {name} not known: {one.error}"))
        elif not same_value(one.value, wanted.values[name]):
            found.append(Word(False, f"runtime {name} is {one.value}"))
    if not read:
        found.append(Word(None, "runtime is not read back from the cluster"))
    elif not found:
        found.append(Word(True, f"runtime {wanted.name}"))
    if wanted.killed and controlled.flag is not None:
        said = controlled.flag.kills()
        found.append(Word(said.done, said.detail))
    return found


def holds(course: Course, wanted: Wanted, after: str) -> bool:
    """Finds whether every witness still says what is wanted, once those that lag have caught up."""
    started, clock = course.elapsed, course.around.clock
    deadline = clock.monotonic() + min(CATCHES_UP, max(_budget(course) - started, 0.0))
    while True:
        try:
            found = words(course, wanted)
        except Trouble as trouble:
            found = (Word(None, trouble.line),)
        if all(one.ok for one in found) or clock.monotonic() >= deadline:
            break
        course.around.pause(0.05)
    course.note("witnesses", [(one.ok, one.says) for one in found])
    ok = False if any(one.ok is False for one in found) else None if any(one.ok is None for one in found) else True
    wrong = [one.says for one in found if not one.ok]
    return course.find(f"still {wanted.name} after {after}", ok, ", ".join(wrong or [one.says for one in found]))


def _budget(course: Course) -> float:
    return course.drill.step(course.drill.at).budget.total_seconds()


# ------------------------------------------------------------------------------------------------ with an Application


class _Round:
    """One race through an Application's object."""

    def __init__(self, course: Course, controlled: Controlled, runtime: Runtime, wanted: Wanted) -> None:
        self._course, self._controlled, self._runtime, self._wanted = course, controlled, runtime, wanted

    def run(self) -> bool:
        before = self._told()
        self._course.note("application", plain(before))
        if not before.self_heal:
            said = f"not tested: self-heal is off on Application {self._controlled.name}"
            return self._course.find("a self-heal was attempted", None, said)
        return self._healed(before) and self._synced() and self._own_round()

    def _told(self) -> Application:
        """What the Application says now. Raises Trouble while that is not known."""
        reading = self._runtime.application()
        if reading.application is None or reading.error:
            raise Trouble(reading.error or "it says nothing", where=f"Application {self._controlled.name}")
        return reading.application

    def _healed(self, before: Application) -> bool:
        """A look at Git is asked for; with self-heal on, whatever differs is applied again."""
        head = self._course.target.repository.fetch()
        self._runtime.refresh()

        def compared() -> bool:
            now = self._told()
            return (
                now.reconciled_at != before.reconciled_at
                and not now.refreshing
                and now.revision == head
                and now.sync == SYNCED
                and not (now.operation is not None and now.operation.running)
            )

        done = self._course.wait(compared)
        says = "a self-heal was attempted: it compared the cluster with Git, and healed what differed"
        self._course.find(says, done, self._place(head))
        return holds(self._course, self._wanted, "the self-heal") and done

    def _synced(self) -> bool:
        """A sync by hand, which applies every object whether it differs or not."""
        course, before = self._course, self._told().operation
        asked = course.wait(self._ask)
        ended = asked and course.wait(lambda: self._ended(before.started_at if before else None))
        operation = self._told().operation
        done = ended and operation is not None and operation.phase == SUCCEEDED
        said = f"{operation.phase} {operation.message}" if operation is not None else "no operation is told"
        course.find("a manual sync went through", done, said)
        return holds(course, self._wanted, "the sync") and done

    def _ask(self) -> bool:
        self._runtime.sync(who=self._course.actor, reason=f"drill {self._course.drill.run[:8]}")
        return True

    def _ended(self, before: datetime | None) -> bool:
        now = self._told()
        operation = now.operation
        return operation is not None and not now.requested and not operation.running and operation.started_at != before

    def _own_round(self) -> bool:
        """Its reconcile period passes: it compares again without being asked."""
        operation = self._told().operation
        after = operation.finished_at if operation is not None else None

        def went_round() -> bool:
            at = self._told().reconciled_at
            return at is not None and after is not None and at > after + self._controlled.own_round

        done = self._course.wait(went_round)
        at = self._told().reconciled_at
        said = f"compared at {at:%H:%M:%S}Z" if at is not None else "it never told of one"
        self._course.find("a reconcile period passed: it compared again by itself", done, said)
        return holds(self._course, self._wanted, "the reconcile period") and done

    def _place(self, head: str) -> str:
        now = self._told()
        return f"{now.sync} at {now.revision[:8]}, Git's head is {head[:8]}"


# --------------------------------------------------------------------------------------------- without an Application


def _by_venue(course: Course, wanted: Wanted) -> bool:
    venue, head = course.target.venue, course.target.repository.fetch()
    try:
        venue.heal()
    except Trouble as trouble:
        said = f"not tested: the policy names no Application, and {trouble.what}"
        return course.find("a self-heal applied what Git says", None, said)
    healed = course.wait(lambda: venue.app().revision == head)
    course.find("a self-heal applied what Git says", healed)
    sha, arrived = _sync_again(course)
    course.find("a sync reached the application", arrived, sha[:8])
    return holds(course, wanted, "both")


def _sync_again(course: Course) -> tuple[str, bool]:
    """Give GitOps a new head that changes nothing, and wait until the trading process runs on it."""
    repository, venue = course.target.repository, course.target.venue
    pushed, sha = "moved", ""
    for _ in range(TRIES):
        head = repository.fetch()
        sha = repository.commit(head, {}, f"Drill {course.drill.run[:8]}: sync", (), signed=False)
        pushed = repository.push(sha, head).outcome
        if pushed != "moved":
            break
    return sha, pushed == "pushed" and course.wait(lambda: venue.app().revision == sha)
