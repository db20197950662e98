"""``rampdeck ledger list|show|verify|export``: the ledger for people and programs; read-only, never made by asking."""

from __future__ import annotations

import argparse
import csv
import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TextIO

from stages.chain import Anchor, Verification
from stages.entries import EVERY, KINDS, Entry, EntryFilter, canonical
from stages.refusal import Trouble

COLUMNS: Final = ("seq", "ts", "kind", "actor", "stage", "epoch", "intent", "body", "prev", "hash")


class ReadableLedger(Protocol):
    """The ledger as these verbs use it."""

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]: ...
    def entry(self, seq: int) -> Entry | None: ...
    def newest(self, only: EntryFilter = EVERY, *, before: int | None = None, limit: int = 100) -> list[Entry]: ...
    def verify(self, anchors: Sequence[Anchor] = ()) -> Verification: ...
    def close(self) -> None: ...


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``ledger`` with its four verbs; ``--json`` may stand before or after them."""
    verbs = subparsers.add_parser("ledger", help="list, show, verify or export what was decided").add_subparsers(
        dest="ledger_verb", metavar="list|show|verify|export", required=True
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--ledger", metavar="URL", help="sqlite:////path/to/file or postgresql://host/name")
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON document")

    listing = verbs.add_parser("list", parents=[common], help="the newest entries, oldest first")
    listing.add_argument("--kind", choices=sorted(KINDS), metavar="KIND", help="only this kind, such as latch-opened")
    listing.add_argument("--actor", help="only this actor")
    listing.add_argument("--stage", help="only this stage")
    listing.add_argument("--since", type=_time, metavar="TIME", help="ISO 8601; without a zone it is UTC")
    listing.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at most (50)")

    show = verbs.add_parser("show", parents=[common], help="one entry, whole")
    show.add_argument("seq", type=_count, metavar="SEQ")

    verbs.add_parser("verify", parents=[common], help="is it the ledger that was written? 0 yes, 1 no")

    export = verbs.add_parser("export", parents=[common], help="every entry on standard output")
    export.add_argument(
        "--format", choices=("jsonl", "csv"), default="jsonl", help="jsonl is the canonical text (default)"
    )


def run(
    args: argparse.Namespace,
    out: TextIO,
    open_ledger: Callable[[str | None], ReadableLedger],
    anchors: Sequence[Anchor] = (),
) -> int:
    """Run the verb and return its exit code; Trouble is exit code 2.

    ``open_ledger`` gets the URL of ``--ledger`` or None for the configured one; ``anchors`` are the stage commits that
    vouch for entries, where a repository is at hand.
    """
    ledger = open_ledger(args.ledger)
    try:
        match args.ledger_verb:
            case "list":
                return _list(args, out, ledger)
            case "show":
                return _show(args, out, ledger)
            case "verify":
                return _verify(args, out, ledger, anchors)
            case "export":
                return _export(args, out, ledger)
        raise Trouble(f"no ledger verb {args.ledger_verb!r}", fix="use list, show, verify or export")
    finally:
        ledger.close()


def document(entry: Entry) -> dict[str, Any]:
    """The entry and its hash as one JSON object."""
    return {**json.loads(entry.text), "hash": entry.hash}


def _list(args: argparse.Namespace, out: TextIO, ledger: ReadableLedger) -> int:
    only = EntryFilter(kind=args.kind, actor=args.actor, stage=args.stage, since=args.since)
    found = ledger.newest(only, limit=args.limit)[::-1]
    if _wants_json(args):
        json.dump({"entries": [document(entry) for entry in found]}, out)
        out.write("\n")
        return 0
    for entry in found:
        row = f"{entry.seq:>6}  {entry.ts[:19]}Z  {entry.kind:<20} {entry.stage or '-':<4} {entry.actor:<20} "
        out.write(_printable(row + _summary(entry)) + "\n")
    if not found:
        out.write("no entry passes the filter\n")
    return 0


def _show(args: argparse.Namespace, out: TextIO, ledger: ReadableLedger) -> int:
    entry = ledger.entry(args.seq)
    if entry is None:
        raise Trouble(f"no entry {args.seq}", where="ledger", fix="'rampdeck ledger list' shows the newest numbers")
    if _wants_json(args):
        json.dump(document(entry), out)
    else:
        out.write(json.dumps(document(entry), indent=2))
    out.write("\n")
    return 0


def _verify(args: argparse.Namespace, out: TextIO, ledger: ReadableLedger, anchors: Sequence[Anchor]) -> int:
    verdict = ledger.verify(anchors)
    if _wants_json(args):
        json.dump(verdict.document(), out)
        out.write("\n")
    else:
        _print_verdict(verdict, out)
    return 0 if verdict.ok else 1


def _print_verdict(verdict: Verification, out: TextIO) -> None:
    word = "verified" if verdict.ok else "INCONSISTENT"
    out.write(f"{word}: {verdict.entries} entries, head {verdict.head.seq} {verdict.head.hash[:16]}\n")
    out.writelines(_printable(f"  entry {problem.seq} {problem.problem}") + "\n" for problem in verdict.problems)
    if verdict.anchored:
        out.write(f"commit {verdict.anchored.commit} vouches up to entry {verdict.anchored.seq}\n")
    else:
        out.write("no anchor outside vouches for it: a rewritten whole would not be found\n")


def _export(args: argparse.Namespace, out: TextIO, ledger: ReadableLedger) -> int:
    if args.format == "jsonl":
        out.writelines(entry.text + "\n" for entry in ledger.entries())
        return 0
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for entry in ledger.entries():
        table.writerow(
            [entry.seq, entry.ts, entry.kind, entry.actor, entry.stage, entry.epoch, entry.intent,
             canonical(entry.body), entry.prev, entry.hash]
        )  # fmt: skip
    return 0


def _summary(entry: Entry) -> str:
    shown = [f"{name}={_short(value)}" for name, value in entry.body.items() if not isinstance(value, (dict, list))]
    return " ".join(shown)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _printable(text: str) -> str:
    """Control characters in a name must not steer the reader's terminal."""
    return "".join("?" if unicodedata.category(sign) in ("Cc", "Cf") else sign for sign in text)


def _wants_json(args: argparse.Namespace) -> bool:
    return bool(getattr(args, "json", False))


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time like 2026-11-22T14:30") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
