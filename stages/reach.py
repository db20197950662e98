"""Reach: the files that the kustomization of a folder leads to, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from posixpath import normpath
from typing import Any, Final

import yaml

from stages.overlays import KUSTOMIZATIONS
from stages.value import Struct, field

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
_CHARTS: Final = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")


class Material(Struct, frozen=True):
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


def gather(read: Read, folder: str) -> Material:
    """The files that the kustomization of ``folder`` reaches, without what lies on other machines."""
    reach = _Reach(read)
    reach.visit(normpath(folder or "."))
    return Material(normpath(folder or "."), reach.files, tuple(reach.left_out), tuple(reach.missing))


class _Reach(Struct):
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
