"""The story of a drill: what its entries tell, one after the other, folded into the run as the ledger knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stages.drill import RUNNING, Finding
from stages.entries import Entry, parse_time
from stages.facts import DrillRun
from stages.value import replace

ANSWERS: Final[Mapping[str, bool | None]] = {"y": True, "n": False, "u": None}
"""What people say of a step of a tabletop: it held, it did not, nobody knows."""


def told(known: DrillRun | None, entry: Entry) -> DrillRun:
    """The run after one more of its entries; the first one makes it."""
    body = entry.body
    run = known or _begun(entry)
    if "answer" in body:
        said = (ANSWERS.get(body["answer"]), str(body.get("observed", "")))
        return replace(run, answers={**run.answers, body["step"]: said})
    if body.get("abandoned"):
        return replace(run, abandoned=body["abandoned"])
    return _walked(run, entry, body)


def _begun(entry: Entry) -> DrillRun:
    body = entry.body
    return DrillRun(
        run=body["run"],
        act=body["act"],
        mode=body["mode"],
        transition=body.get("transition", ""),
        state=body["state"],
        actor=entry.actor,
        started=parse_time(entry.ts),
        market=parse_time(body["market"]),
        target=body["target"],
        pins=body.get("pins", {}),
        path=body.get("path", ""),
        inject=body.get("inject", ""),
    )


def _walked(run: DrillRun, entry: Entry, body: Mapping[str, Any]) -> DrillRun:
    """A step reached, a finding made, effects declared, the end."""
    at, step = parse_time(entry.ts), body.get("step", run.step)
    entered = {**run.entered, step: at} if step and step not in run.entered else run.entered
    findings = (*run.findings, _finding(entry, body)) if "says" in body else run.findings
    return replace(
        run,
        state=body["state"],
        step=step,
        entered=entered,
        findings=findings,
        market=parse_time(body["market"]) if body.get("market") else run.market,
        until=parse_time(body["until"]) if body.get("until") else run.until,
        fired=parse_time(body["fired"]) if body.get("fired") else run.fired,
        ended=run.ended or at if body["state"] != RUNNING else None,
        tidied=bool(body.get("tidied", run.tidied)),
        orders=tuple(body.get("orders", run.orders)),
        effects=tuple(body.get("effects", run.effects)),
        # While it runs the reasons are those of refusals that it declared, not of its own end.
        reasons=tuple(body.get("reasons", ())) if body["state"] != RUNNING else run.reasons,
        artifacts=tuple(body.get("artifacts", run.artifacts)),
    )


def _finding(entry: Entry, body: Mapping[str, Any]) -> Finding:
    return Finding(
        step=body["step"],
        says=body["says"],
        ok=body["ok"],
        took=float(body["took"]),
        expected=str(body.get("expected", "")),
        observed=str(body.get("observed", "")),
        negative=bool(body.get("negative")),
        subject=str(body.get("subject", "")),
        at=parse_time(entry.ts),
    )
