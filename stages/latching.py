"""Latching: what opens a latch, its key, and the entry that it becomes.

Latches of one root within a short time join one incident. A latch is written once per (trigger, step, cause, epoch),
before anything acts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from stages.entries import Draft
from stages.posture import UNRULED, ClearRule, Latch, Mode
from stages.state import ControlState
from stages.value import Struct, replace


class OpenLatch(Struct, frozen=True):
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


_NAMED: Final = frozenset({"key", "trigger", "cause"})
"""What a latch must tell of itself to get another key."""


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


def keys_in(drafts: Sequence[Draft], epoch: int) -> dict[str, str]:
    """The keys that the latches which these drafts open get in ``epoch``, by those that they have."""
    return {
        draft.body["key"]: latch_key(draft.body["trigger"], draft.body["cause"], epoch)
        for draft in drafts
        if draft.kind == "latch-opened" and _NAMED.issubset(draft.body)
    }


def in_epoch(drafts: Sequence[Draft], epoch: int, keys: Mapping[str, str]) -> tuple[Draft, ...]:
    """The drafts of one decision as they are in ``epoch``, whichever it was made in: what raises it raises it to that.

    The latches that it opens, or that one before it opened, go by the ``keys`` of that epoch, so that none shares the
    name of one that ended long ago.
    """
    return tuple(
        replace(
            draft,
            body=_renamed(draft.body, keys),
            epoch=None if draft.epoch is None else epoch,
            intent=None if draft.intent in keys else draft.intent,
        )
        for draft in drafts
    )


def _renamed(body: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """The body of an entry with latches called by other keys, wherever it names them."""
    named = {name: keys.get(body[name], body[name]) for name in ("key", "incident", "subject") if name in body}
    latches = {"latches": sorted(keys.get(one, one) for one in body["latches"])} if "latches" in body else {}
    return {**body, **named, **latches}


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
