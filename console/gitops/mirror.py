"""Mirror: the GitOps repository through a private bare clone; nobody's checkout is ever touched."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from git import Git, Repo
from git.util import remove_password_if_present

from console.gitops.command import Answer, run_git
from console.gitops.housekeeping import Housekeeping
from console.gitops.kept import Kept
from console.gitops.lock import held, remove_leftover
from console.gitops.push import judge_push, never_began
from console.gitops.ssh import ssh_command
from console.gitops.tree import SYMBOLIC_LINK, find, graft, refuse_passage, refuse_pointer
from console.ports import CommitInfo, Pushed
from stages.refusal import Trouble

LOCAL_SECONDS: Final = 20.0
"""Limit for what only reads or writes the mirror."""

FIRST_SECONDS: Final = 600.0
"""Limit for the first fetch, which brings the whole history."""

KEPT_PATHS: Final = 4_096
KEPT_BYTES: Final = 4 * 2**20
"""What of a commit's files is kept after the first read: a commit never changes."""

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A commit by its whole name, unlike a branch, which moves."""

_LOG_FORMAT: Final = "%x00%H%x00%an%x00%ae%x00%cI%x00%s%x00%(trailers:only=true,unfold=true)%x00"
_FETCH: Final = (
    "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--update-shallow",
)  # fmt: skip
_PUSH: Final = ("push", "--porcelain", "--no-verify", "--recurse-submodules=no")


class Mirror:
    """A ``Repository`` over a bare mirror in ``cache``, one per remote; several threads and processes may share it.

    ``name`` and ``email`` sign the commits where Git's own configuration names nobody. ``timeout`` is the limit in
    seconds for each conversation with the remote. Every method may raise Trouble with one line.
    """

    def __init__(
        self, url: str, branch: str, cache: Path, *, name: str = "rampdeck", email: str = "", timeout: float = 20.0
    ) -> None:
        self.url, self.branch = url, branch
        self.folder = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.git"
        self._ref = f"refs/heads/{branch}"
        self._name, self._email = name, email or f"{name}@localhost"
        self._timeout = timeout
        self._own = threading.local()
        self._blobs: Kept[tuple[str, str], str | None] = Kept(KEPT_PATHS)
        self._contents: Kept[str, bytes] = Kept(KEPT_BYTES, len)
        self._housekeeping = Housekeeping(self.folder, lambda words, limit: self._run(words, timeout=limit))

    # ------------------------------------------------------------------------------------------------------- reading

    def fetch(self) -> str:
        """Bring the branch up to date and return its head; only what is new travels."""
        with self._alone():
            limit = FIRST_SECONDS if self.known_head() is None else self._timeout
            answer = self._remote(*_FETCH, "origin", f"+{self._ref}:{self._ref}", timeout=limit)
            if not answer.ok and ("cannot lock ref" in answer.err or remove_leftover(answer.err, self.folder)):
                # Somebody who was killed in the middle left a lock, or his fetch went on without him.
                remove_leftover(answer.err, self.folder)
                answer = self._remote(*_FETCH, "origin", f"+{self._ref}:{self._ref}", timeout=limit)
        if not answer.ok:
            raise self._away(answer)
        head = self.known_head()
        if head is None:
            raise self._trouble(f"the remote has no branch {self.branch}", "push the branch or correct target.branch")
        self._housekeeping.fetched()
        return head

    def known_head(self) -> str | None:
        """The head as of the last fetch by anybody who shares the mirror."""
        answer = self._local("rev-parse", "--verify", "--quiet", f"{self._ref}^{{commit}}")
        return answer.text if answer.ok else None

    def read(self, sha: str, path: str) -> bytes | None:
        """The bytes of a file at a commit; None when it is not there. Trouble for a pointer of Git LFS."""
        blob = self.blob(sha, path)
        if blob is None:
            return None
        content = self._contents.get(blob, lambda: self._must("cat-file", "blob", blob).out)
        refuse_pointer(content, path, sha)
        return content

    def blob(self, sha: str, path: str) -> str | None:
        """Git's id of the file at a commit; None when there is no such file."""
        if _COMMIT.fullmatch(sha) is None:
            return self._blob(sha, path)
        return self._blobs.get((sha, path), lambda: self._blob(sha, path))

    def _blob(self, sha: str, path: str) -> str | None:
        found = find(self._must, sha, path)
        if found is not None and found.mode == SYMBOLIC_LINK:
            refuse_passage(found, path, sha)
        return found.oid if found is not None and found.kind == "blob" else None

    def blob_id(self, content: bytes) -> str:
        """The id that Git gives to these bytes."""
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()

    def info(self, sha: str) -> CommitInfo:
        """One commit."""
        return next(_commits(self._must("log", "-1", *_LOG_OPTIONS, sha, "--").text))

    def log(self, base: str, head: str) -> Sequence[CommitInfo]:
        """Commits after ``base`` up to ``head``, oldest first."""
        return tuple(_commits(self._must("log", "--reverse", *_LOG_OPTIONS, f"{base}..{head}", "--").text))

    def vouching(self, trailer: str, word: str, limit: int) -> Sequence[CommitInfo]:
        """Commits of the branch as last fetched whose ``trailer`` begins with ``word``, newest first, so many."""
        if self.known_head() is None:
            return ()
        wanted = ("--fixed-strings", f"--grep={trailer}: {word} ", f"--max-count={limit}")
        return tuple(_commits(self._must("log", *wanted, *_LOG_OPTIONS, self._ref, "--").text))

    def contains(self, sha: str) -> bool | None:
        """Whether the remote's branch contains ``sha`` now; None when that cannot be told."""
        try:
            return self._is_ancestor(sha, self.fetch())
        except Trouble:
            return None

    def may_push(self) -> Pushed:
        """What the remote says of pushing the branch's own head to it: asked as a dry run, so that nothing can change.

        The remote checks who may write before it looks at what is written; its hooks are not asked.
        """
        head = self.fetch()
        answer = self._remote(*_PUSH, "--dry-run", "origin", f"{head}:{self._ref}", timeout=self._timeout)
        return judge_push(answer) or Pushed("rejected" if never_began(answer) else "unknown", answer.reason)

    def tidy(self) -> bool:
        """Pack the mirror now if it needs that; whether it was packed."""
        return self._housekeeping.tidy()

    # ------------------------------------------------------------------------------------------------------- writing

    def commit(
        self,
        base: str,
        contents: Mapping[str, bytes],
        message: str,
        trailers: Sequence[tuple[str, str]],
        *,
        signed: bool = True,
    ) -> str:
        """A commit object on top of ``base`` with new bytes for some files; nothing is published.

        Signed when Git's ``commit.gpgsign`` says so; ``signed=False`` never waits for a key.
        """
        tree = graft(self._must, base, contents)
        sign = signed and self._setting("commit.gpgsign", "--type=bool") == "true"
        text = message.strip() + "\n\n" + "".join(f"{key}: {' '.join(value.split())}\n" for key, value in trailers)
        answer = self._local(
            "commit-tree", *(("-S",) if sign else ()), "-p", base, "-F", "-", tree,
            given=text.encode(), environment=self._persons(),
        )  # fmt: skip
        if not answer.ok:
            fix = "unlock the signing key or set commit.gpgsign to false" if sign else "free the disk of the cache"
            raise self._trouble(f"the commit could not be made: {answer.reason}", fix)
        return answer.text

    def push(self, sha: str, expected: str) -> Pushed:
        """Publish ``sha`` if the branch's head is still ``expected``: compare and swap, never a rewrite of history."""
        if not self._is_ancestor(expected, sha):
            raise self._trouble(f"{sha[:8]} does not follow {expected[:8]}", "make the commit on the head again")
        answer = self._send(f"{self._ref}:{expected}", f"{sha}:{self._ref}")
        judged = judge_push(answer)
        if judged is not None:
            return self._where_it_was(expected, judged) if judged.outcome == "moved" else judged
        # The line broke or the time was up: only the remote knows, and it may still be at work on what it received.
        arrived = self.contains(sha)
        if arrived:
            return Pushed("pushed", "the answer was lost; the remote has the commit")
        final = arrived is False and (never_began(answer) or self.known_head() != expected)
        return Pushed("rejected" if final else "unknown", answer.reason)

    def _where_it_was(self, expected: str, judged: Pushed) -> Pushed:
        """What the push met, by the head: Git says the same of a branch that moved and of one that is locked."""
        try:
            if self.fetch() != expected:
                return judged
        except Trouble:
            return judged
        fix = f"if nobody pushes there, remove {self._ref}.lock"
        return Pushed("rejected", f"{self.branch} is locked on the remote; {fix} ({judged.message})", locked=True)

    def propose(self, sha: str, branch: str) -> Pushed:
        """Publish ``sha`` as a new branch beside the target's; another commit under that name is never replaced."""
        ref = f"refs/heads/{branch}"
        answer = self._send(f"{ref}:", f"{sha}:{ref}")
        judged = judge_push(answer)
        if judged is not None and judged.outcome != "moved":
            return judged
        try:
            there = self.proposal(branch)
        except Trouble:
            return Pushed("unknown", answer.reason)
        if there == sha:
            return Pushed("pushed")
        if there is not None:
            return Pushed("rejected", f"the branch {branch} is taken by {there[:8]}")
        return Pushed("rejected" if never_began(answer) else "unknown", answer.reason)

    def proposal(self, branch: str) -> str | None:
        """The head of another branch, asked of the remote now; None when there is no such branch."""
        ref = f"refs/heads/{branch}"
        answer = self._remote("ls-remote", "--quiet", "origin", ref, timeout=self._timeout)
        if not answer.ok:
            raise self._away(answer)
        sha = next((line.split("\t")[0] for line in answer.text.splitlines() if line.endswith(f"\t{ref}")), None)
        if sha is not None and not self._local("cat-file", "-e", sha).ok:
            brought = self._remote(*_FETCH, "origin", ref, timeout=self._timeout)  # proposed by another machine
            if not brought.ok:
                raise self._away(brought)
        return sha

    def withdraw(self, branch: str, sha: str) -> bool:
        """Take back the branch that proposed ``sha``; whether it is gone. One that somebody added to stays."""
        if self.proposal(branch) not in (None, sha):
            return False
        answer = self._send(f"refs/heads/{branch}:{sha}", f":refs/heads/{branch}")
        judged = judge_push(answer)
        return bool(judged and judged.outcome == "pushed") or self.proposal(branch) is None

    def _send(self, lease: str, refspec: str) -> Answer:
        """Push one ref if it is still as ``lease`` says."""
        return self._remote(*_PUSH, f"--force-with-lease={lease}", "origin", refspec, timeout=self._timeout)

    def _persons(self) -> dict[str, str]:
        """Author and committer as Git's configuration has them; this program's own name where it has none."""
        name = self._setting("user.name") or self._name
        email = self._setting("user.email") or os.environ.get("EMAIL") or self._email
        named: dict[str, str] = {}
        for role in ("author", "committer"):
            named[f"GIT_{role.upper()}_NAME"] = self._setting(f"{role}.name") or name
            named[f"GIT_{role.upper()}_EMAIL"] = self._setting(f"{role}.email") or email
        return {key: os.environ.get(key) or value for key, value in named.items()}

    # ------------------------------------------------------------------------------------------------------ plumbing

    def _is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` has ``older`` in its history, as no commit is that the mirror does not hold."""
        answer = self._local("merge-base", "--is-ancestor", older, newer)
        if answer.ok or answer.status == 1:
            return answer.ok
        held_here = self._local("cat-file", "-e", older)
        if held_here.status == 1 and not answer.timed_out and not held_here.timed_out:
            return False
        raise self._trouble(f"git merge-base: {answer.reason}", f"remove {self.folder} to fetch it anew")

    def _setting(self, name: str, *options: str) -> str:
        answer = self._local("config", *options, "--get", name)
        return answer.text if answer.ok else ""

    def _remote(self, *arguments: str, timeout: float) -> Answer:
        environment = {"GIT_SSH_COMMAND": ssh_command(os.environ, self._setting)}
        return self._run(arguments, timeout=timeout, environment=environment, detached=True)

    def _local(self, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None) -> Answer:
        return self._run(arguments, timeout=LOCAL_SECONDS, environment=environment or {}, given=given)

    def _must(self, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None) -> Answer:
        answer = self._local(*arguments, given=given, environment=environment)
        if not answer.ok:
            raise self._trouble(f"git {arguments[0]}: {answer.reason}", f"remove {self.folder} to fetch it anew")
        return answer

    def _run(
        self,
        arguments: Sequence[str],
        *,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        given: bytes = b"",
        detached: bool = False,
    ) -> Answer:
        git = self._repo().git
        own = {"GIT_DIR": str(self.folder), **(environment or {})}
        return run_git(git, arguments, timeout=timeout, environment=own, given=given, detached=detached)

    def _repo(self) -> Repo:
        """This thread's Repo; the mirror is made where there is none yet."""
        repo: Repo | None = getattr(self._own, "repo", None)
        if repo is not None and self.folder.is_dir():
            return repo
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with held(self.folder.with_suffix(".making")):
                if not (self.folder / "config").exists() or "rampdeck" not in (self.folder / "config").read_text():
                    self._make()
        except OSError as error:
            what = f"the cache folder cannot be written: {error.strerror}"
            raise self._trouble(what, "name another cache folder") from error
        self._own.repo = repo = Repo(self.folder)
        return repo

    def _make(self) -> None:
        (self.folder / "config.lock").unlink(missing_ok=True)  # of one who was killed while making it
        start = ("init", "--quiet", "--bare", "--initial-branch=rampdeck-none", "--template=")
        made = run_git(Git(), start, timeout=LOCAL_SECONDS, environment={"GIT_DIR": str(self.folder)})
        if not made.ok:
            raise self._trouble(f"the mirror cannot be made: {made.reason}", "name another cache folder")
        with Repo(self.folder).config_writer() as settings:
            settings.set_value('remote "origin"', "url", self.url)
            settings.set_value("core", "logAllRefUpdates", "false")
            settings.set_value("rampdeck", "mirror", "true")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Alone among all who fetch into this mirror: two at once would fight for the ref."""
        self._repo()
        with held(self.folder.with_suffix(".lock"), patience=self._timeout):
            yield

    def _away(self, answer: Answer) -> Trouble:
        return self._trouble(
            f"the Git remote cannot be read: {answer.reason}", "check the network, the address and your access"
        )

    def _trouble(self, what: str, fix: str) -> Trouble:
        return Trouble(what, where=remove_password_if_present([self.url])[0], fix=fix)


_LOG_OPTIONS: Final = (
    "--no-renames", "--name-only", "--diff-merges=first-parent", "--no-show-signature", f"--format={_LOG_FORMAT}",
)  # fmt: skip


def _commits(text: str) -> Iterator[CommitInfo]:
    """The commits of a ``git log`` in ``_LOG_FORMAT``: seven parts each, the last one the paths."""
    parts = text.split("\0")[1:]
    for at in range(0, len(parts) - 6, 7):
        sha, author, email, when, subject, trailers, paths = parts[at : at + 7]
        pairs = (line.partition(": ") for line in trailers.splitlines())
        yield CommitInfo(
            sha=sha, author=author, email=email, at=datetime.fromisoformat(when), subject=subject,
            trailers={key.strip(): value.strip() for key, found, value in pairs if found},
            paths=tuple(filter(None, paths.splitlines())),
        )  # fmt: skip
