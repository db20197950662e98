"""Block and cancel of panic: each witness that can be reached holds its request within the time that a kill has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from console.panic import acting
from console.panic.acting import Acted, Responder
from console.panic.phrases import BLOCK, CANCEL, KILL, Meant
from console.procedures.kill import HAND_OVER_SECONDS
from tests.unit.night import ANSWERS, HANGS, Night

ATTEMPTS = 5
"""A hand-over that waits for a witness is late each time; one that shares its processor with others is not."""


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    monkeypatch.setattr(acting, "PATIENCE", 0.3)
    event = threading.Event()
    yield event
    event.set()


def responder(night: Night) -> Responder:
    found = Responder(night.wiring)
    found._policy = night.policy
    return found


def acted(night: Night, verb: str) -> Acted:
    return responder(night).act(Meant(verb))


AWAY = [
    {name: how for name, how in zip(("ledger", "cluster", "venue"), hows, strict=True) if how != ANSWERS}
    for hows in product((ANSWERS, HANGS), repeat=3)
]


@pytest.mark.parametrize("verb", [BLOCK, CANCEL])
@pytest.mark.parametrize("away", AWAY, ids=lambda away: "+".join(away) or "none")
def test_whoever_hangs_keeps_nobody_else_waiting(over: threading.Event, verb: str, away: dict[str, str]) -> None:
    night, said = Night(over, away), dict[str, Any]({"handedOverSeconds": HAND_OVER_SECONDS + 1})
    for _ in range(ATTEMPTS):
        if said["handedOverSeconds"] > HAND_OVER_SECONDS:
            night = Night(over, away)
            said = acted(night, verb).document()
    assert said["handedOverSeconds"] <= HAND_OVER_SECONDS, said
    wanted = {"ledger", "venue block", "runtime flag"} if verb == BLOCK else {"ledger", "venue cancel"}
    asked = {one["witness"]: one["handedSeconds"] for one in said["witnesses"]}
    assert set(asked) == {*wanted, "venue read"}
    assert max(asked[name] for name in wanted) <= HAND_OVER_SECONDS
    reached = {name for name in wanted if not any(name.startswith(f"{part}") for part in away)}
    reached -= {"runtime flag"} if "cluster" in away else set()
    assert wanted - reached == set(said["unverified"]) & wanted
    assert night.broker.blocked == (verb == BLOCK and "venue" not in away)
    assert (night.flag.says == "true") == (verb == BLOCK and "cluster" not in away)
    assert (night.broker.orders == ()) == (verb == CANCEL and "venue" not in away)


def test_a_flag_that_would_not_hold_is_refused_with_its_reason(over: threading.Event) -> None:
    night = Night(over, healed="Application heron manages ConfigMap/runtime and does not ignore data.kill")
    said = {one.witness: one for one in acted(night, BLOCK).heard}
    assert (said["runtime flag"].done, night.flag.says) == (False, "false")
    assert "does not ignore data.kill" in said["runtime flag"].detail
    assert said["venue block"].done


def test_a_policy_without_a_flag_has_no_such_witness(over: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Night(over)
    found = responder(night)
    monkeypatch.setattr(found.wiring.outside, "flag", lambda _policy: None)
    assert "runtime flag" not in {one.witness for one in found.act(Meant(BLOCK)).heard}


@pytest.mark.parametrize("verb", [BLOCK, KILL])
def test_without_any_policy_nobody_says_that_there_is_no_flag(
    over: threading.Event, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = Night(over)
    found = Responder(night.wiring)
    told = {one.witness: one for one in found.act(Meant(verb)).heard}
    assert told["runtime flag"].done is None
    assert "not known" in told["runtime flag"].detail
    found = Responder(night.wiring)
    monkeypatch.setattr(found.wiring.settings, "kubernetes", None)
    assert "runtime flag" not in {one.witness for one in found.act(Meant(verb)).heard}


def test_a_witness_that_breaks_is_one_that_nobody_has_heard(
    over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = Night(over)

    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(night.broker, "block", broken)
    told = {one.witness: one for one in acted(night, BLOCK).heard}
    assert told["venue block"].done is None
    assert "unexpected ZeroDivisionError" in told["venue block"].detail
    assert told["runtime flag"].done
