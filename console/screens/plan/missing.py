"""The Plan page while there is no plan: what making it does now, or why there is none and what works all the same."""

from __future__ import annotations

from datetime import datetime

from console.screens.plan.draft import Draft
from widgets.line import Line, Tone, sentences, title
from widgets.step_list import progress, step_lines


def no_plan(draft: Draft, wall: datetime, width: int) -> list[Line]:
    """What is done, or what, where and what to do."""
    said = draft.trouble or (draft.rehearsal.refusal if draft.rehearsal is not None else "")
    if not said:
        steps = draft.making(wall)
        return [Line(), *step_lines(steps, width, len(steps) + 1, f"MAKING THE PLAN {progress(steps)}")]
    fault = draft.fault
    facts = [("what", fault.what if fault is not None else said)]
    if fault is not None:
        facts += [("where", fault.where), ("do", fault.fix)]
    lines = [Line(), title("WHY THERE IS NO PLAN", width)]
    for name, text in facts:
        lines.extend(_fact(name, text, width))
    lines.append(title("WHAT WORKS ALL THE SAME", width))
    for name, text in (
        ("R", "makes the plan again; nothing was written"),
        ("r", "reduces risk: a way down needs no plan"),
        ("elsewhere", f"rampdeck doctor says which part is away; rampdeck plan --to {draft.target} plans from a shell"),
    ):
        lines.extend(_fact(name, text, width))
    return lines


def _fact(name: str, text: str, width: int) -> list[Line]:
    told = sentences(text, width - 15)
    return [Line().put(f"   {'' if row else name}", Tone.DIM).put(one.text, at=14) for row, one in enumerate(told)]
