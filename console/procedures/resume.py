"""Resume: what a cleared halt has left in Git and at the venue is lifted, at the stage that stands and no higher.

Nothing here happens by itself: a person whom the roster lets signs it, the ledger decides it, and only what the mode
had set moves. It may be done again after a crash at any point; it then does what is left.
"""

from __future__ import annotations

from functools import partial

from console.approvals import InForce
from console.containment import heard
from console.way_back import Journey, Returned, ReturnPorts, refuse, sign, travel
from stages.clearing import resume_action
from stages.commands import BeginResume
from stages.phrase import resume_phrase
from stages.plan import Plan, build
from stages.posture import Mode
from stages.refusal import Refusal, Trouble
from stages.releases import refuse_resume
from stages.resuming import Lift, approved, lift
from stages.signals import ReadControls
from stages.standing import Manifests, read_controls
from stages.value import Struct, replace


class Prospect(Struct, frozen=True):
    """What a resume would do now: nothing is written. ``refusal`` says why it may not be done."""

    epoch: int
    refusal: Refusal | None = None
    stage: str = ""
    standing: Mode = Mode.NORMAL
    """The mode that Git holds."""
    mode: Mode = Mode.NORMAL
    """The mode afterwards."""
    unblock: bool = False
    plan: Plan | None = None
    lift: Lift | None = None
    phrase: str = ""
    command: BeginResume | None = None
    """What the ledger will be asked, still without intent and signature."""
    flag: bool = False
    """The runtime flag says what a block or a kill wrote, and is taken back."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What it changes, one sentence each."""
        moved = [one for one in self.plan.changes if one.before != one.after] if self.plan else []
        texts = [f"{one.title}: {one.before} -> {one.after}" for one in moved]
        flag = ("the runtime flag is taken back",) if self.flag and self.unblock else ()
        return (*texts, *flag, *(("the venue takes new orders again",) if self.unblock else ()))


def survey(ports: ReturnPorts, force: InForce, *, actor: str) -> Prospect:
    """The dry run, on the newest head and the venue's own word. Raises Trouble when either is away."""
    state, head, policy = ports.ledger.state(), ports.repository.fetch(), force.policy
    raised = ports.flag is not None and ports.flag.kills().done is True
    found = lift(policy, state, _controls(ports, force, head), blocked=raised or _blocked(ports))
    if isinstance(found, Refusal):
        return Prospect(state.epoch, found)
    plan = _plan(ports, force, actor, found, state.epoch, head)
    command = BeginResume(
        actor=actor,
        intent="",
        stage=plan.to_stage,
        stage_index=found.stage,
        top=policy.top,
        mode=found.mode,
        standing=found.standing.mode,
        market=ports.clock.market(ports.clock.wall()),
        epoch=state.epoch,
        policy=force.policy_digest,
        roster=force.roster_digest,
        roles=tuple(sorted(force.roster.roles(actor))),
        approved=approved(policy, state),
        unblock=found.unblock,
        blobs={edit.path: edit.blob_after for edit in plan.edits},
        base=head,
    )
    refusal = refuse_resume(command, state)
    if refusal is None and plan.refusals:
        refusal = Refusal("plan", f"it cannot be carried out: {plan.refusals[0]}")
    return Prospect(
        state.epoch,
        refusal,
        plan.to_stage,
        found.standing.mode,
        found.mode,
        found.unblock,
        plan,
        found,
        resume_phrase(policy.name, plan.to_stage),
        command,
        raised,
    )


def resume(ports: ReturnPorts, force: InForce, *, intent: str, actor: str, confirmation: str) -> Returned:
    """Carry a resume out. A refusal is a value and an entry; Trouble means that nothing was begun."""
    seen = survey(ports, force, actor=actor)
    command, plan, found = seen.command, seen.plan, seen.lift
    if command is None or plan is None or found is None or plan.refusals:
        return refuse(ports, actor, "resume", seen.refusal or Refusal("order", "there is nothing to lift"))
    action = resume_action(force.policy, ports.ledger.state(), seen.stage, seen.mode.name, command.blobs)
    signature = sign(ports.signer, force, actor, action) if seen.refusal is None else ""
    command = replace(command, intent=intent, confirmation=confirmation, signature=signature)
    trip = Journey(intent, actor, "Resume", found.stage, found.mode, seen.epoch)
    with ports.running.hold(intent):
        begun = ports.ledger.transact(command, now=ports.clock.wall())
        if isinstance(begun, Refusal):
            return Returned("refused", begun.reason)
        again = partial(_again, ports, force, actor, found, seen.epoch)
        ports = ports if found.unblock and seen.flag else replace(ports, flag=None)
        return travel(ports, force, trip, plan, again, unblock=found.unblock)


def _again(ports: ReturnPorts, force: InForce, actor: str, found: Lift, epoch: int, head: str) -> Plan:
    """The plan on another head, as long as that stands where the decision found it. Raises Trouble."""
    now = lift(force.policy, ports.ledger.state(), _controls(ports, force, head), blocked=found.unblock)
    if isinstance(now, Refusal):
        raise Trouble(f"the branch moved: {now.reason}")
    if (now.stage, now.mode) != (found.stage, found.mode):
        raise Trouble("the branch moved to another stage meanwhile", fix="look at it and resume again")
    return _plan(ports, force, actor, now, epoch, head)


def _plan(ports: ReturnPorts, force: InForce, actor: str, found: Lift, epoch: int, head: str) -> Plan:
    return build(
        force.policy,
        policy_digest=force.policy_digest,
        roster_digest=force.roster_digest,
        read=partial(ports.repository.read, head),
        base_commit=head,
        epoch=epoch,
        to_stage=found.stage,
        created_by=actor,
        now=ports.clock.wall(),
        mode=found.mode if found.mode > Mode.FROZEN else None,
        blob_id=ports.repository.blob_id,
        only=found.controls,
    )


def _controls(ports: ReturnPorts, force: InForce, head: str) -> ReadControls:
    return read_controls(force.policy, Manifests(force.policy, partial(ports.repository.read, head)))


def _blocked(ports: ReturnPorts) -> bool:
    """Whether the venue refuses new orders. Raises Trouble: what is not known is not lifted."""
    if ports.venue is None:
        return False
    return heard(ports.venue).blocked
