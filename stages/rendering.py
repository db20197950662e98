"""Rendering: what gets deployed once Kustomize has built the manifests, before a plan and after it.

The result must build, hold the same objects, and say the values that the plan is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import yaml

from stages.bindings import locate
from stages.json_spans import parse_file
from stages.ladder import parse_value, write_value
from stages.plan import Plan
from stages.policy import Policy
from stages.reach import Material, Read, gather
from stages.refusal import Trouble
from stages.value import Struct, replace

_TOLD: Final = 5


class Built(Struct, frozen=True):
    """The objects of a build as YAML text, or why there are none."""

    text: str = ""
    failed: str = ""
    """What the builder said when it refused."""
    absent: str = ""
    """Why nothing could be built here at all."""


class Rendering(Struct, frozen=True):
    """What the rendered result of a plan says: what is wrong, what could not be told, and what was not looked at."""

    wrong: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    objects: int = 0
    absent: str = ""
    """Why nothing could be built here at all."""


Build = Callable[[Material], Built]


def render(policy: Policy, plan: Plan, read: Read, build: Build) -> Rendering:
    """What the plan's result says once it is built; ``read`` gives the files as they are, without the plan."""
    folder = policy.spec.target.gitops_path.strip("/")
    before = gather(read, folder)
    after = gather(lambda path: plan.contents[path] if path in plan.contents else read(path), folder)
    left_out = tuple(f"not checked: {what}" for what in after.left_out)
    if not after.built:
        return Rendering(not_checked=(f"not checked: {folder} has no kustomization to build",))
    if after.missing:
        more = f" and {len(after.missing) - _TOLD} more" if len(after.missing) > _TOLD else ""
        lacks = f"not there, though a kustomization names it: {', '.join(after.missing[:_TOLD])}{more}"
        return Rendering(wrong=(lacks,), not_checked=left_out)
    was, is_ = (build(material) for material in (before, after))
    if is_.absent:
        return Rendering(absent=f"not checked: {is_.absent}", not_checked=left_out)
    if is_.failed:
        since = ", as it did before" if was.failed else ""
        return Rendering(wrong=(f"the result does not build{since}: {is_.failed}",), not_checked=left_out)
    objects = identities(is_.text)
    wrong = () if was.failed else tuple(_changed(identities(was.text), objects))
    said = _Values(policy, plan, is_.text)
    return Rendering((*wrong, *said.wrong), tuple(said.unknown), left_out, len(objects))


Identity = tuple[str, str, str, str]
"""apiVersion, kind, namespace, name."""


def identities(text: str) -> frozenset[Identity]:
    """The objects of a build."""
    found = (one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if isinstance(one, dict))
    return frozenset(_identity(one) for one in found)


def _identity(one: Mapping[str, Any]) -> Identity:
    metadata = one.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    said = (one.get("apiVersion"), one.get("kind"), named.get("namespace"), named.get("name"))
    api, kind, namespace, name = ("" if part is None else str(part) for part in said)
    return api, kind, namespace, name


def _changed(before: frozenset[Identity], after: frozenset[Identity]) -> Iterator[str]:
    for verb, names in (("would go", before - after), ("would come", after - before)):
        yield from (f"{_said(one)} {verb}" for one in sorted(names))


def _said(one: Identity) -> str:
    api, kind, namespace, name = one
    return f"{kind}/{name} ({api}{f', namespace {namespace}' if namespace else ''})"


class _Values:
    """What the built objects say of every control that is bound, beside what the plan wants."""

    def __init__(self, policy: Policy, plan: Plan, text: str) -> None:
        self.wrong: list[str] = []
        self.unknown: list[str] = []
        try:
            manifest = parse_file(text, "the built result")
        except Trouble as trouble:
            self.unknown.append(trouble.line)
            return
        for change in plan.changes:
            control = policy.spec.controls.get(change.control)
            for spec in control.bindings if control is not None else ():
                binding = replace(spec.binding, file="the built result")
                try:
                    value = parse_value(change.unit, locate(manifest, binding).value, binding.label)
                except Trouble as trouble:
                    self.unknown.append(f"{change.control} cannot be read in the result: {trouble.line}")
                    continue
                if control is not None and not control.order.same(value, change.after):
                    said = f"the result says {_text(value)}, the plan {_text(change.after)}"
                    self.wrong.append(f"{change.control} of {spec.object}: {said}")


def _text(value: Any) -> str:
    said = write_value(value)
    return ",".join(said) if isinstance(said, tuple) else "nothing" if said is None else said
