"""The confirmation token: a phrase typed by hand, in full, or nothing happens.

Case, commas and spaces are folded. Keys that come before the field is ready are dropped, counted and said. Pasting is
refused by both of its routes where the phrase raises risk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.line import Line, Tone, fit
from widgets.sheet import Sheet

GRACE = 0.5
"""Seconds after its appearance in which a field that raises risk takes no key."""


def folded(text: str) -> str:
    """``text`` as it is compared: case, commas and runs of spaces do not matter."""
    return " ".join(text.replace(",", "").split()).casefold()


def wrong_word(typed: str, phrases: Sequence[str]) -> str:
    """What keeps ``typed`` from being one of ``phrases``, in words; empty when it is one of them."""
    if folded(typed) in [folded(phrase) for phrase in phrases]:
        return ""
    words = folded(typed).split()
    if not words:
        return "nothing is typed yet"
    best = max(phrases, key=lambda phrase: _matching(words, folded(phrase).split()), default="")
    wanted = best.split()
    at = _matching(words, folded(best).split())
    if at >= len(words):
        return f"{len(wanted) - at} more: {' '.join(wanted[at:])}"
    if at >= len(wanted):
        return f"'{words[at]}' is too much"
    return f"word {at + 1} is '{typed.split()[at] if at < len(typed.split()) else words[at]}', not '{wanted[at]}'"


def _matching(words: Sequence[str], wanted: Sequence[str]) -> int:
    count = 0
    for word, other in zip(words, wanted, strict=False):
        if word != other:
            break
        count += 1
    return count


class TokenInput(Widget, can_focus=True):
    """Two rows: the line being typed, and what is said of it."""

    DEFAULT_CSS = "TokenInput { height: 2; width: 100%; }"

    class Confirmed(Message):
        """The full phrase was typed and Enter pressed."""

        def __init__(self, phrase: str) -> None:
            super().__init__()
            self.phrase = phrase

    def __init__(
        self, phrases: Sequence[str] = (), *, paste: bool = False, grace: float = GRACE,
        accepts: Callable[[str], str] | None = None, passes: Sequence[str] = (), ascii_marks: bool = False,
        id: str | None = None, passes_first: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(id=id)
        self.phrases = tuple(phrases)
        self.paste_allowed = paste
        self.grace = grace
        self.accepts = accepts
        """Names what is wrong with a text, empty for nothing; by default the text must be one of ``phrases``."""
        self.passes = ("question_mark", *passes)
        """Keys that no phrase has: they mean what they mean everywhere, as ``?`` asks for help."""
        self.passes_first = tuple(passes_first)
        """Keys with which no phrase begins: they are keys of the page while nothing is typed."""
        self.ascii_marks = ascii_marks
        self.typed = ""
        self.said = ""
        self.early = 0
        self.ready = False
        self.withheld = ""
        """Why Enter does nothing at present, whatever is typed; what is typed stays."""
        self.given = ""
        """What stood in the line before anybody typed."""
        self._warned = False

    def on_mount(self) -> None:
        if self.grace:
            self.set_timer(self.grace, self.open)
        else:
            self.open()

    def open(self) -> None:
        """From now on keys count."""
        self.ready = True
        self.refresh()

    def too_early(self, keys: int = 1) -> None:
        """Counts keys that arrived before the field could take them."""
        self.early += keys
        self.said = f"{self.early} {'key' if self.early == 1 else 'keys'} came too early and did not count"
        self.refresh()

    def problem(self) -> str:
        """What is wrong with what is typed; empty when Enter would confirm."""
        if self.withheld:
            return self.withheld
        if self.accepts is not None:
            return self.accepts(self.typed)
        return wrong_word(self.typed, self.phrases)

    def on_key(self, event: events.Key) -> None:
        # Every key of the line is taken here, in the order typed: a binding runs only once its key has bubbled, and the
        # letters that follow a ctrl+u would be emptied with what stood before them.
        takes = {
            "enter": self._enter,
            "backspace": lambda: self._edit(self.typed[:-1]),
            "ctrl+u": lambda: self._edit(""),
            "ctrl+v": self._paste_own,
            "shift+insert": self._paste_own,
        }.get(event.key)
        if takes is not None:
            event.stop()
            takes()
        elif event.key in self.passes or (not self.typed and event.key in self.passes_first):
            return
        elif event.is_printable and event.character is not None:
            event.stop()
            if not self.ready:
                self.too_early()
            else:
                self._edit(self.typed + event.character)

    def _edit(self, text: str) -> None:
        self.typed, self.said, self._warned = text[:120], "", False
        self.refresh()

    def gives_up(self) -> bool:
        """Whether leaving loses nothing: nobody typed here, or was told of it and leaves all the same."""
        if self._warned or self.typed.strip() in ("", self.given):
            return True
        self._warned, self.said = True, "esc again leaves; what is typed here is lost then"
        self.refresh()
        return False

    def _enter(self) -> None:
        if not self.ready:
            self.too_early()
            return
        problem = self.problem()
        if problem:
            self.said = f"nothing happened: {problem}"
            self.refresh()
            return
        phrase, self.typed = self.typed, ""
        self.refresh()
        self.post_message(self.Confirmed(" ".join(phrase.split())))

    def on_paste(self, event: events.Paste) -> None:
        """Bracketed paste from the terminal."""
        event.stop()
        self._paste(event.text)

    def _paste_own(self) -> None:
        """ctrl+v, which reads the program's own clipboard."""
        self._paste(self.app.clipboard)

    def _paste(self, text: str) -> None:
        if not self.paste_allowed:
            self.said = "paste is refused here: type the phrase"
            self.refresh()
        elif not self.ready:
            self.too_early(len(text))
        else:
            self._edit(self.typed + " ".join(text.split("\n", maxsplit=1)[0].split()))

    def drawn(self, width: int) -> list[Line]:
        """The two rows as lines."""
        cursor = "▌" if self.has_focus else ""
        # The cursor stays in sight however long the line is.
        shown = self.typed[-max(1, width - 12) :]
        line = Line(Tone.INPUT).put("     > ").put(shown).put(cursor)
        hint = self.said or self._hint()
        if hint and line.length + len(hint) + 4 < width:
            line.put(hint, Tone.PLAIN, at=max(46, line.length + 3)) if width >= 46 + len(hint) else None
        inline = hint and hint in line.text
        second = Line() if inline else Line().put("       ").put(fit(hint, width - 8), Tone.BOLD if self.said else None)
        return [line.fill(width), second.fill(width)]

    def _hint(self) -> str:
        if not self.has_focus:
            return "tab brings you here"
        if not self.typed:
            return "case does not matter; paste is allowed here" if self.paste_allowed else ""
        if self.withheld:
            return self.withheld
        if not self.problem():
            return "Enter does it"
        starts = [phrase for phrase in self.phrases if folded(phrase).startswith(folded(self.typed))]
        if starts:
            return f"{len(folded(starts[0])) - len(folded(self.typed))} more characters"
        return self.problem()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        lines = self.drawn(width)
        base = self.rich_style
        if y >= len(lines):
            return Strip.blank(width, base)
        return paint(self, lines[y], width)


def paint(widget: TokenInput, line: Line, width: int) -> Strip:
    """One line in the styles of the page it lies on."""
    page = next(iter(widget.screen.query(Sheet)), None)
    base = widget.rich_style
    if page is None:
        return Strip([Segment(line.text, base)]).adjust_cell_length(width, base)
    return page.strip(line, width, base)
