"""The mirror's housekeeping: many small fetches end in few packs, and no push loses anything to it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from console.gitops import housekeeping
from console.gitops.lock import held
from console.gitops.mirror import Mirror
from tests.integration.actuation import git

FILE = "limits.yaml"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    git("init", "-q", "--initial-branch=main", cwd=folder)
    (folder / FILE).write_text("gross: 0\n")
    git("add", ".", cwd=folder)
    git("commit", "-qm", "Begin", cwd=folder)
    git("clone", "-q", "--bare", str(folder), str(tmp_path / "remote.git"), cwd=tmp_path)
    return tmp_path / "remote.git"


def counted(mirror: Mirror) -> dict[str, int]:
    lines = git("count-objects", "-v", cwd=mirror.folder).splitlines()
    return {name: int(value) for name, value in (line.split(": ") for line in lines)}


def change(mirror: Mirror, head: str, value: int) -> str:
    return mirror.commit(head, {FILE: f"gross: {value}\n".encode()}, "Change", [])


def grown(remote: Path, tmp_path: Path, commits: int = 12) -> Mirror:
    """A mirror with loose objects of so many pushed commits."""
    mirror = Mirror(remote.as_uri(), "main", tmp_path / "cache")
    head = mirror.fetch()
    for value in range(commits):
        sha = change(mirror, head, value)
        assert mirror.push(sha, head).outcome == "pushed"
        head = mirror.fetch()
    return mirror


def test_a_mirror_in_order_is_left_alone(remote: Path, tmp_path: Path) -> None:
    mirror = grown(remote, tmp_path, 2)
    before = counted(mirror)
    assert not mirror.tidy()
    assert counted(mirror) == before


def test_loose_objects_become_a_pack_and_what_was_not_pushed_yet_stays(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = grown(remote, tmp_path)
    head = mirror.fetch()
    waiting = change(mirror, head, 99)
    monkeypatch.setattr(housekeeping, "LOOSE", 10)
    assert mirror.tidy()
    assert counted(mirror)["count"] == 0
    assert mirror.push(waiting, head).outcome == "pushed"
    assert mirror.read(mirror.fetch(), FILE) == b"gross: 99\n"


def test_it_packs_while_another_pushes(remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = grown(remote, tmp_path, 4)
    monkeypatch.setattr(housekeeping, "LOOSE", 1)
    over, tidied = threading.Event(), []

    def tidy() -> None:
        while not over.is_set():
            tidied.append(mirror.tidy())

    worker = threading.Thread(target=tidy)
    worker.start()
    try:
        head = mirror.fetch()
        for value in range(12):
            sha = change(mirror, head, 100 + value)
            assert mirror.push(sha, head).outcome == "pushed"
            head = mirror.fetch()
            assert mirror.read(head, FILE) == f"gross: {100 + value}\n".encode()
    finally:
        over.set()
        worker.join(60)
    assert True in tidied
    git("fsck", "--connectivity-only", cwd=mirror.folder)


def test_one_at_a_time_and_nobody_waits(remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = grown(remote, tmp_path, 2)
    monkeypatch.setattr(housekeeping, "LOOSE", 1)
    with held(mirror.folder.with_suffix(".tidying")):
        assert not mirror.tidy()
    assert mirror.tidy()


def test_it_looks_by_itself_every_so_many_fetches(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "LOOSE", 1)
    monkeypatch.setattr(housekeeping, "EVERY", 3)
    mirror = Mirror(remote.as_uri(), "main", tmp_path / "cache")
    assert mirror.push(change(mirror, mirror.fetch(), 1), mirror.fetch()).outcome == "pushed"
    loose = counted(mirror)["count"]
    mirror.fetch()
    for _ in range(400):
        if counted(mirror)["count"] < loose:
            break
        threading.Event().wait(0.05)
    assert counted(mirror)["count"] < loose
