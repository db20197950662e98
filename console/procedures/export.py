"""Exporting entries: canonical text line by line, one JSON document, or a table. Written as they come, never held."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import IO, Final

from stages.entries import Entry, canonical

FORMATS: Final = ("jsonl", "csv")
COLUMNS: Final = ("seq", "ts", "kind", "actor", "stage", "epoch", "intent", "body", "prev", "hash")


def export_entries(entries: Iterable[Entry], form: str, stream: IO[str]) -> int:
    """Writes ``entries`` as ``jsonl``, ``csv`` or one ``json`` document and returns how many there were."""
    match form:
        case "csv":
            return _table(entries, stream)
        case "json":
            return _document(entries, stream)
        case _:
            return _lines(entries, stream)


def _lines(entries: Iterable[Entry], stream: IO[str]) -> int:
    """The canonical text, so that hashes can be taken of what was exported."""
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007 - counted while they stream
        stream.write(entry.text + "\n")
    return count


def _document(entries: Iterable[Entry], stream: IO[str]) -> int:
    count = 0
    stream.write('{"entries":[')
    for count, entry in enumerate(entries, 1):
        stream.write(("," if count > 1 else "") + entry.text)
    stream.write("]}\n")
    return count


def _table(entries: Iterable[Entry], stream: IO[str]) -> int:
    count = 0
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(COLUMNS)
    for count, entry in enumerate(entries, 1):  # noqa: B007 - counted while they stream
        table.writerow(
            [entry.seq, entry.ts, entry.kind, entry.actor, entry.stage, entry.epoch, entry.intent,
             canonical(entry.body), entry.prev, entry.hash]
        )  # fmt: skip
    return count
