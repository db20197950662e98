"""``rampdeck policy adopt``: put the policy and the roster at the branch's head in force."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from console.verbs.change import require_hands
from stages.refusal import Refusal, Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring
    from stages.commands import Quorum
    from stages.policy import Policy
    from stages.state import ControlState


def add_adopt(verbs: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Add ``adopt`` to the verbs of ``policy``."""
    adopt = verbs.add_parser("adopt", parents=[shared], help="put the policy and roster at the branch's head in force")
    adopt.add_argument(
        "--approval",
        metavar="TOKEN",
        nargs="+",
        action="extend",
        default=[],
        help="for what is looser than what is in force",
    )
    adopt.set_defaults(run=run_adopt)


def run_adopt(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Begin the ledger where there is none, then adopt; 1 when the change needs approvals that are not there."""
    from stages.commands import AdoptPolicy, AdoptRoster
    from stages.policy_text import digest, warnings

    require_hands(wiring)
    if wiring.policy_file:
        fix = "commit it to the repository and leave --policy out"
        raise Trouble("only the repository's policy can be adopted", where=str(wiring.policy_file), fix=fix)
    head = wiring.repository.fetch()
    policy, text = wiring.read_policy(head)
    _, _, roster_digest = wiring.read_roster(head)
    wiring.begin_ledger(policy)
    state = wiring.ledger.state()
    looser = _loosened(wiring, policy, state)
    adopting = digest(text)
    # The policy first: its approvals were given under the roster in force until now.
    commands = (
        AdoptPolicy(
            wiring.actor, adopting, policy.spec.version, head, wiring.policy_path, looser=looser,
            quorum=_quorum(wiring, state, policy, adopting, arguments.approval) if looser else None,
        ),
        AdoptRoster(
            wiring.actor, roster_digest, head, wiring.roster_paths[1],
            quorum=_quorum(wiring, state, policy, roster_digest, arguments.approval),
        ),
    )  # fmt: skip
    for command in commands:
        answer = wiring.ledger.transact(command, now=wiring.clock.wall())
        if isinstance(answer, Refusal):
            return _refused(answer, looser, out)
    if out.json:
        out.document(
            {"adopted": True, "digest": adopting, "version": policy.spec.version, "commit": head,
             "roster": roster_digest, "looser": looser, "warnings": warnings(policy)}
        )  # fmt: skip
    out.line(f"in force: {policy.name} version {policy.spec.version}, digest {adopting[:12]}, at {head[:7]}")
    return 0


def _refused(refusal: Refusal, looser: tuple[str, ...], out: Output) -> int:
    if out.json:
        out.document({"adopted": False, "code": refusal.code, "reason": refusal.reason, "looser": looser})
    out.line(f"not adopted: {refusal.reason}")
    return 1


def _loosened(wiring: Wiring, policy: Policy, state: ControlState) -> tuple[str, ...]:
    """What the new policy allows that the one in force does not."""
    from stages.policy_text import loosened

    if state.policy is None:
        return ()
    return loosened(wiring.in_force().policy, policy)


def _quorum(wiring: Wiring, state: ControlState, policy: Policy, subject: str, tokens: list[str]) -> Quorum | None:
    """The given approvals of putting ``subject`` in force, held against the policy and roster in force until now."""
    from console.approvals import examine, verified_of
    from stages.authority import Standard, action_digest, adopt_action, environment_fingerprint
    from stages.commands import Quorum

    if state.roster is None or state.policy is None or not tokens:
        return None
    force, now = wiring.in_force(), wiring.clock.wall()
    action = adopt_action(policy.spec.target.namespace, subject)
    opinions = [
        examine(
            wiring.signer, force, token,
            Standard(
                action, wiring.actor, force.roster, force.roster_digest, environment_fingerprint(force.policy),
                force.policy.spec.gates.approval_life, consumed=state.consumed, revoked=state.revoked,
            ),
            now,
        )
        for token in tokens
    ]  # fmt: skip
    counted = [opinion for opinion in opinions if not opinion.fault and not opinion.rejects]
    # Nobody knows which stage a looser part will be felt in first: the highest one's rule holds.
    needed = force.policy.stages[force.policy.top].approvals
    return Quorum(
        action_digest(action), tuple(verified_of(opinion, force) for opinion in counted), needed.required,
        needed.roles, frozenset({wiring.actor}),
    )  # fmt: skip
