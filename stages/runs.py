"""Runs: what the ledger decides about burn-in runs. A run ends once, except that people may give INCONCLUSIVE more.

An extension is granted once; a waiver names one performance item and its reason and ends with the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stages.by_hand import ExtendBurnIn, WaiveBurnIn
from stages.commands import ChangeBurnIn
from stages.entries import Draft
from stages.facts import Run
from stages.quorum import consumed, refuse_quorum
from stages.refusal import Refusal
from stages.state import ControlState
from stages.value import replace

TERMINAL: Final = frozenset({"PASSED", "FAILED", "INCONCLUSIVE", "ABORTED"})
"""States in which a burn-in run has ended; a run ends once."""


def _after(state: str) -> frozenset[str]:
    """What may follow a state: a pass may still be lost, and what was left undecided may be given up."""
    everything = TERMINAL | {"ARMED", "WARMUP", "OBSERVING", "SUSPENDED", "BLIND"}
    last = {"FAILED": frozenset[str](), "ABORTED": frozenset[str](), "INCONCLUSIVE": frozenset({"ABORTED"})}
    return last.get(state, everything)


def change(command: ChangeBurnIn, state: ControlState) -> Sequence[Draft] | Refusal:
    """The watch's word on a run; nothing for one that has ended."""
    run = state.runs.get(command.stage)
    if run and run.run == command.run and (run.state == command.state or command.state not in _after(run.state)):
        return ()
    body = {
        "run": command.run,
        "state": command.state,
        "started": command.started,
        "market": command.market,
        "reason": command.reason,
        "figures": dict(command.figures),
    }
    return (Draft("burn-in", command.stage, None, command.actor, body),)


def extend(command: ExtendBurnIn, state: ControlState) -> Sequence[Draft] | Refusal:
    """More time for a run that ended INCONCLUSIVE, or why not."""
    run = state.runs.get(command.stage)
    if run is None or run.run != command.run or run.state != "INCONCLUSIVE":
        return Refusal("burn-in", f"{command.run} is not INCONCLUSIVE, so there is nothing to extend")
    if run.until is not None:
        return Refusal("burn-in", f"{command.run} was extended once already")
    if command.until <= command.market:
        return Refusal("burn-in", "an extension ends later than now")
    return (_again(command, run, {"until": command.until}),)


def waive(command: WaiveBurnIn, state: ControlState, now: datetime) -> Sequence[Draft] | Refusal:
    """A pass without one performance item, or why not."""
    run = state.runs.get(command.stage)
    if run is None or run.run != command.run or run.state in TERMINAL - {"INCONCLUSIVE"}:
        return Refusal("burn-in", f"{command.run} does not wait for anything that could be waived")
    if command.safety:
        return Refusal("safety", f"{command.item} is about safety and cannot be waived")
    if not command.reason.strip():
        return Refusal("reason", "a waiver names its reason")
    refusal = refuse_quorum(
        state, replace(command.quorum, required=max(1, command.quorum.required)), command.actor, now
    )
    if refusal:
        return refusal
    waiver = {"waiver": {"item": command.item, "reason": command.reason}}
    return (_again(command, run, waiver | consumed(command.quorum)),)


def _again(command: ExtendBurnIn | WaiveBurnIn, run: Run, more: Mapping[str, Any]) -> Draft:
    """The run goes on observing."""
    going = run.state if run.state != "INCONCLUSIVE" else "OBSERVING"
    body = {"run": run.run, "state": going, "started": run.started, "market": command.market}
    words = {"reason": command.reason, "figures": dict(run.figures)}
    return Draft("burn-in", run.stage, None, command.actor, {**body, **words, **more})
