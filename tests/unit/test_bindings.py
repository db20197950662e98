"""Bindings: the path language, object selection, and what is read where."""

from __future__ import annotations

import pytest

from stages.bindings import Binding, locate, read
from stages.paths import Index, Key, Select, Step, parse_path
from stages.refusal import Trouble
from stages.yaml_spans import Mapping, Scalar, Sequence, parse

TEXT = """\
apiVersion: v1
kind: Service
metadata: {name: app}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: main
          env:
            - name: MODE
              # why it is live
              value: live
            - name: CAP
              value: "500"
            - name: SECRET
              valueFrom: {secretKeyRef: {name: s, key: k}}
            - name: BARE
            - name: SYMBOLS
              value: "NVDA, AMD"
            - name: LIST
              value: '["NVDA", "AMD"]'
            - name: TWICE
              value: a
            - name: TWICE
              value: b
            - name: SHARED
              value: &shared x
            - name: REPEATED
              value: *shared
---
kind: ConfigMap
metadata: {name: catalog}
data:
  plain: text
  "odd key.yaml": |
    strategies:
      - name: one
        symbols: [A, B]
        cap: 0.5
      - name: two
        symbols:
          - C
          - D
      - {name: same}
      - {name: same}
  json: '{"routes": [{"w": 0.5, "n": "it''s"}]}'
  empty: ""
  list: [a, {b: c}]
"""
APP = "Deployment/app"
MAP = "ConfigMap/catalog"


def env(name: str, **more) -> Binding:
    return Binding("m.yaml", APP, env=name, **more)


def path(path: str, **more) -> Binding:
    return Binding("m.yaml", MAP, path=path, **more)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 1),
        ("a..b", 3),
        (".a", 1),
        ("a.", 3),
        ("a[", 2),
        ("a[x]", 2),
        ('a["x]', 2),
        ("a b", 2),
        ("a[0]b", 5),
        ("[=v]", 1),
    ],
)
def test_a_path_that_makes_no_sense_is_a_trouble_at_its_character(text: str, at: int) -> None:
    with pytest.raises(Trouble, match=f"wrong at character {at}:") as trouble:
        parse_path(text)
    assert "[name=value]" in trouble.value.fix


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a.b-c.d/e", (Key("a"), Key("b-c"), Key("d/e"))),
        ('data["a.b]c"].x', (Key("data"), Key("a.b]c"), Key("x"))),
        ("data['a.b']", (Key("data"), Key("a.b"))),
        ("a[0][12].b", (Key("a"), Index(0), Index(12), Key("b"))),
        ("s[name=x-v1.2].y", (Key("s"), Select("name", "x-v1.2"), Key("y"))),
        ('s[name="a]b"]', (Key("s"), Select("name", "a]b"))),
        ("[name=x]", (Select("name", "x"),)),
    ],
)
def test_paths(text: str, steps: tuple[Step, ...]) -> None:
    assert parse_path(text) == steps


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"object": "Deployment"}, "not Kind/name"),
        ({"object": APP}, "either env or path"),
        ({"object": APP, "env": "A", "path": "b"}, "either env or path"),
        ({"object": APP, "path": "a", "inside": "yaml"}, "inside and innerPath together"),
        ({"object": APP, "path": "a", "inner_path": "b"}, "inside and innerPath together"),
        ({"object": APP, "path": "a", "when_absent": "insert"}, "go with env"),
        ({"object": APP, "path": "a", "container": "c"}, "go with env"),
        ({"object": APP, "env": "A", "inside": "json", "inner_path": "b", "when_absent": "insert"}, "cannot insert"),
        ({"object": APP, "env": "A", "format": "list"}, "holds a string"),
        ({"object": APP, "path": "a..b"}, "wrong at character 3"),
    ],
)
def test_a_binding_that_makes_no_sense_does_not_exist(fields: dict, problem: str) -> None:
    with pytest.raises(Trouble, match=problem):
        Binding("m.yaml", **fields)


@pytest.mark.parametrize(
    ("binding", "problem", "line"),
    [
        (Binding("m.yaml", "Deployment/other", path="spec"), "matches nothing: the file has no Deployment/other", None),
        (env("NONE"), "matches nothing: there is no variable NONE", 16),
        (env("SECRET"), "valueFrom", 21),
        (env("TWICE"), "several things: the variable stands on lines 28, 30", 28),
        (env("REPEATED"), "is the alias *shared", 35),
        (env("SHARED"), "under the anchor &shared", 33),
        (env("MODE", container="side"), "no container named side", 14),
        (env("MODE", format="json-list"), "not readable as JSON", 18),
        (path("data.plan"), "no key 'plan'; did you mean 'plain'?", 40),
        (path("data.plain.x"), "needs a mapping here", 40),
        (path("data[0]"), "needs a list here", 40),
        (path("data.list[7]"), "2 items, none at [7]", 54),
        (path("data.list"), "a single value is needed", 54),
        (path("data.list", format="list"), "a single value is needed", 54),
        (path("data.plain", format="list"), "a list is needed", 40),
        (
            path('data["odd key.yaml"]', inside="yaml", inner_path="strategies[name=three]"),
            "no item has name=three",
            None,
        ),
        (path('data["odd key.yaml"]', inside="yaml", inner_path="strategies[name=same].x"), "several things", None),
        (path('data["odd key.yaml"]', inside="json", inner_path="x"), "not readable as JSON", None),
        (path("data.empty", inside="yaml", inner_path="x"), "matches nothing: the string is empty", 53),
    ],
)
def test_what_cannot_be_located_is_a_trouble_in_its_line(binding: Binding, problem: str, line: int | None) -> None:
    with pytest.raises(Trouble) as trouble:
        locate(TEXT, binding)
    assert problem in trouble.value.line
    assert trouble.value.where.startswith(f"m.yaml:{line}" if line else "m.yaml")
    assert trouble.value.fix


def test_two_objects_of_one_name_and_two_containers_are_several_things() -> None:
    with pytest.raises(Trouble, match="several things: Deployment/app begins on lines 5, 56"):
        read(TEXT + "---\nkind: Deployment\nmetadata: {name: app}\n", env("MODE"))
    second = TEXT.replace("---\nkind: ConfigMap", "        - name: side\n          env: []\n---\nkind: ConfigMap")
    with pytest.raises(Trouble, match="there are 2 containers; name one with container:"):
        read(second, env("MODE"))
    assert read(second, env("MODE", container="main")) == "live"


@pytest.mark.parametrize(
    ("binding", "value", "span", "style"),
    [
        (env("MODE"), "live", "live", "plain"),
        (env("CAP"), "500", '"500"', '"'),
        (env("SYMBOLS"), "NVDA, AMD", '"NVDA, AMD"', '"'),
        (env("SYMBOLS", format="csv"), ("NVDA", "AMD"), '"NVDA, AMD"', '"'),
        (env("LIST", format="json-list"), ("NVDA", "AMD"), '["NVDA", "AMD"]', "flow"),
        (env("BARE"), "", "", None),
        (env("NONE", when_absent="insert"), None, "", None),
        (Binding("m.yaml", APP, path="spec.replicas"), "1", "1", "plain"),
        (path("data.empty", format="csv"), (), '""', '"'),
        (path("data.list[0]"), "a", "a", "plain"),
        (
            path('data["odd key.yaml"]', inside="yaml", inner_path="strategies[name=one].symbols", format="list"),
            ("A", "B"),
            "[A, B]",
            "flow",
        ),
        (path('data["odd key.yaml"]', inside="yaml", inner_path="strategies[0].cap"), "0.5", "0.5", "plain"),
        (
            path('data["odd key.yaml"]', inside="yaml", inner_path="strategies[name=two].symbols", format="list"),
            ("C", "D"),
            "- C\n          - D",
            "block",
        ),
        (path("data.json", inside="json", inner_path="routes[0].w"), "0.5", "0.5", "plain"),
        (path("data.json", inside="json", inner_path="routes[0].n"), "it's", "\"it''s\"", '"'),
    ],
)
def test_a_binding_reads_its_value_and_knows_its_text(binding: Binding, value: object, span: str, style: str) -> None:
    located = locate(TEXT, binding)
    assert located.value == read(TEXT, binding) == value
    assert TEXT[slice(*located.span)] == span
    assert located.style == style
    assert located.line == TEXT.count("\n", 0, located.span[0]) + 1


def env_names(root: Mapping) -> list[str]:
    spec = root
    for key in ("spec", "template", "spec"):
        node = spec.get(key)
        assert isinstance(node, Mapping)
        spec = node
    containers = spec.get("containers")
    assert isinstance(containers, Sequence)
    assert isinstance(containers.items[0], Mapping)
    items = containers.items[0].get("env")
    assert isinstance(items, Sequence)
    named = [item.get("name") for item in items.items if isinstance(item, Mapping) and item.get("valueFrom") is None]
    return [name.value for name in named if isinstance(name, Scalar)]


@pytest.mark.parametrize(
    ("file", "target", "count"),
    [
        ("scheduler-deployment.yaml", "Deployment/torghut-scheduler", 164),
        ("knative-service.yaml", "Service/torghut", 162),
        ("knative-service-sim.yaml", "Service/torghut-sim", 199),
    ],
)
def test_every_env_value_of_the_real_manifests_is_located(torghut_folder, file: str, target: str, count: int) -> None:
    manifest = parse((torghut_folder / "manifests" / file).read_text(), file)
    root = manifest.documents[0].root
    assert isinstance(root, Mapping)
    names = env_names(root)
    assert len(names) == count
    for name in names:
        assert isinstance(read(manifest, Binding(file, target, env=name)), str)
    assert read(manifest, Binding(file, target, env="TRADING_KILL_SWITCH_ENABLED")) == "false"


def test_the_universe_of_the_real_manifests_is_one(torghut_folder) -> None:
    manifests = torghut_folder / "manifests"
    universe = ("NVDA", "AVGO", "AMD", "MU", "MRVL", "CRDO", "COHR", "LITE", "SNDK", "WDC")
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
        assert read((manifests / binding.file).read_text(), binding) == universe
