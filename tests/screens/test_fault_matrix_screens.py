"""What a person reads while one part is down, slow, lying or coming back: named parts, and no YES by nobody's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest

from console.desk import Running
from console.procedures import reduce as reducing
from console.procedures.kill import KillOrder, KillPorts, kill
from console.screens.ramp.outline import Look
from console.screens.ramp.page import ramp_page
from console.screens.rollback import Plea, reduce_page
from console.watch.chronicle import Chronicle
from console.watch.reader import GitWitness, VenueWitness
from stages.commands import BeginReduce, RecordOutcome, RecordSettled
from stages.evaluation import accumulate, judge
from stages.policy import Policy
from stages.posture import Mode, join
from stages.refusal import Trouble
from stages.signals import Snapshot, SourceHealth
from stages.state import ControlState
from stages.value import replace
from stages.verdict import Evaluation, WatchPresence
from stages.watching import WatchState
from stages.witness import GitReading, RuntimeReading, VenueReading
from tests.property import small
from tests.property.racing import Clock
from tests.screens import quiet
from tests.unit.faulty import FAULTS, Parts
from tests.unit.test_fault_matrix import BEFORE, Act, begun, reduction
from tests.unit.watched import Watched

ACTS = {"rollback": Mode.NORMAL, "kill": Mode.KILLED}
CELLS = [(act, part, fault) for act in ACTS for part in Parts.NAMES for fault in FAULTS]
NOBODY = WatchPresence(None, acting=False, here=False, age=None)
SILENT = ("down", "slow")


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reducing, "HUNG_SECONDS", 0.3)


@dataclass(frozen=True)
class Page:
    """Both pages as text, and what was drawn."""

    reduce: str
    ramp: str
    running: Running | None
    evaluation: Evaluation

    @classmethod
    def drawn(cls, policy: Policy, evaluation: Evaluation, running: Running | None, wall: datetime) -> Page:
        frame = quiet.frame(evaluation=evaluation, running=running, policy=policy, history={}, events=())
        view = quiet.view(frame, wall=wall)
        lines, _ = reduce_page(view, Plea(), 160, 45)
        ramp = ramp_page(view, Look(), 160, 45)
        reduce, home = ("\n".join(line.text for line in page) for page in (lines, ramp))
        return cls(reduce, home, running, evaluation)


def do(parts: Parts, act: str) -> list[Act]:
    """The act, in threads of its own as a console starts it."""
    if act == "rollback":
        return [Act(lambda: reduction(parts, Mode.NORMAL))]
    workers: list[Act] = []

    def go_on() -> int:
        workers.append(Act(lambda: reduction(parts, Mode.KILLED, intent="kill", begun=True)))
        return 4711

    ports = KillPorts(parts.ledger, parts.spill, parts.venue, parts.clock, go_on, lambda: None)
    salvo = kill(ports, KillOrder("kill", "carol", "L0", "by hand"), confirmed=parts.clock.monotonic())
    assert not parts.asked("git")
    return [*workers, Act(lambda: salvo.finish(60))]


def snapshot(parts: Parts, part: str, fault: str) -> Snapshot:
    """What a reader holds: the answers of who answers. Who is slow has not answered, and the API server may lie."""
    policy, clock = small.force().policy, Clock()
    wall = clock.wall()  # of the fakes' entries too, whatever the act waited for
    hung = part if fault == "slow" else ""
    values = policy.resolved[0 if (part, fault) == ("controller", "lying") else BEFORE]
    error = "no answer" if part == "controller" and fault in SILENT else ""
    git: GitReading | None = None if hung == "git" else GitWitness(parts.git, policy, clock)()
    venue: VenueReading | None = None if hung == "venue" else VenueWitness(parts.venue, clock)()
    runtime = {name: RuntimeReading(None if error else value, wall, error=error) for name, value in values.items()}
    health = (SourceHealth("venue", venue is not None and not venue.error, 9, wall),)
    return Snapshot(seq=1, wall=wall, market=wall, sources=health, git=git, venue=venue, runtime=runtime)


def chronicle(parts: Parts, part: str, fault: str) -> tuple[Chronicle, ControlState]:
    """What the console could read of the ledger; nothing while that does not answer."""
    told = Chronicle()
    if part == "ledger" and fault in SILENT:
        return told, ControlState()
    try:
        told.read(parts.ledger)
        return told, parts.ledger.state()
    except Trouble:
        return told, ControlState()


@pytest.fixture(params=CELLS, ids="-".join)
def cell(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, str, Page]]:
    act, part, fault = request.param
    parts = Parts(small.files(BEFORE), begun(), part, fault)
    acts = do(parts, act)
    if fault != "slow":
        for one in acts:
            one.result()
    else:
        before = {"git": ("ledger",), "controller": ("ledger", "git")}.get(part, ("ledger", "git", "venue"))
        assert not parts.asked(*before)
    told, state = chronicle(parts, part, fault)
    policy, seen = small.force().policy, snapshot(parts, part, fault)
    watch, _ = accumulate(policy, state, WatchState.start(), seen, "watch")
    evaluation = judge(policy, state, watch, seen, NOBODY)
    yield act, part, fault, Page.drawn(policy, evaluation, told.running(policy, state, evaluation), seen.wall)
    parts.gate.set()
    for one in acts:
        one.result()


def test_the_pages_name_who_is_silent_and_say_yes_for_nobody(cell: tuple[str, str, str, Page]) -> None:
    act, part, fault, page = cell
    venue = page.evaluation.snapshot.venue
    heard = venue is not None and not venue.error
    assert "STAYS SO  YES" not in page.reduce, "the running system was never read to run it"
    if "SAFE NOW  YES" in page.reduce:
        assert heard
        assert venue is not None
        assert venue.blocked
        assert not venue.open_orders
    if part == "venue" and fault in SILENT:
        assert "venue NOT READ" in page.reduce
        assert "WHAT IS OPEN: not known" in page.reduce
        assert "ACCOUNT NOT READ" in page.ramp
    if part == "git" and fault in SILENT:
        assert "Git NOT READ" in page.reduce
        assert "in the manifests" not in page.reduce
        assert "BETWEEN" not in page.ramp, "nobody knows where Git stands"
        assert "STAGE NOT READ" in page.ramp
    if part == "controller" and fault in SILENT:
        assert "runtime NOT READ" in page.reduce
        assert "runtime NOT" in page.ramp
        assert "stays so  UNVERIFIED" in page.ramp or page.running is None
    if part in ("git", "venue", "controller") and fault in SILENT:
        assert "all three agree" not in page.reduce + page.ramp
    acting(act, part, fault, page)


def acting(act: str, part: str, fault: str, page: Page) -> None:
    """The two verdicts of the acting page; it shows none where the ledger never told of the act."""
    if page.running is None:
        assert part == "ledger" or fault == "slow"
        assert "SAFE NOW" not in page.reduce
        return
    verdicts = (page.running.safe_now, page.running.stays_so)
    for name, said in zip(("SAFE NOW", "STAYS SO"), verdicts, strict=True):
        assert f"{name}  {said}" in page.reduce
    if act == "kill" and part == "venue":
        due = {"down": "UNVERIFIED", "slow": "UNVERIFIED", "lying": "NOT YET", "recovering": "YES"}
        assert verdicts[0] == due[fault]
        assert ("Call the broker" in page.reduce) == (due[fault] == "UNVERIFIED")
    if part in ("git", "controller") and fault in SILENT:
        assert verdicts[1] == "UNVERIFIED"


# -------------------------------------------------------------------------------------------------------- Prometheus


def lose(world: Watched) -> None:
    """No metric is answered; Git, venue and the readback are others' word."""
    world.silent = True


def stand_still(world: Watched) -> None:
    world.frozen |= set(world.values)


def flatter(world: Watched) -> None:
    world.tick(0, pnl=0, gross=0, order=0, lag=0)


def come_back(world: Watched) -> None:
    world.silent = True
    world.tick(3)
    world.silent = False


PROMETHEUS: dict[str, Callable[[Watched], None]] = {
    "down": lose, "slow": stand_still, "lying": flatter, "recovering": come_back,
}  # fmt: skip


@pytest.mark.parametrize("fault", PROMETHEUS)
@pytest.mark.parametrize("act", ACTS)
def test_prometheus_at_fault_during_an_act_loosens_nothing_and_vouches_for_nothing(act: str, fault: str) -> None:
    """Before, a limit was broken and held; no reading, missing, old or too good, lets go of that or of the act."""
    world = Watched(stage=1)
    world.tick(4, gross=6000)
    held = join(world.state.latches.values(), world.policy.top)
    assert held.mode is Mode.REDUCE_ONLY
    world.decide(BeginReduce("carol", "a", "L1", "L0", ACTS[act], world.market, "by hand"))
    PROMETHEUS[fault](world)
    due = held if act == "rollback" else join(world.state.latches.values(), world.policy.top)
    for _ in range(12):
        world.tick()
        now = join(world.state.latches.values(), world.policy.top)
        assert due.join(now) == now
        due = now
        shown = drawn(world)
        assert "SAFE NOW  YES" not in shown.reduce, "the venue takes orders and the old limits run"
        assert "STAYS SO  YES" not in shown.reduce
    states = {row.key.name: row.state.value for row in world.judge().rows}
    assert (states["gross"] in ("ok", "warn", "breach")) == (fault in ("lying", "recovering"))
    assert due.mode is Mode.KILLED or act == "rollback"


@pytest.mark.parametrize("fault", PROMETHEUS)
def test_what_the_metrics_say_does_not_stand_in_the_way_of_a_yes_by_those_who_know(fault: str) -> None:
    world = Watched(stage=1)
    world.tick(3)
    world.decide(BeginReduce("carol", "a", "L1", "L0", Mode.NORMAL, world.market, "by hand"))
    world.decide(RecordOutcome("carol", "a", "pushed", "c1"))
    world.stand(0)
    world.decide(RecordSettled("watch", "a", True, "c1"))
    if fault == "down":
        world.tick(2)
        world.snapshot = replace(world.snapshot, samples={})
        world.watch, _ = accumulate(world.policy, world.state, world.watch, world.snapshot, "watch")
    else:
        PROMETHEUS[fault](world)
        world.tick(2)
    shown = drawn(world)
    assert "SAFE NOW  YES" in shown.reduce
    assert "STAYS SO  YES" in shown.reduce


def drawn(world: Watched) -> Page:
    """The pages now; the ledger's own entries are not needed for the verdicts."""
    evaluation = world.judge()
    running = Chronicle().running(world.policy, world.state, evaluation)
    assert running is not None
    return Page.drawn(world.policy, evaluation, running, world.wall)
