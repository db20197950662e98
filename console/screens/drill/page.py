"""The page of a drill, before, while and after it runs: a pure function of view and size."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from console.actions import On
from console.desk import DrillGround
from console.screens import View, keys_line, view_head, zone_of
from console.screens.drill.parts import (
    clock_lines,
    evidence_lines,
    held_back_lines,
    last_lines,
    obstacle_lines,
    order_lines,
    proof_lines,
    seconds,
    step_lines,
    touch_lines,
    unlock_lines,
)
from console.screens.drill.scorecard import score_lines
from stages.drill import ABORTED, ACTS, FIRE, KILL, PAPER, PASS, ROLLBACK, RUNNING, TABLETOP
from stages.drill_faults import FAULTS
from stages.drill_progress import (
    UNDER_WAY,
    UNKNOWN,
    DrillBoard,
    DrillProgress,
    StepProgress,
    left_behind,
    progress,
    unclean,
    why_not,
)
from stages.facts import DrillRun
from stages.phrase import drill_phrase, kill_phrase, rollback_phrase
from stages.value import Struct, replace
from stages.verdict import Headline, Sees
from widgets.header import header, local_time, small_header
from widgets.line import Line, Tone, beside, fit, padded, title
from widgets.truth_panel import truth_lines

STILL_SHOWN: Final = timedelta(minutes=15)
"""How long a drill that has ended stays on the page by itself."""

LEAST_TRUTH: Final = 4
MOST_TRUTH: Final = 6
"""Lines of the live target's truth beside a drill that is shown: its first facts, or nothing at all."""

READ_ONLY: Final = "READ-ONLY, this console was started so"
LEAST_LAST: Final = 2
"""Lines of the last drills that stand below the scorecard."""


class Sitting(Struct, frozen=True):
    """What the person did on this page: the drill put aside for a new one, and what came of a wish."""

    ground: DrillGround | None = None
    aside: str = ""
    note: str = ""
    fault: str = ""
    """The fault that is chosen for the next drill of the kill; empty for a plain one."""


class Way(Struct, frozen=True):
    """One phrase that may be typed, and what it does."""

    phrase: str
    does: str


def shown_run(view: View, asked: Sitting) -> DrillRun | None:
    """The drill on the page: the one that runs, or the newest while it is news or has left something behind."""
    board = _board(view)
    run = board.newest if board is not None else None
    if run is None or run.run == asked.aside:
        return None
    if run.state == RUNNING or run.ended is None or left_behind(run):
        return run
    return run if view.wall - run.ended <= STILL_SHOWN else None


def shown_progress(view: View, run: DrillRun) -> DrillProgress:
    """How far it is at the time of painting; what was under way at the last tick is not known any more without one."""
    board = _board(view)
    found = progress(run, view.wall, _budgets(view), board.runs if board is not None else ())
    return _last_known(found) if view.cut_off else found


def _last_known(found: DrillProgress) -> DrillProgress:
    """The same without what goes on unseen."""
    steps = tuple(replace(one, state=UNKNOWN, took=None) if one.state == UNDER_WAY else one for one in found.steps)
    orders = tuple(replace(one, state=UNKNOWN, took=None) if one.state == UNDER_WAY else one for one in found.orders)
    clock = tuple(replace(row, now=None, running=False) if row.running else row for row in found.clock)
    return replace(found, steps=steps, orders=orders, clock=clock, since_act=None)


def ways(ground: DrillGround | None, fault: str = "") -> tuple[Way, ...]:
    """What may be typed to begin a drill, one of the kill alone under a chosen fault; what cannot be is not offered."""
    tables = tuple(Way(drill_phrase(TABLETOP, act, ""), "touches nothing; you answer step by step") for act in ACTS)
    if ground is None or ground.target is None or ground.trouble:
        return tables if ground is not None and ground.target is not None else ()
    name = ground.target.target
    if fault:
        return (Way(drill_phrase(PAPER, KILL, name, fault), f"{FAULTS[fault].says}: {FAULTS[fault].must}"),)
    kill = Way(drill_phrase(PAPER, KILL, name), "blocks it, cancels all its orders, two people restore it")
    down = f"steps it down {ground.upper} to {ground.lower}, and puts it back"
    roll = (Way(drill_phrase(PAPER, ROLLBACK, name), down),) if ground.lower else ()
    return (kill, *roll, *tables)


def phrases(view: View, asked: Sitting) -> tuple[str, ...]:
    """The phrases that the field takes now."""
    run = shown_run(view, asked)
    if run is None:
        return tuple(way.phrase for way in ways(asked.ground, asked.fault))
    return (fire_phrase(run),) if fires_by_hand(run) else ()


def fire_phrase(run: DrillRun) -> str:
    """What is typed to fire the act by hand: the same words as for the live target, with the name of the drill's."""
    if run.act == KILL:
        return kill_phrase(str(run.target["target"]))
    return rollback_phrase(run.transition.rpartition(" ")[2])


def fires_by_hand(run: DrillRun) -> bool:
    """Whether the drill waits for the phrase of its act."""
    return run.state == RUNNING and run.mode == PAPER and run.path == "key" and run.step == FIRE and run.fired is None


def to_answer(view: View, run: DrillRun) -> StepProgress | None:
    """The step of a tabletop that waits for an answer."""
    if run.mode != TABLETOP or run.state != RUNNING or run.step in run.answers:
        return None
    return shown_progress(view, run).current


def drill_page(view: View, asked: Sitting, width: int, height: int) -> tuple[list[Line], int | None]:
    """The page, and the row of the field; None where nothing is typed."""
    run = shown_run(view, asked)
    found = shown_progress(view, run) if run is not None else None
    # Without ticks nothing is READY and nothing is known to run: the head says that, and not what was so before.
    headline = None if view.cut_off else _headline(view, asked, found)
    head = replace(view_head(view, headline, prefix="DRILL │"), pnl=None)
    if found is not None and run is not None and width >= 100 and not view.cut_off:
        head = replace(head, verdict=f"{found.passed} of {len(found.steps)} steps hold")
    lines = header(head, width) if width >= 80 else small_header(head, width)
    above = _field_lines(view, asked, run, width)
    field_at = len(lines) + len(above) if above else None
    lines = [*lines, *above, *([Line(), Line()] if above else [])]
    foot = [title(fit(_next(view, asked, found), width - 4), width, tone=Tone.PLAIN)]
    foot.append(keys_line(On.DRILL, view, width).fill(width))
    room = height - len(lines) - len(foot)
    body = _wide(view, asked, found, width, room) if width >= 110 else _narrow(view, asked, found, width, room)
    return [*lines, *padded(body, room), *foot], field_at


def _board(view: View) -> DrillBoard | None:
    return view.frame.drills if view.frame is not None else None


def _sees(view: View) -> Sees | None:
    return view.frame.sees if view.frame is not None else None


def _budgets(view: View) -> Mapping[str, timedelta]:
    spec = view.frame.policy.spec.drill if view.frame is not None else None
    return spec.budgets if spec is not None else {}


# ------------------------------------------------------------------------------------------------------------ rows 2, 3


def _headline(view: View, asked: Sitting, found: DrillProgress | None) -> Headline:
    if found is None:
        return _before(view, asked)
    run = found.run
    under = f", under {run.inject}" if run.inject else ""
    what = f"{run.act}, {run.mode.upper()}, drill {run.run[:8]}{under}"
    if run.state == RUNNING:
        figure = f"{seconds(found.since_act)} since the act" if found.since_act is not None else ""
        step = found.current
        doing = f"{step.id} {step.says}{f': {step.note}' if step.note else ''}" if step is not None else what
        return Headline("RUNNING", figure, doing, _touched(asked, run), "running", reverse=False)
    if run.state == PASS:
        thing = f"{what}: every step held within its budget"
        return Headline("PASSED", f"{found.passed} of {len(found.steps)}", thing, _unlocked(view), "ok", reverse=False)
    calm = "No advance until one passes. Live trading is not affected."
    if left_behind(run):
        calm = f"NOT CLEANED UP: {run.target.get('target', 'its target')} stays as it is. {calm}"
    word = "ABORTED" if run.state == ABORTED else "FAILED"
    return Headline(word, "", why_not(run), calm, "breach", reverse=True)


def _before(view: View, asked: Sitting) -> Headline:
    ground, board = asked.ground, _board(view)
    left = unclean(board.runs) if board is not None else None
    if left is not None:
        name = left.target.get("target", "its target")
        said = f"drill {left.run[:8]} left {name} as it was: {why_not(left)}"
        return Headline("NOT CLEANED UP", "", said, f"Restore {name} first; a new drill says whether it is in order.",
                        "breach", reverse=True)  # fmt: skip
    if _looks_only(view):
        said = "drills are shown here, and begun where somebody may act"
        return Headline("READ-ONLY", "", said, "Nothing is touched by looking.", "ok", reverse=False)
    if ground is None:
        return Headline("WAIT", "", "reads the drill's target", "Nothing is touched by looking.", "running", False)
    if ground.trouble:
        return Headline("CANNOT DRILL", "", ground.trouble, "Nothing was touched.", "warn", reverse=False)
    down = f", rollback {ground.upper} to {ground.lower}" if ground.lower else ""
    name = ground.target.target if ground.target is not None else ""
    thing = f"kill{down}, on {name}; or at the table"
    return Headline("READY", "", thing, "Nothing happens before the phrase. Leaving stops nothing.", "ok", False)


def _touched(asked: Sitting, run: DrillRun) -> str:
    live, goes_on = asked.ground.live if asked.ground is not None else None, "The live target"
    if live is not None:
        goes_on = f"{live.target} (…{live.account[-4:]} {live.environment.upper()})"
    if run.mode != PAPER:
        return "A tabletop: nothing is touched. The clock runs while people answer."
    return f"Stops {run.target['target']} only. {goes_on} keeps trading; its alarms stay real."


def _in_force(view: View) -> str:
    """Label of the account that the stage in force is measured on; empty while nobody knows."""
    if view.frame is None:
        return ""
    here = view.frame.evaluation
    return here.accounts.get(here.book, ("", ""))[0]


def _unlocked(view: View) -> str:
    board = _board(view)
    if board is None or not board.asked:
        return "Live trading was not affected."
    if board.validity.ok:
        return "Every drill that the next advance relies on is in date."
    return f"Still missing for the next advance: {board.validity.reasons[0]}."


def _next(view: View, asked: Sitting, found: DrillProgress | None) -> str:
    """The last rule: what came of a wish, or what comes next."""
    if asked.note:
        return asked.note
    if view.cut_off:
        return "what runs goes on by itself; rampdeck drill list tells of it elsewhere"
    if found is None:
        return _before_any(view, asked)
    run = found.run
    if run.state != RUNNING:
        if left_behind(run):
            return "what now: put the target in order, then d a new drill"
        return f"what now: d a new drill{'' if run.state == PASS else '   l what was recorded'}"
    if run.abandoned:
        return f"{run.abandoned} gave it up: it cleans up and counts as failed"
    if fires_by_hand(run):
        return f"next: type {fire_phrase(run)}; it fires on {run.target['target']} alone"
    step = to_answer(view, run)
    if step is not None:
        return f"next: answer {step.id} with y, n or u and a few words"
    after = next((one.id for one in found.steps if one.state == "waiting"), "")
    if run.step == "D12" and run.act == KILL:
        return "next: two people, one of them risk, approve the restore in the inbox"
    return f"next: {after} starts by itself; nothing to do" if after else "next: it ends by itself; nothing to do"


def _before_any(view: View, asked: Sitting) -> str:
    if _looks_only(view):
        return f"{READ_ONLY}: it shows drills, and begins none"
    ground = asked.ground
    if ground is None:
        return "reads the drill's target; the keys work meanwhile"
    if ground.trouble:
        return "put that right, then d reads the target again"
    return "tab to the field; what you type is what happens"


def _looks_only(view: View) -> bool:
    return view.read_only or (view.frame is not None and view.frame.read_only)


def _field_lines(view: View, asked: Sitting, run: DrillRun | None, width: int) -> list[Line]:
    """What stands right above the field; nothing where there is nothing to type."""
    if _looks_only(view):
        return []
    if run is None:
        offered = ways(asked.ground, asked.fault)
        head = f"UNDER A FAULT: {asked.fault}; f THE NEXT ONE, OR NONE" if asked.fault else "TYPE ONE, THEN ENTER"
        lines = [title(head, width)] if offered else []
        at = max((len(way.phrase) for way in offered), default=0) + 6
        lines.extend(Line().put(f"   {way.phrase}").put(fit(way.does, width - at - 1), at=at) for way in offered)
        return lines
    if fires_by_hand(run):
        return [title(f"FIRE BY HAND: {fire_phrase(run)}, THEN ENTER", width)]
    step = to_answer(view, run)
    if step is None:
        return []
    name = f"{step.id} {step.says}: did it hold? y, n or u, and words"
    return [title(fit(name, width - 4), width)]


# ----------------------------------------------------------------------------------------------------------- the bodies


def _until(view: View, run: DrillRun | None) -> str:
    moment: datetime | None = run.until if run is not None else None
    frame = view.frame
    if moment is None or frame is None:
        return ""
    market = frame.evaluation.snapshot.market_of(moment)
    return local_time(market, frame.policy.spec.target.session.timezone, "%H:%M:%S")


def _wide(view: View, asked: Sitting, found: DrillProgress | None, width: int, room: int) -> list[Line]:
    at = 70 if width < 140 else 92
    right = width - at - 1
    run, board = (found.run if found is not None else None), _board(view)
    side = [*touch_lines(asked.ground, run, right), *held_back_lines(run, _until(view, run), _in_force(view), right)]
    if found is None:
        side = [*obstacle_lines(asked.ground, right), *side]
        main = _standing(view, board, at, room)
        side += _live_truth(view, right, room - len(side))
        return beside(padded(main, room), padded(side, room), at, width)
    main = [*step_lines(found.steps, at, 14), *clock_lines(found, _sees(view), at), *unlock_lines(board, at)]
    side += [*order_lines(found, right), *proof_lines(found, right), *evidence_lines(found.run, right)]
    side += _live_truth(view, right, min(MOST_TRUTH, room - len(side)))
    side += last_lines(board, right, min(6, room - len(side)), zone_of(view))
    return beside(padded(main, room), padded(side, room), at, width)


def _standing(view: View, board: DrillBoard | None, width: int, room: int) -> list[Line]:
    """How drills stand: what the next advance needs, each check over time, and the last drills where there is room."""
    unlock = unlock_lines(board, width)
    left = room - len(unlock)
    newest = last_lines(board, width, LEAST_LAST, zone_of(view))
    score = score_lines(board, _budgets(view), view.wall, width, left - len(newest))
    return [*unlock, *score, *last_lines(board, width, left - len(score), zone_of(view))]


def _live_truth(view: View, width: int, room: int) -> list[Line]:
    """What the witnesses say of the live target meanwhile: a drill must leave it as it is."""
    if view.frame is None or room < LEAST_TRUTH:
        return []
    truth = view.frame.evaluation.truth
    return truth_lines(truth, width, min(room, len(truth.rows) + 2), "", view.wall, "TRUTH OF THE LIVE TARGET")


def _narrow(view: View, asked: Sitting, found: DrillProgress | None, width: int, room: int) -> list[Line]:
    """One column, the most important first: what is touched, then the steps, then what became of the orders."""
    run, board = (found.run if found is not None else None), _board(view)
    lines = touch_lines(asked.ground, run, width)
    if found is None:
        lines = [*obstacle_lines(asked.ground, width), *lines]
        return [*lines, *_standing(view, board, width, room - len(lines))]
    orders = order_lines(found, width)
    spare = room - len(lines) - 14 - len(orders)
    lines += step_lines(found.steps, width, 14 if spare >= 0 else max(6, room - len(lines) - len(orders)))
    lines += orders
    for part in (proof_lines(found, width), clock_lines(found, _sees(view), width), evidence_lines(found.run, width)):
        if len(lines) + len(part) <= room:
            lines += part
    return lines
