"""The spill: a local file for what a reduction decided while the ledger was away; merged when it is back.

One JSON line per record, forced to disk. A writer that dies leaves at most one torn line: it is counted, and the file
that held it is kept.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from stages.entries import Draft, Entry, EntryFilter, LedgerAway, canonical
from stages.latching import in_epoch, keys_in
from stages.refusal import Trouble
from stages.value import Struct, replace

_STEP: Final = 0.02
"""Seconds between two tries to be the one who merges."""


class Joined(Protocol):
    """What a merge needs of a ledger."""

    def join(
        self, build: Callable[[Entry], Sequence[Draft]], *, now: datetime, deadline: float | None = None
    ) -> tuple[Entry, ...]: ...

    def newest(self, only: EntryFilter = ..., *, before: int | None = None, limit: int = 100) -> list[Entry]: ...


class Spilled(Struct, frozen=True):
    """One record: what would have been appended at ``at``, and why it could not be."""

    at: str
    cause: str
    drafts: tuple[Draft, ...]


class SpillContent(Struct, frozen=True):
    """What a spill file holds: whole records, and how many lines were torn."""

    records: tuple[Spilled, ...]
    torn: int


class Spill:
    """The spill file beside a ledger. Any thread or process of this machine may append; merging never blocks them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._merging = path.with_name(path.name + ".merging")

    def append(self, drafts: Sequence[Draft], *, at: datetime, cause: str) -> None:
        """Keep drafts on disk; Trouble when even this file cannot be written."""
        record = canonical({"at": at, "cause": cause, "drafts": [_document(draft) for draft in drafts]})
        try:
            with self._held() as file:
                size = os.fstat(file).st_size
                torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
                _write_all(file, (b"\n" if torn else b"") + record.encode() + b"\n")
                os.fsync(file)
        except OSError as error:
            raise self._trouble("cannot be written", error) from error

    def waiting(self) -> bool:
        """True while something waits to be merged."""
        found = _stat(self.path)
        return self._merging.exists() or (found is not None and found.st_size > 0)

    def read(self) -> SpillContent:
        """What waits in the file (not what a merge has claimed already)."""
        return _content(_bytes(self.path))

    def everything(self) -> SpillContent:
        """What is not in the ledger yet, in its order: also what a merge has claimed."""
        claimed, new = _content(_bytes(self._merging)), self.read()
        return SpillContent((*claimed.records, *new.records), claimed.torn + new.torn)

    def unmerged(self) -> str:
        """What waits, in words for people; empty when nothing does."""
        if not self.waiting():
            return ""
        content = self.everything()
        records, torn = content.records, content.torn
        count = f"{len(records)} decision{'' if len(records) == 1 else 's'}"
        since = f" since {records[0].at}: {records[0].cause}" if records else ""
        return f"{count}{f' and {torn} torn' if torn else ''} not in the ledger yet, kept in {self.path}{since}"

    def merge(self, ledger: Joined, *, actor: str, now: datetime, deadline: float | None = None) -> tuple[Entry, ...]:
        """Append a ``gap`` entry and what was spilled, in one transaction; empty when nothing waited.

        The file is claimed first and removed last; the ``gap`` entry names its digest, so a merge that died between its
        commit and the removal is not repeated. LedgerAway leaves everything where it is. ``deadline``: seconds to wait
        for whoever merges already, and again for the ledger; None waits for as long as it takes.
        """
        with self._merge_alone(deadline):
            merged: list[Entry] = []
            while self._claim():
                raw = self._merging.read_bytes()
                content, digest = _content(raw), sha256(raw).hexdigest()
                gaps = ledger.newest(EntryFilter(kind="gap"), limit=100)
                if all(gap.body.get("spill") != digest for gap in gaps):
                    content = replace(content, records=_once(content.records, ledger))
                    build = partial(_joining, content, digest, actor)
                    merged += ledger.join(build, now=now, deadline=deadline)
                self._put_away(digest, torn=content.torn > 0)
            return tuple(merged)

    def _put_away(self, digest: str, *, torn: bool) -> None:
        """Remove what is in the ledger now; a file with a torn line stays, under the name that its gap entry gives."""
        if torn:
            self._merging.rename(self.path.with_name(f"{self.path.name}.torn-{digest[:12]}"))
        else:
            self._merging.unlink()

    def _claim(self) -> bool:
        """Move the file aside while no one writes; True when there is something to merge."""
        if self._merging.exists():
            return True
        if not self.waiting():
            return False
        with self._held():
            self.path.rename(self._merging)
        return True

    @contextmanager
    def _held(self) -> Iterator[int]:
        """The file, opened and locked, and still the one that the path names."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                named = _stat(self.path)
                if named is not None and os.path.samestat(os.fstat(file), named):
                    yield file
                    return
            finally:
                os.close(file)

    @contextmanager
    def _merge_alone(self, deadline: float | None) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._trouble("cannot be merged", error) from error
        try:
            self._take(file, deadline)
            yield
        finally:
            os.close(file)

    def _take(self, file: int, deadline: float | None) -> None:
        """Be the only one who merges; LedgerAway when another process still does after ``deadline`` seconds."""
        if deadline is None:
            fcntl.flock(file, fcntl.LOCK_EX)
            return
        pause = threading.Event()
        for left in range(int(deadline / _STEP), -1, -1):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pause.wait(_STEP if left else 0)
            else:
                return
        raise LedgerAway("another process is merging what was spilled", where=str(self.path), fix="wait for it")

    def _trouble(self, what: str, error: OSError) -> Trouble:
        return Trouble(
            f"the spill file {what}: {error.strerror}", where=str(self.path), fix="free the disk or name another folder"
        )


def _stat(path: Path) -> os.stat_result | None:
    """What the path names, asked once: a merge may take it away between two looks."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _bytes(path: Path) -> bytes:
    """What a file holds; nothing when it is gone, which a merge may do at any time."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _document(draft: Draft) -> dict[str, Any]:
    return {
        "kind": draft.kind,
        "stage": draft.stage,
        "intent": draft.intent,
        "actor": draft.actor,
        "body": draft.body,
        "epoch": draft.epoch,
    }


def _content(raw: bytes) -> SpillContent:
    records: list[Spilled] = []
    torn = 0
    for line in filter(None, raw.split(b"\n")):
        try:
            fields = json.loads(line)
            drafts = tuple(Draft(**draft) for draft in fields["drafts"])
            records.append(Spilled(fields["at"], fields["cause"], drafts))
        except (ValueError, KeyError, TypeError):
            torn += 1
    return SpillContent(tuple(records), torn)


def _once(records: tuple[Spilled, ...], ledger: Joined) -> tuple[Spilled, ...]:
    """Without decisions that begin an act which began already: who acts and who goes on may both have spilled it."""
    kept: list[Spilled] = []
    seen: set[str | None] = set()
    for record in records:
        begins = {draft.intent for draft in record.drafts if draft.kind == "intent"}
        if not any(name in seen or _began(ledger, name) for name in begins):
            kept.append(record)
        seen |= begins
    return tuple(kept)


def _began(ledger: Joined, name: str | None) -> bool:
    return any(entry.intent == name for entry in ledger.newest(EntryFilter(kind="intent", intent=name), limit=1))


def _joining(content: SpillContent, digest: str, actor: str, newest: Entry) -> list[Draft]:
    """The gap, then every spilled draft."""
    records = content.records
    times = {"from": records[0].at, "to": records[-1].at, "cause": records[0].cause} if records else {}
    gap = {**times, "records": len(records), "torn": content.torn, "spill": digest}
    return [Draft("gap", None, None, actor, gap), *joining(records, newest.epoch)]


def joining(records: Sequence[Spilled], epoch: int) -> list[Draft]:
    """Spilled decisions as they join a ledger of ``epoch``, with the times at which they were made.

    Whoever spills knows an old epoch or none. What it raised is raised here, above all that was decided meanwhile, so
    that no plan made before this passes after it; Git does not rest on that, but on the commit of the reduction.
    """
    drafts: list[Draft] = []
    keys: dict[str, str] = {}
    for record in records:
        raised = [draft.epoch for draft in record.drafts if draft.epoch is not None]
        epoch = max(epoch + 1, *raised) if raised else epoch
        keys |= keys_in(record.drafts, epoch)
        moved = in_epoch(record.drafts, epoch, keys)
        drafts += [replace(draft, body={**draft.body, "spilledAt": record.at}) for draft in moved]
    return drafts


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
