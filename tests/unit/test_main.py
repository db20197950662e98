"""The program's door: verbs, help, and one line for every trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.__main__ import VERBS, main


def test_help_lists_every_verb_but_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb, (_, summary) in VERBS.items() if summary)
    assert "reduce-worker" not in text


def test_an_unknown_verb_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rolback"]) == 2
    assert "did you mean 'rollback'" in capsys.readouterr().err


def test_the_console_without_a_terminal_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "rampdeck: the console needs a terminal; use a verb such as 'rampdeck status' (--help lists them)\n"
    )


def test_a_missing_configuration_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["ledger", "list"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "'ledger' is not configured" in captured.err


def test_a_named_configuration_that_is_away_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", "/nonexistent/rampdeck.yaml", "ledger", "list"]) == 2
    assert "cannot be read" in capsys.readouterr().err
