"""Follow: what became of an act. By readback while the watch runs; by the remote where a crash left no outcome."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from console.ports import Clock, LedgerStore, Repository, RunningActs
from stages.commands import RecordOutcome
from stages.entries import Entry
from stages.not_written import by_commit
from stages.refusal import Refusal, Trouble
from stages.settling import Truth, settled
from stages.staleness import EPOCH_TRAILER, INTENT_TRAILER, PLAN_TRAILER, STAGE_TRAILER
from stages.state import REDUCE, Intent
from stages.value import Struct

GRACE: Final = timedelta(minutes=2)
"""How long an act of another machine may still be at work before its outcome is asked of the remote."""


class Resolved(Struct, frozen=True):
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

    Pushed, abandoned (never resumed by itself), or unknown, which blocks every increase and no decrease. What was
    proposed as a branch is followed to its merge.
    """
    found = []
    now, state = clock.wall(), ledger.state()
    for intent in state.unresolved:
        alive = running.alive(intent.id)
        early = now - intent.at < grace
        if alive or (alive is None and early):
            continue
        outcome, message = _ask(repository, intent, early=early)
        if outcome != intent.outcome:
            branch = intent.branch if outcome == "proposed" else ""
            refused = _refused(repository, intent)
            command = RecordOutcome(actor, intent.id, outcome, intent.sha, message, branch, refused=refused)
            ledger.transact(command, now=now)
        found.append(Resolved(intent, outcome, message))
    for intent in state.awaiting:
        answer = what_became(repository, intent, epoch=state.epoch, now=now)
        if answer is not None:
            outcome, message = answer
            market = clock.market(now) if outcome == "pushed" else None
            refused = intent.refused or _refused(repository, intent)
            command = RecordOutcome(actor, intent.id, outcome, intent.sha, message, market=market, refused=refused)
            ledger.transact(command, now=now)
            found.append(Resolved(intent, outcome, message))
    return tuple(found)


def _refused(repository: Repository, intent: Intent) -> tuple[str, ...]:
    """What of a reduction is not in its own commit, which says so."""
    if intent.kind != REDUCE or not intent.sha:
        return ()
    try:
        return by_commit(repository.info(intent.sha).trailers)
    except Trouble:
        return ()


def _ask(repository: Repository, intent: Intent, *, early: bool) -> tuple[str, str]:
    """``early``: a push of its dead process may still be at work at the remote, so "not there" is not the end."""
    if not intent.sha:
        return "abandoned", "it ended before its commit was made; nothing was pushed"
    arrived = repository.contains(intent.sha)
    if arrived:
        return "pushed", "the remote has the commit"
    if arrived is None:
        return "unknown", "the remote does not answer"
    if intent.branch and repository.proposal(intent.branch) == intent.sha:
        return "proposed", f"pushed as branch {intent.branch}; nothing changes before somebody merges it"
    if early:
        return "unknown", "the remote does not have the commit yet; it is asked again"
    return "abandoned", "the remote does not have the commit; it is not pushed again"


def what_became(repository: Repository, intent: Intent, *, epoch: int, now: datetime) -> tuple[str, str] | None:
    """What became of a proposal that awaited its merge; None while it still does, or the remote does not tell.

    A proposal that raises risk does not wait for ever: a reduction, or the end of its plan's life, takes it back.
    """
    try:
        there, arrived = repository.proposal(intent.branch), repository.contains(intent.sha)
        if arrived is None:
            return None
        if arrived or _taken_over(repository, intent):
            return "pushed", f"branch {intent.branch} was merged"
        if there is None:
            return "abandoned", f"branch {intent.branch} is gone, and its change was not merged"
        overtaken = intent.kind != REDUCE and epoch > intent.epoch
        expired = intent.expires is not None and now >= intent.expires
        if not overtaken and not expired:
            return None
        why = "a reduction began meanwhile" if overtaken else "the plan expired before it was merged"
        gone = repository.withdraw(intent.branch, intent.sha)
    except Trouble:
        return None
    kept = "" if gone else f"; branch {intent.branch} COULD NOT BE TAKEN BACK: do not merge it"
    return "abandoned", f"{why}{kept}"


def _taken_over(repository: Repository, intent: Intent) -> bool:
    """Whether another commit brought the proposal: one that says so, or that left the same bytes in all its files."""
    head = repository.known_head() or ""
    try:
        proposed = repository.info(intent.sha)
    except Trouble:
        return False  # made on another machine, and its branch is gone
    for commit in repository.log(intent.sha, head):
        if _says(commit.trailers, intent):
            return True
    return all(repository.blob(head, path) == repository.blob(intent.sha, path) for path in proposed.paths)


def _says(trailers: Mapping[str, str], intent: Intent) -> bool:
    """Whether a commit names the act. A reduction's own epoch may be another one: it guessed without its ledger."""
    if intent.plan_id:
        return trailers.get(PLAN_TRAILER) == intent.plan_id
    if INTENT_TRAILER in trailers:
        return trailers[INTENT_TRAILER] == intent.id
    return trailers.get(EPOCH_TRAILER) == str(intent.epoch) and trailers.get(STAGE_TRAILER) == intent.to_stage


def settle(
    ledger: LedgerStore,
    clock: Clock,
    *,
    actor: str,
    truth: Truth,
    convergence: timedelta,
    since: datetime | None = None,
    term: int | None = None,
) -> tuple[Entry, ...]:
    """Close pushed acts by what ``truth`` says of the runtime to whoever looks since ``since``."""
    now = clock.wall()
    closed: list[Entry] = []
    for command in settled(ledger.state(), truth, actor=actor, now=now, convergence=convergence, since=since):
        answer = ledger.transact(command, now=now, term=term)
        closed += () if isinstance(answer, Refusal) else answer
    return tuple(closed)
