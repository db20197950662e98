"""Rows 1 to 3 of every screen: who and where, one word with one number, what follows by itself."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from stages.outline import RowState
from stages.posture import Mode
from stages.value import Struct
from widgets.figures import age, amount, percent
from widgets.line import Line, Tone, fit, fit_sentences
from widgets.status import HEADLINE_MARKS, KNOWN

if TYPE_CHECKING:
    from stages.outline import Headline
    from stages.policy import Policy
    from stages.verdict import Evaluation, Row, WatchPresence

_PNL_AT = 74
"""Where the P&L stands in row 2 of a wide page."""

_EXCHANGE_ZONES = {"America/New_York": "ET", "America/Chicago": "CT"}


class Head(Struct, frozen=True):
    """All that rows 1 to 3 say; what is None is not known and said so."""

    system: str
    environment: str
    who: str
    wall: datetime
    """Aware UTC, the time of painting."""
    read_only: bool = False
    account: str | None = None
    """``…4411 LIVE`` as the venue reports it."""
    stage: str = ""
    stage_short: str = ""
    mode: str = ""
    cap: str = ""
    auto: str = ""
    auto_short: str = ""
    market: datetime | None = None
    zone: str = "UTC"
    phase: str = ""
    headline: Headline | None = None
    pnl: Row | None = None
    prefix: str = "RAMPDECK"
    quiet: bool = False
    """Whether somebody has acknowledged the headline's alarm already."""
    trail: tuple[str, ...] = ()
    """The way from home to what is looked at; where there is room it stands in front of everything."""
    verdict: str = ""
    """Stands at the right of row 2 instead of P&L and market: ``CANNOT APPLY: 1 gate``."""
    verdict_short: str = ""
    """The same where there is little room."""
    alarmed: bool = False
    """Whether the verdict is an alarm of the home screen."""


def read_head(
    evaluation: Evaluation, policy: Policy, presence: WatchPresence, *, environment: str, who: str, read_only: bool,
    wall: datetime, head: Headline | None = None, prefix: str = "RAMPDECK",
    acknowledged: AbstractSet[str] = frozenset(),
) -> Head:  # fmt: skip
    """The head of an evaluation, always of the stage in force, whatever stage is being looked at."""
    account = evaluation.accounts.get(evaluation.book)
    name, short = _stage_words(evaluation, policy)
    auto, auto_short = _auto_words(presence)
    phase = evaluation.market_phase.upper()
    return Head(
        system=policy.name,
        environment=environment,
        who=who,
        wall=wall,
        read_only=read_only,
        account=f"…{account[0][-4:]} {account[1].upper()}" if account else None,
        stage=name,
        stage_short=short,
        mode=evaluation.posture.mode.words if presence.known else "HELD ?",
        cap=f"max {policy.stages[min(evaluation.posture.cap, policy.top)].name}" if presence.known else "",
        auto=auto,
        auto_short=auto_short,
        market=evaluation.snapshot.market_of(wall),
        zone=policy.spec.target.session.timezone,
        phase=f"{phase}, {evaluation.market_note}" if evaluation.market_note else phase,
        headline=head or evaluation.headline,
        prefix=prefix,
        quiet=(head or evaluation.headline).alarm in acknowledged,
        pnl=next((row for row in evaluation.rows if row.key.book == evaluation.book and is_pnl(row, policy)), None),
    )


def _ask(head: Head) -> str:
    """What an alarm asks for; acknowledging makes it quiet and ends nothing."""
    return "quiet, still so" if head.quiet else "a acknowledge"


def is_pnl(row: Row, policy: Policy) -> bool:
    """Whether a row is the day's profit and loss: the signal whose harm is its negative."""
    signal = policy.spec.signals.get(row.key.name)
    return signal is not None and signal.harm == "loss"


def _stage_words(evaluation: Evaluation, policy: Policy) -> tuple[str, str]:
    standing = evaluation.standing
    going = next((card for card in evaluation.cards if card.status.startswith("GOING")), None)
    if standing.beyond:
        return f"BEYOND {policy.stages[-1].name}", f"BEYOND {policy.stages[-1].name}"
    if standing.stage is None and not standing.differences:
        return "STAGE NOT READ", "STAGE ?"
    if standing.stage is None:
        upper = min(max(standing.riskiest, 1), policy.top)
        words = f"BETWEEN {policy.stages[upper - 1].name} {policy.stages[upper].name}"
        return words, words
    stage = policy.stages[min(evaluation.effective, policy.top)]
    if going is not None and going.name != stage.name:
        return f"{stage.name} going to {going.name}", f"{stage.name}→{going.name}"
    if standing.tighter:
        return f"{stage.name} TIGHTER", f"{stage.name} TIGHTER"
    return f"{stage.name} {stage.title}", stage.name


def _auto_words(presence: WatchPresence) -> tuple[str, str]:
    if not presence.known:
        return "AUTO unknown", "AUTO unknown"
    if presence.acting and presence.here:
        return "AUTO HERE", "AUTO HERE"
    if presence.acting and presence.holder:
        return f"AUTO on: {presence.holder} {age(presence.age)}", "AUTO on"
    return "AUTO OFF", "AUTO OFF"


def header(head: Head, width: int) -> list[Line]:
    """Three lines, in every state."""
    alarm = head.headline is not None and head.headline.reverse
    tone = Tone.ALARM if alarm else Tone.BOLD
    third = Tone.REVERSE if alarm else Tone.PLAIN
    return [_who(head, width), _what(head, width, tone), _then(head, width, third)]


def local_time(moment: datetime, zone: str, pattern: str) -> str:
    """A moment on the exchange's clock: ``14:31:08 ET``."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.strftime(pattern)} {_EXCHANGE_ZONES.get(zone) or local.tzname()}"


def _clock_text(head: Head, width: int) -> str:
    if head.market is None:
        return f"{head.wall:%H:%M:%S}Z"
    if width >= 140:
        return f"{local_time(head.market, head.zone, '%a %d %b %H:%M:%S')}  {head.wall:%H:%M:%S}Z"
    return local_time(head.market, head.zone, "%H:%M:%S")


def _who(head: Head, width: int) -> Line:
    wide, narrow = width >= 140, width < 100
    named = f"{head.prefix} " if wide or head.prefix != "RAMPDECK" else ""
    place = f"{head.system} [{head.environment.upper()}] {head.account or 'ACCOUNT NOT READ'}"
    way = _way(head, width - len(place) - 32) if not narrow else ""
    place = f"{way or named}{place}"
    parts = [place]
    if head.stage:
        parts.append(head.stage if wide else head.stage_short)
    if head.mode:
        parts.append(f"{head.mode}, {head.cap}" if head.cap and not narrow else head.mode)
    time = _clock_text(head, width)
    room = width - len(time) - 3
    if width >= 80 and len(" │ ".join(parts)) > room and not way and head.mode in {mode.words for mode in Mode}:
        parts[0] = place.removeprefix(named)  # the mode is never cut: the page says in row 2 which one it is
    auto = (
        head.auto
        if wide or not head.auto
        else head.auto.replace("AUTO on: ", "AUTO ")
        if not narrow
        else head.auto_short
    )
    person = f"you: {head.who}" if wide else head.who
    for part in ("READ-ONLY", auto) if head.read_only else (auto, person):
        if part and len(" │ ".join([*parts, part])) <= room:
            parts.append(part)
    line = Line(Tone.REVERSE).put(" ").put(fit(" │ ".join(parts), room))
    line.right(time, width - 1).fill(width)
    return _linked(line, head.trail) if way else line


class CrumbLink(Struct, frozen=True):
    """A click on a part of the way: how many of its parts stay."""

    depth: int


def _linked(line: Line, trail: Sequence[str]) -> Line:
    """The first row with every part of the way that it shows as a link."""
    place = 0
    for depth, crumb in enumerate(trail, 1):
        start = line.text.find(crumb, place)
        if start >= 0:
            place = start + len(crumb)
            line.link(CrumbLink(depth), start, place)
    return line


def _way(head: Head, room: int) -> str:
    """``RAMP › PLAN L1 › DIFF │ DRY RUN │ ``: the way here instead of the place alone; its end where room is short."""
    crumbs = list(head.trail)
    if len(crumbs) < 2:
        return ""
    said = head.prefix.removesuffix("│").split()
    for crumb in crumbs:
        own = crumb.split()
        if said[:1] == own[:1]:
            said = said[sum(1 for one, other in zip(said, own, strict=False) if one == other) :]
    state = f"{' '.join(said)} │ " if said and said != ["RAMPDECK"] else ""
    for start in range(len(crumbs) - 1):
        way = " › ".join(["…"] * bool(start) + crumbs[start:])
        if len(way) + 3 + len(state) <= room:
            return f"{way} │ {state}"
    return ""


def _pnl_text(row: Row, width: int) -> str:
    wide = width >= 140
    name = "day P&L" if width >= 100 else "P&L"
    if row.value is None or (row.state not in KNOWN and row.state is not RowState.CLOSED):
        return f"{name} not known"
    if row.state is RowState.CLOSED:
        return f"{name} {amount(row.value, row.unit, decimals=row.decimals, signed=row.signed)}, final"
    text = f"{name} {amount(row.value, row.unit, decimals=row.decimals, signed=row.signed)}"
    if row.used is None:
        return text
    share = percent(max(row.used, Decimal(0))).strip()
    if width < 100 or row.limit is None:
        return f"{text} = {share}"
    tail = (
        f" of the {amount(abs(row.limit), row.unit)} loss limit" if wide else f" of {amount(abs(row.limit), row.unit)}"
    )
    return f"{text} = {share}{tail}"


def _what(head: Head, width: int, tone: Tone) -> Line:
    line = Line(tone).put(" ")
    headline = head.headline
    if headline is None:
        return line.fill(width)
    mark = HEADLINE_MARKS.get(headline.mark, "")
    line.put(f"{mark} {headline.word}" if mark else headline.word)
    if headline.figure:
        line.put(f"   {headline.figure}")
    asks = bool(headline.alarm) and not head.read_only
    thing, room = headline.thing, width - line.length - (len(_ask(head)) + 3 if asks else 0)
    # Where there is little room the alarm's age goes first; its number and what it asks for stay.
    thing = thing.partition(", since ")[0] if len(thing) + 3 > room and width < 140 else thing
    line.put(f"  {thing}" if headline.figure else f"   {thing}")
    if headline.more:
        line.put(f"  1 of {headline.more + 1}")
    if head.verdict:
        return _judged(line, head, width)
    right = _ask(head) if asks else head.phase if width >= 140 else ""
    pnl = _pnl_text(head.pnl, width) if head.pnl is not None else ""
    if width >= 140:
        # The P&L stands in one place in every state, unless a long thing needs the room more.
        if pnl and line.length < _PNL_AT and _PNL_AT + len(pnl) + len(right) + 3 <= width:
            line.put(pnl, at=_PNL_AT)
        return line.right(right, width - 1).fill(width)
    for text in (right, pnl) if asks else (pnl, right):
        if text and line.length + len(text) + 2 <= width - 1:
            return line.right(text, width - 1).fill(width)
    return (line.right(right, width - 1) if asks else line).fill(width)


def _judged(line: Line, head: Head, width: int) -> Line:
    """Row 2 with its verdict, in its shorter form where the longer one would cut the page's own words."""
    crowded = line.length + cell_len(head.verdict) + 3 > width
    verdict = head.verdict_short if crowded and head.verdict_short else head.verdict
    pnl = _pnl_text(head.pnl, width) if head.pnl is not None and width >= 140 else ""
    if pnl and line.length < _PNL_AT and _PNL_AT + len(pnl) + cell_len(verdict) + 3 <= width:
        line.put(pnl, at=_PNL_AT)
    room = width - cell_len(verdict) - 3
    line = line.fill(room) if line.length > room else line
    return line.right(verdict, width - 1, Tone.ALARM if head.alarmed else None).fill(width)


def _then(head: Head, width: int, tone: Tone) -> Line:
    line = Line(tone).put(" ")
    headline = head.headline
    if headline is None:
        return line.fill(width)
    if width >= 100 and not headline.reverse:
        line.reach(8)
    sentence = headline.sentence
    if 80 <= width < 140 and head.phase.startswith("OPEN") and not headline.reverse:
        longer = f"{sentence} {head.phase}."
        sentence = longer if line.length + len(longer) < width else sentence
    return line.put(fit_sentences(sentence, width - line.length - 1)).fill(width)


def small_header(head: Head, width: int) -> list[Line]:
    """Four lines for a narrow screen: the thing and the sentence stand below the word."""
    alarm = head.headline is not None and head.headline.reverse
    tone, third = (Tone.ALARM, Tone.REVERSE) if alarm else (Tone.BOLD, Tone.PLAIN)
    time = _clock_text(head, width)
    environment = head.environment.upper()[:4]
    parts = [f"{head.system} [{environment}] {head.account or 'ACCOUNT NOT READ'}", head.stage_short, head.mode]
    first = Line(Tone.REVERSE).put(" ").put(fit(" │ ".join(part for part in parts if part), width - len(time) - 4))
    lines = [first.right(time, width - 1).fill(width)]
    headline = head.headline
    if headline is None:
        return [*lines, *(Line() for _ in range(3))]
    mark = HEADLINE_MARKS.get(headline.mark, "")
    name, _, rest = headline.thing.partition(": ")
    second = Line(tone).put(" ").put(f"{mark} {headline.word}" if mark else headline.word)
    second.put(f"   {headline.figure}  {name}" if headline.figure else f"   {name}")
    what = Line(third).put("   ").put(rest)
    if head.verdict:
        said = fit(head.verdict_short or head.verdict, width // 2).rstrip()
        what.right(said, width - 1, Tone.ALARM if head.alarmed else Tone.BOLD)
    elif headline.alarm and not head.read_only:
        what.right(_ask(head), width - 1)
    then = Line(third).put("   ").put(fit_sentences(headline.sentence, width - 4))
    return [*lines, second.fill(width), what.fill(width), then.fill(width)]
