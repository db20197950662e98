"""The way back: what every act that lets risk return shares: a signature, one commit from the checked head, the venue.

The venue is let go last, after the branch holds what was decided, so that whatever the runtime runs meanwhile is the
old mode or the new one and nothing above. What was opened meanwhile always wins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from console.approvals import InForce
from console.containment import heard
from console.ports import (
    Checkpoint,
    Clock,
    KillFlag,
    LedgerStore,
    Repository,
    RunningActs,
    Signer,
    Venue,
    branch_name,
)
from stages.authority import Action, action_digest
from stages.commands import Record, RecordCommitted, RecordOutcome
from stages.plan import Plan
from stages.posture import Mode
from stages.refusal import Refusal, Trouble
from stages.releases import overtaken
from stages.staleness import APPROVED_TRAILER, EPOCH_TRAILER, LEDGER_TRAILER, MODE_TRAILER, STAGE_TRAILER
from stages.value import Struct, replace

TRIES: Final = 5
"""How often a commit is made anew because the branch moved meanwhile."""

DONE: Final = frozenset({"pushed", "unchanged"})
"""Outcomes after which the branch holds what was decided."""


class ReturnPorts(Struct, frozen=True):
    """What a way back uses of the world."""

    ledger: LedgerStore
    repository: Repository
    venue: Venue | None
    signer: Signer
    clock: Clock
    running: RunningActs
    checkpoint: Checkpoint
    flag: KillFlag | None = None
    """The field of the runtime that a kill wrote and this act takes back."""
    by_branch: bool = False
    """Whether it is proposed as a branch that somebody merges, instead of pushed."""


class Returned(Struct, frozen=True):
    """``outcome``: refused, pushed, proposed (as ``branch``), unchanged, rejected, abandoned or unknown.

    ``venue`` tells of its block, ``flag`` of the runtime flag where there is one.
    """

    outcome: str
    message: str = ""
    intent: str = ""
    sha: str = ""
    venue: str = ""
    flag: str = ""
    branch: str = ""

    @property
    def ok(self) -> bool:
        """Whether the branch holds what was asked for."""
        return self.outcome in DONE


class Journey(Struct, frozen=True):
    """An act whose intent is in the ledger: to ``mode`` at ``stage`` (an index), called ``title`` in Git."""

    intent: str
    actor: str
    title: str
    stage: int
    mode: Mode
    epoch: int
    approvers: tuple[str, ...] = ()


def sign(signer: Signer, force: InForce, actor: str, action: Action) -> str:
    """The operator's own signature; raising risk is never anonymous. Raises Trouble."""
    message = action_digest(action).encode()
    signature = signer.sign(message)
    who = signer.verify(message, signature, force.signers)
    if who != actor:
        whose = f"belongs to {who}" if who else "is nobody's among the allowed signers"
        raise Trouble(f"you act as {actor}, but your key {whose}", fix="correct identity")
    return signature


def refuse(ports: ReturnPorts, actor: str, command: str, refusal: Refusal) -> Returned:
    """Keep a refusal that was found before the ledger was asked to decide. Raises Trouble when it is away."""
    body = {"command": command, "code": refusal.code, "reason": refusal.reason}
    ports.ledger.transact(Record(actor, "denied", body), now=ports.clock.wall())
    return Returned("refused", refusal.reason)


def travel(
    ports: ReturnPorts, force: InForce, trip: Journey, plan: Plan, again: Callable[[str], Plan], *, unblock: bool
) -> Returned:
    """Push or propose ``plan``, keep the outcome, and let the venue go where ``unblock`` says so.

    What is only proposed lifts nothing: the venue stays blocked, and a resume after the merge lets it go.
    ``again`` makes the plan anew on another head, because the branch moved; it may raise Trouble.
    """
    done = replace(_publish(ports, force, trip, plan, again), intent=trip.intent)
    ports.checkpoint("pushed")
    outcome = RecordOutcome(trip.actor, trip.intent, done.outcome, done.sha, done.message, done.branch)
    ports.ledger.transact(outcome, now=ports.clock.wall())
    ports.checkpoint("outcome")
    if done.outcome == "proposed" and unblock and ports.venue is not None:
        return replace(done, venue=f"the venue stays blocked until {done.branch} is merged; then rampdeck resume")
    if not done.ok:
        return done
    if ports.flag is not None:
        said = _take_back(ports, force, trip, ports.flag)
        body = {"text": said, "subject": "runtime flag"}
        ports.ledger.transact(Record(trip.actor, "note", body, intent=trip.intent), now=ports.clock.wall())
        done = replace(done, flag=said)
    if not unblock or ports.venue is None:
        return done
    said = _let_go(ports, force, trip, ports.venue)
    body = {"text": said, "subject": "venue unblock"}
    ports.ledger.transact(Record(trip.actor, "note", body, intent=trip.intent), now=ports.clock.wall())
    return replace(done, venue=said)


def _publish(ports: ReturnPorts, force: InForce, trip: Journey, plan: Plan, again: Callable[[str], Plan]) -> Returned:
    """Commit on the checked head and push; when the branch moved: fetch, plan and commit again."""
    sha, pushing, head, repository = "", False, plan.base_commit, ports.repository
    branch = branch_name(plan.id) if ports.by_branch else ""
    ports.checkpoint("intent")
    try:
        for _ in range(TRIES):
            if not plan.contents:
                return Returned("unchanged", "the manifests say this already", sha=head)
            sha = repository.commit(head, plan.contents, _message(force, trip, plan), _trailers(ports, trip, plan))
            ports.ledger.transact(RecordCommitted(trip.actor, trip.intent, sha, branch=branch), now=ports.clock.wall())
            ports.checkpoint("committed")
            held = _held(ports, force, trip)
            if held:
                return Returned("abandoned", held, sha=sha)
            pushing = True
            pushed = repository.propose(sha, branch) if branch else repository.push(sha, head)
            if branch and pushed.outcome == "pushed":
                said = f"pushed as branch {branch}; nothing changes before somebody merges it"
                return Returned("proposed", said, sha=sha, branch=branch)
            if pushed.outcome != "moved":
                return Returned(pushed.outcome, pushed.message, sha=sha)
            pushing = False
            before, head = head, repository.fetch()
            if _reduced_elsewhere(repository, before, head):
                return Returned("abandoned", "a reduction reached the branch meanwhile", sha=sha)
            plan = again(head)
            if plan.refusals:
                return Returned("abandoned", f"the branch moved, and now {plan.refusals[0]}", sha=sha)
    except Trouble as trouble:
        return Returned("unknown" if pushing else "abandoned", trouble.line, sha=sha)
    return Returned("abandoned", f"the branch moved {TRIES} times", sha=sha)


def _held(ports: ReturnPorts, force: InForce, trip: Journey) -> str:
    """What began or was opened since the intent, in words; empty when the way is still free. Raises Trouble."""
    state = ports.ledger.state()
    if state.epoch != trip.epoch:
        return "something was reduced or cleared meanwhile"
    return overtaken(state, trip.mode, trip.stage, force.policy.top)


def _reduced_elsewhere(repository: Repository, before: str, head: str) -> bool:
    """Whether a commit of this program reached the branch: whoever made it, it is not overwritten."""
    return any(EPOCH_TRAILER in commit.trailers for commit in repository.log(before, head))


def _message(force: InForce, trip: Journey, plan: Plan) -> str:
    lines = [f"{one.control}: {one.before} -> {one.after}" for one in plan.changes if one.before != one.after]
    return f"{trip.title} {force.policy.name} to {plan.to_stage}\n\n" + "\n".join(lines)


def _trailers(ports: ReturnPorts, trip: Journey, plan: Plan) -> tuple[tuple[str, str], ...]:
    newest, state = ports.ledger.head(), ports.ledger.state()
    approved = ((APPROVED_TRAILER, ", ".join(trip.approvers)),) if trip.approvers else ()
    return (
        (EPOCH_TRAILER, str(trip.epoch)),
        (STAGE_TRAILER, plan.to_stage),
        (MODE_TRAILER, trip.mode.name),
        *approved,
        (LEDGER_TRAILER, f"{state.ledger} {newest.seq} {newest.hash}"),
    )


def _take_back(ports: ReturnPorts, force: InForce, trip: Journey, flag: KillFlag) -> str:
    """Take the runtime flag back and say how that went; a kill that is opened meanwhile wins, as at the venue."""
    try:
        if held := _held(ports, force, trip):
            return f"the runtime flag stays: {held}"
        answer = flag.restore()
        if held := _held(ports, force, trip):
            return f"{held}; the runtime flag is set again: {flag.kill().detail}"
    except Trouble as trouble:
        return f"the runtime flag was not taken back: {trouble.line}; rampdeck kill --print shows the command"
    return f"the runtime flag: {answer.detail}"


def _let_go(ports: ReturnPorts, force: InForce, trip: Journey, venue: Venue) -> str:
    """Have the venue take orders again and read that back; what it says.

    A latch is written before anything acts on it. So one that the second look does not see blocks after this, and one
    that it sees may have blocked before: then the venue is blocked again.
    """
    try:
        held = _held(ports, force, trip)
    except Trouble as away:
        held = away.line
    if held:
        return f"the venue stays blocked: {held}"
    try:
        venue.unblock()
        blocked = heard(venue).blocked
    except Trouble as trouble:
        return f"the venue was not let go: {trouble.line}; rampdeck resume tries again"
    try:
        held = _held(ports, force, trip)
    except Trouble as away:
        held = away.line
    if held:
        return _block_again(venue, held)
    return "the venue was not let go: it still says blocked" if blocked else "the venue takes orders again"


def _block_again(venue: Venue, held: str) -> str:
    try:
        venue.block()
    except Trouble as trouble:
        return f"the venue takes orders, although {held}: {trouble.line}"
    return f"the venue is blocked again: {held}"
