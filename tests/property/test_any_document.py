"""Documents printed in every style that people use: an edit changes what it means alone, its inverse undoes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.bindings import Binding, read
from stages.proof import revert
from stages.quoting import double_quoted, plain_or_quoted, quoted
from stages.splice import Change, Spliced, decode, edit, encode
from stages.yaml_spans import Mapping as Pairs
from stages.yaml_spans import Node, Scalar, Sequence, parse

Data: TypeAlias = "str | list[Data] | dict[str, Data]"

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        ["yes", "010", "15:30:00", "~", "", "live", "0.50", "a: b", "[x", "it's", "#", "x #y", "a\tb", "😀"]
    ),
    st.lists(st.from_regex(r"[a-z]{1,4}( [a-z#:]{1,3})?", fullmatch=True), min_size=1, max_size=3).map("\n".join),
)
KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True)
TREES: st.SearchStrategy[dict[str, Data]] = st.dictionaries(
    KEYS,
    st.recursive(
        TEXTS,
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
        max_leaves=6,
    ),
    min_size=1,
    max_size=4,
)


class Printer:
    """Prints data as YAML lines, in a style drawn anew for every node."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.marks = 0

    def pick(self, *choices: str) -> str:
        return self.data.draw(st.sampled_from(choices))

    def document(self, tree: Mapping[str, Data]) -> str:
        lines = [self.pick("# first 😀", "", "---", "--- # doc"), *self.mapping(tree, 0)]
        return "\n".join(lines) + self.pick("\n", "\n\n# end\n", "\n...\n")

    def mapping(self, tree: Mapping[str, Data], indent: int) -> list[str]:
        lines: list[str] = []
        for key, value in tree.items():
            lines += self.between(indent)
            written = self.pick(plain_or_quoted(key), quoted(key, "'"), double_quoted(key))
            lines += self.value(" " * indent + written + self.pick(":", ":", " :"), value, indent)
        return lines

    def sequence(self, items: list[Data], indent: int) -> list[str]:
        lines: list[str] = []
        for item in items:
            lines += self.between(indent)
            if isinstance(item, dict) and self.pick("inline", "apart") == "inline":
                inner = self.mapping(item, indent + 2)
                first = next(place for place, line in enumerate(inner) if line.strip() and line.strip()[0] != "#")
                # Deeper than the list a comment would belong to a block scalar before it.
                before = [" " * indent + line.strip() if line.strip() else line for line in inner[:first]]
                lines += [*before, " " * indent + "- " + inner[first][indent + 2 :], *inner[first + 1 :]]
            else:
                lines += self.value(" " * indent + "-", item, indent)
        return lines

    def between(self, indent: int) -> list[str]:
        return [line for line in (self.pick("", "#" + " why: x", " " * indent + "# - a: b", "skip"),) if line != "skip"]

    def value(self, head: str, value: Data, indent: int) -> list[str]:
        """The lines of a key or dash with its value behind or beneath it."""
        if isinstance(value, str):
            return self.scalar(head, value, indent)
        if self.pick("block", "flow") == "flow":
            return [f"{head} {self.flow(value)}" + self.pick("", " # c")]
        head += self.mark() + self.pick("", " # below")
        if isinstance(value, dict):
            return [head, *self.mapping(value, indent + int(self.pick("2", "3", "4")))]
        deeper = indent + (0 if not head.lstrip().startswith("-") and self.pick("flush", "in") == "flush" else 2)
        return [head, *self.sequence(value, deeper)]

    def scalar(self, head: str, value: str, indent: int) -> list[str]:
        style = self.pick("plain", "'", '"', "block")
        lines = value.split("\n")
        plain = all(line and line.isprintable() and line == line.strip() for line in lines)
        if style == "block" and plain:
            pad, hint = self.data.draw(st.integers(1, 4)), self.pick("", "", "hint")
            sign = self.pick("|", ">") if len(lines) == 1 else "|"
            header = f"{sign}{pad if hint else ''}-{self.pick('', ' # c')}"
            return [f"{head}{self.mark()} {header}", *(" " * (indent + pad) + line for line in lines)]
        return [f"{head}{self.mark()} {self.inline(value, style)}" + self.pick("", " ", "  # c", "\t# c")]

    def flow(self, value: Data) -> str:
        if isinstance(value, str):
            return self.inline(value, self.pick("plain", "'", '"'), flow=True)
        gap, pad = self.pick(", ", ",", " , "), self.pick("", " ")
        if isinstance(value, list):
            return f"[{pad}{gap.join(self.flow(item) for item in value)}{pad}]"
        pairs = (f"{double_quoted(key)}:{self.pick(' ', '')}{self.flow(item)}" for key, item in value.items())
        return f"{{{pad}{gap.join(pairs)}{pad}}}"

    def inline(self, value: str, style: str, *, flow: bool = False) -> str:
        if style == "plain":
            return plain_or_quoted(value, flow=flow)
        return quoted(value, "'") if style == "'" else double_quoted(value)

    def mark(self) -> str:
        self.marks += 1
        return self.pick("", "", f" &m{self.marks}", " !t", f" !t &m{self.marks}")


class Strings(yaml.CBaseLoader):
    """Another reader: every scalar a string, any tag for what its node is."""


def _any(loader: yaml.CBaseLoader, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, True)
    return loader.construct_sequence(node, True) if isinstance(node, yaml.SequenceNode) else node.value


Strings.add_constructor("!t", _any)


def others(text: str) -> list[Any]:
    return list(yaml.load_all(text.removeprefix("\ufeff"), Loader=Strings))


def leaves(value: Data, path: str = "") -> dict[str, str]:
    """Every string in the data by the binding path that leads to it."""
    if isinstance(value, str):
        return {path: value}
    steps = enumerate(value) if isinstance(value, list) else ((json.dumps(key), one) for key, one in value.items())
    return {at: text for step, one in steps for at, text in leaves(one, f"{path}[{step}]").items()}


def check(text: str, spliced: Spliced) -> None:
    """Outside the edited spans every character is the same, and the inverse restores the bytes."""
    place = after = 0
    for step in spliced.edits:
        width = step.start - place
        assert spliced.after[after : after + width] == text[place : step.start]
        place, after = step.end, after + width + len(step.text)
    assert spliced.after[after:] == text[place:]
    assert revert(spliced.after, spliced.edits, text).encode() == text.encode()


def object_of(tree: dict[str, Data]) -> dict[str, Data]:
    return {"kind": "ConfigMap", "metadata": {"name": "m"}, "data": tree}


@settings(max_examples=60)
@given(TREES, st.data())
def test_whatever_the_style_exactly_the_meant_leaves_change(tree: dict[str, Data], data: st.DataObject) -> None:
    printer = Printer(data)
    text = printer.document({"kind": "Other", "metadata": {"name": "m"}}) if data.draw(st.booleans()) else ""
    text += ("---\n" if text else "") + printer.document(object_of(tree)).removeprefix("---\n").removeprefix(
        "--- # doc\n"
    )
    text = printer.pick("", "\ufeff") + text.replace("\n", printer.pick("\n", "\r\n"))
    before = others(text)
    assert before[-1] == object_of(tree)
    found = leaves(tree)
    chosen = data.draw(st.lists(st.sampled_from(sorted(found)), min_size=1, max_size=3, unique=True))
    wanted = {path: data.draw(TEXTS) for path in chosen}
    spliced = edit(
        text, [Change(Binding("m.yaml", "ConfigMap/m", path=f"data{path}"), to) for path, to in wanted.items()]
    )
    check(text, spliced)
    after = others(spliced.after)
    assert after[:-1] == before[:-1]
    assert isinstance(after[-1], dict)
    assert leaves(after[-1]["data"]) == found | wanted
    back = [Change(Binding("m.yaml", "ConfigMap/m", path=f"data{path}"), found[path]) for path in chosen]
    assert others(edit(spliced.after, back).after) == before


@settings(max_examples=60)
@given(TREES, st.data())
def test_a_document_inside_a_string_keeps_its_own_bytes(tree: dict[str, Data], data: st.DataObject) -> None:
    printer = Printer(data)
    kind = printer.pick("yaml", "json")
    inner = printer.document(tree) if kind == "yaml" else json.dumps(tree, indent=data.draw(st.sampled_from([None, 2])))
    if inner.isprintable() or all(
        line.isprintable() or line.replace("\t", "").isprintable() for line in inner.split("\n")
    ):
        forms = ["block", '"', "'"] if "\n" not in inner else ["block", '"']
    else:
        forms = ['"']
    form = data.draw(st.sampled_from(forms))
    if form == "block" and inner.strip() and not inner.split("\n")[0].startswith((" ", "\t")) and inner.split("\n")[0]:
        body = (
            "|"
            + ("" if inner.endswith("\n") else "-")
            + "".join(f"\n    {line}" if line else "\n" for line in inner.split("\n"))
        )
    else:
        body = quoted(inner, "'") if form == "'" else double_quoted(inner)
    text = f"kind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  k: {body}\n  z: 1 # end\n"
    if data.draw(st.booleans()) and "\r" not in text:
        text = text.replace("\n", "\r\n")
    found = leaves(tree)
    path = data.draw(st.sampled_from(sorted(found)))
    value = data.draw(TEXTS)
    binding = Binding(
        "m.yaml", "ConfigMap/m", path="data.k", inside="yaml" if kind == "yaml" else "json", inner_path=path
    )
    spliced = edit(text, [Change(binding, value)])
    check(text, spliced)
    after = others(spliced.after)[0]
    assert isinstance(after, dict)
    assert after["data"]["z"] == "1"
    held = after["data"]["k"]
    assert leaves(others(held)[0] if kind == "yaml" else json.loads(held)) == found | {path: value}


def places(node: Node, path: str = "") -> dict[str, Scalar]:
    """Every scalar that a binding can lead to, by its path."""
    if isinstance(node, Scalar):
        return {path: node}
    if isinstance(node, Pairs):
        steps = [(json.dumps(key.value), value) for key, value in node.pairs if isinstance(key, Scalar)]
    else:
        steps = [(str(place), item) for place, item in enumerate(node.items)] if isinstance(node, Sequence) else []
    return {at: leaf for step, one in steps for at, leaf in places(one, f"{path}[{step}]").items()}


def test_any_scalar_of_the_real_manifests_changes_alone(torghut_folder: Path) -> None:
    files = {file: file.read_bytes() for file in sorted((torghut_folder / "manifests").rglob("*.yaml"))}
    targets = [
        (file, f"{kind.value}/{name.value}", path)
        for file, content in files.items()
        for tree in parse(decode(content)[0]).documents
        if isinstance(tree.root, Pairs)
        for kind in [tree.root.get("kind")]
        for metadata in [tree.root.get("metadata")]
        if isinstance(metadata, Pairs) and isinstance(kind, Scalar)
        for name in [metadata.get("name")]
        if isinstance(name, Scalar)
        for path in places(tree.root)
        if path not in ('["kind"]', '["metadata"]["name"]')
    ]

    @settings(max_examples=40)
    @given(st.sampled_from(targets), TEXTS, st.sampled_from([b"", b"\xef\xbb\xbf"]), st.booleans())
    def one(target: tuple[Path, str, str], value: str, mark: bytes, crlf: bool) -> None:
        file, name, path = target
        content = mark + (files[file].replace(b"\n", b"\r\n") if crlf else files[file])
        text, bom = decode(content)
        assert encode(text, bom) == content
        binding = Binding("m.yaml", name, path=path)
        spliced = edit(text, [Change(binding, value)])
        check(text, spliced)
        assert read(spliced.after, binding) == value
        assert encode(revert(spliced.after, spliced.edits, text), bom) == content

    one()
