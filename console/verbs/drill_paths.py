"""Paths: how a drill fires the act under test on its own target, each the way in which it is fired on the live one."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Final

from stages.drill import COMMAND, HANGUP, INJECTED, KEY, TRIGGER
from stages.facts import REDUCE
from stages.phrase import kill_phrase, rollback_phrase
from stages.posture import Mode
from stages.refusal import Refusal, Trouble
from stages.value import Struct

if TYPE_CHECKING:
    from console.wiring import Wiring
    from stages.policy import Policy

PATIENCE: Final = 60.0
"""Seconds for a person's hands, or a process, to write the intent; and again until it has an outcome."""
INPUT_LASTS: Final = timedelta(hours=1)
"""For how long no watch takes injected input for gone: longer than any drill, which takes it back itself."""
_LOOK_EVERY: Final = 0.1


class Followed(Struct, frozen=True):
    """What the target's ledger tells of the act."""

    outcome: str
    sha: str
    unverified: tuple[str, ...] = ()


def fire(path: str, target: Wiring, policy: Policy, stage: int, mode: Mode) -> Followed:
    """Fire by ``path`` and follow the act to its outcome, ``unknown`` when none comes. Raises Trouble."""
    before = target.ledger.head().seq
    if path == TRIGGER:
        _trip(target, policy, stage, mode)
    elif path == HANGUP:
        target.launcher.hang_up(_command(policy, stage, mode), partial(_waited, target, before))
    elif path == COMMAND:
        target.launcher.launch(_command(policy, stage, mode))
    elif path != KEY:  # by key a person fires, on the drill's screen
        raise Trouble(f"nobody fires by '{path}'", fix="use key, command, trigger or hangup")
    return _follow(target, before)


def _command(policy: Policy, stage: int, mode: Mode) -> list[str]:
    """The command line that a person would type."""
    if mode is Mode.KILLED:
        return ["kill", "--confirm", kill_phrase(policy.name), "--reason", "drill"]
    name = policy.stages[stage].name
    return ["rollback", "--confirm", rollback_phrase(name), "--reason", "drill"]


def _trip(target: Wiring, policy: Policy, stage: int, mode: Mode) -> None:
    """Inject what a confirmed trigger writes, and let the watch's own reflex answer it.

    A step down is asked for as triggers do: frozen, at most at the stage. Its latch lasts for as long as its input.
    """
    from console.watch.reflex import Reflex
    from stages.commands import OpenLatch
    from stages.posture import UNRULED, ClearRule, join
    from stages.standing import assess, read_controls

    down = mode is not Mode.KILLED
    head = target.repository.fetch()
    standing = assess(policy, read_controls(policy, partial(target.repository.read, head)))
    latch = OpenLatch(
        actor=target.actor, trigger=INJECTED, cause="injected", evidence="injected by a drill",
        mode=Mode.FROZEN if down else mode, cap=str(stage), effective=standing.riskiest,
        stage=policy.stages[stage].name, clear_roles=("risk",),
        rule=ClearRule(approval=False, itself=True, hold=INPUT_LASTS) if down else UNRULED,
    )  # fmt: skip
    said = target.ledger.transact(latch, now=target.clock.wall())
    if isinstance(said, Refusal):
        raise Trouble(f"the trigger could not be tripped: {said.reason}")
    posture = join(target.ledger.state().latches.values(), policy.top)
    reflex = Reflex(target.launcher, target.actor)
    reflex.consider(policy, posture, standing, cause=INJECTED, wait=False, now=target.clock.wall())
    if reflex.trouble:
        raise Trouble(reflex.trouble)


def _intent(target: Wiring, before: int) -> str:
    """Id of the reduction begun after the entry ``before``; empty while there is none."""
    found = (one for one in target.ledger.entries(after=before) if one.kind == "intent")
    return next((one.intent or "" for one in found if one.body.get("act") == REDUCE), "")


def _waited(target: Wiring, before: int) -> bool:
    """Whether the intent came within the patience."""
    pause, deadline = Event(), target.clock.monotonic() + PATIENCE
    while target.clock.monotonic() < deadline:
        if _intent(target, before):
            return True
        pause.wait(_LOOK_EVERY)
    return False


def _follow(target: Wiring, before: int) -> Followed:
    if not _waited(target, before):
        raise Trouble(f"nothing was fired within {PATIENCE:.0f} s")
    intent, pause, deadline = _intent(target, before), Event(), target.clock.monotonic() + PATIENCE
    while target.clock.monotonic() < deadline:
        act = target.ledger.state().intents.get(intent)
        if act is not None and not act.unresolved:
            return Followed(act.outcome, act.sha)
        pause.wait(_LOOK_EVERY)
    return Followed("unknown", "")
