"""What can be done to a demo venue from outside: each fault is one function, and the venue is handed the registry.

A fault's name is its function's with hyphens, and the first line of its docstring is what people are told of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from console.demo import price_faults, session_faults
from console.demo.book import OrderRefused, Ticket
from console.demo.floor import Floor
from console.demo.market import CENT

Fault = Callable[[Floor, datetime], str]
"""Changes the floor and says in a few words what happened. The time is the venue's own."""

CALM: Final = "calm"
"""The name of what ends every fault."""

_BAD_FILLS = Decimal(12)  # basis points
_ALERT = "HeronFeedDegraded"
_AHEAD = timedelta(seconds=8)
_DRIFT = timedelta(milliseconds=800)


def calm(floor: Floor, _now: datetime) -> str:
    """Ends every fault and disarms what has not struck; prices, orders and positions stay as they are."""
    floor.calm()
    return "trading resumed, nothing is wrong any more"


def tca_degradation(floor: Floor, _now: datetime) -> str:
    """Every fill from now on is much worse than the market."""
    floor.mischief.extra_cost = _BAD_FILLS
    return f"fills are {_BAD_FILLS} bp worse"


def stale_data(floor: Floor, now: datetime) -> str:
    """Trade signals stand still while the process that reads them stays healthy."""
    floor.mischief.signals_stand_at = now
    return "trade signals stand still"


def reconciliation_mismatch(floor: Floor, now: datetime) -> str:
    """An order that the process did not send, and a position of which its ledger does not know a share."""
    return f"{unknown_order(floor, now)}; {off_by_one_share(floor, now)}"


def unknown_order(floor: Floor, now: datetime) -> str:
    """Somebody else sends an order to the account; it is far from the market and goes on working."""
    symbol = floor.market.symbols[0]
    ticket = Ticket(symbol, "buy", Decimal(1), limit=CENT, source="external")
    try:
        return f"{floor.book.submit(ticket, floor.market, now).id} is nobody's"
    except OrderRefused as refused:
        return f"the broker refused it: {refused}"


def off_by_one_share(floor: Floor, _now: datetime) -> str:
    """The broker holds a share more than its fills tell."""
    symbol = next(iter(floor.book.positions), floor.market.symbols[0])
    floor.book.book_share(symbol, floor.market.price(symbol))
    return f"one share of {symbol} without a fill"


def incident(floor: Floor, _now: datetime) -> str:
    """An alert fires."""
    floor.mischief.alert = _ALERT
    return f"{_ALERT} fires"


def wrong_account(floor: Floor, _now: datetime) -> str:
    """The venue reports another account than the one that was meant."""
    floor.mischief.label = f"{floor.account.label}-B"
    return f"the account is {floor.account.label}"


def unanswered_cancel(floor: Floor, _now: datetime) -> str:
    """Cancels are taken, and nothing comes of them."""
    floor.mischief.cancels_unanswered = True
    return "cancels stay without an answer"


def half_cancels(floor: Floor, _now: datetime) -> str:
    """Of every sender's cancels each second one is taken, and nothing comes of it."""
    floor.mischief.cancels_halved = True
    return "every second cancel stays without an answer"


def reverting_self_heal(floor: Floor, _now: datetime) -> str:
    """The GitOps loop undoes the newest change and calls it healed, again and again."""
    if not floor.revert():
        return "nothing ran before: there is nothing to go back to"
    return f"the process runs what it ran before, dark for {floor.pace.restart_seconds:g} s"


def partial_fills(floor: Floor, _now: datetime) -> str:
    """Orders fill in halves, and what is left of each goes on working."""
    floor.mischief.partial_fills = True
    return "orders fill in part"


def late_reconciliation(floor: Floor, _now: datetime) -> str:
    """The comparison of the books does not run any more."""
    floor.mischief.reconciliation_late = True
    return "the reconciliation does not run"


def missing_reconciliation(floor: Floor, _now: datetime) -> str:
    """The comparison of the books has left no result, and none comes."""
    floor.mischief.reconciliation_missing = True
    floor.app.reconciliation.lose()
    return "there is no reconciliation"


def forgotten_revision(floor: Floor, _now: datetime) -> str:
    """The process forgets which revision it runs, so that the GitOps loop heals what it takes for a difference."""
    floor.forget_revision()
    return "the revision is forgotten: the loop applies the head again"


def frozen_feed(floor: Floor, now: datetime) -> str:
    """Prices stand still in the process while it stays healthy and goes on trading on them."""
    floor.mischief.feed_stands_at = now
    return "the price feed stands still"


def own_rejects(floor: Floor, _now: datetime) -> str:
    """The strategy asks for too much, and the process's own limits refuse every order."""
    floor.mischief.orders_too_large = True
    return "every order is larger than the process allows itself"


def broker_rejects(floor: Floor, _now: datetime) -> str:
    """The broker refuses every order."""
    floor.mischief.broker_refuses = "insufficient_buying_power"
    return f"the broker refuses: {floor.mischief.broker_refuses}"


def no_activity(floor: Floor, _now: datetime) -> str:
    """As in the first minutes of a first day: nothing was sent, filled or measured yet, and nothing is."""
    floor.mischief.idle = True
    floor.app.forget()
    return "no order yet, none measured"


def clock_ahead(floor: Floor, _now: datetime) -> str:
    """The venue's clock runs eight seconds ahead: whatever it tells comes from the future."""
    floor.mischief.clock_offset = _AHEAD
    return f"the clock is {_AHEAD.total_seconds():g} s ahead"


def clock_drift(floor: Floor, _now: datetime) -> str:
    """The venue's clock has drifted by less than a second: nothing is unbelievable yet."""
    floor.mischief.clock_offset = _DRIFT
    return f"the clock is {_DRIFT.total_seconds():g} s ahead"


def restart(floor: Floor, _now: datetime) -> str:
    """The trading process restarts, and is dark for as long as that takes."""
    floor.restart()
    return f"the process restarts, dark for {floor.pace.restart_seconds:g} s"


def stuck_restart(floor: Floor, _now: datetime) -> str:
    """The trading process goes down and does not come back."""
    floor.mischief.dark = True
    floor.restart()
    return "the process is down and stays so"


def wrong_environment(floor: Floor, _now: datetime) -> str:
    """The venue reports a paper account where a live one is meant, or the other way round."""
    floor.mischief.environment = "paper" if floor.account.environment == "live" else "live"
    return f"the account is a {floor.account.environment} one"


_ALL: Final[tuple[Fault, ...]] = (
    calm,
    *(price_faults.gap, price_faults.loss_limit),
    *(session_faults.entry_cutoff, session_faults.flatten, session_faults.flat, session_faults.close),
    *(session_faults.early_close, session_faults.halt),
    *(
        partial_fills,
        unanswered_cancel,
        half_cancels,
        unknown_order,
        own_rejects,
        broker_rejects,
        tca_degradation,
        no_activity,
    ),
    *(off_by_one_share, late_reconciliation, missing_reconciliation, reconciliation_mismatch),
    *(stale_data, frozen_feed, clock_ahead, clock_drift, restart, stuck_restart),
    *(forgotten_revision, reverting_self_heal),
    *(wrong_account, wrong_environment, incident),
)


def known_faults() -> Mapping[str, Fault]:
    """Every fault by the name that ``inject`` takes."""
    return MappingProxyType({_name(fault): fault for fault in sorted(_ALL, key=_name)})


def told_faults() -> Mapping[str, str]:
    """What each fault does, in one line; calm comes last."""
    told = {name: _says(fault) for name, fault in known_faults().items()}
    return MappingProxyType({name: says for name, says in told.items() if name != CALM} | {CALM: told[CALM]})


def _name(fault: Fault) -> str:
    return fault.__name__.replace("_", "-")


def _says(fault: Fault) -> str:
    return (inspect.getdoc(fault) or "").partition("\n")[0]
