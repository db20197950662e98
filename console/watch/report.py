"""Reports: one evaluation as the JSON of ``status``, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from console.desk import BELIEVED
from console.watch.deployed_report import deployed_document, truth_report
from console.watch.once import Look
from stages.burnin import NOT_READ
from stages.figures import measure, percent
from stages.owing import owed
from stages.policy import Policy
from stages.projection import about
from stages.readiness import DOWN_BY_BRANCH, refused_down
from stages.standing import Standing
from stages.state import ControlState
from stages.verdict import Evaluation, Row, WatchPresence


def publishing_document(state: ControlState, *, advance: bool, reduce: bool) -> dict[str, Any]:
    """How acts are published (``push`` or ``branch``), and those that wait for their merge; a part of ``status``."""
    return {
        "publishing": {
            "advance": "branch" if advance else "push",
            "reduce": "branch" if reduce or refused_down(state) else "push",
        },
        "awaitingMerge": [
            {"intent": one.id, "act": one.kind, "to": one.to_stage, "branch": one.branch, "since": one.at}
            for one in state.awaiting
        ],
    }


def owing_document(state: ControlState, now: datetime) -> dict[str, Any]:
    """Reasons that are owed for reductions by hand; a part of ``status``."""
    return {
        "owedReasons": [
            {
                "intent": one.intent, "actor": one.actor, "act": one.act, "to": one.to_stage,
                "secondsLeft": one.left.total_seconds(), "overdue": one.overdue,
            }
            for one in owed(state, now)
        ]
    }  # fmt: skip


def owing_lines(state: ControlState, now: datetime) -> Iterator[str]:
    """The same for a person."""
    yield from (f"! {one.text}" for one in owed(state, now))


def publishing_lines(state: ControlState, *, reduce: bool) -> Iterator[str]:
    """What a person must do in Git for acts to take force."""
    if reduce or refused_down(state):
        yield f"!! {DOWN_BY_BRANCH}"
    for one in state.awaiting:
        yield f"!! {one.kind} to {one.to_stage} IS NOT IN FORCE: it awaits the merge of branch {one.branch}"


def status_document(policy: Policy, look: Look) -> dict[str, Any]:
    """The contract of ``status --json``. A value that must not be believed is null, with the last one as ``was``."""
    found = look.evaluation
    return {
        "namespace": policy.spec.target.namespace,
        "standing": standing_document(policy, found.standing),
        "effective": policy.stages[found.effective].name,
        "posture": {"mode": found.posture.mode.name, "cap": policy.stages[found.posture.cap].name},
        "account": _account(policy, found),
        "burnIn": _burn_in(policy, found),
        "signals": [signal_document(row, found.snapshot.wall) for row in found.panels],
        "overhang": [
            {"title": one.title, "symbol": one.symbol or None, "over": one.over, "unit": one.unit.value,
             "until": one.until_market}
            for one in found.overhang
        ],
        "triggers": [
            {"name": one.name, "title": one.title, "state": one.state.value, "left": one.left, "unit": one.unit.value,
             "reads": one.reads, "of": one.of, "then": one.then, "detail": one.detail, "reactionSeconds": one.reaction,
             "projectedSeconds": None if one.projected is None else round(one.projected)}
            for one in found.triggers
        ],
        "latches": [
            {"key": latch.key, "trigger": latch.trigger, "cause": latch.cause, "mode": latch.mode.name,
             "cap": None if latch.cap is None else policy.stages[latch.cap].name, "openedAt": latch.opened_at,
             "evidence": latch.evidence, "clearRoles": latch.clear_roles}
            for latch in found.latches
        ],
        "witnesses": _witnesses(found),
        "watch": _watch(look.presence),
        "recommendation": {"action": found.recommendation.action, "reasons": found.recommendation.reasons},
        "headline": {"word": found.headline.word, "figure": found.headline.figure, "thing": found.headline.thing,
                     "sentence": found.headline.sentence},
        "alarms": [
            {"key": alarm.key, "class": alarm.klass.value, "text": alarm.text, "since": alarm.since}
            for alarm in found.alarms
        ],
        "market": {"phase": found.market_phase, "note": found.market_note, "time": found.snapshot.market},
        "sources": [
            {"name": one.name, "ok": one.ok, "latencyMs": one.latency_ms, "lastGood": one.last_good,
             "detail": one.detail}
            for one in found.snapshot.sources
        ],
        "time": found.snapshot.wall,
        "ownReadings": look.own,
        "notes": [*found.notes, *([look.note] if look.note else [])],
    }  # fmt: skip


def status_lines(policy: Policy, look: Look) -> Iterator[str]:
    """The same for a person at a plain terminal."""
    found = look.evaluation
    headline = " ".join(part for part in (found.headline.word, found.headline.figure, found.headline.thing) if part)
    yield f"{policy.name}  {_where(policy, found)}  {_who(look.presence)}"
    yield headline
    yield from (line for line in (found.headline.sentence,) if line)
    burn_in = f"burn-in {found.burn_in.state} {found.burn_in.lacks}".rstrip()
    yield f"market {found.market_phase}, {found.market_note}; {burn_in}"
    panel = ""
    for row in found.panels:
        if row.panel != panel:
            panel = row.panel
            yield f"-- {panel.upper()}"
        yield row_line(row, found.snapshot.wall)
    for one in found.overhang:
        left = f", until {one.until_market:%H:%M}Z" if one.until_market else ""
        yield f"HANGS OVER {one.words}{left}"
    for latch in found.latches:
        yield f"HELD {latch.trigger}: {latch.evidence}"
    yield from _nearing(found)
    yield f"-- TRUTH {_agreement(found)}"
    yield from truth_report(found)
    yield from (f"DOES NOT FIT {said}" for said in found.standing.parted)
    for source in found.snapshot.sources:
        latency = "" if source.latency_ms is None else f" {source.latency_ms} ms"
        yield f"{source.name}{latency} {source.detail}".rstrip()
    yield f"{found.recommendation.action}: {'; '.join(found.recommendation.reasons)}"
    yield from ((f"note: {look.note}",) if look.note else ())


def _nearing(found: Evaluation) -> Iterator[str]:
    """Triggers that a steady trend leads to, with the time until they fire at its rate."""
    for one in found.triggers:
        if one.projected is not None and one.left is not None:
            when = f"fires in about {about(one.projected)} at this rate"
            yield f"NEARING {one.title}: {measure(one.left, one.unit)} left, {when}; then {one.then}"


def standing_document(policy: Policy, standing: Standing) -> dict[str, Any]:
    """``stage`` is a stage's name, or between, beyond, unknown."""
    if standing.stage is not None:
        name = policy.stages[standing.stage].name
    elif standing.beyond:
        name = "beyond"
    else:
        name = "between" if standing.differences else "unknown"
    return {
        "stage": name,
        "mode": standing.mode.name,
        "tighter": standing.tighter,
        "unread": dict(standing.unread),
        "parted": list(standing.parted),
    }


def _account(policy: Policy, found: Evaluation) -> dict[str, Any]:
    """As the venue reports it, or else as the process does; never from the configuration."""
    declared = policy.stage_account(found.effective)
    said = next(iter(found.accounts.values()), None)
    return {
        "label": said[0] if said else None,
        "environment": said[1] if said else None,
        "declared": {"label": declared.label, "environment": declared.environment},
    }


def _burn_in(policy: Policy, found: Evaluation) -> dict[str, Any]:
    run = found.burn_in
    return {
        "stage": policy.stages[run.stage].name,
        "run": run.run,
        "state": run.state,
        "progress": None if run.state == NOT_READ else run.progress,
        "lacks": run.lacks,
        "reason": run.reason,
        "validUntil": run.valid_until,
        "items": [
            {"name": item.name, "have": item.have, "need": item.need, "unit": item.unit, "met": item.met}
            for item in run.items
        ],
    }


def signal_document(row: Row, wall: datetime) -> dict[str, Any]:
    """One of the ``signals`` of ``status --json``."""
    believed = row.state in BELIEVED
    return {
        "name": row.key.name,
        "book": row.key.book,
        "title": row.title,
        "panel": row.panel,
        "value": row.value if believed else None,
        "was": None if believed else row.value,
        "text": row.text,
        "unit": row.unit.value,
        "limit": row.limit,
        "headroom": _headroom(row) if believed else None,
        "used": row.used if believed else None,
        "state": row.state.value,
        "quality": row.quality.value,
        "word": row.word,
        "detail": row.detail,
        "ageSeconds": _age(row, wall),
    }


def _headroom(row: Row) -> Decimal | None:
    """What is left to the limit, in the row's unit."""
    if row.minimum:
        return row.spare
    return None if row.limit is None or row.used is None else row.limit - row.used * row.limit


def _age(row: Row, wall: datetime) -> float | None:
    return None if row.event_time is None else round((wall - row.event_time).total_seconds(), 1)


def _witnesses(found: Evaluation) -> dict[str, Any]:
    git, venue = found.snapshot.git, found.snapshot.venue
    return {
        "git": {"head": git.head if git else None, "error": git.error if git else "not read",
                "ageSeconds": found.truth.ages.get("git")},
        "runtime": {"agrees": found.truth.agree, "since": found.truth.since,
                    "ageSeconds": found.truth.ages.get("runtime"), "convergingSeconds": found.truth.converging,
                    "facts": [
                        {"name": row.name, "git": row.git, "runtime": row.runtime, "venue": row.venue,
                         "agree": row.agree, "note": row.note}
                        for row in found.truth.rows
                    ],
                    **deployed_document(found.snapshot.deployed, found.snapshot.wall)},
        "venue": {"blocked": venue.blocked if venue and not venue.error else None,
                  "error": venue.error if venue else "not read", "ageSeconds": found.truth.ages.get("venue")},
    }  # fmt: skip


def _watch(presence: WatchPresence) -> dict[str, Any]:
    return {"holder": presence.holder, "acting": presence.acting, "here": presence.here, "ageSeconds": presence.age}


def _where(policy: Policy, found: Evaluation) -> str:
    standing = standing_document(policy, found.standing)
    return f"{standing['stage']} {found.posture.mode.words}, max {policy.stages[found.posture.cap].name}"


def _who(presence: WatchPresence) -> str:
    if presence.holder is None:
        return "nobody watches" if presence.known else "who watches is not known"
    return f"{presence.holder} {'acts' if presence.acting else 'watches, does not act'}"


def _agreement(found: Evaluation) -> str:
    return {True: "agreed", False: "NOT AGREED", None: "not known"}[found.truth.agree]


def row_line(row: Row, wall: datetime) -> str:
    """One signal as a line of ``status``."""
    value = measure(row.value, row.unit, signed=row.signed, decimals=row.decimals) if row.unit.is_number else row.text
    shown = value if row.state in BELIEVED else f"was {value}" if row.value is not None else "not known"
    limit = "" if row.limit is None else measure(row.limit, row.unit, decimals=row.decimals)
    used = "" if row.used is None or row.state not in BELIEVED else percent(row.used)
    age = _age(row, wall)
    aged = "" if age is None else f"{age:.0f}s"
    return f"{row.title:<22} {shown:>18} {limit:>12} {used:>6} {row.word:<22} {aged:>6} {row.detail}".rstrip()
