"""How the product says no: a Refusal is an answer, a Trouble is the lack of one."""

from __future__ import annotations

from stages.value import Struct


class Trouble(Exception):
    """The question could not be answered: bad input, or a part that cannot be reached.

    Shown to the user as one line: what is wrong, where, what to do. The process exits with 2.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The whole message on one line: ``where: what; fix``."""
        prefix = f"{self.where}: " if self.where else ""
        suffix = f"; {self.fix}" if self.fix else ""
        return " ".join(f"{prefix}{self.what}{suffix}".split())

    @property
    def sentence(self) -> str:
        """The same with what is wrong first, for a place that may have to cut it: ``what (where); fix``."""
        where = f" ({self.where})" if self.where else ""
        suffix = f"; {self.fix}" if self.fix else ""
        return " ".join(f"{self.what}{where}{suffix}".split())


class Refusal(Struct, frozen=True):
    """The answer is no. The process exits with 1 and the ledger keeps a ``denied`` entry.

    ``code`` is stable and for machines (kebab-case), ``reason`` is one sentence for people.
    """

    code: str
    reason: str
