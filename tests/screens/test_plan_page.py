"""Plan's pages: the states of a plan, its diff, and when the phrase is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.desk import Frame, Rehearsal, RunningStep, Told
from console.screens.plan import PlanScreen
from console.screens.plan.draft import Draft, read_meanings
from console.screens.plan.page import narrow_page, plan_page
from stages.departure import departure
from stages.ladder import Direction
from stages.patch import patch_text
from stages.plan import Edit
from stages.stake import stakes
from stages.value import replace
from stages.verdict import GateStatus
from tests.screens import states
from tests.screens.conftest import Console
from widgets.change_table import cost_lines
from widgets.diff_view import Look, change_starts, diff_rows, side_by_side
from widgets.token_input import TokenInput

SIZES = ((160, 45), (100, 30), (80, 24))


MADE_TODAY = replace(
    states.PLAN,
    epoch=5,
    changes=tuple(
        replace(change, before=Decimal(4000)) if change.control == "maxGrossExposure" else change
        for change in states.PLAN.changes
    ),
    edits=(replace(states.PLAN.edits[0], diff=states.DIFF.replace('"5000"', '"4000"'), blob_before="9" * 40),),
)
"""The same move on a head where somebody has lowered a limit by hand."""


def drafted(state: str, tab: int = 0) -> tuple[Frame, Draft]:
    frame = states.ok()
    draft = Draft("L2", tab=tab, meanings=read_meanings(frame, states.PLAN))
    ready = replace(draft, rehearsal=states.READY_REHEARSAL, answers=states.READY)
    running = states.applying()
    merge = RunningStep("merge", "running", note="waits for rampdeck/7f3a0000")
    proposed = replace(running, steps=(*running.steps[:3], merge), awaits="rampdeck/7f3a0000")
    parted = replace(states.STALE, departure=departure(states.PLAN, MADE_TODAY))
    failed = replace(running.steps[2], state="failed", note="the remote rejected the push: protected branch")
    made = {
        "rehearsing": (frame, draft),
        "failed": (frame, replace(draft, trouble="remote: no route to host; try again")),
        "refused": (frame, replace(draft, rehearsal=states.REFUSED_REHEARSAL)),
        "no-plan": (frame, replace(draft, rehearsal=Rehearsal(None, refusal="L2 is not one stage up from L0"))),
        "blocked": (frame, replace(draft, rehearsal=states.BLOCKED_REHEARSAL, answers=states.BLOCKED)),
        "ready": (frame, ready),
        "stale": (frame, replace(ready, answers=states.STALE)),
        "departed": (frame, replace(ready, answers=parted)),
        "proposed": (replace(frame, running=proposed), ready),
        "applying": (replace(frame, running=running), ready),
        "applied": (replace(frame, running=replace(running, outcome="done", finished=states.NOW)), ready),
        "not-applied": (
            replace(
                frame,
                running=replace(running, steps=(*running.steps[:2], failed), outcome="failed", finished=states.NOW),
            ),
            ready,
        ),
    }
    return made[state]


STATES = (
    "rehearsing", "failed", "refused", "no-plan", "blocked", "ready", "stale", "applying", "applied", "not-applied",
    "departed", "proposed",
)  # fmt: skip


def text(state: str, size: tuple[int, int], tab: int = 0) -> tuple[str, int | None]:
    frame, draft = drafted(state, tab)
    lines, field_at = plan_page(states.view(frame), draft, *size)
    assert len(lines) == size[1]
    assert [line.text for line in lines if line.length > size[0]] == []
    return "\n".join(line.text.rstrip() for line in lines), field_at


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_plan_reads_as_recorded(state: str, size: tuple[int, int], page_snapshot) -> None:
    shown, _ = text(state, size)
    assert shown == page_snapshot


@pytest.mark.parametrize("tab", [1, 2, 3])
@pytest.mark.parametrize("state", ["blocked", "ready", "applying"])
def test_every_page_reads_as_recorded(state: str, tab: int, page_snapshot) -> None:
    shown, _ = text(state, (80, 24), tab)
    assert shown == page_snapshot


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES)
def test_the_phrase_is_shown_only_when_it_can_be_used(state: str, size: tuple[int, int]) -> None:
    for tab in range(4):
        shown, field_at = text(state, size, tab)
        assert (states.PHRASE in shown) == (field_at is not None)
        if state != "ready":
            assert field_at is None
    if state == "ready":
        shown, field_at = text(state, size, 3)
        assert field_at is not None
        assert states.PHRASE in shown.splitlines()[field_at - 1]


@pytest.mark.parametrize("approvals", [1, 2, 3, 5])
@pytest.mark.parametrize("controls", [7, 11, 20])
def test_field_and_keys_stay_in_view_whatever_stands_above_them(approvals: int, controls: int) -> None:
    frame, draft = drafted("ready")
    plan, answers = draft.plan, draft.answers
    assert plan is not None
    assert answers is not None
    given = tuple(replace(states.BOB, approver=f"bob-{n}") for n in range(approvals))
    changes = tuple(replace(plan.changes[n % len(plan.changes)], control=f"c{n}") for n in range(controls))
    rehearsal = replace(states.READY_REHEARSAL, plan=replace(plan, changes=changes))
    draft = replace(draft, rehearsal=rehearsal, answers=replace(answers, given=given))
    lines, field_at = plan_page(states.view(frame), draft, 160, 45, typing=True)
    assert len(lines) == 45
    assert "letters go into the field" in lines[-1].text
    assert field_at is not None
    assert field_at <= 45 - 3, "the field takes two lines above the keys"
    assert draft.confirmation in lines[field_at - 1].text


def test_the_table_says_direction_money_and_who_enforces() -> None:
    shown, _ = text("blocked", (160, 45))
    gross = next(line for line in shown.splitlines() if "max gross" in line)
    assert [word in gross for word in ("▲", "riskier", "5,000 $", "25,000 $", "5.0", "app clips")] == [True] * 6
    assert "6 riskier, 1 same" in shown
    assert "RAMPDECK ONLY" in shown
    assert "+20,000 $" in shown
    assert "CANNOT APPLY: 1 gate, 1 sign" in shown
    assert "127 of 200 fills" in shown


def test_no_riskier_control_is_left_out_where_there_is_room_for_all_of_them() -> None:
    for size in SIZES:
        shown, _ = text("blocked", size)
        for change in states.PLAN.changes:
            assert f"▲ {change.title}" in shown or change.direction is not Direction.RISKIER


def test_a_changed_line_marks_what_differs_and_says_what_it_means() -> None:
    frame = states.ok()
    rows = diff_rows(states.PLAN.edits[0], read_meanings(frame, states.PLAN))
    removed = next(row for row in rows if row.kind == "-" and '"5000"' in row.text)
    added = next(row for row in rows if row.kind == "+" and '"25000"' in row.text)
    assert removed.meaning == "max gross 5,000 → 25,000 $, riskier"
    assert added.text[added.start : added.end] == "2"
    assert len(change_starts(rows)) == 4


def test_gates_in_doubt_never_look_passed() -> None:
    frame, draft = drafted("blocked")
    gates = tuple(replace(gate, status=GateStatus.UNKNOWN, reasons=("not read",)) for gate in states.gates())
    lines, _ = plan_page(states.view(frame), replace(draft, answers=replace(states.BLOCKED, gates=gates)), 160, 45)
    shown = "\n".join(line.text for line in lines)
    assert "GATES 0 of 11" in shown
    assert "· pass" not in shown


def test_below_eighty_columns_a_plan_is_only_looked_at() -> None:
    frame, draft = drafted("ready")
    lines = narrow_page(states.view(frame), draft, 60, 20)
    shown = "\n".join(line.text for line in lines)
    assert len(lines) == 20
    assert states.PHRASE not in shown
    assert "80x24 is needed" in shown


def test_an_expired_plan_is_stale() -> None:
    frame, draft = drafted("ready")
    view = states.view(frame, wall=states.PLAN.expires_at)
    assert draft.state(view) == "stale"


@pytest.mark.parametrize("whole", [False, True], ids=["folded", "whole"])
def test_side_by_side_reads_as_recorded(whole: bool, page_snapshot) -> None:
    frame, draft = drafted("blocked")
    look = Look(beside=True, whole=whole, top=2 if whole else 0)
    shown = plan_page(states.view(frame), replace(with_contents(draft), look=look), 160, 45)[0]
    assert "\n".join(line.text.rstrip() for line in shown) == page_snapshot


def with_contents(draft: Draft) -> Draft:
    """The draft with a file whose changed lines are those of the recorded diff."""
    assert draft.rehearsal is not None
    text = "\n".join(f"line: {number}" for number in range(1, 400)) + "\n"
    contents = {edit.path: text.encode() for edit in states.PLAN.edits}
    return replace(draft, rehearsal=replace(draft.rehearsal, plan=replace(states.PLAN, contents=contents)))


EDIT = Edit(
    "a.yaml",
    "1" * 40,
    "2" * 40,
    "--- a/a.yaml\n+++ b/a.yaml\n@@ -3,3 +3,4 @@\n c: 3\n-d: 4\n+d: 40\n+more: 1\n e: 5\n"
    "@@ -9,2 +10 @@\n i: 9\n-gone: 1\n",
)
AFTER = b"a: 1\nb: 2\nc: 3\nd: 40\nmore: 1\ne: 5\nf: 6\ng: 7\nh: 8\ni: 9\nk: 11\n"


def test_unchanged_parts_fold_to_one_row_that_counts_them() -> None:
    rows = diff_rows(EDIT, {})
    assert [row.text for row in rows if row.kind == "@"] == ["... 2 lines", "... 3 lines"]
    assert [(row.kind, row.old, row.new) for row in rows if row.kind in "-+"] == [
        ("-", 4, 0), ("+", 0, 4), ("+", 0, 5), ("-", 10, 0),
    ]  # fmt: skip


def test_unfolded_the_new_text_stands_there_whole_with_the_numbers_of_both_sides() -> None:
    rows = diff_rows(EDIT, {}, AFTER)
    after = [row for row in rows if row.kind != "-"]
    assert [row.text for row in after] == AFTER.decode().splitlines()
    assert [row.new for row in after] == list(range(1, 12))
    assert [row.old for row in rows if row.kind != "+"] == list(range(1, 12))


def test_side_by_side_a_removed_line_stands_beside_the_one_in_its_place() -> None:
    pairs = side_by_side(diff_rows(EDIT, {}))
    texts = [(old.text if old else None, new.text if new else None) for old, new in pairs]
    assert ("d: 4", "d: 40") in texts
    assert (None, "more: 1") in texts
    assert ("gone: 1", None) in texts
    assert [texts[start] for start in change_starts(pairs)] == [("d: 4", "d: 40"), ("gone: 1", None)]


def test_the_worst_case_names_what_nothing_limits() -> None:
    radius = states.PLAN.blast_radius
    shown = "\n".join(line.text for line in cost_lines(states.PLAN, 92, open_now="open not known", in_force=""))
    assert "no control limits it; each order at most" in next(
        line for line in shown.splitlines() if "order rate" in line
    )
    limited = replace(states.PLAN, blast_radius=replace(radius, rate_before=Decimal(6), rate_after=Decimal(9)))
    row = next(
        line.text
        for line in cost_lines(limited, 92, open_now="open not known", in_force="")
        if "order rate" in line.text
    )
    assert [word in row for word in ("6 →", "9 /min", "+3 /min")] == [True] * 3
    before, after = limited.order_limits
    assert before is not None
    assert after is not None
    sent = next(one for one in stakes(limited.blast_radius, limited.order_limits) if one.key == "sent")
    assert (sent.before, sent.after) == (6 * before, 9 * after)
    net = next(line for line in shown.splitlines() if "most to one side" in line)
    assert [word in net for word in ("2,500 →", "10,000 $", "+7,500 $")] == [True] * 3


async def test_keys_turn_the_diff_jump_in_it_and_copy_it_as_a_patch(tmp_path: Path) -> None:
    made = Console(states.ok(), tmp_path)
    made.hands.rehearsal, made.hands.standing = states.BLOCKED_REHEARSAL, states.BLOCKED
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: "WHAT CHANGES" in made.text)
        await pilot.press("u")
        await until(pilot, lambda: "WHAT CHANGES" not in made.text)
        await pilot.press("n", "n")
        await until(pilot, lambda: "change 2 of 4" in made.text)
        await pilot.press("u")
        await until(pilot, lambda: "WHAT CHANGES" in made.text and "change 2 of 4" in made.text)
        await pilot.press("Y")
        await until(pilot, lambda: "clipboard" in made.text)
        assert made.app.clipboard == patch_text(states.PLAN.edits)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await pilot.pause(0.02)


async def test_a_refused_apply_shows_the_plan_that_would_be_made_now(tmp_path: Path) -> None:
    made = Console(states.ok(), tmp_path)
    made.hands.rehearsal, made.hands.standing = states.READY_REHEARSAL, states.READY
    made.hands.told = Told(False, "the plan is stale: it changed", departure(states.PLAN, MADE_TODAY))
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: states.PHRASE in made.text)
        screen = made.app.screen
        assert isinstance(screen, PlanScreen)
        screen.post_message(TokenInput.Confirmed(states.PHRASE))
        await until(pilot, lambda: "PLAN AGAINST PLAN" in made.text)
        shown = next(line for line in made.text.splitlines() if "maxGrossExposure" in line)
        assert "5000 -> 25000" in shown
        assert "4000 -> 25000" in shown


def test_what_waits_for_its_merge_never_looks_applied() -> None:
    for size in SIZES:
        shown, _ = text("proposed", size)
        assert "PROPOSED" in shown
        assert "waits for the merge of rampdeck/7f3a0000" in shown
        assert "APPLIED" not in shown


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES)
def test_the_keys_are_those_that_do_something_in_the_state(state: str, size: tuple[int, int]) -> None:
    keys = text(state, size)[0].splitlines()[-1]
    assert ("y ask for approval" in keys) == (state == "blocked")
    if state in ("stale", "not-applied", "failed", "refused", "no-plan", "departed"):
        assert "R make again" in keys
    assert ("n N change" in keys) == (state not in ("rehearsing", "failed", "no-plan"))
    assert "r reduce risk" in keys


@pytest.mark.parametrize("state", STATES)
def test_a_narrow_plan_says_whole_what_it_is_and_who_says_no(state: str) -> None:
    frame, draft = drafted(state)
    view = states.view(frame)
    shown = [line.text.rstrip() for line in narrow_page(view, draft, 60, 20)]
    whole = " ".join(" ".join(shown).split())
    said, _, below = whole.partition(" ─ GATES")
    word = plan_page(view, draft, 160, 45)[0][1].text.split()[1]
    assert word in said
    assert "…" not in said
    assert "good for…" not in below
    assert max(len(line) for line in shown) <= 60
    assert ("GATES" in whole) == (state not in ("rehearsing", "failed", "no-plan"))
    assert shown[-1].endswith("esc back")
