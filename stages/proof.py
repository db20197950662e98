"""Proof of a splice: both texts are read again and walked side by side.

Exactly the intended leaves may differ, in the file and in the documents inside its strings, and the
inverse splice must give the old text back, character by character.
"""

from __future__ import annotations

from collections.abc import Sequence as Several

from stages.bindings import Located, Value, split_csv
from stages.embedded import Edit, Embedded
from stages.json_spans import parse_json
from stages.refusal import Trouble
from stages.value import Struct
from stages.yaml_spans import Alias, Manifest, Mapping, Node, Scalar, Sequence, parse


class Difference(Struct, frozen=True):
    """One intended change, as it was found again in both texts; ``line`` is its line before."""

    label: str
    before: Value | None
    after: Value | None
    line: int


class _EnvIntent(Struct, frozen=True):
    """What shall happen to one env list: items to go, by node, and items to come, in order."""

    removed: tuple[Node, ...]
    added: tuple[Located, ...]


class _Intent(Struct, frozen=True):
    """What shall happen to each node, by its identity in the tree of the old text."""

    values: dict[int, Value]
    written_out: frozenset[int]
    hosts: dict[int, Embedded]
    lists: dict[int, _EnvIntent]
    named: dict[int, Value]
    additions: dict[int, Value]


def prove(
    before: Manifest, after: str | Manifest, edits: Several[Edit], intended: Several[tuple[Located, Value | None]]
) -> tuple[Difference, ...]:
    """Prove that ``after`` is ``before`` with the intended values and nothing else changed.

    ``edits`` are those made on ``before``, in order; ``intended`` was located in ``before``. Raises
    Trouble that names the first thing that is not as intended. Who has read ``after`` hands over its tree.
    """
    text = after.text if isinstance(after, Manifest) else after
    if revert(text, edits, before.text) != before.text:
        raise _failed(before, 1, "taking the edits back does not restore the old text")
    if not intended:
        return ()
    new = after if isinstance(after, Manifest) else read_again(before, after)
    intent = _intent(intended)
    if len(new.documents) != len(before.documents):
        raise _failed(before, 1, "the number of documents changed")
    for old_tree, new_tree in zip(before.documents, new.documents, strict=True):
        _Walk(before, intent).compare(old_tree.root, new_tree.root)
    return tuple(Difference(one.binding.label, one.value, value, one.line) for one, value in intended)


def read_again(before: Manifest, after: str) -> Manifest:
    """The tree of a file's new text."""
    return parse_json(after, before.where) if before.kind == "json" else parse(after, before.where)


def revert(after: str, edits: Several[Edit], before: str) -> str:
    """Apply the inverse of the edits to the new text, with the old spans' text taken from ``before``."""
    pieces: list[str] = []
    place = shift = 0
    for step in edits:
        start = step.start + shift
        if not after.startswith(step.text, start):
            return ""
        pieces += (after[place:start], before[step.start : step.end])
        place = start + len(step.text)
        shift += len(step.text) - (step.end - step.start)
    return "".join((*pieces, after[place:]))


def _intent(intended: Several[tuple[Located, Value | None]]) -> _Intent:
    aliases = frozenset(id(alias) for located, _ in intended for alias in located.written_out)
    intent = _Intent({}, aliases, {}, {}, {}, {})
    for located, value in intended:
        for host in located.hosts:
            intent.hosts[id(host.host)] = host
        if value is not None and located.node is not None:
            intent.values[id(located.place)] = value
        elif located.env is not None:
            _env_intent(intent, located, value)
    return intent


def _env_intent(intent: _Intent, located: Located, value: Value | None) -> None:
    env = located.env
    if env is None:
        return
    if value is not None and env.item is not None:
        intent.named[id(env.item)] = value
        return
    known = intent.lists.get(id(env.items), _EnvIntent((), ()))
    if env.item is not None:
        known = _EnvIntent((*known.removed, env.item), known.added)
    elif value is not None:
        known = _EnvIntent(known.removed, (*known.added, located))
        intent.additions[id(located)] = value
    intent.lists[id(env.items)] = known


class _Walk:
    """Walks the old and the new tree side by side."""

    def __init__(self, manifest: Manifest, intent: _Intent) -> None:
        self.manifest = manifest
        self.intent = intent

    def compare(self, old: Node, new: Node) -> None:
        """Raise Trouble where the new node is neither as the old one nor as intended."""
        if isinstance(old, Alias) and id(old) in self.intent.written_out:
            self.written_out(old, new)
            return
        if isinstance(old, Alias) or isinstance(new, Alias):
            same = isinstance(old, Alias) and isinstance(new, Alias) and old.name == new.name
            self.require(same, old, "an alias changed")
            return
        self.require((old.tag, old.anchor) == (new.tag, new.anchor), old, "a tag or an anchor changed")
        if id(old) in self.intent.values:
            self.value(old, new, self.intent.values[id(old)])
        elif isinstance(old, Scalar):
            self.scalar(old, new)
        elif isinstance(old, Sequence):
            self.sequence(old, new)
        else:
            self.mapping(old, new)

    def written_out(self, old: Alias, new: Node) -> None:
        """An alias became a value of its own: the new one where it was meant, else what it said before."""
        said = old.target.value if isinstance(old.target, Scalar) else None
        if id(old) in self.intent.values:
            self.value(Scalar(old.start, old.end, old.line, ""), new, self.intent.values[id(old)])
            return
        same = isinstance(new, Scalar) and (new.value, new.tag, new.anchor) == (said, None, None)
        self.require(same, old, f"the alias *{old.name} no longer says {said!r}")

    def value(self, old: Node, new: Node, value: Value) -> None:
        if isinstance(new, Scalar):
            found: Value = new.value if isinstance(value, str) else split_csv(new.value)
        else:
            items = new.items if isinstance(new, Sequence) else ()
            self.require(all(isinstance(item, Scalar) for item in items), old, "an item is not a single value")
            found = tuple(item.value for item in items if isinstance(item, Scalar))
        same_shape = type(old) is type(new) and getattr(old, "flow", None) == getattr(new, "flow", None)
        self.require(same_shape and found == value, old, f"{found!r} would be read instead of {value!r}")

    def scalar(self, old: Scalar, new: Node) -> None:
        host = self.intent.hosts.get(id(old))
        if host is None or not isinstance(new, Scalar):
            same = isinstance(new, Scalar) and (old.value, old.style) == (new.value, new.style)
            self.require(same, old, f"{old.value!r} changed as well")
            return
        self.require(old.style == new.style, old, "the style of a string changed")
        read = parse if host.kind == "yaml" else parse_json
        inner = read(new.value, self.manifest.at(old.line))
        self.require(len(inner.documents) == len(host.manifest.documents), old, "its documents changed in number")
        for old_tree, new_tree in zip(host.manifest.documents, inner.documents, strict=True):
            self.compare(old_tree.root, new_tree.root)

    def sequence(self, old: Sequence, new: Node) -> None:
        env = self.intent.lists.get(id(old), _EnvIntent((), ()))
        if not isinstance(new, Sequence) or old.flow != new.flow:
            raise _failed(self.manifest, old.line, "a list changed its form")
        gone = {id(node) for node in env.removed}
        kept = [item for item in old.items if id(item) not in gone]
        self.require(len(new.items) == len(kept) + len(env.added), old, "a list has another length")
        for old_item, new_item in zip(kept, new.items, strict=False):
            self.compare(old_item, new_item)
        for located, new_item in zip(env.added, new.items[len(kept) :], strict=True):
            self.added(old, located, new_item)

    def added(self, old: Node, located: Located, item: Node) -> None:
        value = self.intent.additions[id(located)]
        names = item.keys() if isinstance(item, Mapping) else ()
        self.require(names == ("name", "value") and isinstance(item, Mapping), old, "an env item was not added whole")
        if isinstance(item, Mapping):
            name, text = item.get("name"), item.get("value")
            self.require(isinstance(name, Scalar) and name.value == located.binding.env, old, "a new name is wrong")
            self.env_value(old, text, value)

    def env_value(self, old: Node, text: Node | None, value: Value) -> None:
        found: Value | None = None
        if isinstance(text, Scalar):
            found = text.value if isinstance(value, str) else _items(text.value)
        self.require(found == value, old, f"{found!r} would be read instead of {value!r}")

    def mapping(self, old: Mapping, new: Node) -> None:
        if not isinstance(new, Mapping) or old.flow != new.flow:
            raise _failed(self.manifest, old.line, "a mapping changed its form")
        named = self.intent.named.get(id(old))
        pairs = new.pairs
        if named is not None and new.keys()[-1:] == ("value",):
            self.env_value(old, pairs[-1][1], named)
            pairs = pairs[:-1]
        self.require(len(pairs) == len(old.pairs), old, "a mapping has more or fewer keys")
        for (old_key, old_value), (new_key, new_value) in zip(old.pairs, pairs, strict=True):
            self.compare(old_key, new_key)
            self.compare(old_value, new_value)

    def require(self, holds: bool, old: Node, problem: str) -> None:
        if not holds:
            raise _failed(self.manifest, old.line, problem)


def _items(text: str) -> tuple[str, ...]:
    """The items of a new env value that holds several: a JSON list or comma-separated text."""
    if not text.startswith("["):
        return split_csv(text)
    root = parse_json(text).documents[0].root
    return tuple(item.value for item in root.items if isinstance(item, Scalar)) if isinstance(root, Sequence) else ()


def _failed(manifest: Manifest, line: int, problem: str) -> Trouble:
    return Trouble(
        f"the edit is not proven: {problem}",
        where=manifest.at(line),
        fix="nothing was written; make this change by hand",
    )
