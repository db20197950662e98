"""The YAML that people keep in Git: each habit is edited in its own style, or refused with the reason."""

from __future__ import annotations

import json

import pytest
import yaml

from stages.bindings import Binding, Value, locate, read
from stages.proof import revert
from stages.refusal import Trouble
from stages.splice import Change, decode, edit, encode

HEAD = "kind: ConfigMap\nmetadata: {name: m}\ndata:\n"
POD = "kind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - env:\n"


def at(path: str, file: str = "m.yaml", **more) -> Binding:
    return Binding(file, "ConfigMap/m", path=path, **more)


def env(name: str, file: str = "m.yaml", **more) -> Binding:
    return Binding(file, "Pod/app", env=name, **more)


def after(text: str, binding: Binding, value: Value | None) -> str:
    """The text with one change made, which its inverse takes back."""
    spliced = edit(text, [Change(binding, value)], binding.file)
    assert revert(spliced.after, spliced.edits, text) == text
    assert value is None or read(spliced.after, binding) == value
    return spliced.after


def refusal(text: str, binding: Binding, value: Value | None = "5") -> str:
    with pytest.raises(Trouble) as trouble:
        edit(text, [Change(binding, value)], binding.file)
    assert trouble.value.where.startswith(binding.file)
    assert trouble.value.fix
    return trouble.value.line


# Documents


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        "%YAML 1.1\n---\n{}...\n",
        "---\n---\n# nothing\n---\n{}---\nkind: Other\nmetadata: {{name: m}}\n",
        "kind: ConfigMap\nmetadata: {{name: other}}\ndata: {{k: one}}\n---\n{}",
    ],
)
def test_one_document_of_several_changes_and_no_byte_beside_it(frame: str, newline: str, bom: str) -> None:
    text = bom + frame.format(HEAD + "  k: one # 😀\n").replace("\n", newline)
    start = text.rindex("k: one") + 3
    assert after(text, at("data.k"), "two") == text[:start] + "two" + text[start + 3 :]
    assert encode(*decode(text.encode())) == text.encode()


def test_an_object_in_a_list_of_objects_is_found() -> None:
    text = "kind: List\nitems:\n- kind: ConfigMap\n  metadata: {name: m}\n  data: {k: 1}\n"
    assert after(text, at("data.k"), "2") == text.replace("k: 1", "k: 2")


# Anchors, aliases, merge keys


SHARED = HEAD + "  first: &cap one # a\n  again: *cap # b\n  flow: [*cap, x]\n"


def test_what_an_alias_repeats_is_refused_with_both_places() -> None:
    assert "is the alias *cap, its text stands elsewhere" in refusal(SHARED, at("data.again"))
    said = refusal(SHARED, at("data.first"))
    assert "&cap, which an alias repeats on line 5, 6" in said
    assert "whenAliased: local" in said


def test_an_aliased_value_is_made_local_on_request() -> None:
    here = after(SHARED, at("data.again", when_aliased="local"), "two")
    assert here == SHARED.replace("again: *cap", "again: two")
    there = after(SHARED, at("data.first", when_aliased="local"), "two")
    assert there == HEAD + "  first: &cap two # a\n  again: one # b\n  flow: [one, x]\n"


@pytest.mark.parametrize(
    ("written", "out"),
    [("'it''s'", "'it''s'"), ('"a\\nb"', '"a\\nb"'), ("|\n    a\n    b", '"a\\nb\\n"'), ("a, b", '"a, b"'), ("5", "5")],
)
def test_an_alias_is_written_out_as_what_it_said(written: str, out: str) -> None:
    text = HEAD + f"  first: &cap {written}\n  again: *cap\n"
    changed = after(text, at("data.first", when_aliased="local"), "x")
    assert changed.endswith(f"  again: {out}\n")
    assert yaml.safe_load(changed)["data"]["again"] == yaml.safe_load(text)["data"]["again"]


def test_an_alias_of_more_than_a_value_is_never_made_local() -> None:
    text = HEAD + "  base: &b {a: 1}\n  other: *b\n  list: &l [a]\n  more: *l\n"
    assert "under the anchor &b" in refusal(text, at("data.base.a", when_aliased="local"))
    assert "is the alias *b" in refusal(text, at("data.other.a", when_aliased="local"))
    assert "is the alias *l" in refusal(text, at("data.more", format="list", when_aliased="local"), ("x",))


def test_the_same_anchor_name_for_another_value_is_no_alias_of_it() -> None:
    text = HEAD + "  a: &x 1\n  b: *x\n  c: &x 5\n"
    assert after(text, at("data.c"), "6") == text.replace("&x 5", "&x 6")


def test_an_anchor_around_its_own_alias_is_refused() -> None:
    assert "inside its own anchor" in refusal(HEAD + "  k: &x [*x]\n", at("data.k"))


@pytest.mark.parametrize("merge", ["*b", "[*b]", "[{z: 1}, *b]", "{a: 1}"])
def test_a_merged_key_is_refused_and_its_neighbour_is_edited(merge: str) -> None:
    text = HEAD + f"  base: &b {{a: 1}}\n  d:\n    <<: {merge}\n    c: 2\n"
    assert "'a' comes from elsewhere by a merge (<<)" in refusal(text, at("data.d.a"))
    assert after(text, at("data.d.c"), "3") == text.replace("c: 2", "c: 3")


@pytest.mark.parametrize(
    ("shared", "item", "why"),
    [
        ("{name: A, value: '1'}", "*i", "is the alias *i"),
        ("{name: A, value: '1'}", "<<: *i", "the variable's name comes from elsewhere by a merge"),
        ("{value: '1'}", "{name: A, <<: *i}", "the variable's value comes from elsewhere by a merge"),
        ("{valueFrom: {x: y}}", "{name: A, <<: *i}", "the variable's valueFrom comes from elsewhere by a merge"),
    ],
)
def test_a_variable_that_is_shared_is_never_taken_for_absent(shared: str, item: str, why: str) -> None:
    text = f"x: &i {shared}\n" + POD + f"  - {item}\n  - name: Z\n    value: z\n"
    assert why in refusal(
        text.replace("  - ", "    - ").replace("    - env", "  - env"), env("A", when_absent="insert")
    )


# Scalars


@pytest.mark.parametrize("chomp", ["", "-", "+"])
@pytest.mark.parametrize("style", ["|", ">"])
@pytest.mark.parametrize("hint", ["", "4"])
@pytest.mark.parametrize("tail", ["", "\n", "\n\n"])
def test_block_scalars_of_every_kind_change_within_their_lines(style: str, chomp: str, hint: str, tail: str) -> None:
    text = HEAD + f"  k: {style}{hint}{chomp} # c\n      one\n{tail}  z: 1 # end\n"
    old = read(text, at("data.k"))
    changed = after(text, at("data.k"), "two\n")
    assert changed.startswith(HEAD + "  k: ")
    assert changed.endswith("  z: 1 # end\n")
    assert yaml.safe_load(changed)["data"] == {"k": "two\n", "z": 1}
    assert after(changed, at("data.k"), old).startswith(HEAD)


@pytest.mark.parametrize("header", ["|", "|-", "|+", "|2", "|2-", ">", ">-"])
def test_a_document_in_a_block_scalar_keeps_its_own_bytes(header: str) -> None:
    text = HEAD + f"  k: {header}\n    # why\n\n    a:  1   # odd\n\n    b: 2\n\n  z: 1\n"
    binding = at("data.k", inside="yaml", inner_path="b")
    assert after(text, binding, "3") == text.replace("b: 2", "b: 3")


@pytest.mark.parametrize("empty", ["", " ~", " null", " Null", " # nothing"])
def test_empty_values_read_as_nothing_and_take_one(empty: str) -> None:
    text = HEAD + f"  k:{empty}\n  z: 1\n"
    assert read(text, at("data.k")) == ""
    assert edit(text, [Change(at("data.k"), "")]).edits == ()
    assert yaml.safe_load(after(text, at("data.k"), "x"))["data"] == {"k": "x", "z": 1}
    assert "a list is needed here, nothing is written" in refusal(text, at("data.k", format="list"), ("x",))


def test_tabs_in_strings_and_between_keys_stay() -> None:
    text = HEAD + "  k: \"a\tb\"\n  l: 'c\td'\t# e\n  m: |\n    x\ty\n  z: 1\n"
    assert after(text, at("data.z"), "2") == text.replace("z: 1", "z: 2")
    assert after(text, at("data.l"), "e") == text.replace("'c\td'", "'e'")
    assert after(text, at("data.m"), "p\tq\n") == text.replace("x\ty", "p\tq")


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        ('"15:30:00"', "15:45:00", '"15:45:00"'),
        ("'0.50'", "0.25", "'0.25'"),
        ('"010"', "020", '"020"'),
        ("live", "NO", '"NO"'),
        ("0.5", "1_000", '"1_000"'),
        (".5", "0.25", "0.25"),
        ("True", "false", "false"),
    ],
)
def test_quoted_numbers_and_times_stay_quoted_and_dangerous_words_become_so(old: str, new: str, written: str) -> None:
    text = HEAD + f"  k: {old} # c\n"
    assert after(text, at("data.k"), new) == HEAD + f"  k: {written} # c\n"


AMBIGUOUS = ["yes", "No", "on", "OFF", "y", "0o17", "017", "1_000", "190:20:30", "2026-01-01", ".inf", "-.INF", ".NaN",
             "0x1F", "0b11", "1e3", "<<", "="]  # fmt: skip


@pytest.mark.parametrize("word", AMBIGUOUS)
def test_what_readers_of_yaml_disagree_on_is_said_and_written_in_quotes(word: str) -> None:
    for text in (HEAD + f"  k: {word}\n", HEAD + f"  k: [a, {word}]\n"):
        binding = at("data.k", format="list") if "[" in text else at("data.k")
        assert locate(text, binding).unclear == word
        value = locate(text, binding).value
        changed = edit(text, [Change(binding, value)]).after
        assert changed == HEAD + text.removeprefix(HEAD).replace(word, f'"{word}"')
        assert locate(changed, binding).unclear == ""


@pytest.mark.parametrize("word", ["live", "5", "-0.5", ".5", "+1", "true", "False", "''", "v1.2", '"yes"', "!!str 017"])
def test_what_everyone_reads_alike_is_clear(word: str) -> None:
    assert locate(HEAD + f"  k: {word}\n", at("data.k")).unclear == ""


def test_a_kept_item_that_readers_disagree_on_is_quoted_with_the_edit() -> None:
    flow, block = HEAD + "  k: [ON, A, B]\n", HEAD + "  k:\n  - ON # semi\n  - A\n  - B\n"
    assert after(flow, at("data.k", format="list"), ("ON", "A")) == HEAD + '  k: ["ON", A]\n'
    assert '  - "ON"\n' in after(block, at("data.k", format="list"), ("ON", "A"))


# Lists and mappings


@pytest.mark.parametrize("indent", ["", "  "])
def test_comments_between_the_keys_of_an_item_stay(indent: str) -> None:
    item = f"{indent}- # first\n  {indent}name: A # the name\n  {indent}# why\n\n  {indent}value: one\n"
    text = POD + "".join(f"    {line}\n" if line else "\n" for line in item.splitlines())
    assert after(text, env("A"), "two") == text.replace("one", "two")


def test_flow_mappings_take_values_that_brackets_would_end() -> None:
    text = HEAD + '  k: {"a":1, b: [x: y], c: z}\n'
    assert after(text, at("data.k.a"), "2") == text.replace('"a":1', '"a":2')
    assert after(text, at("data.k.b[0].x"), "p, q") == text.replace("x: y", 'x: "p, q"')


def test_a_variable_with_neither_value_nor_source_takes_one() -> None:
    bare = POD + "    - name: A\n    - name: B\n      value: b\n"
    assert read(bare, env("A")) == ""
    assert after(bare, env("A"), "5") == bare.replace("- name: A\n", '- name: A\n      value: "5"\n')
    braces = POD + "    - {name: A}\n"
    assert after(braces, env("A"), "5") == POD + '    - {name: A, value: "5"}\n'
    nothing = POD + "    - name: A\n      valueFrom: ~\n"
    assert read(nothing, env("A")) == ""


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "  k: 1\n  k: 2\n",
        HEAD + "  k: 1\nkind: ConfigMap\n",
        HEAD + '  k: 1\n  "k": 2\n',
        HEAD + "  k: 1\n  d: {a: 1, a: 2}\n",
    ],
)
def test_duplicate_keys_are_refused(text: str) -> None:
    assert "is here twice" in refusal(text, at("data.k"))


def test_duplicate_keys_in_a_string_are_refused() -> None:
    inner = at("data.k", inside="yaml", inner_path="a")
    assert "is here twice" in refusal(HEAD + "  k: |\n    a: 1\n    a: 2\n", inner)
    inner = at("data.k", inside="json", inner_path="a")
    assert "is here twice" in refusal(HEAD + '  k: \'{"a": 1, "a": 2}\'\n', inner)


# Templates


@pytest.mark.parametrize(
    "body",
    [
        "  k: {{ .Values.k }}\n",
        '  k: "{{ .Values.k }}"\n',
        "  {{- if .x }}\n  k: 1\n  {{- end }}\n",
        '  k: 1\n  {{- include "x" . | nindent 4 }}\n',
    ],
)
def test_a_template_is_refused_as_what_it_is(body: str) -> None:
    assert "is a template ({{ }})" in refusal(HEAD + body, at("data.k"))


def test_templates_that_the_value_does_not_touch_are_left_alone() -> None:
    text = HEAD + "  # {{- if .x }}\n  k: 1\n  alert: |\n    {{ $labels.pod }}\n  q: '{{ x }}'\n"
    assert after(text, at("data.k"), "2") == text.replace("k: 1", "k: 2")


# JSON


def test_a_json_file_is_edited_as_json() -> None:
    body = {"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "\U0001f600", "n": 1, "l": ["A", "B"]}}
    for indent in (None, 2, "\t"):
        text = json.dumps(body, indent=indent)
        assert read(text, at("data.k", "m.json")) == "\U0001f600"
        assert after(text, at("data.n", "m.json"), "2") == text.replace('"n": 1', '"n": 2')
        assert after(text, at("data.k", "m.json"), "x") == text.replace('"\\ud83d\\ude00"', '"x"')
        assert json.loads(after(text, at("data.l", "m.json", format="list"), ("A", "C")))["data"]["l"] == ["A", "C"]
        assert "cannot replace the JSON value 1" in refusal(text, at("data.n", "m.json"), "many")


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_a_variable_comes_and_goes_in_a_json_file(indent: int | str | None) -> None:
    container = {"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    body = {"kind": "Pod", "metadata": {"name": "app"}, "spec": {"containers": [container]}}
    text = json.dumps(body, indent=indent)
    binding = env("C", "m.json", when_absent="insert")
    changed = after(text, binding, "3")
    assert json.loads(changed)["spec"]["containers"][0]["env"][2] == {"name": "C", "value": "3"}
    assert changed == json.dumps(json.loads(changed), indent=indent)
    assert after(changed, binding, None) == text


@pytest.mark.parametrize(
    "string",
    [
        '"{\\"a\\": 1,\n    \\"b\\": 2}"',
        '"{\\"a\\": 1,\\n\n    \\"b\\": 2}"',
        '"{\\"a\\": 1,\\\n    \\ \\"b\\": 2}"',
        "'{\"a\": ''1'', \"b\": 2}'".replace("''1''", "1"),
        '|\n    {"a": 1,\n    \t "b": 2}',
    ],
)
def test_json_in_a_string_keeps_its_own_bytes_and_its_lines(string: str) -> None:
    text = HEAD + f"  k: {string}\n  z: 1\n"
    changed = after(text, at("data.k", inside="json", inner_path="b"), "3")
    assert changed == text.replace(": 2}", ": 3}")


def test_json_with_characters_beyond_the_basic_plane_in_a_json_file() -> None:
    inner = json.dumps({"note": "\U0001f600 é", "cap": 1})
    text = json.dumps({"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": inner}})
    binding = at("data.k", "m.json", inside="json", inner_path="cap")
    assert json.loads(json.loads(after(text, binding, "2"))["data"]["k"]) == {"note": "\U0001f600 é", "cap": 2}
