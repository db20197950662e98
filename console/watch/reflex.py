"""The reflex: a posture that asks for less than Git shows starts a reduction, in a process that outlives this one."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from console.ports import Launcher
from stages.policy import Policy
from stages.posture import Mode, Posture
from stages.reflex import Need, need
from stages.refusal import Trouble
from stages.standing import Standing
from stages.target import Target, aim
from stages.value import Struct

FIRST_RETRY: Final = timedelta(seconds=20)
LONGEST_RETRY: Final = timedelta(minutes=2)


class Ready(Protocol):
    """Rehearses the way down to a stage: True, False, or None for not known, with the reason."""

    def __call__(self, stage: int, /, *, mode: Mode) -> tuple[bool | None, str]: ...


class _Attempt(Struct, frozen=True):
    need: Need
    count: int
    next_at: datetime


class Reflex:
    """Starts the reduction once, and again with growing pauses while it does not hold."""

    def __init__(self, launcher: Launcher, actor: str) -> None:
        self._launcher, self._actor = launcher, actor
        self._last: _Attempt | None = None
        self.trouble = ""
        """Why the last attempt could not be started; empty when it could."""

    def consider(
        self,
        policy: Policy,
        posture: Posture,
        standing: Standing,
        *,
        cause: str,
        wait: bool,
        now: datetime,
        ready: Ready | None = None,
    ) -> Need | None:
        """Start what is needed and not on its way; returns what was needed and started now.

        ``wait``: a reduction that does it is being carried out, or Git was never read yet; both are given some time.
        ``ready`` rehearses the way down to a stage in a mode; None where nothing was read that it could rehearse on.
        """
        wanted = need(policy, posture, standing)
        if wanted is None:
            self._last, self.trouble = None, ""
            return None
        last = self._last if self._last and self._last.need == wanted else None
        if last is None and wait:
            self._last = _Attempt(wanted, 0, now + FIRST_RETRY)
            return None
        if last is not None and now < last.next_at:
            return None
        target = Target(wanted.cap, wanted.mode)
        if ready is not None:
            target = aim(policy, wanted, standing, partial(ready, mode=wanted.mode))
        self._launch(policy, target, f"{cause}; not to {target.why}" if target.why else cause)
        count = last.count + 1 if last else 1
        self._last = _Attempt(wanted, count, now + min(FIRST_RETRY * 2 ** (count - 1), LONGEST_RETRY))
        return wanted

    def _launch(self, policy: Policy, target: Target, cause: str) -> None:
        arguments = ["reduce-worker", "--to", policy.stages[target.stage].name, "--mode", target.mode.name]
        try:
            self._launcher.launch([*arguments, "--cause", cause, "--actor", self._actor, "--automatic"])
            self.trouble = ""
        except Trouble as trouble:
            self.trouble = trouble.sentence
