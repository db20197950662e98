"""A small world for tests that change things: a bare remote of the sample, keys, a roster, a ledger, a mirror.

Run as ``python -m tests.integration.actuation apply|reduce|resume FOLDER CHECKPOINT`` it carries an act out and kills
itself at the named checkpoint.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

from console.detach import RunningActs
from console.gitops.mirror import Mirror
from console.identity import SshSigner
from console.in_force import InForce
from console.inbox import Inbox
from console.ports import Venue
from console.procedures.advance import Advanced, AdvancePorts, apply
from console.procedures.reduce import Order, Reduced, ReducePorts, reduce
from console.procedures.resume import resume
from console.store.ledger import SqlLedger
from console.store.spill import Spill
from console.way_back import Returned, ReturnPorts
from console.wiring import RandomIdentifiers, SystemClock, no_checkpoint
from stages.authority import (
    Claims,
    action_digest,
    advance_action,
    claims_expiry,
    environment_fingerprint,
    gate_report_digest,
)
from stages.commands import AdoptPolicy, AdoptRoster, ChangeBurnIn, Command
from stages.decide import decide, denial
from stages.entries import Entry
from stages.phrase import confirmation_phrase
from stages.plan import Plan, build
from stages.policy_text import digest, load
from stages.posture import Mode
from stages.refusal import Refusal
from stages.roster import load_roster
from stages.state import ControlState, fold
from stages.token import Token, encode_token
from stages.verdict import Gate
from tests.integration.broker import Broker

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("alice", "bob", "erin")
ROSTER = """apiVersion: rampdeck.dev/v1alpha1
kind: Roster
members:
  alice: {roles: [trader, operator]}
  bob: {roles: [risk]}
  erin: {roles: [trader, designated]}
"""


def git(*arguments: str, cwd: Path, by: str = "Carol") -> str:
    """Git as a colleague elsewhere uses it."""
    person = {"NAME": by, "EMAIL": f"{by.lower()}@example.com"}
    named = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in person.items()}
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env={**os.environ, **named}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def short_pause(seconds: float) -> None:
    """The pauses of a procedure, cut short."""
    threading.Event().wait(min(seconds, 0.05))


@cache
def _drawn() -> Path:
    """What every world begins with, made once in a process: keys and commits are the same in each copy."""
    folder = Path(tempfile.mkdtemp(prefix="rampdeck-world-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    World(folder).draw()
    return folder


@dataclass
class World:
    """Everything real, in one folder. ``checkpoint`` is handed to the procedures."""

    folder: Path
    checkpoint: object = field(default=no_checkpoint)
    venue: Venue | None = None
    pause: Callable[[float], object] = field(default=short_pause)
    by_branch: bool = False
    """Whether acts are proposed as branches."""

    @classmethod
    def make(cls, folder: Path, prepare: Callable[[Path], None] | None = None) -> World:
        """A new world at L0 whose burn-in has passed; ``prepare`` changes its repository before the first commit."""
        if prepare is not None:
            cls(folder).draw(prepare)
        else:
            drawn = _drawn()
            shutil.copytree(drawn, folder, dirs_exist_ok=True)
            for config in (folder / "work/.git/config", folder / "remote.git/config"):
                config.write_text(config.read_text().replace(str(drawn), str(folder)))
        world = cls(folder)
        world._begin()
        return world

    def draw(self, prepare: Callable[[Path], None] | None = None) -> None:
        """The repository, its remote and the keys; no ledger yet."""
        shutil.copytree(ROOT / "console/demo/sample", self.work)
        ops = self.work / "ops"
        ops.mkdir()
        shutil.copy(ROOT / "stages/policies/demo.yaml", ops / "ramp.yaml")
        keys = []
        for name in PEOPLE:
            key = self.key(name)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)], check=True)
            keys.append(f"{name} {key.with_suffix('.pub').read_text()}")
        (ops / "allowed_signers").write_text("".join(keys))
        (ops / "roster.yaml").write_text(ROSTER)
        if prepare is not None:
            prepare(self.work)
        git("init", "-q", "--template=", "--initial-branch=main", cwd=self.work)
        git("add", ".", cwd=self.work)
        git("commit", "-qm", "Begin", cwd=self.work)
        git("clone", "-q", "--template=", "--bare", str(self.work), str(self.remote), cwd=self.folder)
        (self.remote / "hooks").mkdir(exist_ok=True)
        git("remote", "add", "origin", str(self.remote), cwd=self.work)

    def _begin(self) -> None:
        now, head = datetime.now(UTC), self.repository.fetch()
        target = self.force.policy.spec.target
        whose = {
            "policy": self.force.policy.name,
            "namespace": target.namespace,
            "gitopsPath": target.gitops_path,
            "branch": "main",
            "account": target.account.label,
            "environment": target.account.environment,
        }
        self.ledger.begin(ledger="6f1c9a52-0f0e-4c3e-9d53-2f3f6a2b7a10", actor="alice", fingerprint=whose, now=now)
        _, roster = self._roster
        self.command(AdoptRoster("alice", roster, head, "ops/roster.yaml"))
        self.command(AdoptPolicy("alice", digest(self._policy_text), 1, head, "ops/ramp.yaml"))
        self.pass_burn_in("L0")

    def pass_burn_in(self, stage: str) -> None:
        now = datetime.now(UTC)
        self.command(ChangeBurnIn("watch", stage, f"run-{stage}-{now.timestamp()}", "PASSED", now, now))

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    def key(self, name: str) -> Path:
        return self.folder / f"id_{name}"

    @cached_property
    def ledger(self) -> SqlLedger[ControlState, Command]:
        return SqlLedger(
            f"sqlite:///{self.folder}/ledger.db", fold=fold, initial=ControlState(), decide=decide, denial=denial
        )

    @cached_property
    def repository(self) -> Mirror:
        return Mirror(self.remote.as_uri(), "main", self.folder / "cache", name="alice", timeout=60)

    @cached_property
    def spill(self) -> Spill:
        return Spill(self.folder / "spill")

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self.folder / "inbox")

    @cached_property
    def running(self) -> RunningActs:
        return RunningActs(self.folder / "running")

    @property
    def ports(self) -> AdvancePorts:
        return AdvancePorts(
            self.ledger, self.repository, SshSigner(self.key("alice")), SystemClock(), RandomIdentifiers(),
            self.running, self.checkpoint,  # type: ignore[arg-type]
            by_branch=self.by_branch,
        )  # fmt: skip

    @property
    def _policy_text(self) -> str:
        return (self.work / "ops/ramp.yaml").read_text()

    @property
    def _roster(self) -> tuple[bytes, str]:
        signers = (self.work / "ops/allowed_signers").read_bytes()
        return signers, load_roster(signers, ROSTER.encode(), "roster.yaml")[1]

    @cached_property
    def force(self) -> InForce:
        signers, roster_digest = self._roster
        roster, _ = load_roster(signers, ROSTER.encode(), "roster.yaml")
        text = self._policy_text
        return InForce(load(text, "ramp.yaml"), text, digest(text), roster, roster_digest, signers)

    def command(self, command: Command) -> None:
        answer = self.ledger.transact(command, now=datetime.now(UTC))
        assert not isinstance(answer, Refusal), answer

    def head(self) -> str:
        return git("rev-parse", "main", cwd=self.remote)

    def files(self) -> str:
        """The id of the tree of the target's folder at head: equal ids are equal bytes."""
        return git("rev-parse", "main:apps", cwd=self.remote)

    def says(self, text: str, path: str = "apps/heron/scheduler.yaml") -> bool:
        return text in git("show", f"main:{path}", cwd=self.remote)

    def commits(self) -> list[str]:
        return git("log", "--format=%s", "main", cwd=self.remote).splitlines()

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.ledger.entries()]

    def elsewhere(self, path: str, old: str, new: str, message: str = "Elsewhere", by: str = "Carol") -> str:
        """Somebody else changes a file on the branch."""
        git("pull", "-q", "--rebase", "origin", "main", cwd=self.work)
        file = self.work / path
        text = file.read_text() if file.exists() else ""
        assert old in text
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(old, new, 1) if old else text + new)
        git("add", ".", cwd=self.work, by=by)
        git("commit", "-qm", message, cwd=self.work, by=by)
        git("push", "-q", "origin", "HEAD:main", cwd=self.work)
        return self.head()

    def plan(self, to: str, by: str = "alice") -> Plan:
        head, policy = self.repository.fetch(), self.force.policy
        index = policy.stage_index(to)
        assert index is not None
        return build(
            policy, policy_digest=self.force.policy_digest, roster_digest=self.force.roster_digest,
            read=partial(self.repository.read, head), base_commit=head, epoch=self.ledger.state().epoch,
            to_stage=index, created_by=by, now=datetime.now(UTC),
        )  # fmt: skip

    def approve(self, plan: Plan, who: str = "bob", **changes: object) -> str:
        now = datetime.now(UTC)
        said: dict[str, object] = {
            "action": action_digest(advance_action(plan)),
            "gate_report": gate_report_digest([]),
            "approver": who,
            "roster": self.force.roster_digest,
            "environment": environment_fingerprint(self.force.policy),
            "issued": now,
            "expires": claims_expiry(now, timedelta(hours=1), plan.expires_at),
            "nonce": RandomIdentifiers().new(),
        }
        claims = Claims(**{**said, **changes})  # type: ignore[arg-type]
        return encode_token(Token(claims, SshSigner(self.key(who)).sign(claims.message())))

    def apply(
        self, plan: Plan, tokens: Sequence[str], phrase: str | None = None, gates: Sequence[Gate] = ()
    ) -> Advanced:
        due = confirmation_phrase(self.force.policy.name, plan)
        return apply(
            self.ports, self.force, plan=plan, tokens=tokens, phrase=due if phrase is None else phrase,
            actor="alice", gates=lambda _plan: gates,
        )  # fmt: skip

    @property
    def reduce_ports(self) -> ReducePorts:
        return ReducePorts(
            self.ledger, self.spill, self.repository, self.venue, SystemClock(), self.running,
            self.pause, self.checkpoint,  # type: ignore[arg-type]
            by_branch=self.by_branch,
        )  # fmt: skip

    def reduce(
        self, to: str, mode: Mode = Mode.NORMAL, *, automatic: bool = False, budget: float = 60, reason: str = ""
    ) -> Reduced:
        index = self.force.policy.stage_index(to)
        assert index is not None
        actor = "watch" if automatic else "carol"
        order = Order(RandomIdentifiers().new(), actor, index, mode, "by hand", automatic=automatic, reason=reason)
        return reduce(
            self.reduce_ports, self.force.policy, order, digests=(self.force.policy_digest, self.force.roster_digest),
            budget=timedelta(seconds=budget),
        )  # fmt: skip

    @property
    def return_ports(self) -> ReturnPorts:
        return ReturnPorts(
            self.ledger, self.repository, self.venue, SshSigner(self.key("alice")), SystemClock(), self.running,
            self.checkpoint,  # type: ignore[arg-type]
            by_branch=self.by_branch,
        )  # fmt: skip

    def resume(self, actor: str = "alice") -> Returned:
        return resume(
            self.return_ports, self.force, intent=RandomIdentifiers().new(), actor=actor, confirmation="RESUME"
        )


def die_at(name: str) -> object:
    """A checkpoint that ends this process as ``kill -9`` does."""

    def checkpoint(reached: str) -> None:
        if reached == name:
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint


def die_after(world: World, entries: int) -> None:
    """End this process as ``kill -9`` does as soon as its ledger took so many entries of it."""
    transact, left = world.ledger.transact, [entries]

    def counted(*arguments: Any, **options: Any) -> tuple[Entry, ...] | Refusal:
        answer = transact(*arguments, **options)
        left[0] -= 0 if isinstance(answer, Refusal) else len(answer)
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    world.ledger.transact = counted  # type: ignore[method-assign]


def main() -> None:
    """Carry out the act named on the command line, up to its checkpoint, or to so many entries of its own."""
    act, folder, point = sys.argv[1:4]
    world = World(Path(folder), die_at(point))
    if point.isdecimal():
        die_after(world, int(point))
    if act == "apply":
        plan = world.plan("L1")
        print(world.apply(plan, [world.approve(plan)]))
    elif act == "resume":
        world.venue = Broker(world.folder / "blocked")
        print(world.resume())
    else:
        print(world.reduce("L0"))


if __name__ == "__main__":
    main()
