"""Acting in panic: the procedures of kill and of reduction, with whatever answers; nothing is asked before."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from console.containment import VenueSteps
from console.panic.phrases import BLOCK, CANCEL, KILL, ROLLBACK, Meant
from console.patience import Hung, within
from stages.not_written import by_commit, in_words
from stages.refusal import Trouble
from stages.value import Struct, replace

if TYPE_CHECKING:
    from console.ports import KillFlag
    from console.procedures.kill import Killed
    from console.wiring import Wiring
    from stages.commands import Command
    from stages.policy import Policy
    from stages.state import ControlState

PATIENCE: Final = 8.0
"""Seconds for which an act waits for the venue's answers."""

LEDGER_PATIENCE: Final = 2.0
"""Seconds for which a ledger that hangs is waited for, where something is only read or explained."""


class Heard(Struct, frozen=True):
    """One witness of an act: ``done`` True, False, or None while nobody knows. Times are seconds since it began."""

    witness: str
    done: bool | None
    detail: str
    handed: float
    took: float | None = None


class Acted(Struct, frozen=True):
    """What came of one act. ``owes`` names what a reason may be given to; empty where nothing was done."""

    verb: str
    intent: str
    handed: float
    """Seconds until every witness's own thread, or process, held its request."""
    heard: tuple[Heard, ...] = ()
    left: tuple[str, ...] | None = None
    """Positions left, in words; None when the venue did not tell."""
    unprotected: tuple[str, ...] = ()
    spilled: bool = False
    process: int | None = None
    stage: str = ""
    began: float = 0.0
    """When it began, by the monotonic clock."""
    owes: str = ""
    """What the reason is recorded for: the latch of a block or of a kill without a policy, otherwise the act itself."""

    @property
    def unverified(self) -> tuple[str, ...]:
        """Witnesses that nobody has heard of; what a process of its own still brings is told by ``verify``."""
        return tuple(one.witness for one in self.heard if not one.done)

    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "act": self.verb,
            "intent": self.intent,
            "handedOverSeconds": round(self.handed, 4),
            "witnesses": [
                {
                    "witness": one.witness,
                    "handedSeconds": round(one.handed, 4),
                    "tookSeconds": None if one.took is None else round(one.took, 3),
                    "done": one.done,
                    "detail": one.detail,
                }
                for one in self.heard
            ],
            "unverified": list(self.unverified),
            "left": None if self.left is None else list(self.left),
            "unprotected": list(self.unprotected),
            "spilled": self.spilled,
            "process": self.process,
            "stage": self.stage,
        }


class Responder:
    """Acts for whoever sits here. Every method may take long but for ``policy``; call each in a thread of its own."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self._policy: Policy | None = None
        self._digests = ("", "")
        self.trouble = ""
        """Why no policy is known; empty when one is."""

    @property
    def policy(self) -> Policy | None:
        """The policy of the file that was named, or of the copy kept here; None when there is neither."""
        if self._policy is None:
            from console.in_force import policy_of_file
            from stages.policy_text import digest

            path = self.wiring.policy_file or self.wiring.policy_copy
            try:
                self._policy, text = policy_of_file(path)
                self._digests, self.trouble = (digest(text), ""), ""
            except Trouble as trouble:
                self.trouble = trouble.line
        return self._policy

    def learn(self) -> Policy:
        """The policy from wherever it can be had, the ledger and the repository too. Raises Trouble."""
        if self.policy is None:
            from console.verbs.change import policy_of

            self._policy, self._digests = policy_of(self.wiring, at_once=True)
        assert self._policy is not None
        return self._policy

    def below(self) -> str:
        """The stage below the one that the newest act led to; the lowest where that is not known. Raises Trouble."""
        policy = self.learn()
        state: ControlState | None = None
        with suppress(Trouble, Hung):
            state = within(LEDGER_PATIENCE, self.wiring.late_ledger.state)
        newest = state.last_pushed if state is not None else None
        index = policy.stage_index(newest.to_stage) if newest is not None else None
        return policy.stages[max(0, (index or 0) - 1)].name

    def act(self, meant: Meant, reason: str = "") -> Acted:
        """Do what was meant. Raises Trouble only where not even an attempt is possible."""
        if self.wiring.read_only:
            raise Trouble("this console is read-only", fix="leave out --read-only, or do it by hand (--print)")
        if meant.verb == ROLLBACK:
            return self._roll_back(meant.stage, reason)
        if meant.verb in (BLOCK, CANCEL):
            return self._at_venue(meant.verb, VenueSteps(meant.verb == BLOCK, meant.verb == CANCEL), reason)
        return self._kill(reason) if self.policy is not None else self._at_venue(KILL, _BOTH, reason)

    def give_reason(self, act: Acted, text: str) -> str:
        """Record the reason that an act owes; what became of it, in words. Raises Trouble where it can be kept nowhere.

        While the ledger is away it waits beside the intent.
        """
        from stages.commands import GiveReason
        from stages.decide import decide
        from stages.state import ControlState

        wiring, now = self.wiring, self.wiring.clock.wall()
        given = GiveReason(wiring.actor, act.owes or act.intent, text)
        tell = partial(wiring.late_ledger.transact, given, now=now, deadline=LEDGER_PATIENCE)
        try:
            within(2 * LEDGER_PATIENCE, tell)
        except (Trouble, Hung) as away:
            drafts = decide(ControlState(), given, now)
            assert isinstance(drafts, tuple)
            cause = away.line if isinstance(away, Trouble) else "the ledger does not answer"
            wiring.spill.append(drafts, at=now, cause=cause)
            return f"{text}; kept in a file until the ledger is back"
        return text

    # ------------------------------------------------------------------------------------------------------- the acts

    def _at_venue(self, verb: str, steps: VenueSteps, reason: str) -> Acted:
        """What the venue alone is asked for; a block holds in the ledger as well, a cancellation is only told there."""
        from console.procedures.kill import KillOrder, KillPorts, kill
        from console.verbs.kill import look_first
        from stages.commands import Record
        from stages.facts import CANCEL_BY_HAND
        from stages.latching import latch_key
        from stages.releases import block_latch, lone_kill_latch

        wiring, confirmed = self.wiring, self.wiring.clock.monotonic()
        before, intent, actor = look_first(wiring), wiring.ids.new(), wiring.actor
        owes: list[str] = []

        def opening(state: ControlState, market: datetime) -> Command:
            if steps.block:
                latch = (lone_kill_latch if verb == KILL else block_latch)(actor, state, market)
                held = state.open_latch(latch.trigger, latch.cause)
                owes.append(held.key if held else latch_key(latch.trigger, latch.cause, state.epoch))
                return latch
            return Record(actor, "note", {"text": f"CANCEL by {actor}", "subject": CANCEL_BY_HAND}, intent=intent)

        ports = KillPorts(
            wiring.late_ledger,
            wiring.spill,
            wiring.venue,
            wiring.clock,
            None,
            lambda: before.get("reading"),
            self._flag,
        )
        order = KillOrder(intent, actor, "", "", wiring.authenticated, steps, opening)
        acted = _acted(verb, kill(ports, order, confirmed=confirmed).finish(PATIENCE))
        acted = replace(acted, owes=owes[-1]) if owes else acted
        if verb == KILL:
            acted = replace(acted, heard=(*acted.heard, Heard("Git", None, f"not told: {self.trouble}", 0.0)))
        if reason:
            self.give_reason(acted, reason)
        return acted

    def _flag(self) -> KillFlag | None:
        """The runtime flag of the policy. Raises Trouble where a cluster is configured and nobody knows of a flag."""
        if self.policy is not None:
            return self.wiring.outside.flag(self.policy)
        if self.wiring.settings.kubernetes is None:
            return None
        raise Trouble(f"whether the policy declares one is not known: {self.trouble}")

    def _kill(self, reason: str) -> Acted:
        from console.verbs.kill import fire, look_first

        policy = self.learn()
        fired = fire(self.wiring, policy, self._digests, look_first(self.wiring), reason)
        assert fired.salvo is not None
        return _acted(KILL, fired.salvo.finish(PATIENCE))

    def _roll_back(self, stage: str, reason: str) -> Acted:
        """By a process of its own, which spills what the ledger does not take and goes on when this one ends."""
        wiring, began = self.wiring, self.wiring.clock.monotonic()
        policy = self.policy
        if policy is not None and policy.stage_index(stage) is None:
            raise Trouble(f"there is no stage '{stage}'", where=policy.name)
        intent, cause = wiring.ids.new(), reason or f"rollback to {stage} by {wiring.actor}"
        command = ["reduce-worker", "--to", stage, "--cause", cause, "--intent", intent, "--actor", wiring.actor]
        process = wiring.launcher.launch([*command, "--reason", reason] if reason else command)
        handed = wiring.clock.monotonic() - began
        told = Heard("Git, by a worker", None, f"process {process} pushes the limits of {stage}", handed, handed)
        return Acted(ROLLBACK, intent, handed, (told,), process=process, stage=stage, began=began)

    def follow(self, act: Acted, seconds: float) -> Acted:
        """Wait for what the act's own process brings; the same act with Git's outcome where somebody tells of it."""
        deadline, pause = self.wiring.clock.monotonic() + seconds, threading.Event()
        while act.process is not None and self.wiring.clock.monotonic() < deadline:
            found = self._outcome(act)
            if found is not None:
                rest = tuple(one for one in act.heard if not one.witness.startswith("Git"))
                return replace(act, heard=(*rest, found))
            pause.wait(0.2)
        return act

    def _outcome(self, act: Acted) -> Heard | None:
        """What the ledger tells of the act, or while that is away the branch itself; None while neither does."""
        from console.verbs.change import on_branch

        try:
            found = within(LEDGER_PATIENCE, self.wiring.late_ledger.state).intents.get(act.intent)
            if found is not None and not found.unresolved:
                done = found.outcome in ("pushed", "unchanged") and not found.refused
                said = f"{found.outcome}{f', {found.message}' if found.message else ''}"
                return Heard("Git", done, said, act.handed, self.wiring.clock.monotonic() - act.began)
            if found is not None or not self.wiring.spill.unmerged():
                return None
        except (Trouble, Hung):
            pass
        with suppress(Trouble, Hung):
            if arrived := within(LEDGER_PATIENCE, partial(on_branch, self.wiring, act.intent, None)):
                short = in_words(by_commit(arrived.trailers))
                said = f"{arrived.sha[:8]} is on the branch; the ledger is away{f'; {short}' if short else ''}"
                return Heard("Git", not short, said, act.handed, self.wiring.clock.monotonic() - act.began)
        return None


_BOTH: Final = VenueSteps(block=True, cancel=True)


def _acted(verb: str, killed: Killed) -> Acted:
    left = None if killed.left is None else tuple(f"{p.symbol} {p.quantity:+f}" for p in killed.left)
    return Acted(
        verb,
        killed.intent,
        killed.handed,
        tuple(Heard(one.witness, one.done, one.detail, one.handed, one.took) for one in killed.witnesses),
        left,
        tuple(f"{one.side} {one.quantity:f} {one.symbol}" for one in killed.protective),
        killed.spilled,
        killed.process,
    )
