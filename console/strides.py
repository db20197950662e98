"""Strides: the parts of long work in order, so that whoever waits sees which one runs, since when, and what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

Tell = Callable[[str], object]
"""Hears the name of each stride as it begins; called in the thread that works."""

PLANNING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fetch": "fetches the newest head of the branch",
        "plan": "reads the manifests, splices the new values, proves the rest unchanged",
        "gates": "asks the gates: Git, ledger, signals, build, API server",
    }
)
"""What making a plan does, by name."""


def silent(_stride: str) -> None:
    """Tells nobody."""
