"""``rampdeck demo`` on bad words and in bad places: one line, exit code 2, and no process left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.pty.places import commits, entries, no_process_left, of_kind, processes, until, verb
from tests.pty.terminal import Terminal, program, surroundings

pytestmark = pytest.mark.xdist_group("demo")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenario", "clam"], "there is no scenario 'clam'; use one of calm, "),
        (["--headless", "--until", "0"], "'0' is not a number of seconds above 0"),
        (["--headless", "--until", "soon"], "'soon' is not a number of seconds above 0"),
        (["--speed", "-1"], "'-1' is not a speed above 0"),
        (["--sped", "1"], "unrecognized arguments: --sped 1"),
        ([], "the demo's console needs a terminal; add --headless"),
    ],
)
def test_bad_words_are_answered_in_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    folder = tmp_path / "demo"
    done = verb("demo", "--dir", str(folder), *words)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("rampdeck: ")
    assert said in line
    no_process_left(folder)


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = verb("demo", "--headless", "--dir", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == f"rampdeck: {tmp_path}: the folder is not empty; name a new one\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = verb("demo", "--headless", "--dir", str(tmp_path / "file"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"rampdeck: {tmp_path / 'file'}: the folder cannot be used: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.timeout(120)
def test_nothing_outlives_a_killed_demo(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demo = subprocess.Popen(
        [*program(), "demo", "--headless", "--scenario", "calm", "--until", "300", "--dir", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=surroundings(),
    )
    try:
        until(lambda: of_kind(entries(folder), "burn-in"), 60, what="the watch at work")
        assert len(processes(folder)) >= 5, "the demo with its watch, two venues and two GitOps loops"
    finally:
        os.kill(demo.pid, signal.SIGKILL)
        demo.wait()
    no_process_left(folder, 30)


@pytest.mark.pty
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_without_an_approver_a_request_waits_for_its_approver(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with Terminal(["demo", "--scenario", "calm", "--no-approver", "--dir", str(folder)]) as terminal:
        terminal.sees("MAY ADVANCE", seconds=90)
        terminal.press("p")
        terminal.sees("DRY RUN", "every other byte is unchanged")
        terminal.press("y")
        terminal.until(lambda: list((folder / "inbox").glob("request-*.json")), what="a request")
        (request,) = (folder / "inbox").glob("request-*.json")
        approved = verb("--json", "--config", str(folder / "rampdeck-demo-bob.yaml"), "approve", str(request))
        assert approved.returncode == 0, approved.stderr
        answer = json.loads(approved.stdout)
        assert (answer["approver"], answer["answer"]) == ("demo-bob", "approve")
        assert Path(answer["inbox"]).parent == folder / "inbox"
        terminal.sees("demo-bob", "YOU MAY APPLY")
        assert len(commits(folder)) == 1
