"""The runtime flag of a kill: one field of one object that the GitOps controller leaves alone, and the proof of that.

A field that the controller heals is never written: it would say kill, then trading again, then kill. So the flag is
written only where the Application does not manage the object, or ignores the field in its comparison and in its syncs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stages.application import Application, Ignored
from stages.paths import Key, parse_path
from stages.policy import Policy, RuntimeFlag
from stages.posture import Mode
from stages.rollouts import Object

FIELD_MANAGER: Final = "rampdeck"
"""The field manager as which the flag is written."""

_TRACKED_BY: Final = "argocd.argoproj.io/tracking-id"
_ANY: Final = ("", "*")


def flag_of(policy: Policy) -> RuntimeFlag | None:
    """The flag that a kill writes into the runtime; None where the policy declares none."""
    killed = policy.spec.postures.get(Mode.KILLED.name)
    return killed.runtime if killed is not None else None


def keys_of(flag: RuntimeFlag) -> tuple[str, ...]:
    """The keys that lead to the flag's field."""
    return tuple(step.name for step in parse_path(flag.path) if isinstance(step, Key))


def patch_of(flag: RuntimeFlag, value: str) -> Mapping[str, Any]:
    """The merge patch that writes ``value`` and nothing else."""
    body: Any = value
    for key in reversed(keys_of(flag)):
        body = {key: body}
    found: Mapping[str, Any] = body
    return found


def value_in(flag: RuntimeFlag, held: Object) -> str | None:
    """What the field says on the live object; None when it is not there."""
    found: Any = held
    for key in keys_of(flag):
        found = found.get(key) if isinstance(found, Mapping) else None
    return None if found is None else str(found)


def why_healed(flag: RuntimeFlag, namespace: str, held: Object, application: Application) -> str:
    """Why a write to the flag would not hold, or nobody can say that it would; empty when it holds."""
    tracked = _tracked_by(held)
    if tracked and tracked != application.name:
        return f"{flag.object} belongs to another Application, {tracked}"
    managed = [one for one in application.managed if one.object == flag.object and one.namespace in ("", namespace)]
    if not managed and not tracked:
        known = bool(application.managed)
        return "" if known else f"Application {application.name} does not tell which objects it manages"
    name = flag.object.partition("/")[2]
    if not any(_ignores(one, flag, namespace, name) for one in application.ignored):
        return f"Application {application.name} manages {flag.object} and does not ignore {flag.path}"
    if not application.respects_ignored:
        return (
            f"Application {application.name} ignores {flag.path} when it compares, but a sync writes it: "
            "RespectIgnoreDifferences=true is missing"
        )
    return ""


def _tracked_by(held: Object) -> str:
    """The Application that the object says it belongs to; empty when it says none."""
    metadata = held.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    said = annotations.get(_TRACKED_BY, "") if isinstance(annotations, Mapping) else ""
    return str(said).partition(":")[0].rpartition("_")[2]


def _ignores(one: Ignored, flag: RuntimeFlag, namespace: str, name: str) -> bool:
    kind = flag.object.partition("/")[0]
    about = one.group in _ANY and one.kind in (*_ANY, kind) and one.name in (*_ANY, name)
    if not about or one.namespace not in (*_ANY, namespace):
        return False
    keys = keys_of(flag)
    above = [keys[:depth] for depth in range(1, len(keys) + 1)]
    pointers = {"/" + "/".join(key.replace("~", "~0").replace("/", "~1") for key in part) for part in above}
    plain = {"." + ".".join(part) for part in above}
    quoted = {f'.{".".join(part[:-1])}["{part[-1]}"]'.replace(".[", "[") for part in above}
    return bool(pointers & {*one.pointers} or (plain | quoted) & {*one.expressions} or FIELD_MANAGER in one.managers)
