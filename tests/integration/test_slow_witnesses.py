"""Kill and rollback, by their verbs, beside witnesses that hang or refuse: what is reachable is commanded at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from console.__main__ import main
from console.gitops.mirror import Mirror
from console.procedures.kill import HAND_OVER_SECONDS
from console.store.spill import Spill
from console.venue.demo import DemoVenue
from console.verbs import change, kill
from tests.integration.test_kill import Scene, scene, until

__all__ = ["scene"]


@contextmanager
def silent_git(scene: Scene) -> Iterator[None]:
    """The remote takes connections and never says a word; what this machine fetched before is known."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"git://127.0.0.1:{server.getsockname()[1]}/heron.git"
        config = scene.world.folder / "alice.yaml"
        settings = json.loads(config.read_text())
        settings["repository"]["remote"] = url
        config.write_text(json.dumps(settings))
        cache = scene.world.folder / "cache"
        mirror = Mirror(url, "main", cache, name="alice")
        shutil.copytree(Mirror(scene.world.remote.as_uri(), "main", cache, name="alice").folder, mirror.folder)
        subprocess.run(["git", "-C", str(mirror.folder), "config", "remote.origin.url", url], check=True)
        yield


@contextmanager
def refused_git(scene: Scene) -> Iterator[None]:
    scene.lose("git")
    yield


@contextmanager
def refused_venue(scene: Scene) -> Iterator[None]:
    """Nobody listens at the venue's address any more."""
    scene.process.terminate()
    scene.process.wait(10)
    yield


@contextmanager
def locked_ledger(scene: Scene) -> Iterator[None]:
    """Another process writes to the ledger and does not come to an end; it can be read."""
    with closing(sqlite3.connect(scene.world.folder / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


Losing = Callable[[Scene], Any]
PAIRS: dict[str, tuple[Losing, Losing]] = {
    "git-hangs-venue-refuses": (silent_git, refused_venue),
    "ledger-hangs-venue-refuses": (locked_ledger, refused_venue),
    "ledger-hangs-git-refuses": (locked_ledger, refused_git),
}


def away(pair: str, part: str) -> bool:
    return part in pair.split("-")


def end(pid: int) -> None:
    """End the worker that this test started; it would go on for minutes."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_kill_commands_what_is_reachable_and_names_the_rest(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, pair: str
) -> None:
    monkeypatch.setattr(kill, "FOLLOW", 3.0 if away(pair, "git") else 20.0)
    with ExitStack() as lost:
        for lose in PAIRS[pair]:
            lost.enter_context(lose(scene))
        code, told, _ = scene.kill()
        try:
            assert told["handedOverSeconds"] <= HAND_OVER_SECONDS
            assert {one["witness"] for one in told["witnesses"]} >= {"ledger", "venue block", "venue cancel"}
            venue = {"venue block", "venue cancel", "venue read"} if away(pair, "venue") else set()
            parts = {part for part in ("ledger", "git") if away(pair, part)}
            assert (code, set(told["unverified"])) == (2, venue | parts)
            assert told["spilled"] == away(pair, "ledger")
            if not away(pair, "venue"):
                assert DemoVenue(scene.broker).read().blocked
            if not away(pair, "git"):
                assert scene.says_killed()
        finally:
            end(told["process"])


@pytest.mark.parametrize("pair", PAIRS)
def test_a_rollback_is_handed_over_at_once_and_names_what_it_could_not_verify(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, pair: str
) -> None:
    started: list[change.Started] = []
    start = change.start_rollback

    def kept(*arguments: Any) -> change.Started:
        started.append(start(*arguments))
        return started[-1]

    monkeypatch.setattr(change, "start_rollback", kept)
    monkeypatch.setattr(change, "FOLLOW", timedelta(seconds=3 if away(pair, "git") else 20))
    with ExitStack() as lost:
        for lose in PAIRS[pair]:
            lost.enter_context(lose(scene))
        scene.capsys.readouterr()
        config = str(scene.world.folder / "alice.yaml")
        code = main(["rollback", "--confirm", "ROLLBACK L0", "--json", "--config", config])
        said = scene.capsys.readouterr()
        process = re.search(r"process (\d+)", started[0].note)
        assert process is not None
        try:
            assert 0 < started[0].handed <= HAND_OVER_SECONDS
            assert code == 2
            if away(pair, "git"):
                assert "not verified: Git" in said.err  # and the ledger, where its worker had to spill by then
            else:
                told = json.loads(said.out)
                assert (told["outcome"], told["unverified"]) == ("pushed", ["ledger", "venue"])
            if away(pair, "ledger"):
                until(Spill(scene.world.folder / "state" / "ledger.db.spill").waiting)
        finally:
            end(int(process[1]))
