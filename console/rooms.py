"""Rooms: the screens that open on a wish, by the name of the wish, and what each of them is made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from console.actions import On
from console.desk import Books, Hands
from console.screens import Live, View
from console.screens.clear import ClearScreen
from console.screens.drill import DrillScreen
from console.screens.help import HelpScreen
from console.screens.incident import IncidentScreen
from console.screens.ledger import LedgerScreen
from console.screens.plan import PlanScreen
from console.screens.rollback import ReduceScreen
from console.screens.zoom import ZoomScreen
from stages.signals import SignalKey


@dataclass(frozen=True, slots=True)
class House:
    """What every room may use: the hands that act, the books to read, the clock on the wall."""

    hands: Hands
    books: Books
    wall: Callable[[], datetime]
    ascii_marks: bool


def _reduce(view: View, house: House) -> Live:
    return ReduceScreen(view, house.hands, house.wall, ascii_marks=house.ascii_marks)


def _kill(view: View, house: House) -> Live:
    return ReduceScreen(view, house.hands, house.wall, ascii_marks=house.ascii_marks, kill=True)


def _incident(view: View, house: House) -> Live:
    return IncidentScreen(view, house.hands, ascii_marks=house.ascii_marks)


def _clear(view: View, house: House) -> Live:
    return ClearScreen(view, house.hands, ascii_marks=house.ascii_marks)


def _ledger(view: View, house: House) -> Live:
    return LedgerScreen(view, house.books, ascii_marks=house.ascii_marks)


def _drill(view: View, house: House) -> Live:
    return DrillScreen(view, house.hands, house.wall, ascii_marks=house.ascii_marks)


ROOMS: Final[Mapping[str, Callable[[View, House], Live]]] = MappingProxyType(
    {
        "reduce": _reduce,
        "kill": _kill,
        "incident": _incident,
        "clear": _clear,
        "ledger": _ledger,
        "drill": _drill,
    }
)
"""The rooms that need no more than the house."""


def plan_room(view: View, house: House, stage: int) -> Live | None:
    """The plan to the stage of this index; None before the first frame, when no stage is known by name."""
    if view.frame is None:
        return None
    target = view.frame.policy.stages[stage].name
    return PlanScreen(view, house.hands, stage, target, ascii_marks=house.ascii_marks)


def help_room(view: View, house: House, here: On) -> Live:
    """The keys of the screen one comes from, then all others."""
    return HelpScreen(view, here, ascii_marks=house.ascii_marks)


def zoom_room(view: View, house: House, key: SignalKey) -> Live:
    """A close look at one signal."""
    return ZoomScreen(view, house.books, key, ascii_marks=house.ascii_marks)
