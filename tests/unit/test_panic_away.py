"""Panic with Prometheus, Git, cluster and ledger away in every combination: it acts on the rest and names these."""

from __future__ import annotations

import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from io import StringIO
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest

from console.output import Output
from console.panic import acting, looking
from console.verbs import panic as verb
from console.verbs.panic import run_panic
from stages.refusal import Trouble
from tests.unit.night import HANGS, PARTS, REFUSES, Night, policy

COMBINATIONS = list(chain.from_iterable(combinations(PARTS, count) for count in range(len(PARTS) + 1)))
ALL_HANG = dict.fromkeys(PARTS, HANGS)


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    made = policy()
    monkeypatch.setattr("console.in_force.policy_of_file", lambda _path: (made, "policy"))
    for module, name, seconds in (
        (acting, "PATIENCE", 0.5), (acting, "LEDGER_PATIENCE", 0.2), (verb, "FOLLOW", 1.0), (looking, "PATIENCE", 1.0),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, seconds)
    event = threading.Event()
    yield event
    event.set()


def told(night: Night, act: str, reason: str = "") -> tuple[int, dict[str, Any]]:
    """The verb's exit code and JSON; whoever can be reached has a long time to answer."""
    stream = StringIO()
    arguments = Namespace(act=act, to=None, reason=reason, by_hand=False)
    code = run_panic(arguments, night.wiring, Output(json=True, stream=stream, errors=StringIO()))
    return code, json.loads(stream.getvalue())


def night_without(over: threading.Event, away: tuple[str, ...]) -> Night:
    return Night(over, dict.fromkeys(away, REFUSES))


def recorded(night: Night, away: tuple[str, ...]) -> list[str]:
    """Kinds of entries, or of what waits for the ledger to come back."""
    return night.spill.kinds() if "ledger" in away else [entry.kind for entry in night.book.all]


every = pytest.mark.parametrize("away", COMBINATIONS, ids=lambda away: "+".join(away) or "none")


@every
def test_a_block_with_any_of_them_away(over: threading.Event, away: tuple[str, ...]) -> None:
    night = night_without(over, away)
    code, said = told(night, "block", "prices are wrong")
    assert night.broker.blocked
    assert (night.flag.says == "true") == ("cluster" not in away)
    lost = ({"ledger"} if "ledger" in away else set()) | ({"runtime flag"} if "cluster" in away else set())
    assert (set(said["unverified"]), said["spilled"]) == (lost, "ledger" in away)
    assert code == (2 if "cluster" in away else 0)
    assert bool(said["byHand"]) == bool(lost)
    kinds = recorded(night, away)
    assert kinds.index("latch-opened") < kinds.index("reason")


@every
def test_a_cancel_with_any_of_them_away(over: threading.Event, away: tuple[str, ...]) -> None:
    night = night_without(over, away)
    code, said = told(night, "cancel")
    assert (night.broker.orders, night.broker.blocked, code) == ((), False, 0)
    assert set(said["unverified"]) == ({"ledger"} if "ledger" in away else set())
    assert bool(said["byHand"]) == ("ledger" in away)
    assert "note" in recorded(night, away)


@every
def test_a_step_down_with_any_of_them_away(over: threading.Event, away: tuple[str, ...]) -> None:
    night = night_without(over, away)
    code, said = told(night, "step-down", "prices are wrong")
    assert night.worker is not None
    night.worker.join(60)
    assert said["stage"] == "L0"
    lowered = night.mirror.read(night.remote.head, "apps/heron/limits.yaml") != night.first
    assert lowered == ("Git" not in away)
    # The worker's "abandoned" is a no; while the ledger is away too, nobody tells of it.
    assert code == (0 if "Git" not in away else 2 if "ledger" in away else 1), said
    assert bool(said["unverified"]) == bool(said["byHand"]) == ("Git" in away)
    assert [kind for kind in recorded(night, away) if kind in ("intent", "reason")] == ["intent", "reason"]


@every
def test_a_look_with_any_of_them_away(over: threading.Event, away: tuple[str, ...]) -> None:
    night = night_without(over, away)
    code, said = told(night, "verify")
    named = {"cluster": "runtime"}
    silent = {named.get(part, part) for part in away}
    assert (code, said["safeNow"], set(said["unverified"])) == (1, False, silent)
    assert bool(said["byHand"]) == bool(away)
    assert said["agree"] == (None if {"Git", "cluster"} & set(away) else True), "nobody who is silent agrees"
    for one in said["witnesses"]:
        known = one["witness"] not in silent
        assert (one["state"], bool(one["said"])) == ("ok" if known else "?", True)
        if one["witness"] in looking.TRUTH and known:
            assert (one["source"], one["newOrders"], one["ageSeconds"] >= 0, one["at"] is not None) == (
                one["source"] or "a source", "sent", True, True,
            )  # fmt: skip


@pytest.mark.parametrize("act", verb.ACTS)
def test_whoever_hangs_is_named_and_nothing_waits_for_it(over: threading.Event, act: str) -> None:
    night = Night(over, ALL_HANG)
    code, said = told(night, act)
    assert code == {"cancel": 0, "verify": 1}.get(act, 2)
    assert said["byHand"]
    assert night.broker.blocked == (act == "block")


@pytest.mark.parametrize("act", verb.ACTS)
def test_with_the_venue_away_too_nothing_is_called_done(over: threading.Event, act: str) -> None:
    code, said = told(Night(over, {**dict.fromkeys(PARTS, REFUSES), "venue": REFUSES}), act)
    assert code == 2
    assert said["byHand"]
    if act != "step-down":
        assert any(name.startswith("venue") for name in said["unverified"])


def test_a_venue_that_refuses_orders_which_git_would_send_is_not_agreement(over: threading.Event) -> None:
    night = Night(over)
    night.broker.blocked = True
    assert told(night, "verify")[1]["agree"] is False


def test_where_not_even_a_try_is_possible_the_commands_by_hand_are_printed(
    over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_path: Path) -> Any:
        raise Trouble("no policy", where="heron.yaml")

    monkeypatch.setattr("console.in_force.policy_of_file", nothing)
    monkeypatch.setattr("console.verbs.change.policy_of", lambda *_args, **_options: nothing(Path()))
    code, said = told(night_without(over, PARTS), "step-down")
    assert (code, "no policy" in said["error"]) == (2, True)
    assert any(line.startswith("curl") for line in said["byHand"])


def test_the_reason_of_a_block_that_was_spilled_names_the_latch_that_owes_it(over: threading.Event) -> None:
    night = night_without(over, ("ledger",))
    told(night, "block", "prices are wrong")
    opened, reason = (
        next(one for one in night.spill.drafts if one.kind == kind) for kind in ("latch-opened", "reason")
    )
    assert reason.body["subject"] == opened.body["key"]
