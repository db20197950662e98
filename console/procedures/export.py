"""Exporting entries: canonical text line by line, one JSON document, or a table. Written as they come, never held."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final

from stages.entries import Entry, canonical
from stages.refusal import Trouble

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


def write_new(target: Path, write: Callable[[IO[str]], int]) -> int:
    """Makes the file ``target`` by ``write`` and returns what that returns; it appears whole or not at all.

    Only its owner reads it. Raises Trouble where it is there already, which is never written over, and where it cannot
    be written.
    """
    try:
        if target.exists():
            raise FileExistsError
        return _write_beside(target, write)
    except FileExistsError as error:
        raise Trouble("is there already", where=str(target), fix="name another file") from error
    except OSError as error:
        raise Trouble(f"cannot be written: {error.strerror}", where=str(target), fix="name another file") from error


def _write_beside(target: Path, write: Callable[[IO[str]], int]) -> int:
    with NamedTemporaryFile("w", dir=target.parent, prefix=".", encoding="utf-8", newline="", delete=False) as stream:
        part = Path(stream.name)
        try:
            count = write(stream)
            stream.flush()
            _name(part, target)
        finally:
            part.unlink(missing_ok=True)
    return count


def _name(part: Path, target: Path) -> None:
    """A link is refused where somebody was quicker; some file systems know none."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        part.rename(target)


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
