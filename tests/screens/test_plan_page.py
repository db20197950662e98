"""Plan's pages: the states of a plan, its diff, and when the phrase is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.desk import Frame, Rehearsal
from console.screens.plan.draft import Draft, read_meanings
from console.screens.plan.page import narrow_page, plan_page
from stages.verdict import GateStatus
from tests.screens import states
from widgets.diff_view import change_starts, diff_rows

SIZES = ((160, 45), (100, 30), (80, 24))


def drafted(state: str, tab: int = 0) -> tuple[Frame, Draft]:
    frame = states.ok()
    draft = Draft("L2", tab=tab, meanings=read_meanings(frame, states.PLAN))
    ready = replace(draft, rehearsal=states.READY_REHEARSAL, answers=states.READY)
    running = states.applying()
    failed = replace(running.steps[2], state="failed", note="the remote rejected the push: protected branch")
    made = {
        "rehearsing": (frame, draft),
        "failed": (frame, replace(draft, trouble="remote: no route to host; try again")),
        "refused": (frame, replace(draft, rehearsal=states.REFUSED_REHEARSAL)),
        "no-plan": (frame, replace(draft, rehearsal=Rehearsal(None, refusal="L2 is not one stage up from L0"))),
        "blocked": (frame, replace(draft, rehearsal=states.BLOCKED_REHEARSAL, answers=states.BLOCKED)),
        "ready": (frame, ready),
        "stale": (frame, replace(ready, answers=states.STALE)),
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


def test_the_table_says_direction_money_and_who_enforces() -> None:
    shown, _ = text("blocked", (160, 45))
    gross = next(line for line in shown.splitlines() if "max gross" in line)
    assert [word in gross for word in ("▲", "riskier", "5,000 $", "25,000 $", "5.0", "app clips")] == [True] * 6
    assert "6 riskier, 1 same" in shown
    assert "RAMPDECK ONLY" in shown
    assert "+20,000 $" in shown
    assert "CANNOT APPLY: 1 gate, 1 sign" in shown
    assert "127 of 200 fills" in shown


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
