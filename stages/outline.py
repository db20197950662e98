"""The outline of a verdict: the states of rows and triggers, and the headline.

Screens draw with these before anything was judged, so nothing else is loaded with them.
"""

from __future__ import annotations

from enum import StrEnum

from stages.value import Struct


class RowState(StrEnum):
    """State of a signal's row; the words are those of the screens' grammar."""

    OK = "ok"
    WARN = "warn"
    SUSPECT = "suspect"
    """First bad read: outside the limit, not yet confirmed (``1 of 3``)."""
    BREACH = "breach"
    OVER = "over"
    """After a step down: above the new limits, being reduced, not a new breach."""
    STALE = "stale"
    BLIND = "blind"
    NO_DATA = "no-data"
    CLOSED = "closed"
    RESTARTING = "restarting"
    INFO = "info"
    """Shown without a limit."""


class TriggerState(StrEnum):
    ARMED = "armed"
    NOT_ARMED = "not-armed"
    SUSPECT = "suspect"
    FIRED = "fired"
    CANNOT_SEE = "cannot-see"


class Headline(Struct, frozen=True):
    """Row 2: one word, one number, one thing; row 3: what follows by itself or what to do."""

    word: str
    figure: str
    thing: str
    sentence: str
    mark: str
    """ok, warn, suspect, breach, over, unknown, closed, running (the marks of the grammar, not the glyph)"""
    reverse: bool
    more: int = 0
    """How many lesser headlines wait behind this one."""
    alarm: str | None = None
    """Key of the alarm that ``a`` acknowledges."""
