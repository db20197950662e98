"""What a plan changes, control by control, and what it can cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from stages.ladder import Direction, Unit
from stages.plan import ControlChange, Plan
from stages.stake import BlastRadius, Stake, gap_beyond_stop, stakes
from widgets.figures import amount, number, unit_word
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


def change_lines(changes: Sequence[ControlChange], width: int, height: int, paths: Sequence[str] = ()) -> list[Line]:
    """A title and one line a control; what gets riskier stands first when not all fit.

    The files of a change are the numbers of their ``paths``, as the diff counts them.
    """
    wide = width >= 88
    word_at, now_end, after_end, times_end, by_at = (26, 48, 60, 67, 70) if wide else (21, 43, 55, 62, 65)
    columns = (
        ("now", now_end),
        ("after", after_end),
        ("times", times_end),
        ("enforced by" if wide else "enforced", by_at + 11 if wide else by_at + 8),
        ("files", width - 1),
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
        numbers = ",".join(str(paths.index(path) + 1) for path in change.files if path in paths)
        room_by = width - by_at - (len(numbers) + 2 if numbers else 0)
        line.put(fit(_enforced(change, room_by), room_by), at=by_at)
        lines.append((line.right(numbers, width - 1) if numbers else line).fill(width))
        if change.share_before is not None and change.share_after is not None and len(lines) <= room:
            share = Line(Tone.DIM).put("     as share")
            share.right(amount(change.share_before, Unit.RATIO), now_end)
            lines.append(share.right(amount(change.share_after, Unit.RATIO), after_end).fill(width))
    told = sum(1 for line in lines if line.text[1:2] in MARKS.values())
    if told < len(ranked):
        lines[-1] = Line(Tone.BOLD).put(f"   and {len(ranked) - told + 1} more: a taller window shows all").fill(width)
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


def cost_lines(plan: Plan, width: int, *, open_now: str, in_force: str, height: int = 9) -> list[Line]:
    """What is at stake if every limit binds at once; the lines of least rank go where not all fit."""
    blast = plan.blast_radius
    shown = [one for one in stakes(blast, plan.order_limits) if one.key != "order"]
    rows = [(_RANKS[one.key] if one.limited else len(_RANKS), _stake_line(one, plan, width)) for one in shown]
    if blast.restarts:
        names = ", ".join(name.rpartition("/")[2] for name in blast.restarts)
        line = Line().put("   restart").put(f"{names} pauses trading, {open_now}", at=31)
        rows.append((_RANKS["restart"], line.fill(width)))
    if in_force:
        rows.append((_RANKS["force"], Line().put("   in force").put(in_force, at=31).fill(width)))
    kept = sorted(rank for rank, _ in rows)[: max(0, height - 1)]
    heading = title("WHAT IT CAN COST", width, note="if every limit binds at once")
    return [heading, *(line for rank, line in rows if rank in kept)]


_RANKS = {
    key: rank
    for rank, key in enumerate(("gross", "loss", "gap", "restart", "name", "orderRate", "sent", "force", "net"))
}
"""Which line stays longest where there is little room."""


def _stake_line(stake: Stake, plan: Plan, width: int) -> Line:
    line = Line().put("   ").put(stake.title)
    if not stake.limited:
        return line.put(_unlimited(stake, plan), at=31).fill(width)
    word = unit_word(stake.unit)
    line.right(f"{_known(stake.before, stake.unit)} →", 40)
    line.right(f"{_known(stake.after, stake.unit)} {word}", 48 + max(4, len(word) + 1))
    return line.put(_stake_note(stake, plan.blast_radius, width - 54), at=54).fill(width)


def _unlimited(stake: Stake, plan: Plan) -> str:
    """That nothing is known to bound it; of the order rate also what bounds each order."""
    if stake.key != "orderRate" or plan.paced:
        return "no control limits it, or none could be read"
    most = plan.order_limits[1]
    each = f"; each order at most {number(most, Unit.USD)} {unit_word(Unit.USD)}" if most is not None else ""
    return f"no control limits it{each}"


def _known(value: Decimal | None, unit: Unit) -> str:
    return "?" if value is None else number(value, unit)


def _stake_note(stake: Stake, blast: BlastRadius, room: int) -> str:
    if stake.key == "gap":
        times = gap_beyond_stop(blast)
        if times is None:
            return "a stop closes no gap"
        text = f"{times:.1f} x the limit: a stop closes no gap"
        return text if len(text) <= room else text.partition(":")[0]
    if stake.delta is None:
        return ""
    return amount(stake.delta, stake.unit, signed=True) if stake.delta else "same"
