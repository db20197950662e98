"""Detached work: commands in processes of their own session, and which acts are still being carried out."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stages.refusal import Trouble


class DetachedLauncher:
    """A ``Launcher``. What it starts has no terminal and outlives this one; its words go to a log in ``folder``.

    ``common`` are arguments for every command, such as ``--config FILE``.
    """

    def __init__(self, folder: Path, common: Sequence[str] = ()) -> None:
        self.log = folder / "detached.log"
        self._common = tuple(common)
        self._started: list[subprocess.Popen[bytes]] = []

    def launch(self, arguments: Sequence[str]) -> int:
        """Start ``rampdeck ARGUMENTS`` and return its process id; Trouble when no process can be started."""
        self._started = [process for process in self._started if process.poll() is None]
        try:
            with self._words() as words:
                process = subprocess.Popen(
                    [sys.executable, "-m", "console", *arguments, *self._common],
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=words,
                    start_new_session=True,
                )
        except OSError as error:
            raise Trouble(
                f"no process could be started: {error.strerror}", fix="carry it out by hand (--print)"
            ) from error
        self._started.append(process)
        return process.pid

    def hang_up(self, arguments: Sequence[str], ready: Callable[[], object]) -> int:
        """Start ``rampdeck ARGUMENTS`` in a terminal of its own, and close that when ``ready`` returns: its process id.

        What a closed terminal ends is the command; what the command has set free goes on. Trouble as ``launch``.
        """
        ours, theirs = os.openpty()
        try:
            # The first terminal that the leader of a session opens becomes its own; a shell opens it by its name.
            process = subprocess.Popen(
                ["/bin/sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(theirs), sys.executable, "-m", "console",
                 *arguments, *self._common],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
            self._started.append(process)
            ready()
        except OSError as error:
            raise Trouble(f"no process could be started: {error.strerror}") from error
        finally:
            os.close(theirs)
            os.close(ours)
        return process.pid

    @contextmanager
    def _words(self) -> Iterator[int]:
        """The log, or nothing where it cannot be written: a full disk must not stop a reduction."""
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            file = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            yield file
        finally:
            os.close(file)


class CommandNotifier:
    """A ``Notifier``: runs a person's own command with the alarm's text as its last argument, and does not wait."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._started: list[subprocess.Popen[bytes]] = []

    def notify(self, text: str) -> None:
        """Start the command; Trouble when there is no such command. What it says goes nowhere."""
        self._started = [process for process in self._started if process.poll() is None]
        try:
            process = subprocess.Popen(
                [*self._command, text],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise Trouble(
                f"the notify command could not be started: {error.strerror}", fix="correct notify.command"
            ) from error
        self._started.append(process)


class RunningActs:
    """Which acts this machine is carrying out: one locked file each, released by the kernel when its process dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, intent: str) -> Iterator[None]:
        """Mark an act as being carried out; where the mark cannot be made, the act goes on without it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self._folder / intent, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield
            return
        try:
            with suppress(BlockingIOError):  # another process carries the same act out: its mark says so
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
            (self._folder / intent).unlink(missing_ok=True)
        finally:
            os.close(file)

    def alive(self, intent: str) -> bool | None:
        """True while its process lives, False when it died here, None when this machine knows nothing of it."""
        try:
            file = os.open(self._folder / intent, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(file)
