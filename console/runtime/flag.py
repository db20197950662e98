"""The runtime flag at the API server: written only after the controller's own object shows that it will stay."""

from __future__ import annotations

from typing import Any, Final

from console.ports import FlagAnswer
from console.runtime.api import MERGE, ApiServer, ApiTrouble
from stages.application import application_of
from stages.exempt import FIELD_MANAGER, patch_of, value_in, why_healed
from stages.live_objects import Resource
from stages.policy import Application as Where
from stages.policy import RuntimeFlag

REQUEST: Final = 2.0
"""Seconds that one of its requests may take; a kill's flag is due within five."""


class ExemptFlag:
    """A ``KillFlag`` on one ConfigMap of the target's namespace."""

    def __init__(self, api: ApiServer, namespace: str, flag: RuntimeFlag, where: Where) -> None:
        self._api, self._namespace, self._flag = api, namespace, flag
        name = flag.object.partition("/")[2]
        self._path = Resource("", "v1", "configmaps", "ConfigMap", name).path(namespace)
        self._application = Resource("argoproj.io", "v1alpha1", "applications", "Application", where.name).path(
            where.namespace
        )

    def verify(self) -> str:
        return why_healed(self._flag, self._namespace, self._held(), application_of(self._get(self._application)))

    def kills(self) -> FlagAnswer:
        flag, said = self._flag, value_in(self._flag, self._held())
        return FlagAnswer(said == flag.value, f"{flag.object} {flag.path} says {said}")

    def kill(self) -> FlagAnswer:
        return self._write(self._flag.value)

    def restore(self) -> FlagAnswer:
        return self._write(self._flag.normal)

    def _write(self, value: str) -> FlagAnswer:
        flag = self._flag
        if healed := self.verify():
            return FlagAnswer(False, f"not written: {healed}")
        self._api.patch(self._path, patch_of(flag, value), MERGE, {"fieldManager": FIELD_MANAGER}, seconds=REQUEST)
        said = value_in(flag, self._held())
        if said != value:
            return FlagAnswer(None, f"written, but {flag.object} says {said}")
        return FlagAnswer(True, f"{flag.object} {flag.path} says {value}")

    def _held(self) -> Any:
        return self._get(self._path)

    def _get(self, path: str) -> Any:
        found = self._api.get(path, seconds=REQUEST)
        if not isinstance(found, dict):
            raise ApiTrouble("the answer is no object")
        return found
