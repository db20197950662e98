"""The app on fakes: keys, phrases, alarms, leaving, crashes, sizes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from textual import events

from console import crash
from console.actions import ACTIONS, On, actions_on, footer
from console.app import needs_ascii
from console.desk import Told
from console.screens.leave import LeaveScreen
from console.screens.ledger import LedgerScreen
from console.screens.plan import PlanScreen
from console.screens.ramp import RampScreen
from console.screens.rollback import ReduceScreen
from stages.refusal import Trouble
from stages.verdict import WatchPresence
from tests.screens import states
from widgets.token_input import TokenInput, wrong_word


async def until(pilot, true: Callable[[], object]) -> None:
    """Waits on a condition, with a deadline."""
    async with asyncio.timeout(20):
        while not true():
            await pilot.pause(0.02)


async def field_of(pilot, app) -> TokenInput:
    """The phrase's field, once it takes keys."""
    await until(pilot, lambda: [field for field in app.screen.query(TokenInput) if field.ready and field.has_focus])
    return app.screen.query_one(TokenInput)


async def write(pilot, text: str) -> None:
    names = {" ": "space", ",": "comma"}
    await pilot.press(*(names.get(character, character) for character in text))


def is_ready(made) -> None:
    made.hands.rehearsal, made.hands.standing = states.READY_REHEARSAL, states.READY


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


# --------------------------------------------------------------------------------------------------------------- Plan


async def test_from_dry_run_to_applied_by_hand(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("2", "p")
        await until(pilot, lambda: "CANNOT APPLY: 1 gate, 1 sign" in made.text)
        assert states.PHRASE not in made.text
        await pilot.press("y")
        await until(pilot, lambda: ("request", states.PLAN.id) in made.hands.asked)
        made.hands.standing = states.READY
        made.now += timedelta(seconds=3)
        later = replace(states.evaluation().snapshot, wall=made.now, market=made.now)
        made.feed.give(states.frame(evaluation=states.evaluation(snapshot=later)))
        await until(pilot, lambda: "YOU MAY APPLY" in made.text)
        await field_of(pilot, made.app)
        await write(pilot, "advance TORGHUT l1 l2 gross 25000")
        await pilot.press("enter")
        await until(pilot, lambda: made.hands.asked[-1][0] == "apply")
        assert made.hands.asked[-1] == ("apply", states.PLAN.id, "advance TORGHUT l1 l2 gross 25000")
        assert "YOU MAY APPLY" not in made.text
        made.feed.give(states.frame(running=states.applying()))
        await until(pilot, lambda: "5 of 7 controls are L2" in made.text)
        assert "PLAN APPLYING" in made.text
        made.feed.give(states.frame(running=states.applying(outcome="done", finished=made.now)))
        await until(pilot, lambda: "PLAN APPLIED" in made.text)
        made.feed.give(states.ok())
        await pilot.pause()
        assert "PLAN APPLIED" in made.text


async def test_a_wrong_phrase_does_nothing_and_names_the_word(console) -> None:
    made = console(states.ok())
    is_ready(made)
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "p")
        await field_of(pilot, made.app)
        await pilot.press("enter")
        await write(pilot, "advance torghut l1 l3 gross 25,000")
        await pilot.press("enter")
        await until(pilot, lambda: "nothing happened: word 4 is 'l3', not 'L2'" in made.text)
        assert not [asked for asked in made.hands.asked if asked[0] == "apply"]


async def test_keys_typed_ahead_do_not_count_and_are_said(console) -> None:
    made = console(states.ok())
    is_ready(made)
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "p")
        field = await field_of(pilot, made.app)
        field.ready = False
        await write(pilot, states.PHRASE)
        await pilot.press("enter")
        assert field.typed == ""
        assert "came too early and did not count" in field.said
        assert not [asked for asked in made.hands.asked if asked[0] == "apply"]


async def test_an_advance_refuses_both_ways_of_pasting(console) -> None:
    made = console(states.ok())
    is_ready(made)
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "p")
        field = await field_of(pilot, made.app)
        field.post_message(events.Paste(states.PHRASE))
        await until(pilot, lambda: "paste is refused here" in field.said)
        field.said = ""
        made.app.copy_to_clipboard(states.PHRASE)
        await pilot.press("ctrl+v")
        await until(pilot, lambda: "paste is refused here" in field.said)
        assert field.typed == ""


async def test_a_plan_that_turns_takes_its_phrase_away(console) -> None:
    made = console(states.ok())
    is_ready(made)
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "p")
        await field_of(pilot, made.app)
        made.hands.standing = states.STALE
        made.now += timedelta(seconds=3)
        made.feed.give(states.ok())
        await until(pilot, lambda: "PLAN STALE" in made.text)
        await until(pilot, lambda: not made.app.screen.query(TokenInput))
        assert states.PHRASE not in made.text


async def test_trouble_while_planning_is_one_line_and_can_be_tried_again(console) -> None:
    made = console(states.ok())

    def away(to_stage: int) -> None:
        raise Trouble("the remote gives no answer", where="git@host:org/repo.git", fix="try again")

    good, made.hands.rehearse = made.hands.rehearse, away
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "p")
        await until(pilot, lambda: "CANNOT PLAN" in made.text)
        assert "the remote gives no answer; try again" in made.text
        made.hands.rehearse = good
        await pilot.press("R")
        await until(pilot, lambda: "CANNOT APPLY" in made.text)


async def test_a_refused_apply_says_why_and_gives_the_field_back(console) -> None:
    made = console(states.ok())
    is_ready(made)
    made.hands.told = Told(False, "an approval has expired")
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("2", "p")
        await field_of(pilot, made.app)
        await write(pilot, states.PHRASE)
        await pilot.press("enter")
        await until(pilot, lambda: [asked for asked in made.hands.asked if asked[0] == "apply"])
        await field_of(pilot, made.app)
        assert made.app.screen.draft.note == "not applied: an approval has expired"


async def test_the_diff_is_walked_by_change_and_by_file(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "p")
        await until(pilot, lambda: "CANNOT APPLY" in made.text)
        await pilot.press("n")
        await until(pilot, lambda: "DIFF 1 of 2" in made.text)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "DIFF 2 of 2  configmap.yaml" in made.text)
        await pilot.press("left_square_bracket", "3")
        await until(pilot, lambda: "GATES 10 of 11" in made.text)


async def test_leaving_a_plan_writes_nothing(console) -> None:
    made = console(states.ok())
    is_ready(made)
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "p")
        await field_of(pilot, made.app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))
        assert [asked[0] for asked in made.hands.asked] == ["rehearse"]


# -------------------------------------------------------------------------------------------------------- Reduce risk


async def test_twelve_keys_roll_back(console) -> None:
    made = console(states.breach())
    frame = replace(states.breach(), running=None)
    made.feed.shown = frame
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await write(pilot, "rollback l1")
        await pilot.press("enter")
        await until(pilot, lambda: made.hands.asked)
        assert made.hands.asked == [("rollback", "L1", "rollback l1")]
        await until(pilot, lambda: "ROLLBACK L1: started" in made.text)
        made.feed.give(replace(frame, running=states.reducing()))
        await until(pilot, lambda: "TIME TO SAFE" in made.text)


async def test_fourteen_keys_kill_and_a_digit_gives_the_reason(console) -> None:
    made = console(replace(states.breach(), running=None))
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("exclamation_mark")
        await field_of(pilot, made.app)
        await until(pilot, lambda: "► KILL torghut" in made.text)
        await write(pilot, "5")
        await pilot.press("enter")
        assert made.hands.asked == []
        await pilot.press("backspace")
        await write(pilot, "kill torghut")
        await pilot.press("enter")
        await until(pilot, lambda: "handed over in 4 ms" in made.text)
        assert made.hands.asked == [("kill", "kill torghut")]
        await write(pilot, "5")
        await pilot.press("enter")
        await until(pilot, lambda: ("reason", "incident") in made.hands.asked)


async def test_reductions_take_paste_by_both_routes(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("r")
        field = await field_of(pilot, made.app)
        field.post_message(events.Paste("FREEZE\n"))
        await until(pilot, lambda: field.typed == "FREEZE")
        await pilot.press("ctrl+u")
        made.app.copy_to_clipboard("ROLLBACK L0")
        await pilot.press("ctrl+v", "enter")
        await until(pilot, lambda: made.hands.asked)
        assert made.hands.asked == [("rollback", "L0", "ROLLBACK L0")]


async def test_the_page_opens_with_nothing_known_and_still_acts(console) -> None:
    made = console()
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await write(pilot, "rollback l0")
        await pilot.press("enter")
        await until(pilot, lambda: made.hands.asked)
        assert made.hands.asked == [("rollback", "L0", "rollback l0")]


async def test_an_empty_line_and_a_wrong_stage_do_nothing(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await pilot.press("enter")
        await write(pilot, "rollback l7")
        await pilot.press("enter")
        await until(pilot, lambda: "word 2 is 'l7', not 'L0'" in made.text)
        assert made.hands.asked == []


async def test_keys_before_the_field_has_the_focus_are_said(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        field = await field_of(pilot, made.app)
        made.app.screen.set_focus(None)
        await pilot.press("x")
        await until(pilot, lambda: "1 key came too early" in field.said)
        assert field.typed == ""


async def test_the_commands_by_hand_are_on_the_page(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: "git clone ... # to L0" in made.text)


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
                assert hasattr(screen, f"action_{action.method}"), (on, action.id)


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
        assert not [name for name in names if re.search("(?i)theme|screenshot|rollback|freeze|apply", name)]
        await pilot.press("ctrl+p")
        await pilot.pause(0.2)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))
        assert made.hands.asked == []


async def test_help_shows_every_key_and_every_mark(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("?")
        await until(pilot, lambda: "MARKS" in made.text)
        for action in ACTIONS:
            assert action.title[:30] in made.text


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


async def test_tab_goes_to_the_phrase_and_back_so_that_the_diff_can_be_walked(console) -> None:
    made = console(states.ok())
    is_ready(made)
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "p")
        field = await field_of(pilot, made.app)
        await pilot.press("tab", "2")
        await until(pilot, lambda: "DIFF 1 of 2" in made.text)
        assert field.typed == ""
        await pilot.press("4", "tab")
        await until(pilot, lambda: field.has_focus)


async def test_without_colour_every_word_still_stands(console, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    made = console(states.breach())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "■ BREACH" in made.text)
        styles = [segment.style for strip in made.app.screen._compositor.render_strips() for segment in strip]
        assert all(
            len(set(style.color.triplet)) == 1 for style in styles if style and style.color and style.color.triplet
        )


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
async def test_states_can_be_read_in_light_and_dark(console, theme: str) -> None:
    made = console(states.breach())
    async with made.app.run_test(size=(100, 30)) as pilot:
        made.app.theme = theme
        await until(pilot, lambda: "■ BREACH" in made.text)
        sheet, light = made.app.screen.sheet, theme == "textual-light"
        await until(pilot, lambda: (sum(sheet.rich_style.bgcolor.triplet) > 384) == light)
        back = sheet.rich_style.bgcolor.triplet
        for style in sheet._tones().values():
            if style.color is not None:
                assert contrast(style.color.triplet, back) >= 4.5, style


def contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """The contrast ratio of two colours after WCAG."""

    def light(colour: tuple[int, int, int]) -> float:
        parts = [part / 255 for part in colour]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((light(first), light(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)
