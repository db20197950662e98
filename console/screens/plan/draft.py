"""A plan while a person looks at it: the dry run, how it stands now, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.desk import Answers, Frame, Rehearsal, Running, RunningStep
from console.screens import View
from console.strides import PLANNING
from stages.departure import Departure
from stages.ladder import Direction
from stages.plan import Plan
from stages.refusal import Trouble
from stages.value import Struct, field
from stages.verdict import Gate
from widgets.diff_view import Look
from widgets.figures import amount


class Draft(Struct, frozen=True):
    """Everything that the page is drawn from beside the view."""

    target: str
    rehearsal: Rehearsal | None = None
    trouble: str = ""
    fault: Trouble | None = None
    """The trouble with what, where and the fix apart, where it was foreseen."""
    strides: tuple[tuple[str, datetime], ...] = ()
    """What making the plan has come to, and when each stride of it began."""
    answers: Answers | None = None
    note: str = ""
    asked: bool = False
    sent: bool = False
    """The phrase was confirmed; until a frame tells of the apply, or somebody refuses it."""
    tab: int = 0
    look: Look = field(default_factory=Look)
    ended: Running | None = None
    """This plan's own apply once it has ended, kept when frames no longer tell of it."""
    reached: bool = False
    """Whether its stage was seen in force since."""
    parted: Departure | None = None
    """What the same plan made now said otherwise when an apply was refused."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    held: str = ""
    """The phrase that somebody was typing when it could be used no longer: its field stays, and Enter is refused."""

    @property
    def plan(self) -> Plan | None:
        return self.rehearsal.plan if self.rehearsal is not None else None

    @property
    def departure(self) -> Departure | None:
        """What the same plan made now says otherwise, as far as that is known."""
        return (self.answers.departure if self.answers is not None else None) or self.parted

    @property
    def gates(self) -> tuple[Gate, ...]:
        if self.answers is not None and self.answers.gates:
            return self.answers.gates
        return self.rehearsal.gates if self.rehearsal is not None else ()

    def making(self, wall: datetime) -> tuple[RunningStep, ...]:
        """The strides of making the plan, as steps: what is done, what runs since when, what is ahead."""
        ends = [*(began for _, began in self.strides[1:]), wall]
        took = {name: (end - began).total_seconds() for (name, began), end in zip(self.strides, ends, strict=False)}
        now = self.strides[-1][0] if self.strides else ""
        return tuple(
            RunningStep(says, "running" if name == now else "done" if name in took else "waiting", took.get(name))
            for name, says in PLANNING.items()
        )

    def running(self, view: View) -> Running | None:
        """This plan's own apply, when frames tell of one."""
        running = view.frame.running if view.frame is not None else None
        plan = self.plan
        if running is not None and plan is not None and running.plan_id == plan.id:
            return running
        return self.ended

    def state(self, view: View) -> str:
        """Which of the plan's states holds now."""
        running = self.running(view)
        if running is not None:
            if running.awaits:
                return "proposed"
            applied = "undone" if self.reached and not self.in_force(view) else "applied"
            return {"": "applying", "done": applied}.get(running.outcome, "not applied")
        if self.sent:
            return "applying"
        if self.trouble:
            return "failed"
        if self.rehearsal is None:
            return "rehearsing"
        if self.plan is None or self.rehearsal.refusal or self.plan.refusals:
            return "refused"
        if (self.answers is not None and self.answers.stale) or view.wall >= self.plan.expires_at:
            return "stale"
        return "ready" if self.confirmation else "blocked"

    def in_force(self, view: View) -> bool:
        """Whether the stage that the plan leads to, or one above it, is in force."""
        if view.frame is None or self.plan is None:
            return False
        to = view.frame.policy.stage_index(self.plan.to_stage)
        return to is not None and view.frame.evaluation.effective >= to

    def typing(self, view: View) -> bool:
        """Whether the page has a field: its phrase can be used, or somebody was typing it just now."""
        state = self.state(view)
        return state == "ready" or (state == "blocked" and bool(self.held))

    @property
    def confirmation(self) -> str:
        """The phrase, only when it can be used."""
        answers = self.answers
        return answers.confirmation if answers is not None and answers.allowed and not answers.stale else ""


def read_meanings(frame: Frame | None, plan: Plan) -> dict[str, str]:
    """Name of an environment item or key -> what its change means: ``max gross 5,000 $ → 25,000 $, riskier``."""
    if frame is None:
        return {}
    meanings: dict[str, str] = {}
    for change in plan.changes:
        control = frame.policy.spec.controls.get(change.control)
        if control is None or change.direction is Direction.NEUTRAL:
            continue
        before, after = change.before, change.after
        if isinstance(before, tuple) and isinstance(after, tuple):
            moved = f"{len(before)} → {len(after)}"
        else:
            moved = f"{amount(before, change.unit).removesuffix(' $')} → {amount(after, change.unit)}"
        for binding in control.bindings:
            leaf = binding.env or (binding.inner_path or binding.path or "").rpartition(".")[2]
            meanings[leaf] = f"{change.title or change.control} {moved}, {change.direction}"
    return meanings
