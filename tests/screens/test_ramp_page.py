"""Ramp's page in every state at every size: what stands where, and what must never stand anywhere."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

import pytest

from console.screens.ramp.outline import Look, terminal_title
from console.screens.ramp.page import ramp_page
from stages.ladder import Unit
from stages.posture import Mode
from stages.signals import SignalKey
from stages.standing import Standing
from stages.value import replace
from stages.verdict import Alarm, AlarmClass, HeldBack, RowState, TriggerRow, TriggerState, TruthRow
from stages.witness import Order
from tests.screens import states
from widgets.glyphs import ascii_twin
from widgets.signal_panel import chosen
from widgets.trigger_panel import by_distance, trigger_lines

SIZES = ((160, 45), (100, 30), (80, 24))
SMALL = (60, 20)


def text(state: str, size: tuple[int, int], look: Look | None = None) -> str:
    view = states.view(states.STATES[state]())
    return "\n".join(line.text for line in ramp_page(view, look or Look(), *size))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", states.STATES)
def test_every_state_of_ramp_reads_as_recorded(state: str, size: tuple[int, int], page_snapshot) -> None:
    shown = text(state, size)
    assert len(shown.splitlines()) == size[1]
    assert [len(line) for line in shown.splitlines() if len(line) > size[0]] == []
    assert "\n".join(line.rstrip() for line in shown.splitlines()) == page_snapshot


@pytest.mark.parametrize("state", ["ok", "breach", "blind", "closed", "between", "first_run"])
def test_the_small_ramp_reads_as_recorded(state: str, page_snapshot) -> None:
    shown = text(state, SMALL)
    assert max(len(line) for line in shown.splitlines()) <= 60
    assert "r reduce risk" in shown
    assert "\n".join(line.rstrip() for line in shown.splitlines()) == page_snapshot


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", [name for name in states.STATES if name != "waiting"])
def test_columns_stand_where_they_stand(state: str, size: tuple[int, int]) -> None:
    """The units of the exposure rows share one column, in every state."""
    lines = text(state, size).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("─ EXPOSURE"))
    dollars = {
        line.index(" $ ") for line in lines[start + 1 : start + 6] if " $ " in line[:40] and "never" not in line[:40]
    }
    assert len(dollars) <= 1
    if size[0] >= 100:
        rules = [line[104 if size[0] == 160 else 69] for line in lines[start : start + 15]]
        assert set(rules) <= set("│├┤┬┼")


@pytest.mark.parametrize("size", [*SIZES, SMALL])
def test_a_number_that_is_not_known_is_never_printed_as_one(size: tuple[int, int]) -> None:
    for line in text("blind", size).splitlines()[4:]:
        if "3,912" in line and "│ gross " not in line and "┤ gross " not in line:
            assert "was 3,912" in line
    shown = text("first_run", size)
    assert "3,912" not in shown
    assert "82 %" not in shown
    assert "never read" in shown or "NO DATA" in shown


def test_a_breach_is_solid_and_ok_is_thin() -> None:
    lines = text("breach", (160, 45)).splitlines()
    gross = next(line for line in lines if "■ gross  " in line)
    assert "███████████►106 %" in gross
    assert "BREACH" in gross
    net = next(line for line in lines if "· net" in line)
    assert "━" in net
    assert "█" not in net[:66]


def test_rows_one_to_three_say_the_headline_in_every_size() -> None:
    for size in SIZES:
        first, second, third, *_ = text("breach", size).splitlines()
        assert "[PRODUCTION]" in first
        assert "…4411 LIVE" in first
        assert "■ BREACH   106 %  gross: 26,410 of 25,000 $" in second
        assert "a acknowledge" in second
        assert "STEPPING DOWN TO L1 by itself" in third


def test_an_account_that_was_not_read_is_said() -> None:
    assert "ACCOUNT NOT READ" in text("first_run", (80, 24)).splitlines()[0]


def test_a_dead_feed_ages_and_is_believed_no_more() -> None:
    view = states.view(states.ok(), wall=states.NOW + timedelta(seconds=42))
    shown = "\n".join(line.text for line in ramp_page(view, Look(), 100, 30))
    assert "CUT OFF   42s" in shown
    assert "was 3,912" in shown
    assert "82 %" not in shown
    assert "14:31:50 ET" in shown


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_row_that_the_console_works_out_stands_in_its_panel(size: tuple[int, int]) -> None:
    frame = states.ok()
    key = SignalKey(frame.evaluation.book, "derived/flat")
    flat = replace(frame.evaluation.rows[0], key=key, title="flat by close", unit=Unit.WORD, value=None)
    flat = replace(flat, text="NOT FLAT 1,413 $", state=RowState.BREACH)
    shown = replace(frame, evaluation=replace(frame.evaluation, derived=(flat,)))
    lines = [line.text for line in ramp_page(states.view(shown), Look(), *size)]
    (at,) = (place for place, line in enumerate(lines) if "flat by " in line)
    assert "NOT FLAT 1,413 $" in lines[at]
    above = [line for line in lines[:at] if line.lstrip("─ ").startswith(("EXPOSURE", "TCA"))]
    assert "EXPOSURE" in above[-1]
    looked = [line.text for line in ramp_page(states.view(shown), Look(stage=2), *size)]
    assert not any("flat by " in line for line in looked), "today's facts are no part of another stage's"


@pytest.mark.parametrize(("size", "names", "says"), [((160, 45), 3, "until 15:45"), ((100, 30), 3, "to 15:45")])
def test_what_hangs_over_stands_by_name_with_its_deadline(size: tuple[int, int], names: int, says: str) -> None:
    said = [line for line in text("over", size).splitlines() if "▼" in line and says in line]
    assert len(said) == names
    assert "13,240 $" in said[0], "the largest first"


def test_what_if_measures_today_against_the_other_limits() -> None:
    lines = text("ok", (160, 45), Look(stage=2)).splitlines()
    assert "WHAT IF L2" in lines[3]
    gross = next(line for line in lines if "· gross  " in line)
    assert "25,000" in gross
    assert "16 %" in gross
    assert "what if" in gross


def from_paper(look: Look, size: tuple[int, int]) -> list[str]:
    """The page with L0 and its paper book in force, which looks at another stage."""
    made = states.ok()
    here = replace(made.evaluation, effective=0, book="L0", standing=Standing(0, Mode.NORMAL, 0))
    view = states.view(replace(made, evaluation=here))
    return [line.text for line in ramp_page(view, look, *size)]


@pytest.mark.parametrize("size", SIZES)
def test_a_stage_that_is_looked_at_from_the_paper_book_shows_its_own_limits(size: tuple[int, int]) -> None:
    lines = from_paper(Look(stage=3), size)
    gross = next(line for line in lines if "· gross  " in line)
    assert "100,000" in gross
    assert "what if" in gross
    assert "25,000" in next(line for line in from_paper(Look(stage=2), size) if "· gross  " in line)
    assert any("NOT the book in force" in line for line in lines)
    name = "L0 NEXT" if size[0] < 140 else "L0 TRIGGERS"
    (heads,) = [line for line in lines if name in line]
    assert " left " in heads, "the triggers of the stage in force, by what is left of theirs"


def test_triggers_stand_by_their_distance_and_keep_their_places_for_a_while() -> None:
    def named(name: str, state: TriggerState, share: str | None, projected: float | None = None) -> TriggerRow:
        left = None if share is None else Decimal(1)
        part = None if share is None else Decimal(share)
        return TriggerRow(name, name, state, left, Unit.COUNT, "FROZEN", share=part, projected=projected)

    rows = [
        named("idle", TriggerState.NOT_ARMED, None),
        named("word", TriggerState.ARMED, None),
        named("far", TriggerState.ARMED, "0.85"),
        named("near", TriggerState.ARMED, "0.14"),
        named("alike", TriggerState.ARMED, "0.11"),
        named("coming", TriggerState.ARMED, "0.6", 300.0),
        named("lost", TriggerState.CANNOT_SEE, None),
        named("first", TriggerState.SUSPECT, "-0.1"),
        named("fired", TriggerState.FIRED, None),
    ]
    order = ["fired", "first", "lost", "coming", "near", "alike", "far", "word", "idle"]
    assert [row.name for row in by_distance(rows)] == order
    assert [line.text.split()[1] for line in trigger_lines(rows, 104, 5)[1:]] == order[:4]


def test_looking_at_the_paper_book_names_its_account() -> None:
    shown = text("ok", (100, 30), Look(stage=0))
    assert "L0 PAPER, account PA3SX7FYNUTF. This is NOT the book in force." in shown


@pytest.mark.parametrize("size", [*SIZES, SMALL])
def test_a_row_that_is_not_ok_is_never_hidden(size: tuple[int, int]) -> None:
    late = {"state": RowState.BREACH, "value": Decimal(9), "limit": Decimal(6), "used": Decimal("1.5")}
    rows = states.changed(states.rows(), orderRate=late)
    frame = states.frame(evaluation=states.evaluation(rows=rows))
    lines = [line.text for line in ramp_page(states.view(frame), Look(), *size)]
    assert any("■ orders per minute" in line and "BREACH" in line for line in lines)


def test_series_with_holes_and_nonsense_are_drawn_with_gaps() -> None:
    key = SignalKey("live", "gross")
    series = [None, math.nan, math.inf, -math.inf, 1000.0, None, 9000.0] * 9
    frame = replace(states.ok(), history={key: series, SignalKey("live", "net"): []})
    shown = "\n".join(line.text for line in ramp_page(states.view(frame), Look(), 160, 45))
    assert "►" in shown


@pytest.mark.parametrize("planted", ["[/x]", "[bold]", "[error] boom", "a\x1b[2Jb", "two\nlines", "wide 漢字 text"])
@pytest.mark.parametrize("size", [*SIZES, SMALL])
def test_text_from_outside_is_shown_as_it_is(planted: str, size: tuple[int, int]) -> None:
    frame = states.breach()
    evaluation = frame.evaluation
    rows = tuple(replace(row, title=planted, text=planted, detail=planted) for row in evaluation.rows)
    triggers = tuple(replace(row, title=planted, then=planted, detail=planted) for row in evaluation.triggers)
    cards = tuple(replace(card, title=planted, note=planted, limits=planted) for card in evaluation.cards)
    headline = replace(evaluation.headline, thing=planted, sentence=planted)
    evaluation = replace(evaluation, rows=rows, triggers=triggers, cards=cards, headline=headline)
    frame = replace(frame, evaluation=evaluation, events=(planted,), who=planted, running=None)
    page = ramp_page(states.view(frame), Look(), *size)
    shown = "\n".join(line.text for line in page)
    assert "\x1b" not in shown
    assert len(page) == size[1]
    if planted.startswith("["):
        assert planted in shown


@pytest.mark.parametrize("state", states.STATES)
@pytest.mark.parametrize("size", [*SIZES, SMALL])
def test_the_ascii_twin_has_the_same_layout(state: str, size: tuple[int, int]) -> None:
    for line in text(state, size).splitlines():
        twin = ascii_twin(line)
        assert twin.isascii()
        assert len(twin) == len(line)


@pytest.mark.parametrize("width", range(60, 200, 7))
@pytest.mark.parametrize("height", [18, 20, 24, 33, 50])
@pytest.mark.parametrize("state", ["ok", "breach", "blind"])
def test_any_size_fits(state: str, width: int, height: int) -> None:
    lines = text(state, (width, height)).splitlines()
    assert len(lines) == height
    assert max(len(line) for line in lines) <= width


def test_the_window_title_names_word_and_thing() -> None:
    assert terminal_title(states.view(states.breach())) == "■ torghut BREACH gross 106 %"
    assert terminal_title(states.view(None)) == "► torghut WAIT first read 3s"


def test_a_witness_that_alone_has_a_say_is_no_doubt() -> None:
    """Only a witness that was not read makes a fact doubtful."""
    alone = TruthRow("new risk", None, None, "BLOCKED", None)
    unread = TruthRow("stage", "L1", "?", None, None)
    truth = replace(states.TRUTH, rows=(alone, unread), agree=None)
    frame = states.frame(evaluation=states.evaluation(truth=truth))
    lines = [line.text for line in ramp_page(states.view(frame), Look(), 160, 45)]
    assert any("│ new risk" in line for line in lines)
    assert any("│ stage" in line and "not read" in line for line in lines)


def test_an_alarm_that_is_held_back_stands_there_with_the_end_of_its_window() -> None:
    quiet = HeldBack(
        Alarm("truth@1", AlarmClass.LOOK, "Git and runtime do not agree", states.NOW),
        "an own change is on its way",
        states.NOW + timedelta(seconds=48),
    )
    frame = states.frame(evaluation=states.evaluation(held=(quiet,)))
    lines = [line.text for line in ramp_page(states.view(frame), Look(), 160, 45)]
    assert any("– Git and" in line and "held back for 48s" in line for line in lines)
    lines = [line.text for line in ramp_page(states.view(frame), Look(), 100, 30)]
    assert any("rings in 48s" in line for line in lines)


@pytest.mark.parametrize("size", [(160, 45), (100, 30)])
def test_what_happened_while_nobody_pressed_a_key_is_told(size: tuple[int, int]) -> None:
    away = states.NOW - timedelta(minutes=71)
    happened = (states.NOW - timedelta(minutes=29), states.NOW - timedelta(minutes=90))
    frame = replace(states.ok(), happened=happened)
    shown = "\n".join(line.text for line in ramp_page(states.view(frame), Look(away=away), *size))
    assert "1 event" in shown
    assert "13:20" in shown
    assert "burn-in clock runs again" in shown
    assert "reconciliation clean: 3 positions" not in shown
    quiet = replace(states.ok(), happened=())
    shown = "\n".join(line.text for line in ramp_page(states.view(quiet), Look(away=away), *size))
    assert "nothing happened" in shown


def test_the_burn_in_card_says_what_binds_first_and_when_it_can_end() -> None:
    burn_in = replace(states.BURN_IN, earliest=states.NOW + timedelta(hours=1))
    frame = states.frame(evaluation=states.evaluation(burn_in=burn_in))
    lines = [line.text for line in ramp_page(states.view(frame), Look(card=True), 100, 30)]
    card = next(index for index, line in enumerate(lines) if line.startswith("─ BURN-IN L1"))
    assert "earliest end 24 Nov 15:31 ET" in lines[card]
    assert "fills" in lines[card + 1]
    assert "127 of 200" in lines[card + 1]


def test_a_burn_in_that_cannot_pass_any_more_says_so_on_the_rail_of_every_size() -> None:
    said = "cannot pass any more: coverage can reach 98.9 %"
    burn_in = replace(states.BURN_IN, lacks=said, hopeless="coverage can reach 98.9 %")
    frame = states.frame(evaluation=states.evaluation(burn_in=burn_in))
    for size in SIZES:
        shown = "\n".join(line.text for line in ramp_page(states.view(frame), Look(card=True), *size))
        assert "cannot pass any more" in shown


@pytest.mark.parametrize("size", SIZES)
def test_a_stranger_among_the_orders_is_seen_at_every_size(size: tuple[int, int]) -> None:
    spec = states.POLICY.spec
    signals = {**spec.signals, "ownOrders": spec.signals["stop"]}
    policy = states.POLICY.model_copy(
        update={"spec": spec.model_copy(update={"own_orders": "ownOrders", "signals": signals})}
    )
    own = replace(states.rows()[-1], key=SignalKey("live", "ownOrders"), text="other", event_time=states.NOW)
    order = Order("x-1", "MU", "sell", Decimal(3), None, states.NOW - timedelta(seconds=41))
    venue = replace(states.VENUE, open_orders=(order,))
    evaluation = states.evaluation(
        rows=(*states.rows(), own), snapshot=replace(states.SNAPSHOT, venue=venue), truth=states.TRUTH
    )
    frame = replace(states.frame(evaluation=evaluation), policy=policy)
    lines = [line.text for line in ramp_page(states.view(frame), Look(), *size)]
    stranger = next(line for line in lines if "UNKNOWN: nobody here sent it" in line or "UNKNOWN: nob" in line)
    assert stranger.startswith(" ■")
    assert "41s" in stranger
    assert "MU" in stranger


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_when_a_trigger_would_fire_stands_beside_what_is_left(size: tuple[int, int]) -> None:
    lines = text("warning", size).splitlines()
    row = next(line for line in lines if "gross over its limit" in line)
    assert "440 $" in row
    assert "~12 min" in row
    assert "REDUCE ONLY, back to L0" in row
    assert "this rate" in "".join(lines) or size[0] < 140
    view = states.view(states.warning(), wall=states.NOW + timedelta(seconds=30))
    assert not any("~12 min" in line.text for line in ramp_page(view, Look(), *size)), (
        "nothing comes of ticks that ended"
    )


def test_the_row_nearest_to_a_limit_keeps_its_place_in_little_room() -> None:
    rows = [row for row in states.ok().evaluation.rows if row.panel == "exposure"]
    quiet = [replace(row, state=RowState.OK, used=Decimal("0.1"), warn_at=Decimal("0.8")) for row in rows]
    quiet[-1] = replace(quiet[-1], used=Decimal("0.6"))
    assert [row.key for row in chosen(quiet, 2)] == [quiet[0].key, quiet[-1].key]


@pytest.mark.parametrize("size", [*SIZES, SMALL])
def test_what_the_watch_cannot_do_is_said_on_the_home_screen(size: tuple[int, int]) -> None:
    view = states.view(states.STATES["ok"]())
    assert view.frame is not None
    notices = ("the disk is full (/var/lib/rampdeck/ledger.observations.db); make room", "the ledger is locked")
    view = replace(view, frame=replace(view.frame, notices=notices))
    lines = [line.text for line in ramp_page(view, Look(), *size)]
    (said,) = [line for line in lines if "▲ the disk is full" in line]
    assert "the ledger is lo" in said
    assert len(lines) == size[1]
    assert max(len(line) for line in lines) <= size[0]
    assert size == SMALL or "tick " in said
