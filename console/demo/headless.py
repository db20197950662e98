"""The demo without a screen: the same world, watch and people, told as events."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from console.demo.cast import Director, Player, Trader
from console.demo.household import Household
from console.demo.injection import DEMO, Injector
from console.demo.scenarios import Scenario
from console.demo.world import World
from console.wiring import Wiring
from stages.entries import Entry
from stages.posture import join
from stages.standing import assess, read_controls
from stages.state import ControlState

READY_SECONDS: Final = 30.0
TARGET: Final = "L2"
"""How far the demo's trader goes: one stage beyond the canary shows the whole loop."""
TROUBLED: Final = "L1"
"""How far where something goes wrong: the canary meets it, not a stage that is just being entered."""


def run(house: Household, world: World, wiring: Wiring, scenario: Scenario, until: float) -> dict[str, Any]:
    """Plays ``scenario`` for ``until`` wall seconds and tells what happened and where it ended.

    An interrupt or a polite kill ends the play early; what happened until then is told all the same.
    """
    told: list[str] = []
    began = wiring.clock.wall()
    world.ready(READY_SECONDS)
    policy = wiring.in_force().policy
    players: list[Player] = [
        Trader(house, wiring.ledger, policy, TROUBLED if scenario.faults else TARGET, told.append),
        Director(scenario, Injector(world.inject, wiring.command, DEMO), wiring.ledger, wiring.clock, told.append),
    ]
    with _curtain() as curtain:
        with _watching(house, told.append), _playing(players), suppress(Empty):
            curtain.get(timeout=max(0.0, until - (wiring.clock.wall() - began).total_seconds()))
        return {
            "scenario": scenario.name,
            "events": list(events(wiring.ledger.entries(), began)),
            "final": _final(wiring),
            "notes": told,
        }


@contextmanager
def _curtain() -> Iterator[SimpleQueue[int]]:
    """Receives SIGINT and SIGTERM. A ``SimpleQueue`` may be put into from a signal's handler; an ``Event`` may not."""
    curtain: SimpleQueue[int] = SimpleQueue()
    stops = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda received, _frame: curtain.put(received)) for number in stops}
    try:
        yield curtain
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _watching(house: Household, tell: Callable[[str], None]) -> Iterator[None]:
    """A watch that acts, on a wiring of its own as another process would have; it ends with the play."""
    wiring = Wiring.of(house.config)
    watch = wiring.watch(wiring.desk(), acting=True)
    watch.start()
    try:
        yield
    finally:
        watch.stop()
        if watch.fault is not None:
            tell(f"the watch broke: {watch.fault!r}")
        wiring.close()


@contextmanager
def _playing(players: Iterable[Player]) -> Iterator[None]:
    for player in players:
        player.start()
    try:
        yield
    finally:
        for player in players:
            player.leave()
        for player in players:
            player.join(10)


def events(entries: Iterable[Entry], began: datetime) -> Iterator[dict[str, Any]]:
    """The ledger's entries that a spectator would call events; ``time`` is in seconds since ``began``."""
    acts: dict[str, Entry] = {}
    for entry in entries:
        if entry.kind == "intent" and entry.intent:
            acts[entry.intent] = entry
        found = _event(entry, acts.get(entry.intent or ""))
        if found:
            kind, stage, mode, detail = found
            seconds = (entry.at - began).total_seconds()
            yield {"time": round(seconds, 3), "kind": kind, "stage": stage, "mode": mode, "detail": detail}


def _event(entry: Entry, act: Entry | None) -> tuple[str, str | None, str, str] | None:
    body = entry.body
    match entry.kind:
        case "outcome" if act:
            return _act_kind(entry, act), act.body["to"], act.body["mode"], _act_detail(entry, act)
        case "converged" | "diverged" if act:
            return entry.kind, act.body["to"], act.body["mode"], str(body.get("detail", ""))
        case "latch-opened":
            return "latch", entry.stage, body["mode"], f"{body['trigger']}: {body['evidence']}"
        case "burn-in" if body["state"] in ("PASSED", "FAILED", "INCONCLUSIVE", "ABORTED"):
            return f"burn-in-{body['state'].lower()}", entry.stage, "NORMAL", str(body.get("reason", ""))
        case "alarm":
            return "alarm", entry.stage, "", str(body.get("text", ""))
        case "policy-adopted":
            return "policy-adopted", None, "", f"version {body['version']}"
    return None


def _act_kind(entry: Entry, act: Entry) -> str:
    if entry.body["outcome"] not in ("pushed", "unchanged"):
        return f"{act.body['act']}-{entry.body['outcome']}"
    if act.body["act"] == "advance":
        return "advance"
    return "step-down" if act.body.get("automatic") else "rollback"


def _act_detail(entry: Entry, act: Entry) -> str:
    words = [str(entry.body.get("sha", ""))[:12], str(act.body.get("cause", "")), str(entry.body.get("message", ""))]
    return " ".join(word for word in words if word)


def _final(wiring: Wiring) -> dict[str, Any]:
    """Where it ended, read again from the remote, the ledger and nothing else."""
    head = wiring.repository.fetch()
    force = wiring.in_force()
    standing = assess(force.policy, read_controls(force.policy, lambda path: wiring.repository.read(head, path)))
    names = [stage.name for stage in force.policy.stages]
    state = wiring.ledger.state()
    posture = join(state.latches.values(), force.policy.top)
    verified = wiring.ledger_reader().verify()
    place = "beyond" if standing.beyond else "between" if standing.stage is None else names[standing.stage]
    return {
        "standing": {"stage": place, "mode": standing.mode.name},
        "posture": {"mode": posture.mode.name, "cap": names[posture.cap]},
        "ledger": {
            "entries": state.seq,
            "verified": verified.ok,
            "path": str(Path(str(wiring.settings.ledger).removeprefix("sqlite:///"))),
        },
        "remote": {"commits": _commits(wiring, state, head)},
    }


def _commits(wiring: Wiring, state: ControlState, head: str) -> int:
    """How many commits the branch has: the demo adopts its policy at the first one."""
    first = state.policy.commit if state.policy else head
    return 1 + len(wiring.repository.log(first, head))
