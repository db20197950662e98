"""Zoom's page: one signal over a window, what happened meanwhile, and where its number comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from console.actions import On
from console.desk import Frame
from console.screens import View, keys_line, view_head
from stages.close_by import made_of, stage_limits
from stages.closeup import Closeup, Kind, Moment, near_misses, origin, used
from stages.ladder import Unit
from stages.policy import Policy
from stages.signals import SignalKey
from stages.value import Struct, replace
from stages.verdict import Headline, Row, RowState
from widgets.chart import Chart, Level, chart_lines, fixed_scale
from widgets.figures import age, number, percent, unit_word
from widgets.header import Head, header, local_time, small_header
from widgets.line import Line, Tone, beside, fit, padded, sentences, title
from widgets.signal_panel import limit_text, value_text
from widgets.status import KNOWN, QUIET, TRIGGER_MARKS, TRIGGER_TONES, word
from widgets.trigger_panel import left_text, projected_text, then_text

WINDOWS: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))
"""What may be looked at in one chart; readings are kept for two days."""

MOST_LETTERS: Final = 9

_MARKS: Final = {
    RowState.WARN: "warn", RowState.SUSPECT: "suspect", RowState.BREACH: "breach", RowState.OVER: "over",
    RowState.STALE: "unknown", RowState.BLIND: "unknown", RowState.NO_DATA: "unknown", RowState.CLOSED: "closed",
    RowState.RESTARTING: "running",
}  # fmt: skip


class Sight(Struct, frozen=True):
    """What the person looks at. ``until`` None follows the newest moment."""

    key: SignalKey
    window: int = 1
    until: datetime | None = None
    closeup: Closeup | None = None
    trouble: str = ""
    """Why nothing could be read at all."""
    note: str = ""

    @property
    def span(self) -> timedelta:
        return WINDOWS[self.window]


def row_of(frame: Frame, key: SignalKey) -> Row | None:
    """The row of a signal in the newest tick."""
    found = frame.evaluation
    return next((row for row in (*found.rows, *found.derived) if row.key == key), None)


def zoom_page(view: View, sight: Sight, width: int, height: int) -> list[Line]:
    """The whole page in ``height`` lines of ``width`` cells."""
    frame = view.believed
    row = row_of(frame, sight.key) if frame is not None else None
    head = _head(view, frame, row)
    top = header(head, width) if width >= 80 else small_header(head, width)
    keys = keys_line(On.ZOOM, view, width).fill(width)
    if frame is None or row is None:
        said = "nothing is read yet" if frame is None else "the policy has no such signal any more"
        return [*padded([*top, title("NO CHART", width), Line().put(f" ? {said}", Tone.UNKNOWN)], height - 1), keys]
    return _Close(view, frame, sight, row).lines(top, keys, width, height)


def _head(view: View, frame: Frame | None, row: Row | None) -> Head:
    """Row 2 is about this signal, and at its right about what is amiss elsewhere. Without ticks nothing is claimed."""
    if frame is None or row is None:
        return view_head(view, prefix="ZOOM")
    base = made_of(frame.policy, row.key.name) or ""
    signal = frame.policy.spec.signals.get(base)
    value = f"{value_text(row)} {unit_word(row.unit) if row.value is not None else ''}".rstrip()
    limit = limit_text(row, signal)
    thing = f"{row.title}{f', {row.text}' if row.text and row.value is not None else ''}: {value}"
    thing += f" of {limit}" if limit and not row.minimum else f", {limit}" if limit else ""
    figure = percent(row.used).strip() if row.state in KNOWN and row.used is not None else ""
    watching = [one for one in frame.evaluation.triggers if _looks_at(frame.policy, one.name, base)]
    soon = min((one for one in watching if projected_text(one)), key=lambda one: one.projected or 0.0, default=None)
    then = f"At its limit, by itself: {watching[0].then}." if watching else "No trigger looks at this signal."
    if soon is not None:
        then = f"At this rate it fires in {projected_text(soon)}, by itself: {soon.then}."
    if row.state not in KNOWN and row.event_time is not None:
        at = local_time(
            frame.evaluation.snapshot.market_of(row.event_time), frame.policy.spec.target.session.timezone, "%H:%M:%S"
        )
        figure, then = (
            age((view.wall - row.event_time).total_seconds()),
            f"The line ends at {at} and is not drawn on. {then}",
        )
    said = Headline(word(row) or "OK", figure, thing, then, _MARKS.get(row.state, "ok"), row.state is RowState.BREACH)
    head = view_head(view, said, prefix="ZOOM")
    return head if row.state in QUIET or view.cut_off else replace(head, verdict="")


def _looks_at(policy: Policy, trigger: str, name: str) -> bool:
    found = policy.spec.triggers.get(trigger)
    return found is not None and name in found.signals


class _Close:
    """One signal of one frame, laid out."""

    def __init__(self, view: View, frame: Frame, sight: Sight, row: Row) -> None:
        self.view, self.frame, self.sight, self.row = view, frame, sight, row
        self.policy = frame.policy
        self.base = made_of(frame.policy, row.key.name)
        self.signal = frame.policy.spec.signals.get(self.base or "")
        self.falling = row.minimum or (self.signal is not None and self.signal.harm == "loss")
        limit = float(row.limit) if row.limit is not None else None
        self.limit = -abs(limit) if limit is not None and self.falling and not row.minimum else limit
        points = sight.closeup.points if sight.closeup is not None else ()
        self.missed = near_misses(self.policy, row.key.name, points, limit, minimum=row.minimum)

    # ---------------------------------------------------------------------------------------------------------- pages

    def lines(self, top: Sequence[Line], keys: Line, width: int, height: int) -> list[Line]:
        wide = width >= 100 and height >= 28
        below = self.below(width) if wide else self.beneath(width, 7 if height >= 24 else 3)
        legend = self.legend(width, 3 if wide else 2 if height >= 24 else 1)
        room = height - len(top) - len(below) - len(legend) - 2
        return [*top, self.title(width), *self.chart(width, room), *legend, *below, keys]

    def title(self, width: int) -> Line:
        closeup = self.sight.closeup
        name = f"last {_span(self.sight.span)}"
        if self.sight.until is not None:
            name = f"{_span(self.sight.span)} to {self.clock(self.sight.until)}"
        said = []
        if closeup is not None and self.sight.trouble:
            said.append(f"NOT READ AGAIN: {self.sight.trouble}")
        if closeup is not None and closeup.stride > 1:
            said.append(f"every {closeup.stride} s")
        said.append("a column shows the worst of its time")
        return title(name, width, note=fit(f"· {' · '.join(said)}", max(0, width - len(name) - 8)))

    def chart(self, width: int, height: int) -> list[Line]:
        closeup = self.sight.closeup
        if self.base is None:
            said = "worked out by the console at each tick: nothing of its own is kept, so there is no line to draw"
            return self.empty(said, Tone.PLAIN, width, height)
        if closeup is None:
            said, tone = "reading what was kept ...", Tone.PLAIN
            if self.sight.trouble:
                said, tone = f"? {self.sight.trouble}", Tone.UNKNOWN
            return self.empty(said, tone, width, height)
        if closeup.trouble and not closeup.points:
            return self.empty(f"? {closeup.trouble}", Tone.UNKNOWN, width, height)
        if not closeup.believed:
            why = next((f": {reason}" for reason, _ in closeup.lost()), "")
            nothing = "no number of this time is known" if closeup.points else "no reading of this time is kept"
            return self.empty(f"? {nothing}{why}", Tone.UNKNOWN, width, height)
        values = [point.value for point in closeup.points if point.value is not None]
        both = self.signal is not None and self.signal.harm == "magnitude"
        low, high = fixed_scale(self.limit, values, both=both)
        letters = [(one.at, letter) for letter, one in self.lettered()]
        levels = self.levels(both and low < 0)
        drawn = Chart(closeup.points, closeup.start, closeup.end, low, high, self.label, self.clock, levels, letters)
        return chart_lines(replace(drawn, falling=self.falling), width, height)

    def empty(self, said: str, tone: Tone, width: int, height: int) -> list[Line]:
        return padded([Line(), Line().put(" ").put(fit(said, width - 2), tone)], height)

    def levels(self, mirrored: bool) -> list[Level]:
        """The limit, where it warns, and while something is held where it is good again."""
        limit, row = self.limit, self.row
        if limit is None:
            return []
        found = []
        if row.clear_at is not None and not row.minimum:
            found.append(Level(limit * float(row.clear_at), "good again", "·"))
        if row.warn_at is not None and not row.minimum:
            found.append(Level(limit * float(row.warn_at), "warn", "·"))
        current = self.policy.stages[min(self.frame.evaluation.effective, self.policy.top)].name
        others = {float(at): stage for stage, at in self.stages() if at is not None and float(at) != abs(limit)}
        found.extend(Level(-at if limit < 0 else at, f"limit {stage}", "·") for at, stage in others.items())
        name = f"limit {current}" if self.stages() else "minimum" if row.minimum else "limit"
        found.append(Level(limit, name, "┄"))
        return [*found, *(replace(one, value=-one.value, name="") for one in found)] if mirrored else found

    # ------------------------------------------------------------------------------------------------- what happened

    def lettered(self) -> list[tuple[str, Moment]]:
        """The newest moments of the window, each with its letter."""
        closeup = self.sight.closeup
        if closeup is None:
            return []
        told = sorted((*closeup.moments, *self.missed), key=lambda one: one.at)[-MOST_LETTERS:]
        return [(chr(ord("A") + index), one) for index, one in enumerate(told)]

    def legend(self, width: int, most: int) -> list[Line]:
        """``A 12:22 L0 to L1 in force``, as many as fit, the newest kept; nothing happened is said too."""
        told = self.lettered()
        if not told:
            return [Line().put(" no stage change, trigger, alarm or near miss in this time", Tone.DIM).fill(width)]
        lines, line = [], Line()
        for letter, moment in told:
            said = fit(f"{letter} {self.clock(moment.at)} {moment.words}", width - 2)
            if line.length and line.length + len(said) + 3 > width:
                lines.append(line)
                line = Line()
            line.put("   " if line.length else " ").put(said, Tone.PLAIN if moment.kind is Kind.STAGE else Tone.BOLD)
        return [one.fill(width) for one in [*lines, line][-most:]]

    # ----------------------------------------------------------------------------------------------------- provenance

    def facts(self) -> list[tuple[str, str]]:
        """Where the number comes from, the most needed first."""
        row, wall = self.row, self.view.wall
        who, asked = origin(self.policy, self.base or row.key.name)
        sources = self.frame.evaluation.snapshot.sources
        health = next((one for one in sources if who.rpartition(" ")[2] in one.name.split("/")), None)
        took = f", answers in {health.latency_ms} ms" if health is not None and health.ok and health.latency_ms else ""
        if health is not None and not health.ok:
            took = ", NO ANSWER"
        true_at = f"true {age((wall - row.event_time).total_seconds())} ago" if row.event_time else "never read"
        allowed = f", stale after {age(row.max_age)}" if row.max_age else ""
        quality = row.quality.value.replace("_", " ")
        found = [
            ("source", f"{who}{took}"),
            ("query", asked),
            ("age", f"{true_at}{allowed}"),
            ("quality", f"{quality}{f'; {row.detail}' if row.detail else ''}"),
            ("samples", self.samples()),
            ("limit", self.limit_words()),
            ("stages", self.stages_words()),
            ("made of", self.made()),
            ("closest", self.closest()),
        ]
        return [(name, said) for name, said in found if said]

    def stages(self) -> tuple[tuple[str, Decimal | None], ...]:
        """The signal's limit at each stage; nothing for what the console works out, whose limit is the trigger's."""
        return stage_limits(self.policy, self.row.key.name)

    def stages_words(self) -> str:
        """``L0 5,000 ►L1 5,000 L2 25,000``: the limit of each stage, the current one marked."""
        current = self.policy.stages[min(self.frame.evaluation.effective, self.policy.top)].name
        row, words = self.row, []
        for stage, at in self.stages():
            said = (
                "none" if at is None else number(at, row.unit, decimals=None if row.unit is Unit.USD else row.decimals)
            )
            words.append(f"{'►' if stage == current else ''}{stage} {said.removeprefix('+')}")
        return " ".join(words)

    def made(self) -> str:
        """What a row that the console works out is made of."""
        if self.row.key.name in self.policy.spec.signals:
            return ""
        return f"{self.signal.title}; the chart shows it" if self.signal is not None else "ledger and venue"

    def samples(self) -> str:
        closeup = self.sight.closeup
        if closeup is None or not closeup.points:
            return "none is kept of this time"
        lost = ", ".join(f"{count:,} {why}" for why, count in closeup.lost()[:2])
        return f"{closeup.believed:,} of {len(closeup.points):,} believed{f'; not: {lost}' if lost else ''}"

    def limit_words(self) -> str:
        row, limit = self.row, limit_text(self.row, self.signal)
        if not limit:
            return "none: shown for the eye"
        control = self.signal.limit.control if self.signal is not None and self.signal.limit is not None else None
        whose = f"of {self.policy.stages[self.frame.evaluation.effective].name}" if control else "at every stage"
        parts = [f"{limit} {whose}"]
        if row.warn_at is not None and not row.minimum:
            parts.append(f"warns at {percent(row.warn_at).strip()}")
        if row.clear_at is not None:
            parts.append(f"good again below {percent(row.clear_at).strip()}")
        return ", ".join(parts)

    def closest(self) -> str:
        closeup = self.sight.closeup
        if closeup is None or self.limit is None or not closeup.believed:
            return ""
        limit = abs(self.limit)
        known_ones = [point for point in closeup.points if point.value is not None]
        share = {
            point.at: used(
                self.policy, self.base or self.row.key.name, point.value or 0.0, limit, minimum=self.row.minimum
            )
            for point in known_ones
        }
        at = max(share, key=lambda one: share[one])
        value = next(point.value for point in known_ones if point.at == at)
        misses = "1 near miss" if len(self.missed) == 1 else f"{len(self.missed)} near misses"
        return f"{self.label(value or 0.0)} at {self.clock(at)}; {misses}"

    def below(self, width: int) -> list[Line]:
        """The two panels under the chart of a wide page."""
        half = width // 2
        left = [title("WHAT LOOKS AT IT", half), *self.triggers(half)]
        right = [title("WHERE THIS NUMBER COMES FROM", width - half - 1)]
        for name, said in self.facts():
            right.append(Line().put(f" {name}", Tone.DIM).put(fit(said, width - half - 11), at=10))
        return beside(padded(left, len(right)), right, half, width)

    def beneath(self, width: int, most: int) -> list[Line]:
        """The same in few lines, where there is no room for panels."""
        facts = dict(self.facts())
        wanted = ("made of", "samples", "source", "stages", "closest", "query", "limit", "quality")
        order = [name for name in wanted if name in facts]
        lines = [title("WHERE THIS NUMBER COMES FROM", width)]
        shown = [Line().put(f" {name}", Tone.DIM).put(fit(facts[name], width - 11), at=10) for name in order]
        return [*lines, *(line.fill(width) for line in shown[: most - 1])]

    def triggers(self, width: int) -> list[Line]:
        mine = [one for one in self.frame.evaluation.triggers if _looks_at(self.policy, one.name, self.base or "")]
        if not mine:
            return [Line().put("   no trigger looks at this signal")]
        lines = []
        for one in mine:
            tone = TRIGGER_TONES.get(one.state, Tone.PLAIN)
            left = left_text(one)
            line = Line().put(" ").put(TRIGGER_MARKS[one.state], tone).put(" ").put(fit(one.title, width - 4))
            lines.append(line)
            coming = projected_text(one)
            away = f"{left.removeprefix('-')} over" if one.left is not None and one.left < 0 else f"{left} left"
            room = f"{away}{f', fires in {coming} at this rate' if coming else ''}: " if left else ""
            room = room if one.next_in is None else ""
            lines.extend(sentences(f"{room}{then_text(one)}", width - 4, partial(_indented, tone)))
        return lines

    # ---------------------------------------------------------------------------------------------------------- words

    def label(self, value: float) -> str:
        return number(Decimal(repr(value)), self.row.unit, decimals=self.row.decimals)

    def clock(self, at: datetime) -> str:
        market = self.frame.evaluation.snapshot.market_of(at)
        zone = self.policy.spec.target.session.timezone
        day = "%a %H:%M" if self.sight.span > timedelta(hours=12) else "%H:%M"
        return local_time(market, zone, day).rpartition(" ")[0]


def _indented(tone: Tone) -> Line:
    return Line(tone).put("   ")


def _span(window: timedelta) -> str:
    minutes = int(window.total_seconds() // 60)
    return f"{minutes} min" if minutes <= 60 else f"{minutes // 60} h"


def copied(view: View, sight: Sight) -> str:
    """The close-up as text to paste: one reading a line, tab-separated, in UTC."""
    closeup = sight.closeup
    if closeup is None:
        return ""
    rows = [f"# {view.system} {closeup.key.book}/{closeup.key.name}", "time\tvalue\twhy not"]
    rows += [
        f"{point.at.isoformat()}\t{'' if point.value is None else point.value}\t{point.why}" for point in closeup.points
    ]
    return "\n".join(rows) + "\n"
