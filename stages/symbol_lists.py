"""Lists of symbols that a change of the universe would leave behind: what says the same and is bound by nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from stages.bindings import split_csv
from stages.embedded import Edit, Embedded, embed
from stages.ladder import Unit
from stages.policy import Policy
from stages.refusal import Trouble
from stages.standing import Manifests
from stages.value import Struct
from stages.yaml_spans import Manifest, Mapping, Node, Scalar, Sequence

UNIVERSE: Final = "universe"
_SEVERAL: Final = 2
"""Below as many symbols, a list that merely holds them says nothing of where they came from."""


class _Text(Struct, frozen=True):
    """A text that is looked through: a file's document, or one in a string of it."""

    manifest: Manifest
    hosts: tuple[Embedded, ...] = ()

    def span(self, node: Node) -> tuple[int, int]:
        """Where a node of this text stands in the file."""
        edit = Edit(node.start, node.end, "")
        for host in reversed(self.hosts):
            edit = host.outward(edit)
        return edit.start, edit.end


def left_behind(policy: Policy, manifests: Manifests, universe: Collection[str]) -> Iterator[str]:
    """Every list that equals or holds ``universe`` and that no control is bound to, in the files that the policy names
    and in those that the target's kustomization reaches.

    Lists of objects that the control names as ``apart`` belong to somebody else and are left out.
    """
    if not universe:
        return
    spec = policy.spec.controls[UNIVERSE]
    apart = {(one.file, one.object) for one in spec.apart}
    bound = set(_bound(policy, manifests))
    named = {manifests.path(file): file for file in _files(policy)}
    reached = {manifests.path(file): file for file in manifests.reached()}
    for path, file in (reached | named).items():
        try:
            if not all(symbol.encode() in manifests.bytes(file) for symbol in universe):
                continue
            manifest = manifests.parsed(file)
        except Trouble as trouble:
            # Of a file that the policy names, the binding that needs it says so.
            if path not in named and (file, "") not in apart:
                yield f"{UNIVERSE}: {trouble.line}; so nobody can say which symbols it lists"
            continue
        for name, span, symbols in _found(manifest, frozenset(universe)):
            if (path, span) not in bound and (file, name) not in apart:
                where = manifest.at(manifest.text.count("\n", 0, span[0]) + 1)
                yield (
                    f"{UNIVERSE}: {where}: {name or 'a document'} lists {','.join(symbols)}, and no control is bound "
                    "to it; bind it, or name its object under apart with the reason"
                )


def _found(manifest: Manifest, universe: frozenset[str]) -> Iterator[tuple[str, tuple[int, int], tuple[str, ...]]]:
    """The lists of a file: of which object, where, and what they hold."""
    for tree in manifest.documents:
        name = _name(tree.root)
        yield from ((name, *found) for found in _lists(_Text(manifest), tree.root, universe))


def _files(policy: Policy) -> tuple[str, ...]:
    """The files that the policy names, each once."""
    bindings = [binding.file for control in policy.spec.controls.values() for binding in control.bindings]
    mirrors = [side.file for mirror in policy.spec.mirrors for side in (mirror.of, mirror.like)]
    digests = [pin.digest for pin in policy.spec.pins.values() if pin.digest is not None]
    documents = [digest.of.file for digest in digests]
    written = [place.file for digest in digests for place in digest.written]
    return tuple(dict.fromkeys((*bindings, *mirrors, *documents, *written)))


def _bound(policy: Policy, manifests: Manifests) -> Iterator[tuple[str, tuple[int, int]]]:
    for spec in policy.spec.controls.values():
        for number, binding in enumerate(spec.bindings if spec.unit is Unit.SYMBOLS else ()):
            try:
                yield manifests.path(binding.file), manifests.located(spec, number).span
            except Trouble:
                continue  # a plan says by itself what it cannot find


def _lists(text: _Text, node: Node, universe: frozenset[str]) -> Iterator[tuple[tuple[int, int], tuple[str, ...]]]:
    """Every list of symbols in a node and in the documents of its strings, with its span in the file."""
    if isinstance(node, Mapping):
        for _, value in node.pairs:
            yield from _lists(text, value, universe)
    elif isinstance(node, Sequence):
        items = tuple(item.value for item in node.items if isinstance(item, Scalar))
        if len(items) == len(node.items) and _same(items, universe):
            yield text.span(node), items
            return
        for item in node.items:
            yield from _lists(text, item, universe)
    elif isinstance(node, Scalar) and all(symbol in node.value for symbol in universe):
        items = split_csv(node.value)
        if len(items) >= _SEVERAL and _same(items, universe):
            yield text.span(node), items
        elif (held := _held(text, node)) is not None:
            yield from _lists(held, held.manifest.documents[0].root, universe)


def _same(items: tuple[str, ...], universe: frozenset[str]) -> bool:
    return universe == set(items) or (len(universe) >= _SEVERAL and universe < set(items))


def _held(text: _Text, node: Scalar) -> _Text | None:
    """The one document that a string holds; None where it holds none."""
    said = node.value.lstrip()
    if not said.startswith(("{", "[")) and "\n" not in said.rstrip():
        return None
    try:
        host = embed(text.manifest, node, "json" if said.startswith(("{", "[")) else "yaml")
    except Trouble:
        return None  # a program, a page: text that is no document
    one = len(host.manifest.documents) == 1 and not isinstance(host.manifest.documents[0].root, Scalar)
    return _Text(host.manifest, (*text.hosts, host)) if one else None


def _name(root: Node) -> str:
    """``Kind/name`` of an object; empty for anything else."""
    metadata = root.get("metadata") if isinstance(root, Mapping) else None
    kind = root.get("kind") if isinstance(root, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{kind.value}/{name.value}" if isinstance(kind, Scalar) and isinstance(name, Scalar) else ""
