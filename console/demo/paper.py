"""The paper target of the demo's drills: the ladder of the live one on the paper account's own manifests."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Final

import yaml

PAPER_POLICY: Final = "apps/heron-paper/ramp.yaml"
_FILES: Final = {"scheduler.yaml": "Deployment/heron-paper-scheduler", "feed.yaml": "ConfigMap/heron-paper-feed"}
"""The files that the paper target has, with the object that a binding names there."""
_WATCHING: Final = (
    *("signals", "ownOrders", "ownPositions", "unknownOrders", "image"),
    *("notWatched", "triggers", "heartbeats", "drill"),
)
"""Parts of the policy that are about watching: nothing is watched there."""
_ALWAYS: Final = {"tradingMode": "paper"}
"""What no stage changes on a paper account."""


def paper_policy(live: str) -> str:
    """The live policy's text as the paper target's: same limits, modes and calendar; nothing is watched there.

    In JSON, which is YAML in which no time of day can be misread.
    """
    document: dict[str, Any] = yaml.safe_load(live)
    spec = document["spec"]
    document["metadata"]["name"] = "heron-paper"
    spec["target"] |= {
        "namespace": "heron-paper",
        "gitopsPath": "apps/heron-paper",
        "account": {"label": "HERON-PAPER-01", "environment": "paper"},
        "workloads": [{"object": _FILES["scheduler.yaml"], "dark": "15s"}],
    }
    for control in spec["controls"].values():
        control["bindings"] = [
            one | {"object": _FILES[one["file"]]} for one in control["bindings"] if one["file"] in _FILES
        ]
    for stage in spec["stages"]:
        for part in ("burnIn", "endpoints", "account"):
            stage.pop(part, None)
        stage["controls"] |= _ALWAYS
    for part in _WATCHING:
        spec.pop(part, None)
    return json.dumps(document, indent=2, default=date.isoformat) + "\n"
