"""The base of all parts of the policy's file, and its spans of time: durations and market time."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(value: object) -> object:
    """``5s``, ``6m``, ``1h30m``; a bare number has no unit and is refused."""
    if not isinstance(value, str):
        if isinstance(value, timedelta):
            return value
        raise ValueError("a duration needs a unit, such as 5s, 6m or 2h")
    parts = list(_DURATION.finditer(value))
    if not parts or "".join(part.group() for part in parts) != value:
        raise ValueError(f"'{value}' is not a duration such as 5s, 6m or 2h")
    return timedelta(seconds=sum(float(p["number"]) * _SECONDS[p["unit"]] for p in parts))


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class Manifest(BaseModel):
    """Base of all parts of the policy: frozen, camelCase in the file, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class MarketSpan(Manifest):
    """An amount of market time: ``3 sessions``, or a duration of market minutes such as ``90m``."""

    sessions: Decimal | None = None
    time: timedelta | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?) sessions?", value)
        return {"sessions": Decimal(found[1])} if found else {"time": parse_duration(value)}

    def minutes(self, session_length: timedelta) -> float:
        """Market minutes, given the length of a regular session."""
        if self.sessions is not None:
            return float(self.sessions) * session_length.total_seconds() / 60
        return (self.time or timedelta()).total_seconds() / 60
