"""The demo broker as a Venue: block, cancel and read over HTTP, with a deadline on every call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import requests

from stages.refusal import Trouble
from stages.witness import Order, OrderOutcome, Position, VenueReading

_OUTCOMES = frozenset({"cancelled", "filled", "rejected"})
BLOCK_REASON: Final = "suspended_by_rampdeck"
"""The reason that the broker gives for every order it refuses under our block."""


class DemoVenue:
    """``url`` is the broker's root; ``timeout`` in seconds holds for connecting and for each wait of a read."""

    def __init__(self, url: str, timeout: float = 2.0) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout

    def read(self) -> VenueReading:
        """Account, working orders and positions, as the broker tells them. Raises Trouble."""
        account, orders, positions = (self._call("GET", path) for path in ("/account", "/orders", "/positions"))
        try:
            return VenueReading(
                account_label=str(account["label"]),
                environment=str(account["environment"]),
                blocked=account["blocked"] is True,
                open_orders=tuple(_order(row) for row in orders),
                positions=tuple(_position(row) for row in positions),
                cash=Decimal(account["cash"]),
                as_of=datetime.fromisoformat(account["as_of"]),
            )
        except (KeyError, TypeError, ValueError, InvalidOperation) as trouble:
            raise self._unreadable(f"{type(trouble).__name__}: {trouble}") from None

    def block(self) -> None:
        """Have the broker refuse every new order. Returns when the broker says that it does. Raises Trouble."""
        if self._call("POST", "/block", {"reason": BLOCK_REASON}).get("blocked") is not True:
            raise self._unreadable("the block was not confirmed")

    def unblock(self) -> None:
        """Let the broker take orders again. Raises Trouble."""
        if self._call("POST", "/unblock").get("blocked") is not False:
            raise self._unreadable("the end of the block was not confirmed")

    def cancel_all(self) -> tuple[OrderOutcome, ...]:
        """Cancel every working order; an outcome that the broker does not name is unknown. Raises Trouble."""
        try:
            return tuple(_outcome(row) for row in self._call("POST", "/orders/cancel-all"))
        except (KeyError, TypeError) as trouble:
            raise self._unreadable(f"{type(trouble).__name__}: {trouble}") from None

    def _call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False  # the broker of the demo is on loopback: no proxy, no netrc
            try:
                answer = session.request(method, self._url + path, json=body, timeout=self._timeout)
                answer.raise_for_status()
                return answer.json()
            except requests.exceptions.Timeout:
                raise self._away(f"no answer in {self._timeout:g} s") from None
            except requests.exceptions.JSONDecodeError:
                raise self._unreadable("not JSON") from None
            except requests.exceptions.RequestException as failed:
                raise self._away(_short(failed)) from None

    def _away(self, what: str) -> Trouble:
        return Trouble(f"the venue does not answer: {what}", where=self._url, fix="check that the broker is up")

    def _unreadable(self, what: str) -> Trouble:
        return Trouble(f"the venue's answer cannot be read: {what}", where=self._url, fix="check venue.url")


def _order(row: Mapping[str, Any]) -> Order:
    limit = row["limit_price"]
    return Order(
        order_id=str(row["id"]),
        symbol=str(row["symbol"]),
        side=str(row["side"]),
        quantity=Decimal(row["qty"]),
        limit_price=None if limit is None else Decimal(limit),
        since=datetime.fromisoformat(row["submitted_at"]),
    )


def _position(row: Mapping[str, Any]) -> Position:
    return Position(str(row["symbol"]), Decimal(row["qty"]), Decimal(row["market_value"]))


def _outcome(row: Mapping[str, Any]) -> OrderOutcome:
    outcome = str(row.get("outcome"))
    known = outcome if outcome in _OUTCOMES else "unknown"
    return OrderOutcome(str(row["id"]), str(row["symbol"]), str(row["side"]), known)


def _short(failed: requests.exceptions.RequestException) -> str:
    if isinstance(failed, requests.exceptions.HTTPError) and failed.response is not None:
        return f"HTTP {failed.response.status_code}"
    lost = isinstance(failed, requests.exceptions.ConnectionError)
    return "connection refused or lost" if lost else type(failed).__name__
