"""The console: one app that shows frames and hands a person's wishes on. Nothing here waits for the world."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from console.errand import Errand, send
from console.herald import Herald
from console.house import House
from console.screens import Asked, Live, View
from console.screens.commands import climb, given, offered, past_tmux
from console.screens.leave import LeaveScreen, reasons
from console.screens.ramp import RampScreen
from console.seat import MOUSE_OFF, Seat
from stages.value import replace
from widgets.skins import PALETTE, dress

if TYPE_CHECKING:
    from console.desk import Books, Faults, Feed, Hands, Told


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
    """Rampdeck's screens on one feed and one pair of hands, which may come after the first paint."""

    TITLE = "rampdeck"
    CSS = PALETTE
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", "quit", show=False, priority=True),
    ]

    def __init__(
        self,
        feed: Feed,
        hands: Hands | None,
        books: Books | None,
        wall: Callable[[], datetime],
        seat: Seat,
        faults: Faults | None = None,
        *,
        painted: Callable[[RampdeckApp], object] = lambda _app: None,
        hasten: Callable[[], object] = lambda: None,
    ) -> None:
        """``painted`` is called once, when the first paint is on its way; ``hasten`` when hands are wanted early."""
        super().__init__()
        self.animation_level = "none"
        dress(self, seat.theme)
        self.feed = feed
        self.wall = wall
        self.seat = seat
        self.faults = faults
        now = wall()
        self.view = View(seat.system, seat.environment, seat.who, now, now, read_only=seat.read_only, keys=seat.keymap)
        self.set_keymap(seat.keymap.bound())
        self.ramp = RampScreen(self.view, ascii_marks=seat.ascii_marks)
        self.house = House(hands, books, wall, seat.ascii_marks) if hands is not None and books is not None else None
        self._painted, self._hasten = painted, hasten
        self._wanted: tuple[str, tuple[object, ...]] | None = None
        self._herald = Herald(ascii_marks=seat.ascii_marks)
        self._unsubscribe: Callable[[], None] = lambda: None

    def get_default_screen(self) -> Screen[None]:
        return self.ramp

    def on_mount(self) -> None:
        self._see()
        self._unsubscribe = self.feed.subscribe(lambda: self.post_message(Ticked()))
        self.set_interval(1.0, self._see)
        self.call_after_refresh(self._painted, self)

    def on_unmount(self) -> None:
        self._unsubscribe()
        if self._driver is not None:
            self._driver.write("\x1b]2;\x07")

    async def on_event(self, event: events.Event) -> None:
        """Any key on any screen says that somebody is here."""
        if isinstance(event, events.Key):
            self.ramp.touched()
        await super().on_event(event)

    # ------------------------------------------------------------------------------------------------------ coming up

    def be_seated(self, seat: Seat) -> None:
        """The configuration has said where this console runs and for whom."""
        self.seat = seat
        self.theme = seat.theme
        if not seat.mouse and self._driver is not None:
            self._driver.write(MOUSE_OFF)
        self.set_keymap(seat.keymap.bound())
        said = replace(self.view, system=seat.system, environment=seat.environment, who=seat.who)
        self.view = replace(said, read_only=seat.read_only, keys=seat.keymap)
        self._see()

    def furnish(self, hands: Hands, books: Books) -> None:
        """There are hands to act with and books to read."""
        self.house = House(hands, books, self.wall, self.seat.ascii_marks)
        if self._wanted is not None:
            self._open(*self._wanted)

    # --------------------------------------------------------------------------------------------------------- seeing

    def on_ticked(self, _message: Ticked) -> None:
        self._see(veiled=False)

    def _see(self, *, veiled: bool = True) -> None:
        """Draws the newest frame at the present time, once a second also without a new one, so that ages grow."""
        frame = self.feed.frame()
        waiting = self.feed.waiting_for() if frame is None else ""
        self.view = replace(self.view, wall=self.wall(), frame=frame, waiting=waiting)
        self._alarm()
        # Under the palette's veil a page costs a whole screen: once a second is enough there.
        if veiled or isinstance(self.screen, Live):
            for screen in self.screen_stack:
                if isinstance(screen, Live):
                    screen.show(self.view)

    def _alarm(self) -> None:
        """Title first, then the bell: a terminal in another tab shows the one and may swallow the other."""
        title = self._herald.new_title(self.view)
        if title is not None:
            self.title = title
            if self._driver is not None:
                self._driver.write(f"\x1b]2;{title}\x07")
        if self._herald.rings(self.view):
            self.bell()

    # --------------------------------------------------------------------------------------------------------- wishes

    def on_asked(self, message: Asked) -> None:
        """Wishes of the screens, by name."""
        match message.what, message.arguments:
            case "back", _:
                self._back()
            case "acknowledge", (str(alarm),):
                self._wish("acknowledge", lambda hands: hands.acknowledge(alarm))
            case "take over", _:
                self._wish("take over", lambda hands: hands.take_over())
            case "leave", _:
                self.action_leave()
            case "exit", _:
                self.exit()
            case ("copy" | "screenshot") as what, arguments if isinstance(self.screen, Live):
                self.screen.say(given(self, self.seat, self.wall(), what, *arguments))
            case "climb", (int(depth),):
                climb(self, depth)
            case wish, arguments:
                self._open(wish, arguments)

    def _open(self, wish: str, arguments: tuple[object, ...]) -> None:
        """Opens a page; one that is asked for too early opens as soon as it can; the newest wish counts."""
        if self.house is None:
            self._wanted = (wish, arguments)
            self._hasten()
            self.ramp.tell(f"{wish} opens as soon as the configuration is read, esc: not")
            return
        from console.rooms import room  # after the first paint, in a thread, long before anybody asks

        screen = room(wish, arguments, self.view, self.house)
        if screen is not None and type(self.screen) is not type(screen):
            self.push_screen(screen)

    def _back(self) -> None:
        self._wanted = None
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def _wish(self, what: str, work: Callable[[Hands], Told]) -> None:
        if self.house is None:
            self.ramp.tell(f"{what}: nothing to act with yet")
            return
        self.ramp.tell(f"{what}: asked")
        asked = partial(work, self.house.hands)
        send(what.replace(" ", "-"), asked, lambda errand: self.post_message(Answered(what, errand)))

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
        from console.desk import Told

        if (faults := self.faults) is not None:
            self._wish(f"inject {name}", lambda _hands: Told(True, faults.inject(name)))

    def copy_to_clipboard(self, text: str) -> None:
        """To the terminal; within tmux to the one around it as well, whichever of the two ways its settings allow."""
        super().copy_to_clipboard(text)
        if self._driver is not None and os.environ.get("TMUX"):
            self._driver.write(past_tmux(text))

    # -------------------------------------------------------------------------------------------------------- trouble

    def _fatal_error(self) -> None:
        """Textual's own report prints local variables; this one writes a redacted file and says where it is."""
        from console import crash

        seat, error = self.seat, self._exception or RuntimeError("unknown")
        path = crash.write_report(seat.crash_folder or crash.folder(), error, version=seat.version, at=self.wall())
        self._exit_renderables.append(Text(crash.last_words(error, path)))
        self._return_code = crash.EXIT_CODE
        self._close_messages_no_wait()
