"""Ledger: what was decided, by whom, on what evidence, and whether it is still what was written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from console.actions import On
from console.copying import JSON, TEXT, Copy, as_json
from console.desk import Books, Leaf, Proof, Told
from console.errand import Errand, send
from console.screens import Live, View, bindings
from console.screens.ledger.page import EntryLink, entry_text, ledger_page, list_room, opened_length
from console.screens.ledger.reading import Reading, Writing
from console.screens.ledger.shelf import NEAR, PAGE, Shelf
from console.screens.ledger.wanted import Wanted, read_wanted, what_is_wrong
from console.strides import Tally
from stages.entries import StoredEntry
from stages.timeline import folder_name, incident_of
from stages.value import replace
from widgets.line import Line
from widgets.token_input import TokenInput

__all__ = ["LedgerScreen"]

POLL = timedelta(seconds=1)
"""How often new entries are asked for."""


class LedgerScreen(Live):
    """Pages of the ledger around one chosen entry; what it reads comes in errands and never blocks a key."""

    ON: ClassVar[On | None] = On.LEDGER
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.LEDGER)

    class Came(Message):
        """An errand came back: ``what`` was asked for under which filter."""

        def __init__(self, what: str, wanted: Wanted, errand: Errand[object], at: int = 0) -> None:
            super().__init__()
            self.what, self.wanted, self.errand, self.at = what, wanted, errand, at

    def __init__(self, view: View, books: Books, *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.books = books
        self.reading = Reading()
        self.field: TokenInput | None = None
        self._asked: dict[str, datetime] = {}
        """Errands under way, and since when."""
        self._polled = view.wall
        self._kin = ""
        """The intent whose companions are held."""
        self._tally: Tally | None = None
        """Of the export that is being written."""
        self._incident = ""
        """The one whose postmortem is being named."""

    def on_mount(self) -> None:
        self.paint()
        self._turn_to("newest")
        self._verify()

    # ------------------------------------------------------------------------------------------------------- painting

    def page(self, width: int, height: int) -> list[Line]:
        return ledger_page(self.view, self.reading, width, height)[0]

    def paint(self, width: int = 0, height: int = 0) -> None:
        width, height = width or self.size.width, height or self.size.height
        if width and height:
            self.reading = replace(self.reading, shelf=self.reading.shelf.seen(self._room(width, height)))
        super().paint(width, height)
        if self.field is not None and width and height:
            row = ledger_page(self.view, self.reading, width, height)[1]
            self.field.display = row is not None
            self.field.styles.offset = (0, row or 0)
            self.field.styles.width = width

    def _room(self, width: int = 0, height: int = 0) -> int:
        size = (width or self.size.width, height or self.size.height)
        return list_room(*size, typing=bool(self.reading.typing))

    def show(self, view: View) -> None:
        since = self._asked.get("newest")
        waited = (view.wall - since).total_seconds() if since is not None else 0.0
        self.reading = replace(self.reading, waited=waited)
        if self._tally is not None and self.reading.writing is not None:
            self.reading = replace(self.reading, writing=replace(self.reading.writing, done=self._tally.done))
        super().show(view)
        if view.wall >= self._polled + POLL:
            self._poll()

    # -------------------------------------------------------------------------------------------------------- errands

    def _send(self, what: str, work: Callable[[], object], at: int = 0) -> None:
        """Sends an errand unless its like is under way; ``at`` comes back with the answer."""
        if what in self._asked:
            return
        self._asked[what] = self.view.wall
        wanted = self.reading.wanted
        send(f"ledger-{what}", work, lambda errand: self.post_message(self.Came(what, wanted, errand, at)))

    def _turn_to(self, what: str) -> None:
        """Asks for a page: the newest, the oldest, or the one next to what is held."""
        only, rows = self.reading.wanted.only, self.reading.shelf.rows
        match what:
            case "newest":
                self._send(what, lambda: self.books.leaf(only, limit=PAGE))
            case "oldest":
                self._send(what, lambda: self.books.leaf(only, after=0, limit=PAGE))
            case "older" if rows:
                self._send(what, lambda: self.books.leaf(only, before=rows[-1].seq, limit=PAGE), rows[-1].seq)
            case "newer" if rows:
                self._send(what, lambda: self.books.leaf(only, after=rows[0].seq, limit=PAGE), rows[0].seq)

    def _poll(self) -> None:
        self._polled = self.view.wall
        reading = self.reading
        if not reading.loaded:
            self._turn_to("newest")
            return
        only, latest = reading.wanted.only, reading.latest
        self._send("news", lambda: self.books.leaf(only, after=latest, limit=PAGE), latest)

    def _verify(self, *, again: bool = False) -> None:
        self._send("proof", lambda: self.books.verification(again=again))

    def _count(self) -> None:
        only = self.reading.wanted.only
        if self.reading.wanted.typed:
            self._send("count", lambda: self.books.count(only))

    def _ask_kin(self) -> None:
        """The other entries of the chosen one's intent."""
        chosen = self.reading.shelf.chosen
        intent = chosen.entry.intent if chosen is not None and chosen.entry is not None else None
        if intent and intent != self._kin:
            wanted = intent
            self._send("kin", lambda: (wanted, self.books.companions(wanted)))

    def on_ledger_screen_came(self, message: Came) -> None:
        self._asked.pop(message.what, None)
        result, trouble = message.errand.result, message.errand.trouble
        stale = message.wanted != self.reading.wanted
        match message.what, result:
            case "proof", Proof() as proof:
                self._proven(proof)
            case "proof", _:
                self.reading = replace(self.reading, unproven=trouble)
            case ("export" | "postmortem") as name, _:
                self._wrote(name, result.note if isinstance(result, Told) else f"not written: {trouble}")
            case "kin", (str(intent), tuple(companions)):
                self._kin = intent
                self.reading = replace(self.reading, companions=companions)
                self._ask_kin()
            case "count", int(matching) if not stale:
                self.reading = replace(self.reading, matching=matching)
            case what, Leaf() as leaf if not stale:
                self._leaf(what, leaf, message.at)
            case _ if stale and message.what in ("newest", "oldest", "count"):
                self._turn_to("newest")
                self._count()
            case (("newest" | "oldest" | "older" | "newer" | "news" | "around"), None) if not stale:
                self.reading = replace(self.reading, trouble=trouble)
        self.paint()

    def _wrote(self, what: str, said: str) -> None:
        if what == "export":
            self._tally = None
            self.reading = replace(self.reading, writing=None)
        self.reading = replace(self.reading, note=said)

    def _proven(self, proof: Proof) -> None:
        first = bool(proof.problems) and not self.reading.bad
        self.reading = replace(self.reading, proof=proof, unproven="")
        if first:
            self.app.bell()
        if not proof.done:
            self._verify()

    def _leaf(self, what: str, leaf: Leaf, at: int) -> None:
        reading, shelf = self.reading, self.reading.shelf
        grown = leaf.head.seq != reading.head.seq
        reading = replace(reading, head=leaf.head, loaded=True, trouble="", read_at=self.view.wall)
        top = leaf.entries[0] if leaf.entries else None
        match what:
            case "newest":
                shelf = shelf.begin(leaf)
                reading = replace(reading, latest=top.seq if top else 0, fresh=0, newcomer=None)
            case "oldest":
                shelf = shelf.begin(leaf, from_oldest=True)
            case "around":
                shelf = shelf.begin(leaf, at=at, more_newer=top is not None and top.seq < leaf.head.seq)
            case "older" if shelf.rows and shelf.rows[-1].seq == at:
                shelf = shelf.older(leaf)
            case "newer" if shelf.rows and shelf.rows[0].seq == at:
                shelf = shelf.newer(leaf)
            case "news" if top is not None and at == reading.latest:
                reading, shelf = self._arrived(reading, leaf, top)
        self.reading = replace(reading, shelf=shelf)
        if reading.unproven or (grown and reading.proof is not None and reading.proof.done):
            self._verify()
        if grown:
            self._kin = ""  # an intent on the page may have got its outcome
            self._count()
        self._fill()

    def _arrived(self, reading: Reading, leaf: Leaf, top: StoredEntry) -> tuple[Reading, Shelf]:
        """New entries go above the view, which stays where it is unless it follows."""
        shelf = reading.shelf
        if shelf.newest:
            shelf = shelf.newer(leaf)
        reading = replace(reading, latest=top.seq, fresh=reading.fresh + len(leaf.entries), newcomer=top)
        if reading.tail and shelf.newest and shelf.rows:
            shelf = replace(shelf, top=shelf.rows[0].seq, cursor=shelf.rows[0].seq)
            reading = replace(reading, fresh=0, newcomer=None)
        return reading, shelf

    def _fill(self) -> None:
        """Asks for whatever the new place lacks."""
        shelf = self.reading.shelf
        at_top = shelf.newest and shelf.rows and shelf.top == shelf.rows[0].seq
        if at_top and self.reading.fresh:
            self.reading = replace(self.reading, fresh=0, newcomer=None)
        if lacks := shelf.lacks():
            self._turn_to(lacks)
        self._ask_kin()

    # ----------------------------------------------------------------------------------------------------------- keys

    def action_move(self, step: int) -> None:
        if self.reading.opened:
            self._scroll(step)
            return
        self.reading = replace(self.reading, shelf=self.reading.shelf.move(step, self._room()), tail=False, note="")
        self._fill()
        self.paint()

    def action_turn(self, pages: int) -> None:
        self.action_move(pages * max(1, self._room() - 1))

    def _scroll(self, step: int) -> None:
        most = max(0, opened_length(self.view, self.reading, self.size.width) - 4)
        self.reading = replace(self.reading, scroll=max(0, min(most, self.reading.scroll + step)))
        self.paint()

    def action_newest(self) -> None:
        shelf = self.reading.shelf
        if shelf.newest and shelf.rows:
            first = shelf.rows[0].seq
            self.reading = replace(self.reading, shelf=replace(shelf, top=first, cursor=first), tail=False)
            self._fill()
        else:
            self._turn_to("newest")
        self.paint()

    def action_oldest(self) -> None:
        self.reading = replace(self.reading, tail=False)
        self._turn_to("oldest")

    def action_tail(self) -> None:
        """Follows what comes, from the newest entry on; once more ends it."""
        following = not self.reading.tail
        self.action_newest()
        self.reading = replace(self.reading, tail=following, opened=False)
        self.paint()

    def action_open(self) -> None:
        opened = not self.reading.opened and self.reading.shelf.chosen is not None
        self.reading = replace(self.reading, opened=opened, scroll=0)
        self.paint()

    def action_verify(self) -> None:
        self.reading = replace(self.reading, proof=None, note="")
        self._verify(again=True)
        self.paint()

    def action_half(self) -> None:
        """From entry to entry of one intent, round and round."""
        family = [one.seq for one in self.reading.companions]
        cursor = self.reading.shelf.cursor
        if cursor in family and len(family) > 1:
            self._go(family[(family.index(cursor) + 1) % len(family)])
        else:
            self._say("this entry has no other half")

    def action_wrong(self) -> None:
        """To what is altered, else to the intents without an outcome; each time to the next one."""
        proof = self.reading.proof
        places = sorted(self.reading.bad) or sorted(proof.unanswered if proof is not None else ())
        if places:
            self._go(next((seq for seq in places if seq > self.reading.shelf.cursor), places[0]))
        else:
            self._say("nothing is known to be wrong")

    def _say(self, note: str) -> None:
        self.reading = replace(self.reading, note=note)
        self.paint()

    def _go(self, seq: int) -> None:
        """Chooses an entry wherever it is; outside the selection the filter is put off."""
        shelf = self.reading.shelf.choose(seq)
        self.reading = replace(self.reading, shelf=shelf, tail=False, scroll=0)
        if shelf.cursor != seq:
            self.reading = replace(self.reading, wanted=Wanted(), matching=None, latest=self.reading.head.seq)
            every = self.reading.wanted.only
            self._send("around", lambda: self.books.leaf(every, before=seq + NEAR, limit=PAGE), seq)
        self._fill()
        self.paint()

    def clicked(self, target: object) -> None:
        """An entry is chosen by the first click and opened by the second."""
        match target:
            case EntryLink(seq) if seq == self.reading.shelf.cursor:
                self.action_open()
            case EntryLink(seq):
                self._go(seq)
            case _:
                super().clicked(target)

    def copies(self) -> tuple[Copy, ...]:
        """The chosen entry as it is read, and as it is stored."""
        chosen = self.reading.shelf.chosen
        if chosen is None:
            return super().copies()
        name, twin = f"entry {chosen.seq}", f"rampdeck ledger show {chosen.seq}"
        entry, reading = chosen.entry, self.reading
        stored = chosen.text if entry is None else as_json(entry.document())
        return (
            Copy(name, TEXT, lambda: entry_text(self.view, reading), twin),
            Copy(name, JSON, lambda: stored, twin),
            *super().copies(),
        )

    # --------------------------------------------------------------------------------------------------------- typing

    def action_filter(self) -> None:
        self._type("filter", self.reading.wanted.typed, what_is_wrong)

    def action_export(self) -> None:
        if self._tally is not None:
            self._say("one export is being written; esc stops it")
            return
        name = f"ledger-{self.view.system}-{self.view.wall:%Y%m%d-%H%M%S}.jsonl"
        self._type("export", name, _named)

    def action_postmortem(self) -> None:
        chosen = self.reading.shelf.chosen
        incident = incident_of(chosen.entry) if chosen is not None and chosen.entry is not None else ""
        if incident:
            self._incident = incident
            self._type("postmortem", folder_name(incident), _named)
        else:
            self._say("this entry tells of no incident and of no latch")

    def _type(self, what: str, text: str, accepts: Callable[[str], str]) -> None:
        self._close()
        self.reading = replace(self.reading, typing=what, note="")
        self.field = TokenInput(paste=True, grace=0, accepts=accepts, ascii_marks=self.ascii_marks)
        self.field.typed = self.field.given = text
        self.mount(self.field)
        self.field.focus()
        self.paint()

    def _close(self) -> None:
        if self.field is not None:
            self.field.remove()
            self.field = None
        self.reading = replace(self.reading, typing="")

    def on_token_input_confirmed(self, message: TokenInput.Confirmed) -> None:
        typing = self.reading.typing
        self._close()
        if typing == "filter":
            self.choose(read_wanted(message.phrase))
        elif typing == "export":
            self._export(message.phrase)
        elif typing == "postmortem":
            self._write_down(message.phrase)
        self.paint()

    def _export(self, path: str) -> None:
        reading, tally = self.reading, Tally()
        every = 0 if reading.wanted.typed else reading.head.seq
        self._tally = tally
        self.reading = replace(reading, writing=Writing(of=reading.matching or every))
        self._send("export", lambda: self.books.export(reading.wanted.only, path, tally))

    def _write_down(self, path: str) -> None:
        incident, frame = self._incident, self.view.frame
        if frame is None:
            self._say("the policy is not read yet; its signals tell what a postmortem shows")
            return
        self._say(f"writes {incident} down")
        self._send("postmortem", lambda: self.books.write_down(frame.policy, incident, path))

    def choose(self, wanted: Wanted) -> None:
        """Shows the entries that pass another filter, from the newest."""
        kept = self.reading
        self.reading = Reading(
            wanted=wanted, head=kept.head, proof=kept.proof, unproven=kept.unproven, writing=kept.writing
        )
        self._turn_to("newest")
        self._count()

    def crumbs(self) -> tuple[str, ...]:
        reading = self.reading
        part = reading.typing.upper() or (f"ENTRY {reading.shelf.cursor}" if reading.opened else "")
        return (*super().crumbs(), part) if part else super().crumbs()

    def topic(self) -> str:
        reading = self.reading
        return f"ledger-{reading.typing}" if reading.typing else "ledger-entry" if reading.opened else "ledger"

    def up(self) -> None:
        """One step back: out of the field, out of what is being written, out of the entry, out of the ledger.

        A ledger that stands still cannot stop either; the next step leaves all the same.
        """
        if self.reading.typing:
            self._close()
        elif self._tally is not None and not self._tally.stopped:
            self._tally.stop()
        elif self.reading.opened:
            self.reading = replace(self.reading, opened=False)
        else:
            super().up()
            return
        self.paint()


def _named(typed: str) -> str:
    """What is wrong with a name; empty when there is one."""
    return "" if typed.strip() else "a name is wanted"
