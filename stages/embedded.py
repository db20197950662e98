"""A YAML or JSON document inside a string: its tree, and the way from its text out to the file.

The decoded string differs from the text in the file by indentation, line breaks and escapes, so an
edit of the inner text is carried outwards run by run: a run is a stretch that reads the same in
both, or one escaped character.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from stages.json_spans import parse_json
from stages.quoting import double_quoted
from stages.refusal import Trouble
from stages.value import Struct
from stages.yaml_spans import Kind, Manifest, Scalar, parse

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_JOINED = r"\\(?:\r\n|\r|\n)[ \t]*"
_FOLDED = r"[ \t]*(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*[ \t]*"
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_BREAK = re.compile(r"\r\n|\r|\n")
_PIECE = {
    '"': re.compile(
        rf"{_JOINED}|{_FOLDED}|{_PAIR}|\\(?:x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}}|.)"
        r"|(?:(?![ \t]*[\r\n])[^\\])+"
    ),
    "'": re.compile(r"''|[^']+"),
    "plain": re.compile(r".+"),
}


class Edit(Struct, frozen=True):
    """Replace the characters ``[start, end)`` of a text by ``text``; an empty span is an insertion."""

    start: int
    end: int
    text: str


class Run(Struct, frozen=True):
    """``length`` inner characters at ``inner`` that take ``width`` characters at ``outer``."""

    inner: int
    length: int
    outer: int
    width: int


class Embedded(Struct, frozen=True):
    """The string that holds a document, the document's tree, and where its text stands outside."""

    host: Scalar
    kind: Kind
    manifest: Manifest
    runs: tuple[Run, ...]
    line_break: str

    def outward(self, edit: Edit) -> Edit:
        """The same edit in the text that holds the string, escaped and indented as it must be."""
        return Edit(self._outer(edit.start), self._outer(edit.end), self._written(edit.text))

    def _outer(self, inner: int) -> int:
        run = self.runs[bisect_right(self.runs, inner, key=lambda run: run.inner) - 1]
        offset = inner - run.inner
        if offset == 0 or (offset <= run.length == run.width):
            return run.outer + offset
        if offset == run.length:
            return run.outer + run.width
        raise self._refused("the edit falls between its lines")

    def _written(self, text: str) -> str:
        if self.host.style == '"':
            return double_quoted(text)[1:-1]
        if "\n" in text and self.host.style != "|":
            raise self._refused("the edit needs a line of its own, which this string cannot give it")
        if self.host.style == "'":
            return text.replace("'", "''")
        return text.replace("\n", self.line_break)

    def _refused(self, why: str) -> Trouble:
        return Trouble(
            f"the document inside this string cannot be edited in place: {why}",
            where=self.manifest.where,
            fix="write the string as a block scalar (|)",
        )


def embed(outer: Manifest, host: Scalar, kind: Kind) -> Embedded:
    """Read the document inside a string of ``outer``, once however often it is asked for.

    Raises Trouble where it does not parse, or where its characters cannot be traced to the file.
    """
    known = outer.inside.get((host.start, kind))
    if not isinstance(known, Embedded):
        known = outer.inside[host.start, kind] = _embed(outer, host, kind)
    return known


def _embed(outer: Manifest, host: Scalar, kind: Kind) -> Embedded:
    where = f"{outer.at(host.line)} (the document inside)"
    inner = parse(host.value, where) if kind == "yaml" else parse_json(host.value, where)
    block = host.style in ("|", ">")
    runs = tuple(_block_runs(outer.text, host) if block else _inline_runs(outer.text, host))
    if not runs or not _faithful(runs, outer.text, host.value):
        raise Trouble(
            "the characters of the document in this string cannot be traced to the file",
            where=outer.at(host.line),
            fix="write the string as a block scalar (|) or on one line",
        )
    return Embedded(host, kind, inner, runs, _line_break(outer.text, runs) if block else "")


def _faithful(runs: tuple[Run, ...], outer: str, value: str) -> bool:
    """Whether the runs cover the value, verbatim ones with equal text, gaps only at line folds."""
    place = 0
    for run in runs:
        if value[place : run.inner].strip(" \n"):
            return False
        end = run.inner + run.length
        if run.length == run.width and outer[run.outer : run.outer + run.width] != value[run.inner : end]:
            return False
        place = end
    return not value[place:].strip("\n")


def _inline_runs(text: str, host: Scalar) -> Iterator[Run]:
    """Runs of a plain or quoted scalar; of several lines only double quotes tell where each character stands."""
    quote = 0 if host.style == "plain" else 1
    first, last = host.start + quote, host.end - quote
    if host.style != '"' and _BREAK.search(text, first, last):
        return
    inner = 0
    for piece in _PIECE[host.style].finditer(text, first, last):
        if breaks := len(_BREAK.findall(piece.group())):
            # A line break is a blank, several are one less of themselves, an escaped one is nothing.
            inner += 0 if piece.group()[0] == "\\" else max(1, breaks - 1)
            continue
        escaped = piece.group()[0] == "\\" if host.style == '"' else piece.group() == "''" and quote == 1
        width = piece.end() - piece.start()
        length = 1 if escaped else width
        yield Run(inner, length, piece.start(), width)
        inner += length


def _block_runs(text: str, host: Scalar) -> Iterator[Run]:
    """One run for each content line of a literal or folded block scalar."""
    header = _LINE.match(text, host.start)
    first = header.end() if header else host.end
    lines = [(match.start(), match.group(1)) for match in _LINE.finditer(text, first, host.end)]
    indent = _indent(lines, host.value)
    inner = 0
    for start, line in lines:
        content = line[indent:]
        if host.style == "|":
            yield Run(inner, len(content), start + min(indent, len(line)), len(content))
            inner += len(content) + 1
        elif content.strip():
            inner = host.value.find(content, inner)
            if inner < 0:
                return
            yield Run(inner, len(content), start + indent, len(content))
            inner += len(content)
        if inner > len(host.value):
            return


def _indent(lines: list[tuple[int, str]], value: str) -> int:
    """How far the content is indented: what its first full line has more than the decoded one."""
    outer = next((line for _, line in lines if line.strip()), "")
    inner = next((line for line in value.split("\n") if line.strip()), "")
    return (len(outer) - len(outer.lstrip(" "))) - (len(inner) - len(inner.lstrip(" ")))


def _line_break(text: str, runs: tuple[Run, ...]) -> str:
    """The line break and indentation that begin a content line of this block scalar."""
    first = runs[0].outer
    line_start = max(text.rfind("\n", 0, first), text.rfind("\r", 0, first)) + 1
    newline = "\r\n" if text.endswith("\r\n", 0, line_start) else "\n"
    return newline + text[line_start:first]
