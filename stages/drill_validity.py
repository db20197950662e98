"""Whether drills are in date: which one counts, for how long, and what voids it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from stages.drill import KILL, PAPER, PASS, ROLLBACK, RUNNING
from stages.facts import DrillRun
from stages.policy import DrillSpec, Policy
from stages.session import market_minutes, session_length
from stages.signals import LIVE_BOOK, Quality, Snapshot
from stages.state import ControlState
from stages.value import Struct

_VOID = {"posture": "the posture mapping", "account": "the venue account", "endpoint": "the venue's endpoint"}


class Validity(Struct, frozen=True):
    """Whether every drill that is asked for is in date, and in words why not; ``says`` is for when it is."""

    ok: bool
    reasons: tuple[str, ...]
    says: str = ""
    warnings: tuple[str, ...] = ()


def transition(from_stage: str, to_stage: str) -> str:
    """Name of a step down as drills carry it."""
    return f"{from_stage} to {to_stage}"


def pins(policy: Policy, endpoint: str, image: str = "") -> Mapping[str, str]:
    """What a drill's result rests on: posture mapping, account, the live venue's endpoint and the image."""
    spec = policy.spec
    moved = sorted({name for mode in spec.postures.values() for name in mode.controls})
    mapping = [(mode, posture.model_dump_json()) for mode, posture in sorted(spec.postures.items())]
    bound = [(name, spec.controls[name].model_dump_json(include={"bindings"})) for name in moved]
    return {
        "posture": sha256(repr((mapping, bound)).encode()).hexdigest(),
        "account": f"{spec.target.account.label} {spec.target.account.environment}",
        "endpoint": endpoint,
        "image": image,
    }


def running_image(policy: Policy, snapshot: Snapshot) -> str:
    """The image that the live application says it runs; empty where no signal tells it, or it was not read."""
    sample = snapshot.sample(LIVE_BOOK, policy.spec.image or "")
    return sample.text if sample is not None and sample.quality is Quality.OK else ""


def newest(state: ControlState, act: str, down: str = "") -> DrillRun | None:
    """The paper drill that was begun last, of one act and for a rollback of one step down.

    One with a fault in it that passed proves the fault's case and no plain one: it counts only as long as it did not.
    """
    runs = [
        one
        for one in state.drills.values()
        if one.mode == PAPER and one.act == act and (act == KILL or one.transition == down)
        if not (one.inject and one.state == PASS)
    ]
    return runs[-1] if runs else None


def validity(
    policy: Policy, state: ControlState, market: datetime, down: str, *, endpoint: str = "", image: str = ""
) -> Validity:
    """Whether an advance may rely on its drills: the kill, and the step down ``down`` of the transition.

    ``market`` is market time. An empty ``endpoint`` or ``image`` is not known here, and is not compared.
    """
    asked = policy.spec.drill
    if asked is None:
        return Validity(True, (), "the policy asks for none")
    now = pins(policy, endpoint, image)
    wanted = [(KILL, "")] if asked.kill else []
    wanted += [(ROLLBACK, down)] if asked.rollback and down else []
    reasons: list[str] = []
    warnings: list[str] = []
    for act, which in wanted:
        name = f"{act} drill{f' {which}' if which else ''}"
        run = newest(state, act, which)
        fault = _fault(policy, asked, run, now, market)
        if fault:
            reasons.append(f"{name}: {fault}")
        elif run is not None and image and run.pins.get("image") not in ("", image):
            (reasons if asked.image == "void" else warnings).append(f"{name}: another image runs than was drilled")
    return Validity(not reasons, tuple(reasons), f"{len(wanted)} in date", tuple(warnings))


def _fault(policy: Policy, asked: DrillSpec, run: DrillRun | None, now: Mapping[str, str], market: datetime) -> str:
    """Why a drill does not count now; empty when it does."""
    if run is None:
        return "never passed on paper"
    if run.state == RUNNING:
        return "runs, or was left without an end"
    if run.state != PASS:
        under = f" under {run.inject}" if run.inject else ""
        return f"the last one was {run.state}{under}{f' ({run.reasons[0]})' if run.reasons else ''}"
    hours = policy.spec.target.session
    age = market_minutes(hours, run.market, market)
    if age > asked.valid_for.minutes(session_length(hours)):
        return f"expired, {age:.0f} market min old"
    changed = [word for pin, word in _VOID.items() if now[pin] and run.pins.get(pin) != now[pin]]
    return f"void by a change of {', '.join(changed)}" if changed else ""
