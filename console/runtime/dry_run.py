"""Server-side dry run: each object applied with ``dryRun=All``, as whoever will apply it, and nothing is kept.

It runs the API server's defaulting, validation and admission. Only what the API server refuses of the object itself is
a refusal; whatever keeps it from judging (no permission, no answer, a kind that it does not know) is not known.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from console.ports import Clock
from console.runtime.api import APPLY, ApiServer, ApiTrouble
from stages.dry_run import Attempt, Wanted

REQUEST: Final = 5.0
"""Seconds that one object may take; admission webhooks are asked within it."""

_JUDGED: Final = (400, 403, 413, 422)
"""Answers that may be about the object itself."""

_MALFORMED: Final = "failed to create typed patch object"
"""What the API server says, with status 500, of an object whose fields are of other types than its kind's."""

_NOT_ABOUT_IT: Final = ("does not support dry run", "failed calling webhook")
"""Messages of webhooks that could not judge."""

Api = tuple[str, str]
"""The apiVersion and the kind."""


class ServerSideDryRun:
    """A ``DryRunner`` on one API server. Safe to use from several threads."""

    def __init__(self, api: ApiServer, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._lock = threading.Lock()
        self._places: dict[Api, tuple[str, bool]] = {}
        self._patient_until = 0.0

    def attempt(self, objects: Sequence[Wanted], manager: str) -> tuple[Attempt, ...]:
        """One answer for each object; once the API server cannot be reached the others are not tried."""
        answers: list[Attempt] = []
        away = self._asked_to_wait()
        for wanted in objects:
            if away:
                answers.append(Attempt(wanted.object, unknown=away))
                continue
            try:
                self._apply(wanted, manager)
            except ApiTrouble as trouble:
                answers.append(_judged(wanted, trouble))
                away = self._gone(trouble)
            else:
                answers.append(Attempt(wanted.object))
        return tuple(answers)

    def _apply(self, wanted: Wanted, manager: str) -> None:
        metadata = dict(wanted.manifest["metadata"])
        collection, namespaced = self._place(str(wanted.manifest["apiVersion"]), str(wanted.manifest["kind"]))
        within = ""
        if namespaced:
            metadata["namespace"] = metadata.get("namespace") or wanted.namespace
            within = f"/namespaces/{metadata['namespace']}"
        root, _, plural = collection.rpartition("/")
        query = {"dryRun": "All", "fieldManager": manager, "force": "true"}
        body = {**wanted.manifest, "metadata": metadata}
        self._api.patch(f"{root}{within}/{plural}/{metadata['name']}", body, APPLY, query, seconds=REQUEST)

    def _place(self, version: str, kind: str) -> tuple[str, bool]:
        """The collection of a kind, and whether it lies in namespaces. Raises ApiTrouble when it is not served."""
        with self._lock:
            if (known := self._places.get((version, kind))) is not None:
                return known
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            found = self._api.get(root, seconds=REQUEST).get("resources") or ()
        except ApiTrouble as trouble:
            if trouble.status != 404:
                raise
            found = ()
        served = [one for one in found if one.get("kind") == kind and "/" not in str(one.get("name", "/"))]
        if not served:
            said = f"the API server does not know {kind} of {version}"
            raise ApiTrouble(said, status=404, fix="install its CustomResourceDefinition")
        place = f"{root}/{served[0]['name']}", bool(served[0].get("namespaced"))
        with self._lock:
            self._places[version, kind] = place
        return place

    def _asked_to_wait(self) -> str:
        with self._lock:
            left = self._patient_until - self._clock.monotonic()
        return f"not tried: the API server asks for patience, {left:.0f} s more" if left > 0 else ""

    def _gone(self, trouble: ApiTrouble) -> str:
        """Why nothing else is worth asking now; empty when it is."""
        if trouble.status == 429:
            with self._lock:
                self._patient_until = self._clock.monotonic() + (trouble.retry_after or 0.0)
        elsewhere = trouble.status in (0, 401, 429) or (trouble.status >= 500 and not _is_judgement(trouble))
        return f"not tried: {trouble.what}" if elsewhere else ""


def _judged(wanted: Wanted, trouble: ApiTrouble) -> Attempt:
    aside = not _is_judgement(trouble) or any(words in trouble.what for words in _NOT_ABOUT_IT)
    if aside or (trouble.status == 403 and _lacks_permission(trouble.what)):
        wait = f", {trouble.retry_after:.0f} s" if trouble.retry_after is not None else ""
        return Attempt(wanted.object, unknown=f"{trouble.what}{wait}" + (f"; {trouble.fix}" if trouble.fix else ""))
    fields = tuple(f"{field}: {message}" for field, message in trouble.causes if field)
    return Attempt(wanted.object, refused=fields or (trouble.what,))


def _is_judgement(trouble: ApiTrouble) -> bool:
    return trouble.status in _JUDGED or _MALFORMED in trouble.what


def _lacks_permission(message: str) -> bool:
    """Whether a 403 is about who asks; admission says which rule, RBAC says which user cannot."""
    return 'User "' in message and " cannot " in message
