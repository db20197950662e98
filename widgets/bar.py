"""The bar of a limit: thin while ok, solid when not, always running towards danger."""

from __future__ import annotations

from decimal import Decimal


def bar(used: Decimal, cells: int, *, solid: bool, tick: Decimal | None) -> str:
    """``cells`` cells filled by ``used`` (1 at the limit); ``tick`` marks the warn or the clear level with ``╎``.

    Past the limit the last cell is ``►``: how far past is a number, not a length.
    """
    if not used.is_finite():
        return " " * cells
    if used >= 1:
        return "█" * (cells - 1) + "►"
    full, half = ("█", "▌") if solid else ("━", "╸")
    halves = max(0, min(2 * cells, int(used * cells * 2)))
    text = full * (halves // 2) + half * (halves % 2)
    rest = ["·"] * (cells - len(text))
    if tick is not None and tick.is_finite():
        position = min(cells - 1, int(tick * cells)) - len(text)
        if 0 <= position < len(rest):
            rest[position] = "╎"
    return text + ("".join(rest) if not solid else " " * len(rest))
