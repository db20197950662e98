"""The house: what every room of the console may use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.desk import Books, Hands


@dataclass(frozen=True, slots=True)
class House:
    """The hands that act, the books to read, the clock on the wall."""

    hands: Hands
    books: Books
    wall: Callable[[], datetime]
    ascii_marks: bool
