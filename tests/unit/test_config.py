"""Configuration: found in order, overridden by the environment, refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.config import load, search_path
from stages.refusal import Trouble


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rampdeck.yaml").write_text(
        "repository: {remote: 'file:///srv/repo.git'}\n"
        "policy: apps/heron/ramp.yaml\n"
        "ledger: sqlite:///state/heron.db\n"
        "identity: {name: alice, key: keys/alice}\n"
    )
    return tmp_path


def test_paths_are_relative_to_the_file(folder: Path) -> None:
    settings = load(folder / "rampdeck.yaml", {})
    assert settings.ledger == f"sqlite:///{folder}/state/heron.db"
    assert settings.identity
    assert settings.identity.key == folder / "keys/alice"


def test_the_environment_overrides_the_file(folder: Path) -> None:
    settings = load(folder / "rampdeck.yaml", {"RAMPDECK_LEDGER": "postgresql+psycopg://db/heron"})
    assert settings.ledger == "postgresql+psycopg://db/heron"


def test_the_file_may_be_named_by_the_environment(folder: Path) -> None:
    assert load(None, {"RAMPDECK_CONFIG": str(folder / "rampdeck.yaml")}).policy == "apps/heron/ramp.yaml"


def test_a_bastion_without_a_home_looks_in_etc() -> None:
    assert Path("/etc/rampdeck/rampdeck.yaml") in search_path({})


def test_nothing_found_is_no_error_until_something_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(None, {"HOME": str(tmp_path)})
    with pytest.raises(Trouble, match="'repository' is not configured") as trouble:
        settings.need("repository")
    assert "add repository" in trouble.value.line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("repositry: {remote: x}\n", "repositry"),
        ("repository: {remote: x, advance: yolo}\n", "advance"),
        ("repository: [\n", "YAML"),
        ("- a\n", "no mapping"),
        ("notify: {command: []}\n", "notify.command"),
        ("market: {anchor: 2026-11-24T10:00:00Z, start: 2026-11-24T10:00:00Z, speed: 0}\n", "market.speed"),
    ],
)
def test_bad_input_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text(text)
    with pytest.raises(Trouble) as trouble:
        load(path, {})
    assert says in trouble.value.line
    assert str(path) in trouble.value.line
    assert "\n" not in trouble.value.line


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot be read"):
        load(tmp_path / "no.yaml", {})
