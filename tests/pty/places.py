"""What a test can learn of a demo's folder from outside: its ledger, its remote, its processes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.pty.terminal import program, surroundings

Entry = dict[str, Any]


def until(true: Callable[[], object], seconds: float = 60, *, what: str = "") -> None:
    """Waits for a condition, and fails when it does not come."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"not in {seconds:g} s: {what or true}"
        pause.wait(0.02)


def verb(*words: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs a verb of the installed program without a terminal."""
    return subprocess.run(
        [*program(), *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        env=surroundings(),
    )


def entries(folder: Path) -> list[Entry]:
    """The ledger's entries, read from its file as another program would; none before there is a ledger."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True)) as ledger:
            return [json.loads(row[0]) for row in ledger.execute("SELECT entry FROM entry ORDER BY seq")]
    except sqlite3.OperationalError:
        return []


def kinds(folder: Path) -> list[str]:
    """The kinds of the entries, oldest first."""
    return [entry["kind"] for entry in entries(folder)]


def git(folder: Path, *words: str) -> str:
    """Asks the remote's Git."""
    remote = str(folder / "remote.git")
    return subprocess.run(["git", "--git-dir", remote, *words], capture_output=True, text=True, check=True).stdout


def commits(folder: Path) -> list[str]:
    """The remote's branch, oldest first."""
    return git(folder, "rev-list", "--reverse", "main").split()


def message(folder: Path, commit: str) -> str:
    return git(folder, "log", "-1", "--format=%B", commit)


def tree(folder: Path, commit: str) -> str:
    """Everything under ``apps/`` by mode, blob and name: equal text is equal bytes."""
    return git(folder, "ls-tree", "-r", commit, "apps/")


def processes(folder: Path) -> dict[int, str]:
    """Living processes whose command line names the folder."""
    found = {}
    for place in Path("/proc").iterdir():
        if not place.name.isdigit() or int(place.name) == os.getpid():
            continue
        try:
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (place / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if str(folder) in words and state not in "ZX":
            found[int(place.name)] = words
    return found


def no_process_left(folder: Path, seconds: float = 60) -> None:
    """Waits until nothing runs for the folder any more."""
    try:
        until(lambda: not processes(folder), seconds)
    except AssertionError:
        raise AssertionError(f"still there: {processes(folder)}") from None


def advance(folder: Path, stage: str) -> None:
    """Plans, approves and applies a stage by the verbs, with the keys of the demo's people."""
    config, plan = str(folder / "rampdeck.yaml"), folder / f"plan-{stage}.json"
    planned = verb("--json", "--config", config, "plan", "--to", stage, "-o", str(plan))
    assert planned.returncode == 0, planned.stdout + planned.stderr
    phrase = json.loads(plan.read_text())["confirmationToken"]
    approved = verb("--config", str(folder / "rampdeck-demo-bob.yaml"), "approve", str(plan))
    assert approved.returncode == 0, approved.stderr
    applied = verb("--config", config, "apply", str(plan), "--approval", approved.stdout.strip(), "--confirm", phrase)
    assert applied.returncode == 0, applied.stdout + applied.stderr


def verified(folder: Path) -> bool:
    """Whether ``ledger verify`` says yes."""
    return verb("--config", str(folder / "rampdeck.yaml"), "ledger", "verify").returncode == 0


def of_kind(found: Sequence[Entry], *kinds: str) -> list[Entry]:
    return [entry for entry in found if entry["kind"] in kinds]
