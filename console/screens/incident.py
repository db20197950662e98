"""Declare an incident: its severity and one line; what each severity holds stands on the page before it is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from console.actions import On
from console.at_stake import at_stake
from console.desk import Frame, Hands, Told
from console.doubt import READ_ONLY
from console.errand import Errand, send
from console.screens import Live, View, bindings, common_headline, keys_line, view_head
from stages.incidents import SEVERITIES, latch_for
from stages.value import replace
from stages.verdict import Headline
from widgets.figures import age
from widgets.header import header
from widgets.line import Line, Tone, fit, padded, title
from widgets.status import KNOWN
from widgets.token_input import TokenInput

FIELD = 2
"""Lines of the field: what is typed, and what is said of it."""


def incident_page(view: View, note: str, width: int, height: int) -> tuple[list[Line], int]:
    """The page, and the row of the field. Where nothing may be declared the field's rows stay empty."""
    view = replace(view, frame=view.believed)
    head = header(view_head(view, _headline(view, width)), width)
    lines = [*head, title("WHAT EACH HOLDS", width)]
    lines.extend(Line().put("   ").put(fit(text, width - 4)) for text in _holds(view.frame))
    how = "type its severity and one line, then enter: SEV2 the feed lies"
    lines.append(title(fit(note or (NOT_HERE if barred(view) else how), width - 4), width))
    foot = [Line(Tone.DIM).put("─" * width), keys_line(On.INCIDENT, view, width).fill(width)]
    field_at = len(lines)
    now = _now(view, width)[: max(0, height - field_at - FIELD - len(foot))]
    return [*padded([*lines, *padded([], FIELD), *now], height - len(foot)), *foot], field_at


NOT_HERE = "nothing can be declared from here"


def barred(view: View) -> bool:
    """Whether nothing may be done from this console."""
    return view.read_only or (view.frame is not None and view.frame.read_only)


def _headline(view: View, width: int) -> Headline:
    sentence = "It holds at once what its severity says; who may lift it is said below. Nothing here sells."
    if view.cut_off:
        sentence = f"CUT OFF for {age(view.lag)}: nothing below is known. A declaration is tried all the same."
    if barred(view):
        sentence = f"{READ_ONLY} Elsewhere: rampdeck incident declare SEV2 ..."
    return Headline("DECLARE AN INCIDENT", "", at_stake(view.frame, width), sentence, "ok", False)


def _now(view: View, width: int) -> list[Line]:
    """What whoever declares is asked next: what goes on, what is held, and what is declared already."""
    frame = view.frame
    lines = [title("WHAT GOES ON NOW", width)]
    if frame is None:
        return [*lines, Line().put(" ? ", Tone.UNKNOWN).put("not read yet; a declaration is recorded all the same")]
    found, top = frame.evaluation, common_headline(view)
    declared = next((row for row in found.derived if row.key.name == "derived/declared"), None)
    held = ", ".join(latch.cause for latch in found.latches) or "nothing"
    stated = f"was {declared.text}" if declared is not None and declared.state not in KNOWN else ""
    was = "was " if view.cut_off else ""
    mode = f"{found.posture.mode.words}, max {frame.policy.stages[found.posture.cap].name}"
    known, away = frame.presence.known, "not known: the ledger does not answer"
    facts = [
        ("it says", " ".join(part for part in (top.word, top.figure, top.thing) if part)),
        ("mode", f"{was}{mode}" if known else away),
        ("held", f"{was}{held}" if known else away),
        ("declared", stated or (declared.text if declared is not None else "nothing is known of earlier ones")),
    ]
    lines.extend(Line().put(f"   {name}", Tone.DIM).put(fit(text, width - 16), at=14) for name, text in facts)
    return lines


def _holds(frame: Frame | None) -> list[str]:
    """``SEV2   FROZEN, one stage down    lifted by incident-commander and risk``."""
    if frame is None:
        return ["nothing is known yet"]
    lines = []
    for severity in SEVERITIES:
        latch = latch_for(
            frame.policy,
            actor=frame.actor,
            incident="new",
            severity=severity,
            title="",
            effective=min(frame.evaluation.effective, frame.policy.top),
            market=frame.evaluation.snapshot.market,
        )
        down = {None: "stage stays", "-1": "one stage down"}.get(latch.cap)
        where = down or f"back to {frame.policy.stages[int(latch.cap or 0)].name}"
        roles = (" and " if latch.rule.each else " or ").join(latch.clear_roles)
        lines.append(f"{severity}   {f'{latch.mode.words}, {where}':<34} lifted by {roles}")
    return lines


def wrong(text: str) -> str:
    """What keeps a text from being a severity and one line; empty when it is."""
    severity, _, line = text.strip().partition(" ")
    if severity.upper() not in SEVERITIES:
        return f"it begins with {', '.join(SEVERITIES[:-1])} or {SEVERITIES[-1]}"
    return "" if line.strip() else "one line of what happens is missing"


class IncidentScreen(Live):
    """One field; leaving it declares nothing."""

    ON: ClassVar[On | None] = On.INCIDENT
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.INCIDENT)

    class Heard(Message):
        """What came of the declaration."""

        def __init__(self, errand: Errand[Told]) -> None:
            super().__init__()
            self.errand = errand

    def __init__(self, view: View, hands: Hands, *, ascii_marks: bool = False) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.hands = hands
        self.note = ""
        self.field = TokenInput(paste=True, accepts=wrong, ascii_marks=ascii_marks)

    def on_mount(self) -> None:
        self.mount(self.field)
        self.field.focus()
        self.paint()

    def topic(self) -> str:
        return "incident-field"

    def page(self, width: int, height: int) -> list[Line]:
        lines, field_at = incident_page(self.view, self.note, width, height)
        self.field.display = not barred(self.view)
        self.field.styles.offset = (0, field_at)
        self.field.styles.width = width
        return lines

    def on_token_input_confirmed(self, message: TokenInput.Confirmed) -> None:
        if barred(self.view):
            return
        severity, _, line = message.phrase.partition(" ")
        send(
            "incident",
            lambda: self.hands.declare(severity.upper(), line),
            lambda errand: self.post_message(self.Heard(errand)),
            commands=True,
        )
        self.note = f"{severity.upper()}: handing over"
        self.paint()

    def on_incident_screen_heard(self, message: Heard) -> None:
        told = message.errand.result
        self.note = told.note if told is not None else f"not declared: {message.errand.trouble}"
        self.paint()
