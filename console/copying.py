"""Copying: what a screen shows as text, as JSON or as a patch, to the clipboard of the terminal one sits at.

The terminal is told by OSC 52, which passes SSH; tmux passes it on when it is asked twice, once in its own words.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from console.crash import redacted
from console.keeping import from_home, keep
from console.output import jsonable
from stages.value import Struct

MOST: Final = 74_994
"""Bytes of text that every terminal takes: in base64 they stay below 100,000, where the first of them give up."""

TEXT, JSON, PATCH = "text", "JSON", "patch"
_ENDINGS: Final = {TEXT: "txt", JSON: "json", PATCH: "patch"}


class Copy(Struct, frozen=True):
    """One thing that can be copied: what it is called, in which form, how it is made, and what prints the same."""

    name: str
    form: str
    make: Callable[[], str]
    twin: str = ""
    """The command that prints it, for scripts and for terminals without a clipboard."""


def as_json(document: object) -> str:
    """A document exactly as the verbs print it."""
    return json.dumps(document, default=jsonable, ensure_ascii=False, indent=2)


def hand_over(
    copy: Copy, clip: Callable[[str], None], folder: Path | None, now: datetime, home: str | None = None
) -> str:
    """Copies without what looks like a credential, and says in a sentence what became of it.

    What is too long for a terminal goes to a file in ``folder`` instead.
    """
    made = copy.make()
    text = redacted(made)
    size = len(text.encode())
    twin = f" '{copy.twin}' prints it{' whole' if text != made else ''}." if copy.twin else ""
    if text != made and copy.form == PATCH:
        twin = f" Secrets are left out, so that it does not apply.{twin}"
    elif text != made:
        twin = f" Secrets are left out.{twin}"
    if not text.strip():
        return f"{copy.name}: there is nothing to copy yet."
    if size <= MOST:
        clip(text)
        return f"{copy.name} as {copy.form}, {size:,} bytes, handed to the terminal's clipboard.{twin}"
    long = f"{copy.name} as {copy.form}: {size:,} bytes are too many for a terminal's clipboard"
    if folder is None:
        return f"{long}.{twin}"
    name = "-".join("".join(sign if sign.isalnum() else " " for sign in copy.name).split())
    try:
        path = keep(folder / f"{name}-{now:%Y%m%dT%H%M%S}.{_ENDINGS[copy.form]}", text)
    except OSError as error:
        return f"{long}, and {folder} cannot be written ({error.strerror}).{twin}"
    return f"{long}: written to {from_home(path, home)}.{twin}"
