"""Output: one JSON document or lines for people on stdout, narration on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import IO, Any


@dataclass(slots=True)
class Output:
    """Where a verb answers. With ``json`` set it prints one document and nothing else on ``stream``."""

    json: bool = False
    stream: IO[str] = field(default_factory=lambda: sys.stdout)
    errors: IO[str] = field(default_factory=lambda: sys.stderr)

    def document(self, value: object) -> None:
        """Prints one JSON document; Decimals become strings, times ISO-8601."""
        print(json.dumps(value, default=jsonable, ensure_ascii=False, indent=2), file=self.stream, flush=True)

    def line(self, text: str = "") -> None:
        """Prints a line for people; silent under ``json``, so that stdout stays one document."""
        if not self.json:
            print(text, file=self.stream, flush=True)

    def exact(self, text: str) -> None:
        """Prints ``text`` as UTF-8 and nothing else, whatever the locale says: it is read by another program."""
        stream = getattr(self.stream, "buffer", None)
        if stream is None:
            self.stream.write(text)
            return
        stream.write(text.encode())
        stream.flush()

    def note(self, text: str) -> None:
        """Prints a line of narration on stderr."""
        print(text, file=self.errors, flush=True)


def jsonable(value: object) -> Any:
    """JSON form of what the standard encoder does not know."""
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Enum():
            return value.name
        case Path():
            return str(value)
        case Mapping():
            return dict(value)
        case set() | frozenset():
            return sorted(value)
        case tuple():
            return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
