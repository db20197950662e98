"""Where a console sits: the place, the person and the terminal."""

from __future__ import annotations

import locale
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from console.keymap import STANDARD, Keymap
from console.veil import Veil
from stages.value import Struct, field
from widgets.glyphs import plain_terminal
from widgets.palette import DEFAULT

MOUSE_OFF: Final = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
"""Leaves the mouse to the terminal again."""


class Seat(Struct, frozen=True):
    """Where this console runs and for whom; what is empty is not known before the configuration is read."""

    system: str
    environment: str
    who: str
    read_only: bool = False
    version: str = ""
    crash_folder: Path | None = None
    ascii_marks: bool = False
    theme: str = DEFAULT
    mouse: bool = True
    keymap: Keymap = STANDARD
    keeps: Path | None = None
    """The folder for what a person gets from the console: long copies, pictures."""
    veil: Veil = field(default_factory=Veil)
    """What pictures of the screen do not show."""


def needs_ascii(environment: Mapping[str, str]) -> bool:
    """Whether the terminal cannot be trusted with more than ASCII: another locale than UTF-8, or a plain console."""
    return plain_terminal(environment, locale.getpreferredencoding(False))
