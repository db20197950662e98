"""Rollback with a remote, a venue or a ledger away, any two of them, and all: handed over at once, told in the end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.__main__ import main
from console.procedures.kill import HAND_OVER_SECONDS
from console.store.spill import Spill
from console.verbs import change as verb
from stages.entries import Entry
from tests.integration.actuation import git
from tests.integration.test_kill import AWAY, Scene, scene, until

__all__ = ["scene"]


def rolled_back(scene: Scene) -> bool:
    """Whether the branch holds the rollback."""
    return "Rampdeck-Stage: L0" in git("log", "-1", "--format=%B", "main", cwd=scene.world.remote)


def rollback(scene: Scene) -> tuple[int, dict[str, Any], str]:
    scene.capsys.readouterr()
    config = str(scene.world.folder / "alice.yaml")
    code = main(["rollback", "--confirm", "ROLLBACK L0", "--json", "--config", config])
    told = scene.capsys.readouterr()
    return code, json.loads(told.out) if told.out else {}, told.err


def entries_of(scene: Scene, intent: str, kind: str) -> list[Entry]:
    return [entry for entry in scene.world.ledger.entries() if entry.intent == intent and entry.kind == kind]


def kept(scene: Scene) -> bool:
    """Whether anything that was decided waits for the ledger."""
    return any(file.suffix != ".lock" for file in (scene.world.folder / "state").glob("*.spill*"))


@pytest.mark.parametrize("away", AWAY, ids=lambda away: "-and-".join(away) or "nothing")
def test_a_rollback_is_handed_over_at_once_and_says_what_nobody_knows(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, away: tuple[str, ...]
) -> None:
    started: list[verb.Started] = []
    start = verb.start_rollback

    def timed(*arguments: Any) -> verb.Started:
        started.append(start(*arguments))
        return started[-1]

    monkeypatch.setattr(verb, "start_rollback", timed)
    monkeypatch.setattr(verb, "FOLLOW", timedelta(seconds=3 if "git" in away else 30))
    scene.lose(*away)
    code, told, err = rollback(scene)
    assert 0 < started[0].handed <= HAND_OVER_SECONDS
    if "git" in away:
        assert code == 2
        assert ("not verified: Git and the ledger (" if "ledger" in away else "not verified: Git;") in err
    else:
        assert (code, told["outcome"]) == (2 if {"ledger", "venue"} & {*away} else 0, "pushed")
        assert told["unverified"] == [one for one in ("ledger", "venue") if one in away]
        assert ("what is open there is not known" in err) == ("venue" in away)
        assert rolled_back(scene)
        assert scene.world.says("value: paper")
    intent = started[0].intent
    if "ledger" in away:
        until(lambda: kept(scene))
    scene.find_again()
    until(lambda: rolled_back(scene))
    if "ledger" in away:
        for file in scene.world.folder.glob("away-ledger.db*"):
            file.rename(file.with_name(file.name.removeprefix("away-")))
        del scene.world.__dict__["ledger"]
        spill = Spill(scene.world.folder / "state" / "ledger.db.spill")
        # The worker, where it still runs, brings in by itself what it kept.
        spill.merge(scene.world.ledger, actor="watch", now=datetime.now(UTC))
    until(lambda: entries_of(scene, intent, "outcome"))
    assert [entry.body["act"] for entry in entries_of(scene, intent, "intent")] == ["reduce"]
    assert [entry.body["outcome"] for entry in entries_of(scene, intent, "outcome")] == ["pushed"]
    assert scene.world.ledger.verify().ok


def test_an_older_rollback_at_the_head_is_not_taken_for_this_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the ledger nobody knows what is under way, so the second one makes a commit that names it."""
    assert rollback(scene)[0] == 0
    older = scene.world.head()
    monkeypatch.setattr(verb, "FOLLOW", timedelta(seconds=60))
    scene.lose("ledger")
    code, told, _ = rollback(scene)
    assert (code, told["outcome"], told["unverified"]) == (2, "pushed", ["ledger"])
    assert told["sha"] == scene.world.head() != older
    assert f"Rampdeck-Intent: {told['intent']}" in git("log", "-1", "--format=%B", told["sha"], cwd=scene.world.remote)
