"""Ledger: its states at every size, the pairs, what is altered, and that nothing moves under the eye."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from rich.cells import cell_len

from console.desk import Frame, Proof
from console.screens.ledger import LedgerScreen
from console.screens.ledger.page import ledger_page
from console.screens.ledger.reading import Reading, Writing
from console.screens.ledger.shelf import HELD, Shelf
from console.screens.ledger.wanted import Wanted, read_wanted, what_is_wrong
from stages.chain import Anchor, Problem
from stages.entries import EntryFilter, Head, StoredEntry
from stages.value import replace
from tests.screens import ledgers, states
from tests.screens.conftest import Shelves
from widgets.glyphs import ascii_twin
from widgets.token_input import TokenInput

SIZES = ((160, 45), (100, 30), (80, 24), (60, 20))


def read(rows: list[StoredEntry], *, at: int = 0, **changes: object) -> Reading:
    """A reading of these entries from the newest one, verified; ``at`` is the chosen entry."""
    books = Shelves(rows)
    shelf = Shelf().begin(books.leaf(EntryFilter()))
    shelf = shelf.choose(at) if at else shelf
    chosen = shelf.chosen
    intent = chosen.entry.intent if chosen is not None and chosen.entry is not None else None
    made = Reading(
        shelf=shelf,
        head=Head(len(rows), rows[-1].hash if rows else ""),
        loaded=True,
        proof=replace(books.verification(), anchor=Anchor(8, "ab" * 32, "77ac410")),
        companions=books.companions(intent) if intent else (),
        latest=len(rows),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def altered_story() -> list[StoredEntry]:
    rows = ledgers.story()
    rows[4] = replace(rows[4], text=rows[4].text.replace("bob", "eve"))
    rows[9] = replace(rows[9], text="not an entry any more \x1b[2J")
    return rows


ALTERED = Proof(
    13, 13, (Problem(5, "was altered: its text does not give the stored hash"), Problem(10, "was altered")), True, 0.2
)
STATES: dict[str, Callable[[], Reading]] = {
    "waiting": lambda: Reading(waited=2.0),
    "empty": lambda: read([], proof=Proof(0, 0, done=True)),
    "verifying": lambda: read(ledgers.story(40), proof=Proof(20, 53)),
    "verified": lambda: read(ledgers.story(40)),
    "intent": lambda: read(ledgers.story(), at=6),
    "lost": lambda: read(ledgers.story(), at=12),
    "altered": lambda: read(altered_story(), at=5, proof=ALTERED),
    "unreadable": lambda: read(altered_story(), at=10, proof=ALTERED),
    "away": lambda: read(ledgers.story(), trouble="ledger.db: the ledger is locked by another process; wait for it"),
    "filtered": lambda: read(
        ledgers.story()[5:6], wanted=Wanted("kind:intent actor:alice"), matching=1, head=Head(48213, "ab" * 32)
    ),
    "nothing-passes": lambda: read([], wanted=Wanted("text nobody wrote"), matching=0, head=Head(48213, "ab" * 32)),
    "newer": lambda: read(ledgers.story(), fresh=3, newcomer=ledgers.following(ledgers.story(), 3)[-1]),
    "opened": lambda: read(ledgers.story(), at=10, opened=True),
    "typing": lambda: read(ledgers.story(), typing="filter"),
    "writing": lambda: read(ledgers.story(), writing=Writing(5, 13)),
    "naming": lambda: read(ledgers.story(), typing="postmortem"),
}


def text(name: str, size: tuple[int, int], frame: Frame | None = None) -> tuple[str, int | None]:
    lines, field_at = ledger_page(states.view(frame or states.ok()), STATES[name](), *size)
    assert len(lines) == size[1]
    assert [line.text for line in lines if line.length != size[0] or cell_len(line.text) != size[0]] == []
    return "\n".join(line.text.rstrip() for line in lines), field_at


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", STATES)
def test_every_state_of_the_ledger_reads_as_recorded(name: str, size: tuple[int, int], page_snapshot) -> None:
    shown, _ = text(name, size)
    assert shown == page_snapshot


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", STATES)
def test_every_page_has_a_twin_in_ascii(name: str, size: tuple[int, int]) -> None:
    shown, _ = text(name, size)
    twin = ascii_twin(shown)
    assert twin.isascii()
    assert [cell_len(line) for line in twin.splitlines()] == [cell_len(line) for line in shown.splitlines()]


@pytest.mark.parametrize("size", SIZES)
def test_an_intent_without_an_outcome_says_so(size: tuple[int, int]) -> None:
    shown, _ = text("lost", size)
    row = next(line for line in shown.splitlines() if line.lstrip().startswith("? "))
    assert " 12 " in row
    assert "OUTCOME UNKN" in row
    assert "OUTCOME UNKNOWN: intent 12" in shown.splitlines()[3 if size[0] < 80 else 2]


def test_an_intent_stands_with_what_became_of_it() -> None:
    shown, _ = text("intent", (160, 45))
    right = [line.partition("│")[2] for line in shown.splitlines()]
    family = [line.split()[:2] if "►" not in line else line.split()[1:3] for line in right]
    wanted = [["6", "intent"], ["7", "committed"], ["8", "outcome"], ["9", "converged"]]
    assert [one for one in family if one in wanted] == wanted
    assert any("2m later" in line for line in right)
    row = next(line for line in shown.splitlines() if " 6 " in line[:13])
    assert "converged  advance" in row


def test_what_is_altered_is_named_in_the_header_and_at_its_place() -> None:
    shown, _ = text("altered", (160, 45))
    lines = shown.splitlines()
    assert "ALTERED   2 found  entry 5 was altered: its text does not give the stored hash" in lines[1]
    assert "No advance while this stands; r goes down all the same." in lines[2]
    row = next(line for line in lines if "ALTERED: its text" in line and " 5 " in line[:13])
    assert row.startswith(" ■")
    assert "eve" not in row.partition("│")[0]
    assert "hash as chained" in shown
    assert "hash of this" in shown
    unreadable, _ = text("unreadable", (160, 45))
    assert "\x1b" not in unreadable
    assert "\\u001b[2J" in unreadable


def test_an_alarm_of_the_book_is_seen_from_the_ledger() -> None:
    shown, _ = text("verified", (100, 30), states.breach())
    assert "BREACH" in shown.splitlines()[1]


def test_planted_markup_is_only_text() -> None:
    shown, _ = text("opened", (160, 45))
    assert "[/x] [bold]交易[/]" in shown
    assert "\\u202e" in shown
    assert "\u202e" not in shown


def test_the_canonical_text_is_shown_whole() -> None:
    rows = ledgers.story()
    shown, _ = text("opened", (160, 45))
    lines = shown.splitlines()
    start = next(at for at, line in enumerate(lines) if "CANONICAL TEXT" in line) + 1
    told = "".join(line[1:] for line in lines[start:-1])
    assert told == rows[9].text.replace("\u202e", "\\u202e")
    assert "".join(rows[9].hash[at : at + 8] + " " for at in range(0, 64, 8)).strip() in shown


# -------------------------------------------------------------------------------------------------------------- filter


def test_a_filter_is_read_from_words() -> None:
    wanted = read_wanted(" kind:intent actor:bob  since:2026-11-20 gross  over ")
    assert wanted.typed == "kind:intent actor:bob since:2026-11-20 gross over"
    assert (wanted.only.kind, wanted.only.actor, wanted.only.text) == ("intent", "bob", "gross over")
    assert wanted.only.since is not None
    assert read_wanted("") == Wanted()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("kind:intend", "no kind 'intend'; intent?"),
        ("since:monday", "'since:monday' is no time like 2026-11-20T14:30"),
        ("actor:", "'actor:' needs a value"),
        ("stage:L1 stage:L2", "'stage:' stands twice"),
        ("kind:intent", ""),
    ],
)
def test_what_cannot_be_read_is_said_while_it_is_typed(typed: str, said: str) -> None:
    assert what_is_wrong(typed) == said


# --------------------------------------------------------------------------------------------------------------- keys


async def until(pilot, true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await pilot.pause(0.02)


def screen_of(made) -> LedgerScreen:
    assert isinstance(made.app.screen, LedgerScreen)
    return made.app.screen


async def opened(made, pilot) -> LedgerScreen:
    await pilot.press("l")
    await until(pilot, lambda: "VERIFIED" in made.text)
    return screen_of(made)


async def test_what_arrives_never_moves_the_rows_in_view(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story(60)
    async with made.app.run_test(size=(100, 30)) as pilot:
        screen = await opened(made, pilot)
        await pilot.press("down", "down")
        before = made.text.splitlines()[5:16]
        made.books.entries += ledgers.following(made.books.entries, 3)
        made.now += timedelta(seconds=2)
        await until(pilot, lambda: "3 newer" in made.text)
        assert made.text.splitlines()[5:16] == before
        await pilot.press("t")
        await until(pilot, lambda: "later 2" in made.text.splitlines()[5])
        assert "3 newer" not in made.text
        made.books.entries += ledgers.following(made.books.entries, 1)
        made.now += timedelta(seconds=2)
        await until(pilot, lambda: screen.reading.shelf.cursor == 77)
        assert "entry 77  newest  follows" in made.text


async def test_a_filter_is_typed_and_taken_off_again(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story(60)
    async with made.app.run_test(size=(100, 30)) as pilot:
        await opened(made, pilot)
        await pilot.press("slash", *"kind", "colon", *"intend", "enter")
        await until(pilot, lambda: "no kind 'intend'; intent?" in made.text)
        await pilot.press("backspace", "t", "enter")
        await until(pilot, lambda: "kind:intent  2 of 73" in made.text)
        assert not list(made.app.screen.query(TokenInput))
        await pilot.press("slash", "ctrl+u", "enter")
        await until(pilot, lambda: "all 73" in made.text)


async def test_keys_of_the_field_do_nothing_else(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story()
    async with made.app.run_test(size=(100, 30)) as pilot:
        screen = await opened(made, pilot)
        await pilot.press("slash", *"retvwi")
        await until(pilot, lambda: "retvwi" in made.text)
        await pilot.press("escape")
        await until(pilot, lambda: "what is typed here is lost then" in made.text)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.reading.typing)
        assert made.app.screen is screen
        assert screen.reading.wanted == Wanted()


async def test_from_an_intent_to_its_outcome_and_to_what_is_lost(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story(400)
    async with made.app.run_test(size=(100, 30)) as pilot:
        screen = await opened(made, pilot)
        await pilot.press("w")
        await until(pilot, lambda: screen.reading.shelf.cursor == 412)
        await pilot.press(*["down"] * 6)
        await until(pilot, lambda: len(screen.reading.companions) == 4)
        await pilot.press("i")
        assert screen.reading.shelf.cursor == 407
        await pilot.press("enter")
        await until(pilot, lambda: "CANONICAL TEXT" in made.text)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: made.app.screen is not screen)


async def test_a_jump_out_of_what_is_held_reads_the_page_around_it(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story(900)
    made.books.problems = (Problem(300, "was altered: its text does not give the stored hash"),)
    rung: list[str] = []
    async with made.app.run_test(size=(100, 30)) as pilot:
        made.app.bell = lambda: rung.append("bell")
        await pilot.press("l")
        await until(pilot, lambda: "ALTERED" in made.text)
        screen = screen_of(made)
        assert rung == ["bell"]
        await pilot.press("w")
        await until(pilot, lambda: screen.reading.shelf.cursor == 300)
        assert "ALTERED: its text" in made.text


async def test_scrolling_through_everything_holds_few_entries(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story(3000)
    async with made.app.run_test(size=(100, 30)) as pilot:
        screen = await opened(made, pilot)
        shelf = screen.reading.shelf
        for key, end in (("pagedown", 1), ("pageup", 3013)):
            async with asyncio.timeout(60):
                while screen.reading.shelf.cursor != end:
                    await pilot.press(key)
                    shelf = screen.reading.shelf
                    assert len(shelf.rows) <= HELD
                    numbers = [row.seq for row in shelf.rows]
                    assert numbers == list(range(numbers[0], numbers[-1] - 1, -1))
        await pilot.press("end")
        await until(pilot, lambda: "entry 1  oldest" in made.text)
        await pilot.press("home")
        await until(pilot, lambda: "entry 3,013  newest" in made.text)


async def test_a_ledger_that_is_away_keeps_what_was_read_and_comes_back(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story()
    async with made.app.run_test(size=(100, 30)) as pilot:
        await opened(made, pilot)
        made.books.away = "the ledger is locked by another process"
        made.now += timedelta(seconds=2)
        await until(pilot, lambda: "LEDGER AWAY" in made.text)
        assert "locked by another process" in made.text
        assert "approval-recorded" in made.text
        made.books.away = ""
        made.now += timedelta(seconds=2)
        await until(pilot, lambda: "VERIFIED" in made.text)


async def test_a_missing_ledger_opens_with_its_trouble(console) -> None:
    made = console(states.ok())
    made.books.away = "the ledger does not exist"
    async with made.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("l")
        await until(pilot, lambda: "LEDGER AWAY" in made.text)
        assert "the ledger does not exist" in made.text


async def test_the_selection_is_exported_under_the_typed_name(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story()
    async with made.app.run_test(size=(100, 30)) as pilot:
        await opened(made, pilot)
        await pilot.press("slash", *"kind", "colon", *"intent", "enter")
        await until(pilot, lambda: "2 of 13" in made.text)
        await pilot.press("e")
        await until(pilot, lambda: "ledger-torghut-20261124-193108.jsonl" in made.text)
        await pilot.press("ctrl+u", *"here.csv", "enter")
        await until(pilot, lambda: "2 entries, jsonl, in here.csv" in made.text)
        assert made.books.exported == [(EntryFilter(kind="intent"), "here.csv")]


async def test_an_export_tells_how_far_it_is_and_esc_stops_it(console) -> None:
    made = console(states.ok())
    made.books.entries, made.books.pieces = ledgers.story(), 10
    async with made.app.run_test(size=(100, 30)) as pilot:
        await opened(made, pilot)
        await pilot.press("e", "enter")
        await until(pilot, lambda: "esc stops it: 0 of 13 entries written" in made.text)
        await pilot.press("e")
        assert "a new file" not in made.text, "one at a time"
        await pilot.press("slash", *"intent", "enter")
        await until(pilot, lambda: "of 13" in made.text and "esc stops it: 0 of 13" in made.text)
        await pilot.press("escape")
        made.books.paper.set()
        await until(pilot, lambda: "not written: stopped after 1" in made.text)
        assert "esc stops it" not in made.text
        assert "LEDGER" in made.text
        await pilot.press("escape")
        await until(pilot, lambda: "EXPOSURE" in made.text)


async def test_the_incident_of_the_chosen_entry_is_written_down(console) -> None:
    made = console(states.ok())
    made.books.entries = ledgers.story()
    async with made.app.run_test(size=(100, 30)) as pilot:
        await opened(made, pilot)
        await pilot.press("p")
        await until(pilot, lambda: "tells of no incident" in made.text)
        await pilot.press("slash", *"latch", "enter")
        await until(pilot, lambda: "of 13" in made.text)
        await pilot.press("p")
        await until(pilot, lambda: "a new folder" in made.text)
        await pilot.press("ctrl+u", *"inc-7", "enter")
        await until(pilot, lambda: "inc-7/postmortem.md" in made.text)
        assert made.books.told == [(states.ok().policy.name, "g/0", "inc-7")]


async def test_an_export_that_stands_still_holds_nobody_on_the_page(console) -> None:
    made = console(states.ok())
    made.books.entries, made.books.pieces = ledgers.story(), 10
    async with made.app.run_test(size=(100, 30)) as pilot:
        await opened(made, pilot)
        await pilot.press("e", "enter")
        await until(pilot, lambda: "esc stops it: 0 of 13 entries written" in made.text)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: "EXPOSURE" in made.text)
        made.books.paper.set()
