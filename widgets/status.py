"""Marks, words and tones of states. The word carries the meaning; the mark and the tone repeat it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stages.verdict import RowState, TriggerState
from widgets.line import Tone

if TYPE_CHECKING:
    from stages.verdict import Row

ROW_MARKS = {
    RowState.OK: "·", RowState.WARN: "▲", RowState.SUSPECT: "▲", RowState.BREACH: "■", RowState.OVER: "▼",
    RowState.STALE: "?", RowState.BLIND: "?", RowState.NO_DATA: "?", RowState.CLOSED: "–", RowState.RESTARTING: "►",
    RowState.INFO: " ",
}  # fmt: skip

ROW_WORDS = {
    RowState.WARN: "WARN", RowState.SUSPECT: "not confirmed", RowState.BREACH: "BREACH", RowState.OVER: "OVER",
    RowState.STALE: "STALE", RowState.BLIND: "BLIND", RowState.NO_DATA: "NO DATA", RowState.CLOSED: "closed",
    RowState.RESTARTING: "RESTART",
}  # fmt: skip

ROW_TONES = {
    RowState.WARN: Tone.WARN, RowState.SUSPECT: Tone.WARN, RowState.BREACH: Tone.BREACH, RowState.OVER: Tone.OVER,
    RowState.STALE: Tone.UNKNOWN, RowState.BLIND: Tone.UNKNOWN, RowState.NO_DATA: Tone.UNKNOWN,
    RowState.CLOSED: Tone.DIM, RowState.RESTARTING: Tone.UNKNOWN,
}  # fmt: skip

WORD_TONES = {RowState.BREACH: Tone.BREACH_WORD, RowState.BLIND: Tone.UNKNOWN_WORD}

TRIGGER_MARKS = {
    TriggerState.ARMED: "·", TriggerState.NOT_ARMED: "○", TriggerState.SUSPECT: "▲", TriggerState.FIRED: "■",
    TriggerState.CANNOT_SEE: "?",
}  # fmt: skip

TRIGGER_TONES = {
    TriggerState.SUSPECT: Tone.WARN, TriggerState.FIRED: Tone.BREACH, TriggerState.CANNOT_SEE: Tone.UNKNOWN,
}  # fmt: skip

HEADLINE_MARKS = {
    "ok": "", "warn": "▲", "suspect": "▲", "breach": "■", "over": "▼", "unknown": "?", "closed": "–", "running": "►",
}  # fmt: skip

KNOWN = frozenset({RowState.OK, RowState.WARN, RowState.SUSPECT, RowState.BREACH, RowState.OVER, RowState.INFO})
"""States in which the row's value may be believed."""

QUIET = frozenset({RowState.OK, RowState.INFO})

SEVERITY = (
    RowState.BREACH, RowState.BLIND, RowState.OVER, RowState.STALE, RowState.SUSPECT, RowState.WARN, RowState.NO_DATA,
    RowState.RESTARTING, RowState.CLOSED, RowState.OK, RowState.INFO,
)  # fmt: skip
"""Worst first."""


def word(row: Row) -> str:
    """The state's word: the row's own when it has one."""
    return row.word or ROW_WORDS.get(row.state, "")


def tally(rows: Iterable[Row], shown: int | None = None) -> str:
    """``2 BREACH 1 WARN 8 ok``, worst first; ``11 ok, 5 shown`` when some are hidden; nothing for nothing."""
    counts = Counter(row.state for row in rows)
    words = [f"{counts[state]} {ROW_WORDS[state]}" for state in SEVERITY if state in ROW_WORDS and counts[state]]
    if counts[RowState.OK]:
        words.append(f"{counts[RowState.OK]} ok")
    hidden = sum(counts.values()) - (shown if shown is not None else sum(counts.values()))
    text = " ".join(words)
    return f"{text}, {shown} shown" if hidden > 0 and text else text


def worst(rows: Iterable[Row]) -> Row | None:
    """The row that needs a look first."""
    return next(iter(worst_first(rows)), None)


def worst_first(rows: Iterable[Row]) -> list[Row]:
    """Rows by how soon they need a look: by state, then by share of their limit."""
    order = {state: rank for rank, state in enumerate(SEVERITY)}
    return sorted(rows, key=lambda row: (order[row.state], -(row.used or 0)))
