"""The ladder: stages in order, ramp controls with their units, and the order of risk between values.

Direction is computed from controls, never from a name: one control that gets riskier makes a move riskier.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeAlias

from stages.refusal import Trouble
from stages.value import Struct

Value: TypeAlias = Decimal | str | tuple[str, ...]
"""A control's value: a number (money and ratios are Decimal), a word, or a set of symbols."""


class Direction(StrEnum):
    """Where a move leads in risk."""

    RISKIER = "riskier"
    SAFER = "safer"
    NEUTRAL = "neutral"


class Unit(StrEnum):
    """Unit of a control or signal."""

    USD = "usd"
    RATIO = "ratio"
    COUNT = "count"
    SYMBOLS = "symbols"
    WORD = "word"
    SECONDS = "s"
    MILLISECONDS = "ms"
    BASIS_POINTS = "bp"
    PER_MINUTE = "/min"

    @property
    def is_number(self) -> bool:
        return self not in (Unit.SYMBOLS, Unit.WORD)


class Share(Struct, frozen=True):
    """A ratio of another control, ``{value: 0.4, of: maxGrossExposure}``; compared by its product."""

    value: Decimal
    of: str


class RiskOrder(Struct, frozen=True):
    """Which of two values of a control is riskier.

    ``sense`` is ``higher``, ``lower``, ``superset`` or ``listed``; the last ranks the words of ``words``, safest first.
    An absent value (None) is no limit at all and therefore the riskiest.
    """

    sense: str
    words: tuple[str, ...] = ()

    def at_most(self, left: Value | None, right: Value | None) -> bool:
        """True when ``left`` is at most as risky as ``right``."""
        if right is None:
            return True
        if left is None:
            return False
        if self.sense == "superset":
            return set(_symbols(left)) <= set(_symbols(right))
        if self.sense == "listed":
            return self._rank(left) <= self._rank(right)
        a, b = _number(left), _number(right)
        return a <= b if self.sense == "higher" else a >= b

    def same(self, left: Value | None, right: Value | None) -> bool:
        """True when both are equally risky; sets compare without order, numbers by value."""
        return self.at_most(left, right) and self.at_most(right, left)

    def direction(self, before: Value | None, after: Value | None) -> Direction:
        """Direction of a move; sets where neither holds the other are riskier."""
        if self.same(before, after):
            return Direction.NEUTRAL
        return Direction.SAFER if self.at_most(after, before) else Direction.RISKIER

    def safest(self, left: Value | None, right: Value | None) -> Value | None:
        """The safer of two values; of incomparable sets what both hold."""
        if self.at_most(left, right):
            return left
        if self.at_most(right, left):
            return right
        kept = set(_symbols(right))
        return tuple(symbol for symbol in _symbols(left) if symbol in kept)

    def _rank(self, value: Value) -> int:
        word = str(value)
        # A word that the policy does not list is one whose effect nobody knows.
        return self.words.index(word) if word in self.words else len(self.words)


def parse_value(unit: Unit, text: str | tuple[str, ...] | None, where: str) -> Value | None:
    """Reads a manifest's text as a value of ``unit``; None stays None (absent). Raises Trouble."""
    if text is None:
        return None
    if unit is Unit.SYMBOLS:
        parts = text if isinstance(text, tuple) else tuple(text.split(","))
        return tuple(part.strip() for part in parts if part.strip())
    if isinstance(text, tuple):
        raise Trouble("a list stands where one value belongs", where=where)
    if unit is Unit.WORD:
        return text.strip()
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise Trouble(f"'{text}' is not a number", where=where) from None
    if not number.is_finite():
        raise Trouble(f"'{text}' is not a finite number", where=where)
    return number


def write_value(value: Value | None) -> str | tuple[str, ...] | None:
    """The text that a manifest holds for ``value``: numbers without exponent or trailing zeros."""
    if isinstance(value, Decimal):
        return plain(value)
    return value


def plain(number: Decimal) -> str:
    """A Decimal without exponent or trailing zeros: ``25000``, ``0.4``."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text or "0"


def overall(directions: Mapping[str, Direction]) -> Direction:
    """Direction of a whole move: riskier when one control gets riskier."""
    if Direction.RISKIER in directions.values():
        return Direction.RISKIER
    return Direction.SAFER if Direction.SAFER in directions.values() else Direction.NEUTRAL


def _number(value: Value) -> Decimal:
    if isinstance(value, Decimal):
        return value
    raise TypeError(f"a number was expected, not {value!r}")


def _symbols(value: Value | None) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    raise TypeError(f"a set of symbols was expected, not {value!r}")
