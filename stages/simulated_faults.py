"""Injected faults of a scenario, by the names that ``inject`` takes, as what they do to the values that are read.

A scenario has no market and no orders of its own, so that a fault of single orders (a cancel that stays unanswered, an
order that fills in part, a refusal by the process itself) cannot strike in one, nor can one of the deploying loop; its
name is refused when it loads.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from stages.ladder import Value
from stages.value import Struct, field

CALM: Final = "calm"
"""Ends every fault; values that a fault set for good stay as they are."""

_BOOKS: Final = ("residuals", "cashDifference", "reconciliation")
_BEYOND: Final = Decimal("1.06")


class Effect(Struct, frozen=True):
    """What a fault does to the live book, by the names of signals."""

    sets: Mapping[str, Decimal | str] = field(default_factory=dict)
    limits: Mapping[str, Decimal] = field(default_factory=dict)
    """Signals that go to so much of the limit by which the policy measures them at the stage that stands."""
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    """Signals that change by so much in each second."""
    freezes: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    """Signals that are not there any more in answers that still come."""
    ahead: timedelta = timedelta()
    label: str = ""
    """What is added to the account's label."""
    environment: bool = False
    """Whether paper is reported for live, or live for paper."""
    restarts: bool = False
    dark: bool = False
    """The process goes down and does not come back."""
    stays: bool = False
    """Whether calm leaves the values as they are: orders, positions and prices do not come back."""

    @property
    def signals(self) -> frozenset[str]:
        """Every signal that it touches."""
        return frozenset((*self.sets, *self.limits, *self.rates, *self.freezes, *self.loses))


def _gate(word: str) -> Effect:
    """The process's own gate gives this reason."""
    return Effect(sets={"submissionGate": word})


FAULTS: Final[Mapping[str, Effect]] = MappingProxyType(
    {
        "gap": Effect(limits={"gross": _BEYOND, "grossIfAllFill": _BEYOND}, stays=True),
        "loss-limit": Effect(limits={"dayPnl": -_BEYOND}, stays=True),
        "stale-data": Effect(rates={"tradeSignals": Decimal(1)}),
        "frozen-feed": Effect(rates={"marketData": Decimal(1000)}),
        "tca-degradation": Effect(
            rates={"tcaOrders": Decimal(1), "slippage": Decimal("0.2"), "shortfall": Decimal("0.2")}
        ),
        "broker-rejects": Effect(rates={"rejectedOrders": Decimal(1)}),
        "no-activity": Effect(
            sets={"tcaOrders": Decimal(0), "ordersPerMinute": Decimal(0)}, loses=("slippage", "shortfall")
        ),
        "unknown-order": Effect(sets={"unknownOrders": Decimal(1)}, stays=True),
        "off-by-one-share": Effect(sets={"residuals": Decimal(1)}, stays=True),
        "reconciliation-mismatch": Effect(sets={"unknownOrders": Decimal(1), "residuals": Decimal(1)}, stays=True),
        "late-reconciliation": Effect(rates={"reconciliation": Decimal(1)}, freezes=_BOOKS[:2]),
        "missing-reconciliation": Effect(loses=_BOOKS),
        "incident": Effect(sets={"alerts": Decimal(1)}),
        "wrong-account": Effect(label="-B"),
        "wrong-environment": Effect(environment=True),
        "clock-ahead": Effect(ahead=timedelta(seconds=8)),
        "clock-drift": Effect(ahead=timedelta(milliseconds=800)),
        "restart": Effect(restarts=True),
        "stuck-restart": Effect(dark=True),
        "entry-cutoff": _gate("entry_cutoff_passed"),
        "flatten": _gate("session_flattening"),
        "flat": _gate("flat_deadline_passed"),
        "halt": _gate("market_halted"),
        "close": _gate("market_closed"),
        "early-close": _gate("market_closed"),
        CALM: Effect(),
    }
)
"""Every fault that can strike in a scenario."""


def limit_of(values: Mapping[str, Value | None], control: str | None) -> Decimal:
    """The number that a control stands at; 0 where it has none."""
    value = values.get(control or "")
    return value if isinstance(value, Decimal) else Decimal(0)
