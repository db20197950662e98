"""Wiring: configuration -> ports. The only importer of adapters, and the only place that reads clock and chance.

Everything is made when it is first used, so that a verb loads no more than it needs.
"""

from __future__ import annotations

import getpass
import os
import socket
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from console.in_force import InForce, keep_copy
from console.wiring.clock import RandomIdentifiers, SystemClock
from stages.refusal import Refusal, Trouble

if TYPE_CHECKING:
    from datetime import datetime

    from console.config import Settings
    from console.detach import CommandNotifier, DetachedLauncher, RunningActs
    from console.feed import Desk
    from console.gitops.kustomize import Kustomize
    from console.gitops.mirror import Mirror
    from console.identity import SshSigner
    from console.late_ledger import LateLedger
    from console.ports import Checkpoint
    from console.procedures.advance import AdvancePorts
    from console.store.lease import WatchLease
    from console.store.ledger import SqlLedger
    from console.store.observations import SqlObservations
    from console.store.reader import LedgerReader
    from console.store.spill import Spill
    from console.texts import Texts
    from console.venue.demo import DemoVenue
    from console.watch.alone import Alone
    from console.watch.loop import Watch
    from console.watch.once import Look
    from console.watch.reader import Reader
    from console.watch.tenure import Seat
    from console.wiring.outside import Outside
    from stages.commands import Command
    from stages.plan import Plan
    from stages.policy import Policy
    from stages.roster import Roster
    from stages.state import ControlState
    from stages.verdict import Gate

__all__ = ["InForce", "RandomIdentifiers", "SystemClock", "Wiring", "no_checkpoint"]


def no_checkpoint(name: str) -> None:
    """The checkpoint outside rehearsals: nothing happens between the points of a procedure."""


class Wiring:
    """The parts of one run of the program. Close it to let go of databases."""

    def __init__(self, settings: Settings, *, policy_file: str | None = None, read_only: bool = False) -> None:
        self.settings = settings
        self.policy_file = Path(policy_file) if policy_file else None
        self.read_only = read_only or settings.read_only

    @classmethod
    def of(cls, path: Path | None, *, policy_file: str | None = None, read_only: bool = False) -> Wiring:
        """Reads the configuration, found or named. Raises Trouble."""
        from console.config import load

        return cls(load(path), policy_file=policy_file, read_only=read_only)

    # -------------------------------------------------------------------------------------------- who, when, where

    @cached_property
    def clock(self) -> SystemClock:
        return SystemClock(self.settings.market)

    @cached_property
    def ids(self) -> RandomIdentifiers:
        return RandomIdentifiers()

    @cached_property
    def actor(self) -> str:
        """Who acts: the configured identity, otherwise ``uid@host``, which cannot sign."""
        if self.settings.identity:
            return self.settings.identity.name
        return f"{getpass.getuser()}@{socket.gethostname()}"

    @cached_property
    def seat(self) -> str:
        """This process as holder of the watch: ``watch@host`` with its process id."""
        return f"watch@{socket.gethostname()}:{os.getpid()}"

    @property
    def authenticated(self) -> bool:
        """Whether commands of this person can be signed."""
        return bool(self.settings.identity and self.settings.identity.key)

    @cached_property
    def state_folder(self) -> Path:
        """Where this machine keeps what is not in the ledger: logs of detached processes, the spill."""
        if self.settings.state:
            return self.settings.state
        from platformdirs import user_state_path

        return user_state_path("rampdeck")

    @cached_property
    def inbox(self) -> Path:
        """The folder through which requests and answers travel."""
        return self.settings.inbox or self.state_folder / "inbox"

    # ------------------------------------------------------------------------------------------------------ stores

    @cached_property
    def ledger(self) -> SqlLedger[ControlState, Command]:
        """The ledger for reading and deciding; it must exist (``policy adopt`` begins one)."""
        from console.store.ledger import SqlLedger
        from stages.decide import decide, denial
        from stages.state import ControlState, fold

        self.settings.need("ledger")
        assert self.settings.ledger is not None
        return SqlLedger(
            self.settings.ledger, fold=fold, initial=ControlState(), decide=decide, denial=denial, before=self._bring_in
        )

    def _bring_in(self, now: datetime, deadline: float | None) -> None:
        """Merge what was spilled here, so that every decision knows of it. Raises Trouble: then none is made."""
        from console.store.database import PATIENCE

        if self.spill.waiting():
            wait = PATIENCE if deadline is None else deadline
            self.spill.merge(self.ledger, actor=self.actor, now=now, deadline=wait)

    def ledger_reader(self, url: str | None = None) -> LedgerReader:
        """The ledger for reading alone; never made by asking."""
        from console.store.reader import LedgerReader

        if url is None:
            self.settings.need("ledger")
        return LedgerReader(url or str(self.settings.ledger))

    def begin_ledger(self, policy: Policy) -> None:
        """Writes the genesis entry where there is none; Trouble when the ledger belongs to another target."""
        self.ledger.begin(
            ledger=str(uuid.uuid4()), actor=self.actor, fingerprint=self.fingerprint(policy), now=self.clock.wall()
        )

    def fingerprint(self, policy: Policy) -> Mapping[str, Any]:
        """What makes a target this target and no other."""
        self.settings.need("repository")
        assert self.settings.repository is not None
        target = policy.spec.target
        return {
            "policy": policy.name,
            "namespace": target.namespace,
            "gitopsPath": target.gitops_path,
            "branch": self.settings.repository.branch,
            "account": target.account.label,
            "environment": target.account.environment,
        }

    @cached_property
    def observations(self) -> SqlObservations:
        """The observation store beside the ledger."""
        from console.store.observations import ObservationsAway, SqlObservations

        self.settings.need("ledger")
        url = str(self.settings.ledger)
        if url.startswith("sqlite:"):
            stem, dot, ending = url.rpartition(".")
            url = f"{stem}.observations.{ending}" if dot and "/" not in ending else f"{url}.observations"
        store = SqlObservations(url)
        with suppress(ObservationsAway):  # its first read says so again, to whoever can do without it
            store.begin()
        return store

    @property
    def lease(self) -> WatchLease:
        """Who watches this ledger."""
        return self.ledger.lease

    @cached_property
    def late_ledger(self) -> LateLedger:
        """The ledger for what must not wait for it: opened when it is first asked; away where none is configured."""
        from console.late_ledger import LateLedger

        return LateLedger(lambda: self.ledger)

    @property
    def _ledger_name(self) -> str:
        return (self.settings.ledger or "ledger").rpartition("/")[2]

    @property
    def policy_copy(self) -> Path:
        """Where this machine keeps the text of the policy in force, for the night when nothing else answers."""
        return self.state_folder / f"{self._ledger_name}.policy.yaml"

    @cached_property
    def spill(self) -> Spill:
        from console.store.spill import Spill

        return Spill(self.state_folder / f"{self._ledger_name}.spill")

    # --------------------------------------------------------------------------------------------------- witnesses

    @cached_property
    def repository(self) -> Mirror:
        from console.gitops.mirror import Mirror

        self.settings.need("repository")
        repository = self.settings.repository
        assert repository is not None
        return Mirror(repository.remote, repository.branch, self.settings.cache_folder, name=self.actor)

    @cached_property
    def outside(self) -> Outside:
        """What the target is read from."""
        from console.wiring.outside import Outside

        return Outside(self.settings, self.clock)

    @property
    def venue(self) -> DemoVenue | None:
        """The venue witness; None when none is configured."""
        return self.outside.venue

    @cached_property
    def builder(self) -> Kustomize:
        """Builds what a plan would deploy."""
        from console.gitops.kustomize import Kustomize

        return Kustomize()

    @cached_property
    def signer(self) -> SshSigner:
        from console.identity import SshSigner

        identity = self.settings.identity
        return SshSigner(identity.key if identity else None)

    def signer_with(self, key: Path) -> SshSigner:
        """A signer with another key than the configured one."""
        from console.identity import SshSigner

        return SshSigner(key)

    @cached_property
    def running(self) -> RunningActs:
        """Which acts this machine is carrying out now."""
        from console.detach import RunningActs

        return RunningActs(self.state_folder / "running")

    @property
    def checkpoint(self) -> Checkpoint:
        """What is called between the points of a procedure."""
        return no_checkpoint

    def advance_ports(self, policy: Policy) -> AdvancePorts:
        """What an advance needs of the world."""
        from console.procedures.advance import AdvancePorts

        return AdvancePorts(
            self.ledger, self.repository, self.signer, self.clock, self.ids, self.running, self.checkpoint,
            by_branch=self.by_branch("advance"), runtime=self.outside.runtime(policy),
        )  # fmt: skip

    def by_branch(self, act: Literal["advance", "reduce"]) -> bool:
        """Whether the configuration has such an act proposed as a branch instead of pushed."""
        repository = self.settings.repository
        return repository is not None and getattr(repository, act) == "branch"

    @cached_property
    def launcher(self) -> DetachedLauncher:
        from console.detach import DetachedLauncher

        return DetachedLauncher(self.state_folder / "logs", self._common_arguments)

    @cached_property
    def notifier(self) -> CommandNotifier | None:
        """Carries alarms outside by the configured command."""
        from console.detach import CommandNotifier

        notify = self.settings.notify
        return CommandNotifier(notify.command) if notify else None

    @property
    def _common_arguments(self) -> tuple[str, ...]:
        """Options that a process started by this one needs in order to find the same configuration."""
        config = ("--config", str(self.settings.origin)) if self.settings.origin else ()
        return (*config, "--policy", str(self.policy_file)) if self.policy_file else config

    # ------------------------------------------------------------------------------------------ policy and roster

    @cached_property
    def texts(self) -> Texts:
        """The governing texts in the repository."""
        from console.texts import Texts

        return Texts(self.settings, lambda: self.repository, self.policy_file)

    @property
    def policy_path(self) -> str:
        """Where the policy lives in the repository."""
        return self.texts.policy_path

    @property
    def roster_paths(self) -> tuple[str, str]:
        """The roster's two files in the repository: allowed signers, members."""
        return self.texts.roster_paths

    def read_policy(self, sha: str) -> tuple[Policy, str]:
        """The policy at a commit, or ``--policy FILE``, with its text. Raises Trouble."""
        return self.texts.policy(sha)

    def read_roster(self, sha: str) -> tuple[Roster, bytes, str]:
        """The roster at a commit: members, allowed signers, digest over both. Raises Trouble."""
        return self.texts.roster(sha)

    def in_force(self) -> InForce:
        """The policy and the roster that the ledger adopted. Raises Trouble."""
        force = self.texts.in_force(self.ledger.state())
        keep_copy(self.policy_copy, force.policy_text)
        return force

    # ----------------------------------------------------------------------------------------- the watch, and looks

    def reader(self, policy: Policy) -> Reader:
        """A fresh reader of every source and witness of ``policy``; not started."""
        from console.watch.reader import Reader

        outside = self.outside
        return Reader(
            policy, outside.fetches(policy), self.clock, repository=self.repository, venue=self.venue,
            cluster=outside.cluster(policy), runtime=outside.runtime(policy),
        )  # fmt: skip

    def desk(self) -> Desk:
        """A new desk."""
        from console.feed import Desk

        return Desk()

    def watch(self, desk: Desk, *, acting: bool, take_over: bool = False) -> Watch:
        """A watch that publishes to ``desk``; it takes the lease when that is free, and acts only when told to."""
        from console.watch.loop import Watch, WatchPorts

        ports = WatchPorts(
            ledger=self.ledger,
            lease=self.lease,
            observations=self.observations,
            repository=self.repository,
            running=self.running,
            launcher=self.launcher,
            clock=self.clock,
            spill=self.spill,
            policy=lambda: self.in_force().policy,
            reader=self.reader,
            notifier=self.notifier,
        )
        return Watch(ports, self._watchman(acting=acting, take_over=take_over), desk)

    def alone(self, desk: Desk) -> Alone:
        """What sees for itself and writes nothing, for as long as no ledger answers."""
        from console.watch.alone import Alone, AlonePorts

        ports = AlonePorts(clock=self.clock, policy=self._policy_kept, reader=self.reader)
        return Alone(ports, self._watchman(), desk)

    def _policy_kept(self) -> Policy:
        from console.in_force import policy_of_file

        path = self.policy_file or self.policy_copy
        if not path.exists():
            raise Trouble("this machine keeps no copy of the policy yet", fix="name one with --policy FILE")
        return policy_of_file(path)[0]

    def _watchman(self, *, acting: bool = False, take_over: bool = False) -> Seat:
        """Who watches at this console."""
        from console.watch.tenure import Seat

        return Seat(
            holder=self.seat,
            actor=self.seat,
            who=self.actor,
            environment=self.settings.environment.name,
            acting=acting and not self.read_only,
            read_only=self.read_only,
            take_over=take_over and not self.read_only,
        )

    def look(self, policy: Policy) -> Look:
        """One look at the target: the watch's newest tick, or every source read once."""
        from console.watch.once import look_once

        return look_once(
            policy,
            self.ledger.state(),
            self.clock,
            self.reader,
            actor=self.actor,
            lease=self.lease,
            observations=self.observations,
        )

    def judge(
        self, policy: Policy, seen: Callable[[], Look | None] = lambda: None
    ) -> Callable[[Plan], tuple[Gate, ...]]:
        """Judges every gate of a plan under the policy in force, by what is ``seen`` already or by its own look."""
        from console.watch.judging import judge_plan

        return lambda plan: judge_plan(
            plan,
            policy=policy,
            state=self.ledger.state(),
            look=lambda: seen() or self.look(policy),
            repository=self.repository,
            clock=self.clock,
            endpoint=self.settings.venue.url if self.settings.venue else "",
            down_by_branch=self.by_branch("reduce"),
            builder=self.builder,
            runner=self.outside.dry_run,
            flag=self.outside.flag(policy),
        )

    def command(self, command: Command) -> None:
        """Records a decision; a Refusal becomes Trouble. For verbs whose decision cannot sensibly be refused."""
        answer = self.ledger.transact(command, now=self.clock.wall())
        if isinstance(answer, Refusal):
            raise Trouble(answer.reason)

    def close(self) -> None:
        """Lets go of what was opened."""
        for name in ("outside", "ledger", "observations"):
            if name in self.__dict__:
                self.__dict__[name].close()
