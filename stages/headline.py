"""Headline: one word, one number, one thing, and the sentence after them, by a fixed order of precedence.

Only the first is shown. It names the signal nearest to a limit that matters: one that is meant to be used in full
(no warn level) is no headline until it breaks its limit.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from stages.alarms import DRILL_LEFT, Situation, cut_off, latch_title, nobody_acts, not_flat, row_text
from stages.drill_progress import left_words, unclean
from stages.figures import measure, percent, value_text
from stages.ladder import Unit
from stages.posture import Latch, Mode
from stages.recommendation import MAY_ADVANCE
from stages.session import span
from stages.signals import LIVE_BOOK
from stages.state import ADVANCE, RESTORE, RESUME, Intent
from stages.triggers import cleared_by
from stages.truth import already_at, stage_name
from stages.value import Struct, replace
from stages.verdict import (
    Alarm,
    BurnIn,
    Headline,
    Recommendation,
    Row,
    RowState,
    TriggerRow,
    TriggerState,
    WatchPresence,
)

NOTHING_SOLD = "Positions stay open, nothing is sold."


class Scene(Struct, frozen=True):
    """What the headline is chosen from."""

    now: Situation
    alarms: tuple[Alarm, ...]
    burn_in: BurnIn
    recommendation: Recommendation
    presence: WatchPresence
    latches: tuple[Latch, ...]

    @property
    def stage(self) -> str:
        return self.now.policy.stages[self.now.here.effective].name

    @property
    def own_rows(self) -> tuple[Row, ...]:
        """Rows of the book that is shown."""
        return tuple(row for row in self.now.rows if row.key.book == self.now.here.shown)

    def alarm(self, *causes: str) -> str | None:
        """Key of the first alarm of any of these causes, matched by their beginnings."""
        return next((one.key for cause in causes for one in self.alarms if one.key.startswith(cause)), None)

    def since(self, key: str | None) -> str:
        found = next((one for one in self.alarms if one.key == key), None)
        return span(self.now.snapshot.wall - found.since) if found else ""


def headline(scene: Scene) -> Headline:
    """The first headline that applies; ``more`` counts those behind it that also want attention."""
    found = [one for choose in _PRECEDENCE if (one := choose(scene)) is not None]
    waiting = sum(one.mark not in ("ok", "closed", "running") for one in found[1:])
    return replace(found[0], more=waiting)


def nearest(rows: tuple[Row, ...]) -> Row | None:
    """The row nearest to a limit that matters."""
    close = [row for row in rows if row.used is not None and row.warn_at is not None and row.state in _JUDGED]
    return max(close, key=lambda row: row.used or Decimal(0), default=None)


_JUDGED = (RowState.OK, RowState.WARN, RowState.SUSPECT, RowState.BREACH, RowState.OVER)


def _killed(scene: Scene) -> Headline | None:
    if scene.now.posture.mode is not Mode.KILLED:
        return None
    venue = scene.now.snapshot.venue
    if venue is None or venue.error:
        thing = "ordered; the venue is not read, so what took effect is not known"
    elif not venue.blocked:
        thing = "ordered; the venue does not block yet"
    elif venue.open_orders:
        thing = f"blocked; {len(venue.open_orders)} orders are still open"
    else:
        where = "" if scene.now.here.shown == LIVE_BOOK else "the live venue: "
        thing = f"{where}blocked, all orders cancelled, nothing sold"
    return Headline("KILLED", "", thing, _held(scene), "breach", reverse=True, alarm=scene.alarm("trigger/", "latch/"))


def _no_new_orders(scene: Scene) -> Headline | None:
    if scene.now.posture.mode is not Mode.HALTED:
        return None
    strictest = [latch for latch in scene.latches if latch.mode is Mode.HALTED]
    thing = _because(scene, strictest[0]) if strictest else ""
    key = scene.alarm(*(f"trigger/{latch.trigger}" for latch in strictest))
    return Headline("NO NEW ORDERS", "", thing, _follows(scene) or _held(scene), "breach", reverse=True, alarm=key)


def _left(scene: Scene) -> Headline | None:
    """A halt whose latches are cleared, which nothing lifts by itself."""
    state, held = scene.now.state, scene.now.here.standing.mode
    if not scene.presence.known:
        return None
    if held < Mode.HALTED or scene.now.posture.mode >= Mode.HALTED or state.unresolved or state.settling:
        return None
    killed = held is Mode.KILLED
    thing = f"left in Git by a {'kill' if killed else 'halt'}; nothing asks for it any more"
    sentence = (
        "c restores it, by two people." if killed else "c resumes what was approved; nothing comes back by itself."
    )
    return Headline("KILLED" if killed else "NO NEW ORDERS", "", thing, sentence, "warn", reverse=False)


def _breach(scene: Scene) -> Headline | None:
    signals = scene.now.policy.spec.signals
    every = [row for row in scene.now.rows if row.state is RowState.BREACH]
    broken = [row for row in every if signals[row.key.name].class_ != "info"]
    fired = [one for one in scene.now.triggers if one.state is TriggerState.FIRED and _running(scene, one)]
    if not broken and not fired:
        return None
    key = scene.alarm("trigger/", "row/")
    lasting = f" for {scene.since(key)}" if key else ""
    if broken:
        worst = max(broken, key=lambda row: (row.safety, row.used if row.used is not None else Decimal(1)))
        figure = percent(worst.used) if worst.used is not None else ""
        thing = f"{row_text(worst)}{lasting}"
    else:
        figure, thing = "", f"{fired[0].title}{lasting}"
    sentence = _follows(scene) or _held(scene)
    if not sentence and broken:
        sentence = "Marked, not yet acted on." if any(row.safety for row in broken) else "No trigger acts on it."
    return Headline("BREACH", figure, thing, sentence, "breach", reverse=True, alarm=key)


def _not_flat(scene: Scene) -> Headline | None:
    venue = scene.now.snapshot.venue
    if venue is None or not not_flat(scene.now.policy, scene.now.here, scene.now.snapshot):
        return None
    gross = sum((abs(one.market_value) for one in venue.positions), Decimal(0))
    names = ", ".join(f"{one.symbol} {one.quantity:+f}" for one in venue.positions[:3])
    flat_by = scene.now.policy.spec.target.session.flat_by
    due = f"Flat was due at {flat_by:%H:%M}; " if flat_by else ""
    thing = f"{measure(gross, Unit.USD)} open after the time to be flat: {names}"
    sentence = f"{due}policy forbids overnight. Call the desk."
    return Headline("NOT FLAT", "", thing, sentence, "breach", reverse=True, alarm=scene.alarm("not-flat"))


def _cut_off(scene: Scene) -> Headline | None:
    if not cut_off(scene.now.snapshot):
        return None
    key = scene.alarm("cut-off")
    last = [source.last_good for source in scene.now.snapshot.sources if source.last_good is not None]
    figure = span(scene.now.snapshot.wall - max(last)) if last else scene.since(key)
    thing, sentence = "nothing answers: no source, Git or venue", "The fault may be here. r and ! will still try."
    return Headline("CUT OFF", figure, thing, sentence, "unknown", reverse=True, alarm=key)


def _blind(scene: Scene) -> Headline | None:
    lost = [row for row in scene.own_rows if row.safety and row.state in (RowState.BLIND, RowState.STALE)]
    if not lost or scene.now.here.dark_left is not None:
        return None
    signals = scene.now.policy.spec.signals
    sources = sorted({signals[row.key.name].source.endpoint for row in lost})
    panels = " and ".join(dict.fromkeys(row.panel for row in lost))
    times = [row.event_time for row in lost if row.event_time is not None]
    started = scene.now.watch.started or scene.now.snapshot.wall
    figure = span(scene.now.snapshot.wall - min(times, default=started))
    detail = lost[0].detail or "no answer"
    whole = len(lost) == sum(row.safety for row in scene.own_rows)
    thing = f"{panels}: {', '.join(sources)}, {detail}" if whole or len(lost) > 2 else f"{lost[0].title}: {detail}"
    stops = "FROZEN: no advance, burn-in clock stopped." if scene.now.posture.mode >= Mode.FROZEN else "No advance."
    nexts = [one for one in scene.now.triggers if one.next_in is not None]
    soon = min(nexts, key=lambda one: one.next_in or 0.0, default=None)
    wait = timedelta(seconds=soon.next_in or 0.0) if soon else timedelta()
    if soon:
        stops += f" If it stays so, by itself in {span(wait)}: {soon.then}."
    key = scene.alarm("trigger/", "blind/")
    return Headline("BLIND", figure, thing, f"{stops} Or press r.", "unknown", reverse=True, alarm=key)


def _drill_left(scene: Scene) -> Headline | None:
    left = unclean(scene.now.state.drills.values())
    if left is None:
        return None
    sentence = "Live trading is not affected. Put that target in order; a drill that finds it so ends this."
    key = scene.alarm(DRILL_LEFT)
    return Headline("NOT CLEANED UP", "", f"drill: {left_words(left)}", sentence, "breach", reverse=True, alarm=key)


def _over(scene: Scene) -> Headline | None:
    over = [row for row in scene.now.rows if row.state is RowState.OVER and row.used is not None]
    if not over:
        return None
    worst = max(over, key=lambda row: row.used or Decimal(0))
    hanging = scene.now.watch.overhang.get(f"{worst.key.book}/{worst.key.name}")
    excess = (hanging.level if hanging else abs(worst.value or Decimal(0))) - (worst.limit or Decimal(0))
    until = hanging.until_market if hanging else None
    left = f", {span(until - scene.now.here.market)} left" if until else ""
    figure = f"{measure(max(excess, Decimal(0)), worst.unit, decimals=worst.decimals)} still to reduce"
    sentence = f"Exits pass, entries do not. {_held(scene)} A breach only if it grows, or at the deadline."
    key = scene.alarm("trigger/")
    return Headline(worst.word, figure, f"{row_text(worst)}{left}", sentence, "over", reverse=False, alarm=key)


def _ledger_away(scene: Scene) -> Headline | None:
    """No ledger has answered since the console started. Git alone says what mode stands."""
    if scene.presence.known:
        return None
    standing = scene.now.here.standing
    git = f"Git says {standing.mode.words}. " if not standing.unread else ""
    sentence = f"{git}These are this console's own readings. r and ! work without it; nothing goes up."
    thing = "who acts and what is held is not known"
    return Headline("LEDGER AWAY", "", thing, sentence, "unknown", reverse=False, alarm=scene.alarm("nobody-acts"))


def _nobody(scene: Scene) -> Headline | None:
    why = nobody_acts(scene.now.here, scene.presence)
    if not why or scene.now.here.phase.is_closed:
        return None
    sentence = "This console does not act by itself. T takes over here; or restart the watcher."
    return Headline("NOBODY ACTS", "", why, sentence, "warn", reverse=False, alarm=scene.alarm("nobody-acts"))


def _between(scene: Scene) -> Headline | None:
    standing = scene.now.here.standing
    if standing.stage is not None or not (standing.differences or standing.beyond):
        return None
    controls = scene.now.policy.spec.controls
    found = already_at(scene.now.policy, scene.now.snapshot, standing)
    names = ", ".join(found)
    upper = scene.now.policy.stages[min(standing.riskiest, scene.now.policy.top)].name
    are = "is" if len(found) == 1 else "are"
    thing = f"{len(found)} of {len(controls)} controls {are} already {upper}: {names}"
    if standing.beyond:
        names = ", ".join(controls[one.control].title or one.control for one in standing.differences)
        thing = f"above {upper}, the top stage: {names}"
    git = scene.now.snapshot.git
    hand = f"Head {git.head[:7]} by {git.author or 'unknown'}. " if git else ""
    sentence = f"{hand}Limits used here: the tighter ones. Nothing may go up; r ROLLBACK puts them back."
    word = "BETWEEN"
    return Headline(
        word, stage_name(scene.now.policy, standing).removeprefix(word).strip(), thing, sentence, "warn", False
    )


def _frozen(scene: Scene) -> Headline | None:
    mode = scene.now.posture.mode
    if mode not in (Mode.FROZEN, Mode.REDUCE_ONLY):
        return None
    word = "FROZEN" if mode is Mode.FROZEN else "REDUCE ONLY"
    gloss = "no advance" if mode is Mode.FROZEN else "exits pass, entries do not"
    strictest = [latch for latch in scene.latches if latch.mode is mode]
    why = f", {_because(scene, strictest[0])}" if strictest else ""
    key = scene.alarm("trigger/", "latch/")
    return Headline(word, "", f"{gloss}{why}", _follows(scene) or _held(scene), "warn", reverse=False, alarm=key)


def _warn(scene: Scene) -> Headline | None:
    signals = scene.now.policy.spec.signals
    worth = (RowState.WARN, RowState.SUSPECT, RowState.BREACH)
    rows = [row for row in scene.own_rows if row.state in worth and signals[row.key.name].class_ != "info"]
    row = max(rows, key=lambda row: row.used if row.used is not None else Decimal(1), default=None)
    if row is None:
        return None
    figure = percent(row.used) if row.used is not None else ""
    reads = f", {row.word} reads" if row.state is RowState.SUSPECT else ""
    mark = "suspect" if row.state is RowState.SUSPECT else "warn"
    watching = [one for one in scene.now.triggers if row.key.name in scene.now.policy.spec.triggers[one.name].signals]
    then = (
        f"At the limit, by itself: {watching[0].then}."
        if watching and watching[0].then
        else "Nothing follows by itself."
    )
    key = scene.alarm(f"warn/{row.key.book}/{row.key.name}@")
    return Headline("WARN", figure, f"{row_text(row)}{reads}", then, mark, reverse=False, alarm=key)


def _wait(scene: Scene) -> Headline | None:
    running = (*scene.now.state.awaiting, *scene.now.state.unresolved, *scene.now.state.settling)
    if running:
        return _wait_for(scene, running[-1])
    left = scene.now.here.dark_left
    if left is None:
        return None
    thing = "restart under way: expected, nothing is tripped by it"
    return Headline("WAIT", f"{int(left)} s left", thing, "Nothing to do. Burn-in is paused.", "running", reverse=False)


def _wait_for(scene: Scene, intent: Intent) -> Headline:
    clock = int((scene.now.snapshot.wall - intent.at).total_seconds())
    back = {RESTORE: "restores", RESUME: "resumes"}
    act = f"applies {intent.plan_id[:4]}" if intent.kind == ADVANCE else back.get(intent.kind, "reduces")
    step = "pushed, waiting for the runtime" if intent.outcome == "pushed" else "recorded, not yet pushed"
    if intent.outcome == "unknown":
        step = "OUTCOME UNKNOWN: the remote has not said"
    if intent.awaited:
        thing = f"{intent.actor} {act}: {intent.from_stage} to {intent.to_stage}, {intent.branch[:17]} awaits its merge"
        return Headline(
            "WAIT", "", thing, "Nothing of it is in force until a person merges it.", "running", reverse=False
        )
    thing = f"{intent.actor} {act}: {intent.from_stage} to {intent.to_stage}, {step}"
    usual = span(scene.now.policy.spec.target.convergence)
    rises = intent.kind == ADVANCE or intent.kind in back
    sentence = f"Allowed until read back: {usual}. r stops it." if rises else f"{NOTHING_SOLD}"
    return Headline("WAIT", f"{clock // 60:02d}:{clock % 60:02d}", thing, sentence, "running", reverse=False)


def _closed(scene: Scene) -> Headline | None:
    here = scene.now.here
    if not here.phase.is_closed:
        return None
    venue = scene.now.snapshot.venue
    is_flat = venue is not None and not venue.error and not venue.positions
    flat = f"{'' if here.shown == LIVE_BOOK else 'live book '}flat, " if is_flat else ""
    paused = f" Burn-in clock paused at {scene.burn_in.progress:.0%}." if scene.burn_in.state not in _NO_CLOCK else ""
    sentence = f"Nothing to do.{paused} Still watched: exposure, loss, books, drift, account."
    return Headline("CLOSED", "", f"{flat}{here.phase.note}", sentence, "closed", reverse=False)


_NO_CLOCK = ("NOT READ", "none", "PASSED", "FAILED", "INCONCLUSIVE", "ABORTED")


def _first_run(scene: Scene) -> Headline | None:
    state = scene.now.state
    if state.runs or state.intents:
        return None
    triggers = scene.now.triggers
    armed = sum(one.state is TriggerState.ARMED for one in triggers)
    waiting = [f"{one.title} ({one.detail})" for one in triggers if one.state in _NOT_WATCHING]
    not_armed = f"Not armed: {', '.join(waiting[:3])}{' ...' if len(waiting) > 3 else ''}" if waiting else ""
    sentence = not_armed or "Nothing to do. Burn-in begins when the runtime was read back."
    return Headline("FIRST RUN", "", f"{armed} of {len(triggers)} triggers armed", sentence, "ok", reverse=False)


_NOT_WATCHING = (TriggerState.NOT_ARMED, TriggerState.CANNOT_SEE)


def _may_advance(scene: Scene) -> Headline | None:
    target = scene.recommendation.to_stage
    if scene.recommendation.action != MAY_ADVANCE or target is None:
        return None
    stage = scene.now.policy.stages[target]
    needed = stage.approvals.required
    approvals = f"{needed} approval{'s' if needed > 1 else ''}"
    sentence = f"Burn-in of {scene.stage} passed. p plans {stage.name}; it needs {approvals}."
    figure, thing = _near(scene)
    return Headline("MAY ADVANCE", figure, thing or f"to {stage.name}", sentence, "ok", reverse=False)


def _hold(scene: Scene) -> Headline:
    figure, thing = _near(scene)
    sentence = f"{_tighter(scene) or _nothing_to_do(scene)} {_market(scene)}".strip()
    return Headline("HOLD", figure, thing, sentence, "ok", reverse=False)


def _near(scene: Scene) -> tuple[str, str]:
    row = nearest(scene.own_rows)
    if row is None:
        return "", "no signal has a limit that could be near"
    return percent(row.used or Decimal(0)), row_text(row)


def _nothing_to_do(scene: Scene) -> str:
    if scene.burn_in.state == "NOT READ":
        return f"Nothing to do. Burn-in of {scene.stage} cannot be read now."
    if scene.burn_in.lacks:
        return f"Nothing to do. Burn-in of {scene.stage} {scene.burn_in.lacks}."
    why = scene.recommendation.reasons
    return f"Nothing to do. {_capital(why[0])}." if why else "Nothing to do."


def _tighter(scene: Scene) -> str:
    standing = scene.now.here.standing
    if not standing.tighter or standing.stage is None:
        return ""
    one = standing.differences[0]
    spec, name = scene.now.policy.spec.controls[one.control], scene.now.policy.stages[standing.stage].name
    value, usual = value_text(one.value, spec.unit), value_text(one.stage_value, spec.unit)
    return f"{spec.title or one.control} is {value}, tighter than the {usual} of {name}. Counts as {name}."


def _market(scene: Scene) -> str:
    phase = scene.now.here.phase
    return f"{phase.name.upper()}, {phase.note}." if phase.is_open else f"{_capital(phase.note)}."


def _running(scene: Scene, one: TriggerRow) -> bool:
    """Whether a fired limit is still broken; one that is only held is not a breach any more."""
    mine = scene.now.watch.triggers.get(one.name)
    kind = scene.now.policy.spec.triggers[one.name].kind
    return mine is not None and mine.confirmed is not None and kind in ("limit", "loss", "account")


def _because(scene: Scene, latch: Latch) -> str:
    """What was seen when it fired, with the exchange's time of that: the value of now may be another one."""
    spec = scene.now.policy.spec.triggers.get(latch.trigger)
    zone = ZoneInfo(scene.now.policy.spec.target.session.timezone)
    at = scene.now.snapshot.market_of(latch.opened_at).astimezone(zone)
    return f"{spec.title if spec else latch_title(latch.trigger)}: {latch.evidence}, at {at:%H:%M}"


def _held(scene: Scene) -> str:
    if not scene.latches:
        return ""
    worst = max(scene.latches, key=lambda latch: latch.mode)
    spec = scene.now.policy.spec.triggers.get(worst.trigger)
    held = cleared_by(worst.clear_roles)
    return f"{held.replace('HELD', f'HELD by {spec.title if spec else latch_title(worst.trigger)}', 1)}."


def _follows(scene: Scene) -> str:
    """What follows by itself while a reduction is due or under way."""
    here, cap = scene.now.here, scene.now.posture.cap
    if cap >= here.effective:
        return ""
    target = scene.now.policy.stages[cap].name
    if not scene.presence.acting and scene.now.state.reducing is None:
        return f"NOBODY STEPS DOWN by itself: r ROLLBACK {target} does it. Nothing is sold."
    venue = scene.now.snapshot.venue
    blocked = " New risk is blocked at the venue." if venue is not None and not venue.error and venue.blocked else ""
    return f"STEPPING DOWN TO {target} by itself. {NOTHING_SOLD}{blocked}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_PRECEDENCE: tuple[Callable[[Scene], Headline | None], ...] = (
    _killed,
    _no_new_orders,
    _left,
    _breach,
    _not_flat,
    _cut_off,
    _blind,
    _drill_left,
    _over,
    _ledger_away,
    _nobody,
    _between,
    _frozen,
    _warn,
    _wait,
    _closed,
    _first_run,
    _may_advance,
    _hold,
)
