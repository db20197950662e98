"""Clearing: whether the cause of an open latch is gone for its dwell, who may clear it, and the actions they sign.

What is judged here goes into the command as a fact; the ledger's decision adds who asks and refuses the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from stages.authority import NEVER, Action, digest
from stages.bearings import bearings
from stages.by_hand import ClearLatch
from stages.overhang import OVERHANG, still
from stages.policy import Policy
from stages.posture import Latch
from stages.session import sessions_begun, span
from stages.signals import Snapshot
from stages.state import ControlState
from stages.value import Struct
from stages.watching import TriggerWatch, WatchState

DRILL: Final = "drill"
"""The parameter by which a restore names the drill whose own kill it lifts."""


class Clearance(Struct, frozen=True):
    """What one open latch still waits for."""

    latch: Latch
    gone: bool
    """Whether its cause is gone for its dwell, so that those who may can clear it now."""
    waits: tuple[str, ...]
    """Everything that is missing, in words."""
    who: str
    """``risk and trader, signed``, ``operator, one key press``, ``restore``, ``by itself``"""

    @property
    def why(self) -> str:
        return "; ".join(self.waits)


def judge(policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, latch: Latch) -> Clearance:
    """What ``latch`` waits for at ``snapshot``."""
    waits = tuple(_waits(policy, state, watch, snapshot, latch))
    return Clearance(latch, not waits, waits, who_clears(latch))


def clearances(policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot) -> tuple[Clearance, ...]:
    """Every open latch, the strictest first."""
    latches = sorted(state.latches.values(), key=lambda one: (-one.mode, one.seq))
    return tuple(judge(policy, state, watch, snapshot, latch) for latch in latches)


def self_clears(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, actor: str
) -> tuple[ClearLatch, ...]:
    """Latches that end without anybody, because what they waited for was renewed."""
    return tuple(
        ClearLatch(actor, one.latch.key, gone=True, evidence="renewed", by_itself=True)
        for one in clearances(policy, state, watch, snapshot)
        if one.latch.rule.itself and one.gone
    )


def who_clears(latch: Latch) -> str:
    """Who may end a latch, in words."""
    if latch.killed:
        return "restore: approved by two, one risk"
    if latch.rule.itself:
        return "by itself"
    named = (" and " if latch.rule.each else " or ").join(latch.clear_roles)
    return f"{named}, {'signed' if latch.rule.approval else 'one key press'}"


def clear_action(policy: Policy, latch: Latch) -> Action:
    """The action of ending ``latch``; everybody who sees the ledger derives the same one."""
    subject = digest({"key": latch.key, "seq": latch.seq})
    return Action("clear", policy.spec.target.namespace, subject, {"latch": latch.key}, subject[:32], NEVER)


def restore_action(policy: Policy, state: ControlState) -> Action:
    """The action of coming back from KILLED in the present epoch."""
    killing = sorted(latch.key for latch in state.latches.values() if latch.killed)
    subject = digest({"restore": killing, "epoch": state.epoch})
    params = {"to": policy.stages[0].name, "epoch": str(state.epoch)}
    return Action("restore", policy.spec.target.namespace, subject, params, subject[:32], NEVER)


def resume_action(policy: Policy, state: ControlState, stage: str, mode: str, blobs: Mapping[str, str]) -> Action:
    """The action of lifting a mode at ``stage`` in the present epoch; whoever does it signs it."""
    subject = digest({"resume": stage, "mode": mode, "epoch": state.epoch, "blobs": dict(blobs)})
    params = {"to": stage, "mode": mode, "epoch": str(state.epoch)}
    return Action("resume", policy.spec.target.namespace, subject, params, subject[:32], NEVER)


def drill_restore_action(policy: Policy, state: ControlState, run: str, expires: datetime) -> Action:
    """The action of lifting the kill of the drill ``run`` on its own target, in the present epoch."""
    killing = sorted(latch.key for latch in state.latches.values() if latch.killed)
    params = {DRILL: run, "epoch": str(state.epoch), "latches": " ".join(killing)}
    return Action("restore", policy.spec.target.namespace, run, params, run[:32], expires)


def waive_action(policy: Policy, run: str, item: str, reason: str) -> Action:
    """The action of letting ``run`` pass without ``item``."""
    subject = digest({"run": run, "item": item, "reason": reason})
    return Action("waive", policy.spec.target.namespace, subject, {"run": run, "item": item}, subject[:32], NEVER)


def _waits(policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, latch: Latch) -> Iterator[str]:
    rule = latch.rule
    incident = state.incidents.get(latch.incident)
    if incident is not None and incident.is_open and incident.latch == latch.key:
        yield f"incident {incident.incident} is open"
    declared = incident is not None and incident.latch == latch.key
    if latch.trigger == OVERHANG:
        hanging = still(policy, watch, bearings(policy, state, watch, snapshot))
        yield from [hanging] if hanging else []
    if rule.gone and latch.trigger in policy.spec.triggers and not declared:
        yield from _cause(watch.triggers.get(latch.trigger, TriggerWatch()), rule.good)
    held = snapshot.wall - latch.opened_at
    if held < rule.hold:
        yield f"held for another {span(rule.hold - held)}"
    if rule.next_session and not _next_session(policy, snapshot, latch):
        yield "not before the next session"


def _cause(mine: TriggerWatch, good: timedelta) -> Iterator[str]:
    if not mine.clear:
        yield "its cause is not seen gone"
    elif mine.gone.seconds < good.total_seconds():
        yield f"its cause is gone for {span(timedelta(seconds=mine.gone.seconds))} of {span(good)}"


def _next_session(policy: Policy, snapshot: Snapshot, latch: Latch) -> bool:
    opened = latch.market or snapshot.market_of(latch.opened_at)
    return sessions_begun(policy.spec.target.session, opened, snapshot.market) > 0
