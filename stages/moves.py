"""Moves: every control from what the manifests say to what a plan wants, and the new text of their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from decimal import Decimal
from itertools import pairwise

from stages.ladder import Direction, RiskOrder, Value, write_value
from stages.patch import unified
from stages.policy import ControlSpec, Policy
from stages.posture import Mode, effective_mode
from stages.refusal import Trouble
from stages.splice import Change, Spliced, decode, encode
from stages.splice import edit as splice
from stages.standing import Manifests, Unclear, assess, read_controls, share_base
from stages.value import Struct
from stages.yaml_spans import Manifest


class Place(Struct, frozen=True):
    """One binding of a control and what it says today; ``error`` is set where it could not be read."""

    number: int
    file: str
    value: Value | None = None
    error: str = ""
    unclear: bool = False
    """Readers of YAML differ on what it says: unread, but a reduction can write it in quotes."""


class Move(Struct, frozen=True):
    """One control from today's value to the plan's."""

    policy: Policy
    name: str
    spec: ControlSpec
    places: tuple[Place, ...]
    before: Value | None
    after: Value | None
    direction: Direction
    pinned: str
    shares: tuple[Decimal | None, Decimal | None]
    only_safer: bool
    stays: bool
    """The plan leaves it alone, whatever its bindings say."""

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(place.error for place in self.places if place.error and not self._settled(place))

    def _settled(self, place: Place) -> bool:
        """Whether a value that nobody can read for certain is replaced by the safer one all the same."""
        return place.unclear and self.only_safer and self.after is not None

    def target(self, place: Place) -> Value | None:
        """The value that one binding shall have."""
        if self.only_safer and not place.unclear:
            return self.spec.order.safest(place.value, self.after)
        return self.after

    def edited(self) -> tuple[Place, ...]:
        """The bindings that do not say so yet; a value that is there already is never an edit."""
        same = self.spec.order.same
        if self.stays:
            return ()
        read = tuple(p for p in self.places if not p.error and not same(p.value, self.target(p)))
        return (*read, *(place for place in self.places if self._settled(place)))


class Moves:
    """Every control of the policy, from what the manifests say to the target stage with the mode on top."""

    def __init__(
        self,
        policy: Policy,
        manifests: Manifests,
        to_stage: int,
        mode: Mode | None,
        *,
        only_safer: bool,
        only: Set[str] | None = None,
    ) -> None:
        self.policy = policy
        self.only_safer = only_safer
        self._moving = frozenset(policy.spec.controls) if only is None else only
        controls = read_controls(policy, manifests)
        self.standing = assess(policy, controls)
        self._to = to_stage
        self._places = {name: _places(manifests, spec) for name, spec in policy.spec.controls.items()}
        self._shared = tuple(_shared(manifests, policy))
        today = {name: self._today(name) for name in policy.spec.controls}
        overlay = policy.overlay(effective_mode(mode, policy.mapped_modes)) if mode is not None else {}
        after = {**policy.resolved[to_stage], **overlay}
        after |= {name: today[name] for name in after if name not in self._moving}
        if only_safer:
            after = {name: spec.order.safest(today[name], after[name]) for name, spec in policy.spec.controls.items()}
        intended = {name: self._direction(name, today, after) for name in after}
        riskier = Direction.RISKIER in intended.values()
        self._held = {
            name: after[name]
            for name, spec in policy.spec.controls.items()
            if self._is_held(spec) and not spec.order.same(today[name], after[name])
        }
        if not riskier:
            after |= {name: today[name] for name in self._held}
        self.before, self.after = today, after
        self.by_name = {name: self._move(name) for name in policy.spec.controls}

    def refusals(self) -> tuple[str, ...]:
        """Pinned controls that would have to move, with their companions; bindings that match nothing or the same."""
        moving = ((name, move) for name, move in self.by_name.items() if not move.stays)
        missing = (f"{name}: {error}" for name, move in moving for error in move.missing)
        return (*(self._pinned(name) for name in self._held), *missing, *self._shared)

    def wanted(self) -> dict[str, list[tuple[str, Change]]]:
        """The changes of each file, each with its control's name."""
        files: dict[str, list[tuple[str, Change]]] = {}
        for name, move in self.by_name.items():
            for place in move.edited():
                binding = move.spec.bindings[place.number].binding
                files.setdefault(place.file, []).append((name, Change(binding, write_value(move.target(place)))))
        return files

    def _today(self, name: str) -> Value | None:
        """Today's value, the riskiest where bindings disagree; of an unread or unbound control its stage's."""
        known = [place.value for place in self._places[name] if not place.error]
        if not known:
            return self.policy.resolved[min(self.standing.riskiest, self.policy.top)][name]
        return _riskiest(self.policy.spec.controls[name].order, known)

    def _move(self, name: str) -> Move:
        spec = self.policy.spec.controls[name]
        pinned = f"pinned by {spec.pinned_by}" if self._is_held(spec) else ""
        direction = self._direction(name, self.before, self.after)
        return Move(
            self.policy, name, spec, self._places[name], self.before[name], self.after[name], direction, pinned,
            self._shares(name), self.only_safer, name not in self._moving,
        )  # fmt: skip

    def _direction(self, name: str, before: Mapping[str, Value | None], after: Mapping[str, Value | None]) -> Direction:
        risks = self.policy.comparable(before, name), self.policy.comparable(after, name)
        return self.policy.spec.controls[name].order.direction(*risks)

    def _shares(self, name: str) -> tuple[Decimal | None, Decimal | None]:
        """The share of its base that a control in dollars has before and after, when its stage gives one."""
        share = self.policy.share(self._to, name)
        if share is None or share_base(self.policy, name) is not None:
            return None, None
        parts = ((values[name], values[share.of]) for values in (self.before, self.after))
        before, after = (_ratio(part, whole) for part, whole in parts)
        return before, after

    def _is_held(self, spec: ControlSpec) -> bool:
        return spec.pinned_by is not None and self.policy.spec.pins[spec.pinned_by].holds

    def _pinned(self, name: str) -> str:
        spec = self.policy.spec.controls[name]
        pin = self.policy.spec.pins[spec.pinned_by or ""]
        together = f"; it moves only together with {', '.join(pin.companions)}" if pin.companions else ""
        return f"{name} is pinned by {spec.pinned_by}: {pin.reason}{together}"


class Rewrite(Struct, frozen=True):
    """One file before and after, as bytes and as a unified diff; ``path`` is from the repository's root."""

    path: str
    before: bytes
    after: bytes
    diff: str
    manifest: Manifest
    """The tree of the new text."""


def rewrite(
    manifests: Manifests, files: Mapping[str, Sequence[tuple[str, Change]]]
) -> tuple[tuple[Rewrite, ...], tuple[str, ...]]:
    """The new text of every file with its proof, and the changes that a file refuses, each with the reason."""
    written: list[Rewrite] = []
    failures: list[str] = []
    for file, named in sorted(files.items()):
        spliced, refused = _splice(manifests.parsed(file), named)
        failures += refused
        if spliced.after != spliced.before:
            path, before = manifests.path(file), manifests.bytes(file)
            after = encode(spliced.after, decode(before)[1])
            diff = unified(path, before.decode(), after.decode())
            written.append(Rewrite(path, before, after, diff, spliced.result))
    return tuple(written), tuple(failures)


def _splice(manifest: Manifest, named: Sequence[tuple[str, Change]]) -> tuple[Spliced, list[str]]:
    """All changes at once; where that is refused, as many as the file accepts together."""
    try:
        return splice(manifest, [change for _, change in named]), []
    except Trouble:
        accepted: list[Change] = []
        refused: list[str] = []
        for name, change in named:
            try:
                splice(manifest, [*accepted, change])
            except Trouble as trouble:
                refused.append(f"{name}: {trouble.line}")
            else:
                accepted.append(change)
        return splice(manifest, accepted), refused


def _places(manifests: Manifests, spec: ControlSpec) -> tuple[Place, ...]:
    places: list[Place] = []
    for number, binding in enumerate(spec.bindings):
        try:
            places.append(Place(number, binding.file, manifests.value(spec, number)))
        except Unclear as trouble:
            places.append(Place(number, binding.file, error=trouble.line, unclear=True))
        except Trouble as trouble:
            places.append(Place(number, binding.file, error=trouble.line))
    return tuple(places)


def _shared(manifests: Manifests, policy: Policy) -> Iterator[str]:
    """Bindings that stand in the same text of a file: one change would be the other's as well."""
    found: list[tuple[str, int, int, tuple[object, ...], str, str]] = []
    for name, spec in policy.spec.controls.items():
        for number, binding in enumerate(spec.bindings):
            try:
                located = manifests.located(spec, number)
            except Trouble:
                continue
            place = f"{manifests.path(binding.file)}:{located.line}"
            found.append((manifests.path(binding.file), *located.span, located.target, name, place))
    found.sort(key=lambda one: one[:3])
    for first, second in pairwise(found):
        overlaps = second[0] == first[0] and second[1] < first[2]
        if overlaps or (second[0], second[3]) == (first[0], first[3]):
            names = f"{first[4]} and {second[4]}" if first[4] != second[4] else f"two bindings of {first[4]}"
            yield f"{second[5]}: {names} stand in the same text; keep one binding for this place"


def _riskiest(order: RiskOrder, values: Sequence[Value | None]) -> Value | None:
    """The riskiest of several values; of incomparable sets all that any of them holds."""
    riskiest = values[0]
    for value in values[1:]:
        if order.at_most(riskiest, value):
            riskiest = value
        elif not order.at_most(value, riskiest) and isinstance(riskiest, tuple) and isinstance(value, tuple):
            riskiest = tuple(dict.fromkeys((*riskiest, *value)))
    return riskiest


def _ratio(part: Value | None, whole: Value | None) -> Decimal | None:
    if not isinstance(part, Decimal) or not isinstance(whole, Decimal) or whole == 0:
        return None
    return (part / whole).quantize(Decimal("0.0001")).normalize()
