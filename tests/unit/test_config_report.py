"""The configuration told back: who says each value, every problem at once, and no secret anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.__main__ import main
from console.config_report import problems, without_secrets

SECRETS = ("hunter2", "s3cret", "topsecret", "querysecret")
TEXT = """\
repository: {remote: "https://bob:hunter2@git.example/x.git"}
policy: apps/heron/ramp.yaml
ledger: postgresql+psycopg://ramp:s3cret@db/ramp?sslpassword=querysecret
prometheus:
  url: http://127.0.0.1:9090
  headers: {X-Key: topsecret}
  tokenFrom: {command: [vault, topsecret]}
databases: {main: "postgresql+psycopg://u:s3cret@h/db"}
notify: {command: [page, topsecret]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rampdeck.yaml"
    path.write_text(TEXT)
    return path


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, str]]:
    assert main(["config", "show", "--json", *words]) == 0
    return {row["key"]: row for row in json.loads(capsys.readouterr().out)["settings"]}


def test_each_value_says_where_it_came_from(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAMPDECK_BRANCH", "release")
    rows = shown(capsys, "--config", str(file), "--read-only")
    assert rows["prometheus.url"]["origin"] == f"{file}:5"
    assert rows["repository.branch"] | {} == {
        "key": "repository.branch", "value": "release", "origin": "environment RAMPDECK_BRANCH",
    }  # fmt: skip
    assert rows["repository.advance"]["origin"] == "default"
    assert rows["readOnly"]["origin"] == "option --read-only"
    assert rows["roster"]["value"] == "apps/heron"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_is_printed(file: Path, capsys: pytest.CaptureFixture[str], form: list[str]) -> None:
    assert main(["config", "show", "--config", str(file), *form]) == 0
    said = capsys.readouterr()
    assert [secret for secret in SECRETS if secret in said.out + said.err] == []
    assert "vault ***" in said.out


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("git@host:org/repo.git", "git@host:org/repo.git"),
        ("ssh://git@host/repo.git", "ssh://git@host/repo.git"),
        ("https://token@host/repo.git", "https://***@host/repo.git"),
        ("sqlite:////srv/ledger.db", "sqlite:////srv/ledger.db"),
        ("https://host/x?key=1", "https://host/x?***"),
        ("https://[bad/x", "***"),
    ],
)
def test_an_address_is_shown_without_what_lets_one_in(address: str, plain: str) -> None:
    assert without_secrets(address) == plain


def test_all_problems_come_at_once_each_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text("repositry: {}\nvenue: {kind: dem, url: x}\nledger: 7\n")
    assert main(["config", "check", "--config", str(path)]) == 2
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:1: 'repositry' is not a key of the configuration; did you mean 'repository'?",
        f"{path}:2: venue.kind: input should be 'demo'; did you mean 'demo'?",
        f"{path}:3: ledger: input should be a valid string",
    ]


def test_addresses_and_files_are_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text("ledger: mysql://h/d\nendpoints: {app: 'host:80'}\nidentity: {name: a, key: none}\npolicy: /x\n")
    found = problems(path, {"RAMPDECK_LEGDER": "x"})
    *of_the_file, of_the_environment = found
    assert [line.split(": ")[1] for line in of_the_file] == ["ledger", "endpoints.app", "identity.key", "policy"]
    assert "did you mean RAMPDECK_LEDGER?" in of_the_environment


def test_one_wrong_key_hides_no_wrong_address_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text("ledgr: x\nendpoints: {app: 'host:80'}\nidentity: {name: 7}\nkeys: {plan: [q, q]}\npolicy: /x\n")
    found = [line.removeprefix(f"{path}:").partition(" ")[0] for line in problems(path, {})]
    assert [where.split(":")[0] for where in found if where] == ["1", "3", "2", "4", "5"], problems(path, {})


def test_a_word_of_the_environment_in_a_place_that_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text("identity: alice\n")
    [line] = problems(path, {"RAMPDECK_KEY": "id"})
    assert line.startswith(f"{path}:1: identity:")
    assert problems(None, {"RAMPDECK_BRANCH": "x"}) == [
        "environment: repository lacks 'remote'; add 'remote'",
    ]


def test_nothing_configured_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["config", "check", "--json"]) == 2
    [line] = json.loads(capsys.readouterr().out)["problems"]
    assert "/etc/rampdeck/rampdeck.yaml" in line


def test_a_good_file_is_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rampdeck.yaml"
    path.write_text(TEXT)
    assert main(["config", "check", "--config", str(path)]) == 0
    assert capsys.readouterr().out == f"OK: {path}\n"
