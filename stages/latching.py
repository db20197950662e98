"""Latching: what opens a latch, its key, and the entry that it becomes.

Latches of one root within a short time join one incident. A latch is written once per (trigger, step, cause, epoch),
before anything acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stages.entries import Draft
from stages.posture import UNRULED, ClearRule, Latch, Mode
from stages.state import ControlState


@dataclass(frozen=True, slots=True)
class OpenLatch:
    """Opens a latch once per (trigger, step, cause, epoch). ``cap`` is ``-1``, a stage's index as text, or None.

    ``effective`` is the index of the stage in force, from which ``-1`` is resolved here and never again.
    """

    actor: str
    trigger: str
    cause: str
    evidence: str
    mode: Mode
    cap: str | None
    effective: int
    stage: str
    clear_roles: tuple[str, ...]
    rule: ClearRule = UNRULED
    root: str = ""
    """What the cause goes back to; latches of one root within ``storm`` join one incident."""
    storm: timedelta = timedelta(seconds=30)
    incident: str = ""
    """The declared incident that it belongs to."""
    market: datetime | None = None


def latch_key(trigger: str, cause: str, epoch: int) -> str:
    """The unique key of a latch: the same trigger and cause open once in an epoch."""
    return f"{trigger}/{cause}/{epoch}"


def latch_draft(command: OpenLatch, state: ControlState, now: datetime, *, epoch: int | None = None) -> Draft | None:
    """The entry that opens the latch; None when it was opened in this epoch already or is open from another one.

    ``epoch``: the one that the entry brings with it, where the same decision raises it.
    """
    key = latch_key(command.trigger, command.cause, state.epoch if epoch is None else epoch)
    if key in state.keys_used or state.open_latch(command.trigger, command.cause):
        return None
    cap = command.cap
    body: dict[str, Any] = {
        "key": key,
        "trigger": command.trigger,
        "cause": command.cause,
        "mode": command.mode.name,
        "cap": None if cap is None else max(0, command.effective - 1) if cap == "-1" else int(cap),
        "evidence": command.evidence,
        "clearRoles": command.clear_roles,
        "clearWhen": _written(command.rule),
        "root": command.root,
        "incident": command.incident or _storm(command, state, now) or key,
    }
    if command.market is not None:
        body["market"] = command.market
    return Draft("latch-opened", command.stage, None, command.actor, body, epoch=epoch)


def _storm(command: OpenLatch, state: ControlState, now: datetime) -> str:
    """The incident of the newest latch with the same root, when that is only just open (semantics 2.2 rule 9)."""
    near = [one for one in state.latches.values() if command.root and _joins(one, command, now)]
    return max(near, key=lambda one: one.seq).incident if near else ""


def _joins(latch: Latch, command: OpenLatch, now: datetime) -> bool:
    return bool(command.root) and latch.root == command.root and now - latch.opened_at <= command.storm


def _written(rule: ClearRule) -> dict[str, Any]:
    return {
        "approval": rule.approval,
        "each": rule.each,
        "explain": rule.explain,
        "itself": rule.itself,
        "gone": rule.gone,
        "good": rule.good.total_seconds(),
        "hold": rule.hold.total_seconds(),
        "nextSession": rule.next_session,
    }
