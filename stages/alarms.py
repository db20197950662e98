"""Alarms by class (P1 act, P2 look, P3 note), and which are held back for a while; which of them ring is ringing's.

A condition has a cause that is stable while it lasts; the alarm's key adds since when, so that an acknowledgement
quiets this occurrence and not the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from stages.bearings import Bearings, longest_dark
from stages.drill_effects import declared
from stages.drill_progress import left_words, unclean
from stages.facts import Gap
from stages.figures import measure, percent
from stages.owing import owed
from stages.policy import Policy
from stages.posture import Posture
from stages.rows import reads_needed
from stages.session import span
from stages.signals import Snapshot
from stages.state import REDUCE, ControlState
from stages.truth import differs
from stages.value import Struct
from stages.verdict import Alarm, AlarmClass, HeldBack, Row, RowState, TriggerRow, TriggerState, Truth, WatchPresence
from stages.watching import WatchState

CONFIRM_WITHIN = 4.0
"""Seconds: where confirmation takes longer, the first bad reading rings (keeps the five seconds of RTS 6)."""
TRUTH_AFTER = 60.0
"""Seconds of disagreement between the witnesses that want a look."""

GAP_TOLD = timedelta(minutes=10)
"""How long it is told that decisions joined the ledger late."""

OVER = " (over, not acknowledged)"

ON_ROWS = ("limit", "loss", "stale", "account", "reconciliation", "incident")
"""Kinds of triggers that act on what a row shows to be beyond its limit."""

LOST = (RowState.BLIND, RowState.STALE)

RESTART, OWN_CHANGE, CLOSED = "a restart is expected", "an own change is on its way", "the market is closed"
DRILLED = "DRILL: a drill on this account declared it"
"""Why an alarm is held back."""

DRILL_LEFT = "drill/"
"""Beginning of the cause of a drill that left its target otherwise than it found it."""


class Condition(Struct, frozen=True):
    """Something that wants a person, before it is known since when."""

    cause: str
    klass: AlarmClass
    text: str


class Situation(Struct, frozen=True):
    """What alarms are raised from."""

    policy: Policy
    state: ControlState
    watch: WatchState
    snapshot: Snapshot
    here: Bearings
    posture: Posture
    rows: tuple[Row, ...]
    triggers: tuple[TriggerRow, ...]
    truth: Truth

    def held_for(self, cause: str) -> float:
        """Seconds for which a condition has lasted; 0 on its first tick."""
        since = self.watch.since.get(cause)
        return 0.0 if since is None else (self.snapshot.wall - since).total_seconds()

    def drilled_until(self, row: Row) -> datetime | None:
        """Until when a drill on the account of the row's book has declared effects; None when none has."""
        run = declared(self.policy, self.state, row.key.book, self.snapshot.wall)
        return run.until if run is not None else None


def conditions(now: Situation) -> tuple[Condition, ...]:
    """All conditions of the tick, one per cause, worst first."""
    found: dict[str, Condition] = {}
    for one in (*_fired(now), *_rows(now), *_lost(now), *_witnesses(now), *_book(now), *_acts(now)):
        known = found.get(one.cause)
        if known is None or one.klass < known.klass:
            found[one.cause] = one
    for cause, text in now.watch.over.items():
        if cause not in found and not _acknowledged(now, cause):
            found[cause] = Condition(cause, AlarmClass.LOOK, f"{text}{OVER}")
    return tuple(sorted(found.values(), key=lambda one: one.klass.value))


def to_acknowledge(now: Situation, found: tuple[Condition, ...]) -> dict[str, str]:
    """What the watch remembers of alarms that call for an act: they leave when they are over and acknowledged."""
    acts = {one.cause: one.text for one in found if one.klass is AlarmClass.ACT}
    waiting = {one.cause: now.watch.over[one.cause] for one in found if one.cause in now.watch.over}
    return {**waiting, **acts}


def since_when(now: Situation, found: tuple[Condition, ...]) -> dict[str, datetime]:
    """Since when each condition holds, for the watch to remember; what does not hold any more is forgotten."""
    causes = [one.cause for one in found]
    causes.append(f"truth/{now.truth.agree}")
    causes += [differs(row.name) for row in now.truth.rows if row.agree is False]
    venue = now.snapshot.venue
    if venue is not None and not venue.error and not venue.positions:
        causes.append("flat")
    return {cause: now.watch.since.get(cause, now.snapshot.wall) for cause in causes}


def alarms(now: Situation, presence: WatchPresence) -> tuple[Alarm, ...]:
    """The alarms of the tick, worst first, each with the time since when it holds."""
    found = [*conditions(now)]
    nobody = nobody_acts(now.here, presence)
    if nobody and not now.here.phase.is_closed:
        found.append(Condition("nobody-acts", AlarmClass.LOOK, nobody))
    raised = [_alarm(now, one) for one in found]
    return tuple(sorted(raised, key=lambda one: one.klass.value))


def held_back(now: Situation, presence: WatchPresence) -> tuple[HeldBack, ...]:
    """What would be an alarm but for a restart, a drill, an own change or a closed market, with the window's end."""
    found: list[tuple[Condition, str, datetime | None]] = []
    restarting = [row for row in now.rows if row.safety and row.state is RowState.RESTARTING]
    drilled = [row for row in now.rows if now.drilled_until(row) is not None]
    silent = [row for row in restarting if row in drilled]
    others = [row for row in restarting if row not in silent]
    found += [(one, RESTART, _dark_until(now)) for one in _groups(now, others)]
    found += [(one, DRILLED, now.drilled_until(silent[0])) for one in _groups(now, silent)]
    found += [(one, DRILLED, now.drilled_until(row)) for row in drilled for one in _counted(now, row)]
    if now.truth.agree is False and now.here.converging_left is not None:
        found.append((_disagreement(now), OWN_CHANGE, now.snapshot.wall + timedelta(seconds=now.here.converging_left)))
    if now.here.phase.is_closed:
        warned = [one for one in _warnings(now.rows) if one.klass < AlarmClass.NOTE]
        nobody = nobody_acts(now.here, presence)
        warned += [Condition("nobody-acts", AlarmClass.LOOK, nobody)] if nobody else []
        found += [(one, CLOSED, _opens(now)) for one in warned]
    return tuple(HeldBack(_alarm(now, one), why, until) for one, why, until in found if until is not None)


def nobody_acts(here: Bearings, presence: WatchPresence) -> str:
    """Why nobody acts by itself on a stage that trades for real; empty when somebody does, or at the baseline."""
    if presence.acting or here.effective == 0:
        return ""
    if not presence.known:
        return "who acts is not known: the ledger does not answer"
    if presence.holder is None or presence.here:
        return "triggers only ring here: nobody watches and acts"
    silent = f" silent for {span(timedelta(seconds=presence.age))}" if presence.age is not None else " only watches"
    return f"triggers only ring here: {presence.holder}{silent}"


def not_flat(policy: Policy, here: Bearings, snapshot: Snapshot) -> bool:
    """Whether positions are open after the time by which the policy wants none."""
    venue, hours = snapshot.venue, policy.spec.target.session
    if hours.flat_by is None or venue is None or venue.error or not venue.positions:
        return False
    session = here.phase.session
    due = session is not None and session.flat_by is not None and here.market >= session.flat_by
    return due or here.phase.is_closed


def cut_off(snapshot: Snapshot) -> bool:
    """Whether nothing at all answers: no source, no Git, no venue."""
    silent = bool(snapshot.sources) and not any(source.ok for source in snapshot.sources)
    git = snapshot.git is None or bool(snapshot.git.error)
    venue = snapshot.venue is None or bool(snapshot.venue.error)
    return silent and git and venue


def row_text(row: Row) -> str:
    """``gross: 26,410 of 25,000 $``"""
    title = f"{row.title}, {row.text}" if row.text and row.value is not None else row.title
    if row.value is None:
        return f"{title}: {row.text or row.detail or row.word}"
    value = measure(row.value, row.unit, signed=row.signed, decimals=row.decimals)
    if row.limit is None:
        return f"{title}: {value}"
    limit = measure(row.limit, row.unit, decimals=row.decimals)
    return f"{title}: {value.removesuffix(_unit(limit))} of {'at least ' if row.minimum else ''}{limit}"


def _unit(text: str) -> str:
    return text[text.index(" ") :] if " " in text else ""


def cause_of(row: Row, policy: Policy) -> str:
    """A row and the trigger that watches its full limit are one cause."""
    for name, trigger in policy.spec.triggers.items():
        if trigger.kind in ON_ROWS and trigger.at >= 1 and row.key.name in trigger.signals:
            return f"trigger/{name}"
    return f"row/{row.key.book}/{row.key.name}"


def latch_title(trigger: str) -> str:
    """What people call a latch that no trigger of the policy opened."""
    titles = {
        "manual-block": "blocked by hand",
        "manual-freeze": "frozen by hand",
        "manual-kill": "killed by hand",
        "burn-in-failed": "burn-in failed",
    }
    return titles.get(trigger, trigger.replace("-", " "))


def _fired(now: Situation) -> Iterator[Condition]:
    for one in now.triggers:
        if one.state is TriggerState.FIRED:
            kind = now.policy.spec.triggers[one.name].kind
            klass = AlarmClass.LOOK if kind == "drift" else AlarmClass.ACT
            yield Condition(f"trigger/{one.name}", klass, f"{one.title}: {one.detail or one.then}")
    for latch in now.state.latches.values():
        if latch.trigger not in now.policy.spec.triggers:
            said = f"{latch_title(latch.trigger)}: {latch.evidence}".removesuffix(": ")
            yield Condition(f"latch/{latch.key}", AlarmClass.ACT, said)


def _rows(now: Situation) -> Iterator[Condition]:
    for row in now.rows:
        if row.state is RowState.BREACH:
            info = now.policy.spec.signals[row.key.name].class_ == "info"
            klass = AlarmClass.ACT if row.safety else AlarmClass.NOTE if info else AlarmClass.LOOK
            yield Condition(cause_of(row, now.policy), klass, row_text(row))
        elif row.state is RowState.SUSPECT:
            every = now.policy.spec.signals[row.key.name].every.total_seconds()
            slow = every * reads_needed(now.policy, row.key.name) > CONFIRM_WITHIN
            klass = AlarmClass.ACT if slow and row.safety else AlarmClass.NOTE
            yield Condition(cause_of(row, now.policy), klass, f"{row_text(row)}, {row.word}")
    if not now.here.phase.is_closed:
        yield from _warnings(now.rows)


def _warnings(rows: Sequence[Row]) -> Iterator[Condition]:
    for row in rows:
        if row.state is RowState.WARN:
            klass = AlarmClass.LOOK if row.safety else AlarmClass.NOTE
            share = f", {percent(row.used)}" if row.used is not None else ""
            yield Condition(f"warn/{row.key.book}/{row.key.name}", klass, f"{row_text(row)}{share}")


def _lost(now: Situation) -> Iterator[Condition]:
    """Everything that one source leaves unsaid is one cause; in the dark of a restart and out of session it is none."""
    if now.here.dark_left is not None or now.here.phase.is_closed:
        return
    yield from _groups(now, (row for row in now.rows if row.safety and row.state in LOST))


def _counted(now: Situation, row: Row) -> Iterator[Condition]:
    """Unknown orders that are a drill's own, which the row does not count."""
    sample = now.snapshot.sample(row.key.book, row.key.name)
    if row.key.name != now.policy.spec.unknown_orders or sample is None or sample.value is None or row.value is None:
        return
    if sample.value > row.value:
        text = f"{row.title}: {sample.value - row.value} of a drill"
        yield Condition(cause_of(row, now.policy), AlarmClass.NOTE, text)


def _groups(now: Situation, rows: Iterable[Row]) -> Iterator[Condition]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.key.book == now.here.book:
            groups.setdefault(now.policy.spec.signals[row.key.name].source.endpoint, []).append(row)
    blind = next((name for name, one in now.policy.spec.triggers.items() if one.kind == "blind"), None)
    for endpoint, lost in groups.items():
        cause = f"trigger/{blind}" if blind else f"blind/{endpoint}"
        lasts = now.held_for(cause) >= CONFIRM_WITHIN
        live = AlarmClass.ACT if now.here.effective > 0 else AlarmClass.LOOK
        count = f": {len(lost)} signals, one cause" if len(lost) > 1 else f": {lost[0].title}"
        detail = lost[0].detail or "gives no answer"
        yield Condition(cause, live if lasts else AlarmClass.NOTE, f"{endpoint} {detail}{count}")


def _witnesses(now: Situation) -> Iterator[Condition]:
    quiet = now.here.converging_left is not None or now.here.dark_left is not None
    if now.truth.agree is False and not quiet and now.held_for("truth/False") > TRUTH_AFTER:
        yield _disagreement(now)
    for intent in now.state.unresolved:
        if now.snapshot.wall - intent.at > timedelta(seconds=TRUTH_AFTER):
            yield Condition(
                f"outcome/{intent.id}", AlarmClass.LOOK, f"{intent.kind} to {intent.to_stage}: OUTCOME UNKNOWN"
            )
    for intent in now.state.awaiting:
        klass = AlarmClass.ACT if intent.kind == REDUCE else AlarmClass.NOTE
        text = f"{intent.kind} to {intent.to_stage} is NOT IN FORCE: merge branch {intent.branch}"
        yield Condition(f"merge/{intent.id}", klass, text)


def _disagreement(now: Situation) -> Condition:
    odd = ", ".join(row.name for row in now.truth.rows if row.agree is False)
    return Condition("truth", AlarmClass.LOOK, f"Git, runtime and venue do not agree: {odd}")


def _dark_until(now: Situation) -> datetime | None:
    dark = now.watch.dark
    return None if dark is None or dark.began is None else dark.began + longest_dark(now.policy)


def _opens(now: Situation) -> datetime | None:
    """When the market opens next, on the wall's clock; None beyond the calendar."""
    opens = now.here.phase.next_open
    return None if opens is None else now.snapshot.wall + (opens - now.snapshot.market) / now.snapshot.speed


def _book(now: Situation) -> Iterator[Condition]:
    if not_flat(now.policy, now.here, now.snapshot):
        yield Condition("not-flat", AlarmClass.ACT, "positions are open after the time to be flat")


def _acts(now: Situation) -> Iterator[Condition]:
    if cut_off(now.snapshot):
        yield Condition("cut-off", AlarmClass.ACT, "nothing answers: no source, Git or venue")
    gap = now.state.gap
    if gap is not None and now.snapshot.wall - gap.merged < GAP_TOLD:
        yield Condition(f"gap/{gap.seq}", AlarmClass.LOOK, gap_words(gap))
    for debt in owed(now.state, now.snapshot.wall):
        if debt.overdue:
            yield Condition(f"reason/{debt.intent}", AlarmClass.LOOK, f"the reason of {debt.what} is OVERDUE")
    left = unclean(now.state.drills.values())
    if left is not None:
        yield Condition(f"{DRILL_LEFT}{left.run}", AlarmClass.ACT, f"drill not cleaned up: {left_words(left)}")


def gap_words(gap: Gap) -> str:
    """``the ledger was away from 2026-11-23T14:30:00Z: 2 decisions joined it late``"""
    torn = f", {gap.torn} torn and kept beside it" if gap.torn else ""
    since = f" from {gap.since[:19]}Z" if gap.since else ""
    return f"the ledger was away{since}: {gap.records} decision{'' if gap.records == 1 else 's'} joined it late{torn}"


def unmerged(text: str, since: datetime) -> Alarm:
    """The alarm that decisions wait outside the ledger."""
    return Alarm(_key("spill", since), AlarmClass.LOOK, text, since)


def _alarm(now: Situation, one: Condition) -> Alarm:
    since = now.watch.since.get(one.cause, now.snapshot.wall)
    return Alarm(_key(one.cause, since), one.klass, one.text, since)


def _key(cause: str, since: datetime) -> str:
    return f"{cause}@{since:%Y%m%dT%H%M%S}"


def _acknowledged(now: Situation, cause: str) -> bool:
    since = now.watch.since.get(cause)
    return since is None or _key(cause, since) in now.state.acknowledged
