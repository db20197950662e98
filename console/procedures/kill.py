"""Kill: the intent, then block, cancel and the worker that goes on with Git, each handed to a thread of its own.

Nothing waits for anything: a silent venue does not hold Git up, a silent Git not the venue, and the ledger gets its
50 ms before any effect. The worker, a process of its own session, repeats block and cancel, which changes nothing when
they have arrived already, pushes the kill switch with the lowest stage's values and records the outcome. What is done
here is only what must not wait for a process to start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from console.containment import VenueSteps, heard
from console.ports import Clock, KillFlag, LedgerStore, SpillFile, Venue
from stages.commands import BeginReduce, Command, Record
from stages.decide import decide
from stages.posture import Mode
from stages.protection import protective
from stages.refusal import Refusal, Trouble
from stages.state import ControlState
from stages.value import Struct
from stages.witness import Order, OrderOutcome, Position, VenueReading

LEDGER_SECONDS: Final = 0.05
"""How long a kill waits for its intent to be written before it spills and goes on."""

HAND_OVER_SECONDS: Final = 0.25
"""From the confirmation until every witness's own thread holds its request."""

PATIENCE: Final = 8.0
"""Seconds for which whoever killed is shown what the venue answers; the worker has its own."""

_BOTH: Final = VenueSteps(block=True, cancel=True)

Step = Callable[[], tuple[bool | None, str] | None]
"""What a witness is asked: True, False for a no, or None, with the detail; nothing at all where there is no witness."""


class KillPorts(Struct, frozen=True):
    """What a kill uses of the world.

    ``go_on`` starts the worker and returns its process id, or carries it out itself and returns None; without one the
    act is the venue's alone. ``before`` is what the venue told before the confirmation, None while it has not.
    """

    ledger: LedgerStore
    spill: SpillFile
    venue: Venue | None
    clock: Clock
    go_on: Callable[[], int | None] | None
    before: Callable[[], VenueReading | None]
    flag: Callable[[], KillFlag | None] | None = None
    """Finds the field that is written straight into the runtime, in that witness's own thread; None: there is none."""


class KillOrder(Struct, frozen=True):
    """``intent`` is a new identifier; ``lowest`` is the name of the lowest stage.

    An act that is less than a kill names its ``steps`` at the venue and its own first decision, ``opening``, which is
    made of what the ledger says and of the market's time.
    """

    intent: str
    actor: str
    lowest: str
    cause: str
    authenticated: bool = False
    steps: VenueSteps = _BOTH
    opening: Callable[[ControlState, datetime], Command] | None = None

    def decision(self, state: ControlState, market: datetime) -> Command:
        """What is written before anything acts."""
        if self.opening is not None:
            return self.opening(state, market)
        newest = state.last_pushed
        return BeginReduce(
            actor=self.actor,
            intent=self.intent,
            from_stage=newest.to_stage if newest else self.lowest,
            to_stage=self.lowest,
            mode=Mode.KILLED,
            market=market,
            cause=self.cause,
            authenticated=self.authenticated,
        )


class Told(Struct, frozen=True):
    """One witness: when its thread took the request over and when it answered, in seconds since the confirmation.

    ``done`` is True, False for a no, or None while nobody knows: UNVERIFIED.
    """

    witness: str
    handed: float
    took: float | None = None
    done: bool | None = None
    detail: str = "asked, no answer"

    @property
    def text(self) -> str:
        """The witness in words."""
        said = "" if self.done else "UNVERIFIED, " if self.done is None else "NO, "
        after = f" after {self.took:.2f} s" if self.took is not None else ""
        return f"{self.witness}: {said}{self.detail}{after} (handed over in {1000 * self.handed:.0f} ms)"


class Killed(Struct, frozen=True):
    """What is known when the person looks: the worker goes on. ``left`` is None when the venue was not read."""

    intent: str
    handed: float
    """Seconds from the confirmation until the last witness's own thread held its request."""
    witnesses: tuple[Told, ...]
    process: int | None
    orders: tuple[OrderOutcome, ...] = ()
    left: tuple[Position, ...] | None = None
    protective: tuple[Order, ...] = ()
    """Orders that stood in the market to close a position, and are cancelled with the rest."""
    spilled: bool = False

    @property
    def unverified(self) -> tuple[str, ...]:
        return tuple(one.witness for one in self.witnesses if not one.done)


class Salvo:
    """A kill under way in this process. Threads are daemons: leaving ends them, and the worker goes on."""

    def __init__(self, ports: KillPorts, order: KillOrder, confirmed: float) -> None:
        self._ports, self._order, self._confirmed = ports, order, confirmed
        self._lock = threading.Lock()
        self._told: dict[str, Told] = {}
        self._threads: list[threading.Thread] = []
        self._began: list[threading.Event] = []
        self._after: VenueReading | None = None
        self._orders: tuple[OrderOutcome, ...] = ()
        self._process: int | None = None
        self._handed = 0.0
        self._recorder = _Recorder(ports)

    def fire(self) -> None:
        """Write the intent, then hand every witness its request; returns when each thread holds its own."""
        written = threading.Event()
        self._start("ledger", lambda: self._intend(written))
        written.wait(2 * LEDGER_SECONDS)
        if self._ports.venue is not None:
            venue = self._ports.venue
            if self._order.steps.block:
                self._start("venue block", lambda: self._block(venue))
            if self._order.steps.cancel:
                self._start("venue cancel", lambda: self._cancel(venue))
        if self._ports.flag is not None and self._order.steps.block:
            flag = self._ports.flag
            self._start("runtime flag", lambda: self._raise(flag))
        if self._ports.go_on is not None:
            go_on = self._ports.go_on
            self._start("Git, by a worker", lambda: self._go_on(go_on))
        for began in self._began:
            began.wait(HAND_OVER_SECONDS)
        self._handed = self._since()

    def finish(self, patience: float = PATIENCE) -> Killed:
        """Wait for the answers for at most ``patience`` seconds, record them, and tell what is known."""
        deadline = self._ports.clock.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._ports.clock.monotonic()))
        if self._ports.venue is not None:
            self._read_back(self._ports.venue, deadline)
        with self._lock:
            told = tuple(self._told.values())
            after, orders = self._after, self._orders
        if not self._threads[0].is_alive():  # a ledger that hangs is not asked again; the worker tells it later
            for one in told[1:]:
                body = {"text": one.text, "subject": one.witness}
                self._recorder(Record(self._order.actor, "note", body, intent=self._order.intent))
        elif self._ports.go_on is None:
            self._keep_aside(told)
        before = self._ports.before()
        if self._ports.venue is None:
            told = (*told, Told("venue", 0.0, None, None, "no venue is configured: block and cancel at the broker"))
        lost = protective(before.open_orders, before.positions) if before else ()
        left = after.positions if after else None
        return Killed(self._order.intent, self._handed, told, self._process, orders, left, lost, self._recorder.spilled)

    # ------------------------------------------------------------------------------------------------- the witnesses

    def _start(self, witness: str, step: Step) -> None:
        began = threading.Event()
        thread = threading.Thread(target=self._run, args=(witness, step, began), name=f"kill {witness}", daemon=True)
        self._began.append(began)
        self._threads.append(thread)
        thread.start()

    def _run(self, witness: str, step: Step, began: threading.Event) -> None:
        handed = self._since()
        with self._lock:
            self._told[witness] = Told(witness, handed)
        began.set()
        answer: tuple[bool | None, str] | None
        try:
            answer = step()
        except Trouble as trouble:
            answer = None, trouble.line
        except Exception as fault:  # noqa: BLE001 - a witness that breaks is one that nobody has heard
            answer = None, f"unexpected {type(fault).__name__}: {fault}"
        with self._lock:
            if answer is None:
                del self._told[witness]
            else:
                self._told[witness] = Told(witness, handed, self._since(), *answer)

    def _since(self) -> float:
        return self._ports.clock.monotonic() - self._confirmed

    def _intend(self, written: threading.Event) -> tuple[bool | None, str]:
        clock, order = self._ports.clock, self._order
        try:
            self._recorder(order.decision(self._recorder.state(), clock.market(clock.wall())))
        finally:
            written.set()
        if self._recorder.lost:
            return None, f"neither ledger nor spill can be written: {self._recorder.cause}"
        if self._recorder.spilled:
            return None, f"away, so the intent is spilled: {self._recorder.cause}"
        return True, "the intent is written"

    def _block(self, venue: Venue) -> tuple[bool | None, str]:
        venue.block()
        return True, "new orders are blocked"

    def _raise(self, find: Callable[[], KillFlag | None]) -> tuple[bool | None, str] | None:
        flag = find()
        if flag is None:
            return None
        answer = flag.kill()
        return answer.done, answer.detail

    def _cancel(self, venue: Venue) -> tuple[bool | None, str]:
        outcomes = venue.cancel_all()
        with self._lock:
            self._orders = outcomes
        unknown = [one for one in outcomes if one.outcome == "unknown"]
        if unknown:
            names = ", ".join(f"{one.side} {one.symbol}" for one in unknown)
            return None, f"{len(unknown)} of {len(outcomes)} orders ASKED, NO ANSWER: {names}"
        return True, f"{len(outcomes)} orders cancelled" if outcomes else "no order was open"

    def _go_on(self, go_on: Callable[[], int | None]) -> tuple[bool | None, str]:
        process = go_on()
        if process is None:
            return None, "no process could be started, so this one carried it out"
        with self._lock:
            self._process = process
        return None, f"process {process} pushes the kill switch and goes on by itself"

    def _keep_aside(self, told: Sequence[Told]) -> None:
        """Without a worker that tells it later, what a ledger that hangs did not take is spilled by this thread."""
        clock, order = self._ports.clock, self._order
        aside = _Recorder(self._ports)
        aside.spilled, aside.cause = True, "the ledger does not answer"
        aside(order.decision(ControlState(), clock.market(clock.wall())))
        for one in told[1:]:
            aside(Record(order.actor, "note", {"text": one.text, "subject": one.witness}, intent=order.intent))
        self._recorder.spilled = True

    def _read_back(self, venue: Venue, deadline: float) -> None:
        """The venue's own word, in a thread, because it may be silent."""

        def read() -> tuple[bool | None, str]:
            reading = heard(venue)
            with self._lock:
                self._after = reading
            orders = len(reading.open_orders)
            said = f"{'blocked' if reading.blocked else 'says that it takes orders'}, {orders} orders open"
            blocked = reading.blocked or not self._order.steps.block
            return (True if blocked and not (orders and self._order.steps.cancel) else None), said

        began = threading.Event()
        thread = threading.Thread(target=self._run, args=("venue read", read, began), name="kill read", daemon=True)
        thread.start()
        thread.join(max(1.0, deadline - self._ports.clock.monotonic()))


class _Recorder:
    """Writes to the ledger within 50 ms, and to the spill from the first time that it does not answer."""

    def __init__(self, ports: KillPorts) -> None:
        self._ports = ports
        self._last = ControlState()
        self.spilled, self.lost, self.cause = False, False, ""

    def state(self) -> ControlState:
        """The newest state that can be read, or an empty one."""
        try:
            self._last = self._ports.ledger.state()
        except Trouble as away:
            self.spilled, self.cause = True, away.line
        return self._last

    def __call__(self, command: Command) -> None:
        now = self._ports.clock.wall()
        if not self.spilled:
            try:
                self._ports.ledger.transact(command, now=now, deadline=LEDGER_SECONDS)
                return
            except Trouble as away:
                self.spilled, self.cause = True, away.line
        drafts = decide(self._last, command, now)
        if isinstance(drafts, Refusal) or not drafts:
            return
        try:
            self._ports.spill.append(drafts, at=now, cause=self.cause)
        except Trouble as full:
            self.lost, self.cause = True, full.line


def kill(ports: KillPorts, order: KillOrder, *, confirmed: float) -> Salvo:
    """Hand everything over; ``confirmed`` is the monotonic time of the confirmation. It raises no Trouble."""
    salvo = Salvo(ports, order, confirmed)
    salvo.fire()
    return salvo
