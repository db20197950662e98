"""Rooms: the screens that open on a wish, by the name of the wish, and what each of them is made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from console.actions import On
from console.house import House
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


def room(wish: str, arguments: tuple[object, ...], view: View, house: House) -> Live | None:
    """The room of a wish; None for a wish that opens none, and for a plan before any stage is known by name."""
    marks = house.ascii_marks
    match wish, arguments:
        case "plan", (int(stage),) if view.frame is not None:
            return PlanScreen(view, house.hands, stage, view.frame.policy.stages[stage].name, ascii_marks=marks)
        case "help", (On() as here, str(topic)):
            return HelpScreen(view, here, topic, ascii_marks=marks)
        case "zoom", (SignalKey() as key,):
            return ZoomScreen(view, house.books, key, ascii_marks=marks)
        case known, _ if known in ROOMS:
            return ROOMS[known](view, house)
    return None
