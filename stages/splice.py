"""New manifest text that differs from the old in the intended values alone, with its proof.

Edits are splices at source positions. Every byte outside the edited spans stays as it is: comments,
quotes, indentation, line breaks, a byte order mark.
"""

from __future__ import annotations

import codecs
import difflib
from collections import Counter
from collections.abc import Sequence as Several
from itertools import pairwise

from stages.bindings import Binding, Located, Value, locate
from stages.embedded import Edit
from stages.env_items import inserted_item, inserted_value, removed_item
from stages.json_spans import parse_file
from stages.layout import column_of, item_lines, newline_at, refused
from stages.proof import Difference, prove, read_again
from stages.quoting import double_quoted, json_text, plain_or_quoted, plain_safe, quoted, reading, scalar_text
from stages.refusal import Trouble
from stages.value import Struct
from stages.yaml_spans import Alias, Manifest, Mapping, Scalar, Sequence


class Change(Struct, frozen=True):
    """A binding and the value it shall have; None removes the env item."""

    binding: Binding
    value: Value | None


class Spliced(Struct, frozen=True):
    """A proven edit: the text before and after, the edits of ``before``, and what they change."""

    before: str
    after: str
    edits: tuple[Edit, ...]
    differences: tuple[Difference, ...]
    result: Manifest
    """The tree of ``after``, in which the proof was made."""

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

    A value that is already there is no edit, unless readers of YAML differ on how it is written.
    Raises Trouble when a binding cannot be located or written, when two changes touch the same
    text, or when the proof fails.
    """
    manifest = text if isinstance(text, Manifest) else parse_file(text, where)
    wanted = [(locate(manifest, change.binding), change.value) for change in changes]
    effective = [(located, value) for located, value in wanted if located.value != value or located.unclear]
    _refuse_twice(manifest, [located for located, _ in wanted])
    edits = _ordered(manifest, [step for located, value in effective for step in _edits(located, value)])
    after = apply(manifest.text, edits)
    result = read_again(manifest, after) if effective else manifest
    return Spliced(manifest.text, after, edits, prove(manifest, result, edits, effective), result)


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
    targets = Counter(one.target for one in located)
    for one in located:
        if targets[one.target] > 1:
            what = f"{one.binding.label} is changed twice at once"
            raise Trouble(what, where=manifest.at(one.line), fix="keep one binding for this place")


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
        return [removed_item(located)]
    _check_shape(located, value)
    if located.node is None:
        return [inserted_value(located, value) if located.env and located.env.item else inserted_item(located, value)]
    if isinstance(located.node, Scalar):
        aliases = (alias for alias in located.written_out if alias is not located.place)
        edits = [_scalar_edit(located, located.node, value), *(_written_out(alias) for alias in aliases)]
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
        raise refused(located, f"needs {expected}, got {value!r}", "correct the value or the binding's format")
    if located.binding.format == "csv" and (bad := [item for item in value if not _csv_safe(item)]):
        raise refused(located, f"cannot hold {bad[0]!r} in a comma-separated list", "use another format")


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


def _written_out(alias: Alias) -> Edit:
    """What an alias says today, in its place, as anything between brackets could read it."""
    said = alias.target if isinstance(alias.target, Scalar) else Scalar(0, 0, alias.line, "")
    kept = said.style == "plain" and plain_safe(said.value, flow=True)
    return Edit(alias.start, alias.end, said.value if kept else quoted(said.value, said.style))


def _joined(old: str, items: Several[str]) -> str:
    """Comma-separated text with the separator, and the blanks around the whole, of the old text."""
    body = old.strip()
    head, _, tail = old.partition(body) if body else ("", "", "")
    comma = body.find(",")
    gap = body[comma + 1 :] if comma >= 0 else ""
    return head + ("," + gap[: len(gap) - len(gap.lstrip())]).join(items) + tail


def _in_json(located: Located) -> bool:
    return (located.hosts[-1].manifest if located.hosts else located.manifest).kind == "json"


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
        raise refused(located, "is a list with comments between its items", "move the comments out of the brackets")
    start, end = (items[0].start, items[-1].end) if items and values else (node.start + 1, node.end - 1)
    usual = gaps[0] if gaps else ", "
    known = zip(items, (usual, *gaps), strict=False)
    old = {item.value: (text[item.start : item.end], gap) for item, gap in known if _clear(located, item)}
    written = ""
    for place, value in enumerate(values):
        item, gap = old.get(value) or (_new_item(located, items, value), usual)
        written += gap + item if place else item
    return Edit(start, end, written)


def _block_edits(located: Located, node: Sequence, values: tuple[str, ...]) -> list[Edit]:
    """Take out the lines of items that go and put new ones behind those that stay."""
    items = _plain_items(located, node)
    if not values:
        raise refused(located, "is a list of lines and cannot be emptied", "write it in brackets: []")
    lines = [item_lines(located, node, place) for place in range(len(items))]
    known = [item.value if _clear(located, item) else None for item in items]
    matcher = difflib.SequenceMatcher(None, known, values, autojunk=False)
    edits: list[Edit] = []
    for verb, i1, i2, j1, j2 in matcher.get_opcodes():
        if verb == "equal":
            continue
        edits += [Edit(start, end, "") for start, end in lines[i1:i2]]
        point = lines[i2 - 1][1] if i2 else lines[0][0]
        dash = newline_at(located.text, point) + " " * column_of(located.text, node.start) + "- "
        edits += [Edit(point, point, dash + _new_item(located, items, value)) for value in values[j1:j2]]
    return edits


def _plain_items(located: Located, node: Sequence) -> tuple[Scalar, ...]:
    """The items as scalars; raises Trouble for a tagged or anchored one, which a rewrite would lose."""
    items = tuple(item for item in node.items if isinstance(item, Scalar))
    if any(item.tag or item.anchor for item in items):
        raise refused(located, "is a list with tags or anchors on its items", "write plain items")
    return items


def _clear(located: Located, item: Scalar) -> bool:
    """Whether every reader takes the item for the same string; another one is written anew, in quotes."""
    return _in_json(located) or item.style != "plain" or reading(item.value) != "ambiguous"


def _new_item(located: Located, items: tuple[Scalar, ...], value: str) -> str:
    """A new list item, quoted as the first one is."""
    flow = isinstance(located.node, Sequence) and located.node.flow
    if _in_json(located):
        if any(item.style != '"' for item in items):
            raise refused(located, "is a list of other things than strings", "bind a list of strings")
        return double_quoted(value)
    if items and items[0].style in ("'", '"'):
        return scalar_text(value, items[0], located.text, flow=flow)
    return plain_or_quoted(value, flow=flow)
