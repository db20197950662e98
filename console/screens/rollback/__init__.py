"""Reduce risk: freeze, roll back or kill by one phrase, with a clock; it opens at once with whatever is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.message import Message

from console.actions import On
from console.at_stake import at_stake
from console.copying import TEXT, Copy
from console.desk import KILL, ByHand, Frame, Hands, Running, Told
from console.doubt import READ_ONLY
from console.errand import Errand, send
from console.screens import Live, View, bindings, keys_line, view_head
from console.screens.rollback.ways import Way, reduces, suggested, way_lines, ways_down
from stages.ladder import Unit
from stages.safety import NOT_IN_GIT
from stages.value import Struct, replace
from stages.verdict import Headline
from widgets.figures import age, amount, clock, number
from widgets.header import header, is_pnl, local_time
from widgets.line import Line, Tone, fit, padded, title
from widgets.status import KNOWN
from widgets.step_list import step_lines
from widgets.token_input import TokenInput, folded, wrong_word
from widgets.truth_panel import truth_lines

STILL_SHOWN = timedelta(minutes=2)
"""How long an act that has ended stays on the page."""

REASONS: Final = {"1": "risk", "2": "TCA", "3": "stale", "4": "books", "5": "incident", "6": "other"}
"""What a way down owes within ten minutes, by one digit; asked after, never before."""


class Plea(Struct, frozen=True):
    """What the person has asked for on this page, and what came of it."""

    note: str = ""
    sent: str = ""
    by_hand: tuple[str, ...] = ()
    kill: bool = False
    """The page was opened to kill."""
    owes: bool = False
    """A reason is owed for what was commanded here."""


def shown_run(view: View) -> Running | None:
    """The reduction in flight, or the one that has just ended."""
    running = view.frame.running if view.frame is not None else None
    if running is None or running.kind != "reduce":
        return None
    if running.finished is not None and view.wall - running.finished > STILL_SHOWN:
        return None
    return running


def reduce_page(view: View, plea: Plea, width: int, height: int) -> tuple[list[Line], int]:
    """The page, and the row of the phrase's field: what runs stands above it, what else can be done right before it."""
    view = replace(view, frame=view.believed)
    running = shown_run(view)
    head = _head_lines(view, plea, running, width)
    foot = [Line(Tone.DIM).put("─" * width), _keys(view, width).fill(width)]
    room = height - len(head) - len(foot)
    steps = len(running.steps) + 1 if running is not None else 0
    note = _about(view, plea)
    ways = way_lines(view.frame, note, width, further=running is not None, brief=room < steps + 16, kill=plea.kill)
    steps = min(steps, room - len(ways) - 2)
    above = (
        [] if running is None else step_lines(running.steps, width, steps, f"STEPS of {fit(running.title, width // 3)}")
    )
    lines = [*head, *above, *ways]
    room -= len(above) + len(ways) + 2
    rest = _idle_rest(view, plea, width, room) if running is None else _running_rest(view, plea, width, room)
    return [*lines, Line(), Line(), *padded(rest, room), *foot], len(lines)


def _about(view: View, plea: Plea) -> str:
    """What stands right above the field: what came of the last phrase, or what is suggested."""
    if plea.note:
        return plea.note
    best, why = suggested(view.frame, kill=plea.kill)
    if view.cut_off and not plea.kill:
        return "no suggestion: this console is cut off; a phrase is tried all the same"
    if best is None:
        return why if reduces(view.frame) else f"no suggestion: {why}"
    return f"suggested: {best.phrase}. {why}"


def _idle_rest(view: View, plea: Plea, width: int, room: int) -> list[Line]:
    truth = _truth(view, width, max(0, room - 3))
    return [*truth, *_by_hand(plea, width, max(0, room - len(truth)))]


def _running_rest(view: View, plea: Plea, width: int, room: int) -> list[Line]:
    # Said while something runs; after it nothing is left to break.
    tail = [
        title("IF THIS SESSION BREAKS", width),
        Line().put("   ").put(fit("the steps go on without this screen; rampdeck again shows this page.", width - 4)),
    ]
    lines = [title(_reasons(), width)] if _owes(view, plea) else []
    lines = [*lines, *_means(view, width, room), *_open(view, width)][: max(0, room)]
    truth = _truth(view, width, room - len(lines) - len(tail))
    lines.extend(truth)
    return [*lines, *tail] if reduces(view.frame) and len(lines) + len(tail) <= room else lines


def _means(view: View, width: int, room: int) -> list[Line]:
    """What verdicts that are not both YES leave open, in words; nothing where there is hardly any room."""
    running = shown_run(view)
    if running is None or room < 8:
        return []
    texts = []
    if running.awaits:
        texts.append(f"Only proposed: waits for the merge of {running.awaits}.")
        texts.append("Until somebody merges it, the higher limits stay in force.")
    if running.safe_now == "UNVERIFIED":
        texts.append("Nobody has heard the venue: it may still take orders. Call the broker.")
    elif running.safe_now == "YES" and "venue" in running.safe_note and running.stays_so != "YES":
        texts.append("The venue refuses every new order until somebody lifts the block, Git or no Git.")
    if running.stays_note.startswith(NOT_IN_GIT):
        texts.append("Its manifests would not take all of it: mend them, then roll back again.")
    if running.stays_so == "UNVERIFIED":
        git = "Until Git is verified, the next sync may undo what the runtime was told."
        runtime = "Nobody has heard the running system: it may still run the old limits."
        texts.append(git if running.stays_note.startswith("Git") else runtime)
    if not texts:
        return []
    return [title("WHAT THIS MEANS", width), *(Line().put("   ").put(fit(text, width - 4)) for text in texts)]


def _head_lines(view: View, plea: Plea, running: Running | None, width: int) -> list[Line]:
    if running is None:
        head = view_head(view, _before(view, plea, width), prefix="REDUCE RISK │")
        return header(head, width)
    took = clock(((running.finished or view.wall) - running.started).total_seconds(), tenths=True)
    first = header(view_head(view, prefix="REDUCE RISK │"), width)[0]
    word = "SAFE IN" if running.safe_now == "YES" and running.finished else "TIME TO SAFE"
    column = 30 if width >= 90 else 24
    lines = [first]
    for lead, name, said, note, tone in (
        (f"{word}   {took}", "SAFE NOW", running.safe_now, running.safe_note, Tone.ALARM),
        ("PROPOSED" if running.awaits else "", "STAYS SO", running.stays_so, running.stays_note, Tone.REVERSE),
    ):
        line = Line(tone).put(" ").put(lead).put(f"{name}  {said}", at=column)
        lines.append(line.put(fit(note, width - column - 23), at=column + 22).fill(width))
    return lines


def _before(view: View, plea: Plea, width: int) -> Headline:
    sentence = "No approval, no gate, no window, no reason needed. Nothing here sells."
    if view.frame is not None and view.frame.notices:
        sentence = f"The phrases work without it: {'; '.join(view.frame.notices)}"
    if view.cut_off:
        sentence = f"CUT OFF for {age(view.lag)}: nothing below is known. The phrases still try; so does BY HAND."
    if _read_only(view):
        sentence = f"{READ_ONLY} The commands below work wherever you may act."
    if plea.note:
        sentence = plea.note
    if _owes(view, plea):
        sentence = _reasons(view)
    mark = "unknown" if view.cut_off or view.frame is None else "ok"
    return Headline(at_stake(view.frame, width), "", plea.sent or "nothing started", sentence, mark, False)


def _owes(view: View, plea: Plea) -> bool:
    """Whether a reason is owed: for what was commanded here, or for what the ledger tells of."""
    return plea.owes or (view.frame is not None and bool(view.frame.evaluation.owed))


def _reasons(view: View | None = None) -> str:
    digits = "  ".join(f"{digit} {reason}" for digit, reason in REASONS.items())
    debts = view.frame.evaluation.owed if view is not None and view.frame is not None else ()
    return f"Reason, {debts[-1].due if debts else 'within 10 min'}: {digits}  and enter"


def _truth(view: View, width: int, room: int) -> list[Line]:
    frame = view.frame
    if frame is None:
        return [title("TRUTH", width), Line().put(" ? no witness has been read yet")][:room]
    truth = frame.evaluation.truth
    since = ""
    if truth.since is not None:
        market = frame.evaluation.snapshot.market_of(truth.since)
        since = local_time(market, frame.policy.spec.target.session.timezone, "%H:%M").partition(" ")[0]
    return truth_lines(truth, width, min(room, len(truth.rows) + 2), since, view.wall) if room > 2 else []


def _by_hand(plea: Plea, width: int, room: int) -> list[Line]:
    """The commands that do the same when this program is broken."""
    if room < 2:
        return []
    lines = [title("BY HAND, if this program is broken", width)]
    texts = (plea.by_hand or ("no stage is known to be lower than the one in force",))[: room - 1]
    lines.extend(Line().put("   ").put(fit(text, width - 4)) for text in texts)
    if len(plea.by_hand) > room - 1:
        verb = "kill" if plea.kill else "rollback --to STAGE"
        lines[-1] = Line().put(f"   ... all of it: rampdeck {verb} --print")
    return lines


def _open(view: View, width: int) -> list[Line]:
    """What is open at the venue, in dollars and order by order."""
    frame = view.frame
    if frame is None:
        return []
    venue = frame.evaluation.snapshot.venue
    pnl = next((row for row in frame.evaluation.rows if is_pnl(row, frame.policy)), None)
    parts = [at_stake(frame, width)]
    if pnl is not None and pnl.value is not None and pnl.state in KNOWN:
        parts.append(f"day P&L {amount(pnl.value, pnl.unit, decimals=pnl.decimals, signed=True)}")
    lines = [title("WHAT IS OPEN", width, note="at the venue" if venue is not None else "not known")]
    lines.append(Line().put("   ").put(fit("; ".join(parts), width - 4)))
    orders = venue.open_orders if venue is not None and not venue.error else ()
    for order in orders[:4]:
        price = f" {number(order.limit_price, Unit.USD, decimals=2)}" if order.limit_price is not None else ""
        text = f"{order.order_id} {order.side} {order.quantity.normalize():f} {order.symbol}{price}"
        lines.append(Line().put("   ").put(fit(text, width - 4)))
    return lines


def _keys(view: View, width: int) -> Line:
    if _read_only(view):
        return keys_line(On.REDUCE, view, width)
    said = "nothing stops when you leave" if shown_run(view) is not None else "Enter on an empty line does nothing"
    return keys_line(On.REDUCE, view, width - 36).put(f"   {said}")


def _read_only(view: View) -> bool:
    return view.read_only or (view.frame is not None and view.frame.read_only)


def phrases(view: View) -> tuple[str, ...]:
    """The phrases that the field takes as they stand on the page."""
    return tuple(way.phrase for way in ways_down(view.frame))


def _problem(view: View, text: str) -> str:
    known = phrases(view)
    words = folded(text).split()
    if view.frame is None and len(words) == 2 and words[0] in ("rollback", "kill"):
        return ""
    return wrong_word(text, known)


class ReduceScreen(Live):
    """The way down. Its field has the focus from the first moment, and pasting is fine."""

    ON: ClassVar[On | None] = On.REDUCE
    BINDINGS: ClassVar[list[BindingType]] = bindings(On.REDUCE)

    class Heard(Message):
        """What came of a phrase."""

        def __init__(self, what: str, errand: Errand[Told]) -> None:
            super().__init__()
            self.what = what
            self.errand = errand

    class Written(Message):
        """The commands to do it by hand."""

        def __init__(self, errand: Errand[ByHand]) -> None:
            super().__init__()
            self.errand = errand

    def __init__(
        self, view: View, hands: Hands, now: Callable[[], datetime], *, ascii_marks: bool = False, kill: bool = False
    ) -> None:
        super().__init__(view, ascii_marks=ascii_marks)
        self.hands = hands
        self.now = now
        self.plea = Plea(kill=kill)
        self.token = TokenInput(
            phrases(view),
            paste=True,
            grace=0.0,
            accepts=self._problem,
            ascii_marks=ascii_marks,
        )
        self._asked_by_hand = ""

    def _problem(self, text: str) -> str:
        """A digit is a reason as soon as one is owed; everything else has to be a phrase."""
        return "" if _owes(self.view, self.plea) and text.strip() in REASONS else _problem(self.view, text)

    def on_mount(self) -> None:
        self.mount(self.token)
        self.token.focus()
        self.paint()
        self.set_interval(0.1, self._tick)
        self._write_by_hand()

    def _tick(self) -> None:
        """The clock of a running reduction ticks ten times a second, because a person waits for it."""
        running = shown_run(self.view)
        if running is not None and running.finished is None:
            self.show_at(self.now())

    def show_at(self, wall: datetime) -> None:
        self.view = replace(self.view, wall=wall)
        self.paint()

    def show(self, view: View) -> None:
        super().show(view)
        self.token.phrases = phrases(view)
        self._write_by_hand()

    def page(self, width: int, height: int) -> list[Line]:
        lines, field_at = reduce_page(self.view, self.plea, width, height)
        self.token.display = not _read_only(self.view)
        self.token.styles.offset = (0, field_at)
        self.token.styles.width = width
        return lines

    def on_key(self, event: events.Key) -> None:
        """Keys that come before the field has the focus are dropped and said, never guessed at."""
        if event.is_printable and self.token.display and not self.token.has_focus:
            event.stop()
            self.token.too_early()
            self.token.focus()

    def copies(self) -> tuple[Copy, ...]:
        """The commands that do the same by hand come first: they are what one wants when this breaks."""
        if not self.plea.by_hand:
            return super().copies()
        verb = "kill" if self._asked_by_hand == KILL else f"rollback --to {self._asked_by_hand}"
        lines = "\n".join(self.plea.by_hand)
        return (Copy("the commands by hand", TEXT, lambda: lines, f"rampdeck {verb} --print"), *super().copies())

    def _write_by_hand(self) -> None:
        best, _ = suggested(self.view.frame, kill=self.plea.kill)
        if best is not None and not best.stage and best.new_orders == "BLOCKED":
            stage = KILL
        else:
            stage = self._stage_by_hand(best)
        if stage and stage != self._asked_by_hand:
            self._asked_by_hand = stage
            send("by-hand", lambda: self.hands.by_hand(stage), lambda e: self.post_message(self.Written(e)))

    def _stage_by_hand(self, best: Way | None) -> str:
        way = next((way for way in ways_down(self.view.frame) if way.stage), None)
        return best.stage if best is not None and best.stage else way.stage if way is not None else ""

    def on_reduce_screen_written(self, message: Written) -> None:
        errand = message.errand
        lines = errand.result.lines if errand.result is not None else (errand.trouble,)
        self.plea = replace(self.plea, by_hand=tuple(lines))
        self.paint()

    def on_token_input_confirmed(self, message: TokenInput.Confirmed) -> None:
        phrase = message.phrase
        words = folded(phrase).split()
        if phrase.strip() in REASONS:
            self._give_reason(REASONS[phrase.strip()])
            return
        work: Callable[[], Told]
        if words[0] == "kill":
            name, work = "KILL", lambda: self.hands.kill(phrase)
        elif words[0] == "freeze":
            name, work = "FREEZE", lambda: self.hands.freeze(phrase)
        else:
            stage = _stage_name(self.view.frame, words[1])
            name, work = f"ROLLBACK {stage}", lambda: self.hands.rollback(stage, phrase)
        send(words[0], work, lambda errand: self.post_message(self.Heard(name, errand)), commands=True)
        self.plea = replace(
            self.plea, note=f"{phrase.upper()} goes to a process of its own", sent="handing over", kill=False
        )
        self.paint()

    def _give_reason(self, reason: str) -> None:
        send("reason", lambda: self.hands.give_reason(reason), lambda e: self.post_message(self.Heard("reason", e)))
        self.plea = replace(self.plea, owes=False, note=f"reason: {reason}")
        self.paint()

    def on_reduce_screen_heard(self, message: Heard) -> None:
        told, trouble = message.errand.result, message.errand.trouble
        if trouble or told is None or not told.ok:
            why = trouble or (told.note if told is not None else "no answer")
            self.plea = replace(self.plea, note=f"{message.what} did not start: {why}", sent="nothing started")
        else:
            owes = self.plea.owes or message.what not in ("FREEZE", "reason")
            note = f"{message.what}: {(told.note or 'started').removeprefix(f'{message.what}: ')}"
            self.plea = replace(self.plea, note=note, sent="commanded", owes=owes and message.what != "reason")
        self.paint()


def _stage_name(frame: Frame | None, word: str) -> str:
    """The stage as the policy spells it."""
    names = [stage.name for stage in frame.policy.stages] if frame is not None else []
    return next((name for name in names if name.casefold() == word), word.upper())
