"""What is in force: the adopted policy and roster, and the copy of the policy kept here for a bad night."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stages.refusal import Trouble
from stages.value import Struct

if TYPE_CHECKING:
    from stages.policy import Policy
    from stages.roster import Roster


class InForce(Struct, frozen=True):
    """The policy and the roster that the ledger adopted, with their texts as read at the adopting commits."""

    policy: Policy
    policy_text: str
    policy_digest: str
    roster: Roster
    roster_digest: str
    signers: bytes


def policy_of_file(path: Path) -> tuple[Policy, str]:
    """The policy in a file, with its text. Raises Trouble."""
    from stages.policy_text import load

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"cannot be read ({error})", where=str(path)) from None
    return load(text, str(path)), text


def keep_copy(path: Path, text: str) -> None:
    """Keep ``text`` at ``path``, whole or not at all; where that is not possible, nothing is lost but the copy."""
    with suppress(OSError, UnicodeDecodeError):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
