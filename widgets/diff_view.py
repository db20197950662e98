"""A plan's diff: file by file, change by change, with what differs inside a line, and what the line means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stages.plan import Edit
from widgets.line import Line, Tone, fit, title

Meanings = Mapping[str, str]
"""Name of an environment item or key in a manifest -> what its change means to a trader."""

_ENV_NAME = re.compile(r"name:\s*[\"']?([A-Za-z_][\w.-]*)")
_KEY = re.compile(r"^[+-]\s*[\"']?([\w.-]+)[\"']?\s*:")


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row of a diff: ``kind`` is one of ``@`` (place), `` `` (context), ``-``, ``+``."""

    kind: str
    text: str
    start: int = 0
    end: int = 0
    """The part of ``text`` that differs from its counterpart."""
    meaning: str = ""


def diff_rows(edit: Edit, meanings: Meanings) -> tuple[DiffRow, ...]:
    """The rows of one file's unified diff, its head left out."""
    rows: list[DiffRow] = []
    named = ""
    for raw in edit.diff.splitlines():
        if raw.startswith(("--- ", "+++ ", "diff ", "index ", "\\")):
            continue
        kind = raw[:1] if raw[:1] in "@-+" else " "
        text = raw if kind == "@" else raw[1:]
        found = _ENV_NAME.search(raw)
        named = found[1] if found else named
        meaning = ""
        if kind == "-" or (kind == "+" and not (rows and rows[-1].kind == "-")):
            key = _KEY.match(raw)
            own = key[1] if key else ""
            meaning = meanings.get(own, "") or (meanings.get(named, "") if own in ("value", "name", "") else "")
        rows.append(DiffRow(kind, text.rstrip("\r"), meaning=meaning))
    return tuple(_with_parts(_dedented(rows)))


def _dedented(rows: list[DiffRow]) -> list[DiffRow]:
    """The rows without the indentation that all of them share."""
    code = [row.text for row in rows if row.kind != "@" and row.text.strip()]
    shared = min((len(text) - len(text.lstrip(" ")) for text in code), default=0)
    return [row if row.kind == "@" else replace(row, text=row.text[shared:]) for row in rows]


def _with_parts(rows: list[DiffRow]) -> list[DiffRow]:
    """Marks in each removed line and its counterpart what differs between them."""
    out = list(rows)
    index = 0
    while index < len(rows):
        removed = index
        while index < len(rows) and rows[index].kind == "-":
            index += 1
        added = index
        while index < len(rows) and rows[index].kind == "+":
            index += 1
        if added - removed == index - added > 0:
            for offset in range(added - removed):
                old, new = rows[removed + offset], rows[added + offset]
                start = _alike(old.text, new.text)
                tail = _alike(old.text[start:][::-1], new.text[start:][::-1])
                out[removed + offset] = DiffRow("-", old.text, start, len(old.text) - tail, old.meaning)
                out[added + offset] = DiffRow("+", new.text, start, len(new.text) - tail, new.meaning)
        if index == removed:
            index += 1
    return out


def _alike(left: str, right: str) -> int:
    """How many characters two texts begin with alike."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def change_starts(rows: Sequence[DiffRow]) -> list[int]:
    """Rows at which a change begins."""
    return [
        index for index, row in enumerate(rows) if row.kind in "-+" and (index == 0 or rows[index - 1].kind not in "-+")
    ]


def changed_lines(edit: Edit) -> int:
    """How many lines of the new text differ."""
    return sum(line.startswith("+") and not line.startswith("+++ ") for line in edit.diff.splitlines())


def diff_lines(
    edits: Sequence[Edit], file: int, top: int, width: int, height: int, meanings: Meanings, *, files: bool
) -> list[Line]:
    """One file's diff from row ``top`` on, and the list of the other files where there is room."""
    if not edits:
        return [title("DIFF", width, note="nothing would change")]
    edit = edits[min(file, len(edits) - 1)]
    total = sum(changed_lines(each) for each in edits)
    name = edit.path.rpartition("/")[2]
    note = f"{file + 1} of {len(edits)}  {name}  {_count(changed_lines(edit))} of {total}"
    lines = [title("DIFF", width, note=note)]
    rows = diff_rows(edit, meanings)
    tail = _file_list(edits, file, width) if files else []
    room = max(3, height - 1 - len(tail))
    lines.extend(_row_line(row, width) for row in rows[top : top + room])
    hidden = len(rows) - top - room
    if hidden > 0:
        lines[-1] = Line(Tone.DIM).put(f"   ... {hidden + 1} more lines").fill(width)
    return [*lines, *tail] if len(lines) + len(tail) <= height else lines


def _count(lines: int) -> str:
    return f"{lines} line" if lines == 1 else f"{lines} lines"


def _row_line(row: DiffRow, width: int) -> Line:
    if row.kind == "@":
        return Line(Tone.DIM).put(" ").put(fit(row.text, width - 2)).fill(width)
    tone = {"-": Tone.REMOVED, "+": Tone.ADDED}.get(row.kind, Tone.PLAIN)
    part = {"-": Tone.REMOVED_PART, "+": Tone.ADDED_PART}.get(row.kind, Tone.PLAIN)
    line = Line().put(f" {row.kind} ", tone)
    line.put(row.text[: row.start], tone).put(row.text[row.start : row.end], part).put(row.text[row.end :], tone)
    if row.meaning and line.length + 2 < width:
        at = max(line.length + 2, min(44, width - len(row.meaning) - 1))
        line.put(fit(row.meaning, width - at - 1), Tone.DIM, at=at)
    return line.fill(width)


def _file_list(edits: Sequence[Edit], file: int, width: int) -> list[Line]:
    lines = [Line(), Line().put(" files")] if len(edits) > 1 else [Line()]
    for index, edit in enumerate(edits if len(edits) > 1 else ()):
        mark, tone = ("►", Tone.BOLD) if index == file else (" ", Tone.PLAIN)
        line = Line(tone).put(f" {mark} {index + 1} ").put(fit(edit.path.rpartition("/")[2], 28))
        lines.append(line.put(_count(changed_lines(edit)), at=34).fill(width))
    lines.append(Line(Tone.DIM).put(" every other byte is unchanged (checked)").fill(width))
    return lines
