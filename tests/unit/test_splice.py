"""Splices: what is asked for changes, nothing else does, and what cannot be proven is refused."""

from __future__ import annotations

import re

import pytest

from stages.bindings import Binding, Value, locate, read
from stages.embedded import Edit
from stages.proof import prove
from stages.refusal import Trouble
from stages.splice import Change, Spliced, apply, decode, edit, encode
from stages.yaml_spans import parse

HEAD = "kind: ConfigMap\nmetadata: {name: m}\ndata:\n"
POD = """\
kind: Deployment
metadata: {name: app}
spec:
  template:
    spec:
      containers:
        - name: main
          env:
            - name: MODE
              # The mode may be
              # live or paper.
              value: live # today
            # The cap in dollars.
            - name: CAP
              value: "500"
            - name: BARE
            # Last of all.
            - name: LAST
              value: |
                text

          ports: []
"""


def at(path: str, **more) -> Binding:
    return Binding("m.yaml", "ConfigMap/m", path=path, **more)


def env(name: str, **more) -> Binding:
    return Binding("m.yaml", "Deployment/app", env=name, **more)


def change(text: str, binding: Binding, value: Value | None) -> Spliced:
    """Make one change, and see that its inverse is exact."""
    spliced = edit(text, [Change(binding, value)], "m.yaml")
    place = 0
    for start, end in spliced.spans:
        assert place <= start <= end
        place = end
    assert spliced.before == text
    assert apply(text, spliced.edits) == spliced.after
    assert [one.after for one in spliced.differences] == ([value] if spliced.edits else [])
    return spliced


# Refusals


@pytest.mark.parametrize(
    ("binding", "value", "problem"),
    [
        (env("MODE"), ("a",), "needs one value"),
        (env("MODE", format="csv"), "a", "needs a list of values"),
        (env("MODE", format="csv"), ("a,b",), "cannot hold 'a,b'"),
        (env("MODE", format="csv"), ("",), "cannot hold ''"),
        (env("NONE"), "x", "there is no variable NONE"),
        (Binding("m.yaml", "Deployment/app", path="metadata.name"), None, "is not an env item"),
    ],
)
def test_a_change_that_cannot_be_made_is_a_trouble(binding: Binding, value: Value | None, problem: str) -> None:
    with pytest.raises(Trouble, match=problem) as trouble:
        edit(POD, [Change(binding, value)], "m.yaml")
    assert trouble.value.where.startswith("m.yaml:")
    assert trouble.value.fix


@pytest.mark.parametrize(
    ("body", "binding", "value", "problem"),
    [
        ("  l: [a, # one\n    b]\n", at("data.l", format="list"), ("a",), "comments between its items"),
        ("  l: [!t a, b]\n", at("data.l", format="list"), ("b",), "tags or anchors"),
        ("  l:\n    - a\n", at("data.l", format="list"), (), "cannot be emptied"),
        ("  l:\n    - - a\n      - b\n", at("data.l[0]", format="list"), ("b",), "on a line of its own"),
        ("  j: '{\"n\": 1}'\n", at("data.j", inside="json", inner_path="n"), "abc", "cannot replace the JSON value 1"),
        ("  j: '[1, 2]'\n", at("data.j", format="json-list"), ("3",), "other things than strings"),
        ("  j: '{\"n\":\n    1}'\n", at("data.j", inside="json", inner_path="n"), "2", "cannot be traced"),
    ],
)
def test_text_that_cannot_be_edited_in_place_is_a_trouble(
    body: str, binding: Binding, value: Value, problem: str
) -> None:
    with pytest.raises(Trouble, match=problem) as trouble:
        edit(HEAD + body, [Change(binding, value)], "m.yaml")
    assert trouble.value.where.startswith("m.yaml:")


def test_two_changes_of_one_place_are_refused() -> None:
    absent = env("NEW", when_absent="insert")
    for first, second in ((env("CAP"), env("CAP")), (env("CAP"), env("CAP", format="csv")), (absent, absent)):
        with pytest.raises(Trouble, match="is changed twice at once"):
            edit(POD, [Change(first, "1"), Change(second, ("2",) if second.format == "csv" else "2")])
    inner = at("data.y", inside="yaml", inner_path="k")
    with pytest.raises(Trouble, match="two changes touch the same text"):
        edit(HEAD + "  y: 'k: a'\n", [Change(at("data.y"), "k: b"), Change(inner, "c")])


def test_the_proof_finds_every_other_difference() -> None:
    binding = env("CAP")
    manifest = parse(POD, "m.yaml")
    located = locate(manifest, binding)
    good = edit(manifest, [Change(binding, "600")])
    intended = [(located, "600")]
    assert prove(manifest, good.after, good.edits, intended)[0].before == "500"
    start = POD.index("live #")
    for extra, problem in (
        (Edit(start, start + 4, "paper"), "'live' changed as well"),
        (Edit(start, start + 4, '"live"'), "'live' changed as well"),
        (Edit(start, start, "!!str "), "a tag or an anchor changed"),
        (Edit(start, start, "&x "), "a tag or an anchor changed"),
        (Edit(POD.index("            - name: BARE"), POD.index("            # Last"), ""), "another length"),
        (Edit(len(POD), len(POD), "more: 1\n"), "more or fewer keys"),
        (Edit(len(POD), len(POD), "---\na: 1\n"), "number of documents"),
        (Edit(POD.index("{name: app}"), POD.index("{name: app}") + 11, "[name, app]"), "changed its form"),
    ):
        edits = tuple(sorted((*good.edits, extra), key=lambda one: one.start))
        with pytest.raises(Trouble, match="the edit is not proven") as trouble:
            prove(manifest, apply(POD, edits), edits, intended)
        assert problem in trouble.value.line
    with pytest.raises(Trouble, match="does not restore the old text"):
        prove(manifest, good.after + "# more\n", good.edits, intended)
    with pytest.raises(Trouble, match="'600' would be read instead of '601'"):
        prove(manifest, good.after, good.edits, [(located, "601")])


def test_bytes_that_are_not_utf8_are_a_trouble_in_their_line() -> None:
    with pytest.raises(Trouble, match=r"m\.yaml:2: the file is not valid UTF-8"):
        decode(b"a: 1\nb: \xff\n", "m.yaml")


# Scalars


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        ('"0.50"', "0.25", '"0.25"'),
        ("'0.50'", "it's", "'it''s'"),
        ("'a'", "a\nb", '"a\\nb"'),
        ('"a"', 'say "hi" \\ 😀\x7f', '"say \\"hi\\" \\\\ 😀\\u007f"'),
        ("live", "paper", "paper"),
        ("live", "two words", "two words"),
        ("live", "a: b", '"a: b"'),
        ("live", "a #b", '"a #b"'),
        ("live", "- a", '"- a"'),
        ("live", "*a", '"*a"'),
        ("live", " a", '" a"'),
        ("live", "", '""'),
        *(
            ("live", word, f'"{word}"')
            for word in ("yes", "No", "on", "y", "010", "0o7", "1_0", "15:30:00", "1e3", ".5")
        ),
        *(("live", word, f'"{word}"') for word in ("5", "true", "null", "~", "2026-01-01", "0x1F", ".inf", "=", "+1")),
        ("live", "1.0.0", "1.0.0"),
        ("live", "-Xmx512m", "-Xmx512m"),
        ("0.5", "0.25", "0.25"),
        ("5", "-7.5", "-7.5"),
        ("5", "010", '"010"'),
        ("5", "many", '"many"'),
        ("true", "false", "false"),
        ("true", "yes", '"yes"'),
        ("010", "20", '"20"'),
        ("yes", "no", '"no"'),
        ("15:30:00", "15:45:00", '"15:45:00"'),
        ("~", "x", '"x"'),
        ("!!str 5", "6", "!!str 6"),
        ("!t &a 'v'", "w", "!t &a 'w'"),
        ("one\n    two", "x", "x"),
        ("|\n    a\n    b\n", "c\nd\n", "|\n    c\n    d\n"),
        ("|-  # why\n    a", "b", "|-  # why\n    b"),
        ("|\n    a\n", "b", "|-\n    b\n"),
        ("|+\n    a", "b\n", "|+\n    b"),
        (">\n    a\n    b\n", "c\n", ">\n    c\n"),
        (">\n    a\n", "b\nc\n", "|\n    b\n    c\n"),
        ("|\n    a\n", "  b\n", '"  b\\n"\n'),
        ("|\n    a\n", "\tb\x00", '"\\tb\\u0000"\n'),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_scalar_takes_the_style_of_the_one_it_replaces(old: str, new: str, written: str, newline: str) -> None:
    template = HEAD + "  before: 1 # one\n  k: {}\n  # end\n  after: 'x'\n"
    text = template.replace("{}", old).replace("\n", newline)
    spliced = change(text, at("data.k"), new)
    assert spliced.after == template.replace("{}", written).replace("\n", newline)
    assert read(spliced.after, at("data.k")) == new


def test_an_empty_scalar_gets_a_blank_before_its_value() -> None:
    assert change(HEAD + "  k:\n  z: 1\n", at("data.k"), "v").after == HEAD + '  k: "v"\n  z: 1\n'
    assert change(HEAD + "  k: !t\n", at("data.k"), "v").after == HEAD + '  k: !t "v"\n'
    assert change(HEAD + "  k: !t # c\n", at("data.k"), "v").after == HEAD + '  k: !t "v" # c\n'


def test_a_plain_scalar_in_brackets_is_quoted_where_they_would_end_it() -> None:
    assert change(HEAD + "  k: {a: b, c: d}\n", at("data.k.a"), "x, y").after == HEAD + '  k: {a: "x, y", c: d}\n'
    assert change(HEAD + "  k: {a: b, c: d}\n", at("data.k.a"), "x").after == HEAD + "  k: {a: x, c: d}\n"


def test_an_equal_value_changes_nothing() -> None:
    for binding in (env("MODE"), env("CAP"), env("LAST"), env("BARE")):
        spliced = edit(POD, [Change(binding, read(POD, binding))])
        assert (spliced.after, spliced.edits, spliced.differences) == (POD, (), ())
    assert edit(POD, [Change(env("NEW", when_absent="insert"), None)]).after == POD


# Env items


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_env_value_changes_alone(newline: str) -> None:
    text = POD.replace("\n", newline)
    assert change(text, env("MODE"), "paper").after == text.replace("value: live", "value: paper")
    assert change(text, env("CAP"), "250").after == text.replace('"500"', '"250"')


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_inserted_env_item_stands_behind_the_last_and_leaves_without_a_trace(newline: str) -> None:
    text = POD.replace("\n", newline)
    binding = env("NEW", when_absent="insert")
    item = '\n            - name: NEW\n              value: "5000"'.replace("\n", newline)
    spliced = change(text, binding, "5000")
    end = text.index("                text") + len("                text")
    assert spliced.after == text[:end] + item + text[end:]
    assert change(spliced.after, binding, None).after == text


@pytest.mark.parametrize("ending", ["", "\n", "\n# end\n", "\n\n\n", " # last\n"])
@pytest.mark.parametrize("indent", ["", "  "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_insertion_fits_the_list_and_the_end_of_the_file(ending: str, indent: str, newline: str) -> None:
    start = "kind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - env:\n"
    old = f'{start}    {indent}- name: A\n    {indent}  value: "1"{ending}'
    comment = " # last" if ending.startswith(" #") else ""
    new = f'{start}    {indent}- name: A\n    {indent}  value: "1"{comment}\n'
    new += f'    {indent}- name: "ON"\n    {indent}  value: "yes"'
    binding = Binding("m.yaml", "Pod/app", env="ON", when_absent="insert")
    spliced = change(old.replace("\n", newline), binding, "yes")
    assert spliced.after == (new + ending.removeprefix(comment)).replace("\n", newline)
    assert change(spliced.after, binding, None).after == old.replace("\n", newline)


def test_several_items_come_in_order_and_in_their_formats() -> None:
    bindings = [env("A", when_absent="insert"), env("B", format="csv", when_absent="insert")]
    bindings.append(env("C", format="json-list", when_absent="insert"))
    spliced = edit(POD, [Change(bindings[0], "1"), Change(bindings[1], ("x", "y")), Change(bindings[2], ("x", "y"))])
    added = [line.strip() for line in spliced.after.splitlines() if line not in POD.splitlines()]
    assert added == ["- name: A", 'value: "1"', "- name: B", 'value: "x,y"', "- name: C", 'value: "[\\"x\\",\\"y\\"]"']
    assert [read(spliced.after, one) for one in bindings] == ["1", ("x", "y"), ("x", "y")]


def test_a_removed_env_item_takes_its_own_lines_and_no_others() -> None:
    removed = change(POD, env("MODE"), None).after
    gone = POD[POD.index("            - name: MODE") : POD.index("            # The cap")]
    assert removed == POD.replace(gone, "")
    assert change(POD, env("BARE"), None).after == POD.replace("            - name: BARE\n", "")
    last = "            - name: LAST\n              value: |\n                text\n"
    assert change(POD, env("LAST"), None).after == POD.replace(last, "")


def test_the_last_item_goes_and_another_comes_in_one_edit() -> None:
    changes = [Change(env("LAST"), None), Change(env("NEW", when_absent="insert"), "1"), Change(env("BARE"), None)]
    after = edit(POD, changes).after
    assert '            # Last of all.\n            - name: NEW\n              value: "1"\n\n          ports' in after
    assert "BARE" not in after


def test_an_env_item_with_a_name_alone_gets_a_value() -> None:
    expected = POD.replace("- name: BARE\n", '- name: BARE\n              value: "x"\n')
    assert change(POD, env("BARE"), "x").after == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[{name: A, value: b}]", '[{name: A, value: b}, {name: B, value: "c"}]'),
        ("[{ 'name': 'A', 'value': b }]", "[{ 'name': 'A', 'value': b }, { 'name': 'B', 'value': \"c\" }]"),
        ("[]", '[{name: B, value: "c"}]'),
        ("[{name: A}]", '[{name: A}, {name: B, value: "c"}]'),
        ("[\n  {name: A, value: b},\n  {name: Z, value: z},\n  ]",
         '[\n  {name: A, value: b},\n  {name: Z, value: z},\n  {name: B, value: "c"},\n  ]'),
        ("\n   - {name: A, value: b} # last", '\n   - {name: A, value: b} # last\n   - {name: B, value: "c"}'),
    ],
)  # fmt: skip
def test_an_env_list_in_brackets_takes_values_and_items(old: str, new: str) -> None:
    text = "kind: Pod\nmetadata: {name: app}\nspec:\n containers:\n - env: {}\n   name: x\n"
    absent = Binding("m.yaml", "Pod/app", env="B", when_absent="insert")
    old, new = text.replace("{}", old), text.replace("{}", new)
    assert change(old, absent, "c").after == new
    assert change(new, absent, None).after == old
    if "value: b" in old:
        present = Binding("m.yaml", "Pod/app", env="A")
        assert change(old, present, "c").after == old.replace("value: b", "value: c")


def test_comments_between_the_items_in_brackets_are_not_led_astray() -> None:
    text = "kind: Pod\nmetadata: {name: app}\nspec: {containers: [{env: [\n {name: A}, # a\n {name: B} ]}]}\n"
    for binding, value in ((Binding("m.yaml", "Pod/app", env="B"), None),
                           (Binding("m.yaml", "Pod/app", env="C", when_absent="insert"), "c")):  # fmt: skip
        with pytest.raises(Trouble, match="comments between its brackets"):
            edit(text, [Change(binding, value)])


def test_the_only_env_item_stays() -> None:
    text = "kind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - env:\n    - name: A\n      value: b\n"
    with pytest.raises(Trouble, match="not proven"):
        edit(text, [Change(Binding("m.yaml", "Pod/app", env="A"), None)])


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
