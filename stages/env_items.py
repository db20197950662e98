"""Edits of an env list: an item comes behind the last one, an item goes, an item with a name alone gets a value.

The list may have one item a line, or stand in brackets as JSON has it; the new item is written as the last one is.
"""

from __future__ import annotations

from stages.bindings import EnvPlace, Located, Value
from stages.embedded import Edit
from stages.layout import column_of, item_lines, line_end, newline_at, refused
from stages.quoting import double_quoted, plain_or_quoted, quoted
from stages.yaml_spans import Mapping, Scalar


def removed_item(located: Located) -> Edit:
    """Take out an env item: its whole lines with the comments between its keys, or its part of the brackets."""
    env = located.env
    if env is None or env.item is None or located.binding.inside is not None:
        raise refused(located, "is not an env item, only these can be removed", "give it a value")
    place = env.items.items.index(env.item)
    if not env.items.flow:
        start, end = item_lines(located, env.items, place, outermost=True)
        return Edit(start, end, "")
    items = env.items.items
    if place:
        _gap(located, items[place - 1].end, env.item.start)
        return Edit(items[place - 1].end, env.item.end, "")
    if len(items) > 1:
        _gap(located, env.item.end, items[1].start)
    return Edit(env.item.start, items[1].start if len(items) > 1 else env.item.end, "")


def inserted_item(located: Located, value: Value) -> Edit:
    """A new env item behind the last one, indented and written like it."""
    env, text = located.env, located.manifest.text
    if env is None:
        raise refused(located, "has no env list to be added to", "give the container one")
    last = env.items.items[-1] if env.items.items else None
    if env.items.flow:
        return _inserted_in_brackets(located, env, value)
    if not isinstance(last, Mapping) or not last.pairs:
        raise refused(located, "would follow an env item that is no mapping", "write the last item one key a line")
    _, point = item_lines(located, env.items, len(env.items.items) - 1, outermost=True)
    newline, column = newline_at(text, point), column_of(text, env.items.start)
    if last.flow:
        gap = text[text.rfind("-", 0, last.start) + 1 : last.start]
        return Edit(point, point, f"{newline}{' ' * column}-{gap}{_braced(located, last, value)}")
    inner = column_of(text, last.pairs[0][0].start)
    name = plain_or_quoted(located.binding.env or "")
    item = "-".ljust(inner - column) + f"name: {name}{newline}{' ' * inner}value: {_text(located, value)}"
    return Edit(point, point, newline + " " * column + item)


def inserted_value(located: Located, value: Value) -> Edit:
    """A value for an env item that has only a name."""
    env, text = located.env, located.manifest.text
    if env is None or env.item is None or not env.item.pairs:
        raise refused(located, "is no env item of its own", "write it out as one")
    if env.item.flow:
        point = max(node.end for node in env.item.pairs[-1])
        key = '"value"' if located.manifest.kind == "json" else "value"
        return Edit(point, point, f", {key}: {_text(located, value)}")
    point = line_end(text, env.item.end)
    indent = " " * column_of(text, env.item.pairs[0][0].start)
    return Edit(point, point, f"{newline_at(text, point)}{indent}value: {_text(located, value)}")


def _inserted_in_brackets(located: Located, env: EnvPlace, value: Value) -> Edit:
    """A new item behind the last one in brackets, after the same gap as between the others."""
    items = env.items.items
    if not items:
        return Edit(env.items.start + 1, env.items.end - 1, _braced(located, None, value))
    last = items[-1]
    if len(items) > 1:
        gap = _gap(located, items[-2].end, last.start)
    else:
        lead = _gap(located, env.items.start + 1, last.start)
        gap = "," + (lead if "\n" in lead else " ")
    return Edit(last.end, last.end, gap + _braced(located, last if isinstance(last, Mapping) else None, value))


def _gap(located: Located, start: int, end: int) -> str:
    """The text between two items; raises Trouble where a comment stands in it, which would go astray."""
    gap = located.manifest.text[start:end]
    if gap.replace(",", "", 1).strip():
        what = "stands in an env list with comments between its brackets"
        raise refused(located, what, "move the comments out, or write the list one item a line")
    return gap


def _braced(located: Located, like: Mapping | None, value: Value) -> str:
    """A new item in braces, with the spacing and quotes of another one that has a name and a value."""
    text, name = located.manifest.text, located.binding.env or ""
    if like is None or not like.flow or like.keys() != ("name", "value"):
        if located.manifest.kind == "json":
            return f'{{"name": {double_quoted(name)}, "value": {_text(located, value)}}}'
        return f"{{name: {plain_or_quoted(name, flow=True)}, value: {_text(located, value)}}}"
    old_name, old_value = (node for _, node in like.pairs)
    single = isinstance(old_name, Scalar) and old_name.style == "plain"
    style = old_name.style if isinstance(old_name, Scalar) else '"'
    written = plain_or_quoted(name, flow=True) if single else quoted(name, style)
    between, behind = text[old_name.end : old_value.start], text[old_value.end : like.end]
    return text[like.start : old_name.start] + written + between + _text(located, value) + behind


def _text(located: Located, value: Value) -> str:
    if isinstance(value, str):
        return double_quoted(value)
    if located.binding.format == "json-list":
        return double_quoted("[" + ",".join(double_quoted(item) for item in value) + "]")
    return double_quoted(",".join(value))
