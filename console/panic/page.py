"""The page of panic: what is open, who does not answer, four phrases, a field, and what is not proven. 60x20 is enough.

Everything is offered from the first paint; what is not known yet says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from console.panic.phrases import BLOCK, CANCEL, DOES, KILL, ROLLBACK
from stages.value import Struct, field
from widgets.line import Line, Tone, fit, padded, rule, sentences, title

SMALLEST: Final = (60, 18)
OWED_WITHIN: Final = timedelta(minutes=10)
"""Within which an act is to be given its reason."""

REASONS: Final = {"1": "risk", "2": "TCA", "3": "stale", "4": "books", "5": "incident", "6": "other"}
"""Reasons by one digit; asked after the act, never before."""

_ZONES: Final = {"America/New_York": "ET", "America/Chicago": "CT", "UTC": "Z"}


class Sight(Struct, frozen=True):
    """Everything that the page is drawn from. ``name`` and ``below`` are empty while no policy is known.

    ``witnesses`` holds ok, ``?`` or none for each that has answered; who is missing there has not.
    """

    wall: datetime
    started: datetime
    name: str = ""
    environment: str = ""
    account: str = ""
    zone: str = "UTC"
    below: str = ""
    open_text: str = ""
    open_at: datetime | None = None
    witnesses: Mapping[str, str] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    """Why a witness does not answer, in words."""
    took: Mapping[str, float] = field(default_factory=dict)
    """Seconds that each act took in the last drill."""
    note: tuple[str, ...] = ()
    """What came of the newest act, the worst first."""
    running: str = ""
    """The act that is being handed over."""
    leaving: bool = False
    """Somebody wants to leave while it is."""
    owed: datetime | None = None
    """Since when a reason is owed."""
    owes: str = ""
    """Who owes it for what, where the ledger tells of it; empty for what was done here."""
    by_hand: tuple[str, ...] = ()
    show_by_hand: bool = False
    trouble: str = ""

    @property
    def overdue(self) -> bool:
        """Whether the reason is owed for longer than it may be."""
        return self.owed is not None and self.wall - self.owed > OWED_WITHIN


def page(sight: Sight, width: int, height: int) -> tuple[list[Line], int]:
    """The page in lines of ``width`` cells, and the row of the field."""
    ways = title("BY HAND", width) if sight.show_by_hand else title("WAYS DOWN", width, ("last drill", width - 1))
    head = [_who(sight, width), _open(sight, width), _witnesses(sight, width), ways]
    foot = [Line(Tone.DIM).put(" v verify again  h by hand  esc leave  nothing sells").fill(width)]
    tail = 3 if height < 22 else min(height - 17, 8)
    room = height - len(head) - len(foot) - tail - 5
    body = _by_hand(sight, width, room) if sight.show_by_hand else _phrases(sight, width, room)
    field_head = [rule(width), Line().put(f" {_prompt(sight)}").fill(width)]
    lines = [*head, *padded(body, room), *field_head]
    rest = [rule(width), *padded(_said(sight, width, tail), tail), *foot]
    return [*lines, Line(), Line(), *rest], len(lines)


def _who(sight: Sight, width: int) -> Line:
    environment = f" [{sight.environment.upper()}]" if sight.environment else ""
    account = sight.account or "account not read"
    clock = f"{sight.wall.astimezone(ZoneInfo(sight.zone)):%H:%M:%S} {_ZONES.get(sight.zone, sight.zone)}"
    line = Line(Tone.REVERSE).put(f" {' '.join(f'PANIC {sight.name}{environment} {account}'.split())}")
    return line.reach(width - len(clock) - 2).right(f"{clock} ", width).fill(width)


def _open(sight: Sight, width: int) -> Line:
    if not sight.open_text or sight.open_at is None:
        seconds = (sight.wall - sight.started).total_seconds()
        why = sight.silent.get("venue") or f"venue asked for {seconds:.0f} s"
        return Line(Tone.BOLD).put(" ").put(fit(f"WHAT IS OPEN: not known ({why})", width - 2)).fill(width)
    age = (sight.wall - sight.open_at).total_seconds()
    text = f"{sight.open_text} (venue, {age:.0f} s ago)"
    if "venue" in sight.silent:
        text = f"VENUE SILENT, {age:.0f} s ago {sight.open_text}"
    return Line(Tone.BOLD).put(" ").put(fit(text, width - 2)).fill(width)


def _witnesses(sight: Sight, width: int) -> Line:
    said = "  ".join(f"{name} {sight.witnesses.get(name, '?')}" for name in ("Git", "runtime", "ledger", "Prometheus"))
    return Line().put(f" {said}").fill(width)


def _phrases(sight: Sight, width: int, room: int) -> list[Line]:
    name, below = sight.name or "<name>", sight.below or "<stage>"
    rows = {BLOCK: name, CANCEL: name, ROLLBACK: below, KILL: name}
    unknown = "never" if sight.witnesses.get("ledger") == "ok" else "?"
    lines: list[Line] = []
    for verb, what in rows.items():
        took = sight.took.get(verb)
        line = Line().put(" ").put(fit(f"{verb} {what}", 20), Tone.BOLD)
        line.put(fit(DOES[verb].format(stage=below), width - 34), at=22)
        lines.append(line.right(f"{took:.1f} s" if took is not None else unknown, width - 2).fill(width))
        lines += [Line()] if room >= 7 else []
    return lines[:room]


def _by_hand(sight: Sight, width: int, room: int) -> list[Line]:
    """The commands, folded to the width; what does not fit is printed by ``panic --print``."""
    lines: list[Line] = []
    for text in sight.by_hand or ("the configuration is still being read",):
        lines += [Line().put(f" {text[at : at + width - 2]}") for at in range(0, max(1, len(text)), width - 2)]
    if len(lines) <= room:
        return lines
    return [*lines[: room - 1], Line(Tone.BOLD).put(" ... all of it: rampdeck panic --print")]


def _prompt(sight: Sight) -> str:
    if sight.owed is None:
        return "type one, then enter"
    return f"reason: {' '.join(f'{digit} {reason}' for digit, reason in REASONS.items())}"


def _said(sight: Sight, width: int, room: int) -> list[Line]:
    """What came of the last act, the reason that is owed, and what is not proven."""
    owed = [_owed(sight, width)] if sight.owed is not None else []
    space = room - len(owed)
    handing = f"{sight.running} is being handed over{'; esc again leaves all the same' if sight.leaving else ''}"
    told = (handing,) if sight.running else sight.note
    lines = [line for text in told for line in sentences(text, width - 2, lambda: Line(Tone.BOLD).put(" "))]
    if len(lines) > space:
        rest = " ".join(line.text.strip() for line in lines[space - 1 :])
        lines = [*lines[: space - 1], Line(Tone.BOLD).put(" ").put(fit(rest, width - 2))]
    elif not sight.running:
        lines += sentences(_not_proven(sight), width - 2, lambda: Line().put(" "))
    return [*lines[:space], *owed]


def _owed(sight: Sight, width: int) -> Line:
    assert sight.owed is not None
    left = OWED_WITHIN - (sight.wall - sight.owed)
    seconds = round(left.total_seconds())
    clock = f"{seconds // 60}:{seconds % 60:02d}"
    tone, how = Tone.WARN if seconds > 0 else Tone.ALARM, ": a digit, then enter"
    if sight.owes:
        text = f"reason {clock}, {sight.owes}" if seconds > 0 else f"OVERDUE, {sight.owes}"
    else:
        text = f"reason owed within {clock}" if seconds > 0 else "REASON OVERDUE"
    return Line(tone).put(" ").put(fit(text, width - 2 - len(how)).rstrip()).put(how).fill(width)


def _not_proven(sight: Sight) -> str:
    """Who does not answer, for how long, and that nothing waits for it."""
    if sight.trouble:
        return sight.trouble
    asked = [name for name in ("Git", "runtime", "ledger", "Prometheus", "venue") if name not in sight.witnesses]
    dumb = [name for name, state in sight.witnesses.items() if state == "?"]
    missing = [*dumb, *asked]
    if not missing:
        return "Every witness that is configured answers."
    seconds = (sight.wall - sight.started).total_seconds()
    verb = "does" if len(missing) == 1 else "do"
    return f"not proven: {', '.join(missing)} {verb} not answer yet ({seconds:.0f} s). Nothing waits for them."
