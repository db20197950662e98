"""Memory: the accumulators of the watch, resumed from the newest seal and the ticks after it, and sealed in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from console.ports import Observations, StoredTick
from console.watch import ticks
from stages.burnin import PASSED
from stages.commands import ChangeBurnIn, Seal
from stages.evaluation import accumulate
from stages.policy import Policy
from stages.runs import TERMINAL
from stages.signals import Quality, SignalKey, Snapshot
from stages.state import ControlState
from stages.value import Struct, replace
from stages.watching import BurnWatch, WatchState

SEAL_OPEN: Final = 60.0
SEAL_CLOSED: Final = 120.0
"""Seconds between two seals, in session and out of it."""

KEPT: Final = timedelta(days=2)
"""How long ticks are kept: a verdict of yesterday's session can be made again from them on the day after; what was
decided, and the digests of what it rested on, stay in the ledger."""


class Memory(Struct):
    """Accumulators up to tick ``through``, which was taken at ``at``."""

    watch: WatchState
    through: int = 0
    at: datetime | None = None
    snapshot: Snapshot | None = None
    """The newest snapshot that was folded."""
    tick: StoredTick | None = None
    """The stored tick that it came from, when it came from the store."""
    own: bool = False
    """Whether this console folded readings of its own that no other watch has seen."""
    lost: str = ""
    """Why the accumulators of the newest seal could not be resumed; empty when they could."""
    blank: bool = False
    """Whether the store could not be asked at all: these accumulators know of nothing before them, and no tick of
    theirs is kept. What is unsafe is latched by them; no burn-in is decided."""
    unkept: datetime | None = None
    """Since when ticks could not be stored: what no seal can cover is no evidence for a burn-in."""

    @property
    def evidence(self) -> WatchState:
        """The accumulators as a verdict may rest on them: blank ones know nothing of a burn-in."""
        return replace(self.watch, burn_in=BurnWatch()) if self.blank else self.watch

    def fold(self, policy: Policy, state: ControlState, tick: StoredTick, actor: str) -> None:
        """One stored tick. What it commanded is in the ledger already, so its commands are not asked for again."""
        snapshot = ticks.from_document(policy, tick.seq, tick.body["snapshot"])
        self.watch, _ = accumulate(policy, state, self.watch, snapshot, actor)
        self.through, self.at, self.snapshot, self.tick = tick.seq, snapshot.wall, snapshot, tick

    def bridged(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot, with the time since the last stored tick as unseen after a restart or a store that was away."""
        since = self.unkept or self.at
        if since is None:
            return snapshot
        unseen = (snapshot.wall - since).total_seconds()
        return replace(snapshot, gap=max(snapshot.gap, unseen)) if unseen > 2 or self.unkept else snapshot

    def keep(self, snapshot: Snapshot, observations: Observations, body: Mapping[str, Any]) -> None:
        """Stores the newest tick. Raises Trouble when the store is away; the tick then counts as never seen."""
        self.snapshot, self.unkept = snapshot, self.unkept or self.at or snapshot.wall
        self.through = observations.append_tick(snapshot.wall, {**body, "snapshot": ticks.to_document(snapshot)})
        self.at, self.unkept = snapshot.wall, None

    def seal(self, state: ControlState, observations: Observations, actor: str, phase: str, now: datetime) -> Seal:
        """The command that seals the ticks since the last seal. Raises Trouble when the store is away."""
        digest, count = observations.digest(after=state.last_seal, upto=self.through)
        accumulators = observations.put_accumulators(self.watch.to_document(), at=now)
        return Seal(actor, state.last_seal + 1, self.through, count, digest, accumulators, phase)


def prune(state: ControlState, observations: Observations, now: datetime) -> int:
    """Remove one small batch of sealed ticks that are too old; how many. Raises Trouble when the store is away.

    One batch at each seal takes away faster than ticks come, and no tick ever waits long for it.
    """
    return observations.prune(now - KEPT, through=state.last_seal, batches=1)


def resume(policy: Policy, state: ControlState, observations: Observations, actor: str) -> Memory:
    """The accumulators as they were after the newest stored tick."""
    memory = _sealed(state, observations)
    if not memory.lost:
        for tick in observations.ticks(after=state.last_seal):
            try:
                memory.fold(policy, state, tick, actor)
            except (KeyError, ValueError, TypeError) as error:
                memory.lost = f"tick {tick.seq} cannot be read ({type(error).__name__})"
                break
    newest = observations.newest_tick()
    if memory.lost:
        return Memory(WatchState.start(), newest.seq if newest else 0, newest.at if newest else None, lost=memory.lost)
    if memory.snapshot is None and newest is not None and newest.seq == memory.through:
        # The seal covers every tick: the newest one is shown, and counted already.
        memory.at, memory.tick = newest.at, newest
        memory.snapshot = ticks.from_document(policy, newest.seq, newest.body["snapshot"])
    return memory


def _sealed(state: ControlState, observations: Observations) -> Memory:
    if not state.seal_accumulators:
        return Memory(WatchState.start())
    document = observations.accumulators(state.seal_accumulators)
    if document is None:
        return Memory(WatchState.start(), state.last_seal, lost="the accumulators of the last seal are lost")
    try:
        return Memory(WatchState.from_document(document), state.last_seal)
    except (ValueError, TypeError):
        return Memory(WatchState.start(), state.last_seal, lost="the accumulators of the last seal cannot be read")


def abort_runs(state: ControlState, actor: str, market: datetime, reason: str) -> Iterator[ChangeBurnIn]:
    """A burn-in whose evidence is lost cannot go on, and whether a pass still counts is not known (semantics 1.3)."""
    for run in state.runs.values():
        if run.state not in TERMINAL or run.state == PASSED:
            yield ChangeBurnIn(actor, run.stage, run.run, "ABORTED", run.started, market, reason)


def samples_since(observations: Observations, since: datetime) -> Iterator[tuple[SignalKey, datetime, float | None]]:
    """What each stored tick since then knew of each signal: the trends of a console that has just started."""
    for tick in observations.ticks(since=since):
        for book, samples in tick.body["snapshot"]["samples"].items():
            for name, sample in samples.items():
                value = sample.get("value") if sample["quality"] == Quality.OK else None
                yield SignalKey(book, name), tick.at, None if value is None else float(value)
