"""Argo CD by its Application's object: what it says of itself, and requests written where it looks for them."""

from __future__ import annotations

from console.ports import Clock
from console.runtime.api import MERGE, ApiServer
from console.runtime.kubernetes import object_in, object_of
from console.runtime.reflector import Pace, Reflector
from stages.application import application_of, refresh_request, sync_request
from stages.deployed import ApplicationReading
from stages.live_objects import Resource
from stages.policy import Application as Where
from stages.refusal import Trouble


class ArgoCd:
    """The ``Runtime`` port on one Application."""

    def __init__(self, api: ApiServer, where: Where, clock: Clock, pace: Pace | None = None) -> None:
        self._api, self._pace = api, pace or Pace()
        self._resource = Resource("argoproj.io", "v1alpha1", "applications", "Application", where.name)
        self._path = self._resource.path(where.namespace)
        self._reflector = Reflector(api, object_in(where.namespace, self._resource), clock, self._pace)

    def application(self) -> ApplicationReading:
        """The newest word; the first call waits for the first answer. Raises no Trouble."""
        self._reflector.wait(self._pace.request)
        heard = self._reflector.newest()
        held = object_of(self._resource, heard)
        said = application_of(held) if held is not None else None
        error = heard.error or ("there is no such Application" if said is None else "")
        return ApplicationReading(said, heard.read_time, error, heard.note)

    def refresh(self) -> None:
        """Asks it to look at Git now. Raises Trouble."""
        self._api.patch(self._path, refresh_request(), MERGE, seconds=self._pace.request)

    def sync(self, *, who: str, reason: str) -> None:
        """Asks for one sync to the revision that it follows. Raises Trouble, also while another operation runs."""
        held = self._api.get(self._path, seconds=self._pace.request)
        if not isinstance(held, dict):
            raise Trouble("the answer is no object", where=self._path)
        request = sync_request(application_of(held), who=who, reason=reason)
        self._api.patch(self._path, request, MERGE, seconds=self._pace.request)
