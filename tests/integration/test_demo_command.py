"""``rampdeck demo`` on bad words and in bad places: one line, exit code 2, and no process left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pty.places import no_process_left, verb

pytestmark = pytest.mark.xdist_group("demo")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenario", "clam"], "there is no scenario 'clam'; use one of calm, risk-breach"),
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
