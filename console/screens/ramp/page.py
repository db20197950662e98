"""The page of the home screen, at four sizes."""

from __future__ import annotations

from datetime import datetime

from console.actions import On
from console.desk import Frame
from console.screens import View, keys_line, view_head
from console.screens.ramp.outline import Look, waiting_page
from console.screens.ramp.parts import (
    allot,
    burn_in_lines,
    hanging_lines,
    held_lines,
    joined_below,
    nothing_held,
    notice_line,
    quiet_lines,
    safe_lines,
    sources_line,
    summary_line,
)
from stages.signals import SignalKey
from stages.triggers import until_cleared
from stages.value import replace
from stages.verdict import Evaluation, Row
from stages.working import working
from widgets.figures import age, amount, percent
from widgets.header import header, local_time, small_header
from widgets.line import Line, Tone, beside, fit, framed, padded, rule, title
from widgets.narrowing import narrowed
from widgets.order_list import order_lines, strangers
from widgets.signal_panel import (
    MEDIUM,
    NARROW,
    WIDE,
    Columns,
    Panel,
    chosen,
    heading,
    side_lines,
    signal_lines,
    value_text,
)
from widgets.stage_rail import burn_in_text, rail, rail_line
from widgets.status import KNOWN, QUIET, ROW_MARKS, ROW_TONES, word
from widgets.step_list import position, step_sentence
from widgets.trigger_panel import trigger_lines
from widgets.truth_panel import truth_lines, truth_title
from widgets.way_panel import way_lines, way_text
from widgets.what_if import what_if

MOST = 13
"""Lines of a panel of signals, beyond which its neighbours need the room more; what is not ok is shown all the same."""


def ramp_page(view: View, look: Look, width: int, height: int) -> list[Line]:
    """The whole home screen in ``height`` lines of ``width`` cells."""
    if view.frame is None:
        return waiting_page(view, look.note, width, height)
    frame = view.believed or view.frame
    desk = _Desk(view, frame, look)
    if width >= 140 and height >= 36:
        return desk.wide(width, height)
    if width >= 100 and height >= 28:
        return desk.medium(width, height)
    if width >= 80 and height >= 22:
        return desk.narrow(width, height)
    return desk.small(width, height)


class _Desk:
    """One frame, laid out. Each method is a page or a part of one."""

    def __init__(self, view: View, frame: Frame, look: Look) -> None:
        self.view = view
        self.frame = frame
        self.look = look
        self.evaluation: Evaluation = frame.evaluation
        self.policy = frame.policy
        self.in_force = min(self.evaluation.effective, self.policy.top)
        looked = look.stage if look.stage is not None and look.stage <= self.policy.top else None
        self.stage = looked if looked is not None else self.in_force
        self.looking = looked if looked is not None and looked != self.in_force else None
        self.orders = working(policy=self.policy, snapshot=self.evaluation.snapshot, rows=self.evaluation.rows)
        book = self.evaluation.book if self.looking is None else self.policy.stages[self.stage].book
        self.other_book = book != self.evaluation.book
        known = self.evaluation.panels if self.looking is None else self.evaluation.rows
        rows = [row for row in known if row.key.book == book]
        if self.looking is not None:
            rows = [what_if(row, self.policy, self.stage) for row in rows]
        # Lists are compared with the venue's elsewhere; here they are only of interest when they cannot be read.
        named = (self.policy.spec.own_orders, self.policy.spec.own_positions)
        listed = {SignalKey(book, name) for name in named if name}
        rows = [row for row in rows if row.key not in listed or row.state not in QUIET]
        rank = {key: place for place, key in enumerate(look.order)}
        self.every = sorted(rows, key=lambda row: rank.get(row.key, len(rank)))
        self.rows = narrowed(self.every, look.words)

    # ------------------------------------------------------------------------------------------------- the four sizes

    def wide(self, width: int, height: int) -> list[Line]:
        head = header(view_head(self.view), width)
        inner = width if self.looking is None else width - 2
        cards = rail(self.evaluation.cards, self.evaluation.burn_in, inner)
        room = height - 3 - 1 - 3 - 3 - 2
        left = self.left_column(replace(WIDE, width=104), 104, room)
        right = self.right_column(inner - 105, room)
        body = [*cards, *beside(padded(left, room), padded(right, room), 104, inner)]
        events = self.event_lines(inner, 2)
        events[0] = joined_below(events[0], right, 104)
        body.extend(padded(events, 3))
        return [*head, *self.enclosed(body, width, Line()), self.sources_line(width), self.keys_line(width)]

    def medium(self, width: int, height: int) -> list[Line]:
        head = header(view_head(self.view), width)
        inner = width if self.looking is None else width - 2
        top = rail_line(self.evaluation.cards, self.evaluation.burn_in, width)
        room = height - 3 - 1 - 2 - 1
        left = self.left_column(MEDIUM, 69, room)
        right = self.right_column(inner - 70, room)
        body = beside(padded(left, room), padded(right, room), 69, inner)
        body.append(joined_below(title(self.newest(inner - 6), inner, tone=Tone.PLAIN), right, 69))
        return [*head, *self.enclosed(body, width, top), self.sources_line(width), self.keys_line(width)]

    def narrow(self, width: int, height: int) -> list[Line]:
        head = header(view_head(self.view), width)
        inner = width if self.looking is None else width - 2
        top = rail_line(self.evaluation.cards, self.evaluation.burn_in, width)
        columns = replace(NARROW, width=inner, age_end=inner - 1)
        rest = self.rest_lines(inner)
        triggers = len(self.evaluation.triggers)
        exposure, tca = self.panel("EXPOSURE", "exposure"), self.panel("TCA + is cost", "tca")
        room = height - 3 - 1 - len(rest) - 2
        wanted = (exposure.wants, tca.wants if tca.rows or tca.hidden else 0, triggers + 1)
        odd = self.orders_shown(columns)
        first, second, third = allot(wanted, (6, 4, 3), room - odd)
        body = padded(signal_lines(exposure, columns, first), max(first, room - odd - second - third))
        body.extend(order_lines(self.orders, inner, odd) if odd else [])
        body.extend(signal_lines(tca, columns, second) if second else [])
        body.extend(rest)
        name = "NEXT" if self.looking is None else self.triggers_name(inner)
        body.extend(padded(trigger_lines(self.evaluation.triggers, inner, third, name, self.look.words), third))
        return [*head, *self.enclosed(body, width, top), self.sources_line(width), self.keys_line(width)]

    def small(self, width: int, height: int) -> list[Line]:
        lines = small_header(view_head(self.view), width)
        exposure = self.panel("EXPOSURE", "exposure")
        rows = chosen(exposure.rows, max(2, height - 15))
        over = rule(width) if not exposure.words else heading(exposure, rows, width)
        lines.append(over if self.looking is None else title(self.looked_words(), width))
        burn_in = self.evaluation.burn_in
        lines.extend(self.small_row(row) for row in rows)
        for name, panel in (("TCA", "tca"), ("fresh", "freshness"), ("recon", "reconciliation")):
            rows = [row for row in self.every if row.panel == panel]
            if rows:
                lines.append(summary_line(name, rows, width, brief=True))
        if burn_in.state not in ("", "none"):
            said = Line().put("   burn-in ").put(self.policy.stages[min(burn_in.stage, self.policy.top)].name)
            lines.append(said.put(burn_in_text(burn_in), at=24))
        lines = padded(lines, height - 6)
        presence = self.frame.presence
        who = f"{presence.holder}, {age(presence.age)} ago" if presence.holder else "nobody"
        who = "this console" if presence.acting and presence.here else who if presence.known else "ledger away"
        word = "on " if presence.acting else "OFF" if presence.known else "?  "
        truth, tone = truth_title(self.evaluation.truth, "", self.view.wall)
        lines.append(rule(width))
        lines.append(Line().put(" truth    ").put(fit(truth, width - 11), None if tone is Tone.PLAIN else tone))
        lines.append(Line().put(f" AUTO {word} ").put(fit(who, width - 12)))
        lines.append(notice_line(self.frame.notices, width) if self.frame.notices else rule(width))
        lines.append(Line().put(" ").put(fit(self.down_words(), width - 2)))
        lines.append(keys_line(On.RAMP, self.view, width, Tone.BOLD))
        return [line.fill(width) for line in lines]

    # ----------------------------------------------------------------------------------------------------- the columns

    def panel(self, name: str, kind: str) -> Panel:
        rows = [row for row in self.rows if row.panel == kind]
        below = self.policy.stages[self.in_force - 1].name if self.in_force else ""
        baseline = below if any(row.baseline is not None for row in rows) else ""
        absent = [one for one in self.policy.spec.not_watched if one.panel == kind]
        hidden = sum(row.panel == kind for row in self.every) - len(rows)
        return Panel(
            name, rows, self.policy.spec.signals, self.frame.history, self.view.wall, "", baseline, absent,
            self.look.cursor, self.look.words, hidden,
        )  # fmt: skip

    def left_column(self, columns: Columns, width: int, room: int) -> list[Line]:
        exposure, tca = self.panel("EXPOSURE", "exposure"), self.panel("TCA + is cost", "tca")
        items = self.evaluation.burn_in.items
        orders = self.orders_shown(columns)
        wanted = (
            max(2, min(exposure.wants, MOST)),
            min(tca.wants, MOST - 1) if tca.rows or tca.hidden else 0,
            orders,
            len(self.evaluation.triggers) + 1,
            len(items) + 1 if items else 0,
        )
        card = min(wanted[-1], room - 14) if self.look.card else 0
        first, second, working, third, fourth = allot(wanted, (6, 4, orders, 4, card), room)
        lines = signal_lines(exposure, columns, first)
        lines.extend(signal_lines(tca, columns, second) if second else [])
        lines.extend(order_lines(self.orders, width, working) if working else [])
        lines.extend(trigger_lines(self.evaluation.triggers, width, third, self.triggers_name(width), self.look.words))
        zone, run = self.policy.spec.target.session.timezone, self.evaluation.burn_in
        lines.extend(burn_in_lines(run, self.burn_in_stage(), zone, width, fourth) if fourth > 1 else [])
        return lines

    def triggers_name(self, width: int) -> str:
        """Triggers are those of the stage in force, whichever is looked at."""
        if self.looking is None:
            return "TRIGGERS"
        return f"{self.policy.stages[self.in_force].name} {'TRIGGERS' if width >= 100 else 'NEXT'}"

    def orders_shown(self, columns: Columns) -> int:
        """Lines for the orders: on a wide page always, elsewhere while there is a stranger among them."""
        odd = len(strangers(self.orders))
        if columns.trend_at:
            return 1 + min(max(len(self.orders or ()), odd), max(2, odd), 5)
        return 1 + min(odd, 2) if odd else 0

    def right_column(self, width: int, room: int) -> list[Line]:
        names = ("FRESHNESS", "RECONCILIATION" if width >= 40 else "RECON", "INCIDENTS")
        fresh, recon, incident = (
            self.panel(name, kind)
            for name, kind in zip(names, ("freshness", "reconciliation", "incident"), strict=True)
        )
        known, believed = self.frame.presence.known, not self.view.cut_off
        held = held_lines(self.evaluation.latches, self.policy, width, believed=believed, known=known)
        held += hanging_lines(self.evaluation.overhang, self.policy.spec.target.session.timezone, width)
        held += quiet_lines(self.evaluation.held[:2], self.view.wall, width)
        truth = self.evaluation.truth
        down = self.down_lines(width)
        heads = 2 if width >= 44 else 1
        wanted = (
            min(fresh.wants, MOST - 3),
            min(recon.wants, MOST - 6) if recon.rows or recon.hidden else 0,
            incident.wants + len(held),
            len(truth.rows) + heads,
            len(down),
        )
        one, two, three, four, five = allot(wanted, (4, 3, 2, heads + 3, len(down)), room)
        lines = side_lines(fresh, width, one)
        lines.extend(side_lines(recon, width, two) if two else [])
        lines.extend([*side_lines(incident, width, max(1, three - len(held))), *held][:three])
        lines.extend(truth_lines(truth, width, four, self.market_time(truth.since), self.view.wall))
        return [*padded(lines, max(len(lines), one + two + three + four)), *down[:five]]

    def down_words(self) -> str:
        """The nearest way down in one line."""
        ways = self.evaluation.ways
        return way_text(ways[0], read_only=self.frame.read_only) if ways else "no way down is known"

    def down_lines(self, width: int) -> list[Line]:
        running = self.frame.running
        if running is not None and running.kind == "reduce":
            return safe_lines(running, width)
        return way_lines(self.evaluation.ways, self.frame.sees, self.policy, width, read_only=self.frame.read_only)

    def rest_lines(self, width: int) -> list[Line]:
        lines = [title("THE REST", width)]
        for name, panel in (("fresh", "freshness"), ("recon", "reconciliation")):
            rows = [row for row in self.every if row.panel == panel]
            lines.append(summary_line(name, rows, width))
        latches = self.evaluation.latches
        if latches:
            held = Line().put(" ").put("■", Tone.WARN).put(" held").put(f"{len(latches)} HELD", at=11)
            first = self.policy.spec.triggers.get(latches[0].trigger)
            until = until_cleared(latches[0].clear_roles)
            held.put(fit(f"{first.title if first else latches[0].trigger}, {until}", width - 24), at=24)
            lines.append(held.fill(width))
        else:
            lines.append(nothing_held(width, believed=not self.view.cut_off, known=self.frame.presence.known, at=11))
        said, tone = truth_title(self.evaluation.truth, "", self.view.wall)
        mark = {Tone.PLAIN: "·", Tone.WARN: "▲"}.get(tone, "?")
        truth = Line().put(" ").put(mark, Tone.DIM if tone is Tone.PLAIN else tone).put(" truth").put(said, at=11)
        ages = [f"{name} {age(value)}" for name, value in self.evaluation.truth.ages.items() if value is not None]
        if truth.length + 3 < width:
            truth.put(fit(", ".join(ages), width - max(34, truth.length + 2)), at=max(34, truth.length + 2))
        return [*lines, truth.fill(width)]

    def small_row(self, row: Row) -> Line:
        tone = ROW_TONES.get(row.state, Tone.PLAIN)
        quiet = row.state in QUIET
        line = Line().put(" ").put(ROW_MARKS[row.state], Tone.DIM if quiet else tone).put(" ")
        value = value_text(row)
        label = fit(f"{row.title}, {row.text}" if row.text else row.title, 29 - len(value))
        line.put(label, Tone.REVERSE if row.key == self.look.cursor else None)
        shown = (
            amount(row.value, row.unit, decimals=row.decimals, signed=row.signed) if row.value is not None else value
        )
        line.right(f"was {shown}" if row.state not in KNOWN and row.value is not None else shown, 33)
        if row.state in KNOWN and row.used is not None:
            line.right(percent(row.used), 41, None if quiet else tone)
        old = (
            age((self.view.wall - row.event_time).total_seconds()) if row.event_time and row.state not in KNOWN else ""
        )
        return line.put(f"{word(row)} {old}".rstrip(), None if quiet else tone, at=43).link(row.key)

    # ------------------------------------------------------------------------------------------------ strips and edges

    def enclosed(self, body: list[Line], width: int, top: Line) -> list[Line]:
        """The body under its fourth row; a look at another stage puts a frame round it."""
        if self.looking is None:
            return [top.fill(width), *(line.fill(width) for line in body)]
        return framed(self.looked_words(), body, width, "esc: back")

    def looked_words(self) -> str:
        name = self.policy.stages[self.stage].name
        if not self.other_book:
            return f"WHAT IF {name}: today's book, limits of {name}. Nothing here is in force."
        book = self.policy.stages[self.stage].book
        label, environment = self.evaluation.accounts.get(book, ("not read", ""))
        return f"{name} {environment.upper()}, account {label}. This is NOT the book in force."

    def market_time(self, moment: datetime | None) -> str:
        if moment is None:
            return ""
        market = self.evaluation.snapshot.market_of(moment)
        return local_time(market, self.policy.spec.target.session.timezone, "%H:%M").partition(" ")[0]

    def event_lines(self, width: int, count: int) -> list[Line]:
        running = self.frame.running
        if running is not None:
            step = f" {position(running.steps)}" if not running.outcome else f" {running.outcome}"
            lines = [title("WHAT IS HAPPENING", width, note=f"{fit(running.title, width - 40)},{step}")]
            lines.append(Line().put(" ").put(fit(step_sentence(running.steps), width - 2)))
            lines.extend(Line().put(" ").put(fit(text, width - 2)) for text in self.frame.events[: count - 1])
            return [line.fill(width) for line in lines]
        texts = self.frame.events or self.evaluation.notes
        lines = [title("NEWEST", width, note="" if self.frame.presence.known else "not known: ledger away")]
        if self.look.away is not None:
            since, texts = self.since(self.look.away)
            name = f"SINCE YOU LAST LOOKED ({self.market_time(self.look.away)})"
            lines = [title(name, width, note=since)]
        lines.extend(Line().put(" ").put(fit(text, width - 2)) for text in texts[:count])
        return [line.fill(width) for line in lines]

    def since(self, away: datetime) -> tuple[str, tuple[str, ...]]:
        """How much happened while nobody pressed a key, and what, newest first."""
        dated = zip(self.frame.happened, self.frame.events, strict=False)
        texts = tuple(text for at, text in dated if at >= away)
        nothing = "nothing happened" if self.frame.presence.known else "not known: ledger away"
        return (f"{len(texts)} event{'' if len(texts) == 1 else 's'}" if texts else nothing), texts

    def newest(self, room: int) -> str:
        running = self.frame.running
        if running is not None and not running.outcome:
            return fit(f"{running.title}: {step_sentence(running.steps)}", room)
        if self.look.away is not None:
            count, texts = self.since(self.look.away)
            return fit(f"since {self.market_time(self.look.away)}: {count}. {'. '.join(texts)}", room)
        nothing = "nothing has happened yet" if self.frame.presence.known else "what happened is not known"
        return fit(self.frame.events[0] if self.frame.events else nothing, room)

    def sources_line(self, width: int) -> Line:
        """The sources, or for a while what came of a wish."""
        if self.look.note:
            return Line(Tone.BOLD).put(" ").put(fit(self.look.note, width - 2)).fill(width)
        zone = self.policy.spec.target.session.timezone
        return sources_line(self.evaluation.snapshot, zone, self.view.wall, width, self.frame.notices)

    def burn_in_stage(self) -> str:
        return self.policy.stages[min(self.evaluation.burn_in.stage, self.policy.top)].name

    def keys_line(self, width: int) -> Line:
        return keys_line(On.RAMP, self.view, width).fill(width)
