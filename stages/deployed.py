"""Deployed: what the cluster says of the workloads and of the GitOps controller."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from stages.application import Application
from stages.rollouts import Happening, PodStart, Rollout
from stages.value import Struct, replace

_EVENTS: Final = 3
"""Newest Events that are kept of a workload, warnings first."""


class WorkloadReading(Struct, frozen=True):
    """What the cluster says of one workload; ``error`` says what is not known, ``note`` how it is known.

    ``changed_at`` is when its content was last written; ``restarted`` whether all of its pods were started since.
    """

    object: str
    rollout: Rollout | None
    read_time: datetime
    changed_at: datetime | None = None
    pods: tuple[PodStart, ...] = ()
    restarted: bool | None = None
    events: tuple[Happening, ...] = ()
    error: str = ""
    note: str = ""


class ApplicationReading(Struct, frozen=True):
    """What the GitOps controller says of the target; with ``error`` set it is the last known word, or None.

    ``note`` says how it is known.
    """

    application: Application | None
    read_time: datetime
    error: str = ""
    note: str = ""


class Deployed(Struct, frozen=True):
    """All that the cluster says beside the values of the controls."""

    workloads: tuple[WorkloadReading, ...] = ()
    application: ApplicationReading | None = None

    def short(self) -> Deployed:
        """As much of it as a tick keeps: no lists of everything that an Application manages."""
        told = self.application
        if told is not None and told.application is not None:
            brief = replace(told.application, history=(), managed=(), ignored=(), options=())
            told = replace(told, application=brief)
        workloads = (replace(one, events=_newest(one.events)) for one in self.workloads)
        return Deployed(tuple(workloads), told)


def _newest(events: tuple[Happening, ...]) -> tuple[Happening, ...]:
    ranked = sorted(range(len(events)), key=lambda place: (events[place].warning, place))
    return tuple(events[place] for place in sorted(ranked[-_EVENTS:]))
