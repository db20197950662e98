"""The console beside a bare Textual app: ``python -m tests.benchmarks.bench_console [RUNS] [--write]``.

First paint, full frame, key to paint, CPU at rest, memory and bytes at rest, each on a real pseudo-terminal of 160x45,
all programs in turns within the same run. The console is measured twice: watching a source, and on forty signals that
all change four times a second. posting and harlequin are measured beside them where $RAMPDECK_BENCH_POSTING and
$RAMPDECK_BENCH_HARLEQUIN name their programs (posting 2.11 wants tree-sitter below 0.26). ``--write`` renews
docs/benchmarks.md.
"""

from __future__ import annotations

import os
import platform
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Self

import pexpect

from tests.benchmarks.bench_panic import BARE
from tests.benchmarks.forty import REPAINTS, SIGNALS
from tests.conftest import ROOT
from tests.pty.sight import site
from tests.pty.terminal import program, surroundings

PAGE = ROOT / "docs" / "benchmarks.md"
SIZE = (45, 160)
CONTROL = re.compile(rb"\x1b(?:\[[0-9;?<>=$]*[a-zA-Z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_][^\x1b]*\x1b\\|.)")
SCREEN = b"\x1b[?1049h"
PAINTED = 10
"""Characters beyond control sequences that are a first paint."""
ANSWERED = b"earch for commands"
"""Is written when the palette stands; its first letter is under the cursor."""
REST = 10.0
"""Seconds of rest over which CPU and bytes are counted."""
KEYS = 20
GUESTS = ("posting", "harlequin")
FORTY = "40 signals at 4 Hz"
"""The console on a feed that moves: what it does under load."""
LOADED = ("key to paint", "CPU at rest", "bytes at rest")
"""What is held against its limit under load."""
PATIENCE = 60.0
LIBRARIES = "sqlalchemy, pydantic, git, yaml"
"""What no tick can do without: the ledger, the policy and the repository."""
PALETTE = "\x10"
"""ctrl+p: every Textual app opens its palette by it."""
QUIT = "\x11"
"""ctrl+q: every Textual app ends by it."""
FAREWELL = 5.0
"""Seconds that an app has to end."""
LIMITS: Mapping[str, float] = {"first paint": 1.4, "full frame": 2.5, "key to paint": 2.0}
"""Times the bare app, at most."""
CEILINGS: Mapping[str, float] = {"full frame": 1.5, "CPU at rest": 15.0, "memory": 120.0}
"""At most, in the row's own unit."""
UNITS: Mapping[str, str] = {
    "first paint": "s", "full frame": "s", "key to paint": "ms", "CPU at rest": "% of a core",
    "memory": "MB", "bytes at rest": "B/s",
}  # fmt: skip


@dataclass
class Running:
    """A program in a pseudo-terminal, and all that it has written."""

    words: Sequence[str]
    began: float = field(default_factory=time.perf_counter)
    raw: bytes = b""

    def __post_init__(self) -> None:
        first, *rest = self.words
        env = surroundings()
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program need not be compiled at each start
        self.process = pexpect.spawn(first, rest, env=env, dimensions=SIZE, timeout=None)
        self.process.delaybeforesend = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves it as people do, so that its next run begins where this one ended; by force when it stays."""
        leaving = time.perf_counter()
        self.process.send(QUIT)
        with suppress(EOFError):
            while time.perf_counter() - leaving < FAREWELL:
                self.read(0.05)
        self.process.close(force=True)

    def read(self, seconds: float) -> bytes:
        """What arrives next, within so many seconds."""
        if not select.select([self.process.child_fd], [], [], seconds)[0]:
            return b""
        try:
            piece = os.read(self.process.child_fd, 1 << 16)
        except OSError:
            raise EOFError(
                f"{self.words[0]} has ended: {CONTROL.sub(b'', self.raw)[-600:].decode(errors='replace')}"
            ) from None
        self.raw += piece
        return piece

    def until(self, true: Callable[[], bool], seconds: float = PATIENCE) -> float:
        """Reads until something holds; seconds since the start."""
        while not true():
            if time.perf_counter() - self.began > seconds:
                raise TimeoutError(f"{self.words[0]}: {self.raw[-300:]!r}")
            self.read(0.02)
        return time.perf_counter() - self.began

    def painted(self) -> bool:
        """Whether anything but control sequences stands on its own screen."""
        _, own, after = self.raw.partition(SCREEN)
        return bool(own) and len(CONTROL.sub(b"", after).strip()) >= PAINTED

    def quiet(self, seconds: float, most: float = 15.0) -> None:
        """Reads until it has been silent for so long, or for as long as that may take."""
        deadline, heard = time.perf_counter() + most, time.perf_counter()
        while time.perf_counter() < deadline and time.perf_counter() - heard < seconds:
            if self.read(0.05):
                heard = time.perf_counter()

    def press(self) -> float:
        """Milliseconds from the palette's key to its paint; closes it again."""
        before, at = len(self.raw), time.perf_counter()
        self.process.send(PALETTE)
        while ANSWERED not in self.raw[before:] and time.perf_counter() - at < 10:
            self.read(0.02)
        took = 1000 * (time.perf_counter() - at)
        self.quiet(0.3, 0.6)
        self.process.send("\x1b")
        self.quiet(0.3, 0.6)
        return took

    def rest(self) -> tuple[float, float]:
        """CPU in percent of one core, and bytes per second, while nobody does anything."""
        before, written, at = self._ticks(), len(self.raw), time.perf_counter()
        while time.perf_counter() - at < REST:
            self.read(0.1)
        took = time.perf_counter() - at
        used = (self._ticks() - before) / os.sysconf("SC_CLK_TCK")
        return 100 * used / took, (len(self.raw) - written) / took

    def _ticks(self) -> int:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0


def once(words: Sequence[str], full: bytes | None) -> dict[str, float]:
    """One run of a program; ``full`` is what it shows when everything stands."""
    with Running(words) as running:
        found = {"first paint": running.until(running.painted)}
        found["full frame"] = running.until(lambda: full is None or full in running.raw)
        running.quiet(1.5)
        pressed = [running.press() for _ in range(KEYS)]
        found["key to paint"] = worst_of_hundred(pressed)
        running.quiet(1.5, 5.0)
        found["CPU at rest"], found["bytes at rest"] = running.rest()
        found["memory"] = running.megabytes
    return found


def worst_of_hundred(values: Sequence[float]) -> float:
    """The 99th percentile by nearest rank."""
    ranked = sorted(values)
    return ranked[(len(ranked) * 99 + 99) // 100 - 1]


def measure(
    runs: int, contestants: Mapping[str, tuple[Sequence[str], bytes | None]], absent: dict[str, str]
) -> dict[str, dict[str, float]]:
    """The median of each figure by program; the programs take turns. A guest that does not come up becomes absent."""
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, (words, full) in contestants.items():
            try:
                if name not in absent:
                    seen[name].append(once(words, full))
            except (EOFError, TimeoutError):
                if name not in GUESTS:
                    raise
                absent[name] = f"it paints nothing within {PATIENCE:g} s"
    return {
        name: {row: median(one[row] for one in found) for row in UNITS}
        for name, found in seen.items()
        if name not in absent
    }


def loading(runs: int = 5) -> float:
    """Seconds that the libraries of a first tick take to load by themselves; no full frame is quicker."""
    words = f"import time; began = time.perf_counter(); import {LIBRARIES}; print(time.perf_counter() - began)"
    said = (
        subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True) for _ in range(runs)
    )
    return median(float(each.stdout) for each in said)


def limit(said: str, met: bool) -> str:
    """A limit as the table says it: one that is not met stands out."""
    return said if met else f"**{said}: NOT MET**"


def page(found: Mapping[str, Mapping[str, float]], absent: Mapping[str, str], runs: int, loads: float) -> str:
    """The table, and what it was measured on."""
    names = list(found)
    lines = [
        "# Benchmarks", "",
        "Written by `python -m tests.benchmarks.bench_console --write`. Figures are of the machine below and mean",
        "little elsewhere; ratios to a bare Textual app of the same run mean more.", "",
        f"| figure | {' | '.join(names)} | ratio to bare | at most |",
        f"|---|{'---:|' * len(names)}---:|---:|",
    ]  # fmt: skip
    for row, unit in UNITS.items():
        cells = [f"{found[name][row]:.2f}" if unit == "s" else f"{found[name][row]:.1f}" for name in names]
        bare, ours = found["bare"][row], found[FORTY if row in LOADED else "rampdeck"][row]
        ratio = f"{ours / bare:.2f}" if bare else "-"
        limits = [limit(f"{LIMITS[row]:g} x bare", met=ours <= LIMITS[row] * bare)] if row in LIMITS else []
        limits += [limit(f"{CEILINGS[row]:g} {unit}", met=ours <= CEILINGS[row])] if row in CEILINGS else []
        lines.append(f"| {row}, {unit} | {' | '.join(cells)} | {ratio} | {', '.join(limits)} |")
    frame, share = found[FORTY]["bytes at rest"] / REPAINTS, loads / found["bare"]["full frame"]
    lines += [
        "", f"Medians of {runs} runs; pseudo-terminal of {SIZE[1]}x{SIZE[0]}. First paint: the first characters on",
        "the program's own screen. Full frame: true values, sources up; the libraries of a first tick alone",
        f"({LIBRARIES}) take {loads:.2f} s of it, {share:.1f} x bare. Key to paint: ctrl+p until the",
        f"palette is written, p99 of {KEYS}. At rest: over {REST:g} s, rampdeck watching a source each second. The",
        f"ratios of key to paint, CPU and bytes are of the console on {SIGNALS} signals that all change",
        f"{REPAINTS:g} times a second, without sources: each of these repaints is {frame:,.0f} bytes, and its starting",
        "time means nothing.",
    ]  # fmt: skip
    lines += [f"Not measured: {name}, {reason}." for name, reason in absent.items()]
    cores, load = os.cpu_count(), os.getloadavg()[0]
    machine = f"{platform.system()} {platform.machine()}, {cores} cores, load {load:.1f}"
    lines += ["", f"{machine}, Python {platform.python_version()}, Textual {version('textual')}.", ""]
    return "\n".join(lines)


def main(runs: int, *, write: bool) -> None:
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as (_, config):
        contestants: dict[str, tuple[Sequence[str], bytes | None]] = {
            "bare": ([sys.executable, "-c", BARE], b"STANDS HERE"),
            "rampdeck": ([*program(), "--config", str(config)], b"1,200"),
            FORTY: ([sys.executable, "-m", "tests.benchmarks.forty"], None),
        }
        for name in GUESTS:
            variable = f"RAMPDECK_BENCH_{name.upper()}"
            if os.environ.get(variable):
                contestants[name] = ([os.environ[variable]], None)
            else:
                absent[name] = f"${variable} names no program"
        found = measure(runs, contestants, absent)
    text = page(found, absent, runs, loading())
    sys.stdout.write(text)
    if write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(numbers[0] if numbers else 3, write="--write" in sys.argv)
