"""Splices of lists, of documents in strings, of bytes, and of the real manifests: nothing else changes."""

from __future__ import annotations

import re

import pytest

from stages.bindings import Binding, Value, read
from stages.splice import Change, decode, edit, encode
from stages.yaml_spans import parse
from tests.unit.splicing import HEAD, at, change

# Lists


@pytest.mark.parametrize(
    ("old", "values", "new"),
    [
        ('"A,B,C"', ("A", "C"), '"A,C"'),
        ('"A, B"', ("A", "B", "C"), '"A, B, C"'),
        ("A,B", ("A",), "A"),
        ("A,B", ("NO",), '"NO"'),
        ("A", ("A", "B"), "A,B"),
        ('""', ("A", "B"), '"A,B"'),
        ('"A"', (), '""'),
        ("|\n    A, B\n", ("B",), "|\n    B\n"),
    ],
)
def test_comma_separated_text_keeps_its_separator(old: str, values: tuple[str, ...], new: str) -> None:
    text = HEAD + "  k: {}\n  z: 1\n"
    assert change(text.replace("{}", old), at("data.k", format="csv"), values).after == text.replace("{}", new)


@pytest.mark.parametrize(
    ("old", "values", "new"),
    [
        ('["A", "B", "C"]', ("A", "C"), '["A", "C"]'),
        ('["A","B"]', ("A", "B", "D"), '["A","B","D"]'),
        ("[A, 'B', \"C\"]", ("C", "A", "B"), "[\"C\", A, 'B']"),
        ("[A]", ("A", "NO"), '[A, "NO"]'),
        ("['A']", ("it's",), "['it''s']"),
        ("[ A, B ] # c", ("A",), "[ A ] # c"),
        ("[]", ("A", "B"), "[A, B]"),
        ("[A, B]", (), "[]"),
        ("[\n    A,\n    B,\n  ]", ("A", "B", "C"), "[\n    A,\n    B,\n    C,\n  ]"),
        ("\n    - A\n    # about B\n    - B # b\n    - C", ("A", "C"), "\n    - A\n    # about B\n    - C"),
        ('\n  - "A"\n  - "B"', ("A", "B", "C"), '\n  - "A"\n  - "B"\n  - "C"'),
        ("\n  - A\n  - B", ("X", "B"), "\n  - X\n  - B"),
        ("\n  - A", ("Y1", "A", "B"), "\n  - Y1\n  - A\n  - B"),
        ("\n  - A\n  - B", ("B", "A"), "\n  - B\n  - A"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_list_keeps_its_style_and_its_items(old: str, values: tuple[str, ...], new: str, newline: str) -> None:
    text = (HEAD + "  k: {}\n  z: 1\n").replace("\n", newline)
    binding = at("data.k", format="list")
    spliced = change(text.replace("{}", old.replace("\n", newline)), binding, values)
    assert spliced.after == text.replace("{}", new.replace("\n", newline))


@pytest.mark.parametrize(
    "old", ['\'["A", "B"]\'', '"[\\"A\\", \\"B\\"]"', '|\n    ["A", "B"]\n', '>\n    ["A", "B"]\n']
)
def test_a_json_list_in_a_string_is_edited_within(old: str) -> None:
    text = HEAD + f"  k: {old}\n  z: 1\n"
    binding = at("data.k", format="json-list")
    for values in (("A",), ("A", "B", 'it\'s "c"'), ()):
        spliced = change(text, binding, values)
        assert read(spliced.after, binding) == values
        if values:
            assert change(spliced.after, binding, ("A", "B")).after == text


# Documents in strings

CATALOG = HEAD + (
    "  catalog.yaml: |\n"
    "    # strategies\n"
    "    strategies:\n"
    "      - name: one # first\n"
    '        symbols: ["A", "B"]\n'
    "        cap: 0.5\n"
    "\n"
    "      - name: two\n"
    "        symbols:\n"
    "          - A\n"
    "          - B\n"
    "  other: 1\n"
)


def inner(path: str, **more) -> Binding:
    return at('data["catalog.yaml"]', inside="yaml", inner_path=path, **more)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("binding", "value", "old", "new"),
    [
        (inner("strategies[name=one].cap"), "0.25", "cap: 0.5", "cap: 0.25"),
        (inner("strategies[name=one].symbols", format="list"), ("A", "C"), '["A", "B"]', '["A", "C"]'),
        (
            inner("strategies[name=two].symbols", format="list"),
            ("A",),
            "          - A\n          - B\n",
            "          - A\n",
        ),
        (
            inner("strategies[name=two].symbols", format="list"),
            ("A", "B", "C"),
            "          - B\n",
            "          - B\n          - C\n",
        ),
    ],
)
def test_a_document_in_a_block_scalar_is_edited_within(
    binding: Binding, value: Value, old: str, new: str, newline: str
) -> None:
    text = CATALOG.replace("\n", newline)
    spliced = change(text, binding, value)
    assert spliced.after == CATALOG.replace(old, new).replace("\n", newline)
    assert change(spliced.after, binding, read(text, binding)).after == text


def test_several_places_of_one_string_change_together() -> None:
    changes = [
        Change(inner("strategies[0].cap"), "1"),
        Change(inner("strategies[1].symbols", format="list"), ("B",)),
        Change(at("data.other"), "2"),
    ]
    after = edit(CATALOG, changes).after
    expected = CATALOG.replace("cap: 0.5", "cap: 1").replace("          - A\n", "").replace("other: 1", "other: 2")
    assert after == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('\'{"n": "a\'\'b", "m": 1}\'', '\'{"n": "it\'\'s \\"c\\"", "m": 1}\''),
        ('"{\\"n\\": \\"a\\", \\"m\\": 1}"', '"{\\"n\\": \\"it\'s \\\\\\"c\\\\\\"\\", \\"m\\": 1}"'),
        (
            '|\n    {\n      "n": "a",\n      "m": 1\n    }',
            '|\n    {\n      "n": "it\'s \\"c\\"",\n      "m": 1\n    }',
        ),
        ('>-\n    {"n": "a",\n    "m": 1}', '>-\n    {"n": "it\'s \\"c\\"",\n    "m": 1}'),
    ],
)
def test_a_json_document_in_a_string_is_escaped_for_both(old: str, new: str) -> None:
    text = HEAD + f"  j: {old}\n  z: 1\n"
    binding = at("data.j", inside="json", inner_path="n")
    assert change(text, binding, 'it\'s "c"').after == HEAD + f"  j: {new}\n  z: 1\n"


# Bytes


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_line_breaks_survive(bom: bytes) -> None:
    data = bom + (HEAD + "  é: '😀'\n  k: 1 # 😀\n").replace("\n", "\r\n").encode()
    text, marked = decode(data)
    assert encode(text, marked) == data
    after = change(text, at("data.k"), "2").after
    assert encode(after, marked) == data.replace(b"k: 1", b"k: 2")


# The real manifests


@pytest.mark.parametrize(
    ("file", "target"),
    [
        ("scheduler-deployment.yaml", "Deployment/torghut-scheduler"),
        ("knative-service.yaml", "Service/torghut"),
        ("knative-service-sim.yaml", "Service/torghut-sim"),
    ],
)
def test_the_real_env_lists_can_be_set_and_restored(torghut_folder, file: str, target: str) -> None:
    text, bom = decode((torghut_folder / "manifests" / file).read_bytes(), file)
    assert not bom
    manifest = parse(text, file)
    names = re.findall(r"^            - name: (\S+)\n(?: +#.*\n)*              value: [^|>\n]", text, re.MULTILINE)
    assert len(names) > 150
    for name in names[::3]:
        binding = Binding(file, target, env=name)
        old = read(manifest, binding)
        assert isinstance(old, str)
        after = edit(manifest, [Change(binding, old + "0")])
        assert sum(a != b for a, b in zip(text.splitlines(), after.after.splitlines(), strict=True)) == 1
        assert edit(after.after, [Change(binding, old)], file).after == text


def test_one_universe_change_over_the_real_files(torghut_folder) -> None:
    manifests = torghut_folder / "manifests"
    values = ("NVDA", "AMD", "MU")
    symbols = Binding("ws/configmap.yaml", "ConfigMap/torghut-ws-config", path="data.SYMBOLS", format="csv")
    catalog = Binding(
        "strategy-configmap.yaml",
        "ConfigMap/torghut-strategy-config",
        path='data["strategies.yaml"]',
        format="list",
        inside="yaml",
        inner_path="strategies[name=intraday-tsmom-profit-v3].universe_symbols",
    )
    for binding in (symbols, catalog):
        text = (manifests / binding.file).read_text()
        old = read(text, binding)
        after = change(text, binding, values).after
        assert sum(a != b for a, b in zip(text.splitlines(), after.splitlines(), strict=True)) == 1
        assert change(after, binding, old).after == text
