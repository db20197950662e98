"""Entries: what the ledger holds. Their kinds, their canonical bytes and their hash.

An entry is one RFC 8785 JSON object; its hash is the SHA-256 of those bytes, and the next entry carries it as ``prev``.
Fields are admitted by an allow-list, so that no secret can enter by accident.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import rfc8785
from msgspec.structs import force_setattr

from stages.refusal import Trouble
from stages.value import Struct

VERSION: Final = 1
GENESIS_PREV: Final = "0" * 64
SAFE_INTEGER: Final = 2**53
CLOCK_TOLERANCE: Final = timedelta(seconds=1)
"""Writers read the clock before they queue for the ledger: a smaller step back is the queue, not the clock."""

EVERYWHERE: Final = frozenset({"authenticated", "clockStep", "drill", "reason", "signature", "spilledAt", "term"})
"""Body fields that any kind may carry. ``clockStep`` (seconds) and ``spilledAt`` are written by the store."""

KINDS: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(fields.split())
    for kind, fields in {
        "genesis": "fingerprint",
        "policy-adopted": "digest version commit path looser approvals",
        "roster-adopted": "digest commit path approvals",
        "plan-requested": "plan action from to direction policy roster expires gates blastRadius",
        "approval-recorded": "plan nonce approver roles action gateReport roster issued expires environment",
        "approval-rejected": "plan approver roles action",
        "approval-refused": "plan approver roles action nonce code checks",
        "approval-revoked": "plan approver nonce",
        "intent": "act plan action from to mode cap direction market cause automatic approvals latches "
        "policy roster base tree blobs run gates confirmation expires",
        "committed": "sha tree base branch plan",
        "outcome": "outcome sha message witness detail steps left branch market refused",
        "converged": "sha to detail seconds witnesses",
        "diverged": "sha to detail differences witnesses",
        "latch-opened": "key trigger cause mode cap evidence clearRoles clearWhen signal value limit unit "
        "root incident market",
        "latch-cleared": "key trigger cause approvals evidence itself",
        "latch-clear-refused": "key command code checks",
        "burn-in": "run state started market figures baseline waiver until approvals",
        "seal": "from through count ticks accumulators phase",
        "gap": "from to records torn spill cause",
        "lease": "state holder relieved acting",
        "denied": "code command plan subject checks",
        "confirmation-failed": "command plan subject wrong attempts",
        "acknowledged": "alarm text until",
        "alarm": "alarm class signal value limit unit key text detail",
        "alarm-suppressed": "alarm class until cause",
        "note": "text subject explains",
        "permit": "permit symbol quantity until",
        "reason": "text subject",
        "external-change": "witness head author detail differences mode",
        "baseline": "name value unit session market",
        "dark": "workload state from until witness",
        "incident": "incident severity state title latches text",
        "drill": "run act mode transition state step says ok negative took budget target expected observed artifacts "
        "pins market until orders reasons path inject effects fired subject answer abandoned tidied",
    }.items()
}
"""Every kind with the body fields of its own; a new field is one more word in its line."""


class LedgerAway(Trouble):
    """The ledger cannot be read or written now. What raises risk stops; a reduction spills and goes on."""


class LedgerAltered(LedgerAway):
    """The ledger's own chain contradicts itself; ``ledger verify`` says where."""


class Head(Struct, frozen=True):
    """The newest entry's number and hash; ``(0, 64 zeros)`` before the genesis entry."""

    seq: int
    hash: str


EMPTY: Final = Head(0, GENESIS_PREV)


class EntryFilter(Struct, frozen=True):
    """Which entries to look at: an empty field admits every value.

    ``since`` is inclusive, ``until`` exclusive; ``text`` is a part of the entry's text, in any case of its letters.
    """

    kind: str | None = None
    actor: str | None = None
    stage: str | None = None
    intent: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


EVERY: Final = EntryFilter()


class Draft(Struct, frozen=True):
    """What a decision wants recorded; the store adds number, time and chain.

    ``epoch`` of None means: the epoch of the entry before it. The body is brought into its JSON form here (Decimals and
    integers beyond 2^53 become strings, times ISO-8601 UTC); an unknown kind or field is a ValueError that names it.
    """

    kind: str
    stage: str | None
    intent: str | None
    actor: str
    body: Mapping[str, Any]
    epoch: int | None = None

    def __post_init__(self) -> None:
        if (own := KINDS.get(self.kind)) is None:
            raise ValueError(f"unknown entry kind {self.kind!r}")
        if unknown := sorted(set(self.body) - own - EVERYWHERE):
            raise ValueError(f"a {self.kind!r} entry has no field {', '.join(map(repr, unknown))}")
        if not self.actor:
            raise ValueError(f"a {self.kind!r} entry needs an actor")
        force_setattr(self, "body", {name: plain(value, name) for name, value in self.body.items()})


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. Made by ``write`` or ``parse`` only, so that ``text`` is its canonical form."""

    ledger: str
    seq: int
    prev: str
    ts: str
    actor: str
    kind: str
    stage: str | None
    epoch: int
    intent: str | None
    body: Mapping[str, Any]
    text: str = field(repr=False, compare=False)
    v: int = VERSION

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """The entry and its hash as one JSON object."""
        return {**json.loads(self.text), "hash": self.hash}

    @property
    def at(self) -> datetime:
        """``ts`` as an aware UTC time; ``ts`` itself has a fixed width and sorts as text."""
        return datetime.fromisoformat(self.ts)

    @property
    def head(self) -> Head:
        """This entry seen as the newest one."""
        return Head(self.seq, self.hash)


@dataclass(frozen=True)
class StoredEntry:
    """A row of the ledger as it is stored, also where it was altered: ``hash`` is the stored one, of ``text`` or not.

    Bytes that are not UTF-8 read as U+FFFD.
    """

    seq: int
    hash: str
    text: str

    @cached_property
    def entry(self) -> Entry | None:
        """What the text says; None when it is no entry any more."""
        try:
            return parse(self.text)
        except ValueError:
            return None

    @cached_property
    def actual(self) -> str:
        """The hash of what is stored here now."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def sound(self) -> bool:
        """Whether the text is the one whose hash was stored with it, and an entry of this number."""
        return self.actual == self.hash and self.entry is not None and self.entry.seq == self.seq


def plain(value: object, where: str = "value") -> Any:
    """The JSON form of a value, equal to what a reader of the canonical text gets back; ValueError names ``where``."""
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value) if abs(value) < SAFE_INTEGER else str(int(value))
        case Decimal() if value.is_finite():
            return format(value, "f")
        case float() if math.isfinite(value):
            return plain(int(value)) if value.is_integer() else value
        case datetime():
            return stamp(value)
        case Mapping():
            return {_key(key, where): plain(item, f"{where}.{key}") for key, item in value.items()}
        case AbstractSet():
            return sorted((plain(item, where) for item in value), key=str)
        case Sequence() if not isinstance(value, (bytes, bytearray)):
            return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise ValueError(f"{where}: {value!r} of type {type(value).__name__} has no place in an entry")


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{where}: the key {key!r} is not a string")
    return key


def canonical(value: object) -> str:
    """RFC 8785 text of a value after ``plain``."""
    return rfc8785.dumps(plain(value)).decode()


def stamp(at: datetime) -> str:
    """ISO-8601 in UTC with microseconds and Z; ValueError for a naive time."""
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """An ISO time of an entry as an aware datetime."""
    return datetime.fromisoformat(text)


def write(draft: Draft, *, ledger: str, previous: Entry | None, now: datetime) -> Entry:
    """The entry that follows ``previous``, of the same epoch or a higher one.

    Its time is never earlier: a step back of the clock is recorded instead.
    """
    ts, body = stamp(now), dict(draft.body)
    if previous is not None and ts < previous.ts:
        if previous.at - now > CLOCK_TOLERANCE:
            body["clockStep"] = plain((now - previous.at).total_seconds())
        ts = previous.ts
    inherited = previous.epoch if previous else 0
    seq, prev = (previous.seq + 1, previous.hash) if previous else (1, GENESIS_PREV)
    epoch = inherited if draft.epoch is None else max(inherited, draft.epoch)
    fields: dict[str, Any] = {
        "v": VERSION, "ledger": ledger, "seq": seq, "prev": prev, "ts": ts, "actor": draft.actor,
        "kind": draft.kind, "stage": draft.stage, "epoch": epoch, "intent": draft.intent, "body": body,
    }  # fmt: skip
    return Entry(
        ledger, seq, prev, ts, draft.actor, draft.kind, draft.stage, epoch, draft.intent, body,
        text=rfc8785.dumps(fields).decode(),
    )  # fmt: skip


def genesis(*, ledger: str, actor: str, fingerprint: Mapping[str, Any] | str, now: datetime) -> Entry:
    """The first entry: ``ledger`` is its UUID, ``fingerprint`` says which target the ledger belongs to."""
    draft = Draft("genesis", None, None, actor, {"fingerprint": fingerprint})
    return write(draft, ledger=ledger, previous=None, now=now)


def parse(text: str) -> Entry:
    """The entry of a stored text; ValueError when it is none. Kinds of later versions are read, not judged."""
    try:
        fields = json.loads(text)
        if fields["v"] != VERSION:
            raise ValueError(f"entry version {fields['v']!r}, this program reads {VERSION}")
        return Entry(**fields, text=text)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not a ledger entry: {error!r}") from error
