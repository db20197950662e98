"""The ladder as a rail: four boxes on a wide page, one line on the others."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from stages.value import Struct
from stages.verdict import BurnIn, StageCard
from widgets.line import Line, Tone, fit

_STOPPED = frozenset({"SUSPENDED", "BLIND"})
_ENDED_BADLY = frozenset({"FAILED", "INCONCLUSIVE", "ABORTED"})
BURN_IN_WORDS = {"SUSPENDED": "paused", "BLIND": "STOPPED"}
"""What is said of a clock that does not run; ``paused`` is for a closed market."""


class StageLink(Struct, frozen=True):
    """A click on a stage."""

    stage: int


def burn_in_bar(burn_in: BurnIn, cells: int) -> str:
    """Progress as a bar; a stopped clock is drawn in ``▒``."""
    if burn_in.state in _STOPPED:
        full = int(burn_in.progress * cells)
        return "▒" * full + "·" * (cells - full)
    halves = max(0, min(cells * 2, int(burn_in.progress * cells * 2)))
    return "━" * (halves // 2) + "╸" * (halves % 2) + "·" * (cells - halves // 2 - halves % 2)


def burn_in_text(burn_in: BurnIn) -> str:
    """``64 %, lacks 73 fills``, ``64 % STOPPED``, ``FAILED at 71 %``, ``PASSED``, ``NOT READ``."""
    share = _share(burn_in)
    if burn_in.state in _ENDED_BADLY:
        return f"{burn_in.state} at {share}" if burn_in.progress else burn_in.state
    if burn_in.state in ("PASSED", "NOT READ"):
        return burn_in.state
    if burn_in.state in _STOPPED:
        return f"{share} {BURN_IN_WORDS[burn_in.state]}"
    return f"{share}, {burn_in.lacks}" if burn_in.lacks else share


def _share(burn_in: BurnIn) -> str:
    """Progress in percent; 100 only when nothing is lacking any more."""
    share = int(Decimal(str(burn_in.progress)) * 100)
    return f"{min(share, 99) if burn_in.lacks else share} %"


def runs(burn_in: BurnIn) -> bool:
    """Whether a bar says something: the run has begun and has not ended."""
    return burn_in.state in ("ARMED", "WARMUP", "OBSERVING", *_STOPPED)


def rail(cards: Sequence[StageCard], burn_in: BurnIn, width: int) -> list[Line]:
    """Three lines of boxes side by side, for pages of 140 columns and more."""
    if not cards:
        return [Line(), Line(), Line()]
    # At most four boxes stand on the page: the stage in force and its neighbours.
    here = next((position for position, card in enumerate(cards) if card.in_force), 0)
    first = max(0, min(here - 2, len(cards) - 4))
    cards = cards[first : first + 4]
    pitch = width // len(cards)
    lines = [Line(), Line(), Line()]
    for position, card in enumerate(cards):
        left = position * pitch + 1
        edge = left + pitch - 2
        box = "━" if card.in_force else "─"
        tone = Tone.BOLD if card.in_force else Tone.DIM
        name = fit(f"{card.name} {card.title}", max(4, pitch - len(card.status) - 10))
        run = edge - left - len(name) - len(card.status) - 7
        lines[0].put(f"{box} ", tone, at=left).put(name, Tone.BOLD if card.in_force else Tone.PLAIN)
        lines[0].put(f" {box * max(1, run)} ", tone).put(card.status, Tone.BOLD if card.in_force else Tone.PLAIN)
        lines[0].put(f" {box * 2}", tone)
        lines[1].put(" ", at=left).put(fit(card.limits, pitch - 3))
        lines[2].put(" ", at=left).extend(_fit_line(_note(card, burn_in, pitch - 3), pitch - 3))
        for line in lines:
            line.link(StageLink(card.index), left, edge)
    return [line.fill(width) for line in lines]


def _note(card: StageCard, burn_in: BurnIn, width: int) -> Line:
    if not card.in_force or card.index != burn_in.stage or not runs(burn_in):
        return Line().put(card.note)
    lacks = burn_in.lacks.removeprefix("lacks ") if burn_in.state == "OBSERVING" else ""
    said = f" {_share(burn_in)}{f', {lacks}' if lacks else ''}"
    stopped = f" {BURN_IN_WORDS[burn_in.state]}" if burn_in.state in _STOPPED else ""
    # The bar gives way to the words: what is lacking is the thing to read.
    cells = max(4, min(12, width - len("burn-in ") - len(said) - len(stopped)))
    return Line().put("burn-in ").put(burn_in_bar(burn_in, cells)).put(said).put(stopped, Tone.BOLD)


def _fit_line(line: Line, width: int) -> Line:
    return line.fill(width) if line.length > width else line


def rail_line(cards: Sequence[StageCard], burn_in: BurnIn, width: int) -> Line:
    """One line: ``L0 passed │ [L1 LIVE] burn-in ━━━━╸··· 64 %, lacks 73 fills │ L2 not yet``."""
    full = _rail_line(cards, burn_in, brief=False)
    return full.fill(width) if full.length <= width else _rail_line(cards, burn_in, brief=True).fill(width)


def _rail_line(cards: Sequence[StageCard], burn_in: BurnIn, *, brief: bool) -> Line:
    line = Line().put(" ")
    here = next((card.index for card in cards if card.in_force), -1)
    for position, card in enumerate(cards):
        if position:
            line.put(" │ ", Tone.DIM)
        start = line.length
        if not card.in_force:
            status = "" if brief and card.index > here and card.status == "not yet" else f" {card.status}"
            line.put(f"{card.name}{status}").link(StageLink(card.index), start)
            continue
        line.put(f"[{card.name} {card.status.removesuffix(' NOW')}]", Tone.BOLD).link(StageLink(card.index), start)
        if card.index == burn_in.stage and burn_in.state not in ("", "none"):
            line.put(" " if brief else " burn-in ")
            if runs(burn_in):
                line.put(burn_in_bar(burn_in, 16)).put(" ")
            line.put(burn_in_text(burn_in))
    return line
