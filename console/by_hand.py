"""By hand: the git, kubectl and curl commands that do the same as a reduction, for the night when it cannot."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from stages.exempt import FIELD_MANAGER, flag_of, patch_of
from stages.ladder import Value, write_value
from stages.plan import Plan
from stages.policy import BindingSpec, Policy
from stages.posture import Mode, effective_mode

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def by_hand(
    policy: Policy, stage: int, mode: Mode, *, remote: str, branch: str, venue: str | None, plan: Plan | None
) -> tuple[str, ...]:
    """The commands, in the order of their effect, with a word about each as a comment.

    ``plan`` is the reduction computed on the newest head; without it (Git is away) the values to write are listed.
    ``venue`` is the broker's address, None where none is configured.
    """
    return (
        *_venue(policy, mode, venue),
        *_git(policy, stage, remote, branch, plan),
        *_values(policy, stage, mode, plan),
        *_cluster(policy, stage, mode),
    )


def _venue(policy: Policy, mode: Mode, venue: str | None) -> Iterator[str]:
    carried_out = effective_mode(mode, policy.mapped_modes)
    actions = policy.venue_actions(carried_out)
    if not actions:
        return
    if venue is None:
        yield "# the venue: block new orders and cancel what is open at the broker's own page; none is configured here"
        return
    root = venue.rstrip("/")
    if "suspend" in actions:
        yield "# 1. at the venue: block new orders"
        body = shlex.quote('{"reason": "by hand"}')
        yield f"curl -sS -X POST -H 'Content-Type: application/json' -d {body} {root}/block"
    if "cancelAll" in actions:
        yield "# and cancel every working order"
        yield f"curl -sS -X POST {root}/orders/cancel-all"


def _git(policy: Policy, stage: int, remote: str, branch: str, plan: Plan | None) -> Iterator[str]:
    name = policy.stages[stage].name
    folder = f"{policy.name}-by-hand"
    yield f"# 2. in Git: the limits of {name}, on the newest {branch}"
    yield f"git clone --depth 1 --branch {shlex.quote(branch)} {shlex.quote(remote)} {folder} && cd {folder}"
    if plan is not None and not plan.edits:
        yield "# nothing to change: the manifests say this already"
        return
    if plan is not None:
        yield "git apply --unidiff-zero <<'RAMPDECK'"
        yield from "".join(edit.diff for edit in plan.edits).splitlines()
        yield "RAMPDECK"
    else:
        yield "# Git could not be read, so there is no patch: write the values below into the files"
    yield f"git commit -am {shlex.quote(f'Roll back {policy.name} to {name} by hand')}"
    yield f"git push origin HEAD:{shlex.quote(branch)}"


def _values(policy: Policy, stage: int, mode: Mode, plan: Plan | None) -> Iterator[str]:
    if plan is not None:
        for refusal in plan.refusals:
            yield f"# by hand as well: {refusal}"
        return
    folder = policy.spec.target.gitops_path.strip("/")
    for name, value in _wanted(policy, stage, mode).items():
        for place in policy.spec.controls[name].bindings:
            yield f"#   {folder}/{place.file}  {place.binding.label}: {_said(value)}"


def _cluster(policy: Policy, stage: int, mode: Mode) -> Iterator[str]:
    target = policy.spec.target
    if target.application:
        yield "# 3. have the GitOps controller look now"
        yield (
            f"kubectl -n {target.application.namespace} annotate application {target.application.name} "
            "argocd.argoproj.io/refresh=hard --overwrite"
        )
    flag = flag_of(policy) if effective_mode(mode, policy.mapped_modes) is Mode.KILLED else None
    if flag is not None:
        yield "# the runtime flag: a field that the controller leaves alone, so that it stays"
        body = shlex.quote(json.dumps(patch_of(flag, flag.value)))
        yield (
            f"kubectl -n {target.namespace} patch {flag.object.lower().replace('configmap/', 'configmap ')} "
            f"--type merge --field-manager {FIELD_MANAGER} -p {body}"
        )
    settings: dict[str, list[str]] = {}
    for name, value in _wanted(policy, stage, mode).items():
        for place in policy.spec.controls[name].bindings:
            if _settable(place):
                pair = shlex.quote(f"{place.env}={_said(value)}")
                settings.setdefault(place.object, []).append(pair)
    if settings:
        yield "# only while Git is away: straight into the cluster; it restarts the process, and self-heal undoes it"
    for workload, pairs in settings.items():
        yield f"kubectl -n {target.namespace} set env {workload.lower()} {' '.join(pairs)}"


def _settable(place: BindingSpec) -> bool:
    return place.env is not None and place.inside is None and place.object.partition("/")[0] in _WORKLOADS


def _wanted(policy: Policy, stage: int, mode: Mode) -> dict[str, Value | None]:
    overlay = policy.overlay(effective_mode(mode, policy.mapped_modes))
    wanted = {**policy.resolved[stage], **overlay}
    return {name: value for name, value in wanted.items() if not policy.spec.controls[name].pinned_by}


def _said(value: Value | None) -> str:
    written = write_value(value)
    return ",".join(written) if isinstance(written, tuple) else str(written)
