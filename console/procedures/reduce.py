"""Reduce: take risk out, now. Never refused; it does what it can, keeps trying, and names the rest.

The target stage's values are spliced into the files as they are on the branch now, only where that is safer, in a loop
of fetch, compute, commit, push. Where nothing is to be lowered while something that raises risk is on its way, an empty
commit fences it off: its push is then made for another head. The venue is told at the same time, in a thread of its
own, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from console.containment import VenueSteps, Witnessed, contain
from console.nudge import nudge
from console.patience import Hung, Once, within
from console.ports import (
    Checkpoint,
    Clock,
    KillFlag,
    LedgerStore,
    Repository,
    RunningActs,
    Runtime,
    SpillFile,
    Venue,
    branch_name,
)
from stages import not_written
from stages.commands import BeginReduce, Command, GiveReason, OpenLatch, Record, RecordCommitted, RecordOutcome
from stages.decide import decide
from stages.entries import Head, LedgerAway
from stages.plan import Plan, build
from stages.policy import Policy
from stages.posture import Mode, effective_mode
from stages.refusal import Refusal, Trouble
from stages.staleness import (
    EPOCH_TRAILER,
    INTENT_TRAILER,
    LEDGER_TRAILER,
    MODE_TRAILER,
    STAGE_TRAILER,
    TARGET_TRAILER,
)
from stages.state import REDUCE, ControlState, Intent
from stages.value import Struct, replace
from stages.witness import Position

T = TypeVar("T")

LEDGER_SECONDS: Final = 0.05
"""How long a reduction waits for the ledger before it spills and goes on."""

BUDGET: Final = timedelta(minutes=10)
"""How long a reduction keeps trying to reach Git."""

HUNG_SECONDS: Final = 3.0
"""After how long a ledger that says nothing at all, not even no, counts as away for the rest of the reduction."""

REJECTIONS: Final = 3
"""How often the same rejected push is tried before the rejection is the answer."""

FREEZE_SECONDS: Final = 2.0
"""How long a freeze waits for the ledger: it acts inside Rampdeck alone, so a moment costs nothing."""

MANUAL_FREEZE: Final = "manual-freeze"

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 15.0


class ReducePorts(Struct, frozen=True):
    """What a reduction uses of the world; whatever of it is away is done without. ``pause`` waits so many seconds."""

    ledger: LedgerStore
    spill: SpillFile
    repository: Repository
    venue: Venue | None
    clock: Clock
    running: RunningActs
    pause: Callable[[float], object]
    checkpoint: Checkpoint
    by_branch: bool = False
    """Whether it is proposed as a branch at once; a push that the remote's rules refuse becomes one anyway."""
    runtime: Runtime | None = None
    flag: KillFlag | None = None
    """The field that a kill, and nothing else, writes straight into the runtime."""


class Order(Struct, frozen=True):
    """What is wanted: at most stage ``to_stage`` (an index), in ``mode``.

    ``intent`` is a new identifier, or that of a kill whose intent is ``begun``: in the ledger, or in the spill.
    """

    intent: str
    actor: str
    to_stage: int
    mode: Mode
    cause: str
    automatic: bool = False
    authenticated: bool = False
    reason: str = ""
    begun: bool = False


class Reduced(Struct, frozen=True):
    """What took effect, and what is not known.

    ``outcome``: pushed, unchanged, rejected, abandoned (Git never answered), unknown, running when another process is
    at the same automatic reduction, or proposed: pushed as ``branch``, and nothing is lower before somebody merges it.
    ``took`` is in seconds; ``refusals`` are what the manifests would not let be reduced; ``left`` are open positions.
    """

    outcome: str
    intent: str
    sha: str = ""
    message: str = ""
    took: float = 0.0
    witnesses: tuple[Witnessed, ...] = ()
    refusals: tuple[str, ...] = ()
    left: tuple[Position, ...] | None = None
    spilled: bool = False
    branch: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome in ("pushed", "unchanged", "running") and not self.refusals and not self.unverified

    @property
    def unverified(self) -> tuple[str, ...]:
        """Witnesses of which nobody knows whether they obeyed."""
        return tuple(one.witness for one in self.witnesses if not one.done)


def reduce(
    ports: ReducePorts, policy: Policy, order: Order, *, digests: tuple[str, str], budget: timedelta = BUDGET
) -> Reduced:
    """Carry ``order`` out; return when Git holds it or ``budget`` is used up. ``digests``: of policy and roster.

    The ledger and Git may be away: what is decided is spilled, what is pushed is tried again. It raises no Trouble.
    """
    started = ports.clock.monotonic()
    record = _Recorder(ports, order.actor)
    # The intent comes first, unless the ledger hangs: the venue does not wait for that.
    flag = ports.flag if order.mode is Mode.KILLED else None
    venue_steps = Once(
        lambda: contain(ports.venue, _venue_steps(policy, order), ports.clock, ports.pause, flag), 2 * LEDGER_SECONDS
    )
    with ExitStack() as held:
        held.callback(venue_steps.never_mind)
        held.enter_context(ports.running.hold(order.intent))
        if order.begun:
            record.merge(anyway=True)
        state = record.state()
        begun = 1 if order.begun and record.spilled else record(_intent(ports, policy, order, state))
        under_way = record.state().reducing if begun == 0 and not order.begun else None
        if under_way is not None:
            if ports.running.alive(under_way.id):
                return Reduced("running", under_way.id, message="another process is at the same reduction")
            # Its process died, or something slipped in after its push: carry on under its name.
            order = replace(order, intent=under_way.id)
            held.enter_context(ports.running.hold(order.intent))
        awaited = under_way if under_way is not None and under_way.branch else None
        ports.checkpoint("intent")
        steps = venue_steps()
        epoch = max(record.state().epoch, state.epoch + (1 if begun else 0))
        done = _Git(ports, policy, order, digests, epoch, record, awaited).follow(started + budget.total_seconds())
        ports.checkpoint("pushed")
        record(
            RecordOutcome(
                order.actor, order.intent, done.outcome, done.sha, done.message, done.branch, refused=done.refusals
            )
        )
        ports.checkpoint("outcome")
        note = nudge(ports.runtime, actor=order.actor, intent=order.intent) if done.outcome == "pushed" else None
        if note is not None:
            record(note)
        _take_back(ports, record, order)
        witnessed, left = steps.finish()
        for one in witnessed:
            record(Record(order.actor, "note", {"text": one.text, "subject": one.witness}, intent=order.intent))
        if order.reason:
            record(GiveReason(order.actor, order.intent, order.reason))
        record.merge()
    took = ports.clock.monotonic() - started
    obeyed = done.outcome in ("pushed", "unchanged") and not done.refusals
    git = Witnessed("git", obeyed, took, done.message or done.outcome)
    return replace(done, took=took, witnesses=(*witnessed, git), left=left, spilled=record.spilled)


def _intent(ports: ReducePorts, policy: Policy, order: Order, state: ControlState) -> BeginReduce:
    newest = state.last_pushed
    return BeginReduce(
        actor=order.actor,
        intent=order.intent,
        from_stage=newest.to_stage if newest else policy.stages[0].name,
        to_stage=policy.stages[order.to_stage].name,
        mode=order.mode,
        market=ports.clock.market(ports.clock.wall()),
        cause=order.cause,
        automatic=order.automatic,
        authenticated=order.authenticated,
    )


def _take_back(ports: ReducePorts, record: _Recorder, order: Order) -> None:
    """An advance that awaits its merge must not be merged after this: its branch goes, and the act ends.

    So does the branch of one that is still at it, which then finds out by itself that it was overtaken.
    """
    state = record.state()
    for one in (*state.awaiting, *state.unresolved):
        if one.kind == REDUCE or not one.branch:
            continue
        with suppress(Trouble):
            if ports.repository.withdraw(one.branch, one.sha) and one.awaited:
                said = f"{order.actor} reduced meanwhile; branch {one.branch} was taken back"
                record(RecordOutcome(order.actor, one.id, "abandoned", one.sha, said))


def _venue_steps(policy: Policy, order: Order) -> VenueSteps:
    """What the policy has the venue do in this mode; an unmapped mode acts as the next stricter mapped one."""
    mode = effective_mode(order.mode, policy.mapped_modes)
    actions = policy.venue_actions(mode)
    return VenueSteps(block="suspend" in actions, cancel="cancelAll" in actions)


class _Recorder:
    """Writes to the ledger, and to the spill as soon as the ledger does not answer in time."""

    def __init__(self, ports: ReducePorts, actor: str) -> None:
        self._ports, self._actor = ports, actor
        self._last = ControlState()
        self._hung = False
        self.spilled = False

    def state(self) -> ControlState:
        """The newest state that can be read; an older one, or an empty one, when the ledger is away."""
        try:
            self._last = self._asked(self._ports.ledger.state)
        except Trouble:
            self.spilled = True
        return self._last

    def head(self) -> Head:
        """The ledger's newest entry. Raises Trouble."""
        return self._asked(self._ports.ledger.head)

    def _asked(self, ask: Callable[[], T]) -> T:
        """What the ledger answers; one that hung once is not asked again. Raises Trouble."""
        if not self._hung:
            with suppress(Hung):
                return within(HUNG_SECONDS, ask)
            self._hung = True
        raise LedgerAway("the ledger does not answer")

    def merge(self, *, anyway: bool = False) -> None:
        """Bring what was spilled, here or ``anyway``, into the ledger when it is back; else whoever finds it does."""
        if self.spilled or anyway:
            with suppress(Trouble):
                now, ledger = self._ports.clock.wall(), self._ports.ledger
                merge = self._ports.spill.merge
                self._asked(lambda: merge(ledger, actor=self._actor, now=now, deadline=LEDGER_SECONDS))

    def __call__(self, command: Command) -> int:
        """Record a decision; how many entries it became. What follows a spilled one is spilled too, in its order."""
        now = self._ports.clock.wall()
        if self.spilled:
            return self._spill(command, now, "follows what was spilled")
        try:
            answer = self._asked(lambda: self._ports.ledger.transact(command, now=now, deadline=LEDGER_SECONDS))
            return 0 if isinstance(answer, Refusal) else len(answer)
        except Trouble as away:  # the ledger, or what was spilled and cannot be brought into it
            return self._spill(command, now, away.line)

    def _spill(self, command: Command, now: datetime, cause: str) -> int:
        self.spilled = True
        drafts = decide(self._last, command, now)
        if isinstance(drafts, Refusal) or not drafts:
            return 0
        try:
            self._ports.spill.append(drafts, at=now, cause=cause)
        except Trouble:
            # Neither ledger nor spill can be written: the reduction goes on, and Git's trailers tell of it.
            return len(drafts)
        return len(drafts)


class _Git:
    """The loop of fetch, compute, commit, push."""

    def __init__(
        self,
        ports: ReducePorts,
        policy: Policy,
        order: Order,
        digests: tuple[str, str],
        epoch: int,
        record: _Recorder,
        awaited: Intent | None = None,
    ) -> None:
        self._ports, self._policy, self._order, self._digests = ports, policy, order, digests
        self._epoch, self._record = epoch, record
        self._sha = ""
        self._refusals: tuple[str, ...] = ()
        self._rejected = 0
        self._by_branch, self._refused, self._awaited = ports.by_branch, "", awaited

    def follow(self, deadline: float) -> Reduced:
        """Try until the branch holds the reduction, a rejection is final, or ``deadline`` (monotonic) has passed."""
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = self._once()
            except Trouble as trouble:
                answer = Reduced("unknown" if self._sha else "pending", self._order.intent, self._sha, trouble.line)
            final = answer.outcome in ("pushed", "proposed", "unchanged") or self._rejected >= self._patience
            if final or self._ports.clock.monotonic() + pause >= deadline:
                outcome = "abandoned" if answer.outcome in ("pending", "moved") else answer.outcome
                message = "; ".join(filter(None, (answer.message, not_written.in_words(self._refusals))))
                return replace(answer, outcome=outcome, message=message, refusals=self._refusals)
            if answer.outcome != "moved":
                self._say(answer.message)
                self._ports.pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _once(self) -> Reduced:
        repository, intent = self._ports.repository, self._order.intent
        head = repository.fetch()
        plan = self._plan(head)
        self._refusals = plan.refusals
        if not plan.contents:
            if self._sha and repository.contains(self._sha):
                return Reduced("pushed", intent, self._sha)
            if self._by_branch or not self._raced():
                said = "" if plan.refusals else "the manifests say this already"
                return Reduced("unchanged", intent, head, said)
        if self._awaited is not None and self._proposed_already(self._awaited, plan):
            return Reduced("proposed", intent, self._awaited.sha, self._awaited.message, branch=self._awaited.branch)
        self._sha = self._commit(plan, head)
        branch = branch_name(plan.id) if self._by_branch else ""
        self._record(RecordCommitted(self._order.actor, intent, self._sha, branch=branch))
        self._ports.checkpoint("committed")
        pushed = repository.propose(self._sha, branch) if branch else repository.push(self._sha, head)
        self._rejected += pushed.outcome == "rejected" and not pushed.locked
        if branch and pushed.outcome == "pushed":
            why = f"; the target's branch refused it: {self._refused}" if self._refused else ""
            said = f"NOT LOWER YET: somebody must merge branch {branch}{why}"
            return Reduced("proposed", intent, self._sha, said, branch=branch)
        if not branch and self._rejected >= REJECTIONS:
            # Rules of the remote keep it off the target's branch: what can still be done is to hand it to who may.
            self._by_branch, self._refused, self._rejected = True, pushed.message or "rejected", 0
            return Reduced("moved", intent, self._sha, pushed.message)
        message = self._refused if branch and pushed.outcome == "rejected" and self._refused else pushed.message
        if pushed.outcome == "pushed" and repository.contains(self._sha) is False:
            return Reduced("unknown", intent, self._sha, "the remote took the push, but its branch does not hold it")
        if pushed.outcome == "pushed" and not plan.contents:
            message = "the manifests say this already; what was under way is fenced off"
        return Reduced(pushed.outcome, intent, self._sha, message)

    def _raced(self) -> bool:
        """Whether something that raises risk may be on its way to the branch; unknown while the ledger is away.

        It was checked before this began, so that only another head of the branch still stops it.
        """
        under_way = self._record.state().unresolved
        return self._record.spilled or any(one.kind != REDUCE for one in under_way)

    @property
    def _patience(self) -> int:
        """How many rejections are an answer; a branch instead of a refused push is tried once."""
        return 1 if self._refused else REJECTIONS

    def _proposed_already(self, awaited: Intent, plan: Plan) -> bool:
        """Whether a branch that waits would still bring what is wanted now; an outdated one is taken back."""
        repository = self._ports.repository
        if repository.proposal(awaited.branch) != awaited.sha:
            return False
        if all(repository.blob(awaited.sha, path) == repository.blob_id(new) for path, new in plan.contents.items()):
            return True
        repository.withdraw(awaited.branch, awaited.sha)
        return False

    def _plan(self, head: str) -> Plan:
        seen = self._ports.repository.info(head).trailers.get(EPOCH_TRAILER, "")
        self._epoch = max(self._epoch, int(seen) if seen.isdecimal() else 0)
        policy_digest, roster_digest = self._digests
        return build(
            self._policy,
            policy_digest=policy_digest,
            roster_digest=roster_digest,
            read=partial(self._ports.repository.read, head),
            base_commit=head,
            epoch=self._epoch,
            to_stage=self._order.to_stage,
            created_by=self._order.actor,
            now=self._ports.clock.wall(),
            mode=self._order.mode if self._order.mode > Mode.FROZEN else None,
            blob_id=self._ports.repository.blob_id,
            only_safer=True,
        )

    def _commit(self, plan: Plan, head: str) -> str:
        stage = self._policy.stages[self._order.to_stage].name
        kind = "Step down" if self._order.automatic else "Kill" if self._order.mode is Mode.KILLED else "Roll back"
        lines = [f"{one.control}: {one.before} -> {one.after}" for one in plan.changes if one.before != one.after]
        message = f"{kind} {self._policy.name} to {stage}\n\n{self._order.cause}\n\n" + "\n".join(lines)
        trailers = [
            (EPOCH_TRAILER, str(self._epoch)),
            (STAGE_TRAILER, stage),
            (MODE_TRAILER, self._order.mode.name),
            (INTENT_TRAILER, self._order.intent),
            *(() if plan.contents else ((TARGET_TRAILER, self._policy.spec.target.namespace),)),
            *not_written.trailers(plan.refusals),
            *self._anchor(),
        ]
        repository = self._ports.repository
        try:
            return repository.commit(head, plan.contents, message, trailers)
        except Trouble:
            # A signing key that does not answer must not stand between a person and less risk.
            return repository.commit(head, plan.contents, message, trailers, signed=False)

    def _anchor(self) -> list[tuple[str, str]]:
        try:
            newest, ledger = self._record.head(), self._record.state().ledger
        except Trouble:
            return []
        return [(LEDGER_TRAILER, f"{ledger} {newest.seq} {newest.hash}")]

    def _say(self, message: str) -> None:
        """Tell those who follow in the ledger what is being waited for."""
        body = {"text": f"Git pending: {message}", "subject": "git"}
        self._record(Record(self._order.actor, "note", body, intent=self._order.intent))


def freeze(
    ledger: LedgerStore, spill: SpillFile, clock: Clock, *, actor: str, cause: str, top: int, now: datetime
) -> bool:
    """Hold every advance until an operator clears it; False when it is held by hand already. Never refused."""
    try:
        state = within(HUNG_SECONDS, ledger.state)
    except (Trouble, Hung):
        state = ControlState()
    newest = state.last_pushed
    command = OpenLatch(
        actor=actor,
        trigger=MANUAL_FREEZE,
        cause=cause,
        evidence=f"by {actor}",
        mode=Mode.FROZEN,
        cap=None,
        effective=top,
        stage=newest.to_stage if newest else "",
        clear_roles=("operator",),
    )
    try:
        answer = ledger.transact(command, now=clock.wall(), deadline=FREEZE_SECONDS)
    except Trouble as away:  # the ledger, or what was spilled and cannot be brought into it
        drafts = decide(state, command, now)
        if not isinstance(drafts, Refusal):
            spill.append(drafts, at=now, cause=away.line)
        return True
    return not isinstance(answer, Refusal) and bool(answer)
