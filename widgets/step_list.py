"""Steps of something that runs: what is done, what is on its way, what it took against its budget."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from widgets.bar import bar
from widgets.line import Line, Tone, fit, title

MARKS = {"done": "·", "running": "►", "late": "▲", "failed": "■", "unknown": "?", "waiting": " "}
TONES = {"late": Tone.WARN, "failed": Tone.WARN, "unknown": Tone.UNKNOWN, "running": Tone.BOLD}


AWAITED = {
    "recorded": "writes the intent to the ledger", "commit": "makes the commit",
    "push": "until Git has taken the commit", "merge": "until a person merges the branch",
    "runtime": "until restarted and read back",
}  # fmt: skip
"""What a step under way waits for, where the step itself says nothing."""


def awaited(step: Step) -> str:
    """What is known of a step; of one under way, what it waits for."""
    return step.note or (AWAITED.get(step.name, "") if step.state == "running" else "")


class Step(Protocol):
    """One step. ``state`` is done, running, late, failed, unknown or waiting; times are seconds."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def took(self) -> float | None: ...
    @property
    def budget(self) -> float | None: ...
    @property
    def note(self) -> str: ...


def step_lines(steps: Sequence[Step], width: int, height: int, name: str = "STEPS") -> list[Line]:
    """A title and one line a step."""
    took_end, budget_end = (51, 64) if width >= 90 else (38, 47)
    note_at = budget_end + 4
    columns = (("took", took_end), ("budget", budget_end), ("what we know", note_at + 12))
    lines = [title(name, width, *columns)]
    for step in steps[: max(0, height - 1)]:
        tone = TONES.get(step.state)
        line = Line().put(" ").put(MARKS.get(step.state, "?"), tone or Tone.DIM).put(" ")
        line.put(fit(step.name, took_end - 12), Tone.DIM if step.state == "waiting" else tone)
        line.right(_seconds(step.took), took_end).right(_seconds(step.budget), budget_end)
        line.put(fit(awaited(step), width - note_at), tone, at=note_at)
        lines.append(line.fill(width))
    return lines


def step_sentence(steps: Sequence[Step]) -> str:
    """The steps in one line: ``recorded → pushed 5be2d71 → read back …``."""
    begun = [step for step in steps if step.state != "waiting"]
    words = [f"{step.name}{' …' if step.state == 'running' else ''}" for step in begun]
    ahead = next((step.name for step in steps if step.state == "waiting"), "")
    return " → ".join([*words, f"{ahead} …"] if ahead and not any(s.state == "running" for s in begun) else words)


def position(steps: Sequence[Step]) -> str:
    """``step 3 of 6``: the first that is not done."""
    done = sum(step.state in ("done", "late") for step in steps)
    return f"step {min(done + 1, len(steps))} of {len(steps)}" if steps else ""


def progress(steps: Sequence[Step], cells: int = 10) -> str:
    """``━━━━━━···· step 3 of 6``: how far it is by the count of steps, which says nothing of the time left."""
    done = sum(step.state in ("done", "late") for step in steps)
    return f"{bar(Decimal(done) / len(steps), cells, solid=False, tick=None)} {position(steps)}" if steps else ""


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} s" if value < 0.1 else f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
