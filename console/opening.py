"""Opening the console: it paints at once; configuration, databases, repository and watch come up in a thread.

Only what the first paint is drawn with is imported before it.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.app import RampdeckApp
from console.feed import Desk
from console.hang_up import KILLED, after_commands
from console.keymap import keymap_of, problems
from console.seat import Seat, needs_ascii
from console.wiring.clock import SystemClock
from stages.refusal import Trouble
from stages.value import replace

if TYPE_CHECKING:
    from console.config import Settings
    from console.desk import Books, Faults, Hands
    from console.keymap import Keymap
    from console.watch.alone import Alone
    from console.watch.loop import Watch
    from console.wiring import Wiring

NOT_KNOWN = "…"
"""Stands in the header for what the configuration has not said yet."""

AGAIN = 2.0
"""Seconds between two tries to open a ledger that does not answer."""

FIRST_FRAME = 2.0
"""Seconds that what nobody has asked for yet, hands and pages, leaves to the first frame before it is loaded."""


class Backstage:
    """Reads the configuration, furnishes the console, starts the watch, and ends it with the console."""

    def __init__(
        self,
        wire: Callable[[], Wiring],
        desk: Desk,
        *,
        prepare: Callable[[], None],
        acting: bool,
    ) -> None:
        self._wire, self._desk, self._prepare, self._acting = wire, desk, prepare, acting
        self._wiring: Wiring | None = None
        self._watch: Watch | None = None
        self._lock = threading.Lock()
        self._ended, self._awaited = threading.Event(), threading.Event()
        self.fault: Exception | None = None
        """Why there can be no console at all: nothing to wire it with."""

    def start(self, app: RampdeckApp) -> None:
        """Returns at once; the desk says what is being waited for."""
        threading.Thread(target=self._come_up, args=(app,), name="rampdeck backstage", daemon=True).start()

    def watch(self) -> Watch | None:
        """The watch; None while it is not up."""
        return self._watch

    def let_go(self) -> None:
        """Ends the watch, which seals what it saw and gives the lease back."""
        with self._lock:
            self._ended.set()
        if self._watch is not None:
            self._watch.stop()

    def stop(self) -> None:
        """Ends the watch, and lets go of what was opened."""
        self.let_go()
        if self._wiring is not None:
            self._wiring.close()

    def hasten(self) -> None:
        """Hands come now, before the first frame: somebody asks for a page, or no frame is to be expected."""
        self._awaited.set()

    def _come_up(self, app: RampdeckApp) -> None:
        self._desk.wait("reading the configuration")
        unsubscribe = self._desk.subscribe(lambda: self._awaited.set() if self._desk.frame() is not None else None)
        try:
            wiring = self._wire()
            if not self._kept(wiring):
                return
            wiring.settings.need("repository", "policy", "ledger")
            app.call_later(app.be_seated, seat_of(wiring, app.seat))
            threading.Thread(target=self._begin, args=(wiring, app), name="rampdeck start", daemon=True).start()
            self._awaited.wait(FIRST_FRAME)
            app.call_later(app.furnish, *self._furniture(wiring))
        except Exception as fault:  # noqa: BLE001 - it is raised again where the console was opened
            self._give_up(fault, app)
            return
        finally:
            unsubscribe()
        self._load_rooms(app)

    def _kept(self, wiring: Wiring) -> bool:
        """False when the console has ended meanwhile: then nobody else would close it."""
        with self._lock:
            if not self._ended.is_set():
                self._wiring = wiring
                return True
        wiring.close()
        return False

    def _give_up(self, fault: Exception, app: RampdeckApp) -> None:
        self.fault = fault
        app.call_later(app.exit)

    def _furniture(self, wiring: Wiring) -> tuple[Hands, Books]:
        from console.books import LedgerBooks
        from console.hands import PersonsHands

        books = LedgerBooks(
            wiring.ledger_reader, wiring.clock, wiring.actor, lambda: wiring.repository, lambda: wiring.observations
        )
        return PersonsHands(wiring, self.watch), books

    def _begin(self, wiring: Wiring, app: RampdeckApp) -> None:
        """The watch; what is in its way is said on the screen, where the ways down still are."""
        try:
            self._desk.wait("starting")
            self._prepare()
            self._desk.wait("opening the ledger and the repository")
            watch = self._opened(wiring)
        except Trouble as trouble:
            self._desk.wait(trouble.line)
            self.hasten()
            return
        except Exception as fault:  # noqa: BLE001 - as above
            self._give_up(fault, app)
            return
        with self._lock:
            if watch is not None and not self._ended.is_set():
                self._watch = watch
                watch.start()

    def _opened(self, wiring: Wiring) -> Watch | None:
        """The watch, as soon as the ledger answers; until then the console sees for itself. None when it has ended."""
        from stages.entries import LedgerAway

        alone: Alone | None = None
        try:
            while not self._ended.is_set():
                try:
                    wiring.late_ledger.state()
                    return wiring.watch(self._desk, acting=self._acting)
                except LedgerAway as trouble:
                    if alone is None:
                        self._desk.wait(trouble.line)
                        self.hasten()
                        alone = wiring.alone(self._desk)
                    alone.see(trouble.sentence)
                    self._ended.wait(AGAIN)
            return None
        finally:
            if alone is not None:
                alone.stop()

    def _load_rooms(self, app: RampdeckApp) -> None:
        """The pages behind the keys, once the first frame is painted; loading ends with them."""
        painted = threading.Event()
        app.call_later(app.call_after_refresh, painted.set)
        painted.wait(FIRST_FRAME)
        import console.rooms  # noqa: F401 - so that the first key does not wait for it

        # What was loaded stays until the end: the collector need never look at it again, which would hold keys up.
        gc.freeze()
        gc.enable()


def seat_of(wiring: Wiring, seat: Seat) -> Seat:
    """``seat`` with what the configuration says of it."""
    import socket
    from importlib.metadata import version

    from console.picture import veil_of

    screen = wiring.settings.screen
    return replace(
        seat,
        system=wiring.policy_path.rpartition("/")[0].rpartition("/")[2] or "rampdeck",
        environment=wiring.settings.environment.name,
        who=wiring.actor,
        read_only=wiring.read_only,
        version=version("rampdeck"),
        crash_folder=wiring.state_folder / "crashes",
        theme=screen.theme,
        mouse=screen.mouse,
        keymap=keymap_in(wiring.settings),
        keeps=wiring.state_folder,
        veil=veil_of(wiring.settings, socket.gethostname(), os.environ),
    )


def keymap_in(settings: Settings) -> Keymap:
    """The keys that the configuration asks for. Raises Unloadable with every problem at once, each by its line."""
    if settings.keys and (found := list(problems(settings.keys))):
        from console.config_text import read
        from stages.model_problems import Unloadable

        written = read(settings.origin, {}, {})
        raise Unloadable(written.lines(found), written.where)
    return keymap_of(settings.keys)


def open_console(
    wire: Callable[[], Wiring],
    *,
    prepare: Callable[[], None] = lambda: None,
    acting: bool = False,
    read_only: bool = False,
    ascii_marks: bool = False,
    mouse: bool = True,
    faults: Faults | None = None,
    closed: Callable[[], object] = lambda: None,
) -> int:
    """Opens the console until it is left; its exit code. Raises whatever ``wire`` raises, the terminal restored.

    ``wire`` reads the configuration and ``prepare`` runs before the watch, both behind the first paint. ``faults`` is
    what the palette offers to inject. ``closed`` lets go of what else there is when the terminal closes, which ends the
    process.
    """
    desk = Desk()
    backstage = Backstage(wire, desk, prepare=prepare, acting=acting)
    seat = Seat("rampdeck", NOT_KNOWN, NOT_KNOWN, read_only, ascii_marks=ascii_marks or needs_ascii(os.environ))
    app = RampdeckApp(
        desk, None, None, SystemClock().wall, seat, faults, painted=backstage.start, hasten=backstage.hasten
    )

    def let_go() -> None:
        backstage.let_go()
        closed()

    try:
        with after_commands(lambda: app.call_later(app.exit, return_code=KILLED), let_go):
            app.run(mouse=mouse)
    finally:
        backstage.stop()
    if backstage.fault is not None:
        raise backstage.fault
    return app.return_code or 0
