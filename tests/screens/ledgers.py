"""Ledgers made by hand, for pages and keys of the ledger's screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from stages.entries import Draft, Entry, StoredEntry, genesis, write
from tests.screens.states import NOW

UP, LOST, DOWN = "c360b337bcce406a9d5ac149ab7ffb84", "0ddba11" + "0" * 25, "9ffd7f564ccd4aecbe79bfd11cf2f37f"
PLANTED = "[/x] [bold]交易[/] \u202eright to left"

STORY: Sequence[tuple[str, str | None, str | None, str, dict[str, Any]]] = (
    ("policy-adopted", None, None, "alice", {"version": 1, "path": "apps/torghut/ramp.yaml", "digest": "3b" * 32}),
    ("burn-in", "L0", None, "watch@ops-1", {"state": "PASSED", "run": "L0-0-1"}),
    ("plan-requested", "L1", None, "alice", {"plan": "51" * 32, "from": "L0", "to": "L1"}),
    ("approval-recorded", None, None, "bob", {"plan": "51" * 32, "approver": "bob", "roles": ["risk"]}),
    ("intent", "L1", UP, "alice", {"act": "advance", "from": "L0", "to": "L1", "plan": "51" * 32}),
    ("committed", None, UP, "alice", {"sha": "77ac410" + "0" * 33}),
    ("outcome", None, UP, "alice", {"outcome": "pushed", "sha": "77ac410" + "0" * 33}),
    ("converged", None, UP, "watch@ops-1", {"sha": "77ac410" + "0" * 33}),
    ("note", "L1", None, "carol", {"text": PLANTED}),
    ("latch-opened", "L1", None, "watch@ops-1", {"key": "g/0", "cause": "gross over its limit", "evidence": "5,300 $"}),
    ("intent", "L0", LOST, "watch@ops-1", {"act": "reduce", "from": "L1", "to": "L0", "cause": "grossLimit"}),
    ("alarm", "L1", None, "watch@ops-1", {"class": "P1", "text": "gross over its limit: HELD"}),
)


def entries(extra: int = 0) -> list[Entry]:
    """The story of a small ramp, and as many notes before it as are wanted; a minute apart, the newest at ``NOW``."""
    notes = [("note", "L0", None, "carol", {"text": f"note {number}"}) for number in range(extra)]
    drafts = [Draft(*one) for one in (*notes, *STORY)]
    started = NOW - timedelta(minutes=len(drafts))
    chain = [genesis(ledger="6f1c9a52", actor="ops", fingerprint={"namespace": "torghut"}, now=started)]
    for number, draft in enumerate(drafts, 1):
        chain.append(write(draft, ledger="6f1c9a52", previous=chain[-1], now=started + timedelta(minutes=number)))
    return chain


def stored(chain: Sequence[Entry]) -> list[StoredEntry]:
    return [StoredEntry(each.seq, each.hash, each.text) for each in chain]


def story(extra: int = 0) -> list[StoredEntry]:
    return stored(entries(extra))


def following(chain: Sequence[StoredEntry], count: int) -> list[StoredEntry]:
    """``count`` more notes after a ledger's newest entry."""
    last = chain[-1].entry
    assert last is not None
    made: list[Entry] = []
    for number in range(count):
        draft = Draft("note", None, None, "dave", {"text": f"later {number}"})
        last = write(draft, ledger=last.ledger, previous=last, now=last.at + timedelta(seconds=1))
        made.append(last)
    return stored(made)
