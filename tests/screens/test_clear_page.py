"""Clearing from the home screen: what holds, what it waits for, and one thing to do about each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.desk import Consents, Frame, Leftover, Told
from console.screens.clear.page import Sight, clear_page, items
from stages.clearing import Clearance, who_clears
from stages.posture import ClearRule, Latch, Mode, Posture
from stages.standing import Standing
from stages.value import replace
from tests.screens import states
from tests.screens.pressing import field_of, until, write

SIZES = ((160, 45), (100, 30), (80, 24))
SEEN = states.NOW - timedelta(minutes=6)
SIGNED = Consents(
    asked=True, file="/srv/rampdeck/inbox/request-5be0a7c1.json", given=("bob (risk)",), lacking="1 of 2 approvals"
)
DONE = replace(SIGNED, given=("bob (risk)", "erin (trader)"), lacking="")
CONDITIONS = (
    ("books are clean", True),
    ("positions are known", True),
    ("its cause is gone: next session", False),
)
KILL = replace(DONE, conditions=CONDITIONS, phrase="RESTORE torghut L0")
LEFT = Leftover(("submit enabled: false -> true", "the venue takes new orders again"), "RESUME torghut L1")


def latch(trigger: str, mode: Mode, roles: tuple[str, ...], rule: ClearRule, cap: int | None = None) -> Latch:
    return Latch(f"{trigger}/a/3", trigger, "a", 3, SEEN, f"{trigger}: seen twice", mode, cap, roles, 41, rule)


ONE_KEY = latch("stale", Mode.HALTED, ("operator",), ClearRule(approval=False, each=False, good=timedelta(minutes=5)))
BY_TWO = latch("gross-over", Mode.REDUCE_ONLY, ("risk", "trader"), ClearRule(), cap=0)
BOOKS = latch("books", Mode.HALTED, ("risk",), ClearRule(explain=True, gone=False), cap=0)
KILLED = latch("manual-kill", Mode.KILLED, ("risk",), ClearRule(), cap=0)


def judged(one: Latch, *waits: str) -> Clearance:
    return Clearance(one, not waits, waits, who_clears(one))


def held(*found: Clearance, standing: Mode | None = None) -> Frame:
    """A frame in which so much is held; Git stands in the strictest mode of it unless told otherwise."""
    mode = max((one.latch.mode for one in found), default=Mode.NORMAL)
    ok = states.ok()
    evaluation = replace(
        ok.evaluation,
        posture=Posture(mode, 1),
        standing=Standing(1, mode if standing is None else standing, 1),
        latches=tuple(one.latch for one in found),
    )
    return replace(ok, evaluation=evaluation, clearances=found)


WAITING = judged(ONE_KEY, "its cause is gone for 1m 40s of 5m")
FRAMES = {
    "nothing-held": (held(), Sight()),
    "nothing-known": (None, Sight()),
    "three": (held(judged(KILLED), WAITING, judged(BY_TWO)), Sight(consents=KILL)),
    "one-key": (held(judged(ONE_KEY)), Sight()),
    "signed-by-one": (held(judged(BY_TWO)), Sight(consents=SIGNED)),
    "with-reason": (held(judged(BOOKS)), Sight(consents=DONE)),
    "left": (held(standing=Mode.HALTED), Sight(leftover=LEFT)),
    "read-only": (replace(held(judged(ONE_KEY)), read_only=True), Sight()),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", FRAMES)
def test_what_is_held_reads_as_recorded(name: str, size: tuple[int, int], page_snapshot) -> None:
    frame, sight = FRAMES[name]
    lines, field_at, _ = clear_page(states.view(frame), 0, sight, "", *size)
    assert len(lines) == size[1]
    assert [line.text for line in lines if line.length > size[0]] == []
    assert lines[field_at].text.strip() == ""
    assert "\n".join(line.text.rstrip() for line in lines) == page_snapshot


@pytest.mark.parametrize(
    ("name", "how", "says"),
    [
        ("nothing-held", "nothing", "nothing is held; nothing to lift"),
        ("nothing-known", "nothing", "nothing is known yet"),
        ("three", "nothing", "not yet so: its cause is gone: next session"),
        ("one-key", "press", "y clears it"),
        ("signed-by-one", "nothing", "asked; 1 of 2 approvals"),
        ("with-reason", "reason", "type what it was"),
        ("left", "phrase", "type RESUME torghut L1"),
        ("read-only", "nothing", "READ-ONLY"),
    ],
)
def test_each_offers_one_thing_or_says_why_not(name: str, how: str, says: str) -> None:
    frame, sight = FRAMES[name]
    found = clear_page(states.view(frame), 0, sight, "", 100, 30)[2]
    assert (found.how, says in found.says) == (how, True), found


def test_what_still_waits_offers_nothing_and_a_fault_is_said() -> None:
    view = states.view(held(WAITING))
    assert "1m 40s of 5m" in clear_page(view, 0, Sight(), "", 100, 30)[2].says
    view = states.view(held(judged(BY_TWO)))
    assert clear_page(view, 0, Sight(trouble="the ledger is away"), "", 100, 30)[2].how == "nothing"
    unasked = clear_page(view, 0, Sight(consents=Consents(lacking="0 of 2 approvals")), "", 100, 30)[2]
    assert (unasked.how, unasked.act) == ("press", "ask")
    refused = clear_page(states.view(held(standing=Mode.HALTED)), 0, Sight(leftover=Leftover(refusal="no")), "", 80, 24)
    assert (refused[2].how, refused[2].says) == ("nothing", "stays: no")


def test_a_kill_without_a_latch_still_leads_to_its_restore() -> None:
    (row,) = items(held(standing=Mode.KILLED))
    assert (row.act, row.key) == ("restore", "")


async def test_one_key_press_clears_after_a_plain_confirm(console) -> None:
    made = console(held(judged(ONE_KEY)))
    made.hands.told = Told(True, "stale is cleared; resumed, pushed 8c1f2e0a")
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("c")
        await until(pilot, lambda: "y clears it" in made.text)
        await pilot.press("y")
        await until(pilot, lambda: "y again does it" in made.text)
        assert made.hands.asked == []
        await pilot.press("y")
        await until(pilot, lambda: "resumed, pushed 8c1f2e0a" in made.text)
        assert made.hands.asked == [("clear", ONE_KEY.key, "")]


async def test_a_wrong_role_is_told_and_nothing_else_changes(console) -> None:
    made = console(held(judged(ONE_KEY)))
    made.hands.told = Told(False, "alice is not operator, who may clear stale")
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("c")
        await until(pilot, lambda: "y clears it" in made.text)
        await pilot.press("y", "y")
        await until(pilot, lambda: "not done: alice is not operator" in made.text)


async def test_approvals_are_asked_for_and_a_reason_clears(console) -> None:
    made = console(held(judged(BY_TWO), judged(BOOKS)))
    made.hands.signed = Consents(lacking="0 of 2 approvals")
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("c")
        await until(pilot, lambda: "y asks for the approvals" in made.text)
        await pilot.press("y")
        await until(pilot, lambda: "rampdeck approve /inbox/request-1.json" in made.text)
        made.hands.signed = DONE
        await pilot.press("down")
        await until(pilot, lambda: "type what it was" in made.text)
        await field_of(pilot, made.app)
        await write(pilot, "a double")
        await pilot.press("enter")
        await until(pilot, lambda: len(made.hands.asked) == 2)
        assert made.hands.asked == [("ask", BY_TWO.key), ("clear", BOOKS.key, "a double")]


async def test_what_a_halt_left_is_lifted_by_its_phrase_typed_by_hand(console) -> None:
    made = console(held(standing=Mode.HALTED))
    made.hands.left = LEFT
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("c")
        await until(pilot, lambda: "type RESUME torghut L1" in made.text)
        await field_of(pilot, made.app)
        await pilot.press("ctrl+v")
        await until(pilot, lambda: "paste is refused" in made.text)
        await write(pilot, "resume torghut l2")
        await pilot.press("enter")
        assert made.hands.asked == []
        await pilot.press("ctrl+u")
        await write(pilot, "resume torghut l1")
        await pilot.press("enter")
        await until(pilot, lambda: made.hands.asked == [("resume", "resume torghut l1")])


async def test_what_killed_comes_back_by_the_phrase_once_everything_is_so(console) -> None:
    made = console(held(judged(KILLED)))
    made.hands.signed = KILL
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("c")
        await until(pilot, lambda: "NO its cause is gone: next session" in made.text)
        made.hands.signed = replace(KILL, conditions=(("books are clean", True),))
        await until(pilot, lambda: "type RESTORE torghut L0" in made.text)
        await field_of(pilot, made.app)
        await write(pilot, "restore torghut l0")
        await pilot.press("enter")
        await until(pilot, lambda: made.hands.asked == [("restore", "restore torghut l0")])
