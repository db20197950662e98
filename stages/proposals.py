"""Proposals: where the manifests of a repository seem to write the known controls, by the names that people give them.

Nothing here decides: what is found is put into a first policy for a person to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal

from stages.bindings import Format, split_csv
from stages.json_spans import parse_file
from stages.ladder import Unit
from stages.refusal import Trouble
from stages.value import Struct
from stages.yaml_spans import Mapping as Node
from stages.yaml_spans import Scalar, parse
from stages.yaml_spans import Sequence as Items

Enforcer = Literal["app-clip", "app-reject", "app-stop", "rampdeck"]

_TICKER: Final = re.compile(r"[A-Z][A-Z0-9]{0,5}([./-][A-Z0-9]{1,4})?")
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")
_ELSEWHERE: Final = re.compile(r"(^|[-_/])(sim|paper|staging|test|dev|sandbox|canary|shadow)($|[-_/.])")
_STRATEGIES: Final = ("universe_symbols", "universe", "symbols")
_POD: Final = ("Deployment", "StatefulSet", "Service")


class Known(Struct, frozen=True):
    """A control kind that most applications have: how its variable is called, and what it means."""

    control: str
    title: str
    unit: Unit
    names: re.Pattern[str]
    enforced_by: Enforcer
    words: tuple[str, ...] = ()
    """Of a word control: safest first."""


def _known(control: str, title: str, unit: Unit, names: str, enforced_by: Enforcer, *words: str) -> Known:
    return Known(control, title, unit, re.compile(names), enforced_by, words)


KNOWN: Final = (
    _known("maxOrderNotional", "max order", Unit.USD,
           r"MAX_NOTIONAL_PER_(TRADE|ORDER)|(MAX_ORDER|ORDER_MAX)_(NOTIONAL|VALUE|USD)", "app-reject"),
    _known("maxGrossExposure", "max gross", Unit.USD, r"MAX_GROSS(_EXPOSURE)?(_USD)?$|GROSS_(LIMIT|CAP)", "app-clip"),
    _known("maxNetExposure", "max net", Unit.USD, r"MAX_NET(_EXPOSURE)?(_USD)?$|NET_(LIMIT|CAP)", "app-clip"),
    _known("symbolConcentration", "max per symbol", Unit.USD,
           r"MAX_NOTIONAL_PER_SYMBOL|MAX_SYMBOL_NOTIONAL|MAX_POSITION_(NOTIONAL|USD|VALUE)", "app-clip"),
    _known("participationCap", "participation", Unit.RATIO, r"PARTICIPATION", "app-clip"),
    _known("dailyLossLimit", "loss limit, day", Unit.USD,
           r"(MAX_)?DAILY_LOSS_(LIMIT|STOP|CAP)(_USD)?$|MAX_DAILY_LOSS(_USD)?$", "app-stop"),
    _known("universe", "symbols", Unit.SYMBOLS, r"(^|_)SYMBOLS?(_ALLOWLIST|_LIST)?$|UNIVERSE$", "app-reject"),
    _known("tradingMode", "mode", Unit.WORD, r"(^|TRADING_)MODE$", "app-stop", "paper", "live"),
    _known("submitEnabled", "submit", Unit.WORD,
           r"LIVE_SUBMIT_ENABLED|^(TRADING_)?SUBMIT_ENABLED", "app-stop", "false", "true"),
    _known("reduceOnly", "reduce only", Unit.WORD, r"REDUCE_ONLY(_ENABLED)?$", "app-stop", "true", "false"),
    _known("killSwitch", "kill switch", Unit.WORD, r"KILL_SWITCH(_ENABLED)?$", "app-stop", "true", "false"),
)  # fmt: skip
"""What is looked for, in the order in which a policy tells it."""

SHARE_OF_EQUITY: Final = re.compile(r"(?P<dollars>.*MAX_(GROSS|NET)_EXPOSURE)_PCT_EQUITY$")
"""A limit as a share of equity; the same name without the share is the limit in dollars in the code that has both."""


class Place(Struct, frozen=True):
    """Where a value stands: as a binding writes it, with what it says today. ``insert``: it is not there yet."""

    file: str
    object: str
    says: str
    env: str | None = None
    container: str | None = None
    path: str | None = None
    format: Format = "plain"
    inner_path: str | None = None
    insert: bool = False
    beside: str = ""
    """For a place that is not there yet: the variable that made us think of it."""

    @property
    def name(self) -> str:
        """The variable's or key's own name."""
        return self.env or self.inner_path or self.path or ""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it says as a list."""
        return split_csv(self.says)


class Proposal(Struct, frozen=True):
    """A control with the places that agree on today's value, and those that were left out with the reason."""

    known: Known
    today: str | None
    places: tuple[Place, ...] = ()
    left_out: tuple[tuple[Place, str], ...] = ()


class Found(Struct, frozen=True):
    """What a folder of manifests says of itself."""

    proposals: Mapping[str, Proposal]
    workload: str | None
    """The workload that trades: the one in which most controls are written."""
    namespace: str | None
    account: str | None
    application: tuple[str, str] | None
    """Namespace and name of the Argo CD Application that is here."""
    objects: tuple[str, ...]
    kustomized: bool
    unread: tuple[str, ...]
    """Files that could not be read as manifests, each with the reason."""

    @property
    def score(self) -> int:
        """How many controls were found written down."""
        return sum(1 for one in self.proposals.values() if one.places)


class _Object(Struct, frozen=True):
    file: str
    kind: str
    name: str
    root: Node

    @property
    def object(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def elsewhere(self) -> bool:
        """Whether its name says that it is a twin: of a test, of paper."""
        return bool(_ELSEWHERE.search(self.name) or _ELSEWHERE.search(self.file.rpartition(".")[0]))


def propose(files: Mapping[str, str]) -> Found:
    """What to bind in ``files``: text by path from the GitOps folder."""
    objects, unread = _objects(files)
    own = [one for one in objects if not one.elsewhere] or objects
    places = [place for one in own for place in _places(one)]
    workload = _workload(own, places)
    ordered = sorted(places, key=lambda place: place.object != workload)
    argo = next((one for one in objects if one.kind == "Application"), None)
    return Found(
        proposals={known.control: _proposal(known, ordered) for known in KNOWN},
        workload=workload,
        namespace=_namespace(own, workload),
        account=next((place.says for place in ordered if (place.env or "").endswith("ACCOUNT_LABEL")), None),
        application=(_text(argo.root, "metadata", "namespace") or "argocd", argo.name) if argo else None,
        objects=tuple(one.object for one in own),
        kustomized=any(one.kind == "Kustomization" for one in objects),
        unread=tuple(unread),
    )


def _objects(files: Mapping[str, str]) -> tuple[list[_Object], list[str]]:
    found, unread = [], []
    for file, text in sorted(files.items()):
        try:
            documents = parse_file(text, file).documents
        except Trouble as trouble:
            unread.append(trouble.line)
            continue
        for document in documents:
            root = document.root
            kind = _text(root, "kind")
            if isinstance(root, Node) and kind:
                name = _text(root, "metadata", "name") or kind.lower()
                found.append(_Object(file, kind, name, root))
    return found, unread


def _at(node: object, *keys: str) -> object:
    for key in keys:
        node = node.get(key) if isinstance(node, Node) else None
    return node


def _text(node: object, *keys: str) -> str | None:
    found = _at(node, *keys)
    return found.value if isinstance(found, Scalar) and not found.null else None


def _places(one: _Object) -> Iterator[Place]:
    """Every literal value of an object that could be a control."""
    if one.kind == "ConfigMap":
        yield from _data(one)
    elif one.kind in _POD:
        containers = _at(one.root, "spec", "template", "spec", "containers")
        items = containers.items if isinstance(containers, Items) else ()
        for container in items:
            named = _text(container, "name") if len(items) > 1 else None
            listed = _at(container, "env")
            for item in listed.items if isinstance(listed, Items) else ():
                name, value = _text(item, "name"), _at(item, "value")
                if name and isinstance(value, Scalar):
                    yield Place(one.file, one.object, value.value, env=name, container=named)


def _data(one: _Object) -> Iterator[Place]:
    data = _at(one.root, "data")
    for key, value in data.pairs if isinstance(data, Node) else ():
        if not (isinstance(key, Scalar) and isinstance(value, Scalar)):
            continue
        path = f"data.{key.value}" if re.fullmatch(r"\w+", key.value) else f'data["{key.value}"]'
        if key.value.endswith((".yaml", ".yml")):
            yield from _strategies(one, path, value.value)
        else:
            yield Place(one.file, one.object, value.value, path=path)


def _strategies(one: _Object, path: str, text: str) -> Iterator[Place]:
    """Lists of symbols within a document in a string: ``strategies[name=...].universe_symbols``."""
    try:
        documents = parse(text, path).documents
    except Trouble:
        return
    root = documents[0].root if len(documents) == 1 else None
    for key, listed in root.pairs if isinstance(root, Node) else ():
        for item in listed.items if isinstance(listed, Items) else ():
            name = _text(item, "name")
            for field in _STRATEGIES:
                symbols = _at(item, field)
                if isinstance(key, Scalar) and name and isinstance(symbols, Items):
                    says = ",".join(each.value for each in symbols.items if isinstance(each, Scalar))
                    inner = f"{key.value}[name={name}].{field}"
                    yield Place(one.file, one.object, says, path=path, format="list", inner_path=inner)


def _workload(objects: Sequence[_Object], places: Sequence[Place]) -> str | None:
    """The workload in which most known controls stand; a Deployment before a service of the same rank."""
    kinds = {one.object: _POD.index(one.kind) for one in objects if one.kind in _POD}
    counts = {
        name: sum(1 for place in places if place.object == name and any(_fits(known, place) for known in KNOWN))
        for name in kinds
    }
    best = max(counts, key=lambda name: (counts[name], -kinds[name]), default=None)
    return best if best is not None and counts[best] else None


def _namespace(objects: Sequence[_Object], workload: str | None) -> str | None:
    ordered = sorted(objects, key=lambda one: one.object != workload)
    spaces = (_text(one.root, "metadata", "namespace") for one in ordered if one.kind != "Application")
    kustomized = (_text(one.root, "namespace") for one in objects if one.kind == "Kustomization")
    return next((space for space in (*spaces, *kustomized) if space), None)


def _fits(known: Known, place: Place) -> bool:
    """Whether a place is called and written as such a control would be."""
    if place.format == "list":
        return known.unit is Unit.SYMBOLS and bool(place.symbols)
    if not known.names.search((place.env or place.path or "").rpartition(".")[2]):
        return False
    if known.unit is Unit.SYMBOLS:
        return bool(place.symbols) and all(_TICKER.fullmatch(symbol) for symbol in place.symbols)
    if known.unit is Unit.WORD:
        return place.says in known.words
    if not _NUMBER.fullmatch(place.says):
        return False
    return known.unit is not Unit.RATIO or Decimal(place.says) <= 1


def _proposal(known: Known, places: Sequence[Place]) -> Proposal:
    """The first fitting place says what holds today; others are bound where they say the same."""
    fitting = [place for place in places if _fits(known, place)]
    if not fitting:
        return Proposal(known, None, tuple(_twins(known, places)))
    first = fitting[0]
    bound, left_out = [], []
    for place in fitting:
        if _same(known, place, first):
            plain = known.unit is not Unit.SYMBOLS or place.format == "list"
            bound.append(place if plain else _as_csv(place))
        else:
            left_out.append((place, f"it says {place.says} where {first.object} says {first.says}"))
    return Proposal(known, first.says, tuple(bound), tuple(left_out))


def _twins(known: Known, places: Sequence[Place]) -> Iterator[Place]:
    """Where an exposure is limited as a share of equity only: the limit in dollars, to be inserted beside it."""
    first: str | None = None
    for place in sorted(places, key=lambda place: "PORTFOLIO" not in (place.env or "")):
        found = SHARE_OF_EQUITY.match(place.env or "")
        if found is None or not known.names.search(found["dollars"]) or first not in (None, found["dollars"]):
            continue
        first = found["dollars"]
        yield Place(place.file, place.object, "", env=first, container=place.container, insert=True, beside=place.name)


def _same(known: Known, place: Place, first: Place) -> bool:
    if known.unit is Unit.SYMBOLS:
        return set(place.symbols) == set(first.symbols)
    return place.says == first.says or (known.unit.is_number and Decimal(place.says) == Decimal(first.says))


def _as_csv(place: Place) -> Place:
    return Place(place.file, place.object, place.says, place.env, place.container, place.path, "csv")
