"""Looking in panic: every witness asked at once, each in a thread of its own, and whoever is silent is named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from console.containment import heard
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.panic.acting import Responder
    from stages.state import ControlState

VENUE, GIT, RUNTIME, LEDGER, PROMETHEUS = "venue", "Git", "runtime", "ledger", "Prometheus"
WITNESSES: Final = (GIT, RUNTIME, LEDGER, PROMETHEUS, VENUE)
OK, SILENT, NONE = "ok", "?", "none"

_STEP: Final = 0.02
PATIENCE: Final = 6.0
"""Seconds for which a look waits for a witness that says nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one witness says. ``state`` is ok, ``?`` (no answer), or none where none is configured."""

    witness: str
    state: str
    said: str
    blocked: bool | None = None
    """Of the venue: whether it refuses new orders."""
    orders: int | None = None
    held: Decimal | None = None
    """Dollars open at the venue, long and short together."""
    account: str = ""
    took: tuple[tuple[str, float], ...] = ()
    """Of the ledger: seconds that each act took in the last drill that passed."""
    below: str = ""
    """Of the ledger: the stage below the newest act's."""


def questions(responder: Responder) -> dict[str, Callable[[], Answer]]:
    """A question for each witness. Each may take long and raises Trouble for silence."""
    return {
        GIT: lambda: _git(responder),
        RUNTIME: lambda: _sources(responder, RUNTIME),
        LEDGER: lambda: _ledger(responder),
        PROMETHEUS: lambda: _sources(responder, PROMETHEUS),
        VENUE: lambda: _venue(responder),
    }


def answer(witness: str, ask: Callable[[], Answer]) -> Answer:
    """The answer to one question; silence is an answer too."""
    try:
        return ask()
    except Trouble as trouble:
        return Answer(witness, SILENT, trouble.line)
    except Exception as fault:  # noqa: BLE001 - a witness that breaks must not take the others with it
        return Answer(witness, SILENT, f"unexpected {type(fault).__name__}: {fault}")


def look(asked: dict[str, Callable[[], Answer]], patience: float = PATIENCE) -> tuple[Answer, ...]:
    """Every question at once; whoever has not answered within ``patience`` seconds is silent."""
    found: dict[str, Answer] = {}

    def ask(witness: str, question: Callable[[], Answer]) -> None:
        found[witness] = answer(witness, question)

    threads = [threading.Thread(target=ask, args=each, name=f"look {each[0]}", daemon=True) for each in asked.items()]
    for thread in threads:
        thread.start()
    left, pause = patience, threading.Event()
    while left > 0 and any(thread.is_alive() for thread in threads):
        pause.wait(_STEP)
        left -= _STEP
    return tuple(found.get(name, Answer(name, SILENT, f"no answer in {patience:g} s")) for name in asked)


def _venue(responder: Responder) -> Answer:
    venue = responder.wiring.venue
    if venue is None:
        return Answer(VENUE, NONE, "no venue is configured: ask the broker")
    reading = heard(venue)
    held = sum((abs(one.market_value) for one in reading.positions), start=Decimal(0))
    orders = len(reading.open_orders)
    said = f"{'blocked' if reading.blocked else 'takes orders'}, {orders} open, {held:,.0f} $ held"
    return Answer(VENUE, OK, said, reading.blocked, orders, held, reading.account_label)


def _git(responder: Responder) -> Answer:
    from stages.staleness import MODE_TRAILER, STAGE_TRAILER

    if responder.wiring.settings.repository is None:
        return Answer(GIT, NONE, "no repository is configured")
    repository = responder.wiring.repository
    head = repository.fetch()
    trailers = repository.info(head).trailers
    words = [trailers.get(STAGE_TRAILER, ""), trailers.get(MODE_TRAILER, "")]
    said = " ".join(word for word in words if word)
    return Answer(GIT, OK, f"{head[:7]}{f', which made it {said}' if said else ', a commit of somebody else'}")


def _ledger(responder: Responder) -> Answer:
    wiring = responder.wiring
    if wiring.settings.ledger is None:
        return Answer(LEDGER, NONE, "no ledger is configured")
    state = wiring.late_ledger.state()
    newest = state.last_pushed
    mode = max((latch.mode for latch in state.latches.values()), default=None)
    parts = [f"at {newest.to_stage}" if newest else "no act yet", mode.name if mode is not None else "nothing held"]
    parts += ["what was spilled waits"] if wiring.spill.waiting() else []
    return Answer(LEDGER, OK, ", ".join(parts), took=_drilled(state), below=responder.below())


def _drilled(state: ControlState) -> tuple[tuple[str, float], ...]:
    """Seconds from the act until it was seen to hold, by the newest drills: at the venue, or read back."""
    from stages.drill import KILL, PASS, ROLLBACK
    from stages.drill_progress import seconds_from_act

    passed = {run.act: run for run in state.drills.values() if run.state == PASS}
    found: dict[str, float | None] = {}
    if KILL in passed:
        found["BLOCK"] = seconds_from_act(passed[KILL], "D5")
        found["CANCEL"] = seconds_from_act(passed[KILL], "D6")
        found["KILL"] = max((one for one in found.values() if one is not None), default=None)
    if ROLLBACK in passed:
        found["ROLLBACK"] = seconds_from_act(passed[ROLLBACK], "D8")
    return tuple((verb, seconds) for verb, seconds in found.items() if seconds is not None)


def _sources(responder: Responder, witness: str) -> Answer:
    """Prometheus, or the readbacks of the running system, by the sources that the policy names."""
    policy = responder.learn()
    wanted = [
        one for one in responder.wiring.outside.fetches(policy) if (one.name == "prometheus") == (witness == PROMETHEUS)
    ]
    if not wanted:
        return Answer(witness, NONE, "the policy reads nothing there")
    read = [(one.name, one.read()) for one in wanted]
    faults = [f"{name}: {fetched.error}" for name, fetched in read if fetched.error]
    if witness == RUNTIME:
        faults += [f"{name}: {one.error}" for _, got in read for name, one in got.runtime.items() if one.error]
    values = sum(len(fetched.runtime) for _, fetched in read)
    if faults:
        return Answer(witness, SILENT, "; ".join(faults))
    return Answer(witness, OK, f"{values} controls read back" if witness == RUNTIME else "answers")


def documents(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """The answers as JSON."""
    return [{"witness": one.witness, "state": one.state, "said": one.said} for one in answers]
