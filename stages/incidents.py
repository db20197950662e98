"""Incidents: declared by hand with a severity, or joined from latches of one root; what each severity contributes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias

from stages.by_hand import DeclareIncident, ResolveIncident
from stages.entries import Draft
from stages.latching import OpenLatch, latch_draft
from stages.measures import Clear, Trigger
from stages.policy import Policy
from stages.posture import UNRULED, ClearRule, Mode
from stages.refusal import Refusal
from stages.state import ControlState

Severity: TypeAlias = Literal["SEV1", "SEV2", "SEV3"]
SEVERITIES: Final[tuple[Severity, ...]] = ("SEV1", "SEV2", "SEV3")
BY_HAND: Final = "incident"
"""Trigger name of a severity that the policy has no incident trigger for."""

_CONTRIBUTIONS: Final = {"SEV1": (Mode.HALTED, "0"), "SEV2": (Mode.FROZEN, "-1"), "SEV3": (Mode.FROZEN, None)}
_CLEARED_BY: Final[tuple[str, ...]] = ("incident-commander", "risk")


def trigger_for(policy: Policy, severity: str) -> tuple[str, Trigger] | None:
    """The policy's incident trigger of a severity."""
    found = ((name, one) for name, one in policy.spec.triggers.items() if one.kind == "incident")
    return next(((name, one) for name, one in found if one.severity == severity), None)


def latch_for(
    policy: Policy,
    *,
    actor: str,
    incident: str,
    severity: str,
    title: str,
    effective: int,
    market: datetime,
) -> OpenLatch:
    """The latch that a declared incident opens: its policy's first step, else semantics 2.1's. ValueError for no
    such severity."""
    if severity not in SEVERITIES:
        raise ValueError(f"severity {severity!r} is none of {', '.join(SEVERITIES)}")
    known = trigger_for(policy, severity)
    mode, cap = _CONTRIBUTIONS[severity]
    name, roles, rule = BY_HAND, _CLEARED_BY, UNRULED
    if known is not None:
        name, trigger = known
        step = trigger.then[0]
        index = policy.stage_index(step.cap) if step.cap not in (None, "-1") else None
        mode, cap = step.as_mode, step.cap if index is None else str(index)
        roles, rule = trigger.clear.by, clear_rule(trigger.clear)
    return OpenLatch(
        actor=actor,
        trigger=name,
        cause=incident,
        evidence=f"{severity} declared by {actor}: {title}",
        mode=mode,
        cap=cap,
        effective=effective,
        stage=policy.stages[effective].name,
        clear_roles=roles,
        rule=rule,
        incident=incident,
        market=market,
    )


def clear_rule(clear: Clear) -> ClearRule:
    """The policy's clear condition as a latch keeps it."""
    return ClearRule(
        approval=clear.approval,
        each=clear.each,
        explain=clear.explain,
        itself=clear.itself,
        gone=clear.gone,
        good=clear.good,
        hold=clear.hold,
        next_session=clear.next_session,
    )


def declare(command: DeclareIncident, state: ControlState, now: datetime) -> Sequence[Draft] | Refusal:
    """The incident and its latch in one decision; declaring is never refused, and twice is once."""
    if command.incident in state.incidents:
        return ()
    latch = latch_draft(command.latch, state, now)
    body = {
        "incident": command.incident,
        "severity": command.severity,
        "state": "declared",
        "title": command.title,
        "latches": [latch.body["key"]] if latch else [],
    }
    incident = Draft("incident", command.latch.stage, None, command.actor, body)
    return (incident, latch) if latch else (incident,)


def resolve(command: ResolveIncident, state: ControlState) -> Sequence[Draft] | Refusal:
    """The end of an incident; what it holds is cleared by those who may."""
    known = state.incidents.get(command.incident)
    if known is None:
        return Refusal("no-incident", f"no incident {command.incident} was declared")
    if not known.is_open:
        return ()
    body = {"incident": command.incident, "severity": known.severity, "state": "resolved", "text": command.text}
    return (Draft("incident", None, None, command.actor, body),)


def next_number(state: ControlState) -> str:
    """``INC-3``: the number of the next incident to declare."""
    return f"INC-{len(state.incidents) + 1}"
