"""What Kustomize lays over a manifest: a bound value that it overrides is refused with the reason, others stand."""

from __future__ import annotations

import pytest

from stages.bindings import Binding, locate
from stages.overlays import Overlays

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: main
          image: app:1
          env:
            - {name: A, value: "1"}
            - {name: B, value: "2"}
"""
CONFIG = "kind: ConfigMap\nmetadata: {name: m}\ndata: {k: one, other: two}\n"
A = Binding("base/app.yaml", "Deployment/app", env="A")
K = Binding("base/config.yaml", "ConfigMap/m", path="data.k")
BASE = {
    "x/base/kustomization.yaml": "resources: [app.yaml, config.yaml]\nnamePrefix: my-\n",
    "x/base/app.yaml": DEPLOYMENT,
    "x/base/config.yaml": CONFIG,
}


def replaced(select: str, field: str) -> str:
    targets = f"[{{select: {select}, fieldPaths: ['{field}']}}]"
    return f"resources: [base]\nreplacements: [{{source: {{kind: X}}, targets: {targets}}}]\n"


def why(binding: Binding, kustomization: str, folder: str = "x", **files: str) -> str:
    """Why the overlay in ``folder`` overrides what the base says; ``files`` are read beside it."""
    held = BASE | {f"{folder}/kustomization.yaml": kustomization}
    held |= {f"{folder}/{name}.yaml": text for name, text in files.items()}
    path = f"x/{binding.file}"
    overlays = Overlays(lambda at: held[at].encode() if at in held else None, folder)
    return overlays.overriding(path, locate(held[path], binding))


def patched(body: str, target: str = "") -> str:
    lines = "".join(f"      {line}\n" for line in body.splitlines())
    return f"resources: [base]\npatches:\n  - patch: |-\n{lines}" + (f"    target: {target}\n" if target else "")


def merge(spec: str, name: str = "app", kind: str = "Deployment") -> str:
    return f"kind: {kind}\nmetadata: {{name: {name}}}\n{spec}\n"


def container(env: str) -> str:
    return f"spec: {{template: {{spec: {{containers: [{{name: main, env: {env}}}]}}}}}}"


@pytest.mark.parametrize(
    ("binding", "text"),
    [
        (A, patched(merge(container('[{name: A, value: "9"}]')))),
        (A, patched(merge(container('[{name: A, value: "9"}]'), name="my-app"))),
        (A, patched(merge(container("[{name: A, valueFrom: {configMapKeyRef: {name: m, key: k}}}]")))),
        (A, patched(merge(container("[{name: A, $patch: delete}]")))),
        (A, patched(merge(container("[{$patch: replace}, {name: Z}]")))),
        (A, patched(merge("$patch: delete"))),
        (A, patched(merge("spec: null"))),
        (A, patched(merge(container("[{name: A}]"), name="any"), "{kind: Deployment, name: my-.*}")),
        (A, patched('[{op: replace, path: /spec/template/spec/containers/0/env/0/value, value: "9"}]', "{name: app}")),
        (A, patched("[{op: remove, path: /spec/template/spec/containers/0/env}]", "{kind: Deployment}")),
        (A, patched("[{op: add, path: /spec/template/spec/containers/0/env/-, value: {name: A}}]", "{name: app}")),
        (K, patched(merge("data: {k: nine}", "m", "ConfigMap"))),
        (K, patched("[{op: replace, path: /data/k, value: nine}]", "{kind: ConfigMap}")),
        (K, "resources: [base]\nconfigMapGenerator: [{name: m, behavior: merge, literals: [k=nine]}]\n"),
        (K, "resources: [base]\nconfigMapGenerator: [{name: my-m, behavior: merge, files: [some/k]}]\n"),
        (K, "resources: [base]\nconfigMapGenerator: [{name: m, behavior: merge, envs: [some]}]\n"),
        (K, "resources: [base]\nconfigMapGenerator: [{name: m, behavior: replace, literals: [z=nine]}]\n"),
        (K, replaced("{kind: ConfigMap}", "data.k")),
        (A, replaced("{name: app}", "spec.template.spec.containers.[name=main].env.[name=A].value")),
        (A, "resources: [base]\ntransformers: [nowhere.yaml]\n"),
        (Binding("base/app.yaml", "Deployment/app", path="spec.replicas"),
         "resources: [base]\nreplicas: [{name: app, count: 3}]\n"),
        (Binding("base/app.yaml", "Deployment/app", path="spec.template.spec.containers[name=main].image"),
         "resources: [base]\nimages: [{name: app, newTag: '2'}]\n"),
    ],
)  # fmt: skip
def test_an_overridden_value_is_said_with_its_kustomization(binding: Binding, text: str) -> None:
    said = why(binding, text)
    assert said.startswith("x/kustomization.yaml overrides it: ")


@pytest.mark.parametrize(
    ("binding", "text"),
    [
        (A, "resources: [base]\n"),
        (A, "resources: [base]\nnamePrefix: your-\nnameSuffix: -x\nnamespace: n\ncommonLabels: {a: b}\n"),
        (A, "resources: [base]\nimages: [{name: app, newTag: '2'}]\nreplicas: [{name: app, count: 3}]\n"),
        (A, patched(merge(container('[{name: B, value: "9"}]')))),
        (A, patched(merge(container('[{name: A, value: "9"}]'), name="other"))),
        (A, patched(merge(container('[{name: A, value: "9"}]'), kind="StatefulSet"))),
        (A, patched(merge(container('[{name: A, value: "9"}]')), "{kind: Deployment, name: app-.*}")),
        (A, patched('[{op: replace, path: /spec/template/spec/containers/0/env/1/value, value: "9"}]', "{name: app}")),
        (A, patched("[{op: add, path: /spec/template/spec/containers/0/env/-, value: {name: C}}]", "{name: app}")),
        (A, patched("[{op: test, path: /spec}]", "{name: app}")),
        (K, patched(merge("data: {other: nine}", "m", "ConfigMap"))),
        (K, "resources: [base]\nconfigMapGenerator: [{name: m, behavior: merge, literals: [other=nine]}]\n"),
        (K, "resources: [base]\nconfigMapGenerator: [{name: n, behavior: merge, literals: [k=nine]}]\n"),
        (K, replaced("{kind: ConfigMap}", "data.other")),
        (K, patched(merge("data: {k: nine}", "m", "ConfigMap")).replace("[base]", "[]")),
        (K, "not: [valid"),
    ],
)  # fmt: skip
def test_an_overlay_that_leaves_the_value_alone_is_no_reason(binding: Binding, text: str) -> None:
    assert why(binding, text) == ""


def test_an_overlay_beside_the_base_and_its_components_are_followed() -> None:
    text = "resources: [../../base]\ncomponents: [part]\n"
    part = patched(merge("data: {k: nine}", "m", "ConfigMap")).removeprefix("resources: [base]\n")
    assert why(K, text, "x/over/prod") == ""
    said = why(K, text, "x/over/prod", **{"part/kustomization": part})
    assert said == "x/over/prod/part/kustomization.yaml overrides it: a patch writes it"


def test_a_patch_in_a_file_is_read_and_one_that_is_missing_is_said() -> None:
    text = "bases: [base]\npatchesStrategicMerge: [patch.yaml]\n"
    assert why(K, text, patch=merge("data: {k: nine}", "m", "ConfigMap")).endswith("the patch patch.yaml writes it")
    assert why(K, text, patch=merge("data: {z: nine}", "m", "ConfigMap")) == ""
    assert why(K, text).endswith("the patch patch.yaml cannot be read")


def test_a_list_of_a_kind_that_kustomize_does_not_know_is_replaced_whole() -> None:
    text = DEPLOYMENT.replace("Deployment", "Service")
    binding = Binding("svc.yaml", "Service/app", env="A")
    files = {"x/svc.yaml": text, "x/kustomization.yaml": "resources: [svc.yaml]\n" + patched(
        merge(container("[{name: B}]"), kind="Service")).removeprefix("resources: [base]\n")}  # fmt: skip
    overlays = Overlays(lambda at: files[at].encode() if at in files else None, "x")
    assert "a patch writes it" in overlays.overriding("x/svc.yaml", locate(text, binding))


def test_kustomizations_that_include_each_other_come_to_an_end() -> None:
    assert why(A, "resources: [base, .]\n") == ""
