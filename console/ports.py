"""Ports: what procedures, the watch and the screens need of the world. ``console.wiring`` alone provides them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from stages.commands import Command
from stages.deployed import ApplicationReading, WorkloadReading
from stages.dry_run import Attempt, Wanted
from stages.entries import Draft, Entry, Head
from stages.reach import Material
from stages.refusal import Refusal
from stages.rendering import Built
from stages.signals import Sample, SignalKey
from stages.state import ControlState
from stages.value import Struct
from stages.witness import OrderOutcome, RuntimeReading, VenueReading


class Clock(Protocol):
    """The only way to learn the time. ``wall`` is aware UTC, ``monotonic`` seconds, ``market`` scaled market time."""

    def wall(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def market(self, wall: datetime) -> datetime: ...
    @property
    def speed(self) -> float: ...


class Identifiers(Protocol):
    """Random identifiers: nonces and ids that nobody can guess."""

    def new(self) -> str: ...


class LedgerStore(Protocol):
    """The ledger. ``transact`` decides inside the write transaction (design section 3, write path)."""

    def transact(
        self, command: Command, *, now: datetime, deadline: float | None = None, term: int | None = None
    ) -> tuple[Entry, ...] | Refusal: ...
    def state(self) -> ControlState: ...
    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]: ...
    def head(self) -> Head: ...


class SpillFile(Protocol):
    """Where decisions wait on this machine while the ledger is away. Every call may raise Trouble."""

    def append(self, drafts: Sequence[Draft], *, at: datetime, cause: str) -> None: ...
    def merge(self, ledger: Any, *, actor: str, now: datetime, deadline: float | None = None) -> tuple[Entry, ...]:
        """Brings what waits into the ledger, once; empty when nothing did. ``deadline``: seconds for each wait."""

    def unmerged(self) -> str:
        """What waits, in words; empty when nothing does."""


class CommitInfo(Struct, frozen=True):
    """A commit of the branch, newest last in lists."""

    sha: str
    author: str
    email: str
    at: datetime
    subject: str
    trailers: Mapping[str, str]
    paths: tuple[str, ...]


class Pushed(Struct, frozen=True):
    """What the remote said of a push: pushed, moved (another head), rejected (a hook, a rule, a lock) or unknown."""

    outcome: str
    message: str = ""
    locked: bool = False
    """Whether it was rejected because somebody holds the branch's lock there, so that the same push may pass later."""


def branch_name(plan_id: str) -> str:
    """The branch under which a plan is proposed to those who merge."""
    return f"rampdeck/{plan_id}"


class Repository(Protocol):
    """The GitOps repository by its remote, through a private mirror; nobody's checkout is ever touched.

    Every call may raise Trouble when Git or the remote cannot be reached.
    """

    def fetch(self) -> str:
        """Fetches the branch and returns the sha of its head."""

    def known_head(self) -> str | None:
        """The head as of the last fetch, without asking the remote."""

    def read(self, sha: str, path: str) -> bytes | None: ...
    def blob(self, sha: str, path: str) -> str | None:
        """The blob's id, None when the path does not exist."""

    def blob_id(self, content: bytes) -> str: ...
    def info(self, sha: str) -> CommitInfo: ...
    def log(self, base: str, head: str) -> Sequence[CommitInfo]:
        """Commits after ``base`` up to ``head``, oldest first."""

    def vouching(self, trailer: str, word: str, limit: int) -> Sequence[CommitInfo]:
        """Commits of the branch as last fetched whose ``trailer`` begins with ``word``, newest first, so many."""

    def commit(
        self,
        base: str,
        contents: Mapping[str, bytes],
        message: str,
        trailers: Sequence[tuple[str, str]],
        *,
        signed: bool = True,
    ) -> str:
        """Makes a commit object on a private index and returns its sha; nothing is published.

        Signed when Git's own configuration asks for it; ``signed=False`` never waits for a key.
        """

    def push(self, sha: str, expected: str) -> Pushed:
        """Publishes ``sha`` when the branch's head is still ``expected``."""

    def contains(self, sha: str) -> bool | None:
        """Whether the remote branch contains ``sha``, asked of the remote now; None when it does not answer."""

    def propose(self, sha: str, branch: str) -> Pushed:
        """Publishes ``sha`` as a new branch beside the target's, for a person to merge; never replaces one."""

    def proposal(self, branch: str) -> str | None:
        """The head of such a branch, asked of the remote now; None when there is none."""

    def withdraw(self, branch: str, sha: str) -> bool:
        """Takes such a branch back while nobody has added to it; whether it is gone."""


class Builder(Protocol):
    """Builds what a kustomization deploys, off the network. It never raises: a build that fails is an answer."""

    def build(self, material: Material) -> Built: ...


class FlagAnswer(Struct, frozen=True):
    """What became of the runtime flag: ``done`` is True, False for a no, None while nobody knows."""

    done: bool | None
    detail: str


class KillFlag(Protocol):
    """A field of the runtime that the GitOps controller leaves alone. Every call may raise Trouble."""

    def verify(self) -> str:
        """Why a write would not hold; empty when it would."""

    def kills(self) -> FlagAnswer:
        """Whether it says now that trading is killed; nothing is written."""

    def kill(self) -> FlagAnswer:
        """Writes it and reads it back, unless a write would not hold."""

    def restore(self) -> FlagAnswer:
        """Takes it back likewise."""


class DryRunner(Protocol):
    """Has the API server judge objects without keeping them. It never raises: what it cannot tell is an answer."""

    def attempt(self, objects: Sequence[Wanted], manager: str) -> tuple[Attempt, ...]:
        """One answer for each object, applied as the field manager ``manager``."""


class Venue(Protocol):
    """The venue: the quickest place to stop new risk. Every call may raise Trouble."""

    def read(self) -> VenueReading: ...
    def block(self) -> None: ...
    def unblock(self) -> None: ...
    def cancel_all(self) -> tuple[OrderOutcome, ...]: ...


class Probe(Struct, frozen=True):
    """What the venue said to a probe order: taken with an id, or refused with a reason."""

    accepted: bool
    order_id: str
    reason: str


class Fill(Struct, frozen=True):
    """One fill: signed shares, and the dollars that it moved in cash, fees included."""

    seq: int
    order_id: str
    symbol: str
    quantity: Decimal
    cash: Decimal


class AppReading(Struct, frozen=True):
    """What a trading process says of itself: since when it runs, on which revision, with which controls."""

    started_at: datetime
    revision: str
    controls: Mapping[str, object]
    image: str


class DrillVenue(Venue, Protocol):
    """A paper venue on which a drill may send orders of its own. Every call may raise Trouble."""

    @property
    def block_reason(self) -> str:
        """The reason with which it refuses orders under our block."""

    def submit(self, symbol: str, side: str, quantity: Decimal, limit: Decimal) -> Probe: ...
    def cancel(self, order_id: str) -> str: ...
    def fills(self) -> tuple[Fill, ...]: ...
    def app(self) -> AppReading: ...
    def heal(self) -> None:
        """Make the GitOps controller see a difference, so that it applies again what Git says."""

    def inject(self, fault: str) -> str:
        """Have the paper venue let a fault strike, or be calm again; what happened."""


class Signer(Protocol):
    """SSH signatures by a person's key, verified against allowed signers (OpenSSH ``ssh-keygen -Y``)."""

    def sign(self, message: bytes) -> str:
        """An armoured SSH signature in one base64 line. Raises Trouble without a usable key."""

    def verify(self, message: bytes, signature: str, allowed_signers: bytes) -> str | None:
        """The principal whose key made the signature, None when nobody's in ``allowed_signers`` did."""


class Launcher(Protocol):
    """Starts a command of this program in a process of its own session, which outlives the terminal."""

    def launch(self, arguments: Sequence[str]) -> int:
        """Starts it and returns its process id."""


class RunningActs(Protocol):
    """Which acts are being carried out now, so that nobody declares a living one abandoned."""

    def hold(self, intent: str) -> AbstractContextManager[None]: ...
    def alive(self, intent: str) -> bool | None:
        """False when its process died; None when this machine knows nothing of it."""


class Checkpoint(Protocol):
    """Called by name between the numbered points of a procedure, so that each crash can be rehearsed."""

    def __call__(self, name: str) -> None: ...


class Fetched(Struct, frozen=True):
    """One answer of a fetch, or the lack of one (``error`` says why): what it means for each signal and readback.

    ``note`` is what a person should know of how it was got, such as that it may be late.
    """

    at: datetime
    latency_ms: int | None
    samples: Mapping[SignalKey, Sample]
    runtime: Mapping[str, RuntimeReading]
    error: str = ""
    note: str = ""


class Cluster(Protocol):
    """What the cluster says of the workloads of a policy."""

    def workloads(self) -> tuple[WorkloadReading, ...]:
        """Each one's rollout, pods and Events. Raises no Trouble."""


class Runtime(Protocol):
    """The GitOps controller of the target."""

    def application(self) -> ApplicationReading:
        """Its newest word. Raises no Trouble."""

    def refresh(self) -> None:
        """Asks it to look at Git now. Raises Trouble."""

    def sync(self, *, who: str, reason: str) -> None:
        """Asks it to apply what it follows, once. Raises Trouble, also while it is at something else."""


class Fetch(Protocol):
    """A source that is asked again and again by a thread of its own."""

    @property
    def name(self) -> str:
        """How the line of sources calls it."""

    @property
    def every(self) -> float:
        """Seconds between two requests."""

    @property
    def patience(self) -> float:
        """Seconds that one request may take."""

    def read(self) -> Fetched:
        """Asks once. Trouble is an answer too: this never raises it."""

    def failed(self, reason: str, at: datetime) -> Fetched:
        """What it means for everything that waits for this source that there is no answer."""


class StoredTick(Protocol):
    """One tick of the observation store: its number, its time and its plain JSON body."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def body(self) -> Any: ...


class Observations(Protocol):
    """What was measured, tick by tick, outside the chain of decisions. Every call may raise Trouble."""

    def begin(self) -> None: ...
    def append_tick(self, at: datetime, body: Mapping[str, Any]) -> int: ...
    def newest_tick(self) -> StoredTick | None: ...
    def ticks(
        self, *, after: int = 0, upto: int | None = None, since: datetime | None = None, every: int = 1
    ) -> Iterator[StoredTick]: ...
    def digest(self, *, after: int = 0, upto: int | None = None) -> tuple[str, int]: ...
    def put_accumulators(self, body: Mapping[str, Any], *, at: datetime) -> str: ...
    def accumulators(self, digest: str) -> Any | None: ...
    def prune(self, before: datetime, *, through: int | None = None, batches: int | None = None) -> int: ...


class LeaseRow(Protocol):
    """Who holds the watch, and for how long."""

    @property
    def holder(self) -> str | None: ...
    @property
    def term(self) -> int: ...
    @property
    def expires(self) -> datetime: ...
    def alive(self, at: datetime) -> bool: ...


class Lease(Protocol):
    """The one place of the watch in a ledger; its term fences off whoever was relieved. Any call may raise Trouble."""

    def current(self) -> LeaseRow | None: ...
    def acquire(self, holder: str, now: datetime, ttl: timedelta = ..., *, acting: bool = False) -> int | None: ...
    def take_over(
        self, holder: str, now: datetime, ttl: timedelta = ..., *, acting: bool = True
    ) -> tuple[int, str | None]: ...
    def renew(self, term: int, now: datetime, ttl: timedelta = ..., *, deadline: float | None = None) -> bool: ...
    def release(self, term: int, now: datetime) -> bool: ...


class Notifier(Protocol):
    """Carries an alarm's text to where no terminal is."""

    def notify(self, text: str) -> None:
        """Hands it over without waiting. Raises Trouble when it cannot be handed over."""
