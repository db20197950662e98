"""Where a control is written in a manifest, and what it says there."""

from __future__ import annotations

from typing import Literal

from stages.embedded import Edit, Embedded, embed
from stages.json_spans import parse_file
from stages.paths import Key, Select, Step, follow, parse_path, refuse_shared, walk
from stages.quoting import reading
from stages.refusal import Trouble
from stages.value import Struct
from stages.yaml_spans import Alias, Kind, Manifest, Mapping, Node, Scalar, Sequence, Style, Tree

Format = Literal["plain", "csv", "json-list", "list"]
Value = str | tuple[str, ...]

_POD_SPEC = {"Pod": "spec", "CronJob": "spec.jobTemplate.spec.template.spec"}
_POD_TEMPLATE = "spec.template.spec"


class Binding(Struct, frozen=True):
    """One place of a control: a file, an object in it, and an env item or a path.

    ``file`` is relative to the GitOps path, ``object`` is ``Kind/name``. Exactly one of ``env`` (a
    variable of the only container, or of ``container``) and ``path`` is set. ``inside`` reads the
    string found there as a document and ``inner_path`` leads on within it. A ``csv``, ``json-list``
    or ``list`` holds a tuple of strings, ``plain`` one string. ``when_aliased: local`` lets a value
    that an alias repeats be changed here alone: the alias is written out. Raises Trouble when it
    makes no sense.
    """

    file: str
    object: str
    env: str | None = None
    container: str | None = None
    path: str | None = None
    format: Format = "plain"
    inside: Kind | None = None
    inner_path: str | None = None
    when_absent: Literal["insert", "error"] = "error"
    when_aliased: Literal["error", "local"] = "error"

    def __post_init__(self) -> None:
        kind, slash, name = self.object.partition("/")
        if not (kind and slash and name):
            raise self._wrong(f"object {self.object!r} is not Kind/name", "write for example Deployment/my-app")
        if (self.env is None) == (self.path is None):
            raise self._wrong(f"{self.object} needs either env or path", "give exactly one of them")
        if (self.inside is None) != (self.inner_path is None):
            raise self._wrong(f"{self.object} needs inside and innerPath together", "give both or neither")
        if self.env is None and (self.container is not None or self.when_absent == "insert"):
            raise self._wrong(f"{self.object} has a path; container and whenAbsent go with env", "remove them")
        if self.inside is not None and self.when_absent == "insert":
            raise self._wrong(f"{self.object} cannot insert a document inside a string", "use whenAbsent: error")
        if self.env is not None and self.inside is None and self.format == "list":
            raise self._wrong(f"env {self.env} holds a string, not a list", "use format csv or json-list")
        for path in (self.path, self.inner_path):
            if path is not None:
                parse_path(path)

    def _wrong(self, what: str, fix: str) -> Trouble:
        return Trouble(f"binding: {what}", where=self.file, fix=fix)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The way from the object to the value, or to the string that holds its document, or to its env item.

        The only container has no name in it: that step selects the empty one.
        """
        if self.env is None:
            return parse_path(self.path or "")
        pod = _POD_SPEC.get(self.object.partition("/")[0], _POD_TEMPLATE)
        container, item = Select("name", self.container or ""), Select("name", self.env)
        return (*parse_path(pod), Key("containers"), container, Key("env"), item)

    @property
    def label(self) -> str:
        """The binding in a message or a table, without the file."""
        place = f"env {self.env}" if self.env is not None else f"path {self.path}"
        return f"{self.object} {place}" + (f" > {self.inner_path}" if self.inner_path else "")


class EnvPlace(Struct, frozen=True):
    """The env list of a container and, where the variable is there, its item."""

    items: Sequence
    item: Mapping | None


class Located(Struct, frozen=True):
    """What a binding selects in one file.

    ``node`` is the scalar or list that holds the value, in the tree of the innermost of ``hosts``;
    None where the env item is absent, or has a name and no value. ``value`` is what it says: None
    for an absent env item, the empty string for one without a value.
    """

    manifest: Manifest
    binding: Binding
    value: Value | None
    node: Scalar | Sequence | None
    hosts: tuple[Embedded, ...]
    env: EnvPlace | None
    written_out: tuple[Alias, ...] = ()
    """The aliases to be written out with what they say today, so that only this place changes."""

    @property
    def place(self) -> Node | None:
        """The node that the file has there: ``node`` itself, or the alias that stands for it."""
        here = (alias for alias in self.written_out if self.node and alias.start == self.node.start)
        return next(here, self.node)

    @property
    def unclear(self) -> str:
        """The text that YAML 1.1 and 1.2 read differently, empty where there is none."""
        kind = self.hosts[-1].manifest.kind if self.hosts else self.manifest.kind
        if kind == "json" or self.node is None:
            return ""
        nodes = self.node.items if isinstance(self.node, Sequence) else (self.node,)
        plain = (one for one in nodes if isinstance(one, Scalar) and one.style == "plain" and one.tag is None)
        return next((one.value for one in plain if reading(one.value) == "ambiguous"), "")

    @property
    def style(self) -> Style | Literal["flow", "block"] | None:
        """How the value is written, None where nothing is."""
        if isinstance(self.node, Sequence):
            return "flow" if self.node.flow else "block"
        return self.node.style if self.node else None

    @property
    def span(self) -> tuple[int, int]:
        """``[start, end)`` of the value in the file; an empty span behind the last env item if absent."""
        if self.node is None:
            after = self.env.item or self.env.items if self.env else None
            end = after.end if after else 0
            return end, end
        edit = Edit(self.node.start, self.node.end, "")
        for host in reversed(self.hosts):
            edit = host.outward(edit)
        return edit.start, edit.end

    @property
    def steps(self) -> tuple[Step, ...]:
        """The way from the object to what the file has there."""
        return self.binding.steps

    @property
    def target(self) -> tuple[object, ...]:
        """What two bindings share that mean the same value or the same env item."""
        if self.env is not None and self.env.item is None:
            return (self.env.items.start, self.binding.env)
        return self.span

    @property
    def line(self) -> int:
        """The line of the value in the file, from 1."""
        return self.manifest.text.count("\n", 0, self.span[0]) + 1

    @property
    def text(self) -> str:
        """The innermost text that ``node`` is part of."""
        return self.hosts[-1].manifest.text if self.hosts else self.manifest.text


def locate(text: str | Manifest, binding: Binding, where: str = "") -> Located:
    """Find what a binding selects; pass a parsed Manifest to look up several bindings in one file.

    Raises Trouble when the binding matches nothing or several things, an alias or text that an
    alias repeats, a ``valueFrom``, or something of another shape than its format.
    """
    manifest = text if isinstance(text, Manifest) else parse_file(text, where or binding.file)
    tree, root = object_of(manifest, binding)
    env: EnvPlace | None = None
    if binding.env is not None:
        env = _env(manifest, tree, root, binding, binding.env)
        if env.item is None:
            if binding.when_absent == "error":
                raise _nothing(manifest, env.items, binding, f"there is no variable {binding.env}")
            return Located(manifest, binding, None, None, (), env)
        node = _env_value(manifest, tree, env.item, binding)
        if node is None:
            if binding.inside is not None:
                raise _nothing(manifest, env.item, binding, "the variable has no value")
            return Located(manifest, binding, "" if binding.format == "plain" else (), None, (), env)
    else:
        node = _walk(manifest, tree, root, binding.path or "", binding)
    return _inward(manifest, tree, node, binding, env)


def read(text: str | Manifest, binding: Binding, where: str = "") -> Value | None:
    """The decoded value of a binding, None for an absent env item that may be inserted."""
    return locate(text, binding, where).value


def object_of(manifest: Manifest, binding: Binding) -> tuple[Tree, Mapping]:
    """The document and the mapping of a binding's object. Raises Trouble when there is none, or several."""
    kind, _, name = binding.object.partition("/")
    found: list[tuple[Tree, Mapping]] = []
    for tree in manifest.documents:
        for root in _objects(tree.root):
            metadata = root.get("metadata")
            if _says(root.get("kind"), kind) and isinstance(metadata, Mapping) and _says(metadata.get("name"), name):
                found.append((tree, root))
    if len(found) == 1:
        return found[0]
    if not found:
        what = f"{binding.label} matches nothing: the file has no {binding.object}"
        raise Trouble(what, where=manifest.where, fix="correct the object or the file of the binding")
    lines = ", ".join(str(root.line) for _, root in found)
    what = f"{binding.label} matches several things: {binding.object} begins on lines {lines}"
    raise Trouble(what, where=manifest.where, fix="keep one object of that kind and name in the file")


def _objects(root: Node) -> tuple[Mapping, ...]:
    """The objects of a document: itself, or the items of a ``kind: List``."""
    if not isinstance(root, Mapping):
        return ()
    items = root.get("items")
    if _says(root.get("kind"), "List") and isinstance(items, Sequence):
        return tuple(item for item in items.items if isinstance(item, Mapping))
    return (root,)


def _says(node: Node | None, text: str) -> bool:
    return isinstance(node, Scalar) and node.value == text


def _env(manifest: Manifest, tree: Tree, root: Mapping, binding: Binding, name: str) -> EnvPlace:
    kind = binding.object.partition("/")[0]
    steps: tuple[Step, ...] = (*parse_path(_POD_SPEC.get(kind, _POD_TEMPLATE)), Key("containers"))
    containers = walk(manifest, tree, root, steps, binding.label)
    container = _container(manifest, containers, binding)
    refuse_shared(manifest, tree, container, binding.label)
    items = walk(manifest, tree, container, (Key("env"),), binding.label)
    if not isinstance(items, Sequence):
        raise _nothing(manifest, items, binding, "env is not a list")
    found: list[Mapping] = []
    for item in items.items:
        own = item.get("name") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and own is not None:
            # A merge never replaces what an item writes itself.
            found += [item] if _says(own, name) else []
            continue
        known = item.target if isinstance(item, Alias) else item
        merged = known.merged("name") if isinstance(known, Mapping) else None
        if isinstance(item, Alias) and _says(_effective(item, "name"), name):
            refuse_shared(manifest, tree, item, binding.label)
        if merged is not None and _says(_effective(merged, "name"), name):
            raise _merged(manifest, item, binding, "the variable's name")
    if len(found) > 1:
        lines = ", ".join(str(item.line) for item in found)
        what = f"{binding.label} matches several things: the variable stands on lines {lines}"
        raise Trouble(what, where=manifest.at(found[0].line), fix="keep one of them")
    if found:
        refuse_shared(manifest, tree, found[0], binding.label)
    return EnvPlace(items, found[0] if found else None)


def _container(manifest: Manifest, containers: Node, binding: Binding) -> Mapping:
    items = containers.items if isinstance(containers, Sequence) else ()
    found = [item for item in items if isinstance(item, Mapping)]
    if binding.container is not None:
        found = [item for item in found if _says(item.get("name"), binding.container)]
    if len(found) == 1:
        return found[0]
    if not found:
        named = f" named {binding.container}" if binding.container else ""
        raise _nothing(manifest, containers, binding, f"there is no container{named}")
    what = f"{binding.label} matches several things: there are {len(found)} containers"
    raise Trouble(what, where=manifest.at(containers.line), fix="name one with container:")


def _env_value(manifest: Manifest, tree: Tree, item: Mapping, binding: Binding) -> Node | None:
    source = item.get("valueFrom")
    if source is not None and not (isinstance(source, Scalar) and source.null):
        what = f"{binding.label} takes its value from elsewhere (valueFrom)"
        raise Trouble(what, where=manifest.at(item.line), fix="bind a variable with a value of its own")
    for key in ("value", "valueFrom"):
        if item.merged(key) is not None:
            raise _merged(manifest, item, binding, f"the variable's {key}")
    value = item.get("value")
    if value is not None and not _may_be_local(value, binding):
        refuse_shared(manifest, tree, value, binding.label)
    return value


def _effective(node: Node, key: str) -> Node | None:
    """What a mapping says under a key, written in it or merged into it."""
    known = node.target if isinstance(node, Alias) else node
    if not isinstance(known, Mapping):
        return None
    merged = known.merged(key)
    return known.get(key) if merged is None else _effective(merged, key)


def _merged(manifest: Manifest, node: Node, binding: Binding, what: str) -> Trouble:
    said = f"{binding.label}: {what} comes from elsewhere by a merge (<<)"
    return Trouble(said, where=manifest.at(node.line), fix="write it out in this mapping")


def _walk(manifest: Manifest, tree: Tree, start: Node, path: str, binding: Binding) -> Node:
    """Follow a path; only its last node may be one that an alias repeats, where the binding makes it local."""
    steps = parse_path(path)
    around = walk(manifest, tree, start, steps[:-1], binding.label)
    node = follow(manifest, around, steps[-1], binding.label)
    if not _may_be_local(node, binding):
        refuse_shared(manifest, tree, node, binding.label)
    return node


def _may_be_local(node: Node, binding: Binding) -> bool:
    """Whether the binding asks to change a shared value here alone, and it is one that can be written out."""
    said = node.target if isinstance(node, Alias) else node
    return binding.when_aliased == "local" and isinstance(said, Scalar) and said.tag is None


def _inward(manifest: Manifest, tree: Tree, node: Node, binding: Binding, env: EnvPlace | None) -> Located:
    """Follow the binding into the documents in strings, down to the node that holds the value."""
    hosts: list[Embedded] = []
    current = manifest
    if binding.inside is not None:
        string = _scalar(current, node, binding)
        if string.null or not string.value.strip():
            raise _nothing(manifest, string, binding, "the string is empty")
        host = embed(current, string, binding.inside)
        hosts.append(host)
        current = host.manifest
        if len(current.documents) != 1:
            what = f"{binding.label} matches several things: the string holds {len(current.documents)} documents"
            raise Trouble(what, where=manifest.at(host.host.line), fix="keep one document in it")
        tree = current.documents[0]
        node = _walk(current, tree, tree.root, binding.inner_path or "", binding)
    if binding.format == "json-list":
        host = embed(current, _scalar(current, node, binding), "json")
        hosts.append(host)
        current, tree = host.manifest, host.manifest.documents[0]
        node = tree.root
    if binding.format in ("list", "json-list"):
        items = _texts(current, tree, node, binding)
        return Located(manifest, binding, items, _sequence(current, node, binding), tuple(hosts), env)
    aliases = (node,) if isinstance(node, Alias) else tree.repeats(node)
    scalar = _scalar(current, _in_place(node) if isinstance(node, Alias) else node, binding)
    _refuse_template(current, scalar, binding)
    said = "" if scalar.null else scalar.value
    value = split_csv(said) if binding.format == "csv" else said
    return Located(manifest, binding, value, scalar, tuple(hosts), env, aliases)


def _in_place(alias: Alias) -> Node:
    """What an alias says, as if it were written where the alias stands."""
    if not isinstance(alias.target, Scalar):
        return alias
    style = alias.target.style if alias.target.style in ("plain", "'") else '"'
    return Scalar(alias.start, alias.end, alias.line, alias.target.value, style)


def _refuse_template(manifest: Manifest, node: Node, binding: Binding) -> None:
    """Raise Trouble where a chart's rendering makes the value: what stands in the file is not what runs."""
    held = node.value if isinstance(node, Scalar) else manifest.text[node.start : node.start + 2]
    if "{{" in held:
        what = f"{binding.label} is a template ({{{{ }}}}), its value is made when the chart is rendered"
        raise Trouble(what, where=manifest.at(node.line), fix="bind a value that is deployed as it is written")


def split_csv(text: str) -> tuple[str, ...]:
    """The items of comma-separated text, without the blanks around them; blank text has none."""
    return tuple(item.strip() for item in text.split(",")) if text.strip() else ()


def _texts(manifest: Manifest, tree: Tree, node: Node, binding: Binding) -> tuple[str, ...]:
    items = _sequence(manifest, node, binding).items
    for item in items:
        refuse_shared(manifest, tree, item, binding.label)
        _refuse_template(manifest, item, binding)
    return tuple(_scalar(manifest, item, binding).value for item in items)


def _scalar(manifest: Manifest, node: Node, binding: Binding) -> Scalar:
    if isinstance(node, Scalar):
        return node
    _refuse_template(manifest, node, binding)
    raise _nothing(manifest, node, binding, "a single value is needed here, the file has a list or a mapping")


def _sequence(manifest: Manifest, node: Node, binding: Binding) -> Sequence:
    if isinstance(node, Sequence):
        return node
    empty = isinstance(node, Scalar) and node.null
    raise _nothing(manifest, node, binding, "a list is needed here" + (", nothing is written" if empty else ""))


def _nothing(manifest: Manifest, node: Node, binding: Binding, why: str) -> Trouble:
    fix = "correct the binding or the file"
    return Trouble(f"{binding.label} matches nothing: {why}", where=manifest.at(node.line), fix=fix)
