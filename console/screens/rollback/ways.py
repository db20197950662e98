"""Every way down, what each does to orders and positions, and which of them what is known asks for."""

from __future__ import annotations

from dataclasses import dataclass

from console.desk import Frame
from stages.posture import Mode
from widgets.figures import age
from widgets.header import MODE_WORDS
from widgets.line import Line, Tone, fit, title


@dataclass(frozen=True, slots=True)
class Way:
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
    ways = [Way("FREEZE", "", "as now", "stay", held, "now")]
    git = evaluation.snapshot.git
    within = age(policy.spec.target.convergence.total_seconds())
    ready = f"READY, within {within}" if git is not None and not git.error else "Git silent, tried on"
    top = max(min(evaluation.effective, policy.top), min(evaluation.standing.riskiest, policy.top + 1))
    for index in range(top - 1, -1, -1):
        stage = policy.stages[index]
        paper = policy.stage_account(index).environment == "paper" != policy.spec.target.account.environment
        new = "none live" if paper else f"within {stage.name}"
        now = "RUNS NOW" if stage.name == going else ready
        ways.append(Way(f"ROLLBACK {stage.name}", stage.name, new, "app decides", held, now))
    return tuple(ways)


def reduces(frame: Frame | None) -> bool:
    """Whether a reduction is under way."""
    running = frame.running if frame is not None else None
    return running is not None and running.kind == "reduce" and running.finished is None


def suggested(frame: Frame | None) -> tuple[Way | None, str]:
    """The way that what is known asks for, and why; nothing when nothing is amiss."""
    ways = ways_down(frame)
    if frame is None:
        return None, "nothing is known yet; the phrases work all the same"
    if reduces(frame):
        return None, "a way down runs; a phrase typed now goes further"
    headline = frame.evaluation.headline
    rollbacks = [way for way in ways if way.stage]
    if headline.mark in ("breach", "over", "unknown") and rollbacks:
        return rollbacks[0], f"{headline.word} {headline.thing.partition(':')[0]} asks for one stage down"
    if frame.evaluation.posture.mode >= Mode.FROZEN:
        lower = "choose by what you know" if rollbacks else "and no stage is lower"
        return None, f"{MODE_WORDS[frame.evaluation.posture.mode]} holds already, {lower}"
    if headline.mark in ("warn", "breach", "over", "unknown"):
        return ways[0], f"{headline.word}: nothing may go up while you look"
    return None, "nothing is amiss; choose by what you know"


def way_lines(frame: Frame | None, note: str, width: int, *, further: bool, brief: bool) -> list[Line]:
    """The table of phrases, what holds for all of them unless ``brief``, and ``note`` right above the field."""
    wide = width >= 90
    at = (28, 42, 58, 80) if wide else (19, 32, 44, 61)
    names = ("new orders", "working orders" if wide else "working", "what is open", "ready")
    columns = tuple((name, start + len(name)) for name, start in zip(names, at, strict=True))
    heading = "FURTHER DOWN" if further else "TYPE ONE"
    lines = [title(f"{heading}{', THEN ENTER' if wide and not further else ''}", width, *columns)]
    best = suggested(frame)[0]
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
        lines.append(
            Line().put("   ROLLBACK <stage>").put("the stage's name, such as L0", at=max(at[0], 21)).fill(width)
        )
    if not brief and (frame is None or any(way.stage for way in ways)):
        lines.extend(Line().put("   ").put(fit(text, width - 4)) for text in _in_common(frame, wide))
    return [*lines, title(fit(note, width - 4), width, tone=Tone.PLAIN)]


def _in_common(frame: Frame | None, wide: bool) -> list[str]:
    """What every rollback costs: a restart, and the long way back."""
    back = "Back up only by a new advance: burn-in from zero, approvals, cooldown"
    if frame is None or not wide:
        back = "Back up only by a new advance, burn-in from zero"
    else:
        sessions = frame.policy.spec.gates.cooldown_sessions.normalize()
        back = f"{back} of {sessions:f} session{'' if sessions == 1 else 's'}"
    workloads = frame.policy.spec.target.workloads if frame is not None else ()
    names = ", ".join(work.object.rpartition("/")[2] for work in workloads)
    meanwhile = "meanwhile nothing can be closed by it either" if wide else "no closing meanwhile"
    return [f"ROLLBACK restarts {names}: {meanwhile}."] * bool(names) + [f"{back}."]
