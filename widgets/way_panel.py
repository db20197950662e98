"""The ways down, and how soon this console sees a breach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from stages.policy import Policy
from stages.verdict import Sees
from stages.way_down import CANNOT, NOT_PROVEN, READY, Way
from widgets.figures import age
from widgets.line import Line, Tone, fit, title

_TONES = {READY: Tone.BOLD, NOT_PROVEN: Tone.WARN, CANNOT: Tone.BREACH}
HERE = "READ-ONLY, not from here"
SLOW: Final = timedelta(seconds=10)
"""A source that is read no oftener than this decides by its cadence how soon a breach can be seen."""

_READABLE: Final = 8
"""Cells below which a note is left out rather than cut."""


def way_text(way: Way, *, read_only: bool) -> str:
    """``roll back to L0: READY ~4 min``, ``kill: CANNOT, READ-ONLY, not from here``."""
    return f"{way.name}: CANNOT, {HERE}" if read_only else f"{way.name}: {way.state}, {way.note}"


def way_lines(ways: Sequence[Way], sees: Sees | None, policy: Policy, width: int, *, read_only: bool) -> list[Line]:
    """A title, one line a way, and the measured time from an event to this screen."""
    short = width < 44
    at = 13 if short else 19
    lines = [title("WAY DOWN", width)]
    for way in ways:
        state, note = (CANNOT, HERE) if read_only else (way.state, way.note)
        name = way.name.replace("roll back to", "rollback") if short else way.name
        line = Line().put(f" {fit(name, at - 2)}").put(state, _TONES.get(state, Tone.UNKNOWN), at=at)
        room = width - line.length - 3
        note = note.partition(", ")[0] if len(note) > room else note
        if room >= _READABLE:
            line.put(": " if state in (NOT_PROVEN, CANNOT) else "  ").put(fit(note, room))
        lines.append(line)
    lines.append(
        Line().put(f" {'breach seen' if short else 'sees a breach'}").put(sees_text(sees, policy, short=short), at=at)
    )
    return [line.fill(width) for line in lines]


def sees_text(sees: Sees | None, policy: Policy, *, short: bool) -> str:
    """``in 1.3s (p99), worst 3.1s``, and what the slowest source's cadence allows where that is the truth."""
    if sees is None:
        return "not measured yet"
    acting = [one for one in policy.spec.triggers.values() if one.kind in ("limit", "loss")]
    slowest = max((policy.spec.signals[name].every for one in acting for name in one.signals), default=timedelta())
    measured = f"in {_tenths(sees.p99)} (p99)" if not short else f"{_tenths(sees.p99)} p99"
    if slowest >= SLOW and not short:
        return f"{measured}, read each {age(slowest.total_seconds())}"
    return measured if short else f"{measured}, worst {_tenths(sees.worst)}"


def _tenths(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 10 else age(seconds)
