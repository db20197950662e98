"""Follow: what became of an act. By readback while the watch runs; by the remote where a crash left no outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from console.ports import Clock, LedgerStore, Repository, RunningActs
from stages.commands import RecordOutcome
from stages.entries import Entry
from stages.refusal import Refusal
from stages.settling import Truth, settled
from stages.state import Intent

GRACE: Final = timedelta(minutes=2)
"""How long an act of another machine may still be at work before its outcome is asked of the remote."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """An act that a crash left without an outcome, and what the remote said of it."""

    intent: Intent
    outcome: str
    message: str


def resolve(
    ledger: LedgerStore,
    repository: Repository,
    running: RunningActs,
    clock: Clock,
    *,
    actor: str,
    grace: timedelta = GRACE,
) -> tuple[Resolved, ...]:
    """Settle with the remote what nobody carries out any more and nobody knows the outcome of.

    Pushed, abandoned (never resumed by itself), or unknown, which blocks every increase and no decrease.
    """
    found = []
    now = clock.wall()
    for intent in ledger.state().unresolved:
        alive = running.alive(intent.id)
        if alive or (alive is None and now - intent.at < grace):
            continue
        outcome, message = _ask(repository, intent)
        if outcome != intent.outcome:
            ledger.transact(RecordOutcome(actor, intent.id, outcome, intent.sha, message), now=now)
        found.append(Resolved(intent, outcome, message))
    return tuple(found)


def _ask(repository: Repository, intent: Intent) -> tuple[str, str]:
    if not intent.sha:
        return "abandoned", "it ended before its commit was made; nothing was pushed"
    match repository.contains(intent.sha):
        case True:
            return "pushed", "the remote has the commit"
        case False:
            return "abandoned", "the remote does not have the commit; it is not pushed again"
        case _:
            return "unknown", "the remote does not answer"


def settle(
    ledger: LedgerStore, clock: Clock, *, actor: str, truth: Truth, convergence: timedelta, term: int | None = None
) -> tuple[Entry, ...]:
    """Close pushed acts by what ``truth`` says of the runtime."""
    now = clock.wall()
    closed: list[Entry] = []
    for command in settled(ledger.state(), truth, actor=actor, now=now, convergence=convergence):
        answer = ledger.transact(command, now=now, term=term)
        closed += () if isinstance(answer, Refusal) else answer
    return tuple(closed)
