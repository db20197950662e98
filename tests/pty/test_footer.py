"""Every key of every screen, pressed in a real terminal on the installed program; the registry says which there are.

One demo for the whole file. A new action fails here until somebody says what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest

from console.actions import ACTIONS, On
from stages.drill_faults import FAULTS
from tests.pty.places import entries, no_process_left, of_kind, until, verb
from tests.pty.terminal import Terminal
from tests.pty.test_walk import say_yes

pytestmark = [pytest.mark.pty, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("footer")]

RAW: Mapping[str, str] = MappingProxyType(
    {
        "enter": "\r", "escape": "\x1b", "tab": "\t", "down": "\x1b[B", "up": "\x1b[A", "left": "\x1b[D",
        "right": "\x1b[C", "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "slash": "/",
        "question_mark": "?", "exclamation_mark": "!", "left_square_bracket": "[", "right_square_bracket": "]",
        "plus": "+", "minus": "-", "ctrl+p": "\x10", "ctrl+s": "\x13",
    }
)  # fmt: skip
"""What a terminal sends for keys that are no letters."""

BODY, HEAD = slice(4, -1), slice(0, 1)


@dataclass(frozen=True)
class Shows:
    """What a key does: words that come, words that go, or rows that read differently; then the keys that undo it."""

    words: str = ""
    gone: str = ""
    stays: str = ""
    """Words that stand there afterwards, whether or not they did before: the field is there once approvals are."""
    rows: slice | None = None
    undo: str = ""
    key: str = ""
    """The key that is pressed, where the first of the action shows nothing here."""


CHANGES = Shows(rows=BODY)
BACK = "\x1b"
RISK = Shows("› REDUCE RISK", undo=BACK)

SHOWS: Mapping[On, Mapping[str, Shows]] = MappingProxyType(
    {
        On.RAMP: {
            "look": Shows("NOT the book in force", key="1", undo=BACK),
            "plan": Shows("RAMP › PLAN L1", undo=BACK),
            "reduce": RISK,
            "kill": Shows("► KILL heron", undo=BACK),
            "ledger": Shows("RAMP › LEDGER", undo=BACK),
            "incident": Shows("WHAT EACH HOLDS", undo=BACK),
            "clear": Shows("RAMP › CLEAR", undo=BACK),
            "drill": Shows("RAMP › DRILL", undo=BACK),
            "acknowledge": Shows("acknowledge: ", undo=BACK),
            "take-over": Shows("take over", undo=BACK),
            "zoom": Shows("RAMP › ZOOM", undo=BACK),
            "choose-next": Shows("enter zooms into", undo=BACK),
            "choose-previous": Shows("enter zooms into", undo=BACK),
            "burn-in": Shows("BURN-IN L0", undo=BACK),
            "sort": Shows("sorted once", undo=BACK),
            "filter": Shows("case does not matter", undo=BACK),
            "copy": Shows("the page as text", undo=BACK),
            "quit": Shows("LEAVE?", undo=BACK),
        },
        On.PLAN: {
            "page": Shows("› DIFF", key="2"),
            "next-change": CHANGES,
            "previous-change": CHANGES,
            "next-file": Shows("DIFF 2 of 2"),
            "previous-file": Shows("DIFF 1 of 2"),
            "beside": Shows("side by side needs 140 columns"),
            "fold": CHANGES,
            "patch": Shows("as patch"),
            "reduce-here": RISK,
            "again": CHANGES,
            "request": CHANGES,
            "field": Shows(stays="1-4 page"),
        },
        On.REDUCE: {},
        On.INCIDENT: {},
        On.CLEAR: {"pick": CHANGES, "pick-before": CHANGES, "copy-held": Shows("the page as text"), "yes": CHANGES},
        On.LEDGER: {
            "entry-down": CHANGES,
            "entry-up": CHANGES,
            "oldest": CHANGES,
            "entries-up": CHANGES,
            "entries-down": CHANGES,
            "newest": CHANGES,
            "half": Shows("no other half"),
            "wrong": Shows("nothing is known to be wrong"),
            "tail": Shows(rows=slice(3, 4)),
            "verify": Shows(", 0s ago"),
            "open": Shows("› ENTRY", undo=BACK),
            "filter-entries": Shows("› FILTER", undo=BACK),
            "copy-entry": Shows("as text"),
            "export": Shows("› EXPORT", undo=BACK),
            "postmortem": Shows("tells of no incident"),
            "reduce-from-ledger": RISK,
        },
        On.DRILL: {
            "abandon": Shows("nothing to abandon"),
            "evidence": Shows("no drill is shown"),
            "another": Shows(gone="no drill is shown"),
            "fault": Shows("WITH stale-metric", undo="f" * len(FAULTS)),
            "drill-field": Shows(gone="tab brings you here", undo="\t"),
            "ledger-of-drills": Shows("› LEDGER", undo=BACK),
            "reduce-while-drilling": RISK,
            "kill-while-drilling": Shows("► KILL heron", undo=BACK),
            "copy-drill": Shows("the page as text"),
        },
        On.ZOOM: {
            "copy-readings": Shows("readings of"),
            "earlier": Shows(gone="last 60 min"),
            "later": Shows("last 60 min"),
            "longer": Shows("last 4 h"),
            "shorter": Shows("last 60 min"),
            "next-signal": Shows(rows=HEAD),
            "previous-signal": Shows(rows=HEAD),
            "reduce-from-zoom": RISK,
        },
        On.HELP: {"scroll-down": CHANGES, "scroll-up": CHANGES},
    }
)
"""By screen, in the order in which they are pressed."""

EVERYWHERE: Mapping[str, Shows] = MappingProxyType(
    {
        "help": Shows("HERE: ", undo=BACK),
        "palette": Shows("Search for commands", undo=BACK),
        "copy-json": Shows("JSON"),
        "screenshot": Shows("without secrets and hosts"),
    }
)
"""What does the same on every screen; ``back`` is what leaves each of them."""

TYPED = {On.REDUCE: {"copy-json"}, On.INCIDENT: {"copy-json"}}
"""Letters of actions that go into a field there."""


def test_every_action_of_the_registry_is_pressed_somewhere() -> None:
    known: dict[On, set[str]] = {}
    for action in ACTIONS:
        known.setdefault(action.on, set()).add(action.id)
    assert known.pop(On.EVERY) == {*EVERYWHERE, "back"}
    assert known == {on: set(shows) for on, shows in SHOWS.items() if shows}
    assert set(SHOWS) == {on for on in On if on is not On.EVERY}


def test_every_key_is_one_that_a_terminal_sends() -> None:
    keys = {key for action in ACTIONS for key in action.keys.split(",") if len(key) > 1}
    assert {key for key in keys if key not in RAW and not key.isalnum()} == set()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("footer") / "demo"


@pytest.fixture(scope="module")
def terminal(folder: Path) -> Iterator[Terminal]:
    """A calm demo, its first burn-in begun."""
    words = ["demo", "--scenario", "calm", "--dir", str(folder)]
    with Terminal(words, columns=100, rows=30) as made:
        made.sees("AUTO HERE", "burn-in of L0", seconds=120)
        yield made
        home(made)
        made.press("q")
        made.sees("LEAVE?")
        say_yes(made)
        assert made.ends() == 0
    assert made.restored
    no_process_left(folder)


def way(terminal: Terminal) -> str:
    """Row 1 without its clock."""
    return terminal.lines[0].rpartition("│")[0]


def differs(terminal: Terminal, before: str) -> bool:
    return way(terminal) != before


def home(terminal: Terminal) -> None:
    """One step back at a time, until row 1 tells of no way any more. Each step is seen before the next key follows."""
    terminal.loses("LEAVE?")
    steps = 0
    while "›" in (before := way(terminal)):
        assert steps < 6, f"no way home\n{terminal.text}"
        steps += 1
        terminal.escape()
        until(partial(differs, terminal, before), what="a step back")


def body(terminal: Terminal, rows: slice) -> list[str]:
    """The rows, without what changes by itself: ages and times."""
    return [re.sub(r"\d+(\.\d+)?(ms|s)\b|\d\d:\d\d:\d\d", "", line) for line in terminal.lines[rows]]


def press(terminal: Terminal, action: str, key: str, shows: Shows) -> None:
    """Presses one key and waits for what it shows; what stood there before proves nothing."""
    before = body(terminal, shows.rows) if shows.rows is not None else []
    if shows.words:
        terminal.loses(shows.words)
    if shows.gone:
        terminal.sees(shows.gone)
    terminal.press(RAW.get(key, key))
    if shows.words:
        terminal.sees(shows.words)
    if shows.stays:
        terminal.sees(shows.stays)
    if shows.gone:
        terminal.loses(shows.gone)
    if shows.rows is not None:
        rows = shows.rows
        terminal.until(lambda: body(terminal, rows) != before, what=f"{action} changes something")
    if shows.undo:
        shown = terminal.lines
        terminal.press(shows.undo)
        terminal.until(lambda: terminal.lines != shown)
        if shows.words:
            terminal.loses(shows.words)


def press_all(terminal: Terminal, on: On, opened: str) -> None:
    """Every action of the screen, then those of every screen; ``opened`` stands on it whenever nothing lies above."""
    keys = {action.id: action.keys.split(",")[0] for action in ACTIONS if action.on in (on, On.EVERY)}
    everywhere = {name: shows for name, shows in EVERYWHERE.items() if name not in TYPED.get(on, ())}
    for name, shows in {**everywhere, **SHOWS[on]}.items():
        terminal.sees(opened)
        press(terminal, name, shows.key or keys[name], shows)


OPENS: Mapping[On, tuple[str, str]] = MappingProxyType(
    {
        On.RAMP: ("", "heron [DEMO]"),
        On.REDUCE: ("r", "RAMP › REDUCE RISK"),
        On.INCIDENT: ("i", "RAMP › INCIDENT"),
        On.LEDGER: ("l", "RAMP › LEDGER"),
        On.DRILL: ("d", "RAMP › DRILL"),
        On.ZOOM: ("\r", "RAMP › ZOOM"),
        On.PLAN: ("p", "RAMP › PLAN L1"),
        On.CLEAR: ("c", "RAMP › CLEAR"),
    }
)
"""The key that opens each screen from home, and what then stands on it."""


@pytest.mark.parametrize("on", [On.RAMP, On.REDUCE, On.INCIDENT, On.LEDGER, On.DRILL, On.ZOOM])
def test_every_key_shows_what_it_names(terminal: Terminal, on: On) -> None:
    home(terminal)
    key, opened = OPENS[on]
    terminal.press(key)
    terminal.sees(opened)
    ready(terminal, on)
    press_all(terminal, on, opened)
    home(terminal)


def ready(terminal: Terminal, on: On) -> None:
    """Waits for what the screen reads before its keys have something to show."""
    wanted: dict[On, Callable[[], object]] = {
        On.LEDGER: lambda: "VERIFIED   all" in terminal.text,
        On.DRILL: lambda: "tab brings you here" in terminal.text,
        On.ZOOM: lambda: re.search(r"samples +\d", terminal.text),
        On.PLAN: lambda: "DRY RUN" in terminal.text,
        On.CLEAR: lambda: "2 HELD" in terminal.text,
    }
    if on in wanted:
        terminal.until(wanted[on], what=f"{on.value} is ready")


def test_every_key_of_the_help(terminal: Terminal) -> None:
    home(terminal)
    terminal.press("?")
    terminal.sees("HERE: the ramp", "up, down scroll")  # the footer is painted last
    for name, shows in SHOWS[On.HELP].items():
        [key] = [action.keys.split(",")[0] for action in ACTIONS if action.id == name]
        press(terminal, name, key, shows)
    terminal.press("J")
    terminal.sees("nothing here that has a form in JSON")
    terminal.press("?")
    terminal.loses("› HELP")


def test_every_key_of_a_plan_changes_nothing(terminal: Terminal, folder: Path) -> None:
    home(terminal)
    terminal.press("p")
    ready(terminal, On.PLAN)
    press_all(terminal, On.PLAN, "RAMP › PLAN L1")
    home(terminal)
    assert of_kind(entries(folder), "intent") == [], "no key applies a plan; its phrase does"


def test_every_key_of_what_is_held(terminal: Terminal, folder: Path) -> None:
    """Held by a freeze and by an incident, so that there is something to pick."""
    config = ("--config", str(folder / "rampdeck.yaml"))
    for words in (("freeze", "--confirm", "FREEZE"), ("incident", "declare", "SEV3", "the feed lies")):
        done = verb(*config, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    home(terminal)
    terminal.sees("FROZEN")
    terminal.press("c")
    ready(terminal, On.CLEAR)
    press_all(terminal, On.CLEAR, "RAMP › CLEAR")
    home(terminal)
    assert of_kind(entries(folder), "latch-cleared") == [], "the first press only says what the second does"


def test_what_was_copied_and_pictured_is_where_it_was_said(terminal: Terminal, folder: Path) -> None:
    assert b"\x1b]52;c;" in terminal.raw
    until(lambda: len(list((folder / "state" / "screenshots").glob("*.svg"))) >= 3, what="pictures")
