"""What the pictures show beside the hand-made frames: a lived-in ledger, trends, commands by hand."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from console.desk import ByHand, Frame
from stages.entries import Draft, StoredEntry, genesis, write
from stages.signals import SignalKey
from stages.value import replace
from tests.screens.ledgers import DOWN, UP, stored
from tests.screens.states import NOW

POINTS = 360
"""Points of a trend: an hour, one for ten seconds."""

KILLED_BY_HAND = ByHand(
    (
        "# 1. at the venue: block new orders, and cancel every working order",
        'curl -sS -X POST -d \'{"reason": "by hand"}\' https://broker.example/v2/block',
        "curl -sS -X POST https://broker.example/v2/orders/cancel-all",
        "# 2. in Git: the limits of L0, on the newest main",
        "git clone --depth 1 --branch main git@git.example:desk/gitops.git torghut-by-hand",
        "git commit -am 'Roll back torghut to L0 by hand' && git push origin HEAD:main",
    )
)

PLAN, SHA, BACK = "51" * 32, "77ac410" + "0" * 33, "c02be91" + "0" * 33
WATCH = "watch@ops-1"

DAY: Sequence[tuple[int, str, str | None, str | None, str, Mapping[str, Any]]] = (
    # minutes before now, kind, stage, intent, who, what
    (400, "roster-adopted", None, None, "alice", {"digest": "a9" * 32, "path": "ramp/roster.yaml"}),
    (400, "policy-adopted", None, None, "alice", {"version": 4, "digest": "3b" * 32, "path": "ramp/policy.yaml"}),
    (396, "lease", None, None, WATCH, {"state": "taken", "holder": WATCH}),
    (302, "baseline", None, None, WATCH, {"name": "day P&L", "value": "0.00", "unit": "usd"}),
    (301, "burn-in", "L0", None, WATCH, {"state": "OBSERVING", "run": "L0-0-1"}),
    (231, "drill", None, None, "carol", {"mode": "paper", "step": "D0", "state": "RUNNING"}),
    (228, "drill", None, None, "carol", {"mode": "paper", "step": "D6", "observed": "2 of 2 cancelled, 0.9 s"}),
    (226, "drill", None, None, "carol", {"mode": "paper", "step": "D12", "state": "PASS"}),
    (190, "note", "L0", None, "carol", {"text": "broker's maintenance moved to 18:00, nothing to do here"}),
    (132, "burn-in", "L0", None, WATCH, {"state": "PASSED", "run": "L0-0-1"}),
    (121, "plan-requested", "L1", None, "alice", {"plan": PLAN, "from": "L0", "to": "L1"}),
    (118, "approval-refused", None, None, "dave", {"plan": PLAN, "approver": "dave", "code": "not-in-a-role"}),
    (109, "approval-recorded", None, None, "bob", {"plan": PLAN, "approver": "bob", "roles": ["risk"]}),
    (104, "approval-recorded", None, None, "erin", {"plan": PLAN, "approver": "erin", "roles": ["designated"]}),
    (97, "confirmation-failed", None, None, "alice", {"command": "apply", "wrong": "GROSS 50,000", "attempts": 1}),
    (96, "intent", "L1", UP, "alice", {"act": "advance", "from": "L0", "to": "L1", "plan": PLAN}),
    (96, "committed", None, UP, "alice", {"sha": SHA}),
    (96, "outcome", None, UP, "alice", {"outcome": "pushed", "sha": SHA}),
    (92, "dark", None, None, WATCH, {"workload": "torghut-scheduler", "state": "over"}),
    (91, "converged", None, UP, WATCH, {"sha": SHA, "detail": "Git, runtime and venue agree"}),
    (90, "burn-in", "L1", None, WATCH, {"state": "OBSERVING", "run": "L1-1-1"}),
    (44, "alarm", "L1", None, WATCH, {"class": "P3", "text": "slippage 60 min at 84 % of its limit"}),
    (41, "acknowledged", None, None, "carol", {"alarm": "slippage", "text": "one late fill in MU"}),
    (17, "external-change", None, None, WATCH, {"detail": "README changed, no value of ours", "head": "e41d0a7"}),
    (2, "latch-opened", "L1", None, WATCH, {"cause": "gross over its limit", "evidence": "5,300 $", "key": "g/0"}),
    (2, "alarm", "L1", None, WATCH, {"class": "P1", "text": "gross over its limit: HELD"}),
    (2, "intent", "L0", DOWN, WATCH, {"act": "reduce", "from": "L1", "to": "L0", "cause": "grossLimit"}),
    (2, "committed", None, DOWN, WATCH, {"sha": BACK}),
    (2, "outcome", None, DOWN, WATCH, {"outcome": "pushed", "sha": BACK}),
    (1, "acknowledged", None, None, "carol", {"alarm": "gross", "text": "stepping down, watching the overhang"}),
    (0, "note", "L0", None, "carol", {"text": "NVDA gapped with the tape; desk told, no action of ours"}),
)  # fmt: skip
"""A day of a ramp: burn-in, drill, an advance with a refused and two given approvals, a breach, a step-down."""


def ledger() -> list[StoredEntry]:
    """The chain of that day."""
    started = NOW - timedelta(minutes=500)
    chain = [genesis(ledger="6f1c9a52", actor="ops", fingerprint={"namespace": "torghut"}, now=started)]
    for before, kind, stage, intent, who, what in DAY:
        draft = Draft(kind, stage, intent, who, MappingProxyType(dict(what)))
        at = NOW - timedelta(minutes=before)
        chain.append(write(draft, ledger="6f1c9a52", previous=chain[-1], now=max(at, chain[-1].at)))
    return stored(chain)


def lived(frame: Frame) -> Frame:
    """The frame with an hour behind each signal, which ends at what its row says now; unread minutes stay gaps."""
    history: dict[SignalKey, Sequence[float | None]] = {}
    for row in frame.evaluation.rows:
        if row.key in frame.history and row.value is not None:
            history[row.key] = _hour(row.key.name, float(row.value), climbs=(row.used or 0) >= 1)
    return replace(frame, history={**frame.history, **history})


def _hour(name: str, now: float, *, climbs: bool) -> list[float | None]:
    """A wander of its own for every name, wider where it climbs to a breach."""
    phase = zlib.crc32(name.encode()) % 628 / 100
    depth = 0.6 if climbs else 0.25
    hour: list[float | None] = []
    for point in range(POINTS):
        ahead = 1 - point / (POINTS - 1)
        wander = 0.22 * ahead * math.sin(phase + point / 23) + 0.1 * ahead * math.sin(phase * 3 + point / 11)
        hour.append(now * (1 - depth * ahead + wander))
    return hour
