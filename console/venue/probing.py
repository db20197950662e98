"""The demo's paper venue as a drill needs it: probe orders, the tape of fills, and the trading process's own word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import requests

from console.ports import AppReading, Fill, Probe
from console.venue.demo import BLOCK_REASON, DemoVenue
from stages.refusal import Trouble

_REJECTED: Final = (400, 403)


class DemoProbes(DemoVenue):
    """``url`` is the broker's root, ``app`` the trading process's; ``timeout`` in seconds as for the venue."""

    block_reason = BLOCK_REASON

    def __init__(self, url: str, app: str, timeout: float = 2.0) -> None:
        super().__init__(url, timeout)
        self._app = app.rstrip("/")

    def submit(self, symbol: str, side: str, quantity: Decimal, limit: Decimal) -> Probe:
        """Send a limit order. Raises Trouble when the broker gives no answer."""
        body = {"symbol": symbol, "side": side, "qty": str(quantity), "limit_price": str(limit)}
        status, answer = self._ask("POST", self._url + "/orders", body)
        if status in _REJECTED:
            return Probe(False, "", str(answer.get("reason", "no reason given")))
        return Probe(True, str(answer["id"]), "")

    def cancel(self, order_id: str) -> str:
        """Cancel one order; ``cancelled``, or ``gone`` when no such order works. Raises Trouble."""
        status, answer = self._ask("DELETE", f"{self._url}/orders/{order_id}", None)
        return "gone" if status == requests.codes.not_found else str(answer["outcome"])

    def fills(self) -> tuple[Fill, ...]:
        """Every fill that the broker still tells, oldest first. Raises Trouble."""
        try:
            return tuple(
                Fill(
                    int(row["seq"]), str(row["order_id"]), str(row["symbol"]), Decimal(row["signed_qty"]),
                    Decimal(row["cash"]),
                )
                for row in self._call("GET", "/fills")
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, InvalidOperation) as trouble:
            raise self._unreadable(f"{type(trouble).__name__}: {trouble}") from None

    def app(self) -> AppReading:
        """What the trading process says of itself. Raises Trouble while it is down."""
        status, answer = self._ask("GET", self._app + "/trading/status", None)
        if status != requests.codes.ok:
            raise Trouble(f"the trading process does not answer: HTTP {status}", where=self._app)
        try:
            ramp = answer["ramp"]
            return AppReading(
                started_at=datetime.fromisoformat(ramp["started_at"]),
                revision=str(ramp["revision"]),
                controls={str(name): value for name, value in ramp["controls"].items()},
                image=str(answer["build"]["image_digest"]),
            )
        except (KeyError, TypeError, ValueError) as trouble:
            raise Trouble(f"its status cannot be read: {trouble!r}", where=self._app) from None

    def heal(self) -> None:
        """The trading process forgets its revision, so the controller applies Git's again. Raises Trouble."""
        try:
            self.inject("forgotten-revision")
        except Trouble as trouble:
            raise Trouble(f"no self-heal could be provoked: {trouble.what}", where=self._url) from None

    def inject(self, fault: str) -> str:
        """Let a fault strike at this venue, or ``calm`` end all of them. Raises Trouble where it knows no such."""
        status, answer = self._ask("POST", self._url + "/demo/inject", {"name": fault})
        if status != requests.codes.ok:
            raise Trouble(f"the venue lets no '{fault}' strike: {answer.get('reason', status)}", where=self._url)
        return str(answer["detail"])

    def _ask(self, method: str, url: str, body: Mapping[str, str] | None) -> tuple[int, Any]:
        """The status with the document, also of a refusal, which is an answer here. Raises Trouble."""
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.request(method, url, json=body, timeout=self._timeout)
                return answer.status_code, answer.json()
            except requests.exceptions.JSONDecodeError:
                raise Trouble("its answer is not JSON", where=url) from None
            except requests.exceptions.RequestException as failed:
                raise Trouble(f"no answer: {type(failed).__name__}", where=url) from None
