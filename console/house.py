"""The house: what every room of the console may use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from stages.value import Struct

if TYPE_CHECKING:
    from console.desk import Books, Hands


class House(Struct, frozen=True):
    """The hands that act, the books to read, the clock on the wall."""

    hands: Hands
    books: Books
    wall: Callable[[], datetime]
    ascii_marks: bool
