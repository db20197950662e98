"""Every way down, what each does to orders and positions, and which of them what is known asks for."""

from __future__ import annotations

from console.desk import Frame
from stages.phrase import kill_phrase
from stages.policy import Policy
from stages.posture import Mode
from stages.session import market_after, session_length
from stages.value import Struct
from widgets.figures import age
from widgets.line import Line, Tone, fit, title


class Way(Struct, frozen=True):
    """One way down: its phrase and what happens to orders and positions."""

    phrase: str
    stage: str
    new_orders: str
    working: str
    held: str
    ready: str


def ways_down(frame: Frame | None) -> tuple[Way, ...]:
    """Every way down that there is, mildest first; without a frame only what needs no knowledge."""
    if frame is None:
        return (Way("FREEZE", "", "as now", "stay", "stays", "now"),)
    policy, evaluation = frame.policy, frame.evaluation
    going = next((card.name for card in evaluation.cards if card.status.startswith("GOING")), "")
    going = going if reduces(frame) else ""
    until = policy.spec.target.session.flatten_start
    held = f"stays, closes {until:%H:%M}" if until is not None else "stays"
    ready = _git_ready(frame)
    ways = [Way("FREEZE", "", "as now", "stay", held, "now")]
    top = max(min(evaluation.effective, policy.top), min(evaluation.standing.riskiest, policy.top + 1))
    for index in range(top - 1, -1, -1):
        stage = policy.stages[index]
        paper = policy.stage_account(index).environment == "paper" != policy.spec.target.account.environment
        new = "none live" if paper else f"within {stage.name}"
        now = "RUNS NOW" if stage.name == going else ready
        ways.append(Way(f"ROLLBACK {stage.name}", stage.name, new, "app decides", held, now))
    return (*ways, _kill(frame))


def _git_ready(frame: Frame) -> str:
    git = frame.evaluation.snapshot.git
    within = age(frame.policy.spec.target.convergence.total_seconds())
    return f"READY, within {within}" if git is not None and not git.error else "Git silent, tried"


def _kill(frame: Frame) -> Way:
    """Everything at once; the strategy cannot close either, so the desk must."""
    venue, until = frame.evaluation.snapshot.venue, frame.policy.spec.target.session.flatten_start
    held = f"stays, {until:%H:%M} BLOCKED" if until is not None else "stays"
    if venue is None:
        ready = "by Git alone"
    elif venue.error:
        ready = "venue away, tried"
    else:
        ready = "DONE at venue" if venue.blocked and not venue.open_orders else "READY"
    return Way(kill_phrase(frame.policy.name), "", "BLOCKED", "all cancel", held, ready)


def reduces(frame: Frame | None) -> bool:
    """Whether a reduction is under way."""
    running = frame.running if frame is not None else None
    return running is not None and running.kind == "reduce" and running.finished is None


def suggested(frame: Frame | None, *, kill: bool = False) -> tuple[Way | None, str]:
    """The way that what is known asks for, and why; nothing when nothing is amiss. ``kill``: it was asked for."""
    ways = ways_down(frame)
    if kill and frame is not None:
        return ways[-1], "you asked for it; nothing happens before the phrase"
    if frame is None:
        return None, "nothing is known yet; the phrases work all the same"
    if reduces(frame):
        return None, "a way down runs; a phrase typed now goes further"
    headline = frame.evaluation.headline
    rollbacks = [way for way in ways if way.stage]
    if not frame.presence.known and headline.mark == "unknown":
        return None, "what is held is not known; choose by what you read"
    if headline.mark in ("breach", "over", "unknown") and rollbacks:
        return rollbacks[0], f"{headline.word} {headline.thing.partition(':')[0]} asks for one stage down"
    if frame.evaluation.posture.mode >= Mode.FROZEN:
        lower = "choose by what you know" if rollbacks else "and no stage is lower"
        return None, f"{frame.evaluation.posture.mode.words} holds already, {lower}"
    if headline.mark in ("warn", "breach", "over", "unknown"):
        return ways[0], f"{headline.word}: nothing may go up while you look"
    return None, "nothing is amiss; choose by what you know"


def way_lines(
    frame: Frame | None, note: str, width: int, *, further: bool, brief: bool, kill: bool = False
) -> list[Line]:
    """The table of phrases, what holds for all of them unless ``brief``, and ``note`` right above the field."""
    wide = width >= 90
    at = (28, 42, 58, 80) if wide else (19, 32, 44, 61)
    names = ("new orders", "working orders" if wide else "working", "what is open", "ready")
    columns = tuple((name, start + len(name)) for name, start in zip(names, at, strict=True))
    heading = "FURTHER DOWN" if further else "TYPE ONE"
    lines = [title(f"{heading}{', THEN ENTER' if wide and not further else ''}", width, *columns)]
    best = suggested(frame, kill=kill)[0]
    ways = ways_down(frame)
    for way in ways:
        pick = best is not None and way.phrase == best.phrase
        line = Line(Tone.BOLD if pick else Tone.PLAIN).put(" ► " if pick else "   ").put(fit(way.phrase, at[0] - 4))
        for text, start, end in zip(
            (way.new_orders, way.working, way.held, way.ready), at, (*at[1:], width), strict=True
        ):
            short = text.removeprefix("stays, ") if len(text) > end - start - 1 else text
            line.put(fit(short, end - start - 1), at=start)
        lines.append(line.fill(width))
    if frame is None:
        at_name = max(at[0], 21)
        lines.append(Line().put("   ROLLBACK <stage>").put("the stage's name, such as L0", at=at_name).fill(width))
        lines.append(Line().put("   KILL <name>").put("the policy's name", at=at_name).fill(width))
    if not brief:
        lines.extend(Line().put("   ").put(fit(text, width - 4)) for text in _in_common(frame, width))
    return [*lines, title(fit(note, width - 4), width, tone=Tone.PLAIN)]


def _in_common(frame: Frame | None, width: int) -> list[str]:
    """What the ways cost: a restart, what cannot be closed meanwhile, and the long way back with its earliest date."""
    if frame is None:
        return ["Back up only by a new advance, burn-in from zero."]
    wide = width >= 90
    policy, lower = frame.policy, [way.stage for way in ways_down(frame) if way.stage]
    until = policy.spec.target.session.flatten_start
    at = f" at {until:%H:%M}" if until is not None else ""
    says = f"Nothing here sells. After KILL the strategy cannot close{at} either: the desk must."
    lines = [says if wide else f"After KILL nothing closes{at} either: the desk must."]
    names = ", ".join(work.object.rpartition("/")[2] for work in policy.spec.target.workloads)
    if names and lower:
        meanwhile = "meanwhile nothing can be closed by it either" if wide else "no closing meanwhile"
        lines.append(f"ROLLBACK restarts {names}: {meanwhile}.")
    lines.append(_way_back(policy, lower, frame, width))
    if width >= 120 and frame.evaluation.posture.mode > Mode.FROZEN:
        lines.append("What holds now ends by c; it then comes back at the stage that stands, never above it.")
    return lines


def _way_back(policy: Policy, lower: list[str], frame: Frame, width: int) -> str:
    """``Back up from L1: burn-in from zero, 2 approvals, not before Mon 07 Dec. From KILL: two people, one risk.``"""
    from_kill = "From KILL: two people, one risk, books clean" if width >= 120 else "From KILL: two people"
    if width >= 120 and policy.spec.drill is not None and policy.spec.drill.kill:
        from_kill += ", drill in date"
    if not lower:
        return f"{from_kill}."
    index = policy.stage_index(lower[0]) or 0
    need = policy.stages[index + 1].approvals.required
    earliest = _earliest(policy, index, frame)
    approvals = f"{need} approval{'' if need == 1 else 's'}"
    if width < 90:
        return f"Back from {lower[0]}: {approvals}, not before {earliest}. From KILL: later."
    return f"Back up from {lower[0]}: burn-in from zero, {approvals}, not before {earliest}. {from_kill}."


def _earliest(policy: Policy, stage: int, frame: Frame) -> str:
    """The first day on which ``stage`` could be left upwards again: its burn-in, at least the cooldown."""
    hours, spec = policy.spec.target.session, policy.stages[stage].burn_in
    session = session_length(hours)
    cooldown = float(policy.spec.gates.cooldown_sessions) * session.total_seconds() / 60
    needed = max(cooldown, spec.min_market_time.minutes(session) if spec is not None else 0.0)
    at = market_after(hours, frame.evaluation.snapshot.market, needed)
    return f"{at:%a %d %b}" if at is not None else "the calendar's end"
