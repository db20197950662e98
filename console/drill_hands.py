"""Hands for drills: what a person does about them from the screen, by the verbs and procedures that serve all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from console.desk import DrillGround, Told
from stages.drill import ACTS, KEY, KILL, MODES, PAPER, PATHS, ROLLBACK, RUNNING
from stages.drill_faults import FAULTS, require_injectable
from stages.phrase import drill_phrase, fold_phrase, mismatch
from stages.refusal import Refusal, Trouble

if TYPE_CHECKING:
    from console.wiring import Wiring
    from stages.facts import DrillRun

BEGINS_WITHIN: Final = 20.0
"""Seconds in which a drill that was started must have written its first entry."""
_LOOK_EVERY: Final = 0.1


class PersonsDrills:
    """A ``DrillHands``. The drill itself runs in a process of its own: what is begun here does not end with it."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def ground(self) -> DrillGround:
        """Where a drill would be held; what is in the way is said, not raised."""
        from console.verbs.drill import step_down
        from console.verbs.drill_target import ready_target, scope_of, target_wiring

        wiring = self._wiring
        force = wiring.in_force()
        live = scope_of(wiring, force.policy)
        try:
            target = target_wiring(wiring)
        except Trouble as trouble:
            return DrillGround(None, live, trouble=trouble.line)
        try:
            scope = scope_of(target, ready_target(target).policy)
        except Trouble as trouble:
            return DrillGround(None, live, trouble=trouble.line)
        finally:
            target.close()
        try:
            upper, lower = step_down(wiring, force, ROLLBACK, "")
        except Trouble:
            return DrillGround(scope, live)
        names = [stage.name for stage in force.policy.stages]
        return DrillGround(scope, live, names[upper], names[lower])

    def start(self, phrase: str) -> Told:
        """Starts what the phrase says, and returns once its first entry stands or will not come."""
        self._may_act()
        found = self.ground()
        name = found.target.target if found.target is not None else ""
        wanted = {fold_phrase(drill_phrase(mode, act, name)): (mode, act, "") for mode in MODES for act in ACTS}
        wanted |= {fold_phrase(drill_phrase(PAPER, KILL, name, one)): (PAPER, KILL, one) for one in FAULTS}
        chosen = wanted.get(fold_phrase(phrase))
        if chosen is None:
            wrong = mismatch(phrase, drill_phrase(PAPER, KILL, name))
            return Told(False, f"nothing happened: {wrong.text if wrong else 'no drill is called so'}")
        if found.trouble:
            return Told(False, found.trouble)
        wiring, (mode, act, fault) = self._wiring, chosen
        if fault and found.target is not None:
            require_injectable(fault, act, mode, found.target)
        if any(one.state == RUNNING for one in wiring.ledger.state().drills.values()):
            return Told(False, "a drill runs already: it ends first, or A abandons it")
        run = wiring.ids.new()
        path = (FAULTS[fault].path if fault else "") or KEY
        under = ["--inject", fault] if fault else []
        by = ["--path", path] if path in PATHS else []
        wiring.launcher.launch(["drill", "--mode", mode, "--kind", act, *by, *under, "--run-id", run])
        if self._began(run) is None:
            return Told(False, f"it did not begin; why not stands in {wiring.launcher.log}")
        return Told(True, f"drill {run[:8]} has begun")

    def fire(self, run: str, phrase: str) -> Told:
        """The act under test, by the same call that kills or rolls back the live target, on the drill's own."""
        from console.verbs.drill_target import target_wiring
        from console.verbs.kill import start_kill

        self._may_act()
        drilled = self._running(run)
        target = target_wiring(self._wiring)
        try:
            if drilled.act == KILL:
                fired = start_kill(target, phrase, f"drill {run[:8]}")
                if fired.salvo is None:
                    return Told(False, fired.wrong)
                fired.salvo.finish()
                return Told(True, "fired")
            from console.verbs.change import start_rollback

            started = start_rollback(target, drilled.transition.rpartition(" ")[2], phrase, f"drill {run[:8]}")
            return Told(started.ok, started.note)
        finally:
            target.close()

    def answer(self, run: str, step: str, letter: str, words: str) -> Told:
        self._may_act()
        drilled = self._running(run)
        if step in drilled.answers or step != drilled.step:
            return Told(False, f"{step} is not what it waits for")
        return self._tell(run, {"step": step, "answer": letter, "observed": words})

    def abandon(self, run: str) -> Told:
        self._may_act()
        self._running(run)
        return self._tell(run, {"abandoned": self._wiring.actor})

    def bundle(self, run: str) -> Told:
        drilled = self._wiring.ledger.state().drills.get(run)
        kept = [one.partition(" ")[0] for one in drilled.artifacts] if drilled is not None else []
        if not kept:
            return Told(False, "the bundle is written when the drill ends")
        return Told(True, f"evidence: {self._wiring.state_folder / 'drills' / kept[0]}")

    def _running(self, run: str) -> DrillRun:
        found = self._wiring.ledger.state().drills.get(run)
        if found is None or found.state != RUNNING:
            raise Trouble(f"drill {run[:8]} does not run any more")
        return found

    def _began(self, run: str) -> DrillRun | None:
        clock, pause = self._wiring.clock, threading.Event()
        deadline = clock.monotonic() + BEGINS_WITHIN
        while clock.monotonic() < deadline:
            found = self._wiring.ledger.state().drills.get(run)
            if found is not None:
                return found
            pause.wait(_LOOK_EVERY)
        return None

    def _tell(self, run: str, body: dict[str, str]) -> Told:
        from stages.commands import Record

        whole = {"run": run, "drill": run, "state": RUNNING, **body}
        said = self._wiring.ledger.transact(
            Record(self._wiring.actor, "drill", whole), now=self._wiring.clock.wall()
        )  # fmt: skip
        return Told(False, said.reason) if isinstance(said, Refusal) else Told(True, "recorded")

    def _may_act(self) -> None:
        if self._wiring.read_only:
            raise Trouble("this console is read-only", fix="start it without --read-only")
