"""The watch: one tick a second, from readings to verdicts to what follows by itself. Exactly one per ledger acts.

Whoever holds the lease watches: it evaluates its own readings, writes what they command, stores the tick and seals it.
Everybody else is a desk and shows the watch's ticks; when those stop it reads for itself, says so, and writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from console.desk import Frame, Trends
from console.feed import Desk
from console.ports import (
    Clock,
    Launcher,
    Lease,
    LedgerStore,
    Notifier,
    Observations,
    Repository,
    RunningActs,
    SpillFile,
    StoredTick,
)
from console.procedures.follow import settle
from console.watch.chronicle import Chronicle
from console.watch.intake import Intake
from console.watch.memory import SEAL_CLOSED, SEAL_OPEN, Memory, abort_runs, prune, resume, samples_since
from console.watch.once import FRESH, Look
from console.watch.reader import FIRST_LOOK, TICK, Reader
from console.watch.reflex import Ready, Reflex
from console.watch.ringer import Ringer
from console.watch.seeing import Seeing
from console.watch.settlement import Settlement
from console.watch.tenure import HASTE, Seat, Tenure
from stages.clearing import clearances
from stages.commands import Command, OpenLatch, Record
from stages.drill_progress import board
from stages.evaluation import accumulate, judge
from stages.policy import Policy
from stages.posture import join
from stages.readiness import way_down
from stages.reflex import carried_out, slipped_in, under_way, with_pending
from stages.refusal import Refusal, Trouble
from stages.settling import truth
from stages.signals import Snapshot
from stages.state import ControlState
from stages.value import Struct, replace
from stages.verdict import Evaluation, WatchPresence
from stages.watching import WatchState

SILENCE: Final = timedelta(seconds=5)
"""Without a tick for so long, a desk reads for itself."""

TREND: Final = timedelta(hours=1)


class WatchPorts(Struct, frozen=True):
    """What the watch needs of the world. ``policy`` gives the adopted policy, ``reader`` a fresh reader for it."""

    ledger: LedgerStore
    lease: Lease
    observations: Observations
    repository: Repository
    running: RunningActs
    launcher: Launcher
    clock: Clock
    spill: SpillFile
    policy: Callable[[], Policy]
    reader: Callable[[Policy], Reader]
    notifier: Notifier | None = None


class Watch:
    """A daemon thread that ticks. ``tick`` may be called by itself where there is no thread."""

    def __init__(self, ports: WatchPorts, seat: Seat, desk: Desk) -> None:
        self._ports, self._seat, self._desk = ports, seat, desk
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="rampdeck watch", daemon=True)
        self._tenure = Tenure(ports.lease, seat)
        self._reflex, self._ringer = Reflex(ports.launcher, seat.actor), Ringer(ports.notifier)
        self._settlement = Settlement(ports.ledger, ports.repository, ports.running, ports.clock, seat.actor)
        self._intake = Intake(ports.spill, ports.ledger, seat.actor, reads_only=seat.read_only)
        self._trends, self._chronicle, self._seeing = Trends(), Chronicle(), Seeing()
        self._state: ControlState | None = None
        self._policy: tuple[str, Policy] | None = None
        self._memory: Memory | None = None
        self._reader: Reader | None = None
        self._pending: list[Command] = []
        self._sealed: tuple[float, str] | None = None
        self._seen: Look | None = None
        self._looking: datetime | None = None
        """Since when this watch looks without a gap."""
        self._troubles: dict[str, str] = {}
        """What is in the way, by the part that it concerns."""
        self.fault: Exception | None = None
        """What broke the ticking; None while it goes on, and after a wanted end."""

    # ------------------------------------------------------------------------------------------------- the thread

    def start(self) -> None:
        """Starts ticking; returns at once."""
        self._thread.start()

    def stop(self, seconds: float = 3.0) -> None:
        """Ends the ticking: seals what was seen and gives the lease back. Waits at most ``seconds``."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def look(self) -> Look | None:
        """What the newest tick found, while that is fresh and what the watch of this ledger sees too."""
        seen = self._seen
        fresh = seen is not None and self._ports.clock.wall() - seen.evaluation.snapshot.wall < FRESH
        return seen if fresh else None

    @property
    def alive(self) -> bool:
        """Whether the thread ticks."""
        return self._thread.is_alive()

    def take_over(self) -> None:
        """Makes this console the acting watch at its next tick, whoever holds the lease now."""
        self._tenure.ask()
        self._wake.set()

    def _run(self) -> None:
        clock = self._ports.clock
        due = clock.monotonic()
        try:
            while not self._stop.is_set():
                self._wake.clear()
                self.tick()
                # A tick that came late is not made up for: the next one follows a whole second after it.
                due = max(due + TICK, clock.monotonic())
                if not self._stop.is_set():
                    self._wake.wait(max(due - clock.monotonic(), 0.0))
        except Exception as fault:  # noqa: BLE001 - kept and told, whatever it is
            # Whoever started the thread reports it; a trace in the middle of a screen helps nobody.
            self.fault = fault
            self._troubles["watch"] = f"the watch has stopped by itself ({type(fault).__name__}); start it again"
            self._desk.wait(self._troubles["watch"])
            last = self._desk.frame()
            if last is not None:
                self._desk.publish(replace(last, notices=self._notices()))
        finally:
            self.close()

    def close(self) -> None:
        """Seals, gives the lease back and ends the reader's threads."""
        self._drop_reader()
        if self._tenure.term is None:
            return
        try:
            self._seal("stopped")
            self._tenure.release(self._ports.clock.wall())
        except Trouble as trouble:
            self._desk.wait(trouble.line)

    # ---------------------------------------------------------------------------------------------------- one tick

    def tick(self) -> None:
        """One look, one verdict, and what follows from it."""
        now = self._ports.clock.wall()
        state = self._read_ledger()
        if self._intake.consider(now, answers="ledger" not in self._troubles):
            state = self._read_ledger()
        policy = self._read_policy(state) if state else None
        if state is None or policy is None:
            return
        if self._tenure.hold(now, idle="" if state.acting else state.watch):
            # A new term begins where the stored ticks end, whoever took them.
            self._memory, self._sealed = None, None
        memory = self._remembered(policy, state)
        if self._tenure.term is not None:
            self._watch(policy, state, memory, now)
        else:
            self._follow(policy, state, memory, now)

    def _read_ledger(self) -> ControlState | None:
        try:
            self._state = self._ports.ledger.state()
            self._troubles.pop("ledger", None)
        except Trouble as trouble:
            self._troubled("ledger", trouble)
        return self._state

    def _read_policy(self, state: ControlState) -> Policy | None:
        """The adopted policy; another one than before brings another reader."""
        digest = state.policy.digest if state.policy else ""
        if self._policy is not None and self._policy[0] == digest:
            return self._policy[1]
        self._desk.wait("reading the policy")
        try:
            policy = self._ports.policy()
        except Trouble as trouble:
            self._troubled("policy", trouble)
            return self._policy[1] if self._policy else None
        self._troubles.pop("policy", None)
        self._policy = digest, policy
        self._drop_reader()
        return policy

    def _remembered(self, policy: Policy, state: ControlState) -> Memory:
        """Accumulators, resumed at the first tick and at the first one of a term; blank until the store answers."""
        if self._memory is None or self._memory.blank:
            self._desk.wait("resuming from the last seal")
            try:
                self._ports.observations.begin()
                self._memory = resume(policy, state, self._ports.observations, self._seat.actor)
                for key, at, value in samples_since(self._ports.observations, self._ports.clock.wall() - TREND):
                    self._trends.add(key, at, value)
                self._troubles.pop("observations", None)
            except Trouble as trouble:
                self._troubled("observations", trouble)
        if self._memory is None:
            self._memory = Memory(WatchState.start(), state.last_seal, blank=True)
        return self._memory

    def _troubled(self, part: str, trouble: Trouble) -> None:
        self._troubles[part] = trouble.sentence
        self._desk.wait(trouble.line)

    # --------------------------------------------------------------------------------------------------- watching

    def _watch(self, policy: Policy, state: ControlState, memory: Memory, now: datetime) -> None:
        reader = self._reading(policy)
        snapshot = memory.bridged(reader.snapshot(memory.through + 1))
        state = self._read_ledger() or state  # what was declared before it happened is known before it is judged
        if (snapshot.gap and not memory.unkept) or self._looking is None:
            self._looking = now
        memory.watch, commands = accumulate(policy, state, memory.watch, snapshot, self._seat.actor)
        if memory.blank:
            commands = tuple(command for command in commands if isinstance(command, OpenLatch))
        if memory.lost:
            commands = (*abort_runs(state, self._seat.actor, snapshot.market, memory.lost), *commands)
            memory.lost = ""
        state = self._carry_out(commands, state)
        if self._tenure.term is None:
            return  # relieved: the tick belongs to whoever watches now
        self._store(memory, snapshot)
        evaluation = self._judge(policy, state, memory.evidence, snapshot, self._tenure.here())
        state = self._close_acts(policy, state, evaluation)
        self._seal_when_due(evaluation.market_phase)
        self._settlement.consider(state)
        if self._tenure.acting:
            self._react(policy, state, evaluation, now)
        stage = policy.stages[evaluation.effective].name
        self._ringer.hear(
            evaluation,
            state.acknowledged,
            now,
            lambda kind, body: self._record(kind, body, stage),
        )
        self._publish(policy, state, evaluation, self._tenure.here())

    def _judge(
        self, policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, presence: WatchPresence
    ) -> Evaluation:
        """The verdict, and beside its alarms what waits on this machine alone."""
        found = judge(policy, state, watch, snapshot, presence)
        own = self._intake.alarms()
        return replace(found, alarms=tuple(sorted((*found.alarms, *own), key=lambda one: one.klass.value)))

    def _reading(self, policy: Policy) -> Reader:
        if self._reader is None:
            self._desk.wait("first read")
            self._reader = self._ports.reader(policy)
            self._reader.start()
            self._reader.settled(FIRST_LOOK)
        return self._reader

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.stop()
            self._reader = None

    def _carry_out(self, commands: Iterable[Command], state: ControlState) -> ControlState:
        """Writes what the tick commands. What a ledger that is away cannot take waits for the next tick."""
        waiting = [*self._pending, *(command for command in commands if not _repeats(command, self._pending))]
        self._pending = []
        for place, command in enumerate(waiting):
            if not self._transact(command):
                self._pending = waiting[place:]
                break
        return (self._read_ledger() or state) if waiting and not self._pending else state

    def _transact(self, command: Command) -> bool:
        """False when the ledger could not take it; a refusal is an answer. Who was relieved says nothing any more."""
        now, term = self._ports.clock.wall(), self._tenure.term
        if term is None:
            return True
        try:
            answer = self._ports.ledger.transact(command, now=now, deadline=HASTE, term=term)
        except Trouble as trouble:
            self._troubles["ledger"] = trouble.sentence
            return False
        if isinstance(answer, Refusal) and answer.code == "relieved":
            self._tenure.relieved()
        return True

    def _record(self, kind: str, body: dict[str, str], stage: str) -> None:
        self._transact(Record(self._seat.actor, kind, body, stage=stage))

    def _store(self, memory: Memory, snapshot: Snapshot) -> None:
        if memory.blank:
            return
        try:
            memory.keep(
                snapshot, self._ports.observations, {"holder": self._seat.holder, "acting": self._tenure.acting}
            )
            self._troubles.pop("observations", None)
        except Trouble as trouble:
            self._troubles["observations"] = trouble.sentence

    def _close_acts(self, policy: Policy, state: ControlState, evaluation: Evaluation) -> ControlState:
        """Follows pushed acts to what the runtime was read to say."""
        if not state.settling:
            return state
        try:
            closed = settle(
                self._ports.ledger,
                self._ports.clock,
                actor=self._seat.actor,
                truth=truth(policy, state, evaluation),
                convergence=policy.spec.target.convergence,
                since=self._looking,
                term=self._tenure.term,
            )
        except Trouble as trouble:
            self._troubles["ledger"] = trouble.sentence
            return state
        return (self._read_ledger() or state) if closed else state

    def _seal_when_due(self, phase: str) -> None:
        now = self._ports.clock.monotonic()
        last, before = self._sealed or (now, phase)
        if phase != before or now - last >= (SEAL_OPEN if phase == "open" else SEAL_CLOSED):
            self._seal(phase)
            last = now
        self._sealed = last, phase

    def _seal(self, phase: str) -> None:
        memory, state = self._memory, self._state
        if memory is None or state is None or memory.through <= state.last_seal:
            return
        try:
            now = self._ports.clock.wall()
            prune(state, self._ports.observations, now)
            seal = memory.seal(state, self._ports.observations, self._seat.actor, phase, now)
        except Trouble as trouble:
            self._troubles["observations"] = trouble.sentence
        else:
            self._transact(seal)

    def _react(self, policy: Policy, state: ControlState, evaluation: Evaluation, now: datetime) -> None:
        """Starts the reduction that the open latches, or the last one itself, ask for and Git does not show."""
        posture = with_pending(policy, join(state.latches.values(), policy.top), self._pending)
        watch = self._memory.watch if self._memory else WatchState.start()
        posture = posture.join(slipped_in(policy, state, watch, now))
        git = evaluation.snapshot.git
        if git is not None and carried_out(policy, posture, state, git.head):
            return
        wait = under_way(policy, posture, state.reducing) or git is None or not git.head
        cause = ", ".join(sorted({latch.trigger for latch in state.latches.values()})) or "posture"
        ready = self._rehearsal(policy, git.head, now) if git is not None and git.head else None
        self._reflex.consider(policy, posture, evaluation.standing, cause=cause, wait=wait, now=now, ready=ready)

    def _rehearsal(self, policy: Policy, head: str, now: datetime) -> Ready:
        return partial(way_down, policy, partial(self._ports.repository.read, head), head=head, now=now)

    # --------------------------------------------------------------------------------------------------- following

    def _follow(self, policy: Policy, state: ControlState, memory: Memory, now: datetime) -> None:
        """A desk: the watch's ticks while they come, own readings when they do not."""
        newest = self._newest_tick()
        # A tick of the future tells of clocks that differ, not of a watch that ticks.
        fresh = newest is not None and abs(now - newest.at) < SILENCE
        if fresh and memory.own:
            self._memory = None
            return
        if fresh:
            self._drop_reader()
            self._troubles.pop("ticks", None)
            self._catch_up(policy, state, memory)
        else:
            self._troubles["ticks"] = "no ticks from the watch: these are this console's own readings"
            snapshot = memory.bridged(self._reading(policy).snapshot(memory.through + 1))
            memory.watch, _ = accumulate(policy, state, memory.watch, snapshot, self._seat.actor)
            memory.at, memory.snapshot, memory.own = snapshot.wall, snapshot, True
        if memory.snapshot is None:
            return
        there = self._tenure.elsewhere(newest if fresh else None, now)
        evaluation = self._judge(policy, state, memory.evidence, memory.snapshot, there)
        self._ringer.hear(evaluation, state.acknowledged, now, None)
        self._publish(policy, state, evaluation, there)

    def _newest_tick(self) -> StoredTick | None:
        try:
            return self._ports.observations.newest_tick()
        except Trouble as trouble:
            self._troubles["observations"] = trouble.sentence
            return None

    def _catch_up(self, policy: Policy, state: ControlState, memory: Memory) -> None:
        try:
            for tick in self._ports.observations.ticks(after=memory.through):
                memory.fold(policy, state, tick, self._seat.actor)
        except Trouble as trouble:
            self._troubles["observations"] = trouble.sentence
        except (KeyError, ValueError, TypeError) as error:
            self._troubles["ticks"] = f"the watch's ticks cannot be read here ({type(error).__name__})"

    # ----------------------------------------------------------------------------------------------------- telling

    def _publish(self, policy: Policy, state: ControlState, evaluation: Evaluation, presence: WatchPresence) -> None:
        self._trends.add_rows(evaluation.rows, evaluation.snapshot.wall)
        self._seeing.look(policy, evaluation.rows, self._ports.clock.wall())
        try:
            self._chronicle.read(self._ports.ledger)
        except Trouble as trouble:
            self._troubles["ledger"] = trouble.sentence
        watched = self._memory.watch if self._memory is not None else WatchState.start()
        waits = clearances(policy, state, watched, evaluation.snapshot)
        own = self._memory is None or self._memory.own or self._memory.blank
        self._seen = None if own else Look(evaluation, presence, own=False, clearances=waits)
        self._desk.publish(
            Frame(
                evaluation=evaluation,
                clearances=waits,
                history=self._trends.history(),
                policy=policy,
                who=self._seat.who,
                actor=self._seat.actor,
                presence=presence,
                events=self._chronicle.lines(),
                happened=self._chronicle.times(),
                running=self._chronicle.running(policy, state, evaluation),
                read_only=self._seat.read_only,
                environment=self._seat.environment,
                acknowledged=state.acknowledged,
                rung=self._ringer.rung,
                notices=self._notices(),
                sees=self._seeing.sees(),
                drills=board(policy, state, evaluation.standing, evaluation.snapshot),
            )
        )

    def _notices(self) -> tuple[str, ...]:
        parts = (self._intake, self._tenure, self._reflex, self._settlement, self._ringer)
        return (*self._troubles.values(), *(part.trouble for part in parts if part.trouble))


def _repeats(command: Command, pending: Iterable[Command]) -> bool:
    """Whether a command that waits already says the same; a latch's evidence may have new numbers."""
    if isinstance(command, OpenLatch):
        return any(isinstance(one, OpenLatch) and replace(one, evidence=command.evidence) == command for one in pending)
    return command in pending
