"""The ledger's page: how far it can be trusted, the entries around the eye, and the chosen one whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from console.actions import On
from console.screens import View, keys_line, view_head, zone_of
from console.screens.ledger.reading import Reading, Writing
from console.screens.ledger.wanted import EXAMPLE
from stages.pairing import UNKNOWN
from stages.value import Struct, replace
from stages.verdict import Headline
from widgets.bar import bar
from widgets.figures import age, percent
from widgets.header import Head, header, local_time, small_header
from widgets.ledger_view import captions, detail_lines, entry_line, summary
from widgets.line import Line, Tone, beside, fit, padded, sentences, title

WIDE = 140
"""From this width on the chosen entry stands beside the list."""
TALL = 28
"""From this height on it stands below the list where it cannot stand beside it."""
BELOW = 9


class EntryLink(Struct, frozen=True):
    """A click on an entry of the list."""

    seq: int


def ledger_page(view: View, reading: Reading, width: int, height: int) -> tuple[list[Line], int | None]:
    """The page, and the row at which the field stands while something is being typed."""
    head = _head(view, reading)
    lines = small_header(head, width) if width < 80 else header(head, width)
    field = _typing(reading, width)
    room = height - len(lines) - len(field) - 1
    lines.extend(padded(_body(view, reading, width, room), room))
    field_at = len(lines) + 1 if field else None
    lines.extend(field)
    typing = Line().put(" enter takes it   esc closes   ctrl+u empties")
    foot = typing if field else keys_line(On.LEDGER, view, width)
    return [line.fill(width) for line in (*lines, foot)], field_at


def list_room(width: int, height: int, *, typing: bool) -> int:
    """How many entries the list shows at this size."""
    room = height - (4 if width < 80 else 3) - 1 - (3 if typing else 0)
    return max(1, _list_height(width, room) - 3)


def _list_height(width: int, room: int) -> int:
    return room - BELOW if width < WIDE and room >= TALL - 5 else room


# ------------------------------------------------------------------------------------------------------------- rows 1-3


def _head(view: View, reading: Reading) -> Head:
    head = view_head(view, _headline(view, reading), prefix="LEDGER")
    count = f"{reading.head.seq:,} entries" if reading.loaded else ""
    return replace(
        head, stage=count, stage_short=count, mode="", cap="", auto="", auto_short="", pnl=None, phase="",
    )  # fmt: skip


def _headline(view: View, reading: Reading) -> Headline:
    proof, upto = reading.proof, f"up to entry {reading.proof.upto:,}" if reading.proof is not None else ""
    match reading.state:
        case "away":
            old = f"Read {age((view.wall - reading.read_at).total_seconds())} ago. " if reading.read_at else ""
            said = (
                f"{old}r goes down all the same and keeps its record in a spill file. An advance waits for the ledger."
            )
            return Headline("LEDGER AWAY", "", reading.trouble, said, "unknown", True)
        case "altered":
            assert proof is not None
            first = proof.problems[0]
            thing = f"entry {first.seq:,} {first.problem}"
            rest = f"{_sound(first.seq)} Copy the ledger away, tell risk."
            said = f"No advance while this stands; r goes down all the same. w shows it. {rest}"
            return Headline("ALTERED", f"{len(proof.problems)} found", thing, said, "breach", True)
        case "waiting":
            return Headline(
                "WAIT", age(reading.waited), "the ledger is being read", "No page has come yet.", "running", False
            )
        case "empty":
            return Headline(
                "EMPTY", "0 entries", "nothing is recorded", "policy adopt begins a ledger.", "unknown", False
            )
        case "unverified":
            return Headline("NOT VERIFIED", upto, reading.unproven, "v tries again.", "unknown", False)
        case "verifying":
            done = Decimal(proof.upto) / max(1, reading.head.seq) if proof is not None else Decimal(0)
            drawn = f"{bar(done, 20, solid=False, tick=None)} {percent(done).strip()}  {_told(reading)}"
            return Headline("VERIFYING", upto, f"of {reading.head.seq:,}", drawn, "running", False)
    assert proof is not None
    whole = f"all {proof.upto:,} entries" if proof.upto >= reading.head.seq else upto
    ago = f", {age((view.wall - proof.at).total_seconds())} ago" if proof.at is not None else ""
    vouched = (
        f"Anchored in Git at {proof.anchor.seq:,}." if proof.anchor is not None else "No commit outside vouches for it."
    )
    told = _told(reading)
    said = told if reading.note or reading.writing else f"{told} {vouched}"
    return Headline("VERIFIED", whole, f"{proof.seconds:.2f} s{ago}", said, "ok", False)


def _sound(first: int) -> str:
    return f"Entries 1 to {first - 1:,} are sound." if first > 1 else "It begins with the first entry."


def _told(reading: Reading) -> str:
    """Row 3: what is being written, or came of what was asked for, else whether every act has a known end."""
    if reading.writing is not None:
        return _written(reading.writing)
    if reading.note:
        return reading.note
    proof = reading.proof
    if proof is None or not proof.done:
        return "Pages can be turned meanwhile."
    if proof.unanswered:
        numbers = ", ".join(f"{seq:,}" for seq in proof.unanswered[:3])
        more = f" and {len(proof.unanswered) - 3} more" if len(proof.unanswered) > 3 else ""
        return f"{UNKNOWN}: intent {numbers}{more} has no outcome. w shows it."
    return "Every intent has an outcome."


def _written(writing: Writing) -> str:
    if not writing.of:
        return f"esc stops it: {writing.done:,} entries written"
    done = min(Decimal(1), Decimal(writing.done) / writing.of)
    drawn = f"{bar(done, 20, solid=False, tick=None)} {percent(done).strip()}"
    return f"{drawn}  esc stops it: {writing.done:,} of {writing.of:,} entries written"


# ----------------------------------------------------------------------------------------------------------------- body


def _body(view: View, reading: Reading, width: int, room: int) -> list[Line]:
    chosen = reading.shelf.chosen
    if reading.opened and chosen is not None:
        return _opened(view, reading, width, room)
    if width >= WIDE:
        at = min(100, width * 3 // 5)
        left = _list(view, reading, at, room)
        right = _detail(view, reading, width - at - 1)
        return beside(padded(left, room), padded(_cut(right, room, width - at - 1), room), at, width)
    height = _list_height(width, room)
    lines = padded(_list(view, reading, width, height), height)
    return [*lines, *_cut(_detail(view, reading, width), room - height, width)]


def _list(view: View, reading: Reading, width: int, height: int) -> list[Line]:
    zone = zone_of(view)
    lines = [title("ENTRIES", width, note=_selection(reading, width - 12)), _above(view, reading, width, zone)]
    shown = reading.shelf.shown(max(1, height - 3))
    if not shown:
        lines.extend(sentences(_nothing(reading), width - 6, lambda: Line().put("   ")))
    bad = reading.bad
    for stored in shown:
        chosen = stored.seq == reading.shelf.cursor
        line = entry_line(stored, reading.shelf.endings, bad, width, view.wall, zone, chosen=chosen)
        lines.append(line.link(EntryLink(stored.seq)))
    return [*padded(lines, height - 1), _place(reading, width)]


def _selection(reading: Reading, room: int) -> str:
    total = f"{reading.head.seq:,}"
    if not reading.wanted.typed:
        return f"all {total}" if reading.loaded else ""
    matching = f"{reading.matching:,}" if reading.matching is not None else "counting"
    tail = f"  {matching} of {total}"
    return fit(reading.wanted.typed, max(8, room - len(tail))) + tail


def _above(view: View, reading: Reading, width: int, zone: str) -> Line:
    """Names of the columns; once entries have come that are not in view, the newest of them in their place."""
    if not reading.fresh or reading.newcomer is None:
        return captions(width, local_time(view.wall, zone, "").strip())
    entry = reading.newcomer.entry
    told = f"{entry.kind} {entry.actor} {summary(entry)}" if entry is not None else "ALTERED"
    line = Line(Tone.BOLD).put(f" ▲ {reading.fresh:,} newer  t shows  ").right(f"{reading.newcomer.seq:,}", 33)
    return line.put(fit(f"  {told}", width - line.length - 1)).fill(width)


def _nothing(reading: Reading) -> str:
    if reading.trouble:
        return reading.trouble
    if not reading.loaded:
        return "reads the newest page"
    if not reading.wanted.typed:
        return "The ledger holds no entry yet."
    return "No entry passes this filter: / changes it, and nothing typed there shows all."


def _place(reading: Reading, width: int) -> Line:
    shelf, line = reading.shelf, Line(Tone.DIM)
    line.rule = True
    seq = shelf.cursor
    follows = "follows what comes  " if reading.tail else ""
    ends = "newest  " if shelf.newest and shelf.rows and seq == shelf.rows[0].seq else ""
    ends = "oldest  " if shelf.oldest and shelf.rows and seq == shelf.rows[-1].seq else ends
    text = f" entry {seq:,}  {ends}{follows}" if seq else " "
    line.put("─").put(text, Tone.PLAIN)
    return line.put("─" * max(0, width - line.length)).fill(width)


def _detail(view: View, reading: Reading, width: int) -> list[Line]:
    chosen = reading.shelf.chosen
    if chosen is None:
        return []
    proof = reading.proof
    problems = [one.problem for one in proof.problems if one.seq == chosen.seq] if proof is not None else []
    inside = proof is not None and proof.anchor is not None and chosen.seq <= proof.anchor.seq
    anchored = f"; inside the anchor at {proof.anchor.seq:,}" if inside and proof is not None and proof.anchor else ""
    checked = "" if proof is not None and chosen.seq <= proof.upto else "; its chain is not verified yet"
    return detail_lines(chosen, reading.companions, problems, width, zone=zone_of(view), anchored=anchored or checked)


def _opened(view: View, reading: Reading, width: int, room: int) -> list[Line]:
    lines = _detail(view, reading, width)
    top = max(0, min(reading.scroll, len(lines) - room))
    shown = lines[top : top + room]
    if top + room < len(lines) and shown:
        shown[-1] = Line(Tone.DIM).put(f"   ... {len(lines) - top - room + 1} more lines: down").fill(width)
    return shown


def opened_length(view: View, reading: Reading, width: int) -> int:
    """Lines of the chosen entry when it fills the page."""
    return len(_detail(view, reading, width))


def entry_text(view: View, reading: Reading) -> str:
    """The chosen entry as it reads when it fills a page, for pasting."""
    return "\n".join(line.text.rstrip() for line in _detail(view, reading, 100))


def _cut(lines: Sequence[Line], room: int, width: int) -> list[Line]:
    """As much as there is room for; the last line says that Enter shows the rest."""
    if len(lines) <= room:
        return list(lines)
    return [*lines[: max(0, room - 1)], Line(Tone.DIM).put("   ... enter shows all").fill(width)][:room]


def _typing(reading: Reading, width: int) -> list[Line]:
    if not reading.typing:
        return []
    how = {
        "filter": EXAMPLE,
        "export": "a new file: .csv makes a table, any other name the canonical lines",
        "postmortem": "a new folder: a page in Markdown, its plots, its entries",
    }[reading.typing]
    name = reading.typing.upper()
    return [title(name, width, note=fit(how, width - len(name) - 8)), Line(), Line()]
