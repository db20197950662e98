"""Each part down, slow, lying, or coming back, during a kill and a rollback: never riskier, and always honest."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from console.procedures import reduce as reducing
from console.procedures.kill import Killed, KillOrder, KillPorts, kill
from console.procedures.reduce import Order, Reduced, ReducePorts, reduce
from stages.commands import AdoptPolicy, AdoptRoster, BeginReduce
from stages.decide import decide
from stages.posture import Mode, join
from stages.refusal import Refusal
from stages.signals import Quality
from stages.standing import read_controls
from tests.property import small
from tests.property.racing import OPEN, Book
from tests.unit.faulty import FAULTS, Parts
from tests.unit.watched import Watched

CELLS = [(part, fault) for part in Parts.NAMES for fault in FAULTS]
BEFORE = 2
"""The stage at which everything stands."""


def begun() -> Book:
    book = Book()
    for command in (AdoptRoster("alice", "roster", "c0", "r"), AdoptPolicy("alice", "policy", 1, "c0", "p")):
        answer = decide(book.state, command, OPEN)
        assert not isinstance(answer, Refusal)
        book.add(answer)
    return book


def reduction(parts: Parts, mode: Mode, *, intent: str = "down", begun: bool = False) -> Reduced:
    ports = ReducePorts(
        parts.ledger, parts.spill, parts.git, parts.venue, parts.clock, parts.alone, parts.clock.pause,
        lambda _: None, runtime=parts.controller,
    )  # fmt: skip
    made = small.force()
    order = Order(intent, "carol", 0, mode, "by hand", begun=begun)
    return reduce(ports, made.policy, order, digests=(made.policy_digest, made.roster_digest))


class Act:
    """Runs in a thread of its own; ``result`` waits for it."""

    def __init__(self, act: Any) -> None:
        self._found: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._found.append(act()), daemon=True)
        self._thread.start()

    def result(self) -> Any:
        self._thread.join(60)
        assert self._found, "the act did not come to its end"
        return self._found[0]


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reducing, "HUNG_SECONDS", 0.3)


def values(parts: Parts) -> dict[str, Any]:
    return dict(read_controls(small.force().policy, parts.files.get).values)


def never_riskier(parts: Parts) -> None:
    policy = small.force().policy
    for name, value in values(parts).items():
        assert policy.spec.controls[name].order.at_most(value, policy.resolved[BEFORE][name]), name


def git_is_honest(parts: Parts, done: Reduced, mode: Mode, part: str, fault: str) -> None:
    """What is said to be lowered is lowered, and what is not is named."""
    policy = small.force().policy
    wanted = {**policy.resolved[0], **policy.overlay(mode)}
    lowered = all(
        policy.spec.controls[name].order.at_most(value, wanted[name]) for name, value in values(parts).items()
    )
    assert (done.outcome == "pushed") == lowered
    assert ("git" in done.unverified) == (not lowered)
    assert lowered == (part != "git" or fault in ("slow", "recovering"))


@pytest.mark.parametrize(("part", "fault"), CELLS)
def test_a_rollback_with_one_part_at_fault(part: str, fault: str) -> None:
    parts = Parts(small.files(BEFORE), begun(), part, fault)
    act = Act(lambda: reduction(parts, Mode.NORMAL))
    waits = fault == "slow" and part in ("git", "controller")
    reached = {"git": ("ledger",), "controller": ("ledger", "git")}
    assert not parts.asked(*(reached[part] if waits else ("ledger", "git", "venue")))
    parts.gate.set()
    done: Reduced = act.result()
    never_riskier(parts)
    git_is_honest(parts, done, Mode.NORMAL, part, fault)
    assert (done.left is None) == (part == "venue" and fault in ("down", "recovering"))
    if part == "ledger" and fault in ("down", "slow", "recovering"):
        assert done.spilled
        assert parts.spill.kinds()[0] == "intent"
        assert "outcome" in parts.spill.kinds()
    elif part != "ledger":
        assert not done.spilled
        assert not [one for one in parts.book.state.unresolved if part != "git"]


@pytest.mark.parametrize(("part", "fault"), CELLS)
def test_a_kill_with_one_part_at_fault(part: str, fault: str) -> None:
    parts = Parts(small.files(BEFORE), begun(), part, fault)
    workers: list[Act] = []

    def go_on() -> int:
        workers.append(Act(lambda: reduction(parts, Mode.KILLED, intent="kill", begun=True)))
        return 4711

    ports = KillPorts(parts.ledger, parts.spill, parts.venue, parts.clock, go_on, lambda: None)
    salvo = kill(ports, KillOrder("kill", "carol", "L0", "by hand"), confirmed=parts.clock.monotonic())
    # Whatever is slow holds its own thread: with the gate still closed, all others have their requests.
    assert not parts.asked("venue", "ledger", "git")
    parts.gate.set()
    killed: Killed = salvo.finish(60)
    done: Reduced = workers[0].result()
    never_riskier(parts)
    git_is_honest(parts, done, Mode.KILLED, part, fault)
    venue_is_honest(parts, killed, done, part, fault)
    names = [one.witness for one in killed.witnesses]
    assert {"ledger", "venue block", "venue cancel", "venue read", "Git, by a worker"} == set(names)
    away = part == "ledger" and fault in ("down", "slow", "recovering")
    assert ("ledger" in killed.unverified) == (away and fault != "slow")
    assert (killed.spilled or done.spilled) == away
    if away:
        assert "intent" in parts.spill.kinds() or parts.book.state.intents
    elif part != "ledger":
        assert [latch.mode for latch in parts.book.state.latches.values()] == [Mode.KILLED]


def venue_is_honest(parts: Parts, killed: Killed, done: Reduced, part: str, fault: str) -> None:
    """Blocked and empty is only said of a venue that is; the worker repeats what one attempt did not reach."""
    safe = parts.venue.blocked and not parts.venue.orders
    assert safe == (part != "venue" or fault in ("slow", "recovering"))
    told = [name for name in killed.unverified if name.startswith("venue")]
    again = [name for name in done.unverified if name.startswith("venue")]
    if part != "venue" or fault == "slow":
        assert not told
        assert not again
    if not safe:
        assert told
        assert again
        assert all("UNVERIFIED" in one.text or "NO, " in one.text for one in killed.witnesses if one.witness in told)
    if part == "venue" and fault == "down":
        assert killed.left is None
        assert done.left is None


def test_no_reduction_asks_prometheus_for_anything() -> None:
    """A kill and a rollback have no source among their ports, so that none can hold them up or lie to them."""
    known = {name for kind in (KillPorts, ReducePorts) for name in kind.__struct_fields__}
    assert known == {
        "ledger", "spill", "venue", "clock", "go_on", "before", "repository", "running", "pause", "checkpoint",
        "by_branch", "runtime", "flag",
    }  # fmt: skip


def lose(world: Watched) -> None:
    world.silent = True


def stand_still(world: Watched) -> None:
    world.frozen |= set(world.values)


def lie(world: Watched) -> None:
    """All is well, they say: nothing held, nothing lost."""
    world.values |= {"pnl": Decimal(0), "gross": Decimal(0), "order": Decimal(0)}


@pytest.mark.parametrize("fault", [lose, stand_still, lie], ids=["down", "slow", "lying"])
def test_whatever_the_sources_say_after_a_kill_it_stays_killed(fault: Any) -> None:
    """Down, slow or lying, and then well again: no reading takes a kill back, and none that fails counts as good."""
    world = Watched(stage=1)
    world.tick(3)
    world.decide(BeginReduce("carol", "k", "L1", "L0", Mode.KILLED, world.market, "by hand"))
    fault(world)
    world.tick(12)
    bad = [row for row in world.judge().rows if row.quality is not Quality.OK]
    assert bad or fault is lie
    world.silent, world.frozen, world.values = False, set(), dict(Watched().values)
    world.tick(40)
    posture = join(world.state.latches.values(), 2)
    assert (posture.mode, posture.cap) == (Mode.KILLED, 0)
