"""The demo's GitOps repository: a bare remote whose first commit is the sample that ships with the program."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from console.demo.gitops_loop import git_environment
from stages.refusal import Trouble

_AUTHOR = "Heron Platform <platform@heron.example>"
_MESSAGE = "Deploy heron on paper limits"
_GIT_SECONDS = 20


def sample_files() -> dict[str, bytes]:
    """The sample repository: path from its root to content."""
    return dict(_walk(files("console.demo") / "sample", ""))


def create_remote(folder: Path, content: Mapping[str, bytes]) -> None:
    """Make a bare repository with one commit on main. Raises Trouble when git is missing or fails."""
    _git(["init", "--quiet", "--bare", "--initial-branch=main", str(folder)], b"")
    _git(["--git-dir", str(folder), "fast-import", "--quiet", "--date-format=now"], _stream(content))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()


def _stream(content: Mapping[str, bytes]) -> bytes:
    """One commit in git's fast-import format."""
    head = f"commit refs/heads/main\ncommitter {_AUTHOR} now\n".encode()
    changes = (f"M 100644 inline {path}\n".encode() + _data(text) for path, text in sorted(content.items()))
    return head + _data(_MESSAGE.encode()) + b"".join(changes)


def _data(text: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(text), text)


def _git(arguments: list[str], stdin: bytes) -> None:
    try:
        subprocess.run(
            ["git", *arguments],
            input=stdin,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=True,
            env=git_environment(),
        )
    except FileNotFoundError:
        raise Trouble("git is not installed", where="demo", fix="install git and start again") from None
    except subprocess.CalledProcessError as failed:
        raise Trouble(failed.stderr.decode(errors="replace").strip(), where="demo: git") from None
    except subprocess.TimeoutExpired:
        raise Trouble(f"git gave no answer in {_GIT_SECONDS} s", where="demo: git", fix="try again") from None
