"""The last row of a plan's page: what comes next in the state that it is in."""

from __future__ import annotations

from console.actions import On
from console.footer import Turn
from console.screens import View, keys_line
from console.screens.plan.draft import Draft
from widgets.line import Line, fit

_OVER = ("undone", "stale", "not applied", "failed", "refused")
"""States that only another plan gets out of."""
_OF_A_DIFF = frozenset(
    {"page", "next-change", "previous-change", "next-file", "previous-file", "beside", "fold", "patch"}
)


def plan_keys(view: View, draft: Draft, width: int, *, typing: bool = False, narrow: bool = False) -> Line:
    """The keys; while the field takes every letter, how to leave it. A ``narrow`` page has neither diff nor field."""
    if typing:
        said = "letters go into the field   tab leaves it for the keys   ctrl+u empties it   esc back"
        return Line().put(f" {fit(said if width >= 90 else said.partition('   ')[2], width - 2)}").fill(width)
    return keys_line(On.PLAN, view, width, turn=_turn(view, draft, narrow=narrow)).fill(width)


def _turn(view: View, draft: Draft, *, narrow: bool) -> Turn:
    state = draft.state(view)
    idle = set(_OF_A_DIFF if draft.plan is None or narrow else ())
    idle |= {"request"} if state != "blocked" else set()
    idle |= {"again"} if state == "applying" else set()
    idle |= {"field"} if narrow or not draft.typing(view) else set()
    return Turn(frozenset({"again"} if state in _OVER else ()), frozenset(idle))
