"""The seat: where a console runs and for whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from console.keymap import STANDARD, Keymap
from console.picture import Veil
from widgets.palette import DEFAULT


@dataclass(frozen=True, slots=True)
class Seat:
    """Where this console runs and for whom; all that is known before the first frame."""

    system: str
    environment: str
    who: str
    read_only: bool
    version: str
    crash_folder: Path
    ascii_marks: bool = False
    theme: str = DEFAULT
    mouse: bool = True
    keymap: Keymap = STANDARD
    keeps: Path | None = None
    """The folder for what a person gets from the console: long copies, pictures."""
    veil: Veil = field(default_factory=Veil)
    """What pictures of the screen do not show."""
