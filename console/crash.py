"""When the console itself breaks: a file that tells where, and nothing of what the variables held."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from console.keeping import keep

EXIT_CODE = 2
"""A crash answered nothing."""


def folder() -> Path:
    """Where reports lie while no configuration names a state folder."""
    from platformdirs import user_state_path

    return user_state_path("rampdeck") / "crashes"


_SECRETS: Final = (
    (
        re.compile(
            r'(?i)"[\w-]*(?:(?<!confirmation)token|secret|password|passwd|api[-_]?key)[\w-]*"\s*:\s*'
            r'"(?P<hidden>(?:[^"\\]|\\.)*)"'
        ),
        "[redacted]",
    ),
    (re.compile(r"(?i)\b(?:bearer|basic)\s+(?P<hidden>[A-Za-z0-9._~+/=-]+)"), "[redacted]"),
    (
        re.compile(r"(?i)\b[\w-]*(?:token|secret|password|passwd|api[-_]?key)[\w-]*\s*[=:]\s*(?P<hidden>\S+)"),
        "[redacted]",
    ),
    (re.compile(r"(?i)://(?P<hidden>[^/\s:@]+:[^/\s@]+)@"), "[redacted]"),
    (re.compile(r"\b(?P<hidden>rda1\.[\w.-]+)"), "[redacted approval]"),
    (
        re.compile(r"(?P<hidden>-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z))", re.DOTALL),
        "[redacted key]",
    ),
)
"""What a credential looks like, with what stands in its place."""


def redacted(text: str) -> str:
    """``text`` without what looks like a credential."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(partial(_without, instead=instead), text)
    return text


def _without(found: re.Match[str], instead: str) -> str:
    start, end = (place - found.start() for place in found.span("hidden"))
    return f"{found[0][:start]}{instead}{found[0][end:]}"


def hidden_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where in ``text`` something looks like a credential, as character positions."""
    for pattern, _ in _SECRETS:
        yield from (found.span("hidden") for found in pattern.finditer(text))


def report(error: BaseException, *, version: str, at: datetime) -> str:
    """Where the program broke: frames with file and line, the error's own words redacted, no locals."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=False)
    return redacted(f"rampdeck {version} at {at.isoformat()}\n\n{''.join(trace.format())}")


def write_report(folder: Path, error: BaseException, *, version: str, at: datetime) -> Path | None:
    """Writes the report for its owner's eyes alone; None when the folder cannot be written."""
    path = folder / f"crash-{at:%Y%m%dT%H%M%S}.txt"
    try:
        return keep(path, report(error, version=version, at=at))
    except OSError:
        return None


def last_words(error: BaseException, path: Path | None) -> str:
    """The one line that the user sees."""
    where = f"; details without any value are in {path}" if path else "; no report could be written"
    broke = f"rampdeck: the console broke ({type(error).__name__})"
    return redacted(f"{broke}{where}; actions under way go on by themselves")
