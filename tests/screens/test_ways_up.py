"""The way to where one is, one step up at a time, and nothing typed is lost without a word."""

from __future__ import annotations

import pytest

from console.actions import ACTIONS, On
from console.screens.help import HelpScreen
from console.screens.plan import PlanScreen
from console.screens.ramp import RampScreen
from console.screens.rollback import ReduceScreen
from console.topics import TOPICS
from tests.screens import states
from tests.screens.pressing import field_of, is_ready, until, write
from widgets.header import Head, header
from widgets.token_input import TokenInput


def first(made) -> str:
    return made.text.splitlines()[0]


async def test_row_one_says_the_way_and_escape_goes_it_back(console) -> None:
    made = console(states.ok())
    made.hands.rehearsal = states.READY_REHEARSAL
    async with made.app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: first(made).startswith(" torghut [PRODUCTION]"))
        await pilot.press("p")
        await until(pilot, lambda: first(made).startswith(" RAMP › PLAN L2 │ "))
        await pilot.press("2")
        await until(pilot, lambda: first(made).startswith(" RAMP › PLAN L2 › DIFF │ "))
        await pilot.press("?")
        await until(pilot, lambda: "› DIFF › HELP │ torghut [PRODUCTION] …4411 LIVE" in first(made))
        await pilot.press("escape")
        await until(pilot, lambda: "› PLAN L2 › DIFF │ " in first(made))
        await pilot.press("escape")
        await until(pilot, lambda: "RAMP › PLAN L2 │ " in first(made))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))
        await pilot.press("escape")
        assert isinstance(made.app.screen, RampScreen), "home is the end of the way"


@pytest.mark.parametrize(
    ("keys", "way"),
    [
        ("r", "RAMP › REDUCE RISK"), ("i", "RAMP › INCIDENT"), ("c", "RAMP › CLEAR"), ("l", "RAMP › LEDGER"),
        ("d", "RAMP › DRILL"), ("enter", "RAMP › ZOOM "),
    ],
)  # fmt: skip
async def test_every_screen_says_its_way_once(console, keys: str, way: str) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        await pilot.press(keys)
        await until(pilot, lambda: first(made).startswith(f" {way}"))
        assert first(made).count(way.rsplit(maxsplit=1)[-1]) == 1
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))


def test_the_way_makes_room_for_who_and_where() -> None:
    """On a narrow terminal the place stands alone, as before; the account is never cut for the way."""
    long = ("RAMP", "PLAN L2", "APPROVE, APPLY", "HELP")
    for width in (60, 80, 100, 120, 160, 200):
        made = Head(
            "torghut", "PRODUCTION", "alice", states.NOW, account="…4411 LIVE", prefix="PLAN READY │", trail=long
        )
        [line, *_] = header(made, width)
        assert "torghut [PRODUCTION] …4411 LIVE" in line.text
        assert ("›" in line.text) == (width >= 100)


async def test_what_is_typed_is_given_up_on_the_second_press_only(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("r")
        field = await field_of(pilot, made.app)
        await write(pilot, "rollback")
        await pilot.press("escape")
        await until(pilot, lambda: "what is typed here is lost then" in made.text)
        assert isinstance(made.app.screen, ReduceScreen)
        assert field.typed == "rollback"
        await write(pilot, " l0")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(made.app.screen, ReduceScreen), "typing on takes the first press back"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))
        assert made.hands.asked == []


async def test_a_filter_that_nobody_changed_closes_at_once(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l")
        await until(pilot, lambda: "LEDGER" in made.text)
        for typed, presses in (("", 1), ("kind:intent", 2)):
            await pilot.press("slash")
            await field_of(pilot, made.app)
            await until(pilot, lambda: "› FILTER" in first(made))
            await write(pilot, typed)
            for _ in range(presses):
                await pilot.press("escape")
            await until(pilot, lambda: not made.app.screen.query(TokenInput))


async def test_a_ready_phrase_is_not_lost_either(console) -> None:
    made = console(states.ok())
    is_ready(made)
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("p")
        await field_of(pilot, made.app)
        await write(pilot, "adv")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(made.app.screen, PlanScreen)
        await pilot.press("?")
        await until(pilot, lambda: "HERE: the confirmation token" in made.text)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, PlanScreen))
        assert made.app.screen.query_one(TokenInput).typed == "adv", "help keeps what is typed"


# ------------------------------------------------------------------------------------------------------------ the help


def test_every_topic_names_actions_that_exist_and_every_screen_has_one() -> None:
    known = {action.id for action in ACTIONS}
    assert {name for topic in TOPICS.values() for name in topic.actions} <= known
    screens = {on.value for on in On} - {"every", "help", "plan", "incident"}
    assert screens <= set(TOPICS)


@pytest.mark.parametrize(
    ("keys", "here"),
    [
        ((), "the ramp"), (("down",), "EXPOSURE"), (("2",), "WHAT IF"), (("b",), "the burn-in card"),
        (("r",), "the way down"), (("i",), "declaring an incident"), (("c",), "what is held"), (("l",), "the ledger"),
        (("slash",), "narrowing the ramp"), (("l", "slash"), "the filter"), (("l", "e"), "the export"),
        (("d",), "the drill"),
        (("enter",), "one signal over time"), (("p",), "the plan's summary"), (("p", "n"), "the diff"),
    ],
)  # fmt: skip
async def test_the_question_mark_explains_what_has_the_eye(console, keys: tuple[str, ...], here: str) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(made.app.screen, HelpScreen))
        await until(pilot, lambda: f"HERE: {here} " in made.text)
        said = next(topic.says for topic in TOPICS.values() if topic.name == here)
        assert said.split(". ")[0][:30] in made.text
