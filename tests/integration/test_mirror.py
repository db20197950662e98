"""The mirror against real bare remotes: a moving one, a rejecting one, a slow one, and none at all."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from console.gitops.mirror import Mirror
from stages.refusal import Trouble

FILE = "apps/heron/limits.yaml"


def git(*arguments: str, cwd: Path | None = None) -> str:
    """Git as a colleague elsewhere would use it."""
    person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
              for what, value in (("NAME", "Carol"), ("EMAIL", "carol@example.com"))}  # fmt: skip
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env={**os.environ, **person}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A bare remote with one commit on main."""
    bare, work = tmp_path / "remote.git", tmp_path / "work"
    git("init", "--bare", "--initial-branch=main", str(bare))
    git("clone", "--quiet", str(bare), str(work))
    git("checkout", "-q", "-b", "main", cwd=work)
    path = work / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b'gross: "5000"\r\n# \xc3\xa9\n')
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    (work / "link.yaml").symlink_to(FILE)
    git("add", ".", cwd=work)
    git("commit", "-qm", "begin", cwd=work)
    git("push", "-q", "origin", "main", cwd=work)
    return bare


def elsewhere(remote: Path, name: str, content: str, message: str = "elsewhere") -> str:
    """Somebody else's commit on main; its sha."""
    work = remote.parent / "work"
    git("pull", "-q", "origin", "main", cwd=work)
    (work / name).write_text(content)
    git("add", ".", cwd=work)
    git("commit", "-qm", message, cwd=work)
    git("push", "-q", "origin", "main", cwd=work)
    return git("rev-parse", "HEAD", cwd=work)


@pytest.fixture
def mirror(remote: Path, tmp_path: Path) -> Mirror:
    return Mirror(remote.as_uri(), "main", tmp_path / "cache", name="alice")


def hook(remote: Path, name: str, script: str) -> None:
    path = remote / "hooks" / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)


def test_an_absent_remote_is_one_line(tmp_path: Path) -> None:
    mirror = Mirror(str(tmp_path / "nowhere.git"), "main", tmp_path / "cache")
    with pytest.raises(Trouble, match=r"nowhere\.git.*cannot be read"):
        mirror.fetch()
    assert mirror.known_head() is None
    assert mirror.contains("0" * 40) is None


def test_a_missing_branch_is_named(remote: Path, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="prod"):
        Mirror(str(remote), "prod", tmp_path / "cache").fetch()


def test_an_unwritable_cache_is_one_line(remote: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands here")
    with pytest.raises(Trouble, match="cache folder cannot be written"):
        Mirror(str(remote), "main", tmp_path / "cache").fetch()


def test_a_password_in_the_address_is_never_shown(tmp_path: Path) -> None:
    mirror = Mirror("https://alice:hunter2@127.0.0.1:9/x.git", "main", tmp_path / "cache", timeout=5)
    with pytest.raises(Trouble) as told:
        mirror.fetch()
    assert "hunter2" not in told.value.line


def test_bytes_come_back_as_they_are(mirror: Mirror) -> None:
    head = mirror.fetch()
    content = mirror.read(head, FILE)
    assert content == b'gross: "5000"\r\n# \xc3\xa9\n'
    assert mirror.blob(head, FILE) == mirror.blob_id(content)
    assert mirror.read(head, "apps/heron") is None
    assert mirror.read(head, "nothing.yaml") is None
    with pytest.raises(Trouble, match="symbolic link"):
        mirror.read(head, "link.yaml")


def test_a_commit_publishes_nothing_and_changes_only_its_files(mirror: Mirror, remote: Path) -> None:
    head = mirror.fetch()
    trailers = [("Rampdeck-Plan", "p1"), ("Rampdeck-Epoch", "4")]
    sha = mirror.commit(head, {FILE: b"gross: 1\n", "run.sh": b"#!/bin/sh\nexit\n"}, "Raise\n\nWhy.", trailers)
    assert git("rev-parse", "main", cwd=remote) == head
    info = mirror.info(sha)
    assert (info.author, info.email) == ("alice", "alice@localhost")
    assert dict(info.trailers) == {"Rampdeck-Plan": "p1", "Rampdeck-Epoch": "4"}
    assert set(info.paths) == {FILE, "run.sh"}
    assert mirror.push(sha, head).outcome == "pushed"
    assert git("ls-tree", "main", "run.sh", cwd=remote).startswith("100755")
    assert mirror.contains(sha) is True
    assert mirror.push(sha, head).outcome in ("pushed", "moved")
    assert [each.sha for each in mirror.log(head, sha)] == [sha]


def test_a_remote_that_moved_is_not_overwritten(mirror: Mirror, remote: Path) -> None:
    head = mirror.fetch()
    sha = mirror.commit(head, {FILE: b"gross: 1\n"}, "Raise", [])
    theirs = elsewhere(remote, "note.txt", "hello")
    assert mirror.push(sha, head).outcome == "moved"
    assert git("rev-parse", "main", cwd=remote) == theirs
    assert mirror.contains(sha) is False
    with pytest.raises(Trouble, match="does not follow"):
        mirror.push(sha, mirror.fetch())


def test_a_remote_set_back_is_not_filled_up_again(mirror: Mirror, remote: Path) -> None:
    first = mirror.fetch()
    elsewhere(remote, "note.txt", "hello")
    head = mirror.fetch()
    sha = mirror.commit(head, {FILE: b"gross: 1\n"}, "Raise", [])
    git("update-ref", "refs/heads/main", first, cwd=remote)
    assert mirror.push(sha, head).outcome == "moved"
    assert git("rev-parse", "main", cwd=remote) == first


def test_a_lock_that_a_dead_push_left_is_named_and_is_no_moved_branch(mirror: Mirror, remote: Path) -> None:
    head = mirror.fetch()
    sha = mirror.commit(head, {FILE: b"gross: 1\n"}, "Raise", [])
    (remote / "refs/heads/main.lock").touch()
    answer = mirror.push(sha, head)
    assert (answer.outcome, answer.locked) == ("rejected", True)
    assert "main is locked on the remote; if nobody pushes there, remove refs/heads/main.lock" in answer.message
    (remote / "refs/heads/main.lock").unlink()
    assert mirror.push(sha, head).outcome == "pushed"


def test_a_history_that_cannot_be_read_is_not_an_answer(mirror: Mirror, remote: Path) -> None:
    first = mirror.fetch()
    elsewhere(remote, "note.txt", "hello")
    middle = mirror.fetch()
    elsewhere(remote, "note.txt", "again")
    head = mirror.fetch()
    assert mirror.contains(first) is True
    assert mirror.contains("0" * 39 + "1") is False, "a commit of which nobody here ever heard"
    for sha in (middle, head):
        for loose in mirror.folder.glob(f"objects/{sha[:2]}/{sha[2:]}"):
            loose.chmod(0o600)
            loose.write_bytes(b"broken")
    assert mirror.contains(first) is None


def test_a_hook_that_rejects_is_quoted_in_one_line(mirror: Mirror, remote: Path) -> None:
    hook(remote, "pre-receive", "echo 'policy: change\twindow is closed' >&2; echo 'ask bob' >&2; exit 1\n")
    head = mirror.fetch()
    said = mirror.push(mirror.commit(head, {FILE: b"x\n"}, "Raise", []), head)
    assert said.outcome == "rejected"
    assert "change window is closed ask bob" in said.message
    assert "\n" not in said.message


def test_a_push_that_takes_too_long_is_unknown_until_the_remote_tells(remote: Path, tmp_path: Path) -> None:
    mirror = Mirror(str(remote), "main", tmp_path / "cache", timeout=2)
    head = mirror.fetch()
    sha = mirror.commit(head, {FILE: b"x\n"}, "Raise", [])
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    hook(remote, "pre-receive", f"read line < {gate}\n")
    assert mirror.push(sha, head).outcome == "unknown"
    assert git("rev-parse", "main", cwd=remote) == head


def test_a_push_whose_answer_is_lost_is_found_at_the_remote(remote: Path, tmp_path: Path) -> None:
    mirror = Mirror(str(remote), "main", tmp_path / "cache", timeout=2)
    head = mirror.fetch()
    sha = mirror.commit(head, {FILE: b"x\n"}, "Raise", [])
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    hook(remote, "post-receive", f"read line < {gate}\n")
    assert mirror.push(sha, head).outcome == "pushed"


def test_a_changed_history_is_followed(mirror: Mirror, remote: Path) -> None:
    first = mirror.fetch()
    lost = elsewhere(remote, "note.txt", "hello")
    assert mirror.fetch() == lost
    git("update-ref", "refs/heads/main", first, cwd=remote)
    assert mirror.fetch() == first


def test_log_names_authors_trailers_and_odd_paths(mirror: Mirror, remote: Path) -> None:
    head = mirror.fetch()
    one = elsewhere(remote, "späte notiz.txt", "1", "One")
    two = elsewhere(remote, "b.txt", "2", "Two\n\nBody: text\n\nRampdeck-Epoch: 7\nRampdeck-Plan: aa")
    commits = mirror.log(head, mirror.fetch())
    assert [(each.sha, each.author, each.subject) for each in commits] == [(one, "Carol", "One"), (two, "Carol", "Two")]
    assert commits[0].paths == ("späte notiz.txt",)
    assert commits[1].trailers == {"Rampdeck-Epoch": "7", "Rampdeck-Plan": "aa"}
    assert commits[0].at.tzinfo is not None


def test_threads_and_mirrors_share_one_cache(remote: Path, tmp_path: Path) -> None:
    mirrors = [Mirror(str(remote), "main", tmp_path / "cache") for _ in range(3)]
    heads: list[str] = []
    threads = [
        threading.Thread(target=lambda m=m: heads.extend(m.fetch() for _ in range(3))) for m in mirrors for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(heads) == 18
    assert len(set(heads)) == 1


def test_only_one_of_two_racing_pushes_lands(remote: Path, tmp_path: Path) -> None:
    mirrors = [Mirror(str(remote), "main", tmp_path / f"cache{n}") for n in range(2)]
    head = mirrors[0].fetch()
    assert mirrors[1].fetch() == head
    shas = [each.commit(head, {FILE: b"%d\n" % n}, f"Race {n}", []) for n, each in enumerate(mirrors)]
    outcomes: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: outcomes.append(mirrors[n].push(shas[n], head).outcome)) for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["moved", "pushed"]


def test_signed_when_git_says_so_and_never_waiting_for_a_key_when_told(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[user]\nname = Bob\nsigningkey = {key}\n[gpg]\nformat = ssh\n[commit]\ngpgsign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    head = mirror.fetch()
    signed = mirror.commit(head, {FILE: b"x\n"}, "Raise", [])
    assert mirror.info(signed).author == "Bob"
    assert "gpgsig" in git("cat-file", "commit", signed, cwd=mirror.folder)
    key.unlink()
    with pytest.raises(Trouble, match="signing key"):
        mirror.commit(head, {FILE: b"y\n"}, "Raise", [])
    assert mirror.commit(head, {FILE: b"y\n"}, "Lower", [], signed=False)
