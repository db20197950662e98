"""Faults of the session: the day goes on to another phase than the calendar says."""

from __future__ import annotations

from datetime import datetime

from console.demo.floor import Floor
from console.demo.hours import Phase


def entry_cutoff(floor: Floor, _now: datetime) -> str:
    """Entries end for the day: nothing is added, what is held may stay."""
    return _go_to(floor, Phase.ENTRY_CUTOFF, "no more entries today")


def flatten(floor: Floor, _now: datetime) -> str:
    """The process leaves its book before the close, and tells when it is flat."""
    return _go_to(floor, Phase.FLATTEN, "the book is being left")


def flat(floor: Floor, _now: datetime) -> str:
    """The time by which the book was to be flat has come: nothing is sent any more, what is left stays."""
    left = floor.book.exposure(floor.market).gross
    return _go_to(floor, Phase.FLAT, f"NOT FLAT, {left} $ left" if left else "the book is flat")


def close(floor: Floor, _now: datetime) -> str:
    """The exchange closes: no price moves, nothing fills, the process goes on."""
    return _go_to(floor, Phase.CLOSED, "the exchange has closed")


def early_close(floor: Floor, now: datetime) -> str:
    """The exchange closes before its time, without the phases that leave the book flat."""
    floor.mischief.early_close = True
    return f"{close(floor, now)} before its time"


def halt(floor: Floor, _now: datetime) -> str:
    """The exchange stops all trading within the session: it is open, and nothing moves or fills."""
    return _go_to(floor, Phase.HALTED, "trading is halted")


def _go_to(floor: Floor, phase: Phase, words: str) -> str:
    floor.mischief.phase = phase
    return words
