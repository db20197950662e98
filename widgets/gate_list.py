"""Gates with all their reasons, and the approvals that a plan has and still needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from stages.verdict import Gate, GateStatus
from widgets.figures import age
from widgets.line import Line, Tone, fit, sentences, title

_WORDS = {
    GateStatus.PASS: ("·", "pass", Tone.PLAIN), GateStatus.WAIVED: ("·", "waived", Tone.BOLD),
    GateStatus.FAIL: ("■", "NO", Tone.WARN), GateStatus.UNKNOWN: ("?", "UNKNOWN", Tone.UNKNOWN),
    GateStatus.NOT_CONFIGURED: ("○", "not set", Tone.DIM),
}  # fmt: skip


class Approval(Protocol):
    """A recorded approval."""

    @property
    def approver(self) -> str: ...
    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def expires(self) -> datetime: ...


def gate_title(gates: Sequence[Gate]) -> str:
    """``11 of 12``."""
    return f"{sum(gate.passes for gate in gates)} of {len(gates)}"


def gate_lines(gates: Sequence[Gate], width: int, height: int) -> list[Line]:
    """A title and the gates in order; what says no stands first when not all fit, and the rest is counted."""
    lines = [title("GATES", width, note=gate_title(gates))]
    if not gates:
        return lines
    if all(gate.passes for gate in gates) and height < len(gates) + 1:
        names = ", ".join(gate.gate_id for gate in gates)
        return [*lines, Line().put(" ").put("·", Tone.DIM).put(f" all pass: {fit(names, width - 15)}").fill(width)]
    room = height - 1
    told = {gate.gate_id: _gate(gate, width, whole=True) for gate in gates}
    needed = sum(len(told[gate.gate_id]) for gate in gates if not gate.passes)
    if needed >= room:  # there is no room for whole reasons: one line a gate
        told = {gate.gate_id: _gate(gate, width, whole=False) for gate in gates}
    kept: set[str] = set()
    left = room - (sum(map(len, told.values())) > room)
    for gate in sorted(gates, key=lambda gate: gate.passes):
        left -= len(told[gate.gate_id])
        kept |= {gate.gate_id} if left >= 0 else set()
    lines.extend(line for gate in gates if gate.gate_id in kept for line in told[gate.gate_id])
    if len(kept) < len(gates):
        lines.append(Line(Tone.DIM).put(f"   and {len(gates) - len(kept)} more that pass").fill(width))
    return lines


def _gate(gate: Gate, width: int, *, whole: bool) -> list[Line]:
    """One gate; ``whole`` gives each reason of one that does not pass as many lines as it needs."""
    mark, word, tone = _WORDS[gate.status]
    at = 34 if width >= 90 else 28
    line = Line().put(" ").put(mark, Tone.DIM if gate.passes else tone).put(" ").put(word, tone)
    line.put(fit(gate.gate_id, at - 12), at=11)
    said = None if gate.passes else tone
    if gate.passes or not whole:
        return [line.put(fit("; ".join(gate.reasons), width - at - 1), said, at=at).fill(width)]
    told = [one.text for why in gate.reasons for one in sentences(why, width - at - 1)] or [""]
    lines = [line.put(told[0], said, at=at), *(Line().put(more, said, at=at) for more in told[1:])]
    return [one.fill(width) for one in lines]


def approval_lines(
    given: Sequence[Approval], needed: int, needs: str, rejected: str, width: int, wall: datetime, *, asked: bool
) -> list[Line]:
    """A title, who signed until when, who may still sign."""
    counted = f"{len(given)} of {needed}" if len(given) <= needed else f"{len(given)}, {needed} needed"
    lines = [title("APPROVALS", width, note=counted)]
    roles_end = 40 if width >= 88 else 36 if width >= 70 else 32
    for approval in given:
        line = Line().put(" ").put("·", Tone.DIM).put(f" {fit(approval.approver, 12)}")
        line.put(fit(", ".join(approval.roles), roles_end - 17), at=16)
        signed = f"signed {approval.at:%H:%M:%S}Z, " if approval.at and width >= 70 else ""
        left = age((approval.expires - wall).total_seconds())
        line.put(fit(f"{signed}good for {left}", width - roles_end - 1), at=roles_end)
        lines.append(line.fill(width))
    if rejected:
        lines.append(Line().put(" ").put("■", Tone.WARN).put(fit(f" REFUSED by {rejected}", width - 3)).fill(width))
    missing = needed - len(given)
    if missing > 0 or needs:
        lines.append(Line().put(" ○ ").put(fit(needs or f"{missing} more", width - 4)).fill(width))
        said = "asked; the answer appears here by itself" if asked else "not asked yet: y asks the approvers"
        lines.append(Line().put(f"   {fit(said, width - 4)}").fill(width))
    return lines
