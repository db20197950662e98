"""Looking in panic: every witness asked at once, each in a thread of its own, and whoever is silent is named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from console.containment import heard
from console.crash import redacted
from stages.refusal import Trouble
from stages.value import Struct

if TYPE_CHECKING:
    from console.panic.acting import Responder
    from stages.owing import Owed
    from stages.policy import Policy
    from stages.state import ControlState
    from stages.witness import RuntimeReading

VENUE, GIT, RUNTIME, LEDGER, PROMETHEUS = "venue", "Git", "runtime", "ledger", "Prometheus"
WITNESSES: Final = (GIT, RUNTIME, LEDGER, PROMETHEUS, VENUE)
TRUTH: Final = (GIT, RUNTIME, VENUE)
"""The three whose words must be one; Prometheus and the ledger only tell of them."""
OK, SILENT, NONE = "ok", "?", "none"
SENT, STOPPED = "sent", "stopped"

_STEP: Final = 0.02
PATIENCE: Final = 6.0
"""Seconds for which a look waits for a witness that says nothing."""


class Answer(Struct, frozen=True):
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
    owed: Owed | None = None
    """Of the ledger: the newest reason that is owed."""
    source: str = ""
    """Whom it asked."""
    at: datetime | None = None
    """As of when: the venue's own time, the fetch of Git, or the oldest readback."""
    orders_word: str = ""
    """What it would do with a new order: sent, exits only, or stopped; empty while nobody knows."""


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
    word = STOPPED if reading.blocked else SENT
    return Answer(
        VENUE, OK, said, reading.blocked, orders, held, reading.account_label, source=_address(responder),
        at=reading.as_of, orders_word=word,
    )  # fmt: skip


def _address(responder: Responder) -> str:
    venue = responder.wiring.settings.venue
    return redacted(venue.url) if venue is not None else ""


def _git(responder: Responder) -> Answer:
    from stages.standing import Manifests, assess, read_controls
    from stages.truth import UNREAD, new_orders, stage_name

    if responder.wiring.settings.repository is None:
        return Answer(GIT, NONE, "no repository is configured")
    repository = responder.wiring.repository
    head = repository.fetch()
    source, at = f"{responder.wiring.settings.repository.branch} at {head[:7]}", responder.wiring.clock.wall()
    policy = responder.learn()
    controls = read_controls(policy, Manifests(policy, partial(repository.read, head)))
    standing, word = assess(policy, controls), new_orders(policy, controls.values)
    unread = f", {len(standing.unread)} controls not read" if standing.unread else ""
    stage = stage_name(policy, standing)
    said = f"{stage if stage != UNREAD else 'stage not known'} {standing.mode.words}{unread}"
    return Answer(GIT, OK, said, source=source, at=at, orders_word=word or "")


def _ledger(responder: Responder) -> Answer:
    from stages.owing import owed

    wiring = responder.wiring
    if wiring.settings.ledger is None:
        return Answer(LEDGER, NONE, "no ledger is configured")
    state = wiring.late_ledger.state()
    newest = state.last_pushed
    mode = max((latch.mode for latch in state.latches.values()), default=None)
    parts = [f"at {newest.to_stage}" if newest else "no act yet", mode.words if mode is not None else "nothing held"]
    parts += ["what was spilled waits"] if wiring.spill.unmerged() else []
    debts = owed(state, wiring.clock.wall())
    parts += [one.text for one in debts]
    newest_debt = debts[-1] if debts else None
    return Answer(LEDGER, OK, ", ".join(parts), took=_drilled(state), below=responder.below(), owed=newest_debt)


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
    source = ", ".join(name for name, _ in read)
    if faults:
        return Answer(witness, SILENT, "; ".join(faults), source=source)
    if witness == PROMETHEUS:
        return Answer(witness, OK, "answers", source=source, at=min(fetched.at for _, fetched in read))
    readings = {name: one for _, fetched in read for name, one in fetched.runtime.items()}
    return _runtime(policy, readings, source)


def _runtime(policy: Policy, readings: Mapping[str, RuntimeReading], source: str) -> Answer:
    """What the running system reads back; nothing read is no answer."""
    from stages.truth import new_orders

    if not readings:
        return Answer(RUNTIME, SILENT, "no control is read back", source=source)
    word = new_orders(policy, {name: one.value for name, one in readings.items()}) or ""
    said = f"{len(readings)} of {len(policy.spec.controls)} controls read back, new orders {word or 'not known'}"
    return Answer(
        RUNTIME, OK, said, source=source, at=min(one.read_time for one in readings.values()), orders_word=word
    )


def agreement(answers: Iterable[Answer]) -> bool | None:
    """Whether Git, runtime and venue would do the same with a new order; None while one of them is not known."""
    told = {one.witness: one.orders_word for one in answers if one.witness in TRUTH and one.state != NONE}
    if len({word for word in told.values() if word}) > 1:
        return False
    return None if len(told) < 2 or "" in told.values() else True


def documents(answers: Iterable[Answer], wall: datetime) -> list[dict[str, Any]]:
    """The answers as JSON; ``ageSeconds`` is None where nobody tells of a time."""
    return [
        {
            "witness": one.witness, "state": one.state, "said": one.said, "source": one.source, "at": one.at,
            "ageSeconds": _age(one, wall), "newOrders": one.orders_word or None,
        }
        for one in answers
    ]  # fmt: skip


def sentence(one: Answer, wall: datetime) -> str:
    """The answer in one line: who, what, by which source, when, and how old that is."""
    age = _age(one, wall)
    when = f", {one.at:%H:%M:%S}Z, {age:.0f} s ago" if one.at is not None and age is not None else ""
    source = f" ({one.source}{when})" if one.source else when
    return f"{one.witness}: {one.said}{source}"


def _age(one: Answer, wall: datetime) -> float | None:
    return None if one.at is None else max(0.0, round((wall - one.at).total_seconds(), 1))
