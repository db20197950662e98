"""Narrowing: only the rows with certain words, and never one the less that is not ok.

What is left out is counted where it was, so that nobody takes a short panel for a quiet one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stages.outline import RowState, TriggerState
from widgets.status import QUIET

if TYPE_CHECKING:
    from stages.verdict import Row, TriggerRow


def narrowed(rows: Sequence[Row], words: str) -> list[Row]:
    """The rows that have all of ``words`` in their title, name, panel or text, and every row that is not ok."""
    return [
        row
        for row in rows
        if row.state not in QUIET or _has(f"{row.title} {row.key.name} {row.panel} {row.text}", words)
    ]


def narrowed_triggers(triggers: Sequence[TriggerRow], words: str) -> list[TriggerRow]:
    """The same of triggers: one that fired, is suspected, cannot see or cannot work is never left out."""
    return [
        one
        for one in triggers
        if one.state is not TriggerState.ARMED or _has(f"{one.title} {one.name} {one.then}", words)
    ]


def _has(text: str, words: str) -> bool:
    return all(word in text.casefold() for word in words.casefold().split())


def left_out(words: str, total: int, shown: int, breaches: int, amiss: int) -> str:
    """``/gross: 9 hidden``, ``/gross: 9 hidden, 1 of them in breach``; nothing where there is no filter.

    ``breaches`` and ``amiss`` are how many of those that are not shown are in breach, or at least not ok.
    """
    if not words:
        return ""
    hidden = f"/{words}: {total - shown} hidden"
    if breaches:
        return f"{hidden}, {breaches} of them in breach"
    return f"{hidden}, {amiss} of them not ok" if amiss else hidden


def rows_left_out(words: str, rows: Sequence[Row], shown: Sequence[Row], hidden: int) -> str:
    """Of a panel: ``rows`` passed the filter, of which ``shown`` had room; ``hidden`` did not pass and are ok."""
    cut = [row for row in rows if row not in shown]
    breaches = sum(row.state is RowState.BREACH for row in cut)
    amiss = sum(row.state not in QUIET for row in cut)
    return left_out(words, len(rows) + hidden, len(shown), breaches, amiss)


def triggers_left_out(words: str, triggers: Sequence[TriggerRow], shown: Sequence[TriggerRow], hidden: int) -> str:
    """Of the triggers, in the same words."""
    cut = [one for one in triggers if one not in shown]
    breaches = sum(one.state is TriggerState.FIRED for one in cut)
    amiss = sum(one.state is not TriggerState.ARMED for one in cut)
    return left_out(words, len(triggers) + hidden, len(shown), breaches, amiss)
