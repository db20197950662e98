"""``rampdeck config show | check``: each value and where it came from; everything that is wrong with it at once."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from console.config import ENVIRONMENT, find, search_path, settings_of
from console.config_report import Setting, problems, told
from console.config_text import read

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Add ``config`` with its verbs."""
    verbs = subparsers.add_parser("config", parents=[shared], help="what is configured, by whom, and what is wrong")
    named = verbs.add_subparsers(metavar="show|check", required=True)

    show = named.add_parser("show", parents=[shared], help="each value and where it came from; no secret is printed")
    show.set_defaults(run=run_show)

    check = named.add_parser("check", parents=[shared], help="every problem by its line; 0 when there is none, else 2")
    check.set_defaults(alone=run_check)


def run_show(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Print every setting with its origin: a file's line, the environment, an option, or the default."""
    path = _path(arguments)
    written = read(path, ENVIRONMENT, os.environ)
    settings = settings_of(written)
    options = {"policy": arguments.policy} if arguments.policy else {}
    options |= {"readOnly": "true"} if arguments.read_only else {}
    derived = {"cache": settings.cache_folder, "state": wiring.state_folder, "inbox": wiring.inbox}
    if settings.policy and settings.roster is None:
        derived["roster"] = Path(settings.policy).parent
    found = told(settings, written, options, {key: str(value) for key, value in derived.items()})
    if out.json:
        rows = [{"key": each.key, "value": each.value, "origin": each.origin} for each in found]
        out.document({"file": path, "searched": _searched(), "settings": rows})
        return 0
    out.line(f"file: {path}" if path else f"no file; looked for {', '.join(_searched())}")
    for line in _table(found):
        out.line(line)
    return 0


def run_check(arguments: argparse.Namespace, out: Output) -> int:
    """Print what is wrong, or OK."""
    path = _path(arguments)
    found = problems(path, os.environ)
    if path is None and not found and not any(name in os.environ for name in ENVIRONMENT):
        found = [f"no configuration: looked for {', '.join(_searched())}; write one with 'rampdeck policy init FOLDER'"]
    if out.json:
        out.document({"ok": not found, "file": path, "problems": found})
    for line in found:
        out.line(line)
    if not found:
        out.line(f"OK: {path or 'the environment'}")
    return 2 if found else 0


def _path(arguments: argparse.Namespace) -> Path | None:
    return find(Path(arguments.config) if arguments.config else None, os.environ)


def _searched() -> list[str]:
    return [str(candidate) for candidate in search_path(os.environ)]


def _table(found: list[Setting]) -> list[str]:
    key = max(len(each.key) for each in found)
    value = min(48, max(len(each.value or "not set") for each in found))
    return [f"{each.key:<{key}}  {each.value or 'not set':<{value}}  {each.origin}".rstrip() for each in found]
