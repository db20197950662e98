"""What each screen copies, in every form, and that its JSON is what the command prints."""

from __future__ import annotations

import json

import pytest

from console.copying import JSON, PATCH, TEXT, as_json
from console.watch.drill_report import run_document
from console.watch.once import Look
from console.watch.report import status_document
from stages.plan import to_document
from tests.screens import drills, ledgers, states
from tests.screens.pressing import field_of, until


def heard(made, monkeypatch) -> list[str]:
    """What the terminal is told beside what is painted."""
    told: list[str] = []
    driver = made.app._driver
    monkeypatch.setattr(driver, "write", told.append)
    return told


async def test_a_chosen_row_its_panel_and_the_status_are_the_commands_own(console) -> None:
    made = console(states.breach())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        await pilot.press("J")
        await until(pilot, lambda: made.app.clipboard)
        frame = states.breach()
        whole = json.loads(as_json(status_document(frame.policy, Look(frame.evaluation, frame.presence, own=False))))
        assert json.loads(made.app.clipboard) == whole
        await pilot.press("down", "J")
        await until(pilot, lambda: json.loads(made.app.clipboard) in whole["signals"])
        await pilot.press("Y")
        await until(pilot, lambda: made.app.clipboard.startswith("day P&L"))
        assert "handed to the terminal's clipboard" in made.text
        names = [command.title for command in made.app.get_system_commands(made.app.screen)]
        assert {"copy panel exposure as text", "copy panel exposure as JSON", "copy the page as text"} <= set(names)


async def test_the_page_is_what_stands_on_it(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "HOLD" in made.text)
        before = made.text
        await pilot.press("Y")
        await until(pilot, lambda: made.app.clipboard)
        assert made.app.clipboard.splitlines() == before.splitlines()


async def test_a_plan_is_copied_as_a_patch_and_as_its_file(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: "WHAT CHANGES" in made.text)
        forms = [copy.form for copy in made.app.screen.copies()]
        assert forms == [PATCH, JSON, TEXT]
        await pilot.press("J")
        await until(pilot, lambda: made.app.clipboard)
        draft, told = made.app.screen.draft, states.BLOCKED_REHEARSAL
        wanted = to_document(states.PLAN, gates=draft.gates, allowed=told.allowed, confirmation=told.confirmation)
        assert json.loads(made.app.clipboard) == json.loads(as_json(wanted))
        await until(pilot, lambda: "'rampdeck plan --to L2 --json' prints it." in " ".join(made.text.split()))


async def test_an_entry_is_copied_as_it_reads_and_as_it_is_stored(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story()
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l")
        await until(pilot, lambda: made.app.screen.reading.shelf.chosen is not None)
        await pilot.press("Y")
        await until(pilot, lambda: made.app.clipboard)
        newest = made.books.entries[-1]
        assert newest.entry is not None
        assert "CHAIN" in made.app.clipboard
        await pilot.press("J")
        await until(pilot, lambda: made.app.clipboard.startswith("{"))
        assert json.loads(made.app.clipboard) == newest.entry.document()


async def test_a_signal_over_time_and_a_drill(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: getattr(made.app.screen, "sight", None) and made.app.screen.sight.closeup)
        await pilot.press("y")
        await until(pilot, lambda: made.app.clipboard.startswith("# torghut "))
        await pilot.press("J")
        await until(pilot, lambda: made.app.clipboard.startswith("{"))
        assert json.loads(made.app.clipboard)["points"]
        await pilot.press("escape")
        made.feed.give(drills.frame(drills.passed()))
        await pilot.press("d")
        await until(pilot, lambda: "PASSED" in made.text)
        await pilot.press("J")
        await until(pilot, lambda: '"act"' in made.app.clipboard)
        assert json.loads(made.app.clipboard) == json.loads(as_json(run_document(drills.passed())))


async def test_the_commands_by_hand_are_in_the_palette_where_letters_are_typed(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(160, 45)) as pilot:
        await pilot.press("r")
        await field_of(pilot, made.app)
        await until(pilot, lambda: made.app.screen.plea.by_hand)
        [command] = [one for one in made.app.get_system_commands(made.app.screen) if "by hand" in one.title]
        assert "rampdeck rollback --to L0 --print" in command.help
        command.callback()
        await until(pilot, lambda: "git push" in made.app.clipboard)


@pytest.mark.parametrize("within", [False, True])
async def test_tmux_is_asked_twice_and_a_bare_terminal_once(console, monkeypatch, within: bool) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0") if within else monkeypatch.delenv("TMUX", raising=False)
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "HOLD" in made.text)
        told = heard(made, monkeypatch)
        await pilot.press("Y")
        await until(pilot, lambda: made.app.clipboard)
        assert [text[:12] for text in told if "]52;" in text] == ["\x1b]52;c;IHRvc", "\x1bPtmux;\x1b\x1b]52"][
            : 1 + within
        ]


async def test_what_has_no_json_says_so(console) -> None:
    made = console(states.ok())
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: "HERE:" in made.text)
        await pilot.press("J")
        await until(pilot, lambda: "nothing here that has a form in JSON" in made.text)
