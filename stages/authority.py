"""Authority: the Action that is approved, the approval tokens, the roster, and what makes an approval count.

Signatures are made and checked elsewhere; here is what they say and whether that is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from stages.commands import VerifiedApproval
from stages.entries import canonical, stamp
from stages.roster import Roster
from stages.value import Struct, field

if TYPE_CHECKING:
    from stages.plan import Plan
    from stages.policy import Policy

DEFAULT_LIFE: Final = timedelta(hours=4)
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)

CLOCK_SKEW: Final = timedelta(minutes=2)
"""Approvers sign on machines of their own, whose clocks may run ahead by so much."""

APPROVE: Final = "approve"
REJECT: Final = "reject"


class Action(Struct, frozen=True):
    """The one thing that is signed. ``kind``: advance, clear, restore, resume, waive or adopt; ``subject`` a digest."""

    kind: str
    target: str
    subject: str
    params: Mapping[str, str]
    nonce: str
    expires: datetime


def advance_action(plan: Plan) -> Action:
    """The action of carrying out ``plan``; everybody who holds the plan derives the same one."""
    params = {"from": plan.from_stage, "to": plan.to_stage, "epoch": str(plan.epoch)}
    return Action("advance", plan.namespace, plan.id, params, plan.id[:32], plan.expires_at)


def adopt_action(target: str, subject: str) -> Action:
    """The action of putting the policy or roster with digest ``subject`` in force; only its approvals expire."""
    return Action("adopt", target, subject, {}, subject[:32], NEVER)


def action_digest(action: Action) -> str:
    """SHA-256 hex of the action's RFC 8785 form."""
    document = {
        "kind": action.kind,
        "target": action.target,
        "subject": action.subject,
        "params": dict(action.params),
        "nonce": action.nonce,
        "expires": stamp(action.expires),
    }
    return digest(document)


def digest(document: object) -> str:
    """SHA-256 hex of a document's RFC 8785 form."""
    return sha256(canonical(document).encode()).hexdigest()


def gate_report_digest(gates: Sequence[Mapping[str, Any]]) -> str:
    """Digest of the gates as an approver saw them in the plan: ids, states and reasons."""
    return digest([{key: gate.get(key) for key in ("gate_id", "status", "reasons")} for gate in gates])


def environment_fingerprint(policy: Policy) -> str:
    """Digest of what is driven: an approval for one account or path is none for another."""
    target = policy.spec.target
    return digest(
        {
            "policy": policy.name,
            "namespace": target.namespace,
            "path": target.gitops_path,
            "branch": target.branch,
            "account": target.account.label,
            "environment": target.account.environment,
        }
    )


class Claims(Struct, frozen=True):
    """What an approver signs; times are aware UTC. ``answer`` is ``approve``, or ``reject`` with a reason."""

    action: str
    gate_report: str
    approver: str
    roster: str
    environment: str
    issued: datetime
    expires: datetime
    nonce: str
    answer: str = APPROVE
    reason: str = ""

    def document(self) -> dict[str, str]:
        """The JSON form."""
        said = {
            "action": self.action,
            "gateReport": self.gate_report,
            "approver": self.approver,
            "roster": self.roster,
            "environment": self.environment,
            "issued": stamp(self.issued),
            "expires": stamp(self.expires),
            "nonce": self.nonce,
            "answer": self.answer,
        }
        return said | ({"reason": self.reason} if self.reason else {})

    def message(self) -> bytes:
        """The bytes that are signed: the RFC 8785 form."""
        return canonical(self.document()).encode()


def claims_expiry(issued: datetime, life: timedelta, plan_expires: datetime) -> datetime:
    """When an approval ends: after its life, and never past the plan's end."""
    return min(issued + life, plan_expires)


class Check(Struct, frozen=True):
    """One condition of an approval, shown whether it holds or not."""

    name: str
    ok: bool
    detail: str


class Standard(Struct, frozen=True):
    """What an approval is held against: the action and whatever surrounds it. ``life`` is the longest that counts."""

    action: Action
    requester: str
    roster: Roster
    roster_digest: str
    environment: str
    life: timedelta = DEFAULT_LIFE
    authors: frozenset[str] = frozenset()
    """Who wrote commits in the plan's range."""
    consumed: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    roles: Mapping[str, int] = field(default_factory=dict)
    """Roles that the action asks for; an approver needs none of them when empty."""


def check_claims(claims: Claims, signer: str | None, standard: Standard, now: datetime) -> tuple[Check, ...]:
    """Every condition of one approval; ``signer`` is whose key made the signature, None when nobody's on the roster."""
    who, held = claims.approver, standard.roster.roles(claims.approver)
    end = standard.action.expires
    return (
        Check("signature", signer == who, _signature(signer, who)),
        Check(
            "roster member", bool(held), f"{who}: {', '.join(sorted(held))}" if held else f"{who} is not on the roster"
        ),
        Check("this action", claims.action == action_digest(standard.action), "what was signed is what would be done"),
        Check("roster", claims.roster == standard.roster_digest, "signed under the roster in force"),
        Check("environment", claims.environment == standard.environment, "signed for this account and path"),
        Check("issued", claims.issued <= now + CLOCK_SKEW, f"signed {stamp(claims.issued)[:19]}Z"),
        Check("not expired", now < claims.expires, f"good until {stamp(claims.expires)[:19]}Z"),
        Check(
            "life",
            claims.expires <= end and claims.expires - claims.issued <= standard.life,
            f"at most {_hours(standard.life)} and never past {stamp(end)[:19]}Z",
        ),
        Check("not the asker", who != standard.requester, f"asked by {standard.requester}"),
        Check("not an author", who not in standard.authors, "wrote none of the commits in between"),
        Check("unused", claims.nonce not in standard.consumed, "an approval is used once"),
        Check("not revoked", claims.nonce not in standard.revoked, "nobody took it back"),
    )


def failed(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Those that do not hold."""
    return tuple(check for check in checks if not check.ok)


def verified(claims: Claims, roster: Roster) -> VerifiedApproval:
    """The approval as the ledger takes it, once every check has passed."""
    return VerifiedApproval(
        nonce=claims.nonce,
        approver=claims.approver,
        roles=tuple(sorted(roster.roles(claims.approver))),
        action=claims.action,
        gate_report=claims.gate_report,
        roster=claims.roster,
        issued=claims.issued,
        expires=claims.expires,
    )


def _signature(signer: str | None, claimed: str) -> str:
    if signer is None:
        return "no key among the allowed signers made this signature"
    return f"by the key of {signer}" if signer == claimed else f"by the key of {signer}, but it claims {claimed}"


def _hours(life: timedelta) -> str:
    return f"{life.total_seconds() / 3600:g} h"
