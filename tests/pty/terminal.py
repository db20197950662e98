"""A real terminal for the installed program: a pseudo-terminal whose screen can be read and whose keys are counted."""

from __future__ import annotations

import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import pexpect
import pyte

ROOT = Path(__file__).resolve().parent.parent.parent
ALTERNATE = re.compile(rb"\x1b\[\?1049([hl])")
CURSOR = re.compile(rb"\x1b\[\?25([hl])")
LOOK_SECONDS = 0.02


def program() -> list[str]:
    """The installed program: the script beside the interpreter, else the package itself."""
    script = Path(sys.executable).parent / "rampdeck"
    return [str(script)] if script.exists() else [sys.executable, "-P", "-m", "console"]


def surroundings() -> dict[str, str]:
    """The environment of a program started here: it finds this tree wherever it is started."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path}


class Terminal:
    """One program in one pseudo-terminal. ``typed`` counts the keys that were pressed since the start.

    A thread takes what the program writes, as a terminal does, so that the program never waits for the test.
    """

    def __init__(self, words: Sequence[str], *, columns: int = 160, rows: int = 45) -> None:
        first, *rest = [*program(), *words]
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.raw = b""
        self.typed = 0
        self.process = pexpect.spawn(first, rest, env=surroundings(), dimensions=(rows, columns), timeout=None)
        self.process.delaybeforesend = None
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._reader.join()
        if not self.process.closed:
            self.process.close(force=True)

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    @property
    def lines(self) -> list[str]:
        """The rows of the screen as they stand."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    @property
    def restored(self) -> bool:
        """Whether the shell has its own screen and its cursor back."""
        alternate, cursor = ALTERNATE.findall(self.raw), CURSOR.findall(self.raw)
        return (not alternate or alternate[-1] == b"l") and (not cursor or cursor[-1] == b"h")

    def press(self, keys: str) -> None:
        """Presses keys one after the other, as a hand does."""
        for key in keys:
            self.process.send(key)
            self.typed += 1

    def enter(self) -> None:
        self.press("\r")

    def escape(self) -> None:
        self.press("\x1b")

    def resize(self, columns: int, rows: int) -> None:
        """Gives the window another size; the program hears of it by SIGWINCH."""
        with self._lock:
            self._screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def until(self, true: Callable[[], object], seconds: float = 60, *, what: str = "") -> None:
        """Waits until something holds on the screen; fails with the screen when that takes too long."""
        deadline, pause = time.monotonic() + seconds, threading.Event()
        while not true():
            assert time.monotonic() < deadline, f"not in {seconds:g} s: {what or true}\n{self.text}"
            assert self._reader.is_alive() or true(), f"ended while waiting for {what or true}\n{self.text}"
            pause.wait(LOOK_SECONDS)

    def sees(self, *words: str, seconds: float = 60) -> None:
        """Waits until all these words stand on the screen at once."""
        self.until(lambda: all(word in self.text for word in words), seconds, what=" and ".join(words))

    def loses(self, word: str, seconds: float = 60) -> None:
        """Waits until a word has left the screen."""
        self.until(lambda: word not in self.text, seconds, what=f"no more {word}")

    def ends(self, seconds: float = 60) -> int:
        """Waits for the end of the program; its exit code, negative for a signal."""
        deadline, pause = time.monotonic() + seconds, threading.Event()
        while self._reader.is_alive() or self.process.isalive():
            assert time.monotonic() < deadline, f"still there after {seconds:g} s:\n{self.text}"
            pause.wait(LOOK_SECONDS)
        self.process.close()
        code, ended_by = self.process.exitstatus, self.process.signalstatus
        return int(code) if code is not None else -int(ended_by)

    def hang_up(self) -> None:
        """Closes the window: the kernel sends SIGHUP to whatever runs in it."""
        self._closing.set()
        self._reader.join()
        self.process.ptyproc.fileobj.close()

    def _read(self) -> None:
        descriptor = self.process.child_fd
        while not self._closing.is_set():
            if not select.select([descriptor], [], [], LOOK_SECONDS)[0]:
                continue
            try:
                data = os.read(descriptor, 1 << 16)
            except OSError:
                return  # the program has ended, and with it the other side
            if not data:
                return
            with self._lock:
                self.raw += data
                self._stream.feed(data)
