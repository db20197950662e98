"""Each of Prometheus, Git, API server, venue and ledger down, slow, lying or coming back, on real parts.

Every cell carries a kill and a rollback out by their verbs and asks the same of both: never riskier, handed over at
once, nobody trusted who was not heard, an exit code that says so, and the promised end once the part is back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console import containment
from console.__main__ import perform
from console.procedures import reduce as reducing
from console.procedures.kill import HAND_OVER_SECONDS
from console.runtime import flag as flags
from console.verbs import change, kill
from console.watch.once import look_once
from console.wiring import outside
from stages.posture import Mode, Posture, join
from stages.refusal import Trouble
from stages.safety import UNVERIFIED, YES, Verdict, safe_now, stays_so
from stages.signals import LIVE_BOOK, SignalKey
from stages.state import ControlState, Intent
from stages.verdict import Evaluation, RowState
from tests.integration.cluster import Cluster
from tests.integration.fault_stage import PARTS, Cell, Heard, Stage, Stalls, stage
from tests.integration.faulty_lines import DOWN, FAULTS, LYING, RECOVERING, SLOW

CELLS = [(part, fault) for part in PARTS for fault in FAULTS]
SILENT = (DOWN, SLOW)
VENUE = {"venue block", "venue cancel", "venue read"}


@pytest.fixture(scope="module")
def all_parts(api_server: Cluster, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("matrix"), root, api_server) as found:
        yield found


@pytest.fixture(params=CELLS, ids="-".join)
def cell(
    request: pytest.FixtureRequest, all_parts: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cell]:
    part, fault = request.param
    lost = part == "git" and fault != RECOVERING
    for module, name, value in (
        (reducing, "_FIRST_PAUSE", 0.1), (reducing, "_LONGEST_PAUSE", 0.2), (containment, "TRIES", 3),
        (kill, "FOLLOW", 1.5 if lost else 60.0),
        (change, "FOLLOW", timedelta(seconds=1.5 if lost else 60)),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    if fault == SLOW:  # only who is slow is waited for, so that a busy machine makes nobody else slow
        short = {"venue": (outside, "VENUE_TIMEOUT"), "api": (flags, "REQUEST"), "ledger": (reducing, "HUNG_SECONDS")}
        if part in short:
            monkeypatch.setattr(*short[part], 0.4)
    made = all_parts.cell(tmp_path, part, fault)
    yield made
    made.heal()
    made.threads.join()


def act(cell: Cell, *words: str) -> tuple[int, Heard]:
    """A verb, with the part at fault from before its first question; 2 for a Trouble, as the program does."""
    heard, wiring = Heard(), cell.wiring()
    cell.fail()
    try:
        return perform([*words, "--json"], wiring, heard), heard
    except Trouble as trouble:
        heard.note(trouble.line)
        return 2, heard
    finally:
        wiring.close()


# ------------------------------------------------------------------------------------------------------ what must hold


def never_riskier(cell: Cell) -> None:
    policy = cell.stage.policy
    before = policy.resolved[1]
    for name, value in cell.values().items():
        assert policy.spec.controls[name].order.at_most(value, before[name]), name


def lowered(cell: Cell, mode: Mode) -> bool:
    policy = cell.stage.policy
    wanted = {**policy.resolved[0], **policy.overlay(mode)}
    return all(
        policy.spec.controls[name].order.at_most(value, wanted[name])
        for name, value in cell.values().items()
        if name in wanted
    )


def look(cell: Cell) -> tuple[ControlState | None, Evaluation]:
    """What a console that is opened now evaluates, the fault still there; no state while the ledger is away."""
    wiring, policy = cell.wiring(), cell.stage.policy
    try:
        state = wiring.ledger.state()
    except Trouble:
        state = None
    patience = 1.0 if cell.fault == SLOW else 30.0
    found = look_once(policy, state or ControlState(), wiring.clock, wiring.reader, actor="alice", patience=patience)
    wiring.close()
    return state, found.evaluation


def honest_panels(cell: Cell, intent_id: str) -> None:
    """The truth panel and the two verdicts name whoever is silent, and say yes for nobody else's word."""
    state, evaluation = look(cell)
    part, fault = cell.part, cell.fault
    rows = {row.name: row for row in evaluation.truth.rows}
    if fault in SILENT:
        assert part != "git" or (rows["stage"].git, rows["stage"].agree) == ("?", None)
        assert part != "venue" or rows["account"].venue == "?"
        assert part != "api" or (rows["stage"].runtime, rows["stage"].agree) == ("?", None)
    scrapes = next(row for row in evaluation.rows if row.key == SignalKey(LIVE_BOOK, "scrapes"))
    if part == "prometheus" and fault != RECOVERING:
        assert scrapes.state in (RowState.STALE, RowState.NO_DATA, RowState.RESTARTING), scrapes
        assert scrapes.event_time is None, "nothing that was measured now"
    elif fault in (DOWN, LYING):
        assert scrapes.event_time is not None, scrapes
    intent = state.intents.get(intent_id) if state is not None else None
    if intent is not None:
        safe, stays = verdicts(cell, intent, evaluation)
        assert safe.said != YES or cell.contained()
        assert stays.said != YES, "the running system was never changed"
        if part == "venue" and fault in SILENT:
            assert safe.said == UNVERIFIED
        if part in ("git", "api") and fault in SILENT:
            assert stays.said == UNVERIFIED


def verdicts(cell: Cell, intent: Intent, evaluation: Evaluation) -> tuple[Verdict, Verdict]:
    policy = cell.stage.policy
    return safe_now(policy, intent, evaluation), stays_so(policy, intent, evaluation)


def converged(cell: Cell, intent_id: str, mode: Mode, before: Posture) -> None:
    """The part is back: Git holds the act, the ledger knows of it once, and nothing is looser than it was."""
    cell.heal()
    cell.threads.join()
    assert lowered(cell, mode)
    state = cell.state()
    after = join(state.latches.values(), cell.stage.policy.top)
    assert before.join(after) == after
    assert state.intents[intent_id].outcome == "pushed", state.intents[intent_id]
    assert not state.unresolved
    begun = [entry for entry in cell.world.ledger.entries() if (entry.intent, entry.kind) == (intent_id, "intent")]
    assert len(begun) == 1
    assert cell.world.ledger.verify().ok


def posture(cell: Cell) -> Posture:
    found = join(cell.world.ledger.state().latches.values(), cell.stage.policy.top)
    cell.world.ledger.close()
    del cell.world.__dict__["ledger"]
    return found


# ------------------------------------------------------------------------------------------------------------ the acts


def test_a_kill_with_one_part_at_fault(cell: Cell) -> None:
    part, fault, before = cell.part, cell.fault, posture(cell)
    with Stalls() as stalls:
        code, heard = act(cell, "kill", "--confirm", "kill heron")
    told, due = heard.told, HAND_OVER_SECONDS + stalls.seconds
    assert told["handedOverSeconds"] <= due
    handed = {one["witness"]: one["handedSeconds"] for one in told["witnesses"]}
    assert {"ledger", "venue block", "venue cancel", "runtime flag", "Git, by a worker"} <= set(handed)
    assert max(handed[name] for name in handed if name != "venue read") <= due
    named = set(told["unverified"])
    if (part, fault) == ("venue", RECOVERING):
        assert named <= VENUE
    else:
        assert named == missing(part, fault)
    assert code == (2 if named else 0)
    never_riskier(cell)
    if part != "venue" or fault == SLOW:
        assert cell.contained()
    if not named & VENUE:
        assert cell.contained()
    if "runtime flag" not in named:
        assert cell.flag() == "true"
    if "git" not in named:
        assert lowered(cell, Mode.KILLED)
    assert ("by hand: rampdeck kill --print" in heard.text) == bool({"git", *VENUE} & named)
    assert told["spilled"] == (part == "ledger")
    honest_panels(cell, told["intent"])
    converged(cell, told["intent"], Mode.KILLED, before)
    if part not in ("venue", "api"):
        assert cell.contained()
        assert cell.flag() == "true"


def missing(part: str, fault: str) -> set[str]:
    """Who must be named as not verified when the kill is told: whoever was not heard, and whoever was caught lying."""
    named: dict[str, dict[str, set[str]]] = {
        "git": {DOWN: {"git"}, SLOW: {"git"}, LYING: {"git"}},
        "api": {each: {"runtime flag"} for each in FAULTS},
        "venue": {DOWN: VENUE, SLOW: VENUE, LYING: {"venue read"}},
        "ledger": {each: {"ledger"} for each in FAULTS},
    }
    return named.get(part, {}).get(fault, set())


def test_a_rollback_with_one_part_at_fault(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    part, fault, before = cell.part, cell.fault, posture(cell)
    started: list[change.Started] = []
    start = change.start_rollback

    def kept(*arguments: Any) -> change.Started:
        started.append(start(*arguments))
        return started[-1]

    monkeypatch.setattr(change, "start_rollback", kept)
    with Stalls() as stalls:
        code, heard = act(cell, "rollback", "--confirm", "ROLLBACK L0")
    assert 0 < started[0].handed <= HAND_OVER_SECONDS + stalls.seconds
    said = "\n".join(heard.text)
    never_riskier(cell)
    if part == "git" and fault != RECOVERING:
        assert code == 2
        assert "not verified: Git" in said
        assert "rampdeck rollback --print" in said
    else:
        named = set(heard.told["unverified"])
        unheard = {"venue": SILENT, "ledger": (*SILENT, LYING)}.get(part, ())
        assert named == ({part} if fault in unheard else set()) or (fault == RECOVERING and named <= {part})
        assert code == (2 if named else 0)
        assert heard.told["outcome"] == "pushed"
        assert lowered(cell, Mode.NORMAL)
    honest_panels(cell, started[0].intent)
    converged(cell, started[0].intent, Mode.NORMAL, before)
