"""A demo venue as a process: trading process, broker and a control path for GitOps, each on a loopback port.

Run by hand: ``python -m console.demo.venue --config FILE``, where FILE is the JSON form of VenueConfig.
"""

from __future__ import annotations

import argparse
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from console.demo import status_page
from console.demo.application import Account, Run
from console.demo.book import Fill, Order, OrderRefused, Side, Ticket
from console.demo.controls import BadManifest, Controls, Deployed
from console.demo.faults import Fault, known_faults
from console.demo.floor import Floor, Pace
from console.demo.lifeline import end_with
from console.demo.listener import METRICS, Listener, Reply, Request, bind
from console.demo.market import CENT
from stages.value import Struct, replace

FACES = ("app", "broker", "control")
"""The venue's listeners, by the names they have in the configuration and in the ports file."""

_log = logging.getLogger(__name__)
_BEAT = 0.5  # seconds between cycles, at most
_SHORTEST_BEAT = 0.05
_MOST_STEPS = 2_000  # per beat: a process that was stopped does not race through what it missed


class VenueConfig(Struct, frozen=True):
    """``sockets`` gives a listening descriptor (``{"fd": 7}``) or a port (``{"port": 0}``, the default) per face.

    ``speed`` is trading seconds per real second; ``ports_file`` receives the ports as ``{"app": 40001, ...}``.
    """

    account: Account
    seed: int
    speed: float
    pace: Pace
    sockets: Mapping[str, Mapping[str, int]]
    ports_file: Path | None

    @staticmethod
    def read(path: Path) -> VenueConfig:
        """Raises OSError, ValueError or KeyError when the file is not such a document."""
        raw = json.loads(path.read_text())
        account, speed = raw["account"], float(raw.get("speed", 1))
        if not 0 < speed < float("inf"):
            raise ValueError(f"speed: {speed} must be above zero")
        return VenueConfig(
            account=Account(account["label"], account["environment"], Decimal(account["cash"])),
            seed=int(raw["seed"]),
            speed=speed,
            pace=Pace(**raw.get("pace", {})),
            sockets=raw.get("sockets", {}),
            ports_file=Path(raw["ports_file"]) if "ports_file" in raw else None,
        )

    def listening(self, face: str) -> socket.socket:
        """The socket of one face: taken over from the parent, or bound now."""
        wanted = self.sockets.get(face, {})
        return socket.socket(fileno=wanted["fd"]) if "fd" in wanted else bind(wanted.get("port", 0))


class DemoExchange:
    """The floor behind one lock, and the answers of its three faces."""

    def __init__(self, config: VenueConfig, faults: Mapping[str, Fault]) -> None:
        self._lock = threading.Lock()
        self._faults = faults
        self._speed = config.speed
        self._due = 0.0
        self._last = time.monotonic()
        self._floor = Floor(config.account, config.seed, config.pace, _now())

    def beat(self) -> float:
        """Take the trading steps that are due, and return the seconds until the next ones."""
        with self._lock:
            monotonic = time.monotonic()
            self._due = min(self._due + (monotonic - self._last) * self._speed, _MOST_STEPS)
            self._last = monotonic
            steps = int(self._due)
            self._due -= steps
            self._floor.advance(steps, self._now(), monotonic)
        return min(max(1 / self._speed, _SHORTEST_BEAT), _BEAT)

    def app(self, request: Request) -> Reply:
        """What the trading process serves; 503 for everything while it restarts."""
        with self._lock:
            now, floor = self._now(), self._floor
            run, deployed = floor.app.run, floor.app.deployed
            if run is None or deployed is None or not floor.app.up(time.monotonic()):
                return Reply.of({"ok": False, "detail": "scheduler_runtime_unavailable"}, 503)
            return replace(_app_page(request, floor, run, deployed, now), at=now)

    def broker(self, request: Request) -> Reply:
        """What the broker serves; it never restarts."""
        with self._lock:
            return replace(self._broker(request), at=self._now())

    def control(self, request: Request) -> Reply:
        """What the GitOps loop hands over, and what is applied now."""
        with self._lock:
            deployed = self._floor.app.deployed
            match request.method, request.path:
                case "GET", ("revision",):
                    return Reply.of({"revision": None if deployed is None else deployed.revision})
                case "POST", ("apply",):
                    try:
                        handed = read_deployed(request.body)
                    except (BadManifest, KeyError) as trouble:
                        return Reply.of({"ok": False, "reason": f"not applied: {trouble}"}, 400)
                    return Reply.of({"ok": True, "outcome": self._floor.apply(handed, time.monotonic())})
        return _not_found()

    def _broker(self, request: Request) -> Reply:
        floor, book, now = self._floor, self._floor.book, self._now()
        match request.method, request.path:
            case "GET", _:
                return _broker_page(request, floor, now)
            case "POST", ("orders",):
                return _submit(floor, request.body, now)
            case "POST", ("orders", "cancel-all"):
                return Reply.of([_asked(order, floor.cancel(order.id)) for order in [*book.orders.values()]])
            case "DELETE", ("orders", order_id):
                order = book.orders.get(order_id)
                return _not_found() if order is None else Reply.of(_asked(order, floor.cancel(order_id)))
            case "POST", ("block",):
                book.blocked = str(request.body.get("reason", "new_orders_suspended"))
                return Reply.of(_account(floor))
            case "POST", ("unblock",):
                book.blocked = None
                return Reply.of(_account(floor))
            case "POST", ("demo", "inject"):
                fault = self._faults.get(str(request.body.get("name")))
                if fault is None:
                    return Reply.of({"ok": False, "reason": "unknown_fault", "known": sorted(self._faults)}, 404)
                return Reply.of({"ok": True, "detail": fault(floor, now)})
        return _not_found()

    def _now(self) -> datetime:
        """What the venue's own clock shows."""
        return self._floor.clock(_now())


def read_deployed(body: Mapping[str, Any]) -> Deployed:
    """The revision that the GitOps loop hands over: ``{revision, env, catalog, feed}``.

    Raises BadManifest when the process could not run on it, KeyError when the document lacks a part.
    """
    env = {str(name): str(value) for name, value in body["env"].items()}
    catalog, feed = body.get("catalog"), body.get("feed")
    return Deployed(
        revision=str(body["revision"]),
        env=env,
        controls=Controls.read(env),
        catalog=None if catalog is None else {name: tuple(symbols) for name, symbols in catalog.items()},
        feed=None if feed is None else tuple(feed),
    )


def _app_page(request: Request, floor: Floor, run: Run, deployed: Deployed, now: datetime) -> Reply:
    match request.method, request.path:
        case "GET", ("trading", "status"):
            return Reply.of(status_page.status(floor, run, deployed, now))
        case "GET", ("metrics",):
            return Reply(200, status_page.metrics(floor, run, deployed, now), METRICS)
        case "GET", ("scheduler", "readyz"):
            return Reply.of(status_page.readiness(floor, run, now))
        case "GET", ("healthz",):
            return Reply.of({"ok": True, "service": "heron"})
    return _not_found()


def _broker_page(request: Request, floor: Floor, now: datetime) -> Reply:
    match request.path:
        case ("account",):
            return Reply.of(_account(floor))
        case ("clock",):
            return Reply.of({"timestamp": status_page.iso(now), **status_page.market_session(floor)})
        case ("orders",):
            return Reply.of([status_page.order_row(order, now) for order in floor.book.orders.values()])
        case ("positions",):
            return Reply.of(status_page.positions(floor))
        case ("fills",):
            return Reply.of([_fill(fill) for fill in floor.book.fills])
    return _not_found()


def _account(floor: Floor) -> dict[str, object]:
    book = floor.book
    return {
        "label": floor.account.label,
        "environment": floor.account.environment,
        "cash": str(book.cash.quantize(CENT)),
        "equity": str(book.equity(floor.market).quantize(CENT)),
        "blocked": book.blocked is not None,
        "block_reason": book.blocked,
        "as_of": status_page.iso(floor.as_of),
    }


def _submit(floor: Floor, body: Mapping[str, Any], now: datetime) -> Reply:
    try:
        order = floor.book.submit(_ticket(body), floor.market, now)
    except (KeyError, InvalidOperation) as trouble:
        return Reply.of({"ok": False, "status": "rejected", "reason": f"bad_order: {trouble}"}, 400)
    except OrderRefused as refused:
        return Reply.of({"ok": False, "status": "rejected", "reason": str(refused)}, 403)
    return Reply.of({"ok": True, "status": "accepted", **status_page.order_row(order, now)}, 201)


def _ticket(body: Mapping[str, Any]) -> Ticket:
    limit = body.get("limit_price")
    sides: Mapping[str, Side] = {"buy": "buy", "sell": "sell"}
    return Ticket(
        symbol=str(body["symbol"]),
        side=sides[str(body["side"])],
        qty=Decimal(str(body["qty"])),
        limit=None if limit is None else Decimal(str(limit)),
        source="external",
    )


def _asked(order: Order, outcome: str) -> dict[str, str]:
    """An order that was asked to be cancelled, and what came of that."""
    return {"id": order.id, "symbol": order.ticket.symbol, "side": order.ticket.side, "outcome": outcome}


def _fill(fill: Fill) -> dict[str, object]:
    signed = fill.qty if fill.ticket.side == "buy" else -fill.qty
    return {
        "seq": fill.seq,
        "order_id": fill.order_id,
        "symbol": fill.ticket.symbol,
        "signed_qty": str(signed),
        "cash": str(-(signed * fill.price + fill.fee)),
        "at": status_page.iso(fill.at),
    }


def _not_found() -> Reply:
    return Reply.of({"ok": False, "reason": "not_found"}, 404)


def _now() -> datetime:
    return datetime.now(UTC)


def run(config: VenueConfig, stop: threading.Event) -> None:
    """Serve and trade until ``stop`` is set."""
    exchange = DemoExchange(config, known_faults())
    answers = {"app": exchange.app, "broker": exchange.broker, "control": exchange.control}
    listeners = {face: Listener(config.listening(face), answers[face]) for face in FACES}
    for listener in listeners.values():
        listener.start()
    if config.ports_file is not None:
        _publish(config.ports_file, {face: listener.port for face, listener in listeners.items()})
    _log.info("%s serves on %s", config.account.label, {face: listener.port for face, listener in listeners.items()})
    while not stop.wait(exchange.beat()):
        pass
    for listener in listeners.values():
        listener.shutdown()
        listener.server_close()


def _publish(path: Path, ports: Mapping[str, int]) -> None:
    """Write the ports in one go: a reader sees the whole file or none."""
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(ports))
    draft.replace(path)


def main() -> int:
    """Exit codes: 0 after a stop, 2 when the configuration cannot be read."""
    parser = argparse.ArgumentParser(prog="console.demo.venue", description="A demo venue on loopback.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = VenueConfig.read(arguments.config)
    except (OSError, ValueError, KeyError, TypeError, InvalidOperation) as trouble:
        _log.error("%s: not a venue configuration: %s", arguments.config, trouble)
        return 2
    if arguments.with_parent:
        end_with(sys.stdin.buffer)
    try:
        run(config, threading.Event())
    except KeyboardInterrupt:
        _log.info("stopped by the keyboard")
    return 0


if __name__ == "__main__":
    sys.exit(main())
