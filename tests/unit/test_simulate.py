"""Simulated scenarios: the shipped ones hold, not one of their rows is idle, and the first difference is told."""

from __future__ import annotations

import io
import json
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from console.__main__ import perform
from console.demo.sample_repository import sample_files
from console.output import Output
from console.verbs.simulate import shipped
from console.wiring import Wiring
from stages import policy_text, scenario_text
from stages.expectations import expected, first_difference
from stages.refusal import Trouble
from stages.scenario import End, Expected, Scenario
from stages.simulation import Played, play

NAMES = (
    *("calm", "incident", "loss-limit", "reconciliation-mismatch"),
    *("risk-breach", "stale-data", "tca-degradation", "wrong-account"),
)


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
    for kind in ("alarms", "latches", "postures", "actions"):
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


def test_every_scenario_but_the_calm_one_expects_something_and_ends_less_risky() -> None:
    for name in NAMES:
        scenario, found = played(name)
        quiet = name == "calm"
        assert bool(expected(scenario.spec.expect)) is not quiet, name
        assert (found.end.posture == "NORMAL") is quiet, name


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


def test_a_scenario_that_cannot_be_played_says_why(tmp_path: Path) -> None:
    words = text_of("calm")
    assert "cannot be read" in refused(words.replace("policy: demo", "policy: other.yaml"), tmp_path)
    assert "no such folder of manifests" in refused(words.replace("manifests: demo", "manifests: else"), tmp_path)
    assert "there is no stage 'L7'" in refused(words.replace("stage: L1\n  market", "stage: L7\n  market"), tmp_path)


def _with(expect: Expected, kind: str, rows: object) -> Expected:
    return expect.model_copy(update={kind: rows})
