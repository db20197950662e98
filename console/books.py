"""Books: the ledger for a screen, page by page, verified slice by slice behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from console.closeups import read_closeup
from console.desk import Leaf, Proof, Told
from console.ports import Clock, Observations, Repository
from console.procedures.export import export_entries, write_new
from console.strides import Tally
from console.vouching import NEWEST, anchors
from stages.chain import Anchor, Audit, Problem, Row
from stages.closeup import Closeup
from stages.entries import EVERY, Entry, EntryFilter, Head, StoredEntry
from stages.pairing import endings
from stages.policy import Policy
from stages.refusal import Trouble
from stages.signals import SignalKey
from stages.value import Struct, field, replace

SLICE: Final = 20_000
"""Entries verified in one call: some 60 ms, so that a page never waits long for its turn of the processor."""


class Pages(Protocol):
    """The ledger's reader, as far as books need it."""

    def head(self) -> Head: ...
    def entries(self, after: int = 0, limit: int | None = None, only: EntryFilter = EVERY) -> Iterator[Entry]: ...
    def stored(
        self, only: EntryFilter = EVERY, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> list[StoredEntry]: ...
    def companions(self, intents: Collection[str], limit: int = 2000) -> list[StoredEntry]: ...
    def unanswered(self, limit: int = 20) -> list[int]: ...
    def count(self, only: EntryFilter = EVERY) -> int: ...
    def slice(self, after: int, limit: int) -> tuple[list[Row], Head | None]: ...


class _Progress(Struct):
    """An audit under way, and the proof of the last time that it reached the head."""

    audit: Audit = field(default_factory=Audit)
    seconds: float = 0.0
    proof: Proof | None = None


class LedgerBooks:
    """The books of one ledger. Calls come from many threads; an audit goes on where the last call left it."""

    def __init__(
        self,
        open_ledger: Callable[[], Pages],
        clock: Clock,
        actor: str,
        repository: Callable[[], Repository] | None = None,
        observations: Callable[[], Observations] | None = None,
    ) -> None:
        self._open, self._clock, self._actor, self._repository = open_ledger, clock, actor, repository
        self._observations = observations
        self._progress = _Progress()
        self._turn = threading.Lock()

    @cached_property
    def _pages(self) -> Pages:
        return self._open()

    # --------------------------------------------------------------------------------------------------------- pages

    def leaf(self, only: EntryFilter, *, before: int | None = None, after: int | None = None, limit: int = 200) -> Leaf:
        head = self._pages.head()
        found = self._pages.stored(only, before=before, after=after, limit=limit + 1)
        more = len(found) > limit
        if more:
            found = found[1:] if after is not None else found[:limit]
        intents = {one.entry.intent for one in found if one.entry is not None and one.entry.intent is not None}
        companions = (one.entry for one in self._pages.companions(intents) if one.entry is not None)
        return Leaf(tuple(found), head, more, endings(companions))

    def companions(self, intent: str) -> tuple[StoredEntry, ...]:
        return tuple(self._pages.companions({intent}))

    def count(self, only: EntryFilter) -> int:
        return self._pages.count(only)

    def closeup(self, policy: Policy, key: SignalKey, start: datetime, end: datetime) -> Closeup:
        return read_closeup(self._pages, self._kept, policy, key, start, end)

    def _kept(self) -> Observations:
        if self._observations is None:
            raise Trouble("no observations are kept here")
        return self._observations()

    # -------------------------------------------------------------------------------------------------- verification

    def verification(self, *, again: bool = False) -> Proof:
        with self._turn:
            if again:
                self._progress = _Progress()
            progress = self._progress
            last = progress.proof
            head = self._pages.head()
            if last is not None and last.done and head == progress.audit.last:
                return last
            started = self._clock.monotonic()
            rows, head_row = self._pages.slice(progress.audit.last.seq, SLICE)
            progress.audit.read(rows)
            progress.seconds += self._clock.monotonic() - started
            progress.proof = self._proof(progress, head_row or head, done=len(rows) < SLICE, row=head_row)
            return progress.proof

    def _proof(self, progress: _Progress, head: Head, *, done: bool, row: Head | None) -> Proof:
        audit = progress.audit
        proof = Proof(audit.last.seq, max(head.seq, audit.last.seq), audit.problems, seconds=progress.seconds)
        if not done:
            return proof
        anchor, broken = self._anchored()
        problems = (*audit.verdict(row).problems, *broken)
        return replace(
            proof,
            done=True,
            problems=tuple(sorted(problems, key=lambda problem: problem.seq)),
            at=self._clock.wall(),
            anchor=anchor,
            unanswered=tuple(self._pages.unanswered()),
        )

    def _anchored(self) -> tuple[Anchor | None, list[Problem]]:
        """The newest entry that a stage commit vouches for, and what contradicts one; the rows are verified by now."""
        newest: Anchor | None = None
        problems: list[Problem] = []
        for anchor in self._anchors():
            found = self._pages.stored(before=anchor.seq + 1, limit=1)
            if not found or found[0].seq != anchor.seq:
                problems.append(Problem(anchor.seq, f"is missing: commit {anchor.commit[:7]} vouches for it"))
            elif found[0].actual != anchor.hash:
                problems.append(Problem(anchor.seq, f"is not the entry that commit {anchor.commit[:7]} vouches for"))
            elif newest is None or anchor.seq > newest.seq:
                newest = anchor
        return newest, problems

    def _anchors(self) -> list[Anchor]:
        """What Git says of this ledger. Without Git nothing outside vouches, which is then said."""
        if self._repository is None:
            return []
        first = next(iter(self._pages.entries(limit=1)), None)
        committed = self._pages.stored(EntryFilter(kind="committed"), limit=NEWEST)
        shas = [str(one.entry.body.get("sha", "")) for one in committed if one.entry is not None]
        try:
            return anchors(self._repository(), first.ledger if first is not None else "", filter(None, shas))
        except Trouble:
            return []

    # ------------------------------------------------------------------------------------------------------- writing

    def export(self, only: EntryFilter, path: str, tally: Tally) -> Told:
        target = Path(path).expanduser().absolute()
        form = "csv" if target.suffix.casefold() == ".csv" else "jsonl"
        entries = tally.over(self._pages.entries(only=only))
        count = write_new(target, lambda stream: export_entries(entries, form, stream))
        return Told(True, f"{count:,} {'entry' if count == 1 else 'entries'}, {form}, in {target}")

    def write_down(self, policy: Policy, incident: str, path: str) -> Told:
        from console.procedures.postmortem import Sources, in_words, write_down

        folder = Path(path).expanduser().absolute()
        sources, now = Sources(self._pages, self._kept), self._clock.wall()
        _, files = write_down(sources, policy, incident, folder, by=self._actor, now=now)
        return Told(True, in_words(incident, folder, files))
