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

from stages.refusal import Trouble

VERSION: Final = 1
GENESIS_PREV: Final = "0" * 64
SAFE_INTEGER: Final = 2**53
CLOCK_TOLERANCE: Final = timedelta(seconds=1)
"""Writers read the clock before they queue for the ledger: a smaller step back is the queue, not the clock."""

EVERYWHERE: Final = frozenset({"authenticated", "clockStep", "drill", "reason", "signature", "spilledAt", "term"})
"""Body fields that any kind may carry. ``clockStep`` (seconds) and ``spilledAt`` are written by the store."""

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "genesis": frozenset({"fingerprint"}),
    "policy-adopted": frozenset({"digest", "version", "path", "approvals", "stages"}),
    "roster-adopted": frozenset({"digest", "path", "approvals"}),
    "plan-requested": frozenset(
        {"plan", "from", "to", "direction", "policy", "roster", "expiresAt", "gates", "blastRadius"}
    ),
    "approval-recorded": frozenset(
        {"action", "subject", "approver", "roles", "nonce", "expiresAt", "gateDigest", "roster", "token"}
    ),
    "approval-rejected": frozenset({"action", "subject", "approver", "roles"}),
    "approval-refused": frozenset({"action", "subject", "approver", "checks", "code"}),
    "approval-revoked": frozenset({"action", "subject", "approver", "nonce"}),
    "intent": frozenset(
        {
            "action",
            "plan",
            "from",
            "to",
            "mode",
            "cap",
            "direction",
            "base",
            "tree",
            "blobs",
            "consumed",
            "confirmation",
            "cause",
            "automatic",
            "latches",
            "gates",
        }
    ),
    "committed": frozenset({"sha", "tree", "base", "branch", "plan"}),
    "outcome": frozenset({"result", "sha", "witness", "detail", "steps", "left"}),
    "converged": frozenset({"sha", "to", "seconds", "witnesses"}),
    "diverged": frozenset({"sha", "to", "differences", "witnesses"}),
    "latch-opened": frozenset(
        {
            "latch",
            "trigger",
            "cause",
            "mode",
            "cap",
            "evidence",
            "clearBy",
            "clearWhen",
            "signal",
            "value",
            "limit",
            "unit",
        }
    ),
    "latch-cleared": frozenset({"latch", "approvals", "evidence", "clearedBy"}),
    "latch-clear-refused": frozenset({"latch", "code", "checks"}),
    "burn-in": frozenset({"run", "state", "progress", "objectives", "baseline", "since", "waiver", "until"}),
    "seal": frozenset({"firstTick", "lastTick", "ticks", "tickDigest", "accumulators", "phase"}),
    "gap": frozenset({"from", "to", "records", "torn", "spill", "cause"}),
    "lease": frozenset({"state", "holder", "relieved", "acting"}),
    "denied": frozenset({"code", "command", "subject", "checks"}),
    "confirmation-failed": frozenset({"subject", "attempts", "wrongWord", "command"}),
    "acknowledged": frozenset({"alarm", "latch", "until"}),
    "alarm": frozenset({"alarm", "class", "signal", "value", "limit", "unit", "latch", "detail"}),
    "alarm-suppressed": frozenset({"alarm", "class", "until", "cause"}),
    "note": frozenset({"text", "subject"}),
    "reason": frozenset({"subject", "text"}),
    "external-change": frozenset({"witness", "sha", "differences", "mode", "detail"}),
    "baseline": frozenset({"name", "value", "unit", "session", "at"}),
    "dark": frozenset({"workload", "state", "from", "until", "witness"}),
    "incident": frozenset({"incident", "severity", "state", "title", "latches"}),
    "drill": frozenset({"run", "mode", "state", "step", "target", "expected", "observed", "artifacts"}),
}
"""Every kind with the body fields of its own; a new field is one word in this table."""


class LedgerAway(Trouble):
    """The ledger cannot be read or written now. What raises risk stops; a reduction spills and goes on."""


class LedgerAltered(LedgerAway):
    """The ledger's own chain contradicts itself; ``ledger verify`` says where."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry's number and hash; ``(0, 64 zeros)`` before the genesis entry."""

    seq: int
    hash: str


EMPTY: Final = Head(0, GENESIS_PREV)


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries to look at: an empty field admits every value; ``since`` is inclusive."""

    kind: str | None = None
    actor: str | None = None
    stage: str | None = None
    intent: str | None = None
    since: datetime | None = None


EVERY: Final = EntryFilter()


@dataclass(frozen=True, slots=True)
class Draft:
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
        object.__setattr__(self, "body", {name: plain(value, name) for name, value in self.body.items()})


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. Made by ``write`` or ``parse`` only, so that ``text`` is its canonical form."""

    ledger: str
    seq: int
    prev: str
    ts: datetime
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

    @property
    def head(self) -> Head:
        """This entry seen as the newest one."""
        return Head(self.seq, self.hash)


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
            return int(value) if value.is_integer() and abs(value) < SAFE_INTEGER else value
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


def write(draft: Draft, *, ledger: str, previous: Entry | None, now: datetime) -> Entry:
    """The entry that follows ``previous``. Its time is never earlier: a step back of the clock is recorded instead."""
    ts, body = now.astimezone(UTC), dict(draft.body)
    if previous is not None and ts < previous.ts:
        if previous.ts - ts > CLOCK_TOLERANCE:
            body["clockStep"] = plain((ts - previous.ts).total_seconds())
        ts = previous.ts
    inherited = previous.epoch if previous else 0
    seq, prev = (previous.seq + 1, previous.hash) if previous else (1, GENESIS_PREV)
    epoch = inherited if draft.epoch is None else draft.epoch
    fields: dict[str, Any] = {
        "v": VERSION, "ledger": ledger, "seq": seq, "prev": prev, "ts": stamp(ts), "actor": draft.actor,
        "kind": draft.kind, "stage": draft.stage, "epoch": epoch, "intent": draft.intent, "body": body,
    }  # fmt: skip
    return Entry(
        ledger, seq, prev, ts, draft.actor, draft.kind, draft.stage, epoch, draft.intent, body,
        text=rfc8785.dumps(fields).decode(),
    )  # fmt: skip


def genesis(*, ledger: str, actor: str, fingerprint: Mapping[str, Any], now: datetime) -> Entry:
    """The first entry: ``ledger`` is its UUID, ``fingerprint`` says which target the ledger belongs to."""
    draft = Draft("genesis", None, None, actor, {"fingerprint": fingerprint})
    return write(draft, ledger=ledger, previous=None, now=now)


def parse(text: str) -> Entry:
    """The entry of a stored text; ValueError when it is none. Kinds of later versions are read, not judged."""
    try:
        fields = json.loads(text)
        if fields["v"] != VERSION:
            raise ValueError(f"entry version {fields['v']!r}, this program reads {VERSION}")
        return Entry(
            fields["ledger"], fields["seq"], fields["prev"], datetime.fromisoformat(fields["ts"]), fields["actor"],
            fields["kind"], fields["stage"], fields["epoch"], fields["intent"], fields["body"], text=text,
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a ledger entry: {error!r}") from error
