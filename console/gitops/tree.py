"""Trees: new bytes for some files of a commit, by rewriting only the folders that lead to them.

What a commit holds elsewhere (twenty thousand files, submodules, links, pointers to large files) is carried over by its
id and never read, so that the cost follows the files of the plan and the folders above them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from console.gitops.command import Answer
from stages.refusal import Trouble
from stages.value import Struct, field

SYMBOLIC_LINK: Final = "120000"
SUBMODULE: Final = "160000"
FOLDER: Final = "040000"
PLAIN_FILE: Final = "100644"

_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_LONGEST_POINTER: Final = 1024


class Plumbing(Protocol):
    """A Git command on the mirror that must succeed."""

    def __call__(self, *arguments: str, given: bytes = b"") -> Answer: ...


class TreeEntry(Struct, frozen=True):
    """One line of a tree: what it is, and the id of what it holds."""

    mode: str
    kind: str
    oid: str


class _Change(Struct):
    """What becomes of one folder: new files in it, and changes in the folders below."""

    files: dict[str, bytes] = field(default_factory=dict)
    folders: dict[str, _Change] = field(default_factory=dict)


def find(run: Plumbing, sha: str, path: str) -> TreeEntry | None:
    """What stands at a path of a commit; None when nothing does.

    Trouble when the path leads through a submodule or a symbolic link, which belong to somebody else.
    """
    parts = path.split("/")
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    listed = _entries(run("ls-tree", "-z", "--full-tree", sha, "--", path, *above).out)
    for name in above:
        refuse_passage(listed.get(name), name, sha)
    return listed.get(path)


def refuse_passage(entry: TreeEntry | None, name: str, sha: str) -> None:
    """Trouble when ``entry``, which should be a folder, hides its files from this repository."""
    if entry is not None and entry.mode in (SUBMODULE, SYMBOLIC_LINK):
        kind = "submodule" if entry.mode == SUBMODULE else "symbolic link"
        fix = "bind a file of this repository" if entry.mode == SUBMODULE else "bind the file that it leads to"
        raise Trouble(f"is a {kind}", where=f"{name} at {sha[:8]}", fix=fix)


def refuse_pointer(content: bytes, path: str, sha: str) -> None:
    """Trouble when a file's bytes are not its own but a pointer of Git LFS."""
    if len(content) <= _LONGEST_POINTER and content.startswith(_POINTER):
        raise Trouble("is a Git LFS pointer", where=f"{path} at {sha[:8]}", fix="keep manifests in Git itself")


def graft(run: Plumbing, base: str, contents: Mapping[str, bytes]) -> str:
    """The tree of ``base`` with new bytes for the files of ``contents``; modes stay, new files are plain."""
    change = _Change()
    for path, content in contents.items():
        *folders, name = path.split("/")
        place = change
        for folder in folders:
            place = place.folders.setdefault(folder, _Change())
        place.files[name] = content
    return _rewritten(run, f"{base}^{{tree}}", change, base, "")


def _rewritten(run: Plumbing, tree: str, change: _Change, base: str, folder: str) -> str:
    entries = _entries(run("ls-tree", "-z", tree).out) if tree else {}
    for name, below in change.folders.items():
        old = entries.get(name)
        refuse_passage(old, f"{folder}{name}", base)
        known = old.oid if old is not None and old.mode == FOLDER else ""
        entries[name] = TreeEntry(FOLDER, "tree", _rewritten(run, known, below, base, f"{folder}{name}/"))
    for name, content in change.files.items():
        old = entries.get(name)
        blob = run("hash-object", "-w", "--stdin", given=content).text
        entries[name] = TreeEntry(old.mode if old is not None else PLAIN_FILE, "blob", blob)
    lines = "".join(f"{one.mode} {one.kind} {one.oid}\t{name}\0" for name, one in entries.items())
    # Its other entries are as they were: to look every one of them up would cost what the folder holds.
    return run("mktree", "-z", "--missing", given=lines.encode("utf-8", "surrogateescape")).text


def _entries(listed: bytes) -> dict[str, TreeEntry]:
    found = {}
    for line in listed.decode("utf-8", "surrogateescape").split("\0"):
        if line:
            said, _, name = line.partition("\t")
            found[name] = TreeEntry(*said.split(" "))
    return found
