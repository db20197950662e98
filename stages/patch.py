"""Patch: the text form of a plan's edits, as ``git diff`` writes it and ``git apply`` takes it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stages.plan import Edit

_NAMED: Final = {"\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", '"': '"', "\\": "\\"}


def unified(path: str, before: str, after: str) -> str:
    """The unified diff of one file with three lines of context; the texts hold a byte order mark where there is one."""
    names = _header(f"a/{path}"), _header(f"b/{path}")
    lines = difflib.unified_diff(_lines(before), _lines(after), *names, n=3)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def patch_text(edits: Sequence[Edit]) -> str:
    """One patch of all files; the blobs' ids let Git refuse it, or merge it, where a file has moved on."""
    return "".join(
        f"diff --git {_quoted(f'a/{edit.path}')} {_quoted(f'b/{edit.path}')}\n"
        f"index {edit.blob_before}..{edit.blob_after}\n{edit.diff}"
        for edit in edits
    )


def _lines(text: str) -> list[str]:
    """Lines as Git counts them: only a line feed ends one."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines


def _header(name: str) -> str:
    """A name behind ``---`` or ``+++``; a tab ends one with blanks, which would else end at the first."""
    quoted = _quoted(name)
    return f"{quoted}\t" if quoted == name and " " in name else quoted


def _quoted(name: str) -> str:
    """A path as Git writes it: in quotes, with octal bytes, when it holds anything but plain characters."""
    if name.isascii() and name.isprintable() and not {'"', "\\"} & set(name):
        return name
    return '"' + "".join(_escaped(character) for character in name) + '"'


def _escaped(character: str) -> str:
    if character in _NAMED:
        return f"\\{_NAMED[character]}"
    if character.isascii() and character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode())
