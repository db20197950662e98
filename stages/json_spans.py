"""JSON text as the same kind of tree that YAML text gives, with exact spans.

JSON is nearly a subset of YAML but not to every YAML parser (surrogate escapes, tabs), so it has a
reader of its own. Strings have style ``"``, numbers, ``true``, ``false`` and ``null`` are plain.
"""

from __future__ import annotations

import json
import re

from stages.refusal import Trouble
from stages.yaml_spans import Manifest, Mapping, Node, Scalar, Sequence, Tree, parse

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
_DEEPEST = 200


def parse_file(text: str, where: str = "") -> Manifest:
    """Read a file's text by its name: ``.json`` is JSON, anything else YAML. Raises Trouble with the line."""
    return parse_json(text, where) if where.endswith(".json") else parse(text, where)


def parse_json(text: str, where: str = "") -> Manifest:
    """Read JSON text into one tree; raises Trouble with the line when it is not JSON."""
    reader = _Reader(text, where)
    root = reader.node(reader.skip(0), 0)
    rest = reader.skip(root.end)
    if rest != len(text):
        raise reader.trouble("text follows the JSON value", rest)
    return Manifest(text, where, (Tree(root),), "json")


class _Reader:
    """A recursive descent over the text; every node ends where its last character does."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where

    def skip(self, place: int) -> int:
        match = _SPACE.match(self.text, place)
        return match.end() if match else place

    def line(self, place: int) -> int:
        return self.text.count("\n", 0, place) + 1

    def node(self, place: int, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self.trouble(f"nested deeper than {_DEEPEST} levels", place)
        if self.text.startswith("{", place):
            return self.mapping(place, depth)
        if self.text.startswith("[", place):
            return self.sequence(place, depth)
        if self.text.startswith('"', place):
            return self.string(place)
        if match := _WORD.match(self.text, place):
            return Scalar(place, match.end(), self.line(place), match.group())
        raise self.trouble("no JSON value stands here", place)

    def string(self, place: int) -> Scalar:
        match = _STRING.match(self.text, place)
        if match is None:
            raise self.trouble("a JSON string starts here and does not end", place)
        try:
            value = str(json.loads(match.group()))
        except json.JSONDecodeError as error:
            raise self.trouble(f"not a JSON string: {error.msg}", place) from error
        return Scalar(place, match.end(), self.line(place), value, '"')

    def sequence(self, place: int, depth: int) -> Sequence:
        items: list[Node] = []
        at = self.skip(place + 1)
        while not self.text.startswith("]", at):
            if items:
                at = self.expect(",", at)
            items.append(self.node(at, depth + 1))
            at = self.skip(items[-1].end)
        return Sequence(place, at + 1, self.line(place), tuple(items), flow=True)

    def mapping(self, place: int, depth: int) -> Mapping:
        pairs: list[tuple[Node, Node]] = []
        seen: set[str] = set()
        at = self.skip(place + 1)
        while not self.text.startswith("}", at):
            if pairs:
                at = self.expect(",", at)
            if not self.text.startswith('"', at):
                raise self.trouble("a JSON key must be a string", at)
            key = self.string(at)
            if key.value in seen:
                raise self.trouble(f"the key {key.value!r} is here twice", at)
            seen.add(key.value)
            value = self.node(self.expect(":", self.skip(key.end)), depth + 1)
            pairs.append((key, value))
            at = self.skip(value.end)
        return Mapping(place, at + 1, self.line(place), tuple(pairs), flow=True)

    def expect(self, sign: str, place: int) -> int:
        if not self.text.startswith(sign, place):
            raise self.trouble(f"{sign!r} is missing", place)
        return self.skip(place + 1)

    def trouble(self, problem: str, place: int) -> Trouble:
        line = self.line(min(place, len(self.text)))
        where = f"{self.where}:{line}" if self.where else f"line {line}"
        return Trouble(f"not readable as JSON: {problem}", where=where, fix="correct the text there")
