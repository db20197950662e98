"""The three witnesses side by side. A witness that was not read never agrees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stages.verdict import Truth, TruthRow
from widgets.figures import age
from widgets.line import Line, Tone, fit, title

WITNESSES = (("git", "Git"), ("runtime", "runtime"), ("venue", "venue"))


def truth_title(truth: Truth, market_since: str, wall: datetime) -> tuple[str, Tone]:
    """``all three agree since 10:14``, ``not agreed for 1 s``, ``partly unread for 41 s``."""
    length = f" for {age((wall - truth.since).total_seconds())}" if truth.since else ""
    if truth.converging is not None and truth.agree is not True:
        return f"converging, {age(truth.converging)} allowed", Tone.WARN
    if truth.agree is True:
        since = f" since {market_since}" if market_since and truth.since else ""
        return f"all three agree{since}", Tone.PLAIN
    if truth.agree is False:
        return f"NOT AGREED{length}", Tone.WARN
    return f"partly unread{length}", Tone.UNKNOWN


def truth_lines(
    truth: Truth, width: int, height: int, market_since: str, wall: datetime, heading: str = "TRUTH"
) -> list[Line]:
    """A title, the ages of the witnesses, and one line a fact."""
    said, tone = truth_title(truth, market_since, wall)
    starts = _starts(width)
    if width < 44:
        unsure = "?" if tone is Tone.UNKNOWN else "≠" if truth.converging is None else "moving"
        short = "ok" if tone is Tone.PLAIN else unsure
        head = title(
            "TRUTH", width, ("Git", starts[0] + 3), ("Run", starts[1] + 3), ("Venue", starts[2] + 4), note=short
        )
        return [head, *(_fact(row, starts, width) for row in _first(truth.rows, height - 1))]
    ages = Line()
    for (key, name), start in zip(WITNESSES, starts, strict=True):
        known = truth.ages.get(key)
        ages.put(f"{name} {age(known)}" if known is not None else f"{name} NOT READ", at=start)
    facts = [_fact(row, starts, width) for row in _first(truth.rows, height - 2)]
    head = title(heading, width, note=said, tone=None if tone is Tone.PLAIN else tone)
    return [head, ages.fill(width), *facts]


def _starts(width: int) -> tuple[int, int, int]:
    if width < 44:
        return (13, 19, 25)
    first = 19 if width >= 70 else 17 if width >= 53 else 15
    step = 20 if width >= 90 else 15 if width >= 70 else 13 if width >= 53 else max(12, (width - first) // 3)
    return (first, first + step, first + 2 * step)


def _first(rows: Sequence[TruthRow], room: int) -> list[TruthRow]:
    """At most ``room`` facts: those that do not agree before those that do, in their own order."""
    loud = [row.name for row in sorted(rows, key=lambda row: _tone(row) is Tone.PLAIN)[: max(0, room)]]
    return [row for row in rows if row.name in loud]


def _tone(row: TruthRow) -> Tone:
    """WARN where witnesses differ, UNKNOWN where one was not read; a witness that alone has a say is no doubt."""
    if row.agree is False:
        return Tone.WARN
    return Tone.UNKNOWN if row.agree is None and "?" in (row.git, row.runtime, row.venue) else Tone.PLAIN


def _fact(row: TruthRow, starts: tuple[int, int, int], width: int) -> Line:
    """A fact in three columns; ``≠`` stands at the version that differs, on a narrow page before all of them."""
    tone, narrow = _tone(row), width < 44
    odd = row.agree is False
    line = Line().put(" ").put(fit(row.name, starts[0] - (4 if narrow and odd else 2)))
    if narrow and odd:
        line.put("≠", tone, at=starts[0] - 2)
    ends = (starts[1], starts[2], min(width, 2 * starts[2] - starts[1]))
    at_odds = 2 if row.runtime is None or row.runtime == row.git else 1
    for place, (said, start, end) in enumerate(zip((row.git, row.runtime, row.venue), starts, ends, strict=True)):
        text = "-" if said is None else "not read" if said == "?" and not narrow else said
        room = end - start - (1 if end < width else 0)
        text = _shortened(text, room) if narrow else text
        if odd and place == at_odds and not narrow:
            whole = f"{text} ≠ {row.note}".rstrip()
            text = whole if len(whole) <= room else f"{text} ≠"
        line.put(fit(text, room), Tone.UNKNOWN if said == "?" else tone if odd and place == at_odds else None, at=start)
    note = "agree" if row.agree is True else row.note
    # Where the venue has no say, what differs is told in its column.
    at = starts[2] + 2 if odd and row.venue is None and not narrow else ends[2] + 1
    if note and at + 4 < width and note not in line.text:
        line.put(fit(note, width - at - 1), None if tone is Tone.PLAIN else tone, at=at)
    return line.fill(width)


_SHORT = {"BLOCKED": "BLOCK", "not blocked": "open", "exits only": "exits", "stopped": "stop"}


def _shortened(text: str, room: int) -> str:
    """What a narrow column can hold of a number or a word before it has to be cut."""
    text = _SHORT.get(text, text).removesuffix(" $").removesuffix(" acct")
    return text if len(text) <= room else text.replace(",", "")
