"""Simulated scenarios: the shipped ones hold, not one of their rows is idle, and the first difference is told."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from console.__main__ import perform
from console.demo.faults import known_faults
from console.demo.sample_repository import sample_files
from console.output import Output
from console.verbs.simulate import shipped
from console.wiring import Wiring
from stages import policy_text, scenario_text
from stages.expectations import expected, first_difference
from stages.refusal import Trouble
from stages.scenario import End, Expected, Scenario
from stages.simulated_faults import FAULTS
from stages.simulation import Played, play

NAMES = (
    *("calm", "cleared-halt", "cooldown", "incident", "kill-and-restore", "loss-limit", "overhang"),
    *("reconciliation-mismatch", "risk-breach", "stale-data", "storm", "tca-degradation", "wrong-account"),
)
COME_BACK = ("calm", "cleared-halt", "cooldown", "kill-and-restore")
"""Scenarios at whose end nothing is held any more."""
KINDS = ("alarms", "latches", "postures", "actions", "answers")


def text_of(name: str) -> str:
    return (files("stages") / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def played(name: str) -> tuple[Scenario, Played]:
    policy_words = (files("stages") / "policies" / "demo.yaml").read_text(encoding="utf-8")
    policy = policy_text.load(policy_words, "demo.yaml")
    scenario, source = scenario_text.load(text_of(name), f"{name}.yaml")
    scenario_text.check(scenario, source, policy)
    return scenario, play(policy, policy_text.digest(policy_words), scenario, sample_files())


def simulate(words: str, folder: Path, *, as_json: bool = False) -> tuple[int, str]:
    """Runs the verb on a file with these words; its exit code and what it printed."""
    path = folder / "scenario.yaml"
    path.write_text(words, encoding="utf-8")
    said = io.StringIO()
    code = perform(["simulate", str(path)], Wiring.of(None), Output(json=as_json, stream=said, errors=io.StringIO()))
    return code, said.getvalue()


def refused(words: str, folder: Path) -> str:
    with pytest.raises(Trouble) as trouble:
        simulate(words, folder)
    return trouble.value.line


def test_the_scenarios_that_ship() -> None:
    assert shipped() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_holds(name: str) -> None:
    _, found = played(name)
    assert found.difference is None, found.difference.words


@pytest.mark.parametrize("name", NAMES)
def test_no_row_of_a_shipped_scenario_is_idle(name: str) -> None:
    """Without any one of its rows, or with any one a second later, the scenario does not hold."""
    scenario, found = played(name)
    expect, last = scenario.spec.expect, scenario.seconds
    for kind in KINDS:
        rows = getattr(expect, kind)
        for place, row in enumerate(rows):
            without = _with(expect, kind, (*rows[:place], *rows[place + 1 :]))
            missed = first_difference(without, found.happenings, found.end, last)
            assert missed is not None, (kind, row)
            assert missed.second == int(row.at.total_seconds()), (kind, row)
            later = row.model_copy(update={"at": row.at * 2})
            moved = _with(expect, kind, (*rows[:place], later, *rows[place + 1 :]))
            assert first_difference(moved, found.happenings, found.end, last) is not None, (kind, row)
    for key in End.model_fields:
        other = expect.model_copy(update={"end": expect.end.model_copy(update={key: "elsewhere"})})
        assert first_difference(other, found.happenings, found.end, last) is not None, key


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_but_the_calm_one_expects_something_and_most_end_held(name: str) -> None:
    scenario, found = played(name)
    assert bool(expected(scenario.spec.expect)) is (name != "calm")
    assert (found.end.posture == "NORMAL") is (name in COME_BACK)


def told(name: str) -> list[tuple[int, str, str]]:
    """What became of what people did: second, words and why."""
    _, found = played(name)
    return [(one.second, " ".join(one.facts.values()), one.detail) for one in found.happenings if one.kind == "answer"]


def test_a_stale_halt_ends_by_one_key_press_after_five_fresh_minutes_and_not_before() -> None:
    early, late = (one for one in told("cleared-halt") if one[1].startswith("clear"))
    assert early == (300, "clear refused", "its cause is gone for 4 min of 5 min")
    assert late == (352, "clear done", "inputsStale")


def test_a_restore_takes_two_and_leads_to_the_lowest_stage() -> None:
    assert [one for one in told("kill-and-restore") if one[1].startswith("restore")] == [
        (40, "restore refused", "1 of 2 approvals"),
        (50, "restore done", ""),
    ]
    assert played("kill-and-restore")[1].end.stage == "L0"


def test_an_advance_is_refused_by_the_cooldown_alone() -> None:
    (_, words, why) = told("cooldown")[-1]
    assert words == "advance refused"
    assert why == "posture: cooldown after the last reduction: 382 market min left"


def test_two_causes_at_l3_join_to_l2() -> None:
    _, found = played("storm")
    latches = [one.facts for one in found.happenings if one.kind == "latch"]
    assert [one["cap"] for one in latches] == ["L2", "L2"]
    assert (found.end.stage, found.end.cap) == ("L2", "L2")


def test_an_overhang_asks_for_reduce_only_and_breaks_no_limit_before_its_deadline() -> None:
    scenario, found = played("overhang")
    over, latch = (one for one in found.happenings if one.kind == "latch")
    assert (over.facts["trigger"], over.facts["mode"]) == ("overhang", "REDUCE_ONLY")
    deadline = datetime(2026, 11, 24, 20, 45, tzinfo=UTC)
    assert scenario.spec.market + timedelta(seconds=latch.second - 2) == deadline, (
        "three reads, the first at the deadline"
    )
    assert "(3 reads)" in latch.detail


def test_every_fault_of_a_scenario_is_one_of_the_venues() -> None:
    of_orders_and_deploys = {
        *("partial-fills", "unanswered-cancel", "half-cancels"),
        *("own-rejects", "forgotten-revision", "reverting-self-heal"),
    }
    assert set(FAULTS) == set(known_faults()) - of_orders_and_deploys


@pytest.mark.parametrize(
    ("fault", "trigger"),
    [
        ("loss-limit", "hardLoss"),
        ("unknown-order", "unknownOrders"),
        ("off-by-one-share", "booksDiffer"),
        ("wrong-account", "account"),
        ("missing-reconciliation", "blind"),
        ("late-reconciliation", "blind"),
        ("clock-ahead", "blind"),
        ("stuck-restart", "blind"),
        ("frozen-feed", None),
        ("clock-drift", None),
        ("halt", None),
    ],
)
def test_an_injected_fault_rings_by_its_trigger(fault: str, trigger: str | None, tmp_path: Path) -> None:
    words = text_of("calm")
    words = words[: words.index("  events:")].replace("lasts: 190s", "lasts: 90s")
    words += f"  events:\n    - {{at: 5s, inject: [{fault}]}}\n"
    words += "  expect:\n    end: {stage: L1, mode: NORMAL, posture: NORMAL, cap: L3}\n"
    _, said = simulate(words, tmp_path, as_json=True)
    rung = {one["cause"] for one in json.loads(said)["happenings"] if one["kind"] == "alarm"}
    triggers = {cause for cause in rung if cause.startswith("trigger/")}
    assert f"trigger/{trigger}" in triggers if trigger else not triggers


def test_an_expected_refusal_with_another_reason_is_told_with_both(tmp_path: Path) -> None:
    words = text_of("cooldown").replace("cooldown after the last reduction", "the burn-in has not passed")
    code, said = simulate(words, tmp_path)
    assert code == 1
    assert said.splitlines()[-1] == (
        "DIFFERS at 65 s expected answer advance refused: posture: the burn-in has not passed, "
        "came answer advance refused: posture: cooldown after the last reduction: 382 market min left"
    )


def test_a_wrong_expectation_fails_with_the_first_difference(tmp_path: Path) -> None:
    right = "{at: 22s, trigger: grossLimit, mode: REDUCE_ONLY, cap: L0}"
    words = text_of("risk-breach")
    assert right in words
    code, said = simulate(words.replace(right, right.replace("REDUCE_ONLY", "HALTED")), tmp_path)
    assert code == 1
    told = "at 22 s expected latch grossLimit HALTED L0, came latch grossLimit REDUCE_ONLY L0"
    assert said.splitlines()[-1] == f"DIFFERS {told}"
    code, said = simulate(words.replace(right, right.replace("22s", "21s")), tmp_path)
    assert (code, said.splitlines()[-1]) == (
        1,
        "DIFFERS at 21 s expected latch grossLimit REDUCE_ONLY L0, came nothing, it came at 22 s",
    )


def test_text_and_document_of_acts_and_faults_are_the_same_each_time(tmp_path: Path) -> None:
    words = text_of("kill-and-restore")
    text, document = simulate(words, tmp_path), simulate(words, tmp_path, as_json=True)
    assert (text, document) == (simulate(words, tmp_path), simulate(words, tmp_path, as_json=True))
    assert (text[0], document[0]) == (0, 0)
    answers = [one for one in json.loads(document[1])["happenings"] if one["kind"] == "answer"]
    assert [(one["act"], one["outcome"]) for one in answers] == [
        ("kill", "done"),
        ("restore", "refused"),
        ("restore", "done"),
    ]


def test_the_document_tells_what_came_and_is_the_same_each_time(tmp_path: Path) -> None:
    code, said = simulate(text_of("wrong-account"), tmp_path, as_json=True)
    again = simulate(text_of("wrong-account"), tmp_path, as_json=True)
    assert (code, said) == again
    document = json.loads(said)
    assert (code, document["holds"], document["difference"]) == (0, True, None)
    assert document["end"] == {"stage": "L1", "mode": "HALTED", "posture": "HALTED", "cap": "L3"}
    latches = [one for one in document["happenings"] if one["kind"] == "latch"]
    assert [(one["second"], one["trigger"]) for one in latches] == [(20, "account")]


def test_what_is_not_known_is_named_with_its_line(tmp_path: Path) -> None:
    words = text_of("wrong-account")
    line = next(number for number, text in enumerate(words.splitlines(), 1) if "set: {account" in text)
    said = refused(words.replace("set: {account:", "set: {acount:"), tmp_path)
    assert f"scenario.yaml:{line}: there is no signal 'acount'; did you mean 'account'?" in said
    said = refused(words.replace("- {at: 20s, set:", "- {at: 20s, sett:"), tmp_path)
    assert f"scenario.yaml:{line}: 'sett' is not a key of spec.events.0; did you mean 'set'?" in said
    said = refused(words.replace("- {at: 20s, set:", "- {at: 2m, set:"), tmp_path)
    assert f"scenario.yaml:{line}: 120 s is after the end; it lasts 45 s" in said
    said = refused(words.replace("- {at: 20s, set:", "- {at: 20500ms, set:"), tmp_path)
    assert "a scenario goes by whole seconds" in said


def test_unknown_faults_people_and_stages_are_named(tmp_path: Path) -> None:
    words = text_of("cleared-halt")
    said = refused(words.replace("inject: [stale-data]", "inject: [stale-date]"), tmp_path)
    assert "no fault that a scenario can show 'stale-date'; did you mean 'stale-data'?" in said
    said = refused(words.replace("resume: {by: alice}", "resume: {by: mallory}"), tmp_path)
    assert "there is no person 'mallory'" in said
    said = refused(text_of("cooldown").replace("to: L1, approvedBy", "to: L9, approvedBy"), tmp_path)
    assert "there is no stage 'L9'" in said


def test_a_scenario_that_cannot_be_played_says_why(tmp_path: Path) -> None:
    words = text_of("calm")
    assert "cannot be read" in refused(words.replace("policy: demo", "policy: other.yaml"), tmp_path)
    assert "no such folder of manifests" in refused(words.replace("manifests: demo", "manifests: else"), tmp_path)
    assert "there is no stage 'L7'" in refused(words.replace("stage: L1\n  market", "stage: L7\n  market"), tmp_path)


def _with(expect: Expected, kind: str, rows: object) -> Expected:
    return expect.model_copy(update={kind: rows})
