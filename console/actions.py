"""The one registry of what a person can do: keys, footer, help and palette are all made from it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from stages.value import Struct

if TYPE_CHECKING:
    from console.desk import Frame


class Toward(StrEnum):
    """Where an action leads: it looks, it makes safer, it may make riskier, or it serves the screen."""

    LOOK = "look"
    SAFER = "safer"
    RISKIER = "riskier"
    SCREEN = "screen"


class On(StrEnum):
    """The screen on which an action lives; EVERY is all of them."""

    EVERY = "every"
    RAMP = "ramp"
    PLAN = "plan"
    REDUCE = "reduce"
    INCIDENT = "incident"
    CLEAR = "clear"
    LEDGER = "ledger"
    DRILL = "drill"
    ZOOM = "zoom"
    HELP = "help"


Predicate = Callable[["Frame | None"], bool]


def _always(_frame: Frame | None) -> bool:
    return True


def _known(frame: Frame | None) -> bool:
    return frame is not None


def _can_act(frame: Frame | None) -> bool:
    return frame is not None and not frame.read_only


def _rings(frame: Frame | None) -> bool:
    if frame is None or frame.read_only:
        return False
    alarm = frame.evaluation.headline.alarm
    return alarm is not None and alarm not in frame.acknowledged


def _drills(frame: Frame | None) -> bool:
    return _can_act(frame) and frame is not None and frame.drills is not None and frame.drills.running is not None


def _may_drill(frame: Frame | None) -> bool:
    return _can_act(frame) and not _drills(frame)


def _idle(frame: Frame | None) -> bool:
    return frame is not None and not _drills(frame)


def _can_take_over(frame: Frame | None) -> bool:
    return frame is not None and not frame.read_only and not (frame.presence.here and frame.presence.acting)


class Action(Struct, frozen=True):
    """One thing a person can do. ``method`` is the screen's or app's Textual action; ``keys`` are Textual names."""

    id: str
    keys: str
    label: str
    """The key as people read it."""
    title: str
    brief: str
    """The word in the footer."""
    toward: Toward
    on: On
    method: str
    possible: Predicate = _always
    footer: bool = True
    palette: bool = True


def _quiet(id: str, keys: str, label: str, title: str, on: On, method: str) -> Action:
    """What moves about on a screen: its help names it, its footer and the palette do not."""
    return Action(id, keys, label, title, "", Toward.LOOK, on, method, footer=False, palette=False)


def _copies(id: str, on: On, title: str) -> Action:
    """Copying what a screen shows or has chosen; the palette names each form by itself."""
    return Action(id, "Y", "Y", title, "copy", Toward.LOOK, on, "copy", footer=False, palette=False)


ACTIONS: tuple[Action, ...] = (
    Action(
        "look",
        "0,1,2,3",
        "0-3",
        "look at a stage (WHAT IF)",
        "stage",
        Toward.LOOK,
        On.RAMP,
        "look",
        _known,
        palette=False,
    ),
    Action(
        "plan", "p", "p", "plan a stage change: dry run, diff, gates", "plan", Toward.RISKIER, On.RAMP, "plan", _can_act
    ),
    Action("reduce", "r", "r", "reduce risk: freeze, roll back, kill", "reduce risk", Toward.SAFER, On.RAMP, "reduce"),
    Action("kill", "exclamation_mark", "!", "the same page with KILL suggested", "kill", Toward.SAFER, On.RAMP, "kill"),
    Action(
        "ledger", "l", "l", "the ledger: what was decided, unaltered or not", "ledger", Toward.LOOK, On.RAMP, "ledger"
    ),
    Action("incident", "i", "i", "declare an incident", "incident", Toward.SAFER, On.RAMP, "incident", _can_act),
    Action("clear", "c", "c", "clear what is held, and come back", "clear", Toward.RISKIER, On.RAMP, "clear", _known),
    Action("drill", "d", "d", "drill the kill or the rollback, on paper", "drill", Toward.LOOK, On.RAMP, "drill"),
    Action(
        "acknowledge",
        "a",
        "a",
        "acknowledge the headline: quiet, not cleared",
        "acknowledge",
        Toward.LOOK,
        On.RAMP,
        "acknowledge",
        _rings,
    ),
    Action(
        "take-over",
        "T",
        "T",
        "take over acting, when it is not done from here",
        "take over",
        Toward.SAFER,
        On.RAMP,
        "take_over",
        _can_take_over,
    ),
    Action("zoom", "enter", "enter", "zoom into the chosen signal", "zoom", Toward.LOOK, On.RAMP, "zoom", _known),
    Action(
        "choose-next",
        "down",
        "down",
        "choose the next signal",
        "signal",
        Toward.LOOK,
        On.RAMP,
        "choose_next",
        _known,
        footer=False,
        palette=False,
    ),
    Action(
        "choose-previous",
        "up",
        "up",
        "choose the signal before",
        "signal",
        Toward.LOOK,
        On.RAMP,
        "choose_previous",
        _known,
        footer=False,
        palette=False,
    ),
    Action(
        "burn-in",
        "b",
        "b",
        "the burn-in card: what binds, earliest end",
        "burn-in",
        Toward.LOOK,
        On.RAMP,
        "card",
        _known,
        footer=False,
    ),
    Action(
        "sort",
        "s",
        "s",
        "sort the rows once by distance to their limit",
        "sort",
        Toward.LOOK,
        On.RAMP,
        "sort_once",
        _known,
    ),
    Action(
        "filter",
        "slash",
        "/",
        "only the rows with these words; what is not ok shows all the same",
        "filter",
        Toward.LOOK,
        On.RAMP,
        "filter",
        _known,
    ),
    _copies("copy", On.RAMP, "copy the chosen row, or the page, as text"),
    Action("page", "1,2,3,4", "1-4", "show a page of the plan", "page", Toward.LOOK, On.PLAN, "page", palette=False),
    Action("next-change", "n", "n", "next change in the diff", "change", Toward.LOOK, On.PLAN, "next_change"),
    Action(
        "previous-change",
        "N",
        "N",
        "previous change in the diff",
        "change",
        Toward.LOOK,
        On.PLAN,
        "previous_change",
    ),
    Action(
        "previous-file",
        "left_square_bracket",
        "[",
        "previous file of the diff",
        "file",
        Toward.LOOK,
        On.PLAN,
        "previous_file",
    ),
    Action(
        "next-file", "right_square_bracket", "]", "next file of the diff", "file", Toward.LOOK, On.PLAN, "next_file"
    ),
    Action("beside", "u", "u", "the diff side by side, or in one column", "sides", Toward.LOOK, On.PLAN, "beside"),
    Action("fold", "f", "f", "fold or show what the diff leaves as it is", "fold", Toward.LOOK, On.PLAN, "fold"),
    Action("patch", "Y", "Y", "copy the diff as a patch for git apply", "copy patch", Toward.LOOK, On.PLAN, "copy"),
    Action("request", "y", "y", "ask the approvers", "ask for approval", Toward.LOOK, On.PLAN, "request", _can_act),
    Action("again", "R", "R", "make the plan again", "make again", Toward.LOOK, On.PLAN, "again"),
    Action(
        "reduce-here",
        "r",
        "r",
        "reduce risk: freeze, roll back",
        "reduce risk",
        Toward.SAFER,
        On.PLAN,
        "reduce",
        palette=False,
    ),
    Action(
        "field",
        "tab",
        "tab",
        "to the confirmation token and back",
        "token",
        Toward.SCREEN,
        On.PLAN,
        "field",
        palette=False,
    ),
    Action("pick", "down", "down", "the next of what is held", "next", Toward.LOOK, On.CLEAR, "pick", palette=False),
    _quiet("pick-before", "up", "up", "the one before", On.CLEAR, "pick_before"),
    Action(
        "yes", "y", "y", "do what the page offers", "does it", Toward.RISKIER, On.CLEAR, "yes", _can_act, palette=False
    ),
    Action("open", "enter", "enter", "the whole entry, and back to the list", "open", Toward.LOOK, On.LEDGER, "open"),
    Action(
        "filter-entries",
        "slash",
        "/",
        "show only some entries: kind, actor, stage, intent, time, text",
        "filter",
        Toward.LOOK,
        On.LEDGER,
        "filter",
    ),
    _quiet("entry-up", "up,k", "up k", "the entry above", On.LEDGER, "move(-1)"),
    _quiet("entry-down", "down,j", "down j", "the entry below", On.LEDGER, "move(1)"),
    _quiet("entries-up", "pageup", "pageup", "a page of entries up", On.LEDGER, "turn(-1)"),
    _quiet("entries-down", "pagedown,space", "pagedown space", "a page of entries down", On.LEDGER, "turn(1)"),
    _quiet("newest", "home", "home", "the newest entry", On.LEDGER, "newest"),
    _quiet("oldest", "end", "end", "the oldest entry", On.LEDGER, "oldest"),
    Action("half", "i", "i", "from an intent to its outcome and round", "other half", Toward.LOOK, On.LEDGER, "half"),
    Action("wrong", "w", "w", "what is altered, or without an outcome", "wrong", Toward.LOOK, On.LEDGER, "wrong"),
    Action("tail", "t", "t", "to the newest, and follow what comes", "follow", Toward.LOOK, On.LEDGER, "tail"),
    Action("verify", "v", "v", "verify the chain again from entry 1", "verify", Toward.LOOK, On.LEDGER, "verify"),
    _copies("copy-entry", On.LEDGER, "copy the chosen entry as text"),
    Action("export", "e", "e", "write the selection to a file", "export", Toward.LOOK, On.LEDGER, "export"),
    Action(
        "postmortem",
        "p",
        "p",
        "write the chosen entry's incident down, with its plots",
        "postmortem",
        Toward.LOOK,
        On.LEDGER,
        "postmortem",
    ),
    Action(
        "reduce-from-ledger",
        "r",
        "r",
        "reduce risk: freeze, roll back",
        "reduce risk",
        Toward.SAFER,
        On.LEDGER,
        "reduce",
        palette=False,
    ),
    Action(
        "abandon",
        "A",
        "A",
        "abandon the drill: it counts as failed, and cleans up",
        "abandon",
        Toward.SAFER,
        On.DRILL,
        "abandon",
        _drills,
    ),
    Action("evidence", "e", "e", "where the drill's evidence lies", "evidence", Toward.LOOK, On.DRILL, "evidence"),
    Action(
        "another", "d", "d", "a new drill, beside the one shown", "new drill", Toward.LOOK, On.DRILL, "another", _idle
    ),
    Action(
        "fault", "f", "f", "a fault for the next drill of the kill", "fault", Toward.LOOK, On.DRILL, "fault", _may_drill
    ),
    Action(
        "drill-field", "tab", "tab", "to the phrase and back", "phrase", Toward.SCREEN, On.DRILL, "field", palette=False
    ),
    Action(
        "ledger-of-drills",
        "l",
        "l",
        "the ledger: what was recorded",
        "ledger",
        Toward.LOOK,
        On.DRILL,
        "ledger",
        palette=False,
    ),
    Action(
        "reduce-while-drilling",
        "r",
        "r",
        "reduce risk on the LIVE target",
        "reduce LIVE",
        Toward.SAFER,
        On.DRILL,
        "reduce",
    ),
    Action(
        "kill-while-drilling",
        "exclamation_mark",
        "!",
        "kill on the LIVE target, as everywhere",
        "kill LIVE",
        Toward.SAFER,
        On.DRILL,
        "kill",
    ),
    Action("earlier", "left", "left", "earlier: half a window back", "move", Toward.LOOK, On.ZOOM, "earlier"),
    Action("later", "right", "right", "later: half a window on", "move", Toward.LOOK, On.ZOOM, "later"),
    Action("shorter", "plus", "+", "a shorter window", "window", Toward.LOOK, On.ZOOM, "shorter"),
    Action("longer", "minus", "-", "a longer window", "window", Toward.LOOK, On.ZOOM, "longer"),
    Action(
        "previous-signal",
        "left_square_bracket",
        "[",
        "the signal before this one",
        "signal",
        Toward.LOOK,
        On.ZOOM,
        "previous_signal",
    ),
    Action(
        "next-signal", "right_square_bracket", "]", "the next signal", "signal", Toward.LOOK, On.ZOOM, "next_signal"
    ),
    Action("copy-readings", "y,Y", "y", "copy the readings as text", "copy", Toward.LOOK, On.ZOOM, "copy"),
    Action(
        "reduce-from-zoom",
        "r",
        "r",
        "reduce risk: freeze, roll back",
        "reduce risk",
        Toward.SAFER,
        On.ZOOM,
        "reduce",
        palette=False,
    ),
    _copies("copy-drill", On.DRILL, "copy the drill as it stands, as text"),
    _copies("copy-held", On.CLEAR, "copy what is held, as text"),
    Action(
        "copy-json",
        "J",
        "J",
        "copy the same as JSON, as the command prints it",
        "copy JSON",
        Toward.LOOK,
        On.EVERY,
        "copy_json",
        footer=False,
        palette=False,
    ),
    Action(
        "screenshot",
        "ctrl+s",
        "ctrl+s",
        "a picture of the screen as SVG, without secrets and hosts",
        "screenshot",
        Toward.LOOK,
        On.EVERY,
        "screenshot",
        footer=False,
    ),
    _quiet("scroll-down", "down,pagedown,space", "down", "further down the help", On.HELP, "scroll(8)"),
    _quiet("scroll-up", "up,pageup", "up", "further up the help", On.HELP, "scroll(-8)"),
    Action("help", "question_mark", "?", "keys, marks and words", "help", Toward.SCREEN, On.EVERY, "help"),
    Action(
        "palette",
        "ctrl+p",
        "ctrl+p",
        "the palette of all actions",
        "palette",
        Toward.SCREEN,
        On.EVERY,
        "command_palette",
        footer=False,
        palette=False,
    ),
    Action("back", "escape", "esc", "back", "back", Toward.SCREEN, On.EVERY, "back", palette=False),
    Action(
        "quit", "q", "q", "quit; asks if this console acts or something runs", "quit", Toward.SCREEN, On.RAMP, "leave"
    ),
)
"""In the order of the footer."""


def actions_on(screen: On) -> tuple[Action, ...]:
    """What can be done on a screen, its own actions first."""
    return tuple(a for a in ACTIONS if a.on is screen) + tuple(a for a in ACTIONS if a.on is On.EVERY)
