"""New manifest text that differs from the old in the intended values alone, with its proof.

Edits are splices at source positions. Every byte outside the edited spans stays as it is: comments,
quotes, indentation, line breaks, a byte order mark.
"""

from __future__ import annotations

import codecs
import difflib
from collections import Counter
from collections.abc import Sequence as Several
from dataclasses import dataclass
from itertools import pairwise

from stages.bindings import Binding, Located, Value, locate
from stages.embedded import Edit
from stages.proof import Difference, prove
from stages.quoting import double_quoted, json_text, plain_or_quoted, scalar_text
from stages.refusal import Trouble
from stages.yaml_spans import Manifest, Mapping, Scalar, Sequence, parse


@dataclass(frozen=True, slots=True)
class Change:
    """A binding and the value it shall have; None removes the env item."""

    binding: Binding
    value: Value | None


@dataclass(frozen=True, slots=True)
class Spliced:
    """A proven edit: the text before and after, the edits of ``before``, and what they change."""

    before: str
    after: str
    edits: tuple[Edit, ...]
    differences: tuple[Difference, ...]

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The ``[start, end)`` character spans of ``before`` that were edited, in order."""
        return tuple((edit.start, edit.end) for edit in self.edits)


def decode(data: bytes, where: str = "") -> tuple[str, bool]:
    """A file's bytes as text without its byte order mark, and whether it had one."""
    bom = data.startswith(codecs.BOM_UTF8)
    try:
        return data[len(codecs.BOM_UTF8) if bom else 0 :].decode("utf-8"), bom
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        place = f"{where}:{line}" if where else f"line {line}"
        raise Trouble("the file is not valid UTF-8", where=place, fix="save it as UTF-8") from error


def encode(text: str, bom: bool) -> bytes:
    """The bytes that ``decode`` read this text from."""
    return (codecs.BOM_UTF8 if bom else b"") + text.encode("utf-8")


def edit(text: str | Manifest, changes: Several[Change], where: str = "") -> Spliced:
    """Give each binding its value and prove that nothing else changed.

    A value that is already there is no edit. Raises Trouble when a binding cannot be located or
    written, when two changes touch the same text, or when the proof fails.
    """
    manifest = text if isinstance(text, Manifest) else parse(text, where)
    wanted = [(locate(manifest, change.binding), change.value) for change in changes]
    effective = [(located, value) for located, value in wanted if located.value != value]
    _refuse_twice(manifest, [located for located, _ in wanted])
    edits = _ordered(manifest, [step for located, value in effective for step in _edits(located, value)])
    after = apply(manifest.text, edits)
    return Spliced(manifest.text, after, edits, prove(manifest, after, edits, effective))


def apply(text: str, edits: Several[Edit]) -> str:
    """The text with all edits made; they are ordered and do not overlap."""
    pieces: list[str] = []
    place = 0
    for step in edits:
        pieces += (text[place : step.start], step.text)
        place = step.end
    return "".join((*pieces, text[place:]))


def _refuse_twice(manifest: Manifest, located: list[Located]) -> None:
    """Raise Trouble where two changes mean the same value or the same env item."""
    targets = Counter(_target(one) for one in located)
    for one in located:
        if targets[_target(one)] > 1:
            what = f"{one.binding.label} is changed twice at once"
            raise Trouble(what, where=manifest.at(one.line), fix="keep one binding for this place")


def _target(located: Located) -> tuple[object, ...]:
    if located.env is not None and located.env.item is None:
        return (located.env.items.start, located.binding.env)
    return located.span


def _ordered(manifest: Manifest, edits: list[Edit]) -> tuple[Edit, ...]:
    """The edits in text order; insertions at one point keep the order they were asked in."""
    ordered = sorted(edits, key=lambda step: (step.start, step.end))
    for first, second in pairwise(ordered):
        if second.start < first.end:
            line = manifest.text.count("\n", 0, second.start) + 1
            raise Trouble("two changes touch the same text", where=manifest.at(line), fix="plan them one by one")
    return tuple(ordered)


def _edits(located: Located, value: Value | None) -> list[Edit]:
    """The edits of the file that give one located binding its value."""
    if value is None:
        return [_removed_item(located)]
    _check_shape(located, value)
    if located.node is None:
        return [_inserted_value(located, value) if located.env and located.env.item else _inserted_item(located, value)]
    if isinstance(located.node, Scalar):
        edits = [_scalar_edit(located, located.node, value)]
    elif located.node.flow:
        edits = [_flow_edit(located, located.node, tuple(value))]
    else:
        edits = _block_edits(located, located.node, tuple(value))
    for host in reversed(located.hosts):
        edits = [host.outward(step) for step in edits]
    return edits


def _check_shape(located: Located, value: Value) -> None:
    several = located.binding.format != "plain"
    if isinstance(value, str) == several:
        expected = "a list of values" if several else "one value"
        raise _trouble(located, f"needs {expected}, got {value!r}", "correct the value or the binding's format")
    if located.binding.format == "csv" and (bad := [item for item in value if not _csv_safe(item)]):
        raise _trouble(located, f"cannot hold {bad[0]!r} in a comma-separated list", "use another format")


def _csv_safe(item: str) -> bool:
    return bool(item) and "," not in item and item == item.strip() and "\n" not in item


# Scalars


def _scalar_edit(located: Located, node: Scalar, value: Value) -> Edit:
    new = value if isinstance(value, str) else _joined(node.value, value)
    if _in_json(located):
        return Edit(node.start, node.end, json_text(new, node, located.manifest.at(located.line)))
    text = scalar_text(new, node, located.text, flow=_in_flow(located, node))
    if node.start == node.end and located.text[node.start - 1 : node.start] not in ("", " ", "\n"):
        text = " " + text
    return Edit(node.start, node.end, text)


def _joined(old: str, items: Several[str]) -> str:
    """Comma-separated text with the separator, and the blanks around the whole, of the old text."""
    body = old.strip()
    head, _, tail = old.partition(body) if body else ("", "", "")
    comma = body.find(",")
    gap = body[comma + 1 :] if comma >= 0 else ""
    return head + ("," + gap[: len(gap) - len(gap.lstrip())]).join(items) + tail


def _in_json(located: Located) -> bool:
    return bool(located.hosts) and located.hosts[-1].kind == "json"


def _in_flow(located: Located, node: Scalar) -> bool:
    """Whether brackets or braces stand around the scalar in its own text."""
    documents = located.hosts[-1].manifest.documents if located.hosts else located.manifest.documents
    waiting = [tree.root for tree in documents]
    while waiting:
        at = waiting.pop()
        if isinstance(at, (Mapping, Sequence)) and at.start <= node.start and node.end <= at.end:
            if at.flow:
                return True
            children = at.items if isinstance(at, Sequence) else tuple(value for _, value in at.pairs)
            waiting = [child for child in children if child.start <= node.start and node.end <= child.end]
    return False


# Lists


def _flow_edit(located: Located, node: Sequence, values: tuple[str, ...]) -> Edit:
    """Rewrite the items between the brackets; kept ones stand as they stood, with the gap before them."""
    text = located.text
    items = _plain_items(located, node)
    gaps = [text[left.end : right.start] for left, right in pairwise(items)]
    odd = next((gap for gap in gaps if gap.replace(",", "", 1).strip()), None)
    if odd is not None:
        raise _trouble(located, "is a list with comments between its items", "move the comments out of the brackets")
    start, end = (items[0].start, items[-1].end) if items and values else (node.start + 1, node.end - 1)
    usual = gaps[0] if gaps else ", "
    old = {item.value: (text[item.start : item.end], gap) for item, gap in zip(items, (usual, *gaps), strict=False)}
    written = ""
    for place, value in enumerate(values):
        item, gap = old.get(value) or (_new_item(located, items, value), usual)
        written += gap + item if place else item
    return Edit(start, end, written)


def _block_edits(located: Located, node: Sequence, values: tuple[str, ...]) -> list[Edit]:
    """Take out the lines of items that go and put new ones behind those that stay."""
    items = _plain_items(located, node)
    if not values:
        raise _trouble(located, "is a list of lines and cannot be emptied", "write it in brackets: []")
    lines = [_item_lines(located, node, place) for place in range(len(items))]
    matcher = difflib.SequenceMatcher(None, [item.value for item in items], values, autojunk=False)
    edits: list[Edit] = []
    for verb, i1, i2, j1, j2 in matcher.get_opcodes():
        if verb == "equal":
            continue
        edits += [Edit(start, end, "") for start, end in lines[i1:i2]]
        point = lines[i2 - 1][1] if i2 else lines[0][0]
        dash = _newline(located.text, point) + " " * _column(located.text, node.start) + "- "
        edits += [Edit(point, point, dash + _new_item(located, items, value)) for value in values[j1:j2]]
    return edits


def _plain_items(located: Located, node: Sequence) -> tuple[Scalar, ...]:
    """The items as scalars; raises Trouble for a tagged or anchored one, which a rewrite would lose."""
    items = tuple(item for item in node.items if isinstance(item, Scalar))
    if any(item.tag or item.anchor for item in items):
        raise _trouble(located, "is a list with tags or anchors on its items", "write plain items")
    return items


def _new_item(located: Located, items: tuple[Scalar, ...], value: str) -> str:
    """A new list item, quoted as the first one is."""
    flow = isinstance(located.node, Sequence) and located.node.flow
    if _in_json(located):
        if any(item.style != '"' for item in items):
            raise _trouble(located, "is a list of other things than strings", "bind a list of strings")
        return double_quoted(value)
    if items and items[0].style in ("'", '"'):
        return scalar_text(value, items[0], located.text, flow=flow)
    return plain_or_quoted(value, flow=flow)


# Env items


def _removed_item(located: Located) -> Edit:
    """Take out the whole lines of an env item, with the comments between its keys."""
    env = located.env
    if env is None or env.item is None or located.binding.inside is not None:
        raise _trouble(located, "is not an env item, only these can be removed", "give it a value")
    if env.items.flow:
        raise _trouble(located, "stands in an env list in brackets", "write the list one item a line")
    start, end = _item_lines(located, env.items, env.items.items.index(env.item), outermost=True)
    return Edit(start, end, "")


def _inserted_item(located: Located, value: Value) -> Edit:
    """A new env item behind the last one, indented like it."""
    env, text = located.env, located.manifest.text
    if env is None or env.items.flow or not isinstance(env.items.items[-1], Mapping):
        raise _trouble(located, "has no env list of one item a line to be added to", "write the list that way")
    last = env.items.items[-1]
    if last.flow or not last.pairs:
        raise _trouble(located, "would follow an env item in braces", "write the last item one key a line")
    _, point = _item_lines(located, env.items, len(env.items.items) - 1, outermost=True)
    newline, column = _newline(text, point), _column(text, env.items.start)
    inner = _column(text, last.pairs[0][0].start)
    name = plain_or_quoted(located.binding.env or "")
    item = "-".ljust(inner - column) + f"name: {name}{newline}{' ' * inner}value: {_env_text(located, value)}"
    return Edit(point, point, newline + " " * column + item)


def _inserted_value(located: Located, value: Value) -> Edit:
    """A value for an env item that has only a name."""
    env, text = located.env, located.manifest.text
    if env is None or env.item is None or env.item.flow:
        raise _trouble(located, "has no value and stands in braces", "write it one key a line")
    point = _line_end(text, env.item.end)
    indent = " " * _column(text, env.item.pairs[0][0].start)
    return Edit(point, point, f"{_newline(text, point)}{indent}value: {_env_text(located, value)}")


def _env_text(located: Located, value: Value) -> str:
    if isinstance(value, str):
        return double_quoted(value)
    if located.binding.format == "json-list":
        return double_quoted("[" + ",".join(double_quoted(item) for item in value) + "]")
    return double_quoted(",".join(value))


# Lines


def _item_lines(located: Located, node: Sequence, place: int, *, outermost: bool = False) -> tuple[int, int]:
    """From the line break before an item's dash to the end of its last line, its own break left out."""
    text = located.manifest.text if outermost else located.text
    column = _column(text, node.start)
    after = node.items[place - 1].end if place else node.start - column
    start = after if place == 0 else _line_end(text, after) + 1
    while not text.startswith("-", start + column) or text[start : start + column].strip():
        start = _line_end(text, start) + 1
        if start > node.items[place].start:
            raise _trouble(located, "does not begin its list item on a line of its own", "write one item a line")
    if text.startswith("\n", start - 1) and start:
        start -= 2 if text.startswith("\r\n", start - 2) else 1
    return start, _line_end(text, node.items[place].end)


def _line_end(text: str, place: int) -> int:
    """The offset of the line break that ends the line of ``place``, or the end of the text."""
    end = text.find("\n", place)
    if end < 0:
        return len(text)
    return end - 1 if text.startswith("\r\n", end - 1) and end > place else end


def _column(text: str, place: int) -> int:
    """Characters between the line start and ``place``."""
    return place - (text.rfind("\n", 0, place) + 1)


def _newline(text: str, place: int) -> str:
    """The line break in use at ``place``."""
    before = text.rfind("\n", 0, place)
    near = before if before >= 0 else text.find("\n")
    return "\r\n" if near > 0 and text[near - 1] == "\r" else "\n"


def _trouble(located: Located, what: str, fix: str) -> Trouble:
    return Trouble(f"{located.binding.label} {what}", where=located.manifest.at(located.line), fix=fix)
