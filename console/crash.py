"""When the console itself breaks: a file that tells where, and nothing of what the variables held."""

from __future__ import annotations

import re
import traceback
from datetime import datetime
from pathlib import Path

from console.keeping import keep

EXIT_CODE = 2
"""A crash answered nothing."""

_SECRETS = (
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+"),
    re.compile(r"(?i)\b([\w-]*(?:token|secret|password|passwd|api[-_]?key)[\w-]*)(\s*[=:]\s*)\S+"),
    re.compile(r"(?i)(://)[^/\s:@]+:[^/\s@]+@"),
    re.compile(r"\brda1\.[\w.-]+"),
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(
        r'(?i)("[\w-]*(?:(?<!confirmation)token|secret|password|passwd|api[-_]?key)[\w-]*"\s*:\s*)"(?:[^"\\]|\\.)*"'
    ),
)


def redacted(text: str) -> str:
    """``text`` without what looks like a credential."""
    text = _SECRETS[5].sub(r'\1"[redacted]"', text)
    text = _SECRETS[0].sub(r"\1 [redacted]", text)
    text = _SECRETS[1].sub(r"\1\2[redacted]", text)
    text = _SECRETS[2].sub(r"\1[redacted]@", text)
    return _SECRETS[4].sub("[redacted key]", _SECRETS[3].sub("[redacted approval]", text))


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
