"""The burn-in as people see it: the run of the stage in force, what it lacks, and whether its pass still counts."""

from __future__ import annotations

from datetime import datetime

from stages.bearings import Bearings
from stages.burnin import ENDED, NONE, NOT_READ, PASSED, current_run, found_items
from stages.burnin_ahead import Ahead, ahead
from stages.facts import Run
from stages.objectives import lacks
from stages.policy import Policy
from stages.session import market_after, session_length
from stages.state import ControlState
from stages.verdict import BurnIn, BurnInItem, Row
from stages.watching import WatchState


def valid_minutes(policy: Policy, run: Run) -> float:
    """Market minutes for which a PASSED run of its stage counts."""
    index = policy.stage_index(run.stage)
    spec = policy.stages[index].burn_in if index is not None else None
    return spec.valid_for.minutes(session_length(policy.spec.target.session)) if spec else 0.0


def verdict(
    policy: Policy,
    state: ControlState,
    watch: WatchState,
    here: Bearings,
    rows: tuple[Row, ...],
    speed: float = 1.0,
) -> BurnIn:
    """The run of the stage in force, for people. ``speed``: market seconds in a second."""
    stage = here.standing.stage if here.standing.stage is not None else here.effective
    spec, run = policy.stages[stage].burn_in, current_run(policy, state, stage)
    if spec is None:
        return BurnIn(stage, "", NONE, reason="the policy asks for none")
    if run is None:
        return BurnIn(stage, "", NONE, reason="begins when the stage has converged")
    mine = watch.burn_in
    if mine.run != run.run:
        return _unread(stage, run)
    found = found_items(policy, state, run, stage, mine, rows)
    binding = min((item for item in found if not item.met), key=_share, default=None)
    done = 1.0 if run.state == PASSED else min((_share(item) for item in found), default=0.0)
    coming = Ahead() if run.state in ENDED else ahead(policy, spec, run, mine, here.market, speed)
    lacking = f"cannot pass any more: {coming.hopeless}" if coming.hopeless else lacks(binding) if binding else ""
    return BurnIn(
        stage=stage,
        run=run.run,
        state=run.state,
        progress=done,
        lacks=lacking if run.state not in ENDED else "",
        items=found,
        reason=mine.voided or run.reason,
        started_at=run.started,
        valid_until=_valid_until(policy, run) if run.state == PASSED else None,
        earliest=coming.earliest,
        hopeless=coming.hopeless,
    )


def _unread(stage: int, run: Run) -> BurnIn:
    """A run whose evidence is out of reach: a failure stays one, a pass may have been voided since."""
    over = run.state in ENDED and run.state != PASSED
    return BurnIn(stage, run.run, run.state if over else NOT_READ, reason=run.reason, started_at=run.started)


def _valid_until(policy: Policy, run: Run) -> datetime | None:
    return market_after(policy.spec.target.session, run.changed, valid_minutes(policy, run))


def _share(item: BurnInItem) -> float:
    return min(1.0, float(item.have / item.need)) if item.need > 0 else 1.0
