"""Housekeeping: what many small fetches leave in the mirror is packed now and then, beside the work.

Nothing is thrown away that a push may still need: objects move into one pack whether anything names them or not, and
Git itself finds an object again whose pack was replaced under its reader.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from console.gitops.command import Answer
from console.gitops.lock import held
from stages.refusal import Trouble

LOOSE: Final = 2000
"""Objects of their own beyond which the mirror is packed."""

PACKS: Final = 40
"""Packs beyond which they become one."""

EVERY: Final = 64
"""Fetches between two looks."""

SECONDS: Final = 300.0
"""Limit for one packing; one that takes longer is ended, and the mirror stays as it was."""

_COUNT: Final = ("count-objects", "-v")
_PACK: Final = ("repack", "-d", "-l", "--quiet", "--geometric=2")


class Housekeeping:
    """Looks after one mirror. ``run`` carries out a Git command in it within so many seconds."""

    def __init__(self, folder: Path, run: Callable[[tuple[str, ...], float], Answer]) -> None:
        self._lock = folder.with_suffix(".tidying")
        self._run = run
        self._fetches = 0

    def fetched(self) -> None:
        """After a fetch; every so many of them a thread of its own looks whether there is anything to do."""
        self._fetches += 1
        if self._fetches % EVERY == 0:
            threading.Thread(target=self.tidy, name="rampdeck housekeeping", daemon=True).start()

    def tidy(self) -> bool:
        """Pack what there is too much of; whether anything was packed. What fails is tried again another time."""
        try:
            if not self._untidy():
                return False
            with held(self._lock, patience=0.0):
                return self._run(_PACK, SECONDS).ok
        except (OSError, Trouble):
            return False

    def _untidy(self) -> bool:
        counted = self._run(_COUNT, SECONDS)
        facts = dict(line.split(": ", 1) for line in counted.text.splitlines() if ": " in line)
        return int(facts.get("count", "0")) >= LOOSE or int(facts.get("packs", "0")) >= PACKS
