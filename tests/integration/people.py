"""The people of a small world as the program knows them: a configuration each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.actuation import World


def configure(world: World, who: str, **changes: Any) -> Path:
    """A person's configuration; a key with None is left out."""
    settings: dict[str, Any] = {
        "repository": {"remote": world.remote.as_uri(), "branch": "main"},
        "policy": "ops/ramp.yaml",
        "ledger": f"sqlite:///{world.folder}/ledger.db",
        "identity": {"name": who, "key": str(world.key(who if who != "mallory" else "erin"))},
        "inbox": str(world.folder / "inbox"),
        "cache": str(world.folder / "cache"),
        "state": str(world.folder / "state"),
    } | changes
    path = world.folder / f"{who}.yaml"
    path.write_text(json.dumps({key: value for key, value in settings.items() if value is not None}))
    return path
