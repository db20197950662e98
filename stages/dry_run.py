"""Dry run: the objects that a plan changes, as they would be deployed, and what the API server says to each of them.

Rendered by Kustomize where the target is a Kustomize folder, else as the files say them. Nothing is changed: it is the
API server's own validation and admission, asked before anybody approves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import yaml

from stages.plan import Plan
from stages.policy import Policy
from stages.reach import Read, gather
from stages.refusal import Trouble
from stages.rendering import Build
from stages.value import Struct

ARGO_MANAGER: Final = "argocd-controller"
"""The field manager as which Argo CD applies."""

OWN_MANAGER: Final = "rampdeck"
"""The field manager of this console, where no Application says who applies."""


class _Loader(yaml.CSafeLoader):
    """Reads scalars as a cluster does: a date is text, and so is a number of base 60."""


_INT: Final = re.compile(r"^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$")
_FLOAT: Final = re.compile(r"^(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?)$")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, found) for tag, found in known if not tag.endswith((":timestamp", ":int", ":float"))]
    for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


class Wanted(Struct, frozen=True):
    """One object as it would be deployed; ``namespace`` is where it goes when it names none itself."""

    manifest: Mapping[str, Any]
    namespace: str

    @property
    def object(self) -> str:
        """As bindings name it."""
        return f"{self.manifest.get('kind')}/{_metadata(self.manifest).get('name')}"


class Attempt(Struct, frozen=True):
    """What the API server said to one object: taken, refused with a reason each, or why that is not known."""

    object: str
    refused: tuple[str, ...] = ()
    unknown: str = ""


class DryRun(Struct, frozen=True):
    """What the API server says to a plan's result; ``tried`` objects it would take as they are."""

    tried: int = 0
    refused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    absent: str = ""
    """Why nothing could be tried here at all."""
    not_checked: tuple[str, ...] = ()


Try = Callable[[Sequence[Wanted], str], tuple[Attempt, ...]]


def dry_run(policy: Policy, plan: Plan, read: Read, build: Build, attempt: Try) -> DryRun:
    """Have every object that ``plan`` changes tried; ``read`` gives the files as they are, without the plan."""
    try:
        before, after, left_out = _documents(policy, plan, read, build)
    except Trouble as trouble:
        return DryRun(unknown=(trouble.line,))
    known = {_identity(one): one for one in before}
    namespace = policy.spec.target.namespace
    changed = [Wanted(one, namespace) for one in after if known.get(_identity(one)) != one]
    if plan.edits and not changed:
        return DryRun(unknown=("the plan edits files, but changes no object",), not_checked=left_out)
    said = attempt(changed, _manager(policy)) if changed else ()
    return DryRun(
        tried=sum(not one.refused and not one.unknown for one in said),
        refused=tuple(f"{one.object}: {why}" for one in said for why in one.refused),
        unknown=tuple(f"{one.object}: {one.unknown}" for one in said if one.unknown),
        not_checked=left_out,
    )


def _manager(policy: Policy) -> str:
    """As whom to try: as whoever will apply it, so that it may change what that one owns."""
    return OWN_MANAGER if policy.spec.target.application is None else ARGO_MANAGER


_Documents = list[Mapping[str, Any]]


def _documents(policy: Policy, plan: Plan, read: Read, build: Build) -> tuple[_Documents, _Documents, tuple[str, ...]]:
    """The objects before the plan and after it, and what was left out. Raises Trouble when they cannot be had."""

    def written(path: str) -> bytes | None:
        return plan.contents[path] if path in plan.contents else read(path)

    if not plan.contents:
        return [], [], ()
    folder = policy.spec.target.gitops_path.strip("/")
    materials = [gather(source, folder) for source in (read, written)]
    if not materials[1].built:
        paths = sorted(plan.contents)
        return _parsed(*(read(path) for path in paths)), _parsed(*(written(path) for path in paths)), ()
    found = []
    for material in materials:
        built = build(material)
        if built.absent or built.failed:
            raise Trouble(f"not tried: {built.absent or f'the result does not build: {built.failed}'}")
        found.append(_parsed(built.text))
    return found[0], found[1], tuple(f"not tried: {what}" for what in materials[1].left_out)


def _parsed(*texts: str | bytes | None) -> _Documents:
    """Every object in some texts, those in lists too. Raises Trouble for text that is no YAML."""
    found: _Documents = []
    try:
        for text in texts:
            for one in yaml.load_all(text or "", Loader=_Loader):
                held = one.get("items") if isinstance(one, dict) and one.get("kind") == "List" else [one]
                found += [item for item in held or () if isinstance(item, dict)]
    except (yaml.YAMLError, ValueError) as error:
        raise Trouble(f"not tried: the result is no YAML: {' '.join(str(error).split())[:200]}") from None
    return found


def _metadata(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    said = manifest.get("metadata")
    return said if isinstance(said, Mapping) else {}


def _identity(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    metadata = _metadata(manifest)
    parts = (manifest.get("apiVersion"), manifest.get("kind"), metadata.get("namespace"), metadata.get("name"))
    return tuple(str(part) for part in parts)
