"""The mirror over every way to a remote, from every kind of checkout, and with what repositories hold besides files."""

from __future__ import annotations

import hashlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from console.gitops.mirror import Mirror
from console.gitops.ssh import ssh_command
from stages.refusal import Trouble
from tests.integration.actuation import ROOT, git
from tests.integration.remotes import over_git, over_http

FILE = "apps/heron/limits.yaml"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A colleague's checkout with a submodule, a pointer of Git LFS, a program and a link."""
    folder = tmp_path / "work"
    (folder / "apps/heron").mkdir(parents=True)
    (folder / FILE).write_text("gross: 5000\n")
    (folder / "apps/heron/model.bin").write_text(POINTER)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "linked").symlink_to("apps")
    git("init", "-q", "--initial-branch=main", cwd=folder)
    git("add", ".", cwd=folder)
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/shared", cwd=folder)
    git("commit", "-qm", "Begin", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "Second", cwd=folder)
    return folder


@pytest.fixture
def remote(work: Path, tmp_path: Path) -> Path:
    bare = tmp_path / "remote.git"
    git("clone", "-q", "--bare", str(work), str(bare), cwd=tmp_path)
    git("config", "http.receivepack", "true", cwd=bare)
    git("config", "uploadpack.allowFilter", "true", cwd=bare)
    git("remote", "add", "origin", bare.as_uri(), cwd=work)
    return bare


def change(mirror: Mirror, content: bytes = b"gross: 1\n") -> tuple[str, str]:
    """A commit that changes the one file; base and sha."""
    head = mirror.fetch()
    return head, mirror.commit(head, {FILE: content}, "Lower", [])


def tips(remote: Path) -> str:
    return git("for-each-ref", cwd=remote)


# -------------------------------------------------------------------------------------------------- ways to reach it


def carries(mirror: Mirror, remote: Path) -> None:
    """Reads, pushes, proposes and withdraws."""
    head, sha = change(mirror)
    assert mirror.read(head, FILE) == b"gross: 5000\n"
    assert mirror.push(sha, head).outcome == "pushed"
    assert git("show", f"main:{FILE}", cwd=remote) == "gross: 1"
    head, other = change(mirror, b"gross: 2\n")
    assert mirror.propose(other, "rampdeck/ab").outcome == "pushed"
    assert mirror.propose(other, "rampdeck/ab").outcome == "pushed"
    assert mirror.propose(head, "rampdeck/ab").outcome == "rejected"
    assert mirror.proposal("rampdeck/ab") == other
    assert mirror.withdraw("rampdeck/ab", other)
    assert mirror.proposal("rampdeck/ab") is None
    assert mirror.fetch() == head


def test_over_http(remote: Path, tmp_path: Path) -> None:
    with over_http(tmp_path) as url:
        carries(Mirror(f"{url}/remote.git", "main", tmp_path / "cache"), remote)


def test_over_the_git_protocol(remote: Path, tmp_path: Path) -> None:
    with over_git(tmp_path) as (host, port):
        carries(Mirror(f"git://{host}:{port}/remote.git", "main", tmp_path / "cache"), remote)


def test_a_server_that_asks_who_you_are_is_never_answered_by_a_prompt(remote: Path, tmp_path: Path) -> None:
    with over_http(tmp_path, realm="gitops") as url:
        mirror = Mirror(f"{url}/remote.git", "main", tmp_path / "cache")
        with pytest.raises(Trouble, match=r"cannot be read: .*(Username|Authentication)"):
            mirror.fetch()


def stand_in(tmp_path: Path) -> Path:
    """A program in ssh's place: it keeps what it was told and runs the command here."""
    program = tmp_path / "fakessh"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {shlex.quote(str(tmp_path / "told"))}\n'
        'if [ "$1" = -G ]; then exit 0; fi\nfor last; do :; done\neval "exec $last"\n'
    )
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("where", ["GIT_SSH_COMMAND", "GIT_SSH", "core.sshCommand"])
def test_over_ssh_by_the_persons_own_command(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    program = stand_in(tmp_path)
    if where == "core.sshCommand":
        settings = tmp_path / "gitconfig"
        settings.write_text(f"[core]\nsshCommand = {program} -i key\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    else:
        monkeypatch.setenv(where, f"{program} -i key" if where == "GIT_SSH_COMMAND" else str(program))
    carries(Mirror(f"ssh://git@host.example{remote}", "main", tmp_path / "cache"), remote)
    told = (tmp_path / "told").read_text()
    assert "BatchMode=yes" in told
    assert "git@host.example" in told
    assert ("-i key" in told) == (where != "GIT_SSH")


def test_the_ssh_command_is_chosen_as_git_chooses_it() -> None:
    nothing: dict[str, str] = {}
    settings = {"core.sshCommand": "/opt/plink.exe -agent"}
    assert ssh_command({}, nothing.get).startswith("ssh -oBatchMode=yes")
    assert ssh_command({}, settings.get) == "/opt/plink.exe -agent -batch"
    assert ssh_command({"GIT_SSH_COMMAND": "ssh -v"}, settings.get).startswith("ssh -v -oBatch")
    assert ssh_command({"GIT_SSH": "/a b/ssh"}, nothing.get).startswith("'/a b/ssh' -oBatch")
    assert ssh_command({"GIT_SSH_VARIANT": "simple", "GIT_SSH": "/x"}, nothing.get) == "/x"


# --------------------------------------------------------------------------------------------- the user's checkouts


def footprint(checkout: Path) -> dict[str, str]:
    """Every byte of a checkout, its index and its refs; objects that nothing names are no change."""
    return {
        str(path.relative_to(checkout)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(checkout.rglob("*"))
        if path.is_file() and not path.is_symlink() and "objects" not in path.parts
    }


def shallow(remote: Path, folder: Path) -> None:
    git("clone", "-q", "--depth=1", remote.as_uri(), str(folder), cwd=remote)


def sparse(remote: Path, folder: Path) -> None:
    git("clone", "-q", "--sparse", remote.as_uri(), str(folder), cwd=remote)
    git("sparse-checkout", "set", "apps", cwd=folder)


def partial(remote: Path, folder: Path) -> None:
    git("clone", "-q", "--filter=blob:none", remote.as_uri(), str(folder), cwd=remote)


def worktree(remote: Path, folder: Path) -> None:
    git("worktree", "add", "-q", str(folder), "-b", "own", cwd=remote.parent / "work")


@pytest.mark.parametrize("made", [shallow, sparse, partial, worktree])
def test_a_checkout_of_any_kind_can_be_the_remote_and_is_never_touched(
    remote: Path, tmp_path: Path, made: object
) -> None:
    mine = tmp_path / "mine"
    made(remote, mine)  # type: ignore[operator]
    branch = "own" if made is worktree else "main"
    (mine / FILE).write_text("gross: 9999  # not committed\n")
    (mine / "scratch.txt").write_text("mine\n")
    git("add", "scratch.txt", cwd=mine)
    before, refs = footprint(mine), git("for-each-ref", cwd=mine)
    mirror = Mirror(mine.as_uri(), branch, tmp_path / "cache")
    head = mirror.fetch()
    assert mirror.read(head, FILE) == b"gross: 5000\n"
    sha = mirror.commit(head, {FILE: b"gross: 1\n"}, "Lower", [])
    answer = mirror.push(sha, head)
    assert (answer.outcome, "checked out" in answer.message) == ("rejected", True)
    assert git("for-each-ref", cwd=mine) == refs
    assert footprint(mine) == before
    assert mirror.propose(sha, "rampdeck/ab").outcome == "pushed"
    assert git("show", f"rampdeck/ab:{FILE}", cwd=mine) == "gross: 1"
    assert {name: kept for name, kept in footprint(mine).items() if not name.startswith(".git/")} == {
        name: kept for name, kept in before.items() if not name.startswith(".git/")
    }


def test_started_inside_a_checkout_with_changes_it_touches_nothing(
    work: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / FILE).write_text("gross: 9999\n")
    git("add", ".", cwd=work)
    before = footprint(work)
    monkeypatch.chdir(work)
    for name, value in {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_WORK_TREE": "."}.items():
        monkeypatch.setenv(name, str(work / value))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(work / ".git/objects"))
    mirror = Mirror(remote.as_uri(), "main", tmp_path / "cache")
    head, sha = change(mirror)
    assert mirror.push(sha, head).outcome == "pushed"
    assert footprint(work) == before


# -------------------------------------------------------------------------------------- what else repositories hold


def test_submodules_pointers_links_and_modes_are_carried_over(remote: Path, tmp_path: Path) -> None:
    mirror = Mirror(remote.as_uri(), "main", tmp_path / "cache")
    before = git("ls-tree", "-r", "main", cwd=remote).splitlines()
    head = mirror.fetch()
    sha = mirror.commit(head, {FILE: b"gross: 1\n", "new/deep/file.yaml": b"a\n", "run.sh": b"exit\n"}, "Lower", [])
    assert mirror.push(sha, head).outcome == "pushed"
    after = git("ls-tree", "-r", "main", cwd=remote).splitlines()
    changed = {line.split("\t")[1]: line.split(" ")[0] for line in set(after) - set(before)}
    assert changed == {FILE: "100644", "new/deep/file.yaml": "100644", "run.sh": "100755"}
    assert {line.split("\t")[1] for line in set(before) - set(after)} == {FILE, "run.sh"}
    git("fsck", "--strict", "--connectivity-only", cwd=remote)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("apps/heron/model.bin", "is a Git LFS pointer"),
        ("vendor/shared/limits.yaml", r"vendor/shared at \w+: is a submodule"),
        ("linked/heron/limits.yaml", r"linked at \w+: is a symbolic link"),
    ],
)
def test_what_belongs_to_others_is_refused_by_name(remote: Path, tmp_path: Path, path: str, says: str) -> None:
    mirror = Mirror(remote.as_uri(), "main", tmp_path / "cache")
    head = mirror.fetch()
    with pytest.raises(Trouble, match=says):
        mirror.read(head, path)
    if "model.bin" not in path:
        with pytest.raises(Trouble, match=says):
            mirror.commit(head, {path: b"x\n"}, "Lower", [])


# ----------------------------------------------------------------------------------------------- persons, signatures


def test_author_and_committer_are_those_of_gits_configuration(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[user]\nname = Zoë\nemail = zoe@example.com\n[committer]\nname = Desk 4\nemail = desk@example.com\n"
        "[i18n]\ncommitEncoding = ISO-8859-1\n[core]\nhooksPath = /nowhere\n[push]\nrecurseSubmodules = check\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    mirror = Mirror(remote.as_uri(), "main", tmp_path / "cache")
    head, sha = change(mirror)
    assert mirror.push(sha, head).outcome == "pushed"
    said = git("-c", "i18n.logOutputEncoding=UTF-8", "log", "-1", "--format=%an <%ae> %cn <%ce>", "main", cwd=remote)
    assert said == "Zoë <zoe@example.com> Desk 4 <desk@example.com>"
    assert mirror.info(sha).author == "Zoë"


def test_a_signature_that_git_asks_for_holds(remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (tmp_path / "signers").write_text(f"bob@example.com {key.with_suffix('.pub').read_text()}")
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[user]\nname = Bob\nemail = bob@example.com\nsigningkey = {key}\n[commit]\ngpgsign = true\n"
        f'[gpg]\nformat = ssh\n[gpg "ssh"]\nallowedSignersFile = {tmp_path / "signers"}\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    mirror = Mirror(remote.as_uri(), "main", tmp_path / "cache")
    head, sha = change(mirror)
    assert mirror.push(sha, head).outcome == "pushed"
    done = subprocess.run(["git", "verify-commit", "main"], cwd=remote, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 'Good "git" signature for bob@example.com' in done.stderr


# ---------------------------------------------------------------------------------------- two processes, and crashes

FETCH = """
import sys
from pathlib import Path
from console.gitops.mirror import Mirror
print(Mirror(sys.argv[1], "main", Path(sys.argv[2])).fetch())
"""


def fetching(url: str, cache: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, url, str(cache)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_make_and_fetch_one_mirror(remote: Path, tmp_path: Path) -> None:
    both = [fetching(remote.as_uri(), tmp_path / "cache") for _ in range(2)]
    said = [one.communicate(timeout=100) for one in both]
    assert [out.strip() for out, _ in said] == [git("rev-parse", "main", cwd=remote)] * 2, said
    assert len(list((tmp_path / "cache").glob("*.git"))) == 1


def test_a_fetch_that_is_killed_in_the_middle_hinders_nobody(
    work: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, begun = tmp_path / "cache", tmp_path / "begun"
    url = f"ssh://git@host.example{remote}"
    monkeypatch.setenv("GIT_SSH_COMMAND", str(stand_in(tmp_path)))
    mirror = Mirror(url, "main", cache)
    first = mirror.fetch()
    git("commit", "-q", "--allow-empty", "-m", "Third", cwd=work)
    git("push", "-q", "origin", "main", cwd=work)
    slow = tmp_path / "slowssh"
    slow.write_text(f"#!/bin/sh\necho $$ >> {begun}\nexec sleep 20\n")
    slow.chmod(0o755)
    stuck = fetching(url, cache, GIT_SSH_COMMAND=str(slow))
    pause, deadline = threading.Event(), time.monotonic() + 60
    while not begun.exists() or not begun.read_text():
        assert time.monotonic() < deadline, "no line was opened"
        pause.wait(0.02)
    stuck.kill()
    stuck.communicate(timeout=60)
    # What a Git that died while it wrote leaves behind: its locks, and half a pack.
    for name in ("refs/heads/main.lock", "shallow.lock", "config.lock", "objects/pack/tmp_pack_x"):
        (mirror.folder / name).write_text("")
    head = Mirror(url, "main", cache).fetch()
    assert head == git("rev-parse", "main", cwd=remote) != first
    for line in begun.read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(line), signal.SIGKILL)
