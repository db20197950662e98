"""What pydantic finds wrong with a file, in the words of the file: each problem at its line, with what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from stages.policy_source import Path, Problem, Source
from stages.refusal import Trouble


def model_problems(source: Source, error: ValidationError, shape: Mapping[str, Any], whole: str) -> Iterator[Problem]:
    """Each error of the models at its place; alternatives of one value are told as one problem.

    ``shape`` is the JSON Schema of the file, ``whole`` what people call it: ``the policy``.
    """
    alternatives: dict[Path, list[str]] = {}
    for one in error.errors(include_url=False):
        path, rest = _place(source, one["loc"])
        name = ".".join(str(part) for part in path) or whole
        if one["type"] == "missing" and not rest[1:]:
            yield Problem(path, f"{name} lacks '{rest[0] if rest else '?'}'", f"add '{rest[0] if rest else '?'}'")
        elif one["type"] == "extra_forbidden":
            yield _unknown_key(path, _properties(shape, path[:-1]), whole)
        elif rest and isinstance(one["input"], bool):
            word = str(one["input"]).lower()
            yield Problem(path, f"{name}: {word} is a truth value, not a word", f'write "{word}" in quotes')
        elif rest:
            alternatives.setdefault(path, []).append(_said(one))
        else:
            yield Problem(path, f"{name}: {_said(one)}", _nearest_word(one))
    for path, said in alternatives.items():
        wanted = " or ".join(dict.fromkeys(said))
        yield Problem(path, f"{'.'.join(str(part) for part in path)}: {wanted}", "write one of these")


def _place(source: Source, loc: Sequence[str | int]) -> tuple[Path, tuple[str | int, ...]]:
    """The longest part of pydantic's location that the text has, and the rest: branches of a union, missing keys."""
    path: Path = ()
    for place, part in enumerate(loc):
        if (*path, part) not in source.lines:
            return path, tuple(part for part in loc[place:] if part != "[key]")
        path = (*path, part)
    return path, ()


def _said(error: Any) -> str:
    message: str = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _nearest_word(error: Any) -> str:
    """For a word of a fixed list the nearest valid one."""
    if error["type"] not in ("literal_error", "enum"):
        return ""
    expected = [word.strip(" '") for word in str(error["ctx"]["expected"]).replace(" or ", ",").split(",")]
    near = difflib.get_close_matches(str(error["input"]), expected, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"write one of {', '.join(expected)}"


def _unknown_key(path: Path, valid: Sequence[str], whole: str) -> Problem:
    key = str(path[-1])
    parent = ".".join(str(part) for part in path[:-1]) or whole
    near = difflib.get_close_matches(key, valid, n=1, cutoff=0.5)
    fix = f"did you mean '{near[0]}'?" if near else f"valid keys: {', '.join(valid)}" if valid else "remove it"
    return Problem(path, f"'{key}' is not a key of {parent}", fix)


def _properties(shape: Mapping[str, Any], path: Path) -> list[str]:
    """The keys that the schema allows at a place."""
    found: set[str] = set()
    for node in _at(shape, shape, path):
        found |= set(node.get("properties", {}))
    return sorted(found)


def _at(root: Mapping[str, Any], node: Mapping[str, Any], path: Path) -> list[Mapping[str, Any]]:
    """The schemas of a place: several where a value may be one of several things."""
    if "$ref" in node:
        return _at(root, root["$defs"][node["$ref"].rpartition("/")[2]], path)
    if "anyOf" in node:
        return [found for branch in node["anyOf"] for found in _at(root, branch, path)]
    if not path:
        return [node]
    part, rest = path[0], path[1:]
    inner = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
    inner = inner if inner is not None else node.get("additionalProperties")
    return _at(root, inner, rest) if isinstance(inner, Mapping) else []


def as_lines(source: Source, problems: Iterable[Problem]) -> list[str]:
    """Each problem once as ``file:line: what is wrong; what to do``, in the order of the file."""
    ordered = sorted(set(problems), key=lambda problem: (source.line(problem.path), problem.what))
    return [Trouble(one.what, where=source.place(one.path), fix=one.fix).line for one in ordered]


class Unloadable(Trouble):
    """A file that does not load; ``problems`` lists all that is wrong, each on one line, in the order of the file."""

    def __init__(self, problems: Sequence[str], where: str) -> None:
        self.problems = tuple(problems)
        if len(problems) == 1:
            super().__init__(problems[0])
        else:
            super().__init__(f"{len(problems)} problems: " + " | ".join(problems), where=where)
