"""The path language of bindings: keys joined by dots, ``["any key"]``, ``[name=value]``, ``[0]``."""

from __future__ import annotations

import difflib
import json
import re

from stages.refusal import Trouble
from stages.value import Struct
from stages.yaml_spans import Alias, Manifest, Mapping, Node, Scalar, Sequence, Tree

_KEY = re.compile(r"""[^.\[\]"'=\s]+""")
_QUOTED = re.compile(r"""\[\s*(?:("(?:[^"\\]|\\.)*")|'([^']*)')\s*\]""")
_INDEX = re.compile(r"\[\s*(\d+)\s*\]")
_SELECT = re.compile(r"""\[\s*([^=\[\]"'\s]+)\s*=\s*(?:("(?:[^"\\]|\\.)*")|([^\]"]*?))\s*\]""")


class Key(Struct, frozen=True):
    """Into a mapping, by key."""

    name: str


class Select(Struct, frozen=True):
    """Into a list of mappings, to the only one whose ``field`` is ``value``."""

    field: str
    value: str


class Index(Struct, frozen=True):
    """Into a list, by position from 0."""

    position: int


Step = Key | Select | Index


def parse_path(path: str) -> tuple[Step, ...]:
    """Read a path; raises Trouble that names the place where it stops making sense."""
    steps: list[Step] = []
    at = 0
    while at < len(path):
        if path[at] == "[":
            step, at = _bracket(path, at)
        else:
            if steps:
                if path[at] != ".":
                    raise _bad(path, at, "expected a dot or a bracket")
                at += 1
            match = _KEY.match(path, at)
            if match is None:
                raise _bad(path, at, "expected a key")
            step, at = Key(match.group()), match.end()
        steps.append(step)
    if not steps:
        raise _bad(path, 0, "the path is empty")
    return tuple(steps)


def _bracket(path: str, at: int) -> tuple[Step, int]:
    if match := _QUOTED.match(path, at):
        return Key(_unquoted(path, at, match.group(1)) if match.group(1) else match.group(2)), match.end()
    if match := _INDEX.match(path, at):
        return Index(int(match.group(1))), match.end()
    if match := _SELECT.match(path, at):
        quoted = match.group(2)
        return Select(match.group(1), _unquoted(path, at, quoted) if quoted else match.group(3)), match.end()
    raise _bad(path, at, "this bracket is none of these")


def _unquoted(path: str, at: int, quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except json.JSONDecodeError as error:
        raise _bad(path, at, f"the quoted text is not a JSON string ({error.msg})") from error


def _bad(path: str, at: int, problem: str) -> Trouble:
    return Trouble(
        f"the path {path!r} is wrong at character {at + 1}: {problem}",
        fix='write keys joined by dots, ["any key"], [name=value] or [0]',
    )


def walk(manifest: Manifest, tree: Tree, start: Node, steps: tuple[Step, ...], what: str) -> Node:
    """Follow a path from a node; ``what`` names the binding in messages.

    Raises Trouble when it matches nothing, several things, or text that is shared by an alias.
    """
    node = start
    refuse_shared(manifest, tree, node, what)
    for step in steps:
        node = follow(manifest, node, step, what)
        refuse_shared(manifest, tree, node, what)
    return node


def refuse_shared(manifest: Manifest, tree: Tree, node: Node, what: str) -> None:
    """Raise Trouble where changing this node would change a second place as well."""
    if isinstance(node, Alias):
        raise Trouble(
            f"{what} is the alias *{node.name}, its text stands elsewhere",
            where=manifest.at(node.line),
            fix="write the value here instead of the alias; whenAliased: local does it for a single value",
        )
    if node.anchor is not None and (repeats := tree.repeats(node)):
        lines = ", ".join(str(alias.line) for alias in repeats)
        raise Trouble(
            f"{what} lies under the anchor &{node.anchor}, which an alias repeats on line {lines}",
            where=manifest.at(node.line),
            fix="write the value out where the alias is; whenAliased: local does it for a single value",
        )


def follow(manifest: Manifest, node: Node, step: Step, what: str) -> Node:
    """One step of a path, whether or not its node is shared. Raises Trouble when it leads nowhere."""
    if isinstance(step, Key):
        if not isinstance(node, Mapping):
            raise _nothing(manifest, node, what, f"{step.name!r} needs a mapping here")
        value = node.get(step.name)
        if value is None:
            if node.merged(step.name) is not None:
                said = f"{what}: {step.name!r} comes from elsewhere by a merge (<<)"
                raise Trouble(said, where=manifest.at(node.line), fix="write the key out in this mapping")
            near = difflib.get_close_matches(step.name, node.keys(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "correct the path or the file"
            raise _nothing(manifest, node, what, f"there is no key {step.name!r}", hint)
        return value
    if not isinstance(node, Sequence):
        raise _nothing(manifest, node, what, f"{step} needs a list here")
    if isinstance(step, Index):
        if step.position >= len(node.items):
            raise _nothing(manifest, node, what, f"the list has {len(node.items)} items, none at [{step.position}]")
        return node.items[step.position]
    return _select(manifest, node, step, what)


def _select(manifest: Manifest, node: Sequence, step: Select, what: str) -> Node:
    found = [item for item in node.items if isinstance(item, Mapping) and _has(item, step)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise _nothing(manifest, node, what, f"no item has {step.field}={step.value}")
    lines = ", ".join(str(item.line) for item in found)
    raise Trouble(
        f"{what} matches several things: {step.field}={step.value} on lines {lines}",
        where=manifest.at(node.line),
        fix="make it the only one or select by position",
    )


def _has(item: Mapping, step: Select) -> bool:
    value = item.get(step.field)
    return isinstance(value, Scalar) and value.value == step.value


def _nothing(manifest: Manifest, node: Node, what: str, why: str, fix: str = "correct the path or the file") -> Trouble:
    return Trouble(f"{what} matches nothing: {why}", where=manifest.at(node.line), fix=fix)
