"""What is held as a page: its rows, everything about the picked one, and the one thing that can be done about it."""

from __future__ import annotations

from typing import Final

from console.actions import On
from console.desk import Consents, Frame, Leftover
from console.doubt import READ_ONLY
from console.screens import View, keys_line, view_head, zone_of
from stages.clearing import Clearance
from stages.posture import Mode, effective_mode
from stages.resuming import suspends
from stages.value import Struct
from stages.verdict import Headline
from widgets.figures import age
from widgets.header import header, local_time
from widgets.line import Line, Tone, fit, padded, sentences, title

NOTHING: Final = "nothing"
PRESS: Final = "press"
REASON: Final = "reason"
PHRASE: Final = "phrase"
"""How something is done: not at all, by ``y``, by a line of reason, by a phrase."""


class Item(Struct, frozen=True):
    """One row: an open latch, the restore of a kill without one, or what a cleared halt has left."""

    act: str
    """clear, restore or resume"""
    key: str
    name: str
    holds: str
    clearance: Clearance | None = None


class Sight(Struct, frozen=True):
    """What was read about the picked item; None is not read yet."""

    consents: Consents | None = None
    leftover: Leftover | None = None
    trouble: str = ""


class Offer(Struct, frozen=True):
    """The one thing that can be done: by ``y``, by a line of reason, by a phrase, or nothing."""

    how: str
    act: str
    says: str
    phrase: str = ""


def items(frame: Frame | None) -> tuple[Item, ...]:
    """What is held, the strictest first, and then what is left to lift."""
    if frame is None or not frame.presence.known:
        return ()
    policy, evaluation = frame.policy, frame.evaluation
    rows = [_latched(frame, one) for one in frame.clearances]
    held, standing = evaluation.posture.mode, evaluation.standing.mode
    mode = effective_mode(held, policy.mapped_modes) if held > Mode.FROZEN else Mode.NORMAL
    venue = evaluation.snapshot.venue
    blocked = venue is not None and not venue.error and venue.blocked
    lowest = policy.stages[0].name
    if standing is Mode.KILLED and held is not Mode.KILLED:
        rows.append(Item("restore", "", "killed in Git", f"{Mode.KILLED.words}, {lowest}"))
    elif standing > mode or (blocked and not suspends(policy, mode)):
        where = standing.words if standing > mode else "venue blocks new orders"
        rows.append(Item("resume", "", "left by a halt", where))
    return tuple(rows)


def _latched(frame: Frame, one: Clearance) -> Item:
    latch, policy = one.latch, frame.policy
    spec = policy.spec.triggers.get(latch.trigger)
    cap = "" if latch.cap is None else f", max {policy.stages[min(latch.cap, policy.top)].name}"
    name = spec.title if spec else latch.trigger.replace("-", " ")
    act = "restore" if latch.killed else "clear"
    return Item(act, latch.key, name, f"{latch.mode.words}{cap}", one)


def offer(view: View, item: Item | None, sight: Sight) -> Offer:
    """What can be done about ``item`` now, and what to say of it."""
    if item is None:
        known = view.frame is not None and view.frame.presence.known
        return Offer(NOTHING, "", "nothing is held; nothing to lift" if known else "nothing is known yet")
    if view.read_only or (view.frame is not None and view.frame.read_only):
        return Offer(NOTHING, item.act, f"{READ_ONLY} Who may clear it stands above.")
    if sight.trouble:
        return Offer(NOTHING, item.act, sight.trouble)
    if item.act == "resume":
        return _resuming(sight.leftover)
    if item.act == "clear" and item.clearance is not None and not item.clearance.latch.rule.approval:
        return _ready(item) if item.clearance.gone else Offer(NOTHING, "clear", f"waits: {item.clearance.why}")
    return _signed(item, sight.consents)


def _resuming(left: Leftover | None) -> Offer:
    if left is None:
        return Offer(NOTHING, "resume", "a dry run of what is left is being made")
    if left.refusal:
        return Offer(NOTHING, "resume", f"stays: {left.refusal}")
    return Offer(PHRASE, "resume", f"type {left.phrase}, then enter; paste is refused", left.phrase)


def _signed(item: Item, consents: Consents | None) -> Offer:
    if consents is None:
        return Offer(NOTHING, item.act, "the approvals are being read")
    if consents.lacking and not consents.asked:
        return Offer(PRESS, "ask", f"y asks for the approvals: {consents.lacking}")
    if consents.lacking:
        return Offer(NOTHING, item.act, f"asked; {consents.lacking}")
    if item.act == "restore":
        missing = [text for text, so in consents.conditions if not so]
        if missing:
            return Offer(NOTHING, "restore", f"not yet so: {'; '.join(missing)}")
        return Offer(PHRASE, "restore", f"type {consents.phrase}, then enter; paste is refused", consents.phrase)
    if item.clearance is not None and not item.clearance.gone:
        return Offer(NOTHING, "clear", f"signed; waits: {item.clearance.why}")
    return _ready(item)


def _ready(item: Item) -> Offer:
    rule = item.clearance.latch.rule if item.clearance is not None else None
    if rule is not None and (rule.explain or not rule.gone):
        return Offer(REASON, "clear", "type what it was, then enter: that clears it")
    return Offer(PRESS, "clear", "y clears it")


def clear_page(
    view: View, picked: int, sight: Sight, note: str, width: int, height: int
) -> tuple[list[Line], int, Offer]:
    """The page, the row of its field, and what it offers."""
    rows = items(view.frame)
    item = rows[min(picked, len(rows) - 1)] if rows else None
    found = offer(view, item, sight)
    foot = [
        Line(Tone.DIM).put("─" * width),
        keys_line(On.CLEAR, view, width).fill(width),
    ]
    head = header(view_head(view, _headline(view, rows)), width)
    old = f"as of {age(view.lag)} ago, for no tick arrives; the ledger checks a clear again all the same"
    told = (note, old if view.cut_off else "", found.says)
    said = [line for text in told if text for line in sentences(text, width - 4)][-4:]
    room = height - len(head) - len(foot) - len(said) - 3
    known = view.frame is not None and view.frame.presence.known
    body = [
        *_list(rows, item, width, max(2, room // 2), known=known),
        *(_about(view, item, sight, width) if item else []),
    ]
    lines = [*head, *padded(body[:room], room), title("WHAT CAN BE DONE", width)]
    lines.extend(Line(Tone.BOLD).put("   ").put(line.text.strip()).fill(width) for line in said)
    return [*lines, Line(), Line(), *foot], len(lines), found


def _headline(view: View, rows: tuple[Item, ...]) -> Headline | None:
    if view.frame is None:
        return None
    latched = sum(row.clearance is not None for row in rows)
    ready = sum(row.clearance is not None and row.clearance.gone for row in rows)
    if not view.frame.presence.known:
        sentence = "What is cleared is written there; it stays as it is until then."
        return Headline("LEDGER AWAY", "", "what is held is not known", sentence, "unknown", False)
    if not rows:
        return Headline("NOTHING IS HELD", "", "no latch is open", "Nothing waits for anybody here.", "ok", False)
    if not latched:
        sentence = "Nothing asks for it any more; it stays until a person lifts it."
        return Headline("NOTHING IS HELD", "", f"{rows[0].holds} is {rows[0].name}", sentence, "warn", False)
    sentence = "A clear ends what holds; what anything else holds stays."
    return Headline(f"{latched} HELD", "", f"{ready} whose cause is gone", sentence, "warn", False)


class ItemLink(Struct, frozen=True):
    """A click on an item of the list."""

    index: int


def _list(rows: tuple[Item, ...], item: Item | None, width: int, room: int, *, known: bool) -> list[Line]:
    wide = width >= 90
    at = (34, 66) if wide else (27, 52)
    lines = [title("HELD, THE STRICTEST FIRST", width)]
    if not rows:
        said = "no latch is open, and nothing is left of one" if known else "not read yet"
        return [*lines, Line().put(f"   {said}")]
    place = rows.index(item) if item in rows else 0
    first = max(0, min(place - room // 2, len(rows) - room + 1))
    for row in rows[first : first + room - 1]:
        mine = row is item
        line = Line(Tone.BOLD if mine else Tone.PLAIN).put(" ► " if mine else "   ").put(fit(row.name, at[0] - 4))
        line.put(fit(row.holds, at[1] - at[0] - 1), at=at[0]).put(fit(_state(row), width - at[1] - 1), at=at[1])
        lines.append(line.fill(width).link(ItemLink(rows.index(row))))
    return lines


def _state(row: Item) -> str:
    if row.clearance is None:
        return "may come back"
    if row.act == "restore":
        return "only by a restore"
    if not row.clearance.gone:
        return row.clearance.why
    return "cause gone, to be signed" if row.clearance.latch.rule.approval else "MAY BE CLEARED"


def _about(view: View, item: Item, sight: Sight, width: int) -> list[Line]:
    """Everything about the picked one, a word and what it says in each row."""
    facts = [*_latch_facts(view, item), *_consent_facts(sight.consents)]
    if item.act == "resume" and sight.leftover is not None:
        facts.extend(("lifts" if not place else "", text) for place, text in enumerate(sight.leftover.lines))
    lines = [title(fit(item.name.upper(), width - 6), width)]
    for word, text in facts:
        lines.extend(_fact(word, text, width))
    return lines


def _fact(word: str, text: str, width: int) -> list[Line]:
    told = sentences(text, width - 19)
    return [Line().put(f"   {'' if row else word}").put(line.text.strip(), at=18) for row, line in enumerate(told)]


def _latch_facts(view: View, item: Item) -> list[tuple[str, str]]:
    if item.clearance is None:
        says = "the latches are cleared; what they had set is still in Git or at the venue"
        return [("since", says)]
    latch, frame = item.clearance.latch, view.frame
    held = (view.wall - latch.opened_at).total_seconds()
    since = local_time(latch.opened_at, zone_of(view), "%a %d %b %H:%M:%S")
    facts = [
        ("cause", f"{latch.evidence}" if latch.evidence else latch.cause),
        ("since", f"{since}, for {age(held)}; entry {latch.seq}"),
        ("who clears", item.clearance.who),
        ("waits for", item.clearance.why or "nothing more"),
    ]
    if frame is not None and latch.mode > Mode.FROZEN and item.act == "clear":
        mode = effective_mode(latch.mode, frame.policy.mapped_modes)
        also = ", and the venue's block" if suspends(frame.policy, mode) else ""
        names = ", ".join(frame.policy.spec.controls[name].title or name for name in frame.policy.overlay(mode))
        facts.append(("then", f"lifted, if nothing else holds it: {names or 'nothing in Git'}{also}"))
    return facts


def _consent_facts(consents: Consents | None) -> list[tuple[str, str]]:
    if consents is None:
        return []
    facts = [(("needs" if not place else ""), f"{'yes' if so else 'NO'} {text}") for place, (text, so) in
             enumerate(consents.conditions)]  # fmt: skip
    if consents.file:
        facts.append(("to sign", f"rampdeck approve {consents.file}"))
    facts.append(("signed by", ", ".join(consents.given) or "nobody yet"))
    return [*facts, *(("not counted", text) for text in consents.faults)]
