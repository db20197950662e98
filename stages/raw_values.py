"""Raw values: what sources hand over as numbers and times, taken exactly or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from stages.ladder import Unit

_MILLISECONDS_FROM: Final = Decimal(100_000_000_000)
"""An epoch time this large counts milliseconds: as seconds it would lie in the year 5138."""

_PLAUSIBLE: Final = 60
"""More digits or a larger exponent than this is no measurement, and would be written out in full elsewhere."""


def number_of(value: object) -> Decimal | None:
    """The exact number that a value or its text is, infinities and NaN included; None when it is none.

    Truth values are 1 and 0. A binary float gives the shortest decimal that means the same float.
    """
    if isinstance(value, (bool, int, Decimal)):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(int(value)) if value.is_integer() and abs(value) < 10**15 else Decimal(repr(value))
    if isinstance(value, str):
        try:
            return Decimal(value.strip())
        except InvalidOperation:
            return None
    return None


def age_of(moment: datetime, read_time: datetime, unit: Unit) -> Decimal:
    """How old a time was when it was read, in seconds, or in milliseconds where that is the unit."""
    microseconds = (read_time - moment) // timedelta(microseconds=1)
    return Decimal(microseconds) / (1000 if unit is Unit.MILLISECONDS else 1_000_000)


def is_measurement(number: Decimal) -> bool:
    """Whether a number is finite and of a size that something measured can have."""
    return number.is_finite() and abs(number.adjusted()) <= _PLAUSIBLE and len(number.as_tuple().digits) <= _PLAUSIBLE


def moment_of(value: object) -> datetime | None:
    """A time in UTC from ISO 8601 with a zone, or from seconds or milliseconds since 1970; None when it is no time.

    Raises ValueError for a time without a zone, which means different moments to different readers.
    """
    number = None if isinstance(value, datetime) else number_of(value)
    try:
        if number is not None:
            seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
            return datetime.fromtimestamp(float(seconds), UTC)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError, ArithmeticError):
        return None
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)
