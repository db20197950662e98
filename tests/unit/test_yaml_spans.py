"""The tree of a YAML text: every span is the exact text of its value."""

from __future__ import annotations

import pytest
import yaml

from stages import yaml_spans
from stages.json_spans import parse_json
from stages.refusal import Trouble
from stages.yaml_spans import Alias, Manifest, Mapping, Node, Scalar, Sequence, parse


def root(text: str) -> Mapping:
    node = parse(text).documents[0].root
    assert isinstance(node, Mapping)
    return node


def text_of(text: str, key: str) -> str:
    node = root(text).get(key)
    assert node is not None
    return text[node.start : node.end]


@pytest.mark.parametrize(
    ("text", "problem", "where"),
    [
        ("a: b: c\n", "mapping values are not allowed", "m.yaml:1"),
        ("a: 1\nb: [1, 2\n", "did not find expected", "m.yaml:"),
        ("a: 1\nb: 2\na: 3\n", "'a' is here twice, first on line 1", "m.yaml:3"),
        ("l:\n  - {x: 1, x: 2}\n", "'x' is here twice", "m.yaml:2"),
        ("a: 1\nb: \x01\n", "not allowed", "m.yaml:2"),
        ("a: *nowhere\n", "the alias *nowhere has no anchor", "m.yaml:1"),
        ("a: 1\nb: \ud800\n", "surrogate", "m.yaml:2"),
        ("[" * 300 + "]" * 300, "nested deeper", "m.yaml:1"),
    ],
)
def test_text_that_cannot_be_read_is_a_trouble_with_its_line(text: str, problem: str, where: str) -> None:
    with pytest.raises(Trouble) as trouble:
        parse(text, "m.yaml")
    assert problem in trouble.value.line
    assert trouble.value.where.startswith(where)
    assert trouble.value.fix


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("k: plain text # comment\n", "plain text"),
        ("k: 'it''s'\n", "'it''s'"),
        ('k: "a\\"b" # c\n', '"a\\"b"'),
        ("k: one\n  two\nz: 1\n", "one\n  two"),
        ("k:\nz: 1\n", ""),
        ("k: 😀é # x\n", "😀é"),
        ("z: 😀😀\nk: v\n", "v"),
        ("k: !!str 5\n", "5"),
        ("k: &a v\nz: *a\n", "v"),
        ("k: !t &a # why\n  v\n", "v"),
        ("k: &a !t 'v'\n", "'v'"),
        ("k: !<tag:x,2:y> v\n", "v"),
        ("k: ! v\n", "v"),
        ("k: !!str\nz: 1\n", ""),
        ("k: [a, [b], {c: d}] # e\n", "[a, [b], {c: d}]"),
        ("k: !l [a]\n", "[a]"),
        ("k: {a: b}\n", "{a: b}"),
        ("k: [\n  a, # one\n  b,\n]\n", "[\n  a, # one\n  b,\n]"),
        ("k:\n  - a\n  - b\n\n# end\nz: 1\n", "- a\n  - b"),
        ("k:\n- a\n- b: 1\n# end\nz: 1\n", "- a\n- b: 1"),
        ("k: &l\n  - a # x\nz: 1\n", "- a"),
        ("k:\n  a: 1\n  b: 2 # x\nz: 1\n", "a: 1\n  b: 2"),
        ('"k": v\n', "v"),
        ("? k\n: v\n", "v"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_span_is_exactly_the_text_of_its_value(text: str, span: str, newline: str, bom: str) -> None:
    assert text_of(bom + text.replace("\n", newline), "k") == span.replace("\n", newline)


@pytest.mark.parametrize(
    ("text", "span", "value"),
    [
        ("k: |\n  a\n\n  b\n\n\n# c\nz: 1\n", "|\n  a\n\n  b", "a\n\nb\n"),
        ("k: |-\n  a\n\nz: 1\n", "|-\n  a", "a"),
        ("k: |+\n  a\n\n\nz: 1\n", "|+\n  a\n\n", "a\n\n\n"),
        ("k: >\n  a\n  b\n  \nz: 1\n", ">\n  a\n  b", "a b\n"),
        ("k: >- # folded\n  a\n", ">- # folded\n  a", "a"),
        ("k: |2-\n    a\n   b\n", "|2-\n    a\n   b", "  a\n b"),
        ("k: |\n  a\n    \nz: 1\n", "|\n  a\n    ", "a\n  \n"),
        ("k: |\n\nz: 1\n", "|", ""),
        ("k: |\n  a", "|\n  a", "a"),
        ("k: &a |\n  a\nz: *a\n", "|\n  a", "a\n"),
        ("k: |\n  # not a comment\n# one\nz: 1\n", "|\n  # not a comment", "# not a comment\n"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_block_scalar_ends_before_the_break_of_its_last_line(text: str, span: str, value: str, newline: str) -> None:
    text = text.replace("\n", newline)
    node = root(text).get("k")
    assert isinstance(node, Scalar)
    assert text[node.start : node.end] == span.replace("\n", newline)
    assert node.value == value


def test_documents_lines_styles_and_properties() -> None:
    text = "---\na: 1\n---\n# two\nb: !t &x 'v'\nc: *x\n...\n---\n- |\n  t\n"
    first, second, third = parse(text).documents
    assert isinstance(first.root, Mapping)
    assert first.aliases == ()
    assert isinstance(second.root, Mapping)
    value, alias = second.root.get("b"), second.root.get("c")
    assert isinstance(value, Scalar)
    assert (value.tag, value.anchor, value.style, value.line) == ("!t", "x", "'", 5)
    assert isinstance(alias, Alias)
    assert (text[alias.start : alias.end], alias.line) == ("*x", 6)
    assert [alias.name for alias in second.aliases] == ["x"]
    assert isinstance(third.root, Sequence)
    assert isinstance(third.root.items[0], Scalar)
    assert third.root.items[0].style == "|"


def plain(node: Node) -> object:
    """The tree as strings, lists and pairs."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {str(plain(key)): plain(value) for key, value in node.pairs}


def leaves(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Alias):
        return []
    children = node.items if isinstance(node, Sequence) else tuple(one for pair in node.pairs for one in pair)
    return [leaf for child in children for leaf in leaves(child)]


def test_both_loaders_give_the_same_tree(monkeypatch: pytest.MonkeyPatch, torghut_folder) -> None:
    for file in sorted((torghut_folder / "manifests").rglob("*.yaml")):
        text = file.read_text()
        with_c = parse(text)
        with monkeypatch.context() as patch:
            patch.setattr(yaml_spans, "_LOADER", yaml.SafeLoader)
            assert parse(text) == with_c
        assert [plain(tree.root) for tree in with_c.documents] == list(yaml.load_all(text, Loader=yaml.BaseLoader))


def test_every_scalar_of_the_real_manifests_reads_back_from_its_own_span(torghut_folder) -> None:
    seen = 0
    for file in sorted((torghut_folder / "manifests").rglob("*.yaml")):
        text = file.read_text()
        for tree in parse(text).documents:
            for leaf in leaves(tree.root):
                if leaf.style not in ("|", ">"):
                    assert yaml.load(text[leaf.start : leaf.end], Loader=yaml.BaseLoader) == leaf.value
                    seen += 1
    assert seen > 3000


def test_json_gives_the_same_kind_of_tree() -> None:
    text = '{\n\t"a": "\\ud83d\\ude00/\\/",\n  "b": [1, -2.5e3, true, null], "c": {}\n}\n'
    manifest: Manifest = parse_json(text)
    tree = manifest.documents[0].root
    assert plain(tree) == {"a": "😀//", "b": ["1", "-2.5e3", "true", "null"], "c": {}}
    assert [text[leaf.start : leaf.end] for leaf in leaves(tree)][1:5] == ['"\\ud83d\\ude00/\\/"', '"b"', "1", "-2.5e3"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON value"),
        ("[1, 2", "',' is missing"),
        ("[1,]", "no JSON value"),
        ('{"a": 1, "a": 2}', "twice"),
        ("{a: 1}", "key must be a string"),
        ('{"a" 1}', "':' is missing"),
        ('"abc', "does not end"),
        ('"\\q"', "not a JSON string"),
        ("1 2", "text follows"),
        ("\n\n[nope]", "no JSON value"),
        ("[" * 300, "nested deeper"),
    ],
)
def test_text_that_is_not_json_is_a_trouble(text: str, problem: str) -> None:
    with pytest.raises(Trouble) as trouble:
        parse_json(text, "m.yaml:7")
    assert problem in trouble.value.line
    assert trouble.value.where.startswith("m.yaml:7")
