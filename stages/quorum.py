"""Quorum: the approvals that an act has, and whether they are enough: single use, in time, by the right people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from stages.refusal import Refusal
from stages.state import ControlState
from stages.value import Struct, field


class VerifiedApproval(Struct, frozen=True):
    """An approval whose signature, roster membership and environment were checked; times are aware UTC."""

    nonce: str
    approver: str
    roles: tuple[str, ...]
    action: str
    gate_report: str
    roster: str
    issued: datetime
    expires: datetime


class Quorum(Struct, frozen=True):
    """The approvals that an act needs and has. ``barred`` may not approve it: who asked for it, who wrote its range."""

    action: str
    approvals: tuple[VerifiedApproval, ...]
    required: int
    roles: Mapping[str, int] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()


def refuse_quorum(state: ControlState, quorum: Quorum, actor: str, now: datetime) -> Refusal | None:
    """Whether the approvals suffice: single use, unexpired, for this action, by enough people in their roles."""
    for approval in quorum.approvals:
        fault = _approval_fault(state, quorum, approval, now)
        if fault:
            return Refusal("approval", f"the approval of {approval.approver} {fault}")
    people = {approval.approver: frozenset(approval.roles) for approval in quorum.approvals}
    if len(people) < quorum.required:
        return Refusal("approval", f"{len(people)} of {quorum.required} approvals")
    seats = [role for role, count in sorted(quorum.roles.items()) for _ in range(count)]
    if not _seated(seats, people):
        return Refusal("approval", f"the approvals do not fill the roles {', '.join(seats)}")
    if set(people) == {actor}:
        return Refusal("approval", f"{actor} types the confirmation and cannot be the only approver")
    return None


def _approval_fault(state: ControlState, quorum: Quorum, approval: VerifiedApproval, now: datetime) -> str:
    if approval.nonce in state.consumed:
        return "was used before"
    if approval.nonce in state.revoked:
        return "was revoked"
    if now >= approval.expires:
        return "has expired"
    if approval.action != quorum.action:
        return "is for another action"
    if state.roster and approval.roster != state.roster.digest:
        return "was given under another roster"
    if approval.approver in quorum.barred:
        return "does not count: who asks for or wrote a change cannot approve it"
    return ""


def _seated(seats: Sequence[str], people: Mapping[str, frozenset[str]]) -> bool:
    """Whether every role can be filled by a person of its own."""
    if not seats:
        return True
    first, rest = seats[0], seats[1:]
    return any(
        _seated(rest, {name: roles for name, roles in people.items() if name != chosen})
        for chosen, held in people.items()
        if first in held
    )


def consumed(quorum: Quorum | None) -> dict[str, Any]:
    """The part of an entry that uses the approvals up."""
    return {"approvals": [approval.nonce for approval in quorum.approvals]} if quorum else {}
