"""What can be done to a demo venue from outside: each fault is one function, and the venue is handed the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from console.demo.book import ZERO, OrderRefused, Ticket
from console.demo.floor import Floor
from console.demo.market import CENT

Fault = Callable[[Floor, datetime], str]
"""Changes the floor and says in a few words what happened."""

# Shares of a limit: where a gap takes gross, how near it brings a single name to its own, and how much gross the
# book must hold for one to strike.
_BEYOND = Decimal("1.06")
_NAME_ROOM = Decimal("0.96")
_AT_WORK = Decimal("0.50")
_BAD_FILLS = Decimal(12)  # basis points
_ALERT = "HeronFeedDegraded"
_LONGEST_WAIT = timedelta(seconds=20)


def gap(floor: Floor, now: datetime) -> str:
    """Prices of held names jump until gross, and nothing else, is past its limit; trading in them then pauses.

    No order is sent, no name passes its own limit, and longs gain what shorts lose. Where the book does not allow
    that yet, the jump waits until it does; after twenty seconds it strikes as well as it can.
    """
    if _gap_now(floor, now, now + _LONGEST_WAIT):
        return f"{', '.join(floor.book.positions)} gapped up: gross {floor.book.exposure(floor.market).gross} $"
    floor.expect(lambda there, later: _gap_now(there, later, now + _LONGEST_WAIT))
    return "armed: prices gap once the book is at work"


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


def loss_limit(floor: Floor, now: datetime) -> str:
    """Prices go against the book until the day's loss is past its limit; it waits until the book is at work."""
    if not _lose_now(floor, now):
        floor.expect(_lose_now)
        return "armed: prices turn once the book is at work"
    return f"prices turned: {floor.app.day_profit(floor.book, floor.market).quantize(CENT)} $ today"


def wrong_account(floor: Floor, _now: datetime) -> str:
    """The venue reports another account than the one that was meant."""
    floor.mischief.label = f"{floor.account.label}-B"
    return f"the account is {floor.account.label}"


def unanswered_cancel(floor: Floor, _now: datetime) -> str:
    """Cancels are taken, and nothing comes of them."""
    floor.mischief.cancels_unanswered = True
    return "cancels stay without an answer"


def partial_fills(floor: Floor, _now: datetime) -> str:
    """Orders fill in halves, and what is left of each goes on working."""
    floor.mischief.partial_fills = True
    return "orders fill in part"


def early_close(floor: Floor, _now: datetime) -> str:
    """The exchange closes at once: no price moves, nothing fills, the process goes on."""
    floor.session_open = False
    return "the exchange has closed"


def late_reconciliation(floor: Floor, _now: datetime) -> str:
    """The comparison of the books does not run any more."""
    floor.mischief.reconciliation_late = True
    return "the reconciliation does not run"


def _lose_now(floor: Floor, now: datetime) -> bool:
    """False while the book is too small for such a day."""
    exposure, deployed = floor.book.exposure(floor.market), floor.app.deployed
    if deployed is None or exposure.gross < _AT_WORK * deployed.controls.max_gross:
        return False
    missing = deployed.controls.daily_loss * _BEYOND + floor.app.day_profit(floor.book, floor.market)
    share = max(missing, ZERO) / exposure.gross
    for symbol, position in floor.book.positions.items():
        floor.market.gap(symbol, 1 - share if position.qty > 0 else 1 + share)
    floor.market.pause(list(floor.book.positions), now + timedelta(seconds=floor.pace.pause_seconds))
    return True


def _gap_now(floor: Floor, now: datetime, latest: datetime) -> bool:
    """False while the book is too small for a jump that anybody would believe, or too lopsided before ``latest``."""
    exposure, deployed = floor.book.exposure(floor.market), floor.app.deployed
    if deployed is None or not exposure.long > 0 > exposure.short:
        return False
    limits = deployed.controls
    missing = limits.max_gross * _BEYOND - exposure.gross
    if exposure.gross < _AT_WORK * limits.max_gross:
        return False
    values = {symbol: position.qty * floor.market.price(symbol) for symbol, position in floor.book.positions.items()}
    room = {symbol: max(limits.max_symbol * _NAME_ROOM - abs(value), ZERO) for symbol, value in values.items()}
    gains = _within_room(values, room, missing) or (_in_proportion(values, missing) if now >= latest else None)
    if gains is None:
        return False
    for symbol, gain in gains.items():
        floor.market.gap(symbol, 1 + gain / abs(values[symbol]))
    for order in list(floor.book.orders.values()):
        if order.ticket.symbol in values:
            floor.book.cancel(order.id)
    floor.market.pause(list(values), now + timedelta(seconds=floor.pace.pause_seconds))
    return True


def _within_room(
    values: Mapping[str, Decimal], room: Mapping[str, Decimal], missing: Decimal
) -> dict[str, Decimal] | None:
    """Dollars that each name gains so that gross gains ``missing``, no name leaves its room, and longs gain enough."""
    long_room = sum((room[symbol] for symbol, value in values.items() if value > 0), ZERO)
    short_room = sum((room[symbol] for symbol, value in values.items() if value < 0), ZERO)
    on_shorts = min(missing / 2, short_room)
    on_longs = missing - on_shorts
    if missing <= 0 or on_longs > long_room:
        return None
    share = {True: on_longs / long_room, False: on_shorts / short_room if short_room else ZERO}
    return {symbol: room[symbol] * share[value > 0] for symbol, value in values.items()}


def _in_proportion(values: Mapping[str, Decimal], missing: Decimal) -> dict[str, Decimal]:
    """The same dollars for both sides, each name by its size."""
    sides = {side: sum((abs(v) for v in values.values() if (v > 0) is side), ZERO) for side in (True, False)}
    return {symbol: max(missing, ZERO) / 2 * abs(value) / sides[value > 0] for symbol, value in values.items()}


def known_faults() -> Mapping[str, Fault]:
    """Every fault by the name that ``inject`` takes."""
    return MappingProxyType(
        {
            "calm": calm,
            "early-close": early_close,
            "gap": gap,
            "incident": incident,
            "late-reconciliation": late_reconciliation,
            "loss-limit": loss_limit,
            "off-by-one-share": off_by_one_share,
            "partial-fills": partial_fills,
            "reconciliation-mismatch": reconciliation_mismatch,
            "stale-data": stale_data,
            "tca-degradation": tca_degradation,
            "unanswered-cancel": unanswered_cancel,
            "unknown-order": unknown_order,
            "wrong-account": wrong_account,
        }
    )
