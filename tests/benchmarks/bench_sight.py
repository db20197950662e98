"""How soon a breach is on the screen: ``python -m tests.benchmarks.bench_sight [SAMPLES]`` prints it beside its limit.

A real endpoint, a real pseudo-terminal, the installed program. The limit is from the read: one tick and 250 ms.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.pty.sight import PAINT, TICK, console, measure


def figures(name: str, seconds: Sequence[float]) -> str:
    """p50, p99 by nearest rank, and worst."""
    ranked = sorted(seconds)
    p50, p99 = (ranked[(len(ranked) * share + 99) // 100 - 1] for share in (50, 99))
    return f"{name:<28}{p50:>8.3f}{p99:>8.3f}{ranked[-1]:>8.3f}"


def main(samples: int) -> None:
    with tempfile.TemporaryDirectory() as folder, console(Path(folder)) as (source, terminal):
        found = measure(source, terminal, samples)
        said = next((line for line in terminal.lines if "sees a breach" in line), "")
    print(f"{f'{samples} samples, seconds':<28}{'p50':>8}{'p99':>8}{'worst':>8}")
    print(figures("read -> screen", [one.from_read for one in found]))
    print(figures("event -> screen", [one.from_event for one in found]))
    limit = TICK + PAINT
    late = sum(one.from_read > limit for one in found)
    print(f"limit from the read: {limit} s (a tick of {TICK:g} s and {PAINT * 1000:.0f} ms); beyond it: {late}")
    print(f"the screen says: {said[said.find('sees a breach') :].strip()}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
