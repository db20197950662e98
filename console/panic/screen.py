"""The screen of panic: it paints before a configuration is read, and learns the rest in threads of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from console import crash
from console.errand import Errand, send
from console.hang_up import KILLED, after_commands
from console.panic.page import OWED_WITHIN, REASONS, SMALLEST, Sight, page
from console.panic.phrases import CANCEL, Meant, read_phrase
from console.seat import needs_ascii
from stages.value import replace
from widgets.line import Line, fit
from widgets.sheet import Sheet
from widgets.token_input import TokenInput

if TYPE_CHECKING:
    from console.panic.acting import Acted, Responder
    from console.panic.looking import Answer
    from console.wiring import Wiring

AGAIN = 10.0
"""Seconds after which the witnesses are asked again, as long as the screen stands."""


class Delivered(Message):
    """An errand's end: which one, and what it brought."""

    def __init__(self, what: str, errand: Errand[Any]) -> None:
        super().__init__()
        self.what = what
        self.errand = errand


class PanicApp(App[None]):
    """One page, one field. What it commands goes on without it."""

    TITLE = "rampdeck panic"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layers: page token; background: $background; }
    Sheet { layer: page; width: 100%; height: 100%; }
    TokenInput { layer: token; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+q", "exit_panic", "leave", show=False, priority=True),
        Binding("v", "verify", "verify", show=False),
        Binding("h", "by_hand", "by hand", show=False),
    ]

    def __init__(
        self, wire: Callable[[], Wiring], wall: Callable[[], datetime], version: str, *, ascii_marks: bool = False
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self._wire, self._wall, self._version = wire, wall, version
        self.responder: Responder | None = None
        self.stages: tuple[str, ...] = ()
        self.sight = Sight(wall(), wall())
        self.sheet = Sheet(ascii_marks=ascii_marks)
        self.token = TokenInput(
            (), paste=True, grace=0.0, accepts=self._problem, ascii_marks=ascii_marks, passes_first=("v", "h")
        )
        self._act: Acted | None = None
        self._waiting: Meant | None = None
        self._asking: set[str] = set()
        self._leaving = self._rang = False

    def compose(self) -> ComposeResult:
        yield self.sheet
        yield self.token

    def on_mount(self) -> None:
        self.token.focus()
        self._paint()
        self.set_interval(1.0, self._tick)
        self.set_interval(AGAIN, self._look)
        # What comes next imports databases and Git; it starts once the page stands.
        self.call_after_refresh(self._prepare)

    def on_resize(self, _event: events.Resize) -> None:
        self._paint()

    def _prepare(self) -> None:
        self._send("ready", self._come_up)

    def _come_up(self) -> Responder:
        from console.panic.acting import Responder

        responder = Responder(self._wire())
        _ = responder.policy, responder.wiring.venue
        return responder

    # --------------------------------------------------------------------------------------------------------- seeing

    def _tick(self) -> None:
        self.sight = replace(self.sight, wall=self._wall())
        if self.sight.overdue and not self._rang:
            self._rang = True
            self.bell()
        self._paint()

    def _paint(self) -> None:
        width, height = self.size
        if width < SMALLEST[0] or height < SMALLEST[1]:
            self.sheet.show([Line().put(fit(f"too small: {width}x{height}, 60x20 shows panic", width)).fill(width)])
            return
        lines, field_at = page(self.sight, width, height)
        self.token.styles.offset = (0, field_at)
        self.token.styles.width = width
        self.sheet.show([line.fill(width) for line in lines])
        self.token.refresh()

    def _look(self) -> None:
        """Ask every witness that is not still being asked."""
        if self.responder is None:
            return
        from console.panic.looking import answer, questions

        for witness, question in questions(self.responder).items():
            if witness not in self._asking:
                self._asking.add(witness)
                self._send(f"look {witness}", partial(answer, witness, question))

    def on_delivered(self, message: Delivered) -> None:
        """What came back, by the errand's name."""
        errand, kind = message.errand, message.what.partition(" ")[0]
        match kind:
            case "ready":
                self._wired(errand)
            case "learned" if errand.result is not None:
                self._know(errand.result)
            case "look":
                self._asking.discard(message.what.removeprefix("look "))
                if errand.result is not None:
                    self._hear(errand.result)
            case "hand" if errand.result is not None:
                self.sight = replace(self.sight, by_hand=tuple(errand.result))
            case "act":
                self._acted(message.what.removeprefix("act "), errand)
            case "reason":
                said = errand.trouble or f"reason: {errand.result}"
                self.sight = replace(self.sight, owed=self.sight.owed if errand.trouble else None, note=(said,))
        self._paint()

    def _wired(self, errand: Errand[Responder]) -> None:
        if errand.result is None:
            self.sight = replace(self.sight, trouble=f"Nothing can be done from here: {errand.trouble}")
            return
        responder = self.responder = errand.result
        self.sight = replace(self.sight, environment=responder.wiring.settings.environment.name)
        if responder.policy is not None:
            self._know(responder.policy)
        else:
            self._send("learned", responder.learn)
        from console.verbs.panic import hand_lines

        self._send("hand", lambda: hand_lines(responder))
        self._look()
        if self._waiting is not None:
            meant, self._waiting = self._waiting, None
            self._do(meant)

    def _know(self, policy: Any) -> None:
        self.stages = tuple(stage.name for stage in policy.stages)
        below = self.sight.below or self.stages[0]
        self.sight = replace(self.sight, name=policy.name, zone=policy.spec.target.session.timezone, below=below)

    def _hear(self, one: Answer) -> None:
        sight = self.sight
        silent = {name: why for name, why in sight.silent.items() if name != one.witness}
        if one.state == "?":
            silent[one.witness] = one.said
        sight = replace(sight, witnesses={**sight.witnesses, one.witness: one.state}, silent=silent)
        if one.held is not None:
            orders = f"{one.orders} order{'s' if one.orders != 1 else ''}{', BLOCKED' if one.blocked else ''}"
            sight = replace(
                sight, open_text=f"{one.held:,.0f} $ open, {orders}", open_at=self._wall(), account=one.account
            )
        if one.witness == "ledger" and one.state == "ok" and (self._act is None or self._act.verb == ""):
            sight = self._told_of_debts(one, sight)
        if one.took:
            sight = replace(sight, took=dict(one.took))
        self.sight = replace(sight, below=one.below or sight.below)

    def _told_of_debts(self, one: Answer, sight: Sight) -> Sight:
        """What was done elsewhere and owes its reason, as long as nothing was done here."""
        from console.panic.acting import Acted

        if one.owed is None:
            self._act = None
            return replace(sight, owed=None, owes="")
        self._act = Acted("", one.owed.intent, 0.0, owes=one.owed.intent)
        return replace(sight, owed=self._wall() - OWED_WITHIN + one.owed.left, owes=one.owed.what)

    # --------------------------------------------------------------------------------------------------------- acting

    def _problem(self, text: str) -> str:
        if self.sight.owed is not None and text.strip() in REASONS:
            return ""
        meant = read_phrase(text, self.sight.name, self.stages)
        return meant if isinstance(meant, str) else ""

    def on_token_input_confirmed(self, message: TokenInput.Confirmed) -> None:
        phrase = message.phrase
        if phrase in REASONS and self._act is not None and self.responder is not None:
            act, responder = self._act, self.responder
            self._send("reason", lambda: responder.give_reason(act, REASONS[phrase]))
            return
        meant = read_phrase(phrase, self.sight.name, self.stages)
        if isinstance(meant, Meant):
            self._do(meant)

    def _do(self, meant: Meant) -> None:
        said = f"{meant.verb} {meant.stage or self.sight.name}".strip()
        self.sight = replace(self.sight, running=said, note=(), show_by_hand=False)
        responder = self.responder
        if responder is None:
            self._waiting = meant  # the configuration is a moment away; it is the first thing done with it
        else:
            self._send(f"act {said}", lambda: responder.act(meant))
        self._paint()

    def _acted(self, said: str, errand: Errand[Acted]) -> None:
        act = errand.result
        if act is None:
            self.sight = replace(
                self.sight, running="", leaving=False, note=(f"{said} did not start: {errand.trouble}",)
            )
            return
        self._act, self._rang, self._leaving = act, False, False
        owed = self._wall() if self.sight.owes else self.sight.owed or self._wall()
        self.sight = replace(self.sight, running="", leaving=False, note=outcome(said, act), owed=owed, owes="")
        self._look()

    def action_verify(self) -> None:
        self.sight = replace(self.sight, witnesses={}, started=self._wall())
        self._look()
        self._paint()

    def action_by_hand(self) -> None:
        self.sight = replace(self.sight, show_by_hand=not self.sight.show_by_hand)
        self._paint()

    def action_exit_panic(self) -> None:
        """Leave; while an act is being handed over only when it is asked for twice."""
        if self.sight.running and not self._leaving:
            self._leaving = True
            self.sight = replace(self.sight, leaving=True)
            self._paint()
        else:
            self.exit()

    def _send(self, what: str, work: Callable[[], Any]) -> None:
        send(what, work, lambda errand: self.post_message(Delivered(what, errand)), commands=what.startswith("act "))

    def _fatal_error(self) -> None:
        """Textual's own report prints local variables; this one writes a redacted file and says where it is."""
        error = self._exception or RuntimeError("unknown")
        path = crash.write_report(crash.folder(), error, version=self._version, at=self._wall())
        self._exit_renderables.append(Text(crash.last_words(error, path)))
        self._return_code = crash.EXIT_CODE
        self._close_messages_no_wait()


def outcome(said: str, act: Acted) -> tuple[str, ...]:
    """What came of an act: first what nobody could verify, then what is done."""
    doubt = [
        f"{one.witness}: {'NO' if one.done is False else 'UNVERIFIED'}, {one.detail}."
        for one in act.heard
        if not one.done
    ]
    done = [
        f"{one.witness}: {one.detail}{f' after {one.took:.1f} s' if one.took else ''}." for one in act.heard if one.done
    ]
    more = ["More orders may come: BLOCK refuses them."] if act.verb == CANCEL else []
    return (f"{said}: {' '.join([*doubt, *done, *more])}",)


def run_panic_screen(wire: Callable[[], Wiring], wall: Callable[[], datetime], version: str, ascii_marks: bool) -> int:
    """Run the screen until it is left; the exit code tells a crash from a good end."""
    app = PanicApp(wire, wall, version, ascii_marks=ascii_marks or needs_ascii(os.environ))
    with after_commands(lambda: app.call_later(app.exit, return_code=KILLED)):
        app.run()
    return app.return_code or 0
