"""Stake: what a plan can cost if every limit binds at once, before and after, in the words of all who show it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from stages.ladder import Unit, write_value
from stages.value import Struct

GAP: Final = Decimal("0.05")
"""A move of every name at once against the book; no stop can act inside it."""


class BlastRadius(Struct, frozen=True):
    """What the plan can cost if every limit binds at once; dollars where nothing else is said."""

    gross_before: Decimal | None
    gross_after: Decimal | None
    net_before: Decimal | None
    net_after: Decimal | None
    name_before: Decimal | None
    name_after: Decimal | None
    loss_before: Decimal | None
    loss_after: Decimal | None
    symbols_added: tuple[str, ...] = ()
    symbols_removed: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    """Workloads that the change restarts."""
    rate_before: Decimal | None = None
    rate_after: Decimal | None = None
    """Orders per minute; None where no control limits them."""


class Stake(Struct, frozen=True):
    """One worst case. A side is None where no control limits it, or the one that does could not be read."""

    key: str
    title: str
    unit: Unit
    before: Decimal | None
    after: Decimal | None

    @property
    def limited(self) -> bool:
        """Whether either side is known."""
        return self.before is not None or self.after is not None

    @property
    def delta(self) -> Decimal | None:
        """How much more there is at stake; None unless both sides are known."""
        return None if self.before is None or self.after is None else self.after - self.before


OrderLimits = tuple[Decimal | None, Decimal | None]
"""Dollars that one order may be worth, before and after; None where nothing limits them."""


def stakes(radius: BlastRadius, order: OrderLimits = (None, None)) -> tuple[Stake, ...]:
    """Every worst case of a plan, the largest money first; dollars, and orders per minute."""
    usd = Unit.USD
    return (
        Stake("gross", "most that can be open", usd, radius.gross_before, radius.gross_after),
        Stake("net", "most to one side", usd, radius.net_before, radius.net_after),
        Stake("name", "most in one name", usd, radius.name_before, radius.name_after),
        Stake("loss", "loss before automatic stop", usd, radius.loss_before, radius.loss_after),
        Stake("gap", "5 % against every name", usd, _gap(radius.gross_before), _gap(radius.gross_after)),
        Stake("orderRate", "order rate", Unit.PER_MINUTE, radius.rate_before, radius.rate_after),
        Stake("order", "most in one order", usd, *order),
        *((sent,) if (sent := _sent(radius, order)).limited else ()),
    )


def _sent(radius: BlastRadius, order: OrderLimits) -> Stake:
    """What can be ordered in one minute: as many orders as the rate lets out, each as large as one may be."""
    sides = zip((radius.rate_before, radius.rate_after), order, strict=True)
    before, after = (None if rate is None or most is None else rate * most for rate, most in sides)
    return Stake("sent", "most ordered in a minute", Unit.USD, before, after)


def worst_case(radius: BlastRadius, order: OrderLimits = (None, None)) -> dict[str, dict[str, object]]:
    """The worst cases for programs; numbers are strings, null where nothing limits them."""
    return {
        one.key: {
            "before": write_value(one.before),
            "after": write_value(one.after),
            "delta": write_value(one.delta),
            "unit": one.unit.value,
        }
        for one in stakes(radius, order)
    }


def gap_beyond_stop(radius: BlastRadius) -> Decimal | None:
    """How many times the daily loss limit such a gap costs; None while the limit covers it or is not known."""
    gap, loss = _gap(radius.gross_after), radius.loss_after
    return gap / loss if gap is not None and loss and gap >= loss else None


def _gap(gross: Decimal | None) -> Decimal | None:
    return None if gross is None else gross * GAP


_RADIUS: Final = {
    "grossBefore": "gross_before",
    "grossAfter": "gross_after",
    "netBefore": "net_before",
    "netAfter": "net_after",
    "nameBefore": "name_before",
    "nameAfter": "name_after",
    "lossBefore": "loss_before",
    "lossAfter": "loss_after",
    "rateBefore": "rate_before",
    "rateAfter": "rate_after",
}


def radius_document(radius: BlastRadius) -> dict[str, Any]:
    """The JSON form, as it is part of a plan's core."""
    return {
        **{key: write_value(getattr(radius, name)) for key, name in _RADIUS.items()},
        "symbolsAdded": list(radius.symbols_added),
        "symbolsRemoved": list(radius.symbols_removed),
        "restarts": list(radius.restarts),
    }


def parse_radius(one: Mapping[str, Any]) -> BlastRadius:
    """The radius of its JSON form."""
    return BlastRadius(
        **{name: None if one[key] is None else Decimal(one[key]) for key, name in _RADIUS.items()},
        symbols_added=tuple(one["symbolsAdded"]),
        symbols_removed=tuple(one["symbolsRemoved"]),
        restarts=tuple(one["restarts"]),
    )
