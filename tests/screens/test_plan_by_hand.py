"""The Plan page on fakes: from the dry run to the phrase, and every key between."""

from __future__ import annotations

from datetime import timedelta

from textual import events

from console.desk import Answers, Told
from console.screens.ramp import RampScreen
from stages.refusal import Trouble
from stages.value import replace
from tests.screens import states
from tests.screens.pressing import field_of, is_ready, until, write
from widgets.token_input import TokenInput


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
        assert "PLAN L2 │ APPLYING" in made.text
        made.feed.give(states.frame(running=states.applying(outcome="done", finished=made.now)))
        await until(pilot, lambda: "PLAN L2 │ APPLIED" in made.text)
        made.feed.give(states.frame(evaluation=states.evaluation(effective=2)))
        await pilot.pause()
        assert "PLAN L2 │ APPLIED" in made.text
        made.feed.give(states.ok())
        await until(pilot, lambda: "PLAN L2 │ TAKEN BACK" in made.text)
        assert "L1 is in force again" in made.text


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


async def test_a_gate_that_flickers_keeps_what_is_typed_and_refuses_enter(console) -> None:
    made = console(states.ok())
    is_ready(made)
    ready, first = made.hands.standing, states.PHRASE[:20]
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("2", "p")
        field = await field_of(pilot, made.app)
        await write(pilot, first)

        async def stand(answers: Answers) -> None:
            made.hands.standing = answers
            made.now += timedelta(seconds=3)
            made.feed.give(states.ok())
            await until(pilot, lambda: made.app.screen.draft.answers == answers)

        await stand(replace(ready, allowed=False, confirmation=""))
        await until(pilot, lambda: "NOT NOW" in made.text)
        await write(pilot, states.PHRASE[20:])
        await until(pilot, lambda: f"{states.PHRASE}▌" in made.text)
        assert "more characters" not in made.text
        await pilot.press("enter")
        await until(pilot, lambda: "nothing happened: not now" in made.text)
        assert not [asked for asked in made.hands.asked if asked[0] == "apply"]
        await stand(ready)
        await until(pilot, lambda: "YOU MAY APPLY" in made.text)
        assert made.app.screen.query_one(TokenInput) is field
        await pilot.press("enter")
        await until(pilot, lambda: made.hands.asked[-1] == ("apply", states.PLAN.id, states.PHRASE))


async def test_trouble_while_planning_is_one_line_and_can_be_tried_again(console) -> None:
    made = console(states.ok())

    def away(to_stage: int, tell: object) -> None:
        raise Trouble("the remote gives no answer", where="git@host:org/repo.git", fix="try again")

    good, made.hands.rehearse = made.hands.rehearse, away
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "p")
        await until(pilot, lambda: "CANNOT PLAN" in made.text)
        assert "where      git@host:org/repo.git" in made.text
        assert "do         try again" in made.text
        assert "r          reduces risk" in made.text
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
        await until(pilot, lambda: "APPROVE, APPLY" not in made.text.splitlines()[0])
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(made.app.screen, RampScreen))
        assert [asked[0] for asked in made.hands.asked] == ["rehearse"]


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
