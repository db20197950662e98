"""Simulation: a scenario played by the engine itself, second by second, on a scripted clock and files in memory.

What is simulated is the world alone. What is judged, latched, decided and reduced is what the watch judges, latches,
decides and reduces; the same scenario gives the same answer wherever and whenever it is played.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from datetime import datetime, timedelta
from functools import partial

from stages.commands import (
    AdoptPolicy,
    AdoptRoster,
    BeginReduce,
    Command,
    DeclareIncident,
    RecordCommitted,
    RecordOutcome,
)
from stages.decide import decide
from stages.entries import Draft, Entry, genesis, write
from stages.evaluation import accumulate, judge
from stages.expectations import Difference, Happening, first_difference
from stages.incidents import latch_for, next_number
from stages.plan import Plan, build
from stages.policy import Policy
from stages.posture import Mode, Posture, effective_mode, join
from stages.readiness import way_down
from stages.reflex import carried_out, need, slipped_in, under_way
from stages.refusal import Refusal, Trouble
from stages.scenario import Declared, End, Event, Scenario
from stages.settling import settled, truth
from stages.signals import ReadControls, Snapshot
from stages.simulated_people import Seen, answers
from stages.simulated_world import World, trailers
from stages.standing import Standing, assess, read_controls
from stages.state import ControlState, fold
from stages.target import Target, aim
from stages.value import Struct, field, replace
from stages.verdict import AlarmClass, Evaluation, WatchPresence
from stages.watching import WatchState

WATCH = "watch"
PERSON = "operator"
LEDGER = "simulation"
_ACTING = WatchPresence(WATCH, acting=True, here=False, age=0.0)


class Played(Struct, frozen=True):
    """What came of a scenario, second by second, and how it compares with what was expected."""

    happenings: tuple[Happening, ...]
    end: End
    difference: Difference | None


def play(policy: Policy, digest: str, scenario: Scenario, files: Mapping[str, bytes]) -> Played:
    """Plays ``scenario`` on manifests given by path from the repository's root. Raises Trouble when they cannot be
    brought to the stage at which it begins."""
    game = _Game(policy, digest, scenario, World(policy, scenario, _standing_at(policy, digest, scenario, files)))
    game.play()
    end = game.end()
    difference = first_difference(scenario.spec.expect, game.happenings, end, scenario.seconds)
    return Played(tuple(game.happenings), end, difference)


def _standing_at(policy: Policy, digest: str, scenario: Scenario, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with the values of the scenario's first stage in them."""
    stage = policy.stage_index(scenario.spec.stage)
    assert stage is not None
    plan = build(
        policy,
        policy_digest=digest,
        roster_digest="",
        read=files.get,
        base_commit="",
        epoch=0,
        to_stage=stage,
        created_by=LEDGER,
        now=scenario.spec.market,
    )
    if plan.refusals:
        raise Trouble(f"the manifests cannot stand at {scenario.spec.stage}: {'; '.join(plan.refusals)}")
    return {**files, **plan.contents}


class _Push(Struct):
    """An act on its way: its commit is pushed when it is due."""

    intent: str
    wanted: Target
    due: datetime
    safer: bool = True
    """Whether it may only take risk back."""
    only: Set[str] | None = None
    """The controls that may move; all of them where it is None."""
    lets_go: bool = False
    """Whether the venue takes orders again after it."""


class _Game(Struct):
    """A ledger in memory, the watch's accumulators, and the world that they look at."""

    policy: Policy
    digest: str
    scenario: Scenario
    world: World
    happenings: list[Happening] = field(default_factory=list)
    second: int = 0
    state: ControlState = field(default_factory=ControlState)
    watch: WatchState = field(default_factory=WatchState.start)
    _last: Entry | None = None
    _rung: frozenset[tuple[str, AlarmClass]] = frozenset()
    _held: frozenset[str] = frozenset()
    _posture: Posture | None = None
    _standing: Standing | None = None
    _seen: Seen | None = None
    _pushing: list[_Push] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.scenario.spec.market + timedelta(seconds=self.second)

    @property
    def market(self) -> datetime:
        return self.scenario.spec.market + timedelta(seconds=self.second) * float(self.scenario.spec.speed)

    def play(self) -> None:
        self.world.begin()
        self._open_books()
        events = sorted(self.scenario.spec.events, key=lambda event: event.at)
        for second in range(self.scenario.seconds + 1):
            self.second = second
            self.world.tick(self.now)
            self._push_what_is_due()
            today = [one for one in events if int(one.at.total_seconds()) == second]
            for event in today:
                self.world.happen(event)
                for fault in event.inject:
                    self.world.inject(fault, self.now)
                if event.declare is not None:
                    self._declare(event.declare)
            self._tick()
            for event in today:
                self._let_act(event)

    def end(self) -> End:
        standing, posture = self._stands(), join(self.state.latches.values(), self.policy.top)
        return End(
            stage=_place(self.policy, standing),
            mode=standing.mode.name,
            posture=posture.mode.name,
            cap=self.policy.stages[posture.cap].name,
        )

    # ------------------------------------------------------------------------------------------------ one second

    def _tick(self) -> None:
        """What a tick of the watch does, in its order."""
        snapshot = self.world.snapshot(self.second, self.now, self.market)
        before = self.state
        self.watch, commands = accumulate(self.policy, self.state, self.watch, snapshot, WATCH)
        for command in commands:
            self.record(command)
        evaluation = judge(self.policy, self.state, self.watch, snapshot, _ACTING)
        self._look_at(snapshot, evaluation)
        self._close_acts(evaluation)
        self._tell(before, evaluation)
        self._react(evaluation)

    def _close_acts(self, evaluation: Evaluation) -> None:
        if not self.state.settling:
            return
        found = truth(self.policy, self.state, evaluation)
        convergence = self.policy.spec.target.convergence
        for command in settled(self.state, found, actor=WATCH, now=self.now, convergence=convergence):
            self.record(command)
            act = self.state.intents[command.intent]
            self._act("converged" if command.converged else "diverged", act.to_stage, act.mode, command.detail)

    def _react(self, evaluation: Evaluation) -> None:
        """Begins the reduction that the open latches, or the last one itself, ask for and Git does not show."""
        posture = join(self.state.latches.values(), self.policy.top)
        posture = posture.join(slipped_in(self.policy, self.state, self.watch, self.now))
        wanted = need(self.policy, posture, evaluation.standing)
        going = under_way(self.policy, posture, self.state.reducing)
        if wanted is not None and not going and not carried_out(self.policy, posture, self.state, self.world.head):
            ready = partial(
                way_down, self.policy, self.world.files.get, mode=wanted.mode, head=self.world.head, now=self.now
            )
            target = aim(self.policy, wanted, evaluation.standing, ready)
            cause = ", ".join(sorted({latch.trigger for latch in self.state.latches.values()}))
            cause = f"{cause}; not to {target.why}" if target.why else cause
            self._begin(target, evaluation, WATCH, cause)

    def _begin(self, wanted: Target, evaluation: Evaluation, actor: str, cause: str) -> None:
        intent, to_stage = self.intent(), self.policy.stages[wanted.stage].name
        here, automatic = self.policy.stages[evaluation.effective].name, actor == WATCH
        self.record(BeginReduce(actor, intent, here, to_stage, wanted.mode, self.market, cause, automatic=automatic))
        self._act("reduce", to_stage, wanted.mode, cause)
        self._tell_venue(to_stage, wanted.mode)
        self._pushing.append(_Push(intent, wanted, self.now + self.scenario.spec.deploy.push))

    def _tell_venue(self, to_stage: str, mode: Mode) -> None:
        mapped = effective_mode(mode, self.policy.mapped_modes)
        for step in self.policy.venue_actions(mapped):
            self.world.blocked = self.world.blocked or step == "suspend"
            self._act(step, to_stage, mode)

    def _push_what_is_due(self) -> None:
        due = [one for one in self._pushing if self.now >= one.due]
        self._pushing = [one for one in self._pushing if one not in due]
        for one in due:
            self._push(one)

    def _push(self, act: _Push) -> None:
        wanted, intent, mode = act.wanted, act.intent, act.wanted.mode
        plan = self._build(wanted.stage, WATCH, mode, act.only, only_safer=act.safer)
        stage = self.policy.stages[wanted.stage].name
        if plan.contents:
            sha = self.world.push(plan, trailers(stage, mode.name, self.state.epoch), self.now)
            self.record(RecordCommitted(WATCH, intent, sha))
            self.record(RecordOutcome(WATCH, intent, "pushed", sha, refused=plan.refusals))
            moved = ", ".join(edit.path for edit in plan.edits)
            self._act("pushed", stage, mode, "; ".join((moved, *plan.refusals)))
        else:
            said = "" if plan.refusals else "the manifests say this already"
            self.record(RecordOutcome(WATCH, intent, "unchanged", self.world.head, said, refused=plan.refusals))
            self._act("unchanged", stage, mode, "; ".join(plan.refusals))
        if act.lets_go:
            self.world.blocked = False
            self._act("unblock", stage, mode)

    def _build(
        self, stage: int, by: str, mode: Mode, only: Set[str] | None = None, *, only_safer: bool = False
    ) -> Plan:
        return build(
            self.policy,
            policy_digest=self.digest,
            roster_digest=self.digest,
            read=self.world.files.get,
            base_commit=self.world.head,
            epoch=self.state.epoch,
            to_stage=stage,
            created_by=by,
            now=self.now,
            mode=mode if mode > Mode.FROZEN else None,
            only_safer=only_safer,
            only=only,
        )

    # ---------------------------------------------------------------------------------------------------- people

    def _let_act(self, event: Event) -> None:
        for answer in answers(self, event):
            facts = {"act": answer.act, "outcome": "done" if answer.done else "refused"}
            self.happenings.append(Happening(self.second, "answer", facts, answer.why))

    def _look_at(self, snapshot: Snapshot, evaluation: Evaluation) -> None:
        """What people see in this second."""
        self._seen = Seen(
            policy=self.policy,
            digest=self.digest,
            scenario=self.scenario,
            state=self.state,
            watch=self.watch,
            snapshot=snapshot,
            evaluation=evaluation,
            presence=_ACTING,
            head=self.world.head,
        )

    def seen(self) -> Seen:
        assert self._seen is not None
        return replace(self._seen, state=self.state)

    def intent(self) -> str:
        return f"{LEDGER}-{len(self.state.intents) + 1}"

    def controls(self) -> ReadControls:
        return read_controls(self.policy, self.world.files.get)

    def plan(self, stage: int, by: str, *, mode: Mode = Mode.NORMAL, only: Set[str] | None = None) -> Plan:
        return self._build(stage, by, mode, only)

    def reduce(self, by: str, stage: int, mode: Mode) -> None:
        self._begin(Target(stage, mode), self.seen().evaluation, by, "by hand")

    def publish(self, intent: str, stage: int, *, mode: Mode, only: Set[str] | None, lets_go: bool) -> None:
        due = self.now + self.scenario.spec.deploy.push
        self._pushing.append(_Push(intent, Target(stage, mode), due, safer=False, only=only, lets_go=lets_go))

    # ---------------------------------------------------------------------------------------------------- ledger

    def _open_books(self) -> None:
        started = genesis(ledger=LEDGER, actor=PERSON, fingerprint={"scenario": self.scenario.name}, now=self.now)
        self._last, self.state = started, fold(self.state, started)
        version = self.policy.spec.version
        self.record(AdoptPolicy(PERSON, self.digest, version, self.world.head, self.scenario.spec.policy))
        self.record(AdoptRoster(PERSON, self.digest, self.world.head, self.scenario.spec.policy))

    def _declare(self, declared: Declared) -> None:
        number = next_number(self.state)
        standing = self._stands()
        latch = latch_for(
            self.policy,
            actor=PERSON,
            incident=number,
            severity=declared.severity,
            title=declared.title,
            effective=min(standing.riskiest, self.policy.top),
            market=self.market,
        )
        self.record(DeclareIncident(PERSON, number, declared.severity, declared.title, latch))

    def record(self, command: Command) -> Refusal | None:
        """Lets the ledger decide; why not, where it refuses."""
        decision = decide(self.state, command, self.now)
        if isinstance(decision, Refusal):
            return decision
        for draft in decision:
            self._write(draft)
        return None

    def _write(self, draft: Draft) -> None:
        self._last = write(draft, ledger=LEDGER, previous=self._last, now=self.now)
        self.state = fold(self.state, self._last)

    def _stands(self) -> Standing:
        return assess(self.policy, read_controls(self.policy, self.world.files.get))

    # --------------------------------------------------------------------------------------------------- telling

    def _tell(self, before: ControlState, evaluation: Evaluation) -> None:
        for happening in (
            *self._alarms(evaluation),
            *self._latches(),
            *self._postures(),
            *self._burn_ins(before),
            *self._standings(evaluation),
        ):
            self.happenings.append(happening)

    def _act(self, act: str, to_stage: str, mode: Mode, detail: str = "") -> None:
        facts = {"act": act, "to": to_stage, "mode": mode.name}
        self.happenings.append(Happening(self.second, "action", facts, detail))

    def _alarms(self, evaluation: Evaluation) -> Iterator[Happening]:
        ringing = [one for one in evaluation.alarms if one.klass < AlarmClass.NOTE]
        for one in ringing:
            if (one.cause, one.klass) not in self._rung:
                yield Happening(self.second, "alarm", {"cause": one.cause, "class": one.klass.value}, one.text)
        self._rung = frozenset((one.cause, one.klass) for one in ringing)

    def _latches(self) -> Iterator[Happening]:
        for latch in self.state.latches.values():
            if latch.key not in self._held:
                facts = {"trigger": latch.trigger, "mode": latch.mode.name, "cap": self._cap(latch.cap)}
                yield Happening(self.second, "latch", facts, f"{latch.cause}: {latch.evidence}")
        self._held = frozenset(self.state.latches)

    def _postures(self) -> Iterator[Happening]:
        posture = join(self.state.latches.values(), self.policy.top)
        if posture != (self._posture or Posture(Mode.NORMAL, self.policy.top)):
            yield Happening(self.second, "posture", {"mode": posture.mode.name, "cap": self._cap(posture.cap)})
        self._posture = posture

    def _burn_ins(self, before: ControlState) -> Iterator[Happening]:
        for stage, run in self.state.runs.items():
            known = before.runs.get(stage)
            if known is None or (known.run, known.state) != (run.run, run.state):
                yield Happening(self.second, "burn-in", {"stage": stage, "state": run.state}, run.reason)

    def _standings(self, evaluation: Evaluation) -> Iterator[Happening]:
        standing = evaluation.standing
        if self._standing is None or (standing.stage, standing.mode) != (self._standing.stage, self._standing.mode):
            facts = {"stage": _place(self.policy, standing), "mode": standing.mode.name}
            yield Happening(self.second, "standing", facts)
        self._standing = standing

    def _cap(self, cap: int | None) -> str:
        return self.policy.stages[self.policy.top if cap is None else cap].name


def _place(policy: Policy, standing: Standing) -> str:
    if standing.stage is not None:
        return policy.stages[standing.stage].name
    return "beyond" if standing.beyond else "between"
