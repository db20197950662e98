"""``rampdeck ledger list|show|verify|export``: the ledger for people and programs; read-only, never made by asking."""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from console.output import Output
from console.procedures.export import FORMATS, export_entries
from stages.chain import Anchor, Verification
from stages.entries import EVERY, KINDS, Entry, EntryFilter
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.ports import Repository


class ReadableLedger(Protocol):
    """The ledger as these verbs use it."""

    def entries(self, after: int = 0, limit: int | None = None, only: EntryFilter = EVERY) -> Iterator[Entry]: ...
    def entry(self, seq: int) -> Entry | None: ...
    def newest(self, only: EntryFilter = EVERY, *, before: int | None = None, limit: int = 100) -> list[Entry]: ...
    def verify(self, anchors: Sequence[Anchor] = ()) -> Verification: ...
    def close(self) -> None: ...


class KeepsAside(Protocol):
    """The file in which decisions wait while the ledger is away."""

    def unmerged(self) -> str: ...


class OpensLedgers(Protocol):
    """What these verbs need of the wiring: the ledger of a URL, or of the configuration for None, and its spill."""

    def ledger_reader(self, url: str | None = None) -> ReadableLedger: ...
    @property
    def spill(self) -> KeepsAside: ...
    @property
    def repository(self) -> Repository: ...


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``ledger`` with its four verbs; ``shared`` holds the options that every verb knows."""
    ledger = subparsers.add_parser("ledger", help="list, show, verify or export what was decided")
    ledger.set_defaults(run=run)
    verbs = ledger.add_subparsers(dest="ledger_verb", metavar="list|show|verify|export", required=True)
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument("--ledger", metavar="URL", help="sqlite:////path/to/file or postgresql://host/name")
    parents = [shared, place]

    chosen = _selection()
    listing = verbs.add_parser("list", parents=[*parents, chosen], help="the newest entries, oldest first")
    listing.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at most (50)")

    show = verbs.add_parser("show", parents=parents, help="one entry, whole")
    show.add_argument("seq", type=_count, metavar="SEQ")

    verify = verbs.add_parser("verify", parents=parents, help="is it the ledger that was written? 0 yes, 1 no")
    verify.add_argument(
        "--anchor",
        type=_anchor,
        action="append",
        default=[],
        metavar="COMMIT:SEQ:HASH",
        help="a stage commit that vouches for an entry; its trailer Rampdeck-Ledger gives number and hash",
    )

    export = verbs.add_parser(
        "export", parents=[*parents, chosen], help="every entry, or the chosen ones, on standard output"
    )
    export.add_argument("--format", choices=FORMATS, default="jsonl", help="jsonl is the canonical text (default)")


def _selection() -> argparse.ArgumentParser:
    """The options that choose entries, the same for every verb that shows more than one."""
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--kind", choices=sorted(KINDS), metavar="KIND", help="only this kind, such as latch-opened")
    chosen.add_argument("--actor", help="only this actor")
    chosen.add_argument("--stage", help="only this stage")
    chosen.add_argument("--intent", metavar="ID", help="only this intent and what became of it")
    chosen.add_argument("--since", type=_time, metavar="TIME", help="ISO 8601; without a zone it is UTC")
    chosen.add_argument("--until", type=_time, metavar="TIME", help="ISO 8601; entries before this time")
    chosen.add_argument("--text", help="only entries whose text holds this, in any case")
    return chosen


def _chosen(args: argparse.Namespace) -> EntryFilter:
    return EntryFilter(args.kind, args.actor, args.stage, args.intent, args.since, args.until, args.text)


def run(args: argparse.Namespace, wiring: OpensLedgers, out: Output) -> int:
    """Run the verb and return its exit code; Trouble is exit code 2."""
    ledger = wiring.ledger_reader(args.ledger)
    try:
        match args.ledger_verb:
            case "list":
                return _list(args, out, ledger)
            case "show":
                return _show(args, out, ledger)
            case "verify":
                # A spill belongs to the ledger of the configuration, not to one that was named.
                waits = "" if args.ledger else wiring.spill.unmerged()
                return _verify(args, out, ledger, wiring, waits)
            case _:
                return _export(args, out, ledger)
    finally:
        ledger.close()


def _list(args: argparse.Namespace, out: Output, ledger: ReadableLedger) -> int:
    found = ledger.newest(_chosen(args), limit=args.limit)[::-1]
    if out.json:
        out.document({"entries": [entry.document() for entry in found]})
    for entry in found:
        row = f"{entry.seq:>6}  {entry.ts[:19]}Z  {entry.kind:<20} {entry.stage or '-':<4} {entry.actor:<20} "
        out.line(_printable(row + _summary(entry)))
    if not found:
        out.line("no entry passes the filter")
    return 0


def _show(args: argparse.Namespace, out: Output, ledger: ReadableLedger) -> int:
    entry = ledger.entry(args.seq)
    if entry is None:
        raise Trouble(f"no entry {args.seq}", where="ledger", fix="'rampdeck ledger list' shows the newest numbers")
    out.document(entry.document())
    return 0


def _verify(args: argparse.Namespace, out: Output, ledger: ReadableLedger, wiring: OpensLedgers, waits: str) -> int:
    # Git first: what a commit vouches for was in the ledger before it, and the ledger only grows.
    vouched, unasked = _vouched(ledger, wiring)
    verdict = ledger.verify((*args.anchor, *vouched))
    if out.json:
        out.document(verdict.document() | {"unmerged": waits, "git": unasked})
    word = "verified" if verdict.ok else "INCONSISTENT"
    out.line(f"{word}: {verdict.entries} entries, head {verdict.head.seq} {verdict.head.hash[:16]}")
    for problem in verdict.problems:
        out.line(_printable(f"  entry {problem.seq} {problem.problem}"))
    if verdict.anchored:
        out.line(_printable(f"commit {verdict.anchored.commit} vouches up to entry {verdict.anchored.seq}"))
    else:
        out.line("no anchor outside vouches for it: a rewritten whole would not be found")
    for said in filter(None, (waits, unasked)):
        out.line(_printable(f"! {said}"))
    return 0 if verdict.ok else 1


def _vouched(ledger: ReadableLedger, wiring: OpensLedgers) -> tuple[list[Anchor], str]:
    """What Git's commits vouch for, as of now or of the last fetch, and why it is not as of now."""
    from console.vouching import anchors

    first = next(iter(ledger.entries(limit=1)), None)
    unasked = ""
    try:
        repository = wiring.repository
        try:
            repository.fetch()
        except Trouble as away:
            unasked = f"Git was last asked by somebody earlier: {away.line}"
        return anchors(repository, first.ledger if first is not None else ""), unasked
    except Trouble as away:
        return [], f"Git was not asked: {away.line}"


def _export(args: argparse.Namespace, out: Output, ledger: ReadableLedger) -> int:
    """Written in pages and never held whole; ``--json`` makes one document of it."""
    export_entries(ledger.entries(only=_chosen(args)), "json" if out.json else args.format, out.stream)
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


def _anchor(text: str) -> Anchor:
    commit, seq, digest = [*text.split(":"), "", ""][:3]
    if not (commit and seq.isdecimal() and len(digest) == 64):
        raise argparse.ArgumentTypeError(f"{text!r} is not COMMIT:SEQ:HASH with a hash of 64 digits")
    return Anchor(int(seq), digest, commit)
