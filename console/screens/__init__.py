"""What all screens share: the view they draw from, and the page they paint.

A screen is a pure function from view and size to lines, painted by one sheet. It never reads a clock and never waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from console.actions import ACTIONS, Action, On, actions_on
from console.doubt import disbelieved, in_brief, unknown
from console.footer import NOBODYS, Turn, footer_places
from console.keymap import STANDARD, Keymap
from stages.outline import Headline
from stages.value import Struct, replace
from widgets.figures import age
from widgets.header import CrumbLink, Head, local_time, read_head
from widgets.line import Line, Tone, fit, padded, sentences
from widgets.sheet import Sheet
from widgets.token_input import TokenInput

PLACES: Final[Mapping[On, str]] = MappingProxyType(
    {
        On.RAMP: "RAMP", On.PLAN: "PLAN", On.REDUCE: "REDUCE RISK", On.INCIDENT: "INCIDENT", On.CLEAR: "CLEAR",
        On.LEDGER: "LEDGER", On.DRILL: "DRILL", On.ZOOM: "ZOOM", On.HELP: "HELP",
    }
)  # fmt: skip
"""Screens by the names that the way to them shows."""

SMALLEST = (60, 18)
"""Columns and rows below which a page only says that it is too small, and what is wrong."""

CUT_OFF = 5.0
"""Seconds without a tick after which nothing that a frame holds may be believed."""


if TYPE_CHECKING:
    from console.copying import Copy
    from console.desk import Frame
    from stages.facts import DrillRun

SAID_FOR = timedelta(seconds=8)
"""How long a page says what came of a key that changes nothing on it."""


class View(Struct, frozen=True):
    """Everything that a page is drawn from. ``wall`` is the time of painting, ``started`` that of the console."""

    system: str
    environment: str
    who: str
    wall: datetime
    started: datetime
    frame: Frame | None = None
    waiting: str = ""
    read_only: bool = False
    keys: Keymap = STANDARD
    """Which keys do what at this console."""
    trail: tuple[str, ...] = ()
    """The way from home to what is looked at: ``RAMP``, ``PLAN L1``, ``DIFF``."""

    @property
    def lag(self) -> float:
        """Seconds since the newest tick."""
        return (self.wall - self.frame.evaluation.snapshot.wall).total_seconds() if self.frame else 0.0

    @property
    def cut_off(self) -> bool:
        """Whether the ticks have stopped coming."""
        return self.frame is not None and self.lag > CUT_OFF

    @property
    def believed(self) -> Frame | None:
        """The frame as far as it may be believed: once ticks have stopped, nothing in it is known any more."""
        return disbelieved(self.frame) if self.frame is not None and self.cut_off else self.frame


class Asked(Message):
    """A screen wants another screen or an act of the whole program."""

    def __init__(self, what: str, *arguments: object) -> None:
        super().__init__()
        self.what = what
        self.arguments = arguments


def view_head(view: View, headline: Headline | None = None, prefix: str = "RAMPDECK") -> Head:
    """Rows 1 to 3 of a view, with the way to it."""
    return replace(_view_head(view, headline, prefix), trail=view.trail)


def _view_head(view: View, headline: Headline | None, prefix: str) -> Head:
    """Before the first tick and after the last one the rows say so.

    A page with a ``headline`` of its own says at the right of row 2 what the home screen would say there.
    """
    frame, common = view.frame, common_headline(view)
    if frame is None:
        head = Head(
            view.system,
            view.environment,
            view.who,
            view.wall,
            view.read_only,
            headline=headline or common,
            prefix=prefix,
        )
    else:
        head = read_head(
            frame.evaluation,
            frame.policy,
            frame.presence,
            environment=frame.environment or view.environment,
            who=frame.who,
            read_only=frame.read_only,
            wall=view.wall,
            head=headline or common,
            prefix=prefix,
            acknowledged=frame.acknowledged,
        )
    if frame is not None and view.cut_off:
        head = _last_seen(head, frame)
    if headline is not None:
        verdict, short = in_brief(common)
        head = replace(head, verdict=verdict, verdict_short=short, alarmed=common.reverse)
    drill = frame.drills.running if frame is not None and frame.drills is not None else None
    if frame is None or drill is None:
        return head
    from stages.drill import PAPER

    return _drilling(head, drill, frame, calm=headline is None) if drill.mode == PAPER else head


def common_headline(view: View) -> Headline:
    """What the home screen says in row 2."""
    if view.frame is None:
        seconds = (view.wall - view.started).total_seconds()
        return Headline("WAIT", age(seconds), "first read", view.waiting or "reading", "running", False)
    if view.cut_off:
        last = f"The newest tick is {age(view.lag)} old and nothing below is known any more."
        return Headline("CUT OFF", age(view.lag), "no tick arrives", f"{last} r still tries.", "unknown", True)
    headline = view.frame.evaluation.headline
    if view.frame.read_only and not headline.reverse:
        return replace(
            headline,
            sentence=f"You cannot act from here. In trouble: rampdeck panic in another shell. {headline.sentence}",
        )
    return headline


def _last_seen(head: Head, frame: Frame) -> Head:
    """Row 1 once ticks have stopped: since when, and that nobody here knows who acts."""
    at = frame.evaluation.snapshot.market_of(frame.evaluation.snapshot.wall)
    zone = frame.policy.spec.target.session.timezone
    seen = f"LAST SEEN {local_time(at, zone, '%H:%M:%S').partition(' ')[0]}"
    return replace(
        head, stage=seen, stage_short=seen, mode="", cap="", auto="AUTO unknown", auto_short="AUTO unknown", phase="",
        pnl=unknown(head.pnl) if head.pnl is not None else None,
    )  # fmt: skip


def _drilling(head: Head, drill: DrillRun, frame: Frame, *, calm: bool) -> Head:
    """The head while a drill fires for real elsewhere: on which target, and what is held back until when.

    Nothing of the live target is held back, so only a sentence that had nothing to say makes room.
    """
    name = drill.target.get("target", "its target")
    head = replace(head, auto=f"DRILL on {name}", auto_short="DRILL")
    if not calm or head.headline is None or head.headline.mark != "ok":
        return head
    held = "are not held back yet"
    if drill.until is not None:
        market = frame.evaluation.snapshot.market_of(drill.until)
        zone = frame.policy.spec.target.session.timezone
        held = f"are held back until {local_time(market, zone, '%H:%M')}"
    said = f"DRILL {drill.run[:8]}: alarms of {name} {held}. Live ones are not."
    return replace(head, headline=replace(head.headline, sentence=said))


def zone_of(view: View) -> str:
    """On whose clock what was recorded is shown: the exchange's, unless market time has a speed of its own."""
    frame = view.frame
    if frame is None or frame.evaluation.snapshot.speed != 1:
        return "UTC"
    return frame.policy.spec.target.session.timezone


def too_small(view: View, width: int, height: int) -> list[Line]:
    """What still fits: the headline, how to get down, and the size that is needed."""
    head = view_head(view)
    lines: list[Line] = []
    if head.headline is not None:
        said = f"{head.headline.word} {head.headline.figure} {head.headline.thing}".strip()
        tone = Tone.ALARM if head.headline.reverse else Tone.BOLD
        lines.append(Line(tone).put(fit(said, width)).fill(width))
    lines.append(Line(Tone.BOLD).put(fit("r reduce risk  q quit", width)))
    lines.extend(sentences(f"terminal too small: {width}x{height}; {SMALLEST[0]}x20 shows the console", width))
    return padded(lines, height)


def keys_line(on: On, view: View, room: int, tone: Tone = Tone.PLAIN, turn: Turn = NOBODYS) -> Line:
    """The last row of a page: the keys of its screen as they are at this console, within ``room`` cells."""
    said, places = footer_places(on, view.frame, room - 2, view.keys.label, turn)
    line = Line(tone).put(f" {said}")
    for start, end, action in places:
        line.link(action, start + 1, end + 1)
    return line


def bindings(on: On) -> list[BindingType]:
    """The keys of a screen, from the registry; a key that picks by digit hands its digit on.

    Each binding has its action's id, by which a keymap moves it.
    """
    made: list[BindingType] = []
    for action in actions_on(on):
        if action.id == "palette":
            continue
        for key in action.keys.split(","):
            method = f"{action.method}({key})" if key.isdigit() else action.method
            made.append(Binding(key, method, action.title, show=False, id=action.id))
    return made


class Live(Screen[None]):
    """A screen that repaints its page whenever the view changes."""

    DEFAULT_CSS = """
    Live { layers: page token; background: $background; }
    Live > Sheet { layer: page; width: 100%; height: 100%; }
    Live > TokenInput { layer: token; }
    """
    AUTO_FOCUS: ClassVar[str | None] = ""
    ON: ClassVar[On | None] = None
    """Where the registry's actions for this screen stand; None for a question that has its own keys."""

    def __init__(self, view: View, *, ascii_marks: bool = False) -> None:
        super().__init__()
        self.view = view
        self.ascii_marks = ascii_marks
        self._said, self._said_until = "", view.wall
        self.sheet = Sheet(ascii_marks=ascii_marks)

    def compose(self) -> ComposeResult:
        yield self.sheet

    def on_mount(self) -> None:
        self.paint()

    def on_resize(self, event: events.Resize) -> None:
        self.paint(event.size.width, event.size.height)

    def show(self, view: View) -> None:
        """Draws a newer view."""
        self.view = view
        self.paint()

    def page(self, width: int, height: int) -> Sequence[Line]:
        """The whole page in lines of ``width`` cells."""
        raise NotImplementedError

    def paint(self, width: int = 0, height: int = 0) -> None:
        """Paints the page at the size of the terminal."""
        width, height = width or self.size.width, height or self.size.height
        if not width or not height:
            return
        self.view = replace(self.view, trail=self.trail())
        small = width < SMALLEST[0] or height < SMALLEST[1]
        page = too_small(self.view, width, height) if small else self.page(width, height)
        self.sheet.show([line.fill(width) for line in self._with_said(page, width)])

    def key_of(self, action: str) -> str:
        """The key of an action as people read it at this console."""
        return self.view.keys.label(next(one for one in ACTIONS if one.id == action))

    def crumbs(self) -> tuple[str, ...]:
        """What this screen is called on the way to it, and after it the part of it that is looked at."""
        return (PLACES[self.ON],) if self.ON is not None else ()

    def trail(self) -> tuple[str, ...]:
        """The way from home to here."""
        stack = [screen for screen in self.app.screen_stack if isinstance(screen, Live)]
        below = stack[: stack.index(self)] if self in stack else []
        return tuple(crumb for screen in (*below, self) for crumb in screen.crumbs())

    def topic(self) -> str:
        """What has the eye or the focus, as the help knows it."""
        return self.ON.value if self.ON is not None else On.RAMP.value

    def action_back(self) -> None:
        """One up; what is typed and not sent is given up on a second press only."""
        if self.lets_go():
            self.up()

    def lets_go(self) -> bool:
        """Whether leaving loses nothing, or was asked for twice."""
        return all(field.gives_up() for field in self.query(TokenInput) if field.display)

    def up(self) -> None:
        """Leaves what is looked at, or the screen."""
        self.post_message(Asked("back"))

    def on_click(self, event: events.Click) -> None:
        """Whatever a key does, a click on it does; nothing needs the mouse."""
        rows = self.sheet.lines
        target = rows[event.screen_y].at(event.screen_x) if 0 <= event.screen_y < len(rows) else None
        if target is not None:
            self.clicked(target)

    def clicked(self, target: object) -> None:
        """What a click on a part of the page means."""
        match target:
            case Action() if target.keys[0].isdigit():
                self.say(f"{target.label}: {target.title}; a click on its own place does the same")
            case Action():
                self.call_later(self.run_action, target.method)
            case CrumbLink(depth):
                self.post_message(Asked("climb", depth))

    def copies(self) -> tuple[Copy, ...]:
        """What can be copied here, what one most likely wants first."""
        from console.copying import TEXT, Copy

        return (Copy("the page", TEXT, lambda: self.sheet.text),)

    def copy(self, copy: Copy) -> None:
        """Hands one of them to the clipboard."""
        self.post_message(Asked("copy", copy))

    def action_copy(self) -> None:
        self.copy(self.copies()[0])

    def action_copy_json(self) -> None:
        from console.copying import JSON

        found = next((copy for copy in self.copies() if copy.form == JSON), None)
        if found is None:
            self.say("there is nothing here that has a form in JSON")
        else:
            self.copy(found)

    def action_screenshot(self) -> None:
        self.post_message(Asked("screenshot"))

    def say(self, text: str) -> None:
        """Says something for a few seconds, in place of the last rows of the page."""
        self._said, self._said_until = text, self.view.wall + SAID_FOR
        self.paint()

    def _with_said(self, page: Sequence[Line], width: int) -> Sequence[Line]:
        if not self._said or self.view.wall >= self._said_until:
            return page
        said = sentences(self._said, width - 2, lambda: Line(Tone.BOLD).put(" "))
        return [*page[: -len(said)], *said]

    def action_help(self) -> None:
        self.post_message(Asked("help", self.ON or On.RAMP, self.topic()))

    def action_reduce(self) -> None:
        self.post_message(Asked("reduce"))

    def action_kill(self) -> None:
        self.post_message(Asked("kill"))

    def action_incident(self) -> None:
        self.post_message(Asked("incident"))

    def action_clear(self) -> None:
        self.post_message(Asked("clear"))

    def action_ledger(self) -> None:
        self.post_message(Asked("ledger"))

    def action_drill(self) -> None:
        self.post_message(Asked("drill"))

    def action_leave(self) -> None:
        self.post_message(Asked("leave"))
