"""The chronicle: the newest entries of the ledger as lines for people, and the act that is under way as steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from console.desk import Running, RunningStep
from console.ports import LedgerStore
from stages.entries import Entry
from stages.policy import Policy
from stages.posture import Mode
from stages.safety import safe_now, stays_so
from stages.state import ADVANCE, RESTORE, RESUME, ControlState, Intent, parse_time
from stages.verdict import Evaluation

KEPT: Final = 400
SHOWN: Final = 50
LINGER: Final = 60.0
"""Seconds for which an act that has ended stays on screen."""

_SILENT: Final = frozenset({"seal", "committed", "lease", "dark", "baseline"})
"""Kinds that the strip of events leaves out."""

_LOST: Final = ("UNVERIFIED", "no answer", "gave no answer", "does not answer", "takes orders")
"""Words of a venue's note that leave unknown whether it obeyed."""

_VERBS: Final[Mapping[str, str]] = {ADVANCE: "advances", RESTORE: "restores", RESUME: "resumes"}
"""What the intents of an act do, in words; every other one reduces."""

_WORDS: Final[Mapping[str, str]] = {
    "intent": "{who} {verb} {from} -> {to} {why}",
    "outcome": "{outcome} {sha} {message}",
    "converged": "runtime runs what was pushed {detail}",
    "diverged": "not read back as pushed: {detail}",
    "latch-opened": "HELD {trigger}: {evidence}",
    "latch-cleared": "{who} cleared {trigger} {itself} {reason}",
    "latch-clear-refused": "{who} may not clear {key}: {reason}",
    "permit": "{who} lets {quantity} {symbol} be closed until {until} {reason}",
    "gap": "ledger was away: {records} decided since {since} joined it late",
    "incident": "{incident} {severity} {state} by {who}: {title} {text}",
    "burn-in": "burn-in of {stage} {state} {reason}",
    "plan-requested": "{who} asks to approve {from} -> {to}",
    "approval-recorded": "{approver} approved {plan}",
    "approval-rejected": "{approver} rejected {plan}: {reason}",
    "approval-revoked": "{who} took back {approver}'s approval of {plan} {reason}",
    "alarm": "alarm {class}: {text}",
    "alarm-suppressed": "alarm held back until {until}: {alarm}, {cause}",
    "acknowledged": "{who} acknowledged {alarm}",
    "denied": "denied to {who}: {reason}",
    "confirmation-failed": "{who} typed another confirmation: {wrong}",
    "external-change": "{author} changed Git: {detail}",
    "policy-adopted": "{who} adopted policy version {version}",
}


class Chronicle:
    """Follows the ledger by its sequence numbers and keeps the newest entries."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._after: int | None = None

    def read(self, ledger: LedgerStore) -> None:
        """Catches up; the first time with the newest entries only. Raises Trouble when the ledger is away."""
        if self._after is None:
            self._after = max(0, ledger.head().seq - KEPT)
        for entry in ledger.entries(after=self._after):
            self._entries.append(entry)
            self._after = entry.seq

    def lines(self) -> tuple[str, ...]:
        """Newest first, each with its UTC time: the ledger's own, and the ``Z`` clock of row 1."""
        return tuple(f"{entry.at.astimezone(UTC):%H:%M:%SZ} {words(entry)}" for entry in self._told())

    def times(self) -> tuple[datetime, ...]:
        """When each of the lines happened."""
        return tuple(entry.at for entry in self._told())

    def _told(self) -> list[Entry]:
        told = (entry for entry in reversed(self._entries) if entry.kind not in _SILENT)
        return list(islice(told, SHOWN))

    def running(self, policy: Policy, state: ControlState, evaluation: Evaluation) -> Running | None:
        """The newest act, while it runs and a little longer."""
        intent = next(reversed(tuple(state.intents.values())), None)
        if intent is None:
            return None
        times = {entry.kind: entry.at for entry in self._entries if entry.intent == intent.id}
        finished = _finished(intent, times)
        if finished is not None and (evaluation.snapshot.wall - finished).total_seconds() > LINGER:
            return None
        safe, stays = safe_now(policy, intent, evaluation), stays_so(policy, intent, evaluation)
        return Running(
            kind=intent.kind,
            title=_title(intent),
            steps=(*_steps(intent, times), *self._venue_steps(intent)),
            started=intent.at,
            finished=finished,
            outcome=_outcome(intent) if finished else "",
            safe_now=safe.said,
            safe_note=safe.note,
            stays_so=stays.said,
            stays_note=stays.note,
            plan_id=intent.plan_id,
            awaits=intent.branch if intent.awaited else "",
        )

    def _venue_steps(self, intent: Intent) -> tuple[RunningStep, ...]:
        """What the venue answered, in the order of the requests; of several answers to one request the best."""
        found: dict[str, RunningStep] = {}
        for entry in self._entries:
            subject = str(entry.body.get("subject", ""))
            if entry.intent != intent.id or entry.kind != "note" or not subject.startswith("venue"):
                continue
            text = str(entry.body["text"]).partition(": ")[2]
            lost = any(word in text for word in _LOST)
            if subject not in found or found[subject].state != "done":
                took = (entry.at - intent.at).total_seconds()
                found[subject] = RunningStep(subject, "unknown" if lost else "done", None if lost else took, 5.0, text)
        return tuple(found.values())


def words(entry: Entry) -> str:
    """One entry in one line for people."""
    own = {"who": entry.actor, "stage": entry.stage or "", "kind": entry.kind.replace("-", " ")}
    fields = _Blank({**entry.body, **own})
    for name, length in (("plan", 8), ("sha", 7)):
        fields[name] = str(fields[name])[:length]
    if entry.kind == "latch-cleared":
        fields["itself"] = "by itself" if entry.body.get("itself") else ""
    if entry.kind == "gap":
        fields["since"] = str(entry.body.get("from", ""))[11:19] + "Z"
    if entry.kind == "permit":
        fields["until"] = f"{parse_time(entry.body['until']).astimezone(UTC):%H:%M:%SZ}"
    if "alarm" in fields:  # cause@since; the cause's last word is what people call it
        fields["alarm"] = str(fields["alarm"]).partition("@")[0].rpartition("/")[2]
    if entry.kind == "alarm-suppressed":
        fields["until"] = f"{datetime.fromisoformat(str(fields['until'])).astimezone(UTC):%H:%M:%SZ}"
    if entry.kind == "intent":
        fields["verb"] = _VERBS.get(str(entry.body["act"]), "reduces")
        # A resume stays at its stage: where it is says nothing, what it lifts to does.
        if entry.body["act"] == RESUME:
            fields["to"] = f"{entry.body['to']} {_mode(Mode[entry.body['mode']])}"
        fields["why"] = f"by itself: {entry.body.get('cause')}" if entry.body.get("automatic") else ""
    return " ".join(_WORDS.get(entry.kind, "{who} {kind} {text} {reason}").format_map(fields).split())


class _Blank(dict[str, Any]):
    """A field that an entry does not have is nothing to say."""

    def __missing__(self, key: str) -> str:
        return ""


def _mode(mode: Mode) -> str:
    return mode.words


def _title(intent: Intent) -> str:
    if intent.kind == ADVANCE:
        return f"{intent.actor} applies {intent.plan_id[:4]}: {intent.from_stage} → {intent.to_stage}"
    if intent.kind == RESTORE:
        return f"{intent.actor} RESTORES {intent.to_stage} from KILLED"
    if intent.kind == RESUME:
        return f"{intent.actor} RESUMES {intent.to_stage}, {_mode(intent.mode)}"
    goal = f"TO {intent.to_stage}" + (f", {intent.mode.words}" if intent.mode > Mode.FROZEN else "")
    if intent.mode is Mode.KILLED and not intent.automatic:
        return f"{intent.actor} KILLS, {intent.to_stage}"
    return f"STEPPING DOWN {goal} by itself" if intent.automatic else f"{intent.actor} ROLLS BACK {goal}"


def _steps(intent: Intent, times: dict[str, datetime]) -> tuple[RunningStep, ...]:
    def took(kind: str) -> float | None:
        return (times[kind] - intent.at).total_seconds() if kind in times else None

    pushed = {
        "pushed": "done",
        "proposed": "done",
        "unchanged": "done",
        "rejected": "failed",
        "abandoned": "failed",
        "unknown": "unknown",
    }
    push = "failed" if intent.refused else pushed.get(intent.outcome, "running" if intent.sha else "waiting")
    merged = pushed.get(intent.outcome) == "done" and not intent.awaited
    ran = {"converged": "done", "diverged": "failed"}.get(intent.settled, "running" if merged else "waiting")
    waits = (RunningStep("merge", "running", note=f"waits for {intent.branch}"),) if intent.awaited else ()
    return (
        RunningStep("recorded", "done", 0.0),
        RunningStep("commit", "done" if intent.sha else "waiting" if intent.outcome else "running", took("committed")),
        RunningStep("push", push, took("outcome"), 30.0, intent.message),
        *waits,
        RunningStep("runtime", ran, took("converged") or took("diverged")),
    )


def _finished(intent: Intent, times: dict[str, datetime]) -> datetime | None:
    if intent.settled:
        return times.get("converged") or times.get("diverged") or intent.at
    return (times.get("outcome") or intent.at) if intent.outcome in ("rejected", "unchanged", "abandoned") else None


def _outcome(intent: Intent) -> str:
    if intent.refused:
        return "failed"
    if intent.settled:
        return "done" if intent.settled == "converged" else "failed"
    return "done" if intent.outcome == "unchanged" else "failed"
