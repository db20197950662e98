"""A policy's text: loading it with every problem named by line, its digest, its schema, and how two policies differ."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from stages.loosening import loosened
from stages.policy import Policy
from stages.policy_checks import check, reaction_seconds, warnings
from stages.policy_source import Path, Problem, Source, read_source
from stages.refusal import Trouble

__all__ = ["Unloadable", "digest", "load", "loosened", "reaction_seconds", "schema", "warnings"]


class Unloadable(Trouble):
    """A policy that does not load; ``problems`` lists all that is wrong, each on one line, in the order of the file."""

    def __init__(self, problems: Sequence[str], where: str) -> None:
        self.problems = tuple(problems)
        if len(problems) == 1:
            super().__init__(problems[0])
        else:
            super().__init__(f"{len(problems)} problems: " + " | ".join(problems), where=where)


def load(text: str, where: str) -> Policy:
    """The policy in ``text``; ``where`` is the file's name as the user knows it.

    Raises Unloadable (a Trouble) with every problem at once: ``file:line: what is wrong; what to do``. Keys that are
    unknown name the nearest valid one. What loads but leaves something unwatched is told by ``warnings``.
    """
    source = read_source(text, where)
    problems = list(source.problems)
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(source.data)
    except ValidationError as error:
        problems += _model_problems(source, error)
    if policy is not None:
        problems += check(policy)
    if problems or policy is None:
        raise Unloadable(_lines(source, problems), where)
    return policy


def digest(text: str) -> str:
    """SHA-256 in hex of the policy's bytes (UTF-8): what adoption, plans and approvals name."""
    return hashlib.sha256(text.encode()).hexdigest()


def schema() -> dict[str, Any]:
    """The JSON Schema of a policy file, for editors."""
    document: dict[str, Any] = _as_written(Policy.model_json_schema(by_alias=True))
    document["$defs"]["MarketSpan"] = {"anyOf": [_SPAN, document["$defs"]["MarketSpan"]]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document,
        "title": "RampPolicy rampdeck.dev/v1alpha1",
    }


_DURATION = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$", "description": "such as 5s, 6m or 1h30m"}
_SPAN = {
    "type": "string",
    "pattern": r"^(\d+(\.\d+)? sessions?|(\d+(\.\d+)?(ms|s|m|h|d))+)$",
    "description": "market time: such as 3 sessions or 90m",
}


def _as_written(node: Any) -> Any:
    """The schema with durations in the policy's own notation; their defaults, which are ISO 8601, are left out."""
    if isinstance(node, list):
        return [_as_written(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "duration":
        return _DURATION
    return {key: _as_written(value) for key, value in node.items()}


def _lines(source: Source, problems: Iterable[Problem]) -> list[str]:
    ordered = sorted(set(problems), key=lambda problem: (source.line(problem.path), problem.what))
    return [Trouble(one.what, where=source.place(one.path), fix=one.fix).line for one in ordered]


# Pydantic's errors in the words of the file


def _model_problems(source: Source, error: ValidationError) -> Iterator[Problem]:
    """Each error of the models at its place; alternatives of one value are told as one problem."""
    shape = schema()
    alternatives: dict[Path, list[str]] = {}
    for one in error.errors(include_url=False):
        path, rest = _place(source, one["loc"])
        name = ".".join(str(part) for part in path) or "the policy"
        if one["type"] == "missing" and not rest[1:]:
            yield Problem(path, f"{name} lacks '{rest[0] if rest else '?'}'", f"add '{rest[0] if rest else '?'}'")
        elif one["type"] == "extra_forbidden":
            yield _unknown_key(path, _properties(shape, path[:-1]))
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


def _unknown_key(path: Path, valid: Sequence[str]) -> Problem:
    key = str(path[-1])
    parent = ".".join(str(part) for part in path[:-1]) or "the policy"
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
