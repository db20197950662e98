"""How each fault is let loose on a drill's target: at its paper venue, or in the ports of the drill's own reduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from console.drilling.broken import Injected, Switch, full, refusing
from stages.drill import COMMAND, ITSELF
from stages.drill_faults import CANCELS, DISK, FAULTS, HEAL, PUSH
from stages.entries import parse_time
from stages.refusal import Trouble

if TYPE_CHECKING:
    from datetime import datetime

    from console.ports import LedgerStore, Repository
    from console.wiring import Wiring
    from stages.entries import Draft

_AT_VENUE: Final[Mapping[str, str]] = {CANCELS: "half-cancels", HEAL: "reverting-self-heal"}
_CALM: Final = "calm"


class Loose:
    """The faults of one drill of ``target``: what its reduction goes through, and how the fault strikes and ends."""

    def __init__(self, target: Wiring, name: str) -> None:
        self._target, self._name = target, name
        self._pushes = Switch("the remote takes no push", "the remote takes pushes again")
        self._disk = Switch("the ledger takes no entry", "the ledger takes entries again")

    @property
    def repository(self) -> Repository:
        return refusing(self._target.repository, self._pushes) if self._name == PUSH else self._target.repository

    @property
    def ledger(self) -> LedgerStore:
        return full(self._target.ledger, self._disk) if self._name == DISK else self._target.ledger

    @property
    def by_itself(self) -> bool:
        """Whether the act must be fired by the drill: what it breaks is broken in this process alone."""
        return self._name in FAULTS and FAULTS[self._name].path == ITSELF

    def injected(self) -> Injected | None:
        """The fault as a course uses it; None for a plain drill."""
        if not self._name:
            return None
        if self._name in _AT_VENUE:
            probes = self._target.outside.probes
            return Injected(
                self._name, lambda: probes.inject(_AT_VENUE[self._name]), lambda: probes.inject(_CALM)
            )  # fmt: skip
        if self._name == PUSH:
            return Injected(self._name, self._pushes.strike, self._pushes.end)
        if self._name == DISK:
            return Injected(self._name, self._disk.strike, self._joined, self._spilled)
        return Injected(self._name, lambda: "in the input of the engine", lambda: "the input tells the truth again")

    def _joined(self) -> str:
        """The disk has room again, and what waited is brought in."""
        said = self._disk.end()
        target = self._target
        joined = target.spill.merge(target.ledger, actor=target.actor, now=target.clock.wall())
        return f"{said}; {len(joined)} entries joined"

    def _spilled(self) -> Sequence[tuple[datetime, Draft]]:
        records = self._target.spill.everything().records
        return [(parse_time(record.at), draft) for record in records for draft in record.drafts]


def path_under(name: str, path: str) -> str:
    """The path by which the act is fired under a fault. Raises Trouble where another one was asked for."""
    own = FAULTS[name].path if name in FAULTS else ""
    if own and path not in (COMMAND, own):
        raise Trouble(f"under {name} the act cannot be fired by '{path}'", fix="leave out --path")
    return own or path
