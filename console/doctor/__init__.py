"""Doctor: whether everything that Rampdeck needs is there and allowed, and what to do about what is not.

Checks run side by side, each in a thread of its own and for a bounded time; one that hangs costs nobody else anything.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from console.crash import redacted
from console.ports import Clock
from stages.refusal import Trouble
from stages.value import Struct

SECONDS: Final = 10.0
"""How long one check may take."""


class Health(Enum):
    """What a check found. The value is the word that people read."""

    OK = "ok"
    NOTE = "note"
    """It works; knowing this helps."""
    ABSENT = "absent"
    """It is not configured, and that is allowed."""
    NO = "NO"
    """It does not work, and the fix says what to do."""
    UNKNOWN = "UNKNOWN"
    """Nobody could tell: it gave no answer."""


class Finding(Struct, frozen=True):
    """One answer in one line: what is so, and what to do about it."""

    health: Health
    says: str
    fix: str = ""


class Check(Struct, frozen=True):
    """One question. ``ask`` may raise Trouble, which then counts as ``trouble``."""

    part: str
    name: str
    ask: Callable[[], Finding]
    trouble: Health = Health.UNKNOWN


class Told(Struct, frozen=True):
    """A check with what it found."""

    part: str
    name: str
    finding: Finding


class Unanswered(Trouble):
    """Somebody outside gave no answer, so that nothing can be told of what depends on it."""


def ok(says: str) -> Finding:
    """All is well."""
    return Finding(Health.OK, says)


def absent(says: str, fix: str = "") -> Finding:
    """Nothing is configured there."""
    return Finding(Health.ABSENT, says, fix)


def examine(checks: Sequence[Check], clock: Clock, seconds: float = SECONDS) -> list[Told]:
    """Asks everything at once and returns the answers in the order of the checks; late ones are UNKNOWN."""
    answers: queue.SimpleQueue[tuple[int, Finding]] = queue.SimpleQueue()
    for number, check in enumerate(checks):
        threading.Thread(
            target=_ask, args=(number, check, answers), name=f"rampdeck doctor {check.name}", daemon=True
        ).start()
    found: dict[int, Finding] = {}
    deadline = clock.monotonic() + seconds
    while len(found) < len(checks):
        try:
            number, finding = answers.get(timeout=max(0.0, deadline - clock.monotonic()))
        except queue.Empty:
            break
        found[number] = finding
    late = Finding(Health.UNKNOWN, f"no answer in {seconds:g} s", "see whether it hangs, or give it longer with --wait")
    return [Told(check.part, check.name, found.get(number, late)) for number, check in enumerate(checks)]


def exit_code(told: Sequence[Told]) -> int:
    """0 when nothing is wrong, 1 when something does not work, 2 when all that is wrong is that nobody could tell."""
    healths = {one.finding.health for one in told}
    return 1 if Health.NO in healths else 2 if Health.UNKNOWN in healths else 0


def _ask(number: int, check: Check, answers: queue.SimpleQueue[tuple[int, Finding]]) -> None:
    try:
        finding = check.ask()
    except Trouble as trouble:
        says = f"{trouble.where}: {trouble.what}" if trouble.where else trouble.what
        health = Health.UNKNOWN if isinstance(trouble, Unanswered) else check.trouble
        finding = Finding(health, redacted(" ".join(says.split())), trouble.fix)
    answers.put((number, finding))
