"""Whether an act made it safe now, and whether it stays so: two verdicts, each YES only by witnesses that were read.

Safe now is the venue's word wherever the mode has it block; otherwise it is the runtime's. It stays so when Git and the
runtime both say so. A witness that does not answer says nothing, whatever it said before.
"""

from __future__ import annotations

from typing import Final

from stages.drift import runtime_agrees
from stages.facts import Intent
from stages.policy import Policy
from stages.posture import Mode, effective_mode
from stages.session import span
from stages.signals import Snapshot
from stages.value import Struct
from stages.verdict import Evaluation
from stages.witness import VenueReading

YES: Final = "YES"
NOT_YET: Final = "NOT YET"
UNVERIFIED: Final = "UNVERIFIED"

NOT_IN_GIT: Final = "not in Git"
"""How the reason begins where the manifests refused a part of the act."""

VENUE: Final = "venue"
"""Under which name the venue stands among the sources, read or not."""


class Verdict(Struct, frozen=True):
    """YES, NOT YET or UNVERIFIED, with the reason in a few words."""

    said: str
    note: str


def safe_now(policy: Policy, intent: Intent, evaluation: Evaluation) -> Verdict:
    """Whether new risk is stopped now: by the venue's block, or by a runtime that was read to run what was pushed."""
    snapshot = evaluation.snapshot
    venue, blocks, cancels = snapshot.venue, *_at_venue(policy, intent.mode)
    if venue is None:
        if blocks or _configured(snapshot):
            return Verdict(UNVERIFIED, "the venue was not read")
        return _by_runtime(policy, intent, evaluation, "runtime still runs the old limits")
    if venue.error:
        return Verdict(UNVERIFIED, "the venue was not read")
    if venue.blocked:
        return _blocked(venue, cancels)
    waits = Verdict(NOT_YET, "venue takes new orders")
    return waits if blocks else _by_runtime(policy, intent, evaluation, waits.note)


def stays_so(policy: Policy, intent: Intent, evaluation: Evaluation) -> Verdict:
    """Whether Git and the runtime, both read, say what was pushed, so that no sync undoes it."""
    git, wall = evaluation.snapshot.git, evaluation.snapshot.wall
    if git is None or git.error:
        silent = f"Git gives no answer for {span(wall - git.fetched_at)}" if git and git.head else "Git was not read"
        return Verdict(UNVERIFIED, silent)
    if intent.refused:
        return _not_written(intent)
    agrees = runtime_agrees(policy, evaluation.drift)
    if agrees is None:
        return Verdict(UNVERIFIED, "the runtime was not read")
    if agrees and _arrived(intent):
        return Verdict(YES, "Git and runtime agree")
    if intent.awaited:
        return Verdict(NOT_YET, "its branch is not merged")
    return Verdict(NOT_YET, "the push is on its way" if intent.unresolved else "runtime still runs the old limits")


def _at_venue(policy: Policy, mode: Mode) -> tuple[bool, bool]:
    """Whether the venue blocks and whether it cancels in ``mode``; a kill has it do both, whatever is mapped."""
    if mode is Mode.KILLED:
        return True, True
    actions = policy.venue_actions(effective_mode(mode, policy.mapped_modes))
    return "suspend" in actions, "cancelAll" in actions


def _configured(snapshot: Snapshot) -> bool:
    return any(source.name == VENUE for source in snapshot.sources)


def _blocked(venue: VenueReading, cancels: bool) -> Verdict:
    left = len(venue.open_orders)
    if cancels and left:
        return Verdict(NOT_YET, f"blocked, {left} order{'' if left == 1 else 's'} not confirmed gone")
    return Verdict(YES, "venue blocks new orders")


def _by_runtime(policy: Policy, intent: Intent, evaluation: Evaluation, waiting: str) -> Verdict:
    if intent.refused:
        return _not_written(intent)
    if not _arrived(intent):
        return Verdict(NOT_YET, waiting)
    agrees = runtime_agrees(policy, evaluation.drift)
    if agrees is None:
        return Verdict(UNVERIFIED, "the runtime was not read")
    return Verdict(YES, "the runtime runs the lower limits") if agrees else Verdict(NOT_YET, "runtime differs from Git")


def _not_written(intent: Intent) -> Verdict:
    return Verdict(NOT_YET, f"{NOT_IN_GIT}: {intent.refused[0]}")


def _arrived(intent: Intent) -> bool:
    """Whether the act was read back once, or had nothing to change; what was read back may have changed since."""
    return intent.settled == "converged" or intent.outcome == "unchanged"
