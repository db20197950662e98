"""Digests that pin a document: what a file says the document's digest is, and what a plan has to write with it.

A digest is the SHA-256 of the document as canonical JSON. Whether it is computed as the target does is never believed:
the document of today must give the digest that is written today, or nothing that the pin holds is planned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import rfc8785

from stages.bindings import Binding, locate, object_of
from stages.json_spans import parse_json
from stages.moves import Rewrite, rewrite
from stages.paths import parse_path, walk
from stages.policy import BindingSpec, DigestSpec, DocumentSpec, Policy
from stages.quoting import reading
from stages.refusal import Trouble
from stages.splice import Change
from stages.standing import Manifests
from stages.yaml_spans import Alias, Manifest, Node, Scalar, Tree, parse
from stages.yaml_spans import Sequence as Items

Wanted = Mapping[str, Sequence[tuple[str, Change]]]
"""The changes of each file, each with the name that it is refused by."""
Trees = Mapping[str, Manifest]
"""New trees of edited files by their path from the repository's root."""

_SHOWN: Final = 19
"""Characters of a digest in a message: ``sha256:`` and as many as Git shows."""


def complete(policy: Policy, manifests: Manifests, wanted: Wanted) -> tuple[tuple[Rewrite, ...], tuple[str, ...]]:
    """The new text of every file with the digests of what it changes, and what is refused, each with the reason.

    Two passes for each pin: the values, then the digest of the new text. Where a digest cannot be written the document
    stays as it is, for half of such a change keeps the target from starting.
    """
    written, failures = rewrite(manifests, wanted)
    refusals: list[str] = []
    for name, pin in policy.spec.pins.items():
        if pin.digest is None:
            continue
        trees = _trees(written)
        try:
            companions = _companions(pin.digest, manifests, trees, f"pin {name}")
            if not companions:
                continue
            with_digest = {file: [*wanted.get(file, ()), *companions.get(file, ())] for file in {*wanted, *companions}}
            again, failed = rewrite(manifests, with_digest)
            if left := [one for one in failed if one not in failures]:
                raise Trouble("; ".join(left), where=name, fix="correct where the digest is written")
            if any(_parted(pin.digest, manifests, _trees(again))):
                what = "the digest stands in the document that it is the digest of"
                raise Trouble(what, where=pin.digest.of.file, fix="write it elsewhere")
        except Trouble as trouble:
            refusals.append(f"pin {name}: {trouble.line}")
            if _changes(pin.digest, manifests, trees):
                wanted = _without(policy, manifests, wanted, name)
                written, failures = rewrite(manifests, wanted)
        else:
            wanted, written, failures = with_digest, again, failed
    return written, (*failures, *refusals)


def disagreements(policy: Policy, manifests: Manifests) -> Iterator[str]:
    """Every digest that is not its document's, or cannot be compared with it."""
    for name, pin in policy.spec.pins.items():
        if pin.digest is None:
            continue
        try:
            yield from (f"pin {name}: {said}" for said in _parted(pin.digest, manifests, {}))
        except Trouble as trouble:
            yield f"pin {name}: {trouble.line}"


def digest_of(data: object, form: str = "sorted") -> str:
    """SHA-256 in hex of plain data as JSON: ``sorted`` keys without blanks as Python writes them, or ``rfc8785``."""
    if form == "rfc8785":
        return hashlib.sha256(rfc8785.dumps(data)).hexdigest()  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _companions(spec: DigestSpec, manifests: Manifests, trees: Trees, name: str) -> dict[str, list[tuple[str, Change]]]:
    """The digests that go with the changed document.

    Raises Trouble where today's do not fit today's document: any of them where it changes, else those in edited files.
    """
    changes_it = _changes(spec, manifests, trees)
    places = [place for place in spec.written if changes_it or manifests.path(place.file) in trees]
    if parted := list(_parted(spec, manifests, {}, places)):
        raise Trouble("; ".join(parted), where=spec.of.file, fix="bring the digest and its document together first")
    if not changes_it:
        return {}
    new = _digest(spec, manifests, trees)
    changes: dict[str, list[tuple[str, Change]]] = {}
    for place in spec.written:
        changes.setdefault(place.file, []).append((name, Change(place.binding, new)))
    return changes


def _changes(spec: DigestSpec, manifests: Manifests, trees: Trees) -> bool:
    """Whether the document is another one in the new trees; one that cannot be read is."""
    if manifests.path(spec.of.file) not in trees:
        return False
    try:
        return _digest(spec, manifests, trees) != _digest(spec, manifests, {})
    except Trouble:
        return True


def _without(policy: Policy, manifests: Manifests, wanted: Wanted, pin: str) -> Wanted:
    """The changes but for those of the pin's controls; where its document still changes, but for all of its file."""
    held = {name for name, control in policy.spec.controls.items() if control.pinned_by == pin}
    rest = {file: [one for one in changes if one[0] not in held] for file, changes in wanted.items()}
    spec = policy.spec.pins[pin].digest
    if spec is not None and _changes(spec, manifests, _trees(rewrite(manifests, rest)[0])):
        rest[spec.of.file] = []
    return rest


def _trees(written: Sequence[Rewrite]) -> Trees:
    return {one.path: one.manifest for one in written}


def _parted(
    spec: DigestSpec, manifests: Manifests, trees: Trees, places: Sequence[BindingSpec] | None = None
) -> Iterator[str]:
    """Where another digest is written than the document has, of ``places`` or of all."""
    places = spec.written if places is None else places
    document = _digest(spec, manifests, trees) if places else ""
    for place in places:
        located = _written(place.binding, manifests, trees)
        if located != document:
            says = f"says {str(located)[:_SHOWN]}" if located else "says nothing"
            where = f"{manifests.path(place.file)}: {place.binding.label}"
            yield f"{where} {says}, but {manifests.path(spec.of.file)} has {document[:_SHOWN]}"


def _written(binding: Binding, manifests: Manifests, trees: Trees) -> object:
    path = manifests.path(binding.file)
    return (locate(trees[path], binding) if path in trees else manifests.place(binding)).value


def _digest(spec: DigestSpec, manifests: Manifests, trees: Trees) -> str:
    """What is to be written for the document, the prefix included."""
    path = manifests.path(spec.of.file)
    manifest = trees[path] if path in trees else manifests.parsed(spec.of.file)
    holder, node = _document(manifest, spec.of)
    return spec.prefix + digest_of(plain_data(holder, node), spec.form)


def _document(manifest: Manifest, of: DocumentSpec) -> tuple[Manifest, Node]:
    """The node that the digest is of, and the text that it is part of."""
    if of.object is None:
        return manifest, _only(manifest).root
    if of.inside is None:
        binding = Binding(of.file, of.object, path=of.path)
        tree, root = object_of(manifest, binding)
        return manifest, walk(manifest, tree, root, parse_path(of.path or ""), binding.label)
    host = locate(manifest, Binding(of.file, of.object, env=of.env, container=of.container, path=of.path))
    where = manifest.at(host.line)
    text = str(host.value or "")
    held = parse_json(text, where) if of.inside == "json" else parse(text, where)
    tree = _only(held)
    return held, walk(held, tree, tree.root, parse_path(of.inner_path), of.file) if of.inner_path else tree.root


def _only(manifest: Manifest) -> Tree:
    if len(manifest.documents) != 1:
        what = f"a digest is of one document, here are {len(manifest.documents)}"
        raise Trouble(what, where=manifest.where, fix="name the object and the path of it")
    return manifest.documents[0]


def plain_data(manifest: Manifest, node: Node) -> object:
    """A node as the plain data that every reader makes of it."""
    if isinstance(node, Alias):
        return plain_data(manifest, node.target)
    if isinstance(node, Scalar):
        return _scalar(manifest, node)
    if isinstance(node, Items):
        return [plain_data(manifest, item) for item in node.items]
    found: dict[str, object] = {}
    for key, value in node.pairs:
        name = plain_data(manifest, key)
        if not isinstance(name, str):
            raise Trouble("a digest needs keys that are plain strings", where=manifest.at(key.line), fix="write it out")
        found[name] = plain_data(manifest, value)
    return found


def _scalar(manifest: Manifest, node: Scalar) -> object:
    if node.tag is not None:
        raise Trouble(f"a digest over the tag {node.tag}", where=manifest.at(node.line), fix="write a plain value")
    if node.style != "plain":
        return node.value
    meaning = "null" if node.null else reading(node.value)
    if meaning == "string":
        return node.value
    try:
        return None if meaning == "null" else json.loads(node.value.lower() if meaning == "boolean" else node.value)
    except json.JSONDecodeError as error:
        what = f"readers of YAML differ on {node.value}, so a digest over it means nothing"
        raise Trouble(what, where=manifest.at(node.line), fix="write it in quotes") from error
