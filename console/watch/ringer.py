"""The ringer: carries alarms outside and keeps each ring as an entry; the terminal's own bell is the screen's."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime

from console.ports import Notifier
from stages.refusal import Trouble
from stages.ringing import Ringing, ring
from stages.verdict import Evaluation


class Ringer:
    """Hears every tick's alarms. Only whoever watches records rings and carries them outside."""

    def __init__(self, notifier: Notifier | None) -> None:
        self._notifier = notifier
        self._heard = Ringing()
        self.rung = 0
        """Audible rings so far."""
        self.trouble = ""
        """Why the last ring did not get outside."""

    def hear(
        self,
        evaluation: Evaluation,
        acknowledged: AbstractSet[str],
        now: datetime,
        record: Callable[[str, dict[str, str]], None] | None,
    ) -> None:
        """One tick. ``record`` writes an entry of a kind with a body; None at a desk."""
        self._heard, rings, quiet = ring(self._heard, evaluation.alarms, acknowledged, now, evaluation.held)
        self.rung += sum(one.audible for one in rings)
        if record is None:
            return
        for one in rings:
            record("alarm", {"key": one.alarm.key, "class": one.alarm.klass.value, "text": one.alarm.text})
            self._notify(one.alarm.text)
        for held in quiet:
            body = {"alarm": held.alarm.key, "class": held.alarm.klass.value, "until": held.until.isoformat()}
            record("alarm-suppressed", body | {"cause": f"{held.why}, until {held.until:%H:%M:%SZ}"})

    def _notify(self, text: str) -> None:
        if self._notifier is None:
            return
        try:
            self._notifier.notify(text)
            self.trouble = ""
        except Trouble as trouble:
            self.trouble = f"the alarm was not carried outside: {trouble.what}"
