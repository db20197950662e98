"""The world of a scenario: values, endpoints, venue, manifests and runtime as its events leave them, by the second."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from stages.ladder import Value
from stages.plan import Plan, git_blob_id
from stages.policy import Account, Policy
from stages.scenario import Event, Holding, Scenario
from stages.scenario_text import split
from stages.signals import LIVE_BOOK, Quality, ReadControls, Sample, SignalKey, Snapshot, SourceHealth
from stages.simulated_faults import CALM, FAULTS, Effect, limit_of
from stages.staleness import EPOCH_TRAILER, MODE_TRAILER, STAGE_TRAILER
from stages.standing import read_controls
from stages.value import Struct, field, replace
from stages.witness import GitReading, Order, Position, RuntimeReading, VenueReading

NO_ANSWER = "gives no answer"
ACCOUNT = "account"
"""The signal by which the process says which account it trades."""
AUTHOR = "rampdeck"


class _Series(Struct):
    """One signal of one book."""

    value: Decimal | str
    event: datetime
    rate: Decimal = Decimal(0)
    frozen: bool = False

    def tick(self, wall: datetime, start: datetime, cycle: timedelta) -> None:
        """A second passes: the value moves, and is renewed when its cycle is over."""
        if self.frozen:
            return
        if isinstance(self.value, Decimal):
            self.value += self.rate
        self.event = wall - (wall - start) % cycle


class World(Struct):
    """Files of the branch by path from its root; everything else follows from the scenario and from what is pushed."""

    policy: Policy
    scenario: Scenario
    files: dict[str, bytes]
    head: str = ""
    blocked: bool = False
    _series: dict[SignalKey, _Series] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)
    _git: GitReading | None = None
    _runtime: Mapping[str, Value | None] = field(default_factory=dict)
    _arriving: list[tuple[datetime, datetime, ReadControls]] = field(default_factory=list)
    _account: Account | None = None
    _positions: Mapping[str, Holding] = field(default_factory=dict)
    _lost: set[str] = field(default_factory=set)
    _ahead: timedelta = timedelta()
    _dark: bool = False
    _before: dict[SignalKey, _Series] = field(default_factory=dict)
    """Signals that a fault has touched, as they were before it."""

    def begin(self) -> None:
        """Second 0: the runtime runs what the files say."""
        spec = self.scenario.spec
        self._positions = spec.positions
        for book in dict.fromkeys([LIVE_BOOK, *(stage.book for stage in self.policy.stages)]):
            for name, value in spec.signals.items():
                own, signal = split(name)
                if own in (LIVE_BOOK, book):
                    self._series[SignalKey(book, signal)] = _Series(value, spec.market)
        self._commit({}, spec.market)
        self._runtime = dict(self._read().values)

    def happen(self, event: Event) -> None:
        """Bring about what an event says."""
        for name, value in event.set.items():
            self._one(name).value = value
        for name, rate in event.rate.items():
            self._one(name).rate = rate
        for name in event.freeze:
            self._one(name).frozen = True
        for name in event.thaw:
            self._one(name).frozen = False
        self._silent = (self._silent | set(event.silence)) - set(event.answer)
        self._account = event.account or self._account
        self._positions = self._positions if event.positions is None else event.positions

    def inject(self, name: str, wall: datetime) -> None:
        """Let a fault strike, or end all of them."""
        effect = FAULTS[name]
        if name == CALM:
            self._calm()
        if not effect.stays:
            for key in (SignalKey(LIVE_BOOK, signal) for signal in effect.signals if signal not in effect.loses):
                self._before.setdefault(key, replace(self._one(key.name)))
        for signal, value in effect.sets.items():
            self._one(signal).value = value
        for signal, share in effect.limits.items():
            limit = self.policy.spec.signals[signal].limit
            self._one(signal).value = share * limit_of(self._runtime, limit.control if limit else None)
        for signal, rate in effect.rates.items():
            self._one(signal).rate = rate
        for signal in effect.freezes:
            self._one(signal).frozen = True
        self._lost |= set(effect.loses)
        self._ahead = effect.ahead or self._ahead
        self._dark = self._dark or effect.dark
        if effect.label or effect.environment:
            self._report(effect)
        if effect.restarts:
            self._arriving.append((wall, wall + self.scenario.spec.deploy.dark, self._read()))

    def _calm(self) -> None:
        for key, before in self._before.items():
            one = self._series[key]
            one.value, one.rate, one.frozen = before.value, before.rate, before.frozen
        self._before, self._lost, self._ahead, self._dark, self._account = {}, set(), timedelta(), False, None

    def _report(self, effect: Effect) -> None:
        """Another account than the own one, at the broker and in what the process says of it."""
        own = self._account or self.policy.spec.target.account
        other: Literal["live", "paper"] = "paper" if own.environment == "live" else "live"
        label = f"{own.label}{effect.label}"
        self._account = Account(label=label, environment=other if effect.environment else own.environment)
        key = SignalKey(LIVE_BOOK, ACCOUNT)
        if effect.label and key in self._series:
            self._before.setdefault(key, replace(self._series[key]))
            self._series[key].value = label

    def push(self, plan: Plan, trailers: Mapping[str, str], wall: datetime) -> str:
        """Take a plan's contents as the branch's head; the runtime follows as the scenario says. Returns the sha."""
        deploy = self.scenario.spec.deploy
        self.files |= plan.contents
        self._commit(trailers, wall)
        self._arriving.append((wall + deploy.sync, wall + deploy.sync + deploy.dark, self._read()))
        return self.head

    def tick(self, wall: datetime) -> None:
        """A second passes."""
        second = timedelta(seconds=1)
        for key, one in self._series.items():
            one.tick(wall, self.scenario.spec.market, self.scenario.spec.cycles.get(key.name, second))
        for _, back, controls in self._arriving:
            if wall >= back:
                self._runtime = dict(controls.values)
        self._arriving = [one for one in self._arriving if wall < one[1]]

    def snapshot(self, seq: int, wall: datetime, market: datetime) -> Snapshot:
        """What the watch reads in this second."""
        away = self._away(LIVE_BOOK, wall)
        spoken = self.policy.spec.controls
        runtime = {
            name: RuntimeReading(None if away else self._runtime.get(name), wall, error=NO_ANSWER if away else "")
            for name, control in spoken.items()
            if control.readback is not None
        }
        return Snapshot(
            seq=seq,
            wall=wall,
            market=market,
            samples={key: self._sample(key, one, wall) for key, one in self._series.items()},
            sources=(SourceHealth("status", not away, 1, wall, NO_ANSWER if away else ""),),
            git=self._read_git(wall),
            runtime=runtime,
            venue=self._read_venue(wall),
            speed=float(self.scenario.spec.speed),
        )

    def _one(self, name: str) -> _Series:
        key = SignalKey(*split(name))
        return self._series.setdefault(key, _Series(Decimal(0), self.scenario.spec.market))

    def _sample(self, key: SignalKey, one: _Series, wall: datetime) -> Sample:
        signal = self.policy.spec.signals[key.name]
        if self._away(key.book, wall, signal.source.process or signal.source.endpoint):
            return Sample(Quality.PROVIDER_ERROR, wall, detail=NO_ANSWER)
        if key.book == LIVE_BOOK and key.name in self._lost:
            return Sample(Quality.MISSING, wall, detail="not in the answer")
        event = one.event + self._ahead if key.book == LIVE_BOOK else one.event
        if isinstance(one.value, Decimal):
            return Sample(Quality.OK, wall, one.value, event)
        return Sample(Quality.OK, wall, None, event, one.value)

    def _away(self, book: str, wall: datetime, endpoint: str = "") -> bool:
        """Whether an endpoint (without a name: the one that is read back) does not answer for a book."""
        stage = next((one for one in self.policy.stages if one.book == book), None)
        names = [endpoint] if endpoint else [_process(self.policy)]
        if book == LIVE_BOOK:
            restarting = self._dark or any(since <= wall < back for since, back, _ in self._arriving)
            return restarting or bool(self._silent & set(names))
        return any((stage.endpoints.get(name, name) if stage else name) in self._silent for name in names)

    def _read(self) -> ReadControls:
        return read_controls(self.policy, self.files.get)

    def _commit(self, trailers: Mapping[str, str], wall: datetime) -> None:
        text = "\n".join(f"{git_blob_id(content)} {path}" for path, content in sorted(self.files.items()))
        self.head = hashlib.sha1(f"{self.head}\n{text}".encode(), usedforsecurity=False).hexdigest()
        found = self._read()
        self._git = GitReading(
            self.head, wall, AUTHOR, wall, values=found.values, unread=found.unread, trailers=dict(trailers)
        )

    def _read_git(self, wall: datetime) -> GitReading | None:
        assert self._git is not None
        return replace(self._git, error=NO_ANSWER) if "git" in self._silent else replace(self._git, fetched_at=wall)

    def _read_venue(self, wall: datetime) -> VenueReading:
        account = self._account or self.policy.spec.target.account
        positions = tuple(Position(symbol, one.quantity, one.value) for symbol, one in self._positions.items())
        orders: tuple[Order, ...] = ()
        error = NO_ANSWER if "venue" in self._silent else ""
        return VenueReading(account.label, account.environment, self.blocked, orders, positions, None, wall, error)


def trailers(stage: str, mode: str, epoch: int) -> dict[str, str]:
    """What a commit of the watch says of itself."""
    return {EPOCH_TRAILER: str(epoch), STAGE_TRAILER: stage, MODE_TRAILER: mode}


def _process(policy: Policy) -> str:
    """The endpoint by which controls are read back."""
    read = [control.readback for control in policy.spec.controls.values() if control.readback is not None]
    return next((source.process or source.endpoint for source in read), "")
