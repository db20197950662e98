"""Postmortem: an incident's timeline as Markdown. Every line rests on an entry of the ledger or on a stored tick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from stages.closeup import Moment
from stages.entries import Entry
from stages.plot import Mark, Series, holes
from stages.timeline import Act, Timeline
from stages.value import Struct

ENTRIES: Final = "entries.jsonl"
"""The file beside the page that holds its entries word for word."""

_VERIFY: Final = (
    "one a line; the SHA-256 of a line is that entry's hash and the next one's `prev`. Read it before you hand it on: "
    "unlike this page it leaves nothing out"
)
_MARKED: Final = frozenset({"incident", "latch-opened", "latch-cleared", "intent", "outcome", "converged", "diverged"})
_QUIET: Final = frozenset({"spilledAt", "market", "started", "key", "root", "clearRoles", "clearWhen"})
"""Fields that the rest of an entry says already, or that its time does."""
_ASKED: Final = ("UNVERIFIED", "NO ANSWER", "no answer", "not known", "OUTCOME UNKNOWN")
_SPECIAL: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]|#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


class Evidence(Struct, frozen=True):
    """What the page is made of beside the timeline: whose it is, when it was made, and the signals that took part."""

    target: str
    zone: str
    made: datetime
    by: str
    plots: tuple[Series, ...] = ()
    start: datetime | None = None
    """From when on the signals are shown."""
    end: datetime | None = None
    missing: tuple[str, ...] = ()
    """What could not be read for this page, in words."""
    near: tuple[tuple[str, Moment], ...] = ()
    """Where signals came back just before their limits, by their titles; oldest first."""


def marks(story: Timeline) -> tuple[tuple[Mark, Entry], ...]:
    """The moments that are drawn into the plots, numbered in their order."""
    chosen = [entry for entry in story.entries if entry.kind in _MARKED]
    return tuple((Mark(entry.at, number), entry) for number, entry in enumerate(chosen, 1))


def postmortem(story: Timeline, evidence: Evidence) -> str:
    """The page; plots are named ``SIGNAL.svg`` beside it."""
    blocks = [
        _head(story, evidence),
        _section("Acts", _acts(story, evidence)),
        _section("What each witness said", _witnesses(story, evidence)),
        _section("What was held", _latches(story, evidence)),
        _section("Approvals", _approvals(story, evidence)),
        _section("What was unknown", _unknown(story, evidence)),
        _section("Signals", _signals(story, evidence)),
        _section("Near misses", _near(evidence)),
        _section("Timeline", _timeline(story, evidence)),
        _section("For people to write", _open_questions()),
    ]
    return "\n".join(blocks)


def _head(story: Timeline, evidence: Evidence) -> str:
    first, last = (story.entries[0], story.entries[-1])
    title = f"{story.incident}: {story.title}" if story.title else story.incident
    lasted = _lasted(story.end - story.start)
    ended = "still open" if story.is_open else f"resolved {_full(story.end, evidence)}"
    lines = [
        f"# {_said(title)}",
        "",
        f"- target: {_said(evidence.target)}",
        f"- severity: {story.severity or 'not declared by a person'}",
        f"- began {_full(story.start, evidence)} ({story.start:%H:%M:%S} UTC), {ended}, {lasted}",
        f"- evidence: ledger {first.ledger}, entries {first.seq} to {last.seq}; the last one's hash is {last.hash}",
        f"- to verify: [{ENTRIES}]({ENTRIES}) holds them word for word, {_VERIFY}",
        f"- written {_full(evidence.made, evidence)} by {_said(evidence.by)}; times are {evidence.zone}",
        "",
    ]
    return "\n".join(lines)


def _section(title: str, lines: Iterator[str]) -> str:
    body = list(lines)
    return "\n".join([f"## {title}", "", *(body or ["none"]), ""])


def _acts(story: Timeline, evidence: Evidence) -> Iterator[str]:
    if not story.acts:
        return
    yield "| at | who | act | outcome | after | reason |"
    yield "|---|---|---|---|---|---|"
    for act in story.acts:
        body = act.intent.body
        by = "by itself" if body.get("automatic") else "by hand"
        mode = "" if body.get("mode") in (None, "NORMAL") else f", {body['mode']}"
        what = f"{body.get('act')} {body.get('from')} to {body.get('to')}{mode}, {by}: {_said(body.get('cause', ''))}"
        outcome, took = _outcome(act)
        reason = _said(act.reason) or ("**owed**" if act.owes else "")
        yield f"| {_at(act.intent, evidence)} | {_said(act.intent.actor)} | {what} | {outcome} | {took} | {reason} |"


def _witnesses(story: Timeline, evidence: Evidence) -> Iterator[str]:
    """Who was asked by an act, and what came of it: the time to safe, witness by witness."""
    for act in story.acts:
        began, what = act.intent.at, f"- {_said(act.intent.body.get('act'))} of {_at(act.intent, evidence)}"
        for one in act.after:
            if one.kind == "note" and one.body.get("subject"):
                yield f"{what}, told {_lasted(one.at - began)} later: {_said(one.body.get('text', ''))}"
        settled = act.newest("converged") or act.newest("diverged")
        if settled is not None:
            yield f"{what}: **{settled.kind}** after {_lasted(settled.at - began)}"
        elif act.newest("outcome") is not None:
            yield f"{what}: not known to have converged"


def _outcome(act: Act) -> tuple[str, str]:
    ended = act.newest("outcome")
    if ended is None:
        return "**unknown**: no outcome was recorded", ""
    settled = act.newest("converged") or act.newest("diverged")
    word = str(ended.body.get("outcome"))
    said = f"**{word}**" if word in ("unknown", "rejected", "abandoned") else word
    said += f": {_said(ended.body['message'])}" if ended.body.get("message") else ""
    said += f"; {settled.kind} after {_lasted(settled.at - act.intent.at)}" if settled is not None else ""
    return said, _lasted(ended.at - act.intent.at)


def _latches(story: Timeline, evidence: Evidence) -> Iterator[str]:
    for held in story.latches:
        body = held.opened.body
        cap = f", at most stage {body['cap']} of the ladder" if body.get("cap") is not None else ""
        yield (
            f"- {_at(held.opened, evidence)} **{body['mode']}**{cap} by {_said(body['trigger'])}: "
            f"{_said(body.get('evidence', ''))}; {_ended(held.cleared, evidence)}"
        )


def _ended(cleared: Entry | None, evidence: Evidence) -> str:
    if cleared is None:
        return "not cleared"
    signed = len(cleared.body.get("approvals") or ())
    return f"cleared {_at(cleared, evidence)} by {_said(cleared.actor)}" + (f", {signed} approvals" if signed else "")


def _approvals(story: Timeline, evidence: Evidence) -> Iterator[str]:
    for entry in story.entries:
        if entry.kind.startswith("approval-"):
            roles = ", ".join(entry.body.get("roles") or ())
            who = f"{_said(entry.body.get('approver', entry.actor))}{f' ({_said(roles)})' if roles else ''}"
            about = entry.body.get("plan") or entry.body.get("action") or ""
            yield f"- {_at(entry, evidence)} {entry.kind.removeprefix('approval-')}: {who}, {_said(str(about)[:12])}"


def _unknown(story: Timeline, evidence: Evidence) -> Iterator[str]:
    for text in evidence.missing:
        yield f"- {_said(text)}"
    for entry in story.entries:
        text = f"{entry.body.get('text', '')} {entry.body.get('message', '')} {entry.body.get('detail', '')}".strip()
        doubtful = entry.kind in ("gap", "diverged") or entry.body.get("outcome") == "unknown"
        if doubtful or any(sign in text for sign in _ASKED):
            yield f"- {_at(entry, evidence)} {entry.kind}: {_said(text) or _words(entry)}"
    if evidence.start is None or evidence.end is None:
        return
    for series in evidence.plots:
        for span in holes(series.points, evidence.start, evidence.end):
            since, until = _clock(span.start, evidence), _clock(span.end, evidence)
            why = _said(span.why)
            yield f"- {_said(series.title)}: not known from {since} to {until}, {_lasted(span.end - span.start)}: {why}"


def _signals(story: Timeline, evidence: Evidence) -> Iterator[str]:
    if not evidence.plots:
        return
    for series in evidence.plots:
        yield f"![{_said(series.title)}]({series.name}.svg)"
        yield ""
    for mark, entry in marks(story):
        yield f"{mark.number}. {_at(entry, evidence)} {entry.kind}: {_words(entry)}"


def _near(evidence: Evidence) -> Iterator[str]:
    for title, moment in evidence.near:
        words = moment.words.removeprefix("near miss: ")
        yield f"- {_clock(moment.at, evidence)} {_said(title)}: {words}, and came back"


def _timeline(story: Timeline, evidence: Evidence) -> Iterator[str]:
    yield "| at | after | who | what | said | entry | hash |"
    yield "|---|---|---|---|---|---|---|"
    for entry in story.entries:
        after = entry.at - story.start
        sign = "-" if after < timedelta() else "+"
        yield (
            f"| {_at(entry, evidence)} | {sign}{_lasted(abs(after))} | {_said(entry.actor)} | {entry.kind} "
            f"| {_words(entry)} | {entry.seq} | {entry.hash[:12]} |"
        )


def _open_questions() -> Iterator[str]:
    yield "- What was the cause, and since when did it exist?"
    yield "- What showed it first, and what would have shown it earlier?"
    yield "- What changes, by whom, until when?"


def _words(entry: Entry) -> str:
    """What an entry says: its plain fields in their order, digests cut to what a reader can compare."""
    told = [f"{name} {_short(value)}" for name, value in entry.body.items() if name not in _QUIET and _short(value)]
    spilled, said = entry.body.get("spilledAt"), _said("; ".join(told))
    return f"{said} (decided {spilled}, while the ledger was away)" if spilled else said


def _short(value: object) -> str:
    match value:
        case None | "" | [] | {} | False:
            return ""
        case True:
            return "yes"
        case list():
            return ", ".join(_short(item) for item in value)
        case dict():
            return " ".join(f"{name} {_short(item)}" for name, item in value.items() if _short(item))
    text = str(value)
    return text[:10] if len(text) in (32, 40, 64) and set(text) <= set("0123456789abcdef") else text


def _said(value: object) -> str:
    """Text of other people's making, on one line, that cannot be read as markup."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(value))
    return " ".join(text.split()).translate(_SPECIAL)


def _clock(at: datetime, evidence: Evidence) -> str:
    return f"{at.astimezone(ZoneInfo(evidence.zone)):%H:%M:%S}"


def _at(entry: Entry, evidence: Evidence) -> str:
    return _clock(entry.at, evidence)


def _full(at: datetime, evidence: Evidence) -> str:
    return f"{at.astimezone(ZoneInfo(evidence.zone)):%Y-%m-%d %H:%M:%S}"


def _lasted(took: timedelta) -> str:
    seconds = took.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def texts(story: Timeline, evidence: Evidence, plots: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Every file of the export by its name: the page and its plots."""
    return {"postmortem.md": postmortem(story, evidence), **{f"{name}.svg": text for name, text in plots}}
