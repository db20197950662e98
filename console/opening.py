"""Opening the console: it paints at once; databases, repository and watch come up behind it in a thread."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING

from console.app import run_console
from console.books import LedgerBooks
from console.config_text import read
from console.desk import Desk
from console.hands import PersonsHands
from console.keymap import keymap_of, problems
from console.picture import veil_of
from console.seat import Seat
from stages.model_problems import Unloadable
from stages.refusal import Trouble

if TYPE_CHECKING:
    from console.config import Settings
    from console.desk import Faults
    from console.keymap import Keymap
    from console.watch.loop import Watch
    from console.wiring import Wiring


class Backstage:
    """Starts the watch once everything that it needs is there, and ends it with the console."""

    def __init__(self, wiring: Wiring, desk: Desk, prepare: Callable[[], None], *, acting: bool) -> None:
        self._wiring, self._desk, self._prepare, self._acting = wiring, desk, prepare, acting
        self._watch: Watch | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._come_up, name="rampdeck backstage", daemon=True)

    def start(self) -> None:
        """Returns at once; the desk says what is being waited for."""
        self._thread.start()

    def watch(self) -> Watch | None:
        """The watch; None while it is not up."""
        return self._watch

    def stop(self) -> None:
        """Ends the watch, which gives the lease back."""
        self._ended.set()
        if self._watch is not None:
            self._watch.stop()

    def _come_up(self) -> None:
        try:
            self._desk.wait("starting")
            self._prepare()
            self._desk.wait("opening the ledger and the repository")
            watch = self._wiring.watch(self._desk, acting=self._acting)
        except Trouble as trouble:
            self._desk.wait(trouble.line)
            return
        if not self._ended.is_set():
            self._watch = watch
            watch.start()


def keymap_in(settings: Settings) -> Keymap:
    """The keys that the configuration asks for. Raises Unloadable with every problem at once, each by its line."""
    if settings.keys and (found := list(problems(settings.keys))):
        written = read(settings.origin, {}, {})
        raise Unloadable(written.lines(found), written.where)
    return keymap_of(settings.keys)


def open_console(
    wiring: Wiring,
    *,
    prepare: Callable[[], None] = lambda: None,
    acting: bool = False,
    ascii_marks: bool = False,
    mouse: bool = True,
    faults: Faults | None = None,
) -> int:
    """Opens the console until it is left; its exit code. ``prepare`` runs before the watch, behind the first paint.

    ``faults`` is what the palette offers to inject.
    """
    wiring.settings.need("repository", "policy", "ledger")
    desk = Desk()
    keymap = keymap_in(wiring.settings)
    backstage = Backstage(wiring, desk, prepare, acting=acting)
    seat = Seat(
        system=wiring.policy_path.rpartition("/")[0].rpartition("/")[2] or "rampdeck",
        environment=wiring.settings.environment.name,
        who=wiring.actor,
        read_only=wiring.read_only,
        version=version("rampdeck"),
        crash_folder=wiring.state_folder / "crashes",
        ascii_marks=ascii_marks,
        theme=wiring.settings.screen.theme,
        mouse=mouse and wiring.settings.screen.mouse,
        keymap=keymap,
        keeps=wiring.state_folder,
        veil=veil_of(wiring.settings, socket.gethostname(), os.environ),
    )
    backstage.start()
    try:
        books = LedgerBooks(wiring.ledger_reader, wiring.clock, lambda: wiring.repository, lambda: wiring.observations)
        return run_console(desk, PersonsHands(wiring, backstage.watch), books, wiring.clock.wall, seat, faults)
    finally:
        backstage.stop()
