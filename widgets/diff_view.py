"""A plan's diff: file by file, change by change, with what differs inside a line, and what the line means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise, zip_longest

from stages.plan import Edit
from stages.value import Struct, replace
from widgets.line import Line, Tone, fit, title

Meanings = Mapping[str, str]
"""Name of an environment item or key in a manifest -> what its change means to a trader."""

_ENV_NAME = re.compile(r"name:\s*[\"']?([A-Za-z_][\w.-]*)")
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_HEAD = ("--- ", "+++ ", "diff ", "index ")
_KEY = re.compile(r"^[+-]\s*[\"']?([\w.-]+)[\"']?\s*:")


class DiffRow(Struct, frozen=True):
    """One row of a diff: ``kind`` is one of ``@`` (folded lines), `` `` (context), ``-``, ``+``."""

    kind: str
    text: str
    start: int = 0
    end: int = 0
    """The part of ``text`` that differs from its counterpart."""
    meaning: str = ""
    old: int = 0
    """Its line number before; 0 where it has none."""
    new: int = 0


Pair = tuple[DiffRow | None, DiffRow | None]
"""What stands beside each other: before and after."""


def diff_rows(edit: Edit, meanings: Meanings, whole: bytes | None = None) -> tuple[DiffRow, ...]:
    """The rows of one file's unified diff, its head left out and unchanged parts folded to one row each.

    With ``whole``, the file's new content, nothing is folded.
    """
    lines = whole.decode("utf-8", "replace").split("\n") if whole is not None else None
    rows: list[DiffRow] = []
    named = ""
    old = new = 1
    for raw in edit.diff.splitlines():
        if raw.startswith(_HEAD) and not rows:
            continue
        if found := _HUNK.match(raw):
            start = int(found[2]) + (found[3] == "0")
            rows.extend(_between(lines, old, new, start))
            old, new = int(found[1]) + start - int(found[2]), start
            continue
        if raw.startswith("\\"):
            continue
        kind, text = raw[:1] if raw[:1] in "-+" else " ", raw[1:].rstrip("\r")
        env = _ENV_NAME.search(raw)
        named = env[1] if env else named
        first = kind == "-" or (kind == "+" and not (rows and rows[-1].kind == "-"))
        meaning = _meaning(raw, named, meanings) if first else ""
        rows.append(DiffRow(kind, text, meaning=meaning, old=old * (kind != "+"), new=new * (kind != "-")))
        old, new = old + (kind != "+"), new + (kind != "-")
    if lines is not None:
        rows.extend(_between(lines, old, new, len(lines) + bool(lines[-1])))
    return tuple(_with_parts(_dedented(rows)))


def _between(lines: Sequence[str] | None, old: int, new: int, start: int) -> list[DiffRow]:
    """What stands unchanged from line ``new`` on up to line ``start``: one row that counts it, or the lines."""
    if lines is None:
        return [DiffRow("@", f"... {_count(start - new)}")] if start > new else []
    return [DiffRow(" ", lines[at - 1].rstrip("\r"), old=old + at - new, new=at) for at in range(new, start)]


def _meaning(raw: str, named: str, meanings: Meanings) -> str:
    key = _KEY.match(raw)
    own = key[1] if key else ""
    return meanings.get(own, "") or (meanings.get(named, "") if own in ("value", "name", "") else "")


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
                out[removed + offset] = replace(old, start=start, end=len(old.text) - tail)
                out[added + offset] = replace(new, start=start, end=len(new.text) - tail)
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


def side_by_side(rows: Sequence[DiffRow]) -> tuple[Pair, ...]:
    """The rows as pairs: each removed line beside the added one that takes its place."""
    pairs: list[Pair] = []
    for kind, group in groupby(rows, key=lambda row: row.kind in "-+"):
        if not kind:
            pairs.extend((row, row) for row in group)
            continue
        block = tuple(group)
        pairs.extend(zip_longest((r for r in block if r.kind == "-"), (r for r in block if r.kind == "+")))
    return tuple(pairs)


def change_starts(rows: Sequence[DiffRow | Pair]) -> list[int]:
    """Rows at which a change begins."""
    changed = [False, *(_changes(row) for row in rows)]
    return [index for index, (before, here) in enumerate(pairwise(changed)) if here and not before]


def _changes(row: DiffRow | Pair) -> bool:
    return row.kind in "-+" if isinstance(row, DiffRow) else row[0] is not row[1]


def changed_lines(edit: Edit) -> int:
    """How many lines of the new text differ."""
    return sum(line.startswith("+") and not line.startswith("+++ ") for line in edit.diff.splitlines())


class Look(Struct, frozen=True):
    """How a person looks at a plan's edits: which file, from which row on, and in which form."""

    file: int = 0
    top: int = 0
    beside: bool = False
    """Before and after beside each other, not below."""
    whole: bool = False
    """Unchanged parts are shown, not folded."""

    def rows(
        self, edits: Sequence[Edit], meanings: Meanings, contents: Mapping[str, bytes]
    ) -> tuple[DiffRow, ...] | tuple[Pair, ...]:
        """The rows of the file that is looked at; ``contents`` is what the edited paths shall hold."""
        edit = edits[min(self.file, len(edits) - 1)]
        rows = diff_rows(edit, meanings, contents.get(edit.path) if self.whole else None)
        return side_by_side(rows) if self.beside else rows


def diff_lines(
    edits: Sequence[Edit],
    look: Look,
    width: int,
    height: int,
    meanings: Meanings,
    contents: Mapping[str, bytes],
    *,
    files: bool,
) -> list[Line]:
    """One file's diff as ``look`` wants it, and the list of the other files where there is room."""
    if not edits:
        return [title("DIFF", width, note="nothing would change")]
    file = min(look.file, len(edits) - 1)
    edit = edits[file]
    total = sum(changed_lines(each) for each in edits)
    name = edit.path.rpartition("/")[2]
    rows = look.rows(edits, meanings, contents)
    starts = change_starts(rows)
    at = max(1, sum(start <= look.top + 1 for start in starts))
    place = f"change {at} of {len(starts)}" if look.top else f"{_count(changed_lines(edit))} of {total}"
    note = f"{file + 1} of {len(edits)}  {name}  {place}"
    lines = [title("DIFF", width, note=note)]
    tail = _file_list(edits, file, width) if files else []
    room = max(3, height - 1 - len(tail))
    shown = rows[look.top : look.top + room]
    lines.extend(_row_line(row, width) if isinstance(row, DiffRow) else _pair_line(row, width) for row in shown)
    hidden = len(rows) - look.top - room
    if hidden > 0:
        lines[-1] = Line(Tone.DIM).put(f"   ... {hidden + 1} more lines").fill(width)
    return [*lines, *tail] if len(lines) + len(tail) <= height else lines


def _count(lines: int) -> str:
    return f"{lines} line" if lines == 1 else f"{lines} lines"


_TONES = {"-": (Tone.REMOVED, Tone.REMOVED_PART), "+": (Tone.ADDED, Tone.ADDED_PART)}


def _row_line(row: DiffRow, width: int) -> Line:
    if row.kind == "@":
        return Line(Tone.DIM).put(f"   {fit(row.text, width - 4)}").fill(width)
    line = _code(Line(), row, f" {row.kind} ")
    if row.meaning and line.length + 2 < width:
        at = max(line.length + 2, min(44, width - len(row.meaning) - 1))
        line.put(fit(row.meaning, width - at - 1), Tone.DIM, at=at)
    return line.fill(width)


def _pair_line(pair: Pair, width: int) -> Line:
    """Before and after with their line numbers; a folded part goes across both."""
    old, new = pair
    if old is not None and old.kind == "@":
        return _row_line(old, width)
    half = (width - 1) // 2
    sides = [_half(row, number) for row, number in ((old, old.old if old else 0), (new, new.new if new else 0))]
    meaning = old.meaning if old is not None and old.kind == "-" else new.meaning if new is not None else ""
    if meaning and sides[1].length + 2 < half:
        at = max(sides[1].length + 2, half - len(meaning) - 1)
        sides[1].put(fit(meaning, half - at - 1), Tone.DIM, at=at)
    return sides[0].fill(half).put("│", Tone.DIM).extend(sides[1]).fill(width)


def _half(row: DiffRow | None, number: int) -> Line:
    if row is None:
        return Line()
    return _code(Line().put(f"{number:>5} ", Tone.DIM), row, f"{row.kind} ")


def _code(line: Line, row: DiffRow, sign: str) -> Line:
    tone, part = _TONES.get(row.kind, (Tone.PLAIN, Tone.PLAIN))
    line.put(sign, tone)
    return line.put(row.text[: row.start], tone).put(row.text[row.start : row.end], part).put(row.text[row.end :], tone)


def _file_list(edits: Sequence[Edit], file: int, width: int) -> list[Line]:
    lines = [Line(), Line().put(" files")] if len(edits) > 1 else [Line()]
    for index, edit in enumerate(edits if len(edits) > 1 else ()):
        mark, tone = ("►", Tone.BOLD) if index == file else (" ", Tone.PLAIN)
        line = Line(tone).put(f" {mark} {index + 1} ").put(fit(edit.path.rpartition("/")[2], 28))
        lines.append(line.put(_count(changed_lines(edit)), at=34).fill(width))
    lines.append(Line(Tone.DIM).put(" every other byte is unchanged (checked)").fill(width))
    return lines
