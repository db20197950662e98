"""The panels of the drill page: steps, what is touched, planted orders, refusals, clock, evidence, what is unlocked."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from console.desk import DrillGround
from stages.drill import PAPER, RUNNING, Scope
from stages.drill_progress import (
    DONE,
    FAILED,
    NOT_RUN,
    UNDER_WAY,
    UNKNOWN,
    DrillBoard,
    DrillProgress,
    StepProgress,
    left_behind,
    why_not,
)
from stages.facts import DrillRun
from stages.verdict import Sees
from widgets.header import local_time
from widgets.line import Line, Tone, fit, title

MARKS: Final = {DONE: "·", UNDER_WAY: "►", FAILED: "■", UNKNOWN: "?", NOT_RUN: "○"}
TONES: Final = {FAILED: Tone.WARN, UNKNOWN: Tone.UNKNOWN, UNDER_WAY: Tone.BOLD}
RESULTS: Final = {DONE: "pass", FAILED: "FAIL", UNKNOWN: "UNKNOWN", NOT_RUN: "not run"}


def seconds(value: float | None) -> str:
    """``4.1 s``, ``70 s``; nothing for what was not timed."""
    return "" if value is None else f"{value:.1f} s" if value < 60 else f"{value:.0f} s"


def step_lines(steps: Sequence[StepProgress], width: int, room: int) -> list[Line]:
    """A title and one line a step, with the step under way always in sight; what was seen follows where it fits."""
    if room < 2:
        return []
    result_end, took_end = width - 15, width - 1
    lines = [title("STEPS", width, ("result", result_end), ("took/budget", took_end))]
    for step in _in_sight(steps, room - 1):
        tone = TONES.get(step.state)
        dim = Tone.DIM if step.state in ("waiting", NOT_RUN) else tone
        line = Line().put(" ").put(MARKS.get(step.state, " "), tone or Tone.DIM).put(f" {step.id:<4}", dim)
        line.put(fit(step.says, result_end - 17), dim)
        result = step.note if step.state == UNDER_WAY else RESULTS.get(step.state, "")
        line.right(fit(result, 9), result_end, tone)
        line.right(_took(step), took_end, dim)
        lines.append(line.fill(width))
    return lines


def _took(step: StepProgress) -> str:
    if step.took is None:
        return f"/{step.budget:g} s"
    return f"{step.took:.1f}/{step.budget:g} s"


def _in_sight(steps: Sequence[StepProgress], room: int) -> Sequence[StepProgress]:
    """As many steps as there is room for, around the one that matters: under way, or the first that did not hold."""
    if room >= len(steps):
        return steps
    matters = [at for at, step in enumerate(steps) if step.state in (UNDER_WAY, FAILED, UNKNOWN)]
    first = max(0, min((matters[0] if matters else 0) - room // 3, len(steps) - room))
    return steps[first : first + room]


def touch_lines(ground: DrillGround | None, run: DrillRun | None, width: int) -> list[Line]:
    """What stops and what is left alone, with both accounts: the first question of whoever drills."""
    lines = [title("WHAT IT TOUCHES", width)]
    if run is not None and run.mode != PAPER:
        rows = [("stops", "nothing: a tabletop is talk and a clock"), ("leaves alone", "everything")]
    else:
        target = run.target if run is not None else None
        stops = _named(ground.target if ground else None)
        if target:
            stops = f"{target['target']}, {target['account']} {target['environment'].upper()}"
        rows = [("stops", stops), ("leaves alone", _named(ground.live if ground else None))]
    for name, said in rows:
        lines.append(Line().put(f" {name}").put(fit(said, width - 16), Tone.BOLD, at=15).fill(width))
    return lines


def obstacle_lines(ground: DrillGround | None, width: int) -> list[Line]:
    """Why no drill can be held, in full and with what to do about it; nothing where one can be."""
    if ground is None or not ground.trouble:
        return []
    said = [Line().put(f" {text}").fill(width) for text in wrap(ground.trouble, width - 2)]
    return [title("WHY NONE CAN BE HELD", width, tone=Tone.BOLD), *said]


def _named(scope: Scope | None) -> str:
    return f"{scope.target}, {scope.account} {scope.environment.upper()}" if scope else "not read yet"


def held_back_lines(run: DrillRun | None, until: str, in_force: str, width: int) -> list[Line]:
    """What else happens, or does not, while it runs. ``in_force``: label of the account that the burn-in reads."""
    shared = run is not None and bool(in_force) and run.target.get("account") == in_force
    said = "goes on; what the drill declares is left out" if shared else "goes on; nothing of it is touched"
    rows = [("burn-in", said)]
    if run is not None and run.until is not None:
        rows.append(("its alarms", f"marked DRILL; held back until {until}"))
    rows.append(("live alarms", "as always; a live trigger ends it"))
    return [Line().put(f" {name}").put(fit(said, width - 16), at=15).fill(width) for name, said in rows]


def order_lines(found: DrillProgress, width: int) -> list[Line]:
    """Each planted order, and what became of it."""
    if not found.orders:
        return []
    lines = [title("PROBE ORDERS at the paper venue", width)]
    for order in found.orders:
        tone = TONES.get(order.state)
        text = f" {order.name} {order.says}"
        line = Line().put(fit(text, width - 28)).put(f" {order.outcome}", tone, at=width - 26)
        lines.append(line.right(seconds(order.took), width - 1, tone).fill(width))
    return lines


def proof_lines(found: DrillProgress, width: int) -> list[Line]:
    """What was refused, as it was said; a drill without these proves nothing."""
    lines = [title("NEGATIVE PROOFS", width)]
    for one in found.proofs:
        mark, tone = {True: ("·", Tone.DIM), False: ("■", Tone.WARN), None: ("?", Tone.UNKNOWN)}[one.ok]
        line = Line().put(" ").put(mark, tone).put(f" {one.step:<4}").put(fit(one.observed or one.says, width - 9))
        lines.append(line.fill(width))
    if not found.proofs:
        lines.append(Line().put("   not tried yet", Tone.DIM).fill(width))
    return lines


def clock_lines(found: DrillProgress, sees: Sees | None, width: int) -> list[Line]:
    """Seconds from the act until each thing was seen, beside those of the last drill that passed.

    While it runs, above them how soon this console shows what would fire the act, where that was measured.
    """
    now_end, budget_end, last_end = width - 23, width - 11, width - 1
    lines = [title("CLOCK from the act", width, ("now", now_end), ("budget", budget_end), ("last", last_end))]
    if sees is not None and found.run.mode == PAPER and found.run.state == RUNNING:
        lines.append(Line().put("   a breach → on this screen, p99").right(seconds(sees.p99), now_end).fill(width))
    for row in found.clock:
        tone = Tone.BOLD if row.running else None
        line = Line().put(f"   → {row.says}", tone)
        line.right(f"{'… ' if row.running else ''}{seconds(row.now)}", now_end, tone)
        line.right(seconds(row.budget), budget_end).right(seconds(row.last), last_end, Tone.DIM)
        lines.append(line.fill(width))
    return lines


def evidence_lines(run: DrillRun, width: int) -> list[Line]:
    """The bundle by its name, or what is recorded until there is one."""
    lines = [title("EVIDENCE", width)]
    kept = [one.partition(" ")[0] for one in run.artifacts]
    said = ", ".join(kept) if kept else f"{len(run.findings)} findings so far; the bundle is written at the end"
    lines.append(Line().put(" ").put(fit(said, width - 2)).fill(width))
    digest = next((one.partition(" ")[2] for one in run.artifacts), "")
    return [*lines, Line().put(" ").put(fit(digest, width - 2), Tone.DIM).fill(width)] if digest else lines


def unlock_lines(board: DrillBoard | None, width: int) -> list[Line]:
    """What the next advance may rely on, and why not."""
    lines = [title("WHAT THIS DRILL UNLOCKS", width)]
    if board is None:
        said = ["not known before the first tick"]
    elif not board.asked:
        said = ["the policy asks for no drill: nothing waits for it"]
    else:
        up = " → ".join(reversed(board.down.split(" to "))) if board.down else "the next advance"
        needs = f"{up} needs a kill drill in date{f', and a rollback drill {board.down}' if board.down else ''}"
        now = ["now: all in date"] if board.validity.ok else [f"■ {reason}" for reason in board.validity.reasons]
        said = [needs, *now, *(f"▲ {one}" for one in board.validity.warnings)]
        said.append("void by another posture mapping, account or endpoint, or a later drill that failed")
    return [*lines, *(Line().put(" ").put(fit(text, width - 2)).fill(width) for text in said)]


def _kind(run: DrillRun) -> str:
    return f"{run.act}{', TABLETOP' if run.mode != PAPER else f', {run.inject}' if run.inject else ''}"


def last_lines(board: DrillBoard | None, width: int, room: int, zone: str) -> list[Line]:
    """The newest drills first, each with its start on the clock of ``zone`` and with why it did not pass."""
    if room < 2:
        return []
    runs = list(reversed(board.runs))[: room - 1] if board is not None else []
    lines = [title("LAST DRILLS", width)]
    what = [f" {local_time(run.started, zone, '%d %b %H:%M')}  {_kind(run)}" for run in runs]
    at = min(max(map(len, what), default=0), 39) + 2
    for run, said in zip(runs, what, strict=True):
        bad = run.state not in ("PASS", RUNNING)
        line = Line().put(fit(said, at - 1)).put(run.state, Tone.WARN if bad else None, at=at)
        why = f"{why_not(run)}{' (left as it was)' if left_behind(run) else ''}"
        lines.append(line.put(fit(why, width - at - 10), at=at + 9).fill(width))
    if board is None:
        lines.append(Line().put(" not known before the first tick").fill(width))
    elif not runs:
        lines.append(Line().put(" none yet: nobody knows whether the kill works", Tone.BOLD).fill(width))
    return lines
