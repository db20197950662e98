"""``rampdeck inject NAME``: a fault in a demo's world, from the command line or from the palette of its console."""

from __future__ import annotations

import argparse
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.demo.faults import told_faults
from stages.commands import Note
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.output import Output
    from console.wiring import Wiring
    from stages.commands import Command

DEMO: Final = "demo"
"""Who the ledger names for what the demo itself brings about, and what the notes of it are about."""

_SECONDS: Final = 3.0


def at_broker(url: str, name: str) -> str:
    """Cause a fault at the venue whose broker listens at ``url``; returns what happened. Raises Trouble."""
    request = urllib.request.Request(url + "/demo/inject", json.dumps({"name": name}).encode(), method="POST")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy stands between two processes here
    try:
        with direct.open(request, timeout=_SECONDS) as answer:
            return str(json.load(answer)["detail"])
    except urllib.error.HTTPError as refused:
        raise Trouble(refused.read().decode(errors="replace").strip(), where=f"inject {name}") from None
    except OSError as failed:
        raise Trouble(str(failed), where=url, fix="the demo's world must be up") from None


class Injector:
    """Lets faults strike and has the ledger tell of each, so that it stands on the strip of events beside its effect.

    ``strike`` causes the fault and says what happened; ``record`` writes to the ledger.
    """

    def __init__(self, strike: Callable[[str], str], record: Callable[[Command], object], actor: str) -> None:
        self._strike, self._record, self._actor = strike, record, actor

    def known(self) -> Mapping[str, str]:
        """Every fault with what it does, in one line; ``calm`` comes last."""
        return told_faults()

    def inject(self, name: str) -> str:
        """Raises Trouble when the fault did not strike; one that struck and could not be noted is told all the same."""
        happened = self._strike(name)
        try:
            self._record(Note(self._actor, f"inject {name}: {happened}", DEMO))
        except Trouble as trouble:
            return f"{happened} (not noted: {trouble.what})"
        return happened


def add_parsers(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    """Adds ``inject``."""
    parser = subparsers.add_parser(
        "inject", parents=[shared], help="a fault in a demo that runs; lists them without a name"
    )
    parser.add_argument("fault", nargs="?", metavar="NAME", help=", ".join(told_faults()))
    parser.add_argument("--dir", metavar="FOLDER", help="the demo's folder, instead of its configuration")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, wiring: Wiring, out: Output) -> int:
    """Lets a fault strike at the live venue of a demo, or lists what there is."""
    known = told_faults()
    if arguments.fault is None:
        if out.json:
            out.document({"faults": [{"name": name, "says": says} for name, says in known.items()]})
        for name, says in known.items():
            out.line(f"{name:<24} {says}")
        return 0
    if arguments.fault not in known:
        raise Trouble(f"there is no fault '{arguments.fault}'", fix=f"use one of {', '.join(known)}")
    with _demo(arguments.dir, wiring) as demo:
        happened = Injector(lambda name: at_broker(_broker(demo), name), demo.command, demo.actor).inject(
            arguments.fault
        )
    if out.json:
        out.document({"fault": arguments.fault, "happened": happened})
    out.line(f"{arguments.fault}: {happened}")
    return 0


@contextmanager
def _demo(folder: str | None, wiring: Wiring) -> Iterator[Wiring]:
    """The wiring of the demo in ``folder``, or the given one."""
    if folder is None:
        yield wiring
        return
    from console.demo.household import Household
    from console.wiring import Wiring as Opened

    opened = Opened.of(Household(Path(folder)).config, read_only=wiring.read_only)
    try:
        yield opened
    finally:
        opened.close()


def _broker(demo: Wiring) -> str:
    """Where the demo's live broker listens. Raises Trouble where the configuration is not a demo's, or only to look."""
    if demo.read_only:
        raise Trouble("a fault is an act, and this is read-only", fix="leave out --read-only")
    if demo.settings.environment.name != "DEMO" or demo.settings.venue is None:
        raise Trouble("faults are for a demo alone", where=str(demo.settings.origin), fix="name its folder with --dir")
    return demo.settings.venue.url
