"""Expectations of a scenario against what came: the first difference, by second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stages.scenario import End, Expectation, Expected
from stages.value import Struct

COMPARED = ("alarm", "latch", "posture", "action", "answer")
"""Kinds of happenings that have to be expected; others are told and free."""


class Happening(Struct, frozen=True):
    """Something that came at a second. ``facts`` are what can be expected of it, ``detail`` is for people."""

    second: int
    kind: str
    facts: Mapping[str, str]
    detail: str = ""

    @property
    def words(self) -> str:
        """``latch grossLimit REDUCE_ONLY L0``; of an answer also why."""
        why = f": {self.detail}" if self.kind == "answer" and self.detail else ""
        return " ".join((self.kind, *self.facts.values())) + why

    def is_one(self, other: Happening) -> bool:
        """Whether ``other`` is the same thing, told with this detail in its own."""
        return (self.kind, self.facts) == (other.kind, other.facts) and self.detail in other.detail


class Difference(Struct, frozen=True):
    """Where expectation and fact part; one of the two may be nothing."""

    second: int
    expected: str
    came: str

    @property
    def words(self) -> str:
        return f"at {self.second} s expected {self.expected or 'nothing of the kind'}, came {self.came or 'nothing'}"


def expected(expect: Expected) -> tuple[Happening, ...]:
    """Every row of the expectations as the happening that it asks for, in the order of time."""
    rows: list[tuple[str, Expectation]] = [
        *(("alarm", row) for row in expect.alarms),
        *(("latch", row) for row in expect.latches),
        *(("posture", row) for row in expect.postures),
        *(("action", row) for row in expect.actions),
        *(("answer", row) for row in expect.answers),
    ]
    found = [Happening(int(row.at.total_seconds()), kind, _facts(row), getattr(row, "why", "")) for kind, row in rows]
    return tuple(sorted(found, key=lambda one: one.second))


def first_difference(expect: Expected, came: Iterable[Happening], end: End, last: int) -> Difference | None:
    """The earliest second in which something expected did not come, or something came that was not expected."""
    wanted = expected(expect)
    judged = [one for one in came if one.kind in COMPARED]
    for second in sorted({one.second for one in (*wanted, *judged)}):
        for kind in COMPARED:
            found = _apart(_at(wanted, second, kind), _at(judged, second, kind))
            if found is not None:
                return _told(second, *found, judged)
    if end != expect.end:
        return Difference(last, f"the end {_end(expect.end)}", f"the end {_end(end)}")
    return None


def _facts(row: Expectation) -> dict[str, str]:
    facts: dict[str, str] = row.model_dump(by_alias=True, exclude={"at", "why"})
    return facts


def _at(happenings: Sequence[Happening], second: int, kind: str) -> list[Happening]:
    return [one for one in happenings if (one.second, one.kind) == (second, kind)]


def _apart(wanted: list[Happening], came: list[Happening]) -> tuple[Happening | None, Happening | None] | None:
    """The first that is missing and the first that is too much; None when both hold the same."""
    left = list(came)
    missing: list[Happening] = []
    for one in wanted:
        match = next((other for other in left if one.is_one(other)), None)
        if match is None:
            missing.append(one)
        else:
            left.remove(match)
    if not missing and not left:
        return None
    return next(iter(missing), None), next(iter(left), None)


def _told(second: int, missing: Happening | None, extra: Happening | None, came: Sequence[Happening]) -> Difference:
    if missing is not None and extra is None:
        late = next(_elsewhere(missing, came), None)
        return Difference(second, missing.words, f"nothing, it came at {late} s" if late is not None else "")
    return Difference(second, missing.words if missing else "", extra.words if extra else "")


def _elsewhere(wanted: Happening, came: Sequence[Happening]) -> Iterator[int]:
    return (one.second for one in came if wanted.is_one(one) and one.second != wanted.second)


def _end(end: End) -> str:
    return f"at {end.stage} {end.mode}, posture {end.posture} {end.cap}"
