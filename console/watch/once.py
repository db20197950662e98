"""One look: the watch's newest tick while it is fresh, otherwise every source read once within a deadline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from console.ports import Clock, Lease, LeaseRow, Observations
from console.watch.memory import Memory, resume
from console.watch.reader import Reader
from console.watch.tenure import Seat, Tenure
from stages.clearing import Clearance, clearances
from stages.evaluation import accumulate, judge
from stages.policy import Policy
from stages.refusal import Trouble
from stages.state import ControlState
from stages.value import Struct
from stages.verdict import Evaluation, WatchPresence
from stages.watching import WatchState

FRESH: Final = timedelta(seconds=5)
PATIENCE: Final = 4.0
"""Seconds that one look waits for all sources."""


class Look(Struct, frozen=True):
    """One evaluation, and whose readings it rests on."""

    evaluation: Evaluation
    presence: WatchPresence
    own: bool
    """True when the sources were read here, because no watch is alive."""
    note: str = ""
    clearances: tuple[Clearance, ...] = ()
    """What each open latch still waits for, the strictest first."""


def look_once(
    policy: Policy,
    state: ControlState,
    clock: Clock,
    reader: Callable[[Policy], Reader],
    *,
    actor: str,
    lease: Lease | None = None,
    observations: Observations | None = None,
    patience: float = PATIENCE,
) -> Look:
    """Changes nothing. What of the stores cannot be read is named in the note, and the look goes on without it."""
    memory, note = _memory(policy, state, observations, actor)
    presence, alive = _presence(lease, clock, memory)
    if alive and memory.snapshot is not None:
        found = judge(policy, state, memory.watch, memory.snapshot, presence)
        waits = clearances(policy, state, memory.watch, memory.snapshot)
        return Look(found, presence, own=False, note=note, clearances=waits)
    source = reader(policy)
    source.start()
    try:
        source.settled(patience)
        snapshot = memory.bridged(source.snapshot(memory.through + 1))
    finally:
        source.stop()
    memory.watch, _ = accumulate(policy, state, memory.watch, snapshot, actor)
    found = judge(policy, state, memory.evidence, snapshot, presence)
    waits = clearances(policy, state, memory.watch, snapshot)
    return Look(found, presence, own=True, note=note, clearances=waits)


def _memory(policy: Policy, state: ControlState, observations: Observations | None, actor: str) -> tuple[Memory, str]:
    if observations is None:
        return Memory(WatchState.start(), blank=True), ""
    try:
        memory = resume(policy, state, observations, actor)
    except Trouble as trouble:
        return Memory(WatchState.start(), state.last_seal, blank=True), trouble.line
    return memory, memory.lost


def _presence(lease: Lease | None, clock: Clock, memory: Memory) -> tuple[WatchPresence, bool]:
    nobody = WatchPresence(None, acting=False, here=False, age=None)
    if lease is None:
        return nobody, False
    tenure = Tenure(lease, Seat("", "", "", read_only=True))
    now = clock.wall()
    tenure.hold(now)
    row: LeaseRow | None = tenure.row
    fresh = memory.tick is not None and memory.at is not None and now - memory.at < FRESH
    return tenure.elsewhere(memory.tick, now), fresh and row is not None and row.alive(now)
