"""Timelines: the entries of the ledger that tell of one incident, and what they say of acts, latches and approvals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from stages.entries import Entry
from stages.value import Struct

LEAD: Final = timedelta(minutes=5)
"""How long before its first entry an incident is looked at."""

_ELSEWHERE: Final = frozenset({"seal", "baseline"})
"""Kinds that tell of measuring alone."""


class Act(Struct, frozen=True):
    """One act: its intent and the entries that follow from it, oldest first."""

    intent: Entry
    after: tuple[Entry, ...]

    def newest(self, kind: str) -> Entry | None:
        """The newest entry of a kind that belongs to the act."""
        return next((entry for entry in reversed(self.after) if entry.kind == kind), None)

    @property
    def reason(self) -> str:
        """Why, in a person's words; empty while it is owed."""
        found = self.newest("reason")
        return str(found.body.get("text", "")) if found is not None else ""

    @property
    def owes(self) -> bool:
        """Whether a reason is owed: a reduction by hand that was given none."""
        body = self.intent.body
        return body.get("act") == "reduce" and not body.get("automatic") and not self.reason


class Held(Struct, frozen=True):
    """A latch and what ended it, when something did."""

    opened: Entry
    cleared: Entry | None = None


class Timeline(Struct, frozen=True):
    """One incident. ``entries`` are all that were written from shortly before it until its end, and its own later ones.

    ``end`` is when it was resolved, or its newest entry's time while it is open.
    """

    incident: str
    title: str
    severity: str
    is_open: bool
    start: datetime
    end: datetime
    entries: tuple[Entry, ...]
    latches: tuple[Held, ...]
    acts: tuple[Act, ...]

    @property
    def opened_in(self) -> str:
        """The stage in force when it began, as the first entry that names one says; empty where none does."""
        return next((held.opened.stage for held in self.latches if held.opened.stage), "")


def roots(entries: Iterable[Entry], incident: str) -> tuple[Entry, ...]:
    """The entries that make ``incident`` one: its declaration and end, and the latches that joined it."""
    return tuple(entry for entry in entries if entry.kind in ("incident", "latch-opened") and _names(entry, incident))


def incident_of(entry: Entry) -> str:
    """The incident that an entry tells of, or the latch where nobody declared one; empty where it tells of neither."""
    latches = entry.body.get("latches") or [""]
    return str(entry.body.get("incident") or (entry.body.get("key") if "latch" in entry.kind else "") or latches[0])


def folder_name(incident: str) -> str:
    """A latch's key holds slashes; a folder's name cannot."""
    return "".join(sign if sign.isalnum() or sign in "-." else "-" for sign in incident)


def timeline(found: Sequence[Entry], entries: Iterable[Entry], incident: str) -> Timeline:
    """The timeline of ``incident`` from its ``roots`` and all ``entries`` since ``LEAD`` before the first of them."""
    declared = next((entry for entry in found if entry.body.get("state") == "declared"), None)
    resolved = next((entry for entry in found if entry.body.get("state") == "resolved"), None)
    keys = {str(entry.body["key"]) for entry in found if entry.kind == "latch-opened"}
    start, seqs = found[0].at, {entry.seq for entry in found}
    known = [entry for entry in entries if entry.kind not in _ELSEWHERE]
    own = {entry.intent for entry in known if entry.kind == "intent" and keys & set(entry.body.get("latches", ()))}
    related = [entry for entry in known if entry.seq in seqs or entry.intent in own or entry.body.get("key") in keys]
    end = resolved.at if resolved is not None else max(entry.at for entry in (*found, *related))
    mine = {entry.seq for entry in related}
    told = tuple(entry for entry in known if start - LEAD <= entry.at <= end or entry.seq in mine)
    intents = {entry.intent for entry in told if entry.kind == "intent"}
    return Timeline(
        incident,
        str(declared.body.get("title", "")) if declared is not None else str(found[0].body.get("evidence", "")),
        str(declared.body.get("severity", "")) if declared is not None else "",
        resolved is None,
        start,
        end,
        told,
        tuple(Held(entry, _cleared(known, entry)) for entry in found if entry.kind == "latch-opened"),
        tuple(_act(known, entry) for entry in told if entry.kind == "intent" and entry.intent in intents),
    )


def _names(entry: Entry, incident: str) -> bool:
    return incident in (entry.body.get("incident"), entry.body.get("key"))


def _cleared(entries: Sequence[Entry], opened: Entry) -> Entry | None:
    key = opened.body["key"]
    return next((one for one in entries if one.kind == "latch-cleared" and one.body.get("key") == key), None)


def _act(entries: Sequence[Entry], intent: Entry) -> Act:
    return Act(intent, tuple(one for one in entries if one.intent == intent.intent and one.seq != intent.seq))
