"""The machine: Python and its packages, the tools beside it, the terminal, the folders."""

from __future__ import annotations

import locale
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Final

from console.doctor import Check, Finding, Health, ok

MACHINE, TERMINAL = "machine", "terminal"

NEEDED: Final = {"git": "apt-get install git", "ssh-keygen": "apt-get install openssh-client"}
HELPFUL: Final = {
    "kustomize": "install it, or kubectl: the gate 'render' builds with it what a plan would deploy",
    "kubectl": "install it: the commands that 'kill --print' shows use it",
    "tmux": "install it: a console in tmux outlives your line",
}
_SMALLEST: Final = (60, 20)
_GOOD: Final = (80, 24)


def machine_checks(folders: Mapping[str, Path]) -> Iterator[Check]:
    """Everything that can be told without any configuration; ``folders`` are those that must be writable, by name."""
    yield Check(MACHINE, "python", python)
    yield Check(MACHINE, "packages", packages)
    for name, fix in NEEDED.items():
        yield Check(MACHINE, name, partial(tool, name, fix, Health.NO))
    for name, fix in HELPFUL.items():
        yield Check(MACHINE, name, partial(tool, name, fix, Health.NOTE))
    for name, folder in folders.items():
        yield Check(MACHINE, f"{name} folder", partial(writable, folder))
    yield Check(TERMINAL, "characters", partial(characters, os.environ))
    yield Check(TERMINAL, "colours", partial(colours, os.environ))
    yield Check(TERMINAL, "size", size)
    yield Check(TERMINAL, "clipboard", partial(clipboard, os.environ))


def python() -> Finding:
    """The interpreter."""
    return ok(f"Python {sys.version.split()[0]} at {sys.executable}")


def packages() -> Finding:
    """Whether every package that this program declares is installed."""
    try:
        wanted = [re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in metadata.requires("rampdeck") or ()]
    except metadata.PackageNotFoundError:
        return Finding(Health.NO, "rampdeck is not installed here", "run 'make setup', or pip install it")
    missing = [name for name in wanted if not _installed(name)]
    if missing:
        return Finding(
            Health.NO, f"not installed: {', '.join(missing)}", "run 'make setup', or pip install rampdeck anew"
        )
    return ok(f"rampdeck {metadata.version('rampdeck')}, {len(wanted)} packages")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def tool(name: str, fix: str, without: Health) -> Finding:
    """A program on the search path; ``without`` says how bad it is when there is none."""
    found = shutil.which(name)
    return ok(found) if found else Finding(without, f"{name} is not on the PATH", fix)


def writable(folder: Path) -> Finding:
    """Whether a folder can be written, or made where there is none yet. Nothing is written."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
    if not there.is_dir():
        return Finding(Health.NO, f"{there} is no folder", "name another in the configuration")
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding(Health.NO, f"{there} may not be written", f"chown it to {_user()}, or name another folder")
    return ok(str(folder) if folder.exists() else f"{folder} (made when it is needed)")


def _user() -> str:
    return os.environ.get("USER") or f"user {os.getuid()}"


def characters(environment: Mapping[str, str]) -> Finding:
    """Whether the locale speaks UTF-8."""
    encoding = locale.getpreferredencoding(do_setlocale=False)
    if encoding.casefold().replace("-", "") == "utf8":
        return ok("UTF-8")
    said = environment.get("LC_ALL") or environment.get("LANG") or "no LANG"
    return Finding(Health.NOTE, f"{encoding} by {said}: marks are drawn in ASCII", "export LANG=C.UTF-8")


def colours(environment: Mapping[str, str]) -> Finding:
    """How many colours the terminal says it has."""
    term = environment.get("TERM", "")
    if environment.get("NO_COLOR"):
        return ok("NO_COLOR is set: words and shapes alone")
    if term in ("", "dumb"):
        says = f"TERM is {term or 'not set'}: the console cannot draw"
        return Finding(Health.NOTE, says, "use a terminal such as xterm-256color")
    if environment.get("COLORTERM") in ("truecolor", "24bit"):
        return ok(f"{term}, 16 million")
    many = "256" if "256" in term else "few"
    return ok(f"{term}, {many}; COLORTERM=truecolor gives more where the terminal can")


def size() -> Finding:
    """Whether the console fits."""
    columns, lines = shutil.get_terminal_size((0, 0))
    if not (sys.stdout.isatty() and columns):
        return Finding(Health.ABSENT, "no terminal here")
    says = f"{columns}x{lines}"
    if columns < _SMALLEST[0] or lines < _SMALLEST[1]:
        return Finding(Health.NOTE, f"{says} is too small", "widen it: at least 60x20, at its best from 140x40")
    return ok(says if columns >= _GOOD[0] and lines >= _GOOD[1] else f"{says}: posture, worst signal, and the way down")


def clipboard(environment: Mapping[str, str]) -> Finding:
    """What copying needs: OSC 52, which tmux passes on when it is told to."""
    if environment.get("TMUX"):
        either = "'set -g set-clipboard on' or 'set -g allow-passthrough on'"
        return Finding(Health.NOTE, "inside tmux", f"to copy, put {either} into tmux.conf")
    return ok("OSC 52")
