"""The ground of a drill: what both kinds look at on the paper target before, and after."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import partial
from typing import Final

from console.containment import heard
from console.drilling.course import Course, plain
from console.ports import AppReading, Fill
from stages.commands import ClearLatch, RecordSettled
from stages.drill import INJECTED
from stages.ladder import Value
from stages.policy import Policy
from stages.posture import Latch, Mode
from stages.refusal import Refusal, Trouble
from stages.standing import Standing, assess, read_controls
from stages.value import Struct
from stages.witness import VenueReading

TRIES: Final = 20
_CENT: Final = Decimal("0.02")
"""Two venue readings are each rounded to the cent."""


class Baseline(Struct, frozen=True):
    """The book at one moment: what the venue said, with the number of the newest fill."""

    reading: VenueReading
    fill: int

    def missing(self, now: VenueReading, fills: tuple[Fill, ...]) -> tuple[str, ...]:
        """How ``now`` differs from this book and the fills since; a paper strategy that trades goes on trading."""
        expected: dict[str, Decimal] = defaultdict(Decimal)
        for position in self.reading.positions:
            expected[position.symbol] += position.quantity
        cash = self.reading.cash or Decimal(0)
        for fill in fills:
            if fill.seq > self.fill:
                expected[fill.symbol] += fill.quantity
                cash += fill.cash
        held = {position.symbol: position.quantity for position in now.positions}
        odd = [
            f"{symbol} {held.get(symbol, 0)} instead of {expected[symbol]}"
            for symbol in sorted({*expected, *held})
            if expected[symbol] != held.get(symbol, 0)
        ]
        if now.cash is None or abs(now.cash - cash) > _CENT:
            odd.append(f"cash {now.cash} instead of {cash:.2f}")
        return tuple(odd)


def stable_book(course: Course) -> Baseline:
    """The book between two equal looks at the tape, so that its parts belong together. Raises Trouble."""
    venue = course.target.venue
    for _ in range(TRIES):
        before = _newest(venue.fills())
        reading = heard(venue)
        if _newest(venue.fills()) == before:
            course.note("venue", plain(reading))
            return Baseline(reading, before)
    raise Trouble("the book never stood still long enough to be read")


def _newest(fills: tuple[Fill, ...]) -> int:
    return fills[-1].seq if fills else 0


def fingerprint(course: Course) -> None:
    """D0: the venue reports the declared account, and nothing of it is the live target's."""
    target, live = course.target, course.live
    reading = heard(target.venue)
    course.note("venue", plain(reading))
    declared = f"{target.scope.account} {target.scope.environment}"
    reported = f"{reading.account_label} {reading.environment}"
    course.find("the account is the declared one", reported == declared, reported, expected=declared)
    course.find("it is a paper account", reading.environment == "paper", reading.environment, expected="paper")
    shared = target.scope.shares(live.scope)
    course.find("account, path and namespace are not the live ones", not shared, ", ".join(shared))
    if live.venue is not None:
        theirs = heard(live.venue)
        course.note("live venue", plain(theirs))
        differs = theirs.account_label != reading.account_label
        course.find("the live venue reports another account", differs, theirs.account_label)
    standing = standing_now(course)
    known = standing.stage is not None and not standing.unread
    course.find(
        "the target stands at a known stage, NORMAL",
        known and standing.mode is Mode.NORMAL,
        _said(course.target.policy, standing),
    )
    course.find("the target takes orders", not reading.blocked, "blocked" if reading.blocked else "open")
    head = target.repository.fetch()
    # An application that still runs what an earlier drill left would not restart for this one's act.
    runs = course.wait(lambda: target.venue.app().revision == head)
    course.find("the application runs what Git says", runs, head[:8])


def _said(policy: Policy, standing: Standing) -> str:
    place = "between stages" if standing.stage is None else policy.stages[standing.stage].name
    return f"{place}, {standing.mode.words}"


def standing_now(course: Course) -> Standing:
    """Where the manifests of the target stand at the remote's head. Raises Trouble."""
    repository = course.target.repository
    head = repository.fetch()
    return assess(course.target.policy, read_controls(course.target.policy, partial(repository.read, head)))


def target_files(course: Course, head: str) -> dict[str, bytes]:
    """Every bound file of the target at a commit."""
    policy, repository = course.target.policy, course.target.repository
    folder = policy.spec.target.gitops_path
    names = {f"{folder}/{one.file}" for control in policy.spec.controls.values() for one in control.bindings}
    found = {name: repository.read(head, name) for name in sorted(names)}
    return {name: content for name, content in found.items() if content is not None}


def agrees(app: AppReading, controls: dict[str, Value]) -> bool:
    """Whether the trading process says of itself what is wanted, for every control that it tells."""
    told = (name for name in controls if name in app.controls)
    return all(same_value(app.controls[name], controls[name]) for name in told)


def same_value(said: object, wanted: object) -> bool:
    """Whether two tellings of a control mean the same: a number however it is written, a list in any order."""
    return _word(said) == _word(wanted)


def _word(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(sorted(str(one) for one in value))
    try:
        return str(Decimal(str(value)).normalize())
    except ArithmeticError:
        return str(value).casefold()


def close_act(course: Course, intent: str, sha: str, *, converged: bool) -> None:
    """Close the act in the target's ledger, where no watch does it: a later reflex must not think it under way."""
    if intent in {one.id for one in course.target.ledger.state().settling}:
        command = RecordSettled(course.actor, intent, converged, sha, "seen by the drill")
        course.target.ledger.transact(command, now=course.around.clock.wall())


def refused_clear(course: Course, latch: Latch) -> None:
    """Somebody without any right asks to end ``latch``: that must be refused, and kept."""
    target = course.target
    before = target.ledger.head().seq
    command = ClearLatch("a stranger", latch.key, gone=True, explanation="drill")
    said = target.ledger.transact(command, now=course.around.clock.wall())
    words = said.reason if isinstance(said, Refusal) else "it was cleared"
    course.find("a clear without right is refused", isinstance(said, Refusal), words, negative=True)
    kept = [entry.kind for entry in target.ledger.entries(after=before)]
    course.find("the refusal is recorded", "latch-clear-refused" in kept, ", ".join(kept))


def injected(course: Course) -> Latch | None:
    """The latch that the drill's injected input holds open; None when it was fired otherwise, or killed."""
    latches = course.target.ledger.state().latches.values()
    return next((one for one in latches if one.trigger == INJECTED and not one.killed), None)


def withdraw_input(course: Course) -> str:
    """Take the injected input back, which ends its latch; why it did not, empty when nothing is held any more."""
    latch = injected(course)
    if latch is None:
        return ""
    command = ClearLatch(course.actor, latch.key, gone=True, evidence="the drill's input is gone", by_itself=True)
    said = course.target.ledger.transact(command, now=course.around.clock.wall())
    return said.reason if isinstance(said, Refusal) else ""
