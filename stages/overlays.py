"""What Kustomize lays over the manifests: whether a bound value is overridden before it reaches the cluster.

Only what can change a value is looked at: patches of all three kinds, replacements, images, replicas, generators that
merge into an object, and transformers. Prefixes and suffixes of names only widen the names that a patch may use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from posixpath import basename, normpath
from typing import Any, Final

import yaml

from stages.bindings import Located
from stages.paths import Key, Step
from stages.pointers import op_touches, patch_touches, path_touches
from stages.value import Struct, replace

Read = Callable[[str], bytes | None]

KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HARMLESS: Final = frozenset(
    {"PrefixTransformer", "SuffixTransformer", "PrefixSuffixTransformer", "LabelTransformer", "NamespaceTransformer"}
    | {"AnnotationsTransformer"}
)
_BUILT_IN: Final = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})
"""Kinds whose lists a strategic merge joins by name; those of any other kind are replaced whole."""


class Layer(Struct, frozen=True):
    """One kustomization: its file, its content, and the manifests it builds on, its bases' and parents' included."""

    where: str
    folder: str
    data: dict[str, Any]
    files: frozenset[str]

    def entries(self, *keys: str) -> Iterator[Any]:
        """The items of lists in it, in order."""
        for key in keys:
            found = self.data.get(key)
            yield from found if isinstance(found, list) else ()

    def path(self, entry: str) -> str:
        """A file that it names, from the repository's root."""
        return normpath(f"{self.folder}/{entry}")


class Overlays:
    """The kustomizations that are built for a folder, read once."""

    def __init__(self, read: Read, folder: str) -> None:
        self._read = read
        self._folder = normpath(folder or ".")
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}
        self._above: dict[str, list[Layer]] = {}

    def overriding(self, path: str, located: Located) -> str:
        """Why what ``path`` says is not what gets deployed; empty where it is."""
        layers = self._layers(path)
        names = _names(located, layers)
        for layer in layers:
            for why in self._overrides(layer, located, names):
                return f"{layer.where} overrides it: {why}"
        return ""

    def _layers(self, path: str) -> list[Layer]:
        """The kustomizations that build on a file, looked for where it lies first and everywhere only then."""
        if path not in self._above:
            near = [layer for layer in self._visit(self._folder, frozenset(), path) if path in layer.files]
            everywhere = near or self._visit(self._folder, frozenset(), "")
            self._above[path] = [layer for layer in everywhere if path in layer.files]
        return self._above[path]

    def _visit(self, folder: str, around: frozenset[str], path: str) -> list[Layer]:
        """The kustomizations of a folder and beneath it on the way to ``path``; ``around`` are those that led here."""
        where, data = self._kustomization(folder)
        if not where or folder in around:
            return []
        own, around = Layer(where, folder, data, frozenset()), around | {folder}
        beneath: list[Layer] = []
        files: set[str] = set()
        for entry in own.entries("resources", "bases"):
            if not isinstance(entry, str) or "://" in entry:
                continue
            at = own.path(entry)
            files.add(at)
            on_the_way = path.startswith(f"{at}/") or not at.startswith(f"{folder}/")
            if not entry.endswith((".yaml", ".yml", ".json")) and (on_the_way or not path):
                beneath += self._visit(at, around, path)
        files |= {file for layer in beneath for file in layer.files}
        for entry in own.entries("components"):
            parts = self._visit(own.path(str(entry)), around, path)
            beneath += [replace(part, files=part.files | files) for part in parts]
        return [replace(own, files=frozenset(files)), *beneath]

    def _kustomization(self, folder: str) -> tuple[str, dict[str, Any]]:
        """The kustomization file of a folder and what it says; empty where it has none."""
        if folder not in self._known:
            self._known[folder] = ("", {})
            for name in KUSTOMIZATIONS:
                where = normpath(f"{folder}/{name}")
                if (content := self._read(where)) is not None:
                    self._known[folder] = (where, _mapping(content))
                    break
        return self._known[folder]

    def _overrides(self, layer: Layer, located: Located, names: frozenset[str]) -> Iterator[str]:
        kind, steps = located.binding.object.partition("/")[0], located.steps
        yield from self._patched(layer, located, names)
        for one in self._replacements(layer):
            for target in _dicts(one.get("targets")):
                fields = [str(field) for field in target.get("fieldPaths") or ["metadata.name"]]
                if _selects(target.get("select"), kind, names) and any(path_touches(f, steps) for f in fields):
                    yield "a replacement writes it"
        if any(layer.entries("images")) and isinstance(steps[-1], Key) and steps[-1].name == "image":
            yield "images sets the image"
        counted = {one.get("name") for one in _dicts(layer.data.get("replicas"))}
        if steps == (Key("spec"), Key("replicas")) and counted & names:
            yield "replicas sets the number"
        for generator in _dicts(layer.data.get(f"{kind[:1].lower()}{kind[1:]}Generator")):
            if generator.get("name") in names and _generates(generator, steps):
                yield f"{kind[:1].lower()}{kind[1:]}Generator {generator.get('behavior')}s it"
        for entry in layer.entries("transformers"):
            found = _documents(entry if "\n" in str(entry) else self._read(layer.path(str(entry))))
            if not found or any(not isinstance(one, dict) or one.get("kind") not in _HARMLESS for one in found):
                yield f"what the transformer {str(entry).splitlines()[0]} changes cannot be told"

    def _patched(self, layer: Layer, located: Located, names: frozenset[str]) -> Iterator[str]:
        kind = located.binding.object.partition("/")[0]
        for what, target, text in self._patches(layer):
            if target is not None and not _selects(target, kind, names):
                continue
            found = _documents(text)
            if not found:
                yield f"{what} cannot be read"
            for patch in found:
                meant = target is not None or (isinstance(patch, dict) and _is(patch, kind, names))
                if meant and _touches(patch, located, kind):
                    yield f"{what} writes it"

    def _patches(self, layer: Layer) -> Iterator[tuple[str, dict[str, Any] | None, str | bytes | None]]:
        """Every patch of a layer: its name, its target where it has one of its own, and its text."""
        for entry in layer.entries("patches", "patchesJson6902", "patchesStrategicMerge"):
            if isinstance(entry, str):
                inline = "\n" in entry
                yield "a patch" if inline else f"the patch {entry}", None, entry if inline else self._file(layer, entry)
            elif isinstance(entry, dict):
                file, target = entry.get("path"), entry.get("target")
                text = entry.get("patch") if file is None else self._file(layer, str(file))
                yield f"the patch {file}" if file else "a patch", target if isinstance(target, dict) else None, text

    def _replacements(self, layer: Layer) -> Iterator[dict[str, Any]]:
        for entry in _dicts(layer.data.get("replacements")):
            if "path" not in entry:
                yield entry
                continue
            for document in _documents(self._file(layer, str(entry["path"]))):
                yield from _dicts(document if isinstance(document, list) else [document])

    def _file(self, layer: Layer, entry: str) -> bytes | None:
        return self._read(layer.path(entry))


def _names(located: Located, layers: list[Layer]) -> frozenset[str]:
    """The object's name as it is written, and as each layer's prefix and suffix make it."""
    names = {located.binding.object.partition("/")[2]}
    for layer in reversed(layers):
        prefix, suffix = str(layer.data.get("namePrefix") or ""), str(layer.data.get("nameSuffix") or "")
        names |= {f"{prefix}{name}{suffix}" for name in names}
    return frozenset(names)


def _selects(target: Any, kind: str, names: frozenset[str]) -> bool:
    """Whether a target or selector may mean the object; labels are taken to fit, patterns match whole names."""
    if not isinstance(target, dict):
        return False
    return _fits(target.get("kind"), frozenset({kind})) and _fits(target.get("name"), names)


def _fits(pattern: Any, names: frozenset[str]) -> bool:
    try:
        return not pattern or any(re.fullmatch(str(pattern), name) for name in names)
    except re.error:
        return True


def _touches(patch: Any, located: Located, kind: str) -> bool:
    if isinstance(patch, list):
        ops = _dicts(patch)
        return any(op_touches(ops, number, located) for number in range(len(ops)))
    return patch_touches(patch, located.steps, lists_join=kind in _BUILT_IN)


def _is(patch: dict[str, Any], kind: str, names: frozenset[str]) -> bool:
    metadata = patch.get("metadata")
    return patch.get("kind") == kind and isinstance(metadata, dict) and metadata.get("name") in names


def _generates(generator: dict[str, Any], steps: tuple[Step, ...]) -> bool:
    """Whether a generator that merges into the object, or replaces it, writes the value."""
    behavior, key = generator.get("behavior"), steps[1] if len(steps) > 1 else None
    if behavior != "merge" or not isinstance(key, Key) or generator.get("envs") or generator.get("env"):
        return behavior in ("merge", "replace")
    literals = {str(one).partition("=")[0] for one in generator.get("literals") or ()}
    files = {basename(str(one).partition("=")[0]) for one in generator.get("files") or ()}
    return key.name in literals | files


def _mapping(content: bytes | None) -> dict[str, Any]:
    found = _documents(content)
    return found[0] if found and isinstance(found[0], dict) else {}


def _documents(content: str | bytes | None) -> list[Any]:
    """The documents of a YAML text, none where it cannot be read."""
    try:
        return [one for one in yaml.load_all(content or "", Loader=yaml.CSafeLoader) if one is not None]
    except (yaml.YAMLError, ValueError):
        return []


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
