"""The desk: what the screens read, frozen once a tick, and what they may ask for. What holds it is in feed.py."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import TYPE_CHECKING, Final, Protocol

from console.strides import Tally, Tell, silent
from stages.outline import RowState
from stages.value import Struct, field

if TYPE_CHECKING:
    from stages.chain import Anchor, Problem
    from stages.clearing import Clearance
    from stages.closeup import Closeup
    from stages.departure import Departure
    from stages.drill import Scope
    from stages.drill_progress import DrillBoard
    from stages.entries import EntryFilter, Head, StoredEntry
    from stages.pairing import Ending
    from stages.plan import Plan
    from stages.policy import Policy
    from stages.signals import SignalKey
    from stages.verdict import Evaluation, Gate, Row, Sees, WatchPresence

TREND_SECONDS: Final = 3600
POINT_SECONDS: Final = 10
"""A trend holds one point for so many seconds: an hour in 360 points."""

KILL: Final = "KILL"
"""Asks for the commands of a kill instead of those of a stage (``Hands.by_hand``)."""

BELIEVED: Final = frozenset(
    {RowState.OK, RowState.WARN, RowState.SUSPECT, RowState.BREACH, RowState.OVER, RowState.INFO}
)
"""States of a row whose value may be believed."""


class RunningStep(Struct, frozen=True):
    """One step of an act. ``state`` is done, running, late, failed, unknown or waiting; times are seconds."""

    name: str
    state: str
    took: float | None = None
    budget: float | None = None
    note: str = ""


class Running(Struct, frozen=True):
    """An act in flight or just ended, as far as the ledger and the witnesses tell."""

    kind: str
    """advance, reduce, restore or resume"""
    title: str
    """``STEPPING DOWN TO L1 by itself``, ``alice applies b81c: L1 → L2``"""
    steps: tuple[RunningStep, ...]
    started: datetime
    finished: datetime | None = None
    outcome: str = ""
    """Empty while it runs; then done, failed, or unknown."""
    safe_now: str = "NOT YET"
    """YES, NOT YET or UNVERIFIED, by the venue, or by the runtime where the venue has no part in it."""
    safe_note: str = ""
    stays_so: str = "NOT YET"
    """YES, NOT YET or UNVERIFIED, by Git and runtime."""
    stays_note: str = ""
    plan_id: str = ""
    awaits: str = ""
    """The branch whose merge it waits for; nothing of it is in force before."""


class Frame(Struct, frozen=True):
    """Everything that the screens draw, at one tick."""

    evaluation: Evaluation
    history: Mapping[SignalKey, Sequence[float | None]]
    """Per signal its newest hour, oldest first; None where it was not known."""
    policy: Policy
    who: str
    """Name of the person at this console."""
    actor: str
    """Who the ledger names for what this console does."""
    presence: WatchPresence
    events: tuple[str, ...] = ()
    """Newest first, each one line that begins with its time."""
    happened: tuple[datetime, ...] = ()
    """When each of the events was."""
    running: Running | None = None
    read_only: bool = False
    environment: str = ""
    acknowledged: frozenset[str] = frozenset()
    """Keys of alarms that a person has acknowledged."""
    rung: int = 0
    """How many audible alarms have rung here so far; a screen that sees it grow rings once."""
    clearances: tuple[Clearance, ...] = ()
    """What each open latch still waits for, the strictest first."""
    drills: DrillBoard | None = None
    """Every drill so far, and what the next advance may rely on."""
    notices: tuple[str, ...] = ()
    """What the watch itself cannot do now, one sentence each: the ledger is away, ticks have stopped."""
    sees: Sees | None = None
    """None before anything new was seen."""


class Feed(Protocol):
    """The reading side of the desk. Calls return at once and may come from any thread."""

    def frame(self) -> Frame | None:
        """The newest frame; None before the first tick."""

    def subscribe(self, notify: Callable[[], object]) -> Callable[[], None]:
        """Calls ``notify`` after each new frame, from the feed's own thread; the result ends it."""

    def waiting_for(self) -> str:
        """While there is no frame: what is being done, in one sentence."""


class Rehearsal(Struct, frozen=True):
    """A dry run. ``confirmation`` is the phrase; ``refusal`` says why there is no plan at all."""

    plan: Plan | None
    gates: tuple[Gate, ...] = ()
    allowed: bool = False
    confirmation: str = ""
    refusal: str = ""


class Given(Struct, frozen=True):
    """An approval as recorded: who, in which roles, when, until when."""

    approver: str
    roles: tuple[str, ...]
    at: datetime | None
    expires: datetime


class Answers(Struct, frozen=True):
    """How a plan stands now: its gates judged again, its approvals, and whether it went stale."""

    requested: bool
    needed: int
    needs: str = ""
    """Who may still approve, in words: ``1 of trader, not alice``."""
    given: tuple[Given, ...] = ()
    rejected: str = ""
    """Who said no and why."""
    stale: str = ""
    """Why the plan no longer holds; empty while it does."""
    gates: tuple[Gate, ...] = ()
    allowed: bool = False
    """Whether every gate passes and every approval is in: the plan may be applied now."""
    confirmation: str = ""
    departure: Departure | None = None
    """Of a stale plan, what the same plan made now says otherwise; None where it cannot be made."""


class Consents(Struct, frozen=True):
    """How the approvals of a clear or a restore stand."""

    asked: bool = False
    file: str = ""
    """The request that approvers are handed: ``rampdeck approve FILE``."""
    given: tuple[str, ...] = ()
    """Those that count, ``bob (risk)``."""
    faults: tuple[str, ...] = ()
    lacking: str = ""
    """What is still missing, in words; empty when they suffice."""
    conditions: tuple[tuple[str, bool], ...] = ()
    """What a restore needs to be so, and whether it is."""
    phrase: str = ""
    """What is typed to restore; empty for a clear."""


class Leftover(Struct, frozen=True):
    """What a cleared halt has left, as a dry run: nothing is written. ``refusal`` says why it stays."""

    lines: tuple[str, ...] = ()
    phrase: str = ""
    refusal: str = ""


class Told(Struct, frozen=True):
    """What came of asking: ``ok`` with a note for people, or the reason why not."""

    ok: bool
    note: str = ""
    departure: Departure | None = None
    """Of a plan that was refused as stale, what the same plan made now says otherwise."""


class ByHand(Struct, frozen=True):
    """The commands that do the same without this program."""

    lines: tuple[str, ...] = field(default=())


class DrillGround(Struct, frozen=True):
    """Where a drill would be held: the paper target and the live one, and the step down that a rollback rehearses.

    ``trouble`` says why none can be held there; scopes are None when they could not be read.
    """

    target: Scope | None
    live: Scope | None
    upper: str = ""
    lower: str = ""
    trouble: str = ""


class DrillHands(Protocol):
    """What a person can do about drills. Calls may take long and may raise Trouble; each runs in its own thread."""

    def ground(self) -> DrillGround: ...
    def start(self, phrase: str) -> Told:
        """Starts the drill of the phrase in a process of its own and returns when it has begun."""

    def fire(self, run: str, phrase: str) -> Told:
        """Fires the act of the running drill by hand, on its target."""

    def answer(self, run: str, step: str, letter: str, words: str) -> Told:
        """Says of a step of a tabletop whether it held: y, n or u."""

    def abandon(self, run: str) -> Told:
        """Gives the running drill up; it counts as failed and cleans up."""

    def bundle(self, run: str) -> Told:
        """Where the evidence of a drill lies."""


class Hands(Protocol):
    """What a person can do from the screens. Calls may take long and may raise Trouble; each runs in its own thread."""

    @property
    def drills(self) -> DrillHands:
        """The hands for drills."""

    def rehearse(self, to_stage: int, tell: Tell = silent) -> Rehearsal:
        """Makes the plan; ``tell`` hears each stride of it as it begins."""

    def request(self, plan: Plan) -> Told:
        """Asks the approvers, by the inbox and the ledger."""

    def answers(self, plan: Plan) -> Answers: ...
    def apply(self, plan: Plan, phrase: str) -> Told:
        """Starts the apply and returns; frames tell how it goes."""

    def rollback(self, stage: str, phrase: str) -> Told:
        """Starts the rollback in a process of its own and returns; frames tell how it goes."""

    def freeze(self, phrase: str) -> Told: ...
    def acknowledge(self, alarm: str) -> Told: ...
    def take_over(self) -> Told: ...
    def kill(self, phrase: str) -> Told: ...
    def give_reason(self, reason: str) -> Told: ...
    def declare(self, severity: str, title: str) -> Told: ...
    def consents(self, latch: str) -> Consents:
        """How the approvals stand that end the latch of this key; of a kill, and of no key, those of a restore."""

    def ask_to_clear(self, latch: str) -> Told: ...
    def clear(self, latch: str, because: str) -> Told:
        """Ends the latch and lifts what nothing asks for any more."""

    def restore(self, phrase: str) -> Told: ...
    def leftover(self) -> Leftover: ...
    def resume(self, phrase: str) -> Told: ...
    def by_hand(self, stage: str) -> ByHand: ...


class Faults(Protocol):
    """What can be made to go wrong on purpose, where the console stands on a world made for that and nowhere else."""

    def known(self) -> Mapping[str, str]:
        """Each by its name, with what it does in one line; in the order of the palette."""

    def inject(self, name: str) -> str:
        """Causes one and says what happened. May take long and may raise Trouble; called in a thread of its own."""


class Leaf(Struct, frozen=True):
    """One page of the ledger, newest entry first, at the moment when the ledger's newest entry was ``head``."""

    entries: tuple[StoredEntry, ...]
    head: Head
    more: bool
    """Whether there is more in the direction that was asked for."""
    endings: Mapping[str, Ending] = field(default_factory=dict)
    """How the intents of this page ended, by their ids; an intent that is missing here has no outcome."""


class Proof(Struct, frozen=True):
    """How far the chain is verified: entries 1 to ``upto`` of ``total`` were read and compared."""

    upto: int
    total: int
    problems: tuple[Problem, ...] = ()
    done: bool = False
    """Whether everything was read, up to the head row."""
    seconds: float = 0.0
    """Time that the reading took."""
    at: datetime | None = None
    anchor: Anchor | None = None
    """The newest entry that a commit outside vouches for."""
    unanswered: tuple[int, ...] = ()
    """Numbers of intents without an outcome, newest first."""


class Books(Protocol):
    """The ledger, and what was measured beside it, as screens turn their pages.

    Calls may take long and raise Trouble; each runs in its own thread.
    """

    def leaf(self, only: EntryFilter, *, before: int | None = None, after: int | None = None, limit: int = 200) -> Leaf:
        """The entries that pass, next below ``before`` or next above ``after``; the newest without either."""

    def companions(self, intent: str) -> tuple[StoredEntry, ...]:
        """The intent and everything that became of it, in order."""

    def count(self, only: EntryFilter) -> int: ...
    def verification(self, *, again: bool = False) -> Proof:
        """Verifies one more slice and returns; call until it is done. ``again`` begins at the first entry."""

    def export(self, only: EntryFilter, path: str, tally: Tally) -> Told:
        """Writes the selection to a new file: CSV where its name ends so, else the canonical lines.

        The file appears whole or not at all; ``tally`` counts the entries and may stop it.
        """

    def write_down(self, policy: Policy, incident: str, path: str) -> Told:
        """Writes the postmortem of an incident, or of a latch, to a new folder: its page, plots and entries."""

    def closeup(self, policy: Policy, key: SignalKey, start: datetime, end: datetime) -> Closeup:
        """One signal over a stretch of time, from what was kept of it."""


class Trends:
    """The newest hour of each signal, one point for ten seconds. Written and read by the watch's thread alone."""

    def __init__(self) -> None:
        self._points: dict[SignalKey, deque[float | None]] = {}
        self._slots: dict[SignalKey, int] = {}
        """The slot of each signal's newest point; those before it follow without a gap."""

    def add(self, key: SignalKey, at: datetime, value: float | None) -> None:
        """The newest value of a ten-second slot stands for it; None is not known."""
        slot = int(at.timestamp()) // POINT_SECONDS
        points = self._points.setdefault(key, deque(maxlen=TREND_SECONDS // POINT_SECONDS))
        ahead = slot - self._slots.get(key, slot)
        if points and ahead <= 0:
            points.pop()
        points.extend(repeat(None, min(max(ahead - 1, 0), points.maxlen or 0)))
        points.append(value)
        self._slots[key] = max(slot, self._slots.get(key, slot))

    def add_rows(self, rows: Iterable[Row], at: datetime) -> None:
        """The values of one tick, as far as they may be believed."""
        for row in rows:
            known = row.value is not None and row.state in BELIEVED
            self.add(row.key, at, float(row.value) if known and row.value is not None else None)

    def history(self) -> dict[SignalKey, tuple[float | None, ...]]:
        """Per signal its points, oldest first."""
        return {key: tuple(points) for key, points in self._points.items()}
