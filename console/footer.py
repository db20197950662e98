"""The footer: what can be done now, as long as it fits, and where on the line each of it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from console.actions import Action, On, actions_on
from stages.value import Struct

if TYPE_CHECKING:
    from console.desk import Frame

_VITAL = frozenset(
    {
        "look",
        "plan",
        "reduce",
        "kill",
        "reduce-here",
        "reduce-from-ledger",
        "reduce-while-drilling",
        "reduce-from-zoom",
        "kill-while-drilling",
        "abandon",
        "filter-entries",
        "acknowledge",
        "page",
        "request",
        "help",
        "back",
    }
)
"""What the footer names at every width."""

Place = tuple[int, int, Action]
"""From which cell to which an action stands."""


def own_label(action: Action) -> str:
    """The key of an action as the registry has it."""
    return action.label


class Turn(Struct, frozen=True):
    """Whose turn it is on a page whose state the frame does not tell: actions that come next, and idle ones."""

    next: frozenset[str] = frozenset()
    idle: frozenset[str] = frozenset()


NOBODYS = Turn()
"""Every action that the frame allows is as near as any other."""


def footer(screen: On, frame: Frame | None, width: int, label: Callable[[Action], str] = own_label) -> str:
    """The line of keys: what is possible now, in order, as long as it fits; help and back always do.

    ``label`` says which key an action has on this machine.
    """
    return footer_places(screen, frame, width, label)[0]


def footer_places(
    screen: On, frame: Frame | None, width: int, label: Callable[[Action], str] = own_label, turn: Turn = NOBODYS
) -> tuple[str, list[Place]]:
    """The line, and where on it each action stands."""
    possible = [a for a in actions_on(screen) if a.footer and a.possible(frame) and a.id not in turn.idle]
    if screen is On.RAMP:
        possible = [a for a in possible if a.id != "back"]
    while True:
        groups = list(_groups(possible))
        length = sum(len(_said(group, label)) for group in groups)
        spare = [action for action in possible if action.id not in _VITAL | turn.next]
        for gap in ("   ", "  "):
            if length + len(gap) * (len(groups) - 1) <= width or (gap == "  " and not spare):
                return _placed(groups, gap, label)
        possible.remove(spare[-1])


def _groups(actions: Sequence[Action]) -> Iterator[Sequence[Action]]:
    """Neighbours that share their word share one text: ``[ ] file``."""
    group: list[Action] = []
    for action in actions:
        if group and group[-1].brief != action.brief:
            yield group
            group = []
        group.append(action)
    if group:
        yield group


def _said(group: Sequence[Action], label: Callable[[Action], str]) -> str:
    return " ".join([*(label(action) for action in group), group[0].brief])


def _placed(groups: Sequence[Sequence[Action]], gap: str, label: Callable[[Action], str]) -> tuple[str, list[Place]]:
    text, places = "", []
    for group in groups:
        text += gap if text else ""
        for action in group:
            places.append((len(text), len(text) + len(label(action)), action))
            text += f"{label(action)} "
        text += group[0].brief
        start, _, last = places[-1]
        places[-1] = (start, len(text), last)
    return text, places
