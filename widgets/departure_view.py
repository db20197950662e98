"""Plan against plan: what was approved, and what the same plan would say if it were made now."""

from __future__ import annotations

from stages.departure import Departure
from widgets.line import Line, Tone, fit, title

_SIDES = {"-": "approved", "+": "today"}


def departure_lines(found: Departure, width: int, height: int) -> list[Line]:
    """A title and one line a difference: facts and controls as two columns, then how the text of each file parts."""
    middle = 24
    half = (width - middle) // 2
    lines = [title("PLAN AGAINST PLAN", width, ("approved", middle + 8), ("today", middle + half + 5))]
    for what, approved, today in (*found.facts, *found.controls):
        line = Line().put(" ▲ ", Tone.WARN).put(fit(what, middle - 4)).put(fit(approved, half - 1), at=middle)
        lines.append(line.put(fit(today, half - 1), Tone.BOLD, at=middle + half).fill(width))
    for path, text in found.files:
        said = "the patch would differ" if text else "the same patch, on a file that changed elsewhere"
        lines.append(Line().put(" ▲ ", Tone.WARN).put(fit(f"{path.rpartition('/')[2]}: {said}", width - 4)).fill(width))
        lines.extend(_text(row, width) for row in text.splitlines()[2:] if _edits(row))
    if len(lines) == 1:
        lines.append(Line().put("   no difference: only the branch's history speaks against it").fill(width))
    if len(lines) > height:
        hidden = len(lines) - height + 1
        lines = [*lines[: height - 1], Line(Tone.DIM).put(f"   ... {hidden} more lines").fill(width)]
    return lines


def _edits(row: str) -> bool:
    """Whether a row of the difference between two patches is an edited line that only one of them makes."""
    return row[:1] in _SIDES and row[1:2] in ("-", "+") and row[1:4] not in ("---", "+++")


def _text(row: str, width: int) -> Line:
    side, line = _SIDES[row[:1]], Line().put("     ")
    tone = {"-": Tone.REMOVED, "+": Tone.ADDED}[row[1]]
    return line.put(side).put(fit(f"{row[1]} {row[2:].strip()}", width - 17), tone, at=16).fill(width)
