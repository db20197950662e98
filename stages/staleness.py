"""Staleness: whether a plan still means what was approved, on the branch as it is now (design section 6.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import yaml

from stages.plan import Plan, git_blob_id
from stages.policy import Policy
from stages.standing import manifest_path

PLAN_TRAILER: Final = "Rampdeck-Plan"
EPOCH_TRAILER: Final = "Rampdeck-Epoch"
STAGE_TRAILER: Final = "Rampdeck-Stage"
MODE_TRAILER: Final = "Rampdeck-Mode"
APPROVED_TRAILER: Final = "Rampdeck-Approved-By"
LEDGER_TRAILER: Final = "Rampdeck-Ledger"
"""``<id> <size> <head>``: the ledger that decided, and how far the commit vouches for it."""
INTENT_TRAILER: Final = "Rampdeck-Intent"
"""The reduction that made the commit; no other act writes it."""
TARGET_TRAILER: Final = "Rampdeck-Target"
"""The namespace for which a commit without any change of a file stands: a fence against what is under way."""

Read = Callable[[str], bytes | None]


class Commit(Protocol):
    """What a commit of the branch says of itself."""

    @property
    def sha(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def trailers(self) -> Mapping[str, str]: ...
    @property
    def paths(self) -> Sequence[str]: ...


def concerns(policy: Policy, commit: Commit) -> bool:
    """Whether a commit touches the target's manifests, a bound file outside their folder, or fences the target off."""
    if not commit.paths and commit.trailers.get(TARGET_TRAILER) == policy.spec.target.namespace:
        return True
    folder = policy.spec.target.gitops_path.strip("/")
    bound = {manifest_path(folder, b.file) for control in policy.spec.controls.values() for b in control.bindings}
    near = bound.intersection(commit.paths)
    return folder in ("", ".") or bool(near) or any(path.startswith(f"{folder}/") for path in commit.paths)


def why_stale(policy: Policy, plan: Plan, *, since: Sequence[Commit], base: Read, head: Read) -> tuple[str, ...]:
    """Every reason why ``plan`` is stale, empty when it is not.

    ``since`` are the commits after the plan's base; ``base`` and ``head`` read files then and now.
    """
    near = [commit for commit in since if concerns(policy, commit)]
    return (*_replayed(plan, near), *_edited(plan, near, head), *_selected(policy, plan, near, base, head))


def authors(policy: Policy, since: Sequence[Commit], names: Sequence[str]) -> frozenset[str]:
    """Who of ``names`` wrote commits in the range; by name, address, or the address's part before the ``@``."""
    wrote = {
        said.casefold()
        for commit in since
        if concerns(policy, commit)
        for said in (commit.author, commit.email, commit.email.partition("@")[0])
    }
    return frozenset(name for name in names if name.casefold() in wrote)


def _replayed(plan: Plan, since: Sequence[Commit]) -> Iterator[str]:
    for commit in since:
        if commit.trailers.get(PLAN_TRAILER) == plan.id:
            yield f"{commit.sha[:8]} carried this plan out already"
        epoch = commit.trailers.get(EPOCH_TRAILER, "")
        if epoch.isdecimal() and int(epoch) > plan.epoch:
            yield f"{commit.sha[:8]} raised the epoch to {epoch}; the plan is of epoch {plan.epoch}"
        elif INTENT_TRAILER in commit.trailers:  # made without a ledger, it may not know how high the epoch is
            yield f"{commit.sha[:8]} took risk out after the plan was made"


def _edited(plan: Plan, since: Sequence[Commit], head: Read) -> Iterator[str]:
    for edit in plan.edits:
        content = head(edit.path)
        if content is None or git_blob_id(content) != edit.blob_before:
            yield f"{edit.path} changed since the plan{_by(since, edit.path)}"


def _selected(policy: Policy, plan: Plan, since: Sequence[Commit], base: Read, head: Read) -> Iterator[str]:
    """Objects that bindings select in files that the plan does not edit."""
    folder = policy.spec.target.gitops_path
    edited = {edit.path for edit in plan.edits}
    places = {
        (manifest_path(folder, b.file), b.object) for control in policy.spec.controls.values() for b in control.bindings
    }
    for path, name in sorted(places):
        if path in edited:
            continue
        before, after = base(path), head(path)
        if before != after and _object(before, name) != _object(after, name):
            yield f"{name} in {path} changed since the plan{_by(since, path)}"


def _object(content: bytes | None, name: str) -> Any:
    """The object ``Kind/name`` as data, or the whole text where it cannot be read as such."""
    kind, _, own = name.partition("/")
    try:
        documents = list(yaml.load_all(content or b"", Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError):
        return content
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == kind:
            metadata = document.get("metadata")
            if isinstance(metadata, dict) and metadata.get("name") == own:
                return document
    return None


def _by(since: Sequence[Commit], path: str) -> str:
    found = [commit for commit in since if path in commit.paths]
    return f" ({found[-1].author}, {found[-1].sha[:8]})" if found else ""
