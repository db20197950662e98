"""Scenario: a course of events on a scripted clock, and what has to come of it. The shapes of its file.

Seconds count from the beginning, in whole ones: one tick each. A signal is named as in the policy; ``book/name`` means
another book than the live one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import AfterValidator, AwareDatetime, Field

from stages.incidents import Severity
from stages.manifest import Duration, Manifest
from stages.policy import Account, Metadata

Value: TypeAlias = Decimal | str
ModeName: TypeAlias = Literal["NORMAL", "FROZEN", "REDUCE_ONLY", "HALTED", "KILLED"]
ActName: TypeAlias = Literal[
    "reduce", "suspend", "cancelAll", "unblock", "pushed", "unchanged", "converged", "diverged"
]
"""What is done: a reduction begins, the venue is told, a commit is pushed, and read back what came of it."""

PersonalAct: TypeAlias = Literal["kill", "rollback", "acknowledge", "resolve", "clear", "resume", "restore", "advance"]
"""What a person does, in the order in which one second's acts are done."""


def _whole(value: timedelta) -> timedelta:
    if value % timedelta(seconds=1):
        raise ValueError("a scenario goes by whole seconds")
    return value


Second: TypeAlias = Annotated[Duration, AfterValidator(_whole)]
"""A time of the scenario, such as ``12s`` or ``1m30s``."""


class Holding(Manifest):
    """A position at the venue: signed shares and dollars."""

    quantity: Decimal
    value: Decimal


class Deploy(Manifest):
    """How a reduction reaches the runtime: pushed so long after it began, the process goes dark so long after the
    push, and comes back with the new values after ``dark``."""

    push: Second = timedelta(seconds=1)
    sync: Second = timedelta(seconds=2)
    dark: Second = timedelta(seconds=4)


class Declared(Manifest):
    """An incident that a person declares."""

    severity: Severity
    title: str


class Act(Manifest):
    """What a person does, after the watch has looked in the same second; ``approvedBy`` have signed it."""

    by: str
    approved_by: tuple[str, ...] = ()


class ClearAct(Act):
    """The end of a latch, by the name of its trigger; ``because`` says what it was."""

    latch: str
    because: str = ""


class ResolveAct(Act):
    """The end of a declared incident, by its number; what it holds is cleared apart from it."""

    incident: str
    says: str


class AcknowledgeAct(Act):
    """An alarm is seen; ``alarm`` is its key without the time."""

    alarm: str


class MoveAct(Act):
    """A stage up, or down to one."""

    to: str


class Event(Manifest):
    """What happens at a second: values, faults of what is read, and what people do. The rest stays as it was."""

    at: Second
    set: Mapping[str, Value] = Field(default_factory=dict)
    """New values of signals."""
    rate: Mapping[str, Decimal] = Field(default_factory=dict)
    """Signals that change by so much in each second from now on; 0 ends that."""
    freeze: tuple[str, ...] = ()
    """Signals that are read but whose value and time stand still."""
    thaw: tuple[str, ...] = ()
    silence: tuple[str, ...] = ()
    """Endpoints that give no answer; ``git`` and ``venue`` are the witnesses."""
    answer: tuple[str, ...] = ()
    account: Account | None = None
    """The account as the venue reports it from now on."""
    positions: Mapping[str, Holding] | None = None
    """All positions at the venue from now on, by symbol."""
    inject: tuple[str, ...] = ()
    """Faults by the names that ``inject`` takes; ``calm`` ends them."""
    declare: Declared | None = None
    kill: Act | None = None
    rollback: MoveAct | None = None
    acknowledge: AcknowledgeAct | None = None
    resolve: ResolveAct | None = None
    clear: ClearAct | None = None
    resume: Act | None = None
    """Lifts the mode that Git holds, once nothing asks for it any more."""
    restore: Act | None = None
    advance: MoveAct | None = None

    @property
    def acts(self) -> Mapping[str, Act]:
        """What people do in it, by name, in the order in which it is done."""
        named = get_args(PersonalAct)
        return {name: act for name in named if (act := getattr(self, name)) is not None}


class Expectation(Manifest):
    """Something that has to come in this second."""

    at: Second


class AlarmExpected(Expectation):
    """An alarm that comes up, or changes its class. ``cause`` is its key without the time."""

    cause: str
    klass: Literal["P1", "P2"] = Field(alias="class")


class LatchExpected(Expectation):
    """A latch that opens; ``cap`` is the name of the highest stage that it allows."""

    trigger: str
    mode: ModeName
    cap: str


class PostureExpected(Expectation):
    """The posture changes to this."""

    mode: ModeName
    cap: str


class ActionExpected(Expectation):
    """An act of the watch; ``to`` is the stage that it leads to."""

    act: ActName
    to: str
    mode: ModeName


class AnswerExpected(Expectation):
    """What becomes of a person's act; ``why`` is a part of the words that come with it."""

    act: PersonalAct
    outcome: Literal["done", "refused"]
    why: str = ""


class End(Manifest):
    """Where it ends: the standing in Git, as ``status`` tells it, and the posture."""

    stage: str
    mode: ModeName
    posture: ModeName
    cap: str


class Expected(Manifest):
    """All that comes of it: nothing else may come. Alarms of class P3 and what is not named here are free."""

    alarms: tuple[AlarmExpected, ...] = ()
    latches: tuple[LatchExpected, ...] = ()
    postures: tuple[PostureExpected, ...] = ()
    actions: tuple[ActionExpected, ...] = ()
    answers: tuple[AnswerExpected, ...] = ()
    end: End


class ScenarioSpec(Manifest):
    """The course of events; ``policy`` and ``manifests`` are shipped names or places beside the scenario's file."""

    says: str
    policy: str
    manifests: str
    stage: str
    """Where Git and the runtime stand at the beginning, both in mode NORMAL."""
    market: AwareDatetime
    """Market time of second 0."""
    speed: Decimal = Field(default=Decimal(1), gt=0)
    """Market seconds per second."""
    lasts: Second
    deploy: Deploy = Deploy()
    signals: Mapping[str, Value]
    """Values at the beginning. Books of stages begin with those of the live one; what has no value is not read."""
    cycles: Mapping[str, Second] = Field(default_factory=dict)
    """Signals that are renewed in cycles of so many seconds instead of each second."""
    positions: Mapping[str, Holding] = Field(default_factory=dict)
    people: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Who there is, with the roles that the roster gives them."""
    events: tuple[Event, ...] = ()
    expect: Expected


class Scenario(Manifest):
    """A scenario's file."""

    api_version: Literal["rampdeck.dev/v1alpha1"]
    kind: Literal["Scenario"]
    metadata: Metadata
    spec: ScenarioSpec

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.metadata.name

    @property
    def seconds(self) -> int:
        """The last second."""
        return int(self.spec.lasts.total_seconds())
