"""Working orders, one a line, oldest first."""

from __future__ import annotations

from collections.abc import Sequence

from stages.ladder import Unit
from stages.working import Whose, Working
from widgets.figures import age, number
from widgets.line import Line, Tone, fit, title

_TONES = {Whose.UNKNOWN: Tone.BREACH, Whose.UNTOLD: Tone.UNKNOWN}
_MARKS = {Whose.UNKNOWN: "■", Whose.UNTOLD: "?", Whose.OWN: "·", Whose.NEW: "·"}


def strangers(orders: Sequence[Working] | None) -> list[Working]:
    """The orders that the application does not know."""
    return [one for one in orders or () if one.whose is Whose.UNKNOWN]


def order_lines(orders: Sequence[Working] | None, width: int, height: int) -> list[Line]:
    """A title and one line an order, in ``height`` lines at most; strangers are never among those left out."""
    if orders is None:
        return [title("ORDERS at the venue", width, note="not read", tone=Tone.UNKNOWN)]
    odd = strangers(orders)
    room = max(0, height - 1)
    keep = {one.order_id for one in [*odd, *(one for one in orders if one not in odd)][:room]}
    shown = [one for one in orders if one.order_id in keep]
    counts = f"{len(orders)} working" if orders else "none"
    counts += f", {len(odd)} UNKNOWN" if odd else ""
    counts += f", {len(shown)} shown" if len(shown) < len(orders) else ""
    lines = [title("ORDERS", width, note=counts, tone=Tone.BREACH if odd else None)]
    return [*lines, *(_order_line(one, width) for one in shown)]


def _order_line(one: Working, width: int) -> Line:
    tone = _TONES.get(one.whose, Tone.PLAIN)
    line = Line().put(" ").put(_MARKS[one.whose], Tone.DIM if tone is Tone.PLAIN else tone)
    line.right(age(one.age), 8).put(f"  {fit(one.side, 5)}").put(fit(one.symbol, 8), at=16)
    line.right(f"{one.quantity.normalize():,f}", 33)
    price = "at the market" if one.price is None else f"at {number(one.price, Unit.USD, decimals=2)} $"
    line.put(f"  {price}")
    at = 53
    said = f"{one.whose.value}, {one.order_id}"
    return line.put(fit(said, width - at - 1), None if tone is Tone.PLAIN else tone, at=at).fill(width)
