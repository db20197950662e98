"""Where a patch points: whether an operation, a merge or a field path meets the place of a bound value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from stages.bindings import Located
from stages.paths import Index, Key, Select, Step

_ABSENT: Final = object()
_PART: Final = re.compile(r"(?:\\.|[^.\\])+")
_SELECTOR: Final = re.compile(r"\[([^=\]]+)=(.*)\]")


def patch_touches(patch: Any, steps: Sequence[Step], *, lists_join: bool) -> bool:
    """Whether a strategic merge patch writes the value at ``steps`` or anything around it.

    ``lists_join`` says that lists of mappings are joined by name; otherwise a list in the patch replaces the whole one.
    """
    if not steps:
        return True
    step, rest = steps[0], steps[1:]
    if isinstance(patch, dict):
        if "$patch" in patch:
            return True
        within = patch.get(step.name, _ABSENT) if isinstance(step, Key) else _ABSENT
        return within is not _ABSENT and patch_touches(within, rest, lists_join=lists_join)
    if isinstance(patch, list) and lists_join and isinstance(step, Select):
        same = [one for one in patch if isinstance(one, dict) and (step.value in ("", str(one.get(step.field))))]
        replaced = any(isinstance(one, dict) and one.get("$patch") == "replace" for one in patch)
        return replaced or any(patch_touches(one, rest, lists_join=lists_join) for one in same)
    return True


def op_touches(ops: Sequence[dict[str, Any]], number: int, located: Located) -> bool:
    """Whether the operation with this number of a JSON patch writes the value or anything around it."""
    op = ops[number]
    if op.get("op") == "test":
        return False
    # An item that came or went before shifts every later position.
    before = (one for one in ops[:number] if one.get("op") in ("add", "remove", "move"))
    moved = any(re.search(r"/\d+$", str(one.get("path"))) for one in before)
    places = [str(op.get("path", "")), *([str(op.get("from", ""))] if op.get("op") == "move" else [])]
    return any(_points(place, located, op, anywhere=moved) for place in places)


def _points(pointer: str, located: Located, op: dict[str, Any], *, anywhere: bool) -> bool:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for number, (part, step) in enumerate(zip(parts, located.steps, strict=False)):
        last = number == len(parts) - 1
        if isinstance(step, Key):
            if part != step.name:
                return False
        elif part == "-" or (op.get("op") == "add" and last):
            value = op.get("value")
            return isinstance(step, Select) and isinstance(value, dict) and str(value.get(step.field)) == step.value
        elif isinstance(step, Index):
            if not anywhere and part != str(step.position):
                return False
        elif step.field == "name" and located.env is not None and number == len(located.steps) - 1:
            item = located.env.item
            position = located.env.items.items.index(item) if item is not None else None
            if not anywhere and part != str(position):
                return False
    return True


def path_touches(field: str, steps: Sequence[Step]) -> bool:
    """Whether a replacement's field path leads to the value or to anything around it."""
    parts = [part.replace("\\.", ".") for part in _PART.findall(field)]
    return all(_meets(part, step) for part, step in zip(parts, steps, strict=False))


def _meets(part: str, step: Step) -> bool:
    if isinstance(step, Key):
        return part in (step.name, "*")
    if isinstance(step, Select) and (match := _SELECTOR.fullmatch(part)):
        return match.group(1) != step.field or step.value in ("", match.group(2))
    return isinstance(step, Select) or part in (str(step.position), "*")
