"""Standing: the stage and mode that the manifests say, read from controls alone (design section 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from posixpath import basename, normpath, relpath

from stages.bindings import Binding, Located, locate
from stages.json_spans import parse_file
from stages.ladder import Value, parse_value, plain
from stages.overlays import KUSTOMIZATIONS, Overlays
from stages.policy import ControlSpec, Policy
from stages.posture import Mode
from stages.reach import gather
from stages.refusal import Trouble
from stages.signals import ReadControls
from stages.splice import decode
from stages.value import Struct, field, replace
from stages.yaml_spans import Manifest

Read = Callable[[str], bytes | None]
"""Bytes of a file by its path from the repository's root; None where there is no such file."""


class Unclear(Trouble):
    """A value is written so that readers of YAML 1.1 and 1.2 take it for different things."""


class Difference(Struct, frozen=True):
    """A control whose value differs from the stage's: ``safer`` tells to which side."""

    control: str
    stage_value: Value | None
    value: Value | None
    safer: bool


class Standing(Struct, frozen=True):
    """Where the manifests stand.

    ``stage`` is the index whose controls all match (or are all safer: ``tighter``), None when between or beyond.
    ``riskiest`` is the riskiest stage that any control reaches; above the top it is ``len(stages)``.
    """

    stage: int | None
    mode: Mode
    riskiest: int
    tighter: bool = False
    beyond: bool = False
    differences: tuple[Difference, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    parted: tuple[str, ...] = ()
    """Digests in the manifests that are not those of their documents."""

    @property
    def between(self) -> bool:
        return self.stage is None and not self.beyond

    @property
    def known(self) -> bool:
        """Whether every bound control could be read."""
        return not self.unread


class Manifests:
    """The files of one revision under the policy's GitOps path, each read and parsed once.

    ``path`` turns a binding's file into a path from the repository's root.
    """

    def __init__(self, policy: Policy, read: Read) -> None:
        self._folder = policy.spec.target.gitops_path.strip("/")
        self._read = read
        self._parsed: dict[str, Manifest | Trouble] = {}
        self._bytes: dict[str, bytes | None] = {}
        self._overlays = Overlays(read, self._folder)
        self._located: dict[Binding, Located | Trouble] = {}

    def path(self, file: str) -> str:
        return manifest_path(self._folder, file)

    def parsed(self, file: str) -> Manifest:
        """The file's tree. Raises Trouble when it does not exist or cannot be read."""
        if file not in self._parsed:
            try:
                self._parsed[file] = parse_file(decode(self.bytes(file), self.path(file))[0], self.path(file))
            except Trouble as trouble:
                self._parsed[file] = trouble
        found = self._parsed[file]
        if isinstance(found, Trouble):
            raise found
        return found

    def bytes(self, file: str) -> bytes:
        """The file as it lies in the repository. Raises Trouble when it does not exist."""
        if file not in self._bytes:
            self._bytes[file] = self._read(self.path(file))
        data = self._bytes[file]
        if data is None:
            raise Trouble("the file does not exist", where=self.path(file), fix="correct the file of the binding")
        return data

    def reached(self) -> tuple[str, ...]:
        """Every file that the target's kustomization leads to, written as a binding would; none without one."""
        found = gather(self._read, self._folder).files
        files = {relpath(path, self._folder or "."): content for path, content in found.items()}
        for file, content in files.items():
            # What of a kustomization lies elsewhere was taken out of it: its own text is read again.
            if basename(file) not in KUSTOMIZATIONS:
                self._bytes.setdefault(file, content)
        return tuple(files)

    def value(self, control: ControlSpec, place: int) -> Value | None:
        """What one binding of a control says.

        Raises Trouble when it cannot be located, is no value of the unit, or is overridden before it is deployed;
        Unclear when readers of YAML differ on it.
        """
        located = self.located(control, place)
        binding = located.binding
        where = f"{self.path(binding.file)}:{located.line}"
        if located.unclear:
            what = f"{binding.label}: readers of YAML 1.1 and 1.2 disagree on {located.unclear}"
            raise Unclear(what, where=where, fix=f'write "{located.unclear}" in quotes')
        return parse_value(control.unit, located.value, f"{self.path(binding.file)}:{located.line}")

    def located(self, control: ControlSpec, place: int) -> Located:
        """Where one binding of a control stands. Raises Trouble when nowhere, or when an overlay overrides it."""
        return self.place(control.bindings[place].binding)

    def place(self, binding: Binding) -> Located:
        """Where a binding stands. Raises Trouble when nowhere, or when an overlay overrides it."""
        if binding not in self._located:
            try:
                self._located[binding] = self._locate(binding)
            except Trouble as trouble:
                self._located[binding] = trouble
        found = self._located[binding]
        if isinstance(found, Trouble):
            raise found
        return found

    def _locate(self, binding: Binding) -> Located:
        located = locate(self.parsed(binding.file), binding)
        if why := self._overlays.overriding(self.path(binding.file), located):
            what = f"{binding.label} is not what gets deployed: {why}"
            where = f"{self.path(binding.file)}:{located.line}"
            raise Trouble(what, where=where, fix="bind it where it is overridden, or take the override out")
        return located


def manifest_path(folder: str, file: str) -> str:
    """A binding's file from the repository's root; ``folder`` is the policy's GitOps path."""
    return normpath(f"{folder.strip('/') or '.'}/{file}")


def read_controls(policy: Policy, read: Read | Manifests) -> ReadControls:
    """The value of every bound control in the manifests that ``read`` gives.

    All bindings of a control must agree, or it is unread with the reason; a control without bindings is in neither map.
    """
    manifests = read if isinstance(read, Manifests) else Manifests(policy, read)
    values: dict[str, Value | None] = {}
    unread: dict[str, str] = {}
    for name, control in policy.spec.controls.items():
        if not control.bindings:
            continue
        try:
            found = [manifests.value(control, place) for place in range(len(control.bindings))]
        except Trouble as trouble:
            unread[name] = trouble.line
            continue
        odd = next((place for place, value in enumerate(found) if not control.order.same(value, found[0])), None)
        if odd is None:
            values[name] = found[0]
        else:
            first, other = control.bindings[0].file, control.bindings[odd].file
            unread[name] = f"its bindings disagree: {first} says {_said(found[0])}, {other} says {_said(found[odd])}"
    return ReadControls(values, unread)


def share_base(policy: Policy, name: str) -> str | None:
    """The control that a ratio control is a share of, when the stages say so."""
    return policy.share_bases.get(name)


def overlay_holds(policy: Policy, controls: ReadControls, mode: Mode) -> bool:
    """Whether every control that the mode sets is at least as safe as the mode asks for."""
    overlay = policy.overlay(mode)
    return bool(overlay) and all(
        name in controls.values and policy.spec.controls[name].order.at_most(controls.values[name], value)
        for name, value in overlay.items()
        if policy.spec.controls[name].bindings
    )


def assess(policy: Policy, controls: ReadControls) -> Standing:
    """Where the controls stand on the ladder.

    Values that match a stage as they are stand there, NORMAL. Otherwise the strictest mode whose overlay holds, and
    differs from the stage beneath it, is stripped first. A control that differs and sits on a lower stage's own value
    is a half-made move (``between``); one that is merely safer is a tightening (``TIGHTER``). Controls that could not
    be read are left out of the comparison and named; with none read, nothing is known and the riskiest is the top.
    """
    return replace(_assess(policy, controls), parted=controls.parted)


def _assess(policy: Policy, controls: ReadControls) -> Standing:
    values = {name: value for name, value in controls.values.items() if policy.spec.controls[name].bindings}
    if not values:
        return Standing(None, Mode.NORMAL, policy.top, unread=controls.unread)
    plainly = _Ladder(policy, values, frozenset())
    if plainly.exact is not None:
        return plainly.standing(Mode.NORMAL, controls.unread)
    for mode in reversed(policy.mapped_modes):
        overlay = policy.overlay(mode)
        if not overlay_holds(policy, controls, mode):
            continue
        # What a gentler mode has set may still be there: a stricter one only adds to it.
        held = [other for other in policy.mapped_modes if other <= mode and overlay_holds(policy, controls, other)]
        stripped = _Ladder(policy, values, frozenset(name for other in held for name in policy.overlay(other)))
        beneath = policy.resolved[min(stripped.riskiest, policy.top)]
        if any(not policy.spec.controls[name].order.at_most(beneath[name], value) for name, value in overlay.items()):
            return stripped.standing(mode, controls.unread)
    return plainly.standing(Mode.NORMAL, controls.unread)


class _Ladder:
    """The read values, without those that a mode's overlay sets, against every stage."""

    def __init__(self, policy: Policy, values: Mapping[str, Value | None], overlaid: frozenset[str]) -> None:
        self._policy = policy
        self._values = values
        self._names = [name for name in values if name not in overlaid]
        self._orders = {name: policy.spec.controls[name].order for name in self._names}
        # A share whose whole was not read can only be compared as the share that it is.
        bare = {name for name in self._names if policy.share_bases.get(name, name) not in values}
        self._risks = {name: values[name] if name in bare else policy.comparable(values, name) for name in self._names}
        self._rungs = [
            {**compared, **{name: written[name] for name in bare}}
            for compared, written in zip(policy.compared, policy.resolved, strict=True)
        ]
        self.riskiest = max((self._reach(name) for name in self._names), default=0)
        stages = range(len(policy.stages))
        self.exact = next((index for index in stages if all(self._same(name, index) for name in self._names)), None)

    def standing(self, mode: Mode, unread: Mapping[str, str]) -> Standing:
        top = self._policy.top
        if self.exact is not None:
            return Standing(self.exact, mode, self.exact, unread=unread)
        differences = self._differences(min(self.riskiest, top))
        if self.riskiest > top:
            return Standing(None, mode, self.riskiest, beyond=True, differences=differences, unread=unread)
        half_made = any(self._on_lower_rung(one.control) for one in differences)
        stage = None if half_made else self.riskiest
        return Standing(stage, mode, self.riskiest, tighter=not half_made, differences=differences, unread=unread)

    def _reach(self, name: str) -> int:
        """The lowest stage that allows the control's value; above the top, the number of stages."""
        order, value = self._orders[name], self._risks[name]
        allowed = (index for index, rung in enumerate(self._rungs) if order.at_most(value, rung[name]))
        return next(allowed, len(self._rungs))

    def _on_lower_rung(self, name: str) -> bool:
        return any(self._same(name, index) for index in range(self.riskiest))

    def _same(self, name: str, index: int) -> bool:
        return self._orders[name].same(self._risks[name], self._rungs[index][name])

    def _differences(self, index: int) -> tuple[Difference, ...]:
        stage = self._policy.resolved[index]
        return tuple(
            Difference(
                name,
                stage[name],
                self._values[name],
                self._orders[name].at_most(self._risks[name], self._rungs[index][name]),
            )
            for name in self._names
            if not self._same(name, index)
        )


def _said(value: Value | None) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return ",".join(value)
    return plain(value) if isinstance(value, Decimal) else value
