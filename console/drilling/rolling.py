"""The rollback drill: the paper target is raised by one stage, stepped down for real, and put back as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from console.containment import heard
from console.drilling.course import Course, Fired, StepWork, plain
from console.drilling.ground import (
    TRIES,
    agrees,
    close_act,
    fingerprint,
    injected,
    refused_clear,
    stable_book,
    standing_now,
    target_files,
    withdraw_input,
)
from console.drilling.race import Wanted, Word, race
from stages.commands import AdoptExternalChange, BeginAdvance, Quorum
from stages.drill import PATHS, RESTARTS, Declared
from stages.ladder import Value
from stages.plan import build
from stages.posture import Mode
from stages.refusal import Refusal, Trouble
from stages.standing import assess, read_controls


class RollbackCourse:
    """What the steps of one rollback drill hand to each other; stages are indices in the target's ladder."""

    def __init__(self, upper: int, lower: int) -> None:
        self.upper, self.lower = upper, lower
        self.files: dict[str, bytes] = {}
        self.epoch = 0
        self.intent = ""
        self.answer: Fired | None = None
        self.seq_before = 0

    def work(self) -> Mapping[str, StepWork]:
        """The work of each step."""
        steps = (
            fingerprint, self._baseline, self._raise, self._clock, self._fire, self._stale, self._in_git,
            self._recorded, self._truth, self._restarted, self._synced, self._negative, self._put_back,
        )  # fmt: skip
        return {f"D{number}": step for number, step in enumerate(steps)}

    def tidy(self, course: Course) -> None:
        """Put the manifests back, and take injected input back, when the drill ends before its last step."""
        if self.files:
            self._publish(course, self.files, "put back")
        if self.intent:
            self._settle(course, converged=False)
        held = withdraw_input(course)
        if held:
            raise Trouble(f"the injected input still holds the target: {held}")

    def _baseline(self, course: Course) -> None:
        head = course.target.repository.fetch()
        self.files = target_files(course, head)
        stable_book(course)
        course.find("manifests and book are stored", bool(self.files), f"{len(self.files)} files at {head[:8]}")

    def _raise(self, course: Course) -> None:
        target, venue = course.target, course.target.venue
        course.declare(Declared((), (), course.quiet_until, (RESTARTS,)))  # raising it restarts its application already
        head = target.repository.fetch()
        plan = build(
            target.policy, policy_digest=target.policy_digest, roster_digest=target.roster_digest,
            read=partial(target.repository.read, head), base_commit=head, epoch=target.ledger.state().epoch,
            to_stage=self.upper, created_by=course.actor, now=course.around.clock.wall(),
        )  # fmt: skip
        if plan.refusals:
            raise Trouble(f"the paper target cannot be raised: {plan.refusals[0]}")
        sha = self._publish(course, plan.contents, f"raise to {plan.to_stage}") if plan.contents else head
        change = AdoptExternalChange(course.actor, sha, course.actor, f"drill {course.drill.run[:8]}")
        target.ledger.transact(change, now=course.around.clock.wall())
        stands = standing_now(course).stage == self.upper
        course.find("the manifests stand one stage up", stands, target.policy.stages[self.upper].name)
        runs = course.wait(lambda: agrees(venue.app(), self._values(course, self.upper)))
        course.find("the application runs on them", runs)
        self.epoch = target.ledger.state().epoch

    @staticmethod
    def _values(course: Course, stage: int) -> dict[str, Value]:
        """What a trading process reads back of a stage: values, without what is a share of another."""
        found = course.target.policy.resolved[stage]
        return {
            name: value
            for name, value in found.items()
            if value is not None and course.target.policy.share(stage, name) is None
        }

    @staticmethod
    def _publish(course: Course, contents: Mapping[str, bytes], what: str) -> str:
        repository = course.target.repository
        for _ in range(TRIES):
            head = repository.fetch()
            changed = {path: new for path, new in contents.items() if repository.read(head, path) != new}
            if not changed:
                return head
            sha = repository.commit(head, changed, f"Drill {course.drill.run[:8]}: {what}", (), signed=False)
            if repository.push(sha, head).outcome == "pushed":
                return sha
        raise Trouble("the branch of the drill's target could not be written")

    @staticmethod
    def _clock(course: Course) -> None:
        course.find("the clock runs", True, f"{course.around.clock.wall():%H:%M:%S.%fZ}")

    def _fire(self, course: Course) -> None:
        target = course.target
        self.seq_before = target.ledger.head().seq
        self.answer = target.fire(self.lower, Mode.NORMAL)
        entry = course.intent_since(self.seq_before)
        course.mark_fired(entry.at if entry is not None else None)
        self.intent = (entry.intent or "") if entry is not None else ""
        course.find(f"fired {PATHS[course.path]}", entry is not None, self.intent[:8])
        course.find("the step down is in Git", self.answer.outcome == "pushed", self.answer.outcome)
        kinds = [one.kind for one in target.ledger.entries(after=self.seq_before) if one.intent == self.intent]
        course.find("intent before effect", kinds[:1] == ["intent"] and "committed" in kinds, ", ".join(kinds))

    def _stale(self, course: Course) -> None:
        self._refused_advance(course, self.epoch, "an advance from before the step down is refused")

    def _refused_advance(self, course: Course, epoch: int, says: str) -> None:
        target, clock = course.target, course.around.clock
        state, before = target.ledger.state(), target.ledger.head().seq
        names = [stage.name for stage in target.policy.stages]
        command = BeginAdvance(
            actor=course.actor, intent=course.around.new_id(), plan_id=course.drill.run, action="drill",
            from_stage=names[self.lower], to_stage=names[self.upper], epoch=epoch, policy=target.policy_digest,
            roster=target.roster_digest, expires=clock.wall() + timedelta(minutes=5),
            market=clock.market(clock.wall()), quorum=Quorum("drill", (), 1), top=target.policy.top,
            to_index=self.upper, burn_in_run="", blobs={}, base="", confirmation="",
        )  # fmt: skip
        said = target.ledger.transact(command, now=clock.wall())
        words = said.reason if isinstance(said, Refusal) else f"it was begun in epoch {state.epoch}"
        course.find(says, isinstance(said, Refusal), words, negative=True)
        kept = [entry.kind for entry in target.ledger.entries(after=before)]
        course.find("the refusal is recorded", "denied" in kept, ", ".join(kept))

    def _in_git(self, course: Course) -> None:
        repository, sha = course.target.repository, self.answer.sha if self.answer else ""
        policy = course.target.policy
        standing = assess(policy, read_controls(policy, partial(repository.read, sha or repository.fetch())))
        differs = ", ".join(str(one) for one in standing.differences)
        course.find("every limit of the lower stage is in the commit", standing.stage == self.lower, differs)

    def _recorded(self, course: Course) -> None:
        mine = [one for one in course.target.ledger.entries(after=self.seq_before) if one.intent == self.intent]
        course.note("target ledger", [entry.text for entry in mine])
        kinds = [entry.kind for entry in mine]
        course.find("commit and outcome are recorded", {"committed", "outcome"} <= {*kinds}, ", ".join(kinds))

    def _truth(self, course: Course) -> None:
        reading, standing = heard(course.target.venue), standing_now(course)
        course.note("venue", plain(reading))
        right = reading.account_label == course.target.scope.account
        course.find("the right account", right, reading.account_label)
        course.find("Git stands at the lower stage", standing.stage == self.lower)
        left = ", ".join(f"{one.symbol} {one.quantity:+f}" for one in reading.positions) or "none"
        course.find("the positions left are known", True, left)

    def _restarted(self, course: Course) -> None:
        venue, fired = course.target.venue, course.fired_wall

        def again() -> bool:
            app = venue.app()
            return fired is not None and app.started_at > fired and agrees(app, self._values(course, self.lower))

        course.find("the application restarted on the lower stage", course.wait(again))
        fresh = course.target.fresh()
        newest = fresh.last_pushed
        knows = newest is not None and newest.id == self.intent
        course.find("a console opened anew knows the step down", knows, f"entry {fresh.seq}")

    def _synced(self, course: Course) -> None:
        course.note("app", plain(course.target.venue.app()))
        self._settle(course, converged=race(course, self._wanted(course)))

    def _wanted(self, course: Course) -> Wanted:
        """The lower stage, as every witness must say it through a self-heal, a sync and a reconcile period."""
        name = course.target.policy.stages[self.lower].name

        def git() -> Word:
            standing = standing_now(course)
            return Word(standing.stage == self.lower, f"Git {name if standing.stage == self.lower else 'OTHERWISE'}")

        return Wanted(f"at {name}", git, self._values(course, self.lower), killed=False)

    def _settle(self, course: Course, *, converged: bool) -> None:
        close_act(course, self.intent, self.answer.sha if self.answer is not None else "", converged=converged)

    def _negative(self, course: Course) -> None:
        again = course.target.reduce(self.lower, Mode.NORMAL, course.around.new_id())
        course.find("a second step down works", again.outcome in ("unchanged", "pushed"), again.outcome)
        epoch = course.target.ledger.state().epoch
        self._refused_advance(course, epoch, "an advance without approval is refused")
        latch = injected(course)
        if latch is not None:
            refused_clear(course, latch)

    def _put_back(self, course: Course) -> None:
        sha = self._publish(course, self.files, "put back")
        equal = target_files(course, course.target.repository.fetch()) == self.files
        course.find("the manifests equal D1", equal, sha[:8])
        runs = course.wait(lambda: course.target.venue.app().revision == sha)
        course.find("the application runs on them", runs)
        change = AdoptExternalChange(course.actor, sha, course.actor, f"drill {course.drill.run[:8]} put back")
        course.target.ledger.transact(change, now=course.around.clock.wall())
        if injected(course) is not None:
            held = withdraw_input(course)
            course.find("the injected input is gone, and its latch with it", not held, held)
