"""ControlState: everything that was decided, folded from the ledger's entries and held nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from stages.drill_story import told
from stages.entries import Entry, parse_time
from stages.facts import (
    ADVANCE,
    CANCEL_BY_HAND,
    REDUCE,
    RESTORE,
    RESUME,
    Adopted,
    Approval,
    Baseline,
    Cancelled,
    DrillRun,
    Gap,
    Incident,
    Intent,
    Permit,
    Request,
    Run,
)
from stages.posture import UNRULED, ClearRule, Latch, Mode
from stages.value import Struct, field, replace

__all__ = [
    "ADVANCE",
    "REDUCE",
    "RESTORE",
    "RESUME",
    "Adopted",
    "Approval",
    "Baseline",
    "ControlState",
    "DrillRun",
    "Incident",
    "Intent",
    "Permit",
    "Request",
    "Run",
    "fold",
    "parse_time",
]


class ControlState(Struct, frozen=True):
    """The fold of all entries; immutable."""

    ledger: str = ""
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    at: datetime | None = None
    epoch: int = 0
    policy: Adopted | None = None
    roster: Adopted | None = None
    latches: Mapping[str, Latch] = field(default_factory=dict)
    """Open latches by key."""
    keys_used: frozenset[str] = frozenset()
    """Every latch key ever opened, so that none opens twice in one epoch."""
    requests: Mapping[str, Request] = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    consumed: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Plan id -> who rejected it and why."""
    intents: Mapping[str, Intent] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    permits: Mapping[str, Permit] = field(default_factory=dict)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    drills: Mapping[str, DrillRun] = field(default_factory=dict)
    """Drills by their run, in the order in which they were begun."""
    cancels: Mapping[str, Cancelled] = field(default_factory=dict)
    """Cancels by hand whose reason is owed, by their intent."""
    explained: frozenset[str] = frozenset()
    """Keys of latches whose cause was explained by somebody who may."""
    acknowledged: frozenset[str] = frozenset()
    gap: Gap | None = None
    """The newest gap in the ledger."""
    external_head: str = ""
    """Newest head of Git that was made elsewhere and adopted as fact."""
    cooldown_from: datetime | None = None
    """Market time of the newest reduction; no advance for the policy's cooldown after it."""
    watch: str = ""
    """The newest holder of the watch; whether it still lives is the lease row's to say."""
    acting: bool = False
    """Whether that holder reduces risk by itself."""
    last_seal: int = 0
    """Sequence of the newest tick that a seal covers."""
    seal_accumulators: str = ""

    @property
    def unresolved(self) -> tuple[Intent, ...]:
        """Intents whose outcome nobody knows; they block every increase and no decrease."""
        return tuple(intent for intent in self.intents.values() if intent.unresolved)

    @property
    def awaiting(self) -> tuple[Intent, ...]:
        """Acts that wait as a branch for their merge, oldest first; they block every increase and no decrease."""
        return tuple(intent for intent in self.intents.values() if intent.awaited)

    @property
    def settling(self) -> tuple[Intent, ...]:
        """Pushed acts that have neither converged nor diverged yet, oldest first."""
        return tuple(intent for intent in self.intents.values() if intent.outcome == "pushed" and not intent.settled)

    @property
    def reducing(self) -> Intent | None:
        """The newest reduction that is not known to be done."""
        going = (*self.unresolved, *self.awaiting, *self.settling)
        open_ones = [i for i in self.intents.values() if i.kind == REDUCE and i in going]
        return open_ones[-1] if open_ones else None

    def open_latch(self, trigger: str, cause: str) -> Latch | None:
        """The open latch of this trigger and cause, of whatever epoch."""
        return next((a for a in self.latches.values() if a.trigger == trigger and a.cause == cause), None)

    def latch_meant(self, key: str) -> Latch | None:
        """The open latch with this key, or the one of its trigger and cause: who writes aside may know an old epoch."""
        found, named = self.latches.get(key), key.rpartition("/")[0]
        return found or next((one for one in self.latches.values() if f"{one.trigger}/{one.cause}" == named), None)

    @property
    def last_pushed(self) -> Intent | None:
        pushed = [intent for intent in self.intents.values() if intent.outcome == "pushed"]
        return pushed[-1] if pushed else None


def fold(state: ControlState, entry: Entry) -> ControlState:
    """The state after one more entry; a kind that decides nothing changes only the position."""
    state = replace(
        state, ledger=entry.ledger, seq=entry.seq, at=parse_time(entry.ts), epoch=max(state.epoch, entry.epoch)
    )
    if entry.kind != "drill" and entry.body.get("drill"):
        return state  # what a drill did to its own target says nothing of this one
    step = _STEPS.get(entry.kind)
    return step(state, entry) if step else state


def _genesis(state: ControlState, entry: Entry) -> ControlState:
    return replace(state, fingerprint=entry.body["fingerprint"])


def _policy(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    adopted = Adopted(body["digest"], body["commit"], int(body["version"]))
    return replace(state, policy=adopted, consumed=state.consumed | frozenset(body.get("approvals", ())))


def _roster(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    adopted = Adopted(body["digest"], body["commit"])
    return replace(state, roster=adopted, consumed=state.consumed | frozenset(body.get("approvals", ())))


def _latch_opened(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    latch = Latch(
        key=body["key"],
        trigger=body["trigger"],
        cause=body["cause"],
        epoch=entry.epoch,
        opened_at=parse_time(entry.ts),
        evidence=body["evidence"],
        mode=Mode[body["mode"]],
        cap=body["cap"],
        clear_roles=tuple(body["clearRoles"]),
        seq=entry.seq,
        rule=_rule(body.get("clearWhen")),
        root=body.get("root", ""),
        incident=body.get("incident", ""),
        market=parse_time(body["market"]) if body.get("market") else None,
    )
    return replace(state, latches={**state.latches, latch.key: latch}, keys_used=state.keys_used | {latch.key})


def _latch_cleared(state: ControlState, entry: Entry) -> ControlState:
    left = {key: latch for key, latch in state.latches.items() if key != entry.body["key"]}
    return replace(state, latches=left, consumed=state.consumed | frozenset(entry.body.get("approvals", ())))


def _rule(body: Mapping[str, Any] | None) -> ClearRule:
    if body is None:
        return UNRULED
    return ClearRule(
        approval=body["approval"],
        each=body["each"],
        explain=body["explain"],
        itself=body["itself"],
        gone=body["gone"],
        good=timedelta(seconds=float(body["good"])),
        hold=timedelta(seconds=float(body["hold"])),
        next_session=body["nextSession"],
    )


def _gap(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    gap = Gap(entry.seq, entry.at, body.get("from", ""), int(body["records"]), int(body["torn"]))
    return replace(state, gap=gap)


def _incident(state: ControlState, entry: Entry) -> ControlState:
    body, known = entry.body, state.incidents.get(entry.body["incident"])
    if body["state"] == "resolved":
        if known is None:
            return state
        return replace(state, incidents={**state.incidents, known.incident: replace(known, is_open=False)})
    latch = next(iter(body.get("latches", ())), "")
    found = Incident(body["incident"], body["severity"], body["title"], entry.actor, parse_time(entry.ts), latch=latch)
    return replace(state, incidents={**state.incidents, found.incident: found})


def _permit(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    quantity, until = Decimal(str(body["quantity"])), parse_time(body["until"])
    permit = Permit(body["permit"], body["symbol"], quantity, until, entry.actor)
    return replace(state, permits={**state.permits, permit.permit: permit})


def _baseline(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    found = Baseline(Decimal(str(body["value"])), date.fromisoformat(body["session"]))
    return replace(state, baselines={**state.baselines, body["name"]: found})


def _drill(state: ControlState, entry: Entry) -> ControlState:
    run = entry.body["run"]
    return replace(state, drills={**state.drills, run: told(state.drills.get(run), entry)})


def _note(state: ControlState, entry: Entry) -> ControlState:
    if entry.body.get("subject") == CANCEL_BY_HAND and entry.intent is not None:
        found = Cancelled(entry.intent, entry.actor, parse_time(entry.ts))
        return replace(state, cancels={**state.cancels, found.intent: found})
    if not entry.body.get("explains"):
        return state
    return replace(state, explained=state.explained | {entry.body["subject"]})


def _requested(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    request = Request(body["plan"], body["action"], entry.actor, parse_time(entry.ts), body["to"])
    return replace(state, requests={**state.requests, request.plan_id: request})


def _approved(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    approval = Approval(
        nonce=body["nonce"],
        approver=body["approver"],
        roles=tuple(body["roles"]),
        action=body["action"],
        subject=body["plan"],
        expires=parse_time(body["expires"]),
        seq=entry.seq,
    )
    return replace(state, approvals={**state.approvals, approval.nonce: approval})


def _approval_rejected(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    return replace(state, rejected={**state.rejected, body["plan"]: f"{body['approver']}: {body['reason']}"})


def _approval_revoked(state: ControlState, entry: Entry) -> ControlState:
    return replace(state, revoked=state.revoked | {entry.body["nonce"]})


def _intent(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    intent = Intent(
        id=str(entry.intent),
        kind=body["act"],
        actor=entry.actor,
        from_stage=body["from"],
        to_stage=body["to"],
        mode=Mode[body["mode"]],
        epoch=entry.epoch,
        at=parse_time(entry.ts),
        market=parse_time(body["market"]),
        plan_id=body.get("plan", ""),
        cause=body.get("cause", ""),
        automatic=bool(body.get("automatic", False)),
        expires=parse_time(body["expires"]) if body.get("expires") else None,
    )
    return replace(
        state,
        intents={**state.intents, intent.id: intent},
        consumed=state.consumed | frozenset(body.get("approvals", ())),
        cooldown_from=intent.market if intent.kind == REDUCE else state.cooldown_from,
    )


def _update_intent(state: ControlState, entry: Entry, **changes: str) -> ControlState:
    intent = state.intents.get(str(entry.intent))
    if intent is None:
        return state
    return replace(state, intents={**state.intents, intent.id: replace(intent, **changes)})  # type: ignore[arg-type]


def _committed(state: ControlState, entry: Entry) -> ControlState:
    return _update_intent(state, entry, sha=entry.body["sha"], branch=entry.body.get("branch", ""))


def _outcome(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    changes: dict[str, Any] = {
        "outcome": body["outcome"],
        "message": body.get("message", ""),
        "ended": parse_time(entry.ts),
        "refused": tuple(body.get("refused", ())),
    }
    changes |= {name: body[name] for name in ("sha", "branch") if body.get(name)}
    merged = state.intents.get(str(entry.intent))
    state = _update_intent(state, entry, **changes)
    return state if merged is None or not merged.awaited or body["outcome"] != "pushed" else _merged(state, entry)


def _merged(state: ControlState, entry: Entry) -> ControlState:
    """A proposal takes effect when it is merged: from then its times count, and it is the newest act."""
    intent, market = state.intents[str(entry.intent)], entry.body.get("market")
    intent = replace(intent, at=parse_time(entry.ts), market=parse_time(market) if market else intent.market)
    others = {name: one for name, one in state.intents.items() if name != intent.id}
    return replace(state, intents={**others, intent.id: intent})


def _converged(state: ControlState, entry: Entry) -> ControlState:
    return _update_intent(state, entry, settled="converged")


def _diverged(state: ControlState, entry: Entry) -> ControlState:
    return _update_intent(state, entry, settled="diverged")


def _reason(state: ControlState, entry: Entry) -> ControlState:
    latch = state.latch_meant(entry.body["subject"])
    if latch is not None:
        return replace(state, explained=state.explained | {latch.key})
    if entry.intent in state.cancels:
        return replace(state, cancels={name: one for name, one in state.cancels.items() if name != entry.intent})
    return _update_intent(state, entry, reason=entry.body["text"])


def _burn_in(state: ControlState, entry: Entry) -> ControlState:
    body, before = entry.body, state.runs.get(str(entry.stage))
    same = before if before is not None and before.run == body["run"] else None
    waiver = body.get("waiver")
    run = Run(
        run=body["run"],
        stage=str(entry.stage),
        state=body["state"],
        started=parse_time(body["started"]),
        changed=parse_time(body["market"]),
        reason=body.get("reason", ""),
        figures=body.get("figures", {}),
        until=parse_time(body["until"]) if body.get("until") else same.until if same else None,
        waived={**(same.waived if same else {}), **({waiver["item"]: waiver["reason"]} if waiver else {})},
    )
    consumed = state.consumed | frozenset(body.get("approvals", ()))
    return replace(state, runs={**state.runs, run.stage: run}, consumed=consumed)


def _acknowledged(state: ControlState, entry: Entry) -> ControlState:
    return replace(state, acknowledged=state.acknowledged | {entry.body["alarm"]})


def _external(state: ControlState, entry: Entry) -> ControlState:
    return replace(state, external_head=entry.body["head"])


def _lease(state: ControlState, entry: Entry) -> ControlState:
    body = entry.body
    if body["state"] == "taken":
        return replace(state, watch=body["holder"], acting=bool(body.get("acting", False)))
    return replace(state, watch="", acting=False) if body["holder"] == state.watch else state


def _seal(state: ControlState, entry: Entry) -> ControlState:
    return replace(state, last_seal=int(entry.body["through"]), seal_accumulators=entry.body["accumulators"])


_STEPS: Final[Mapping[str, Callable[[ControlState, Entry], ControlState]]] = {
    "genesis": _genesis,
    "policy-adopted": _policy,
    "roster-adopted": _roster,
    "latch-opened": _latch_opened,
    "latch-cleared": _latch_cleared,
    "plan-requested": _requested,
    "approval-recorded": _approved,
    "approval-rejected": _approval_rejected,
    "approval-revoked": _approval_revoked,
    "intent": _intent,
    "committed": _committed,
    "outcome": _outcome,
    "converged": _converged,
    "diverged": _diverged,
    "reason": _reason,
    "burn-in": _burn_in,
    "gap": _gap,
    "incident": _incident,
    "permit": _permit,
    "baseline": _baseline,
    "drill": _drill,
    "note": _note,
    "acknowledged": _acknowledged,
    "external-change": _external,
    "lease": _lease,
    "seal": _seal,
}
