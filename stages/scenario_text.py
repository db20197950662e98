"""A scenario's text: loading it with every problem named by line, by itself and against the policy that it plays on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from stages.model_problems import Unloadable, as_lines, model_problems
from stages.policy import Policy
from stages.policy_source import Path, Problem, Source, read_source, unknown
from stages.scenario import Event, Scenario
from stages.signals import LIVE_BOOK
from stages.simulated_faults import FAULTS

WITNESSES = ("git", "venue")
"""What else than endpoints can fall silent."""


def load(text: str, where: str) -> tuple[Scenario, Source]:
    """The scenario in ``text``, and where each of its parts stands.

    Raises Unloadable with every problem at once: ``file:line: what is wrong; what to do``.
    """
    source = read_source(text, where, "scenario")
    problems = list(source.problems)
    found: Scenario | None = None
    try:
        found = Scenario.model_validate(source.data)
    except ValidationError as error:
        problems += model_problems(source, error, schema(), "the scenario")
    if problems or found is None:
        raise Unloadable(as_lines(source, problems), where)
    return found, source


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario's file."""
    return Scenario.model_json_schema(by_alias=True)


def check(scenario: Scenario, source: Source, policy: Policy) -> None:
    """Raises Unloadable with every name that the policy does not have and every second beyond the end."""
    problems = [*_names(scenario, policy), *_times(scenario)]
    if problems:
        raise Unloadable(as_lines(source, problems), source.where)


def split(name: str) -> tuple[str, str]:
    """Book and name of a signal as a scenario writes it."""
    book, slash, rest = name.rpartition("/")
    return (book, rest) if slash else (LIVE_BOOK, rest)


def endpoints(policy: Policy) -> frozenset[str]:
    """Every endpoint that answers for a signal, of whatever book."""
    own = {signal.source.process or signal.source.endpoint for signal in policy.spec.signals.values()}
    return frozenset(own | {other for stage in policy.stages for other in stage.endpoints.values()})


def _names(scenario: Scenario, policy: Policy) -> Iterator[Problem]:
    spec, expect, stages = scenario.spec, scenario.spec.expect, [stage.name for stage in policy.stages]
    if spec.stage not in stages:
        yield unknown(("spec", "stage"), "stage", spec.stage, stages)
    for part in ("signals", "cycles"):
        yield from _signals(policy, ("spec", part), getattr(spec, part))
    for place, event in enumerate(spec.events):
        yield from _event(policy, ("spec", "events", place), event, spec.people)
    for kind in ("latches", "postures"):
        for place, one in enumerate(getattr(expect, kind)):
            if one.cap not in stages:
                yield unknown(("spec", "expect", kind, place, "cap"), "stage", one.cap, stages)
    for place, act in enumerate(expect.actions):
        if act.to not in stages:
            yield unknown(("spec", "expect", "actions", place, "to"), "stage", act.to, stages)
    for key, name in (("stage", expect.end.stage), ("cap", expect.end.cap)):
        if name not in (*stages, *(("between", "beyond") if key == "stage" else ())):
            yield unknown(("spec", "expect", "end", key), "stage", name, stages)


def _event(policy: Policy, path: Path, event: Event, people: Mapping[str, object]) -> Iterator[Problem]:
    for part in ("set", "rate", "freeze", "thaw"):
        yield from _signals(policy, (*path, part), getattr(event, part))
    known = endpoints(policy) | set(WITNESSES)
    for part in ("silence", "answer"):
        for place, name in enumerate(getattr(event, part)):
            if name not in known:
                yield unknown((*path, part, place), "endpoint", name, known)
    for place, name in enumerate(event.inject):
        if name not in FAULTS:
            yield unknown((*path, "inject", place), "fault that a scenario can show", name, FAULTS)
        for signal in sorted(FAULTS[name].signals - set(policy.spec.signals)) if name in FAULTS else ():
            what = f"{name} shows in {signal}, which the policy does not have"
            yield Problem((*path, "inject", place), what, "set what the policy measures instead")
    yield from _acts(policy, path, event, people)


def _acts(policy: Policy, path: Path, event: Event, people: Mapping[str, object]) -> Iterator[Problem]:
    for name, act in event.acts.items():
        for part, who in (("by", act.by), *(("approvedBy", one) for one in act.approved_by)):
            if who not in people:
                yield unknown((*path, name, part), "person", who, people)
    for name, move in (("advance", event.advance), ("rollback", event.rollback)):
        if move is not None and policy.stage_index(move.to) is None:
            yield unknown((*path, name, "to"), "stage", move.to, [stage.name for stage in policy.stages])


def _signals(policy: Policy, path: Path, named: Any) -> Iterator[Problem]:
    books = {LIVE_BOOK, *(stage.book for stage in policy.stages)}
    for place, name in enumerate(named):
        book, signal = split(name)
        at = (*path, name) if isinstance(named, dict) else (*path, place)
        if signal not in policy.spec.signals:
            yield unknown(at, "signal", signal, policy.spec.signals)
        if book not in books:
            yield unknown(at, "book", book, books)


def _times(scenario: Scenario) -> Iterator[Problem]:
    spec = scenario.spec
    groups: dict[Path, Any] = {("spec", "events"): spec.events}
    groups |= {
        ("spec", "expect", kind): getattr(spec.expect, kind)
        for kind in ("alarms", "latches", "postures", "actions", "answers")
    }
    for path, rows in groups.items():
        for place, row in enumerate(rows):
            if row.at > spec.lasts:
                what = f"{int(row.at.total_seconds())} s is after the end"
                yield Problem((*path, place, "at"), what, f"it lasts {int(spec.lasts.total_seconds())} s")
    for name, cycle in spec.cycles.items():
        if cycle <= timedelta():
            yield Problem(("spec", "cycles", name), f"the cycle of {name} takes no time", "write 1s or more")
