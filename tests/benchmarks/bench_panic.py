"""How soon panic stands: ``python -m tests.benchmarks.bench_panic [RUNS]`` prints it beside a bare Textual app.

Both in a pseudo-terminal of 60x20, from the start of the process until their words are written; taken in turns.
"""

from __future__ import annotations

import sys
import time
from statistics import median

import pexpect

from tests.pty.terminal import ROOT, surroundings

BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("STANDS HERE")

Bare().run()
"""
LIMIT = 1.4
"""Times the bare app, as for the console itself."""


def seconds(words: list[str], mark: str) -> float:
    """From the start of the process until ``mark`` is written to its terminal."""
    began = time.perf_counter()
    process = pexpect.spawn(sys.executable, words, env=surroundings(), dimensions=(20, 60), timeout=30)
    process.expect_exact(mark)
    took = time.perf_counter() - began
    process.close(force=True)
    return took


def main(runs: int) -> None:
    policy = str(ROOT / "stages/policies/demo.yaml")
    bare: list[float] = []
    panic: list[float] = []
    for _ in range(runs):
        bare.append(seconds(["-c", BARE], "STANDS HERE"))
        panic.append(seconds(["-m", "console", "panic", "--policy", policy], "BLOCK"))
    ratio = median(panic) / median(bare)
    print(f"{runs} runs, median: bare {median(bare):.3f} s, panic {median(panic):.3f} s")
    print(f"ratio {ratio:.2f} of at most {LIMIT}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
