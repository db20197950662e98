"""YAML text as a tree that knows where every value stands, character by character.

Nothing here re-serialises: the tree is read from PyYAML's event stream and each node keeps the
half-open span ``[start, end)`` of its value text in the file. Quotes belong to the span; a tag and
an anchor do not, so replacing the span keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import yaml

from stages.refusal import Trouble
from stages.value import Struct

Style = Literal["plain", "'", '"', "|", ">"]
Kind = Literal["yaml", "json"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STYLES: dict[str, Style] = {"": "plain", "'": "'", '"': '"', "|": "|", ">": ">"}
_PROPERTY = re.compile(r"(?:!<[^>]*>|[!&][^\s,\[\]{}]*)(?:[\s]|#[^\r\n]*)*")
_DEEPEST = 200
_BOM = "\ufeff"
_NULLS = ("", "~", "null", "Null", "NULL")
_MERGE = "<<"


class Scalar(Struct, frozen=True):
    """One scalar: the span of its text, quotes included, and the string it decodes to.

    A block scalar's span starts at ``|`` or ``>`` and ends before the line break of its last
    content line. ``line`` counts from 1.
    """

    start: int
    end: int
    line: int
    value: str
    style: Style = "plain"
    tag: str | None = None
    anchor: str | None = None

    @property
    def null(self) -> bool:
        """Whether it says nothing: no text at all, ``~`` or ``null`` without quotes."""
        return self.style == "plain" and self.tag is None and self.value in _NULLS


class Alias(Struct, frozen=True):
    """A reference ``*name`` to ``target``, a node written above in the same document."""

    start: int
    end: int
    line: int
    name: str
    target: Node


class Sequence(Struct, frozen=True):
    """A list of nodes; a block list starts at its first dash and ends where its last item ends."""

    start: int
    end: int
    line: int
    items: tuple[Node, ...]
    flow: bool
    tag: str | None = None
    anchor: str | None = None


class Mapping(Struct, frozen=True):
    """Pairs of key and value nodes in the order of the text, no key twice."""

    start: int
    end: int
    line: int
    pairs: tuple[tuple[Node, Node], ...]
    flow: bool
    tag: str | None = None
    anchor: str | None = None

    def get(self, key: str) -> Node | None:
        """The value under a scalar key, or None where the mapping has no such key."""
        for name, value in self.pairs:
            if isinstance(name, Scalar) and name.value == key:
                return value
        return None

    def keys(self) -> tuple[str, ...]:
        """The scalar keys, in order."""
        return tuple(key.value for key, _ in self.pairs if isinstance(key, Scalar))

    def merged(self, key: str) -> Alias | Mapping | None:
        """The part of a merge (``<<``) that gives this mapping a key which it does not write itself."""
        merge = self.get(_MERGE)
        if merge is None or key in self.keys():
            return None
        parts = merge.items if isinstance(merge, Sequence) else (merge,)
        for part in parts:
            source = part.target if isinstance(part, Alias) else part
            if isinstance(source, Mapping) and (source.get(key) is not None or source.merged(key) is not None):
                return part if isinstance(part, Alias) else source
        return None


Node = Scalar | Alias | Sequence | Mapping


class Tree(Struct, frozen=True):
    """One document of a file: its root, and every alias in it, in the order of the text."""

    root: Node
    aliases: tuple[Alias, ...] = ()

    def repeats(self, node: Node) -> tuple[Alias, ...]:
        """The aliases that repeat this very node elsewhere."""
        return tuple(alias for alias in self.aliases if alias.target is node)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The text of one file and the trees of its documents; parse once, use for many bindings."""

    text: str
    where: str
    documents: tuple[Tree, ...]
    kind: Kind = "yaml"
    inside: dict[tuple[int, str], object] = field(default_factory=dict, compare=False, repr=False)
    """Documents found in its strings, by the string's start: bindings into one document share one tree."""

    def at(self, line: int) -> str:
        """A place in this file as users read it: ``file:line``."""
        return f"{self.where}:{line}" if self.where else f"line {line}"


def parse(text: str, where: str = "") -> Manifest:
    """Read YAML text into trees with exact spans.

    Raises Trouble with the line when the text is not YAML, repeats a key, or names an unknown
    anchor.
    """
    # The C loader counts a leading byte order mark out of its indices, the other one counts it in.
    shift = 1 if text.startswith(_BOM) else 0
    body = text[shift:]
    reader = _Reader(text, where, shift)
    try:
        events: Iterator[yaml.Event] = yaml.parse(body, Loader=_LOADER)
        return Manifest(text, where, tuple(reader.documents(events)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        if template := _template_line(body, line):
            raise _rendered(where, template) from error
        raise _unreadable(error.problem or "it breaks off", where, line) from error
    except yaml.reader.ReaderError as error:
        line = body.count("\n", 0, error.position) + 1
        raise _unreadable(f"character {error.character!r} is not allowed", where, line) from error
    except UnicodeEncodeError as error:
        line = body.count("\n", 0, error.start) + 1
        raise _unreadable("half of a surrogate pair is not a character", where, line) from error


def _unreadable(problem: str, where: str, line: int) -> Trouble:
    place = f"{where}:{line}" if where else f"line {line}"
    return Trouble(f"not readable as YAML: {problem}", where=place, fix="correct the file there")


def _template_line(text: str, line: int) -> int:
    """The last line up to the one after ``line`` that holds a template's braces, 0 where none does."""
    lines = text.splitlines()[: line + 1]
    return next((number for number in range(len(lines), 0, -1) if "{{" in lines[number - 1]), 0)


def _rendered(where: str, line: int) -> Trouble:
    place = f"{where}:{line}" if where else f"line {line}"
    what = "this is a template ({{ }}), it becomes YAML only when its chart is rendered"
    return Trouble(what, where=place, fix="bind a manifest that is deployed as it is written")


class _Reader:
    """Turns events into nodes; holds what is known of the document being read."""

    def __init__(self, text: str, where: str, shift: int) -> None:
        self.text = text
        self.where = where
        self.shift = shift
        self.anchors: dict[str, Node | None] = {}
        self.aliases: list[Alias] = []

    def documents(self, events: Iterator[yaml.Event]) -> Iterator[Tree]:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors, self.aliases = {}, []
                root = self.node(next(events), events, 0)
                yield Tree(root, tuple(self.aliases))

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        if depth > _DEEPEST:
            raise self.trouble(f"nested deeper than {_DEEPEST} levels", event, "flatten the file")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            raise self.trouble("a value is missing", event, "correct the file there")
        if event.anchor is None:
            return self.written(event, events, depth)
        self.anchors[event.anchor] = None
        node = self.anchors[event.anchor] = self.written(event, events, depth)
        return node

    def written(
        self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, events: Iterator[yaml.Event], depth: int
    ) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, events, depth)
        return self.sequence(event, events, depth)

    def alias(self, event: yaml.AliasEvent) -> Alias:
        if event.anchor not in self.anchors:
            raise self.trouble(f"the alias *{event.anchor} has no anchor", event, "define it above or write the value")
        target = self.anchors[event.anchor]
        if target is None:
            raise self.trouble(f"the alias *{event.anchor} stands inside its own anchor", event, "write the value out")
        alias = Alias(self.first(event), self.last(event), _line(event), event.anchor, target)
        self.aliases.append(alias)
        return alias

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        style = _STYLES[event.style or ""]
        start, line = self.start(event)
        end = max(start, self.last(event))
        if style in "|>":
            end = _block_end(self.text, start, end, event.value)
        return Scalar(start, end, line, event.value, style, event.tag, event.anchor)

    def sequence(self, event: yaml.CollectionStartEvent, events: Iterator[yaml.Event], depth: int) -> Sequence:
        start, line = self.start(event)
        items: list[Node] = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(self.node(inner, events, depth + 1))
        flow = self.text.startswith("[", start)
        end = self.last(inner) if flow or not items else items[-1].end
        return Sequence(start, end, line, tuple(items), flow, event.tag, event.anchor)

    def mapping(self, event: yaml.MappingStartEvent, events: Iterator[yaml.Event], depth: int) -> Mapping:
        start, line = self.start(event)
        pairs: list[tuple[Node, Node]] = []
        seen: dict[str, int] = {}
        while not isinstance(inner := next(events), yaml.MappingEndEvent):
            key = self.node(inner, events, depth + 1)
            if isinstance(key, Scalar):
                if key.value in seen:
                    first = seen[key.value]
                    raise self.trouble(f"the key {key.value!r} is here twice, first on line {first}", inner, "keep one")
                seen[key.value] = key.line
            pairs.append((key, self.node(next(events), events, depth + 1)))
        flow = self.text.startswith("{", start) and self.last(inner) > self.first(inner)
        end = self.last(inner) if flow or not pairs else pairs[-1][1].end
        return Mapping(start, end, line, tuple(pairs), flow, event.tag, event.anchor)

    def start(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> tuple[int, int]:
        """Where the value text begins, behind tag and anchor, and its line."""
        start, line = self.first(event), _line(event)
        if event.anchor is None and event.tag is None and not self.text.startswith("!", start):
            return start, line
        last = self.last(event)
        place = start
        while place < last and (match := _PROPERTY.match(self.text, place)):
            place = match.end()
        if isinstance(event, yaml.ScalarEvent) and place >= last:
            return last, line
        return place, line + self.text.count("\n", start, place)

    def trouble(self, what: str, event: yaml.Event, fix: str) -> Trouble:
        line = _line(event)
        return Trouble(what, where=f"{self.where}:{line}" if self.where else f"line {line}", fix=fix)

    def first(self, event: yaml.Event) -> int:
        """Where the event begins in the text, counted in characters."""
        return event.start_mark.index + self.shift if event.start_mark else 0

    def last(self, event: yaml.Event) -> int:
        """Where the event ends in the text, exclusive."""
        return event.end_mark.index + self.shift if event.end_mark else 0


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _block_end(text: str, start: int, end: int, value: str) -> int:
    """Drop the last line break, and blank lines that chomping keeps out of the value."""
    header = re.compile(r"[^\r\n]*").match(text, start)
    first = header.end() if header else start
    if "+" in re.split(r"[\s#]", text[start:first], maxsplit=1)[0]:
        return max(first, _before_break(text, end) if text[end - 1] in "\r\n" else end)
    last_line = value.rstrip("\n").rpartition("\n")[2]
    blank = " \t" if last_line.strip() else ""
    while end > first:
        line_end = _before_break(text, end)
        line_start = max(text.rfind("\n", 0, line_end), text.rfind("\r", 0, line_end)) + 1
        if text[line_start:line_end].strip(blank) or line_start <= first:
            return max(first, line_end)
        end = line_start
    return first


def _before_break(text: str, end: int) -> int:
    """The offset before the line break that ends at ``end``; ``end`` itself where none does."""
    if text.endswith("\r\n", 0, end):
        return end - 2
    return end - 1 if end and text[end - 1] in "\r\n" else end
