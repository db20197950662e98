"""Facts of the truth panel that the cluster tells: whether the controller and each workload are where Git is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from stages.application import UNKNOWN, Application
from stages.deployed import ApplicationReading, Deployed, WorkloadReading
from stages.rollouts import Happening
from stages.session import span
from stages.verdict import TruthRow
from stages.witness import GitReading

UNREAD: Final = "?"
FRESH: Final = timedelta(seconds=45)
"""After how long a word that nobody confirmed is not known any more."""

_SHORT: Final = 8


def deployed_rows(deployed: Deployed | None, git: GitReading | None, own: str, wall: datetime) -> Iterator[TruthRow]:
    """The controller's word on Git's head, and each workload's on its newest template.

    ``own`` is the commit of an own change under way, which the controller must have looked at to agree.
    """
    if deployed is None:
        return
    if deployed.application is not None:
        yield _controller(deployed.application, git, own, wall)
    yield from (_workload(one, wall) for one in deployed.workloads)


def controller_words(application: Application) -> str:
    """``Synced, Healthy, auto-sync, self-heal``: what is set counts as much as what is reported."""
    words = [application.sync, application.health]
    words += ["auto-sync" if application.automated else "NO auto-sync"]
    words += ["self-heal"] if application.self_heal else []
    operation = application.operation
    if operation is not None and operation.phase != "Succeeded":
        words.append(f"sync {operation.phase}{f': {operation.message}' if operation.message else ''}")
    return ", ".join([*words, *application.conditions])


def warnings_of(workload: WorkloadReading) -> tuple[Happening, ...]:
    """Events that tell why a rollout does not come to its end; none while it has."""
    if workload.rollout is None or workload.rollout.done:
        return ()
    return tuple(one for one in workload.events if one.warning)


def _controller(reading: ApplicationReading, git: GitReading | None, own: str, wall: datetime) -> TruthRow:
    application = reading.application
    head = git.head[:_SHORT] if git is not None and git.head and not git.error else UNREAD
    error = reading.error or _stale(reading.read_time, wall)
    if error or application is None or application.sync == UNKNOWN:
        why = error or ("; ".join(application.conditions) if application else "")
        return TruthRow("Argo CD", head, UNREAD, None, None, why or "does not know")
    said = ", ".join(word for word in (controller_words(application), reading.note) if word)
    looked = bool(git and git.head and application.revision == git.head)
    runtime = application.revision[:_SHORT] or UNREAD
    if UNREAD in (head, runtime):
        return TruthRow("Argo CD", head, runtime, None, None, said)
    if application.sync != "Synced" or application.health in ("Degraded", "Missing"):
        return TruthRow("Argo CD", head, runtime, None, False, said)
    if looked:
        return TruthRow("Argo CD", head, runtime, None, True, said)
    # Another hand's commit may be on the branch for a round before it is looked at: the values decide, beside this.
    waited = git is not None and git.head == own
    return TruthRow("Argo CD", head, runtime, None, False if waited else None, f"has not looked at {head}; {said}")


def _workload(reading: WorkloadReading, wall: datetime) -> TruthRow:
    name = reading.object.partition("/")[2] or reading.object
    error = reading.error or _stale(reading.read_time, wall)
    if error or reading.rollout is None:
        return TruthRow(name, None, UNREAD, None, None, error)
    rollout = reading.rollout
    started = max((one.started_at for one in reading.pods if one.started_at is not None), default=None)
    restarts = sum(one.restarts for one in reading.pods)
    notes = [f"pods since {span(wall - started)}"] if started is not None else []
    notes += [f"{restarts} restarts"] if restarts else []
    notes += [reading.note] if reading.note else []
    if rollout.done:
        counted = f"{rollout.available} of {rollout.wanted}" if rollout.wanted is not None else "rolled out"
        return TruthRow(name, None, counted, None, True, ", ".join(notes))
    because = [f"{one.reason}: {one.message}" for one in warnings_of(reading)[-1:]]
    counted = f"{rollout.updated} of {rollout.wanted}" if rollout.wanted is not None else "rolling out"
    stuck = "STUCK" if rollout.stuck else counted
    return TruthRow(name, None, stuck, None, False, "; ".join([rollout.said, *because]))


def _stale(read_time: datetime, wall: datetime) -> str:
    return f"was not confirmed for {span(wall - read_time)}" if wall - read_time > FRESH else ""
