"""Containment outside of Git: block, cancel and the runtime flag, each in a thread of its own; nothing waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from console.ports import Clock, KillFlag, Venue
from stages.refusal import Trouble
from stages.value import Struct
from stages.witness import OrderOutcome, Position, VenueReading

TRIES: Final = 6
_FIRST_PAUSE: Final = 0.25
_PATIENCE: Final = 20.0
"""Seconds that the end of a reduction waits for the venue's threads."""


class VenueSteps(Struct, frozen=True):
    """What the venue is to do."""

    block: bool = False
    cancel: bool = False


class Witnessed(Struct, frozen=True):
    """One witness's answer to the act; ``took`` in seconds. Not ``done`` means that nobody knows."""

    witness: str
    done: bool
    took: float
    detail: str

    @property
    def text(self) -> str:
        """The answer in words."""
        return f"{self.witness}: {self.detail} after {self.took:.1f} s"


class _Refused(Trouble):
    """A no that another try would not change."""


class Containment:
    """The venue's steps under way; ``finish`` waits for them and reads back what is left."""

    def __init__(
        self,
        venue: Venue | None,
        steps: VenueSteps,
        clock: Clock,
        pause: Callable[[float], object],
        flag: KillFlag | None = None,
    ) -> None:
        self._venue, self._clock, self._pause = venue, clock, pause
        self._started = clock.monotonic()
        self._answers: dict[str, Witnessed] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._wanted = steps
        if venue is not None:
            if steps.block:
                self._start("venue block", lambda: self._block(venue))
            if steps.cancel:
                self._start("venue cancel", lambda: self._cancel(venue))
        if flag is not None:
            self._start("runtime flag", lambda: self._raise(flag))

    def finish(self) -> tuple[tuple[Witnessed, ...], tuple[Position, ...] | None]:
        """Every answer, and the positions left; None when the venue cannot be read."""
        deadline = self._clock.monotonic() + _PATIENCE
        for name, thread in self._threads.items():
            thread.join(max(0.0, deadline - self._clock.monotonic()))
            if thread.is_alive():
                self._answer(name, False, "asked, no answer")
        missing = () if self._venue or not (self._wanted.block or self._wanted.cancel) else (self._nowhere(),)
        verified, left = self._read_back()
        return (*self._answers.values(), *missing, *verified), left

    def _start(self, name: str, step: Callable[[], str]) -> None:
        thread = threading.Thread(target=self._try, args=(name, step), name=name, daemon=True)
        self._threads[name] = thread
        thread.start()

    def _try(self, name: str, step: Callable[[], str]) -> None:
        pause, trouble = _FIRST_PAUSE, ""
        for _ in range(TRIES):
            try:
                self._answer(name, True, step())
            except _Refused as no:
                self._answer(name, False, no.what)
                return
            except Trouble as away:
                trouble = away.line
                self._pause(pause)
                pause *= 2
            else:
                return
        self._answer(name, False, f"asked {TRIES} times, no answer: {trouble}")

    @staticmethod
    def _block(venue: Venue) -> str:
        venue.block()
        return "new orders are blocked"

    @staticmethod
    def _raise(flag: KillFlag) -> str:
        answer = flag.kill()
        if answer.done is None:
            raise Trouble(answer.detail)
        if not answer.done:
            raise _Refused(answer.detail)
        return answer.detail

    @staticmethod
    def _cancel(venue: Venue) -> str:
        outcomes = venue.cancel_all()
        unknown = [one for one in outcomes if one.outcome == "unknown"]
        if unknown:
            raise Trouble(f"{len(unknown)} of {len(outcomes)} orders gave no answer: {_orders(unknown)}")
        return f"{len(outcomes)} orders: {_orders(list(outcomes)) or 'none was open'}"

    def _read_back(self) -> tuple[tuple[Witnessed, ...], tuple[Position, ...] | None]:
        if self._venue is None:
            return (), None
        try:
            reading = heard(self._venue)
        except Trouble as away:
            return (self._told("venue read", False, away.line),), None
        if not (self._wanted.block or self._wanted.cancel):
            return (), reading.positions
        said = "blocked" if reading.blocked else "says that it takes orders"
        orders = len(reading.open_orders)
        left = orders and self._wanted.cancel
        done = (reading.blocked or not self._wanted.block) and not left
        return (self._told("venue read", done, f"{said}{f', {orders} orders open' if orders else ''}"),), (
            reading.positions
        )

    def _answer(self, name: str, done: bool, detail: str) -> None:
        self._answers[name] = self._told(name, done, detail)

    def _told(self, name: str, done: bool, detail: str) -> Witnessed:
        return Witnessed(name, done, self._clock.monotonic() - self._started, detail)

    def _nowhere(self) -> Witnessed:
        return self._told("venue", False, "the policy has the venue block, but no venue is configured")


def heard(venue: Venue) -> VenueReading:
    """What the venue says now. An answer that carries an error is none. Raises Trouble."""
    reading = venue.read()
    if reading.error:
        raise Trouble(reading.error, where="venue")
    return reading


def contain(
    venue: Venue | None,
    steps: VenueSteps,
    clock: Clock,
    pause: Callable[[float], object],
    flag: KillFlag | None = None,
) -> Containment:
    """Hand the steps to threads of the venue and of the runtime flag, and return at once."""
    return Containment(venue, steps, clock, pause, flag)


def _orders(outcomes: list[OrderOutcome]) -> str:
    return ", ".join(f"{one.side} {one.symbol} {one.outcome}" for one in outcomes)
