"""The cast: people of the demo who act as real ones would, by the verbs of the command line and the inbox."""

from __future__ import annotations

import io
import json
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from console.__main__ import perform
from console.demo.household import APPROVERS, Household
from console.demo.scenarios import Scenario
from console.inbox import Inbox
from console.output import Output
from console.ports import Clock, LedgerStore
from console.wiring import Wiring
from stages.policy import Policy
from stages.refusal import Trouble
from stages.value import Struct

LOOK_EVERY: Final = 0.3  # seconds


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
            if planned.code != 0:
                raise Trouble(_blocked(planned), where=f"plan --to {stage}")
            phrase = str(planned.document["confirmationToken"])
            tokens = [token for name in APPROVERS if (token := approve(self._house, name, path))]
            approvals = [word for token in tokens for word in ("--approval", token)]
            applied = verb(self._house.config, "apply", str(path), *approvals, "--confirm", phrase)
            if applied.code != 0:
                raise Trouble(applied.why, where=f"apply {stage}")


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


class Done(Struct, frozen=True):
    """What a verb answered: its exit code, its JSON document and its last words."""

    code: int
    document: Mapping[str, Any]
    words: str

    @property
    def why(self) -> str:
        """Why a verb did not do it."""
        return str(self.document.get("message") or self.words or f"exit code {self.code}")


def approve(house: Household, name: str, plan: Path) -> str:
    """The approval token that an approver gives for a plan; empty when they refuse."""
    done = verb(house.approver_config(name), "approve", str(plan))
    return str(done.document.get("token", ""))


def verb(config: Path, *words: str) -> Done:
    """Runs a verb of this program under a configuration, within this process, answering in JSON."""
    said, noted = io.StringIO(), io.StringIO()
    wiring = Wiring.of(config)
    try:
        code = perform(words, wiring, Output(json=True, stream=said, errors=noted))
    except Trouble as trouble:
        return Done(2, {}, trouble.line)
    finally:
        wiring.close()
    document = json.loads(said.getvalue()) if said.getvalue() else {}
    return Done(code, document, _last_line(noted.getvalue()))


def _blocked(planned: Done) -> str:
    """The gates that say no, in words."""
    gates = planned.document.get("gates", ())
    closed = [f"{gate['gate_id']}: {'; '.join(gate['reasons'])}" for gate in gates if gate["status"] != "PASS"]
    return ", ".join(closed) or planned.why


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
