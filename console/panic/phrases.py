"""What is typed in panic: block, cancel, roll back, kill; read without waiting for anything that would check it."""

from __future__ import annotations

from collections.abc import Sequence

from stages.value import Struct

BLOCK, CANCEL, ROLLBACK, KILL = "BLOCK", "CANCEL", "ROLLBACK", "KILL"

DOES = {
    BLOCK: "no new orders at the venue",
    CANCEL: "cancel every working order",
    ROLLBACK: "limits of {stage}, needs Git",
    KILL: "block + cancel + Git",
}
"""Each act with what it does, in a few words."""


class Meant(Struct, frozen=True):
    """What a phrase asks for; ``stage`` where it leads to one, as the policy spells it."""

    verb: str
    stage: str = ""


def read_phrase(text: str, name: str, stages: Sequence[str]) -> Meant | str:
    """What ``text`` asks for, or what is wrong with it. A name or stages that are not known are not checked.

    Case, commas and spaces are folded.
    """
    words = text.replace(",", "").split()
    if not words:
        return "nothing is typed yet"
    verb = words[0].upper()
    if verb not in DOES:
        return f"'{words[0]}' is none of {', '.join(DOES)}"
    if len(words) != 2:
        return f"{verb} and one word: {f'{verb} {name}' if verb != ROLLBACK and name else 'what it is for'}"
    if verb == ROLLBACK:
        found = next((stage for stage in stages if stage.casefold() == words[1].casefold()), "")
        if stages and not found:
            return f"there is no stage '{words[1]}': {', '.join(stages)}"
        return Meant(ROLLBACK, found or words[1].upper())
    if name and words[1].casefold() != name.casefold():
        return f"word 2 is '{words[1]}', not {name}"
    return Meant(verb)
