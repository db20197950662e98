"""A Git remote behind a real sshd: what works by a person's own keys, and what is said when it does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.gitops.mirror import Mirror
from stages.refusal import Trouble
from tests.integration.actuation import git
from tests.integration.sshd import Sshd, running_sshd

FILE = "apps/heron/limits.yaml"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    (work / "apps/heron").mkdir(parents=True)
    (work / FILE).write_text("gross: 5000\n")
    git("init", "-q", "--initial-branch=main", cwd=work)
    git("add", ".", cwd=work)
    git("commit", "-qm", "Begin", cwd=work)
    git("clone", "-q", "--bare", str(work), str(tmp_path / "remote.git"), cwd=tmp_path)
    return tmp_path / "remote.git"


def test_it_reads_commits_and_pushes(sshd: Sshd, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", sshd.command())
    mirror = Mirror(sshd.url(remote), "main", tmp_path / "cache")
    head = mirror.fetch()
    assert mirror.read(head, FILE) == b"gross: 5000\n"
    assert mirror.may_push().outcome == "pushed"
    sha = mirror.commit(head, {FILE: b"gross: 1\n"}, "Lower", [])
    assert mirror.push(sha, head).outcome == "pushed"
    assert git("show", f"main:{FILE}", cwd=remote) == "gross: 1"
    assert mirror.propose(mirror.commit(sha, {FILE: b"gross: 2\n"}, "Raise", []), "rampdeck/ab").outcome == "pushed"
    assert mirror.push(mirror.commit(head, {FILE: b"gross: 3\n"}, "Late", []), head).outcome == "moved"


def test_a_hook_that_refuses_is_heard_through_ssh(
    sshd: Sshd, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'changes go through review' >&2\nexit 1\n")
    hook.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", sshd.command())
    mirror = Mirror(sshd.url(remote), "main", tmp_path / "cache")
    head = mirror.fetch()
    pushed = mirror.push(mirror.commit(head, {FILE: b"gross: 1\n"}, "Lower", []), head)
    assert (pushed.outcome, "changes go through review" in pushed.message) == ("rejected", True)


def refused(mirror: Mirror) -> str:
    with pytest.raises(Trouble) as trouble:
        mirror.fetch()
    assert "\n" not in trouble.value.line
    return trouble.value.line


def test_a_key_that_may_not_enter_is_one_clear_line(
    sshd: Sshd, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", sshd.command(key=sshd.stranger))
    said = refused(Mirror(sshd.url(remote), "main", tmp_path / "cache"))
    assert "Permission denied (publickey)" in said


def test_a_host_that_nobody_knows_is_not_trusted(
    sshd: Sshd, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", sshd.command(known_hosts=tmp_path / "nobody"))
    said = refused(Mirror(sshd.url(remote), "main", tmp_path / "cache"))
    assert "Host key verification failed" in said


def test_a_host_that_says_nothing_is_given_up(
    sshd: Sshd, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", sshd.command())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = sshd.url(remote).replace(f":{sshd.port}/", f":{silent.getsockname()[1]}/")
        mirror = Mirror(url, "main", tmp_path / "cache", timeout=2)
        monkeypatch.setattr("console.gitops.mirror.FIRST_SECONDS", 2.0)
        assert "it took too long" in refused(mirror)
