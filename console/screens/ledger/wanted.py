"""What a person wants to see of the ledger, typed as ``kind:intent actor:bob since:2026-11-20 some text``."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from typing import Final

from stages.entries import EVERY, KINDS, EntryFilter
from stages.value import Struct

PLAIN: Final = ("kind", "actor", "stage", "intent")
TIMES: Final = ("since", "until")
EXAMPLE: Final = "kind: actor: stage: intent: since:2026-11-20T14:30 until: any text; times in UTC; empty shows all"


class Wanted(Struct, frozen=True):
    """A filter with the text that it was typed as."""

    typed: str = ""
    only: EntryFilter = EVERY


def read_wanted(typed: str) -> Wanted:
    """The filter of what was typed; ValueError says in words what cannot be read."""
    fields: dict[str, str] = {}
    times: dict[str, datetime] = {}
    words: list[str] = []
    for word in typed.split():
        name, colon, value = word.partition(":")
        if colon and name in (*PLAIN, *TIMES):
            if not value:
                raise ValueError(f"'{name}:' needs a value")
            if name in fields or name in times:
                raise ValueError(f"'{name}:' stands twice")
            if name in TIMES:
                times[name] = _time(name, value)
            else:
                fields[name] = value
        else:
            words.append(word)
    if (kind := fields.get("kind")) is not None and kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, 1, 0.4)
        raise ValueError(f"no kind '{kind}'{f'; {near[0]}?' if near else ''}")
    kind, actor, stage, intent = (fields.get(name) for name in PLAIN)
    only = EntryFilter(kind, actor, stage, intent, times.get("since"), times.get("until"), " ".join(words) or None)
    return Wanted(" ".join(typed.split()), only)


def what_is_wrong(typed: str) -> str:
    """What cannot be read in what was typed; empty when it can."""
    try:
        read_wanted(typed)
    except ValueError as error:
        return str(error)
    return ""


def _time(name: str, value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"'{name}:{value}' is no time like 2026-11-20T14:30") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
