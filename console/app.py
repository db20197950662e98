"""The console: one app that shows frames and hands a person's wishes on. Nothing here waits for the world."""

from __future__ import annotations

import locale
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from console import crash
from console.copying import Copy, hand_over, past_tmux
from console.desk import Books, Faults, Feed, Hands, Told
from console.errand import Errand, send
from console.picture import take
from console.rooms import House, room
from console.screens import Asked, Live, View
from console.screens.commands import offered
from console.screens.leave import LeaveScreen, reasons
from console.screens.ramp import RampScreen, terminal_title
from console.seat import Seat
from stages.ringing import Ringing, ring
from widgets.glyphs import ascii_twin, plain_terminal
from widgets.skins import dress


def needs_ascii(environment: Mapping[str, str]) -> bool:
    """Whether the terminal cannot be trusted with more than ASCII: another locale than UTF-8, or a plain console."""
    return plain_terminal(environment, locale.getpreferredencoding(False))


class Ticked(Message):
    """The feed has a new frame; a later one replaces it while it waits."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Ticked)


class Answered(Message):
    """What came of a wish that the home screen shows."""

    def __init__(self, what: str, errand: Errand[Told]) -> None:
        super().__init__()
        self.what = what
        self.errand = errand


class RampdeckApp(App[None]):
    """Rampdeck's screens on one feed and one pair of hands."""

    TITLE = "rampdeck"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", "quit", show=False, priority=True),
    ]

    def __init__(
        self,
        feed: Feed,
        hands: Hands,
        books: Books,
        wall: Callable[[], datetime],
        seat: Seat,
        faults: Faults | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        dress(self, seat.theme)
        self.feed = feed
        self.hands = hands
        self.faults = faults
        self.house = House(hands, books, wall, seat.ascii_marks)
        self.wall = wall
        self.seat = seat
        now = wall()
        self.view = View(seat.system, seat.environment, seat.who, now, now, read_only=seat.read_only, keys=seat.keymap)
        self.set_keymap(seat.keymap.bound())
        self.ramp = RampScreen(self.view, ascii_marks=seat.ascii_marks)
        self._heard = Ringing()
        self._titled = ""
        self._unsubscribe: Callable[[], None] = lambda: None

    def get_default_screen(self) -> Screen[None]:
        return self.ramp

    def on_mount(self) -> None:
        self._see()
        self._unsubscribe = self.feed.subscribe(lambda: self.post_message(Ticked()))
        self.set_interval(1.0, self._see)

    def on_unmount(self) -> None:
        self._unsubscribe()
        if self._driver is not None:
            self._driver.write("\x1b]2;\x07")

    async def on_event(self, event: events.Event) -> None:
        """Any key on any screen says that somebody is here."""
        if isinstance(event, events.Key):
            self.ramp.touched()
        await super().on_event(event)

    # --------------------------------------------------------------------------------------------------------- seeing

    def on_ticked(self, _message: Ticked) -> None:
        self._see()

    def _see(self) -> None:
        """Draws the newest frame at the present time; once a second also without a new frame, so that ages grow."""
        frame = self.feed.frame()
        waiting = self.feed.waiting_for() if frame is None else ""
        self.view = replace(self.view, wall=self.wall(), frame=frame, waiting=waiting)
        self._alarm()
        for screen in self.screen_stack:
            if isinstance(screen, Live):
                screen.show(self.view)

    def _alarm(self) -> None:
        """Title first, then the bell: a terminal in another tab shows the one and may swallow the other."""
        wanted = terminal_title(self.view)
        wanted = ascii_twin(wanted) if self.seat.ascii_marks else wanted
        if wanted != self._titled:
            self._titled = wanted
            self.title = wanted
            if self._driver is not None:
                self._driver.write(f"\x1b]2;{''.join(c for c in wanted if c.isprintable())}\x07")
        frame = self.view.frame
        if frame is not None:
            self._heard, rings, _ = ring(self._heard, frame.evaluation.alarms, frame.acknowledged, self.view.wall)
            if any(one.audible for one in rings):
                self.bell()

    # --------------------------------------------------------------------------------------------------------- wishes

    def on_asked(self, message: Asked) -> None:
        """Wishes of the screens, by name."""
        match message.what, message.arguments:
            case "back", _:
                self._back()
            case "acknowledge", (str(alarm),):
                self._wish("acknowledge", lambda: self.hands.acknowledge(alarm))
            case "take over", _:
                self._wish("take over", self.hands.take_over)
            case "leave", _:
                self.action_leave()
            case "exit", _:
                self.exit()
            case "copy", (Copy() as copy,) if isinstance(self.screen, Live):
                keeps = self.seat.keeps and self.seat.keeps / "copies"
                said = hand_over(copy, self.copy_to_clipboard, keeps, self.wall(), os.environ.get("HOME"))
                self.screen.say(said)
            case "screenshot", _ if isinstance(self.screen, Live):
                keeps = self.seat.keeps and self.seat.keeps / "screenshots"
                svg = self.export_screenshot(title="rampdeck")
                self.screen.say(take(svg, self.seat.veil, keeps, self.wall(), os.environ.get("HOME")))
            case wish, arguments:
                self._open(room(wish, arguments, self.view, self.house))

    def _open(self, screen: Live | None) -> None:
        if screen is not None and type(self.screen) is not type(screen):
            self.push_screen(screen)

    def _back(self) -> None:
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def _wish(self, what: str, work: Callable[[], Told]) -> None:
        self.ramp.tell(f"{what}: asked")
        send(what.replace(" ", "-"), work, lambda errand: self.post_message(Answered(what, errand)))

    def on_answered(self, message: Answered) -> None:
        told, trouble = message.errand.result, message.errand.trouble
        if trouble or told is None:
            self.ramp.tell(f"{message.what} failed: {trouble}")
        else:
            self.ramp.tell(f"{message.what}: {told.note or ('done' if told.ok else 'refused')}")

    def action_leave(self) -> None:
        """q, ctrl+q and ctrl+c: leaves at once, or asks when that ends or leaves behind something."""
        if isinstance(self.screen, LeaveScreen):
            return
        if reasons(self.view):
            self.push_screen(LeaveScreen(self.view, ascii_marks=self.seat.ascii_marks))
        else:
            self.exit()

    async def action_quit(self) -> None:
        self.action_leave()

    def action_help_quit(self) -> None:
        self.action_leave()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        return offered(self, screen, None if self.seat.read_only else self.faults, self._inject)

    def _inject(self, name: str) -> None:
        if (faults := self.faults) is not None:
            self._wish(f"inject {name}", lambda: Told(True, faults.inject(name)))

    def copy_to_clipboard(self, text: str) -> None:
        """To the terminal; within tmux to the one around it as well, whichever of the two ways its settings allow."""
        super().copy_to_clipboard(text)
        if self._driver is not None and os.environ.get("TMUX"):
            self._driver.write(past_tmux(text))

    # -------------------------------------------------------------------------------------------------------- trouble

    def _fatal_error(self) -> None:
        """Textual's own report prints local variables; this one writes a redacted file and says where it is."""
        error = self._exception or RuntimeError("unknown")
        path = crash.write_report(self.seat.crash_folder, error, version=self.seat.version, at=self.wall())
        self._exit_renderables.append(Text(crash.last_words(error, path)))
        self._return_code = crash.EXIT_CODE
        self._close_messages_no_wait()


def run_console(
    feed: Feed, hands: Hands, books: Books, wall: Callable[[], datetime], seat: Seat, faults: Faults | None = None
) -> int:
    """Runs the console until it is left; the exit code tells a crash from a good end."""
    seat = replace(seat, ascii_marks=seat.ascii_marks or needs_ascii(os.environ))
    app = RampdeckApp(feed, hands, books, wall, seat, faults)
    app.run(mouse=seat.mouse)
    return app.return_code or 0
