"""A policy's text: loading it with every problem named by line, its digest, its schema, and how two policies differ."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import ValidationError

from stages.loosening import loosened
from stages.model_problems import Unloadable, as_lines, model_problems
from stages.policy import Policy
from stages.policy_checks import check, reaction_seconds, warnings
from stages.policy_source import read_source

__all__ = ["Unloadable", "digest", "load", "loosened", "reaction_seconds", "schema", "warnings"]


def load(text: str, where: str) -> Policy:
    """The policy in ``text``; ``where`` is the file's name as the user knows it.

    Raises Unloadable (a Trouble) with every problem at once: ``file:line: what is wrong; what to do``. Keys that are
    unknown name the nearest valid one. What loads but leaves something unwatched is told by ``warnings``.
    """
    source = read_source(text, where, "policy")
    problems = list(source.problems)
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(source.data)
    except ValidationError as error:
        problems += model_problems(source, error, schema(), "the policy")
    if policy is not None:
        problems += check(policy)
    if problems or policy is None:
        raise Unloadable(as_lines(source, problems), where)
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
