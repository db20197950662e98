"""A console that starts while no ledger answers: it judges what it reads, and claims nothing a ledger alone knows."""

from __future__ import annotations

import threading

import pytest

from console.desk import Frame
from console.feed import Desk
from console.screens import View
from console.screens.clear.page import Sight, clear_page
from console.screens.ramp.outline import Look
from console.screens.ramp.page import ramp_page
from console.screens.rollback.ways import suggested
from console.watch.alone import Alone, AlonePorts
from console.watch.tenure import Seat
from stages.gates import GateFacts, judge_gates
from stages.policy import Policy
from stages.posture import Mode
from stages.refusal import Trouble
from stages.signals import LIVE_BOOK
from stages.state import ControlState
from stages.verdict import GateStatus, RowState
from tests.integration.watching import HandClock, ScriptedReader, World

SIZES = ((160, 45), (100, 30), (80, 24), (60, 20))


def alone(world: World, policy: Policy | None) -> tuple[Alone, Desk]:
    def kept() -> Policy:
        if policy is None:
            raise Trouble("cannot be read")
        return policy

    desk = Desk()
    ports = AlonePorts(clock=world.clock, policy=kept, reader=lambda _policy: ScriptedReader(world))
    made = Alone(ports, Seat("watch@a:1", "watch@a:1", "alice"), desk)
    made.away = "the ledger does not answer"
    return made, desk


def seen(one: Alone, desk: Desk, clock: HandClock, seconds: int) -> Frame:
    for _ in range(seconds):
        one.tick()
        clock.move(1)
    frame = desk.frame()
    assert frame is not None
    return frame


def view(frame: Frame, clock: HandClock) -> View:
    return View("ops", "", "alice", clock.wall(), clock.wall(), frame)


def text(frame: Frame, clock: HandClock, size: tuple[int, int]) -> str:
    return "\n".join(line.text.rstrip() for line in ramp_page(view(frame, clock), Look(), *size))


def test_values_are_judged_by_the_policy_kept_here(world: World, clock: HandClock) -> None:
    one, desk = alone(world, world.policy)
    frame = seen(one, desk, clock, 3)
    gross = next(row for row in frame.evaluation.rows if row.key.name == "gross" and row.key.book == LIVE_BOOK)
    assert gross.state is RowState.OK
    assert frame.notices == ("the ledger does not answer",)
    world.values["gross"] = "5300"
    frame = seen(one, desk, clock, 3)
    assert frame.evaluation.headline.word == "BREACH"


def test_what_only_a_ledger_knows_is_said_to_be_unknown(world: World, clock: HandClock) -> None:
    one, desk = alone(world, world.policy)
    frame = seen(one, desk, clock, 5)
    found = frame.evaluation
    assert found.headline.word == "LEDGER AWAY"
    assert found.burn_in.state == "NOT READ"
    assert {card.note for card in found.cards} == {"", "burn-in NOT READ"}
    assert found.recommendation.action != "MAY ADVANCE"
    facts = GateFacts(clock.wall(), frame.presence, rollback_ready=True)
    gates = {gate.gate_id: gate for gate in judge_gates(world.policy, ControlState(), found, None, facts)}
    assert gates["watch-acting"].status is GateStatus.UNKNOWN
    for size in SIZES:
        shown = text(frame, clock, size)
        assert "LEDGER AWAY" in shown
        assert "AUTO OFF" not in shown
        assert "held nothing" not in " ".join(shown.split())
        assert "nothing has happened" not in shown
    assert "HELD ?" in text(frame, clock, (160, 45)).splitlines()[0]
    assert "not known: ledger away" in text(frame, clock, (160, 45))


def test_a_kill_that_stands_in_git_is_named_and_not_called_done_with(world: World, clock: HandClock) -> None:
    world.overlay = dict(world.policy.overlay(Mode.KILLED))
    one, desk = alone(world, world.policy)
    headline = seen(one, desk, clock, 3).evaluation.headline
    assert headline.word == "LEDGER AWAY"
    assert "Git says KILLED" in headline.sentence


def test_clear_offers_nothing_and_does_not_say_that_nothing_is_held(world: World, clock: HandClock) -> None:
    one, desk = alone(world, world.policy)
    lines, _, offer = clear_page(view(seen(one, desk, clock, 2), clock), 0, Sight(), "", 100, 30)
    shown = " ".join(line.text for line in lines)
    assert offer.how == "nothing"
    assert "NOTHING IS HELD" not in shown
    assert "what is held is not known" in shown


def test_a_ledger_that_is_away_is_no_reason_to_go_down_and_a_breach_is(world: World, clock: HandClock) -> None:
    one, desk = alone(world, world.policy)
    way, why = suggested(seen(one, desk, clock, 2))
    assert way is None
    assert "what is held is not known" in why
    world.values["gross"] = "5300"
    way, why = suggested(seen(one, desk, clock, 3))
    assert way is not None
    assert way.stage == "L0"


def test_without_a_copy_of_the_policy_nothing_is_shown(world: World) -> None:
    one, desk = alone(world, None)
    with pytest.raises(Trouble):
        one.tick()
    assert desk.frame() is None
    one.see("the ledger does not answer")
    told = threading.Event()
    unsubscribe = desk.subscribe(lambda: told.set() if "nothing is read meanwhile" in desk.waiting_for() else None)
    assert told.wait(20) or "nothing is read meanwhile" in desk.waiting_for()
    unsubscribe()
    one.stop()


def test_nothing_is_shown_from_here_once_it_has_ended(world: World, clock: HandClock) -> None:
    one, desk = alone(world, world.policy)
    one.stop()
    one.tick()
    assert desk.frame() is None
