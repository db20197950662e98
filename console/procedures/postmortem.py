"""Writing an incident down: its entries and the signals that took part, as a folder with one page and its plots.

The folder appears whole or not at all; one that is there is replaced only when that was asked for.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Protocol

from console.crash import redacted
from console.ports import Observations
from stages.closeup import Moment, near_misses
from stages.entries import EVERY, Entry, EntryFilter
from stages.ladder import Unit
from stages.plot import Point, Series, svg
from stages.policy import Policy
from stages.postmortem import ENTRIES, Evidence, marks, texts
from stages.refusal import Trouble
from stages.rows import Bound, bound_of
from stages.signals import LIVE_BOOK, Quality
from stages.timeline import LEAD, Timeline, roots, timeline
from stages.value import Struct, replace

MOST_PLOTS: Final = 8
AFTER: Final = timedelta(minutes=2)
"""How long beyond the incident's end its signals are shown."""


class Entries(Protocol):
    """The ledger for reading."""

    def entries(self, after: int = 0, limit: int | None = None, only: EntryFilter = EVERY) -> Iterator[Entry]: ...


class Sources(Struct, frozen=True):
    """Where an incident is read from; ``observations`` is opened last, because the page does without it."""

    ledger: Entries
    observations: Callable[[], Observations]


def write_down(
    sources: Sources, policy: Policy, incident: str, folder: Path, *, by: str, now: datetime, anew: bool = False
) -> tuple[Path, tuple[str, ...]]:
    """Write ``folder`` and return it with the names of its files. Trouble for no such incident, or where it exists."""
    if folder.exists() and not anew:
        raise Trouble("exists already", where=str(folder), fix="name another folder, or replace it with --force")
    story = tell(Redacted(sources.ledger), incident)
    start, end = story.start - LEAD, min(story.end + AFTER, now)
    missing: list[str] = []
    try:
        plots = signals(sources.observations(), policy, story, start, end)
    except Trouble as away:
        plots = ()
        missing.append(f"the signals could not be read: {away.line}")
    missing += [] if plots or missing else ["no reading of its signals is kept any more"]
    # Nobody looked before the first reading: the paper is for what was seen, unless that began after the incident.
    start = min(story.start, max([start, *(one.points[0].at for one in plots)]))
    zone = policy.spec.target.session.timezone
    near = _near(policy, story, plots)
    evidence = Evidence(policy.name, zone, now, by, plots, start, end, tuple(missing), near)
    drawn = [mark for mark, _ in marks(story)]
    files = texts(story, evidence, [(one.name, svg(one, start, end, drawn, zone)) for one in plots])
    files[ENTRIES] = _word_for_word(sources.ledger, story)
    _place(folder, files)
    return folder, tuple(files)


def in_words(incident: str, folder: Path, files: Sequence[str]) -> str:
    """What was written where, in one line."""
    plots = sum(name.endswith(".svg") for name in files)
    return f"{incident}: {folder / files[0]}, {plots} plots, and its entries word for word"


class Redacted:
    """The ledger for a page that is handed on: what looks like a credential is left out of the words, not of hashes."""

    def __init__(self, ledger: Entries) -> None:
        self._ledger = ledger

    def entries(self, after: int = 0, limit: int | None = None, only: EntryFilter = EVERY) -> Iterator[Entry]:
        for entry in self._ledger.entries(after, limit, only):
            yield replace(entry, body=_without_secrets(entry.body))


def _without_secrets(value: Any) -> Any:
    match value:
        case str():
            return redacted(value)
        case Mapping():
            return {name: _without_secrets(one) for name, one in value.items()}
        case list() | tuple():
            return [_without_secrets(one) for one in value]
    return value


def _word_for_word(ledger: Entries, story: Timeline) -> str:
    """The canonical text of every entry from the first to the last of the page, so that the chain can be checked."""
    first, last = story.entries[0].seq, story.entries[-1].seq
    found = ledger.entries(first - 1, last - first + 1)
    return "".join(f"{entry.text}\n" for entry in found)


def tell(ledger: Entries, incident: str) -> Timeline:
    """The incident's timeline; Trouble when the ledger knows no such incident."""
    found = roots(ledger.entries(only=EntryFilter(text=incident)), incident)
    if not found:
        raise Trouble(f"there is no incident '{incident}'", fix="'rampdeck ledger list --kind incident' shows them")
    return timeline(found, ledger.entries(only=EntryFilter(since=found[0].at - LEAD)), incident)


def signals(
    observations: Observations, policy: Policy, story: Timeline, start: datetime, end: datetime
) -> tuple[Series, ...]:
    """The readings of every signal that took part; a signal of which nothing is kept is left out."""
    names = _involved(policy, story)
    found: dict[str, list[Point]] = {name: [] for name in names}
    for tick in observations.ticks(since=start):
        if tick.at > end:
            break
        samples = tick.body.get("snapshot", {}).get("samples", {}).get(LIVE_BOOK, {})
        for name in names:
            found[name].append(_point(tick.at, samples.get(name), policy.spec.signals[name].unit))
    return tuple(_series(policy, story, name, points) for name, points in found.items() if points)


def _involved(policy: Policy, story: Timeline) -> tuple[str, ...]:
    """What the triggers of its latches and the alarms look at; for an incident by hand what is measured of exposure."""
    triggers = [policy.spec.triggers.get(str(held.opened.body["trigger"])) for held in story.latches]
    named = [name for trigger in triggers if trigger is not None for name in trigger.signals]
    alarms = (entry.body.get("signal") for entry in story.entries if entry.kind == "alarm")
    named += [str(name).rpartition("/")[2] for name in alarms if name]
    exposure = [name for name, one in policy.spec.signals.items() if one.panel == "exposure" and one.class_ == "safety"]
    numbers = [name for name in named or exposure if name in policy.spec.signals and _is_number(policy, name)]
    return tuple(dict.fromkeys(numbers))[:MOST_PLOTS]


def _is_number(policy: Policy, name: str) -> bool:
    limit = policy.spec.signals[name].limit
    return limit is None or not limit.words


def _point(at: datetime, sample: Mapping[str, Any] | None, unit: Unit) -> Point:
    if sample is None:
        return Point(at, None, "not read")
    quality = str(sample["quality"])
    if quality != Quality.OK.value or sample.get("value") is None:
        return Point(at, None, redacted(str(sample.get("detail") or quality.replace("_", " ").lower())))
    try:
        value = Decimal(str(sample["value"]))
    except InvalidOperation:
        return Point(at, None, "not a number")
    return Point(at, float(value * 100 if unit is Unit.RATIO else value))


def _series(policy: Policy, story: Timeline, name: str, points: list[Point]) -> Series:
    signal = policy.spec.signals[name]
    bound = _bound(policy, story, name)
    number = bound.number if bound is not None else None
    scale = 100 if signal.unit is Unit.RATIO else 1
    said = f"limit of {story.opened_in}" if signal.limit and signal.limit.control else "limit"
    suffix = {Unit.USD: " $", Unit.RATIO: " %", Unit.BASIS_POINTS: " bp", Unit.SECONDS: " s"}.get(signal.unit, "")
    return Series(name, signal.title, suffix, tuple(points), None if number is None else float(number * scale), said)


def _bound(policy: Policy, story: Timeline, name: str) -> Bound | None:
    return bound_of(policy, name, policy.stage_index(story.opened_in) if story.opened_in else None)


def _near(policy: Policy, story: Timeline, plots: Sequence[Series]) -> tuple[tuple[str, Moment], ...]:
    """Where signals came back just before their limits, by their titles; oldest first."""
    found: list[tuple[str, Moment]] = []
    for one in plots:
        bound = _bound(policy, story, one.name)
        minimum = bound is not None and bound.least is not None
        found += [
            (one.title, moment) for moment in near_misses(policy, one.name, one.points, one.limit, minimum=minimum)
        ]
    return tuple(sorted(found, key=lambda each: each[1].at))


def _place(folder: Path, files: Mapping[str, str]) -> None:
    """All files at once: written beside the folder and moved to its place."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise _cannot(folder, error) from None
    try:
        for name, text in files.items():
            (made / name).write_text(text, encoding="utf-8")
        made.chmod(0o755)
        if folder.is_dir() and not folder.is_symlink():
            _exchange(folder, made)
        else:
            made.rename(folder)
    except OSError as error:
        raise _cannot(folder, error) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _exchange(folder: Path, made: Path) -> None:
    """Move what was there aside first: a folder that is not empty cannot be replaced in one step."""
    aside = made.with_name(f"{made.name}.old")
    folder.rename(aside)
    try:
        made.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _cannot(folder: Path, error: OSError) -> Trouble:
    return Trouble(f"cannot be written: {error.strerror}", where=str(folder), fix="name another place with --to")
