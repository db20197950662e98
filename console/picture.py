"""Pictures of the screen: an SVG as the terminal shows it, without what is nobody else's business.

What is hidden is covered cell by cell, so that every column stays where it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rich.cells import cell_len

from console.keeping import from_home, keep
from console.veil import Veil

if TYPE_CHECKING:
    from console.config import Settings

COVER: Final = "*"
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_RUN: Final = re.compile(
    r'<text (?P<head>[^>]*?)x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" '
    r'textLength="(?P<length>[\d.]+)"(?P<tail>[^>]*)>(?P<text>[^<]+)</text>'
)
_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def veil_of(settings: Settings, machine: str, environment: Mapping[str, str]) -> Veil:
    """What the configuration says is not to be seen: hosts of every address, passwords, tokens, and words by name."""
    addresses = [*settings.endpoints.values(), *(url.get_secret_value() for url in settings.databases.values())]
    addresses += [settings.repository.remote] if settings.repository else []
    addresses += [settings.prometheus.url] if settings.prometheus else []
    addresses += [settings.venue.url, settings.venue.app or ""] if settings.venue else []
    addresses += [settings.ledger or ""]
    token = settings.prometheus.token_from if settings.prometheus else None
    known = environment.get(token.env, "") if token is not None and token.env else ""
    words = [machine, known, *settings.screen.hide, *(word for one in addresses for word in _telling(one))]
    chosen = dict.fromkeys(word for word in words if word and word.casefold() not in _HERE)
    return Veil(tuple(chosen), environment.get("HOME", "").rstrip("/"))


def _telling(address: str) -> Iterator[str]:
    """Host and password of an address: of a URL, or of ``git@host:path``."""
    by_ssh = re.match(r"(?:[^@/]+@)?([\w.-]+):(?!//)", address)
    if by_ssh:
        yield by_ssh[1]
        return
    try:
        parts = urlsplit(address)
        yield parts.hostname or ""
        yield parts.password or ""
    except ValueError:
        yield address


def veiled(svg: str, veil: Veil) -> str:
    """The picture with everything covered that the veil hides, also where a row changes its style within it.

    Fonts come from the reader's machine: a picture fetches nothing.
    """
    rows: dict[str, list[re.Match[str]]] = {}
    for run in _RUN.finditer(svg):
        rows.setdefault(run["y"], []).append(run)
    changed: list[tuple[int, int, str]] = []
    for runs in rows.values():
        changed.extend(_covered(runs, veil))
    for start, end, text in sorted(changed, reverse=True):
        svg = f"{svg[:start]}{text}{svg[end:]}"
    return _FONTS.sub("", svg)


def _covered(runs: list[re.Match[str]], veil: Veil) -> Iterator[tuple[int, int, str]]:
    """The runs of one row that have to change, by their place in the file."""
    row, starts = "", []
    for run in runs:
        text = html.unescape(run["text"]).replace("\xa0", " ")
        cell = float(run["length"]) / max(1, cell_len(text))
        row += " " * max(0, round(float(run["x"]) / cell) - cell_len(row))
        starts.append(len(row))
        row += text
    hidden = {place for start, end in veil.spans(row) for place in range(start, end) if row[place] != " "}
    for run, start in zip(runs, starts, strict=True):
        text = html.unescape(run["text"])
        places = range(start, start + len(text))
        if hidden.intersection(places):
            kept = (
                COVER * cell_len(sign) if place in hidden else sign for place, sign in zip(places, text, strict=True)
            )
            yield (*run.span("text"), html.escape("".join(kept)).replace("\xa0", "&#160;"))


def take(svg: str, veil: Veil, folder: Path | None, now: datetime, home: str | None) -> str:
    """Keeps a picture in ``folder`` and says in a sentence where."""
    if folder is None:
        return "no picture was taken: there is no folder for it"
    try:
        path = keep(folder / f"rampdeck-{now:%Y%m%dT%H%M%S}.svg", veiled(svg, veil))
    except OSError as error:
        return f"no picture was taken: {folder} cannot be written ({error.strerror})"
    return f"picture, without secrets and hosts: {from_home(path, home)}"
