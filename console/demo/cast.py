"""The cast: people of the demo who act as real ones would, through the command line and the inbox."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from console.demo.household import APPROVERS, Household
from console.demo.scenarios import Scenario
from console.inbox import Inbox
from console.ports import Clock, LedgerStore
from stages.policy import Policy
from stages.refusal import Trouble

LOOK_EVERY: Final = 0.3  # seconds
VERB_SECONDS: Final = 60.0


class Injects(Protocol):
    """The part of the world that a scenario needs."""

    def inject(self, name: str) -> str: ...


class Player(threading.Thread):
    """Somebody who looks at something again and again until told to leave; what goes wrong is told to ``tell``."""

    def __init__(self, name: str, tell: Callable[[str], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._leave = threading.Event()
        self._tell = tell

    def run(self) -> None:
        told = ""
        while not self._leave.wait(LOOK_EVERY):
            try:
                self.look()
            except Trouble as trouble:
                if trouble.line != told:
                    told = trouble.line
                    self._tell(f"{self.name}: {told}")

    def look(self) -> None:
        """One look, and what follows from it."""
        raise NotImplementedError

    def leave(self) -> None:
        """Ends after the look in progress."""
        self._leave.set()


class Approver(Player):
    """Signs every request in the inbox with the keys of the demo's approvers; each answer goes to the inbox."""

    def __init__(self, house: Household, tell: Callable[[str], None]) -> None:
        super().__init__("demo approver", tell)
        self._house = house
        self._inbox = Inbox(house.inbox)
        self._answered: set[Path] = set()

    def look(self) -> None:
        for request in self._inbox.requests():
            if request in self._answered:
                continue
            self._answered.add(request)
            for name in APPROVERS:
                approve(self._house, name, request)


class Trader(Player):
    """Takes the next stage as soon as the burn-in of the one in force has passed, up to ``target``."""

    def __init__(
        self, house: Household, ledger: LedgerStore, policy: Policy, target: str, tell: Callable[[str], None]
    ) -> None:
        super().__init__("demo trader", tell)
        self._house = house
        self._ledger = ledger
        self._names = [stage.name for stage in policy.stages]
        self._target = target

    def look(self) -> None:
        state = self._ledger.state()
        here = state.last_pushed.to_stage if state.last_pushed else self._names[0]
        run = state.runs.get(here)
        busy = state.unresolved or state.settling or state.latches
        if busy or run is None or run.state != "PASSED" or here == self._target:
            return
        self._advance(self._names[self._names.index(here) + 1])

    def _advance(self, stage: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "plan.json"
            planned = verb(self._house.config, "plan", "--to", stage, "-o", str(path))
            if not path.exists():
                raise Trouble(_why(planned), where=f"plan --to {stage}")
            phrase = json.loads(path.read_text(encoding="utf-8"))["confirmationToken"]
            tokens = [token for name in APPROVERS if (token := approve(self._house, name, path))]
            approvals = [word for token in tokens for word in ("--approval", token)]
            applied = verb(self._house.config, "apply", str(path), *approvals, "--confirm", phrase)
            if applied.returncode != 0:
                raise Trouble(_why(applied), where=f"apply {stage}")


class Director(Player):
    """Lets the faults of a scenario strike, each once, when they are due."""

    def __init__(
        self, scenario: Scenario, world: Injects, ledger: LedgerStore, clock: Clock, tell: Callable[[str], None]
    ) -> None:
        super().__init__("demo director", tell)
        self._waiting = list(scenario.faults)
        self._world = world
        self._ledger = ledger
        self._clock = clock

    def look(self) -> None:
        if not self._waiting:
            self.leave()
            return
        state, now = self._ledger.state(), self._clock.wall()
        for fault in [fault for fault in self._waiting if fault.due(state, now)]:
            self._waiting.remove(fault)
            self._tell(f"{fault.name}: {self._world.inject(fault.name)}")


def approve(house: Household, name: str, plan: Path) -> str:
    """The approval token that an approver gives for a plan; empty when they refuse."""
    done = verb(house.approver_config(name), "approve", str(plan))
    return str(json.loads(done.stdout)["token"]) if done.returncode == 0 else ""


def verb(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a verb of this program as its own process, answering in JSON."""
    try:
        return subprocess.run(
            command(config, *words),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=VERB_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Trouble(f"'{words[0]}' gave no answer in {VERB_SECONDS:.0f} s") from None


def _why(done: subprocess.CompletedProcess[str]) -> str:
    """Why a verb did not do it: the message of its document, else its last line."""
    try:
        return str(json.loads(done.stdout)["message"])
    except (json.JSONDecodeError, KeyError, TypeError):
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        return lines[-1] if lines else f"exit code {done.returncode}"


def command(config: Path, *words: str) -> Sequence[str]:
    """The command line of a verb under a configuration."""
    return (sys.executable, "-m", "console", "--config", str(config), "--json", *words)
