"""Whatever the document and the edit: only the edited spans differ, and the inverse restores the bytes."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from stages.bindings import Binding, Value, read
from stages.proof import revert
from stages.quoting import double_quoted, plain_or_quoted, quoted, reading
from stages.splice import Change, Spliced, decode, edit, encode
from stages.yaml_spans import Style, parse

SYMBOLS = st.lists(st.from_regex(r"[A-Z]{1,5}", fullmatch=True), min_size=1, max_size=6, unique=True).map(tuple)
NAMES = st.lists(st.from_regex(r"[A-Z_]{1,12}", fullmatch=True), min_size=1, max_size=8, unique=True)
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(["yes", "010", "15:30:00", "1e3", "~", "", "live", "0.50", "a: b", "[x", "it's", "- a", "x #y"]),
    st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,2})?", fullmatch=True),
)
NEWLINES = st.sampled_from(["\n", "\r\n"])


@st.composite
def written(draw: st.DrawFn, value: str) -> str:
    """The value as YAML text, in one of the styles that can hold it on one line."""
    choices = [double_quoted(value), quoted(value, "'"), plain_or_quoted(value)]
    return draw(st.sampled_from(["", "!t ", "&mark "])) + draw(st.sampled_from(choices))


@st.composite
def pods(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A Deployment with an env list, comments and odd spacing, and what its variables say."""
    pad = draw(st.sampled_from(["", "  "]))
    lines = ["# 😀 first", "kind: Deployment", "metadata: {name: app}", "spec:", "  template:", "    spec:"]
    lines += ["      containers:", "      - name: main # the only one", "        env:"]
    said: dict[str, str] = {}
    for place, name in enumerate(draw(NAMES)):
        value = draw(TEXTS)
        said[name] = value
        text = draw(written(value)).replace("&mark", f"&m{place}")
        lines.append(f"        {pad}- name: {double_quoted(name)}")
        lines += draw(st.sampled_from([[], ["# why: é"], ["", f"        {pad}  # - name: no"]]))
        lines.append(f"        {pad}  value: {text}" + draw(st.sampled_from(["", "  # c", "   "])))
        lines += draw(st.sampled_from([[], [""], ["# between"]]))
    lines += draw(st.sampled_from([[], ["        ports: []"], ["---", "a: 1"]]))
    newline = draw(NEWLINES)
    return newline.join(lines) + draw(st.sampled_from(["", newline])), said


def check(text: str, spliced: Spliced) -> None:
    """Outside the edited spans the text is the same, and taking the edits back restores it."""
    place = after = 0
    for step in spliced.edits:
        kept = text[place : step.start]
        assert spliced.after[after : after + len(kept)] == kept
        after += len(kept)
        assert spliced.after[after : after + len(step.text)] == step.text
        after += len(step.text)
        place = step.end
    assert spliced.after[after:] == text[place:]
    assert revert(spliced.after, spliced.edits, text) == text
    for mark in (b"", b"\xef\xbb\xbf"):
        data = mark + text.encode()
        assert encode(*decode(data)) == data


def env(name: str) -> Binding:
    return Binding("m.yaml", "Deployment/app", env=name, when_absent="insert")


def says(text: str) -> dict[str, str]:
    """What another reader finds in the env list, every value as a string."""

    class Strings(yaml.BaseLoader):
        """Takes any tag for what its node is."""

    Strings.add_constructor("!t", lambda _, node: str(node.value))
    root = next(iter(yaml.load_all(text, Loader=Strings)))
    items = root["spec"]["template"]["spec"]["containers"][0]["env"]
    return {item["name"]: item["value"] for item in items}


@given(pods(), st.data())
def test_env_items_change_come_and_go_alone(pod: tuple[str, dict[str, str]], data: st.DataObject) -> None:
    text, said = pod
    assert says(text) == said
    expected = dict(said)
    changes: list[Change] = []
    for name in data.draw(st.lists(st.sampled_from(sorted(said)), unique=True)):
        value = data.draw(st.none() | TEXTS if len(expected) > 1 else TEXTS)
        changes.append(Change(env(name), value))
        if value is None:
            del expected[name]
        else:
            expected[name] = value
    for name in data.draw(st.lists(st.sampled_from(["new", "no", "Newer"]), unique=True)):
        expected[name] = data.draw(TEXTS)
        changes.append(Change(env(name), expected[name]))
    spliced = edit(text, changes)
    check(text, spliced)
    assert list(says(spliced.after).items()) == list(expected.items())


@given(pods(), TEXTS)
def test_an_inserted_item_leaves_without_a_trace(pod: tuple[str, dict[str, str]], value: str) -> None:
    text, _ = pod
    after = edit(text, [Change(env("new"), value)]).after
    assert read(after, env("new")) == value
    assert edit(after, [Change(env("new"), None)]).after == text


@given(
    st.sampled_from(["csv", "json-list", "list", "inner-flow", "inner-block", "inner-json"]),
    SYMBOLS,
    SYMBOLS,
    st.data(),
)
def test_lists_change_alone_wherever_they_stand(
    form: str, old: tuple[str, ...], new: tuple[str, ...], data: st.DataObject
) -> None:
    newline = data.draw(NEWLINES)
    quotes: Style = data.draw(st.sampled_from(['"', "'"]))
    items = [quoted(item, quotes) for item in old]
    more: dict[str, Any]
    flow = "[" + data.draw(st.sampled_from([", ", ","])).join(items) + "]"
    inside = {"inside": "yaml", "inner_path": "s[name=a].l"}
    if form == "csv":
        body, more = " " + quoted(data.draw(st.sampled_from([",", ", "])).join(old), quotes), {"format": "csv"}
    elif form == "json-list":
        body, more = " " + quoted(json.dumps(old), quotes), {"format": "json-list"}
    elif form == "list":
        body, more = data.draw(st.sampled_from([" " + flow, "".join(f"\n  - {item} # c" for item in items)])), {}
    elif form == "inner-flow":
        body, more = f" |\n    s:\n    # why\n    - name: a\n      l: {flow} # c\n\n    - name: b", inside
    elif form == "inner-block":
        lines = "".join(f"\n        - {item}" for item in items)
        body, more = f" |-\n    s:\n      - name: a\n        l:{lines}\n      - name: b", inside
    else:
        body = " " + quoted(json.dumps({"s": [{"name": "a", "l": old}, {"name": "b"}], "é": '"'}), quotes)
        more = inside | {"inside": "json"}
    binding = Binding("m.yaml", "ConfigMap/m", path="data.k", **({"format": "list"} | more))
    text = f"kind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  k:{body}\n  z: 😀 # end\n".replace("\n", newline)
    assert read(text, binding) == old
    spliced = edit(text, [Change(binding, new)])
    check(text, spliced)
    assert read(spliced.after, binding) == new
    if form != "list":
        assert edit(spliced.after, [Change(binding, old)]).after == text or len(new) == 1


@given(TEXTS)
def test_what_is_written_is_read_back_as_that_string_by_everyone(value: str) -> None:
    text = plain_or_quoted(value)
    assert yaml.safe_load(text) == value
    assert text.startswith('"') or reading(value) == "string"
    assert yaml.safe_load(double_quoted(value)) == json.loads(double_quoted(value)) == value


@given(pods(), TEXTS)
def test_an_equal_value_is_no_edit(pod: tuple[str, dict[str, str]], value: Value) -> None:
    text, said = pod
    manifest = parse(text)
    assert edit(manifest, [Change(env(name), said[name]) for name in said]).edits == ()
