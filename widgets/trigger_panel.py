"""Triggers by their distance to firing, and what then follows by itself."""

from __future__ import annotations

from collections.abc import Sequence

from stages.projection import about
from stages.verdict import TriggerRow, TriggerState
from widgets.figures import age, number, unit_word
from widgets.line import Line, Tone, fit, title
from widgets.narrowing import narrowed_triggers, triggers_left_out
from widgets.status import TRIGGER_MARKS, TRIGGER_TONES

_LOUD = frozenset({TriggerState.FIRED, TriggerState.SUSPECT, TriggerState.CANNOT_SEE})
_ORDER = (TriggerState.FIRED, TriggerState.SUSPECT, TriggerState.CANNOT_SEE, TriggerState.ARMED, TriggerState.NOT_ARMED)
_STRIDES = 10
"""Parts of the way to a limit: rows change their places when one is passed, not with every read."""


def by_distance(triggers: Sequence[TriggerRow]) -> list[TriggerRow]:
    """Fired, suspected and blind ones first, then armed ones by what is left of their way, then those not armed."""
    return sorted(triggers, key=_distance)


def _distance(row: TriggerRow) -> tuple[int, bool, int, int]:
    minutes = int((row.projected or 0.0) // 60)
    strides = int(row.share * _STRIDES) if row.share is not None else _STRIDES + 1
    return _ORDER.index(row.state), row.projected is None, minutes, strides


def trigger_title(triggers: Sequence[TriggerRow]) -> str:
    """``1 FIRED of 13``, ``7 of 13 see``, ``12 of 13 armed``."""
    total = len(triggers)
    fired = sum(row.state is TriggerState.FIRED for row in triggers)
    blind = sum(row.state is TriggerState.CANNOT_SEE for row in triggers)
    idle = sum(row.state is TriggerState.NOT_ARMED for row in triggers)
    if fired:
        return f"{fired} FIRED of {total}"
    if blind:
        return f"{total - blind} of {total} see"
    return f"{total - idle} of {total} armed" if total else "none"


def trigger_lines(
    triggers: Sequence[TriggerRow], width: int, height: int, name: str = "TRIGGERS", words: str = ""
) -> list[Line]:
    """A title and one line a trigger, narrowed to those with ``words``."""
    kept = narrowed_triggers(triggers, words)
    rows = by_distance(kept)[: max(0, height - 1)]
    hidden = triggers_left_out(words, kept, rows, len(triggers) - len(kept))
    wide = width >= 100
    left_end, unit_at, then_at = (33, 34, 48) if wide else (30, 31, 34)
    columns = [("left", left_end)]
    if wide and any(row.projected is not None for row in rows):
        columns.append(("this rate", 46))
    if wide:
        columns.append(("then, by itself", then_at + 15))
    lines = [title(name, width, *columns, note=fit(f"{trigger_title(triggers)} {hidden}".rstrip(), width - 14))]
    for row in rows:
        tone = TRIGGER_TONES.get(row.state, Tone.PLAIN)
        mark = Tone.DIM if row.state is TriggerState.ARMED else tone
        line = Line().put(" ").put(TRIGGER_MARKS[row.state], mark).put(" ")
        left = left_text(row)
        line.put(fit(row.title, left_end - len(left) - 4)).right(left, left_end, tone)
        line.put(unit_word(row.unit) if left and row.next_in is None else "", at=unit_at)
        coming = projected_text(row)
        if wide:
            line.right(coming, 46, Tone.BOLD)
        then = then_text(row) if wide or not coming else f"{coming}: {then_text(row)}"
        line.put(_within(then, width - then_at), tone if row.state in _LOUD else Tone.PLAIN, at=then_at)
        lines.append(line.fill(width))
    return lines


def _within(then: str, room: int) -> str:
    """In a narrow page what holds it now counts for more than the reads that fired it: ``FIRED: HELD until risk``."""
    why, _, held = then.partition("; ")
    forms = (then, f"{why.partition(':')[0]}: {held}") if held else (then,)
    shorter = [text for form in forms for text in (form, form.removesuffix(" clear it").removesuffix(" clears it"))]
    return next((text for text in shorter if len(text) <= room), fit(then, room))


def left_text(row: TriggerRow) -> str:
    """What is left to the limit; a running step's countdown; nothing when the trigger cannot see."""
    if row.next_in is not None:
        return age(row.next_in)
    if row.left is None or row.state in (TriggerState.CANNOT_SEE, TriggerState.NOT_ARMED):
        return ""
    return number(row.left, row.unit, decimals=2 if row.unit.value == "usd" and abs(row.left) < 200 else None)


def projected_text(row: TriggerRow) -> str:
    """``~12 min``: when it fires at the rate of the last minutes; nothing without a steady trend there."""
    return f"~{about(row.projected)}" if row.projected is not None and row.state is TriggerState.ARMED else ""


def then_text(row: TriggerRow) -> str:
    """What follows by itself, or why nothing can."""
    detail = f": {row.detail}" if row.detail else ""
    if row.state is TriggerState.CANNOT_SEE and row.next_in is None:
        return f"CANNOT SEE{detail}"
    if row.state is TriggerState.NOT_ARMED:
        return f"NOT ARMED{detail}"
    if row.state is TriggerState.SUSPECT:
        return f"{row.reads} of {row.of}, then {row.then}"
    if row.state is TriggerState.FIRED:
        return f"FIRED{detail or f': {row.then}'}"
    return row.then
