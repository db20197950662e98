"""The ringer: carries alarms outside and keeps each ring as an entry; the terminal's own bell is the screen's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from console.ports import Notifier
from console.watch.alarms import Bells
from stages.refusal import Trouble
from stages.verdict import Alarm


class Ringer:
    """Hears every tick's alarms. Only whoever watches records rings and carries them outside."""

    def __init__(self, notifier: Notifier | None) -> None:
        self._notifier = notifier
        self._bells = Bells()
        self.trouble = ""
        """Why the last ring did not get outside."""

    @property
    def rung(self) -> int:
        """Audible rings so far."""
        return self._bells.rung

    def hear(
        self,
        alarms: Sequence[Alarm],
        acknowledged: AbstractSet[str],
        now: datetime,
        record: Callable[[str, dict[str, str]], None] | None,
    ) -> None:
        """One tick. ``record`` writes an entry of a kind with a body; None at a desk."""
        self._bells, rings, quiet = self._bells.hear(alarms, acknowledged, now)
        if record is None:
            return
        for ring in rings:
            record("alarm", {"key": ring.alarm.key, "class": ring.alarm.klass.value, "text": ring.alarm.text})
            self._notify(ring.alarm.text)
        for held in quiet:
            body = {"alarm": held.alarm.key, "class": held.alarm.klass.value, "until": held.until.isoformat()}
            record("alarm-suppressed", body | {"cause": "it ended less than ten minutes ago"})

    def _notify(self, text: str) -> None:
        if self._notifier is None:
            return
        try:
            self._notifier.notify(text)
            self.trouble = ""
        except Trouble as trouble:
            self.trouble = f"the alarm was not carried outside: {trouble.what}"
