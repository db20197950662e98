"""Parts of the home screen that need no more than one value each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from console.desk import Running
from stages.alarms import latch_title
from stages.policy import Policy
from stages.posture import Latch
from stages.signals import Snapshot, SourceHealth
from stages.triggers import until_cleared
from stages.verdict import BurnIn, BurnInItem, Hanging, HeldBack, Row
from widgets.figures import age, amount, number
from widgets.header import local_time
from widgets.line import Line, Tone, fit, title
from widgets.signal_panel import value_text
from widgets.stage_rail import burn_in_text
from widgets.status import QUIET, ROW_MARKS, ROW_TONES, tally, worst


def joined_below(line: Line, right: Sequence[Line], at: int) -> Line:
    """The title under two columns, with the end of their vertical rule on it when it runs there as a rule."""
    if line.rule and len(line.text) > at and line.text[at] == "─" and right:
        joined = Line(line.base)
        joined.rule = True
        position = 0
        for text, tone in line.spans:
            inside = position <= at < position + len(text)
            cut = at - position
            joined.put(f"{text[:cut]}┴{text[cut + 1 :]}" if inside else text, tone)
            position += len(text)
        return joined
    return line


def safe_lines(running: Running, width: int) -> list[Line]:
    """The way down while it is being taken: are we safe now, and does it stay so."""
    lines = [title("ARE WE SAFE", width)]
    for name, said, note in (
        ("now", running.safe_now, running.safe_note),
        ("stays so", running.stays_so, running.stays_note),
    ):
        tone = {"YES": Tone.BOLD, "UNVERIFIED": Tone.UNKNOWN_WORD}.get(said, Tone.WARN)
        line = Line().put(f" {name}").put(said, tone, at=11)
        at = 23 if width >= 44 else 19
        lines.append(line)
        if len(note) <= width - at:
            line.put(note, at=at)
        elif note:
            brief = note if len(note) <= width - 4 else note.partition(" (")[0]
            lines.append(Line().put(fit(brief, width - 4), at=3))
    lines.append(Line().put(" further").put("r: all ways down", at=11))
    return [line.fill(width) for line in lines]


def summary_line(name: str, rows: Sequence[Row], width: int, *, brief: bool = False) -> Line:
    """A whole panel in one line, naming the worst of it."""
    lead = worst(rows)
    if lead is None:
        return Line().put(f"   {name}").put("not watched", at=11).fill(width)
    tone = ROW_TONES.get(lead.state, Tone.PLAIN)
    quiet = lead.state in QUIET
    line = Line().put(" ").put(ROW_MARKS[lead.state] if not quiet else "·", Tone.DIM if quiet else tone).put(f" {name}")
    line.put(fit(tally(rows), 24), None if quiet else tone, at=11)
    if brief:
        return line.fill(width)
    value = value_text(lead)
    of = f" of {number(lead.limit, lead.unit, decimals=lead.decimals)}" if lead.limit is not None else ""
    at = max(24, line.length + 2)
    text = (
        f"{'nearest: ' if quiet and lead.used is not None else ''}{lead.title} {value}{of if not lead.minimum else ''}"
    )
    return line.put(fit(text, width - at), at=at).fill(width)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():,f}" if value == value.to_integral() else f"{value:,.1f}"


def allot(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Rows for each panel: its least first, then in order whatever it wants while there is room."""
    given = [min(want, few) for want, few in zip(wanted, least, strict=True)]
    left = room - sum(given)
    for index, want in enumerate(wanted):
        more = max(0, min(want - given[index], left))
        given[index] += more
        left -= more
    while sum(given) > room:
        given[max(range(len(given)), key=given.__getitem__)] -= 1
    return given


def burn_in_lines(burn_in: BurnIn, stage: str, zone: str, width: int, height: int) -> list[Line]:
    """What the burn-in still needs, what binds first, and when it can end: ``samples of gross   6 of 5``."""
    tone = Tone.BREACH if burn_in.hopeless else None
    note = burn_in_text(burn_in)
    if burn_in.earliest is not None:
        note = f"{note} · earliest end {local_time(burn_in.earliest, zone, '%d %b %H:%M')}"
    lines = [title(f"BURN-IN {stage}", width, note=fit(note, width - len(stage) - 14), tone=tone)]
    for item in sorted(burn_in.items, key=lambda item: (item.met, _share(item)))[: height - 1]:
        line = Line().put(" ").put("·" if item.met else "○", Tone.DIM if item.met else Tone.BOLD).put(" ")
        line.put(fit(item.name, 26)).right(_plain(item.have), 36)
        line.put(f" of {_plain(item.need)} {_unit(item)}".rstrip())
        said = item.detail or ("" if item.met else "not yet")
        at = max(line.length + 2, 58)
        lines.append(line.put(fit(said, width - at - 1), at=at).fill(width))
    return lines


def _share(item: BurnInItem) -> Decimal:
    return item.have / item.need if item.need else Decimal(1)


def _unit(item: BurnInItem) -> str:
    """The unit, where the item's name has not said it already."""
    unit = item.unit.partition(" ")[0] if item.unit.startswith("%") else item.unit
    return "" if unit in item.name else unit


def nothing_held(width: int, *, believed: bool, known: bool = True, at: int = 14) -> Line:
    """That nothing is held, or was when the last tick came, or that no ledger says what is."""
    mark, tone, said = ("·", Tone.DIM, "nothing") if believed else ("?", Tone.UNKNOWN, "was nothing")
    if not known:
        mark, tone, said = "?", Tone.UNKNOWN, "not known: ledger away"
    return Line().put(" ").put(mark, tone).put(" held").put(said, at=at).fill(width)


def held_lines(
    latches: Sequence[Latch], policy: Policy, width: int, *, believed: bool = True, known: bool = True
) -> list[Line]:
    """What holds the posture, and who may clear it; where no tick comes any more, nothing held is a memory."""
    if not latches:
        return [nothing_held(width, believed=believed, known=known)]
    lines = []
    for latch in latches:
        trigger = policy.spec.triggers.get(latch.trigger)
        name = trigger.title if trigger else latch_title(latch.trigger)
        roles = f" {until_cleared(latch.clear_roles)}" if latch.clear_roles else ""
        line = Line().put(" ").put("■", Tone.WARN).put(" HELD  ")
        room = width - line.length
        roles = roles if len(name) + len(roles) <= room else roles.removesuffix(" it").rpartition(" ")[0]
        lines.append(line.put(fit(f"{name}{roles}", room)).fill(width))
    return lines


def hanging_lines(found: Sequence[Hanging], zone: str, width: int, most: int = 4) -> list[Line]:
    """What hangs over after a step down, the largest first, each with its deadline on the exchange's clock."""
    ranked = sorted(found, key=lambda one: (one.loss, -one.over))
    lines = []
    for one in ranked[: most if len(ranked) <= most else most - 1]:
        at = local_time(one.until_market, zone, "%H:%M") if one.until_market else ""
        words, until = one.words, f" until {at}" if at else ""
        if width < 44:
            words = f"{one.symbol or one.title} +{amount(one.over, one.unit, decimals=0)}"
            until = f" to {at.partition(' ')[0]}" if at else ""
        line = Line().put(" ").put("▼", Tone.OVER).put(" ")
        room = width - line.length - 1
        lines.append(line.put(fit(words, max(8, room - len(until)))).put(fit(until, room)).fill(width))
    if len(ranked) > most:
        lines.append(Line().put(f"   and {len(ranked) - len(lines)} more: rampdeck status", Tone.DIM).fill(width))
    return lines


def quiet_lines(held: Sequence[HeldBack], wall: datetime, width: int) -> list[Line]:
    """Alarms that are held back for a while, each with the end of its window: silence is never taken for well."""
    lines = []
    for one in held:
        left = age((one.until - wall).total_seconds())
        end = f" rings in {left}" if width < 44 else f" held back for {left}: {one.why}"
        line = Line().put(" ").put("–", Tone.DIM).put(" ")
        room = width - line.length - 1
        name = fit(one.alarm.text, max(8, room - len(end)))
        lines.append(line.put(fit(f"{name}{end}", room)).fill(width))
    return lines


def notice_line(notices: Sequence[str], width: int) -> Line:
    """What the watch itself cannot do now; what is long is cut in favour of the others."""
    line, room = Line().put(" ").put("▲ ", Tone.WARN), width - 4
    wanted = [len(notice) + 2 for notice in notices]
    for notice, cells in zip(notices, allot(wanted, [room // len(notices)] * len(notices), room), strict=True):
        line.put(f"{fit(notice, cells - 2)}  ", Tone.WARN)
    return line


def sources_line(snapshot: Snapshot, zone: str, wall: datetime, width: int, notices: Sequence[str] = ()) -> Line:
    """What the watch cannot do, then who does not answer, in full; where nothing is amiss with the watch each endpoint
    with its slowest answer. At the end the tick that all of this is from."""
    tick = f"tick {local_time(snapshot.market, zone, '%H:%M:%S').partition(' ')[0]}"
    git, silent = snapshot.git, _silent(snapshot.sources, wall)
    if git is not None and git.error:
        silent.append(f"git NO ANSWER {age((wall - git.fetched_at).total_seconds())}")
    if notices:
        return notice_line((*notices, *silent), width - len(tick) - 2).right(tick, width - 1, Tone.DIM).fill(width)
    words = [*(["sources"] if width >= 100 else []), *silent]
    slowest: dict[str, int | None] = {}
    for source in snapshot.sources:
        if source.ok and (git is None or source.name != "git"):
            endpoint = _endpoint(source.name)
            known = [ms for ms in (slowest.get(endpoint), source.latency_ms) if ms is not None]
            slowest[endpoint] = max(known, default=None)
    words.extend(f"{name} {ms}ms" if ms is not None else f"{name} ok" for name, ms in slowest.items())
    said, room = "  ".join(words), width - len(tick) - 4
    if git is not None and not git.error:
        old = age((wall - git.fetched_at).total_seconds())
        full = f"{said}  git {git.head[:7]} {old}"
        said = full if len(full) <= room else f"{said}  git {old}"
    line = Line(Tone.DIM).put(" ").put(fit(said, room))
    return line.right(tick, width - 1).fill(width)


def _endpoint(source: str) -> str:
    """``heron`` of ``heron status``: what is asked, without what it is asked for."""
    return source.rpartition(" ")[0] or source


def _silent(sources: Sequence[SourceHealth], wall: datetime) -> list[str]:
    """``heron status, metrics NO ANSWER 4s``: sources of one endpoint that fell silent together share their words."""
    together: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        if source.ok or source.name == "git":
            continue
        old = (wall - source.last_good).total_seconds() if source.last_good else None
        said = f"NO ANSWER {age(old)}" if old is not None else "NEVER READ"
        endpoint, _, part = source.name.rpartition(" ")
        together.setdefault((endpoint, said), []).append(part)
    return [f"{endpoint} {', '.join(parts)} {said}".strip() for (endpoint, said), parts in together.items()]
