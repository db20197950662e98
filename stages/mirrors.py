"""Mirrors: containers whose variables must say the same, and what a plan would leave different between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stages.bindings import Binding, locate
from stages.policy import EnvOf, Policy
from stages.refusal import Trouble
from stages.standing import Manifests
from stages.yaml_spans import Alias, Manifest, Node, Scalar, Sequence
from stages.yaml_spans import Mapping as Pairs


def unlike(policy: Policy, manifests: Manifests, written: Mapping[str, Manifest]) -> Iterator[str]:
    """Every mirror that differs once the files of ``written`` (new trees by path) are there, with its variables.

    Mirrors of files that are not edited are left alone.
    """
    for mirror in policy.spec.mirrors:
        sides = (mirror.of, mirror.like)
        paths = [manifests.path(side.file) for side in sides]
        if not any(path in written for path in paths):
            continue
        named = f"{mirror.of.object} must have the variables of {mirror.like.object}"
        try:
            first, second = (_variables(manifests, written, side) for side in sides)
        except Trouble as trouble:
            yield f"{named}: {trouble.line}"
            continue
        odd = [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)]
        if left := [name for name in odd if name not in mirror.but]:
            yield f"{named}: {', '.join(left)} would differ; bind each in both files"


def _variables(manifests: Manifests, written: Mapping[str, Manifest], side: EnvOf) -> dict[str, object]:
    """What each variable of a container says: its value, or where it comes from."""
    path = manifests.path(side.file)
    manifest = written[path] if path in written else manifests.parsed(side.file)
    # A name that no variable has: the list it would be added to is the one that is looked for.
    list_of = Binding(side.file, side.object, env="", container=side.container, when_absent="insert")
    env = locate(manifest, list_of).env
    items = env.items.items if env is not None else ()
    variables = (_data(item) for item in items)
    return {str(one.pop("name", "")): one for one in variables if isinstance(one, dict)}


def _data(node: Node) -> object:
    """A node as plain data, aliases followed."""
    if isinstance(node, Alias):
        return _data(node.target)
    if isinstance(node, Scalar):
        return "" if node.null else node.value
    if isinstance(node, Sequence):
        return [_data(item) for item in node.items]
    return _pairs(node)


def _pairs(node: Pairs) -> dict[object, object]:
    return {key.value if isinstance(key, Scalar) else None: _data(value) for key, value in node.pairs}
