"""Reports of a drill: one run as JSON."""

from __future__ import annotations

from typing import Any

from stages.facts import DrillRun


def run_document(run: DrillRun) -> dict[str, Any]:
    """One drill, as ``drill list --json`` has them."""
    return {
        "run": run.run,
        "act": run.act,
        "mode": run.mode,
        "transition": run.transition,
        "inject": run.inject,
        "state": run.state,
        "actor": run.actor,
        "started": run.started,
        "market": run.market,
        "step": run.step,
        "target": dict(run.target),
        "until": run.until,
        "reasons": list(run.reasons),
        "artifacts": list(run.artifacts),
    }
