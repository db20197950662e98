"""No interleaving of evidence, clears, restarts, applies and foreign commits ends riskier than the latches allow."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stages.clearing import judge
from stages.commands import (
    AdoptPolicy,
    BeginAdvance,
    BeginReduce,
    BeginRestore,
    BeginResume,
    ChangeBurnIn,
    ClearLatch,
    OpenLatch,
    Quorum,
    RecordOutcome,
    RecordSettled,
    VerifiedApproval,
)
from stages.decide import MANUAL_KILL, decide
from stages.evaluation import accumulate
from stages.posture import Mode, Posture, join
from stages.reflex import slipped_in
from stages.refusal import Refusal
from stages.watching import WatchState
from tests.unit.watched import OPEN, Watched, make_policy, policy_document

TOP = 2
FAR = OPEN + timedelta(days=30)


def policy() -> object:
    """Limits and losses of every severity, with dwells of seconds."""
    spec = policy_document()["spec"]
    quick = {"by": ["risk", "trader"], "good": "3s", "hold": "2s"}
    triggers = {name: one | {"clear": quick} for name, one in spec["triggers"].items()}
    triggers["hardLoss"] = triggers["softLoss"] | {"at": 1, "then": [{"mode": "KILLED", "cap": "L0"}]}
    return make_policy(triggers=triggers)


class Ramp(RuleBasedStateMachine):
    """A ledger, a watch, and people who try everything in any order."""

    @initialize()
    def begin(self) -> None:
        self.world = Watched(policy(), stage=1)  # type: ignore[arg-type]
        self.ids = count(1)
        self.stage, self.mode = 1, Mode.NORMAL
        self.other = WatchState.start()
        self.world.tick(1)

    # ------------------------------------------------------------------------------------------------ evidence

    @rule(
        gross=st.sampled_from([1000, 4400, 6000, 26000]),
        pnl=st.sampled_from([0, 0, 0, -95, -400, -700]),
        times=st.integers(3, 6),
    )
    def see(self, gross: int, pnl: int, times: int) -> None:
        self.world.tick(times, gross=gross, pnl=pnl)

    @rule(times=st.integers(1, 8))
    def lose(self, times: int) -> None:
        """Nothing answers for a while."""
        self.world.silent = True
        self.world.tick(times)
        self.world.silent = False

    @rule()
    def look_twice(self) -> None:
        """A second watch looks at what the first one saw and asks for what follows from it."""
        held = {(latch.trigger, latch.cause) for latch in self.world.state.latches.values()}
        args = self.world.policy, self.world.state, self.other, self.world.snapshot
        self.other, commands = accumulate(*args, "other")
        allowed = self.allowed()
        for command in commands:
            if isinstance(command, OpenLatch):
                opened = self.attempt(command)
                assert not (opened and (command.trigger, command.cause) in held), "what is held is not opened again"
        assert allowed.join(self.allowed()) == self.allowed(), "another watch only ever adds"

    @rule(fresh=st.booleans())
    def restart(self, fresh: bool) -> None:
        watch = self.world.watch
        self.world.watch = WatchState.start() if fresh else WatchState.from_document(watch.to_document())

    @rule()
    def reload(self) -> None:
        number = next(self.ids) + 1
        self.world.decide(AdoptPolicy("alice", "policy", number, f"c{number}", "ramp.yaml"))

    # --------------------------------------------------------------------------------------------------- people

    def approvals(self) -> Quorum:
        number = next(self.ids)
        people = {"bob": "risk", "erin": "trader"}
        given = [
            VerifiedApproval(f"{number}{one}", one, (role,), "act", "", "roster", OPEN, FAR)
            for one, role in people.items()
        ]
        return Quorum("act", tuple(given), 1)

    def attempt(self, command: object) -> bool:
        """Whether the ledger took it; what it took is recorded."""
        answer = decide(self.world.state, command, self.world.wall)  # type: ignore[arg-type]
        if isinstance(answer, Refusal):
            return False
        for draft in answer:
            self.world.append(draft)
        return bool(answer)

    def finish(self, intent: str, stage: int, mode: Mode) -> None:
        self.attempt(RecordOutcome("alice", intent, "pushed", intent))
        self.attempt(RecordSettled("watch", intent, True, intent))
        self.stage, self.mode = stage, mode
        self.world.stand(stage)

    @rule(signed=st.booleans(), which=st.integers(0, 5))
    def clear(self, signed: bool, which: int) -> None:
        latches = list(self.world.state.latches.values())
        if not latches:
            return
        latch = latches[which % len(latches)]
        found = judge(self.world.policy, self.world.state, self.world.watch, self.world.snapshot, latch)
        quorum, roles = (self.approvals(), ("operator",)) if signed else (None, ())
        epoch = self.world.state.epoch
        command = ClearLatch("alice", latch.key, gone=found.gone, why=found.why, quorum=quorum, roles=roles)
        taken = self.attempt(command)
        assert taken == (signed and found.gone and latch.mode is not Mode.KILLED)
        assert self.world.state.epoch == epoch + taken

    @rule(really=st.integers(0, 5))
    def kill(self, really: int) -> None:
        """Seldom, or nothing else would ever be tried."""
        if really != 3:
            return
        intent = f"k{next(self.ids)}"
        self.attempt(BeginReduce("alice", intent, f"L{self.stage}", "L0", Mode.KILLED, self.world.market, "by hand"))
        assert any(latch.trigger == MANUAL_KILL for latch in self.world.state.latches.values())
        self.finish(intent, 0, Mode.KILLED)

    @rule(stage=st.integers(0, 1))
    def roll_back(self, stage: int) -> None:
        """By hand; nothing is latched."""
        if stage >= self.stage:
            return
        intent, latches = f"d{next(self.ids)}", dict(self.world.state.latches)
        source, target = f"L{self.stage}", f"L{stage}"
        self.attempt(BeginReduce("alice", intent, source, target, self.mode, self.world.market, "by hand"))
        assert self.world.state.latches == latches
        self.finish(intent, stage, self.mode)

    @rule(stage=st.integers(0, TOP), mode=st.sampled_from([Mode.NORMAL, Mode.REDUCE_ONLY]))
    def slip_in(self, stage: int, mode: Mode) -> None:
        """Somebody else's commit changes Git; no latch, no approval, no intent knows of it."""
        self.stage, self.mode = stage, mode
        self.world.stand(stage)
        self.world.trailers = {}
        self.world.tick(1)

    @rule()
    def follow(self) -> None:
        """The watch's reflex: down to what the latches allow, and what the last reduction left."""
        after = slipped_in(self.world.policy, self.world.state, self.world.watch, self.world.wall)
        allowed = self.allowed().join(after)
        if self.stage <= allowed.cap and self.mode >= allowed.mode:
            return
        intent, stage, mode = f"r{next(self.ids)}", min(self.stage, allowed.cap), max(self.mode, allowed.mode)
        command = BeginReduce(
            "watch", intent, f"L{self.stage}", f"L{stage}", mode, self.world.market, "", automatic=True
        )
        self.attempt(command)
        self.finish(intent, stage, mode)

    @rule(gone=st.booleans())
    def restore(self, gone: bool) -> None:
        latches = [one for one in self.world.state.latches.values() if one.killed]
        judged = [
            judge(self.world.policy, self.world.state, self.world.watch, self.world.snapshot, one) for one in latches
        ]
        intent = f"b{next(self.ids)}"
        command = BeginRestore(
            actor="alice", intent=intent, from_stage=f"L{self.stage}", to_stage="L0", to_index=0,
            market=self.world.market, epoch=self.world.state.epoch, policy="policy", roster="roster",
            quorum=self.approvals(), standing=self.mode, gone=all(one.gone for one in judged), reconciled=gone,
            positions_known=True, signature="sig",
        )  # fmt: skip
        if self.attempt(command):
            assert gone
            self.raised(intent, 0, Mode.NORMAL)

    @rule(mode=st.sampled_from([Mode.NORMAL, Mode.REDUCE_ONLY, Mode.HALTED]))
    def resume(self, mode: Mode) -> None:
        intent = f"u{next(self.ids)}"
        command = BeginResume(
            actor="alice", intent=intent, stage=f"L{self.stage}", stage_index=self.stage, top=TOP, mode=mode,
            standing=self.mode, market=self.world.market, epoch=self.world.state.epoch, policy="policy",
            roster="roster", roles=("trader",), approved=TOP, signature="sig",
        )  # fmt: skip
        if self.attempt(command):
            assert self.mode is not Mode.KILLED
            self.raised(intent, self.stage, mode)

    @rule(late=st.booleans(), number=st.integers(0, 3))
    def advance(self, late: bool, number: int) -> None:
        """An apply, of the present epoch or of an older one."""
        if self.mode is not Mode.NORMAL or self.stage == TOP:
            return
        source, target, intent = f"L{self.stage}", self.stage + 1, f"a{next(self.ids)}"
        run, market = f"{source}-x-{next(self.ids)}", self.world.market
        self.attempt(ChangeBurnIn("watch", source, run, "PASSED", market, market))
        command = BeginAdvance(
            actor="alice", intent=intent, plan_id=intent, action="act", from_stage=source, to_stage=f"L{target}",
            epoch=self.world.state.epoch - late * number, policy="policy", roster="roster", expires=FAR, market=market,
            quorum=self.approvals(), top=TOP, to_index=target, burn_in_run=run, blobs={}, base="c0", confirmation="",
            signature="sig",
        )  # fmt: skip
        if self.attempt(command):
            assert command.epoch == self.world.state.epoch
            self.raised(intent, target, Mode.NORMAL)

    def raised(self, intent: str, stage: int, mode: Mode) -> None:
        """Risk came back: at that moment every open latch allowed it."""
        allowed = self.allowed()
        assert stage <= allowed.cap
        assert mode >= allowed.mode or allowed.mode is Mode.FROZEN
        self.finish(intent, stage, mode)

    def allowed(self) -> Posture:
        return join(self.world.state.latches.values(), TOP)

    # ------------------------------------------------------------------------------------------------ always

    @invariant()
    def one_latch_for_each_cause(self) -> None:
        if hasattr(self, "world"):
            causes = [(latch.trigger, latch.cause) for latch in self.world.state.latches.values()]
            assert len(causes) == len(set(causes))

    @invariant()
    def the_reflex_ends_inside_what_is_allowed(self) -> None:
        if hasattr(self, "world"):
            after = slipped_in(self.world.policy, self.world.state, self.world.watch, self.world.wall)
            self.follow()
            allowed = self.allowed().join(after)
            assert self.stage <= allowed.cap
            assert self.mode >= allowed.mode or allowed.mode is Mode.FROZEN


Ramp.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
test_no_interleaving_ends_riskier_than_the_open_latches_allow = Ramp.TestCase

STEPS = {
    "breach": lambda ramp: ramp.see(gross=6000, pnl=0, times=4),
    "loss": lambda ramp: ramp.see(gross=1000, pnl=-700, times=4),
    "calm": lambda ramp: ramp.see(gross=1000, pnl=0, times=6),
    "lost": lambda ramp: ramp.lose(times=8),
    "restart": lambda ramp: ramp.restart(fresh=True),
    "clear": lambda ramp: ramp.clear(signed=True, which=0),
    "resume": lambda ramp: ramp.resume(mode=Mode.NORMAL),
    "advance": lambda ramp: ramp.advance(late=False, number=0),
    "second": lambda ramp: ramp.look_twice(),
    "back": lambda ramp: ramp.roll_back(stage=0),
    "slip": lambda ramp: ramp.slip_in(stage=TOP, mode=Mode.NORMAL),
    "restore": lambda ramp: ramp.restore(gone=True),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=8, max_size=20))
def test_no_even_mixture_of_steps_does_either(steps: list[str]) -> None:
    ramp = Ramp()
    ramp.begin()
    for step in steps:
        STEPS[step](ramp)
        ramp.the_reflex_ends_inside_what_is_allowed()
