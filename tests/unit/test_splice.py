"""Splices: what is asked for changes, nothing else does, and what cannot be proven is refused."""

from __future__ import annotations

import pytest

from stages.bindings import Binding, Value, locate, read
from stages.embedded import Edit
from stages.proof import prove
from stages.refusal import Trouble
from stages.splice import Change, apply, decode, edit
from stages.yaml_spans import parse
from tests.unit.splicing import HEAD, POD, at, change, env

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
