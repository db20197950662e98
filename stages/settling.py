"""Settling: what became of pushed acts, by what Git and the runtime were read to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from stages.commands import RecordSettled
from stages.deployed_rows import UNREAD, deployed_rows
from stages.drift import GIT_UNREAD, SAME, runtime_agrees
from stages.facts import REDUCE
from stages.policy import Policy
from stages.state import ControlState
from stages.value import Struct
from stages.verdict import Evaluation, TruthRow


class Truth(Struct, frozen=True):
    """What the runtime was read to say: ``agrees`` with Git's head, does not, or None for not read."""

    agrees: bool | None
    detail: str = ""


def truth(policy: Policy, state: ControlState, evaluation: Evaluation) -> Truth:
    """Whether the runtime runs what was pushed last; not known before Git was read with the push in it."""
    newest, git, standing = state.settling[-1], evaluation.snapshot.git, evaluation.standing
    there = standing.stage is not None and policy.stages[standing.stage].name == newest.to_stage
    # A stricter mode fulfils a reduction; what lets risk return has not arrived while the old mode still stands.
    arrived = standing.mode >= newest.mode if newest.kind == REDUCE else standing.mode is newest.mode
    if git is None or git.error:
        return Truth(None, git.error if git else GIT_UNREAD)
    if not (git.head == newest.sha or (there and arrived)):
        return Truth(None, "the push was not read back from Git")
    odd = [one for one in evaluation.drift if one.state != SAME and policy.spec.controls[one.control].readback]
    snapshot = evaluation.snapshot
    rows = tuple(deployed_rows(snapshot.deployed, git, newest.sha, snapshot.wall))
    wrong = [row for row in rows if row.agree is False or UNREAD in (row.git, row.runtime)]
    said = [*(f"{one.control}: {one.detail}" for one in odd), *(f"{row.name}: {row.note}" for row in wrong)]
    return Truth(_both(runtime_agrees(policy, evaluation.drift), rows), "; ".join(said))


def _both(agrees: bool | None, rows: Sequence[TruthRow]) -> bool | None:
    """The readbacks together with controller and workloads: all of them, where there are any, must have arrived."""
    if agrees is False or any(row.agree is False for row in rows):
        return False
    return None if any(UNREAD in (row.git, row.runtime) for row in rows) else agrees


def settled(
    state: ControlState,
    found: Truth,
    *,
    actor: str,
    now: datetime,
    convergence: timedelta,
    since: datetime | None = None,
) -> Iterator[RecordSettled]:
    """Closes pushed acts: converged as soon as the runtime agrees, diverged when ``convergence`` has passed.

    ``since`` is when whoever asks began to look, without a gap from then on: what it has not read yet may have
    converged while nobody looked, so only a whole ``convergence`` of looking in vain is an answer. An older act that a
    newer one replaced has diverged: it never came to be, or is no longer asked for.
    """
    acts = state.settling
    for place, intent in enumerate(acts):
        replaced = place < len(acts) - 1
        begun = max(intent.at, since) if found.agrees is None and since is not None else intent.at
        if replaced or found.agrees or now - begun >= convergence:
            converged = bool(found.agrees) and not replaced
            detail = "replaced by a newer act" if replaced else found.detail
            yield RecordSettled(actor, intent.id, converged, intent.sha, detail)
