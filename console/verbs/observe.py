"""``rampdeck status``, ``watch`` and ``drift``: what is so now, without a screen."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from console.closeups import read_closeup
from console.output import jsonable
from console.watch.chronicle import words
from console.watch.closeup_report import closeup_document, closeup_lines
from console.watch.drift_report import drift_answer, drift_document, drift_lines
from console.watch.history import applied_controls
from console.watch.plain_report import Sentence, news, sentences
from console.watch.report import (
    owing_document,
    owing_lines,
    publishing_document,
    publishing_lines,
    status_document,
    status_lines,
)
from stages.applied import compare
from stages.entries import Entry, EntryFilter
from stages.manifest import parse_duration
from stages.policy import Policy
from stages.refusal import Trouble
from stages.signals import SignalKey

if TYPE_CHECKING:
    from console.feed import Desk
    from console.output import Output
    from console.watch.once import Look
    from console.wiring import Wiring

_QUIET: Final = frozenset({"seal", "committed"})
"""Kinds that an unattended watch does not print."""

_PLAIN_SECONDS: Final = 2.0
"""Between two looks of the plain twin: a voice needs longer than that for one sentence."""


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``status``, ``watch`` and ``drift``."""
    status = subparsers.add_parser("status", parents=[shared], help="everything that is known now")
    status.add_argument("--since", metavar="TIME", help="also what happened since: ISO 8601, or a span such as 2h")
    status.add_argument("--signal", metavar="NAME", help="one signal over time, and where its number comes from")
    status.add_argument("--window", metavar="SPAN", default="60m", help="how much of it (default: %(default)s)")
    status.add_argument("--book", metavar="BOOK", help="of another book than the one that panels show")
    status.add_argument("--plain", action="store_true", help="sentences without columns, for screen readers")
    status.add_argument("--watch", action="store_true", help="with --plain: go on and say what changes, until stopped")
    status.set_defaults(run=run_status)

    watch = subparsers.add_parser("watch", parents=[shared], help="watch without a screen until it is stopped")
    watch.add_argument("--act", action="store_true", help="reduce risk by itself when a trigger asks for it")
    watch.add_argument("--take-over", action="store_true", help="relieve whoever watches now, and act")
    watch.set_defaults(run=run_watch)

    drift = subparsers.add_parser("drift", parents=[shared], help="stage, Git and runtime, value by value")
    drift.set_defaults(run=run_drift)


def run_status(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """One look: 0 when it could be answered."""
    since = _since(arguments.since, wiring.clock.wall()) if arguments.since else None
    if arguments.watch and not arguments.plain:
        raise Trouble("goes with --plain only", where="--watch", fix="'rampdeck watch' follows everything else")
    policy, look = _taken(wiring)
    if arguments.plain:
        return _tell_plainly(wiring, out, policy, look, go_on=arguments.watch)
    if arguments.signal:
        return _close_up(arguments, wiring, out, policy, look)
    happened = [] if since is None else wiring.ledger.newest(EntryFilter(since=since), limit=1000)[::-1]
    if out.json:
        events = {} if since is None else {"events": [_event(entry) for entry in happened]}
        published = publishing_document(
            wiring.ledger.state(), advance=wiring.by_branch("advance"), reduce=wiring.by_branch("reduce")
        )
        owing = owing_document(wiring.ledger.state(), wiring.clock.wall())
        out.document(status_document(policy, look) | published | owing | {"unmerged": wiring.spill.unmerged()} | events)
        return 0
    waits = wiring.spill.unmerged()
    if waits:
        out.line(f"! {waits}")
    for line in publishing_lines(wiring.ledger.state(), reduce=wiring.by_branch("reduce")):
        out.line(line)
    for line in owing_lines(wiring.ledger.state(), wiring.clock.wall()):
        out.line(line)
    for line in status_lines(policy, look):
        out.line(line)
    for entry in happened:
        out.line(f"{entry.ts} {words(entry)}")
    return 0


def _close_up(arguments: argparse.Namespace, wiring: Wiring, out: Output, policy: Policy, look: Look) -> int:
    """One signal over the window that ends now: what Zoom draws, as lines or as a document."""
    name, book = arguments.signal, arguments.book or look.evaluation.book
    if name not in policy.spec.signals:
        raise Trouble(f"there is no signal '{name}'", where="--signal", fix="'rampdeck status --json' names them all")
    end = wiring.clock.wall()
    start = _since(arguments.window, end)
    closeup = read_closeup(wiring.ledger, lambda: wiring.observations, policy, SignalKey(book, name), start, end)
    row = next((one for one in look.evaluation.rows if one.key == closeup.key), None)
    if out.json:
        out.document(closeup_document(policy, closeup, row))
    for line in closeup_lines(policy, closeup, row):
        out.line(line)
    return 2 if closeup.trouble and not closeup.points else 0


def _tell_plainly(wiring: Wiring, out: Output, policy: Policy, look: Look, *, go_on: bool) -> int:
    """Everything once as sentences; then, while it goes on, only what means something else than before."""
    senses, said = news({}, list(sentences(policy, look)))
    stopped = threading.Event()
    with _heard(stopped.set):
        while True:
            for text in said:
                out.line(text)
            if not go_on or stopped.wait(_PLAIN_SECONDS):
                return 0
            try:
                policy, look = _taken(wiring)
                senses, said = news(senses, list(sentences(policy, look)))
            except Trouble as trouble:
                away = [Sentence("reading", trouble.line, f"Nothing can be read now: {trouble.line}.")]
                senses, said = news(senses, [*away, *(Sentence(one, senses[one], "") for one in senses)])


def run_drift(_arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """0 when nothing has drifted, 1 when something has, 2 when that is not known."""
    policy, look = _taken(wiring)
    truth = look.evaluation.truth
    compared = compare(
        policy,
        look.evaluation.drift,
        applied_controls(policy, wiring.repository, wiring.ledger.state()),
        truth.since if truth.agree is False else None,
    )
    if out.json:
        out.document(drift_document(policy, look.evaluation, compared))
    for line in drift_lines(policy, look.evaluation, compared):
        out.line(line)
    return {"none": 0, "drift": 1, "unknown": 2}[drift_answer(look.evaluation, compared)]


def run_watch(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Watches until SIGINT, SIGTERM or a closed terminal; prints what happens, one line or one JSON object each."""
    wiring.in_force()
    desk = wiring.desk()
    watch = wiring.watch(desk, acting=arguments.act or arguments.take_over, take_over=arguments.take_over)
    stopped, news = threading.Event(), threading.Event()

    def stop() -> None:
        stopped.set()
        news.set()

    with _heard(stop):
        unsubscribe = desk.subscribe(news.set)
        told = _Told(wiring, desk, out)
        watch.start()
        try:
            while not stopped.is_set():
                news.wait(1.0)
                news.clear()
                told.tell()
                if not watch.alive and not stopped.is_set():
                    if watch.fault is not None:
                        raise watch.fault
                    raise Trouble("the watch has stopped by itself", fix="look at its last words and start it again")
        finally:
            unsubscribe()
            watch.stop()
            told.tell()
    return 0


class _Told:
    """What an unattended watch has printed so far."""

    def __init__(self, wiring: Wiring, desk: Desk, out: Output) -> None:
        self._wiring, self._desk, self._out = wiring, desk, out
        self._after = wiring.ledger.head().seq
        self._headline = ""
        self._notices: frozenset[str] = frozenset()

    def tell(self) -> None:
        """Whatever is new in the ledger, in the headline and among the troubles."""
        try:
            entries = list(self._wiring.ledger.entries(after=self._after))
        except Trouble:
            entries = []  # the frame's notices name it
        for entry in entries:
            self._after = entry.seq
            if entry.kind not in _QUIET:
                self._say(f"{entry.ts} {words(entry)}", _event(entry))
        frame = self._desk.frame()
        if frame is None:
            return
        said = frame.evaluation.headline
        text = " ".join(part for part in (said.word, said.thing) if part)
        if text != self._headline:
            self._headline = text
            at = frame.evaluation.snapshot.wall
            detail = " ".join(part for part in (said.word, said.figure, said.thing, said.sentence) if part)
            self._say(f"{jsonable(at)} {detail}", {"time": at, "kind": "headline", "detail": detail})
        for notice in sorted(set(frame.notices) - self._notices):
            self._out.note(notice)
        self._notices = frozenset(frame.notices)

    def _say(self, line: str, document: dict[str, Any]) -> None:
        if self._out.json:
            self._out.stream.write(json.dumps(document, default=jsonable, ensure_ascii=False) + "\n")
            self._out.stream.flush()
        self._out.line(line)


class _heard:  # noqa: N801 - it reads as a word: with _heard(...)
    """While it is entered, SIGINT, SIGTERM and a closed terminal end the watch cleanly instead of the process."""

    def __init__(self, told: Callable[[], object]) -> None:
        self._told = told
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                self._before[number] = signal.signal(number, self._hear)

    def __exit__(self, *_exception: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        # An event that the interrupted code is just waiting for or setting cannot be set from within the handler.
        threading.Thread(target=self._told, name="rampdeck end", daemon=True).start()


def _taken(wiring: Wiring) -> tuple[Policy, Look]:
    """One look under the adopted policy."""
    policy = wiring.in_force().policy
    return policy, wiring.look(policy)


def _since(text: str, now: datetime) -> datetime:
    try:
        span = parse_duration(text)
        if isinstance(span, timedelta):
            return now - span
    except ValueError:
        pass  # not a span, then it is a time
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Trouble(
            f"'{text}' is neither a time nor a span", where="--since", fix="write 2h or an ISO time"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def _event(entry: Entry) -> dict[str, Any]:
    """One entry as an event."""
    mode = entry.body.get("mode")
    return {"time": entry.at, "seq": entry.seq, "kind": entry.kind, "stage": entry.stage, "mode": mode,
            "detail": words(entry)}  # fmt: skip
