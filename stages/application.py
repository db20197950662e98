"""The Application: what Argo CD says of the target in its own object, and what may be asked of it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stages.raw_values import moment_of
from stages.refusal import Trouble
from stages.rollouts import Object
from stages.value import Struct

REFRESH: Final = "argocd.argoproj.io/refresh"
"""The annotation that asks for a look at Git; Argo CD takes it away when it has looked."""

UNKNOWN: Final = "Unknown"


class Operation(Struct, frozen=True):
    """A sync that runs or ran: ``phase`` is Running, Succeeded, Failed, Error or Terminating."""

    phase: str
    message: str = ""
    revision: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def running(self) -> bool:
        return self.phase in ("Running", "Terminating")


class Deployed(Struct, frozen=True):
    """A revision that was deployed, and when."""

    revision: str
    at: datetime | None


class Managed(Struct, frozen=True):
    """An object that the Application manages, as ``Kind/name``, and whether it is as Git says."""

    object: str
    group: str
    namespace: str
    status: str


class Ignored(Struct, frozen=True):
    """Differences that count for nothing: of which objects (an empty part means any), and at which places."""

    group: str
    kind: str
    name: str
    namespace: str
    pointers: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()


class Application(Struct, frozen=True):
    """What the Application's object says. ``sync`` is Synced, OutOfSync or Unknown; ``health`` Healthy and so on.

    ``revision`` is the commit that was compared last; ``refreshing`` whether a look at Git was asked for and has not
    been taken yet. ``automated`` and ``self_heal`` say whether it applies Git, and whether it reverts what is changed
    in the cluster.
    """

    name: str
    version: str
    target_revision: str
    sync: str
    health: str
    revision: str
    automated: bool
    self_heal: bool
    prune: bool
    refreshing: bool
    operation: Operation | None
    requested: bool
    history: tuple[Deployed, ...]
    managed: tuple[Managed, ...]
    ignored: tuple[Ignored, ...]
    options: tuple[str, ...]
    conditions: tuple[str, ...]
    reconciled_at: datetime | None = None
    """When it compared the cluster with Git last, by its own clock; each round moves it."""

    @property
    def respects_ignored(self) -> bool:
        """Whether a sync leaves ignored differences alone too, and not their comparison only."""
        return "RespectIgnoreDifferences=true" in self.options


def application_of(held: Object) -> Application:
    """Reads an Application's object; what it does not say is Unknown or empty, never agreement."""
    metadata, spec, status = (_part(held, name) for name in ("metadata", "spec", "status"))
    policy = _part(spec, "syncPolicy")
    automated = policy.get("automated")
    acts = isinstance(automated, Mapping) and automated.get("enabled", True) is not False
    told = automated if isinstance(automated, Mapping) and acts else {}
    compared = _part(status, "sync")
    source = _part(spec, "source") or next(iter(_list(spec, "sources")), {})
    return Application(
        name=str(metadata.get("name", "")),
        version=str(metadata.get("resourceVersion", "")),
        target_revision=str(source.get("targetRevision") or "HEAD"),
        sync=str(compared.get("status") or UNKNOWN),
        health=str(_part(status, "health").get("status") or UNKNOWN),
        revision=_revision(compared),
        automated=acts,
        self_heal=told.get("selfHeal") is True,
        prune=told.get("prune") is True,
        refreshing=REFRESH in _part(metadata, "annotations"),
        operation=_operation(_part(status, "operationState")),
        requested="operation" in held,
        history=tuple(Deployed(_revision(one), _moment(one.get("deployedAt"))) for one in _list(status, "history")),
        managed=tuple(_managed(one) for one in _list(status, "resources")),
        ignored=tuple(_ignored(one) for one in _list(spec, "ignoreDifferences")),
        options=tuple(str(one) for one in policy.get("syncOptions") or ()),
        conditions=tuple(f"{one.get('type')}: {one.get('message')}" for one in _list(status, "conditions")),
        reconciled_at=_moment(status.get("reconciledAt")),
    )


def refresh_request(*, hard: bool = False) -> Mapping[str, Any]:
    """The merge patch that asks for a look at Git now; ``hard`` renders the manifests anew as well."""
    return {"metadata": {"annotations": {REFRESH: "hard" if hard else "normal"}}}


def sync_request(application: Application, *, who: str, reason: str) -> Mapping[str, Any]:
    """The merge patch that asks for one sync to the revision that the Application follows.

    It never prunes. It holds only for the object as it was read, so that it cannot replace another operation. Raises
    Trouble while one is asked for or runs.
    """
    if application.requested or (application.operation is not None and application.operation.running):
        raise Trouble("another operation is in progress", where=f"Application {application.name}", fix="wait for it")
    sync = {
        "revision": application.target_revision,
        "prune": False,
        "syncOptions": list(application.options),
        "syncStrategy": {"hook": {}},
    }
    operation = {
        "initiatedBy": {"username": who},
        "info": [{"name": "Reason", "value": reason}],
        "sync": sync,
    }
    return {"metadata": {"resourceVersion": application.version}, "operation": operation}


def _operation(state: Object) -> Operation | None:
    if not state:
        return None
    return Operation(
        phase=str(state.get("phase", UNKNOWN)),
        message=" ".join(str(state.get("message", "")).split()),
        revision=_revision(_part(state, "syncResult")),
        started_at=_moment(state.get("startedAt")),
        finished_at=_moment(state.get("finishedAt")),
    )


def _managed(one: Object) -> Managed:
    name = f"{one.get('kind', '')}/{one.get('name', '')}"
    return Managed(name, str(one.get("group", "")), str(one.get("namespace", "")), str(one.get("status", UNKNOWN)))


def _ignored(one: Object) -> Ignored:
    return Ignored(
        group=str(one.get("group", "")),
        kind=str(one.get("kind", "")),
        name=str(one.get("name", "")),
        namespace=str(one.get("namespace", "")),
        pointers=tuple(str(place) for place in one.get("jsonPointers") or ()),
        expressions=tuple(str(place) for place in one.get("jqPathExpressions") or ()),
        managers=tuple(str(manager) for manager in one.get("managedFieldsManagers") or ()),
    )


def _revision(said: Object) -> str:
    """One commit, or those of several sources with a plus between them."""
    return str(said.get("revision") or "+".join(str(one) for one in said.get("revisions") or ()))


def _moment(said: object) -> datetime | None:
    return moment_of(said) if said else None


def _part(held: Object, name: str) -> Object:
    part = held.get(name)
    return part if isinstance(part, Mapping) else {}


def _list(held: Object, name: str) -> Sequence[Object]:
    part = held.get(name)
    return [one for one in part if isinstance(one, Mapping)] if isinstance(part, list) else []
