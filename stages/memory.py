"""What the watch remembers of a snapshot: newest values, heads of Git, readbacks, dark windows and what hangs over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from stages.baselines import measured, rebases
from stages.bearings import bearings, git_standing, in_convergence, longest_dark
from stages.commands import AdoptExternalChange, Rebase
from stages.ladder import Value, write_value
from stages.overhang import hangs_over
from stages.policy import Policy
from stages.quality import Reading, readings
from stages.session import phase
from stages.signals import LIVE_BOOK, SignalKey, Snapshot
from stages.state import ControlState
from stages.value import replace
from stages.watching import UNSEEN_AFTER, Dark, Known, WatchState, key_text
from stages.witness import GitReading

TRAILERS = ("Rampdeck-Plan", "Rampdeck-Epoch", "Rampdeck-Stage")
"""A commit that carries any of these was made by this program."""


def remember(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, actor: str
) -> tuple[WatchState, tuple[AdoptExternalChange | Rebase, ...]]:
    """The watch's memory after ``snapshot``, and what it takes for fact: changes made elsewhere, loss baselines."""
    watch = replace(watch, started=_started(watch, snapshot), wall=snapshot.wall, market=snapshot.market)
    watch, adopted = _git(policy, state, watch, snapshot, actor)
    watch = replace(watch, runtime=_runtime(watch, snapshot))
    now = phase(policy.spec.target.session, snapshot.market)
    books = tuple(dict.fromkeys([LIVE_BOOK, *(stage.book for stage in policy.stages)]))
    raw = readings(policy, snapshot, now, books)
    rebased = tuple(rebases(policy, state, snapshot, now, raw, actor))
    raw = measured(policy, state, raw)
    watch = replace(watch, known=_known(watch, raw))
    in_force = bearings(policy, state, watch, snapshot)
    mine = {key: reading for key, reading in raw.items() if key.book in in_force.books}
    watch = replace(watch, dark=_dark(policy, state, watch, snapshot, mine))
    return hangs_over(policy, state, watch, snapshot), (*adopted, *rebased)


def _started(watch: WatchState, snapshot: Snapshot) -> datetime:
    """Since when this watch has been looking without a break."""
    unseen = watch.wall is not None and (snapshot.wall - watch.wall).total_seconds() > UNSEEN_AFTER
    return snapshot.wall if watch.started is None or unseen else watch.started


def _known(watch: WatchState, raw: Mapping[SignalKey, Reading]) -> dict[str, Known]:
    newest = {key_text(key): Known(one.value, one.text, one.event_time) for key, one in raw.items() if one.believed}
    return {**watch.known, **newest}


def _runtime(watch: WatchState, snapshot: Snapshot) -> dict[str, str | None]:
    read = {name: _text(one.value) for name, one in snapshot.runtime.items() if not one.error}
    return {**watch.runtime, **read}


def _text(value: Value | None) -> str | None:
    written = write_value(value)
    return ",".join(written) if isinstance(written, tuple) else written


def _git(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot, actor: str
) -> tuple[WatchState, tuple[AdoptExternalChange, ...]]:
    git = snapshot.git
    if git is None or git.head == watch.head:
        return watch, ()
    values = {name: _text(value) for name, value in git.values.items()}
    moved = sorted(name for name, value in values.items() if name in watch.git and watch.git[name] != value)
    watch = replace(watch, head=git.head, git={**watch.git, **values})
    if not moved or _own(policy, state, snapshot, git):
        return watch, ()
    watch = replace(watch, changed=snapshot.wall)
    if state.external_head == git.head:
        return watch, ()
    return watch, (AdoptExternalChange(actor, git.head, git.author, f"moves {', '.join(moved)}"),)


def _own(policy: Policy, state: ControlState, snapshot: Snapshot, git: GitReading) -> bool:
    """Whether this program made the change: by its trailers, or because the values are those of its newest push."""
    if any(name in git.trailers for name in TRAILERS) or any(one.sha == git.head for one in state.intents.values()):
        return True
    newest, standing = state.last_pushed, git_standing(policy, snapshot)
    here = policy.stages[standing.stage].name if standing.stage is not None else ""
    if any(one.to_stage == here and not standing.tighter for one in state.awaiting):
        return True  # its branch was merged, by whatever commit
    if newest is None or standing.stage is None or standing.tighter:
        return False
    fresh = in_convergence(policy, newest.at, snapshot.wall)
    return fresh and policy.stages[standing.stage].name == newest.to_stage


def _dark(
    policy: Policy,
    state: ControlState,
    watch: WatchState,
    snapshot: Snapshot,
    raw: Mapping[SignalKey, Reading],
) -> Dark | None:
    """The dark window of the newest change: from the first bad read until each signal answers again (rule 12)."""
    lost = sorted(key_text(key) for key, reading in raw.items() if reading.lost)
    change = _newest_change(policy, state, watch, snapshot)
    dark = watch.dark
    if change is not None and (dark is None or dark.change != change[0]):
        # What a window before this one still excuses stays excused: two changes in a row are one long restart.
        open_before = set(dark.went) - set(dark.done) if dark is not None else set()
        before = _lost_before(policy, watch, lost, change[1])
        dark = Dark(change[0], change[1], done=tuple(name for name in before if name not in open_before))
    if dark is None or not policy.spec.target.workloads:
        return dark
    excused = [name for name in lost if name not in dark.done]
    expected = in_convergence(policy, dark.since, snapshot.wall)
    if dark.began is None and not (excused and expected):
        return dark
    began = dark.began or snapshot.wall
    if snapshot.wall - began > longest_dark(policy):
        return replace(dark, began=began)
    went = sorted({*dark.went, *(excused if expected or dark.began else ())})
    back = [name for name in dark.went if name not in lost and _believed(raw, name)]
    return replace(dark, began=began, went=tuple(went), done=tuple(sorted({*dark.done, *back})))


def _lost_before(policy: Policy, watch: WatchState, lost: list[str], change: datetime) -> list[str]:
    """Signals whose newest answer was too old when the change came already; a restart does not explain those."""
    return [
        name
        for name in lost
        if (known := watch.known.get(name)) is not None
        and known.event_time is not None
        and change - known.event_time > policy.spec.signals[name.partition("/")[2]].max_age
    ]


def _believed(raw: Mapping[SignalKey, Reading], name: str) -> bool:
    book, _, signal = name.partition("/")
    reading = raw.get(SignalKey(book, signal))
    return reading is not None and reading.believed


def _newest_change(
    policy: Policy, state: ControlState, watch: WatchState, snapshot: Snapshot
) -> tuple[str, datetime] | None:
    changes: list[tuple[str, datetime]] = []
    pushed = state.last_pushed
    if pushed is not None and in_convergence(policy, pushed.at, snapshot.wall):
        changes.append((pushed.id, pushed.at))
    if watch.changed is not None and in_convergence(policy, watch.changed, snapshot.wall):
        changes.append((f"git@{watch.changed.isoformat()}", watch.changed))
    return max(changes, key=lambda change: change[1], default=None)
