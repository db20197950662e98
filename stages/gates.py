"""Gates: one function per gate. All are judged, all reasons are given, and UNKNOWN never passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from stages.burnin import NOT_READ, PASSED
from stages.drift import runtime_agrees
from stages.drill_validity import running_image, transition, validity
from stages.dry_run import DryRun
from stages.exempt import flag_of
from stages.plan import Plan
from stages.policy import Policy
from stages.posture import Mode
from stages.readiness import DOWN_BY_BRANCH
from stages.rendering import Rendering
from stages.rows import books_of
from stages.session import market_minutes, session_length
from stages.state import ControlState
from stages.truth import already_at
from stages.value import Struct
from stages.verdict import ControlDrift, Evaluation, Gate, GateStatus, Row, RowState, WatchPresence

PLAN_FRESH: Final = "plan-fresh"
DRILL: Final = "drill"
RENDER: Final = "render"
DRY_RUN: Final = "dry-run"
RUNTIME_FLAG: Final = "runtime-flag"


class GateFacts(Struct, frozen=True):
    """What gates need of the world beyond the evaluation. ``now`` is wall UTC."""

    now: datetime
    presence: WatchPresence
    rollback_ready: bool | None
    """Whether the stage below can be reached again; None when that was not tried."""
    rollback_reason: str = ""
    head_known: bool = True
    """Whether Git's head could be fetched just now."""
    stale: tuple[str, ...] = ()
    """Why the plan does not fit the head any more (design section 6.6)."""
    endpoint: str = ""
    """Where the venue is; empty when that is not known here."""
    moved: tuple[str, ...] = ()
    """What was moved in Git since the last applied plan, by whom; a fact that is told and not fought."""
    applied_unknown: str = ""
    """Why Git at the last applied plan could not be read; empty when it could, or nothing was applied yet."""
    down_by_branch: bool = False
    """Whether a reduction may only be proposed as a branch, which lowers nothing until a person merges it."""
    rendered: Rendering | None = None
    """What the plan's result says once it is built; None where nobody built it."""
    dry_run: DryRun | None = None
    """What the API server says to the plan's result; None where nobody asked it."""
    flag_healed: str | None = ""
    """Why the controller would undo the flag that a kill writes into the runtime; None when nobody could say."""
    flag_unknown: str = ""
    """Why nobody could say."""


class _Question(Struct, frozen=True):
    policy: Policy
    state: ControlState
    evaluation: Evaluation
    plan: Plan | None
    facts: GateFacts

    @property
    def target(self) -> int | None:
        """The stage that is asked for: the plan's, else the next one."""
        if self.plan is not None:
            return self.policy.stage_index(self.plan.to_stage)
        stage = self.evaluation.standing.stage
        return None if stage is None else stage + 1


_Answer = tuple[GateStatus, tuple[str, ...]]


def judge_gates(
    policy: Policy, state: ControlState, evaluation: Evaluation, plan: Plan | None, facts: GateFacts
) -> tuple[Gate, ...]:
    """Every core gate and those of the policy for ``plan``.

    Without a plan they are for the next stage up, and ``plan-fresh`` is left out.
    """
    question = _Question(policy, state, evaluation, plan, facts)
    absent = {PLAN_FRESH} if plan is None else set()
    absent |= {RUNTIME_FLAG} if plan is None or flag_of(policy) is None else set()
    absent |= {DRILL} if policy.spec.drill is None else set()
    absent |= {RENDER} if facts.rendered is None else set()
    absent |= {DRY_RUN} if plan is None or policy.spec.gates.dry_run == "off" else set()
    return tuple(
        Gate(gate_id, *gate(question), core=gate_id not in _BY_POLICY)
        for gate_id, gate in _GATES.items()
        if gate_id not in absent
    )


def allowed(gates: Iterable[Gate]) -> bool:
    """Whether every gate passes."""
    return all(gate.passes for gate in gates)


def reasons(gates: Iterable[Gate]) -> tuple[str, ...]:
    """Why not: the reasons of all gates that do not pass, in their order."""
    return tuple(reason for gate in gates if not gate.passes for reason in gate.reasons)


def _policy(ask: _Question) -> _Answer:
    adopted = ask.state.policy
    if adopted is None:
        return _fail("no policy is adopted")
    if ask.plan is not None and ask.plan.policy_digest != adopted.digest:
        return _fail("the plan was made with another policy than the adopted one")
    return _pass(f"version {adopted.version} adopted at {adopted.commit[:7]}")


def _order(ask: _Question) -> _Answer:
    stage, target = ask.evaluation.standing.stage, ask.target
    if stage is None or target is None:
        return _unknown("where the manifests stand is not one stage")
    if target > ask.policy.top:
        return _fail(f"{ask.policy.stages[stage].name} is the top of the ladder")
    if target != stage + 1:
        return _fail(f"one stage up at a time: {ask.policy.stages[stage].name} to {ask.policy.stages[target].name}")
    return _pass(f"{ask.policy.stages[stage].name} to {ask.policy.stages[target].name}")


def _standing(ask: _Question) -> _Answer:
    standing = ask.evaluation.standing
    waiting = [f"{one.kind} to {one.to_stage}: outcome unknown" for one in ask.state.unresolved]
    waiting += [f"{one.kind} to {one.to_stage}: {one.branch} awaits its merge" for one in ask.state.awaiting]
    if standing.beyond:
        return _fail("a control stands above the top stage", *waiting)
    if standing.parted:
        return _fail(*standing.parted, *waiting)
    if standing.unread:
        return _unknown(*(f"{name}: {why}" for name, why in standing.unread.items()), *waiting)
    if standing.stage is None:
        upper = ask.policy.stages[min(standing.riskiest, ask.policy.top)].name
        moved = already_at(ask.policy, ask.evaluation.snapshot, standing)
        return _fail(f"between stages, already {upper}: {', '.join(moved)}", *waiting)
    if standing.mode is not Mode.NORMAL:
        return _fail(f"the manifests hold mode {standing.mode.words}", *waiting)
    return _fail(*waiting) if waiting else _pass(f"all controls of {ask.policy.stages[standing.stage].name}")


def _posture(ask: _Question) -> _Answer:
    posture = ask.evaluation.posture
    why = [f"{latch.trigger}: {latch.cause}" for latch in ask.evaluation.latches]
    if posture.mode is not Mode.NORMAL:
        why.insert(0, f"mode is {posture.mode.words}")
    if ask.target is not None and posture.cap < ask.target:
        why.append(f"held to at most {ask.policy.stages[posture.cap].name}")
    why += _cooldown(ask)
    return _fail(*why) if why else _pass("NORMAL, nothing is held")


def _cooldown(ask: _Question) -> list[str]:
    since = ask.state.cooldown_from
    if since is None:
        return []
    hours, sessions = ask.policy.spec.target.session, ask.policy.spec.gates.cooldown_sessions
    need = float(sessions) * session_length(hours).total_seconds() / 60
    left = need - market_minutes(hours, since, ask.evaluation.snapshot.market)
    return [f"cooldown after the last reduction: {left:.0f} market min left"] if left > 0 else []


def _burn_in(ask: _Question) -> _Answer:
    stage = ask.evaluation.standing.stage
    if stage is None:
        return _unknown("no stage stands, so no burn-in counts")
    name, run = ask.policy.stages[stage].name, ask.evaluation.burn_in
    if ask.policy.stages[stage].burn_in is None:
        return _pass(f"{name} asks for none")
    if run.state == NOT_READ:
        return _unknown(f"burn-in of {name} cannot be read now")
    if run.state != PASSED:
        return _fail(f"burn-in of {name}: {run.lacks or run.reason or run.state}")
    if run.reason:
        return _fail(f"burn-in of {name} passed, but {run.reason} since")
    if run.valid_until is None or ask.evaluation.snapshot.market > run.valid_until:
        return _fail(f"burn-in of {name} passed too long ago")
    return _pass(f"{run.run} passed")


def _freshness(ask: _Question) -> _Answer:
    if ask.evaluation.market_phase == "unknown":
        return _unknown(ask.evaluation.market_note)
    rows = [
        row
        for row in ask.evaluation.rows
        if row.safety or (row.panel == "freshness" and not ask.policy.informs_alone(row.key.name))
    ]
    return _clean([row for row in rows if row.panel != "reconciliation"], "fresh and inside their limits")


def _reconciliation(ask: _Question) -> _Answer:
    return _clean(list(books_of(ask.policy, ask.evaluation.rows)), "clean")


def _clean(rows: list[Row], words: str) -> _Answer:
    if not rows:
        return GateStatus.NOT_CONFIGURED, ("the policy names no such signal",)
    broken = [_said(row) for row in rows if row.state in (RowState.BREACH, RowState.SUSPECT, RowState.OVER)]
    unseen = [_said(row) for row in rows if row.state in _UNSEEN]
    if broken:
        return _fail(*broken, *unseen)
    if unseen:
        return _unknown(*unseen)
    return _pass(f"{len(rows)} {words}")


_UNSEEN = (RowState.STALE, RowState.BLIND, RowState.NO_DATA, RowState.RESTARTING)


def _said(row: Row) -> str:
    book = "" if row.key.book == "live" else f" ({row.key.book})"
    return f"{row.title}{book}: {row.word or row.state.value}{f', {row.detail}' if row.detail else ''}"


def _drift(ask: _Question) -> _Answer:
    found = ask.evaluation.drift
    agrees = runtime_agrees(ask.policy, found)
    said = [
        f"{one.control}: {one.state}{_sided(one)}{f', {one.detail}' if one.detail else ''}"
        for one in found
        if _odd(ask, one.control)
    ]
    lost = [f"last applied plan: {ask.facts.applied_unknown}"] if ask.facts.applied_unknown else []
    if agrees is False:
        return _fail(*said, *lost, *ask.facts.moved)
    if agrees is None or lost:
        return _unknown(*(said or ([] if agrees else ["no control is read back"])), *lost, *ask.facts.moved)
    return _pass("the runtime runs what Git says", *ask.facts.moved)


def _sided(one: ControlDrift) -> str:
    return " to the riskier side" if one.riskier else ""


def _odd(ask: _Question, control: str) -> bool:
    readback = ask.policy.spec.controls[control].readback is not None
    return readback and any(one.control == control and one.state != "same" for one in ask.evaluation.drift)


def _rollback_target(ask: _Question) -> _Answer:
    ready, why = ask.facts.rollback_ready, ask.facts.rollback_reason
    if ready is None:
        return _unknown(why or "the way back was not tried")
    if not ready:
        return _fail(why or "the way back is not ready")
    loud = (DOWN_BY_BRANCH,) if ask.facts.down_by_branch else ()
    return _pass(*loud, why or "ready")


def _drilled(ask: _Question) -> _Answer:
    stage, target = ask.evaluation.standing.stage, ask.target
    if stage is None or target is None or target > ask.policy.top:
        return _unknown("which step down it asks for is not known")
    down = transition(ask.policy.stages[target].name, ask.policy.stages[stage].name)
    snapshot = ask.evaluation.snapshot
    image = running_image(ask.policy, snapshot)
    found = validity(ask.policy, ask.state, snapshot.market, down, endpoint=ask.facts.endpoint, image=image)
    return _pass(found.says, *found.warnings) if found.ok else _fail(*found.reasons)


def _watch_acting(ask: _Question) -> _Answer:
    presence = ask.facts.presence
    if presence.acting and presence.holder is not None:
        return _pass(f"{presence.holder} acts")
    if not presence.known:
        return _unknown("the ledger does not answer")
    return _fail("nobody acts by itself" if presence.holder is None else f"{presence.holder} watches and does not act")


def _plan_fresh(ask: _Question) -> _Answer:
    plan = ask.plan
    if plan is None:
        return _unknown("there is no plan")
    why = [*ask.facts.stale, *plan.refusals]
    if plan.epoch != ask.state.epoch:
        why.append(f"the plan is of epoch {plan.epoch}, now is {ask.state.epoch}")
    if plan.expires_at <= ask.facts.now:
        why.append(f"the plan expired at {plan.expires_at:%Y-%m-%d %H:%M}Z")
    if ask.state.roster is None or plan.roster_digest != ask.state.roster.digest:
        why.append("the plan was made with another roster than the adopted one")
    if plan.id in ask.state.rejected:
        why.append(f"rejected by {ask.state.rejected[plan.id]}")
    if why:
        return _fail(*why)
    return _pass("fits the head") if ask.facts.head_known else _unknown("Git's head could not be fetched")


def _render(ask: _Question) -> _Answer:
    """The built result. Where the policy only asks for it when it can be had, a missing tool is told and passes."""
    found = ask.facts.rendered
    if found is None:
        return _unknown("nobody built the result")
    if found.wrong:
        return _fail(*found.wrong, *found.unknown, *found.not_checked)
    if found.unknown:
        return _unknown(*found.unknown, *found.not_checked)
    if found.absent:
        lenient = ask.policy.spec.gates.render == "whenPresent"
        return GateStatus.NOT_CONFIGURED if lenient else GateStatus.UNKNOWN, (found.absent, *found.not_checked)
    built = (f"{found.objects} objects build, the same as before, with the plan's values",) if found.objects else ()
    return _pass(*built, *found.not_checked)


def _dry_run(ask: _Question) -> _Answer:
    return dry_run_gate(ask.policy, ask.facts.dry_run)


def dry_run_gate(policy: Policy, found: DryRun | None) -> tuple[GateStatus, tuple[str, ...]]:
    """The API server's own word. Where the policy only asks for it when it can be had, that none is there passes."""
    if found is None:
        return _unknown("the API server was not asked")
    if found.refused:
        return _fail(*found.refused, *found.unknown, *found.not_checked)
    if found.unknown:
        return _unknown(*found.unknown, *found.not_checked)
    if found.absent:
        lenient = policy.spec.gates.dry_run == "whenPresent"
        return GateStatus.NOT_CONFIGURED if lenient else GateStatus.UNKNOWN, (found.absent,)
    taken = f"the API server would take all {found.tried} changed objects" if found.tried else "no object changes"
    return _pass(taken, *found.not_checked)


def _runtime_flag(ask: _Question) -> _Answer:
    """Whether the flag that a kill would write is one that stays."""
    flag = flag_of(ask.policy)
    if ask.facts.flag_healed is None or flag is None:
        return _unknown(ask.facts.flag_unknown or "the GitOps controller was not asked")
    if ask.facts.flag_healed:
        return _fail(ask.facts.flag_healed)
    return _pass(f"the GitOps controller leaves {flag.object} {flag.path} alone")


def _pass(*why: str) -> _Answer:
    return GateStatus.PASS, why


def _fail(*why: str) -> _Answer:
    return GateStatus.FAIL, why


def _unknown(*why: str) -> _Answer:
    return GateStatus.UNKNOWN, why


_GATES: Final[Mapping[str, Callable[[_Question], _Answer]]] = {
    "policy": _policy,
    "order": _order,
    "standing": _standing,
    "posture": _posture,
    "burn-in": _burn_in,
    "freshness": _freshness,
    "reconciliation": _reconciliation,
    "drift": _drift,
    "rollback-target": _rollback_target,
    "watch-acting": _watch_acting,
    PLAN_FRESH: _plan_fresh,
    RENDER: _render,
    DRY_RUN: _dry_run,
    RUNTIME_FLAG: _runtime_flag,
    DRILL: _drilled,
}
_BY_POLICY: Final = (RENDER, DRY_RUN)
"""Gates that NOT_CONFIGURED passes."""
