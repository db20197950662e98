"""The app on fakes: home, alarms, leaving, crashes, sizes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from console import crash
from console.actions import ACTIONS, On, actions_on
from console.footer import footer
from console.screens.leave import LeaveScreen
from console.screens.ledger import LedgerScreen
from console.screens.plan import PlanScreen
from console.screens.ramp import RampScreen
from console.screens.rollback import ReduceScreen
from console.seat import needs_ascii
from stages.value import replace
from stages.verdict import WatchPresence
from tests.screens import states
from tests.screens.pressing import until
from widgets.token_input import wrong_word

# --------------------------------------------------------------------------------------------------------------- Ramp


async def test_home_paints_before_there_is_anything_to_show(console) -> None:
    made = console()
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert "WAIT" in made.text
        assert "Starts the world of the demo." in made.text
        assert "not read yet" in made.text
        made.feed.give(states.ok())
        await until(pilot, lambda: "HOLD" in made.text)


@pytest.mark.parametrize("size", [(160, 45), (100, 30), (80, 24)])
async def test_looking_at_any_stage_leaves_rows_one_and_two_alone(console, size) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=size) as pilot:
        await pilot.pause()
        before = made.text.splitlines()[:2]
        for key in "0123":
            await pilot.press(key)
            await pilot.pause()
            assert made.text.splitlines()[:2] == before
        assert "WHAT IF L3" in made.text
        await pilot.press("escape")
        await pilot.pause()
        assert "WHAT IF" not in made.text


async def test_a_look_ends_by_itself(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "WHAT IF L2" in made.text)
        made.now += timedelta(seconds=61)
        later = replace(states.evaluation().snapshot, wall=made.now, market=made.now)
        made.feed.give(states.frame(evaluation=states.evaluation(snapshot=later)))
        await until(pilot, lambda: "WHAT IF" not in made.text)


async def test_ages_grow_without_a_new_frame(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "HOLD" in made.text)
        made.now += timedelta(seconds=7)
        await until(pilot, lambda: "CUT OFF   7s" in made.text)
        assert "14:31:15 ET" in made.text


async def test_acknowledging_names_the_alarm_of_the_headline(console) -> None:
    made = console(states.breach())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: made.hands.asked)
        assert made.hands.asked == [("acknowledge", "fired:gross-over")]


async def test_taking_over_is_asked_once(console) -> None:
    made = console(states.nobody_acts())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("T")
        await until(pilot, lambda: "take over: started" in made.text)
        assert made.hands.asked == [("take over",)]


async def test_a_read_only_console_plans_nothing(console) -> None:
    made = console(states.read_only())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: "READ-ONLY: nothing can be planned" in made.text)
        assert isinstance(made.app.screen, RampScreen)


async def test_sorting_is_done_once_and_keeps_the_pnl_first(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: "sorted once" in made.text)
        rows = [line[:24] for line in made.text.splitlines()[8:11]]
        assert ["day P&L" in rows[0], "largest order" in rows[1], "gross if all fill" in rows[2]] == [True] * 3


async def test_the_ascii_set_paints_nothing_else(console) -> None:
    made = console(states.breach(), ascii_marks=True)
    async with made.app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "# BREACH" in made.text)
        assert made.text.isascii()


# ------------------------------------------------------------------------------------------------- leaving and trouble


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_is_free_when_nothing_depends_on_it(console, key: str) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: made.app._exit)
    assert (made.app.return_code or 0) == 0


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_asks_when_this_console_acts(console, key: str) -> None:
    made = console(states.frame(presence=WatchPresence("alice@here", True, True, 0.0)))
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key, "y")
        await pilot.pause()
        assert isinstance(made.app.screen, LeaveScreen)
        assert "nobody reduces risk by itself" in " ".join(made.text.split())
        await until(pilot, lambda: made.app.screen.ready)
        await pilot.press("y")
        await until(pilot, lambda: made.app._exit)


async def test_leaving_asks_while_something_runs_and_can_be_taken_back(console) -> None:
    made = console(states.breach())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: "It goes on by itself without this console" in " ".join(made.text.split()))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))


@pytest.mark.parametrize("opened", ["", "p", "r", "?"])
async def test_any_size_survives_and_says_when_it_is_too_small(console, opened: str) -> None:
    made = console(states.breach())
    async with made.app.run_test(size=(160, 45)) as pilot:
        if opened:
            await pilot.press(opened)
        for size in ((100, 30), (80, 24), (60, 20), (61, 18), (20, 5), (1, 1), (300, 80), (30, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert max(len(line) for line in made.text.splitlines() or [""]) <= size[0]
        await pilot.resize_terminal(40, 8)
        await until(pilot, lambda: "terminal too small: 40x8" in made.text)
        assert "BREACH" in made.text


async def test_a_crash_tells_where_and_no_value(console, tmp_path) -> None:
    made = console(states.ok())
    secret = "s3cr3t" + "-value"

    def broken(width: int, height: int) -> list[object]:
        token = secret
        raise RuntimeError(f"cannot paint with Authorization: Bearer {token}")

    async def run_into_it() -> None:
        async with made.app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            made.app.ramp.page = broken
            made.app.call_later(made.app.ramp.paint)
            await pilot.pause(0.2)

    with pytest.raises(RuntimeError):
        await run_into_it()
    [path] = (tmp_path / "state").glob("crash-*.txt")
    report = path.read_text(encoding="utf-8")
    assert secret not in report
    assert "[redacted]" in report
    assert path.stat().st_mode & 0o077 == 0
    assert made.app.return_code == crash.EXIT_CODE


def test_what_looks_like_a_credential_is_redacted() -> None:
    hidden = crash.redacted("https://bob:hunter2@host token=abc PASSWORD: xyz rda1.claims.signature")
    for secret in ("hunter2", "abc", "xyz", "claims"):
        assert secret not in hidden


async def test_the_title_and_the_bell_tell_of_a_breach_once(console, monkeypatch) -> None:
    made = console(states.ok())
    rung: list[str] = []
    monkeypatch.setattr(made.app, "bell", lambda: rung.append("bell"))
    async with made.app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: made.app.title.startswith("torghut HOLD"))
        made.feed.give(states.breach())
        await until(pilot, lambda: made.app.title == "■ torghut BREACH gross 106 %")
        made.feed.give(states.breach())
        await pilot.pause()
        assert rung == ["bell"]


# ----------------------------------------------------------------------------------------------------- the registry


def test_every_action_has_a_method_and_a_key_of_its_own() -> None:
    screens = {On.RAMP: RampScreen, On.PLAN: PlanScreen, On.REDUCE: ReduceScreen, On.LEDGER: LedgerScreen}
    for on, screen in screens.items():
        keys = [key for action in actions_on(on) for key in action.keys.split(",")]
        assert len(keys) == len(set(keys)), on
        for action in actions_on(on):
            if action.id != "palette":
                assert hasattr(screen, f"action_{action.method.partition('(')[0]}"), (on, action.id)


@pytest.mark.parametrize("width", [58, 78, 98, 158])
def test_the_footer_fits_and_always_names_the_way_down(width: int) -> None:
    for on in (On.RAMP, On.PLAN, On.LEDGER):
        for frame in (None, states.ok(), states.breach(), states.read_only()):
            line = footer(on, frame, width)
            assert len(line) <= max(width, 78)
            assert "r reduce risk" in line


async def test_the_palette_acts_on_nothing_by_itself(console) -> None:
    made = console(states.breach())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        names = [command.title for command in made.app.get_system_commands(made.app.screen)]
        assert names
        assert not [name for name in names if re.search("(?i)rollback|freeze|apply", name)]
        assert [name for name in names if "screenshot" in name] == ["screenshot (ctrl+s)"], "the redacted one alone"
        await pilot.press("ctrl+p")
        await pilot.pause(0.2)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))
        assert made.hands.asked == []


async def test_the_palette_needs_no_glyphs_that_a_terminal_may_not_have(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "clipboard" in made.app.export_screenshot())
        picture = made.app.export_screenshot()
        assert [glyph for glyph in "🔎▁▔▊▎" if glyph in picture] == []


async def test_help_shows_every_key_and_every_mark(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("?")
        await until(pilot, lambda: "MARKS" in made.text)
        assert "RAMP · where you are" in made.text
        shown = made.text
        for _ in range(12):
            await pilot.press("pagedown")
            await pilot.pause()
            shown += made.text
        assert [action.id for action in ACTIONS if action.title[:30] not in shown] == []


def test_wrong_words_are_named() -> None:
    assert wrong_word("  advance   torghut l1 L2 gross 25000 ", (states.PHRASE,)) == ""
    assert wrong_word("advance torghut", (states.PHRASE,)) == "4 more: L1 L2 GROSS 25,000"
    assert wrong_word("rollback l9", ("FREEZE", "ROLLBACK L1")) == "word 2 is 'l9', not 'L1'"
    assert wrong_word("freeze now", ("FREEZE", "ROLLBACK L1")) == "'now' is too much"
    assert wrong_word("", ("FREEZE",)) == "nothing is typed yet"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"LANG": "en_US.UTF-8", "TERM": "xterm-256color"}, False),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "C.utf8"}, False),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
    ],
)
def test_the_locale_chooses_the_set_of_marks(environment: dict[str, str], wanted: bool) -> None:
    assert needs_ascii(environment) is wanted


async def test_without_colour_every_word_still_stands(console, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    made = console(states.breach())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "■ BREACH" in made.text)
        styles = [segment.style for strip in made.app.screen._compositor.render_strips() for segment in strip]
        assert all(
            len(set(style.color.triplet)) == 1 for style in styles if style and style.color and style.color.triplet
        )
