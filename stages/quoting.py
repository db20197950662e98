"""How a string is written as a scalar, so that every YAML reader reads that string back.

Clusters read YAML 1.1, others 1.2, and the two disagree on ``010``, ``yes`` and ``15:30:00``: what is
written plain here means the same in both.
"""

from __future__ import annotations

import json
import re
from typing import Literal

from stages.refusal import Trouble
from stages.yaml_spans import Mapping, Scalar, Sequence, Style, parse

Reading = Literal["string", "number", "boolean", "null", "ambiguous"]

_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)")
_NULL = re.compile(r"~?|null|Null|NULL")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_JSON_WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false")
_NOT_A_STRING_SOMEWHERE = re.compile(
    r"""
      (?i: y | yes | n | no | on | off | true | false | null ) | ~ | = | << |
      [-+]? [0-9][0-9_]* | [-+]? 0b[01_]+ | [-+]? 0o?[0-7_]+ | [-+]? 0x[0-9a-fA-F_]+ |
      [-+]? (?: [0-9][0-9_]*\.[0-9_]* | \.[0-9_]+ | [0-9][0-9_]* ) (?: [eE][-+]?[0-9]+ )? |
      [-+]? [0-9][0-9_]* (?: :[0-5]?[0-9] )+ (?: \.[0-9_]* )? |
      [-+]? \.(?i:inf) | \.(?i:nan) |
      [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: (?: [Tt] | [ \t]+ ) [0-9].* )?
    """,
    re.VERBOSE,
)
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff"
_UNPRINTABLE = re.compile(f"[{_CONTROL}]")
_UNPRINTABLE_LINE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_BLOCK_HEADER = re.compile(r"([|>])([0-9+-]*)([^\r\n]*)(\r\n|\r|\n)( *)")


def reading(text: str) -> Reading:
    """What a plain scalar means; ``ambiguous`` where readers of YAML 1.1 and 1.2 may differ."""
    if _NULL.fullmatch(text):
        return "null"
    if _BOOLEAN.fullmatch(text):
        return "boolean"
    if _NUMBER.fullmatch(text):
        return "number"
    return "ambiguous" if _NOT_A_STRING_SOMEWHERE.fullmatch(text) else "string"


def scalar_text(value: str, old: Scalar, source: str, *, flow: bool) -> str:
    """Write ``value`` in the style of the scalar it replaces, which stands in ``source``.

    ``flow`` says that it stands inside ``[]`` or ``{}``. Where the style cannot hold the value it is
    double quoted.
    """
    if old.style == "plain":
        kept = reading(value) == reading(old.value) and reading(value) in ("string", "number", "boolean")
        return value if kept and plain_safe(value, flow=flow) else double_quoted(value)
    if old.style in ("|", ">"):
        return _block_text(value, source[old.start : old.end])
    return quoted(value, old.style)


def quoted(value: str, style: Style) -> str:
    """Write ``value`` in quotes: single ones where asked for and possible, else double ones."""
    if style == "'" and not _UNPRINTABLE.search(value):
        return "'" + value.replace("'", "''") + "'"
    return double_quoted(value)


def double_quoted(value: str) -> str:
    """Write ``value`` between double quotes on one line, which is JSON and YAML alike."""
    return _UNPRINTABLE.sub(_escape, json.dumps(value, ensure_ascii=False))


def plain_or_quoted(value: str, *, flow: bool = False) -> str:
    """Write a string plain where every reader takes it for that string, else double quoted."""
    return value if reading(value) == "string" and plain_safe(value, flow=flow) else double_quoted(value)


def plain_safe(value: str, *, flow: bool) -> bool:
    """Whether the text may stand without quotes where it is going to stand."""
    if _UNPRINTABLE.search(value):
        return False
    trial = f"[{value}, x]" if flow else f"k: {value}\nx: y"
    try:
        root = parse(trial).documents[0].root
    except Trouble:
        return False
    if isinstance(root, Sequence):
        node = root.items[0]
    elif isinstance(root, Mapping):
        node = root.pairs[0][1]
    else:
        return False
    return isinstance(node, Scalar) and node.style == "plain" and trial[node.start : node.end] == value == node.value


def json_text(value: str, old: Scalar, where: str) -> str:
    """Write ``value`` into the JSON at ``where``: a string for a string, a number or boolean for one of these."""
    if old.style == '"':
        return double_quoted(value)
    if old.value != "null" and _JSON_WORD.fullmatch(value):
        return value
    what = f"{value!r} cannot replace the JSON value {old.value}"
    raise Trouble(what, where=where, fix="give a number, true or false")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def _block_text(value: str, old: str) -> str:
    """Write into a block scalar: its indentation and header stay, chomping follows the value."""
    header = _BLOCK_HEADER.match(old)
    comment = header.group(3) if header else ""
    body = value.rstrip("\n")
    newlines = len(value) - len(body)
    lines = body.split("\n")
    awkward = not lines[0] or lines[0][0] in " \t" or not lines[-1].strip() or newlines > 1
    if header is None or not header.group(5) or awkward or _UNPRINTABLE_LINE.search(value):
        return double_quoted(value) + comment
    sign, hints, _, line_break, indent = header.groups()
    if any(hint.isdigit() for hint in hints):
        return double_quoted(value) + comment
    chomp = "-" if newlines == 0 else "+" if "+" in hints else ""
    style = "|" if len(lines) > 1 else sign
    content = "".join(line_break + (indent + line if line else "") for line in lines)
    return f"{style}{chomp}{comment}{content}"
