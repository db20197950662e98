"""Verification: is the ledger the one that was written? Hash-only, over the stored text, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from stages.entries import EMPTY, GENESIS_PREV, Head
from stages.value import Struct

Row = tuple[int, str, str, bytes]
"""``(seq, prev, hash, entry)`` as stored: three columns and the entry's UTF-8 bytes."""

MARK: Final = b'"ledger":"'
"""Keys are sorted and quotes inside strings are escaped, so its last occurrence is the entry's own field."""


class Anchor(Struct, frozen=True):
    """A place outside that vouches: a stage commit whose trailer names an entry and its hash."""

    seq: int
    hash: str
    commit: str


class Problem(Struct, frozen=True):
    """What is wrong, and at which entry."""

    seq: int
    problem: str


class Verification(Struct, frozen=True):
    """The verdict. ``anchored`` is the newest entry that an anchor outside vouches for."""

    entries: int
    head: Head
    anchored: Anchor | None
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """True when nothing contradicts the chain, the head row or an anchor."""
        return not self.problems

    def document(self) -> dict[str, Any]:
        """The JSON form: ``{ok, entries, head, anchored, problems}``."""
        anchored = {"seq": self.anchored.seq, "commit": self.anchored.commit} if self.anchored else None
        return {
            "ok": self.ok,
            "entries": self.entries,
            "head": {"seq": self.head.seq, "hash": self.head.hash},
            "anchored": anchored,
            "problems": [{"seq": problem.seq, "problem": problem.problem} for problem in self.problems],
        }


class Audit:
    """One pass over a chain, in as many pieces as one likes; memory does not grow with the ledger, only its problems.

    ``entries`` have been read so far and ``last`` is the newest of them, by its own hash.
    """

    def __init__(self, anchors: Sequence[Anchor] = ()) -> None:
        self.entries = 0
        self.last: Head = EMPTY
        self._stored_link = GENESIS_PREV
        self._ledger, self._prefix = b"", ""
        self._wanted: dict[int, list[Anchor]] = {}
        for anchor in anchors:
            self._wanted.setdefault(anchor.seq, []).append(anchor)
        self._anchored: Anchor | None = None
        self._problems: list[Problem] = []

    def read(self, rows: Iterable[Row]) -> None:
        """Compare each row, in the order of ``seq``, with its text, its predecessor and the anchors."""
        count, last, link, stored_link = self.entries, self.last.seq, self.last.hash, self._stored_link
        wanted, prefix = self._wanted, self._prefix
        for seq, prev, digest, text in rows:
            if not count:
                self._ledger = _ledger_of(text)
                self._prefix = prefix = f'"ledger":"{self._ledger.decode("utf-8", "replace")}","prev":"'
            count += 1
            actual = sha256(text).hexdigest()
            own = f'{prefix}{link}","seq":{seq},'.encode()
            if not (seq == last + 1 and digest == actual and prev == link and text.startswith(own, text.rfind(MARK))):
                links = (link, stored_link)
                self._problems += _diagnose(seq, prev, digest, text, actual, last, links, self._ledger)
            if wanted and seq in wanted:
                for anchor in wanted.pop(seq):
                    self._compare(anchor, actual)
            last, link, stored_link = seq, actual, digest
        self.entries, self.last, self._stored_link = count, Head(last, link), stored_link

    def _compare(self, anchor: Anchor, actual: str) -> None:
        if anchor.hash == actual:
            self._anchored = anchor
        else:
            self._problems.append(Problem(anchor.seq, f"is not the entry that commit {anchor.commit} vouches for"))

    def verdict(self, head: Head | None) -> Verification:
        """What is known when nothing follows what was read, and the head row reads ``head``."""
        missing = [
            Problem(anchor.seq, f"is missing: commit {anchor.commit} vouches for it")
            for wanted in self._wanted.values()
            for anchor in wanted
        ]
        problems = (*self._problems, *_tail(self.last.seq, self.last.hash, head), *missing)
        return Verification(self.entries, self.last, self._anchored, problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong with the rows so far."""
        return tuple(self._problems)


def verify(rows: Iterable[Row], head: Head | None, anchors: Sequence[Anchor] = ()) -> Verification:
    """The whole chain in one pass; ``rows`` may be a stream."""
    audit = Audit(anchors)
    audit.read(rows)
    return audit.verdict(head)


def _ledger_of(text: bytes) -> bytes:
    start = text.rfind(MARK) + len(MARK)
    return text[start : text.find(b'"', start)]


def _diagnose(
    seq: int, prev: str, digest: str, text: bytes, actual: str, last: int, links: tuple[str, str], ledger: bytes
) -> list[Problem]:
    """Name what is wrong with an entry that failed the quick look; ``links``: the hash before it, true and stored."""
    found: list[Problem] = []
    if seq > last + 1:
        found.append(Problem(last + 1, f"is missing{_through(last + 1, seq - 1)}"))
    if digest != actual:
        found.append(Problem(seq, "was altered: its text does not give the stored hash"))
    own = text[text.rfind(MARK) :]
    if not own.startswith(b'"ledger":"%b",' % ledger):
        found.append(Problem(seq, "belongs to another ledger or is not an entry"))
        return found
    said_prev, said_seq = _said(own)
    if said_seq != str(seq):
        found.append(Problem(seq, f"was moved: its text says it is entry {said_seq}"))
    if said_prev != prev:
        found.append(Problem(seq, "its prev column differs from its text"))
    if seq == last + 1 and said_prev not in links:
        # An unaltered successor is the witness of what stood before it.
        blamed, text_is = (
            (seq - 1, "is not the entry that its successor was written after")
            if last
            else (seq, "does not start the chain")
        )
        found.append(Problem(blamed, text_is))
    return found


def _said(own: bytes) -> tuple[str, str]:
    """``prev`` and ``seq`` of an entry, read from the text's own last fields."""
    parts = own.decode("utf-8", "replace").split(",", 3)
    said = dict(part.split(":", 1) for part in parts[:3] if ":" in part)
    return said.get('"prev"', "").strip('"'), said.get('"seq"', "?")


def _through(first: int, last: int) -> str:
    return f", and every entry up to {last}" if last > first else ""


def _tail(last: int, link: str, head: Head | None) -> list[Problem]:
    if head is None:
        return [Problem(last + 1, "the head row is missing")]
    if head.seq > last:
        return [Problem(last + 1, f"is missing{_through(last + 1, head.seq)}: the head row names {head.seq}")]
    if head.seq < last:
        return [Problem(head.seq + 1, f"was added past the head row, which names {head.seq}")]
    if last == 0:
        return [Problem(1, "the ledger is empty: its genesis entry is missing")]
    return [] if head.hash == link else [Problem(last, "is not the entry that the head row names")]
