"""The veil: what a picture of the screen must not show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.value import Struct


class Veil(Struct, frozen=True):
    """What pictures hide beside what looks like a credential: words, whole and in any case of their letters."""

    words: tuple[str, ...] = ()
    home: str = ""
    """The person's own folder, whose name is a person's name."""

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where ``text`` says something that is to be hidden, as character positions."""
        from console.crash import hidden_spans

        yield from hidden_spans(text)
        if len(self.home) > 1:
            yield from (found.span() for found in re.finditer(rf"{re.escape(self.home)}(?![\w-])", text))
        for word in self.words:
            pattern = rf"(?i)(?<![\w-]){re.escape(word)}(?![\w-])"
            yield from (found.span() for found in re.finditer(pattern, text))
