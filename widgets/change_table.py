"""What a plan changes, control by control, and what it can cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from stages.ladder import Direction, Unit
from stages.plan import BlastRadius, ControlChange, Plan
from widgets.figures import amount, number
from widgets.line import Line, Tone, fit, title

MARKS = {Direction.RISKIER: "▲", Direction.SAFER: "▼", Direction.NEUTRAL: "="}
WORDS = {Direction.RISKIER: "riskier", Direction.SAFER: "safer", Direction.NEUTRAL: "same"}
ENFORCERS = {
    "app-clip": "app clips", "app-reject": "app REJECTS above it", "app-stop": "app, after restart",
    "venue": "venue", "rampdeck": "RAMPDECK ONLY",
}  # fmt: skip


def change_title(changes: Sequence[ControlChange]) -> str:
    """``6 riskier, 4 same``."""
    counts = [(WORDS[d], sum(change.direction is d for change in changes)) for d in WORDS]
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "nothing"


def change_lines(changes: Sequence[ControlChange], width: int, height: int) -> list[Line]:
    """A title and one line a control; what gets riskier stands first when not all fit."""
    wide = width >= 88
    word_at, now_end, after_end, times_end, by_at = (26, 48, 60, 67, 70) if wide else (21, 43, 55, 62, 65)
    columns = (
        ("now", now_end),
        ("after", after_end),
        ("times", times_end),
        ("enforced by" if wide else "enforced", by_at + 11 if wide else by_at + 8),
    )
    lines = [title("WHAT CHANGES", width, *columns, note=change_title(changes))]
    ranked = sorted(changes, key=lambda change: change.direction is Direction.NEUTRAL)
    room = height - 1
    for change in ranked:
        if len(lines) > room:
            break
        line = Line().put(" ").put(MARKS[change.direction], _tone(change)).put(" ")
        line.put(fit(change.title or change.control, word_at - 4)).put(
            WORDS[change.direction], _tone(change), at=word_at
        )
        before, after = _values(change)
        line.right(before, now_end).right(after, after_end, _tone(change)).right(_times(change), times_end)
        line.put(fit(_enforced(change, width - by_at), width - by_at), at=by_at)
        lines.append(line.fill(width))
        if change.share_before is not None and change.share_after is not None and len(lines) <= room:
            share = Line(Tone.DIM).put("     as share")
            share.right(amount(change.share_before, Unit.RATIO), now_end)
            lines.append(share.right(amount(change.share_after, Unit.RATIO), after_end).fill(width))
    if len(lines) <= room:
        moved = _moved(changes)
        lines.extend([Line().put("   ").put(fit(moved, width - 4)).fill(width)] if moved else [])
    return lines


def _tone(change: ControlChange) -> Tone:
    return Tone.PLAIN if change.direction is Direction.NEUTRAL else Tone.BOLD


def _values(change: ControlChange) -> tuple[str, str]:
    before, after = change.before, change.after
    if isinstance(before, tuple) or isinstance(after, tuple):
        return tuple(str(len(value)) if isinstance(value, tuple) else "none" for value in (before, after))  # type: ignore[return-value]
    return amount(before, change.unit), amount(after, change.unit)


def _times(change: ControlChange) -> str:
    before, after = change.before, change.after
    if isinstance(before, tuple) and isinstance(after, tuple):
        return f"{len(after) - len(before):+d}" if len(after) != len(before) else ""
    if isinstance(before, Decimal) and isinstance(after, Decimal) and before and before != after:
        return f"{after / before:.1f}"
    return ""


def _enforced(change: ControlChange, room: int) -> str:
    if change.pinned:
        by = change.pinned.removeprefix("pinned by ")
        return f"pinned by {by}" if len(by) + 10 <= room else by
    by = ENFORCERS.get(change.enforced_by, change.enforced_by)
    return by if len(by) <= room else by.removeprefix("app, ").removesuffix(" above it")


def _moved(changes: Sequence[ControlChange]) -> str:
    for change in changes:
        before, after = change.before, change.after
        if isinstance(before, tuple) and isinstance(after, tuple) and set(before) != set(after):
            added = [name for name in after if name not in before]
            gone = [name for name in before if name not in after]
            kept = [name for name in after if name in before]
            parts = [("adds", added), ("takes away", gone), ("leaves", kept)]
            return "; ".join(f"{verb} {' '.join(names)}" for verb, names in parts if names)
    return ""


def _dollars(value: Decimal | None) -> str:
    return "?" if value is None else number(value, Unit.USD)


def cost_lines(plan: Plan, width: int, *, open_now: str, in_force: str) -> list[Line]:
    """What is at stake if every limit binds at once."""
    blast = plan.blast_radius
    lines = [title("WHAT IT CAN COST", width)]
    moves = (
        ("most that can be open", blast.gross_before, blast.gross_after),
        ("most in one name", blast.name_before, blast.name_after),
        ("loss before automatic stop", blast.loss_before, blast.loss_after),
        ("5 % against every name", _gap(blast.gross_before), _gap(blast.gross_after)),
    )
    for name, before, after in moves:
        line = Line().put("   ").put(name).right(f"{_dollars(before)} →", 40).right(f"{_dollars(after)} $", 52)
        if name.startswith("5 %"):
            line.put(_gap_note(blast, width - 54), at=54)
        elif before is not None and after is not None:
            line.put(f"{number(after - before, Unit.USD, signed=True)} $" if after != before else "same", at=54)
        lines.append(line.fill(width))
    if blast.restarts:
        names = ", ".join(name.rpartition("/")[2] for name in blast.restarts)
        held = f", {open_now} open" if open_now else ""
        lines.append(Line().put("   restart").put(f"{names}: no trading meanwhile{held}", at=31).fill(width))
    if in_force:
        lines.append(Line().put("   in force").put(in_force, at=31).fill(width))
    return lines


def _gap(gross: Decimal | None) -> Decimal | None:
    return None if gross is None else gross * Decimal("0.05")


def _gap_note(blast: BlastRadius, room: int) -> str:
    gap, loss = _gap(blast.gross_after), blast.loss_after
    if gap is None or not loss or gap < loss:
        return "a stop closes no gap"
    text = f"{gap / loss:.1f} x the limit: a stop closes no gap"
    return text if len(text) <= room else text.partition(":")[0]
