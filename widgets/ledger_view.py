"""The ledger on lines: one row for an entry, and an entry whole with its hashes and its canonical text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.cells import chop_cells

from stages.entries import Entry, StoredEntry
from stages.pairing import NO_ENDING, UNKNOWN, Ending
from widgets.figures import age
from widgets.header import local_time
from widgets.line import Line, Tone, fit, title

Endings = Mapping[str, Ending]

TOLD: Final[Mapping[str, str]] = {
    "genesis": "fingerprint",
    "policy-adopted": "version path looser",
    "roster-adopted": "path",
    "plan-requested": "plan",
    "approval-recorded": "approver roles plan",
    "approval-rejected": "approver reason plan",
    "approval-revoked": "approver reason plan",
    "approval-refused": "approver code plan",
    "intent": "act cause plan",
    "committed": "sha",
    "outcome": "outcome sha message",
    "converged": "sha detail",
    "diverged": "detail sha",
    "latch-opened": "cause evidence",
    "latch-cleared": "key evidence",
    "burn-in": "state run reason",
    "seal": "from through phase",
    "gap": "records cause",
    "lease": "state holder",
    "denied": "command code reason",
    "confirmation-failed": "command wrong attempts",
    "acknowledged": "alarm text",
    "alarm": "class text",
    "note": "text",
    "reason": "text",
    "external-change": "detail head",
    "incident": "incident severity title",
    "drill": "mode step state observed",
}
"""What a row tells of each kind, in this order; of any other kind every plain field."""

LOUD: Final[Mapping[str, str]] = {
    "alarm": "▲", "approval-refused": "▲", "confirmation-failed": "▲", "denied": "▲", "diverged": "■", "gap": "?",
    "incident": "▲", "latch-opened": "■",
}  # fmt: skip
"""Kinds that a reader of the list must not miss, by their marks."""

_DIGEST = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})")


def short(value: object) -> str:
    """A field as a row shows it: digests by their first seven digits, lists by their members."""
    match value:
        case None | "" | []:
            return ""
        case str() if _DIGEST.fullmatch(value):
            return value[:7]
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return " ".join(f"{name} {short(item)}" for name, item in value.items())
        case list():
            return ", ".join(short(item) for item in value)
    return str(value)


def summary(entry: Entry, ending: Ending | None = None) -> str:
    """What an entry says, in one line; of an intent first how it ended."""
    names = TOLD.get(entry.kind, "").split()
    if names:
        parts = [short(entry.body.get(name)) for name in names]
    else:
        parts = [f"{name} {short(value)}" for name, value in entry.body.items() if short(value)]
    told = "  ".join(part for part in parts if part)
    return f"{ending.word}  {told}" if ending is not None else told


def way(entry: Entry) -> str:
    """The stage of an entry, or both where it leads from one to another."""
    before, after = entry.body.get("from"), entry.body.get("to")
    if isinstance(before, str) and isinstance(after, str) and entry.stage is not None:
        return f"{before}→{after}"
    return entry.stage or ""


def when(moment: datetime, now: datetime, zone: str) -> str:
    """``14:31:08`` today, ``Fri 10:14`` within six days, ``12 Nov`` in this year, else ``Nov 2025``: in ``zone``."""
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    days = today.date() - local.date()
    if not days:
        return f"{local:%H:%M:%S}"
    if timedelta(0) < days <= timedelta(days=6):
        return f"{local:%a %H:%M}"
    return f"{local:%d %b}" if local.year == today.year else f"{local:%b %Y}"


def ending_of(entry: Entry, endings: Endings) -> Ending | None:
    """How an intent ended; None for any other entry."""
    return endings.get(entry.intent or "", NO_ENDING) if entry.kind == "intent" else None


def entry_line(
    stored: StoredEntry, endings: Endings, bad: Mapping[int, str], width: int, now: datetime, zone: str, *, chosen: bool
) -> Line:
    """One row of the list. What does not match its hash says so and tells nothing else: none of it can be believed."""
    entry = stored.entry
    wrong = bad.get(stored.seq, "") or ("" if stored.sound else "its text does not give the stored hash")
    ending = ending_of(entry, endings) if entry is not None else None
    lost = ending is not None and not ending.known
    mark = "■" if wrong else "?" if lost else LOUD.get(entry.kind, "") if entry is not None else "■"
    tone = Tone.REVERSE if chosen else Tone.PLAIN
    marked = tone if chosen else Tone.BREACH if wrong or mark == "■" else Tone.UNKNOWN if mark == "?" else Tone.WARN
    line = Line(tone).put(" ").put(mark or " ", marked if mark else None).right(f"{stored.seq:,}", 12)
    if entry is None or wrong:
        return line.put(f"ALTERED: {wrong.removeprefix('was altered: ')}", marked, at=14).fill(width)
    line.put(when(entry.at, now, zone), at=14).put(fit(entry.kind, 20), at=24)
    at, who = 45, _who(width)
    if width >= 74:
        line.put(fit(entry.actor, who), at=45).put(fit(way(entry), 6), at=46 + who)
        at = 53 + who
    line.reach(at)
    if lost:
        line.put(UNKNOWN, tone if chosen else Tone.UNKNOWN_WORD).put("  ")
        return line.put(fit(summary(entry), width - line.length - 1)).fill(width)
    return line.put(fit(summary(entry, ending), width - line.length - 1)).fill(width)


def captions(width: int, zone: str) -> Line:
    """Names of the columns; the time's says on whose clock."""
    line = Line(Tone.DIM).right("entry", 12).put(zone, at=14).put("kind", at=24)
    if width >= 74:
        line.put("who", at=45).put("stage", at=46 + _who(width))
    return line.put("what", at=53 + _who(width) if width >= 74 else 45).fill(width)


def _who(width: int) -> int:
    """Cells of the actor's column."""
    return 15 if width >= 90 else 10


# ------------------------------------------------------------------------------------------------------ one entry whole


def detail_lines(
    stored: StoredEntry,
    companions: Sequence[StoredEntry],
    problems: Collection[str],
    width: int,
    *,
    zone: str,
    anchored: str,
) -> list[Line]:
    """An entry with its other halves, as it is told, its hashes, and its canonical text."""
    entry = stored.entry
    name = f"{stored.seq:,}  {entry.kind}" if entry is not None else f"{stored.seq:,}"
    lines = [title(name, width)]
    hashes = _hashes(stored, problems, anchored, width)
    told = _told(entry, companions, width, zone) if entry is not None else []
    if stored.sound:
        lines.extend([*told, *hashes])
    else:  # what stands here now is not what was written, so that is said before it is told
        lines.extend([*hashes, *([title("WHAT IT SAYS NOW", width), *told] if told else [])])
    lines.append(title("CANONICAL TEXT", width))
    lines.extend(Line().put(" ").put(piece) for piece in chop_cells(visible(stored.text), max(8, width - 2)))
    return lines


def _told(entry: Entry, companions: Sequence[StoredEntry], width: int, zone: str) -> list[Line]:
    at = f"{entry.ts[:23]}Z  {local_time(entry.at, zone, '%a %H:%M:%S')}"
    halves = _halves(entry, companions, width)
    return [
        Line().put(" ").put(fit(at, width - 2)),
        *([*halves, title("ENTRY", width)] if halves else []),
        *_facts(_head_facts(entry), width),
        *_facts(_body_facts(entry.body), width),
    ]


def visible(text: str) -> str:
    """JSON text with every unprintable character in its escaped form, which means the same."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _head_facts(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "who", entry.actor
    if entry.stage:
        yield "stage", way(entry)
    yield "epoch", str(entry.epoch)


def _body_facts(body: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        label = f"{inside}.{name}" if inside else name
        if isinstance(value, Mapping):
            yield from _body_facts(value, label)
        elif value not in (None, "", []):
            yield label, value if isinstance(value, str) and len(value) < 200 else short(value)


def _facts(facts: Iterable[tuple[str, str]], width: int) -> list[Line]:
    at = 24 if width >= 60 else 17
    return [Line().put(" ").put(fit(name, at - 2), Tone.DIM).put(fit(visible(value), width - at - 1), at=at)
            for name, value in facts]  # fmt: skip


def _halves(entry: Entry, companions: Sequence[StoredEntry], width: int) -> list[Line]:
    """The entries of the same intent, from the intent to what was read back; an intent alone says what that means."""
    if entry.intent is None:
        return []
    family = [one.entry for one in companions if one.entry is not None and one.entry.intent == entry.intent]
    lines = [title(f"INTENT {entry.intent[:7]}", width)]
    for other in family:
        here = "►" if other.seq == entry.seq else " "
        apart = (other.at - entry.at).total_seconds()
        gap = "" if other.seq == entry.seq else f"{age(abs(apart))} {'later' if apart >= 0 else 'before'}"
        line = Line().put(f" {here} ").right(f"{other.seq:,}", 13).put(fit(other.kind, 12), at=15)
        lines.append(line.put(fit(gap, 12), at=28).put(fit(summary(other), width - 42), at=41))
    if family and not any(other.kind == "outcome" for other in family):
        lines.append(
            Line(Tone.UNKNOWN)
            .put(" ? ")
            .put(UNKNOWN, Tone.UNKNOWN_WORD)
            .put(fit(": asked, no answer is recorded", width - 20))
        )
    return lines


def _hashes(stored: StoredEntry, problems: Collection[str], anchored: str, width: int) -> list[Line]:
    lines = [title("CHAIN", width)]
    entry = stored.entry
    facts = [("prev", entry.prev)] if entry is not None else []
    facts.append(("hash", stored.hash) if stored.actual == stored.hash else ("hash as chained", stored.hash))
    for name, value in facts:
        lines.extend(_hash_lines(name, value, width, Tone.PLAIN))
    if stored.actual != stored.hash:
        lines.extend(_hash_lines("hash of this", stored.actual, width, Tone.BREACH))
        lines.append(Line(Tone.BREACH).put(fit(" ■ ALTERED: the text here is not the one first chained", width - 1)))
    said = (f" ■ entry {stored.seq:,} {problem}" for problem in problems)
    lines.extend(Line(Tone.BREACH).put(fit(text, width - 1)) for text in said)
    if stored.sound and not problems:
        lines.append(Line().put(fit(f" · sound: the text gives the hash{anchored}", width - 1)))
    return lines


def _hash_lines(name: str, value: str, width: int, tone: Tone) -> list[Line]:
    """A hash in groups of eight, on as many lines as it needs: hashes are compared by eye."""
    at = 17
    groups = [value[start : start + 8] for start in range(0, len(value), 8)]
    fits = max(1, (width - at) // 9)
    rows = [" ".join(groups[start : start + fits]) for start in range(0, len(groups), fits)]
    first = Line(tone).put(" ").put(fit(name, at - 2), Tone.DIM if tone is Tone.PLAIN else tone)
    return [first.put(rows[0], at=at), *(Line(tone).put(row, at=at) for row in rows[1:])]
