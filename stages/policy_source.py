"""The text of a file that people write (a policy, a scenario) as data that remembers every key's and value's line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from collections.abc import Mapping as MappingLike
from decimal import Decimal
from typing import Final, TypeAlias

from stages.quoting import reading
from stages.refusal import Trouble
from stages.value import Struct
from stages.yaml_spans import Alias, Mapping, Node, Scalar, Sequence, parse

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands in the document: keys and positions from the root."""


class Problem(Struct, frozen=True):
    """One thing that is wrong: where in the document, what, and what to do about it."""

    path: Path
    what: str
    fix: str = ""


def unknown(path: Path, kind: str, name: str, known: Iterable[str]) -> Problem:
    """A name that nothing in the policy has, with the nearest one that exists."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    fix = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names) or 'none'}"
    return Problem(path, f"there is no {kind} '{name}'", fix)


class Source(Struct, frozen=True):
    """A parsed text. ``data`` holds mappings, lists, strings, Decimals, booleans and None."""

    where: str
    data: object
    lines: MappingLike[Path, int]
    problems: tuple[Problem, ...]

    def line(self, path: Path) -> int:
        """The line of a place, or of the nearest place around it that the text has."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def place(self, path: Path) -> str:
        """``file:line`` of a place."""
        return f"{self.where}:{self.line(path)}"


_HEADED: Final = "write one document that begins with apiVersion: rampdeck.dev/v1alpha1"


def read_source(text: str, where: str, what: str, *, fix: str = _HEADED) -> Source:
    """Reads the one document of a file; ``what`` says what it is: a policy. ``fix`` says what such a file looks like.

    Raises Trouble with the line when it is not YAML, or not one mapping.
    """
    manifest = parse(text, where)
    if len(manifest.documents) != 1 or not isinstance(manifest.documents[0].root, Mapping):
        found = f"{len(manifest.documents)} documents" if len(manifest.documents) != 1 else "no mapping at its root"
        raise Trouble(f"a {what} is one YAML document, this file has {found}", where=f"{where}:1", fix=fix)
    reader = _Reader()
    data = reader.node(manifest.documents[0].root, ())
    return Source(where, data, reader.lines, tuple(reader.problems))


class _Reader:
    """Turns nodes into data; an alias stands for the node that it repeats."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._anchors: dict[str, Node] = {}

    def node(self, node: Node, path: Path) -> object:
        self.lines.setdefault(path, node.line)
        if isinstance(node, Alias):
            return self.node(self._anchors[node.name], path)
        if node.anchor is not None:
            self._anchors[node.anchor] = node
        if isinstance(node, Mapping):
            return self.mapping(node, path)
        if isinstance(node, Sequence):
            return [self.node(item, (*path, place)) for place, item in enumerate(node.items)]
        return self.scalar(node, path)

    def mapping(self, node: Mapping, path: Path) -> dict[str, object]:
        data: dict[str, object] = {}
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                self.problems.append(Problem(path, "a key is not a word", "write keys as plain words"))
                continue
            inner = (*path, key.value)
            self.lines[inner] = key.line
            data[key.value] = self.node(value, inner)
        return data

    def scalar(self, node: Scalar, path: Path) -> object:
        if node.style != "plain":
            return node.value
        match reading(node.value):
            case "null":
                return None
            case "boolean":
                return node.value.lower() == "true"
            case "number":
                return Decimal(node.value)
            case "ambiguous":
                what = f"'{node.value}' means different things to different YAML readers"
                self.problems.append(Problem(path, what, f'write "{node.value}" in quotes'))
        return node.value
