"""Numbers and times as people read them: precision by unit, thousands separated, ages short."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from stages.figures import word
from stages.ladder import Unit, Value

_READABLE = Decimal(10) ** 15
"""Past this a number is noise, and written as such."""

UNIT_WORDS = {
    Unit.USD: "$", Unit.RATIO: "%", Unit.BASIS_POINTS: "bp", Unit.PER_MINUTE: "/min",
}  # fmt: skip
"""What stands beside a number; counts, words and symbols stand alone, times carry their unit in the number."""


def number(value: Decimal, unit: Unit, *, decimals: int | None = None, signed: bool = False) -> str:
    """``value`` without its unit: ``3,912``, ``-21.40``, ``+3.4``, ``96.2`` (ratios in percent), ``41s``, ``12ms``."""
    if not value.is_finite():
        return "?"
    if abs(value) > _READABLE:
        return f"{value:.1e}"
    if unit is Unit.SECONDS:
        return f"{int(value)}s" if 100 <= value < 600 else age(float(value))
    if unit is Unit.MILLISECONDS:
        return f"{_rounded(value, 0)}ms" if abs(value) < 1000 else f"{_rounded(value / 1000, 1)}s"
    if unit is Unit.RATIO:
        value *= 100
    places = _places(value, unit, decimals)
    sign = "+" if signed or unit is Unit.BASIS_POINTS else ""
    return f"{_rounded(value, places):{sign},.{places}f}"


def _places(value: Decimal, unit: Unit, decimals: int | None) -> int:
    if unit is Unit.USD:
        return decimals if decimals is not None and abs(value) < 10_000 else 0
    if decimals is not None:
        return decimals
    return 1 if unit in (Unit.RATIO, Unit.BASIS_POINTS) else 0


def _rounded(value: Decimal, places: int) -> Decimal:
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def unit_word(unit: Unit) -> str:
    """``$``, ``%``, ``bp`` ... or nothing."""
    return UNIT_WORDS.get(unit, "")


def amount(value: Value | None, unit: Unit, *, decimals: int | None = None, signed: bool = False) -> str:
    """A control's or signal's value with its unit; None is ``none``, a set of symbols its names."""
    if value is None:
        return "none"
    if isinstance(value, Decimal):
        return f"{number(value, unit, decimals=decimals, signed=signed)} {unit_word(unit)}".rstrip()
    return " ".join(value) if isinstance(value, tuple) else word(value)


def age(seconds: float | None) -> str:
    """``0.2s``, ``41s``, ``2m``, ``3h02``, ``4d``; an age that is not known is ``?``."""
    if seconds is None or seconds != seconds or seconds in (float("inf"), float("-inf")):
        return "?"
    seconds = max(0.0, seconds)
    if seconds < 1 and seconds:
        return f"{seconds:.1f}s" if seconds >= 0.05 else "0s"
    whole = int(seconds)
    if whole < 100:
        return f"{whole}s"
    if whole < 6000:
        return f"{whole // 60}m"
    if whole < 100 * 3600:
        minutes = whole % 3600 // 60
        return f"{whole // 3600}h{minutes:02}" if minutes else f"{whole // 3600}h"
    return f"{whole // 86400}d"


def clock(seconds: float, *, tenths: bool = False) -> str:
    """A running clock: ``00:06.2`` or ``04:10``."""
    seconds = max(0.0, seconds)
    minutes, rest = divmod(int(seconds * 10), 600)
    return f"{minutes:02}:{rest // 10:02}.{rest % 10}" if tenths else f"{minutes:02}:{rest // 10:02}"


def percent(used: Decimal) -> str:
    """``82 %``; below the limit never 100, at or past it never less."""
    if not used.is_finite():
        return "?"
    shown = int((max(min(used, Decimal(99)), Decimal(-99)) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    shown = min(shown, 99) if used < 1 else max(shown, 100)
    return f"{max(shown, 0) if used >= 0 else shown:>3} %"
