"""Drill: the state machine of a rehearsed kill or rollback, D0 to D12, each step with what must hold and its budget.

It passes only when every assertion of every step holds within its budget. What is unknown does not hold, and a drill
in which nothing was refused (D5, D11) has proved nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from stages.value import Struct, field, replace

KILL, ROLLBACK = "kill", "rollback"
ACTS: Final = (KILL, ROLLBACK)
TABLETOP, PAPER = "tabletop", "paper"
MODES: Final = (TABLETOP, PAPER)
"""A tabletop leads people through and times them; paper fires for real on the drill target."""

KEY, COMMAND, TRIGGER, HANGUP = "key", "command", "trigger", "hangup"
PATHS: Final[Mapping[str, str]] = {
    KEY: "by key, from the screen",
    COMMAND: "by the command line",
    TRIGGER: "by a trigger, with injected input",
    HANGUP: "from a terminal that was closed in the middle",
}
"""How the act of a drill may be fired."""

ITSELF: Final = "itself"
FIRED: Final[Mapping[str, str]] = {**PATHS, ITSELF: "by the drill itself, through a broken port"}
"""How it was fired, in words: a port that is broken on purpose is broken in the drill's own process alone."""

INJECTED: Final = "drill"
"""Name of the trigger whose input is injected."""

PROBES, RESTARTS = "probe orders", "restarts"
"""Effects on the target's account: orders that its application did not send, and an application that is silent."""
PLANTED: Final = 2
"""Probe orders that a kill drill plants before it fires."""

RUNNING, PASS, FAIL, ABORTED = "RUNNING", "PASS", "FAIL", "ABORTED"

PLANT: Final = "D2"
"""The first step that touches the target."""
FIRE: Final = "D4"
PUT_BACK: Final = "D12"
"""The step after which the target is as it was."""
FROM_THE_ACT: Final = ("D5", "D6")
"""New orders refused, planted orders gone: a kill is timed from the act itself, not from when the step was reached."""
NEGATIVE: Final = ("D5", "D11")
"""Steps in which something must be refused."""


class Step(Struct, frozen=True):
    """One step: what must hold, and within which time all of it."""

    id: str
    says: str
    budget: timedelta


def _steps(*said: tuple[str, int]) -> tuple[Step, ...]:
    return tuple(Step(f"D{number}", says, timedelta(seconds=budget)) for number, (says, budget) in enumerate(said))


KILL_STEPS: Final = _steps(
    ("account, path, namespace as declared, not the live ones", 10),
    ("book before: orders, positions, cash", 10),
    ("probe orders acknowledged open", 60),
    ("the clock starts", 2),
    ("fired; intent before effect", 60),
    ("new order refused, with the kill's own reason", 5),
    ("every planted order gone at the venue", 5),
    ("what lands after the kill is recorded", 30),
    ("right account, KILLED, positions left", 10),
    ("application and console restart: still KILLED", 90),
    ("self-heal and sync: still KILLED, witnesses agree", 240),
    ("a cancel works; a clear without right is refused", 30),
    ("restored by the rule; book equals D1", 600),
)

ROLLBACK_STEPS: Final = _steps(
    ("account, path, namespace as declared, not the live ones", 10),
    ("manifests and book before", 10),
    ("the target stands one stage up", 120),
    ("the clock starts", 2),
    ("fired; intent before effect", 60),
    ("an advance from before the step down is refused", 10),
    ("every limit of the lower stage is in Git", 30),
    ("the step down is recorded with its commit", 30),
    ("right account, the lower stage, positions left", 10),
    ("application and console restart: still the lower stage", 90),
    ("self-heal and sync: still there, witnesses agree", 240),
    ("a second step down works; an advance without right is refused", 30),
    ("manifests equal D1", 120),
)

STEPS: Final[Mapping[str, tuple[Step, ...]]] = {KILL: KILL_STEPS, ROLLBACK: ROLLBACK_STEPS}


class Scope(Struct, frozen=True):
    """Which target is rehearsed on: what its own venue, repository and policy say."""

    target: str
    account: str
    environment: str
    namespace: str
    path: str
    endpoint: str

    def shares(self, live: Scope) -> tuple[str, ...]:
        """What it has in common with the live target; a drill needs account, path and namespace of its own."""
        own = {"account": self.account, "repository path": self.path, "namespace": self.namespace}
        theirs = {"account": live.account, "repository path": live.path, "namespace": live.namespace}
        return tuple(f"{name} {value}" for name, value in own.items() if value == theirs[name])

    def document(self) -> dict[str, str]:
        """The JSON form."""
        return {
            "target": self.target,
            "account": self.account,
            "environment": self.environment,
            "namespace": self.namespace,
            "path": self.path,
            "endpoint": self.endpoint,
        }


class Declared(Struct, frozen=True):
    """What the drill will cause, said before it happens: it rings nothing until ``until`` (aware UTC).

    ``orders`` are known by their ids once the venue has taken them.
    """

    orders: tuple[str, ...]
    reasons: tuple[str, ...]
    until: datetime
    effects: tuple[str, ...] = ()
    """PROBES, RESTARTS: what happens beside what is named one by one."""


class Finding(Struct, frozen=True):
    """One assertion of a step. ``ok`` None is unknown, which does not hold; ``took`` is in seconds.

    ``negative`` marks a proof that something was refused.
    """

    step: str
    says: str
    ok: bool | None
    took: float
    expected: str = ""
    observed: str = ""
    negative: bool = False
    subject: str = ""
    """The planted order that it is about, by its id at the venue."""
    at: datetime | None = None
    """When it was recorded; aware UTC."""


class Drill(Struct, frozen=True):
    """A drill under way or done; immutable. ``at`` is the id of the step that was entered last."""

    run: str
    act: str
    mode: str
    transition: str
    started: datetime
    budgets: Mapping[str, timedelta] = field(default_factory=dict)
    """Budgets of the policy; other steps keep their own."""
    at: str = ""
    declared: Declared | None = None
    findings: tuple[Finding, ...] = ()
    state: str = RUNNING
    reasons: tuple[str, ...] = ()
    """Why it did not pass."""
    inject: str = ""
    """The fault that strikes in it; empty for a plain one."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps in their order, with the budgets that hold for it."""
        return tuple(replace(step, budget=self.budgets.get(step.id, step.budget)) for step in STEPS[self.act])

    def step(self, step_id: str) -> Step:
        """The step of that id. Raises KeyError."""
        return {step.id: step for step in self.steps}[step_id]

    def holds(self, step_id: str) -> bool | None:
        """Whether every assertion of a step held; None when it made none."""
        answers = [finding.ok is True for finding in self.findings if finding.step == step_id]
        return all(answers) if answers else None

    @property
    def passed(self) -> int:
        """How many steps held."""
        return sum(self.holds(step.id) is True for step in self.steps)


def enter(drill: Drill, step_id: str) -> Drill:
    """The drill at its next step. Raises ValueError out of order, and before the effects are declared at D4."""
    ids = [step.id for step in drill.steps]
    following = ids[ids.index(drill.at) + 1] if drill.at and drill.at != ids[-1] else ids[0] if not drill.at else ""
    if drill.state != RUNNING or step_id != following:
        raise ValueError(f"{step_id} does not follow {drill.at or 'the beginning'} of a drill that is {drill.state}")
    if step_id == FIRE and drill.mode == PAPER and drill.declared is None:
        raise ValueError("a drill declares its effects before it fires")
    return replace(drill, at=step_id)


def declare(drill: Drill, declared: Declared) -> Drill:
    """The drill with its effects announced. Raises ValueError once it has fired."""
    ids = [step.id for step in drill.steps]
    if drill.at and ids.index(drill.at) >= ids.index(FIRE):
        raise ValueError("effects are declared before the drill fires")
    return replace(drill, declared=declared)


def find(drill: Drill, finding: Finding) -> Drill:
    """The drill with one more assertion of its current step; what took longer than the budget does not hold."""
    if drill.state != RUNNING or finding.step != drill.at:
        raise ValueError(f"{finding.step} is not the current step of a drill at {drill.at} that is {drill.state}")
    budget = drill.step(finding.step).budget.total_seconds()
    if finding.ok and finding.took > budget:
        late = f"{finding.observed}; {finding.took:.1f} s, the budget is {budget:g} s".lstrip("; ")
        finding = replace(finding, ok=False, observed=late)
    return replace(drill, findings=(*drill.findings, finding))


def conclude(drill: Drill) -> Drill:
    """PASS when every assertion of every step held and something was refused, otherwise FAIL with all reasons."""
    reasons = [
        f"{one.step}: {one.says}{': ' + one.observed if one.observed else ''}{'' if one.ok is False else ' (unknown)'}"
        for one in drill.findings
        if one.ok is not True
    ]
    reasons += [f"{step.id} was not run" for step in drill.steps if drill.holds(step.id) is None]
    refused = {one.step for one in drill.findings if one.negative and one.ok}
    reasons += [
        f"{step_id}: nothing was refused, so the drill is invalid" for step_id in NEGATIVE if step_id not in refused
    ]
    return replace(drill, state=FAIL if reasons else PASS, reasons=tuple(reasons))


def abort(drill: Drill, why: str) -> Drill:
    """The drill broken off; its target stays as it is."""
    return replace(drill, state=ABORTED, reasons=(why,))


def document(drill: Drill) -> dict[str, Any]:
    """The whole drill in its JSON form."""
    return {
        "run": drill.run,
        "act": drill.act,
        "mode": drill.mode,
        "transition": drill.transition,
        "inject": drill.inject,
        "started": drill.started.isoformat(),
        "state": drill.state,
        "passed": drill.passed,
        "reasons": list(drill.reasons),
        "declared": None
        if drill.declared is None
        else {
            "orders": list(drill.declared.orders),
            "reasons": list(drill.declared.reasons),
            "until": drill.declared.until.isoformat(),
            "effects": list(drill.declared.effects),
        },
        "steps": [_step_document(drill, step) for step in drill.steps],
    }


def _step_document(drill: Drill, step: Step) -> dict[str, Any]:
    return {
        "step": step.id,
        "says": step.says,
        "budgetSeconds": step.budget.total_seconds(),
        "holds": drill.holds(step.id),
        "findings": [
            {
                "says": one.says,
                "ok": one.ok,
                "tookSeconds": round(one.took, 3),
                "expected": one.expected,
                "observed": one.observed,
                "negative": one.negative,
            }
            for one in drill.findings
            if one.step == step.id
        ],
    }
