"""The scorecard on the drill page: each check through the last drills, whether it held, and how fast it got safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from console.screens.drill.parts import seconds
from stages.drill import KILL_STEPS, PASS
from stages.drill_progress import DrillBoard
from stages.drill_trend import Cell, FaultTrend, Scorecard, StepTrend, fault_trends, scorecards
from widgets.line import Line, Tone, fit, title

_LEVELS: Final = "▁▂▃▄▅▆▇█"
BROKEN: Final = "■"
"""A drill in which it did not hold."""
GONE: Final = "–"
"""A drill in which it was not reached."""


def score_lines(
    board: DrillBoard | None, budgets: Mapping[str, timedelta], now: datetime, width: int, room: int
) -> list[Line]:
    """As much of the scorecard as there is room for: one kind in full, the other in short; or both in short."""
    cards = scorecards(board.runs, budgets) if board is not None else ()
    if board is None or room < 3:
        return []
    if not cards:
        return _nothing_yet(width)
    reasons = board.validity.reasons
    full = [_full(card, reasons, now, width) for card in cards]
    short = [_short(card, reasons, now, width) for card in cards]
    faults = _faults(fault_trends(board.runs), width)
    for lines in (
        [line for one in full for line in one],
        [*full[0], *(line for one in short[1:] for line in one)],
        [line for one in short for line in one],
        short[0],
    ):
        if len(lines) <= room:
            return [*lines, *faults] if len(lines) + len(faults) <= room else lines
    return short[0][:room]


def trend_cells(values: Sequence[float | None], limit: float | None, held: Sequence[bool]) -> str:
    """One cell a drill, oldest first: its share of the limit, or that it did not hold or was not reached.

    Without a limit there is no scale, and nothing is drawn.
    """
    return "".join(_cell(value, limit, ok) for value, ok in zip(values, held, strict=True)) if limit else ""


def _cell(value: float | None, most: float, held: bool) -> str:
    if value is None:
        return GONE
    if not held:
        return BROKEN
    return _LEVELS[min(7, int(8 * min(value / most, 1.0)))]


def age(now: datetime, then: datetime | None) -> str:
    """``23 h ago``; empty for what has no end."""
    if then is None:
        return ""
    minutes = max(int((now - then).total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} d ago"


def _in_date(card: Scorecard, reasons: Sequence[str]) -> bool:
    return not any(reason.startswith(f"{card.act} drill") for reason in reasons)


def _full(card: Scorecard, reasons: Sequence[str], now: datetime, width: int) -> list[Line]:
    """A title, how it stands, and a line for every check."""
    last_end, streak_end, took_end = width - 31, width - 21, width - 1
    trend_at = width - 19
    columns = (("last", last_end), ("in a row", streak_end), ("trend  took/budget", took_end))
    lines = [title(f"SCORECARD {card.act}", width, *columns), _stands(card, reasons, now, width)]
    for step in card.steps:
        word, tone = _word(step.last)
        line = Line().put(" ").put(_mark(step.last), tone or Tone.DIM).put(f" {step.id:<4}")
        line.put(fit(step.says, last_end - 14)).right(word, last_end, tone).right(f"{step.streak}", streak_end)
        line.put(_trend(step), at=trend_at).right(_took(step), took_end)
        lines.append(line.fill(width))
    return lines


def _nothing_yet(width: int) -> list[Line]:
    """Every check of a kill that nobody has seen hold."""
    line = Line().put(" ")
    for step in KILL_STEPS:
        line.put(f"○{step.id} ", Tone.DIM)
    said = Line().put(" no drill of this target has ended yet: not one check is proven", Tone.BOLD)
    return [title("SCORECARD", width), said.fill(width), line.fill(width)]


def _short(card: Scorecard, reasons: Sequence[str], now: datetime, width: int) -> list[Line]:
    """A title, how it stands, and every check by its mark and number."""
    strip = Line().put(" ")
    for step in card.steps:
        tone = _word(step.last)[1]
        strip.put(_mark(step.last), tone or Tone.DIM).put(f"{step.id} ", tone)
    return [title(f"SCORECARD {card.act}", width), _stands(card, reasons, now, width), strip.fill(width)]


def _stands(card: Scorecard, reasons: Sequence[str], now: datetime, width: int) -> Line:
    """The last outcome, the run of passes, how soon it was safe, how old that is, and whether it counts."""
    run, tone = card.newest, None if card.newest.state == PASS else Tone.WARN
    held = [one is not None and (card.limit is None or one <= card.limit) for one in card.safe]
    limit = f" of {card.limit:g} s" if card.limit is not None else ""
    safe = f"safe in {seconds(card.safe[-1])}{limit}" if card.safe[-1] is not None else "never got safe"
    counts = "in date" if _in_date(card, reasons) else "NOT IN DATE"
    line = Line().put(f" {run.state}", tone).put(f" {card.streak} in a row   {safe} ")
    line.put(trend_cells(card.safe, card.limit, held)).put(f"   {age(now, run.ended)}, ")
    return line.put(counts, None if counts == "in date" else Tone.BOLD).fill(width)


def _faults(trends: Sequence[FaultTrend], width: int) -> list[Line]:
    """Under which faults the kill was drilled, and under which it was not; nothing before the first such drill."""
    if all(trend.newest is None for trend in trends):
        return []
    line = Line().put(" under a fault")
    for trend in trends:
        state = trend.newest.state if trend.newest is not None else "never"
        line.put(f"  {trend.name} ", Tone.DIM).put(state, None if state == PASS else Tone.BOLD)
    return [line.fill(width)] if line.length <= width else [_fault_count(trends, width)]


def _fault_count(trends: Sequence[FaultTrend], width: int) -> Line:
    held = [one.name for one in trends if one.newest is not None and one.newest.state == PASS]
    wrong = [one.name for one in trends if one.newest is not None and one.newest.state != PASS]
    said = f" under a fault: {len(held)} of {len(trends)} passed"
    return Line().put(fit(said + (f"; NOT {', '.join(wrong)}" if wrong else ""), width - 1)).fill(width)


def _word(cell: Cell) -> tuple[str, Tone | None]:
    if cell.held:
        return "pass", None
    if not cell.known:
        return "UNKNOWN", Tone.UNKNOWN
    return ("FAIL", Tone.WARN) if cell.took is not None else ("not run", Tone.UNKNOWN)


def _mark(cell: Cell) -> str:
    if cell.held:
        return "·"
    return "?" if not cell.known else BROKEN if cell.took is not None else "○"


def _trend(step: StepTrend) -> str:
    return trend_cells([cell.took for cell in step.cells], step.budget, [cell.held for cell in step.cells])


def _took(step: StepTrend) -> str:
    took = step.last.took
    return f"{'–' if took is None else f'{took:.1f}'}/{step.budget:g} s"
