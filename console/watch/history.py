"""History: the controls at the last applied plan's commit, and the commit that moved each of them since."""

from __future__ import annotations

from functools import partial

from console.ports import Repository
from stages.applied import Applied, Origin
from stages.policy import Policy
from stages.refusal import Trouble
from stages.standing import Manifests, read_controls
from stages.state import ControlState


def applied_controls(policy: Policy, repository: Repository, state: ControlState) -> Applied:
    """What the newest pushed act left in Git, and who moved which control up to the head that is known here.

    A commit that touches no bound file is not read. What cannot be read is told in ``trouble``.
    """
    newest = state.last_pushed
    if newest is None or not newest.sha:
        return Applied()
    try:
        head = repository.known_head() or repository.fetch()
        before = read_controls(policy, partial(repository.read, newest.sha))
        return Applied(newest.sha, before, _origins(policy, repository, newest.sha, head))
    except Trouble as trouble:
        return Applied(newest.sha, trouble=trouble.line)


def _origins(policy: Policy, repository: Repository, sha: str, head: str) -> dict[str, Origin]:
    place = Manifests(policy, partial(repository.read, head))
    bound = {place.path(one.file) for control in policy.spec.controls.values() for one in control.bindings}
    known = read_controls(policy, partial(repository.read, sha)).values
    origins: dict[str, Origin] = {}
    for commit in repository.log(sha, head):
        if not bound.intersection(commit.paths):
            continue
        values = read_controls(policy, partial(repository.read, commit.sha)).values
        for name, value in values.items():
            if name in known and not policy.spec.controls[name].order.same(value, known[name]):
                origins[name] = Origin(commit.sha, commit.author, commit.at)
        known = {**known, **values}
    return origins
