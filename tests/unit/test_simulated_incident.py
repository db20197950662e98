"""An incident in a scenario: while it is open nothing lets go, and once it is over only those who may do."""

from __future__ import annotations

from importlib.resources import files

import pytest

from console.demo.sample_repository import sample_files
from stages import policy_text, scenario_text
from stages.simulation import Played, play

EVENTS = """\
  people: {alice: [trader, operator], bob: [risk], erin: [trader, incident-commander], carol: [trader]}
  events:
    - {at: 5s, declare: {severity: SEV1, title: the feed provider has an outage}}
    - {at: 40s, clear: {by: alice, latch: sev1, approvedBy: [bob, erin]}}
    - {at: 41s, resolve: {by: alice, incident: INC-2, says: the provider is back}}
    - {at: 42s, resolve: {by: alice, incident: INC-1, says: the provider is back}}
    - {at: 43s, clear: {by: erin, latch: sev1, approvedBy: [erin, bob]}}
    - {at: 44s, clear: {by: alice, latch: sev1, approvedBy: [carol, bob]}}
    - {at: 45s, clear: {by: alice, latch: sev1, approvedBy: [erin, bob]}}
    - {at: 47s, resume: {by: alice}}
  expect: {end: {stage: L0, mode: NORMAL, posture: NORMAL, cap: L3}}
"""


@pytest.fixture(scope="module")
def course() -> Played:
    """The incident of the shipped scenario, under a policy that lets go after 20 seconds instead of 15 minutes."""
    words = (files("stages") / "policies" / "demo.yaml").read_text(encoding="utf-8")
    severity = "severity: SEV1\n      then: [{mode: HALTED, cap: L0}]\n      clear: {by: [incident-commander, risk]"
    assert words.count(severity) == 1
    words = words.replace(severity, f"{severity}, hold: 20s")
    policy = policy_text.load(words, "policy.yaml")
    shipped = (files("stages") / "scenarios" / "incident.yaml").read_text(encoding="utf-8")
    text = shipped.partition("  events:\n")[0].replace("lasts: 75s", "lasts: 50s") + EVENTS
    scenario, source = scenario_text.load(text, "incident.yaml")
    scenario_text.check(scenario, source, policy)
    return play(policy, policy_text.digest(words), scenario, sample_files())


@pytest.mark.parametrize(
    ("second", "act", "outcome", "why"),
    [
        (40, "clear", "refused", "incident INC-1 is open"),
        (41, "resolve", "refused", "no incident INC-2 was declared"),
        (42, "resolve", "done", "INC-1"),
        (43, "clear", "refused", "who asks for or wrote a change cannot approve it"),
        (44, "clear", "refused", "incident-commander"),
        (45, "clear", "done", "sev1"),
        (47, "resume", "done", ""),
    ],
)
def test_each_is_answered_by_the_rule(course: Played, second: int, act: str, outcome: str, why: str) -> None:
    (found,) = (one for one in course.happenings if one.kind == "answer" and one.second == second)
    assert tuple(found.facts.values()) == (act, outcome)
    assert why in found.detail


def test_nothing_is_held_at_the_end(course: Played) -> None:
    assert (course.end.stage, course.end.mode, course.end.posture, course.end.cap) == ("L0", "NORMAL", "NORMAL", "L3")
