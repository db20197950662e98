"""Argo CD by its Application's object: what it says of itself, and requests written where it looks for them."""

from __future__ import annotations

from typing import Final

from console.ports import Clock
from console.runtime.api import MERGE, ApiServer
from console.runtime.kubernetes import REQUEST, Follower
from stages.application import application_of, refresh_request, sync_request
from stages.deployed import ApplicationReading
from stages.live_objects import Resource
from stages.policy import Application as Where
from stages.refusal import Trouble

_FRESH: Final = 30.0
"""Seconds after which a word that nobody confirmed counts as unknown."""


class ArgoCd:
    """The ``Runtime`` port on one Application."""

    def __init__(self, api: ApiServer, where: Where, clock: Clock) -> None:
        self._api, self._clock = api, clock
        resource = Resource("argoproj.io", "v1alpha1", "applications", "Application", where.name)
        self._path = resource.path(where.namespace)
        self._follower = Follower(api, where.namespace, resource, clock)

    def application(self) -> ApplicationReading:
        """The newest word; the first call waits for the first answer. Raises no Trouble."""
        if self._follower.sighting() is None:
            self._follower.heard.wait(REQUEST)
        sighting, now = self._follower.sighting(), self._clock.wall()
        if sighting is None:
            return ApplicationReading(None, now, "was not answered yet")
        said = application_of(sighting.held) if sighting.held is not None else None
        age = (now - sighting.read_time).total_seconds()
        error = sighting.error or ("there is no such Application" if said is None else "")
        if not error and age > _FRESH:
            error = f"was not confirmed for {age:.0f} s"
        return ApplicationReading(said, sighting.read_time, error)

    def refresh(self) -> None:
        """Asks it to look at Git now. Raises Trouble."""
        self._api.patch(self._path, refresh_request(), MERGE, seconds=REQUEST)

    def sync(self, *, who: str, reason: str) -> None:
        """Asks for one sync to the revision that it follows. Raises Trouble, also while another operation runs."""
        held = self._api.get(self._path, seconds=REQUEST)
        if not isinstance(held, dict):
            raise Trouble("the answer is no object", where=self._path)
        request = sync_request(application_of(held), who=who, reason=reason)
        self._api.patch(self._path, request, MERGE, seconds=REQUEST)
