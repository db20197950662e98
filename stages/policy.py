"""The policy manifest: the pydantic models of ``kind: RampPolicy`` and what follows from them alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Literal

from pydantic import Field, model_validator

from stages.bindings import Binding
from stages.burnin_spec import BurnInSpec
from stages.ladder import RiskOrder, Share, Unit, Value
from stages.manifest import Duration, Manifest, MarketSpan
from stages.measures import NotWatched, Signal, Source, Trigger
from stages.posture import Mode
from stages.signals import LIVE_BOOK

REQUIRED_CONTROLS = (
    "maxOrderNotional",
    "maxGrossExposure",
    "maxNetExposure",
    "symbolConcentration",
    "participationCap",
    "dailyLossLimit",
    "universe",
)
"""Every stage sets all of these (design section 4)."""


class Account(Manifest):
    """The account as the venue must report it; another answer halts."""

    label: str
    environment: Literal["paper", "live"]


class SessionHours(Manifest):
    """Trading hours in the exchange's zone; past ``calendar_until`` the calendar has failed."""

    timezone: str
    weekdays: tuple[Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], ...]
    open: time
    close: time
    entry_cutoff: time | None = None
    flatten_start: time | None = None
    flat_by: time | None = None
    holidays: tuple[date, ...] = ()
    early_closes: Mapping[date, time] = Field(default_factory=dict)
    calendar_until: date


class Workload(Manifest):
    """A workload that a change restarts, and how long that may silence it."""

    object: str
    dark: Duration


class Application(Manifest):
    """The Argo CD Application that syncs the target."""

    namespace: str
    name: str


class Target(Manifest):
    """What is driven: where its manifests live, which account it trades, when its market is open."""

    namespace: str
    gitops_path: str
    branch: str = "main"
    account: Account
    application: Application | None = None
    session: SessionHours
    workloads: tuple[Workload, ...] = ()
    convergence: Duration


class BindingSpec(Manifest):
    """Where a control is written in a manifest (design section 4, paths)."""

    file: str
    object: str
    env: str | None = None
    container: str | None = None
    path: str | None = None
    format: Literal["plain", "csv", "json-list", "list"] = "plain"
    inside: Literal["yaml", "json"] | None = None
    inner_path: str | None = None
    when_absent: Literal["insert", "error"] = "error"
    when_aliased: Literal["error", "local"] = "error"

    @model_validator(mode="after")
    def _one_place(self) -> BindingSpec:
        if (self.env is None) == (self.path is None):
            raise ValueError("a binding names either env or path")
        if (self.inside is None) != (self.inner_path is None):
            raise ValueError("inside and innerPath belong together")
        return self

    @property
    def binding(self) -> Binding:
        return Binding(**self.model_dump())


class Apart(Manifest):
    """An object whose lists of symbols look like the universe and are somebody else's."""

    file: str
    object: str
    because: str


class ControlSpec(Manifest):
    """A ramp control: its unit, what riskier means, where it is written and who enforces it."""

    title: str = ""
    unit: Unit
    riskier: Literal["higher", "lower", "superset"] | tuple[str, ...]
    bindings: tuple[BindingSpec, ...] = ()
    apart: tuple[Apart, ...] = ()
    """For the universe: whose lists a change of it leaves alone."""
    pinned_by: str | None = None
    readback: Source | None = None
    enforced_by: Literal["app-clip", "app-reject", "app-stop", "venue", "rampdeck"]

    @cached_property
    def order(self) -> RiskOrder:
        if isinstance(self.riskier, tuple):
            return RiskOrder("listed", self.riskier)
        return RiskOrder(self.riskier)


class DocumentSpec(Manifest):
    """A document: a whole file, what an object holds at a path, or what the string there holds (``inside``)."""

    file: str
    object: str | None = None
    env: str | None = None
    container: str | None = None
    path: str | None = None
    inside: Literal["yaml", "json"] | None = None
    inner_path: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> DocumentSpec:
        if self.object is None and (self.env or self.path or self.inside or self.inner_path):
            raise ValueError("a document within a file names its object")
        if self.object is not None and (self.env is None) == (self.path is None):
            raise ValueError("a document within an object names either env or path")
        if self.inside is None and (self.env or self.inner_path):
            raise ValueError("env and innerPath lead into a string: add inside: json or yaml")
        return self


class DigestSpec(Manifest):
    """The SHA-256 of a document over canonical JSON, and every place where it is written."""

    of: DocumentSpec
    written: tuple[BindingSpec, ...] = Field(min_length=1)
    prefix: str = "sha256:"
    form: Literal["sorted", "rfc8785"] = "sorted"
    """``sorted``: keys in order, no blanks, as Python's ``json`` writes it; ``rfc8785``: canonical JSON."""


class Pin(Manifest):
    """Why a control cannot be moved by manifest alone, and which edits belong together.

    Where the only companion is a digest in the manifests, a plan writes it together with the values.
    """

    reason: str
    companions: tuple[str, ...] = ()
    """Edits that no plan can make."""
    digest: DigestSpec | None = None

    @property
    def holds(self) -> bool:
        """Whether its controls cannot be moved by a plan."""
        return self.digest is None or bool(self.companions)


class Contract(Manifest):
    """A check outside the manifests that a change of these controls also has to satisfy."""

    controls: tuple[str, ...]
    where: str
    says: str


class EnvOf(Manifest):
    """The variables of a container: of the only one of the object, or of the named one."""

    file: str
    object: str
    container: str | None = None


class Mirror(Manifest):
    """Containers whose variables must say the same, ``but`` for those named; a plan keeps it so or is refused."""

    of: EnvOf
    like: EnvOf
    but: tuple[str, ...] = ()


class Approvals(Manifest):
    """How many approvals an advance into the stage needs, and of which roles."""

    required: int = Field(ge=1)
    roles: Mapping[str, int] = Field(default_factory=dict)


class ShareSpec(Manifest):
    """A stage value given as a share of another control."""

    value: Decimal
    of: str


class Stage(Manifest):
    """One rung of the ladder."""

    name: str
    title: str
    controls: Mapping[str, Decimal | tuple[str, ...] | ShareSpec | str | None]
    burn_in: BurnInSpec | None = None
    approvals: Approvals = Approvals(required=1)
    endpoints: Mapping[str, str] = Field(default_factory=dict)
    """Replaces endpoints of sources for this stage: L0 reads the paper account."""
    account: Account | None = None
    """The account behind those endpoints; by default the target's."""

    @property
    def book(self) -> str:
        """The book that this stage's panels and burn-in read."""
        return self.name if self.endpoints else LIVE_BOOK


class RuntimeFlag(Manifest):
    """A field that a kill writes straight into the cluster, because the GitOps controller leaves it alone.

    The application reads it as a second kill switch. ``normal`` is what a restore writes.
    """

    object: str = Field(pattern=r"^ConfigMap/[a-z0-9.-]+$")
    path: str
    value: str
    normal: str


class PostureSpec(Manifest):
    """What a mode does on top of the stage's values."""

    controls: Mapping[str, Decimal | tuple[str, ...] | str] = Field(default_factory=dict)
    venue: tuple[Literal["suspend", "cancelAll"], ...] = ()
    runtime: RuntimeFlag | None = None
    """Only for KILLED; absent: a kill writes nothing into the cluster."""


class Gates(Manifest):
    """Settings of the gates that every advance passes."""

    plan_life: Duration = timedelta(hours=8)
    approval_life: Duration = timedelta(hours=4)
    cooldown_sessions: Decimal = Decimal(1)
    storm_within: Duration = timedelta(seconds=30)
    """Latches of one root that open within this time are one incident."""
    permit_life: Duration = timedelta(minutes=10)
    """Longest life of a permit to reduce under a halt."""
    render: Literal["required", "whenPresent"] = "required"
    """Whether an advance needs its result built by Kustomize, or only where that is installed."""
    dry_run: Literal["required", "whenPresent", "off"] = "off"
    """Whether an advance needs the API server's word on every object that it changes, or only where one is configured.

    Off by itself, because it takes a grant that reading does not (docs/rbac.yaml).
    """


class DrillSpec(Manifest):
    """Which drills every advance relies on, for how long they count, and how fast each step must be."""

    kill: bool = True
    rollback: bool = True
    valid_for: MarketSpan = MarketSpan(sessions=Decimal(1))
    image: Literal["warn", "void"] = "warn"
    """Whether another image than the one that was drilled is told, or voids the drill."""
    hold_back: Duration = timedelta(minutes=15)
    """How long the declared effects on the drill's target ring nothing."""
    budgets: Mapping[str, Duration] = Field(default_factory=dict)
    """Budgets by step (``D6: 5s``); others keep their own."""

    @model_validator(mode="after")
    def _known_steps(self) -> DrillSpec:
        wrong = [step for step in self.budgets if step not in {f"D{number}" for number in range(13)}]
        if wrong:
            raise ValueError(f"there is no step {wrong[0]}; steps are D0 to D12")
        return self


class Spec(Manifest):
    """The body of the policy."""

    version: int = Field(ge=1)
    target: Target
    controls: Mapping[str, ControlSpec]
    pins: Mapping[str, Pin] = Field(default_factory=dict)
    contracts: tuple[Contract, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    stages: tuple[Stage, ...]
    postures: Mapping[Literal["REDUCE_ONLY", "HALTED", "KILLED"], PostureSpec] = Field(default_factory=dict)
    heartbeats: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Per endpoint the signals that must be at least 1, or nothing that the same process says is believed."""
    signals: Mapping[str, Signal] = Field(default_factory=dict)
    own_orders: str | None = None
    """The word signal that lists the ids of the orders that the application knows; the venue's others are strangers."""
    own_positions: str | None = None
    """The word signal that lists the positions that the application knows: ``NVDA 7.4, MU -10.5``."""
    unknown_orders: str | None = None
    """The count signal of working orders that the application did not send; those of a drill are taken off it."""
    image: str | None = None
    """The word signal that tells which image the application runs; drills are held against it."""
    not_watched: tuple[NotWatched, ...] = ()
    """Rows that nothing here can fill; they are shown as such."""
    triggers: Mapping[str, Trigger] = Field(default_factory=dict)
    gates: Gates = Gates()
    drill: DrillSpec | None = None
    """Absent: no advance asks for a drill."""


class Metadata(Manifest):
    """Name of the policy; the first word of every confirmation token."""

    name: str


class Policy(Manifest):
    """A whole policy file. Its meaning across parts is checked by ``stages.policy_text.load``."""

    api_version: Literal["rampdeck.dev/v1alpha1"]
    kind: Literal["RampPolicy"]
    metadata: Metadata
    spec: Spec

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.spec.stages

    @property
    def top(self) -> int:
        """Index of the highest stage."""
        return len(self.spec.stages) - 1

    @cached_property
    def resolved(self) -> tuple[Mapping[str, Value | None], ...]:
        """Per stage the value of every control as it is written: shares of a usd control become dollars."""
        return tuple({name: self._resolve(stage, name) for name in stage.controls} for stage in self.spec.stages)

    @cached_property
    def share_bases(self) -> Mapping[str, str]:
        """By ratio control the control that it is a share of, where the stages say so."""
        ratios = {name for name, control in self.spec.controls.items() if control.unit is Unit.RATIO}
        # The lowest stage that says so has the last word.
        written = [item for stage in reversed(self.spec.stages) for item in stage.controls.items()]
        return {name: said.of for name, said in written if name in ratios and isinstance(said, ShareSpec)}

    @cached_property
    def compared(self) -> tuple[Mapping[str, Value | None], ...]:
        """Per stage the value by which the risk of every control is compared."""
        return tuple({name: self.comparable(values, name) for name in values} for values in self.resolved)

    def comparable(self, values: Mapping[str, Value | None], name: str) -> Value | None:
        """The value by which a control's risk is compared: a share of another control becomes dollars of it."""
        value, base = values[name], self.share_bases.get(name)
        if base is None:
            return value
        whole = values.get(base)
        return value * whole if isinstance(value, Decimal) and isinstance(whole, Decimal) else None

    @cached_property
    def slices(self) -> tuple[str, ...]:
        """Per stage a digest of what its burn-in rests on: controls, objectives, their signals and those' triggers."""
        return tuple(self._slice(stage) for stage in self.spec.stages)

    def _slice(self, stage: Stage) -> str:
        named = {objective.signal for objective in stage.burn_in.objectives} if stage.burn_in else set()
        signals = {name: one.model_dump_json() for name, one in self.spec.signals.items() if name in named}
        triggers = {name: one.model_dump_json() for name, one in self.spec.triggers.items() if named & {*one.signals}}
        own = stage.model_dump_json(include={"controls", "burn_in", "endpoints", "account"})
        return sha256(repr((own, sorted(signals.items()), sorted(triggers.items()))).encode()).hexdigest()

    def stage_index(self, name: str) -> int | None:
        """Index of a stage by its name, case folded; None when there is none."""
        names = [stage.name.casefold() for stage in self.spec.stages]
        return names.index(name.casefold()) if name.casefold() in names else None

    def stage_account(self, index: int) -> Account:
        """The account whose book the stage reads."""
        return self.spec.stages[index].account or self.spec.target.account

    def overlay(self, mode: Mode) -> Mapping[str, Value]:
        """Controls that a mode sets on top of the stage; empty for NORMAL and FROZEN."""
        posture = self._posture(mode)
        if posture is None:
            return {}
        return {name: _typed(self.spec.controls[name].unit, value) for name, value in posture.controls.items()}

    def venue_actions(self, mode: Mode) -> tuple[str, ...]:
        """What the venue is to do in a mode: ``suspend``, ``cancelAll``; nothing in NORMAL and FROZEN."""
        posture = self._posture(mode)
        return tuple(posture.venue) if posture is not None else ()

    def _posture(self, mode: Mode) -> PostureSpec | None:
        return next((spec for name, spec in self.spec.postures.items() if name == mode.name), None)

    @property
    def mapped_modes(self) -> tuple[Mode, ...]:
        return tuple(sorted(Mode[name] for name in self.spec.postures))

    def _resolve(self, stage: Stage, name: str) -> Value | None:
        raw = stage.controls[name]
        if raw is None:
            return None
        if isinstance(raw, ShareSpec):
            base = stage.controls.get(raw.of)
            if self.spec.controls[name].unit is Unit.USD and isinstance(base, Decimal):
                return raw.value * base
            return raw.value
        return _typed(self.spec.controls[name].unit, raw)

    def informs_alone(self, signal: str) -> bool:
        """Whether a signal is only shown: it has no limit, so that nothing of it could be good or bad enough."""
        found = self.spec.signals.get(signal)
        return found is None or (found.class_ == "info" and found.limit is None)

    def share(self, index: int, name: str) -> Share | None:
        """The share that a stage gives for a control, when it gives one."""
        raw = self.spec.stages[index].controls.get(name)
        return Share(raw.value, raw.of) if isinstance(raw, ShareSpec) else None


def _typed(unit: Unit, raw: Decimal | tuple[str, ...] | str) -> Value:
    if unit.is_number:
        return Decimal(str(raw))
    if unit is Unit.SYMBOLS:
        return raw if isinstance(raw, tuple) else tuple(str(raw).split(","))
    return str(raw)
