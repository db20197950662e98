"""JSON over HTTP: values by path, exact decimals, sums and extremes over lists, and the time that the document names.

A path is the policy's path language (keys joined by dots, ``["any key"]``, ``[name=value]``, ``[0]``) with ``[*]`` for
every item of a list, which ``reduce`` folds into one number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from stages.ladder import Unit
from stages.measures import HttpSource, Signal, Source
from stages.paths import Index, Key, Step, parse_path
from stages.raw_values import age_of, is_measurement, moment_of, number_of
from stages.refusal import Trouble
from stages.signals import Quality, Sample
from stages.value import Struct

EACH: Final = "[*]"

_REDUCERS: Final[Mapping[str, Callable[[Sequence[Decimal]], Decimal]]] = {
    "sum": lambda numbers: sum(numbers, Decimal(0)),
    "sum-abs": lambda numbers: sum((abs(number) for number in numbers), Decimal(0)),
    "max": max,
    "max-abs": lambda numbers: max((abs(number) for number in numbers), default=Decimal(0)),
    "min": min,
}


class _NotThere(Exception):
    """A path leads nowhere, or to null; the text says where it ends."""

    def __init__(self, detail: str, quality: Quality = Quality.MISSING) -> None:
        super().__init__(detail)
        self.detail, self.quality = detail, quality


class JsonDocument(Struct, frozen=True):
    """A parsed JSON body; numbers with a point are Decimal, so that no money passes through binary floats."""

    root: Any

    @classmethod
    def parse(cls, body: bytes) -> JsonDocument:
        """Raises Trouble for HTML, nothing or anything else that is not JSON."""
        text = body.strip()
        if not text:
            raise Trouble("an empty answer")
        if text.startswith(b"<"):
            raise Trouble("HTML instead of JSON")
        try:
            return cls(json.loads(text, parse_float=Decimal, parse_constant=Decimal))
        except (ValueError, RecursionError, ArithmeticError):
            raise Trouble("not JSON") from None

    def sample(self, signal: Signal, read_time: datetime) -> Sample:
        """The signal's value with its event time; the quality is what the document alone can tell."""
        source = signal.source.http
        assert source is not None
        try:
            event = None if signal.event_time is None else _moment(self._one(signal.event_time), signal.event_time)
            if not signal.unit.is_number:
                return Sample(Quality.OK, read_time, event_time=event, text=self._text(source.value))
            number, row = self._measured(source, signal.unit, read_time)
            return Sample(Quality.OK, read_time, number, event, self._label(signal.label, row))
        except _NotThere as missing:
            return Sample(missing.quality, read_time, detail=missing.detail)

    def said(self, source: Source) -> str | tuple[str, ...] | None:
        """The text of a readback. Raises Trouble when the document does not hold it."""
        assert source.http is not None
        path = source.http.value
        try:
            if source.http.reduce or source.http.minus:
                number = self._number(source.http, path)[0]
                return str(number - self._number(source.http, source.http.minus)[0] if source.http.minus else number)
            found = self._one(path)
        except _NotThere as missing:
            raise Trouble(missing.detail) from None
        if isinstance(found, list):
            return tuple(str(item) for item in found)
        return _words(found, path)

    def _measured(self, source: HttpSource, unit: Unit, read_time: datetime) -> tuple[Decimal, int | None]:
        """What the signal counts, and the row that it comes from where it is an extreme of a list."""
        if source.age:
            return age_of(_moment(self._one(source.value), source.value), read_time, unit), None
        number, row = self._number(source, source.value)
        if source.minus is not None:
            number -= self._number(source, source.minus)[0]
        if source.over is None:
            return number, row
        whole = self._number(source, source.over)[0]
        if not whole:
            raise _NotThere(f"{source.over} is 0: there is no share of nothing")
        return number / whole, row

    def _number(self, source: HttpSource, path: str) -> tuple[Decimal, int | None]:
        """A finite number, and the row that it comes from where it is an extreme of a list."""
        if EACH not in path:
            if source.reduce == "count":
                return Decimal(len(self._list(path))), None
            return _finite(self._one(path), path), None
        rows = self._rows(path)
        if source.among:
            return Decimal(sum(row in source.among for row in _whole(rows, path))), None
        if source.reduce == "count":
            return Decimal(len(rows)), None
        if source.reduce is None:
            raise _NotThere(f"{path} has several values and no reduce", Quality.PROVIDER_ERROR)
        if not rows and source.reduce in ("max", "min"):
            raise _NotThere(f"{path} has no item")
        numbers = [_finite(row, path) for row in _whole(rows, path)]
        number = _REDUCERS[source.reduce](numbers)
        extreme = source.reduce in ("max", "max-abs", "min") and numbers
        return number, next(at for at, each in enumerate(numbers) if number in (each, abs(each))) if extreme else None

    def _text(self, path: str) -> str:
        """One word, or the words of a list joined by commas."""
        if EACH not in path:
            return _words(self._one(path), path)
        return ",".join(_words(row, path) for row in _whole(self._rows(path), path))

    def _label(self, path: str | None, row: int | None) -> str:
        """A word beside the title. It is an ornament: without it the number still stands."""
        if path is None:
            return ""
        try:
            found = self._rows(path)[row] if EACH in path and row is not None else self._one(path)
            return "" if found is None else _words(found, path)
        except (_NotThere, IndexError):
            return ""

    def _one(self, path: str) -> Any:
        if EACH in path:
            raise _NotThere(f"{path} has several values", Quality.PROVIDER_ERROR)
        found = _walk(self.root, path, path)
        if found is None:
            raise _NotThere(f"{path} is null")
        return found

    def _list(self, path: str) -> list[Any]:
        found = self._one(path)
        if not isinstance(found, list):
            raise _NotThere(f"{path} is not a list", Quality.PROVIDER_ERROR)
        return found

    def _rows(self, path: str) -> list[Any]:
        """The values at a path with ``[*]``, None where an item lacks it."""
        head, *tails = path.split(EACH)
        found = self._list(head) if head else self.root
        for place, tail in enumerate(tails):
            if not isinstance(found, list):
                raise _NotThere(f"{path} does not lead to a list", Quality.PROVIDER_ERROR)
            rows = [_within(item, tail.removeprefix("."), path) for item in found]
            last = place == len(tails) - 1
            found = rows if last else [item for row in rows for item in (row if isinstance(row, list) else [None])]
        return list(found)


def _whole(rows: list[Any], path: str) -> list[Any]:
    """The rows, when none of them lacks the value: a list with gaps is no smaller list."""
    missing = sum(row is None for row in rows)
    if missing:
        raise _NotThere(f"{missing} of {len(rows)} items lack a value at {path}", Quality.PARTIAL)
    return rows


def _within(item: Any, path: str, whole: str) -> Any:
    try:
        return _walk(item, path, whole) if path else item
    except _NotThere:
        return None


def _walk(node: Any, path: str, whole: str) -> Any:
    for step in _steps(path):
        node = _follow(node, step, whole)
    return node


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[Step, ...]:
    try:
        return parse_path(path)
    except Trouble as trouble:
        raise _NotThere(trouble.what, Quality.PROVIDER_ERROR) from None


def _follow(node: Any, step: Step, path: str) -> Any:
    if isinstance(step, Key):
        if isinstance(node, dict) and step.name in node:
            return node[step.name]
        raise _NotThere(f"{path}: there is no {step.name}")
    if not isinstance(node, list):
        raise _NotThere(f"{path}: there is no list")
    if isinstance(step, Index):
        if step.position < len(node):
            return node[step.position]
        raise _NotThere(f"{path}: the list has {len(node)} items")
    chosen = [item for item in node if isinstance(item, dict) and str(item.get(step.field)) == step.value]
    if len(chosen) != 1:
        raise _NotThere(f"{path}: {len(chosen) or 'no'} items have {step.field}={step.value}")
    return chosen[0]


def _finite(value: Any, path: str) -> Decimal:
    number = number_of(value)
    if number is None:
        raise _NotThere(f"{path} is not a number", Quality.PROVIDER_ERROR)
    if not is_measurement(number):
        raise _NotThere(f"{path} is {str(value)[:20]}", Quality.NONFINITE)
    return number or Decimal(0)


def _words(value: Any, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    if isinstance(value, dict):
        raise _NotThere(f"{path} is not one value", Quality.PROVIDER_ERROR)
    return str(value)


def _moment(value: Any, path: str) -> datetime:
    try:
        moment = moment_of(value)
    except ValueError as error:
        raise _NotThere(f"{path} is {error}") from None
    if moment is None:
        raise _NotThere(f"{path} is not a time")
    return moment
