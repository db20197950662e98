"""Departure: what the plan that was approved and the same plan made today say differently."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from stages.ladder import Value, write_value
from stages.plan import ControlChange, Plan
from stages.value import Struct

Pair = tuple[str, str, str]
"""What it is about, what the approved plan says, what the fresh one says."""


class Departure(Struct, frozen=True):
    """The differences between two plans: of their facts, of their controls, and of the text that they would write."""

    facts: tuple[Pair, ...]
    """Stage, direction, epoch, policy, roster and refusals."""
    controls: tuple[Pair, ...]
    """Each side as ``before -> after``; one that a plan does not name is ``not changed``."""
    files: tuple[tuple[str, str], ...]
    """Path and unified text diff from the approved patch of the file to the fresh one.

    The text is empty where the patch is the same and the file changed elsewhere.
    """

    @property
    def lines(self) -> tuple[str, ...]:
        """The differences for people, one a line."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[str]:
        for what, approved, fresh in (*self.facts, *self.controls):
            yield f"{what}: approved {approved}, today {fresh}"
        for path, text in self.files:
            yield f"{path}: " + (
                "the patch would differ" if text else "the same patch, on a file that changed elsewhere"
            )
            yield from text.splitlines()

    def document(self) -> dict[str, object]:
        """The differences for programs."""
        return {
            "facts": [_side(pair) for pair in self.facts],
            "controls": [_side(pair) for pair in self.controls],
            "files": [{"path": path, "diff": text} for path, text in self.files],
        }


def departure(approved: Plan, fresh: Plan) -> Departure:
    """What ``fresh``, the same move made on today's head, says otherwise than ``approved``."""
    return Departure(
        tuple(pair for pair in _facts(approved, fresh) if pair[1] != pair[2]),
        tuple(_controls(approved, fresh)),
        tuple(_files(approved, fresh)),
    )


def _facts(approved: Plan, fresh: Plan) -> Iterator[Pair]:
    yield "from", approved.from_stage, fresh.from_stage
    yield "direction", approved.direction.value, fresh.direction.value
    yield "epoch", str(approved.epoch), str(fresh.epoch)
    yield "policy", _policy(approved), _policy(fresh)
    yield "roster", approved.roster_digest[:12] or "none", fresh.roster_digest[:12] or "none"
    yield "cannot be done", "; ".join(approved.refusals) or "nothing", "; ".join(fresh.refusals) or "nothing"


def _policy(plan: Plan) -> str:
    return f"version {plan.policy_version} ({plan.policy_digest[:12]})"


def _controls(approved: Plan, fresh: Plan) -> Iterator[Pair]:
    then, now = ({one.control: one for one in plan.changes} for plan in (approved, fresh))
    for name in dict.fromkeys((*then, *now)):
        sides = _move(then.get(name)), _move(now.get(name))
        if sides[0] != sides[1]:
            yield (name, *sides)


def _move(change: ControlChange | None) -> str:
    if change is None:
        return "not in the policy"
    before, after = _said(change.before), _said(change.after)
    return f"{before} unchanged" if before == after else f"{before} -> {after}"


def _said(value: Value | None) -> str:
    written = write_value(value)
    return ",".join(written) if isinstance(written, tuple) else "no limit" if written is None else written


def _files(approved: Plan, fresh: Plan) -> Iterator[tuple[str, str]]:
    then, now = ({one.path: one for one in plan.edits} for plan in (approved, fresh))
    for path in sorted({*then, *now}):
        blobs = [(side[path].blob_before, side[path].blob_after) if path in side else None for side in (then, now)]
        if blobs[0] == blobs[1]:
            continue
        was, is_ = (side[path].diff.splitlines(keepends=True) if path in side else [] for side in (then, now))
        yield path, "".join(difflib.unified_diff(was, is_, "approved", "today", n=2))


def _side(pair: Pair) -> dict[str, str]:
    return dict(zip(("what", "approved", "today"), pair, strict=True))
