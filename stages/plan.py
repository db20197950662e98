"""Plan: what a move between stages changes in Git and in money, with an id that is the digest of its core.

The core (design section 6.1) is what is approved; gates, diffs and the base commit stand outside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from decimal import Decimal
from typing import Any

import rfc8785

from stages.digests import complete
from stages.entries import stamp
from stages.ladder import Direction, Unit, Value, overall, parse_value, write_value
from stages.mirrors import unlike
from stages.moves import Move, Moves
from stages.policy import Policy
from stages.posture import Mode
from stages.refusal import Trouble
from stages.stake import BlastRadius, OrderLimits, parse_radius, radius_document, worst_case
from stages.standing import Manifests, Read, Standing
from stages.symbol_lists import UNIVERSE, left_behind
from stages.value import Struct, field, replace
from stages.verdict import Gate

API_VERSION = "rampdeck.dev/v1alpha1"
KIND = "RampPlan"


class Edit(Struct, frozen=True):
    """One file's change. ``path`` is from the repository's root; blobs are Git ids; ``diff`` is unified text."""

    path: str
    blob_before: str
    blob_after: str
    diff: str


class ControlChange(Struct, frozen=True):
    """One control's move. ``share`` tells the ratio when the stages give one (``40 %`` -> ``25 %``)."""

    control: str
    title: str
    before: Value | None
    after: Value | None
    unit: Unit
    direction: Direction
    enforced_by: str
    files: tuple[str, ...] = ()
    pinned: str = ""
    share_before: Decimal | None = None
    share_after: Decimal | None = None
    unread: str = ""
    """Why today's value is not known; ``before`` is then the value of the stage that the rest stands on."""


class Plan(Struct, frozen=True):
    """A rehearsed move. ``id`` is the SHA-256 hex of the RFC 8785 core."""

    id: str
    namespace: str
    epoch: int
    from_stage: str
    """Name of the stage, or ``between`` or ``beyond``."""
    to_stage: str
    direction: Direction
    policy_digest: str
    policy_version: int
    roster_digest: str
    edits: tuple[Edit, ...]
    changes: tuple[ControlChange, ...]
    blast_radius: BlastRadius
    created_by: str
    created_at: datetime
    expires_at: datetime
    base_commit: str
    contracts: tuple[str, ...] = ()
    """Checks outside the manifests that the change must also satisfy, in words."""
    refusals: tuple[str, ...] = ()
    """What cannot be done: pinned controls and bindings that match nothing. A riskier plan with any of them has no
    edits and cannot be carried out; a safer one does the rest."""
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """New bytes of each edited path; not part of the JSON."""

    @property
    def paced(self) -> bool:
        """Whether any control limits how many orders go out in a minute."""
        return any(one.unit is Unit.PER_MINUTE for one in self.changes)

    @property
    def order_limits(self) -> OrderLimits:
        """Dollars that one order may be worth, before and after; None where nothing limits them."""
        change = next((one for one in self.changes if one.control == "maxOrderNotional"), None)
        before, after = (change.before, change.after) if change is not None else (None, None)
        return before if isinstance(before, Decimal) else None, after if isinstance(after, Decimal) else None


def git_blob_id(content: bytes) -> str:
    """Git's id of a file's content (SHA-1 object format)."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def build(
    policy: Policy,
    *,
    policy_digest: str,
    roster_digest: str,
    read: Read,
    base_commit: str,
    epoch: int,
    to_stage: int,
    created_by: str,
    now: datetime,
    expires_at: datetime | None = None,
    mode: Mode | None = None,
    blob_id: Callable[[bytes], str] = git_blob_id,
    only_safer: bool = False,
    only: Set[str] | None = None,
) -> Plan:
    """The plan from what the manifests say to the stage with index ``to_stage``, with ``mode`` laid on top.

    ``read`` gives the files at ``base_commit`` by their path from the repository's root. Without ``expires_at`` the
    plan lives as long as the policy says. A riskier plan with a pinned or missing binding has ``refusals``, no edits.
    With ``only_safer`` (reductions) today's value is kept wherever it is the safer one, so the plan is never riskier;
    it does what it can, names the rest in ``refusals`` and never raises for a manifest. With ``only`` every control
    that it does not name stays as it is.
    """
    manifests = Manifests(policy, read)
    moves = Moves(policy, manifests, to_stage, mode, only_safer=only_safer, only=only)
    direction = overall({name: move.direction for name, move in moves.by_name.items()})
    refusals = moves.refusals()
    universe = moves.by_name[UNIVERSE]
    if universe.edited() and isinstance(universe.before, tuple):
        refusals = (*refusals, *left_behind(policy, manifests, universe.before))
    written, failures = complete(policy, manifests, moves.wanted())
    refusals = (*refusals, *failures, *unlike(policy, manifests, {one.path: one.manifest for one in written}))
    if direction is Direction.RISKIER and refusals:
        written = ()
    contents = {one.path: one.after for one in written}
    changes = tuple(_change(move, manifests, contents) for move in moves.by_name.values())
    changed = {change.control for change in changes if change.direction is not Direction.NEUTRAL}
    plan = Plan(
        id="",
        namespace=policy.spec.target.namespace,
        epoch=epoch,
        from_stage=_stage_name(policy, moves.standing),
        to_stage=policy.stages[to_stage].name,
        direction=direction,
        policy_digest=policy_digest,
        policy_version=policy.spec.version,
        roster_digest=roster_digest,
        edits=tuple(Edit(one.path, blob_id(one.before), blob_id(one.after), one.diff) for one in written),
        changes=changes,
        blast_radius=_blast_radius(policy, moves, contents),
        created_by=created_by,
        created_at=now,
        expires_at=expires_at or now + policy.spec.gates.plan_life,
        base_commit=base_commit,
        contracts=tuple(f"{one.where}: {one.says}" for one in policy.spec.contracts if changed & set(one.controls)),
        refusals=refusals,
        contents=contents,
    )
    return replace(plan, id=hashlib.sha256(core_bytes(plan)).hexdigest())


def _change(move: Move, manifests: Manifests, contents: Mapping[str, bytes]) -> ControlChange:
    paths = (manifests.path(place.file) for place in move.edited())
    return ControlChange(
        control=move.name,
        title=move.spec.title or move.name,
        before=move.before,
        after=move.after,
        unit=move.spec.unit,
        direction=move.direction,
        enforced_by=move.spec.enforced_by,
        files=tuple(dict.fromkeys(path for path in paths if path in contents)),
        pinned=move.pinned,
        share_before=move.shares[0],
        share_after=move.shares[1],
        unread=" | ".join(move.missing),
    )


def _stage_name(policy: Policy, standing: Standing) -> str:
    if standing.stage is not None:
        return policy.stages[standing.stage].name
    return "beyond" if standing.beyond else "between"


def _blast_radius(policy: Policy, moves: Moves, contents: Mapping[str, bytes]) -> BlastRadius:
    def number(values: Mapping[str, Value | None], name: str) -> Decimal | None:
        value = policy.comparable(values, name)
        return value if isinstance(value, Decimal) else None

    def symbols(values: Mapping[str, Value | None]) -> tuple[str, ...]:
        value = values["universe"]
        return value if isinstance(value, tuple) else ()

    before, after = moves.before, moves.after
    rates = [name for name, spec in policy.spec.controls.items() if spec.unit is Unit.PER_MINUTE]

    def rate(values: Mapping[str, Value | None]) -> Decimal | None:
        """The tightest of the rates: an order passes all of them."""
        return min((known for name in rates if (known := number(values, name)) is not None), default=None)

    edited = {
        move.spec.bindings[place.number].object
        for move in moves.by_name.values()
        for place in move.edited()
        if move.spec.bindings[place.number].env is not None
    }
    return BlastRadius(
        gross_before=number(before, "maxGrossExposure"),
        gross_after=number(after, "maxGrossExposure"),
        net_before=number(before, "maxNetExposure"),
        net_after=number(after, "maxNetExposure"),
        name_before=number(before, "symbolConcentration"),
        name_after=number(after, "symbolConcentration"),
        loss_before=number(before, "dailyLossLimit"),
        loss_after=number(after, "dailyLossLimit"),
        rate_before=rate(before),
        rate_after=rate(after),
        symbols_added=tuple(symbol for symbol in symbols(after) if symbol not in symbols(before)),
        symbols_removed=tuple(symbol for symbol in symbols(before) if symbol not in symbols(after)),
        restarts=tuple(one.object for one in policy.spec.target.workloads if contents and one.object in edited),
    )


# The plan as a document


def core_bytes(plan: Plan) -> bytes:
    """The RFC 8785 text of the core: what the id is the SHA-256 of, and what an approval approves."""
    return rfc8785.dumps(
        {
            "namespace": plan.namespace,
            "epoch": plan.epoch,
            "from": plan.from_stage,
            "to": plan.to_stage,
            "direction": plan.direction.value,
            "policy": {"digest": plan.policy_digest, "version": plan.policy_version},
            "roster": plan.roster_digest,
            "edits": [
                {"path": one.path, "blobBefore": one.blob_before, "blobAfter": one.blob_after} for one in plan.edits
            ],
            "changes": [_core_change(change) for change in plan.changes],
            "blastRadius": radius_document(plan.blast_radius),
            "createdBy": plan.created_by,
            "createdAt": stamp(plan.created_at),
            "expiresAt": stamp(plan.expires_at),
        }
    )


def to_document(
    plan: Plan, *, gates: Sequence[Gate] = (), allowed: bool = False, confirmation: str = ""
) -> dict[str, Any]:
    """The plan as JSON (design section 6), with what stands outside its core. Numbers of controls are strings."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "id": plan.id,
        "createdAt": stamp(plan.created_at),
        "expiresAt": stamp(plan.expires_at),
        "createdBy": plan.created_by,
        "namespace": plan.namespace,
        "epoch": plan.epoch,
        "from": plan.from_stage,
        "to": plan.to_stage,
        "direction": plan.direction.value,
        "baseCommit": plan.base_commit,
        "policy": {"digest": plan.policy_digest, "version": plan.policy_version},
        "roster": plan.roster_digest,
        "edits": [
            {"path": one.path, "blobBefore": one.blob_before, "blobAfter": one.blob_after, "diff": one.diff}
            for one in plan.edits
        ],
        "changes": [_change_document(change) for change in plan.changes],
        "blastRadius": radius_document(plan.blast_radius),
        "worstCase": worst_case(plan.blast_radius, plan.order_limits),
        "contracts": list(plan.contracts),
        "refusals": list(plan.refusals),
        "gates": [
            {
                "gate_id": gate.gate_id,
                "status": gate.status.value,
                "reasons": list(gate.reasons),
                "core": gate.core,
                "artifact_refs": list(gate.artifact_refs),
            }
            for gate in gates
        ],
        "allowed": allowed,
        "confirmationToken": confirmation,
    }


def from_document(document: Mapping[str, Any]) -> Plan:
    """The plan of a JSON document, without contents. Raises Trouble when it is none or its id is not its core's."""
    try:
        plan = _parse(document)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        what = f"this is not a {KIND} of {API_VERSION} ({type(error).__name__}: {error})"
        raise Trouble(what, where="plan", fix="make it with 'rampdeck plan --to STAGE -o plan.json'") from error
    if hashlib.sha256(core_bytes(plan)).hexdigest() != plan.id:
        fix = "make the plan again; an altered plan is never applied"
        what = f"the plan {plan.id[:12]} was altered: its id is not the digest of its core"
        raise Trouble(what, where="plan", fix=fix)
    return plan


def _parse(document: Mapping[str, Any]) -> Plan:
    if (document["apiVersion"], document["kind"]) != (API_VERSION, KIND):
        raise ValueError(f"it is a {document['kind']} of {document['apiVersion']}")
    return Plan(
        id=str(document["id"]),
        namespace=document["namespace"],
        epoch=int(document["epoch"]),
        from_stage=document["from"],
        to_stage=document["to"],
        direction=Direction(document["direction"]),
        policy_digest=document["policy"]["digest"],
        policy_version=int(document["policy"]["version"]),
        roster_digest=document["roster"],
        edits=tuple(Edit(one["path"], one["blobBefore"], one["blobAfter"], one["diff"]) for one in document["edits"]),
        changes=tuple(_parse_change(one) for one in document["changes"]),
        blast_radius=parse_radius(document["blastRadius"]),
        created_by=document["createdBy"],
        created_at=_parse_time(document["createdAt"]),
        expires_at=_parse_time(document["expiresAt"]),
        base_commit=document["baseCommit"],
        contracts=tuple(document["contracts"]),
        refusals=tuple(document["refusals"]),
    )


def _core_change(change: ControlChange) -> dict[str, Any]:
    return {
        "control": change.control,
        "before": _written(change.before),
        "after": _written(change.after),
        "unit": change.unit.value,
        "direction": change.direction.value,
    }


def _change_document(change: ControlChange) -> dict[str, Any]:
    return {
        **_core_change(change),
        "title": change.title,
        "enforcedBy": change.enforced_by,
        "files": list(change.files),
        "pinned": change.pinned,
        "shareBefore": _written(change.share_before),
        "shareAfter": _written(change.share_after),
        "unread": change.unread,
    }


def _parse_change(one: Mapping[str, Any]) -> ControlChange:
    unit = Unit(one["unit"])
    return ControlChange(
        control=one["control"],
        title=one["title"],
        before=_parse_written(unit, one["before"]),
        after=_parse_written(unit, one["after"]),
        unit=unit,
        direction=Direction(one["direction"]),
        enforced_by=one["enforcedBy"],
        files=tuple(one["files"]),
        pinned=one["pinned"],
        share_before=_parse_number(one["shareBefore"]),
        share_after=_parse_number(one["shareAfter"]),
        unread=one["unread"],
    )


def _written(value: Value | None) -> str | list[str] | None:
    text = write_value(value)
    return list(text) if isinstance(text, tuple) else text


def _parse_written(unit: Unit, value: str | list[str] | None) -> Value | None:
    return parse_value(unit, tuple(value) if isinstance(value, list) else value, "plan")


def _parse_number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _parse_time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return at
