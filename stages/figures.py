"""Figures: numbers as people read them, with the precision that each unit deserves."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from stages.ladder import Unit, Value, plain

_SUFFIX = {
    Unit.USD: " $",
    Unit.RATIO: " %",
    Unit.BASIS_POINTS: " bp",
    Unit.SECONDS: " s",
    Unit.MILLISECONDS: " ms",
    Unit.PER_MINUTE: " /min",
}
_CENTS_BELOW = Decimal(1000)
_SIGNED_CENTS_BELOW = Decimal(10000)


def figure(value: Decimal | None, unit: Unit, *, signed: bool = False, decimals: int | None = None) -> str:
    """``4,123``, ``-21.40``, ``+3.4``: no unit. Dollars carry cents below 1,000, signed ones below 10,000."""
    if value is None:
        return "?"
    shown = value * 100 if unit is Unit.RATIO else value
    places = _places(shown, unit, signed) if decimals is None else decimals
    rounded = shown.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return format(rounded, "+," if signed and rounded else ",")


def measure(value: Decimal | None, unit: Unit, *, signed: bool = False, decimals: int | None = None) -> str:
    """A figure with its unit: ``4,123 $``, ``+3.4 bp``, ``40 %``."""
    return figure(value, unit, signed=signed, decimals=decimals) + _SUFFIX.get(unit, "")


def percent(share: Decimal) -> str:
    """A share of a limit without decimals: ``82 %``. What is below the limit never rounds up to it."""
    whole = int((share * 100).to_integral_value(ROUND_HALF_EVEN))
    return f"{min(whole, 99) if share < 1 else whole} %"


def value_text(value: Value | None, unit: Unit) -> str:
    """A control's value for people: ``5,000 $``, ``NVDA,AMD``, ``absent``."""
    if value is None:
        return "absent"
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Decimal):
        return measure(value, unit) if unit in (Unit.USD, Unit.RATIO) else plain(value)
    return word(value)


def word(value: str) -> str:
    """A setting's word for people: a switch reads ``on`` or ``off``."""
    return {"true": "on", "false": "off"}.get(value.lower(), value)


def _places(value: Decimal, unit: Unit, signed: bool) -> int:
    if unit is Unit.USD:
        exact = value == value.to_integral_value()
        below = abs(value) < (_SIGNED_CENTS_BELOW if signed else _CENTS_BELOW)
        return 2 if below and (signed or not exact) else 0
    if unit is Unit.BASIS_POINTS:
        return 1
    if unit is Unit.RATIO:
        return 1 if abs(value) < 10 and value != value.to_integral_value() else 0
    if unit is Unit.SECONDS:
        return 1 if abs(value) < 1 and value else 0
    return 0
