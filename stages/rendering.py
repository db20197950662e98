"""Rendering: what gets deployed once Kustomize has built the manifests, before a plan and after it.

The result must build, hold the same objects, and say the values that the plan is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from posixpath import normpath
from typing import Any, Final

import yaml

from stages.bindings import locate
from stages.json_spans import parse_file
from stages.ladder import parse_value, write_value
from stages.overlays import KUSTOMIZATIONS
from stages.plan import Plan
from stages.policy import Policy
from stages.refusal import Trouble

Read = Callable[[str], bytes | None]

_REMOTE: Final = re.compile(
    r"://|^git@|^git::|\?(?:ref|version|timeout)=|^(?:github\.com|gitlab\.com|bitbucket\.org)[/:]"
)
_FILES: Final = (
    "resources",
    "bases",
    "components",
    "crds",
    "configurations",
    "transformers",
    "generators",
    "validators",
)
_PATCHES: Final = ("patches", "patchesJson6902", "patchesStrategicMerge", "replacements")
_GENERATORS: Final = ("configMapGenerator", "secretGenerator")
_TOLD: Final = 5
_CHARTS: Final = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")


@dataclass(frozen=True, slots=True)
class Material:
    """What a build reads: the files that a kustomization reaches, by their path from the repository's root."""

    folder: str
    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()
    """What only the network could give; it is taken out of the kustomizations, which then build without it."""
    missing: tuple[str, ...] = ()
    """Files that a kustomization names and that are not there."""

    @property
    def built(self) -> bool:
        """Whether there is a kustomization to build at all."""
        return bool(self.files)


@dataclass(frozen=True, slots=True)
class Built:
    """The objects of a build as YAML text, or why there are none."""

    text: str = ""
    failed: str = ""
    """What the builder said when it refused."""
    absent: str = ""
    """Why nothing could be built here at all."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What the rendered result of a plan says: what is wrong, what could not be told, and what was not looked at."""

    wrong: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    objects: int = 0
    absent: str = ""
    """Why nothing could be built here at all."""


Build = Callable[[Material], Built]


def render(policy: Policy, plan: Plan, read: Read, build: Build) -> Rendering:
    """What the plan's result says once it is built; ``read`` gives the files as they are, without the plan."""
    folder = policy.spec.target.gitops_path.strip("/")
    before = gather(read, folder)
    after = gather(lambda path: plan.contents[path] if path in plan.contents else read(path), folder)
    left_out = tuple(f"not checked: {what}" for what in after.left_out)
    if not after.built:
        return Rendering(not_checked=(f"not checked: {folder} has no kustomization to build",))
    if after.missing:
        more = f" and {len(after.missing) - _TOLD} more" if len(after.missing) > _TOLD else ""
        lacks = f"not there, though a kustomization names it: {', '.join(after.missing[:_TOLD])}{more}"
        return Rendering(wrong=(lacks,), not_checked=left_out)
    was, is_ = (build(material) for material in (before, after))
    if is_.absent:
        return Rendering(absent=f"not checked: {is_.absent}", not_checked=left_out)
    if is_.failed:
        since = ", as it did before" if was.failed else ""
        return Rendering(wrong=(f"the result does not build{since}: {is_.failed}",), not_checked=left_out)
    objects = identities(is_.text)
    wrong = () if was.failed else tuple(_changed(identities(was.text), objects))
    said = _Values(policy, plan, is_.text)
    return Rendering((*wrong, *said.wrong), tuple(said.unknown), left_out, len(objects))


def gather(read: Read, folder: str) -> Material:
    """The files that the kustomization of ``folder`` reaches, without what lies on other machines."""
    reach = _Reach(read)
    reach.visit(normpath(folder or "."))
    return Material(normpath(folder or "."), reach.files, tuple(reach.left_out), tuple(reach.missing))


Identity = tuple[str, str, str, str]
"""apiVersion, kind, namespace, name."""


def identities(text: str) -> frozenset[Identity]:
    """The objects of a build."""
    found = (one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if isinstance(one, dict))
    return frozenset(_identity(one) for one in found)


def _identity(one: Mapping[str, Any]) -> Identity:
    metadata = one.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    said = (one.get("apiVersion"), one.get("kind"), named.get("namespace"), named.get("name"))
    api, kind, namespace, name = ("" if part is None else str(part) for part in said)
    return api, kind, namespace, name


def _changed(before: frozenset[Identity], after: frozenset[Identity]) -> Iterator[str]:
    for verb, names in (("would go", before - after), ("would come", after - before)):
        yield from (f"{_said(one)} {verb}" for one in sorted(names))


def _said(one: Identity) -> str:
    api, kind, namespace, name = one
    return f"{kind}/{name} ({api}{f', namespace {namespace}' if namespace else ''})"


@dataclass(slots=True)
class _Reach:
    """Walks kustomizations and keeps what they name."""

    read: Read
    files: dict[str, bytes] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def visit(self, folder: str) -> bool:
        """Takes in the kustomization of a folder; False when it has none."""
        where = next((f"{folder}/{name}" for name in KUSTOMIZATIONS if self.read(f"{folder}/{name}") is not None), None)
        if where is None or normpath(where) in self.files:
            return where is not None
        where = normpath(where)
        content = self.read(where) or b""
        self.files[where] = content
        try:
            data = yaml.load(content, Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError):
            return True
        if isinstance(data, dict):
            local = {key: self._kept(where, key, value) for key, value in data.items() if key not in _CHARTS}
            self.left_out += [f"the Helm charts of {where}"] * any(key in data for key in _CHARTS)
            if local != data:
                self.files[where] = yaml.safe_dump(local, sort_keys=False).encode()
            for entry in _named(local):
                self._take(folder, entry)
        return True

    def _kept(self, where: str, key: str, value: Any) -> Any:
        """A list of a kustomization without what lies elsewhere."""
        if key not in _FILES or not isinstance(value, list):
            return value
        remote = [one for one in value if isinstance(one, str) and "\n" not in one and _REMOTE.search(one)]
        self.left_out += [f"{one}, which {where} takes from another machine" for one in remote]
        return [one for one in value if one not in remote]

    def _take(self, folder: str, entry: str) -> None:
        path = normpath(f"{folder}/{entry}")
        if path.startswith("..") or path in self.files:
            return
        content = self.read(path)
        if content is not None:
            self.files[path] = content
        elif not self.visit(path):
            self.missing.append(path)


def _named(data: Mapping[str, Any]) -> Iterator[str]:
    """Every file and folder that a kustomization names."""
    for key in _FILES:
        yield from (one for one in _list(data, key) if isinstance(one, str) and "\n" not in one)
    for key in _PATCHES:
        for one in _list(data, key):
            path = one.get("path") if isinstance(one, dict) else one
            if isinstance(path, str) and "\n" not in path:
                yield path
    for key in _GENERATORS:
        for one in _list(data, key):
            if isinstance(one, dict):
                yield from (str(file).rpartition("=")[2] for file in _list(one, "files"))
                yield from (str(file) for file in (*_list(one, "envs"), *([one["env"]] if one.get("env") else [])))
    schema = data.get("openapi")
    if isinstance(schema, dict) and isinstance(schema.get("path"), str):
        yield schema["path"]


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    found = data.get(key)
    return found if isinstance(found, list) else []


class _Values:
    """What the built objects say of every control that is bound, beside what the plan wants."""

    def __init__(self, policy: Policy, plan: Plan, text: str) -> None:
        self.wrong: list[str] = []
        self.unknown: list[str] = []
        try:
            manifest = parse_file(text, "the built result")
        except Trouble as trouble:
            self.unknown.append(trouble.line)
            return
        for change in plan.changes:
            control = policy.spec.controls.get(change.control)
            for spec in control.bindings if control is not None else ():
                binding = replace(spec.binding, file="the built result")
                try:
                    value = parse_value(change.unit, locate(manifest, binding).value, binding.label)
                except Trouble as trouble:
                    self.unknown.append(f"{change.control} cannot be read in the result: {trouble.line}")
                    continue
                if control is not None and not control.order.same(value, change.after):
                    said = f"the result says {_text(value)}, the plan {_text(change.after)}"
                    self.wrong.append(f"{change.control} of {spec.object}: {said}")


def _text(value: Any) -> str:
    said = write_value(value)
    return ",".join(said) if isinstance(said, tuple) else "nothing" if said is None else said
