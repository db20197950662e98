"""The paper target of a drill, put together from its own configuration, and the approvals that its restore needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Final

from stages.asking import Asked, to_document
from stages.authority import Action, Standard, environment_fingerprint
from stages.drill import COMMAND, Scope
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.drilling.course import Controlled, DrillTarget
    from console.in_force import InForce
    from console.procedures.reduce import Reduced
    from console.wiring import Wiring
    from stages.commands import VerifiedApproval
    from stages.policy import Policy
    from stages.posture import Mode
    from stages.state import ControlState
    from stages.witness import RuntimeReading

_LOOK_EVERY: Final = 0.2


def target_wiring(live: Wiring) -> Wiring:
    """The parts of the paper target, acted on by the same person; to be closed by the caller. Raises Trouble."""
    from console.config import load
    from console.wiring import Wiring

    live.settings.need("drill_target")
    mine = {"identity": live.settings.identity, "inbox": live.inbox}
    return Wiring(load(live.settings.drill_target).model_copy(update=mine), read_only=live.read_only)


def scope_of(wiring: Wiring, policy: Policy) -> Scope:
    """What identifies a target: its policy's account, path and namespace, and where its venue is."""
    target, venue = policy.spec.target, wiring.settings.venue
    return Scope(
        policy.name,
        target.account.label,
        target.account.environment,
        target.namespace,
        target.gitops_path,
        venue.url if venue else "",
    )


def drill_target(live: Wiring, target: Wiring, path: str = COMMAND) -> DrillTarget:
    """The target as a drill acts on it by ``path``, ``live`` being whose person acts. Raises Trouble if not set up."""
    from console.drilling.course import DrillTarget
    from console.verbs.drill_paths import fire

    force = ready_target(target)

    def reduce(stage: int, mode: Mode, intent: str) -> Reduced:
        from console.procedures.reduce import Order, ReducePorts, reduce

        ports = ReducePorts(
            ledger=target.ledger, spill=target.spill, repository=target.repository, venue=target.venue,
            clock=target.clock, running=target.running, pause=Event().wait, checkpoint=target.checkpoint,
            by_branch=target.by_branch("reduce"), runtime=target.outside.runtime(force.policy),
            flag=target.outside.flag(force.policy),
        )  # fmt: skip
        order = Order(intent, live.actor, stage, mode, "drill", authenticated=live.authenticated)
        return reduce(ports, force.policy, order, digests=(force.policy_digest, force.roster_digest))

    def approvals(action: Action, seconds: float, check: Callable[[], None]) -> Sequence[VerifiedApproval]:
        return _collect(live, target, force, action, seconds, check)

    return DrillTarget(
        scope=scope_of(target, force.policy),
        policy=force.policy,
        policy_digest=force.policy_digest,
        roster_digest=force.roster_digest,
        ledger=target.ledger,
        repository=target.repository,
        venue=target.outside.probes,
        fire=lambda stage, mode: fire(path, target, force.policy, stage, mode),
        reduce=reduce,
        fresh=lambda: _fresh(target),
        sign=live.signer.sign,
        approvals=approvals,
        controlled=_controlled(target, force.policy),
    )


def _controlled(target: Wiring, policy: Policy) -> Controlled | None:
    """The cluster side of the target; None where its policy names no Application."""
    from console.drilling.course import Controlled

    where, outside = policy.spec.target.application, target.outside
    if where is None:
        return None

    def readback() -> Mapping[str, RuntimeReading]:
        witness = outside.cluster(policy)
        return witness.read().runtime if witness is not None else {}

    name = f"{where.namespace}/{where.name}"
    return Controlled(name, outside.runtime(policy), readback, outside.flag(policy))


def ready_target(target: Wiring) -> InForce:
    """What is in force on the target. Raises Trouble with how to set it up."""
    try:
        return target.in_force()
    except Trouble as trouble:
        origin = target.settings.origin
        fix = f"run 'rampdeck --config {origin} policy adopt'"
        raise Trouble(f"the drill's target is not set up: {trouble.what}", where=str(origin), fix=fix) from None


def _fresh(target: Wiring) -> ControlState:
    from console.wiring import Wiring

    again = Wiring(target.settings)
    try:
        return again.ledger.state()
    finally:
        again.close()


# ------------------------------------------------------------------------------------------------------ restoring it


def _collect(
    live: Wiring, target: Wiring, force: InForce, action: Action, seconds: float, check: Callable[[], None]
) -> Sequence[VerifiedApproval]:
    """Asks in the inbox and waits for two that count, one of them risk; fewer when the time is up."""
    from console.approvals import examine, verified_of
    from console.inbox import Inbox
    from stages.releases import RESTORE_APPROVALS, RESTORE_ROLES

    inbox, clock, pause = Inbox(live.inbox), live.clock, Event()
    about = f"restore {force.policy.name} after drill {action.subject[:8]}; needs two, one of them risk"
    inbox.ask(action.subject, to_document(Asked(action, live.actor, about)))
    held_against = Standard(
        action=action,
        requester=live.actor,
        roster=force.roster,
        roster_digest=force.roster_digest,
        environment=environment_fingerprint(force.policy),
        life=force.policy.spec.gates.approval_life,
        consumed=target.ledger.state().consumed,
    )
    deadline = clock.monotonic() + seconds
    while True:
        opinions = [
            examine(live.signer, force, answer.text, held_against, clock.wall())
            for answer in inbox.answers(action.subject)
        ]
        counted = [verified_of(one, force) for one in opinions if not one.fault and not one.rejects]
        seated = all(sum(role in one.roles for one in counted) >= need for role, need in RESTORE_ROLES.items())
        if (len(counted) >= RESTORE_APPROVALS and seated) or clock.monotonic() >= deadline:
            inbox.withdraw(action.subject)
            return counted
        check()
        pause.wait(_LOOK_EVERY)
