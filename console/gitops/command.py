"""One Git command with a time-out: never a prompt, never a pager, never a process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Final

from git.cmd import Git
from git.exc import GitCommandNotFound

from stages.refusal import Trouble
from stages.value import Struct

QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
    "GCM_INTERACTIVE": "never",
    "LC_ALL": "C.UTF-8",
}
"""Nobody is there to answer a question: a command that would ask fails instead. What Git says is read by program."""

SETTINGS: Final = (
    "core.quotePath=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.hooksPath=/dev/null",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
)
"""What a person's own configuration must not change: nothing runs beside the command, and texts are UTF-8."""

ELSEWHERE: Final = (
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
)
"""What a hook or an alias sets to point Git at the person's own repository; GitPython cannot take it away."""

_LINE_BROKE: Final = "fatal: Could not read from remote repository."


class Answer(Struct, frozen=True):
    """What a command said. ``timed_out``: it was killed, and nobody knows how far the other side came."""

    status: int
    out: bytes
    err: str
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.status == 0 and not self.timed_out

    @property
    def text(self) -> str:
        """Standard output as text, without the newline at its end."""
        return self.out.decode("utf-8", "surrogateescape").rstrip("\n")

    @property
    def reason(self) -> str:
        """The one line of standard error that says why."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        told = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))] or lines[-1:]
        if told and told[0] == _LINE_BROKE:
            # Git only knows that the line to the remote ended; why was said before by whoever held it, such as ssh.
            told = lines[: lines.index(told[0])][-1:] or told
        said = told[0].removeprefix("fatal: ").removeprefix("error: ") if told else f"exit code {self.status}"
        return "it took too long" if self.timed_out else said


def run_git(
    git: Git,
    arguments: Sequence[str],
    *,
    timeout: float,
    environment: Mapping[str, str],
    given: bytes = b"",
    detached: bool = False,
) -> Answer:
    """Run ``git ARGUMENTS`` and wait at most ``timeout`` seconds; then it and all it started are killed.

    ``detached`` gives it a session of its own, without a terminal that ssh could ask through and so that everything it
    starts dies with it; signing keeps the terminal, because a key may want its passphrase there.
    """
    with tempfile.TemporaryFile() as source:
        source.write(given)
        source.seek(0)
        try:
            handle = git.execute(
                [
                    "env",
                    *(part for name in ELSEWHERE for part in ("-u", name)),
                    "git",
                    *(part for setting in SETTINGS for part in ("-c", setting)),
                    *arguments,
                ],
                istream=source,
                as_process=True,
                env={**QUIET, **environment},
                start_new_session=detached,
            )
        except GitCommandNotFound as error:
            raise Trouble("git is not installed", fix="install git") from error
    assert isinstance(handle, Git.AutoInterrupt)
    process = handle.proc
    assert process is not None
    try:
        out, err = process.communicate(timeout=timeout)
        timed_out = False
    except subprocess.TimeoutExpired:
        if detached:
            _kill(process.pid)
        else:
            process.kill()
        out, err = process.communicate()
        timed_out = True
    return Answer(process.returncode, out or b"", (err or b"").decode("utf-8", "replace"), timed_out)


def _kill(group: int) -> None:
    """End the command and its children, such as ssh, which would hold its pipes open."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
